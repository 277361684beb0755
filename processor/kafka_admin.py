"""One admin client for a pipeline, for as long as it is of use."""

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from threading import Lock
from typing import Any, cast

from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

Offsets = Mapping[TopicPartition, Future[Any]]


class SharedAdmin:
    """Hands out the same client again and again, and a new one after that one could not tell an offset.

    What a client believes of leaders it may believe for ever: after all brokers were away it may answer "No leaders
    found" or "Leader epoch is older than broker epoch" to each such question until its end (seen with librdkafka 2.16).

    Args:
        make: builds a client; it may block, and fail while there is no login.
    """

    def __init__(self, make: Callable[[], AdminClient]) -> None:
        self._make = make
        self._making = Lock()
        self._lent: Lent | None = None
        self._before: Lent | None = None

    def __call__(self) -> AdminClient:
        """The client, its log written. Any thread may ask.

        Raises:
            KafkaException: it cannot be made.
        """
        with self._making:
            if self._lent is None or self._lent.lost:
                # A client that goes takes the questions along that others still wait for: it stays for one more turn.
                self._before, self._lent = self._lent, Lent(self._make())
            lent = cast("AdminClient", self._lent)  # it does all that a client does
        lent.poll(0)  # writes its log, which would pile up
        return lent


class Lent:
    """An admin client, and whether it failed to tell an offset; all else is its own."""

    def __init__(self, client: AdminClient) -> None:
        self._client = client
        self.lost = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def list_offsets(self, *args: Any, **kwargs: Any) -> Offsets:
        """Ask, and look at the answers."""
        answers: Offsets = self._client.list_offsets(*args, **kwargs)
        for answer in answers.values():
            answer.add_done_callback(self._look)
        return answers

    def _look(self, answer: Future[Any]) -> None:
        self.lost = self.lost or answer.exception() is not None
