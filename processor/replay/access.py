"""What a command needs to work on the dead letters of one destination."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from processor.clock import Clock
from processor.consume.troubles import explain_raised
from processor.errors import FatalError
from processor.kafka_admin import SharedAdmin
from processor.kafka_clients import KafkaClients, tokens_of
from processor.logs import logger
from processor.plan import Plan, Ready
from processor.replay.audit import Audit
from processor.replay.reading import Reader


@dataclass(frozen=True, slots=True)
class Access:
    """One destination's dead-letter topic, and its audit topic.

    Attributes:
        ready: the whole configuration.
        plan: the destination's.
        bootstrap: as people give it to Kafka's own tools.
        reader: for one reading at a time.
        audit: reads with `reader`.
    """

    ready: Ready
    plan: Plan
    clients: KafkaClients
    bootstrap: str
    reader: Reader
    admin: AdminClient
    audit: Audit

    @property
    def topic(self) -> str:
        """The dead-letter topic."""
        return self.plan.dead_letter_topic


def committed_only(kafka: Mapping[str, str]) -> dict[str, str]:
    """The file's `kafka:` without its isolation level: what is aborted was not put back, nor is it closed."""
    return {name: value for name, value in kafka.items() if name != "isolation.level"}


@contextmanager
def opened(ready: Ready, plan: Plan, clock: Clock) -> Iterator[Access]:
    """Make the clients; nothing is asked of Kafka yet.

    Raises:
        FatalError: a client cannot be made.
    """
    kafka, log = committed_only(ready.settings.kafka), logger(pipeline=plan.name)
    bootstrap = kafka.get("bootstrap.servers", "…")
    clients = KafkaClients(kafka, plan.group, f"clickstream-{plan.name}", tokens_of(kafka, os.environ, clock, log), log)
    with Reader(clients, bootstrap, clock) as reader:
        try:
            admin = SharedAdmin(clients.admin, clock)()  # one whose questions about groups are safe
        except KafkaException as exception:
            raise FatalError(f"no Kafka client: {explain_raised(exception)}") from None
        audit = Audit(plan.dead_letter_topic, reader, admin, bootstrap)
        yield Access(ready, plan, clients, bootstrap, reader, admin, audit)
