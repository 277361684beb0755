"""What a refusal means for the delivery that was refused alone. Pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from processor.delays import delay_after
from processor.records import Delivery, ErrorClass
from processor.send.gate import Gate
from processor.send.replies import Answered, Reply, ReplyClass

STRIKES = 2
"""So often a delivery must be refused between acceptances of others before it is blamed."""
INVALID_REFUSALS = 2
"""So often a payload must be called invalid."""
SOON = 1.0
"""Seconds until a payload that was called invalid, or struck by an answer, is sent again: no outage is waited for."""
CLIENT_ERROR = 400


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """The file's `retry`.

    Attributes:
        delays: seconds until the next attempt, by the number of refusals; the last one repeats.
        max_attempts: refusals as transient before a suspect is blamed.
        stalemate: seconds after which a head that nobody can be compared with is given up; None = never.
    """

    delays: Sequence[float]
    max_attempts: int
    stalemate: float | None

    def delay(self, refusals: int) -> float:
        """Seconds until the attempt after so many refusals."""
        return delay_after(max(refusals, 1), self.delays)


@dataclass(slots=True, eq=False)
class History:
    """How a delivery was refused so far.

    Attributes:
        invalid: refusals of its payload that counted.
        strikes: by class; those of different classes do not add up.
        suspect: its own transient refusals say nothing about the method any more.
        transient: transient refusals that count towards `max_attempts`.
        since: first answered refusal since its last strike, for the stalemate.
        mates: all of the last batch that was refused as transient, itself included.
        condemned: what becomes of it unless the answer that is under way accepts it.
        round: the gate's round in which it was last probed.
        last: what was said of it last, when it was alone.
        own: that was its own affair, and needed no comparison.
    """

    invalid: int = 0
    strikes: Counter[ReplyClass] = field(default_factory=Counter)
    suspect: bool = False
    transient: int = 0
    since: float | None = None
    mates: list[Delivery] = field(default_factory=list)
    condemned: "Ruling | None" = None
    round: int = -1
    last: Reply | None = None
    own: bool = False

    def strike(self, reply_class: ReplyClass, reply: Reply, retry: RetryPolicy) -> "Ruling":
        """Others were accepted meanwhile: the refusal was its own."""
        self.since = None
        if reply_class is ReplyClass.TRANSIENT:
            self.suspect = True
            self.transient = max(self.transient, 1)
            bury = ErrorClass.EXHAUSTED if self.transient >= retry.max_attempts else None
            return Ruling(reply, bury, retry.delay(1))
        self.strikes[reply_class] += 1
        strikes = self.strikes[reply_class]
        return Ruling(reply, ErrorClass.REFUSED if strikes >= STRIKES else None, SOON)


@dataclass(frozen=True, slots=True)
class Ruling:
    """What becomes of a delivery that was refused.

    Attributes:
        reply: the refusal that decided it.
        bury: as what; None = it is sent again after `delay` seconds.
        own: it is the delivery's own affair, and says nothing about the method.
        compared: whether there was anything to compare it with; else it is given up after the stalemate.
    """

    reply: Reply
    bury: ErrorClass | None
    delay: float = 0.0
    own: bool = False
    compared: bool = True


def effective(reply_class: ReplyClass, gate: Gate) -> ReplyClass:
    """The class to judge by: what is called invalid by a path that accepts nothing is only forbidden."""
    if reply_class is ReplyClass.INVALID and not gate.may_blame_invalid:
        return ReplyClass.FORBIDDEN
    return reply_class


def rule(
    history: History,
    refusals: int,
    reply_class: ReplyClass,
    reply: Reply,
    gate: Gate,
    retry: RetryPolicy,
    *,
    fair: bool,
) -> Ruling:
    """Judge a delivery that was refused alone.

    Args:
        history: what happened to it before; what counts now is added.
        refusals: how often it was refused alone, this time included.
        reply_class: its effective class.
        reply: what was said.
        gate: its path's.
        retry: the file's.
        fair: the gate did not change between sending and answer, so that it may be blamed.
    """
    if reply_class is ReplyClass.INVALID:
        history.invalid += fair
        if history.invalid < INVALID_REFUSALS:
            return Ruling(reply, None, SOON, own=True)
        gate.blame_invalid()
        return Ruling(reply, ErrorClass.INVALID, own=True)
    if reply_class is ReplyClass.TRANSIENT and history.suspect and gate.may_blame_suspect:
        history.transient += fair
        if history.transient < retry.max_attempts:
            return Ruling(reply, None, retry.delay(history.transient), own=True)
        gate.blame_suspect()
        return Ruling(reply, ErrorClass.EXHAUSTED, own=True)
    return Ruling(reply, None, retry.delay(refusals))


class Stalemates:
    """Heads that nobody can be compared with are given up, one at a time.

    Args:
        after: seconds from a head's first refusal, and between two letters; None = never.
    """

    def __init__(self, after: float | None) -> None:
        self._after = after
        self._last = float("-inf")

    def reached(self, history: History, reply: Reply, now: float) -> bool:
        """Whether a head was refused for so long that it may be given up.

        Only a 4xx or 5xx that the vendor answered counts, to a head that was alone.
        """
        if not isinstance(reply, Answered) or reply.status < CLIENT_ERROR:
            return False
        if history.since is None:
            history.since = now
        return self._after is not None and now - history.since >= self._after

    def give_up(self, now: float) -> bool:
        """Whether one may be given up now; then it is, and the next one only after as long."""
        if self._after is None or now - self._last < self._after:
            return False
        self._last = now
        return True
