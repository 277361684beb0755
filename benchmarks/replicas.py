"""Replicas share an account's rate: how fast requests arrive at the vendor, in every window of time."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from processor.demo.vendors import VendorOptions
from tests.support.broker import running_broker
from tests.support.path import running_path
from tests.support.registry import running_registry
from tests.support.replicas import Fleet, Row, measured, running_fleet
from tests.support.topics import TopicFactory

RATE = 60.0
"""Requests a second of the account."""
LATENCY = 0.02
"""Seconds that the vendor takes for an answer."""
STEADY = 30.0
"""Seconds that each phase lasts at least."""
BACKLOG = {0: 12_000, 1: 6_000, 2: 3_000, 3: 3_000}
"""Events by partition: four with work, one with half of it all, and two more without any."""
PARTITIONS = 6


def replicas() -> list[Row]:
    """Two and three replicas over uneven partitions: while one joins, while one leaves, and when work appears."""
    with ExitStack() as stack:
        broker = stack.enter_context(running_broker())
        registry = stack.enter_context(running_registry())
        topics = TopicFactory(broker)
        stack.callback(topics.close)

        @contextmanager
        def fleet() -> Iterator[Fleet]:
            options = VendorOptions(latency=LATENCY, limit=RATE)
            with (
                tempfile.TemporaryDirectory() as folder,
                running_path(Path(folder), broker, registry, topics, options) as path,
            ):
                path.topic = topics(PARTITIONS)
                with running_fleet(path, RATE) as fleet:
                    yield fleet

        rows: list[Row] = []
        for phases in (_changes(2), _changes(3), _one_sided):
            with fleet() as each:
                rows += phases(each)
        return rows


def _changes(count: int) -> Callable[[Fleet], Iterator[Row]]:
    """So many replicas on a backlog: one more comes, one goes."""

    def phases(fleet: Fleet) -> Iterator[Row]:
        def begin() -> None:
            for _ in range(count):
                fleet.join()

        def join() -> None:
            fleet.join()

        def leave() -> None:
            fleet.leave(fleet.replicas[0])

        fleet.fill(BACKLOG)
        yield measured(fleet, f"1 to {count}", "start with a backlog", begin, STEADY)
        yield measured(fleet, f"{count}", "steady", lambda: None, STEADY)
        yield measured(fleet, f"{count} to {count + 1}", "one joins", join, STEADY)
        yield measured(fleet, f"{count + 1} to {count}", "one leaves", leave, STEADY)
        yield measured(fleet, f"{count}", "idle partitions get work", lambda: fleet.fill({4: 3000, 5: 3000}), STEADY)

    return phases


def _one_sided(fleet: Fleet) -> Iterator[Row]:
    """The worst that can happen: one replica has all the work, and suddenly the other one has some, too."""

    def begin() -> None:
        fleet.join()
        fleet.join()

    def wake() -> None:
        idle = next(owned for replica in fleet.replicas if 0 not in (owned := fleet.owned(replica)))
        fleet.fill(dict.fromkeys(idle, 2000))

    fleet.fill({0: 12_000})
    yield measured(fleet, "1 to 2", "work in one partition of six", begin, STEADY)
    yield measured(fleet, "2", "steady", lambda: None, STEADY)
    yield measured(fleet, "2", "the idle replica gets work", wake, 2 * STEADY)


def table(rows: list[Row]) -> str:
    """The rows in Markdown; what arrived is given relative to the rate."""
    head = ["| replicas | what happens | requests | mean | busiest 1 s | busiest 10 s |", "| --- " * 6 + "|"]
    lines = [
        f"| {row.replicas} | {row.what} | {row.requests:,} | "
        f"{row.mean:.0%} | {row.second:.0%} | {row.ten_seconds:.0%} |"
        for row in rows
    ]
    return "\n".join(head + lines)


if __name__ == "__main__":
    print(table(replicas()))
