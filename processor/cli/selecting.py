"""Which letters a command is about: the arguments that all of them share."""

import argparse
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from pydantic_core import PydanticCustomError

from processor.errors import ConfigError, Fault
from processor.expressions.language import ExpressionError, Language
from processor.plan import GRAMMAR_FIX, Plan, Ready
from processor.records import ErrorClass, Stage
from processor.replay.selectors import Selection, Selectors, Source
from processor.settings.values import parse_duration

SOURCE = re.compile(r"(?P<topic>[^:]+)(:(?P<partition>\d{1,9})(:(?P<offset>\d{1,18}))?)?", re.ASCII)
FROM_SOURCE: Source = ("", None, None)
"""What a bare `--source` gives; no topic has that name."""
SECONDS = "%Y-%m-%dT%H:%M:%S%z"
TIME_FORMS = "a time with its zone (2026-11-22T09:30:00Z), or how long ago (90m, 2d)"


def add_destination(parser: argparse.ArgumentParser) -> None:
    """Add `--destination`."""
    parser.add_argument(
        "--destination", metavar="NAME", help="whose letters; may be left out where the file has one pipeline"
    )


def plan_of(ready: Ready, name: str | None) -> Plan:
    """The pipeline that `--destination` names, or the file's only one.

    Raises:
        ConfigError: there is none of that name, or several and none is named.
    """
    known = {plan.name: plan for plan in ready.plans}
    if name is None and len(known) == 1:
        return next(iter(known.values()))
    if name in known:
        return known[name]
    fix = f"the file has routes for: {', '.join(known) or 'none'}"
    words = "is needed to say whose letters" if name is None else f"no pipeline named {name}"
    raise ConfigError([Fault(("--destination",), words, fix)])


def add_selectors(parser: argparse.ArgumentParser, *, bare_source: bool = False) -> None:
    """Add the selectors; without any of them all letters are meant.

    Args:
        parser: the command's.
        bare_source: whether `--source` may stand alone, which gives `FROM_SOURCE`.
    """
    group = parser.add_argument_group("selectors", "Each narrows the others; several values of one are alternatives.")
    group.add_argument(
        "--route", action="append", default=[], metavar="NAME", help="the route that failed; '' = before any route"
    )
    group.add_argument("--stage", action="append", default=[], choices=[each.value for each in Stage])
    group.add_argument(
        "--class", action="append", default=[], dest="error_class", choices=[each.value for each in ErrorClass]
    )
    group.add_argument(
        "--status", action="append", default=[], type=_status, metavar="N", help="HTTP status of the last reply"
    )
    group.add_argument("--since", type=time, metavar="TIME", help=f"letters written from then on: {TIME_FORMS}")
    group.add_argument("--until", type=time, metavar="TIME", help="letters written before")
    group.add_argument("--key", metavar="TEXT", help="the record's key; base64 where it is no UTF-8")
    group.add_argument(
        "--source",
        type=source,
        nargs="?" if bare_source else None,
        const=FROM_SOURCE if bare_source else None,
        metavar="TOPIC[:PARTITION[:OFFSET]]",
        help="where the failed record was" + ("; without a value, see `from the source`" if bare_source else ""),
    )
    group.add_argument(
        "--grep",
        type=_pattern,
        metavar="REGEX",
        help="searched in the error's message and in the vendor's reply; (?i) in front ignores case",
    )
    group.add_argument(
        "--where", metavar="EXPRESSION", help="a JMESPath over `key`, `headers`, `letter` and `event` (decoded)"
    )


def selection_of(selectors: Selectors, ready: Ready, plan: Plan, wall: Callable[[], float]) -> Selection:
    """What judges the letters of a pipeline.

    Raises:
        ConfigError: `--where` is no expression, or no letter can be between `--since` and `--until`.
    """
    refuse_empty(selectors.since, selectors.until, ("--since", "--until"))
    try:
        return Selection(selectors, plan.name, Language(ready.tables.finders, wall))
    except ExpressionError as error:
        raise ConfigError([Fault(("--where",), str(error), GRAMMAR_FIX)]) from None


def refuse_empty(since: datetime | None, until: datetime | None, names: tuple[str, str]) -> None:
    """Refuse two times that were mixed up: that nothing is between them looks as if there were nothing.

    Raises:
        ConfigError: the first is not before the second.
    """
    if since and until and since >= until:
        words = f"is {since:{SECONDS}}, which is not before {names[1]} {until:{SECONDS}}: nothing can be between them"
        raise ConfigError([Fault((names[0],), words, "swap them, or correct one")])


def selectors_of(options: argparse.Namespace) -> Selectors:
    """What `add_selectors` has read."""
    return Selectors(
        routes=tuple(options.route),
        stages=tuple(options.stage),
        classes=tuple(options.error_class),
        statuses=tuple(options.status),
        since=options.since,
        until=options.until,
        key=options.key,
        source=options.source,
        grep=options.grep,
        where=options.where,
    )


def time(text: str) -> datetime:
    """Read a time as people write it: with its zone, or how long ago it was.

    Raises:
        argparse.ArgumentTypeError: it is neither.
    """
    try:
        return datetime.now(UTC) - timedelta(seconds=parse_duration(text))
    except (PydanticCustomError, OverflowError):
        pass
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{text} is not {TIME_FORMS}")
    return found


def source(text: str) -> Source:
    """Read `topic`, `topic:partition` or `topic:partition:offset`.

    Raises:
        argparse.ArgumentTypeError: it is none of them.
    """
    match = SOURCE.fullmatch(text)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text} is not TOPIC, TOPIC:PARTITION or TOPIC:PARTITION:OFFSET")
    partition, offset = match["partition"], match["offset"]
    return match["topic"], None if partition is None else int(partition), None if offset is None else int(offset)


def _status(text: str) -> int:
    if re.fullmatch(r"[1-5]\d\d", text, re.ASCII):
        return int(text)
    raise argparse.ArgumentTypeError(f"{text} is not an HTTP status (100 to 599)")


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise argparse.ArgumentTypeError(f"{text} is no regular expression: {error}") from None
    return text
