"""An admin client of the simulated Kafka, as far as the service calls `confluent_kafka.admin.AdminClient`."""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from functools import partial
from typing import Any

from confluent_kafka import (
    ConsumerGroupState,
    IsolationLevel,
    KafkaError,
    KafkaException,
    Node,
    TopicCollection,
    TopicPartition,
    TopicPartitionInfo,
)
from confluent_kafka.admin import (
    AclOperation,
    ClusterMetadata,
    ConfigEntry,
    ConfigResource,
    ConsumerGroupDescription,
    ListOffsetsResultInfo,
    MemberAssignment,
    MemberDescription,
    OffsetSpec,
    PartitionMetadata,
    TopicDescription,
    TopicMetadata,
)

from processor.records import Key
from tests.simulation.cluster_group import Member
from tests.simulation.cluster_log import PartitionLog, Topic
from tests.simulation.network import Link, Question
from tests.simulation.weather import Ill

TIMEOUT = 60.0
"""Seconds for an answer where the caller does not say."""


class SimAdmin:
    """Asks; answers come as futures.

    One that asked for offsets while partitions had no leader, or no broker was there, never gets any again.
    """

    def __init__(self, link: Link) -> None:
        self._link = link
        self._cluster = link.cluster
        self._lost = False

    def poll(self, _: float = -1) -> int:
        """Nothing waits here."""
        return 0

    def list_offsets(
        self,
        asked: Mapping[TopicPartition, OffsetSpec],
        *,
        isolation_level: IsolationLevel = IsolationLevel.READ_UNCOMMITTED,
        request_timeout: float = TIMEOUT,
    ) -> dict[TopicPartition, Future[ListOffsetsResultInfo]]:
        """Offsets of partitions: the first, the next, or the first since a time."""
        committed = isolation_level is IsolationLevel.READ_COMMITTED
        return {
            at: self._ask(partial(self._offset, at, spec, committed=committed), request_timeout, self._lose)
            for at, spec in asked.items()
        }

    def describe_configs(
        self, resources: Iterable[ConfigResource], *, request_timeout: float = TIMEOUT
    ) -> dict[ConfigResource, Future[dict[str, ConfigEntry]]]:
        """What topics are set to."""
        return {each: self._ask(partial(self._settings, each.name), request_timeout) for each in resources}

    def describe_topics(
        self,
        topics: TopicCollection,
        *,
        include_authorized_operations: bool = False,  # noqa: ARG002 - they are told in any case
        request_timeout: float = TIMEOUT,
    ) -> dict[str, Future[TopicDescription]]:
        """Topics with their ids, and what one may do with them."""
        return {name: self._ask(partial(self._description, name), request_timeout) for name in topics.topic_names}

    def describe_consumer_groups(
        self, groups: Iterable[str], *, request_timeout: float = TIMEOUT
    ) -> dict[str, Future[ConsumerGroupDescription]]:
        """Groups with their members."""
        return {
            name: self._ask(partial(self._group, name), request_timeout, needs=Ill.NO_COORDINATOR) for name in groups
        }

    def list_topics(self, topic: str | None = None, timeout: float = -1) -> ClusterMetadata:
        """All topics, or this one.

        Raises:
            KafkaException: there was no answer in time.
        """
        topics = self._cluster.topics
        names = [topic] if topic is not None else list(topics)
        return self._link.call(
            lambda: metadata_of(topics, names),
            timeout if timeout >= 0 else TIMEOUT,
            needs=None,
            late=KafkaError._TRANSPORT,
        )

    def _lose(self) -> None:
        self._lost = True

    def _ask(
        self,
        work: Callable[[], Any],
        timeout: float,
        on_unreachable: Callable[[], None] = lambda: None,
        needs: Ill | None = None,
    ) -> Future[Any]:
        future: Future[Any] = self._cluster.machine.future()

        def done(answer: Any) -> None:
            if future.cancelled():
                return
            if isinstance(answer, KafkaError):
                future.set_exception(KafkaException(answer))
            else:
                future.set_result(answer)

        host = self._link.host
        Question(self._cluster, host, work, done, within=timeout, needs=needs, on_unreachable=on_unreachable).limit()
        return future

    def _offset(self, at: TopicPartition, spec: Any, *, committed: bool) -> ListOffsetsResultInfo | KafkaError:
        self._lost = self._lost or bool(self._cluster.weather.now(Ill.NO_LEADER))
        if self._lost:
            return KafkaError(KafkaError._NOENT, "Failed to query partition leaders: No leaders found")
        log = self._cluster.find((at.topic, at.partition))
        if log is None:
            return KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART)
        return _found(log, spec, committed=committed)

    def _description(self, name: str) -> TopicDescription | KafkaError:
        topic = self._cluster.topics.get(name)
        if topic is None:
            return KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART)
        partitions = [self._partition(number) for number in range(len(topic.partitions))]
        return TopicDescription(name, topic.topic_id, False, partitions, self._operations())  # noqa: FBT003 - the client's own

    def _group(self, name: str) -> ConsumerGroupDescription | KafkaError:
        group = self._cluster.groups.get(name)
        if group is None or not group.members:
            return KafkaError(KafkaError.GROUP_ID_NOT_FOUND)
        members = [_member(each, classic=group.classic) for each in group.members.values()]
        return ConsumerGroupDescription(name, False, members, "", ConsumerGroupState.STABLE, Node(1, "kafka", 9092))  # noqa: FBT003 - the client's own

    def _partition(self, number: int) -> TopicPartitionInfo:
        """A partition with three copies, of which too few may be in sync."""
        nodes = [Node(each, "kafka", 9092) for each in (1, 2, 3)]
        stuck = self._cluster.weather.now(Ill.LETTERS_STUCK)
        return TopicPartitionInfo(number, nodes[0], nodes, nodes[:1] if stuck else nodes)

    def _operations(self) -> list[str | int | AclOperation]:
        may: list[str | int | AclOperation] = [AclOperation.READ, AclOperation.DESCRIBE]
        return may if self._cluster.weather.now(Ill.LETTERS_REFUSED) else [*may, AclOperation.WRITE]

    def _settings(self, name: str) -> dict[str, ConfigEntry] | KafkaError:
        topic = self._cluster.topics.get(name)
        if topic is None:
            return KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART)
        values = {"max.message.bytes": str(topic.max_message_bytes), "min.insync.replicas": "2"}
        return {key: ConfigEntry(key, value) for key, value in values.items()}


def _member(member: Member, *, classic: bool) -> MemberDescription:
    """The older protocol knows no target."""
    target = None if classic else _owned(member.target)
    return MemberDescription(member.id, "", member.host.name, _owned(member.held), member.instance or None, target)


def _owned(keys: Iterable[Key]) -> MemberAssignment:
    return MemberAssignment([TopicPartition(*key) for key in sorted(keys)])


def _found(log: PartitionLog, spec: Any, *, committed: bool) -> ListOffsetsResultInfo:
    value = spec._value
    if value == OffsetSpec.earliest()._value:
        return ListOffsetsResultInfo(log.start, -1, -1)
    if value == OffsetSpec.latest()._value:
        return ListOffsetsResultInfo(log.stable if committed else log.end, -1, -1)
    entry = log.first_since(value)
    return ListOffsetsResultInfo(entry.offset, entry.timestamp, -1) if entry else ListOffsetsResultInfo(-1, -1, -1)


def metadata_of(topics: Mapping[str, Topic], names: Iterable[str]) -> ClusterMetadata:
    """What `list_topics` gives."""
    cluster = ClusterMetadata()
    for name in names:
        metadata = TopicMetadata()
        metadata.topic = name
        if name in topics:
            metadata.partitions = {number: PartitionMetadata() for number in range(len(topics[name].partitions))}
        else:
            metadata.error = KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART)
        cluster.topics[name] = metadata
    return cluster
