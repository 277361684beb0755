"""The referee's books of one run: what was sent, accepted, buried and settled, by delivery id."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from processor.records import Assignment, Key, Request
from tests.simulation.machine import Host
from tests.simulation.traffic import Traffic, Truth


@dataclass(eq=False, slots=True)
class Stay:
    """One assignment of one process, as the referee follows it.

    Attributes:
        committed: the group's offset when it began.
        named: what the commit named beyond it.
        generation: of the topic, when it began.
        entered: offsets of the records that its ledger gave out, in order.
        open: those of them that the ledger has not settled, with their bytes.
        settled: the others, with the time when they were entered as settled.
        reported: ids whose acceptance was reported to it.
        tried: ids that were sent.
        last: by lane, the first attempts' highest offset and index.
        lost: its client told that it was gone already, so that nothing of it could be committed any more.
    """

    assignment: Assignment
    host: Host
    committed: int
    named: frozenset[int]
    generation: int
    entered: list[int] = field(default_factory=list)
    open: dict[int, int] = field(default_factory=dict)
    settled: dict[int, float] = field(default_factory=dict)
    reported: set[str] = field(default_factory=set)
    tried: set[str] = field(default_factory=set)
    last: dict[str, tuple[int, int]] = field(default_factory=dict)
    lost: bool = False

    @property
    def frontier(self) -> int:
        """Up to where all that came is settled."""
        return min(self.open, default=max(self.entered, default=self.committed - 1) + 1)


@dataclass(slots=True)
class Books:
    """What is known of a run from outside the service.

    Attributes:
        accepted: how often the vendor accepted an id.
        reported: ids whose acceptance some process heard of.
        letters: how many letters of an id the broker has.
        stays: by assignment.
        flying: lanes of the requests in flight, by process.
        lanes: the vendor's acceptances in order: offset and index, by partition and lane.
        excused: offsets that nobody can read any more, by partition.
    """

    traffic: Traffic
    accepted: Counter[str] = field(default_factory=Counter)
    reported: set[str] = field(default_factory=set)
    letters: Counter[str] = field(default_factory=Counter)
    stays: dict[Assignment, Stay] = field(default_factory=dict)
    flying: dict[Host, set[str]] = field(default_factory=lambda: defaultdict(set))
    lanes: dict[tuple[Key, str], list[tuple[int, int]]] = field(default_factory=lambda: defaultdict(list))
    excused: dict[Key, set[int]] = field(default_factory=lambda: defaultdict(set))

    def settled(self, truth: Truth) -> bool:
        """Whether everything of a record has ended, as far as any process may know."""
        ended = all(each in self.reported or each in self.letters for each in truth.ids)
        return ended or truth.undecoded in self.letters

    def settled_in(self, stay: Stay, truth: Truth) -> bool:
        """The same, and by this very assignment."""
        ended = all(each in stay.reported or each in self.letters for each in truth.ids)
        return ended or truth.undecoded in self.letters

    def open(self, key: Key) -> list[Truth]:
        """Records of a partition that have not ended."""
        gone = self.excused[key]
        truths = self.traffic.truths.get(key, {})
        return [each for offset, each in truths.items() if offset not in gone and not self.settled(each)]

    def took(self, request: Request) -> None:
        """The vendor accepted a request."""
        for delivery in request.deliveries:
            self.accepted[delivery.id] += 1
            if delivery.lane is not None:
                self.lanes[delivery.record.assignment.key, delivery.lane].append(
                    (delivery.record.offset, delivery.index)
                )

    def begin_anew(self) -> None:
        """The topic is another one from now on: its offsets begin again, and nothing of it has ended."""
        self.traffic.begin_anew()
        for each in (self.accepted, self.reported, self.letters, self.excused):
            each.clear()
