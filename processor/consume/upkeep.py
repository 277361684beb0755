"""What can become of a partition's offsets while it is assigned.

Its next records may be deleted before they are read, its log may be cut, its topic may be created anew. The client
never decides where to go on (`auto.offset.reset` is `error`): it says that there is nothing to read at its position,
and fetches no more of the partition. A topic created anew it does not notice at all where that has records at the old
position; so the topics' ids are looked at now and then.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from confluent_kafka import Consumer, KafkaError, Message

from processor.clock import Clock
from processor.consume.membership import Membership
from processor.consume.ports import Broker, Offsets
from processor.offsets import Finding, PartitionLog, Start, TopicId
from processor.records import Assignment, Key

LAPSES = frozenset({KafkaError._AUTO_OFFSET_RESET, KafkaError._LOG_TRUNCATION})  # noqa: SLF001 - their only names
RETRY = 1.0
"""Seconds until a broker that did not say what it has is asked again."""
INTERVAL = 5.0
"""Seconds between two looks at the topics' ids. What is assigned is read anew after two that say the same, for one
broker may know less than another for a moment, and reading a whole topic anew repeats all of it."""


@dataclass(frozen=True, slots=True)
class Lapse:
    """The client has nothing to read at this offset.

    Attributes:
        at: None where it had nowhere to begin.
        cut: whether the log was cut below it, by the election of a broker that had less. What was written there since
            was not read, so that going on would skip it.
    """

    at: int | None
    cut: bool


class Upkeep:
    """Finds such partitions, and lets them go on where that is right. Lives on the Kafka thread."""

    def __init__(self, offsets: Offsets, broker: Broker, membership: Membership, clock: Clock) -> None:
        self._offsets = offsets
        self._broker = broker
        self._membership = membership
        self._clock = clock
        self._lapsed: dict[Assignment, Lapse] = {}
        self._mend_at = 0.0
        self._asked: Mapping[str, TopicId] = {}
        self._other: dict[Assignment, str] = {}
        self._ask_at = 0.0

    def lapse(self, message: Message) -> bool:
        """Take an error that came as a message; False where it is not about the partition's position."""
        error, topic, partition, offset = message.error(), message.topic(), message.partition(), message.offset()
        if error is None or error.code() not in LAPSES or topic is None or partition is None:
            return False
        assignment = self._offsets.live((topic, partition))
        if assignment is not None:
            cut = error.code() == KafkaError._LOG_TRUNCATION  # noqa: SLF001 - its only name
            self._lapsed[assignment] = Lapse(None if offset is None or offset < 0 else offset, cut)
        return True

    def turn(self, consumer: Consumer) -> None:
        """Do what is due."""
        now = self._clock.now()
        if self._lapsed and now >= self._mend_at:
            self._mend_at = now + RETRY
            self._mend(consumer)
        if now >= self._ask_at:
            self._ask_at = now + INTERVAL
            self._compare(consumer)

    def _mend(self, consumer: Consumer) -> None:
        lapsed = {assignment.key: lapse for assignment, lapse in self._lapsed.items() if self._is_live(assignment)}
        logs = self._broker.look(lapsed, {topic for topic, _ in lapsed})
        starts = {key: start for key, lapse in lapsed.items() if (start := self._start(key, lapse, logs[key]))}
        self._lapsed = {each: lapse for each, lapse in self._lapsed.items() if each.key in lapsed.keys() - starts}
        if starts:
            self._membership.begin_again(consumer, {key: (start, lapsed[key].at) for key, start in starts.items()})

    def _start(self, key: Key, lapse: Lapse, log: PartitionLog) -> Start | None:
        """Where it goes on; None while the broker does not say enough."""
        start = self._offsets.recheck(key, lapse.at, log)
        if start.finding is Finding.GOOD and lapse.cut:
            return replace(start, finding=Finding.BEYOND_END)
        unknown = log.first is None or log.end is None
        return None if start.finding is Finding.GOOD and start.offset is not None and unknown else start

    def _compare(self, consumer: Consumer) -> None:
        """Look at the answers to the last questions, and ask again."""
        before, self._other = self._other, {}
        starts: dict[Key, tuple[Start, int | None]] = {}
        for key in self._offsets.view():
            assignment = self._offsets.live(key)
            found = self._found(key)
            if assignment is None or found is None:
                continue
            self._other[assignment] = found
            if before.get(assignment) == found:
                start = Start(topic_id=self._asked[key[0]], finding=Finding.RECREATED, expired=1)
                starts[key] = start, self._offsets.expected(key)
        if starts:
            self._membership.begin_again(consumer, starts)
        self._asked = self._broker.topic_ids(self._topics())

    def _found(self, key: Key) -> str | None:
        """The id of the topic that now has this partition's name, where it is another one."""
        asked, known = self._asked.get(key[0]), self._offsets.topic_id(key)
        found = None if asked is None else asked()
        return found if found and known and found != known else None

    def _topics(self) -> Collection[str]:
        return {topic for topic, _ in self._offsets.view()}

    def _is_live(self, assignment: Assignment) -> bool:
        return self._offsets.live(assignment.key) is assignment
