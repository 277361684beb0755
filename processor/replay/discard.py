"""Discarding: letters that nobody wants to be sent any more are open no longer."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from threading import Event
from typing import Any

from processor.clock import Clock
from processor.errors import FatalError
from processor.records import Record
from processor.replay.access import Access
from processor.replay.audit_writer import RUN_TIMEOUT, AuditWriter
from processor.replay.claim import claim
from processor.replay.history import DISCARDED, History, Run, State
from processor.replay.spans import PartitionSpans, Spans
from processor.replay.stats import Tally
from processor.replay.walk import Walk
from processor.settle.letters import iso


@dataclass(slots=True)
class Candidates:
    """The letters that are meant.

    Attributes:
        walk: what was passed over.
        read: messages that were looked at.
        tally: the letters that are meant and open, by cause.
        closed: letters that are meant, but were replayed or discarded before.
        open: offsets of the others.
    """

    walk: Walk
    read: int = 0
    tally: Tally = field(default_factory=Tally)
    closed: int = 0
    open: PartitionSpans = field(default_factory=dict)

    @property
    def count(self) -> int:
        """How many are open."""
        return sum(map(len, self.open.values()))


@dataclass(frozen=True, slots=True)
class Account:
    """What became of all messages that were looked at.

    Attributes:
        not_selected: letters that were not meant, those of other destinations included.
        closed: replayed or discarded before.
        open: letters that were meant and are still open: all of them after a dry run.
    """

    read: int
    not_a_letter: int
    tombstone: int
    not_selected: int
    closed: int
    selected: int
    discarded: int
    open: int

    @property
    def balanced(self) -> bool:
        """Whether every message is accounted for, once."""
        passed = self.not_a_letter + self.tombstone + self.not_selected + self.closed
        return self.read == passed + self.selected and self.selected == self.discarded + self.open

    def counts(self) -> dict[str, int]:
        """All numbers by name."""
        return {name: getattr(self, name) for name in self.__slots__}

    def as_json(self, **more: Any) -> dict[str, Any]:
        """As `--format json` prints it."""
        return {"type": "account", "balanced": self.balanced, "letters": self.counts(), **more}


def find(walk: Walk, batches: Iterable[list[Record]], history: History) -> Candidates:
    """Look at all messages, and pick the letters that are meant and open."""
    found = Candidates(walk)

    def counted() -> Iterator[list[Record]]:
        for records in batches:
            found.read += len(records)
            yield records

    for letter in walk.pick(counted()):
        state = history.state_of(letter.partition, letter.offset)
        if state is State.OPEN:
            found.open.setdefault(letter.partition, Spans()).add_offset(letter.offset)
            found.tally.add(letter, state)
        else:
            found.closed += 1
    return found


def account_of(found: Candidates, discarded: int = 0) -> Account:
    """Add up what was found, and how many of it were discarded."""
    walk, open_ = found.walk, found.count
    return Account(
        read=found.read,
        not_a_letter=walk.strangers.total(),
        tombstone=walk.tombstones,
        not_selected=walk.letters + walk.elsewhere.total() - found.closed - open_,
        closed=found.closed,
        selected=open_,
        discarded=discarded,
        open=open_ - discarded,
    )


def discard(access: Access, found: Candidates, run: Run, writer: AuditWriter, clock: Clock) -> tuple[Run, Account]:
    """Write down that these letters are discarded, by whom and why.

    What is counted in the end was read back from the audit topic.

    Args:
        access: to the topic.
        found: at least one letter.
        run: all but its id.
        writer: started.
        clock: the machine's.

    Returns:
        The run as it ended, and its account.

    Raises:
        FatalError: the audit topic did not take all of it; what it has taken is discarded.
    """
    run = claim(access.audit, writer, run, clock.wall())
    acknowledged = []
    for partition, spans in found.open.items():
        acknowledged.append(Event())
        writer.mark(run, (access.topic, partition), {DISCARDED: spans}, acknowledged[-1].set)
    if not all(event.wait(RUN_TIMEOUT) for event in acknowledged):
        raise FatalError(
            f"the audit topic {writer.topic} did not take all of run {run.id} within {RUN_TIMEOUT:g} s: "
            f"{writer.trouble or 'no answer'}. What it has taken is discarded; run the command again for the others"
        )
    told = access.audit.read().of_run(run.id).get(DISCARDED, {})
    account = account_of(found, sum(map(len, told.values())))
    run = run.model_copy(update={"state": "done", "ended": iso(clock.wall()), "counts": account.counts()})
    writer.write_run(run)
    return run, account
