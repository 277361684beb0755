"""A Kafka thread that stood still for longer than its session; on a scripted consumer."""

import json
from collections.abc import Sequence

import pytest
from confluent_kafka import TopicPartition

from processor.clock import ManualClock
from processor.records import Assignment
from tests.consume.members import Begin, Member, arrived
from tests.consume.scripted import TOPIC, ScriptedConsumer, keys, message
from tests.support.waiting import eventually_sync

KEY = (TOPIC, 0)
ANSWERED = {"state": "UP", "rxidle": 400_000, "txidle": 500_000, "tx": 9, "waitresp_cnt": 0, "disconnects": 0}
"""What the client tells of a coordinator that has answered what it was asked half a second ago."""
TOO_LONG = 45.5
"""Seconds: more than the session time-out."""


@pytest.fixture
def heir() -> ScriptedConsumer:
    """The consumer that joins again: meanwhile somebody has committed 20."""
    scripted = ScriptedConsumer(held={0: 20})
    scripted.serve(scripted.assign(0))
    return scripted


@pytest.fixture
def member(consumer: ScriptedConsumer, heir: ScriptedConsumer, begin: Begin, clock: ManualClock) -> Member:
    """It holds 10 and 11, neither settled."""
    member = begin(consumer, heir, clock=clock, settles=lambda _: False)
    consumer.serve(message(10), message(11))
    arrived(member, 2)
    return member


def test_it_ends_everything_and_joins_again(
    consumer: ScriptedConsumer, heir: ScriptedConsumer, member: Member, clock: ManualClock
) -> None:
    """What it settles late is not committed, what it polled late is not sent, and others are told to no drain."""
    records = list(member.notes.records)
    open_at_close: list[set[object]] = []
    consumer.close = lambda: open_at_close.append(set(member.ledger.view()))  # type: ignore[method-assign]

    def stand_still() -> None:
        member.notes.settle(records)
        clock.advance(TOO_LONG)

    consumer.serve(stand_still, message(12))
    eventually_sync(lambda: heir.told("assign"))
    heir.serve(message(20))
    arrived(member, 4)

    assert consumer.told("commit") == []
    assert open_at_close == [set()]  # the close may take long, and others begin
    assert member.notes.ended_ == [records[0].assignment]
    assert member.notes.drained == []
    assert heir.told("commit") == []
    (line,) = member.lines("stood_still")
    assert line["reason"].startswith("45.5 s without a sign of life")
    assert member.lines("consumer_failed") == []
    assert dict(member.thread.counts.abandoned) == {TOPIC: 3}


def test_the_event_loop_sends_nothing_until_it_knows(
    consumer: ScriptedConsumer, heir: ScriptedConsumer, member: Member, clock: ManualClock
) -> None:
    """From the moment of the standstill until it has dropped what was before, also when the next lease runs already."""
    lease, told = member.thread.lease, list[Sequence[Assignment]]()
    asked: list[bool] = []
    member.notes.ended = told.append  # type: ignore[method-assign,assignment] # it does not come to it yet

    def stand_still() -> None:
        clock.advance(TOO_LONG)
        asked.append(lease.holds(clock.now()))

    assert lease.holds(clock.now())
    consumer.serve(stand_still)
    eventually_sync(lambda: heir.told("assign"))
    asked.append(lease.holds(clock.now()))
    lease.known()
    asked.append(lease.holds(clock.now()))

    assert asked == [False, False, True]
    assert len(told) == 1


def test_a_revocation_after_it(consumer: ScriptedConsumer, member: Member, clock: ManualClock) -> None:
    """One that was on its way is a loss by now: no drain, no commit."""
    consumer.serve(lambda: clock.advance(TOO_LONG), consumer.revoke(0))
    eventually_sync(lambda: member.notes.ended_)

    assert consumer.told("commit") == []
    assert member.notes.drained == []
    assert member.lines("partitions_lost")


def test_a_standstill_within_a_drain(
    consumer: ScriptedConsumer, heir: ScriptedConsumer, member: Member, clock: ManualClock
) -> None:
    """What the drain settled comes too late to be committed."""

    def on_drain(_: Sequence[Assignment]) -> None:
        member.notes.settle(member.notes.records[:1])
        clock.advance(TOO_LONG)

    member.notes.on_drain = on_drain
    consumer.serve(consumer.revoke(0))
    eventually_sync(lambda: heir.told("assign"))

    assert consumer.told("commit") == []
    assert member.notes.ended_ == [member.notes.records[0].assignment]


def test_a_standstill_within_the_last_drain(consumer: ScriptedConsumer, member: Member, clock: ManualClock) -> None:
    """A process that was stopped while it ended commits nothing either."""

    def on_drain(_: Sequence[Assignment]) -> None:
        member.notes.settle(member.notes.records[:1])
        clock.advance(TOO_LONG)

    member.notes.on_drain = on_drain
    member.stop()

    assert consumer.told("commit") == []
    assert consumer.closed
    assert member.lines("stood_still")


def test_partitions_that_come_after_it(
    consumer: ScriptedConsumer, heir: ScriptedConsumer, member: Member, clock: ManualClock
) -> None:
    """An assignment that was on its way is no proof that the rest is still ours: all begins anew."""
    consumer.serve(lambda: clock.advance(TOO_LONG), consumer.assign(1), message(0, partition=1))
    eventually_sync(lambda: heir.told("assign"))

    assert consumer.told("assign") == [{0: 10}]
    assert all(record.assignment.key == KEY for record in member.notes.records)


def test_a_client_that_noticed_by_itself(consumer: ScriptedConsumer, member: Member, clock: ManualClock) -> None:
    """Where it says that all is lost, it joins again by itself, and what comes then is ours."""
    consumer.held = {0: 20}
    consumer.serve(lambda: clock.advance(TOO_LONG), consumer.lose(0), consumer.assign(0), message(20))
    records = arrived(member, 3)
    member.notes.settle(records)
    eventually_sync(lambda: member.committed() == {KEY: 21})

    assert member.lines("stood_still") == []
    assert member.assigned == keys(0)
    assert member.thread.lease.holds(clock.now())


def test_long_questions_are_no_standstill(consumer: ScriptedConsumer, begin: Begin, clock: ManualClock) -> None:
    """Each question at an assignment may take its time: the lease is renewed between them."""
    committed = consumer.committed

    def slowly(*asked: object, **timeout: float) -> object:
        clock.advance(30.0)
        return committed(*asked, **timeout)  # type: ignore[arg-type] # handed through

    consumer.committed = slowly  # type: ignore[method-assign,assignment]
    member = begin(consumer, clock=clock)
    consumer.serve(lambda: clock.advance(30.0), consumer.assign(1), lambda: clock.advance(30.0), message(10))
    eventually_sync(lambda: member.committed().get(KEY) == 11)

    assert member.lines("stood_still") == []


@pytest.fixture
def slow(consumer: ScriptedConsumer, clock: ManualClock) -> ScriptedConsumer:
    """Its coordinator takes its time to say what is committed."""
    question = consumer.committed

    def slowly(asked: list[TopicPartition], *, timeout: float) -> list[TopicPartition]:
        clock.advance(1.5)
        return question(asked, timeout=timeout)

    consumer.committed = slowly  # type: ignore[method-assign]
    return consumer


@pytest.mark.parametrize("tells_loss", [True, False])
def test_partitions_that_are_taken_over_slowly(
    slow: ScriptedConsumer,
    begin: Begin,
    clock: ManualClock,
    tells_loss: bool,  # noqa: FBT001 - a test's parameter
) -> None:
    """Where the client does not tell of losses nothing is sent or committed before the coordinator has answered."""
    member = begin(slow, clock=clock, tells_loss=tells_loss)
    slow.serve(message(10))
    arrived(member, 1)
    turns = len(slow.waits)
    eventually_sync(lambda: len(slow.waits) > turns + 2)
    before = member.thread.lease.holds(clock.now()), bool(slow.told("commit"))
    clock.advance(1.0)
    slow.serve(lambda: slow.stats_cb(json.dumps({"brokers": {"GroupCoordinator": ANSWERED}})))
    eventually_sync(lambda: member.committed() == {KEY: 11})

    assert before == (tells_loss, tells_loss)
    assert member.thread.lease.holds(clock.now())


@pytest.mark.parametrize("stops", [True, False])
def test_partitions_that_were_taken_over_slowly_and_leave(
    slow: ScriptedConsumer,
    begin: Begin,
    clock: ManualClock,
    stops: bool,  # noqa: FBT001 - a test's parameter
) -> None:
    """Another member may have had them by then: what we would commit might go back behind what it has committed."""
    member = begin(slow, clock=clock, tells_loss=False)
    slow.serve(message(10))
    arrived(member, 1)
    if stops:
        member.stop()
    else:
        slow.serve(slow.revoke(0))
    eventually_sync(lambda: member.notes.ended_)

    assert slow.told("commit") == []
    assert len(member.notes.drained) == 1
