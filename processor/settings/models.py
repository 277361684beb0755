"""The configuration as one frozen tree; what each key means, its default and its limits."""

from collections.abc import Mapping
from typing import Literal

from pydantic import AliasChoices, Field, ValidationInfo, field_validator

from processor import __version__
from processor.settings.mapped import (
    DEFAULT,
    Constant,
    Expression,
    FieldMap,
    MappedValue,
    OrderKey,
    OrderKeyValue,
    PythonHook,
)
from processor.settings.registry import RegistrySettings
from processor.settings.replies import ReplyRule, RetrySettings
from processor.settings.tables import Table, TableFile
from processor.settings.texts import (
    DestinationName,
    EventName,
    EventNames,
    ExpressionText,
    FilePath,
    GroupPrefix,
    HttpUrl,
    IdempotencyHeader,
    LetName,
    Name,
    ProxyUrl,
    RouteName,
    SchemaPaths,
    Secret,
    StartFrom,
    Targets,
    TopicName,
    TopicOfFormat,
    Topics,
    UserAgent,
)
from processor.settings.values import Duration, Flag, Frozen, Given, Rate, Size, Wait, invalid

__all__ = [
    "DEFAULT",
    "BatchSettings",
    "Constant",
    "DeadLetterSettings",
    "DestinationSettings",
    "Expression",
    "FormatSettings",
    "HttpSettings",
    "InMemorySettings",
    "OpsSettings",
    "OrderKey",
    "PythonHook",
    "ReplyRule",
    "RetrySettings",
    "RouteSettings",
    "Settings",
    "TableFile",
    "Vendors",
]

MIB = 1024 * 1024


class BatchSettings(Frozen):
    """How many deliveries one request carries; what is reached first closes the batch.

    Attributes:
        max_events: deliveries in one request.
        max_bytes: size of the request's body.
        max_wait: how long a batch that is not full waits for more.
    """

    max_events: int = Field(default=500, ge=1)
    max_bytes: Size = MIB
    max_wait: Wait = 0.2


class DeadLetterSettings(Frozen):
    """Where deliveries go that cannot be made.

    Attributes:
        topic: must exist; None for `<group_prefix>.<destination>.dlq`.
        hold_above: the part of the last records that may fail before they are sent (decode, route, map). Where more
            do, the file or a schema is wrong, and not the records: the pipeline holds until it is started again. `1`
            = never.
        window: how many records are looked back on, of those that a route wanted.
        min: fewer failures than this among them never hold.
    """

    topic: TopicName | None = None
    hold_above: float = Field(default=0.5, ge=0, le=1, examples=["0.5"])
    window: int = Field(default=500, ge=1)
    min: int = Field(default=50, ge=1)

    @field_validator("min")
    @classmethod
    def _reachable(cls, value: int, info: ValidationInfo) -> int:
        """Refuse what no window could hold."""
        window = info.data.get("window", value)
        if value > window:
            raise invalid(f"is more than `window` ({window}), so nothing would ever hold", f"at most {window}")
        return value


class HttpSettings(Frozen):
    """How a vendor is reached.

    Attributes:
        proxy: through which all requests go, with user and password where it wants them; None = straight. The
            environment's proxy variables are not looked at.
        ca_file: PEM file of authorities that are trusted beside the system's; looked up beside the file that names
            it.
    """

    proxy: ProxyUrl | None = Field(default=None, repr=False, examples=["http://proxy.acme.example:3128"])
    ca_file: FilePath | None = Field(default=None, examples=["acme-ca.pem"])


class DestinationSettings(Frozen):
    """One configured account at a vendor; a vendor's own class adds its keys and defaults.

    Attributes:
        type: which vendor it is.
        base_url: where the vendor's paths begin; a slash at its end is dropped.
        api_key: the account's key. From a file it is read again before each probe of a refused key, so that changing
            a secret heals it.
        when: holds for all routes to it, on top of their own, but for `unconditional` ones. Without it: always.
        map: for all routes to it, where the method has the field and the route does not map it. A `python:` map is
            taken as it is.
        mode: `live`; `shadow` does everything but the calls, and events count as done; `paused` joins the consumer
            group, but fetches and commits nothing.
        user_agent: product/version, sent with every request.
        rate: requests of the account over all replicas, each of which takes its share; `none` = no limit.
        concurrency: requests in flight per replica.
        timeout: for one request, from sending to the last byte of the reply.
        batch: None for one delivery per request.
        retry: when a refused delivery is tried again, and when it is given up.
        replies: what replies mean, where it is not what their status says by itself.
        dead_letter: where deliveries go that cannot be made.
        http: how the vendor is reached.
        idempotency_header: the header that sends the delivery's id, for vendors and gateways that drop repeats by
            it; batches never carry it.
    """

    type: str
    base_url: HttpUrl = Field(examples=["https://acme.voyado.com"])
    api_key: Secret = Field(examples=["${file:/var/run/secrets/api-key}"])
    when: Given[ExpressionText] = None
    map: dict[str, MappedValue] = Field(default={})
    mode: Literal["live", "shadow", "paused"] = "live"
    user_agent: UserAgent = Field(default=f"clickstream-processor/{__version__}", examples=["AcmeClickstream/1.0"])
    rate: Rate = None
    concurrency: int = Field(default=32, ge=1)
    timeout: Duration = 10.0
    batch: BatchSettings | None = None
    retry: RetrySettings = RetrySettings()
    replies: tuple[ReplyRule, ...] = Field(default=(), examples=["[{status: 409, class: accepted}]"])
    dead_letter: DeadLetterSettings = DeadLetterSettings()
    http: HttpSettings = HttpSettings()
    idempotency_header: IdempotencyHeader | None = Field(default=None, examples=["Idempotency-Key"])

    @field_validator("batch", "retry", "dead_letter", "http", mode="before")
    @classmethod
    def _keep_defaults(cls, value: object, info: ValidationInfo) -> object:
        """Fill what a group leaves out from this vendor's default, not from the group's own."""
        default = cls.model_fields[str(info.field_name)].get_default(call_default_factory=True, validated_data={})
        return {**dict(default), **value} if isinstance(value, Mapping) and default is not None else value


Vendors = Mapping[str, type[DestinationSettings]]
"""The settings' class of each `type` of destination."""


class RouteSettings(Frozen):
    """Which events, under which condition, go to which method, and how their fields map.

    Attributes:
        events: Avro full names; `event` and `events` are one key.
        topics: in place of the `topics` of all routes.
        to: `destination.method`; a list sends the same to several accounts of one type.
        when: false, null and empty filter the event; judged per item where there is `for_each`.
        for_each: an array; one delivery per item, which expressions see as `item`.
        let: names for this route's `when`, `order_key` and `map`; none may be `item`.
        unconditional: not subject to the destination's `when`.
        order_key: deliveries of one key stay in order; null = no order. By default the method's own.
        max_event_age: an event whose time is longer ago is filtered as `too_old`; a cart without items never is.
        map: from the method's fields to expressions and constants; or `python:package.module.function`, called as
            `f(event, item, record)`, which gives the whole payload as a dict, or `None` to filter.
    """

    events: EventNames = Field(
        validation_alias=AliasChoices("event", "events"), examples=["com.acme.shop.ProductViewed"]
    )
    topics: Given[Topics] = None
    to: Targets = Field(examples=["voyado.product_view"])
    when: Given[ExpressionText] = None
    for_each: Given[ExpressionText] = None
    let: dict[LetName, MappedValue] = Field(default={})
    unconditional: Flag = False
    order_key: OrderKeyValue = DEFAULT
    max_event_age: Given[Duration] = None
    map: FieldMap


class FormatSettings(Frozen):
    """How the records of a topic are read that no frame tells.

    Attributes:
        raw: full name of the record type in `schemas` that each value is, without any frame.
    """

    raw: EventName = Field(examples=["com.acme.shop.ProductViewed"])


class InMemorySettings(Frozen):
    """How much one pipeline holds in memory; each partition has a share of it.

    Attributes:
        max_records: records read and not settled yet.
        max_bytes: their keys and values.
    """

    max_records: int = Field(default=20_000, ge=1)
    max_bytes: Size = 128 * MIB


class OpsSettings(Frozen):
    """Where health, metrics and status are served.

    Attributes:
        host: address to listen on.
        port: to listen on; 0 takes any free one.
    """

    host: str = Field(default="0.0.0.0", min_length=1)  # noqa: S104  # probes and Prometheus come from outside the pod
    port: int = Field(default=8080, ge=0, le=65535)


class Settings(Frozen):
    """The whole file.

    Attributes:
        kafka: librdkafka's properties, given to consumer, producer and admin client by their role; safe defaults fill
            the rest, and what would break delivery at least once is refused.
        registry: the schema registry; None where no topic needs one.
        schemas: .avsc files and folders, looked up beside the file that names them. They decode single-object and raw
            Avro; a record with an event's name or alias is the reader's schema.
        formats: by topic, what no frame tells; records of all other topics are recognised by their frame.
        topics: those of every route that names none; a name that starts with `^` is a regular expression.
        group_prefix: consumer groups are called `<group_prefix>.<destination>`.
        start_from: where a new consumer group begins: `earliest`, `latest`, or a time. Partitions that are added later
            begin at their earliest.
        destinations: accounts at vendors, by a name of your own.
        routes: which events go where, by a name of your own.
        tables: for `lookup(table, key)`: texts by key, or `{file: PATH}` with CSV rows of key and value, or a JSON
            object; the file is looked up beside the one that names it, and read again when it changes.
        in_memory: how much is held before reading waits.
        commit_interval: how often offsets are committed.
        max_ahead: how many records of a partition may be settled behind one that is not, before its reading waits for
            that one; offsets that compaction has emptied count too. What is settled so is not sent again after a
            restart.
        ops: where health, metrics and status are served.
        shutdown_timeout: from SIGTERM to the end; what is in flight is finished as far as it suffices.
    """

    kafka: dict[str, str] = Field(repr=False)
    registry: RegistrySettings | None = None
    schemas: SchemaPaths = ()
    formats: dict[TopicOfFormat, FormatSettings] = Field(default={})
    topics: Topics = ()
    group_prefix: GroupPrefix = "clickstream"
    start_from: StartFrom = Field(examples=["latest"])
    destinations: dict[DestinationName, DestinationSettings] = Field(min_length=1)
    routes: dict[RouteName, RouteSettings] = Field(min_length=1)
    tables: dict[Name, Table] = Field(default={})
    in_memory: InMemorySettings = InMemorySettings()
    commit_interval: Duration = 1.0
    max_ahead: int = Field(default=100_000, ge=1)
    ops: OpsSettings = OpsSettings()
    shutdown_timeout: Duration = 25.0

    def group_id(self, destination: str) -> str:
        """Name the consumer group of a destination's pipeline."""
        return f"{self.group_prefix}.{destination}"

    def dead_letter_topic(self, destination: str) -> str:
        """Name the topic for a destination's dead letters."""
        return self.destinations[destination].dead_letter.topic or f"{self.group_id(destination)}.dlq"

    def route_topics(self, route: RouteSettings) -> tuple[str, ...]:
        """List the topics that a route reads."""
        return route.topics or self.topics
