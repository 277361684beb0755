"""Runs one world: the service on simulated processes, in simulated weather, under the eyes of the referee."""

import json
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

from confluent_kafka.schema_registry import Schema
from structlog.typing import EventDict

from processor.plan import Plan
from processor.records import Key, Request
from tests.simulation.admin import SimAdmin
from tests.simulation.books import Books
from tests.simulation.charges import Charge
from tests.simulation.cluster import Cluster
from tests.simulation.config import GROUP, LETTERS, TOPIC, configured
from tests.simulation.consumer import SimConsumer
from tests.simulation.deeds import Deeds
from tests.simulation.endpoint import Endpoint, Entry
from tests.simulation.inspector import Inspector
from tests.simulation.machine import Host, Machine
from tests.simulation.outside import simulated
from tests.simulation.process import Process
from tests.simulation.producer import SimProducer
from tests.simulation.referee import Referee
from tests.simulation.registry import Registry, RegistryClient
from tests.simulation.traffic import SCHEMAS, Traffic
from tests.simulation.watch import WatchedHttp, watch_consumer, watched
from tests.simulation.weather import Ill, Weather
from tests.simulation.worlds import Setup

MOST_STEPS = 400_000
"""Events after which a run is not one of too much work, but of a busy loop."""


@dataclass(frozen=True, slots=True)
class Account:
    """What a run came to.

    Attributes:
        diced, stalemates, budgeted: letters of valid records, by why there may be such: see `Innocents`.
    """

    records: int
    requests: int
    letters: int
    diced: int
    stalemates: int
    budgeted: int
    repeats: int
    processes: int
    steps: int
    seconds: float


class World:
    """One run, from the first record to the last exit.

    Attributes:
        processes: all that ever ran, in the order of their start.
        lines: what they logged.
    """

    def __init__(self, setup: Setup, seed: int) -> None:
        self.setup = setup
        self.machine = Machine(seed)
        self.weather = Weather(self.machine.clock, setup.episodes)
        self.cluster = Cluster(self.machine, self.weather)
        self.cluster.create(TOPIC, setup.partitions)
        self.cluster.create(LETTERS, 1).max_message_bytes = setup.most_bytes
        self.cluster.consumer_session = setup.session
        self.schemas = Registry(self.machine, self.weather)
        for number, schema in SCHEMAS.items():
            self.schemas.by_id[number] = Schema(json.dumps(schema), "AVRO", [])
        self.traffic = Traffic(self.machine.random, self.cluster.append, setup.lanes, setup.kinds, setup.poisons)
        self.books = Books(self.traffic)
        self.referee = Referee(self.machine, self.books, setup.figures)
        self.referee.owners = self._owners
        self.cluster.on_commit = self.referee.committed
        self.cluster.on_letter = self.referee.letter
        self.vendor = Endpoint(self.machine, self.weather, self._judge, setup.latency)
        self.vendor.on_request = self._asked
        self.processes: list[Process] = []
        self.lines: list[EventDict] = []
        self.deeds = Deeds(self)
        self.inspector = Inspector(self)

    def run(self) -> Account:
        """Run it.

        Raises:
            ConvictionError: the service broke a rule.
        """
        with ExitStack() as stack:
            stack.enter_context(simulated(self.machine, self))
            stack.enter_context(watched(self.machine, self.referee))
            stack.callback(self._unwind)
            self._begin()
            steps = self._work()
            self.inspector.look_back()
            self._raise_found()
        return self._account(steps)

    def start(self) -> Process:
        """One more process."""
        name = f"p{len(self.processes)}"
        figures, now = self.setup.figures, self.machine.clock.at
        repaired = replace(figures, hold_above=1.0) if now >= self.setup.repaired else figures
        process = Process(self.machine, name, configured(repaired), self.inspector.ended)
        self.processes.append(process)
        return process

    @property
    def running(self) -> list[Process]:
        """Processes that have not ended."""
        return [process for process in self.processes if process.host.alive]

    def committed(self, key: Key) -> int:
        """The group's offset; 0 where it has none."""
        group = self.cluster.groups.get(GROUP)
        held = group.offsets.get(key) if group else None
        return held.offset if held else 0

    # The run.

    def _begin(self) -> None:
        random, setup = self.machine.random, self.setup
        for number in range(setup.records):
            at = (number + random.random()) * setup.spacing
            self.machine.later(at, lambda: self.traffic.write(random.randrange(setup.partitions)))
        for _ in range(setup.replicas):
            self.machine.later(random.random() * 2, self._start_one)
        self.deeds.begin()
        self.inspector.begin()

    def _start_one(self) -> None:
        self.start()

    def _work(self) -> int:
        for step in range(MOST_STEPS):
            self.machine.step()
            if self.machine.complaints or self.referee.found:
                self._raise_found()
            if self.inspector.over:
                return step
        self.referee.convict(Charge.STUCK, f"{MOST_STEPS} events, and no end")
        self._raise_found()
        return MOST_STEPS

    def _raise_found(self) -> None:
        for complaint in self.machine.complaints:
            self.referee.convict(Charge.ENDED, complaint)
        if self.referee.found:
            raise self.referee.found[0]

    def _asked(self, request: Request, entry: Entry) -> None:
        if entry.taken:
            self.referee.took(request)
        if entry.ill is None:
            self.referee.innocents.accepted(entry)
        else:
            self.referee.innocents.refused(entry)

    def _owners(self, key: Key) -> set[Host]:
        """Whose a partition is, as the group's coordinator sees it."""
        members = self.cluster.groups[GROUP].members.values()
        return {member.host for member in members if key in member.held}

    def _judge(self, request: Request) -> Ill | None:
        """What is wrong with a request's payloads for good."""
        found = (self.traffic.ill(delivery) for delivery in request.deliveries)
        return next((ill for ill in found if ill is not None), None)

    def _unwind(self) -> None:
        self.machine.end()
        for process in self.processes:
            process.loop.unwind()

    def _account(self, steps: int) -> Account:
        repeats = sum(count - 1 for count in self.books.accepted.values())
        records = sum(len(truths) for truths in self.traffic.truths.values())
        innocents = self.referee.innocents
        return Account(
            records=records,
            requests=len(self.vendor.books),
            letters=self.books.letters.total(),
            diced=len(innocents.diced),
            stalemates=sum(innocents.stalemates.values()),
            budgeted=len(innocents.suspected) + len(innocents.budgeted),
            repeats=repeats,
            processes=len(self.processes),
            steps=steps,
            seconds=self.machine.clock.now(),
        )

    # What processes meet.

    def consumer(self, host: Host, config: Mapping[str, Any]) -> SimConsumer:
        """A consumer of a process."""
        return watch_consumer(host, config, self.cluster, self.referee)

    def producer(self, host: Host, config: Mapping[str, Any]) -> SimProducer:
        """A producer of a process."""
        return self.cluster.producer(host, config)

    def admin(self, host: Host, config: Mapping[str, Any]) -> SimAdmin:
        """An admin client of a process."""
        return self.cluster.admin(host, config)

    def registry(self, host: Host) -> RegistryClient:
        """A client of the registry."""
        return self.schemas.client(host)

    def http(self, host: Host, plan: Plan) -> WatchedHttp:
        """What sends a process's requests."""
        return WatchedHttp(self.vendor.http(host, plan), host, self.referee)

    def logged(self, host: Host | None, line: EventDict) -> None:
        """A process says something."""
        self.referee.logged(str(line))
        self.lines.append({"host": host.name if host else None, **line})
