"""What can be told of a dead-letter topic before it refuses a letter: whether it is there and would take one.

Asked with an admin client, which creates nothing. Nobody waits: the answers are fetched once they are there.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AclOperation, AdminClient, ConfigResource, TopicDescription

from processor.kafka_rights import WRITE, allow

TIMEOUT = 5.0
"""Seconds until a question counts as unanswered."""
RETENTION = 14 * 24 * 3600 * 1000
"""Milliseconds that a new topic should keep its letters."""
PARTITIONS = 12
"""Of a new topic, where nobody knows how many the source topics have."""
USUAL_LIMIT = 1_048_588
"""Bytes of a message that Kafka's topics take unless somebody changed that."""
WRITING = frozenset({AclOperation.WRITE, AclOperation.ALL})
NO_ANSWER = frozenset(
    {KafkaError._TIMED_OUT, KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN, KafkaError.REQUEST_TIMED_OUT}  # noqa: SLF001 - the names of librdkafka's own codes
)
"""What says nothing of the topic: another look is worth while."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong with a topic.

    Attributes:
        words: what it is.
        fix: what to do.
    """

    words: str
    fix: str


@dataclass(frozen=True, slots=True)
class Look:
    """What one look found.

    Attributes:
        fault: letters will be refused; None = nothing says so.
        cautions: what may well make the topic refuse letters, or take them only in part.
        answered: False where nobody said anything of the topic.
    """

    fault: Finding | None = None
    cautions: tuple[Finding, ...] = ()
    answered: bool = True


@dataclass(frozen=True, slots=True)
class Advice:
    """The commands that put a topic right, ready to be copied.

    Attributes:
        bootstrap: as clients have it.
    """

    topic: str
    bootstrap: str

    def create(self, partitions: int = PARTITIONS) -> str:
        """It is not there."""
        options = f"--topic {self.topic} --partitions {partitions} --config retention.ms={RETENTION}"
        return f"create it: kafka-topics.sh --bootstrap-server {self.bootstrap} --create {options}"

    def allow(self) -> str:
        """We may not write to it."""
        return f"let this service's Kafka user write to it: {allow(self.bootstrap, f'--topic {self.topic}', WRITE)}"

    def in_sync(self) -> str:
        """Too few copies of it are in sync."""
        return (
            f"start the brokers that hold its replicas, or lower what it asks for: {self._set('min.insync.replicas=1')}"
        )

    def limit(self) -> str:
        """It takes small messages only."""
        return f"let it take larger ones: {self._set(f'max.message.bytes={USUAL_LIMIT}')}"

    def _set(self, value: str) -> str:
        options = f"--alter --entity-type topics --entity-name {self.topic} --add-config {value}"
        return f"kafka-configs.sh --bootstrap-server {self.bootstrap} {options}"


class TopicLook:
    """Asks about one topic, one question at a time.

    Args:
        topic: the dead-letter topic.
        sources: the topics that are read, names or regular expressions that start with `^`: a new dead-letter topic
            had better have as many partitions.
        make_admin: gives the client; it may fail while there is no login.
        bootstrap: what people give to Kafka's own tools.
    """

    def __init__(
        self, topic: str, sources: Sequence[str], make_admin: Callable[[], AdminClient], bootstrap: str
    ) -> None:
        self.advice = Advice(topic, bootstrap)
        self._topic = topic
        self._sources = [source for source in sources if not source.startswith("^")]
        self._make_admin = make_admin
        self._topics: Mapping[str, Future[TopicDescription]] = {}
        self._config: Future[Mapping[str, Any]] | None = None

    @property
    def pending(self) -> bool:
        """Whether answers are waited for or not fetched yet."""
        return self._config is not None

    def begin(self) -> None:
        """Ask.

        Raises:
            KafkaException: there is no client.
        """
        admin = self._make_admin()
        names = TopicCollection(list(dict.fromkeys([self._topic, *self._sources])))
        self._topics = admin.describe_topics(names, include_authorized_operations=True, request_timeout=TIMEOUT)
        resource = ConfigResource(ConfigResource.Type.TOPIC, self._topic)
        (self._config,) = admin.describe_configs([resource], request_timeout=TIMEOUT).values()

    def answer(self) -> Look | None:
        """What was found; None while it is not there yet."""
        config, topics = self._config, self._topics
        if config is None or not config.done() or not all(topic.done() for topic in topics.values()):
            return None
        self._config, self._topics = None, {}
        return judge(
            topics[self._topic].exception() or topics[self._topic].result(),
            {} if config.exception() else {name: entry.value for name, entry in config.result().items()},
            self.advice,
            max((_partitions(topics[source]) for source in self._sources), default=0) or PARTITIONS,
        )


def judge(
    described: TopicDescription | BaseException, config: Mapping[str, str], advice: Advice, partitions: int
) -> Look:
    """Say what is wrong with a dead-letter topic.

    Args:
        described: the topic, or why it could not be described.
        config: as far as it could be read.
        advice: what to do.
        partitions: for a topic that has to be created.
    """
    if isinstance(described, BaseException):
        return _undescribed(described, advice, partitions)
    allowed = described.authorized_operations
    if allowed and not WRITING & set(allowed):  # none at all is what those brokers say that have no such answer
        return Look(Finding("this service's Kafka user may not write to the topic", advice.allow()))
    return Look(cautions=tuple(_cautions(described, config, advice)))


def _undescribed(why: BaseException, advice: Advice, partitions: int) -> Look:
    error = why.args[0] if isinstance(why, KafkaException) else None
    code = error.code() if isinstance(error, KafkaError) else None
    if code == KafkaError.UNKNOWN_TOPIC_OR_PART:
        return Look(Finding(f"the topic {advice.topic} does not exist", advice.create(partitions)))
    if code == KafkaError.TOPIC_AUTHORIZATION_FAILED:
        return Look(Finding("this service's Kafka user may neither see the topic nor write to it", advice.allow()))
    return Look(answered=code is not None and code not in NO_ANSWER)


def _cautions(described: TopicDescription, config: Mapping[str, str], advice: Advice) -> list[Finding]:
    found = []
    headless = [partition.id for partition in described.partitions if partition.leader is None]
    if headless:
        found.append(Finding(f"{_named(headless)} without a leader", "start the brokers that hold its replicas"))
    wanted = int(config.get("min.insync.replicas", 1))
    few = [partition.id for partition in described.partitions if len(partition.isr) < wanted]
    if few:
        words = f"{_named(few)} with fewer replicas in sync than min.insync.replicas asks for ({wanted})"
        found.append(Finding(words, advice.in_sync()))
    limit = int(config.get("max.message.bytes", USUAL_LIMIT))
    if limit < USUAL_LIMIT:
        words = f"it takes messages of {limit} bytes at most: letters of larger records go without their value"
        found.append(Finding(words, advice.limit()))
    return found


def _named(partitions: Sequence[int]) -> str:
    return f"partition{'s' * (len(partitions) > 1)} {', '.join(map(str, partitions))}"


def _partitions(described: Future[TopicDescription]) -> int:
    return 0 if described.exception() else len(described.result().partitions)
