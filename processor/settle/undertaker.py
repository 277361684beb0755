"""The dead-letter producer: a letter counts only after the broker acknowledged it (invariant 8).

It has a thread of its own, because librdkafka calls delivery callbacks only from `poll()`. Letters that the broker
does not take wait here and are produced again: their offsets wait with them, nothing else does.
"""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from processor.clock import Clock
from processor.logs import Logger
from processor.settle.letters import Letter

POLL = 0.1
"""Seconds the thread waits in `poll()`; also how late a due retry may be."""
BACK_OFF = (1.0, 5.0, 30.0)
"""Seconds until a refused letter is produced again; the last one repeats."""
STOP_MARGIN = 1.0
"""Seconds that the thread may take to notice that its time is over."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why letters wait; `since` is in seconds since 1970."""

    words: str
    since: float


Buried = Callable[[Letter], None]


class Undertaker:
    """Buries letters in one topic.

    Args:
        topic: the dead-letter topic; it is never created here.
        make_producer: builds the client; called again after a fatal error, and as long as it raises KafkaException.
    """

    def __init__(self, topic: str, make_producer: Callable[[], Producer], clock: Clock, log: Logger) -> None:
        self.topic = topic
        self._make_producer = make_producer
        self._buried: Buried = lambda _: None
        self._clock = clock
        self._log = log.bind(dead_letter_topic=topic)
        self._new: deque[Letter] = deque()
        self._again: deque[tuple[float, int, Letter]] = deque()
        self._stopping = threading.Event()
        self._stop_by = float("inf")
        self._awake = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"dead-letters {topic}", daemon=True)
        self._fatal = False
        self.trouble: Trouble | None = None
        """Why letters wait, for `/status`; None while the broker takes them."""
        self._handed_over = 0
        self._acknowledged = 0

    @property
    def waiting(self) -> int:
        """Letters handed over and not acknowledged; each of the two counts has one writer."""
        return self._handed_over - self._acknowledged

    def start(self, buried: Buried) -> None:
        """Start the thread; `buried` is called on it for each letter that the broker acknowledged."""
        self._buried = buried
        self._thread.start()

    def bury(self, letter: Letter) -> None:
        """Hand a letter over; from any one thread. `buried` follows when the broker has it."""
        self._handed_over += 1
        self._new.append(letter)
        self._awake.set()

    def stop(self, timeout: float) -> None:
        """End the thread, after what is queued was given `timeout` seconds to be acknowledged."""
        self._stop_by = self._clock.now() + timeout
        self._stopping.set()
        self._awake.set()
        self._thread.join(timeout + STOP_MARGIN)

    @property
    def _over(self) -> bool:
        return self._stopping.is_set() and (not self.waiting or self._clock.now() >= self._stop_by)

    def _run(self) -> None:
        producer = self._made()
        while producer is not None and not self._over:
            if not self.waiting:
                self._awake.wait()  # a stop sets it too
            self._awake.clear()
            if self._fatal:
                producer = self._replace(producer)
            else:
                self._produce_due(producer)
                producer.poll(POLL)

    def _made(self) -> Producer | None:
        """Make the producer, however long its login or its certificates are not to be had; None at the end."""
        failures = 0
        while not self._stopping.is_set():
            try:
                producer = self._make_producer()
            except KafkaException as exception:
                delay = BACK_OFF[min(failures, len(BACK_OFF) - 1)]
                failures += 1
                fix = "the log says what is wrong with the login to Kafka"
                self._say("dead_letter_producer_failed", exception.args[0], delay, fix)
                self._stopping.wait(delay)
                continue
            if failures:
                self.trouble = None
            return producer
        return None

    def _replace(self, producer: Producer) -> Producer | None:
        """After a fatal error: what the old client still holds comes back as refused, then a new one is made."""
        producer.purge()
        producer.flush(POLL)
        self._fatal = False
        return self._made()

    def _produce_due(self, producer: Producer) -> None:
        while self._new:
            self._produce(producer, self._new.popleft(), 0)
        now = self._clock.now()
        for _ in range(len(self._again)):
            due, failures, letter = self._again.popleft()
            if due <= now:
                self._produce(producer, letter, failures)
            else:
                self._again.append((due, failures, letter))

    def _produce(self, producer: Producer, letter: Letter, failures: int) -> None:
        def answered(error: KafkaError | None, _: Message) -> None:
            if error is None:
                self._taken(letter)
            else:
                self._refused(letter, error, failures)

        try:
            # The timestamp is now, not the record's: retention would delete an old record's letter at once.
            producer.produce(
                self.topic,
                key=letter.record.key,
                value=letter.value,
                headers=letter.headers,
                on_delivery=answered,
            )
        except KafkaException as exception:
            self._refused(letter, exception.args[0], failures)
        except BufferError:
            self._again.append((self._clock.now() + POLL, failures, letter))

    def _taken(self, letter: Letter) -> None:
        self._acknowledged += 1
        if self.trouble:
            self._log.info("dead_letter_topic_back", waiting=self.waiting)
            self.trouble = None
        self._buried(letter)

    def _refused(self, letter: Letter, error: KafkaError, failures: int) -> None:
        if error.code() == KafkaError.MSG_SIZE_TOO_LARGE and letter.value is not None:
            self._again.append((self._clock.now(), failures, letter.without_value()))
            return
        self._fatal = self._fatal or error.fatal()
        delay = BACK_OFF[min(failures, len(BACK_OFF) - 1)]
        self._again.append((self._clock.now() + delay, failures + 1, letter))
        fix = "create the topic, or let this service's Kafka user write to it"
        self._say("dead_letter_refused", error, delay, fix)

    def _say(self, event: str, error: KafkaError, delay: float, fix: str) -> None:
        if self.trouble is None or self.trouble.words != error.str():
            self.trouble = Trouble(error.str(), self.trouble.since if self.trouble else self._clock.wall())
            self._log.error(
                event,
                reason=self.trouble.words,
                next=f"tried again in {delay:g} s and after; offsets with letters wait, nothing is lost",
                fix=fix,
            )
