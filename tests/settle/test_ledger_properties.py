"""The ledger against a naive model: sets of offsets, and arithmetic that anybody can check."""

from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from processor.offsets import Start
from processor.records import Assignment, Key, Record
from processor.settle.ledger import Ledger
from processor.settle.settler import spans_of
from tests.support.records import record

PARTITIONS = st.integers(0, 1)
GAPS = st.lists(st.sampled_from([0, 0, 0, 1, 3]), min_size=1, max_size=8)
VALUES = st.binary(max_size=5)


@dataclass
class Naive:
    """What is known of one assignment, without any cleverness.

    Attributes:
        start: the group's offset at the assignment, or the first record's.
        position: the next offset that the broker would give.
        polls: the records of each poll.
        settled: offsets.
        sent: the highest offset that was committed.
    """

    assignment: Assignment
    start: int | None
    position: int
    polls: list[list[Record]] = field(default_factory=list)
    settled: set[int] = field(default_factory=set)
    sent: int = -1

    @property
    def open(self) -> list[Record]:
        """Received and not settled."""
        return [one for poll in self.polls for one in poll if one.offset not in self.settled]

    @property
    def frontier(self) -> int | None:
        """The lowest unsettled offset, or where the next record is expected."""
        if self.start is None:
            return None
        return min([one.offset for one in self.open] or [self.position])

    @property
    def ahead(self) -> int:
        """Runs beyond the frontier in which nothing is unsettled."""
        offsets = [one.offset for one in self.open]
        return sum(after > before + 1 for before, after in zip(offsets, [*offsets[1:], self.position], strict=True))

    @property
    def settled_ahead(self) -> int:
        """Offsets beyond the frontier that hold nothing open."""
        return 0 if self.frontier is None else self.position - self.frontier - len(self.open)

    @property
    def oldest(self) -> int | None:
        """The first timestamp of the first poll with an unsettled record."""
        open_polls = [poll for poll in self.polls if any(one.offset not in self.settled for one in poll)]
        return open_polls[0][0].timestamp if open_polls else None


class LedgerMachine(RuleBasedStateMachine):
    """Partitions come, go and are read again; records settle in any order and grouping; commits succeed or fail."""

    def __init__(self) -> None:
        super().__init__()
        self.ledger = Ledger(1.0)
        self.now = 0.0
        self.epoch = 0
        self.live: dict[Key, Naive] = {}
        self.ended: list[Naive] = []
        self.in_flight: dict[Key, int] | None = None

    @rule(partition=PARTITIONS, start=st.integers(0, 50), known=st.booleans())
    def assign(self, partition: int, start: int, known: bool) -> None:  # noqa: FBT001 - drawn by hypothesis
        """A partition comes, or begins again, wherever the group's offset is."""
        key = ("clicks", partition)
        self._end(key)
        self.epoch += 1
        committed = start if known else None
        naive = self.live[key] = Naive(Assignment(*key, self.epoch), committed, start)
        self.ledger.begin(naive.assignment, Start(committed, committed))

    @rule(partition=PARTITIONS)
    def revoke(self, partition: int) -> None:
        """A partition leaves, if it is here."""
        self._end(("clicks", partition))

    @precondition(lambda self: self.live)
    @rule(data=st.data(), gaps=GAPS, value=VALUES)
    def receive(self, data: st.DataObject, gaps: list[int], value: bytes) -> None:
        """A poll brings records, with gaps before and between them."""
        naive = self._one(data)
        records = []
        for gap in gaps:
            offset = naive.position + gap
            records.append(record(offset, at=naive.assignment, value=value, timestamp=1000 + offset))
            naive.position = offset + 1
        naive.polls.append(records)
        naive.start = records[0].offset if naive.start is None else naive.start
        assert self.ledger.receive(naive.assignment.key, records) is records

    @precondition(lambda self: any(naive.open for naive in [*self.live.values(), *self.ended]))
    @rule(data=st.data())
    def settle(self, data: st.DataObject) -> None:
        """Any records settle, of live assignments and of ended ones."""
        naive = data.draw(st.sampled_from([one for one in [*self.live.values(), *self.ended] if one.open]))
        records = data.draw(st.lists(st.sampled_from(naive.open), unique=True, min_size=1))
        naive.settled |= {one.offset for one in records}
        self.ledger.settle(list(spans_of(naive.assignment, records)))

    @precondition(lambda self: any(naive.start is not None for naive in self.live.values()))
    @rule(data=st.data(), ahead=st.integers(-2, 4))
    def skip(self, data: st.DataObject, ahead: int) -> None:
        """The consumer's position is a little further, for markers, or not."""
        naive = data.draw(st.sampled_from([one for one in self.live.values() if one.start is not None]))
        self.ledger.skip_to(naive.assignment.key, naive.position + ahead)
        naive.position += max(ahead, 0)

    @rule(seconds=st.sampled_from([0.0, 0.5, 1.0]))
    def commit(self, seconds: float) -> None:
        """A commit goes out when it is due; it never holds what is unsettled, and never goes back."""
        self.now += seconds
        if not self.ledger.commit_due(self.now):
            return
        assert self.in_flight is None
        offsets = {key: held.offset for key, held in self.ledger.commits_of(self.live, self.now).items()}
        for key, offset in offsets.items():
            naive = self.live[key]
            assert all(one.offset >= offset for one in naive.open), "invariant 1"
            assert offset >= naive.sent, "invariant 3"
            naive.sent = offset
        self.in_flight = offsets or None

    @precondition(lambda self: self.in_flight is not None)
    @rule(taken=st.booleans())
    def answer(self, taken: bool) -> None:  # noqa: FBT001 - drawn by hypothesis
        """The coordinator took the commit, or not."""
        self.ledger.commit_answered(self.in_flight if taken and self.in_flight else {})
        self.in_flight = None

    @invariant()
    def the_naive_answer(self) -> None:
        """The ledger knows what the model knows, after every step."""
        view = self.ledger.view()
        assert view.keys() == self.live.keys()
        for key, naive in self.live.items():
            seen = view[key]
            assert seen.frontier == naive.frontier
            assert seen.records == len(naive.open)
            assert seen.size == sum(one.size for one in naive.open)
            assert seen.ahead == (naive.ahead if naive.open else 0)
            assert seen.oldest == naive.oldest
            assert seen.next == (None if naive.start is None else naive.position)
            assert seen.settled_ahead == naive.settled_ahead
        assert self.ledger.commit_in_flight == (self.in_flight is not None)

    def _one(self, data: st.DataObject) -> Naive:
        return data.draw(st.sampled_from(list(self.live.values())))

    def _end(self, key: Key) -> None:
        naive = self.live.pop(key, None)
        if naive is not None:
            self.ended.append(naive)
        ended = self.ledger.end(key)
        assert ended is (naive.assignment if naive else None)


TestLedger = LedgerMachine.TestCase
TestLedger.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
