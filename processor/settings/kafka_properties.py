"""Sorts `kafka:` to the clients it is for, puts safe defaults under it, and refuses what breaks the promise.

The client itself judges names and values: it is asked, so what a newer librdkafka knows works here too.
"""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from confluent_kafka import Consumer, KafkaException, Producer

from processor.errors import Fault, Level
from processor.settings.kafka_login import PEM_FILES, login_config, login_faults
from processor.settings.kafka_rules import RULES, combination_faults, is_kip848, plain_integer, rule_fault
from processor.settings.kafka_table import ALIASES, ANY_CLIENT, CONSUMER_ONLY, PRODUCER_ONLY
from processor.settings.wording import is_secret, nearest

ClientConfig = dict[str, str | int | float | bool]

CLIENT_DEFAULTS: ClientConfig = {
    # A broker that refuses our login is asked once a second; with 100, its default, a client knocks 20 times a second.
    "reconnect.backoff.ms": 1_000,
    # A broker that is lost without a word (its machine is gone, or stands still) is waited for this long; 60 s else.
    "socket.timeout.ms": 10_000,
}

CONSUMER_DEFAULTS: ClientConfig = CLIENT_DEFAULTS | {
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "auto.offset.reset": "error",  # where an offset is missing or expired we say where to go on, and name it
    "isolation.level": "read_committed",
    "queued.max.messages.kbytes": 16_384,  # librdkafka's own memory is bounded by this and the next one
    "fetch.queue.backoff.ms": 5,  # with 1,000, its default, a bounded queue runs dry
    "fetch.wait.max.ms": 100,  # a single event waits no longer for company
}

CLASSIC_DEFAULTS: ClientConfig = {
    "partition.assignment.strategy": "cooperative-sticky",
    "session.timeout.ms": 10_000,  # after a crash others take over within that; 45 s is the client's own
}

SESSION_TIMEOUT = 45.0
"""Seconds of a group whose time-out the broker decides (KIP-848): its default, and the least that it allows."""
STATISTICS_INTERVAL = 5_000
"""Milliseconds. The statistics tell what needs no record: that Kafka is back, what cannot be read because of an open
transaction, and with KIP-848 when the coordinator was last heard of."""

PRODUCER_DEFAULTS: ClientConfig = CLIENT_DEFAULTS | {
    "acks": "all",
    "enable.idempotence": True,
    "partitioner": "murmur2_random",  # as Java's: a dead letter keeps the partition of its key
    "linger.ms": 5,
    "message.timeout.ms": 30_000,  # a missing topic shows only as this time-out
    "message.max.bytes": 1_048_588,  # the broker's own limit
}

JAVA_ONLY = {
    "sasl.jaas.config": "use sasl.mechanism, sasl.username and sasl.password",
    "sasl.client.callback.handler.class": "remove it",
    "sasl.login.callback.handler.class": "remove it; for tokens see sasl.oauthbearer.method",
    "ssl.truststore.location": "use ssl.ca.location with a PEM file",
    "ssl.truststore.password": "use ssl.ca.location with a PEM file, which has no password",
}

MAX_INTEGER = 2**31 - 1
"""Librdkafka's integers are C ints."""

END = "end.of.check"
"""A property that no client knows: setting it ends a client's construction before anything is started."""


def consumer_config(kafka: Mapping[str, str], group_id: str, client_id: str) -> ClientConfig:
    """Give a `Consumer` its properties: the user's over the safe defaults.

    Args:
        kafka: the file's `kafka:`, checked by `check_kafka`.
        group_id: the pipeline's consumer group.
        client_id: used where the file sets no `client.id`.
    """
    kip848 = is_kip848(kafka)
    defaults = CONSUMER_DEFAULTS if kip848 else CONSUMER_DEFAULTS | CLASSIC_DEFAULTS
    fixed: ClientConfig = {"group.id": group_id, "statistics.interval.ms": STATISTICS_INTERVAL}
    return {"client.id": client_id} | defaults | _without(kafka, PRODUCER_ONLY) | fixed


def session_timeout(kafka: Mapping[str, str]) -> float:
    """Seconds after which a group gives up a member that it does not hear of."""
    milliseconds = consumer_config(kafka, "", "").get("session.timeout.ms")
    return SESSION_TIMEOUT if milliseconds is None else int(str(milliseconds), 0) / 1000


def producer_config(kafka: Mapping[str, str], client_id: str) -> ClientConfig:
    """Give a `Producer` its properties: the user's over the safe defaults."""
    return {"client.id": client_id} | PRODUCER_DEFAULTS | _without(kafka, CONSUMER_ONLY)


def admin_config(kafka: Mapping[str, str], client_id: str) -> ClientConfig:
    """Give an `AdminClient` its properties: those that every client takes."""
    return {"client.id": client_id} | CLIENT_DEFAULTS | _without(kafka, CONSUMER_ONLY | PRODUCER_ONLY)


def check_kafka(kafka: Mapping[str, str], env: Mapping[str, str] = os.environ) -> list[Fault]:
    """Say what is wrong with `kafka:`; connects to nothing and leaves nothing running.

    Args:
        kafka: the file's `kafka:`.
        env: the environment's variables, where AWS's own tools look.

    Returns:
        Faults at `("kafka", NAME)`: unknown properties, values that the client refuses, in its own words, what
        breaks the promise, with the reason; where each is right by itself, what does not go together.
    """
    logins = list(login_faults(kafka, env))
    errors = [fault for fault in logins if fault.level is Level.ERROR]
    others = {name: value for name, value in kafka.items() if ("kafka", name) not in {fault.path for fault in errors}}
    properties = [fault for name, value in others.items() if (fault := _property_fault(name, value))]
    faults = _one_each([*errors, *properties, *combination_faults(kafka), *logins])
    if any(fault.level is Level.ERROR for fault in faults):
        return faults
    return faults + list(_construction_faults(kafka))


def _one_each(faults: Iterable[Fault]) -> list[Fault]:
    """Keep the first fault of each property."""
    return list({fault.path: fault for fault in reversed(list(faults))}.values())[::-1]


def _without(kafka: Mapping[str, str], names: frozenset[str]) -> ClientConfig:
    """Leave out what other clients take, and use the defaults' name of a property that has two.

    What a rule is about is left out too: its one allowed value is the default, and the client wants some of them
    as a bool, not as text.
    """
    used = {ALIASES.get(name, name): value for name, value in login_config(kafka).items()}
    return {name: value for name, value in used.items() if name not in names and name not in RULES}


def _property_fault(name: str, value: str) -> Fault | None:
    fault = rule_fault(name, value)
    if (fault and fault.level is Level.ERROR) or ALIASES.get(name, name) in RULES:
        return fault
    refusal = _refusal(name, value)
    if refusal is None:
        return _cut_number(name, value) or fault
    if refusal.startswith("No such configuration property"):
        return _unknown_property(name)
    shown = "this" if is_secret(name) else f"`{value}`"
    return Fault(("kafka", name), f"the Kafka client refuses {shown}: {refusal}", JAVA_ONLY.get(name, ""))


def _cut_number(name: str, value: str) -> Fault | None:
    """Convict `30s` and numbers beyond 31 bits: the client takes the digits, or the bits, that fit, in silence."""
    kind = (_refusal(name, "") or "").partition(" ")[0]
    number = plain_integer(value)
    cut_integer = kind == "Integer" and (number is None or abs(number) > MAX_INTEGER)
    cut_float = kind == "Float" and not re.fullmatch(r"\d{1,9}(\.\d+)?", value)
    if not cut_integer and not cut_float:
        return None
    fix = "digits only; what ends in .ms is in milliseconds, in .bytes in bytes"
    return Fault(("kafka", name), f"`{value}` is not a number that the client reads as a whole", fix)


def _unknown_property(name: str) -> Fault:
    near = None if name in JAVA_ONLY else nearest(name, ANY_CLIENT | CONSUMER_ONLY | PRODUCER_ONLY)
    fix = f"did you mean `{near}`?" if near else JAVA_ONLY.get(name, "see librdkafka's CONFIGURATION.md for its names")
    message = "is not a property of the Kafka client (librdkafka)"
    return Fault(("kafka", name), message, fix, meant=ALIASES.get(near, near) if near else "")


def _refusal(name: str, value: str) -> str | None:
    """Ask the client about one property; properties are set in order, so it never gets beyond the second."""
    words = _refused(lambda: Producer({name: value, END: ""}))
    return None if words and END in words else words


def _construction_faults(kafka: Mapping[str, str]) -> Iterator[Fault]:
    """Construct a consumer and a producer without brokers; the same words are said once."""
    consumer = _refused(lambda: Consumer(_offline(consumer_config(kafka, "check", "check"))).close())
    producer = _refused(lambda: Producer(_offline(producer_config(kafka, "check"))))
    for words in dict.fromkeys(filter(None, (consumer, producer))):
        named = [name for name in kafka if re.search(rf"(?<![\w.]){re.escape(name)}(?![\w.])", words)]
        path = sorted(named, key=len)[-1:]
        fix = PEM_FILES.get("".join(path), "")
        yield Fault(("kafka", *path), f"the Kafka client refuses this: {words}", fix)


def _refused(construct: Callable[[], object]) -> str | None:
    """Give librdkafka's own words, without the role that it was constructing; None where it did not object."""
    try:
        construct()
    except KafkaException as error:
        return re.sub(r"^Failed to create (consumer|producer): ", "", str(error.args[0].str()).strip())
    return None


def _offline(config: ClientConfig) -> ClientConfig:
    """Take away all that a client would connect to or print; a token's address is replaced, for it is required."""
    silent = {name: value for name, value in config.items() if name not in {"bootstrap.servers", "debug"}}
    if {
        "sasl.oauthbearer.token.endpoint.url",
        "sasl.oauthbearer.metadata.authentication.type",
    } & silent.keys():
        silent["sasl.oauthbearer.token.endpoint.url"] = "offline:"
    return silent | {"log_level": 0}
