"""Reading a topic of the run's broker as commands do."""

from uuid import uuid4

from processor.clock import Clock, ManualClock, SystemClock
from processor.kafka_clients import KafkaClients
from processor.replay.reading import Reader
from tests.support.logs import Lines


class Hurried(ManualClock):
    """A clock on which a minute passes between any two looks."""

    def now(self) -> float:
        """A minute later than the last time."""
        self.advance(60.0)
        return super().now()


def reader(bootstrap: str, clock: Clock | None = None) -> Reader:
    """A reader with the service's own clients."""
    clients = KafkaClients({"bootstrap.servers": bootstrap}, uuid4().hex, "test", None, Lines().log)
    return Reader(clients, bootstrap, clock or SystemClock())
