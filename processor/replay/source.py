"""Replays from the source topics: what the vendor accepted although it was wrong, and what was before the service."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from processor.errors import FatalError
from processor.expressions.event_functions import key_text
from processor.records import Record
from processor.replay.access import Access
from processor.replay.history import History, Run
from processor.replay.letter_feed import RecordFeed
from processor.replay.live import refuse_beside
from processor.replay.reading import ends_of
from processor.replay.run import Found, Terms, done_by, found_of, new_run
from processor.replay.survey import Oldest, Passed, Survey

KIND = "source"


@dataclass(frozen=True, slots=True)
class Range:
    """Which records a person asked for.

    Attributes:
        topics: names.
        since, until: by Kafka's timestamps, from the one to just before the other; None = the end of now.
        routes: those to deliver; empty = all that read these topics.
        key: the record's, as text; None = all.
        waived: rules that do not hold this time.
    """

    topics: tuple[str, ...]
    since: datetime
    until: datetime | None
    routes: tuple[str, ...]
    key: str | None
    waived: tuple[str, ...]

    def as_json(self) -> dict[str, object]:
        """For the audit."""
        return {
            "topics": list(self.topics),
            "from": self.since.isoformat(),
            "to": self.until and self.until.isoformat(),
            "routes": list(self.routes),
            "key": self.key,
            "waived": list(self.waived),
        }

    @classmethod
    def of(cls, run: Run) -> "Range":
        """What was asked for when a run began."""
        said = run.selectors
        until = said.get("to")
        return cls(
            tuple(said["topics"]),
            datetime.fromisoformat(said["from"]),
            until and datetime.fromisoformat(until),
            tuple(said["routes"]),
            said["key"],
            tuple(said["waived"]),
        )

    def wants(self, record: Record) -> bool:
        """Whether a record is meant; timestamps need not ascend, so those between the offsets may be others."""
        if not milliseconds(self.since) <= record.timestamp:
            return False
        if self.until is not None and record.timestamp >= milliseconds(self.until):
            return False
        return self.key is None or key_text(record.key) == self.key


def milliseconds(time: datetime) -> int:
    """As Kafka has it."""
    return round(time.timestamp() * 1000)


def of_routes(access: Access, names: Sequence[str]) -> Access:
    """The same with these routes only; all, where none is named.

    Raises:
        FatalError: the destination has no such route.
    """
    plan = access.plan
    unknown = [name for name in names if name not in plan.mappers]
    if unknown:
        raise FatalError(f"{plan.name} has no route {', '.join(unknown)}; it has: {', '.join(plan.mappers)}")
    routes = tuple(route for route in plan.routes if not names or route.name in names)
    return replace(access, plan=replace(plan, routes=routes))


def find_records(
    access: Access, wanted: Range, terms: Terms, resumed: Run | None, history: History, wall: float
) -> Found:
    """Look at the source records; nothing is changed.

    Args:
        access: to the dead-letter topic, whose audit topic is told; with the routes that are meant.
        wanted: what is asked for; where a run goes on, what was asked for then counts.
        terms: how it goes.
        resumed: a run that is to go on; None = a new one.
        history: what became of records before.
        wall: seconds since 1970.

    Raises:
        FatalError: Kafka does not answer, there is no such topic, or another run goes on.
    """
    if resumed is None:
        refuse_beside(access, history, wall)
        begins, ends = _bounds(access, wanted)
        run = new_run(access, terms, wall, kind=KIND, selectors=wanted.as_json(), begins=begins, ends=ends)
    else:
        run = resumed
        begins = run.begins
    batches = (records for topic, its in run.ends.items() for records in access.reader.read(topic, begins[topic], its))
    found = _survey(batches, wanted, Oldest(run.max, done_by(run, history)))
    return found_of(run, terms.rate, found, history, RecordFeed)


def _bounds(access: Access, wanted: Range) -> tuple[dict[str, dict[int, int]], dict[str, dict[int, int]]]:
    begins, ends = {}, {}
    for topic in wanted.topics:
        known = access.reader.watermarks(topic)
        if known is None:
            raise FatalError(f"the topic {topic} does not exist, so there is nothing to replay")
        begins[topic] = access.reader.offsets_at(topic, known, milliseconds(wanted.since))
        # Also where `--to` is given: behind one record that is stamped late there may be others of the range.
        ends[topic] = ends_of(known)
    return begins, ends


def _survey(batches: Iterable[Sequence[Record]], wanted: Range, oldest: Oldest) -> Survey:
    read = 0
    for records in batches:
        read += len(records)
        for record in records:
            if wanted.wants(record):
                oldest.add(record)
    passed = Counter({Passed.NOT_SELECTED: read - oldest.kept - oldest.beyond, Passed.BEYOND_MAX: oldest.beyond})
    return Survey(oldest.spans(), passed, read, milliseconds(wanted.since))
