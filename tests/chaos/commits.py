"""Every commit that the coordinator took of a group, from the topic where Kafka itself keeps them."""

import struct
from collections.abc import Iterator, Sequence
from typing import NamedTuple
from uuid import uuid4

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from processor.settle.metadata import Settled, Spans, decode
from tests.support.cluster import OFFSETS_TOPIC, partition_of
from tests.support.reading import TIMEOUT

OFFSET_COMMITTED = (0, 1)
"""Versions of the keys that are about offsets; other keys are about members."""
BEFORE_TEXT = 14
"""Bytes of a value before its text: version, offset and the leader's epoch, the last one since version 3."""
COMPACT = 4
"""The version since which sizes of texts are compact."""
END = "\0"
"""The Python client sends it, too."""
WITHIN = 60.0
"""Seconds for one read, on a busy machine."""


class Commit(NamedTuple):
    """What the coordinator took for one partition.

    Attributes:
        at: when, seconds since 1970, by the broker's clock in milliseconds.
        offset: all below it is settled.
        ahead: what is settled beyond.
    """

    at: float
    partition: int
    offset: int
    ahead: Spans


def commits_of(bootstrap: str, group: str, topic: str) -> list[Commit]:
    """A group's commits of a topic, in the order in which they were taken; refused ones are not among them."""
    with reader(bootstrap) as consumer:
        partitions = consumer.list_topics(OFFSETS_TOPIC, timeout=TIMEOUT).topics[OFFSETS_TOPIC].partitions
        messages = list(whole(consumer, OFFSETS_TOPIC, [partition_of(group, len(partitions))]))
    return [commit for message in messages if (commit := parsed(*_bytes(message), group, topic)) is not None]


def reader(bootstrap: str) -> Consumer:
    """A consumer that tells where a partition ends."""
    config = {"bootstrap.servers": bootstrap, "group.id": uuid4().hex, "enable.auto.commit": False, "log_level": 0}
    return Consumer({**config, "enable.partition.eof": True})


def whole(consumer: Consumer, topic: str, partitions: Sequence[int]) -> Iterator[Message]:
    """All that is in these partitions, each in its order.

    Raises:
        KafkaException: it cannot be read.
    """
    consumer.assign([TopicPartition(topic, number, 0) for number in partitions])
    left = len(partitions)
    while left:
        message = consumer.poll(WITHIN)
        assert message is not None, f"{topic} is not read to its end"
        error = message.error()
        if error is None:
            yield message
        elif error.code() == KafkaError._PARTITION_EOF:
            left -= 1
        else:
            raise KafkaException(error)


def _bytes(message: Message) -> tuple[bytes, bytes]:
    key, value = message.key(), message.value()
    return _raw(key), _raw(value)


def _raw(part: str | bytes | None) -> bytes:
    return part.encode() if isinstance(part, str) else part or b""


def parsed(key: bytes, value: bytes, group: str, topic: str) -> Commit | None:
    """Read one record of Kafka's topic; None for other groups, topics and kinds, and for what was deleted.

    Source: `OffsetCommitKey.json` and `OffsetCommitValue.json` of Kafka 4.1.
    """
    if not value or struct.unpack_from(">h", key)[0] not in OFFSET_COMMITTED:
        return None
    (of_group, of_topic), at = _texts(key, 2)
    if (of_group, of_topic) != (group, topic):
        return None
    (partition,) = struct.unpack_from(">i", key, at)
    version, offset = struct.unpack_from(">hq", value)
    text, behind = _compact(value, BEFORE_TEXT) if version >= COMPACT else _plain(value, BEFORE_TEXT)
    (taken,) = struct.unpack_from(">q", value, behind)
    said = decode(text.rstrip(END))
    ahead = said.ahead if isinstance(said, Settled) and said.base == offset else ()
    return Commit(taken / 1000, partition, offset, ahead)


def _texts(key: bytes, count: int) -> tuple[Sequence[str], int]:
    """So many texts behind the version, and where they end."""
    found, at = [], 2
    for _ in range(count):
        text, at = _plain(key, at)
        found.append(text)
    return found, at


def _plain(value: bytes, at: int) -> tuple[str, int]:
    """A text behind its size, and where it ends."""
    (size,) = struct.unpack_from(">h", value, at)
    return value[at + 2 : at + 2 + size].decode(), at + 2 + size


def _compact(value: bytes, at: int) -> tuple[str, int]:
    """The same where the size, plus one, is written seven bits a byte, the lowest ones first."""
    size, shift = 0, 0
    while True:
        size |= (value[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if value[at - 1] < 0x80:
            return value[at : at + size - 1].decode(), at + size - 1
