"""What the rules say of one delivery, as far as it can be told for sure, and as far as it can be at all.

Where the text leaves an order of events open, there are two figures: what the scheduler must have counted, and what it
may have counted. It is convicted of blaming where even the second is too small, and of sparing where the first is
enough.
"""

from collections import Counter
from dataclasses import dataclass, field

from processor.records import Channel, Delivery, Request
from processor.send.replies import Answered, Reply, ReplyClass
from tests.send.vendor_model import Cause, Verdict
from tests.send.worlds import Setup

SOON = 1.0
STRIKES = 2


@dataclass(slots=True, eq=False)
class Case:
    """One delivery.

    Attributes:
        attempts: answers that it got alone.
        ride: the largest batch that it may be in.
        refused: whether it was ever in a request that was refused.
        shared_transient: whether the last batch with it that was refused was so as transient.
        own: whether its last refusal alone is its own affair for sure; `compared` = whether it is to be compared.
        newcomer: whether its last refusal was its first.
        due: it is not sent before, while its gate accepts.
        refused_at: when it was last refused alone.
        certain, possible: strikes by class.
        suspect, maybe_suspect: whether it must be, or may be, a suspect.
        counted, countable: its refusals as a suspect.
        invalid, maybe_invalid: its refusals as invalid.
        first, latest: its first refusal that counts for the stalemate since its last certain, or possible, strike.
        owed: a strike came while its retry was in flight; its next refusal buries it.
        causes: why the vendor refused it, alone.
    """

    delivery: Delivery
    guilty: bool
    attempts: int = 0
    ride: float = float("inf")
    refused: bool = False
    shared_transient: bool = False
    own: bool = False
    compared: bool = False
    newcomer: bool = True
    due: float = float("-inf")
    refused_at: float = float("-inf")
    certain: Counter[ReplyClass] = field(default_factory=Counter)
    possible: Counter[ReplyClass] = field(default_factory=Counter)
    suspect: bool = False
    maybe_suspect: bool = False
    counted: int = 0
    countable: int = 0
    invalid: int = 0
    maybe_invalid: int = 0
    first: float | None = None
    latest: float | None = None
    owed: bool = False
    causes: list[Cause] = field(default_factory=list)
    classes: set[ReplyClass] = field(default_factory=set)

    def may_be_struck(self, reply_class: ReplyClass, setup: Setup) -> None:
        """An acceptance of others may turn its refusal into a strike."""
        self.possible[reply_class] += 1
        self.latest = None
        if reply_class is ReplyClass.TRANSIENT:
            self.maybe_suspect = True
            self.countable = max(self.countable, 1)
        self.due = min(self.due, self.refused_at + (setup.delays[0] if reply_class is ReplyClass.TRANSIENT else SOON))

    def is_struck(self, reply_class: ReplyClass) -> bool:
        """An acceptance of others turned its refusal into a strike for sure; True = it was one too many."""
        self.certain[reply_class] += 1
        self.first = None
        if reply_class is ReplyClass.TRANSIENT:
            self.suspect = True
            self.counted = max(self.counted, 1)
            return False
        return self.certain[reply_class] >= STRIKES

    def refused_alone(self, verdict: Verdict, now: float, setup: Setup) -> None:
        """The vendor refused this one, and nothing else."""
        self.newcomer = not self.refused
        self.refused = True
        self.refused_at = now
        self.causes.append(verdict.cause)
        self.classes.add(verdict.reply_class)
        soon = verdict.reply_class is ReplyClass.INVALID
        shortest = max(self.counted, 1) if self.maybe_suspect else self.attempts
        self.due = now + (SOON if soon else setup.delays[min(shortest, len(setup.delays)) - 1])

    def latest_due(self, setup: Setup) -> float:
        """Until when it comes back, jitter included."""
        return self.refused_at + setup.delays[min(self.attempts, len(setup.delays)) - 1] * 1.25

    def in_stalemate(self, reply: Reply, now: float, stalemate: float | None) -> tuple[bool, bool]:
        """Enter a refusal alone; whether it may, and whether it must, end a stalemate."""
        if not isinstance(reply, Answered):
            return False, False
        may = stalemate is not None and self.first is not None and now - self.first >= stalemate
        must = stalemate is not None and self.latest is not None and now - self.latest >= stalemate
        self.first = now if self.first is None else self.first
        self.latest = now if self.latest is None else self.latest
        return may, must


@dataclass(slots=True, eq=False)
class Flight:
    """A request that is out.

    Attributes:
        number: in the order of sending.
        era: its path's, when it was sent.
        fair: whether its path accepted for sure then.
        closed: whether its path was closed for sure then.
        lonely: the same, and nobody but suspects waited for it.
        in_hold: whether a refused key held everything then.
    """

    request: Request
    number: int
    found: frozenset[Delivery]
    sent_at: float
    era: int
    fair: bool
    closed: bool
    lonely: bool
    in_hold: bool
    verdict: Verdict

    @property
    def channel(self) -> Channel:
        """Where it went."""
        return self.request.channel

    @property
    def alone(self) -> bool:
        """Whether it carries one delivery."""
        return len(self.request.deliveries) == 1
