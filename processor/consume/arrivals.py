"""Partitions that come: where each goes on, and what people are told where that is not where the group was."""

from collections.abc import Collection, Mapping, Sequence

from confluent_kafka import OFFSET_BEGINNING, OFFSET_STORED, Consumer, KafkaException, TopicPartition

from processor.clock import Clock
from processor.consume.lease import Lease
from processor.consume.ports import Broker, Counts, Held, Offsets
from processor.logs import Logger
from processor.offsets import Bookmark, Finding, Start
from processor.records import Assignment, Key

COMMITTED_TIMEOUT = 5.0
"""Seconds to ask for the group's offsets at an assignment. Less than the shortest session time-out that brokers allow
(6 s): the lease is renewed before and after."""
AGAIN = 2.0
"""Seconds for the same question later, and between two of them. Others stand still meanwhile, and longer than that they
must not (`lease.STANDSTILL`)."""
UNKNOWN = "the group's coordinator does not say up to where it is committed"
ASKED = f"see that the coordinator's broker is up; it is asked again every {AGAIN:g} s"
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
        unknown: those of them that wait for their committed offset alone. Librdkafka would find that by itself, but
            not what is settled beyond it.
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
        self.unknown: set[Key] = set()
        self._again_at = 0.0

    def begin(self, consumer: Consumer, keys: Sequence[Key]) -> list[TopicPartition]:
        """Begin these partitions' ledgers; one whose committed offset nobody says waits for it.

        Returns:
            What the consumer is to be assigned.
        """
        found, reason = self._bookmarks(consumer, keys, COMMITTED_TIMEOUT)
        waiting = [key for key in keys if key not in found]
        if waiting:
            self._log.warning(
                "committed_offsets_unknown",
                partitions=[f"{topic}[{partition}]" for topic, partition in waiting],
                reason=reason,
                next="these are not read before it is known",
                fix=ASKED,
            )
        return [*self.place(found), *map(self._wait, waiting)]

    def ask_again(self, consumer: Consumer) -> Mapping[Key, Bookmark | None]:
        """Ask for the offsets that are not known yet, if that is due; what `place` needs of those that are now."""
        due = self.unknown and self._clock.now() >= self._again_at
        return self._bookmarks(consumer, sorted(self.unknown), AGAIN)[0] if due else {}

    def place(self, bookmarks: Mapping[Key, Bookmark | None]) -> list[TopicPartition]:
        """Begin the ledgers of partitions whose committed offset is known; None where the group has none.

        Returns:
            What the consumer is to be assigned.
        """
        compared = {key[0] for key, held in bookmarks.items() if held and self._offsets.remembers_topic(held)}
        logs = self._broker.look(
            list(bookmarks), compared | {topic for topic, _ in bookmarks if topic in self._topic_ids}
        )
        self._lease.renew()
        return [
            self.begin_at(
                key,
                self._offsets.resume(held, logs[key], self._topic_ids.get(key[0])),
                held.offset if held else None,
            )
            for key, held in bookmarks.items()
        ]

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
            self.held[key] = Held(CUT.format(start.offset), self._clock.wall(), RESET)
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
            self.unknown.discard(assignment.key)
        return ended

    def _begin(self, key: Key, start: Start) -> Assignment:
        self._epoch += 1
        assignment = Assignment(*key, self._epoch)
        self._offsets.begin(assignment, start)
        return assignment

    def _wait(self, key: Key) -> TopicPartition:
        """Hold a partition that must not be read before its committed offset is known."""
        self._begin(key, Start())
        self.held[key] = Held(UNKNOWN, self._clock.wall(), ASKED)
        self.unknown.add(key)
        return TopicPartition(*key, OFFSET_STORED)

    def _bookmarks(
        self, consumer: Consumer, keys: Sequence[Key], timeout: float
    ) -> tuple[dict[Key, Bookmark | None], str]:
        """The group's offsets, None where it has none; what nobody says is absent, and the reason is behind it."""
        if not keys:
            return {}, ""
        try:
            answers = consumer.committed([TopicPartition(*key) for key in keys], timeout=timeout)
        except KafkaException as exception:
            return {}, str(exception)
        finally:
            self._lease.renew()
            self._again_at = self._clock.now() + AGAIN
        found = {
            (at.topic, at.partition): Bookmark(at.offset, at.metadata or "") if at.offset >= 0 else None
            for at in answers
            if at.error is None
        }
        return found, next((str(at.error) for at in answers if at.error is not None), "")

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
            self.held.setdefault(key, Held(BEYOND_END.format(start.offset), self._clock.wall(), RESET))
            log.error("offset_beyond_end", next="this partition is not read, others go on", fix=RESET)


def _fetch_from(start: Start) -> int:
    """Where the client is to begin.

    The group's offset is named, although the client would find it by itself: where its question fails while other
    partitions come or leave, it drops the question, and reads of this and of all later ones nothing, without a word.
    """
    return OFFSET_BEGINNING if start.offset is None else start.offset
