"""The Kafka thread on a scripted consumer: what a real broker does too rarely to wait for it."""

from typing import Any

import pytest
from confluent_kafka import KafkaError, Message

from processor.consume.backpressure import Limits
from processor.consume.polls import BATCH
from tests.consume.members import Begin, arrived
from tests.consume.scripted import TOPIC, ScriptedConsumer, answered, keys, message, partitions
from tests.support.waiting import eventually_sync

KEY = (TOPIC, 0)


def test_a_record_is_the_message(consumer: ScriptedConsumer, begin: Begin) -> None:
    """Key, value, headers and timestamp arrive as they are, under the partition's assignment."""
    consumer.serve(message(10, key=None, value=b"\xff", headers=[("a", b"1"), ("a", None)], timestamp=(1, 5)))

    (record,) = arrived(begin(consumer), 1)

    assert (record.assignment.key, record.offset, record.timestamp) == (KEY, 10, 5)
    assert (record.key, record.value, record.headers) == (None, b"\xff", [("a", b"1"), ("a", None)])


def test_headers_that_the_client_cannot_read_stop_nothing(consumer: ScriptedConsumer, begin: Begin) -> None:
    """A header whose name is no UTF-8 makes the client fail; the record goes on without its headers."""

    class Unreadable(Message):
        def headers(self) -> Any:
            raise SystemError("returned a result with an exception set")

    consumer.serve(Unreadable(topic=TOPIC, partition=0, offset=10, value=b"vv", timestamp=(1, 5)), message(11))
    member = begin(consumer)

    records = arrived(member, 2)

    assert [(record.offset, record.headers) for record in records] == [(10, None), (11, None)]
    assert member.lines("headers_unreadable")[0]["offset"] == 10


def test_a_poll_does_not_wait_for_a_full_batch(consumer: ScriptedConsumer, begin: Begin) -> None:
    """The first message is waited for, the rest is what is there: one hand-over, without a delay."""
    consumer.serve(*(message(10 + n) for n in range(5)))
    member = begin(consumer)
    arrived(member, 5)

    assert (BATCH - 1, 0) in consumer.waits
    assert {count for count, timeout in consumer.waits if timeout > 0} == {1}


def test_what_is_settled_is_committed(consumer: ScriptedConsumer, begin: Begin) -> None:
    """The commit is the next offset to read, and only of what moved."""
    member = begin(consumer)
    consumer.serve(message(10), message(11))

    eventually_sync(lambda: member.committed() == {KEY: 12})

    assert consumer.told("commit")[-1] == {0: 12}
    assert member.thread.counts.commits_failed == 0
    assert member.thread.counts.last_commit is not None
    assert dict(member.thread.counts.read) == {TOPIC: 2}


def test_one_commit_in_flight(consumer: ScriptedConsumer, begin: Begin) -> None:
    """While a commit is not answered no other one is sent, whatever settles; then all of it goes (invariant 3)."""
    consumer.answers = False
    member = begin(consumer)
    consumer.serve(message(10))
    eventually_sync(lambda: consumer.told("commit") == [{0: 11}])

    consumer.serve(message(11), message(12))
    arrived(member, 3)
    turns = len(consumer.waits)
    eventually_sync(lambda: len(consumer.waits) > turns + 3)
    assert consumer.told("commit") == [{0: 11}]

    consumer.answers = True
    consumer.serve(lambda: consumer.on_commit(None, partitions(0, offset=11)))
    eventually_sync(lambda: consumer.told("commit") == [{0: 11}, {0: 13}])


@pytest.mark.parametrize("whole", [True, False])
def test_a_refused_commit_is_sent_again(consumer: ScriptedConsumer, begin: Begin, whole: bool) -> None:  # noqa: FBT001 - a test's parameter
    """A commit that failed, or one partition of it, is counted, logged and repeated."""
    consumer.answers = False
    member = begin(consumer)
    consumer.serve(message(10))
    eventually_sync(lambda: consumer.told("commit"))
    refusal = KafkaError(KafkaError.REBALANCE_IN_PROGRESS)
    refused = answered(0, 11, None if whole else refusal)

    consumer.answers = True
    consumer.serve(lambda: consumer.on_commit(refusal if whole else None, [refused]))
    eventually_sync(lambda: member.committed() == {KEY: 11})

    assert consumer.told("commit") == [{0: 11}, {0: 11}]
    assert (member.thread.counts.commits_failed, member.thread.counts.commits_ok) == (1, 1)
    assert "nothing is lost" in member.lines("commit_failed")[0]["next"]


def test_an_offset_that_goes_back_is_a_new_assignment(consumer: ScriptedConsumer, begin: Begin) -> None:
    """Where records are read again from lower, late results of the higher ones change nothing (invariant 5)."""
    member = begin(consumer, settles=lambda _: False)
    consumer.serve(message(10), message(11))
    before = list(arrived(member, 2))

    consumer.serve(message(4), message(5))
    again = arrived(member, 4)[2:]
    member.notes.settle([*before, again[0]])
    eventually_sync(lambda: member.committed() == {KEY: 5})

    assert again[0].assignment is not before[0].assignment
    assert member.notes.ended_ == [before[0].assignment]
    assert dict(member.thread.counts.abandoned) == {TOPIC: 2}
    assert member.lines("offset_went_back")[0]["expected"] == 12


def test_an_offset_that_goes_back_within_a_poll(consumer: ScriptedConsumer, begin: Begin) -> None:
    """Where a poll holds both, only what follows the step back is entered; the rest comes again (invariant 1)."""
    member = begin(consumer, settles=lambda record: record.offset == 4)

    consumer.serve(message(10), message(11), message(4), message(5))
    records = arrived(member, 2)
    eventually_sync(lambda: member.committed() == {KEY: 5})

    assert [record.offset for record in records] == [4, 5]
    assert member.thread.snapshot.partitions[KEY].records == 1


def test_partitions_that_come_and_go_within_a_poll(consumer: ScriptedConsumer, begin: Begin) -> None:
    """A record that was dequeued before its partition left is the next owner's, also where that is we."""
    member = begin(consumer, settles=lambda record: record.offset == 10)
    consumer.serve(message(10), message(11))
    arrived(member, 2)

    consumer.held[0] = 11
    consumer.serve(message(12), consumer.revoke(0), consumer.assign(0), message(11))
    records = arrived(member, 3)
    eventually_sync(lambda: member.thread.snapshot.partitions[KEY].records == 1)

    assert records[2].offset == 11
    assert member.committed() == {KEY: 11}
    assert [carried for carried in consumer.told("commit") if carried[0] > 11] == []


def test_a_record_of_nobody_is_not_entered(consumer: ScriptedConsumer, begin: Begin) -> None:
    """A message of a partition that is not ours is not handed over."""
    consumer.serve(message(3, partition=7), message(10))

    (record,) = arrived(begin(consumer), 1)

    assert record.assignment.key == KEY


def test_a_revocation_is_drained_then_committed_then_ended(consumer: ScriptedConsumer, begin: Begin) -> None:
    """What the drain settles is committed while the partition is still ours; what it leaves is abandoned."""
    member = begin(consumer, settles=lambda _: False)
    consumer.serve(*(message(10 + n) for n in range(3)))
    records = arrived(member, 3)
    member.notes.on_drain = lambda _: member.notes.settle(records[:2])

    consumer.serve(consumer.revoke(0))
    eventually_sync(lambda: member.notes.ended_)

    names = [name for name, _ in consumer.calls]
    assert names[-2:] == ["commit", "unassign"]
    assert consumer.told("commit") == [{0: 12}]
    assert member.notes.drained == member.notes.ended_
    assert dict(member.thread.counts.abandoned) == {TOPIC: 1}
    assert member.thread.counts.rebalances == 2


def test_a_loss_is_neither_drained_nor_committed(consumer: ScriptedConsumer, begin: Begin) -> None:
    """Lost partitions may be another member's already: nothing is committed for them any more."""
    consumer.answers = False
    member = begin(consumer, settles=lambda _: False)
    consumer.serve(message(10))
    records = arrived(member, 1)

    consumer.serve(lambda: member.notes.settle(records), consumer.lose(0))
    eventually_sync(lambda: member.notes.ended_)

    assert consumer.told("commit") == []
    assert member.notes.drained == []
    assert member.lines("partitions_lost")


def test_a_partition_that_comes_back_is_not_left_paused(consumer: ScriptedConsumer, begin: Begin) -> None:
    """The client keeps a pause over a revocation; a fresh assignment begins unpaused."""
    member = begin(consumer, settles=lambda _: False, limits=Limits(2, 10**9))
    consumer.serve(message(10), message(11))
    eventually_sync(lambda: member.thread.snapshot.paused == keys(0))

    consumer.serve(consumer.revoke(0), consumer.assign(0))
    eventually_sync(lambda: not member.thread.snapshot.paused)

    assert [name for name, _ in consumer.calls][-3:] == ["unassign", "assign", "resume"]


def test_partitions_that_come_while_all_is_full_are_paused(consumer: ScriptedConsumer, begin: Begin) -> None:
    """A new partition is assigned first and paused then, for a pause before that has no effect."""
    member = begin(consumer, settles=lambda _: False, limits=Limits(2, 10**9))
    consumer.serve(message(10), message(11))
    eventually_sync(lambda: member.thread.snapshot.paused == keys(0))

    consumer.serve(consumer.assign(1))
    eventually_sync(lambda: member.thread.snapshot.paused == keys(0, 1))

    assert consumer.calls[-3:] == [("assign", {1: -2}), ("resume", {1: -1001}), ("pause", {1: -1001})]
