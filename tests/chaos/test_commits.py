"""Kafka's own book of commits, read."""

from functools import partial
from uuid import uuid4

from confluent_kafka import Consumer, TopicPartition

from processor.settle.metadata import Settled, encode
from tests.chaos.commits import Commit, commits_of, parsed
from tests.support.broker import Broker
from tests.support.reading import patiently
from tests.support.topics import TopicFactory

KEY = b"\x00\x01\x00\x01g\x00\x01t\x00\x00\x00\x02"
TEXT = b"clickstream/1 - 7 "
TAKEN = (1_700_000_000_250).to_bytes(8, "big")


def value(version: int, size: bytes) -> bytes:
    """Offset 7 with a text whose size is written so."""
    return version.to_bytes(2, "big") + (7).to_bytes(8, "big") + b"\xff" * 4 + size + TEXT + TAKEN


def test_every_version_is_read() -> None:
    """Sizes of texts are plain in version 3 and compact in version 4."""
    plain, compact = value(3, len(TEXT).to_bytes(2, "big")), value(4, bytes([len(TEXT) + 1])) + b"\x00"

    expected = Commit(1_700_000_000.25, 2, 7, ())
    assert parsed(KEY, plain, "g", "t") == parsed(KEY, compact, "g", "t") == expected


def test_what_is_not_asked_for_is_passed_over() -> None:
    """Other groups, other topics, members, and what was deleted."""
    good = value(3, len(TEXT).to_bytes(2, "big"))

    assert parsed(KEY, good, "h", "t") is None
    assert parsed(KEY, good, "g", "u") is None
    assert parsed(b"\x00\x02" + KEY[2:], good, "g", "t") is None
    assert parsed(KEY, b"", "g", "t") is None


def test_commits_are_found_in_their_order(broker: Broker, topic: TopicFactory) -> None:
    """With the spans that they name, of a long text too."""
    name, group = topic(), uuid4().hex
    spans = tuple((offset, offset + 1) for offset in range(10, 2000, 3))
    config = {"bootstrap.servers": broker.bootstrap, "group.id": group, "log_level": 0}
    with Consumer(config) as consumer:
        for offset, ahead in ((3, ()), (5, spans)):
            text = encode(Settled(offset, ahead))
            at = TopicPartition(name, 1, offset, text)
            patiently(partial(consumer.commit, offsets=[at], asynchronous=False))

    found = commits_of(broker.bootstrap, group, name)

    assert [(commit.partition, commit.offset, commit.ahead) for commit in found] == [(1, 3, ()), (1, 5, spans)]
    assert found[0].at <= found[1].at
