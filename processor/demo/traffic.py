"""The shop's clicks on their way into the embedded Kafka, at a pace that one can watch."""

import asyncio
import time

from confluent_kafka import Producer

from processor.demo.clicks import STEP, Click, Shop
from processor.demo.embedded import Shelf
from processor.demo.judging import Judge
from processor.demo.options import DemoOptions
from processor.demo.poison import Poisoner
from processor.demo.shop import Encoder
from processor.errors import FatalError

TOPIC = "shop.clickstream"
RATE = 500
"""Clicks a second, where there is something to watch."""
SLICE = 200
"""Clicks between two turns of the event loop, at most."""
TURN = 0.02
"""Seconds between two slices."""
QUEUED = 2_000
"""Clicks that Kafka has not taken yet, at most."""
KEPT = 3_000_000
"""Bytes that a partition may have uncommitted: the embedded Kafka forgets silently beyond 5 MB."""
TAIL = 200
"""Clicks behind the last trouble, so that there is something to see of its end. After a restart also: a gate that has
accepted nothing yet blames nobody, so poison alone would wait for ever."""


class Traffic:
    """Makes clicks until there were enough.

    Attributes:
        poisoner: makes poison of some.
        shelf: what Kafka must keep.
        waits: whether the shop waits for pipelines that are behind.
        undisturbed: set when no trouble is to come any more.
    """

    def __init__(self, producer: Producer, encoder: Encoder, judge: Judge, options: DemoOptions) -> None:
        self.poisoner = Poisoner(options.seed, options.poison)
        self.shelf = Shelf()
        self.waits = False
        self.undisturbed = asyncio.Event()
        self._producer = producer
        self._encoder = encoder
        self._judge = judge
        self._options = options
        self._rate = _rate(options)
        self._shop = Shop(options.seed, int(time.time() * 1000) - (options.events or 0) * STEP)
        self._owed = 0
        self._credit = 0.0
        self._asked = time.monotonic()

    async def run(self, stop: asyncio.Event) -> None:
        """Click until there were enough, or `stop` is set.

        Raises:
            FatalError: the embedded Kafka did not take a click.
        """
        self._asked = time.monotonic()
        until = self._asked + self._options.seconds if self._options.seconds else float("inf")
        while (left := self._left(over=stop.is_set() or time.monotonic() >= until)) is not None:
            self.waits = self.shelf.fullest >= KEPT
            ready = not self.waits and len(self._producer) < QUEUED
            count = min(left, self._due()) if ready else 0
            self._make(count)
            self._serve()
            await asyncio.sleep(0 if count and self._rate is None else TURN)
        self.waits = False
        while len(self._producer):
            self._serve()
            await asyncio.sleep(TURN)

    def restarted(self) -> None:
        """The service was started again: some more clicks are needed in any case."""
        self._owed = TAIL

    def _left(self, *, over: bool) -> int | None:
        """Clicks that may still be made for now; None = it is enough.

        Args:
            over: whether the user, or the time, has ended it.
        """
        events, quiet = self._options.events, self.undisturbed.is_set()
        if events is not None:
            kept = 0 if quiet or over or not self._options.troubled else min(TAIL, events // 2)
            left = events - self._judge.clicks
            return None if left <= 0 or (over and self._owed <= 0) else max(left - kept, 0)
        if over or (quiet and self._options.troubled and self._options.seconds is None):
            return self._owed if self._owed > 0 else None
        return SLICE

    def _due(self) -> int:
        """Clicks that the pace allows now."""
        if self._rate is None:
            return SLICE
        now = time.monotonic()
        self._credit = min(self._credit + (now - self._asked) * self._rate, SLICE)
        self._asked = now
        due = int(self._credit)
        self._credit -= due
        return due

    def _make(self, count: int) -> None:
        for click in self._shop.clicks(count):
            self._put(click)
        self._owed -= count

    def _put(self, click: Click) -> None:
        poison = self.poisoner.taint(click)
        value = self._encoder.encode(poison.click if poison else click)
        if poison:
            self._judge.spoiled(poison, value)
        else:
            self._judge.clicked(click)
        self._producer.produce(TOPIC, value, click.key, on_delivery=self.shelf.put)

    def _serve(self) -> None:
        self._producer.poll(0)
        if self.shelf.failed is not None:
            raise FatalError(f"the embedded Kafka did not take a click: {self.shelf.failed}")


def _rate(options: DemoOptions) -> float | None:
    """Clicks a second; None = as fast as it goes, where nothing but their number counts."""
    if options.events is None:
        return RATE
    return min(options.events / options.length, RATE) if options.troubled else None
