"""Partitions that are not fetched for now: paused in the client, and named where that has a reason of its own."""

from collections.abc import Collection, Mapping

from confluent_kafka import Consumer, TopicPartition

from processor.consume.backpressure import Limits, decide, too_far_ahead
from processor.consume.ports import Held
from processor.logs import Logger
from processor.offsets import PartitionView
from processor.records import Key


class Standing:
    """Pauses and resumes partitions. Lives on the Kafka thread.

    Attributes:
        paused: those that are not fetched.
        reasons: of those that stand for another reason than that memory is full, in words.
    """

    def __init__(self, limits: Limits, log: Logger) -> None:
        self._limits = limits
        self._log = log
        self.paused: frozenset[Key] = frozenset()
        self.reasons: Mapping[Key, str] = {}

    def look(self, consumer: Consumer, view: Mapping[Key, PartitionView], held: Mapping[Key, Held]) -> None:
        """Pause what is full, resume what has room again.

        Args:
            consumer: the client.
            view: what the ledger knows.
            held: who must not be fetched, with the reason, which was said already.
        """
        decision = decide(self._limits, view, self.paused, held)
        if decision.pause:
            consumer.pause([TopicPartition(*key) for key in decision.pause])
        if decision.resume:
            consumer.resume([TopicPartition(*key) for key in decision.resume])
        self.paused = (self.paused | decision.pause) - decision.resume
        self._name(view, held)

    def forget(self, keys: Collection[Key]) -> None:
        """These have left."""
        self.paused -= frozenset(keys)
        self.reasons = {key: why for key, why in self.reasons.items() if key not in keys}

    def _name(self, view: Mapping[Key, PartitionView], held: Mapping[Key, Held]) -> None:
        ahead = {
            key: why
            for key in self.paused
            if (why := too_far_ahead(self._limits, view[key], already=key in self.reasons))
        }
        for key in ahead.keys() - self.reasons.keys():
            self._log.warning(
                "partition_waits",
                topic=key[0],
                partition=key[1],
                offset=view[key].frontier,
                reason=ahead[key],
                next="it is read on when that record is settled, others go on",
            )
        for topic, partition in self.reasons.keys() - ahead.keys() - held.keys():
            self._log.info("partition_goes_on", topic=topic, partition=partition)
        self.reasons = {**ahead, **{key: why.words for key, why in held.items()}}
