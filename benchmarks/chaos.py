"""What becomes of events when replicas, brokers and the vendor fail: done to real processes, and written into the docs.

    make chaos          (or: python -m benchmarks.chaos [--only WORD] [--at-once N])

Every row is a group of service processes between a topic on a Kafka of three brokers and a stub vendor over real HTTP.
What is stated was counted by the vendor and by Kafka, whose own topic of offsets tells every commit. Exit code 1 where
something did not hold.
"""

import argparse
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from itertools import product
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from benchmarks.reliability import PAGE, Row, table, write
from tests.chaos import cases
from tests.chaos.arena import BATCHES, SINGLE, Arena, running_arena
from tests.chaos.everything import everything
from tests.reliability.scene import Mode
from tests.reliability.verdict import Check, Finding
from tests.support.cluster import KafkaCluster
from tests.support.registry import Registry, running_registry
from tests.support.topics import TopicFactory

AT_ONCE = 2
"""Cases that run side by side, each on a cluster of its own."""
CLASSIC, CONSUMER = "classic", "consumer"
STATIC = "classic, static members"
SEEDS = {1: CLASSIC, 2: CONSUMER}
"""What is drawn, and for which groups."""


@dataclass(frozen=True, slots=True)
class Chaos:
    """One row for each mode and group.

    Attributes:
        what: what was done.
        groups: protocols, and whether members keep their place over a restart.
    """

    what: str
    run: Callable[[Arena], Finding]
    groups: Sequence[str] = (CLASSIC,)

    @property
    def ways(self) -> Iterator[tuple[Mode, str]]:
        """How it is done: modes, and groups."""
        return product((SINGLE, BATCHES), self.groups)


def in_words(mode: Mode, group: str) -> str:
    """One of these ways, for people."""
    return f"{mode.name}; {group}"


BOTH = (CLASSIC, CONSUMER)
CASES: Sequence[Chaos] = (
    Chaos("`kill -9` of one of three replicas every 8 s, started again at once", cases.killed, (CONSUMER,)),
    Chaos(
        "`kill -9` of one of three replicas every 12 s, started again at once", partial(cases.killed, every=12), BOTH
    ),
    Chaos(
        "`kill -9` of one of three replicas every 4 s, started again at once",
        partial(cases.killed, times=12, every=4),
        (STATIC,),
    ),
    Chaos("a replica stopped (SIGSTOP) for 10 s, then continued; twice", cases.frozen, BOTH),
    Chaos("one replica, then three, then one", cases.scaled, BOTH),
    Chaos("three replicas restarted one after another", cases.rolled, BOTH),
    Chaos("the group's broker stopped and started, then killed and started", cases.broker_restarted, BOTH),
    Chaos("one of three brokers killed, the group's", cases.broker_lost, BOTH),
    Chaos("20 s of 503", partial(cases.stormy, storm="503")),
    Chaos("20 s of refused connections", cases.refused),
    Chaos("20 s of 401", partial(cases.stormy, storm="401")),
    Chaos("20 s of 429 to 70 % of all requests", partial(cases.stormy, storm="429")),
    Chaos("30 s of 500 to 20 % of all requests", partial(cases.stormy, storm="500s", seconds=30)),
    Chaos("30 s without an answer to 10 % of all requests", partial(cases.stormy, storm="hangs", seconds=30)),
    Chaos(
        "30 s of resets of 20 % of all requests, every other one after it was taken",
        partial(cases.stormy, storm="resets", seconds=30),
    ),
    Chaos("1 % of all events always answered 400", cases.poisoned),
    *(
        Chaos(f"everything together, seed {seed}", partial(everything, seed=seed), (group,))
        for seed, group in SEEDS.items()
    ),
)


@dataclass(frozen=True)
class Stage:
    """What all cases share; each takes a cluster for itself and gives it back."""

    registry: Registry
    folder: Path
    clusters: SimpleQueue[KafkaCluster] = field(default_factory=SimpleQueue)

    def row(self, case: Chaos, mode: Mode, group: str) -> Row:
        """Run one case; whatever goes wrong is its finding."""
        begun = time.monotonic()
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        kafka = self.clusters.get()
        try:
            kafka.start()
            finding = self._run(case, mode, group, folder, kafka)
        except Exception as error:  # noqa: BLE001 - the other cases go on
            words = f"{type(error).__name__}: {error}".partition("\n")[0]
            finding = Finding([words], [], [Check("did not come to its end", held=False)])
        finally:
            self.clusters.put(kafka)
        row = Row(case.what, in_words(mode, group), finding)
        print(f"{time.monotonic() - begun:4.0f} s {row}", file=sys.stderr, flush=True)
        if finding.failed:
            print(f"its logs are in {folder}", file=sys.stderr, flush=True)
        return row

    def _run(self, case: Chaos, mode: Mode, group: str, folder: Path, kafka: KafkaCluster) -> Finding:
        members: dict[str, Any] = {"protocol": group.split(",", maxsplit=1)[0], "static": group == STATIC}
        topics = TopicFactory(kafka.broker)
        with running_arena(folder, kafka.broker, self.registry, topics, mode, kafka=kafka, **members) as arena:
            return case.run(arena)


def measure(chosen: Sequence[Chaos], at_once: int, folder: Path) -> tuple[str, list[Row]]:
    """Run cases in both modes, some at once; says on which brokers, and gives the rows in the cases' order."""
    with ExitStack() as stack:
        stage = Stage(stack.enter_context(running_registry()), folder)
        clusters = [stack.enter_context(KafkaCluster()) for _ in range(at_once)]
        for cluster in clusters:
            stage.clusters.put(cluster)
        pool = stack.enter_context(ThreadPoolExecutor(at_once))
        rows = [pool.submit(stage.row, case, mode, group) for case in chosen for mode, group in case.ways]
        return clusters[0].broker.describe.partition(" at ")[0], [row.result() for row in rows]


def merged(page: str, rows: Sequence[Row]) -> str:
    """The page's table with these rows in place of what it has of the same cases; all cases in their order.

    Raises:
        KeyError: the page lacks a case that was not run.
    """
    lines = {tuple(line.split(" | ")[:2]): line for line in [*page.splitlines(), *map(str, rows)]}
    keys = ((f"| {case.what}", in_words(*way)) for case in CASES for way in case.ways)
    return "\n".join([*table([]).splitlines(), *(lines[key] for key in keys)])


def main() -> int:
    """Run everything, or what is named."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos", description=__doc__)
    parser.add_argument(
        "--only", default="", help="cases whose description has this in it; on the page the others stay as they are"
    )
    parser.add_argument("--at-once", type=int, default=AT_ONCE, help="cases that run side by side")
    parser.add_argument("--logs", type=Path, help="an empty folder where the processes' logs stay")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        chosen = [case for case in CASES if options.only in case.what]
        kafka, rows = measure(chosen, options.at_once, options.logs or Path(folder))
    print(table(rows))
    at = f"{datetime.now(UTC):%Y-%m-%d}, {kafka}, {platform.system()} with {os.cpu_count()} processors"
    write(PAGE, "chaos", f"\n{at}.\n\n{merged(PAGE.read_text(), rows)}\n", "make chaos")
    return any(row.finding.failed for row in rows)


if __name__ == "__main__":
    sys.exit(main())
