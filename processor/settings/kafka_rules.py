"""The Kafka properties that would break the promise, why, and what to use instead."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from processor.errors import Fault, Level
from processor.settings.kafka_table import ALIASES, ANY_CLIENT, CODE_ONLY, CONSUMER_ONLY, PRODUCER_ONLY

TRUE = frozenset({"true", "t", "1"})
FALSE = frozenset({"false", "f", "0"})
"""How librdkafka reads booleans, in any case."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A property that is not free.

    Attributes:
        reason: what any other value would do.
        fix: what to do instead.
        allowed: the values that do no harm, in small letters.
    """

    reason: str
    fix: str
    allowed: frozenset[str] = frozenset()


RULES = {
    "group.id": Rule(
        "is made of `group_prefix` and the destination's name, so that no pipeline takes another's records",
        "use group_prefix",
    ),
    "enable.auto.commit": Rule(
        "would commit offsets of records that are not delivered yet", "remove it; see commit_interval", FALSE
    ),
    "auto.commit.interval.ms": Rule("does nothing: offsets follow the deliveries", "use commit_interval"),
    "enable.auto.offset.store": Rule("would take records for done when they are read", "remove it", FALSE),
    "auto.offset.reset": Rule(
        "would decide on its own what is skipped where an offset is missing or expired", "use start_from"
    ),
    "offset.store.method": Rule("would keep offsets outside of the consumer group", "remove it", frozenset({"broker"})),
    "partition.assignment.strategy": Rule(
        "would take every partition away at each rebalance, with requests in flight",
        "remove it: cooperative-sticky is set; or use group.protocol: consumer",
        frozenset({"cooperative-sticky"}),
    ),
    "acks": Rule(
        "would count a dead letter as written while a broker can still lose it",
        "remove it: all is set",
        frozenset({"all", "-1"}),
    ),
    "enable.idempotence": Rule(
        "would let a retry write dead letters twice or out of order", "remove it: true is set", TRUE
    ),
    "enable.gapless.guarantee": Rule(
        "would end the producer for good at the first dead letter that cannot be written", "remove it", FALSE
    ),
    "transactional.id": Rule("would keep dead letters unread until a commit that never comes", "remove it"),
    "delivery.report.only.error": Rule(
        "would hide that a dead letter was written, so its offset would wait for ever", "remove it", FALSE
    ),
    "enabled_events": Rule("would take away the reports that dead letters were written", "remove it", frozenset({"0"})),
    "log.queue": Rule("would hide the client's log", "remove it", FALSE),
    "enable.partition.eof": Rule("would put messages into the stream that are no records", "remove it", FALSE),
    "allow.auto.create.topics": Rule(
        "would create a topic for every misspelt name", "create topics with your own tools", FALSE
    ),
    "internal.termination.signal": Rule("could end the process", "remove it", frozenset({"0"})),
}

MINIMA = {
    "message.timeout.ms": (1, "0 never gives up, so a missing dead-letter topic would never be noticed"),
    "max.poll.interval.ms": (60_000, "a rebalance waits for requests in flight, and polling waits with it"),
}
"""The smallest value that keeps the promise, and why."""

CLASSIC_ONLY = (
    "session.timeout.ms",
    "heartbeat.interval.ms",
    "partition.assignment.strategy",
    "group.protocol.type",
)
"""What the broker decides where `group.protocol` is `consumer`; the client refuses to start with them."""

ADDRESS = re.compile(r"([A-Za-z_]+://)?(\[[0-9A-Fa-f:.]+\]|[^\s:/\[\]]+)(:\d{1,5})?")
ADDRESS_EXAMPLE = "for example `bootstrap.servers: broker-1:9092,broker-2:9092`"


def is_kip848(kafka: Mapping[str, str]) -> bool:
    """Tell whether the group uses the protocol of KIP-848, where the broker assigns."""
    return kafka.get("group.protocol", "classic").lower() == "consumer"


def rule_fault(name: str, value: str) -> Fault | None:
    """Convict one property that may not be set, or not so; None where it may."""
    checks = (_code_fault, _broken_promise, _minimum_fault, _address_fault, _isolation_warning)
    return next(filter(None, (check(name, value) for check in checks)), None)


def _code_fault(name: str, _value: str) -> Fault | None:
    path = ("kafka", name)
    plain = name.removeprefix("topic.")
    if name in CODE_ONLY or name.endswith("_cb"):
        return Fault(path, "can only be set in a program", "remove it")
    if name.startswith("test.mock."):
        return Fault(path, "would put a pretend broker in the place of yours", "remove it")
    if plain != name and name not in ANY_CLIENT and plain in ANY_CLIENT | CONSUMER_ONLY | PRODUCER_ONLY:
        return Fault(path, "has a prefix that the client drops", f"write `{plain}`")
    return None


def _broken_promise(name: str, value: str) -> Fault | None:
    rule = RULES.get(ALIASES.get(name, name))
    if rule is None or value.lower() in rule.allowed:
        return None
    return Fault(("kafka", name), f"`{value}` {rule.reason}" if rule.allowed else rule.reason, rule.fix)


def _minimum_fault(name: str, value: str) -> Fault | None:
    minimum, reason = MINIMA.get(ALIASES.get(name, name), (None, ""))
    number = plain_integer(value)
    if minimum is None or number is None or number >= minimum:
        return None
    return Fault(("kafka", name), f"`{value}` is too little: {reason}", f"at least {minimum}")


def _address_fault(name: str, value: str) -> Fault | None:
    """Convict an address that librdkafka would only complain of in its log, again and again."""
    if ALIASES.get(name, name) != "bootstrap.servers":
        return None
    wrong = [part.strip() for part in value.split(",") if not ADDRESS.fullmatch(part.strip())]
    if not wrong:
        return None
    return Fault(("kafka", name), f"`{', '.join(wrong)}` is not the address of a broker", ADDRESS_EXAMPLE)


def _isolation_warning(name: str, value: str) -> Fault | None:
    if name != "isolation.level" or value.lower() != "read_uncommitted":
        return None
    message = "delivers records of transactions that are aborted later"
    return Fault(("kafka", name), message, "remove it, unless that is meant", Level.WARNING)


def combination_faults(kafka: Mapping[str, str]) -> list[Fault]:
    """Convict properties that do not go together, or of which one is missing."""
    faults = [
        Fault(("kafka", name), f"is another name of `{used}`, which is set too", "keep one of the two")
        for name, used in ALIASES.items()
        if name in kafka and used in kafka
    ]
    if is_kip848(kafka):
        reason = "is decided by the broker where group.protocol is consumer"
        faults += [Fault(("kafka", name), reason, "remove it") for name in CLASSIC_ONLY if name in kafka]
    if "bootstrap.servers" not in kafka and "metadata.broker.list" not in kafka:
        faults.append(Fault(("kafka", "bootstrap.servers"), "is required", ADDRESS_EXAMPLE))
    return faults


def plain_integer(text: str) -> int | None:
    """Read digits, or `0x` and hexadecimal ones; None for all else, also for `010`, octal to the client."""
    return int(text, 0) if re.fullmatch(r"[+-]?(0x[0-9a-fA-F]{1,16}|0|[1-9][0-9]{0,18})", text) else None
