"""What became of the letters of one dead-letter topic, as its audit topic tells it. Pure.

The audit topic is compacted. It has two kinds of messages, JSON each:

- `run:<id>`: one run of `replay` or `discard`: who, why, what it selected, how it ended. Written at its start and its
  end; the last one counts.
- `marks:<run>:<worker>:<n>`: what became of which letters; never overwritten.

A letter is open unless a mark names it. One that was replayed stays replayed, whatever else is said of it: so nothing
hangs on the order in which marks are read, and a discard that raced a replay does not hide what was sent.
"""

import shlex
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from processor.records import Key, Record
from processor.replay.spans import PartitionSpans, Spans
from processor.settle.letters import iso

DISCARDED = "discarded"
"""The one outcome that is no replay."""
RESTORED = "restored"
"""What became of a letter of a file that was put back behind the ends: the new one is on its way in its place."""
NAMED = 10
"""Messages that could not be read and are shown; the others are counted."""

Offset = Annotated[int, Field(ge=0, lt=2**63)]
Offsets = dict[str, dict[Offset, Offset]]
"""By topic and partition."""
Outcomes = dict[str, dict[Key, Spans]]
"""Offsets by outcome, topic and partition."""


class State(StrEnum):
    """What a letter is."""

    OPEN = "open"
    REPLAYED = "replayed"
    """It was on its way again, however that ended; where it failed again, a new letter says so."""
    DISCARDED = "discarded"
    """Somebody decided that it is not to be sent any more."""


class _Message(BaseModel):
    """One message of the audit topic; what later versions may add is passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    def as_json(self) -> bytes:
        """Its value in the topic."""
        return self.model_dump_json().encode()


class Run(_Message):
    """One run of a command that closes letters.

    Attributes:
        id: `2026-11-22-1`; the first one of that day, UTC.
        claim: of the process that took the id first; see `claim.claim`.
        topic: the dead-letter topic, also of a run over source topics.
        topic_id: which topic of that name; empty where the broker tells none.
        by, host: who, and where.
        selectors: as `Selectors.as_json` has them.
        begins, ends: offsets between which it looked, by topic and partition.
        max: how many letters at most; None = all.
        max_replays: how often a letter may be replayed; None where that is no question.
        rate: requests a second, as people write it.
        overlay: files that were laid over the configuration, and their text.
        started, alive, ended: ISO 8601 UTC; `alive` is when it last said that it goes on, where it had to.
        words: why it stopped.
        counts: its account.
    """

    type: Literal["run"] = "run"
    id: str
    kind: Literal["replay", "discard", "source"]
    topic: str
    claim: str = ""
    destination: str = ""
    topic_id: str = ""
    by: str = ""
    host: str = ""
    reason: str = ""
    selectors: dict[str, Any] = {}
    begins: Offsets = {}
    ends: Offsets = {}
    max: int | None = None
    max_replays: int | None = None
    rate: str | None = None
    config_version: str = ""
    service_version: str = ""
    overlay: dict[str, str] = {}
    started: str = ""
    alive: str = ""
    ended: str | None = None
    state: Literal["running", "done", "stopped"] = "running"
    words: str = ""
    counts: dict[str, int] = {}

    @property
    def key(self) -> bytes:
        """Of its message."""
        return f"run:{self.id}".encode()

    @property
    def resuming(self) -> str:
        """The command that goes on with it, or helps it."""
        overlay = [part for name in self.overlay for part in ("--config-overlay", name)]
        waived = [part for rule in self.selectors.get("waived", ()) for part in ("--waive", rule)]
        return shlex.join(
            ["clickstream", "replay", "--destination", self.destination, "--resume", self.id, *overlay, *waived]
        )

    def ended_at(self, wall: float, words: str = "", counts: dict[str, int] | None = None) -> Self:
        """The same at its end, in seconds since 1970: done, or stopped for the reason in these words."""
        state = "stopped" if words else "done"
        return self.model_copy(update={"ended": iso(wall), "state": state, "words": words, "counts": counts or {}})


class Marks(_Message):
    """What became of letters, or source records, of one partition.

    Attributes:
        run: the run's id.
        topic: the dead-letter topic, or a source topic.
        topic_id: which topic of that name; empty where the broker tells none.
        outcomes: offsets by outcome: the first of a span, and the one behind its last.
    """

    type: Literal["marks"] = "marks"
    run: str
    topic: str
    topic_id: str = ""
    partition: Offset
    outcomes: dict[str, tuple[tuple[Offset, Offset], ...]]

    @model_validator(mode="after")
    def _forward(self) -> Self:
        if any(first >= end for spans in self.outcomes.values() for first, end in spans):
            raise ValueError("a span ends before it begins")
        return self


AUDITED: TypeAdapter[Run | Marks] = TypeAdapter(Annotated[Run | Marks, Field(discriminator="type")])


class History:
    """What the audit topic of one dead-letter topic has told so far.

    Args:
        topic: the dead-letter topic.
        topic_id: its id; empty where the broker tells none.

    Attributes:
        replayed: letters that were replayed.
        malformed: messages that are not ours, or of a version that nobody knows.
        named: the first of them in words.
    """

    def __init__(self, topic: str, topic_id: str) -> None:
        self.replayed: PartitionSpans = {}
        self.malformed = 0
        self.named: list[str] = []
        self._topic = topic
        self._topic_id = topic_id
        self._discarded: PartitionSpans = {}
        self._runs: dict[str, Run] = {}
        self._outcomes: dict[str, Outcomes] = {}

    def add(self, message: Record) -> None:
        """Read one more message of the audit topic; one without a value says nothing."""
        if message.value is None:
            return
        try:
            said = AUDITED.validate_json(message.value)
        except ValidationError as error:
            self.malformed += 1
            if len(self.named) < NAMED:
                at = message.assignment
                self.named.append(f"{at.topic}[{at.partition}]@{message.offset}: {_reason(error)}")
            return
        if isinstance(said, Marks):
            self._mark(said)
        else:
            self._enter(said)

    @property
    def runs(self) -> dict[str, Run]:
        """By id, oldest first."""
        return dict(sorted(self._runs.items(), key=lambda run: run[1].started))

    @property
    def ids(self) -> set[str]:
        """Of all runs, also where only their marks can be read."""
        return {*self._runs, *self._outcomes}

    @property
    def discarded(self) -> PartitionSpans:
        """Letters that were discarded, and not replayed since; a copy."""
        return {at: spans.minus(self.replayed.get(at, Spans())) for at, spans in self._discarded.items()}

    @property
    def done(self) -> PartitionSpans:
        """Letters that are not open any more; a copy."""
        done: PartitionSpans = {}
        for closed in (self.replayed, self._discarded):
            for partition, spans in closed.items():
                done.setdefault(partition, Spans()).update(spans)
        return done

    def state_of(self, partition: int, offset: int) -> State:
        """What one letter is."""
        if partition in self.replayed and offset in self.replayed[partition]:
            return State.REPLAYED
        if partition in self._discarded and offset in self._discarded[partition]:
            return State.DISCARDED
        return State.OPEN

    def of_run(self, run: str) -> Outcomes:
        """What became of letters, or source records, in one run; not a copy."""
        return self._outcomes.get(run, {})

    def runs_of(self, partition: int, offset: int) -> list[tuple[str, str]]:
        """The runs that touched one letter, each with what became of it there."""
        key = self._topic, partition
        return [
            (run, outcome)
            for run, outcomes in self._outcomes.items()
            for outcome, spans in outcomes.items()
            if key in spans and offset in spans[key]
        ]

    def _enter(self, run: Run) -> None:
        """The last record of a run counts; one by somebody who came too late for that id does not."""
        known = self._runs.get(run.id)
        if known is None or known.claim == run.claim:
            self._runs[run.id] = run

    def _mark(self, marks: Marks) -> None:
        """Marks of an earlier topic of that name say nothing of this one's letters.

        Where the id is not known on one side, they are taken for this one's.
        """
        ours = marks.topic == self._topic
        if ours and self._topic_id and marks.topic_id not in {"", self._topic_id}:
            return
        run = self._outcomes.setdefault(marks.run, {})
        for outcome, pairs in marks.outcomes.items():
            spans = Spans(*pairs)
            run.setdefault(outcome, {}).setdefault((marks.topic, marks.partition), Spans()).update(spans)
            if ours:
                closed = self._discarded if outcome == DISCARDED else self.replayed
                closed.setdefault(marks.partition, Spans()).update(spans)


def marks_key(run: str, worker: str, number: int) -> bytes:
    """Of a message with marks: no two processes of one run overwrite each other's.

    Args:
        run: its id.
        worker: the process's own name.
        number: of the message, in that process.
    """
    return f"marks:{run}:{worker}:{number}".encode()


def marks_of(run: Run, key: Key, outcomes: Mapping[str, Spans], size: int) -> Iterator[Marks]:
    """Put spans into messages of at most so many spans each.

    Args:
        run: on whose behalf.
        key: topic and partition of the letters, or the source records.
        outcomes: offsets by outcome.
        size: spans in one message.
    """
    topic, partition = key
    topic_id = run.topic_id if topic == run.topic else ""
    spans = [(outcome, span) for outcome, each in outcomes.items() for span in each]
    for start in range(0, len(spans), size):
        part: dict[str, list[tuple[int, int]]] = {}
        for outcome, span in spans[start : start + size]:
            part.setdefault(outcome, []).append(span)
        told = {outcome: tuple(some) for outcome, some in part.items()}
        yield Marks(run=run.id, topic=topic, topic_id=topic_id, partition=partition, outcomes=told)


def _reason(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    return f"{place}: {first['msg']}" if place else first["msg"]
