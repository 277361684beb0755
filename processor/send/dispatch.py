"""What goes out next, and when: the gates' states, batches, probes. Pure.

Where a gate accepts, its outlet's heads go out as fast as the pace allows; where it probes, one request at a time;
where it holds, nothing but a newcomer.
"""

from collections import deque
from collections.abc import Callable, Sequence
from itertools import count

from processor.holds import State
from processor.records import Delivery, Request, too_old
from processor.send.blame import RetryPolicy
from processor.send.credential import CredentialHold
from processor.send.outlet import NEVER, BatchLimits, Outlet
from processor.send.pace import Pace
from processor.send.turns import Turns
from processor.send.waiting import Waiting

ONCE_PATIENCE = 3600.0
"""Seconds after which what may reach a shopper is risked although no other path could tell."""


class Dispatch:
    """Chooses requests.

    Args:
        waiting: what there is to send.
        credential: whether the key is refused.
        pace: how fast.
        batch: limits of a batch; None = single calls.
        retry: the file's.
        stretch: jitter, a factor of 1 or a little more.
    """

    def __init__(
        self,
        waiting: Waiting,
        credential: CredentialHold,
        pace: Pace,
        batch: BatchLimits | None,
        retry: RetryPolicy,
        stretch: Callable[[], float],
    ) -> None:
        self._waiting = waiting
        self._credential = credential
        self._pace = pace
        self._batch = batch
        self._retry = retry
        self._stretch = stretch
        self._numbers = count(1)
        self._turn = 0
        self._too_old: list[Delivery] = []

    def take(self, now: float, wall: float) -> Request | float | None:
        """The next request; or when to ask again; or None: not before something else happens."""
        warm_at = self._waiting.warm(now)
        while True:
            outlet, due = self._next_due(now)
            if outlet is None:
                wake = min(due, warm_at)
                return None if wake == NEVER else wake
            ready_at = self._pace.ready_at(now)
            if ready_at > now:
                return ready_at
            request = self._request(outlet, now, wall)
            if request is not None:
                # Only who sends has had its turn, not whom the pace holds back or whose head was too old.
                self._turn = self._waiting.outlets.index(outlet) + 1
                self._pace.spend()
                return request

    def expired(self) -> Sequence[Delivery]:
        """What the last `take` found too old to be sent; it is done with."""
        expired, self._too_old = self._too_old, []
        return expired

    # When.

    def _next_due(self, now: float) -> tuple[Outlet | None, float]:
        """The next outlet with a request to send, in turns; or None, and when the first one will have one."""
        soonest, outlets = NEVER, self._waiting.outlets
        for ahead in range(len(outlets)):
            outlet = outlets[(self._turn + ahead) % len(outlets)]
            due = self._due(outlet, now)
            if due <= now:
                return outlet, due
            soonest = min(soonest, due)
        return None, soonest

    def _due(self, outlet: Outlet, now: float) -> float:
        """When a request may go out here; changes of state that only time brings are made on the way."""
        if self._credential.until is not None:
            return self._key_probe_due(outlet, now)
        gate = outlet.gate
        if gate.state is State.ACCEPTING:
            return outlet.due(self._waiting.lanes)
        if gate.state is State.HOLDING:
            wake = self._hold_ends(outlet, now)
            if wake > now:
                return min(wake, self._newcomer_due(outlet))
            gate.probe()
        return self._probe_due(outlet, now)

    def _probe_due(self, outlet: Outlet, now: float) -> float:
        """The first probe waits until nothing is in flight any more; where no head is left to try, the gate holds."""
        if outlet.out:
            return NEVER
        outlet.hold_if_all_refused(now, self._stretch)
        if outlet.gate.state is State.HOLDING:
            return outlet.gate.until
        candidate = outlet.candidate()
        return candidate if isinstance(candidate, float) else NEVER if candidate is None else -NEVER

    def _newcomer_due(self, outlet: Outlet) -> float:
        if outlet.out or outlet.channel.once or outlet.newcomer() is None:
            return NEVER
        return outlet.gate.newcomer_at + self._retry.delay(1)

    def _hold_ends(self, outlet: Outlet, now: float) -> float:
        """When to probe again.

        What may reach a shopper is not risked while others can tell: it waits for a sister's acceptance, and goes at
        once where a sister's own trouble ends. A sister whose calls are answered with refusals cannot tell, and one
        that has nothing but a record which always times out would never.
        """
        gate = outlet.gate
        if not outlet.channel.once:
            return gate.until
        sisters = [sister for sister in self._waiting.outlets if sister is not outlet]
        if any(sister.gate.recovered_at > gate.held_at for sister in sisters):
            return -NEVER
        if gate.until > now or any(sister.gate.accepted_at > gate.held_at for sister in sisters):
            return gate.until
        alone = not any(sister.telling for sister in sisters)
        return gate.until if alone else max(gate.until, gate.held_at + ONCE_PATIENCE)

    def _key_probe_due(self, outlet: Outlet, now: float) -> float:
        """One probe asks for all paths; what may reach a shopper only where there is nothing else."""
        credential = self._credential
        if credential.probe is not None or outlet.out:
            return NEVER
        if outlet.idle:
            return NEVER
        candidate = outlet.candidate()
        if candidate is None:
            # Who was tried in this round does not matter here: nobody was asked about the key.
            outlet.probe_anew()
            return self._key_probe_due(outlet, now)
        if outlet.channel.once and any(not sister.channel.once and not sister.idle for sister in self._waiting.outlets):
            return NEVER
        return max(credential.until or now, candidate if isinstance(candidate, float) else -NEVER)

    # What.

    def _request(self, outlet: Outlet, now: float, wall: float) -> Request | None:
        """The request that is due; None where all that it would carry is too old."""
        if not outlet.accepting or self._credential.until is not None:
            return self._probe(outlet, now, wall)
        heads, most = outlet.next(self._waiting.lanes, now)
        deliveries = self._gather(heads, most, now, wall)
        if not deliveries:
            return None
        request = self._make(outlet, deliveries)
        outlet.sent(request, heads)
        return request

    def _probe(self, outlet: Outlet, now: float, wall: float) -> Request | None:
        if outlet.accepting:
            outlet.probe_anew()
        candidate = outlet.candidate()
        assert isinstance(candidate, Delivery)  # noqa: S101 - it was due
        self._waiting.take_out(candidate)
        if self._outdated(candidate, wall):
            return None
        request = self._make(outlet, [candidate])
        outlet.sent(request)
        outlet.probe = request
        if self._credential.until is not None:
            request.renew = True
            self._credential.probe = request
        if outlet.gate.state is State.HOLDING:
            outlet.gate.newcomer_at = now
        return request

    def _gather(self, heads: Turns, most: int, now: float, wall: float) -> list[Delivery]:
        """A request's deliveries: first every lane's head, then what stands behind them, round by round."""
        if most == 1:
            self._waiting.total -= 1
            head = heads.pop()
            return [] if self._outdated(head, wall) else [head]
        most_bytes = self._batch.max_bytes if self._batch else 0
        lanes, riders = self._waiting.lanes, deque[Delivery]()
        deliveries: list[Delivery] = []
        size = len(b"[]") - len(b",")
        while len(deliveries) < most and (heads or riders):
            ahead = heads.peek() if heads else riders[0]
            if deliveries and size + len(b",") + len(ahead.body) > most_bytes:
                break
            delivery = heads.pop() if heads else riders.popleft()
            self._waiting.total -= 1
            behind = lanes.rider(delivery, most)
            if behind is not None:
                riders.append(behind)
            if not self._outdated(delivery, wall):
                size += len(b",") + len(delivery.body)
                deliveries.append(delivery)
        for rider in reversed(riders):
            # It is a head now where the one before it was too old.
            self._waiting.total -= 1
            self._waiting.come_back([rider], now)
        return deliveries

    def _outdated(self, delivery: Delivery, wall: float) -> bool:
        """Whether it is too old to be sent; then it is done with, and its lane goes on."""
        if not too_old(delivery.expires, wall):
            return False
        self._too_old.append(delivery)
        self._waiting.leave([delivery])
        return True

    def _make(self, outlet: Outlet, deliveries: list[Delivery]) -> Request:
        channel, bodies = outlet.channel, [delivery.body for delivery in deliveries]
        body = b"[" + b",".join(bodies) + b"]" if channel.batched else bodies[0]
        return Request(channel, deliveries, body, next(self._numbers), outlet.gate.era)
