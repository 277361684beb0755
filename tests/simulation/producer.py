"""A producer of the simulated Kafka, as far as the service calls `confluent_kafka.Producer`."""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from zlib import crc32

from confluent_kafka import KafkaError, KafkaException, Message

from processor.records import Headers
from tests.simulation.network import AGAIN, Link
from tests.simulation.weather import Ill

OVERHEAD = 100
"""Bytes of a message beside its key, value and headers, about."""
FOREVER = 10**9
OnDelivery = Callable[[KafkaError | None, Message], None]


@dataclass(eq=False, slots=True)
class Letter:
    """A message on its way.

    Attributes:
        until: when the client gives up.
        over: whether its fate is known.
    """

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers | None
    report: OnDelivery
    until: float
    over: bool = False

    @property
    def size(self) -> int:
        """Bytes, about."""
        named = sum(len(name) + len(text or b"") for name, text in self.headers or ())
        return len(self.key or b"") + len(self.value or b"") + named + OVERHEAD


class SimProducer:
    """Produces with `acks=all`, and tells of each message in `poll()` and `flush()`.

    Attributes:
        host: its process.
    """

    def __init__(self, link: Link, config: Mapping[str, Any]) -> None:
        self._link = link
        self._cluster = link.cluster
        self._machine = link.cluster.machine
        self._timeout = float(config.get("message.timeout.ms", 300_000)) / 1000
        self._most = int(config.get("message.max.bytes", 1_000_000))
        self._under_way: dict[Letter, None] = {}
        self._reports: deque[Callable[[], None]] = deque()
        self._fatal: KafkaError | None = None
        self.host = link.host

    def produce(
        self,
        topic: str,
        value: bytes | None = None,
        key: bytes | None = None,
        *,
        headers: Headers | None = None,
        on_delivery: OnDelivery = lambda *_: None,
    ) -> None:
        """Take a message.

        Raises:
            BufferError: the client's queue is full.
            KafkaException: the message is too large, or the client is beyond repair.
        """
        if self._fatal is not None:
            raise KafkaException(self._fatal)
        if self._cluster.weather.now(Ill.QUEUE_FULL):
            raise BufferError("Local: Queue full")
        letter = Letter(topic, key, value, headers, on_delivery, self._machine.clock.now() + self._timeout)
        if letter.size > self._most:
            raise KafkaException(KafkaError(KafkaError.MSG_SIZE_TOO_LARGE))
        self._under_way[letter] = None
        self._try_soon(letter, self._cluster.latency())

    def poll(self, timeout: float = -1) -> int:
        """Wait for a report, and give those that are there."""
        self._machine.wait(lambda: bool(self._reports), timeout if timeout >= 0 else None)
        return self._serve()

    def flush(self, timeout: float = -1) -> int:
        """Wait until nothing is under way; gives how much still is."""
        until = self._machine.clock.now() + (timeout if timeout >= 0 else FOREVER)
        while self._under_way or self._reports:
            if not self._machine.wait(lambda: bool(self._reports), until - self._machine.clock.now()):
                break
            self._serve()
        return len(self._under_way)

    def purge(self) -> None:
        """Give up all that is under way."""
        for letter in list(self._under_way):
            self._report(letter, KafkaError(KafkaError._PURGE_QUEUE))

    def fail(self) -> None:
        """A fatal error: what is under way fails with it, and nothing more is taken."""
        self._fatal = KafkaError(KafkaError._FATAL, "Fatal error: simulated", True)  # noqa: FBT003 - the client's
        for letter in list(self._under_way):
            self._report(letter, self._fatal)

    # On its way.

    def _try_soon(self, letter: Letter, seconds: float) -> None:
        self._machine.later(seconds, lambda: self._arrive(letter))

    def _arrive(self, letter: Letter) -> None:
        """At the broker."""
        weather = self._cluster.weather
        if silence := weather.left(Ill.SILENT):
            self._machine.later(silence + self._cluster.latency(), lambda: self._arrive(letter))
            self._later(letter.until - self._machine.clock.now(), letter, None, again=True)
        elif weather.now(Ill.AWAY, Ill.NO_LEADER, Ill.LETTERS_STUCK) or letter.topic not in self._cluster.topics:
            self._later(AGAIN, letter, None, again=True)
        elif weather.now(Ill.LETTERS_REFUSED):
            self._later(self._cluster.delay(), letter, KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED))
        elif letter.size > self._cluster.topics[letter.topic].max_message_bytes:
            self._later(self._cluster.delay(), letter, KafkaError(KafkaError.MSG_SIZE_TOO_LARGE))
        else:
            self._write(letter)
            lost = bool(weather.now(Ill.LETTERS_LOST))
            late = KafkaError(KafkaError._MSG_TIMED_OUT)
            delay = letter.until - self._machine.clock.now() if lost else self._cluster.delay()
            self._later(delay, letter, late if lost else None)

    def _write(self, letter: Letter) -> None:
        topic = self._cluster.topics[letter.topic]
        number = crc32(letter.key or b"") % len(topic.partitions)
        topic.partitions[number].append(self._cluster.wall_ms(), letter.key, letter.value, letter.headers)
        self._cluster.on_letter(self.host, letter.topic, letter.key, letter.value, letter.headers)
        self._cluster.written((letter.topic, number))

    def _later(self, seconds: float, letter: Letter, error: KafkaError | None, *, again: bool = False) -> None:
        def hear() -> None:
            if letter.over:
                return
            if not again:
                self._report(letter, error)
            elif self._machine.clock.now() >= letter.until:
                self._report(letter, KafkaError(KafkaError._MSG_TIMED_OUT))
            else:
                self._try_soon(letter, self._cluster.latency())

        self._machine.later(seconds, hear, self.host)

    def _report(self, letter: Letter, error: KafkaError | None) -> None:
        letter.over = True
        self._under_way.pop(letter, None)
        message = Message(topic=letter.topic, key=letter.key, value=letter.value, error=error)
        self._reports.append(lambda: letter.report(error, message))

    def _serve(self) -> int:
        served = len(self._reports)
        for _ in range(served):
            self._reports.popleft()()
        return served
