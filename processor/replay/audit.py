"""The audit topic of a dead-letter topic: whether it can be relied on, and what it tells."""

from collections.abc import Mapping
from dataclasses import dataclass

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient, ConfigResource, TopicDescription

from processor.consume.survey import NO_ID
from processor.consume.troubles import explain_raised
from processor.errors import FatalError
from processor.replay.history import History
from processor.replay.reading import PATIENCE, Reader

FOREVER = "-1"
"""As Kafka's limits of retention have it."""


def audit_topic(topic: str) -> str:
    """The name of a dead-letter topic's audit topic."""
    return f"{topic}.audit"


@dataclass(frozen=True, slots=True)
class Finding:
    """Why nothing can be replayed or discarded.

    Attributes:
        words: what is wrong.
        fix: what to do, with the command.
        missing: there is no audit topic; so nothing was ever replayed or discarded.
    """

    words: str
    fix: str
    missing: bool = False

    def __str__(self) -> str:
        return f"{self.words}; {self.fix}"


class Audit:
    """Reads one audit topic, again and again where that is wanted; for one thread.

    Args:
        topic: the dead-letter topic.
        reader: reads; nothing else may use it during a call.
        admin: asks.
        bootstrap: what people give to Kafka's own tools.

    Attributes:
        name: the audit topic.
    """

    def __init__(self, topic: str, reader: Reader, admin: AdminClient, bootstrap: str) -> None:
        self.topic = topic
        self.name = audit_topic(topic)
        self._reader = reader
        self._admin = admin
        self._bootstrap = bootstrap
        self._history: History | None = None
        self._read: dict[int, int] = {}

    def look(self) -> Finding | None:
        """Tell whether the audit topic is there and keeps what is written to it.

        One that deletes would forget what was replayed, and the next replay would send it again: orders twice. That is
        what Kafka makes of a topic that is created without a word on its clean-up.

        Raises:
            FatalError: Kafka does not answer, or this user may not see the topic.
        """
        if self._described(self.name) is None:
            options = f"--create --topic {self.name} --partitions 1 --config cleanup.policy=compact"
            return Finding(
                f"the audit topic {self.name} does not exist",
                f"create it: kafka-topics.sh --bootstrap-server {self._bootstrap} {options}",
                missing=True,
            )
        config = self._config()
        deletes = "delete" in config.get("cleanup.policy", "")
        limits = [name for name in ("retention.ms", "retention.bytes") if config.get(name, FOREVER) != FOREVER]
        if not deletes or not limits:
            return None
        options = f"--alter --entity-type topics --entity-name {self.name} --add-config cleanup.policy=compact"
        told = ", ".join(f"{name}={config[name]}" for name in ("cleanup.policy", *limits))
        return Finding(
            f"the audit topic {self.name} forgets what was replayed ({told}), so it would be sent again",
            f"let it keep that: kafka-configs.sh --bootstrap-server {self._bootstrap} {options}",
        )

    def topic_id(self) -> str:
        """Which topic of that name the dead-letter topic is; empty where it is missing, or the broker tells no ids.

        Raises:
            FatalError: as for `look`.
        """
        described = self._described(self.topic)
        found = "" if described is None else str(described.topic_id)
        return "" if found == NO_ID else found

    def read(self) -> History:
        """Read what is new; gives the same history each time, grown.

        Raises:
            FatalError: as for `look`.
        """
        if self._history is None:
            self._history = History(self.topic, self.topic_id())
        bounds = self._reader.watermarks(self.name) or {}
        begins = {partition: max(begin, self._read.get(partition, 0)) for partition, (begin, _) in bounds.items()}
        ends = {partition: end for partition, (_, end) in bounds.items()}
        for records in self._reader.read(self.name, begins, ends):
            for record in records:
                self._history.add(record)
        self._read |= ends
        return self._history

    def _described(self, topic: str) -> TopicDescription | None:
        """None where there is no such topic."""
        asked = self._admin.describe_topics(TopicCollection([topic]), request_timeout=PATIENCE)[topic]
        try:
            described: TopicDescription = asked.result()
        except KafkaException as exception:
            if exception.args[0].code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
                return None
            raise FatalError(self._refusal(topic, exception)) from None
        return described

    def _refusal(self, topic: str, exception: KafkaException) -> str:
        if exception.args[0].code() == KafkaError.TOPIC_AUTHORIZATION_FAILED:
            options = f"--add --allow-principal User:NAME --operation Read --operation Write --topic {topic}"
            return (
                f"this Kafka user may not see the topic {topic}; let it: "
                f"kafka-acls.sh --bootstrap-server {self._bootstrap} {options}"
            )
        return f"Kafka at {self._bootstrap} does not tell of the topic {topic}: {explain_raised(exception)}"

    def _config(self) -> Mapping[str, str]:
        """The audit topic's; empty where this user may not see it."""
        resource = ConfigResource(ConfigResource.Type.TOPIC, self.name)
        asked = self._admin.describe_configs([resource], request_timeout=PATIENCE)[resource]
        try:
            return {name: entry.value for name, entry in asked.result().items()}
        except KafkaException:
            return {}
