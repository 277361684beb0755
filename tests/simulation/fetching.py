"""What librdkafka does by itself for a consumer's partitions: finds where each begins, and fetches ahead."""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from confluent_kafka import (
    OFFSET_BEGINNING,
    OFFSET_END,
    OFFSET_INVALID,
    OFFSET_STORED,
    KafkaError,
    Message,
    TopicPartition,
)

from processor.records import Key
from tests.simulation.cluster_group import Group
from tests.simulation.cluster_log import Entry
from tests.simulation.network import AGAIN, Link, Question
from tests.simulation.weather import Ill

AHEAD = 2
"""Answers of one partition that wait to be consumed; with so many nothing more is fetched."""
MOST = 60
"""Records of one answer."""


@dataclass(eq=False, slots=True)
class Fetched:
    """One assigned partition.

    Attributes:
        position: behind what the application was given; invalid before the first.
        reached: behind what the `consume()` that is under way has taken; None where it has taken nothing.
        start: where fetching goes on if what was fetched since counts for nothing.
        next: where the next fetch begins; None while that is looked for.
        version: grows when what was fetched until then counts for nothing any more.
        waiting: answers that were not consumed.
    """

    key: Key
    position: int = OFFSET_INVALID
    reached: int | None = None
    start: int | None = None
    next: int | None = None
    paused: bool = False
    version: int = 0
    waiting: int = 0
    asked: bool = False
    live: bool = True


@dataclass(eq=False, slots=True)
class Run:
    """Records of one answer, on their way to the application."""

    of: Fetched
    version: int
    entries: deque[Entry] = field(default_factory=deque)

    @property
    def valid(self) -> bool:
        """Whether the application may have it."""
        return self.of.live and self.version == self.of.version


class Fetcher:
    """Fetches for one consumer.

    Args:
        resets: whether it goes to the earliest record by itself where there is no offset, or none that is left
            (auto.offset.reset is `earliest`, not `error`).
        deliver: takes what came, in the client's process.
        complain: takes an error that the application is told in the place of a record.
    """

    def __init__(
        self,
        link: Link,
        group: Group,
        *,
        resets: bool,
        deliver: Callable[[Run], None],
        complain: Callable[[Message], None],
    ) -> None:
        self._link = link
        self._cluster = link.cluster
        self._group = group
        self._resets = resets
        self._deliver = deliver
        self._complain = complain
        self._paused: set[Key] = set()
        self.assigned: dict[Key, Fetched] = {}

    def assign(self, partitions: Iterable[TopicPartition]) -> None:
        """Begin; a pause from an earlier assignment goes on."""
        for at in partitions:
            key = (at.topic, at.partition)
            fetched = self.assigned[key] = Fetched(key, paused=key in self._paused)
            self._begin(fetched, at.offset)

    def unassign(self, keys: Iterable[Key]) -> None:
        """End; what was fetched is gone."""
        for key in keys:
            fetched = self.assigned.pop(key, None)
            if fetched is not None:
                fetched.live = False

    def pause(self, keys: Iterable[Key]) -> None:
        """Fetch no more, and forget what was not consumed, or was in the `consume()` that is under way."""
        for fetched in self._known(keys):
            self._paused.add(fetched.key)
            fetched.paused = True
            if fetched.next is not None:  # else where it begins is still being looked for
                self._go_to(fetched, fetched.start)

    def resume(self, keys: Iterable[Key]) -> None:
        """Fetch again."""
        for fetched in self._known(keys):
            self._paused.discard(fetched.key)
            fetched.paused = False
            self._fetch_soon(fetched)

    def poke(self, key: Key) -> None:
        """There may be something new of this partition."""
        fetched = self.assigned.get(key)
        if fetched is not None:
            self._fetch_soon(fetched)

    def consumed(self, run: Run) -> None:
        """All of an answer is consumed, or void."""
        if run.valid:
            run.of.waiting -= 1
            self._fetch_soon(run.of)

    def given(self) -> None:
        """The application has what was taken."""
        for fetched in self.assigned.values():
            if fetched.reached is not None:
                fetched.position = fetched.start = fetched.reached
                fetched.reached = None

    def _known(self, keys: Iterable[Key]) -> list[Fetched]:
        return [fetched for key in keys if (fetched := self.assigned.get(key)) is not None]

    # Where it begins.

    def _begin(self, fetched: Fetched, offset: int) -> None:
        if offset >= 0:
            self._go_to(fetched, offset)
        elif offset in {OFFSET_STORED, OFFSET_INVALID}:
            self._ask(fetched, self._stored(fetched.key), Ill.NO_COORDINATOR)
        else:
            self._ask(fetched, lambda: self._edge(fetched.key, offset), Ill.NO_LEADER)

    def _ask(self, fetched: Fetched, work: Callable[[], int | KafkaError], needs: Ill) -> None:
        version = fetched.version

        def found(answer: int | KafkaError) -> None:
            if not fetched.live or fetched.version != version:
                return
            if isinstance(answer, KafkaError):
                self._link.cluster.machine.later(AGAIN, lambda: self._ask(fetched, work, needs), self._link.host)
            elif answer == OFFSET_INVALID:
                self._reset(fetched, answer)
            else:
                self._go_to(fetched, answer)

        Question(self._cluster, self._link.host, work, found, needs=needs)

    def _stored(self, key: Key) -> Callable[[], int | KafkaError]:
        def stored() -> int:
            bookmark = self._group.offsets.get(key)
            return OFFSET_INVALID if bookmark is None else bookmark.offset

        return stored

    def _edge(self, key: Key, offset: int) -> int | KafkaError:
        log = self._cluster.find(key)
        if log is None:
            return KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART)
        return log.stable if offset == OFFSET_END else log.start

    def _go_to(self, fetched: Fetched, offset: int | None) -> None:
        fetched.version += 1
        fetched.waiting = 0
        fetched.reached = None
        fetched.start = fetched.next = offset
        self._fetch_soon(fetched)

    # Fetching.

    def _fetch_soon(self, fetched: Fetched) -> None:
        idle = fetched.live and not fetched.asked and not fetched.paused
        if idle and fetched.next is not None and fetched.waiting < AHEAD:
            fetched.asked = True
            version = fetched.version
            self._cluster.machine.later(
                self._cluster.latency(), lambda: self._at_broker(fetched, version), self._link.host
            )

    def _at_broker(self, fetched: Fetched, version: int) -> None:
        weather = self._cluster.weather
        if weather.now(Ill.AWAY, Ill.NO_LEADER, Ill.SILENT):
            self._back(fetched, AGAIN, lambda: None)
        elif fetched.version != version or fetched.next is None or not fetched.live:
            self._back(fetched, 0.0, lambda: None)
        else:
            self._read(fetched, fetched.next)

    def _read(self, fetched: Fetched, offset: int) -> None:
        log = self._cluster.find(fetched.key)
        version = fetched.version
        if log is None:
            self._back(fetched, 1.0, lambda: self._gone(fetched))
        elif not log.start <= offset <= log.end:
            self._back(fetched, self._cluster.delay(), lambda: self._out_of_range(fetched, version, offset))
        elif entries := log.read(offset, self._cluster.machine.random.randint(1, MOST)):
            self._back(fetched, self._cluster.delay(), lambda: self._came(fetched, version, entries))
        else:
            fetched.asked = False  # the broker answers when there is something: see `poke`

    def _back(self, fetched: Fetched, delay: float, then: Callable[[], None]) -> None:
        def back() -> None:
            fetched.asked = False
            then()
            self._fetch_soon(fetched)

        self._cluster.machine.later(delay, back, self._link.host)

    def _came(self, fetched: Fetched, version: int, entries: list[Entry]) -> None:
        if fetched.live and fetched.version == version and not self._cluster.weather.now(Ill.AWAY):
            fetched.next = entries[-1].offset + 1
            fetched.waiting += 1
            self._deliver(Run(fetched, version, deque(entries)))

    def _out_of_range(self, fetched: Fetched, version: int, offset: int) -> None:
        if fetched.live and fetched.version == version:
            self._reset(fetched, offset)

    def _reset(self, fetched: Fetched, offset: int) -> None:
        """Nobody knows where to go on: by the earliest record, or not at all until it is assigned anew."""
        fetched.next = None
        if self._resets:
            self._begin(fetched, OFFSET_BEGINNING)
        else:
            self._say(fetched, KafkaError._AUTO_OFFSET_RESET, offset)

    def _gone(self, fetched: Fetched) -> None:
        if fetched.live:
            self._say(fetched, KafkaError.UNKNOWN_TOPIC_OR_PART, OFFSET_INVALID)

    def _say(self, fetched: Fetched, code: int, offset: int) -> None:
        topic, number = fetched.key
        self._complain(Message(topic=topic, partition=number, offset=offset, error=KafkaError(code)))
