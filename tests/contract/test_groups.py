"""What the service's parts believe of groups, said of the simulated Kafka and of a real one alike."""

from typing import Any

from confluent_kafka import OFFSET_INVALID, KafkaError, TopicPartition

from tests.contract.ground import BOTH, Ground, config_of
from tests.contract.members import Joined, Member, new_group


def committed(ground: Ground, group: str, topic: str, partition: int = 0) -> tuple[int, str]:
    """What a group has of a partition, asked by a consumer that subscribes to nothing."""
    consumer = ground.consumer(config_of(ground, group))
    (at,) = consumer.committed([TopicPartition(topic, partition)], timeout=10)
    consumer.close()
    return at.offset, at.metadata or ""


def commit(consumer: Any, topic: str, offset: int, metadata: str = "", partition: int = 0) -> None:
    """Commit as the service does."""
    consumer.commit(offsets=[TopicPartition(topic, partition, offset, metadata)], asynchronous=True)


def shared(*members: Member) -> tuple[int, ...]:
    """Poll, and say how many partitions each has."""
    for member in members:
        member.poll()
    return tuple(len(member.owned) for member in members)


def test_partitions_come_without_offsets(ground: Ground, join: Joined) -> None:
    """The first member is assigned all of them, at once, and the group's offsets are not among what it is told."""
    topic = ground.topic(3)
    member = join(topic, new_group())
    ground.until(lambda: member.owns(0, 1, 2))

    assert [partitions for _, partitions in member.told if partitions] == [dict.fromkeys(range(3), OFFSET_INVALID)]


@BOTH
def test_rebalances_are_deltas(ground: Ground, join: Joined) -> None:
    """A second member takes what the first one gave back, and nothing else moves; then the first has all again."""
    topic, group = ground.topic(4), new_group()
    first = join(topic, group)
    ground.until(lambda: first.owns(0, 1, 2, 3))
    second = join(topic, group)
    ground.until(lambda: shared(first, second) == (2, 2))
    moved = set(second.owned)

    assert first.kinds() == ["assigned", "revoked"]
    assert {partition for kind, each in first.told for partition in each if kind == "revoked"} == moved
    assert not first.owned & second.owned

    second.close()
    ground.until(lambda: first.owns(0, 1, 2, 3))
    assert first.kinds() == ["assigned", "revoked", "assigned"]


@BOTH
def test_a_member_for_whom_nothing_is_left(ground: Ground, join: Joined) -> None:
    """The older protocol tells it so by an empty list; the newer one says nothing, but to who asks the coordinator."""
    topic, group = ground.topic(), new_group()
    first = join(topic, group)
    ground.until(lambda: first.owns(0))
    standby = join(topic, group)
    ground.until(lambda: shared(first, standby) == (1, 0) and len(listed(ground, group)) == 2)
    for _ in range(50):
        shared(first, standby)

    classic = ground.protocol == "classic"
    assert bool(standby.told) == classic
    assert all(each == ("assigned", {}) for each in standby.told)
    assert listed(ground, group) == {
        first.consumer.memberid(): ([0], None if classic else [0]),
        standby.consumer.memberid(): ([], None if classic else []),
    }


def listed(ground: Ground, group: str) -> dict[str, tuple[list[int], list[int] | None]]:
    """The group's members, as its coordinator has them: what each owns, and what it is to own, if that is told."""
    future = ground.admin().describe_consumer_groups([group], request_timeout=10)[group]

    def partitions(assignment: Any) -> list[int]:
        return [at.partition for at in assignment.topic_partitions]

    return {
        each.member_id: (partitions(each.assignment), each.target_assignment and partitions(each.target_assignment))
        for each in ground.result(future).members
    }


def test_a_revocation_may_commit(ground: Ground, join: Joined) -> None:
    """What is committed while partitions are given back is there when their heir is assigned them."""
    topic, group = ground.topic(2), new_group()
    first = join(topic, group)
    ground.until(lambda: first.owns(0, 1))
    first.revoking = lambda consumer, partitions: consumer.commit(
        offsets=[TopicPartition(topic, at.partition, 7, "late") for at in partitions], asynchronous=True
    )
    found: list[tuple[int, str | None]] = []

    def look(consumer: Any, partitions: list[TopicPartition]) -> None:
        found.extend((at.offset, at.metadata) for at in consumer.committed(partitions, timeout=10))

    second = join(topic, group)
    second.assigning = lambda consumer, partitions: look(consumer, partitions) if partitions else None
    ground.until(lambda: shared(first, second) == (1, 1))
    ground.until(first.answered)

    assert found == [(7, "late")]
    (moved,) = second.owned
    assert first.answers == [(None, {moved: (7, None)})]


def test_closing_revokes_and_takes_a_last_commit(ground: Ground, join: Joined) -> None:
    """`close()` revokes all that is owned, answers commits, and leaves: a group without members may be written to."""
    topic, group = ground.topic(2), new_group()
    member = join(topic, group)
    ground.until(lambda: member.owns(0, 1))
    member.revoking = lambda consumer, _: commit(consumer, topic, 5)

    member.close()
    assert member.kinds() == ["assigned", "revoked"]
    assert set(member.told[-1][1]) == {0, 1}
    assert member.answers == [(None, {0: (5, None)})]
    assert committed(ground, group, topic) == (5, "")

    answers = outsider_commits(ground, group, topic, 9)
    assert answers == [None]
    assert committed(ground, group, topic) == (9, "")


def outsider_commits(ground: Ground, group: str, topic: str, offset: int) -> list[int | None]:
    """Commit by a consumer that subscribes to nothing; gives the errors of the answer."""
    answers: list[int | None] = []

    def answered(error: KafkaError | None, partitions: list[TopicPartition]) -> None:
        answers.append(error.code() if error else None)
        answers.extend(at.error.code() for at in partitions if at.error)

    consumer = ground.consumer(config_of(ground, group) | {"on_commit": answered})
    commit(consumer, topic, offset)
    ground.until(lambda: consumer.poll(0.05) or answers)
    consumer.close()
    return answers


def test_an_outsider_s_commit_is_refused(ground: Ground, join: Joined) -> None:
    """While a group has members, nobody else writes its offsets."""
    topic, group = ground.topic(), new_group()
    member = join(topic, group)
    ground.until(lambda: member.owns(0))

    answers = outsider_commits(ground, group, topic, 9)

    assert set(answers) == {KafkaError.UNKNOWN_MEMBER_ID}
    assert committed(ground, group, topic)[0] == OFFSET_INVALID


def test_a_commit_comes_back_with_its_metadata(ground: Ground, join: Joined) -> None:
    """Offsets and texts are kept as they were given; the answer comes in `consume()`, and names each partition."""
    topic, group = ground.topic(2), new_group()
    member = join(topic, group)
    ground.until(lambda: member.owns(0, 1))

    commit(member.consumer, topic, 1000, "text with spaces, ü")
    assert member.answers == []
    ground.until(member.answered)

    assert member.answers == [(None, {0: (1000, None)})]
    assert committed(ground, group, topic) == (1000, "text with spaces, ü")
    assert committed(ground, group, topic, 1) == (OFFSET_INVALID, "")


def test_nobody_checks_who_owns_what_is_committed(ground: Ground, join: Joined) -> None:
    """A member may commit for another one's partition, and backwards."""
    topic, group = ground.topic(2), new_group()
    first, second = join(topic, group), join(topic, group)
    ground.until(lambda: shared(first, second) == (1, 1))
    (other,) = second.owned

    commit(first.consumer, topic, 8, partition=other)
    ground.until(first.answered)
    commit(first.consumer, topic, 3, partition=other)
    ground.until(lambda: first.answered(2))

    assert committed(ground, group, topic, other) == (3, "")


def test_metadata_that_is_too_large(ground: Ground, join: Joined) -> None:
    """The others are written all the same, though the answer calls them refused, too; 4,095 bytes still go."""
    topic, group = ground.topic(2), new_group()
    member = join(topic, group)
    ground.until(lambda: member.owns(0, 1))
    texts = [TopicPartition(topic, 0, 3, "x" * 5000), TopicPartition(topic, 1, 4, "y" * 4095)]

    member.consumer.commit(offsets=texts, asynchronous=True)
    ground.until(member.answered)

    assert committed(ground, group, topic)[0] == OFFSET_INVALID
    assert committed(ground, group, topic, 1) == (4, "y" * 4095)
    too_large = KafkaError.OFFSET_METADATA_TOO_LARGE
    assert member.answers == [(too_large, {0: (3, too_large), 1: (4, too_large)})]
