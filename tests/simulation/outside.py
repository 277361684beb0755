"""What the service meets outside, and what it waits with, replaced by the simulation's: every name that is patched."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from random import Random
from typing import Any, Protocol
from unittest.mock import patch

import structlog
from structlog.typing import EventDict

from processor import app, kafka_clients, service
from processor.consume import bridge, kafka_thread, share, survey
from processor.decode.schemas import Registry
from processor.plan import Plan
from processor.send.sender import Http
from processor.settle import undertaker
from tests.simulation.machine import Host, Machine
from tests.simulation.process import SimOps
from tests.simulation.threads import SimAsyncio, SimThreading


class Outside(Protocol):
    """Makes what a process of the simulation is to meet."""

    def consumer(self, host: Host, config: Mapping[str, Any]) -> Any:
        """A consumer, as `confluent_kafka.Consumer`."""

    def producer(self, host: Host, config: Mapping[str, Any]) -> Any:
        """A producer, as `confluent_kafka.Producer`."""

    def admin(self, host: Host, config: Mapping[str, Any]) -> Any:
        """An admin client, as `confluent_kafka.admin.AdminClient`."""

    def registry(self, host: Host) -> Registry:
        """A client of the schema registry."""

    def http(self, host: Host, plan: Plan) -> Http:
        """What sends requests."""

    def logged(self, host: Host | None, line: EventDict) -> None:
        """A line was logged."""


@contextmanager
def simulated(machine: Machine, outside: Outside) -> Iterator[None]:
    """While this is entered, services run on the machine and meet only what is given here."""

    def host() -> Host:
        assert machine.host is not None, "made on the network"
        return machine.host

    threading = SimThreading(machine)
    replaced = [
        (kafka_clients, "Consumer", lambda config, **_: outside.consumer(host(), config)),
        (kafka_clients, "Producer", lambda config, **_: outside.producer(host(), config)),
        (kafka_clients, "AdminClient", lambda config, **_: outside.admin(host(), config)),
        (app, "SchemaRegistryClient", lambda _: outside.registry(host())),
        (app, "http_of", lambda plan, *_: outside.http(host(), plan)),
        (app, "Random", lambda: Random(machine.random.random())),  # noqa: S311
        (service, "OpsServer", SimOps),
        (kafka_thread, "threading", threading),
        (undertaker, "threading", threading),
        (share, "threading", threading),
        (bridge, "asyncio", SimAsyncio(machine)),
        (survey, "sleep", machine.sleep),
    ]
    with ExitStack() as stack:
        for target, name, value in replaced:
            stack.enter_context(patch.object(target, name, value))
        stack.enter_context(_log_to(machine, outside))
        yield


@contextmanager
def _log_to(machine: Machine, outside: Outside) -> Iterator[None]:
    def keep(_: object, level: str, line: EventDict) -> EventDict:
        outside.logged(machine.host, {"level": level, "at": machine.clock.at, **line})
        raise structlog.DropEvent

    before = structlog.get_config()
    structlog.configure(
        processors=[keep], wrapper_class=structlog.make_filtering_bound_logger(20), cache_logger_on_first_use=False
    )
    try:
        yield
    finally:
        structlog.configure(**before)
