"""How far behind: the ends of the partitions, asked from the broker.

Not from the consumer: its cached ends stand still while a partition is paused, and that is when people look.
"""

import asyncio
from collections.abc import Callable, Iterable

from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from processor.records import Key

INTERVAL = 10.0
"""Seconds between looks."""
TIMEOUT = 2.0
"""Seconds for one look. Short: while a partition's leader is gone and no other is elected, librdkafka (2.16) tries to
connect to it without a pause until the question times out, which takes half a processor."""


class EndOffsets:
    """The last known end of each partition: the offset that its next record will get.

    Args:
        make_admin: gives the client; it may block, and fail while there is no login.
    """

    def __init__(self, make_admin: Callable[[], AdminClient]) -> None:
        self._make_admin = make_admin
        self.ends: dict[Key, int] = {}

    async def look(self, keys: Iterable[Key]) -> dict[Key, int]:
        """Ask for these partitions' ends, and give those that were answered; the others keep their last value."""
        ends = await self._ask(keys, OffsetSpec.latest())
        self.ends |= ends
        return ends

    async def written_since(self, keys: Iterable[Key], wall: float) -> frozenset[Key]:
        """Which of these partitions have a record whose timestamp is not before this; `wall` in seconds since 1970."""
        firsts = await self._ask(keys, OffsetSpec.for_timestamp(int(wall * 1000)))
        return frozenset(key for key, offset in firsts.items() if offset >= 0)

    def lag(self, key: Key, frontier: int | None) -> int | None:
        """Records between what is settled and the end; None while one of them is unknown."""
        end = self.ends.get(key)
        return None if end is None or frontier is None else max(end - frontier, 0)

    async def _ask(self, keys: Iterable[Key], spec: OffsetSpec) -> dict[Key, int]:
        """The offsets that could be had."""
        asked = {TopicPartition(*key): spec for key in keys}
        if not asked:
            return {}
        try:
            admin = await asyncio.to_thread(self._make_admin)
            futures = admin.list_offsets(asked, request_timeout=TIMEOUT)
        except KafkaException:
            return {}
        offsets: dict[Key, int] = {}
        for partition, future in futures.items():
            try:
                result = await asyncio.wrap_future(future)
            except KafkaException:
                continue
            offsets[partition.topic, partition.partition] = result.offset
        return offsets
