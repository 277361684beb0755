"""For how long a member may take its partitions for its own.

A group gives a member's partitions to others when it was not heard of for its session time-out. A process that was
stopped for that long (SIGSTOP, a frozen machine) does not know, and neither does one whose coordinator is silent while
its vendor is not: the client tells of a loss later, and with KIP-848 not before the coordinator answers again. What
such a member sends would arrive behind what the next owner has sent.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from math import inf

from processor.clock import Clock
from processor.consume.statistics import Coordinator
from processor.records import Key

STANDSTILL = 3.0
"""Seconds without a sign of life after which a member of a KIP-848 group may be none any more: for how long the broker
waits it does not tell."""

SWIFT = 1.0
"""Seconds within which partitions are taken over; that is usual within a tenth. Librdkafka acknowledges them after it,
and a heartbeat that failed before is repeated in full, with what it acknowledged last. The coordinator then takes the
new ones for given back: where others are to have them by now, they have them at once."""


class StoodStillError(Exception):
    """The lease has run out: what was assigned may be others' by now."""


class Lease:
    """Renewed by the Kafka thread, at each turn and between questions that may take long; asked by the event loop.

    Args:
        seconds: the session time-out; beyond it everything is lost.
        unsure: after a standstill that was longer than this nothing is sent until the coordinator has answered what it
            was asked since, for that answer is what tells of a loss. An earlier one may have waited in the socket.
            Nor is anything after an assignment that was not swift. Neither where the client tells of losses by itself.
    """

    def __init__(self, seconds: float, clock: Clock, unsure: float = inf) -> None:
        self._seconds = seconds
        self._clock = clock
        self._unsure = unsure
        self._doubted: float | None = None
        self._awaited: int | None = None  # the number of a question that was asked since
        self._lost = 0  # how often the connection was, when the client told of it last
        self._slow: frozenset[Key] = frozenset()
        self._turned = clock.now()
        self._heard: float | None = None
        self._told = 0
        self._known = 0

    # On the Kafka thread.

    def begin(self) -> None:
        """Nothing is assigned: whatever was before, what comes now is ours."""
        self._turned, self._heard = self._clock.now(), None
        self._trust()

    def renew(self) -> bool:
        """The thread is at work; False where it was not for too long, and so until `begin`."""
        now = self._clock.now()
        if self._age(now) > self._seconds:
            return False
        if now - self._turned > self._unsure:
            self._doubt(now)
        self._turned = now
        return True

    @contextmanager
    def assigning(self, keys: Iterable[Key]) -> Iterator[None]:
        """These partitions are taken over within the block."""
        begun = self._clock.now()
        yield
        now = self._clock.now()
        if self._unsure < inf and now - begun > SWIFT:
            self._doubt(now)
            self._slow |= frozenset(keys)

    def surely(self, keys: Iterable[Key]) -> list[Key]:
        """Those that may be committed where they leave: not what was taken over slowly, while that is in doubt."""
        return [key for key in keys if key not in self._slow]

    def check(self) -> None:
        """Renew.

        Raises:
            StoodStillError: it ran out.
        """
        age = self._age(self._clock.now())
        if not self.renew():
            raise StoodStillError(f"{age:.1f} s without a sign of life, and the session time-out is {self._seconds:g}")

    def heard(self, coordinator: Coordinator | None) -> None:
        """The client tells of the group's coordinator, as it was at some time since this turn began.

        Args:
            coordinator: None while the client is not connected to it.
        """
        if coordinator is None:
            return
        self._heard = self._clock.now() - coordinator.idle
        broken, self._lost = coordinator.lost != self._lost, coordinator.lost
        if broken:
            self._awaited = None
        if self._doubted is None or broken:  # what counts as answered may have been lost with the connection
            return
        if self._awaited is None and self._turned - coordinator.asked > self._doubted:
            self._awaited = coordinator.questions
        if self._awaited is not None and coordinator.answered >= self._awaited:
            self._trust()

    def ending(self) -> None:
        """The event loop is being told that assignments have ended; until it knows nothing may be sent."""
        self._told += 1

    # On the event loop.

    def known(self) -> None:
        """It has dropped what waited of ended assignments."""
        self._known += 1

    def holds(self, now: float) -> bool:
        """Whether anything may be sent; `now` of the same clock."""
        sure = self._doubted is None and now - self._turned <= self._unsure
        return sure and self._known == self._told and self._age(now) <= self._seconds

    def _doubt(self, now: float) -> None:
        self._doubted, self._awaited = now, None

    def _trust(self) -> None:
        self._doubted, self._slow = None, frozenset()

    def _age(self, now: float) -> float:
        """Seconds since the last sign that we are members."""
        heard = self._turned if self._heard is None else min(self._heard, self._turned)
        return now - heard
