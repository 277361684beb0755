"""`clickstream dlq show`: one letter whole, and what today's file makes of it."""

import argparse
import re
from typing import Any

import orjson

from processor.cli.letter_words import in_words
from processor.cli.letters import Letters, add_common, open_letters, tell
from processor.cli.options import print_json
from processor.errors import FatalError
from processor.expressions.event_functions import key_text
from processor.records import Event, Failure, Filtered, FilterReason, Payload
from processor.replay.facts import facts, header_texts
from processor.replay.history import History
from processor.replay.letter import DeadLetter, NotALetter, Replayed, dead_letter
from processor.replay.masking import as_is, masked
from processor.replay.reading import Bounds
from processor.replay.selectors import Selectors

PLACE = re.compile(r"(\d{1,9})[:@](\d{1,18})", re.ASCII)
DELIVERY = re.compile(r"([^:]+):(\d{1,9}):(\d{1,18}):(.*):(\d{1,18})", re.ASCII)


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        "show",
        help="one letter whole",
        description="Shows a letter: where it came from, why it failed, what it holds, and the request that today's "
        "file makes of it. Values are masked.",
    )
    add_common(parser)
    parser.add_argument(
        "letter",
        type=_name,
        metavar="LETTER",
        help="PARTITION:OFFSET as `list` has it, or the delivery's id (topic:partition:offset:route:index), whose "
        "letters are all shown",
    )
    parser.add_argument("--reveal", action="store_true", help="show values, which may be personal data")
    parser.set_defaults(execute=execute)


def _name(text: str) -> str:
    if PLACE.fullmatch(text) or DELIVERY.fullmatch(text):
        return text
    raise argparse.ArgumentTypeError(f"{text} is neither PARTITION:OFFSET nor a delivery's id")


def execute(options: argparse.Namespace) -> int:
    """Print the letter.

    Raises:
        ConfigError: the file or an argument is wrong.
        FatalError: there is no such letter, or Kafka or the registry does not answer.
    """
    with open_letters(options) as letters:
        bounds, history = letters.look()
        place = PLACE.fullmatch(options.letter)
        found = [_at(letters, bounds, *map(int, place.groups()))] if place else _of(letters, bounds, options.letter)
        shown = [whole(letter, letters, history, reveal=options.reveal) for letter in found]
    for number, each in enumerate(shown):
        if options.format == "json":
            print_json(each)
        else:
            print("\n" * bool(number) + "\n".join(in_words(each, letters.access.topic)))
    return 0


def _at(letters: Letters, bounds: Bounds, partition: int, offset: int) -> DeadLetter:
    topic = letters.access.topic
    if partition not in bounds:
        raise FatalError(f"{topic} has no partition {partition}; it has: {', '.join(map(str, sorted(bounds)))}")
    begin, end = bounds[partition]
    read = letters.access.reader.read(topic, {partition: offset}, {partition: min(offset + 1, end)})
    found = [record for records in read for record in records]
    if not found and offset < begin:
        where = "where it was exported, the file still has it"
        raise FatalError(f"Kafka has deleted {partition}:{offset} of {topic}, and all below {begin}; {where}")
    if not found:
        there = f"that partition has {begin} to {end - 1}" if begin < end else "that partition is empty"
        raise FatalError(f"{topic} has nothing at {partition}:{offset}; {there}")
    letter = dead_letter(found[0])
    if isinstance(letter, NotALetter):
        raise FatalError(f"what is at {partition}:{offset} of {topic} is no letter: it {letter.why}")
    return letter


def _of(letters: Letters, bounds: Bounds, delivery: str) -> list[DeadLetter]:
    """All letters of one delivery, oldest first; it may have failed again when it was replayed."""
    match = DELIVERY.fullmatch(delivery)
    topic, partition, offset = match.group(1, 2, 3) if match else ("", "0", "0")
    walk = letters.walk(Selectors(source=(topic, int(partition), int(offset))))
    found = [letter for letter in letters.pick(walk, bounds) if letter.delivery_id == delivery]
    if not found:
        raise FatalError(f"{letters.access.topic} has no letter of the delivery {delivery}")
    if len(found) > 1:
        tell(f"the delivery has {len(found)} letters, oldest first")
    return sorted(found, key=lambda letter: (letter.written, letter.offset))


def whole(letter: DeadLetter, letters: Letters, history: History, *, reveal: bool) -> dict[str, Any]:
    """All that can be said of a letter, as scripts read it.

    Raises:
        FatalError: the registry does not give its schema.
    """
    hidden = as_is if reveal else masked
    record = Replayed(letter)
    decoded = letters.opener.event(record)
    shown = facts(letter)
    shown["response"] = hidden(shown["response"])
    shown["state"] = history.state_of(letter.partition, letter.offset).value
    shown["runs"] = [
        {"run": run, "outcome": outcome} for run, outcome in history.runs_of(letter.partition, letter.offset)
    ]
    shown["key"] = hidden(key_text(letter.key))
    shown["headers"] = hidden(header_texts(letter.arrived))
    shown["event"] = (
        {"name": decoded.name, "value": hidden(_plain(decoded.value))} if isinstance(decoded, Event) else None
    )
    shown["undecoded"] = None if isinstance(decoded, Event) else _why_not(letter, decoded)
    shown["now"] = _now(letter, record, letters, reveal=reveal)
    shown["config_now"] = letters.access.ready.version
    return shown


def _now(letter: DeadLetter, record: Replayed, letters: Letters, *, reveal: bool) -> list[dict[str, Any]]:
    """What today's file makes of the delivery: requests, or why there is none."""
    plan = letters.access.plan
    if letter.destination != plan.name:
        return [_fate(letter.route, letter.index, error=f"it is a letter of {letter.destination}: name that one")]
    if letter.omitted:
        return [_fate(letter.route, letter.index, error=_why_omitted(letter))]
    made = []
    for route, index, fate in letters.opener.fates(record):
        match fate:
            case Payload():
                body = orjson.loads(fate.body)
                path = plan.vendor.address(plan.settings).url(fate.channel.path).path
                request = {"method": "POST", "path": path, "body": body if reveal else masked(body)}
                made.append(_fate(route, index, request=request))
            case Filtered(reason):
                made.append(_fate(fate.route or route, index, filtered=reason.value))
            case Failure():
                made.append(_fate(route, index, error=fate.message))
    return made or [_fate(letter.route, letter.index, filtered=FilterReason.NO_ROUTE.value)]


def _fate(route: str, index: int | None, **what: Any) -> dict[str, Any]:
    return {"route": route or None, "index": index, **what}


def _why_not(letter: DeadLetter, decoded: Filtered | Failure) -> str:
    if letter.omitted:
        return _why_omitted(letter)
    return decoded.message if isinstance(decoded, Failure) else "the record has no value"


def _why_omitted(letter: DeadLetter) -> str:
    left = " and ".join(f"its {what} of {size} bytes" for what, size in letter.omitted.items())
    return f"the dead-letter topic did not take {left}; `replay --source` reads the record where it was"


def _plain(value: Any) -> Any:
    """An event's value as JSON has it: exact numbers as texts would have them."""
    return orjson.loads(orjson.dumps(value, default=str))
