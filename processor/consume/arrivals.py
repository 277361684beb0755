"""Partitions that come: where each goes on, and what people are told where that is not where the group was."""

from collections.abc import Collection, Sequence

from confluent_kafka import OFFSET_BEGINNING, OFFSET_STORED, Consumer, KafkaException, TopicPartition

from processor.clock import Clock
from processor.consume.lease import Lease
from processor.consume.ports import Broker, Counts, Held, Offsets
from processor.logs import Logger
from processor.offsets import Bookmark, Finding, Start
from processor.records import Assignment, Key

COMMITTED_TIMEOUT = 5.0
"""Seconds to ask for the group's offsets at an assignment; after that librdkafka finds them by itself. Less than the
shortest session time-out that brokers allow (6 s): the lease is renewed before and after."""
BEYOND_END = "its committed offset {} is beyond the end of the partition"
CUT = "it was read up to offset {}, and its log was cut below that"
RESET = (
    "stop all replicas of the pipeline, reset its group's offset of the partition "
    "(kafka-consumer-groups.sh --reset-offsets), and start them again"
)
"""What helps against that: a group's offset cannot be reset while it has members."""


class Arrivals:
    """Begins assignments. Lives on the Kafka thread.

    Attributes:
        held: partitions that must not be read, each with the reason. A hold lasts as long as the assignment: while the
            group has members nobody else can write its offset, so the next assignment finds what a person did.
        _topic_ids: which topic each name was, where an assignment of it has ended.
    """

    def __init__(
        self, offsets: Offsets, broker: Broker, counts: Counts, lease: Lease, clock: Clock, log: Logger
    ) -> None:
        self._offsets = offsets
        self._broker = broker
        self._counts = counts
        self._lease = lease
        self._clock = clock
        self._log = log
        self._epoch = 0
        self._topic_ids: dict[str, str] = {}
        self.held: dict[Key, Held] = {}

    def begin(self, consumer: Consumer, keys: Sequence[Key]) -> list[TopicPartition]:
        """Begin these partitions' ledgers.

        Returns:
            What the consumer is to be assigned.
        """
        bookmarks = self._bookmarks(consumer, keys)
        self._lease.renew()
        compared = {key[0] for key, held in (bookmarks or {}).items() if self._offsets.remembers_topic(held)}
        logs = self._broker.look(keys, compared | {topic for topic, _ in keys if topic in self._topic_ids})
        self._lease.renew()
        placed: list[TopicPartition] = []
        for key in keys:
            held = None if bookmarks is None else bookmarks.get(key)
            start = self._offsets.resume(held, logs[key], self._topic_ids.get(key[0]))
            place = self.begin_at(key, start, held.offset if held else None)
            placed.append(place if bookmarks is not None else TopicPartition(*key, OFFSET_STORED))
        return placed

    def begin_at(self, key: Key, start: Start, at: int | None) -> TopicPartition:
        """Begin one partition here, and say what the offset that it had (`at`) was found to be.

        Returns:
            What the consumer is to be assigned.
        """
        self._begin(key, start)
        self._tell(key, at, start)
        return TopicPartition(*key, _fetch_from(start))

    def mend(self, key: Key, start: Start, at: int | None) -> TopicPartition:
        """Go on here with a partition whose client found nothing to read at `at`.

        Returns:
            What the consumer is to be assigned.
        """
        if key in self.held:  # it was said already
            return TopicPartition(*key, _fetch_from(start))
        if start.finding is Finding.BEYOND_END:
            self.held[key] = Held(CUT.format(start.offset), self._clock.wall())
        elif start.offset is not None:
            self._offsets.skip_expired(key, start.offset)
        self._tell(key, at, start)
        return TopicPartition(*key, OFFSET_BEGINNING if start.offset is None else start.offset)

    def begin_again(self, before: Assignment, offset: int, expected: int) -> Assignment:
        """The position went back (somebody reset the group's offsets): from here it is a new assignment."""
        self._log.warning(
            "offset_went_back", topic=before.topic, partition=before.partition, expected=expected, offset=offset
        )
        return self._begin(before.key, Start())

    def end(self, keys: Collection[Key]) -> list[Assignment]:
        """End these; what is settled for them later changes nothing."""
        view = self._offsets.view()
        for key in keys:
            if key in view and (topic_id := self._offsets.topic_id(key)):
                self._topic_ids[key[0]] = topic_id
        ended = [assignment for key in keys if (assignment := self._offsets.end(key)) is not None]
        for assignment in ended:
            self._counts.abandoned[assignment.topic] += view[assignment.key].records
            self.held.pop(assignment.key, None)
        return ended

    def _begin(self, key: Key, start: Start) -> Assignment:
        self._epoch += 1
        assignment = Assignment(*key, self._epoch)
        self._offsets.begin(assignment, start)
        return assignment

    def _bookmarks(self, consumer: Consumer, keys: Sequence[Key]) -> dict[Key, Bookmark] | None:
        """The group's offsets; None where nobody says."""
        if not keys:
            return {}
        try:
            found = consumer.committed([TopicPartition(*key) for key in keys], timeout=COMMITTED_TIMEOUT)
        except KafkaException as exception:
            self._log.warning(
                "committed_offsets_unknown", reason=str(exception), next="librdkafka asks again by itself"
            )
            return None
        return {
            (at.topic, at.partition): Bookmark(at.offset, at.metadata or "")
            for at in found
            if at.offset >= 0 and at.error is None
        }

    def _tell(self, key: Key, at: int | None, start: Start) -> None:
        """Count and say what was found; `at` is the offset that was looked at."""
        log = self._log.bind(topic=key[0], partition=key[1], offset=at)
        if start.expired:
            self._counts.expired[key[0]] += start.expired
        if start.ignored:
            log.info("commit_metadata_ignored", reason=start.ignored, next="what it named may be delivered twice")
        if start.ahead:
            log.info("settled_ahead", spans=len(start.ahead), up_to=start.ahead[-1][1], next="they are not sent again")
        if start.finding is Finding.EXPIRED:
            log.error(
                "offset_expired",
                lost=start.expired,
                next=f"goes on at {start.offset}, the earliest that is left",
                fix="let the topic keep its records for longer than the pipeline may stand still (retention.ms)",
            )
        elif start.finding is Finding.RECREATED:
            log.error("topic_recreated", next="it is another topic now, and read from its earliest record")
        elif start.finding is Finding.BEYOND_END:
            self.held.setdefault(key, Held(BEYOND_END.format(start.offset), self._clock.wall()))
            log.error("offset_beyond_end", next="this partition is not read, others go on", fix=RESET)


def _fetch_from(start: Start) -> int:
    """Where the client is to begin: where the group has an offset, and it is good, it finds that by itself."""
    if start.offset is None:
        return OFFSET_BEGINNING
    return OFFSET_STORED if start.finding in {Finding.GOOD, Finding.BEYOND_END} else start.offset
