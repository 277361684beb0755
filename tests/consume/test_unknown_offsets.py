"""A coordinator that does not say what is committed when partitions come; on a scripted consumer."""

import pytest
from confluent_kafka import KafkaError, Message

from processor.clock import ManualClock
from processor.consume.arrivals import AGAIN, ASKED, UNKNOWN
from processor.consume.ports import Held
from processor.settle.metadata import Settled, encode
from tests.consume.members import Begin, Member
from tests.consume.scripted import TOPIC, ScriptedConsumer, keys, message
from tests.consume.test_upkeep import NOWHERE, Log, lapse
from tests.support.waiting import eventually_sync

KEY, OTHER = (TOPIC, 0), (TOPIC, 1)
STORED = -1000
"""How a client is told to begin where the group is, wherever that is."""


@pytest.fixture
def broker() -> Log:
    """It has offsets 0 to 49 of each partition."""
    return Log()


@pytest.fixture
def member(consumer: ScriptedConsumer, begin: Begin, broker: Log, clock: ManualClock) -> Member:
    """Partition 0 is read from 10; then 1 came, and nobody says that it is at 5, and that 6 and 7 are settled."""
    consumer.held[1] = 5
    consumer.metadata[1] = encode(Settled(5, ((6, 8),)))
    consumer.serve(lambda: setattr(consumer, "silent", True), consumer.assign(1))
    member = begin(consumer, broker=broker, clock=clock)
    eventually_sync(lambda: member.thread.snapshot.held)
    return member


def turns(consumer: ScriptedConsumer) -> None:
    """Wait until the thread has done all that is due."""
    before = len(consumer.waits)
    eventually_sync(lambda: len(consumer.waits) > before + 2)


def told(consumer: ScriptedConsumer, clock: ManualClock) -> None:
    """The coordinator says it when it is asked next."""
    consumer.silent = False
    clock.advance(AGAIN)
    turns(consumer)


def test_it_waits_and_is_named_and_others_go_on(consumer: ScriptedConsumer, member: Member) -> None:
    """It is paused, and that is said once, with what to do."""
    consumer.serve(message(10))
    eventually_sync(lambda: member.committed() == {KEY: 11, OTHER: None})
    snapshot = member.thread.snapshot

    assert consumer.calls[:6] == [
        *(("assign", {0: 10}), ("resume", {0: -1001})),
        *(("assign", {1: STORED}), ("resume", {1: -1001}), ("pause", {1: -1001}), ("commit", {0: 11})),
    ]
    assert snapshot.held == {OTHER: Held(UNKNOWN, snapshot.held[OTHER].since, ASKED)}
    assert snapshot.standing == {OTHER: UNKNOWN}
    assert snapshot.paused == keys(1)
    (line,) = member.lines("committed_offsets_unknown")
    assert (line["partitions"], line["fix"]) == ([f"{TOPIC}[1]"], ASKED)
    assert "Timed out" in line["reason"]


def test_it_is_asked_again_at_its_pace(consumer: ScriptedConsumer, member: Member, clock: ManualClock) -> None:
    """Others stand still during the question, so it is not asked at every turn; each question is a sign of life."""
    turns(consumer)
    asked = [list(consumer.asked)]
    for part in (AGAIN / 2, AGAIN / 2, AGAIN):
        clock.advance(part)
        turns(consumer)
        asked.append(list(consumer.asked))

    assert asked[0] == asked[1] == [{0}, {1}]
    assert asked[2:] == [[{0}, {1}, {1}], [{0}, {1}, {1}, {1}]]
    assert len(member.lines("committed_offsets_unknown")) == 1


def test_once_it_is_said_it_is_read_from_there(consumer: ScriptedConsumer, member: Member, clock: ManualClock) -> None:
    """What is settled beyond the offset is not sent again, which is what the wait is for; and nobody is asked more."""
    told(consumer, clock)
    consumer.serve(*(message(offset, partition=1) for offset in range(5, 10)))
    eventually_sync(lambda: member.committed()[OTHER] == 10)
    clock.advance(AGAIN)
    turns(consumer)

    assert member.notes.offsets() == {OTHER: [5, 8, 9]}
    assert [call for call in consumer.calls[5:] if call[0] != "commit"] == [
        *(("unassign", {1: -1001}), ("assign", {1: 5}), ("resume", {1: -1001})),
    ]
    assert (member.thread.snapshot.held, member.thread.snapshot.standing) == ({}, {})
    assert not member.thread.snapshot.paused
    assert consumer.asked == [{0}, {1}, {1}]
    assert member.lines("committed_offsets_known")[0]["partitions"] == [f"{TOPIC}[1]"]
    assert dict(member.thread.counts.abandoned) == {TOPIC: 0}


@pytest.mark.parametrize("leaves", ["revoke", "lose"])
def test_it_may_leave_meanwhile(consumer: ScriptedConsumer, member: Member, clock: ManualClock, leaves: str) -> None:
    """Nothing is committed for it, nobody is asked any more, and when it comes again it begins as any other."""
    consumer.serve(getattr(consumer, leaves)(1))
    eventually_sync(lambda: member.assigned == keys(0))
    told(consumer, clock)
    asked, held = list(consumer.asked), member.thread.snapshot.held
    consumer.serve(consumer.assign(1), message(5, partition=1))
    eventually_sync(lambda: member.committed().get(OTHER) == 8)

    assert (asked, held) == ([{0}, {1}], {})
    assert consumer.told("commit") == [{1: 8}]


def test_the_end_meanwhile(consumer: ScriptedConsumer, member: Member) -> None:
    """It is not waited for, and nothing is committed for it."""
    member.stop()

    assert consumer.told("commit") == []
    assert member.thread.unacknowledged == frozenset()


def test_one_partition_of_several(consumer: ScriptedConsumer, member: Member, clock: ManualClock) -> None:
    """An error that is one partition's alone is no "there is none": it waits, the others begin."""
    consumer.held |= {2: 20, 3: 30}
    consumer.refused = {2}
    told(consumer, clock)
    consumer.serve(consumer.assign(2, 3), message(30, partition=3))
    eventually_sync(lambda: member.committed().get((TOPIC, 3)) == 31)
    held = set(member.thread.snapshot.held)
    consumer.refused = set()
    clock.advance(AGAIN)
    consumer.serve(message(20, partition=2))
    eventually_sync(lambda: member.committed().get((TOPIC, 2)) == 21)

    assert held == {(TOPIC, 2)}
    assert (
        KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED).str()
        in member.lines("committed_offsets_unknown")[1]["reason"]
    )
    assert consumer.told("assign")[-2:] == [{3: 30, 2: STORED}, {2: 20}]


@pytest.mark.parametrize(
    ("client", "group", "begins", "expired"),
    [(lapse(NOWHERE, partition=1), None, -2, {}), (lapse(5, partition=1), 5, 40, {TOPIC: 33})],
    ids=["the group has none", "it has expired"],
)
def test_the_client_that_looks_for_it_itself(
    consumer: ScriptedConsumer,
    member: Member,
    broker: Log,
    clock: ManualClock,
    client: Message,
    group: int | None,
    begins: int,
    expired: dict[str, int],
) -> None:
    """It may find nothing to read there: the partition waits on, and begins where it is right once that is known."""
    broker.first = 40
    consumer.serve(client)
    eventually_sync(lambda: len(consumer.told("assign")) == 3)
    turns(consumer)
    held = dict(member.thread.snapshot.held)
    if group is None:
        del consumer.held[1]
    told(consumer, clock)
    consumer.serve(message(40, partition=1))
    eventually_sync(lambda: member.committed().get(OTHER) == 41)

    assert (set(held), member.thread.snapshot.held) == ({OTHER}, {})
    assert consumer.told("pause")[-1] == {1: -1001}
    assert consumer.told("assign")[3:] == [{1: begins}]
    assert dict(member.thread.counts.expired) == expired
