"""Everything of one destination that is not settled. Pure: `(event, now) → what to do`; the driver does the I/O.

add ─▶ lanes ─▶ outlets ─▶ take ─▶ (request in flight) ─▶ answered ─▶ accepted, buried
                   ▲         │                                │
                   │         └─▶ too old                      │
                   └─────── set apart, cooling ◀──────────────┘ refused

What waits is kept in `waiting.py`, an outlet with a gate for each URL path; `dispatch.py` says what goes out next,
`judge.py` what an answer means.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from random import Random

from processor.holds import Change
from processor.records import Assignment, Delivery, Request
from processor.send.blame import RetryPolicy
from processor.send.credential import CredentialHold
from processor.send.dispatch import Dispatch
from processor.send.gate import Gate
from processor.send.judge import Judge, Result
from processor.send.outlet import BatchLimits, Outlet
from processor.send.pace import Pace
from processor.send.replies import Reply, ReplyClass
from processor.send.waiting import Standing, Waiting

JITTER = 0.25
"""Delays get up to this part longer, so that what failed together does not come back together; never shorter."""


class Scheduler:
    """Sending of one destination.

    Args:
        batch: limits of a batch; None = single calls.
        retry: delays, and when to give up.
        classify: what a reply says.

    Attributes:
        pace: how fast requests may go out.
        credential: whether the key is refused.
    """

    def __init__(
        self,
        batch: BatchLimits | None,
        retry: RetryPolicy,
        pace: Pace,
        classify: Callable[[Reply], ReplyClass],
        random: Random,
    ) -> None:
        def stretch() -> float:
            return 1 + JITTER * random.random()

        self.pace = pace
        self._journal: list[Change] = []
        self.credential = CredentialHold(retry.delays, self._journal)
        self.classify = classify
        self._waiting = Waiting(
            lambda channel, histories: Outlet(
                channel, Gate(channel.label, retry.delays, self._journal), batch, histories, patience=retry.delay(1)
            ),
        )
        self._dispatch = Dispatch(self._waiting, self.credential, pace, batch, retry, stretch)
        self._judge = Judge(self._waiting, self.credential, pace, retry, stretch, self._journal)

    @property
    def outlets(self) -> Sequence[Outlet]:
        """One per path that something was sent to, or waits for."""
        return self._waiting.outlets

    @property
    def cooling(self) -> int:
        """Deliveries that wait for their next attempt (heads only)."""
        return self._waiting.cooling

    @property
    def waiting(self) -> int:
        """Deliveries that are neither in flight nor cooling."""
        return self._waiting.total - self._waiting.cooling

    def unsettled(self) -> Iterator[Standing]:
        """All that is not done with, and why; for people."""
        return self._waiting.standings()

    def add(self, deliveries: Iterable[Delivery], now: float) -> None:
        """Take deliveries, in offset order within a partition (invariant 4)."""
        self._waiting.add(deliveries, now)

    def take(self, now: float, wall: float) -> Request | float | None:
        """The next request; or when to ask again; or None: not before something else happens.

        Ask for `expired` after each `take`; `wall` is in seconds since 1970.
        """
        return self._dispatch.take(now, wall)

    def expired(self) -> Sequence[Delivery]:
        """What the last `take` found too old to be sent; it is done with."""
        return self._dispatch.expired()

    def news(self) -> Sequence[Change]:
        """Gates and the key: what changed since this was last asked."""
        if not self._journal:
            return ()
        news = tuple(self._journal)
        self._journal.clear()
        return news

    def answered(self, request: Request, reply: Reply, now: float, wall: float) -> Result:
        """Enter a reply, and say what became of the request's deliveries; `wall` is for the letters."""
        reply_class = self.classify(reply)
        _note(request, reply_class, wall)
        return self._judge.answered(request, reply_class, reply, now)

    def drop(self, assignments: frozenset[Assignment]) -> list[Delivery]:
        """Forget what waits of ended assignments; what is in flight ends by itself. Returns what was dropped."""
        return self._waiting.drop(assignments)


def _note(request: Request, reply_class: ReplyClass, wall: float) -> None:
    """Note the attempt; what is throttled or lacks the key is nobody's, and neither is the refusal of a whole batch."""
    accepted = reply_class in {ReplyClass.ACCEPTED, ReplyClass.SHADOWED}
    alone = len(request.deliveries) == 1 and reply_class not in {ReplyClass.THROTTLED, ReplyClass.CREDENTIAL}
    for delivery in request.deliveries:
        delivery.attempts += accepted or alone
        delivery.last_attempt = wall
        if delivery.first_attempt is None:
            delivery.first_attempt = wall
