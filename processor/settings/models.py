"""The configuration as one frozen tree; what each key means, its default and its limits."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Final, Literal

from pydantic import (
    AliasChoices,
    Field,
    PlainValidator,
    ValidationInfo,
    field_validator,
)

from processor import __version__
from processor.settings.registry import RegistrySettings
from processor.settings.texts import (
    DestinationName,
    EventName,
    EventNames,
    ExpressionText,
    GroupPrefix,
    HttpUrl,
    RouteName,
    SchemaPaths,
    Secret,
    StartFrom,
    Targets,
    TopicName,
    TopicOfFormat,
    Topics,
    UserAgent,
    check_expression,
)
from processor.settings.values import Duration, Frozen, Rate, Size, Wait, invalid
from processor.settings.yaml import Bare

MIB = 1024 * 1024
BARE_NUMBER = re.compile(r"-?(0|[1-9]\d{0,30})(\.\d{1,30})?")
"""A JSON number without exponent; `007` and `1e5` are ids rather than numbers."""


class BatchSettings(Frozen):
    """How many deliveries one request carries; what is reached first closes the batch.

    Attributes:
        max_bytes: of the request's body.
        max_wait: seconds that a batch which is not full waits for more.
    """

    max_events: int = Field(default=500, ge=1)
    max_bytes: Size = MIB
    max_wait: Wait = 0.2


class RetrySettings(Frozen):
    """When a refused delivery is tried again.

    Attributes:
        delays: seconds before the second, third, … attempt; the last one repeats.
    """

    delays: tuple[Duration, ...] = Field(default=(10.0, 30.0, 60.0, 300.0), min_length=1, examples=["[10s, 30s, 60s]"])


class DeadLetterSettings(Frozen):
    """Where deliveries go that cannot be made.

    Attributes:
        topic: None for `<group_prefix>.<destination>.dlq`.
    """

    topic: TopicName | None = None


class DestinationSettings(Frozen):
    """One configured account at a vendor; a vendor's own class adds its keys and defaults.

    Attributes:
        type: the vendor's name in the catalogue.
        base_url: without a slash at its end.
        user_agent: product/version, sent with every request.
        rate: requests per second of the account over all replicas; None = no limit.
        concurrency: requests in flight per replica.
        timeout: seconds for one request, from sending to the last byte of the reply.
        batch: None for one delivery per request.
    """

    type: str
    base_url: HttpUrl = Field(examples=["https://acme.voyado.com"])
    api_key: Secret = Field(examples=["${file:/var/run/secrets/api-key}"])
    user_agent: UserAgent = Field(default=f"clickstream-processor/{__version__}", examples=["AcmeClickstream/1.0"])
    rate: Rate = None
    concurrency: int = Field(default=32, ge=1)
    timeout: Duration = 10.0
    batch: BatchSettings | None = None
    retry: RetrySettings = RetrySettings()
    dead_letter: DeadLetterSettings = DeadLetterSettings()

    @field_validator("batch", "retry", "dead_letter", mode="before")
    @classmethod
    def _keep_defaults(cls, value: object, info: ValidationInfo) -> object:
        """Fill what a group leaves out from this vendor's default, not from the group's own."""
        default = cls.model_fields[str(info.field_name)].get_default(call_default_factory=True, validated_data={})
        return {**dict(default), **value} if isinstance(value, Mapping) and default is not None else value


@dataclass(frozen=True, slots=True)
class Expression:
    """A JMESPath expression, not compiled yet."""

    text: str


@dataclass(frozen=True, slots=True)
class Constant:
    """What is the same for every event: str, bool, int, Decimal, or a list or mapping of them and None."""

    value: Any


class OrderKey(Enum):
    """What `order_key` is where a route does not set it."""

    DEFAULT = "default"


DEFAULT: Final = OrderKey.DEFAULT
"""The method's own order key."""


def parse_order_key(value: object) -> str | OrderKey | None:
    """Read an order key: an expression, or None for no order.

    Raises:
        PydanticCustomError: it is neither.
    """
    if value is None or isinstance(value, OrderKey):
        return value
    if not isinstance(value, str):
        raise invalid("must be an expression, or null for no order", "put quotes around it")
    return check_expression(str(value))


def parse_mapped(value: object) -> Expression | Constant:
    """Read a value of `map`: text is an expression, all else is a constant.

    Raises:
        PydanticCustomError: it is empty or a `const` of something else than text.
    """
    match value:
        case Expression() | Constant():
            return value
        case {"const": str(text), **rest} if not rest:
            return Constant(str(text))
        case {"const": _, **rest} if not rest:
            raise invalid("`const` takes a text", "write a list, a mapping or null without `const`")
        case None:
            raise invalid("has no value", "write an expression, or remove the key")
        case str(text) if isinstance(constant := parse_constant(value), str):
            if not text.strip():
                raise invalid("must not be empty", "write an expression, or {const: ''} for an empty text")
            return Expression(constant)
        case _:
            return Constant(parse_constant(value))


def parse_constant(value: object) -> object:
    """Read a constant; text without quotes is a number, `true` or `false` where it looks so, at any depth."""
    match value:
        case Bare("true" | "false"):
            return value == "true"
        case Bare() if match_ := BARE_NUMBER.fullmatch(value):
            return Decimal(value) if match_[2] else int(value)
        case str():
            return str(value)
        case Mapping():
            return {str(key): parse_constant(item) for key, item in value.items()}
        case list() | tuple():
            return [parse_constant(item) for item in value]
        case _:
            return value


class RouteSettings(Frozen):
    """Which events, under which condition, go to which method, and how their fields map.

    Attributes:
        events: Avro full names; `event` and `events` are one key.
        topics: None for those of the settings.
        to: `destination.method`, one or several.
        when: delivers only where this is true; None = always.
        for_each: an array, one delivery per item; None = one delivery.
        order_key: None = no order.
        map: the method's fields.
    """

    events: EventNames = Field(
        validation_alias=AliasChoices("event", "events"), examples=["com.acme.shop.ProductViewed"]
    )
    topics: Topics | None = None
    to: Targets = Field(examples=["voyado.product_view"])
    when: ExpressionText | None = None
    for_each: ExpressionText | None = None
    order_key: Annotated[str | Literal[OrderKey.DEFAULT] | None, PlainValidator(parse_order_key)] = DEFAULT
    map: dict[str, Annotated[Expression | Constant, PlainValidator(parse_mapped)]]

    @field_validator("when", "for_each", "topics", mode="before")
    @classmethod
    def _refuse_null(cls, value: object) -> object:
        """A condition that was left blank must not mean that everything is delivered."""
        if value is None:
            raise invalid("has no value", "give it one, or remove the key")
        return value


class FormatSettings(Frozen):
    """How the records of a topic are read that no frame tells.

    Attributes:
        raw: full name of the record type in `schemas` that each value is, without any frame.
    """

    raw: EventName = Field(examples=["com.acme.shop.ProductViewed"])


class InMemorySettings(Frozen):
    """Unsettled records per pipeline; each partition has a share of it.

    Attributes:
        max_bytes: keys and values.
    """

    max_records: int = Field(default=20_000, ge=1)
    max_bytes: Size = 128 * MIB


class OpsSettings(Frozen):
    """Where health, metrics and status are served; port 0 takes any free one."""

    host: str = Field(default="0.0.0.0", min_length=1)  # noqa: S104  # probes and Prometheus come from outside the pod
    port: int = Field(default=8080, ge=0, le=65535)


class Settings(Frozen):
    """The whole file.

    Attributes:
        kafka: librdkafka's properties as text, see `kafka_properties`.
        registry: None where no topic needs one.
        schemas: .avsc files and folders as the file names them; see `avro_files`.
        formats: by topic; all others are recognised by their frame.
        topics: those of every route that names none.
        start_from: where a group without offsets begins.
        commit_interval: seconds.
        shutdown_timeout: seconds from SIGTERM to the end.
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
    in_memory: InMemorySettings = InMemorySettings()
    commit_interval: Duration = 1.0
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
