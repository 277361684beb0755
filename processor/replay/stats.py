"""Letters counted by what caused them. Pure."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from processor.replay.facts import moment
from processor.replay.history import State
from processor.replay.letter import DeadLetter

HEADERS = ("dlq.route", "dlq.stage", "dlq.error.class", "dlq.http.status", "dlq.error.message")
"""Letters with the same of all these have one cause, whichever element of an array it was found in."""
PLACE = re.compile(rb"(?:^|(?<=; ))[^\s:;]+(?=: )")
"""The fields that a message begins with: `items[2].sku` of `items[2].sku: the text is empty; price: …`."""
POSITION = re.compile(rb"\[[0-9]+\]")
KEPT = 10_000
"""Causes that are told apart: memory must not grow where a message has something else in it each time."""

CauseKey = tuple[bytes | None, ...]


@dataclass(slots=True)
class Count:
    """How many letters, and when they were written, in milliseconds since 1970."""

    states: Counter[State] = field(default_factory=Counter)
    first: int | None = None
    last: int | None = None

    def add(self, written: int, state: State) -> None:
        """Count one letter."""
        self.states[state] += 1
        self._spread(written, written)

    def join(self, other: "Count") -> None:
        """Count those of another one."""
        self.states += other.states
        if other.first is not None and other.last is not None:
            self._spread(other.first, other.last)

    def _spread(self, first: int, last: int) -> None:
        self.first = first if self.first is None else min(self.first, first)
        self.last = last if self.last is None else max(self.last, last)

    def as_json(self) -> dict[str, Any]:
        """For scripts."""
        counts = {state.value: self.states[state] for state in State}
        first, last = self.first, self.last
        return counts | {
            "first": None if first is None else moment(first),
            "last": None if last is None else moment(last),
        }


@dataclass(frozen=True, slots=True)
class Cause:
    """What went wrong, and how often.

    Attributes:
        route: None where it was before any route.
    """

    route: str | None
    stage: str
    error_class: str
    status: int | None
    message: str
    count: Count

    def as_json(self) -> dict[str, Any]:
        """For scripts."""
        what = {"route": self.route, "stage": self.stage, "class": self.error_class, "status": self.status}
        return what | {"message": self.message} | self.count.as_json()


class Tally:
    """Counts letters; its memory grows with the causes only, up to `KEPT` of them.

    Attributes:
        all: of all causes together.
        oldest: when the oldest open letter was written; None where none is open.
        merged: letters of causes beyond `KEPT`.
    """

    def __init__(self) -> None:
        self.all = Count()
        self.oldest: int | None = None
        self.merged = Count()
        self._causes: dict[CauseKey, Count] = {}

    def add(self, letter: DeadLetter, state: State) -> None:
        """Count one letter."""
        said, written = letter.said, letter.written
        *told, message = [said.get(name) for name in HEADERS]
        key = (*told, message and PLACE.sub(_anywhere, message))
        count = self._causes.get(key)
        if count is None:
            count = self._causes.setdefault(key, Count()) if len(self._causes) < KEPT else self.merged
        count.add(written, state)
        self.all.add(written, state)
        if state is State.OPEN and written >= 0 and (self.oldest is None or written < self.oldest):
            self.oldest = written

    def causes(self, limit: int) -> tuple[list[Cause], int, Count]:
        """The causes of most open letters first, at most so many; how many others there are, and their letters.

        Of causes beyond `KEPT` the number is not known; they are one of the others.
        """
        ordered = sorted(self._causes.items(), key=_rank)
        rest = Count()
        for _, count in ordered[limit:]:
            rest.join(count)
        rest.join(self.merged)
        others = max(len(ordered) - limit, 0) + bool(self.merged.states)
        return list(_causes(ordered[:limit])), others, rest


def _anywhere(place: re.Match[bytes]) -> bytes:
    return POSITION.sub(b"[]", place[0])


def _rank(cause: tuple[CauseKey, Count]) -> tuple[int, int, str]:
    key, count = cause
    return -count.states[State.OPEN], -count.states.total(), repr(key)


def _causes(counted: Sequence[tuple[CauseKey, Count]]) -> Iterator[Cause]:
    for (route, stage, error_class, status, message), count in counted:
        yield Cause(
            _text(route) or None,
            _text(stage),
            _text(error_class),
            None if status is None else int(status),
            _text(message),
            count,
        )


def _text(content: bytes | None) -> str:
    return (content or b"").decode(errors="replace")
