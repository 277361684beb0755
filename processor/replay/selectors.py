"""Which letters a person means: one set of selectors for all that reads, replays and discards them. Pure."""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from processor.expressions.event_functions import key_text
from processor.expressions.language import Compiled, ExpressionError, Language, is_true
from processor.expressions.tree import Node, root_paths, walk
from processor.records import Event
from processor.replay.facts import NAMES, facts, header_texts
from processor.replay.letter import RESTORED, DeadLetter

Source = tuple[str, int | None, int | None]
"""Topic, partition and offset of records; None = all of them."""
Check = Callable[[DeadLetter], bool]
MILLISECONDS = 1000
SCOPE = ("key", "headers", "letter", "event")
"""What `where` sees."""


@dataclass(frozen=True, slots=True)
class Selectors:
    """What a person asked for; each that is given narrows the others.

    Attributes:
        routes, stages, classes, statuses: one of these; empty = all. The route "" is none at all: a record that failed
            before any.
        since, until: when the letter was written, from the one to just before the other.
        key: the record's key as UTF-8 text, or as base64 where it is none.
        source: where the record was.
        grep: a regular expression, searched in the message and in the vendor's reply.
        where: a JMESPath; see `Selection`.
        restored: put back from a file, by this request.
    """

    routes: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    statuses: tuple[int, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    key: str | None = None
    source: Source | None = None
    grep: str | None = None
    where: str | None = None
    restored: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Those that are given, for the audit."""
        plain: dict[str, Any] = {
            "routes": list(self.routes),
            "stages": list(self.stages),
            "classes": list(self.classes),
            "statuses": list(self.statuses),
            "since": self.since and self.since.isoformat(),
            "until": self.until and self.until.isoformat(),
            "key": self.key,
            "source": self.source and list(self.source),
            "grep": self.grep,
            "where": self.where,
            "restored": self.restored,
        }
        return {name: value for name, value in plain.items() if value is not None and value != []}

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> "Selectors":
        """The same as before `as_json`; reads what this program wrote."""
        given = dict(plain)
        for name in {"since", "until"} & given.keys():
            given[name] = datetime.fromisoformat(given[name])
        for name in {"routes", "stages", "classes", "statuses", "source"} & given.keys():
            given[name] = tuple(given[name])
        return cls(**given)


class Selection:
    """Judges letters. Headers come first: a value is asked for only where `where` names the event.

    The `where` expression sees::

        key      the record's key: text (base64 where it is no UTF-8), or null
        headers  {name: text}, those of the record and the letter's own, dlq.*
        letter   {letter, written, id, topic, partition, offset, time, route, stage, class, status, message, …}: `facts`
        event    the decoded record's fields; null where it cannot be decoded

    A letter on which it fails (a text compared with a number) is not selected, and counted.

    Args:
        selectors: what is asked for.
        destination: whose letters: several destinations may share a topic.
        language: compiles `where`.

    Attributes:
        failed: on how many letters `where` failed, by the words why.

    Raises:
        ExpressionError: `where` does not parse, or asks for what no letter has.
    """

    def __init__(self, selectors: Selectors, destination: str, language: Language) -> None:
        self.selectors = selectors
        self.destination = destination
        self.failed: Counter[str] = Counter()
        self._where: Compiled | None = None
        self.needs_event = False
        if selectors.where is not None:
            self._where = language.compile(selectors.where)
            parsed = language.parse(selectors.where)
            _refuse_unknown(parsed)
            self.needs_event = any(
                node["type"] in {"field", "function_expression"} and node["value"] == "event" for node in walk(parsed)
            )
        self._checks = list(_checks(selectors, destination))

    def wants(self, letter: DeadLetter) -> bool:
        """Whether a letter is selected as far as that can be told without its event."""
        for check in self._checks:
            if not check(letter):
                return False
        return self._where is None or self.needs_event or self._judge(self._where, letter, None)

    def wants_event(self, letter: DeadLetter, event: dict[str, Any] | None) -> bool:
        """Whether a letter that `wants` wanted is selected, now that its event is known.

        Args:
            letter: the letter.
            event: the decoded fields; None where it cannot be decoded. Not looked at unless `needs_event`.
        """
        return self._where is None or not self.needs_event or self._judge(self._where, letter, event)

    def _judge(self, where: Compiled, letter: DeadLetter, event: dict[str, Any] | None) -> bool:
        record = letter.record
        scope = {
            "key": key_text(record.key),
            "headers": header_texts(record.headers),
            "letter": facts(letter),
            "event": event,
        }
        try:
            return is_true(where(scope, Event(record, "", event or {}, None)))
        except ExpressionError as error:
            self.failed[str(error)] += 1
            return False


def _refuse_unknown(where: Node) -> None:
    """A name that no letter has would be null for all of them, which looks as if there were no letters.

    Raises:
        ExpressionError: there is one.
    """
    for first, *rest in root_paths(where):
        if first not in SCOPE:
            hint = f"did you mean letter.{first}?" if first in NAMES else f"there are {', '.join(SCOPE)}"
            raise ExpressionError(f"there is no `{first}` here; {hint}")
        if first == "letter" and rest and rest[0] not in NAMES:
            raise ExpressionError(f"there is no `letter.{rest[0]}`; it has {', '.join(NAMES)}")
        if first == "headers" and len(rest) > 1:
            raise ExpressionError(f'a header is a text, and its name stands in quotes: headers."{".".join(rest)}"')


def _checks(selectors: Selectors, destination: str) -> Iterator[Check]:
    """One check for each selector that is given, the cheap ones first; they compare bytes."""
    headers: dict[str, Collection[str]] = {
        "dlq.destination": [destination],
        "dlq.route": selectors.routes,
        "dlq.stage": selectors.stages,
        "dlq.error.class": selectors.classes,
        "dlq.http.status": [str(status) for status in selectors.statuses],
        RESTORED: [selectors.restored] if selectors.restored else [],
    }
    yield from (_among(header, wanted) for header, wanted in headers.items() if wanted)
    if selectors.since:
        yield _since(selectors.since)
    if selectors.until:
        yield _until(selectors.until)
    if selectors.key is not None:
        yield _key(selectors.key)
    if selectors.source:
        yield _source(selectors.source)
    if selectors.grep is not None:
        yield _grep(selectors.grep)


def _among(header: str, wanted: Collection[str]) -> Check:
    encoded = frozenset(text.encode() for text in wanted)
    return lambda letter: (letter.said.get(header) or b"") in encoded


def _since(time: datetime) -> Check:
    first = time.timestamp() * MILLISECONDS
    return lambda letter: letter.written >= first


def _until(time: datetime) -> Check:
    end = time.timestamp() * MILLISECONDS
    return lambda letter: letter.written < end


def _key(text: str) -> Check:
    return lambda letter: key_text(letter.key) == text


def _source(source: Source) -> Check:
    topic, partition, offset = source
    yes = _among("dlq.source.topic", [topic])
    return lambda letter: (
        yes(letter)
        and (partition is None or letter.source_partition == partition)
        and (offset is None or letter.source_offset == offset)
    )


def _grep(pattern: str) -> Check:
    search = re.compile(pattern).search
    return lambda letter: bool(search(letter.message) or search(letter.response or ""))
