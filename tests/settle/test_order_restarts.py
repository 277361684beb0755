"""Lanes keep their order over crashes: one partition, its log, its coordinator, a vendor, and processes that end."""

import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pytest

from processor.offsets import Bookmark, PartitionLog
from processor.records import Assignment, Record, Span
from processor.settle.ledger import Ledger
from processor.settle.naming import Naming
from processor.settle.settler import Settler
from tests.support.records import record

KEY = ("clicks", 0)
LANES = ("ann", "bob", "eve", "ida", "joe", None)


@dataclass(frozen=True)
class Wanted:
    """What one route makes of a record: a delivery in a lane, if its mapping is right."""

    lane: str | None
    right: bool


@dataclass(eq=False)
class Waiting:
    """A delivery of this process."""

    record: Record
    lane: str | None


class Crashes:
    """Records are read, delivered, refused, buried, committed or not; now and then the process is killed.

    Attributes:
        log: for each offset, what the routes want.
        accepted: by lane, the offsets in the order in which the vendor took them, over all processes.
        given_up: by lane, those that any process gave a letter: their lane has gone on without them.
        repaired: whether this process has the right mapping for all.
        waiting, letters: of this process; deliveries in the order of the log, and records with a letter under way.
        spared: records that were read again and not sent again.
    """

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311 - it plays dice
        self.log: list[list[Wanted]] = []
        self.accepted: dict[str, list[int]] = defaultdict(list)
        self.given_up: set[tuple[str | None, int]] = set()
        self.held = Bookmark(0)
        self.epoch = 0
        self.spared = 0
        self.start(repaired=False)

    def start(self, *, repaired: bool) -> None:
        """A process begins where the coordinator's bookmark is."""
        self.epoch += 1
        self.repaired = repaired
        self.ledger = Ledger(0.0)
        self.assignment = Assignment(*KEY, self.epoch)
        self.turns: list[Callable[[], None]] = []
        self.settler = Settler(self.post, self.turns.append)
        self.waiting: list[Waiting] = []
        self.letters: list[Record] = []
        self.position = self.held.offset
        self.ledger.begin(self.assignment, self.ledger.resume(self.held, PartitionLog()))

    def post(self, spans: list[Span]) -> None:
        """The Kafka thread is told what is settled."""
        self.ledger.settle(spans)

    def run(self, steps: int) -> None:
        """So many steps, then a last crash, and nothing is left waiting."""
        weights = {
            self.produce: 2,
            self.poll: 3,
            self.accept: 12,
            self.refuse: 1,
            self.acknowledge: 1,
            self.turn: 4,
            self.commit: 3,
            self.kill: 0.4,
        }
        for step in self.random.choices(list(weights), list(weights.values()), k=steps):
            step()
        self.kill()
        self.finish()

    def produce(self) -> None:
        """The log grows."""
        for _ in range(self.random.randint(1, 6)):
            routes = self.random.choice((0, 1, 1, 1, 2, 2, 3))
            self.log.append([Wanted(self.random.choice(LANES), self.random.random() > 0.05) for _ in range(routes)])

    def poll(self) -> None:
        """The next records come, and become deliveries and letters."""
        self.take(self.random.randint(1, 12))

    def take(self, most: int) -> None:
        """So many records are read; those that are not to be sent again are left out."""
        offsets = range(self.position, min(self.position + most, len(self.log)))
        if not offsets:
            return
        self.position = offsets.stop
        given = self.ledger.receive(KEY, [record(offset, at=self.assignment) for offset in offsets])
        self.spared += len(offsets) - len(given)
        for one in given:
            right = [route for route in self.log[one.offset] if route.right or self.repaired]
            wrong = [route for route in self.log[one.offset] if not (route.right or self.repaired)]
            spread = len({route.lane for route in right}) > 1
            self.settler.open(one, len(right) + len(wrong), spread=spread, stray=bool(wrong))
            self.waiting += [Waiting(one, route.lane) for route in right]
            self.letters += [one] * len(wrong)
            self.given_up |= {(route.lane, one.offset) for route in wrong}

    def heads(self) -> Iterator[Waiting]:
        """Who may be sent: the first one of each lane, and all that have none."""
        seen = set()
        for one in self.waiting:
            if one.lane is None or one.lane not in seen:
                seen.add(one.lane)
                yield one

    def next(self) -> Waiting | None:
        """Any of them goes out."""
        heads = list(self.heads())
        if not heads:
            return None
        head = self.random.choice(heads)
        self.waiting.remove(head)
        return head

    def accept(self) -> None:
        """The vendor takes a lane's head."""
        if one := self.next():
            self.taken(one)

    def taken(self, one: Waiting) -> None:
        """This one was accepted."""
        if one.lane is not None:
            self.accepted[one.lane].append(one.record.offset)
        self.settler.close(one.record, one.lane)

    def refuse(self) -> None:
        """A lane's head is given up; the lane goes on."""
        if one := self.next():
            self.given_up.add((one.lane, one.record.offset))
            self.settler.leave(one.record, one.lane)
            self.letters.append(one.record)

    def acknowledge(self) -> None:
        """The broker takes a letter."""
        if self.letters:
            self.settler.close(self.letters.pop(self.random.randrange(len(self.letters))))

    def turn(self) -> None:
        """The Kafka thread learns what is settled."""
        due, self.turns[:] = list(self.turns), []
        for run in due:
            run()

    def commit(self) -> None:
        """A commit is sent, and mostly taken."""
        bookmarks = self.ledger.commits_of([KEY], 0.0)
        taken = self.random.random() > 0.2
        if taken and KEY in bookmarks:
            self.held = bookmarks[KEY]
        self.ledger.commit_answered({key: held.offset for key, held in bookmarks.items()} if taken else {})

    def kill(self) -> None:
        """The process ends without a word, and another one goes on, now and then with a repaired mapping."""
        self.start(repaired=self.repaired or self.random.random() > 0.5)

    def finish(self) -> None:
        """Where nothing waits any more, each lane was accepted in order, and last of all its newest."""
        self.take(len(self.log))
        while self.waiting:
            self.taken(self.waiting.pop(0))
        while self.letters:
            self.settler.close(self.letters.pop())
        self.turn()
        for lane, offsets in self.accepted.items():
            newer = [offset for offset in offsets if offset > offsets[-1]]
            assert all((lane, offset) in self.given_up for offset in newer), lane
            firsts = [offset for offset in dict.fromkeys(offsets) if (lane, offset) not in self.given_up]
            assert firsts == sorted(firsts), lane
        assert self.ledger.view()[KEY].frontier in {None, len(self.log)}


class NamesAll(Crashes):
    """What is settled is named, whoever may come again before it."""

    def post(self, spans: list[Span]) -> None:
        super().post([replace(span, named=True, below=None) for span in spans])


class NamesBehindStrays(Crashes):
    """What failed before its lane was known is in none."""

    def post(self, spans: list[Span]) -> None:
        super().post([replace(span, below=None) for span in spans])


class Forgetful(Naming):
    """Only unsettled records keep later ones from being named, not those that are settled and not named."""

    def settle(self, offset: int, lane: str | None) -> bool:
        """Settle, and let the lanes go on."""
        named = super().settle(offset, lane)
        self._last = {lane: place for lane, place in self._last.items() if not place.settled}
        return named


class NamesBehindUnnamed(Crashes):
    """Records that are settled, but not named, keep nobody from being named."""

    def start(self, *, repaired: bool) -> None:
        super().start(repaired=repaired)
        self.settler._namings[self.assignment] = Forgetful()


SEEDS = range(3000)
STEPS = 70
"""Short lives: what a lane gets later hides what went wrong in it before."""


def spared(crashes: type[Crashes]) -> int:
    """Let many processes crash; how many records were not sent again, though they were read again."""
    total = 0
    for seed in SEEDS:
        world = crashes(seed)
        world.run(STEPS)
        total += world.spared
    return total


def test_a_crash_breaks_no_order() -> None:
    """First acceptances of a lane are in order and its last is the newest record's, whenever processes end."""
    assert spared(Crashes) > len(SEEDS)  # what may be named is


@pytest.mark.parametrize("fault", [NamesAll, NamesBehindStrays, NamesBehindUnnamed])
def test_the_model_convicts(fault: type[Crashes]) -> None:
    """A rule that names too much breaks an order, and is found."""
    with pytest.raises(AssertionError):
        spared(fault)
