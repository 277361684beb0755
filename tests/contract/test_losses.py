"""What the service's parts believe of members that are lost, topics that change, and callbacks that raise."""

from typing import Any

import pytest
from confluent_kafka import OFFSET_INVALID, KafkaError, KafkaException, TopicCollection, TopicPartition

from tests.contract.ground import BOTH, Ground
from tests.contract.members import Joined, new_group
from tests.contract.test_groups import commit, committed, outsider_commits, shared


def test_a_member_that_does_not_poll(ground: Ground, join: Joined) -> None:
    """Its partitions are another one's; what it commits then is refused, and it is told that all is lost."""
    topic, group = ground.topic(), new_group()
    first = join(topic, group, max_poll_interval_ms="6000")
    ground.until(lambda: first.owns(0))
    heir = join(topic, group)
    ground.until(lambda: heir.owns(0))

    commit(first.consumer, topic, 5)
    ground.until(first.answered)
    ground.until(lambda: (first.poll(), "lost" in first.kinds())[1])

    ((error, _),) = first.answers
    assert error == KafkaError.UNKNOWN_MEMBER_ID
    assert first.kinds() == ["assigned", "lost"]
    assert first.complained() == [KafkaError._MAX_POLL_EXCEEDED]
    assert committed(ground, group, topic)[0] == OFFSET_INVALID


@BOTH
def test_a_name_that_is_taken(ground: Ground, join: Joined) -> None:
    """The older protocol ends who had it, the newer one who wants it, with a message that only its code calls fatal."""
    topic, group = ground.topic(), new_group()
    first = join(topic, group, group_instance_id="a")
    ground.until(lambda: first.owns(0))
    second = join(topic, group, group_instance_id="a")
    ended = first if ground.protocol == "classic" else second
    ground.until(lambda: (first.poll(), second.poll()) and ended.complaints)

    error = ended.complaints[0].error()
    assert error is not None
    assert (error.code(), error.fatal()) == (KafkaError._FATAL, False)
    assert error.str().startswith("Fatal error: Broker: ")
    assert ("Static consumer fenced" in error.str()) == (ground.protocol == "classic")


def test_a_name_keeps_its_partitions(ground: Ground, join: Joined) -> None:
    """They are not given to others when their member is closed, and are its own again when it comes back."""
    topic, group = ground.topic(2), new_group()
    first, other = join(topic, group, group_instance_id="a"), join(topic, group, group_instance_id="b")
    ground.until(lambda: shared(first, other) == (1, 1))
    owned = set(first.owned)
    first.close()
    again = join(topic, group, group_instance_id="a")
    ground.until(lambda: shared(again, other) == (1, 1))

    assert again.owned == owned
    assert other.kinds()[-1] == "assigned"
    assert len(other.owned) == 1


def test_what_a_callback_raises_comes_out_of_consume(ground: Ground, join: Joined) -> None:
    """And the consumer goes on afterwards: the rebalance counts as served."""
    topic, group = ground.topic(), new_group()
    ground.fill(topic, 5)
    member = join(topic, group)

    def fail(_: Any, partitions: list[TopicPartition]) -> None:
        if partitions:
            raise ZeroDivisionError

    member.assigning = fail
    with pytest.raises(ZeroDivisionError):
        ground.until(lambda: member.poll() and False)
    member.poll()


def test_a_missing_topic_is_said(ground: Ground, join: Joined) -> None:
    """In the place of a record; and asking for it gives an error in its own place."""
    member = join("no-such-topic", new_group())
    ground.until(lambda: member.poll() or member.complaints)

    assert member.complained() == [KafkaError.UNKNOWN_TOPIC_OR_PART]
    found = member.consumer.list_topics("no-such-topic", timeout=10).topics["no-such-topic"]
    assert found.error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART


def test_a_deleted_topic_takes_its_offsets_with_it(ground: Ground) -> None:
    """The one that is created anew has another id, and the group has no offset there."""
    topic, group = ground.topic(), new_group()
    before = described(ground, topic)
    assert outsider_commits(ground, group, topic, 5) == [None]
    assert committed(ground, group, topic)[0] == 5

    ground.create_anew(topic)
    ground.until(lambda: described(ground, topic) not in {before, None})

    assert committed(ground, group, topic)[0] == OFFSET_INVALID


def described(ground: Ground, topic: str) -> str | None:
    """A topic's id; None while there is none."""
    future = ground.admin().describe_topics(TopicCollection([topic]), request_timeout=10)[topic]
    try:
        return str(ground.result(future).topic_id)
    except KafkaException:
        return None


def test_partitions_that_are_added_come_to_members(ground: Ground, join: Joined) -> None:
    """They are assigned like any other, once the group has heard of them."""
    topic = ground.topic()
    member = join(topic, new_group(), topic_metadata_refresh_interval_ms="1000")
    ground.until(lambda: member.owns(0))

    ground.add_partitions(topic, 3)
    ground.until(lambda: member.owns(0, 1, 2))

    assert member.kinds() == ["assigned", "assigned"]
