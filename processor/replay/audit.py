"""The audit topic of a dead-letter topic: whether it can be relied on, and what it tells."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient, ConfigResource, TopicDescription

from processor.consume.survey import NO_ID
from processor.consume.troubles import explain_raised
from processor.errors import FatalError
from processor.kafka_rights import CONFIGS, READ, on_topic
from processor.replay.history import History
from processor.replay.reading import PATIENCE, Reader, begins_of, ends_of

FOREVER = "-1"
"""As Kafka's limits of retention have it."""


def audit_topic(topic: str) -> str:
    """The name of a dead-letter topic's audit topic."""
    return f"{topic}.audit"


@dataclass(frozen=True, slots=True)
class Finding:
    """Why nothing can be replayed or discarded, or what may be wrong.

    Attributes:
        words: what is wrong.
        fix: what to do, with the command.
        missing: there is no audit topic; so nothing was ever replayed or discarded.
        doubt: nobody knows that anything is wrong; what is to be done goes on.
    """

    words: str
    fix: str
    missing: bool = False
    doubt: bool = False

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
        try:
            config = self._config()
        except KafkaException as exception:
            return self._doubt(exception)
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

    @cached_property
    def topic_id(self) -> str:
        """The dead-letter topic's, asked for once: what is written down is about the same topic as what was read.

        Raises:
            FatalError: as for `look`.
        """
        return self.topic_id_now()

    def topic_id_now(self) -> str:
        """Which topic of that name there is now; empty where there is none, or the broker tells no ids.

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
            self._history = History(self.topic, self.topic_id)
        self._read |= self._fill(self._history, self._read)
        return self._history

    def read_of(self, topic_id: str) -> History:
        """Read all that is told of the letters of an earlier topic of that name, or of this one.

        Raises:
            FatalError: as for `look`.
        """
        history = History(self.topic, topic_id)
        self._fill(history, {})
        return history

    def _fill(self, history: History, begins: Mapping[int, int]) -> dict[int, int]:
        """Read from these offsets on; gives those up to which it was read."""
        bounds = self._reader.watermarks(self.name) or {}
        begins = {partition: max(begin, begins.get(partition, 0)) for partition, begin in begins_of(bounds).items()}
        ends = ends_of(bounds)
        for records in self._reader.read(self.name, begins, ends):
            for record in records:
                history.add(record)
        return ends

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
            return on_topic(self._bootstrap, topic, READ)
        return f"Kafka at {self._bootstrap} does not tell of the topic {topic}: {explain_raised(exception)}"

    def _config(self) -> Mapping[str, str]:
        """The audit topic's.

        Raises:
            KafkaException: this user may not see it, as most may not, or Kafka does not answer.
        """
        resource = ConfigResource(ConfigResource.Type.TOPIC, self.name)
        asked = self._admin.describe_configs([resource], request_timeout=PATIENCE)[resource]
        return {name: entry.value for name, entry in asked.result().items()}

    def _doubt(self, exception: KafkaException) -> Finding:
        refused = exception.args[0].code() == KafkaError.TOPIC_AUTHORIZATION_FAILED
        why = on_topic(self._bootstrap, self.name, CONFIGS) if refused else str(explain_raised(exception))
        words = f"whether the audit topic {self.name} keeps what is written to it is not known"
        return Finding(words, why, doubt=True)
