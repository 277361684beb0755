"""The dead-letter producer: a letter counts only after the broker acknowledged it (invariant 8).

It has a thread of its own, because librdkafka calls delivery callbacks only from `poll()`. Letters that the broker
does not take wait here and are produced again: their offsets wait with them, nothing else does.
"""

import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from processor.clock import Clock
from processor.delays import delay_after
from processor.logs import Logger
from processor.settle.letter_topic import TopicLook
from processor.settle.letter_trouble import TopicHealth, Trouble
from processor.settle.letters import Letter

POLL = 0.1
"""Seconds the thread waits in `poll()`; also how late a due retry may be."""
BACK_OFF = (1.0, 5.0, 30.0)
"""Seconds until a refused letter is produced again; the last one repeats."""
STOP_MARGIN = 1.0
"""Seconds that the thread may take to notice that its time is over."""


Buried = Callable[[Letter], None]


@dataclass(slots=True, eq=False)
class Posting:
    """A letter on its way.

    Attributes:
        letter: as it was written.
        form: as it is produced now: where the topic does not take all of it, with less in it.
        failures: how often it was refused.
        due: when it is produced again.
        alone: in no batch with others: where a batch is refused as too large, that says nothing of a single letter.
    """

    letter: Letter
    form: Letter
    failures: int = 0
    due: float = 0.0
    alone: bool = False


class Undertaker:
    """Buries letters in one topic.

    Args:
        make_producer: builds the client; called again after a fatal error, and as long as it raises KafkaException.
        look: looks at the topic, which is never created here.
    """

    def __init__(
        self, topic: str, make_producer: Callable[[], Producer], look: TopicLook, clock: Clock, log: Logger
    ) -> None:
        self.topic = topic
        self._make_producer = make_producer
        self._look = look
        self._buried: Buried = lambda _: None
        self._clock = clock
        self._new: deque[Letter] = deque()
        self._again: deque[Posting] = deque()
        self._alone: deque[Posting] = deque()
        self._stopping = threading.Event()
        self._stop_by = float("inf")
        self._awake = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"dead-letters {topic}", daemon=True)
        self._broken: KafkaError | None = None
        self._breaks = 0
        self._renew_at = 0.0
        self._health = TopicHealth(look.advice, clock, log.bind(dead_letter_topic=topic))
        self._handed_over = 0
        self._acknowledged = 0
        self._refused = 0
        self._out: set[Posting] = set()

    @property
    def trouble(self) -> Trouble | None:
        """Why letters wait, or would, for `/status`; None while nothing is known to be wrong."""
        return self._health.trouble

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
        late = self._clock.now() >= self._stop_by or self._broken is not None
        return self._stopping.is_set() and (late or not self.waiting)

    def _run(self) -> None:
        producer = self._made()
        while producer is not None and not self._over:
            if not self.waiting and self._broken is None:
                self._awake.wait(self._idle())  # a stop sets it too
            self._awake.clear()
            self._look_at_topic()
            if self._broken is None:
                self._produce_due(producer)
                self._poll(producer)
            elif self._clock.now() >= self._renew_at:
                self._broken = None
                producer = self._made()
            else:
                self._stopping.wait(POLL)

    # The topic.

    def _idle(self) -> float | None:
        """Seconds until there is something to do without a letter; None = for ever."""
        if self._look.pending:
            return POLL
        at = self._health.next_look
        return None if at is None else max(at - self._clock.now(), 0.0)

    def _look_at_topic(self) -> None:
        """Look where that is due; it costs no letter any time."""
        health, now = self._health, self._clock.now()
        if self._look.pending:
            found = self._look.answer()
            if found is not None and health.looked(found):
                self._again = deque(replace(posting, due=now) for posting in self._again)
                self._renew_at = now
        elif health.next_look is not None and health.next_look <= now:
            try:
                self._look.begin()
            except KafkaException:
                health.unanswered()

    # The client.

    def _made(self) -> Producer | None:
        """Make the producer, however long its login or its certificates are not to be had; None at the end."""
        failures = 0
        while not self._stopping.is_set():
            try:
                producer = self._make_producer()
            except KafkaException as exception:
                failures += 1
                delay = delay_after(failures, BACK_OFF)
                self._health.no_producer(exception.args[0], delay)
                self._stopping.wait(delay)
                continue
            if not self._refused:
                self._health.producer_made()
            return producer
        return None

    def _poll(self, producer: Producer) -> None:
        try:
            producer.poll(POLL)
        except KafkaException as exception:  # what is fatal is raised, too
            self._broken = exception.args[0]
        if self._broken is not None:
            self._give_up(producer, self._broken)

    def _give_up(self, producer: Producer, error: KafkaError) -> None:
        """After a fatal error: what the client still holds comes back as refused; a new one is made, not at once."""
        producer.purge()
        with suppress(KafkaException):
            producer.flush(POLL)  # it may have been told of some that were taken
        for posting in [*self._out]:
            self._answered(posting, error)
        self._broken = error
        self._breaks += 1
        delay = delay_after(self._breaks, BACK_OFF)
        self._renew_at = self._clock.now() + delay
        self._health.no_producer(error, delay)

    # The letters.

    def _produce_due(self, producer: Producer) -> None:
        """Letters that go alone come first, one after another; all others wait for that."""
        if self._alone:
            if not self._out:
                self._produce(producer, self._alone.popleft())
            return
        while self._new:
            letter = self._new.popleft()
            self._produce(producer, Posting(letter, letter))
        now = self._clock.now()
        for _ in range(len(self._again)):
            posting = self._again.popleft()
            if posting.due <= now:
                self._produce(producer, posting)
            else:
                self._again.append(posting)

    def _produce(self, producer: Producer, posting: Posting) -> None:
        def answered(error: KafkaError | None, _: Message) -> None:
            self._answered(posting, error)

        form = posting.form
        try:
            # The timestamp is now, not the record's: retention would delete an old record's letter at once.
            producer.produce(self.topic, key=form.key, value=form.value, headers=form.headers, on_delivery=answered)
            self._out.add(posting)
        except KafkaException as exception:
            posting.alone = True  # what the client itself refuses is in no batch yet
            self._refuse(posting, exception.args[0])
        except BufferError:
            posting.due = self._clock.now() + POLL
            self._again.append(posting)

    def _answered(self, posting: Posting, error: KafkaError | None) -> None:
        if posting not in self._out:
            return  # of a client that was given up: it is on its way again
        self._out.remove(posting)
        if error is None:
            self._taken(posting)
        else:
            self._refuse(posting, error)

    def _taken(self, posting: Posting) -> None:
        self._acknowledged += 1
        self._breaks = 0
        if posting.failures:
            self._refused -= 1
        self._health.acknowledged(refused=self._refused, waiting=self.waiting)
        self._buried(posting.form)

    def _refuse(self, posting: Posting, error: KafkaError) -> None:
        if error.code() == KafkaError.MSG_SIZE_TOO_LARGE:
            form = posting.form.smaller() if posting.alone else posting.form
            if form is not None:
                self._alone.append(replace(posting, form=form, alone=True))
                return
        if error.fatal():
            self._broken = error
        self._refused += not posting.failures
        failures = posting.failures + 1
        delay = delay_after(failures, BACK_OFF)
        # As a whole again: until then somebody may have let the topic take more.
        self._again.append(Posting(posting.letter, posting.letter, failures, self._clock.now() + delay))
        self._health.refused(error, delay)
