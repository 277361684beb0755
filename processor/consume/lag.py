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
TIMEOUT = 10.0
"""Seconds for one look."""


class EndOffsets:
    """The last known end of each partition: the offset that its next record will get.

    Args:
        make_admin: builds the client at the first look; it may block, and fail while there is no login.
    """

    def __init__(self, make_admin: Callable[[], AdminClient]) -> None:
        self._make_admin = make_admin
        self._admin: AdminClient | None = None
        self.ends: dict[Key, int] = {}

    async def look(self, keys: Iterable[Key]) -> None:
        """Ask for these partitions' ends; what cannot be had keeps its last value."""
        partitions = [TopicPartition(*key) for key in keys]
        if not partitions:
            return
        try:
            if self._admin is None:
                self._admin = await asyncio.to_thread(self._make_admin)
            self._admin.poll(0)  # writes its log, which would pile up
            futures = self._admin.list_offsets(dict.fromkeys(partitions, OffsetSpec.latest()), request_timeout=TIMEOUT)
        except KafkaException:
            return
        for partition, future in futures.items():
            try:
                result = await asyncio.wrap_future(future)
            except KafkaException:
                continue
            self.ends[partition.topic, partition.partition] = result.offset

    def lag(self, key: Key, frontier: int | None) -> int | None:
        """Records between what is settled and the end; None while one of them is unknown."""
        end = self.ends.get(key)
        return None if end is None or frontier is None else max(end - frontier, 0)
