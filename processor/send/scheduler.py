"""What to send next, and what becomes of it. Pure: `(event, now) → what to do`; the driver does the I/O.

add ─▶ lanes ─▶ channel queues ─▶ take ─▶ (request in flight) ─▶ answered ─▶ accepted, buried
                      ▲            │                                │
                      │            └─▶ too old                      │
                      └──────────── cooling (until due) ◀───────────┘ refused
"""

import heapq
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import count
from random import Random

from processor.records import Assignment, Channel, Delivery, Request, too_old
from processor.send.lanes import Lanes
from processor.send.pace import Pace
from processor.send.queues import Queue
from processor.send.replies import Answered, Reply, ReplyClass, Verdict, classify, judge

JITTER = 0.25
"""Delays get up to this part longer, so that what failed together does not come back together; never shorter."""


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """When a batch goes out: at so many events or bytes, or when its oldest delivery has waited so many seconds."""

    max_events: int
    max_bytes: int
    max_wait: float


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a request.

    Attributes:
        accepted, buried: deliveries that are done with.
        stale: deliveries that would be sent again, but their partition left meanwhile.
        delay: seconds until what came back is due again; 0 where nothing waits.
    """

    accepted: Sequence[Delivery] = ()
    buried: Sequence[Delivery] = ()
    stale: Sequence[Delivery] = ()
    delay: float = 0.0


class Scheduler:
    """Everything of one destination that is not settled: waiting, in flight, cooling.

    Args:
        batch: limits of a batch; None = single calls.
        delays: seconds until a refused delivery is sent again, by its number of attempts; the last one repeats.
    """

    def __init__(self, batch: BatchLimits | None, delays: Sequence[float], pace: Pace, random: Random) -> None:
        self.pace = pace
        self._batch = batch
        self._delays = delays
        self._random = random
        self._lanes = Lanes()
        self._queues: dict[Channel, Queue] = {}
        self._turns: deque[Queue] = deque()
        self._cooling: list[tuple[float, int, list[Delivery]]] = []
        self._sequence = count()
        self._too_old: list[Delivery] = []
        self.waiting = 0
        """Deliveries that are neither in flight nor cooling."""
        self.cooling = 0
        """Deliveries that wait for their next attempt (heads only)."""

    def add(self, deliveries: Iterable[Delivery], now: float) -> None:
        """Take deliveries, in offset order within a partition (invariant 4)."""
        for delivery in deliveries:
            self.waiting += 1
            if self._lanes.enter(delivery):
                self._queue(delivery.channel).add(delivery, now)

    def take(self, now: float, wall: float) -> Request | float | None:
        """The next request; or when to ask again; or None: not before something else happens.

        Ask for `expired` after each `take`; `wall` is in seconds since 1970.
        """
        self._warm(now)
        while any(queue.ready or queue.alone for queue in self._turns):
            ready_at = self.pace.ready_at(now)
            if ready_at > now:
                return ready_at
            due = self._next_due(now)
            if isinstance(due, float):
                return min(due, self._cooling[0][0]) if self._cooling else due
            deliveries = self._pick(due, now, wall)
            if deliveries:
                self.pace.spend()
                return _request(due.channel, deliveries)
        return self._cooling[0][0] if self._cooling else None

    def expired(self) -> Sequence[Delivery]:
        """What the last `take` found too old to be sent; it is done with."""
        expired, self._too_old = self._too_old, []
        return expired

    def answered(self, request: Request, reply: Reply, now: float, wall: float) -> Result:
        """Enter a reply, and say what became of the request's deliveries; `wall` is for the letters."""
        reply_class = classify(reply)
        throttled = reply_class is ReplyClass.THROTTLED
        verdict = judge(reply, len(request.deliveries), once=request.channel.once)
        self._attempted(request, wall, counts=not throttled and verdict is not Verdict.SINGLE)
        match verdict:
            case Verdict.ACCEPTED:
                self.pace.accepted()
                self._leave(request.deliveries, now)
                return Result(accepted=request.deliveries)
            case Verdict.BURY:
                self._leave(request.deliveries, now)
                return Result(buried=request.deliveries)
            case Verdict.SINGLE:
                live, stale = self._part(request.deliveries, now)
                for delivery in live:
                    delivery.alone = True
                self._come_back(live, now)
                return Result(stale=stale)
            case Verdict.WAIT:  # pragma: no branch - exhaustive, as mypy checks
                if throttled:
                    self.pace.throttled(now, reply.retry_after if isinstance(reply, Answered) else None)
                delay = max(self.pace.not_before - now, 0.0) if throttled else self._delay(request.deliveries)
                live, stale = self._part(request.deliveries, now)
                self._cool(live, now + delay)
                return Result(stale=stale, delay=delay if live else 0.0)

    def drop(self, assignments: frozenset[Assignment], now: float) -> list[Delivery]:
        """Forget what waits of ended assignments; what is in flight ends by itself. Returns what was dropped."""
        behind = self._lanes.drop(assignments)
        heads = [delivery for queue in self._queues.values() for delivery in queue.drop(assignments)]
        self.waiting -= len(behind) + len(heads)
        cooled = []
        for at, (due, sequence, deliveries) in enumerate(self._cooling):
            cooled += [d for d in deliveries if d.record.assignment in assignments]
            self._cooling[at] = (
                due,
                sequence,
                [d for d in deliveries if d.record.assignment not in assignments],
            )
        self.cooling -= len(cooled)
        self._leave(heads + cooled, now)
        return behind + heads + cooled

    # Choosing.

    def _queue(self, channel: Channel) -> Queue:
        queue = self._queues.get(channel)
        if queue is None:
            queue = self._queues[channel] = Queue(channel)
            self._turns.append(queue)
        return queue

    def _next_due(self, now: float) -> Queue | float:
        """The next channel with a request to send, in turns; or when the first one will have one."""
        soonest = float("inf")
        for _ in range(len(self._turns)):
            queue = self._turns[0]
            self._turns.rotate(-1)
            due = self._due(queue, now)
            if due <= now:
                return queue
            soonest = min(soonest, due)
        return soonest

    def _due(self, queue: Queue, now: float) -> float:
        if queue.alone:
            return now
        if not queue.ready:
            return float("inf")
        limits = self._batch
        if limits is None or not queue.channel.batched:
            return now
        full = queue.size >= limits.max_bytes or self._could_ride(queue, limits.max_events)
        return now if full else queue.ready[0][0] + limits.max_wait

    def _could_ride(self, queue: Queue, wanted: int) -> bool:
        """Whether so many deliveries could go out now: heads, and what may ride behind them.

        Counted anew each time: a standing count would have to follow every change of every lane. What stands behind a
        head may be for another channel; then the batch goes out smaller, and that is all.
        """
        found = len(queue.ready)
        for _, head in queue.ready:
            if found >= wanted:
                return True
            found += self._lanes.behind(head)
        return found >= wanted

    def _pick(self, queue: Queue, now: float, wall: float) -> list[Delivery]:
        """What goes out together now; empty where all that was due is too old."""
        if queue.alone or self._batch is None or not queue.channel.batched:
            delivery = queue.alone.popleft() if queue.alone else queue.next()
            self.waiting -= 1
            return [] if self._outdated(delivery, now, wall) else [delivery]
        deliveries = self._gather(queue, self._batch, now, wall)
        self.waiting -= len(deliveries)
        return deliveries

    def _gather(self, queue: Queue, limits: BatchLimits, now: float, wall: float) -> list[Delivery]:
        """A batch: first every lane's head by age, then what stands behind them, round by round."""
        deliveries: list[Delivery] = []
        size = len(b"[]") - len(b",")
        riders: deque[Delivery] = deque()
        while len(deliveries) < limits.max_events and (queue.ready or riders):
            ahead = queue.ready[0][1] if queue.ready else riders[0]
            if deliveries and size + len(b",") + len(ahead.body) > limits.max_bytes:
                break
            delivery = queue.next() if queue.ready else riders.popleft()
            behind = self._lanes.rider(delivery)
            if behind is not None:
                riders.append(behind)
            if self._outdated(delivery, now, wall):
                self.waiting -= 1
                continue
            size += len(b",") + len(delivery.body)
            deliveries.append(delivery)
        for rider in reversed(riders):
            # It is a head now where the one before it was too old.
            for head in self._lanes.come_back([rider]):
                queue.add(head, now)
        return deliveries

    def _outdated(self, delivery: Delivery, now: float, wall: float) -> bool:
        """Whether it is too old to be sent; then it is done with, and its lane goes on."""
        if not too_old(delivery.expires, wall):
            return False
        self._too_old.append(delivery)
        self._leave([delivery], now)
        return True

    # Settling.

    def _part(self, deliveries: Sequence[Delivery], now: float) -> tuple[list[Delivery], list[Delivery]]:
        """Tell those that may be sent again from those whose partition left; the latter leave their lanes."""
        live = [delivery for delivery in deliveries if delivery.record.assignment.live]
        stale = [delivery for delivery in deliveries if not delivery.record.assignment.live]
        self._leave(stale, now)
        return live, stale

    def _leave(self, deliveries: Sequence[Delivery], now: float) -> None:
        for head in self._lanes.leave(deliveries):
            self._queue(head.channel).add(head, now)

    def _come_back(self, deliveries: Sequence[Delivery], now: float) -> None:
        self.waiting += len(deliveries)
        for head in self._lanes.come_back(deliveries):
            self._queue(head.channel).add(head, now)

    def _cool(self, deliveries: Sequence[Delivery], due: float) -> None:
        heads = self._lanes.come_back(deliveries)
        self.waiting += len(deliveries) - len(heads)
        if not heads:
            return
        self.cooling += len(heads)
        heapq.heappush(self._cooling, (due, next(self._sequence), heads))

    def _warm(self, now: float) -> None:
        """What has cooled is due at once: its wait for a batch is over."""
        while self._cooling and self._cooling[0][0] <= now:
            heads = heapq.heappop(self._cooling)[2]
            self.cooling -= len(heads)
            self.waiting += len(heads)
            for head in heads:
                self._queue(head.channel).add(head, float("-inf"))

    def _delay(self, deliveries: Sequence[Delivery]) -> float:
        """The delay of the one that was refused most often: fresh ones in its batch must not make it hurry."""
        attempts = max(delivery.attempts for delivery in deliveries)
        delay = self._delays[min(attempts, len(self._delays)) - 1]
        return delay * (1 + JITTER * self._random.random())

    @staticmethod
    def _attempted(request: Request, wall: float, *, counts: bool) -> None:
        """Note the attempt; a throttled one is nobody's, and neither is the refusal of a whole batch."""
        for delivery in request.deliveries:
            delivery.attempts += counts
            delivery.last_attempt = wall
            if delivery.first_attempt is None:
                delivery.first_attempt = wall


def _request(channel: Channel, deliveries: Sequence[Delivery]) -> Request:
    bodies = [delivery.body for delivery in deliveries]
    return Request(channel, deliveries, b"[" + b",".join(bodies) + b"]" if channel.batched else bodies[0])
