"""An undertaker at work, a client that refuses what a script says, and looks that find what a test wants."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, cast

from confluent_kafka import KafkaError, Message, Producer

from processor.clock import SystemClock
from processor.records import ErrorClass, Failure, Record, Stage
from processor.settle.letter_topic import Look, TopicLook
from processor.settle.letters import Letter, Origin, letter
from processor.settle.undertaker import Undertaker
from tests.support.logs import Lines
from tests.support.waiting import eventually_sync

FAILURE = Failure(Stage.MAP, ErrorClass.UNMAPPED, "itemId: SKU-1 is no integer")
WITHIN = 20.0
"""Seconds for what takes a moment on a machine that has nothing else to do."""


def letter_of(source: Record) -> Letter:
    """A letter about a record."""
    return letter(Origin("voyado", "c0ffee", "1.2.3"), source, FAILURE, route="views")


class Looks(TopicLook):
    """Looks that find what a test says, the last of it again and again; by default that all is well."""

    def __init__(self, *found: Look) -> None:
        super().__init__("letters", [], lambda: cast("Any", None), "kafka:9092")
        self.found = [*found] or [Look()]
        self.begun = 0

    @property
    def pending(self) -> bool:
        """Whether one was begun and not fetched."""
        return self._config is not None

    def begin(self) -> None:
        """Look."""
        self.begun += 1
        self._config = Future()

    def answer(self) -> Look | None:
        """What this look found."""
        self._config = None
        return self.found.pop(0) if len(self.found) > 1 else self.found[0]


class Burial:
    """An undertaker at work, and what it buried."""

    def __init__(self, topic: str, make_producer: Callable[[], Producer], look: TopicLook | None = None) -> None:
        self.lines = Lines()
        self.buried: list[Letter] = []
        self.undertaker = Undertaker(topic, make_producer, look or Looks(), SystemClock(), self.lines.log)
        self.undertaker.start(self.buried.append)

    def bury(self, *letters: Letter) -> None:
        """Hand letters over."""
        for one in letters:
            self.undertaker.bury(one)

    def await_burials(self, count: int) -> None:
        """Wait until so many were acknowledged."""
        eventually_sync(lambda: len(self.buried) == count, within=WITHIN)


class Scripted:
    """A client that refuses what a script says, and answers in `poll` as librdkafka does."""

    def __init__(self, errors: list[KafkaError]) -> None:
        self.errors = errors
        self.unanswered: list[Callable[[KafkaError | None, Message | None], None]] = []
        self.purged = False

    def produce(
        self, *_: object, on_delivery: Callable[[KafkaError | None, Message | None], None], **__: object
    ) -> None:
        """Take a message."""
        self.unanswered.append(on_delivery)

    def poll(self, _: float) -> None:
        """Answer what was produced, with the script's errors first."""
        taken, self.unanswered = self.unanswered, []
        for answer in taken:
            answer(self.errors.pop(0) if self.errors else None, None)

    def purge(self) -> None:
        """Give everything back."""
        self.purged = True

    def flush(self, _: float) -> None:
        """Answer what was purged."""
        taken, self.unanswered = self.unanswered, []
        for answer in taken:
            answer(KafkaError(KafkaError._PURGE_QUEUE), None)
