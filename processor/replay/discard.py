"""Discarding: letters that nobody wants to be sent any more are open no longer."""

from collections.abc import Iterable
from dataclasses import dataclass
from threading import Event
from typing import Any

from processor.clock import Clock
from processor.errors import FatalError
from processor.records import Record
from processor.replay.access import Access
from processor.replay.audit_writer import RUN_TIMEOUT, AuditWriter
from processor.replay.begin import by_others, give_way
from processor.replay.claim import claim
from processor.replay.history import DISCARDED, History, Run, State
from processor.replay.letter import DeadLetter
from processor.replay.stats import Tally
from processor.replay.survey import Passed, Survey, sort_out, without
from processor.replay.walk import Walk


@dataclass(frozen=True, slots=True)
class Account:
    """What became of all messages that were looked at.

    Attributes:
        found: the letters that were meant and open, and all others.
        discarded: how many of them are discarded now; the others are still open: all of them after a dry run.
    """

    found: Survey
    discarded: int = 0

    @property
    def balanced(self) -> bool:
        """Whether every message is accounted for, once."""
        found = self.found
        return found.read == found.selected + found.passed.total() and self.discarded <= found.selected

    def counts(self) -> dict[str, int]:
        """All numbers by name; those not selected include letters of other destinations."""
        selected, passed = self.found.selected, self.found.passed
        return {
            "read": self.found.read,
            "not_a_letter": passed[Passed.NOT_A_LETTER],
            "tombstone": passed[Passed.TOMBSTONE],
            "not_selected": passed[Passed.NOT_SELECTED] + passed[Passed.ELSEWHERE],
            "closed": passed[Passed.CLOSED],
            "selected": selected,
            "discarded": self.discarded,
            "open": selected - self.discarded,
        }

    def as_json(self, **more: Any) -> dict[str, Any]:
        """As `--format json` prints it."""
        return {"type": "account", "balanced": self.balanced, "letters": self.counts(), **more}


def find(walk: Walk, batches: Iterable[list[Record]], history: History) -> tuple[Survey, Tally]:
    """Look at all messages, and pick the letters that are meant and open; gives their causes, too."""
    tally = Tally()

    def passed_for(letter: DeadLetter) -> Passed | None:
        if history.state_of(letter.partition, letter.offset) is not State.OPEN:
            return Passed.CLOSED
        tally.add(letter, State.OPEN)
        return None

    return sort_out(walk, batches, passed_for), tally


def discard(access: Access, found: Survey, run: Run, writer: AuditWriter, clock: Clock) -> tuple[Run, Account]:
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
        FatalError: a replay has begun meanwhile, or the audit topic did not take all of it; what it has taken is
            discarded.
    """
    run = claim(access.audit, writer, run, clock.wall())
    give_way(access, run, writer, clock.wall())
    found = without(found, by_others(access.topic, access.audit.read().done, {}))  # the look may have taken minutes
    acknowledged = []
    for key, spans in found.wanted.items():
        acknowledged.append(Event())
        writer.mark(run, key, {DISCARDED: spans}, acknowledged[-1].set)
    if not all(event.wait(RUN_TIMEOUT) for event in acknowledged):
        raise FatalError(
            f"the audit topic {writer.topic} did not take all of run {run.id} within {RUN_TIMEOUT:g} s: "
            f"{writer.trouble or 'no answer'}. What it has taken is discarded; run the command again for the others"
        )
    told = access.audit.read().of_run(run.id).get(DISCARDED, {})
    account = Account(found, sum(map(len, told.values())))
    run = run.ended_at(clock.wall(), counts=account.counts())
    writer.write_run(run)
    return run, account
