"""`clickstream dlq stats`: letters by cause, and how long they stay."""

import argparse
from collections.abc import Iterator, Sequence
from typing import Any

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, ConfigResource

from processor.cli.columns import NONE, columns, cut, grouped, span
from processor.cli.letters import add_common, open_letters, tell_passed_over
from processor.cli.options import count, print_json
from processor.cli.selecting import add_selectors, selectors_of
from processor.replay.facts import moment
from processor.replay.history import State
from processor.replay.stats import Cause, Count, Tally
from processor.replay.walk import Walk

CAUSES = 50
"""Causes that are shown; the others are summed."""
MESSAGE = 100
"""Characters of a message that people see in a line."""
TIMEOUT = 10.0
"""Seconds for the topic's configuration."""
FOR_EVER = -1
HEAD = ("open", "replayed", "discarded", "route", "stage", "class", "status", "first", "last", "message")
NUMBERS = (0, 1, 2, 6)


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        "stats",
        help="letters by cause",
        description="Counts letters by cause: route, stage, class, status and message.",
    )
    add_common(parser)
    add_selectors(parser)
    parser.set_defaults(execute=execute)


def execute(options: argparse.Namespace) -> int:
    """Print the counts.

    Raises:
        ConfigError: the file or an argument is wrong.
        FatalError: the topic is missing, or Kafka does not answer.
    """
    with open_letters(options) as letters:
        walk, tally = letters.walk(selectors_of(options)), Tally()
        bounds, history = letters.look()
        for letter in letters.pick(walk, bounds):
            tally.add(letter, history.state_of(letter.partition, letter.offset))
        topic, wall = letters.access.topic, letters.clock.wall()
        kept = retention(letters.access.admin, topic)
    causes, others, rest = tally.causes(CAUSES)
    if options.format == "json":
        print_json(_topic_as_json(topic, tally, kept, walk))
        print_causes(causes, others, rest)
    else:
        print("\n".join(_lines(_head(topic, tally, kept, wall), causes, others, rest)))
    tell_passed_over(walk)
    return 0


def retention(admin: AdminClient, topic: str) -> int | None:
    """How long a topic keeps its letters at least, in milliseconds; -1 = for ever, None = this user may not know."""
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic)
    try:
        config = admin.describe_configs([resource], request_timeout=TIMEOUT)[resource].result()
    except KafkaException:
        return None
    if "delete" not in config["cleanup.policy"].value:
        return FOR_EVER
    return int(config["retention.ms"].value)


def print_causes(causes: Sequence[Cause], others: int, rest: Count) -> None:
    """Print what `Tally.causes` gave, for scripts."""
    for cause in causes:
        print_json({"type": "cause", **cause.as_json()})
    if others:
        print_json({"type": "others", "causes": others, **rest.as_json()})


def _topic_as_json(topic: str, tally: Tally, kept: int | None, walk: Walk) -> dict[str, Any]:
    expires = None if tally.oldest is None or kept in {None, FOR_EVER} else tally.oldest + (kept or 0)
    counts = {state.value: tally.all.states[state] for state in State}
    return {
        "type": "topic",
        "topic": topic,
        **counts,
        "oldest": None if tally.oldest is None else moment(tally.oldest),
        "expires": None if expires is None else moment(expires),
        "retention_ms": kept,
        "not_letters": walk.strangers.total(),
        "tombstones": walk.tombstones,
        "other_destinations": dict(walk.elsewhere),
    }


def _head(topic: str, tally: Tally, kept: int | None, wall: float) -> str:
    counts = "  ".join(f"{state.value} {grouped(tally.all.states[state])}" for state in State)
    return f"topic {topic}  {counts}" + ("" if tally.oldest is None else f"   {_oldest(tally.oldest, kept, wall)}")


def _oldest(oldest: int, kept: int | None, wall: float) -> str:
    age = wall - oldest / 1000
    words = f"oldest {span(age)}"
    if kept is None:
        return f"{words}, expires at a time that this Kafka user may not know (DescribeConfigs)"
    if kept == FOR_EVER:
        return f"{words}, never expires"
    left = kept / 1000 - age
    return f"{words}, expires in {span(left)}" if left > 0 else f"{words}, expires any moment"


def _lines(head: str, causes: list[Cause], others: int, rest: Count) -> Iterator[str]:
    yield head
    if causes:
        yield from columns([HEAD, *map(_cells, causes)], NUMBERS)
    if others:
        counts = ", ".join(f"{grouped(rest.states[state])} {state.value}" for state in State)
        yield f"{count(others, 'other cause')}: {counts}"


def _cells(cause: Cause) -> tuple[str, ...]:
    states = cause.count.states
    return (
        *(grouped(states[state]) for state in State),
        cause.route or NONE,
        cause.stage,
        cause.error_class,
        NONE if cause.status is None else str(cause.status),
        _minute(cause.count.first),
        _minute(cause.count.last),
        cut(cause.message, MESSAGE),
    )


def _minute(milliseconds: int | None) -> str:
    """`2026-11-22 10:31`, UTC."""
    text = None if milliseconds is None else moment(milliseconds)
    return NONE if text is None else text[:16].replace("T", " ")
