"""A simulated consumer's commits, on their way to the coordinator and back."""

from collections.abc import Callable, Mapping, Sequence

from confluent_kafka import KafkaError, TopicPartition

from processor.offsets import Bookmark
from processor.records import Key
from tests.simulation.cluster_group import Group, Results
from tests.simulation.membership import Membership
from tests.simulation.network import Link, Question
from tests.simulation.weather import Ill

GLANCE = 0.01
"""Seconds between two looks whether all are answered."""
SMALL = 20
"""Bytes of metadata that a broker takes which refuses ours."""
Answer = Callable[[KafkaError | None, list[TopicPartition]], None]


class Answered(TopicPartition):
    """One partition of an answer; the client's own class does not let the error be set."""

    error: KafkaError | None = None


class Commits:
    """Commits of one consumer.

    Args:
        patience: seconds that a commit waits for a coordinator; librdkafka's is session.timeout.ms.
        answered: told of each answer, in the client's process.
        unreachable: told when no broker can be reached.

    Attributes:
        under_way: how many are not answered.
        closed: nothing more is sent for this consumer.
    """

    def __init__(
        self,
        link: Link,
        group: Group,
        membership: Membership,
        *,
        patience: float,
        answered: Answer,
        unreachable: Callable[[], None],
    ) -> None:
        self._link = link
        self._group = group
        self._membership = membership
        self._patience = patience
        self._told = answered
        self._unreachable = unreachable
        self.under_way = 0
        self.closed = False

    def send(self, offsets: Sequence[TopicPartition]) -> None:
        """Commit these, as the member that we are now."""
        wanted = {(at.topic, at.partition): Bookmark(at.offset, at.metadata or "") for at in offsets}
        member_id, epoch = self._membership.member_id, self._membership.epoch
        self.under_way += 1
        Question(
            self._link.cluster,
            self._link.host,
            lambda: self._at_broker(member_id, epoch, wanted),
            lambda answer: self._answered(wanted, answer),
            within=self._patience,
            late=KafkaError._WAIT_COORD,
            wanted=lambda: not self.closed,
            on_unreachable=self._unreachable,
            line=self._membership.line,
        )

    def then(self, callback: Callable[[], None]) -> None:
        """Call back when all are answered: what is given back is another one's only then."""
        if self.under_way:
            self._link.cluster.machine.later(GLANCE, lambda: self.then(callback), self._link.host)
        else:
            callback()

    def _at_broker(self, member_id: str, epoch: int, wanted: Mapping[Key, Bookmark]) -> Results | KafkaError:
        weather = self._link.cluster.weather
        if weather.now(Ill.COMMITS_REFUSED):
            return KafkaError(KafkaError.GROUP_AUTHORIZATION_FAILED)
        limits = {"limit": SMALL} if weather.now(Ill.METADATA_REFUSED) else {}
        return self._group.commit(self._link.host, member_id, epoch, wanted, **limits)

    def _answered(self, wanted: Mapping[Key, Bookmark], answer: Results | KafkaError) -> None:
        self.under_way -= 1
        error = answer if isinstance(answer, KafkaError) else _first(answer)
        if error is not None:
            self._membership.commit_refused(error.code())
        partitions: list[TopicPartition] = []
        for key, held in wanted.items():
            at = Answered(*key, held.offset, held.metadata)
            at.error = error  # of one partition: the client calls all of them refused
            partitions.append(at)
        self._told(error, partitions)


def _first(results: Results) -> KafkaError | None:
    return next((KafkaError(code) for code in results.values() if code is not None), None)
