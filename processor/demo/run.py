"""The demo: the whole service in one process, with an embedded Kafka, stub vendors and a shop that clicks.

Nothing of the service is different here: it reads `canonical.yaml` as a user's file, with another one over it for what
a demo wants, and talks to all parts over TCP.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Collection, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

from processor.demo.accounting import FinalAccount
from processor.demo.conditions import Condition, Observer, held_of
from processor.demo.facts import Fact, Tell
from processor.demo.judging import Judge
from processor.demo.letter_box import LetterBox
from processor.demo.options import VENDORS
from processor.demo.runs import Runs, until
from processor.demo.traffic import TOPIC, Traffic
from processor.demo.troubles import Troubles
from processor.demo.vendors import Vendors
from processor.demo.wording import grouped
from processor.running import RunningPipeline

LOOK = 0.1
"""Seconds between two looks at everything."""
STUCK = 60.0
"""Seconds without any progress after which the end does not wait any longer."""
LETTERS_WAIT = 10.0
"""Seconds at most until the letters that the service has written can be read."""
SHARE = 0.01
"""Of poison, where the user does not say how much."""


@dataclass(slots=True)
class Demo:
    """A running demo.

    Attributes:
        addresses: where its parts answer, by their names.
        tell: is told what happens.
        clicking: whether the shop is open, and there can be troubles.
        closed: whether all is settled and the service ends.
    """

    addresses: dict[str, str]
    vendors: Vendors
    troubles: Troubles
    runs: Runs
    traffic: Traffic
    judge: Judge
    letters: LetterBox
    tell: Tell
    clicking: bool = True
    closed: bool = False
    _observers: dict[str, Observer] = field(default_factory=lambda: {name: Observer(name) for name in VENDORS})
    _settled: dict[str, dict[int, int]] = field(default_factory=lambda: defaultdict(dict))
    _held: dict[str, float] = field(default_factory=dict)
    _waited: bool = False
    _restart: asyncio.Task[None] | None = None

    # What is done to the service.

    def begin_outage(self, names: Collection[str], seconds: float | None = None) -> None:
        """These vendors answer 503."""
        self.troubles.begin_outage(names)
        for_so_long = f" for {seconds:g} s" if seconds else ""
        self._say("outage", f"outage: {_all(names)} 503 to every call{for_so_long}", at=sorted(names))

    def end_outage(self) -> None:
        """All vendors answer as ever."""
        names = sorted(self.troubles.out)
        self.troubles.end_outage()
        self._say("outage_over", f"the outage is over: the next probe at {' and '.join(names)} will pass", at=names)

    def revoke(self, names: Collection[str], seconds: float | None = None) -> None:
        """These vendors take another key than the service has."""
        self.troubles.revoke(names)
        later = f"in {seconds:g} s" if seconds else "when k is pressed again"
        words = f"key revoked: {_all(names)} 401 to every call; the new key will be in its file {later}"
        self._say("key_revoked", words, at=sorted(names))

    def rotate(self) -> None:
        """The new keys are in their files."""
        names = sorted(self.troubles.revoked)
        self.troubles.rotate()
        words = f"the new key of {' and '.join(names)} is in its file, which is read again before each probe"
        self._say("key_replaced", words, at=names)

    def poison(self, share: float) -> None:
        """From now on so many of the clicks are poison."""
        self.traffic.poisoner.share = share
        words = f"poison: {share * 100:g} % of the clicks are views that the vendor always refuses, or that do not map"
        self._say("poison", words if share else "no more poison", share=share)

    async def restart(self) -> None:
        """End the service and start it again; the clicks go on."""
        if self._restart is None or self._restart.done():
            self._restart = asyncio.create_task(self._restarted())
        await asyncio.shield(self._restart)  # whoever waits may be cancelled; this must not be left half done

    async def healed(self) -> None:
        """Wait until nothing is held."""
        await until(lambda: self.runs.up and not self._held)

    async def _restarted(self) -> None:
        begun = time.monotonic()
        self._say(
            "restarting", "restart: what is in flight gets its reply, what is settled is committed; the clicks go on"
        )
        await self.runs.restart()
        self._held.clear()
        self.traffic.restarted()
        seconds = round(time.monotonic() - begun, 1)
        self._say("restarted", f"the service runs again after {seconds:g} s, from its commits", seconds=seconds)

    # Its life.

    async def run(self, stop: asyncio.Event, script: Coroutine[Any, Any, None]) -> FinalAccount:
        """Click until it is enough or `stop` is set, let all of it settle, end the service, and give the account.

        Args:
            stop: ends the clicking.
            script: troubles that come by themselves; ended with the clicking.

        Raises:
            FatalError: the service failed, or could not end in order.
        """
        playing = asyncio.create_task(script)
        playing.add_done_callback(lambda _: self.traffic.undisturbed.set())
        tasks = {asyncio.create_task(self._watch()), asyncio.create_task(self._work(stop, playing))}
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in (playing, *tasks):
                task.cancel()
            await asyncio.gather(playing, *tasks, return_exceptions=True)
        self.closed = True
        await self.runs.end()
        await self._read_letters()
        return FinalAccount(self.runs.accounts(), self.judge, self.runs.restarts)

    async def _work(self, stop: asyncio.Event, playing: asyncio.Task[None]) -> None:
        await self.traffic.run(stop)
        self.clicking = False
        playing.cancel()
        if self._restart is not None:
            await self._restart
        if self.troubles.out:
            self.end_outage()
        if self.troubles.revoked:
            self.rotate()
        left = self.backlog()
        words = f"the shop has closed; {grouped(left)} clicks are still to be settled (ctrl-C does not wait for them)"
        self._say("closed", words, backlog=left)
        await self._settle()

    async def _settle(self) -> None:
        left, since = self.backlog(), time.monotonic()
        while left and time.monotonic() - since < STUCK:
            await asyncio.sleep(LOOK)
            if (now := self.backlog()) != left:
                left, since = now, time.monotonic()
        if left:
            self._say("not_settled", f"{grouped(left)} clicks are not settled, and nothing has moved for {STUCK:g} s")

    async def _read_letters(self) -> None:
        """Read what the service has written; an unbalanced account tells of what does not come."""
        written = sum(books.dead_lettered for books in self.runs.accounts().values())
        deadline = time.monotonic() + LETTERS_WAIT
        while True:
            self._look()
            if self.judge.letters.came >= written or time.monotonic() >= deadline:
                return
            await asyncio.sleep(LOOK)

    # What is seen.

    def conditions(self) -> list[Condition]:
        """How all pipelines are now."""
        books, now = self.runs.accounts(), time.monotonic()
        running = {each.plan.name: each for each in self.runs.service.pipelines} if self.runs.up else {}
        return [
            observer.look(running.get(name), books[name], self._backlog_of(name), now)
            for name, observer in self._observers.items()
        ]

    def backlog(self) -> int:
        """Clicks that not every pipeline has settled."""
        return max(self._backlog_of(name) for name in VENDORS)

    def _backlog_of(self, name: str) -> int:
        return self.judge.clicks - sum(self._settled[name].values())

    async def _watch(self) -> None:
        while True:
            self.runs.check()
            if self._restart is not None and self._restart.done():
                self._restart.result()
            self._look()
            self._look_at_holds()
            self._look_at_shop()
            await asyncio.sleep(LOOK)

    def _look(self) -> None:
        """Take what has come to the vendors and the dead-letter topics, and what is committed."""
        for name, account in (("voyado", self.vendors.account.voyado), ("rocket", self.vendors.account.rocket)):
            self.judge.vendors[name].enter(account.take())
        for letter in self.letters.read():
            self.judge.letters.come(letter)
        pipelines = self.runs.service.pipelines
        for partition in self.traffic.shelf.ends:
            self._look_at_partition(partition, pipelines)

    def _look_at_partition(self, partition: int, pipelines: Sequence[RunningPipeline]) -> None:
        committed = []
        for pipeline in pipelines:
            view = pipeline.kafka.snapshot.partitions.get((TOPIC, partition))
            if view is not None and view.frontier is not None:
                self._settled[pipeline.plan.name][partition] = view.frontier + view.settled_ahead
            committed.append(view.committed if view is not None else None)
        if committed and all(offset is not None for offset in committed):
            self.traffic.shelf.committed(partition, min(offset for offset in committed if offset is not None))

    def _look_at_holds(self) -> None:
        if not self.runs.up:
            return
        for pipeline in self.runs.service.pipelines:
            name, held = pipeline.plan.name, held_of(pipeline)
            if held is not None and name not in self._held:
                self._held[name] = time.monotonic() - held.seconds
                words = f"{name} HOLDS: {held.reason}; one probe at a time, nothing is lost, nobody is blamed"
                self._say("held", words, destination=name, reason=held.reason)
            elif held is None and name in self._held:
                seconds = round(time.monotonic() - self._held.pop(name), 1)
                self._say("healed", f"{name} delivers again after {seconds:g} s", destination=name, seconds=seconds)

    def _look_at_shop(self) -> None:
        if self.traffic.waits and not self._waited:
            words = "the shop waits: so many clicks are not settled that the embedded Kafka could forget some"
            self._say("shop_waits", words, backlog=self.backlog())
        self._waited = self.traffic.waits

    def _say(self, kind: str, words: str, **details: object) -> None:
        self.tell(Fact(kind, words, details))


def _all(names: Collection[str]) -> str:
    """Who answers: a subject with its verb."""
    return f"{' and '.join(sorted(names))} answer{'s' if len(names) == 1 else ''}"
