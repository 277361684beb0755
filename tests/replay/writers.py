"""An audit writer with clients that do what a script says."""

import threading
from collections.abc import Callable
from typing import cast

from confluent_kafka import KafkaError, KafkaException, Producer

from processor.clock import SystemClock
from processor.replay.audit_writer import AuditWriter
from processor.replay.history import Run
from processor.replay.spans import Spans
from tests.support.logs import Lines

RUN = Run(id="2026-11-22-1", kind="replay", topic="dlq", topic_id="one")
BOOTSTRAP = "kafka.acme.test:9092"
Answer = Callable[[KafkaError | None, None], None]


class Scripted:
    """A client that answers in `poll`, with a script's errors first, and what it was given.

    Attributes:
        raised: what `produce` raises, first of all.
        broken: what `poll` raises from now on.
        purge_answers: what is told of what was purged.
    """

    def __init__(self, *errors: KafkaError) -> None:
        self.errors = [*errors]
        self.raised: list[Exception] = []
        self.broken: KafkaException | None = None
        self.taken: list[tuple[bytes, bytes]] = []
        self.held: list[tuple[bytes, bytes, Answer]] = []
        self.purged = False
        self.purge_answers: KafkaError | None = None

    def produce(self, _: str, *, key: bytes, value: bytes, on_delivery: Answer) -> None:
        """Take a message."""
        if self.raised:
            raise self.raised.pop(0)
        self.held.append((key, value, on_delivery))

    def poll(self, _: float) -> None:
        """Answer all."""
        if self.broken is not None:
            raise self.broken
        held, self.held = self.held, []
        for key, value, answer in held:
            error = self.errors.pop(0) if self.errors else None
            if error is None:
                self.taken.append((key, value))
            answer(error, None)

    def purge(self) -> None:
        """Give everything back."""
        self.purged = True

    def flush(self, _wait: float) -> None:
        """Nothing is told of what was purged, unless it is to come back with an error."""
        if self.purge_answers is not None:
            for _, _, answer in self.held:
                answer(self.purge_answers, None)


class Bench:
    """A writer with scripted clients, one after another; the last one stays."""

    def __init__(self, *clients: Scripted | KafkaException) -> None:
        self.clients = [*clients]
        self.lines = Lines()
        self.writer = AuditWriter("dlq.audit", self._make, BOOTSTRAP, SystemClock(), self.lines.log)
        self.writer.start()

    def _make(self) -> Producer:
        client = self.clients.pop(0) if len(self.clients) > 1 else self.clients[0]
        if isinstance(client, KafkaException):
            raise client
        return cast("Producer", client)

    def mark(self, spans: Spans) -> threading.Event:
        """Say that these were delivered; set when the broker has it."""
        done = threading.Event()
        self.writer.mark(RUN, ("dlq", 0), {"delivered": spans}, done.set)
        return done


def refusal(code: int = KafkaError.NOT_ENOUGH_REPLICAS, *, fatal: bool = False) -> KafkaError:
    """The broker's answer."""
    return KafkaError(code, "refused", fatal=fatal)
