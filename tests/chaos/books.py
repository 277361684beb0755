"""What can be said of one run from the books alone: Kafka's, the vendor's, and what was done. Pure."""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from tests.chaos.arena import COMMIT_INTERVAL, LATENCY, MAX_ATTEMPTS, SESSION
from tests.chaos.commits import Commit
from tests.chaos.faults import Fault, Place
from tests.reliability.vendor import Call, Sent
from tests.reliability.verdict import Taken

CLOCK = 0.002
"""Seconds by which two processes' readings of the machine's clock may differ: brokers count in milliseconds."""
SLACK = 0.5
"""Seconds that a commit may be late, on a machine that does other things, too."""
TOLD = 10.0
"""Seconds within which a log tells of what happened: it does not tell the same thing twice in that time."""
AT_ONCE = 1.0
"""Seconds within which a process that goes on has written what it was about to write."""
GONE = ("killed", "frozen")
"""What may cost repeats: nobody could commit any more."""
CAUSES = (*GONE, "late", "lost", "broker")
"""All that may cost repeats; those first that say most."""


@dataclass(frozen=True)
class Letter:
    """What is in the dead-letter topic of one event.

    Attributes:
        kind: `dlq.error.class`.
        written: when, seconds since 1970.
    """

    number: int
    kind: str
    written: float


@dataclass(frozen=True)
class Repeats:
    """Deliveries that were taken although they had been taken before, by the cause.

    Attributes:
        after: those that a fault explains, by the fault's place among the faults.
        unread: the answer had not reached the sender: it cannot know.
        unexplained: all others.
    """

    after: Mapping[int, int]
    unread: int
    unexplained: Sequence[int]


@dataclass(frozen=True)
class Books:
    """All that was written down.

    Attributes:
        written: the topic: the events' numbers, and where they lie.
        calls: requests in the order of their arrival.
        rest: seconds in which the group takes no commits after a member is gone.
    """

    written: Sequence[tuple[int, Place]]
    calls: Sequence[Call]
    letters: Sequence[Letter]
    commits: Sequence[Commit]
    faults: Sequence[Fault]
    rest: float = 0.0

    @cached_property
    def places(self) -> Mapping[int, Place]:
        """Where events lie, by their numbers; without those that lie at two places, for nobody can tell them apart."""
        times = Counter(number for number, _ in self.written)
        return {number: place for number, place in self.written if times[number] == 1}

    @property
    def twice(self) -> int:
        """How many events the producer wrote twice: while leaders move even an idempotent one may."""
        return len({number for number, _ in self.written}) - len(self.places)

    @cached_property
    def _ends(self) -> Mapping[int, int]:
        found: dict[int, int] = defaultdict(int)
        for _, (partition, offset, _) in self.written:
            found[partition] = max(found[partition], offset + 1)
        return found

    @cached_property
    def taken(self) -> list[Taken]:
        """Accepted deliveries, in the order of their arrival."""
        whole = [call for call in self.calls if call.status == 200 and not self._half_way(call)]
        return [(call, one) for call in whole for one in call.deliveries if one.number in self.places]

    @property
    def half_way(self) -> int:
        """Deliveries that were just being written when their process was stopped, and left it when it went on.

        Nothing can hold them back. What tells them from what was sent afterwards: their client hung up at once, for
        their time was over.
        """
        return sum(len(call.deliveries) for call in self.calls if self._half_way(call))

    def _half_way(self, call: Call) -> bool:
        stops = (fault for fault in self.faults if fault.kind == "frozen" and fault.agent == call.agent)
        return call.left and any(0 <= call.wall - stop.ended <= AT_ONCE for stop in stops)

    @cached_property
    def _by_number(self) -> Mapping[int, list[Call]]:
        found: dict[int, list[Call]] = defaultdict(list)
        for call, sent in self.taken:
            found[sent.number].append(call)
        return found

    # Nothing lost, nothing ahead.

    @property
    def lost(self) -> set[int]:
        """Events that were neither taken nor buried."""
        return self.places.keys() - self._by_number.keys() - {letter.number for letter in self.letters}

    @cached_property
    def _settled(self) -> Mapping[tuple[int, int], float]:
        """When each record was first taken or buried, by partition and offset."""
        found: dict[tuple[int, int], float] = {}
        times = [(number, calls[0].wall) for number, calls in self._by_number.items()]
        buried = [(letter.number, letter.written) for letter in self.letters if letter.number in self.places]
        for number, at in times + buried:
            key = self._key(number)
            found[key] = min(at, found.get(key, at))
        return found

    @cached_property
    def _covered(self) -> Mapping[tuple[int, int], float]:
        """When each record was first committed, by an offset beyond it or by name."""
        found: dict[tuple[int, int], float] = {}
        reached: dict[int, int] = defaultdict(int)
        for commit in self.commits:
            spans = ((reached[commit.partition], commit.offset), *commit.ahead)
            for offset in (offset for start, end in spans for offset in range(start, end)):
                found.setdefault((commit.partition, offset), commit.at)
            reached[commit.partition] = max(commit.offset, reached[commit.partition])
        return found

    @property
    def ahead(self) -> list[tuple[int, int]]:
        """Records that were committed before they were settled (invariant 1), by partition and offset."""
        never = float("inf")
        records = {self._key(number) for number in self.places}
        early = [key for key, at in self._covered.items() if self._settled.get(key, never) > at + CLOCK]
        return [(partition, at) for partition, at in early if (partition, at) in records or at >= self._ends[partition]]

    @property
    def uncommitted(self) -> list[int]:
        """Partitions whose last commit is not their end."""
        last = {commit.partition: commit.offset for commit in self.commits}
        return [partition for partition, end in self._ends.items() if last.get(partition) != end]

    @property
    def back(self) -> list[Commit]:
        """Commits below an earlier one (invariant 3)."""
        highest: dict[int, int] = defaultdict(int)
        found = []
        for commit in self.commits:
            if commit.offset < highest[commit.partition]:
                found.append(commit)
            highest[commit.partition] = max(commit.offset, highest[commit.partition])
        return found

    @property
    def after_commit(self) -> list[int]:
        """Deliveries that were sent though their record was committed already."""
        never = float("inf")
        whole = [call for call in self.calls if not self._half_way(call)]
        sent = [(call, one.number) for call in whole for one in call.deliveries if one.number in self.places]
        return [number for call, number in sent if call.wall > self._covered.get(self._key(number), never) + CLOCK]

    def _key(self, number: int) -> tuple[int, int]:
        partition, offset, _ = self.places[number]
        return partition, offset

    # Order.

    @cached_property
    def _lanes(self) -> Mapping[str, list[Sent]]:
        found: dict[str, list[Sent]] = defaultdict(list)
        for _, sent in self.taken:
            found[sent.visitor].append(sent)
        return found

    @property
    def out_of_order(self) -> list[int]:
        """Events whose first acceptance came before that of an older one of their lane.

        What was buried, and comes again because its process died before the commit, has lost its place in the lane.
        """
        found = []
        buried = {letter.number for letter in self.letters}
        for sents in self._lanes.values():
            first = list(dict.fromkeys(self.places[each.number].offset for each in sents if each.number not in buried))
            found += [later for earlier, later in pairwise(first) if later < earlier]
        return found

    @property
    def stale(self) -> list[str]:
        """Lanes whose last acceptance is not the newest record's."""
        offsets = {lane: [self.places[sent.number].offset for sent in sents] for lane, sents in self._lanes.items()}
        return [lane for lane, each in offsets.items() if each[-1] != max(each)]

    # Repeats.

    @cached_property
    def repeats(self) -> Repeats:
        """What was taken more than once, by cause."""
        after: dict[int, int] = defaultdict(int)
        unread, unexplained = 0, []
        for number, calls in self._by_number.items():
            for before, again in pairwise(calls):
                if (cause := self._cause(before, again)) is not None:
                    after[cause] += 1
                elif before.answered is None:
                    unread += 1
                else:
                    unexplained.append(number)
        return Repeats(after, unread, unexplained)

    def _cause(self, before: Call, again: Call) -> int | None:
        """The fault between two acceptances that explains the second one."""
        causes = [place for place, fault in enumerate(self.faults) if _explains(fault, before, again)]
        return min(causes, key=lambda place: CAUSES.index(self.faults[place].kind), default=None)

    def may_repeat(self, fault: Fault) -> int:
        """Deliveries of a replica that nobody may have committed: in flight, or taken within a commit interval.

        Where another one was gone shortly before, the group may not have taken commits since then; nor since one that
        was gone shortly before that.
        """
        since = fault.begun - LATENCY - COMMIT_INTERVAL - SLACK
        others = [each.begun for each in self.faults if each.kind in GONE and each.begun < fault.begun]
        for begun in sorted(others, reverse=True):
            if since < begun + self.rest:
                since = min(since, begun)
        return sum(call.agent == fault.agent and since <= call.wall <= fault.begun + CLOCK for call, _ in self.taken)

    # Dead letters.

    def refused_alone(self, number: int) -> int:
        """How often the vendor refused an event as its own fault or at random: no 200, 401 or 429."""
        return self._refusals.get(number, 0)

    @cached_property
    def _refusals(self) -> Mapping[int, int]:
        found: dict[int, int] = defaultdict(int)
        for call in self.calls:
            if len(call.deliveries) == 1 and call.status not in (200, 401, 429):
                found[call.deliveries[0].number] += 1
        return found

    def unlucky(self, numbers: Sequence[int]) -> list[int]:
        """Those that the vendor refused as often as the file allows."""
        return [number for number in numbers if self.refused_alone(number) >= MAX_ATTEMPTS]

    # Time.

    def flows_after(self, fault: Fault) -> float:
        """Seconds until something was taken of what a fault had stopped; the longest of a replica's partitions."""
        if fault.kind not in GONE:
            later = (call.wall for call, sent in self.taken if self._came(sent, fault) and call.wall >= fault.ended)
            return next(later, float("inf")) - fault.ended
        firsts: dict[int, float] = {}
        for call, sent in self.taken[self._from(fault.begun) :]:
            if call.agent != fault.agent or call.wall >= fault.ended > fault.begun:
                firsts.setdefault(self.places[sent.number].partition, call.wall)
        return max((firsts.get(n, float("inf")) - fault.begun for n in fault.partitions), default=0.0)

    def _came(self, sent: Sent, fault: Fault) -> bool:
        """Whether an event can tell that a fault is over: any, but what was in memory when the broker went."""
        return fault.kind == "vendor" or self.places[sent.number].appended >= fault.ended

    def _from(self, wall: float) -> int:
        return bisect_left(self.taken, wall, key=lambda each: each[0].wall)

    def waits(self) -> Iterator[tuple[float, int]]:
        """Seconds from a record's way into Kafka's log to its first acceptance; and its number.

        While a broker restarts nobody can be served, so that what came before counts from its return. Where replicas
        were gone that had the record's partition, one after another, each begins a time of its own: the longest counts.
        """
        outages = [fault for fault in self.faults if fault.kind == "broker"]
        gone = [fault for fault in self.faults if fault.kind in GONE]
        for number, calls in self._by_number.items():
            place, taken = self.places[number], calls[0].wall
            start = place.appended
            for fault in outages:
                if start < fault.ended and taken > fault.begun:
                    start = max(start, min(fault.ended, taken))
            cuts = [
                fault.begun for fault in gone if place.partition in fault.partitions and start < fault.begun < taken
            ]
            yield max(later - earlier for earlier, later in pairwise([start, *sorted(cuts), taken])), number


def _explains(fault: Fault, before: Call, again: Call) -> bool:
    """Whether a fault lies so between two acceptances that the second one is no wonder."""
    if fault.kind == "broker":  # while one is away commits fail, and sessions end
        return fault.begun <= again.wall and before.wall <= fault.ended + SESSION
    if fault.agent != before.agent:
        return False
    if fault.kind in GONE:
        return before.wall <= fault.begun + CLOCK <= again.wall
    if fault.kind == "late":  # one line tells of many
        return again.agent == fault.agent and before.wall - TOLD <= fault.begun <= again.wall + TOLD
    return fault.kind == "lost" and before.wall <= fault.begun <= again.wall + TOLD
