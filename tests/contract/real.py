"""The contract's statements on a real Kafka."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, NewPartitions, ResourceType
from confluent_kafka.cimpl import NewTopic

from tests.contract.ground import WITHIN
from tests.support.broker import Broker, admin_client
from tests.support.server import free_port
from tests.support.topics import KEEP, TopicFactory
from tests.support.waiting import eventually_sync


class RealGround:
    """A broker of the test run."""

    def __init__(self, broker: Broker, topics: TopicFactory, protocol: str) -> None:
        self._bootstrap = broker.bootstrap
        self._topics = topics
        self._admin = admin_client(broker.bootstrap)
        self._open: list[Any] = []
        self.protocol = protocol

    def topic(self, partitions: int = 1) -> str:
        """A new topic."""
        return self._topics(partitions)

    def fill(self, topic: str, count: int, partition: int = 0) -> None:
        """Write records."""
        producer = Producer(self._config({}))
        for offset in range(count):
            producer.produce(topic, str(offset).encode(), partition=partition)
        assert producer.flush(WITHIN) == 0

    def transaction(self, topic: str, count: int, *, commits: bool) -> None:
        """Write records in a transaction."""
        producer = self._begin(topic, count)
        (producer.commit_transaction if commits else producer.abort_transaction)(WITHIN)

    def hang(self, topic: str, count: int) -> None:
        """Leave a transaction open."""
        self._open.append(self._begin(topic, count))

    def _begin(self, topic: str, count: int) -> Producer:
        producer = Producer(self._config({"transactional.id": uuid4().hex}))
        producer.init_transactions(WITHIN)
        producer.begin_transaction()
        for offset in range(count):
            producer.produce(topic, str(offset).encode(), partition=0)
        producer.flush(WITHIN)
        return producer

    def expire(self, topic: str, before: int) -> None:
        """Delete records."""
        for future in self._admin.delete_records([TopicPartition(topic, 0, before)]).values():
            future.result(WITHIN)

    def create_anew(self, topic: str) -> None:
        """Delete and create; a broker needs a moment for it."""
        self._admin.delete_topics([topic])[topic].result(WITHIN)

        def created() -> bool:
            try:
                self._admin.create_topics([NewTopic(topic, 1, config=KEEP)])[topic].result(WITHIN)
            except KafkaException:
                return False
            return True

        eventually_sync(created, WITHIN)

    def add_partitions(self, topic: str, partitions: int) -> None:
        """Add them."""
        self._admin.create_partitions([NewPartitions(topic, partitions)])[topic].result(WITHIN)

    def limit(self, topic: str, size: int) -> None:
        """Set max.message.bytes, and wait until the broker knows."""
        entry = ConfigEntry("max.message.bytes", str(size), incremental_operation=AlterConfigOpType.SET)
        resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
        self._admin.incremental_alter_configs([resource])[resource].result(WITHIN)

        def known() -> bool:
            ((_, future),) = self._admin.describe_configs([ConfigResource(ResourceType.TOPIC, topic)]).items()
            return bool(future.result(WITHIN)["max.message.bytes"].value == str(size))

        eventually_sync(known, WITHIN)

    def consumer(self, config: dict[str, Any]) -> Any:
        """A real consumer."""
        return Consumer(self._config(config))

    def producer(self, config: dict[str, Any]) -> Any:
        """A real producer."""
        return Producer(self._config(config))

    def admin(self) -> Any:
        """A real admin client; it lives as long as the test, for its answers would go with it."""
        return self._admin

    def result(self, future: Any) -> Any:
        """Wait for an answer."""
        return future.result(WITHIN)

    def until(self, condition: Callable[[], object], within: float = WITHIN) -> None:
        """Look again and again."""
        eventually_sync(condition, within)

    def unreachable(self) -> "RealGround":
        """Somewhere nobody listens."""
        nowhere = Broker(f"127.0.0.1:{free_port()}", "given", "nobody")
        return RealGround(nowhere, self._topics, self.protocol)

    def _config(self, config: dict[str, Any]) -> dict[str, Any]:
        return {**config, "bootstrap.servers": self._bootstrap, "log_level": 0}
