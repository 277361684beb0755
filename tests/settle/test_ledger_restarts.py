"""What a crash repeats, against a naive model: one partition, its log, its coordinator, and processes that end."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from processor.offsets import Bookmark, PartitionLog
from processor.records import Assignment, Record
from processor.settle.ledger import Ledger
from processor.settle.settler import spans_of
from tests.support.records import record

KEY = ("clicks", 0)


class Restarts(RuleBasedStateMachine):
    """Records are read, settle in any order, are committed or not; now and then the process is killed.

    Attributes:
        log: offsets that hold a record; those between them are gone by compaction.
        end: the lowest offset that no record had yet.
        done: offsets that were settled by any process.
        known: those of them that this process knows of.
        held, saved: what the coordinator has, and what the process knew that wrote it.
        open: what this process was given and has not settled.
    """

    def __init__(self) -> None:
        super().__init__()
        self.log: list[int] = []
        self.end = 0
        self.done: set[int] = set()
        self.held = Bookmark(0)
        self.saved: set[int] = set()
        self.epoch = 0
        self._start()

    def _start(self) -> None:
        self.epoch += 1
        self.ledger = Ledger(0.0)
        self.assignment = Assignment(*KEY, self.epoch)
        self.open: dict[int, Record] = {}
        self.position = self.held.offset
        self.known = set(self.saved)
        self.ledger.begin(self.assignment, self.ledger.resume(self.held, PartitionLog()))

    @rule(gaps=st.lists(st.sampled_from([0, 0, 0, 1, 4]), min_size=1, max_size=20))
    def produce(self, gaps: list[int]) -> None:
        """The log grows."""
        for gap in gaps:
            self.log.append(self.end + gap)
            self.end += gap + 1

    @rule(data=st.data())
    def compact(self, data: st.DataObject) -> None:
        """Records that were settled may vanish, also while nobody reads."""
        gone = data.draw(st.sets(st.sampled_from(sorted(self.done)), max_size=5)) if self.done else set()
        self.log = [offset for offset in self.log if offset not in gone]

    @rule(most=st.integers(1, 12))
    def poll(self, most: int) -> None:
        """The next records come: exactly those are handed over that the coordinator's metadata does not name."""
        offsets = [offset for offset in self.log if offset >= self.position][:most]
        if not offsets:
            return
        records = [record(offset, at=self.assignment) for offset in offsets]
        given = self.ledger.receive(KEY, records)
        self.position = offsets[-1] + 1
        assert [one.offset for one in given] == [offset for offset in offsets if offset not in self.saved]
        self.open |= {one.offset: one for one in given}

    @precondition(lambda self: self.open)
    @rule(data=st.data())
    def settle(self, data: st.DataObject) -> None:
        """Any of them settle."""
        offsets = data.draw(st.sets(st.sampled_from(sorted(self.open)), min_size=1))
        self.done |= offsets
        self.known |= offsets
        self.ledger.settle(list(spans_of(self.assignment, [self.open.pop(offset) for offset in offsets])))

    @rule(taken=st.booleans())
    def commit(self, taken: bool) -> None:  # noqa: FBT001 - drawn by hypothesis
        """A commit is sent, and taken or not; below it everything is settled (invariant 1)."""
        bookmarks = self.ledger.commits_of([KEY], 0.0)
        if KEY in bookmarks:
            assert all(offset in self.done for offset in self.log if offset < bookmarks[KEY].offset)
            assert bookmarks[KEY].offset >= self.held.offset
            if taken:
                self.held, self.saved = bookmarks[KEY], set(self.known)
        self.ledger.commit_answered({key: held.offset for key, held in bookmarks.items()} if taken else {})

    @rule()
    def kill(self) -> None:
        """The process ends without a word, and another one goes on."""
        self._start()

    @invariant()
    def the_account(self) -> None:
        """Read is settled or unsettled (invariant 7); when nothing is left to read or open, all may be committed."""
        view = self.ledger.view()[KEY]
        assert view.records == len(self.open)
        assert view.size == sum(one.size for one in self.open.values())
        if not self.open and self.log and self.position > self.log[-1]:
            assert view.frontier is not None
            assert view.frontier > self.log[-1]
        if view.records:
            assert view.frontier == min(self.open)


TestRestarts = Restarts.TestCase
TestRestarts.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)
