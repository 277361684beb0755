"""A shop whose clicks were dead-lettered by a faulty run, and commands over their letters."""

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from confluent_kafka import TopicPartition

from processor.demo.expected import Expected, expected_deliveries
from processor.demo.rules import Accepted
from processor.demo.vendor_stub import Faults
from processor.demo.vendors import VendorOptions
from processor.replay.audit import Audit, audit_topic
from processor.replay.history import History, Run
from tests.replay.audits import COMPACT
from tests.replay.readers import reader
from tests.support.broker import Broker
from tests.support.command import TIMEOUT, objects
from tests.support.path import WholePath, running_path
from tests.support.registry import Registry
from tests.support.service import ROOT, write_config
from tests.support.topics import TopicFactory
from tests.support.waiting import eventually_sync

VIEWS, SEARCHES, ORDERS, BASKETS = "views-to-rocket", "searches-to-rocket", "orders-to-rocket", "baskets-to-rocket"
FAULTY: Mapping[str, Any] = {
    VIEWS: {"map": {"productId": "visitorId"}},  # a text, where the vendor wants an integer
    SEARCHES: {"map": {"searchPhrase": "nothing"}},
}
"""What fails at mapping."""
STILL_FAULTY = {SEARCHES: FAULTY[SEARCHES]}
REFUSED_SHARE = 4
"""One of so many products is refused by the vendor: in orders, line by line, and in baskets."""
REFUSED = frozenset(str(product) for product in range(10_000, 10_600) if product % REFUSED_SHARE == 0)
CONCURRENCY = 64
COMMIT_INTERVAL = 1.0
KAFKA = {"session.timeout.ms": "6000", "heartbeat.interval.ms": "1000"}
"""So that a killed worker is missed soon."""


def fails(one: Expected) -> bool:
    """Whether the faulty run buries it."""
    product = one.delivery.item.rpartition("/")[2]
    return one.route in FAULTY or (one.route in {ORDERS, BASKETS} and product in REFUSED)


@dataclass
class Scene:
    """The shop, and the file that its service and its commands run with.

    Attributes:
        letters: the dead-letter topic.
        kafka: keys of its file.
        asked: all that Retail Rocket should get.
    """

    path: WholePath
    letters: str
    kafka: Mapping[str, str] = field(default_factory=lambda: KAFKA)
    asked: list[Expected] = field(default_factory=list)
    _commands: list["Command"] = field(default_factory=list)

    def config(self, faulty: Mapping[str, Any], **destination: Any) -> dict[str, Any]:
        """The canonical file with these faults, a call per event, and no limits of the vendor's."""
        changes = self.path.overlay(**{"batch": None, **destination})
        changes["destinations"]["rocket"]["dead_letter"] |= {"hold_above": "1"}
        return {**changes, "routes": dict(faulty), "kafka": dict(self.kafka)}

    def click(self, clicks: int, seed: int = 1) -> None:
        """Produce clicks and remember what they ask for."""
        made = self.path.click(clicks, seed)
        self.asked += [one for click in made for one in expected_deliveries(click) if one.destination == "rocket"]

    def bury(self, clicks: int) -> None:
        """Let the service run over so many clicks while the file is wrong and the vendor refuses some products."""
        self.click(clicks)
        self.path.vendors.rocket.faults = Faults(refuse=REFUSED)
        with self.path.service(self.config(FAULTY), "--destination", "rocket") as service:
            service.ready(60)
            self.path.settled_of("rocket", within=60 + clicks / 100)
            assert service.terminate() == 0, service.log
        self.path.vendors.rocket.faults = Faults()

    def failed(self, *routes: str) -> Counter[Accepted]:
        """What the faulty run has buried of these routes; of all, where none is named."""
        return Counter(one.delivery for one in self.asked if fails(one) and (not routes or one.route in routes))

    @property
    def good(self) -> Counter[Accepted]:
        """What nothing was wrong with."""
        return Counter(one.delivery for one in self.asked if not fails(one))

    @property
    def books(self) -> list[Accepted]:
        """What the vendor accepted so far, in the order of arrival."""
        return self.path.accepted("rocket")

    def forget(self, *partitions: int) -> int:
        """Let Kafka delete all that these partitions of the dead-letter topic have; gives how many offsets that is."""
        with reader(self.path.broker.bootstrap) as opened:
            bounds = opened.watermarks(self.letters) or {}
        ends = [TopicPartition(self.letters, each, bounds[each][1]) for each in partitions]
        for deleted in self.path.admin.delete_records(ends).values():
            deleted.result()
        return sum(bounds[each][1] - bounds[each][0] for each in partitions)

    def ends(self) -> int:
        """The sum of the dead-letter topic's ends."""
        with reader(self.path.broker.bootstrap) as opened:
            return sum(end for _, end in (opened.watermarks(self.letters) or {}).values())

    def given(self, *arguments: str, faulty: Mapping[str, Any] = STILL_FAULTY, **destination: Any) -> list[str]:
        """The arguments of a command with this file."""
        changes = {"group_prefix": self.path.prefix, **self.config(faulty, **destination)}
        file = write_config(self.path.folder, changes)
        return [*arguments, "-c", str(file), "--destination", "rocket", "--format", "json"]

    def command(self, *arguments: str, faulty: Mapping[str, Any] = STILL_FAULTY, **destination: Any) -> "Command":
        """A command with this file."""
        self._commands.append(Command(self.given(*arguments, faulty=faulty, **destination), self.path.env))
        return self._commands[-1]

    def close(self) -> None:
        """End what a test that failed left behind: it would be the trouble of a test that has nothing to do with it."""
        for command in self._commands:
            if command.process.returncode is None:
                command.kill()

    def replay(
        self, *arguments: str, rate: str = "none", faulty: Mapping[str, Any] = STILL_FAULTY, **destination: Any
    ) -> "Command":
        """A replay."""
        return self.command("replay", "--rate", rate, *arguments, faulty=faulty, **destination)

    def listed(self, *arguments: str) -> list[dict[str, Any]]:
        """Letters, as `dlq list` gives them."""
        listing = self.command("dlq", "list", "--limit", "1000000", *arguments)
        assert listing.end() == 0, listing.err
        return objects(listing.out)

    def states(self) -> dict[tuple[str, str], int]:
        """How many letters of each route are open, replayed or discarded, as `dlq stats` counts them."""
        stats = self.command("dlq", "stats")
        assert stats.end() == 0, stats.err
        found: Counter[tuple[str, str]] = Counter()
        for cause in objects(stats.out):
            if cause["type"] == "cause":
                found.update({(cause["route"], state): cause[state] for state in ("open", "replayed", "discarded")})
        return dict(+found)

    @property
    def history(self) -> History:
        """What the audit topic tells now."""
        with reader(self.path.broker.bootstrap) as opened:
            return Audit(self.letters, opened, self.path.admin, self.path.broker.bootstrap).read()

    def begun(self) -> Run:
        """Wait until a run goes on; gives it."""
        return eventually_sync(lambda: next((run for run in self.history.runs.values() if not run.ended), None), 60)

    def marked(self, run: str) -> int:
        """How many letters this run has told of."""
        return sum(len(spans) for told in self.history.of_run(run).values() for spans in told.values())

    def members(self, run: str) -> int:
        """How many workers of a run have partitions."""
        group = f"{self.path.prefix}.rocket.replay.{run}"
        described = self.path.admin.describe_consumer_groups([group])[group].result()
        return sum(bool(member.assignment.topic_partitions) for member in described.members)

    def arrived(self, count: int) -> int:
        """Wait until the vendor has accepted so many in all; gives how many there are by then."""
        eventually_sync(lambda: len(self.books) >= count, 120)
        return len(self.books)


class Command:
    """`clickstream …` as a process."""

    def __init__(self, arguments: Iterable[str], env: Mapping[str, str]) -> None:
        command = [sys.executable, "-m", "processor", *arguments]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **env}, cwd=ROOT
        )
        self.out = self.err = ""

    def end(self, within: float = 5 * TIMEOUT) -> int:
        """Wait for its end; gives its exit code."""
        try:
            self.out, self.err = self.process.communicate(timeout=within)
        finally:
            self.process.kill()
        return self.process.returncode

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self.end()

    def interrupt(self) -> None:
        """As Ctrl-C does."""
        self.process.send_signal(signal.SIGINT)

    @property
    def account(self) -> dict[str, Any]:
        """What it printed last."""
        assert self.out, self.err
        return objects(self.out)[-1]

    @property
    def counts(self) -> dict[str, int]:
        """How many letters, by name; those of which there are none are left out."""
        assert self.account["balanced"], self.out
        return {name: number for name, number in self.account["letters"].items() if number}


@contextmanager
def scene_of(
    folder: Path, broker: Broker, registry: Registry, topic: TopicFactory, options: VendorOptions | None = None
) -> Iterator[Scene]:
    """A shop with a dead-letter topic that has its audit topic."""
    with running_path(folder, broker, registry, topic, options or VendorOptions(latency=0.0)) as path:
        letters = path.letters["rocket"]
        topic(1, COMPACT, audit_topic(letters))
        with closing(Scene(path, letters)) as scene:
            yield scene
