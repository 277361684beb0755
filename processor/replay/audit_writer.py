"""Writes to the audit topic: what is said there counts only after the broker acknowledged it.

It has a thread of its own, because librdkafka calls delivery callbacks only from `poll()`. What the broker does not
take is produced again until it does, however long that is.
"""

import threading
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from uuid import uuid4

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from processor.clock import Clock
from processor.delays import delay_after
from processor.errors import FatalError
from processor.kafka_rights import IDEMPOTENT, WRITE, allow, on_topic
from processor.logs import Logger
from processor.records import Key
from processor.replay.history import Run, marks_key, marks_of
from processor.replay.spans import Spans

POLL = 0.1
"""Seconds the thread waits in `poll()`; also how late a due retry may be."""
BACK_OFF = (1.0, 2.0, 5.0)
"""Seconds until something that was refused is produced again; the last one repeats. A run sends nothing for
so long after the topic is mended; and few messages wait, for it sends no more before they are taken."""
STOP_MARGIN = 1.0
"""Seconds that the thread may take to notice that its time is over."""
RUN_TIMEOUT = 30.0
"""Seconds that a run's record may take."""
SPANS = 2_000
"""In one message: some 50 KB, which every topic takes."""

HOPELESS = {
    KafkaError.UNKNOWN_TOPIC_OR_PART: "the topic does not exist",
    KafkaError._UNKNOWN_TOPIC: "the topic does not exist",  # noqa: SLF001 - librdkafka's own code
    KafkaError.MSG_SIZE_TOO_LARGE: "the topic takes smaller messages only: raise its max.message.bytes",
}
"""What a person has to mend first, and nobody should wait for; so what is forbidden."""

Done = Callable[[], None]


class Entry:
    """One message on its way.

    Attributes:
        done: called when the broker has it.
        failures: how often it was refused.
        due: when it is produced again.
        error: why it was refused last.
        given_up: nobody waits for it any more.
    """

    __slots__ = ("done", "due", "error", "failures", "given_up", "key", "value")

    def __init__(self, key: bytes, value: bytes, done: Done) -> None:
        self.key = key
        self.value = value
        self.done = done
        self.failures = 0
        self.due = 0.0
        self.error: KafkaError | None = None
        self.given_up = False


class AuditWriter:
    """Writes to one audit topic.

    Args:
        topic: the audit topic; never created here.
        make_producer: builds the client; called again after a fatal error, and as long as it raises KafkaException.
        bootstrap: what people give to Kafka's own tools.

    Attributes:
        worker: part of the keys of its marks, so that two processes of one run never overwrite each other's.
        trouble: why something waits, in words; None while nothing is known to be wrong.
    """

    def __init__(
        self, topic: str, make_producer: Callable[[], Producer], bootstrap: str, clock: Clock, log: Logger
    ) -> None:
        self.topic = topic
        self.worker = uuid4().hex[:8]
        self.trouble: str | None = None
        self._make_producer = make_producer
        self._bootstrap = bootstrap
        self._clock = clock
        self._log = log.bind(audit_topic=topic)
        self._queue: deque[Entry] = deque()
        self._out: set[Entry] = set()
        self._lock = threading.Lock()
        self._marks = 0
        self._handed_over = 0
        self._over_with = 0
        self._awake = threading.Event()
        self._stopping = threading.Event()
        self._stop_by = float("inf")
        self._broken: KafkaError | None = None
        self._thread = threading.Thread(target=self._run, name=f"audit {topic}", daemon=True)

    @property
    def waiting(self) -> int:
        """Messages handed over and not acknowledged."""
        return self._handed_over - self._over_with

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self, timeout: float) -> int:
        """End the thread, after what is queued was given so many seconds.

        Returns:
            How many messages were not acknowledged.
        """
        self._stop_by = self._clock.now() + timeout
        self._stopping.set()
        self._awake.set()
        self._thread.join(timeout + STOP_MARGIN)
        return self.waiting

    def write_run(self, run: Run, timeout: float = RUN_TIMEOUT) -> None:
        """Write a run's record and wait until the broker has it.

        Raises:
            FatalError: it was not taken within so many seconds, or waiting for it is of no use.
        """
        acknowledged = threading.Event()
        entry = Entry(run.key, run.as_json(), acknowledged.set)
        deadline = self._clock.now() + timeout
        self._put(entry)
        while not acknowledged.wait(POLL):
            error = entry.error
            hopeless = self._hopeless(error) if error else None
            if hopeless or self._clock.now() >= deadline:
                entry.given_up = True
                why = hopeless or (error.str() if error else self.trouble) or "no answer"
                raise FatalError(
                    f"the audit topic {self.topic} did not take the record of run {run.id}: {why}. "
                    "Without it nobody would know what was done; see to the topic and run the command again"
                )

    def mark(self, run: Run, key: Key, outcomes: Mapping[str, Spans], on_done: Done) -> None:
        """Say what became of letters; returns at once.

        Args:
            run: on whose behalf.
            key: topic and partition of the letters, or the source records.
            outcomes: offsets by outcome.
            on_done: called on the writer's thread, once the broker has all of it; here, where there is nothing to say.
        """
        values = [marks.as_json() for marks in marks_of(run, key, outcomes, SPANS)]
        left = len(values)
        if not left:
            on_done()

        def done() -> None:  # all calls come from one thread
            nonlocal left
            left -= 1
            if not left:
                on_done()

        for value in values:
            with self._lock:
                self._marks += 1
                name = marks_key(run.id, self.worker, self._marks)
            self._put(Entry(name, value, done))

    def _put(self, entry: Entry) -> None:
        with self._lock:
            self._handed_over += 1
        self._queue.append(entry)
        self._awake.set()

    # The thread.

    @property
    def _over(self) -> bool:
        return self._stopping.is_set() and (not self.waiting or self._clock.now() >= self._stop_by)

    def _run(self) -> None:
        failures = 0
        while not self._over:
            self._broken = None
            try:
                producer = self._make_producer()
            except KafkaException as exception:
                self._broken = exception.args[0]
            else:
                acknowledged = self._over_with
                self._serve(producer)
                failures = 0 if self._over_with > acknowledged else failures
            if self._broken is not None:
                failures += 1
                self._tell(self._broken)
                self._stopping.wait(delay_after(failures, BACK_OFF))

    def _serve(self, producer: Producer) -> None:
        """Use one client until the end, or its own."""
        while not self._over and self._broken is None:
            if not self.waiting:
                self._awake.wait()
            self._awake.clear()
            self._produce_due(producer)
            try:
                producer.poll(POLL)
            except KafkaException as exception:  # what is fatal is raised, too
                self._broken = exception.args[0]
        if self._broken is not None:
            producer.purge()
            with suppress(KafkaException):
                producer.flush(POLL)  # it may have been told of some that were taken
            for entry in [*self._out]:
                self._refused(entry, self._broken)

    def _produce_due(self, producer: Producer) -> None:
        now = self._clock.now()
        for _ in range(len(self._queue)):
            entry = self._queue.popleft()
            if entry.given_up:
                self._over_with += 1
            elif entry.due <= now:
                self._produce(producer, entry)
            else:
                self._queue.append(entry)

    def _produce(self, producer: Producer, entry: Entry) -> None:
        failures = entry.failures

        def answered(error: KafkaError | None, _: Message) -> None:
            if entry not in self._out or entry.failures != failures:
                return  # of a client that was given up
            if error is None:
                self._taken(entry)
            else:
                self._refused(entry, self._broken or error)  # a client that is given up only says that it was

        try:
            producer.produce(self.topic, key=entry.key, value=entry.value, on_delivery=answered)
            self._out.add(entry)
        except KafkaException as exception:
            self._refused(entry, exception.args[0])
        except BufferError:
            entry.due = self._clock.now() + POLL
            self._queue.append(entry)

    def _taken(self, entry: Entry) -> None:
        self._out.remove(entry)
        self._over_with += 1
        if self.trouble is not None:
            self.trouble = None
            self._log.info("audit_topic_back", waiting=self.waiting)
        try:
            entry.done()
        except Exception:  # noqa: BLE001 - a callback that raises would destroy what the client holds
            self._log.exception("audit_callback_failed", next="what was marked is marked")

    def _refused(self, entry: Entry, error: KafkaError) -> None:
        self._out.discard(entry)
        if error.fatal():
            self._broken = error
        entry.error = error
        entry.failures += 1
        entry.due = self._clock.now() + delay_after(entry.failures, BACK_OFF)
        self._queue.append(entry)
        self._tell(error)

    def _hopeless(self, error: KafkaError) -> str | None:
        """What a person has to mend; None where it may be over by itself."""
        if error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED:
            return on_topic(self._bootstrap, self.topic, WRITE)
        if error.code() == KafkaError.CLUSTER_AUTHORIZATION_FAILED:  # no topic at all may be written to
            older = allow(self._bootstrap, "--cluster", IDEMPOTENT)
            here = on_topic(self._bootstrap, self.topic, WRITE)
            return f"{here}; where the brokers are older than 2.8, also: {older}"
        return HOPELESS.get(error.code())

    def _tell(self, error: KafkaError) -> None:
        """Say what is wrong, once for each reason."""
        words = self._hopeless(error) or error.str()
        if words != self.trouble:
            self.trouble = words
            self._log.warning(
                "audit_topic_refuses", reason=words, next="tried again until it is taken; nothing is lost"
            )
