"""How soon a failed client is built again, and by what it is known that it failed; on a scripted consumer."""

import pytest
from confluent_kafka import KafkaError, KafkaException, Message

from processor.consume import kafka_thread as module
from tests.consume.members import Begin, Member
from tests.consume.scripted import TOPIC, ScriptedConsumer, message
from tests.support.waiting import eventually_sync

KEY = (TOPIC, 0)
FENCED = "Fatal error: Broker: Static consumer fenced by other consumer with same group.instance.id"
UNRELEASED = "Fatal error: Broker: The instance ID is still used by another member in the consumer group"


def fatal(words: str) -> Message:
    """As librdkafka says it: a message's error that has the code, and not the flag."""
    return Message(topic=None, error=KafkaError(KafkaError._FATAL, words))


def waits(member: Member) -> list[str]:
    """How long each failed client is waited with."""
    return [line["next"].split(",")[0].removeprefix("built again in ") for line in member.lines("consumer_failed")]


@pytest.mark.parametrize(("words", "wait"), [(FENCED, "0.02 s"), (UNRELEASED, "0.01 s")])
def test_a_fatal_error_that_comes_as_a_message(
    consumer: ScriptedConsumer, begin: Begin, monkeypatch: pytest.MonkeyPatch, words: str, wait: str
) -> None:
    """The client is built again (invariant 10), and what mends it is named; who was fenced waits for longer."""
    monkeypatch.setattr(module, "FENCED_WAIT", 0.02)
    again = ScriptedConsumer(held={0: 11})
    again.serve(again.assign(0), message(11))
    member = begin(consumer, again, settles=lambda record: record.offset == 10)
    consumer.serve(message(10))
    eventually_sync(lambda: member.committed() == {KEY: 11})

    consumer.serve(fatal(words))
    eventually_sync(lambda: len(member.notes.records) == 2)

    assert consumer.closed
    assert waits(member) == [wait]
    assert "group.instance.id" in member.lines("consumer_failed")[0]["reason"].replace(words, "")
    assert [record.assignment.live for record in member.notes.records] == [False, True]


def test_a_thousand_failures_in_a_row(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long Kafka is away, the wait stops growing and the thread lives (invariant 10)."""
    monkeypatch.setattr(module, "REBUILD_WAIT", 1e-9)
    monkeypatch.setattr(module, "REBUILD_MOST", 2e-9)
    failures = iter(range(1100))

    def prepare(*_: object) -> None:
        if next(failures, None) is not None:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))

    consumer = ScriptedConsumer(held={0: 10})
    consumer.serve(consumer.assign(0))
    member = begin(consumer, prepare=prepare)
    eventually_sync(lambda: member.assigned == {KEY})

    assert len(member.lines("consumer_failed")) == 1100
    assert set(waits(member)[1:]) == {"2e-09 s"}
