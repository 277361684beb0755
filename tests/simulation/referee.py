"""The referee: holds what the service does against the invariants, while it does it.

It never raises into the service, which would catch it: what it finds is kept, and the world ends the run.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from confluent_kafka import TopicPartition

from processor.records import Assignment, Delivery, Headers, Key, Record, Request, Span
from processor.send.replies import Answered, Reply
from processor.settle.metadata import Settled, decode
from tests.simulation.books import Books, Stay
from tests.simulation.charges import Charge
from tests.simulation.cluster_group import Committed
from tests.simulation.config import API_KEY, PASSWORD, TOPIC, Figures
from tests.simulation.innocents import Innocents
from tests.simulation.machine import Host, Machine
from tests.simulation.traffic import Truth
from tests.support.convictions import ConvictionError

ACCEPTED = range(200, 300)
OF_ONE_TOPIC = frozenset(
    {
        Charge.LOST,
        Charge.NAMED,
        Charge.WENT_BACK,
        Charge.FIRST_ATTEMPTS,
        Charge.LETTER,
        Charge.ORDER,
        Charge.NEWEST,
        Charge.REPEATED,
        Charge.MUCH_REPEATED,
        Charge.UNCOMMITTED,
    }
)
"""What means nothing for a while where a topic is created anew under a running member: until that is found, within some
seconds, its offsets are another topic's."""
SECRETS = (API_KEY, PASSWORD)


@dataclass(slots=True)
class Tally:
    """Records of one process, as its ledger was told of them.

    Attributes:
        read: entered.
        settled: of these, in an assignment that was live, or by an earlier one.
        abandoned: unsettled when their assignment ended.
        base: unsettled before the poll that came last.
        poll: when that was.
    """

    read: int = 0
    settled: int = 0
    abandoned: int = 0
    base: int = 0
    poll: float = -1.0


class Referee:
    """Follows one run.

    Attributes:
        found: what the service is guilty of, in the order of finding.
        checked: by partition, the offset below which all is known to be settled.
        named: by partition, offsets that commits named beyond theirs.
        offsets: by partition, the group's.
        polled: when members polled last.
        ended: stays that have ended, and when.
        innocents: valid records that are dead letters.
        owners: tells to whom a partition belongs, as the group's coordinator sees it.
    """

    def __init__(self, machine: Machine, books: Books, figures: Figures) -> None:
        self._machine = machine
        self._figures = figures
        self.books = books
        self.found: list[ConvictionError] = []
        self.tallies: dict[Host, Tally] = defaultdict(Tally)
        self.live: dict[tuple[Host, Key], Stay] = {}
        self.checked: dict[Key, int] = {}
        self.named: dict[Key, set[int]] = defaultdict(set)
        self.offsets: dict[Key, int] = {}
        self.polled: dict[Host, float] = {}
        self.ended: list[tuple[float, Stay]] = []
        self.innocents = Innocents(figures)
        self.owners: Callable[[Key], set[Host]] = lambda _: set()

    @property
    def now(self) -> float:
        """Seconds since the run began."""
        return self._machine.clock.at

    def convict(self, charge: Charge, what: str) -> None:
        """Keep a finding; one that means nothing where the topic was created anew is none."""
        if self.books.traffic.generation and charge in OF_ONE_TOPIC:
            return
        self.found.append(ConvictionError(charge, f"at {self._machine.clock.at:.3f}: {what}"))

    # The ledger.

    def begins(self, host: Host, assignment: Assignment) -> None:
        """An assignment begins."""
        committed = self.offsets.get(assignment.key, 0)
        named = frozenset(self.named[assignment.key])
        stay = Stay(assignment, host, committed, named, self.books.traffic.generation)
        self.live[host, assignment.key] = self.books.stays[assignment] = stay

    def ends(self, host: Host, assignment: Assignment) -> None:
        """An assignment ends."""
        stay = self.live.pop((host, assignment.key), None)
        if stay is not None:
            self.tallies[host].abandoned += len(stay.open)
            self.ended.append((self._machine.clock.at, stay))

    def enters(
        self, host: Host, assignment: Assignment, records: Sequence[Record], unsettled: Sequence[Record]
    ) -> None:
        """Records are in the ledger now; the unsettled ones are to be sent."""
        tally, stay = self.tallies[host], self.books.stays[assignment]
        if tally.poll != self._machine.clock.at:
            tally.poll, tally.base = self._machine.clock.at, self._unsettled(host)
        if tally.base >= self._figures.max_records:
            self.convict(Charge.MEMORY, f"{host.name} reads on with {tally.base} unsettled")
        tally.read += len(records)
        tally.settled += len(records) - len(unsettled)
        for record in unsettled:
            self._check_known(stay, record.offset)
            stay.entered.append(record.offset)
            stay.open[record.offset] = record.size
        known = {record.offset for record in records} - {record.offset for record in unsettled}
        for offset in known:
            truth = self.books.traffic.truth(assignment.key, offset)
            if truth is not None and not self.books.settled(truth):
                self.convict(Charge.LOST, f"{_name(assignment.key, offset)} is passed over, and is not settled")

    def _check_known(self, stay: Stay, offset: int) -> None:
        if offset < stay.committed or offset in stay.named:
            self.convict(Charge.REPEATED, f"{_name(stay.assignment.key, offset)}, committed {stay.committed}")

    def _unsettled(self, host: Host) -> int:
        return sum(len(stay.open) for (of, _), stay in self.live.items() if of is host)

    def handed(self, records: Sequence[Record]) -> None:
        """Records are handed to the event loop."""
        for record in records:
            stay = self.books.stays.get(record.assignment)
            if stay is None or record.offset not in stay.open:
                self.convict(Charge.UNENTERED, _name(record.assignment.key, record.offset))

    def settles(self, span: Span) -> None:
        """A live assignment's ledger enters a span."""
        stay = self.books.stays[span.assignment]
        for offset in [each for each in stay.open if span.start <= each < span.end]:
            del stay.open[offset]
            stay.settled[offset] = self._machine.clock.at
            self.tallies[stay.host].settled += 1
            truth = self.books.traffic.truth(span.assignment.key, offset)
            if truth is not None and not self.books.settled_in(stay, truth):
                self._convict_unsettled(truth, "is entered as settled")

    def late(self, span: Span) -> None:
        """A result of an ended assignment changed the ledger."""
        self.convict(Charge.LATE, _name(span.assignment.key, span.start))

    def _convict_unsettled(self, truth: Truth, what: str) -> None:
        missing = {each for each in truth.ids if each not in self.books.reported and each not in self.books.letters}
        charge = Charge.LETTER if missing <= truth.letters | truth.doomed.keys() else Charge.LOST
        self.convict(charge, f"{_name(truth.key, truth.offset)} ({truth.kind.name}) {what}; not done: {missing}")

    def recreated(self) -> None:
        """The topic is another one from now on."""
        self.books.begin_anew()
        self.checked.clear()
        self.named.clear()
        self.offsets.clear()

    # Commits.

    def commits(self, host: Host, offsets: Sequence[TopicPartition], *, alone: bool) -> None:
        """A member sends a commit; `alone` = no other one of its partitions is in flight, or they are leaving."""
        if not alone:
            self.convict(Charge.TWO_COMMITS, host.name)
        for each in offsets:
            if (host, (each.topic, each.partition)) not in self.live:
                self.convict(Charge.NOT_OURS, f"{host.name} commits {each.topic}[{each.partition}]")

    def committed(self, commit: Committed) -> None:
        """The coordinator took one."""
        key = commit.key
        if commit.before is not None and commit.offset < commit.before:
            self.convict(Charge.WENT_BACK, f"{_name(key, commit.offset)} after {commit.before}, by {commit.host.name}")
        for offset in range(self.checked.get(key, 0), commit.offset):
            self._check_committed(key, offset, Charge.LOST)
        self.checked[key] = max(self.checked.get(key, 0), commit.offset)
        self.offsets[key] = commit.offset
        self._look_for_secrets(commit.metadata)
        settled = decode(commit.metadata) if commit.metadata else None
        ahead = settled.ahead if isinstance(settled, Settled) and settled.base == commit.offset else ()
        self.named[key] = {offset for start, end in ahead for offset in range(start, end)}
        for offset in self.named[key]:
            self._check_committed(key, offset, Charge.NAMED)

    def _check_committed(self, key: Key, offset: int, charge: Charge) -> None:
        truth = self.books.traffic.truth(key, offset)
        if truth is None or offset in self.books.excused[key] or self.books.settled(truth):
            return
        if charge is Charge.NAMED:
            self.convict(charge, _name(key, offset))
        else:
            self._convict_unsettled(truth, "is below a committed offset")

    # Sending.

    def sent(self, host: Host, request: Request) -> None:
        """A process sends a request."""
        flying = self.books.flying[host]
        lanes = {delivery.lane for delivery in request.deliveries if delivery.lane is not None}
        if flying & lanes:
            self.convict(Charge.TWO_IN_LANE, f"{host.name}: {flying & lanes}")
        flying |= lanes
        for delivery in request.deliveries:
            self._check_first(host, delivery)

    def _check_first(self, host: Host, delivery: Delivery) -> None:
        key = delivery.record.assignment.key
        if (owners := self.owners(key)) and host not in owners:
            self.convict(Charge.STALE_MEMBER, f"{host.name} sends {delivery.id}")
        stay = self.books.stays.get(delivery.record.assignment)
        if stay is None or delivery.record.offset not in stay.open:
            self.convict(Charge.UNENTERED, f"{delivery.id} is sent")
            return
        if delivery.lane is None:
            return
        at = delivery.record.offset, delivery.index
        if delivery.id not in stay.tried:
            stay.tried.add(delivery.id)
            if at < stay.last.get(delivery.lane, (-1, -1)):
                self.convict(Charge.FIRST_ATTEMPTS, f"{delivery.id} after {stay.last[delivery.lane]}")
            stay.last[delivery.lane] = at

    def answered(self, host: Host, request: Request, reply: Reply) -> None:
        """A process hears what became of its request."""
        self.books.flying[host] -= {delivery.lane for delivery in request.deliveries if delivery.lane is not None}
        if isinstance(reply, Answered) and reply.status in ACCEPTED:
            for delivery in request.deliveries:
                stay = self.books.stays[delivery.record.assignment]
                stay.reported.add(delivery.id)
                if stay.generation == self.books.traffic.generation:
                    self.books.reported.add(delivery.id)

    def took(self, request: Request) -> None:
        """The vendor accepts a request.

        What was buried, and comes again because its process died before the commit, has lost its place in the lane.
        """
        for delivery in request.deliveries:
            known = self.books.accepted[delivery.id] or self.books.letters[delivery.id]
            if delivery.lane is not None and not known:
                before = self.books.lanes[delivery.record.assignment.key, delivery.lane]
                at = delivery.record.offset, delivery.index
                if before and at < max(before):
                    self.convict(Charge.ORDER, f"{delivery.id} after {max(before)}")
        self.books.took(request)

    def letter(self, host: Host, topic: str, key: bytes | None, value: bytes | None, headers: Headers | None) -> None:
        """The broker has a dead letter."""
        said = {name: str(text, "utf-8") if isinstance(text, bytes) else text or "" for name, text in headers or ()}
        name = said["dlq.delivery.id"]
        self.books.letters[name] += 1
        self._look_for_secrets(f"{topic} {key!r} {value!r} {said}")
        truth = self.books.traffic.truth(*_at(name))
        valid = truth is not None and name not in truth.letters | truth.doomed.keys()
        if valid and not self.innocents.buried(self.now, host, said):
            self.convict(Charge.INNOCENT, str(said))

    # Words.

    def logged(self, line: str) -> None:
        """Somebody said something."""
        self._look_for_secrets(line)

    def _look_for_secrets(self, text: str) -> None:
        if any(secret in text for secret in SECRETS):
            self.convict(Charge.SECRET, text[:200])


def _name(key: Key, offset: int) -> str:
    return f"{key[0] if key[0] != TOPIC else ''}[{key[1]}] offset {offset}"


def _at(name: str) -> tuple[Key, int]:
    """Where a delivery's record is."""
    topic, partition, offset, *_ = name.split(":")
    return (topic, int(partition)), int(offset)
