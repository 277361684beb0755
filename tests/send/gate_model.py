"""What the rules say of one path: whether its gate must be open, must be closed, or may be either.

A refusal counts, is passed over, or may do either; where two readings of the text differ, the mode is UNSURE until the
next acceptance, and only what holds in any case is asked for.
"""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from itertools import count

from processor.records import Channel, Delivery
from processor.send.replies import Answered, ReplyClass
from tests.send.case_model import SOON, Case, Flight
from tests.send.worlds import Setup

BUDGET = 50
PROBES = 10
NEVER = float("-inf")
JITTER = 1.25


class Mode(Enum):
    """What the gate must be."""

    OPEN = "open"
    CLOSED = "closed"
    UNSURE = "unsure"


class Counts(Enum):
    """Whether a refusal says something about the path."""

    YES = "yes"
    NO = "no"
    MAYBE = "maybe"


@dataclass(slots=True)
class Refusal:
    """One that nothing has decided yet.

    Attributes:
        case: whom an acceptance strikes for sure.
        closes: whether one of others, sent later, closes the gate for sure.
    """

    flight: Flight
    case: Case | None
    closes: bool


class Path:
    """One path.

    Attributes:
        flying: its requests in flight.
        waiting: its heads that are not in flight, with the latest time when each may go.
        pending: whom an acceptance may strike, for which class, and the number of the refusal.
        mates: what was refused as transient with a delivery, in its last batch.
        trials: requests in flight with a head that was refused before, and whether it is no suspect for sure;
            `most_trials` = as many may be.
        hold_until: nothing but newcomers may go before.
        probed: heads that were probed since the last hold; `round_sure` = these are all.
        moved_at: when something went, came back or began to wait; `sent_at` = when something went.
        held_at: when the last hold began.
    """

    def __init__(self, channel: Channel, setup: Setup) -> None:
        self.channel = channel
        self.mode = Mode.CLOSED
        self.era = 0
        self.ever_accepted = False
        self.accepted_at = NEVER
        self.blamed_invalid = 0
        self.exhausted = 0
        self.flying = 0
        self.waiting: dict[Delivery, float] = {}
        self.pending: dict[Case, dict[ReplyClass, int]] = {}
        self.mates: dict[Delivery, frozenset[Delivery]] = {}
        self.holds = 0
        self.hold_until = NEVER
        self.held_at = NEVER
        self.newcomer_at = NEVER
        self.probed: set[Delivery] = set()
        self.round_sure = True
        self.moved_at = self.sent_at = NEVER
        self.trials: dict[Flight, bool] = {}
        self.most_trials = 1
        self._answered_probes = 0
        self._setup = setup
        self._refusals: list[Refusal] = []
        self._due: list[tuple[float, int, Delivery]] = []
        self._due_again: list[tuple[float, int, Delivery]] = []
        self._sequence = count()

    # Heads.

    def waits(self, head: Delivery, latest: float, now: float, *, again: bool = False) -> None:
        """A head waits here, and may not wait longer than this while the path is open.

        Where it was refused before (`again`), it may be kept back until there is somebody to compare it with.
        """
        if not self.waiting:
            self.moved_at = now
        self.waiting[head] = latest
        heapq.heappush(self._due_again if again else self._due, (latest, next(self._sequence), head))

    def overdue(self, now: float) -> Delivery | None:
        """A head that would have to be out by now."""
        head = self._first(self._due, now)
        if head is None and now > self.accepted_at + self._setup.delays[0]:
            return self._first(self._due_again, now)
        return head

    def _first(self, due: list[tuple[float, int, Delivery]], now: float) -> Delivery | None:
        while due:
            latest, _, head = due[0]
            if self.waiting.get(head) == latest:
                return head if latest <= now else None
            heapq.heappop(due)
        return None

    # Answers.

    def accepted(self, flight: Flight, now: float, *, opens: bool = True) -> list[tuple[Case, ReplyClass]]:
        """Something was accepted; returns whom that strikes for sure."""
        self.ever_accepted = True
        self.accepted_at = now
        self.blamed_invalid = self.exhausted = 0
        for case in [case for case in self.pending if case.delivery not in flight.found]:
            self._may_strike(case, flight, now)
        fair = self.mode is Mode.OPEN
        decided = [(refusal.case, refusal.flight.verdict.reply_class) for refusal in self._decided_by(flight)]
        for refusal in self._refusals:
            refusal.closes = False  # an acceptance came between, though of an earlier request
        if opens and self.mode is not Mode.OPEN:
            self._open()
        return [(case, reply_class) for case, reply_class in decided if case and fair]

    def refused(self, flight: Flight, counts: Counts, case: Case | None) -> None:
        """Something was refused while the gate was not closed for sure; `case` = whom it may blame for sure."""
        if counts is Counts.NO:
            return
        sure = counts is Counts.YES and flight.era == self.era
        others = [each for each in self._refusals if each.flight.found.isdisjoint(flight.found)]
        if sure and any(each.closes and each.flight.number < flight.number for each in others):
            self.close(sure=self.mode is Mode.OPEN)
            return
        if others:
            self.mode = Mode.UNSURE
        for each in self._refusals:
            if flight.alone and each.flight.found == flight.found:
                each.case, each.closes = None, False  # only the latest is pending
        self._refusals.append(Refusal(flight, case if self.mode is Mode.OPEN and sure else None, sure))

    def _may_strike(self, case: Case, flight: Flight, now: float) -> None:
        """Something else was accepted: what this one was refused for before that was sent may be a strike."""
        refused = self.pending[case]
        for reply_class in [each for each, number in refused.items() if number < flight.number]:
            del refused[reply_class]
            case.may_be_struck(reply_class, self._setup)
            if case.delivery in self.waiting:
                retry = self._setup.delays[0] if reply_class is ReplyClass.TRANSIENT else SOON
                latest = max(self.waiting[case.delivery], now + retry * JITTER)
                self.waits(case.delivery, latest, now, again=not case.suspect)
        if not refused:
            del self.pending[case]

    def forget(self, delivery: Delivery) -> None:
        """It is done with, or has left; whether its refusal still says something about the path is open."""
        for refusal in self._refusals:
            if delivery in refusal.flight.found:
                refusal.case, refusal.closes = None, False

    def close(self, *, sure: bool) -> None:
        """The path refuses others, too: all pending refusals are forgotten. `sure` = it was open until now."""
        self.mode = Mode.CLOSED
        self.era += 1
        self.holds = 0
        self.hold_until = NEVER
        self.pending.clear()
        self._refusals.clear()
        self._new_round(sure=sure)

    def _open(self) -> None:
        self.mode = Mode.OPEN
        self.era += 1
        self.hold_until = NEVER
        for refusal in self._refusals:
            refusal.case = None

    def _new_round(self, *, sure: bool) -> None:
        self.round_sure = sure
        self.probed.clear()
        self._answered_probes = 0

    def probe_refused(self, flight: Flight, now: float, *, suspects: bool, newcomer: bool, gone: bool) -> None:
        """A probe was refused; where suspects are about, or it may have been a newcomer, a hold is not certain."""
        if flight.sent_at < self.hold_until or self.channel.once:
            self.round_sure = False  # a newcomer's refusal changes nothing, but it may come when its hold is over
            return
        if suspects or (newcomer and (self.holds or not self.round_sure)):
            self.round_sure = False
            return
        reply = flight.verdict.reply
        answered = isinstance(reply, Answered) and 300 <= reply.status < 500
        self.probed |= flight.found
        self._answered_probes += answered
        tried_all = self._answered_probes >= PROBES or self.waiting.keys() <= self.probed
        if gone and answered:
            self.round_sure = False  # who comes after it in its lane may be a head to try, or not
        elif not answered or (self.round_sure and tried_all):
            self.held_at = now
            delay = self._setup.delays[min(self.holds, len(self._setup.delays) - 1)]
            self.hold_until = now + delay
            self.holds += 1
            self._new_round(sure=True)

    def _decided_by(self, flight: Flight) -> Iterator[Refusal]:
        """Take out the refusals of others that this later request decides."""
        kept = []
        for refusal in self._refusals:
            if refusal.flight.number < flight.number and refusal.flight.found.isdisjoint(flight.found):
                yield refusal
            else:
                kept.append(refusal)
        self._refusals = kept
