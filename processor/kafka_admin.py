"""One admin client for a pipeline, for as long as it is of use."""

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from threading import Lock
from typing import Any, cast

from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient, ConsumerGroupDescription

from processor.clock import Clock

Offsets = Mapping[TopicPartition, Future[Any]]
Groups = Mapping[str, Future[ConsumerGroupDescription]]

LONGEST = 3600.0
"""Seconds, the most that the client takes. A question about a group that times out while the client has not reached the
group's coordinator aborts the process as soon as that is reached (librdkafka issue 4605, seen with 2.16): none may time
out while its client lives."""
STAY = 30.0
"""Seconds that a client stays which was replaced: longer than anybody waits for an answer."""


class SharedAdmin:
    """Hands out the same client again and again, and a new one after that one could not tell what it was asked.

    What a client believes of leaders it may believe for ever: after all brokers were away it may answer "No leaders
    found" or "Leader epoch is older than broker epoch" to each such question until its end, and wait as long for a
    group's coordinator (seen with librdkafka 2.16).

    Args:
        make: builds a client; it may block, and fail while there is no login.
    """

    def __init__(self, make: Callable[[], AdminClient], clock: Clock) -> None:
        self._make = make
        self._clock = clock
        self._making = Lock()
        self._lent: Lent | None = None
        self._before: Lent | None = None
        self._before_until = 0.0

    def __call__(self) -> AdminClient:
        """The client, its log written. Any thread may ask.

        Raises:
            KafkaException: it cannot be made.
        """
        with self._making:
            now = self._clock.now()
            if now >= self._before_until:
                self._before = None
            if self._lent is None or self._lent.lost:
                # A client that goes takes the questions along that others still wait for: it stays for a while.
                self._before, self._lent = self._lent, Lent(self._make(), self._clock)
                self._before_until = now + STAY
            lent = cast("AdminClient", self._lent)  # it does all that a client does
        lent.poll(0)  # writes its log, which would pile up
        return lent


class Lent:
    """An admin client, and whether it failed to tell an offset or a group; all else is its own."""

    def __init__(self, client: AdminClient, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._failed = False
        self._asked: list[tuple[float, Future[ConsumerGroupDescription]]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    @property
    def lost(self) -> bool:
        """Whether it could not tell what it was asked."""
        now = self._clock.now()
        return self._failed or any(now >= due and not answer.done() for due, answer in self._asked)

    def describe_consumer_groups(self, groups: list[str], *, request_timeout: float, **more: Any) -> Groups:
        """Ask, and never have the question time out; one that is not answered in time is never answered.

        Args:
            groups: their ids.
            request_timeout: seconds after which nobody waits any more; who does must keep to it by himself.
            more: the client's other options.
        """
        answers: Groups = self._client.describe_consumer_groups(groups, request_timeout=LONGEST, **more)
        due = self._clock.now() + request_timeout
        waiting = [(until, answer) for until, answer in self._asked if not answer.done()]
        self._asked = waiting + [(due, answer) for answer in answers.values()]
        return answers

    def list_offsets(self, *args: Any, **kwargs: Any) -> Offsets:
        """Ask, and look at the answers."""
        answers: Offsets = self._client.list_offsets(*args, **kwargs)
        for answer in answers.values():
            answer.add_done_callback(self._look)
        return answers

    def _look(self, answer: Future[Any]) -> None:
        self._failed = self._failed or answer.exception() is not None
