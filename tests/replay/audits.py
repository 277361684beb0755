"""Audit topics of the run's broker."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient

from processor.clock import SystemClock
from processor.replay.audit import Audit, audit_topic
from processor.replay.audit_writer import AuditWriter
from processor.replay.history import History, Run
from tests.replay.readers import reader
from tests.support.broker import Broker, admin_client
from tests.support.logs import Lines
from tests.support.topics import TopicFactory

COMPACT = {"cleanup.policy": "compact"}
WALL = 1_795_341_600.0
"""2026-11-22T10:00:00Z in seconds since 1970."""


def audited(broker: Broker, topic: TopicFactory) -> str:
    """A dead-letter topic with its audit topic."""
    name = topic()
    if broker.kind == "embedded":
        topic(name=audit_topic(name))
    else:
        topic(1, COMPACT, audit_topic(name))
    return name


@dataclass
class Desk:
    """All that a command has for one dead-letter topic."""

    topic: str
    audit: Audit
    writer: AuditWriter
    admin: AdminClient
    lines: Lines

    @property
    def history(self) -> History:
        """What the audit topic tells now."""
        return self.audit.read()

    def run(self, **changes: Any) -> Run:
        """A run that has no id yet."""
        return Run(id="", kind="replay", topic=self.topic, topic_id=self.audit.topic_id).model_copy(update=changes)


@contextmanager
def desk(broker: Broker, topic: str) -> Iterator[Desk]:
    """Read and write the audit topic of this dead-letter topic, as one process does."""
    admin, lines = admin_client(broker.bootstrap), Lines()
    writer = AuditWriter(
        audit_topic(topic), lambda: producer(broker.bootstrap), broker.bootstrap, SystemClock(), lines.log
    )
    writer.start()
    with reader(broker.bootstrap) as opened:
        yield Desk(topic, Audit(topic, opened, admin, broker.bootstrap), writer, admin, lines)
    writer.stop(10)


def producer(bootstrap: str, **config: Any) -> Producer:
    """One that writes as the service does."""
    return Producer({"bootstrap.servers": bootstrap, "acks": "all", "enable.idempotence": True, **config})
