"""Which part of the account's rate is this replica's: its part of the group's partitions that have work.

Replicas need no coordinator: each looks at the same partitions, ends and committed offsets, and each partition is
owned by one of them, so the parts add up to the whole. As replicas look at different times, a partition that wakes
counts for others at once and for its owner a look later; and one whose partitions are all idle keeps a small part for
what may come, which is on top of the whole.
"""

import asyncio
import math
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from processor.clock import Clock
from processor.consume.lag import EndOffsets
from processor.consume.start import MakeConsumer, partitions_of
from processor.logs import Logger
from processor.records import Key

INTERVAL = 15.0
"""Seconds between two looks."""
RETRY = 1.0
"""Seconds until a look that failed is repeated."""
TURN = 0.1
"""Seconds between two glances at what is assigned to us: a partition that left counts no longer before its next owner
sends."""
TIMEOUT = 3.0
"""Seconds for each question to Kafka; the end of the process may have to wait for them."""
MOVED = 60.0
"""Seconds for which a partition with new records has work: what is slow and steady is no lag when somebody looks."""
PATIENCE = 5.0
"""Seconds that a replica with partitions waits to hear how many there are in all."""
SMALL = 0.1
"""The share of one that never hears, and the most for one whose partitions are all idle: others may use the whole rate
meanwhile."""


def share(own: frozenset[Key], known: frozenset[Key], busy: frozenset[Key]) -> float | None:
    """The part of the rate that a replica may use.

    Args:
        own: partitions that are assigned to it.
        known: all partitions of the pipeline's topics.
        busy: those with work; where none has any, all count.

    Returns:
        0 without partitions; the part of one partition, but never much, where none of its own has work; None while
        nobody knows how many there are.
    """
    if not own:
        return 0.0
    if busy:
        mine = len(own & busy)
        return mine / len(busy) if mine else min(1 / (len(busy) + 1), SMALL)
    return len(own) / len(own | known) if known else None


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen of all partitions of the pipeline's topics.

    Attributes:
        known: all of them.
        ends: the offset of the next record, as of the last answer; absent where there was none yet.
        committed: the group's offsets; absent where it has none.
        fresh: partitions that got a record in the last minute, by its timestamp; asked only of those never seen
            before, so that a replica that has just begun judges as the others do.
    """

    known: frozenset[Key]
    ends: Mapping[Key, int]
    committed: Mapping[Key, int]
    fresh: frozenset[Key] = frozenset()


class Work:
    """Which partitions have work: lag, or new records in the last minute. Pure.

    Moving commits alone are no work: they end where the lag ends, and a replica that has just begun cannot know of
    them, while it can ask for new records.

    Attributes:
        known: all partitions as of the last look.
        busy: those with work.
        noticed: those of them that had it already one interval ago, so that every replica knows by now.
    """

    def __init__(self) -> None:
        self.known: frozenset[Key] = frozenset()
        self.busy: frozenset[Key] = frozenset()
        self.noticed: frozenset[Key] = frozenset()
        self._since: dict[Key, float] = {}
        self._ends: Mapping[Key, int] = {}
        self._written: dict[Key, float] = {}

    def enter(self, look: Look, now: float) -> None:
        """Enter a look; what it does not name exists no longer."""
        ends = {key: look.ends[key] for key in look.known if key in look.ends}
        written = {key for key, end in ends.items() if key in look.fresh or self._ends.get(key, end) != end}
        lately = {key: at for key, at in self._written.items() if now - at < MOVED and key in look.known}
        self._written = lately | dict.fromkeys(written, now)
        self._ends = ends
        # One without a committed offset begins at its first record; one whose end nobody knows may have work.
        lagging = {key for key in look.known if key not in ends or look.committed.get(key, 0) < ends[key]}
        # At the first look everything is old: others have looked before, or begin together with us.
        new = now if self.known else -math.inf
        self.known = look.known
        self.busy = frozenset(lagging | self._written.keys())
        self._since = {key: self._since.get(key, new) for key in self.busy}
        self.noticed = frozenset(key for key, since in self._since.items() if now - since >= INTERVAL)

    def share(self, own: frozenset[Key]) -> float | None:
        """The part of the rate for who has these partitions, whichever of both the other replicas know of.

        Where all know of `noticed`, nobody takes more than that gives, and where all know of `busy`, the same holds.
        """
        parts = [share(own, self.known, busy) for busy in (self.noticed, self.busy)]
        return min((part for part in parts if part is not None), default=None)


class ShareWatch:
    """Keeps the share up to date: a look every 15 seconds, and one at once when the assignment changes.

    A look that fails changes nothing and is repeated; the last one goes on to count, with what is assigned now.

    Args:
        topics: names, or regular expressions that start with `^`.
        make_consumer: builds a client of the group, which never subscribes; it may block, and fail while there is no
            login. The admin client's own call for a group's offsets can end the process (librdkafka issue 5040).
        ends: who knows the partitions' ends.
        assigned: gives the partitions that are assigned to this replica now.
        use: told of each change of the share.
    """

    def __init__(
        self,
        topics: Sequence[str],
        make_consumer: MakeConsumer,
        ends: EndOffsets,
        assigned: Callable[[], Collection[Key]],
        use: Callable[[float], None],
        clock: Clock,
        log: Logger,
    ) -> None:
        self._topics = topics
        self._make_consumer = make_consumer
        self._ends = ends
        self._assigned = assigned
        self._use = use
        self._clock = clock
        self._log = log
        self._consumer: Consumer | None = None
        self._asking = threading.Lock()
        self._changed = asyncio.Event()
        self._own: frozenset[Key] = frozenset()
        self._since = 0.0
        self._failing = False
        self.work = Work()
        self.share = 0.0
        """The last one that was used."""

    async def run(self) -> None:
        """Watch until cancelled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._follow())
                tasks.create_task(self._look_around())
        finally:
            await asyncio.to_thread(self._close)

    # What is assigned.

    async def _follow(self) -> None:
        while True:
            self._glance(frozenset(self._assigned()), self._clock.now())
            await asyncio.sleep(TURN)

    def _glance(self, own: frozenset[Key], now: float) -> None:
        if own != self._own:
            if not self._own:
                self._since = now
            self._own = own
            self._changed.set()
        self._apply(now)

    def _apply(self, now: float) -> None:
        part = self.work.share(self._own)
        if part is None:
            part = 0.0 if now - self._since < PATIENCE else SMALL
        if part != self.share:
            self.share = part
            self._use(part)

    # What there is.

    async def _look_around(self) -> None:
        while True:
            self._changed.clear()
            reason = await self._look()
            if reason and not self._failing:
                self._log.warning("share_look_failed", reason=reason, share=self.share, next="asked again each second")
            self._failing = bool(reason)
            self._apply(self._clock.now())
            try:
                async with asyncio.timeout(RETRY if reason else INTERVAL):
                    await self._changed.wait()
            except TimeoutError:
                pass

    async def _look(self) -> str | None:
        """Look once; gives the reason where that failed."""
        try:
            keys, committed = await asyncio.to_thread(self._ask)
        except KafkaException as exception:
            return str(exception)
        fresh = await self._ends.written_since(set(keys) - self.work.known, self._clock.wall() - MOVED)
        if keys and not await self._ends.look(keys):
            if not self.work.known:  # how many there are is something: all count
                self.work.enter(Look(frozenset(keys), {}, committed), self._clock.now())
            return "no partition's end was answered"
        self.work.enter(Look(frozenset(keys), dict(self._ends.ends), committed, fresh), self._clock.now())
        return None

    def _ask(self) -> tuple[list[Key], dict[Key, int]]:
        """All partitions, and the group's offsets; runs in a thread."""
        with self._asking:
            if self._consumer is None:
                self._consumer = self._make_consumer({"error_cb": _already_said})
            self._consumer.poll(0)  # writes its log, which would pile up
            keys = self._partitions(self._consumer)
            partitions = [TopicPartition(*key) for key in keys]
            offsets = self._consumer.committed(partitions, timeout=TIMEOUT) if keys else []
        return keys, {(p.topic, p.partition): p.offset for p in offsets if p.offset >= 0 and p.error is None}

    def _partitions(self, consumer: Consumer) -> list[Key]:
        """Only these topics are asked about where that is possible: a cluster may have thousands."""
        if any(topic.startswith("^") for topic in self._topics):
            return partitions_of(self._topics, consumer.list_topics(timeout=TIMEOUT).topics)
        asked = [consumer.list_topics(topic, timeout=TIMEOUT).topics for topic in self._topics]
        return partitions_of(self._topics, {name: found for topics in asked for name, found in topics.items()})

    def _close(self) -> None:
        """Not while a question is under way: without Kafka that would wait for its time-out."""
        if self._asking.acquire(blocking=False) and self._consumer is not None:
            self._consumer.close()


def _already_said(_: KafkaError) -> None:
    """The group's own member says what is wrong with Kafka."""
