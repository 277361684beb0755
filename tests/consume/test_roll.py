from concurrent.futures import Future
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast
from uuid import uuid4

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, MemberAssignment

from processor.clock import ManualClock
from processor.consume.roll import INTERVAL, TIMEOUT, Roll
from tests.consume.clusters import Cluster, Join
from tests.consume.test_restarts import REAL, WITHIN
from tests.support.waiting import eventually_sync

OWN = "our id"
CONSUMER = cast("Consumer", SimpleNamespace(memberid=lambda: OWN))


@dataclass
class Coordinator:
    """Stands for the admin client: a test answers its questions."""

    questions: list[Future[Any]] = field(default_factory=list)
    down: bool = False

    def describe_consumer_groups(self, groups: list[str], *, request_timeout: float) -> dict[str, Future[Any]]:
        assert groups == ["clicks"]
        assert request_timeout > 0
        if self.down:
            raise KafkaException(KafkaError(KafkaError._TRANSPORT))
        self.questions.append(Future())
        return {"clicks": self.questions[-1]}

    def lists(self, **targets: list[TopicPartition] | None) -> None:
        """Answer the last question: who is there, and what each is to own; None = that is not told."""
        members = [
            SimpleNamespace(
                member_id=name.replace("_", " "), target_assignment=None if each is None else MemberAssignment(each)
            )
            for name, each in targets.items()
        ]
        self.questions[-1].set_result(SimpleNamespace(members=members))


@pytest.fixture
def coordinator() -> Coordinator:
    """It has been asked nothing yet."""
    return Coordinator()


@pytest.fixture
def roll(coordinator: Coordinator, clock: ManualClock) -> Roll:
    """Of a consumer that has just subscribed."""
    return Roll(lambda: cast("AdminClient", coordinator), "clicks", clock)


def later(roll: Roll, clock: ManualClock) -> bool:
    """What it says at the next look."""
    clock.advance(INTERVAL)
    return roll.spares(CONSUMER)


def test_a_member_with_nothing_to_own(roll: Roll, coordinator: Coordinator, clock: ManualClock) -> None:
    """Listed, and no partition is meant for it: it has joined."""
    assert not later(roll, clock)
    coordinator.lists(other=[TopicPartition("clicks", 0)], our_id=[])

    assert later(roll, clock)


@pytest.mark.parametrize(
    "targets",
    [
        pytest.param({}, id="nobody is listed"),
        pytest.param({"other": []}, id="others are"),
        pytest.param({"our_id": [TopicPartition("clicks", 0)]}, id="partitions are on their way to it"),
        pytest.param({"our_id": None}, id="what is meant for it is not told"),
    ],
)
def test_a_member_that_waits(
    roll: Roll, coordinator: Coordinator, clock: ManualClock, targets: dict[str, list[TopicPartition] | None]
) -> None:
    """Nothing shows that it has joined and gets nothing."""
    later(roll, clock)
    coordinator.lists(**targets)

    assert not later(roll, clock)


def test_one_question_at_a_time(roll: Roll, coordinator: Coordinator, clock: ManualClock) -> None:
    """Nobody waits for an answer, and nobody asks again before it has come; one a second does."""
    for _ in range(5):
        assert not later(roll, clock)
    assert len(coordinator.questions) == 1
    coordinator.lists()
    assert not later(roll, clock)
    assert not roll.spares(CONSUMER)

    assert len(coordinator.questions) == 2


def test_a_question_that_is_never_answered(roll: Roll, coordinator: Coordinator, clock: ManualClock) -> None:
    """It went with its client: it is asked again when its time is over, and only the new answer counts."""
    later(roll, clock)
    clock.advance(TIMEOUT)
    assert not roll.spares(CONSUMER)
    coordinator.questions[0].set_result(None)
    coordinator.lists(our_id=[])

    assert later(roll, clock)
    assert len(coordinator.questions) == 3


def test_a_question_that_failed(roll: Roll, coordinator: Coordinator, clock: ManualClock) -> None:
    """It is asked again."""
    coordinator.down = True
    assert not later(roll, clock)
    coordinator.down = False
    assert not later(roll, clock)
    coordinator.questions[-1].set_exception(KafkaException(KafkaError(KafkaError.GROUP_ID_NOT_FOUND)))
    assert not later(roll, clock)
    coordinator.lists(our_id=[])

    assert later(roll, clock)


@pytest.mark.parametrize("code", [KafkaError.GROUP_AUTHORIZATION_FAILED, KafkaError.TOPIC_AUTHORIZATION_FAILED])
def test_a_question_that_is_forbidden(roll: Roll, coordinator: Coordinator, clock: ManualClock, code: int) -> None:
    """It says so, as long as that is the answer; what is over by itself is not worth a word."""
    assert roll.refusal is None
    later(roll, clock)
    coordinator.questions[-1].set_exception(KafkaException(KafkaError(code)))
    assert not later(roll, clock)
    refusal = cast("KafkaError", roll.refusal)
    assert refusal.code() == code
    coordinator.questions[-1].set_exception(KafkaException(KafkaError(KafkaError.COORDINATOR_LOAD_IN_PROGRESS)))
    assert not later(roll, clock)
    assert roll.refusal is None


@REAL
def test_a_member_that_finds_all_partitions_taken(cluster: Cluster, join: Join) -> None:
    """It has joined, as an empty assignment shows; and has the partition as soon as the other one leaves."""
    topic, group = cluster.topics(1), uuid4().hex
    first = join(topic, group)
    eventually_sync(lambda: first.assigned, WITHIN)
    standby = join(topic, group)
    eventually_sync(lambda: standby.thread.snapshot.assigned, WITHIN)

    assert standby.assigned == set()
    assert [line["partitions"] for line in standby.lines("partitions_assigned")] == [[]]

    first.stop()
    eventually_sync(lambda: standby.assigned == {(topic, 0)}, WITHIN)
