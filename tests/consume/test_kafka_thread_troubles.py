"""The Kafka thread when the client, a callback, the group or the stop comes in between; on a scripted consumer."""

import json
from collections.abc import Callable, Sequence
from threading import Event

import pytest
from confluent_kafka import KafkaError, KafkaException, Message

from processor.consume import kafka_thread as module
from tests.consume.members import Begin, arrived
from tests.consume.scripted import TOPIC, ScriptedConsumer, keys, message, partitions
from tests.support.waiting import eventually_sync

KEY = (TOPIC, 0)
FATAL = KafkaError(KafkaError._FATAL, "fenced", fatal=True)
DOWN = KafkaError(KafkaError._ALL_BROKERS_DOWN, "1/1 brokers are down")


def boom(*_: object, **__: object) -> None:
    """Fail as a programmer's mistake does."""
    raise ZeroDivisionError("boom")


def after(held: int) -> ScriptedConsumer:
    """The consumer that is built after the first one failed: it reads from the group's offset again."""
    scripted = ScriptedConsumer(held={0: held})
    scripted.serve(scripted.assign(0), *(message(offset) for offset in range(held, 16)))
    return scripted


OnError = Callable[[KafkaError], None]
Trouble = Callable[[ScriptedConsumer], None]
TROUBLES: dict[str, Trouble] = {
    "a rebalance callback raises": lambda consumer: setattr(consumer, "committed", boom),
    "a commit's answer raises": lambda consumer: consumer.serve(lambda: consumer.on_commit(None, [None])),  # type: ignore[list-item] # what no client gives
    "the client fails for good": lambda consumer: consumer.serve(lambda: consumer.error_cb(FATAL)),
    "a poll raises": lambda consumer: consumer.serve(boom),
}


@pytest.mark.parametrize("trouble", TROUBLES.values(), ids=TROUBLES)
def test_a_consumer_that_fails_is_built_again(consumer: ScriptedConsumer, begin: Begin, trouble: Trouble) -> None:
    """Whatever raises in a poll, the records that it took are read again (invariants 2 and 10)."""
    again = after(12)
    member = begin(consumer, again, settles=lambda record: record.offset < 12)
    consumer.serve(message(10), message(11))
    arrived(member, 2)
    eventually_sync(lambda: consumer.told("commit"))

    trouble(consumer)
    consumer.serve(message(12), message(13), consumer.assign(1), message(14))
    eventually_sync(lambda: {record.offset for record in member.notes.records} == set(range(10, 16)))

    assert consumer.closed
    assert member.lines("consumer_failed")[0]["next"]
    assert [record.offset for record in member.notes.records if record.offset < 12] == [10, 11]
    assert [record.assignment.live for record in member.notes.records[:2]] == [False, False]


def test_a_commit_that_was_not_answered_is_forgotten(consumer: ScriptedConsumer, begin: Begin) -> None:
    """The answer to a failed consumer's commit never comes: the next consumer commits all the same."""
    consumer.answers = False
    again = after(10)
    begin(consumer, again)
    consumer.serve(message(10))
    eventually_sync(lambda: consumer.told("commit"))

    consumer.serve(boom)
    eventually_sync(lambda: again.told("commit") and again.told("commit")[-1] == {0: 16})


def test_a_client_that_cannot_be_made_is_tried_again(consumer: ScriptedConsumer, begin: Begin) -> None:
    """Kafka that is away when the start offsets are asked for is waited for, and that is said (invariant 10)."""
    failures = [KafkaException(DOWN), KafkaException(DOWN)]

    def prepare(*_: object) -> None:
        if failures:
            raise failures.pop()

    member = begin(consumer, prepare=prepare)
    consumer.serve(message(10))
    arrived(member, 1)

    assert len(member.lines("consumer_failed")) == 2
    assert "1/1 brokers are down" in member.lines("consumer_failed")[0]["reason"]
    assert [line["next"].split(",")[0] for line in member.lines("consumer_failed")] == [
        "built again in 0.01 s",
        "built again in 0.02 s",
    ]


def test_what_the_client_complains_of_is_the_reason(consumer: ScriptedConsumer, begin: Begin) -> None:
    """A call that fails after a refused login is not what people are told of; once partitions come nothing is."""
    refused = KafkaError(KafkaError._AUTHENTICATION, "b/1: SASL authentication error: no (after 3ms in state AUTH_REQ)")
    failures = [KafkaException(DOWN)]
    go = Event()

    def prepare(on_error: OnError, _: object) -> None:
        if failures:
            on_error(refused)
            on_error(DOWN)
            raise failures.pop()
        go.wait(10)

    member = begin(consumer, prepare=prepare)
    eventually_sync(lambda: member.thread.snapshot.trouble)
    trouble = member.thread.snapshot.trouble
    go.set()
    eventually_sync(lambda: member.assigned)

    assert (
        trouble
        == "b/1: SASL authentication error: no; correct sasl.username and sasl.password, or the user at the broker"
    )
    assert [line["reason"] for line in member.lines("consumer_failed")] == [trouble]
    assert [line["fix"].split(" ")[0] for line in member.lines("kafka_trouble")] == ["correct"]
    assert member.thread.snapshot.trouble is None


def test_trouble_with_kafka_is_said_until_records_come(consumer: ScriptedConsumer, begin: Begin) -> None:
    """An error that the client recovers from is a stated reason, logged once, gone with the next record."""
    member = begin(consumer)
    consumer.serve(lambda: consumer.error_cb(DOWN), lambda: consumer.error_cb(DOWN))
    eventually_sync(lambda: "1/1 brokers are down; see that" in (member.thread.snapshot.trouble or ""))

    consumer.serve(message(10))
    eventually_sync(lambda: member.thread.snapshot.trouble is None)

    assert len(member.lines("kafka_trouble")) == 1


@pytest.mark.parametrize("state", ["UP", "TRY_CONNECT"])
def test_on_an_idle_topic_the_connection_tells_that_it_is_over(
    consumer: ScriptedConsumer, begin: Begin, state: str
) -> None:
    """The client's statistics say whether it is connected to all that it needs (invariant 10)."""
    partition = {"partition": 0, "broker": 1, "next_offset": 10, "ls_offset": 10, "hi_offset": 10}
    told = {
        "brokers": {"b:9092/1": {"nodeid": 1, "state": state}},
        "topics": {TOPIC: {"partitions": {"0": partition}}},
        "cgrp": {"state": "up"},
    }
    member = begin(consumer)
    consumer.serve(lambda: consumer.error_cb(DOWN))
    eventually_sync(lambda: member.thread.snapshot.trouble)

    consumer.serve(lambda: consumer.stats_cb(json.dumps(told)))
    eventually_sync(lambda: not consumer.queue)
    turns = len(consumer.waits)
    eventually_sync(lambda: len(consumer.waits) > turns + 1)

    assert (member.thread.snapshot.trouble is None) is (state == "UP")
    assert len(member.lines("kafka_trouble_over")) == (state == "UP")


def test_an_error_between_messages_is_no_record(consumer: ScriptedConsumer, begin: Begin) -> None:
    """A partition's own error, a topic that may not be read for instance, comes as a message and is said."""
    error = KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED)
    member = begin(consumer)
    consumer.serve(Message(topic=TOPIC, partition=0, error=error))
    eventually_sync(lambda: member.thread.snapshot.trouble)

    consumer.serve(message(10))
    arrived(member, 1)

    assert member.lines("kafka_trouble")[0]["reason"] == error.str()


def test_empty_assignments_count_as_assigned(begin: Begin) -> None:
    """A member that gets no partition is ready, and asks nobody for offsets."""
    consumer = ScriptedConsumer()
    consumer.committed = boom  # type: ignore[method-assign,assignment] # must not be asked
    consumer.serve(consumer.assign())
    member = begin(consumer)

    eventually_sync(lambda: member.thread.snapshot.assigned)

    assert member.thread.snapshot.partitions == {}
    assert member.lines("consumer_failed") == []


def test_the_position_steps_over_markers(consumer: ScriptedConsumer, begin: Begin) -> None:
    """While nothing is open the consumer's position is committed, also where nothing but markers ever came."""
    consumer.held = {0: 0, 1: 0, 2: 5}
    consumer.positions = {0: 3, 1: 0}
    consumer.serve(consumer.assign(1, 2))
    member = begin(consumer)

    eventually_sync(lambda: member.committed() == {(TOPIC, 0): 3, (TOPIC, 1): 0, (TOPIC, 2): 5})

    assert consumer.told("commit") == [{0: 3}]


def test_the_position_waits_for_what_is_open(consumer: ScriptedConsumer, begin: Begin) -> None:
    """A position beyond an unsettled record is not committed (invariant 1)."""
    member = begin(consumer, settles=lambda _: False)
    consumer.serve(message(10))
    records = arrived(member, 1)
    consumer.positions = {0: 12}
    turns = len(consumer.waits)
    eventually_sync(lambda: len(consumer.waits) > turns + 3)
    assert consumer.told("commit") == []

    member.notes.settle(records)
    eventually_sync(lambda: member.committed() == {KEY: 12})


def test_the_end_is_drained_committed_and_closed(consumer: ScriptedConsumer, begin: Begin) -> None:
    """A stop pauses, drains, commits what the drain settled, waits for the answer, and then leaves the group."""
    member = begin(consumer, settles=lambda _: False)
    consumer.serve(*(message(10 + n) for n in range(3)))
    records = arrived(member, 3)
    member.notes.on_drain = lambda _: member.notes.settle(records[:2])

    member.stop()

    assert consumer.calls[-2:] == [("pause", {0: -1001}), ("commit", {0: 12})]
    assert member.committed() == {KEY: 12}
    assert member.notes.drained == member.notes.ended_
    assert consumer.closed
    assert dict(member.thread.counts.abandoned) == {TOPIC: 1}


def test_the_end_waits_for_the_commit_before_its_last(consumer: ScriptedConsumer, begin: Begin) -> None:
    """A commit in flight is answered first; records that still come then are not entered (invariant 3)."""
    consumer.answers = False
    member = begin(consumer)
    consumer.serve(message(10))
    eventually_sync(lambda: consumer.told("commit") == [{0: 11}])
    consumer.serve(message(11))
    arrived(member, 2)

    def answer() -> None:
        consumer.calls.append(("answer", {0: 11}))
        consumer.on_commit(None, partitions(0, offset=11))

    def answer_soon(_: Sequence[object]) -> None:
        consumer.answers = True
        consumer.serve(message(12), answer)

    member.notes.on_drain = answer_soon
    member.stop()

    assert consumer.calls[-3:] == [("pause", {0: -1001}), ("answer", {0: 11}), ("commit", {0: 12})]
    assert [record.offset for record in member.notes.records] == [10, 11]


def test_the_end_does_not_wait_for_ever(
    consumer: ScriptedConsumer, begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A coordinator that never answers keeps no process; behind a commit that is open nothing is sent (invariant 3)."""
    monkeypatch.setattr(module, "COMMIT_WAIT", 0.05)
    consumer.answers = False
    member = begin(consumer)
    consumer.serve(message(10))
    eventually_sync(lambda: consumer.told("commit"))
    consumer.serve(message(11))
    arrived(member, 2)

    member.stop()

    assert consumer.closed
    assert consumer.told("commit") == [{0: 11}]


def test_an_assignment_during_the_close_is_left_alone(consumer: ScriptedConsumer, begin: Begin) -> None:
    """Asking for offsets while the client closes would time out and raise into the close."""
    member = begin(consumer)
    eventually_sync(lambda: member.assigned == keys(0))
    calls = list(consumer.calls)

    consumer.close = consumer.assign(1)  # type: ignore[method-assign] # a rebalance that comes late
    member.stop()

    assert [name for name, _ in consumer.calls[len(calls) :]] == ["pause"]
    assert member.lines("consumer_failed") == []


def test_a_stop_before_anything_came(begin: Begin) -> None:
    """A member that was never assigned anything leaves at once."""
    consumer = ScriptedConsumer()
    member = begin(consumer)
    eventually_sync(lambda: consumer.waits)

    member.stop()

    assert not member.thread.snapshot.assigned
    assert consumer.told("commit") == []
