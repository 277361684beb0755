"""Partitions that come: what the Kafka thread does with what it finds, on a scripted consumer."""

from collections.abc import Collection
from dataclasses import dataclass, field

import pytest
from confluent_kafka import KafkaError

from processor.consume.arrivals import RESET
from processor.consume.backpressure import Limits
from processor.consume.ports import Held
from processor.offsets import PartitionLog, TopicId
from processor.records import Key
from processor.settle.metadata import Settled, decode, encode
from tests.consume.members import Begin, arrived
from tests.consume.scripted import TOPIC, ScriptedConsumer, answered, keys, message
from tests.support.waiting import eventually_sync

KEY = (TOPIC, 0)
OLD, NEW = "A" * 21 + "B", "A" * 21 + "C"


@dataclass
class Told:
    """A broker that tells the same of all partitions.

    Attributes:
        asked: partitions, and topics to be compared, of each question.
    """

    log: PartitionLog
    asked: list[tuple[set[Key], set[str]]] = field(default_factory=list)

    def look(self, keys: Collection[Key], compared: Collection[str]) -> dict[Key, PartitionLog]:
        """Say it."""
        self.asked.append((set(keys), set(compared)))
        return dict.fromkeys(keys, self.log)

    def topic_ids(self, topics: Collection[str]) -> dict[str, TopicId]:
        """Say that, too."""
        return dict.fromkeys(topics, self.log.topic_id)


def log(first: int, end: int, topic_id: str | None = None) -> PartitionLog:
    """What the broker has."""
    return PartitionLog(first, end, lambda: topic_id)


def metadata(offset: int, *ahead: tuple[int, int], topic_id: str | None = None) -> str:
    """What our own commit left."""
    return encode(Settled(offset, ahead, topic_id))


def test_what_the_metadata_names_is_not_handed_over(consumer: ScriptedConsumer, begin: Begin) -> None:
    """Such records count as read and as settled, and the frontier leaps over them when the gap closes."""
    consumer.metadata = {0: metadata(10, (11, 13), (14, 16))}
    member = begin(consumer, settles=lambda _: False)
    consumer.serve(*(message(offset) for offset in range(10, 17)))
    records = arrived(member, 3)
    view = member.ledger.view()[KEY]

    member.notes.settle(records[:2])
    eventually_sync(lambda: member.committed() == {KEY: 16})

    assert [record.offset for record in records] == [10, 13, 16]
    assert (view.records, view.settled_ahead) == (3, 4)
    assert dict(member.thread.counts.read) == {TOPIC: 7}
    assert member.lines("settled_ahead")[0]["up_to"] == 16
    assert member.lines("commit_metadata_ignored") == []


def test_a_poll_of_settled_records_hands_nothing_over(consumer: ScriptedConsumer, begin: Begin) -> None:
    """The other side is not woken for nothing."""
    consumer.metadata = {0: metadata(10, (11, 14))}
    member = begin(consumer, settles=lambda _: False)
    consumer.serve(message(10))
    arrived(member, 1)
    member.notes.receive = None  # type: ignore[method-assign,assignment] # must not be called
    consumer.serve(message(11), message(12))
    eventually_sync(lambda: member.thread.counts.read[TOPIC] == 3)

    assert member.lines("consumer_failed") == []


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("checkpoint 5", "it is not ours"),
        (metadata(9, (11, 13)), "it belongs to offset 9"),
        (metadata(10, (11, 13)).replace("/1", "/2"), "it is of version 2, and this release knows 1"),
    ],
)
def test_metadata_of_others_is_ignored(consumer: ScriptedConsumer, begin: Begin, text: str, reason: str) -> None:
    """All is handed over; that is said once, with the reason; the next commit has our own text."""
    consumer.metadata = {0: text}
    member = begin(consumer)
    consumer.serve(*(message(offset) for offset in range(10, 14)))
    eventually_sync(lambda: member.committed() == {KEY: 14})

    (line,) = member.lines("commit_metadata_ignored")
    assert (line["log_level"], line["reason"], line["topic"], line["partition"]) == ("info", reason, *KEY)
    assert [record.offset for record in member.notes.records] == [10, 11, 12, 13]
    assert decode(consumer.texts[-1][0]) == Settled(14)


def test_a_topic_s_id_is_compared_and_kept(consumer: ScriptedConsumer, begin: Begin) -> None:
    """Only topics that are remembered are waited for; each commit remembers the id."""
    consumer.held = {0: 10, 1: 5}
    consumer.metadata = {0: metadata(10, topic_id=OLD)}
    consumer.serve(consumer.assign(1, 2))
    broker = Told(log(0, 50, OLD))
    member = begin(consumer, broker=broker)
    consumer.serve(message(10))
    eventually_sync(lambda: member.committed().get(KEY) == 11)

    assert broker.asked == [(keys(0), {TOPIC}), (keys(1, 2), set())]
    assert decode(consumer.texts[-1][0]) == Settled(11, (), OLD)


def test_a_topic_that_was_created_anew(consumer: ScriptedConsumer, begin: Begin) -> None:
    """It is read from its first record, whatever was committed; named, counted, and committed with that."""
    consumer.metadata = {0: metadata(10, (11, 13), topic_id=OLD)}
    member = begin(consumer, broker=Told(log(2, 50, NEW)))
    consumer.serve(message(2), message(11))
    arrived(member, 2)
    eventually_sync(lambda: member.committed().get(KEY, 10) != 10)

    assert consumer.told("assign") == [{0: 2}]
    assert member.lines("topic_recreated")
    assert dict(member.thread.counts.expired) == {TOPIC: 1}


def test_a_topic_that_was_created_anew_and_says_no_more(consumer: ScriptedConsumer, begin: Begin) -> None:
    """Where its start is not known the client looks for it."""
    consumer.metadata = {0: metadata(10, topic_id=OLD)}
    begin(consumer, broker=Told(PartitionLog(None, None, lambda: NEW)))

    eventually_sync(lambda: consumer.told("assign") == [{0: -2}])


def test_expired_offsets(consumer: ScriptedConsumer, begin: Begin) -> None:
    """What was not settled and is gone is counted and named; reading goes on at what is left."""
    consumer.metadata = {0: metadata(10, (12, 14), (20, 22))}
    member = begin(consumer, broker=Told(log(17, 50)))
    consumer.serve(message(17), message(20), message(22))
    eventually_sync(lambda: member.committed() == {KEY: 23})

    assert consumer.told("assign") == [{0: 17}]
    assert [record.offset for record in member.notes.records] == [17, 22]
    assert dict(member.thread.counts.expired) == {TOPIC: 5}
    assert member.lines("offset_expired")[0]["lost"] == 5


def test_an_offset_beyond_the_end_holds_its_partition(consumer: ScriptedConsumer, begin: Begin) -> None:
    """It is paused and named, commits nothing and never resumes; the next assignment looks again."""
    consumer.held = {0: 10, 1: 5}
    broker = Told(log(0, 9))
    consumer.serve(consumer.assign(1))
    member = begin(consumer, broker=broker)
    consumer.serve(message(5, partition=1))
    eventually_sync(lambda: member.committed().get((TOPIC, 1)) == 6)
    before = member.thread.snapshot

    consumer.held = {0: 3}
    consumer.serve(consumer.revoke(0), consumer.assign(0))
    eventually_sync(lambda: member.committed().get(KEY) == 3)
    eventually_sync(lambda: not member.thread.snapshot.paused)

    words = "its committed offset 10 is beyond the end of the partition"
    assert before.held == {KEY: Held(words, before.held[KEY].since, RESET)}
    assert before.standing == {KEY: words}
    assert before.paused == keys(0)
    assert consumer.told("commit") == [{1: 6}]
    assert len(member.lines("offset_beyond_end")) == 1
    assert (member.thread.snapshot.standing, member.thread.snapshot.held) == ({}, {})


@pytest.mark.parametrize("leaves", ["revoked", "stopped"])
def test_the_last_commit_names_what_is_settled_ahead(consumer: ScriptedConsumer, begin: Begin, leaves: str) -> None:
    """Where a partition leaves, the next owner is told what the drain has settled behind gaps."""
    member = begin(consumer, settles=lambda _: False)
    consumer.serve(*(message(offset) for offset in range(10, 15)))
    records = arrived(member, 5)
    member.notes.on_drain = lambda _: member.notes.settle([records[0], records[2], records[4]])

    if leaves == "revoked":
        consumer.serve(consumer.revoke(0))
        eventually_sync(lambda: member.notes.ended_)
    else:
        member.stop()

    assert decode(consumer.texts[-1][0]) == Settled(11, ((12, 13), (14, 15)))


TOO_LARGE = KafkaError(KafkaError.OFFSET_METADATA_TOO_LARGE)


def test_metadata_that_the_broker_refuses(consumer: ScriptedConsumer, begin: Begin) -> None:
    """The offsets are committed again without, which is said once with the broker's setting, and so from then on."""
    consumer.answers = False
    member = begin(consumer)
    consumer.serve(message(10))
    eventually_sync(lambda: consumer.told("commit"))
    consumer.answers = True
    consumer.serve(lambda: consumer.on_commit(TOO_LARGE, [answered(0, 11, TOO_LARGE)]))
    eventually_sync(lambda: member.committed() == {KEY: 11})
    consumer.serve(message(11), lambda: consumer.on_commit(TOO_LARGE, [answered(0, 11, TOO_LARGE)]))
    eventually_sync(lambda: member.committed() == {KEY: 12})

    assert [bool(text[0]) for text in consumer.texts] == [True, False, False]
    (line,) = member.lines("commit_metadata_refused")
    assert "offset.metadata.max.bytes" in line["fix"]
    assert member.lines("commit_failed") == []


def test_metadata_that_is_refused_at_the_end(consumer: ScriptedConsumer, begin: Begin) -> None:
    """The last commit is sent once more, without it."""
    member = begin(consumer, settles=lambda _: False)
    consumer.serve(message(10))
    records = arrived(member, 1)

    def refuse_first(_: object) -> None:
        member.notes.settle(records)
        consumer.answers = False
        consumer.serve(refuse)

    def refuse() -> None:
        if not consumer.texts:
            consumer.serve(refuse)
            return
        consumer.answers = True
        consumer.on_commit(TOO_LARGE, [answered(0, 11, TOO_LARGE)])

    member.notes.on_drain = refuse_first
    member.stop()

    assert consumer.told("commit") == [{0: 11}, {0: 11}]
    assert consumer.texts[-1] == {0: ""}
    assert member.committed() == {KEY: 11}


@pytest.mark.parametrize(
    ("offsets", "said"),
    [(range(11, 16), "5 records (max_ahead: 5)"), (range(11, 17), "6 records (max_ahead: 5)")],
)
def test_too_far_ahead(consumer: ScriptedConsumer, begin: Begin, offsets: range, said: str) -> None:
    """The partition is paused and named until the gap closes, and goes on then; that is logged once each."""
    member = begin(consumer, settles=lambda record: record.offset != 10, limits=Limits(1000, 10**9, max_ahead=5))
    consumer.serve(message(10), *(message(offset) for offset in offsets))
    eventually_sync(lambda: member.thread.snapshot.paused == keys(0))
    eventually_sync(lambda: member.thread.snapshot.standing)
    standing = member.thread.snapshot.standing

    member.notes.settle(member.notes.records[:1])
    eventually_sync(lambda: not member.thread.snapshot.paused)

    assert standing == {KEY: f"{said} are settled behind offset 10, which is not"}
    (line,) = member.lines("partition_waits")
    assert (line["topic"], line["partition"], line["offset"]) == (*KEY, 10)
    assert len(member.lines("partition_goes_on")) == 1
    assert member.thread.snapshot.standing == {}
