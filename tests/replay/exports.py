"""An export of a dead-letter topic on the run's broker, and what a command has to put it back."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog
from confluent_kafka import TopicPartition

from processor.clock import SystemClock
from processor.expressions.language import Language
from processor.logs import logger
from processor.plan import load_plans
from processor.records import Record
from processor.replay.access import Access, opened
from processor.replay.audit_writer import AuditWriter
from processor.replay.export import Export, open_export
from processor.replay.history import Run
from processor.replay.letter import RESTORED
from processor.replay.restoring import Restoring
from processor.replay.run import Found, Order, Terms
from processor.replay.selectors import Selection, Selectors
from processor.replay.spans import Spans
from processor.replay.walk import Walk
from tests.cli.dead_letters import Scene as Letters
from tests.replay.audits import WALL
from tests.support.broker import admin_client
from tests.support.waiting import eventually_sync

LANGUAGE = Language({}, lambda: WALL)
ORDER = Order(Selectors(), discarded=False, max_replays=3)


def walk(selectors: Selectors) -> Walk:
    """Picks letters."""
    return Walk(Selection(selectors, "voyado", LANGUAGE), lambda _: None)


class KilledError(BaseException):
    """The process ends here; nothing is cleaned up."""


@dataclass
class Desk:
    """A dead-letter topic with letters, an export of it, and what a command has for both."""

    letters: Letters
    access: Access
    writer: AuditWriter
    export: Export
    wall: float = WALL
    step: float = 120.0

    def restoring(self, order: Order = ORDER, most: int | None = None, export: Export | None = None) -> Restoring:
        """A request."""
        terms = Terms(most, 5.0, "INC-1", "ann", "pod-1")

        return Restoring(self.access, export or self.export, order, terms, walk, self._later)

    def _later(self) -> float:
        """A run that began two minutes ago counts as ended, for its group is empty."""
        self.wall += self.step
        return self.wall

    def find(self, restoring: Restoring | None = None) -> Found:
        """What is to be done."""
        return (restoring or self.restoring()).find(self.access.audit.read())

    def begin(self, restoring: Restoring | None = None, *, stopped: bool = False) -> Found:
        """Put back what is wanted."""
        restoring = restoring or self.restoring()
        return restoring.begin(self.find(restoring), self.writer, lambda: stopped)

    def there(self) -> list[Record]:
        """All messages of the topic now."""
        return contents(self.access)

    def put_back(self) -> list[Record]:
        """Those that have the header of it."""
        return [each for each in self.there() if RESTORED in dict(each.headers or ())]


def contents(access: Access) -> list[Record]:
    """All messages of the dead-letter topic, partition by partition."""
    bounds = access.reader.watermarks(access.topic) or {}
    begins, ends = ({partition: each[side] for partition, each in bounds.items()} for side in (0, 1))
    found = [each for records in access.reader.read(access.topic, begins, ends) for each in records]
    return sorted(found, key=lambda each: (each.assignment.partition, each.offset))


def plain(message: Record) -> tuple[object, ...]:
    """All of it but its place and time, without what says that it was put back."""
    return message.key, message.value, [each for each in message.headers or () if each[0] != RESTORED]


@contextmanager
def desk_of(letters: Letters, folder: Path) -> Iterator[Desk]:
    """Export all that is there now."""
    code, _, err = letters.run("export", str(folder / "letters.avro"))
    assert code == 0, err
    structlog.reset_defaults()  # the command has set up the process's logging
    ready = load_plans([folder / "clickstream.yaml"], {}, SystemClock(), offline=True)
    with opened(ready, ready.plans[0], SystemClock()) as access, open_export(folder / "letters.avro") as export:
        writer = AuditWriter(access.audit.name, access.clients.producer, access.bootstrap, SystemClock(), logger())
        writer.start()
        yield Desk(letters, access, writer, export)
        writer.stop(10)


def forget(desk: Desk) -> None:
    """Let Kafka delete all letters."""
    bounds = desk.access.reader.watermarks(desk.access.topic) or {}
    ends = [TopicPartition(desk.access.topic, partition, end) for partition, (_, end) in bounds.items()]
    admin = admin_client(desk.letters.broker.bootstrap)
    for deleted in admin.delete_records(ends).values():
        deleted.result()


def settle(desk: Desk, outcome: str, *places: tuple[int, int]) -> None:
    """Tell the audit topic what became of letters."""
    run = Run(id="1", kind="replay", topic=desk.access.topic, topic_id=desk.access.audit.topic_id)
    for partition, offset in places:
        desk.writer.mark(run, (desk.access.topic, partition), {outcome: Spans((offset, offset + 1))}, lambda: None)
    eventually_sync(lambda: not desk.writer.waiting)
