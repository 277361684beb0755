"""Topics for tests: each with a name of its own, so that tests on one broker never meet."""

from collections.abc import Mapping
from uuid import uuid4

from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from tests.support.broker import PARTITIONS, REQUEST_TIMEOUT, Broker, admin_client
from tests.support.options import UnavailableError
from tests.support.waiting import eventually_sync

KEEP = {"retention.ms": "-1"}
"""Records with old timestamps, which tests are full of, would be deleted at once."""


class TopicFactory:
    """Makes topics on one broker and deletes them when the broker outlives the tests."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._admin = admin_client(broker.bootstrap)
        self._made: list[str] = []

    def __call__(
        self, partitions: int = PARTITIONS, config: Mapping[str, str] | None = None, name: str | None = None
    ) -> str:
        """Make a topic and wait until each partition has a leader.

        Args:
            partitions: how many.
            config: the topic's own configuration, on top of an endless retention.
            name: where one follows from another topic's; its own otherwise.

        Returns:
            Its name.

        Raises:
            UnavailableError: the mock cluster cannot make such a topic.
        """
        name = name or f"test.{uuid4().hex[:12]}"
        if self._broker.kind != "embedded":
            topic = NewTopic(name, partitions, config={**KEEP, **(config or {})})
            self._admin.create_topics([topic])[name].result(REQUEST_TIMEOUT)
        elif partitions != PARTITIONS or config:
            raise UnavailableError(f"the mock cluster makes plain topics of {PARTITIONS} partitions only")
        self._made.append(name)
        eventually_sync(lambda: _led(self._admin, name) == partitions, within=REQUEST_TIMEOUT)
        return name

    def close(self) -> None:
        """Delete what was made where it would stay for ever."""
        if self._made and self._broker.kind == "given":
            for deleted in self._admin.delete_topics(self._made).values():
                deleted.result(REQUEST_TIMEOUT)


def _led(admin: AdminClient, topic: str) -> int:
    """How many partitions have a leader; the mock cluster makes the topic because it is asked for."""
    partitions = admin.list_topics(topic, timeout=REQUEST_TIMEOUT).topics[topic].partitions.values()
    return sum(1 for partition in partitions if partition.leader >= 0)
