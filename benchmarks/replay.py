"""Replays in full size on a real Kafka: what is done to them and what held, what passing over costs, live latency.

    python -m benchmarks.replay [--letters 20000] [--only WORD]

Every row is processes of their own between a topic of four partitions and a stub vendor over real HTTP. What is stated
was counted by the vendor, and compared with what was buried and with the audit topic. Exit code 1 where something did
not hold.
"""

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from benchmarks.letters import Cost, bury
from benchmarks.reliability import Row, table
from processor.demo.clicks import Shop
from processor.demo.expected import expected_deliveries
from processor.demo.rules import Accepted
from processor.demo.shop import produce
from processor.demo.vendors import VendorOptions
from tests.reliability.verdict import Check, Finding, people
from tests.replay import cases
from tests.replay.scene import BASKETS, ORDERS, VIEWS, Command, Scene, scene_of
from tests.support.broker import Broker, running_broker
from tests.support.registry import Registry, running_registry
from tests.support.topics import TopicFactory
from tests.support.waiting import eventually_sync

LETTERS_OF_A_CLICK = 0.68
VIEWS_OF_A_CLICK = 0.55
FEW = 400
"""Clicks where the number of letters does not matter."""
LIVE_RATE = 100
"""Requests a second of the account beside which is replayed."""
BESIDE = 300
"""Letters that are replayed at a tenth of it."""
PER_TICK, TICK = 6, 0.1
"""Clicks that are produced at once, and seconds between: some 57 deliveries a second, so that nothing queues."""
SECONDS = 60.0
"""For which live latency is measured, without a replay and with one."""
GROWTH = 1.1
"""Times the live latency, beside a replay."""
FILLED = (100_000, 1_000_000)
"""Letters that are passed over."""
SELECTED = 100


@dataclass(frozen=True, slots=True)
class Case:
    """One row.

    Attributes:
        what: was done.
        clicks: of which some are buried first.
    """

    what: str
    clicks: int
    run: Callable[[Scene], Finding]


def all_cases(letters: int) -> Sequence[Case]:
    """Every row of the first table."""
    views = round(letters / VIEWS_OF_A_CLICK)
    rate = max(letters // 20, 60)
    return (
        Case("mixed causes, two of four routes replayed, then the others", round(letters / LETTERS_OF_A_CLICK), mixed),
        Case("`kill -9`, `--resume`, Ctrl-C, `--resume`", views, partial(cases.stopped, rate=rate)),
        Case("three workers of one run, one killed", views, partial(cases.rebalanced, rate=max(rate // 4, 15))),
        Case("an export is replayed, half of it deleted by Kafka", views, cases.refiled),
        Case("an export, all deleted, `kill -9` while it is put back, once more", views, cases.put_back_killed),
        Case("a cause that is never mended", FEW, cases.never_mended),
        Case("the vendor answers 404 to all", FEW, partial(cases.refused, route=VIEWS, status=404)),
        Case("the vendor answers 400 to all", FEW, partial(cases.refused, route=VIEWS, status=400)),
        Case("the same, a few letters", FEW, partial(cases.refused, route=BASKETS, status=400)),
        Case("a live service at its full rate beside it", 2 * BESIDE, partial(cases.beside, letters=BESIDE, rate=100)),
        Case("a live service that keeps up beside it", 2 * BESIDE + 1200, latency),
    )


def mixed(scene: Scene) -> Finding:
    """`cases.mixed`, with what its routes are."""
    found = cases.mixed(scene)
    routes = f"{VIEWS} and {ORDERS} replayed first"
    return Finding([*found.counted, routes], found.own, found.books)


# Live latency.


def latency(scene: Scene) -> Finding:
    """Seconds from producing an event to its acceptance, without a replay and beside one."""
    limits = {"rate": f"{LIVE_RATE}/s"}
    shop = Shop(2, int(time.time() * 1000))
    with scene.path.service(scene.config({}, **limits), "--destination", "rocket") as live:
        live.ready(60)
        _live(scene, shop, SECONDS / 6)  # warm
        without = _live(scene, shop, SECONDS)
        run = scene.command("replay", "--route", VIEWS, faulty={}, **limits)
        scene.arrived(len(scene.books) + 1)
        beside = _live(scene, shop, SECONDS)
        went_on = run.process.poll() is None
        run.interrupt()
        run.end()
        assert live.terminate() == 0, live.log
    p99, p99_beside = (statistics.quantiles(each, n=100)[-1] for each in (without, beside))
    return Finding(
        [f"live p99 {people(p99)} without, {people(p99_beside)} beside it, {len(beside):,} deliveries"],
        [
            Check("live p99 grows by less than a tenth", p99_beside < GROWTH * p99, timed=True),
            Check("the replay went on all the time", went_on and run.counts["delivered"] > 0),
        ],
        [],
    )


def _live(scene: Scene, shop: Shop, seconds: float) -> list[float]:
    """Produce clicks for so long, and wait for them; what each delivery took."""
    made: dict[Accepted, float] = {}
    took: list[float] = []
    with _seen(scene, made, took):
        begun = time.monotonic()
        for tick in range(round(seconds / TICK)):
            time.sleep(max(0.0, begun + tick * TICK - time.monotonic()))
            clicks = list(shop.clicks(PER_TICK))
            asked = [
                one.delivery for each in clicks for one in expected_deliveries(each) if one.destination == "rocket"
            ]
            made.update(dict.fromkeys(asked, time.monotonic()))
            produce(scene.path.producer, scene.path.topic, clicks, scene.path.encoder, None)
        eventually_sync(lambda: len(took) >= len(made), 60)
    return took


@contextmanager
def _seen(scene: Scene, made: dict[Accepted, float], took: list[float]) -> Iterator[None]:
    """Note when the vendor accepts what was made."""
    account = scene.path.vendors.rocket.account
    accept = account.accept

    def noted(deliveries: list[Accepted]) -> None:
        now = time.monotonic()
        took.extend(now - made[delivery] for delivery in deliveries if delivery in made)
        accept(deliveries)

    account.accept = noted  # type: ignore[method-assign]
    try:
        yield
    finally:
        account.accept = accept  # type: ignore[method-assign]


# Passing over.


def cost(command: Command) -> Cost:
    """Wait for a command's end: its CPU seconds and the most resident bytes that it ever had."""
    process = command.process
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    command.out, command.err = process.communicate()
    assert process.returncode == 0, command.err
    return Cost(usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def passed_over(scene: Scene, filled: int) -> dict[str, Cost]:
    """What commands take over so many letters that nobody means, between a few that are meant."""
    scene.bury(SELECTED)
    bury(scene.path.broker, scene.letters, filled)
    scene.bury(SELECTED)
    assert len(scene.failed(VIEWS)) >= SELECTED
    costs = {
        "`dlq stats`": cost(scene.command("dlq", "stats")),
        "`replay --dry-run --route none-such`": cost(scene.replay("--dry-run", "--route", "none-such")),
    }
    before, run = len(scene.books), scene.replay("--route", VIEWS)
    costs[f"`replay --route`, {SELECTED} and more letters of all"] = cost(run)
    delivered = len(scene.books) - before
    assert run.counts["delivered"] == delivered == len(scene.failed(VIEWS)), run.out
    return costs


def passing(make_scene: Callable[[], Scene]) -> str:
    """The table of what passing over costs."""
    idle, *rest = [passed_over(make_scene(), filled) for filled in (0, *FILLED)]
    lines = ["| command | letters passed over | CPU-µs each | memory at most |", "| --- " * 4 + "|"]
    for command, none in idle.items():
        for filled, costs in zip(FILLED, rest, strict=True):
            each = (costs[command].cpu - none.cpu) / filled * 1e6
            lines.append(f"| {command} | {filled:,} | {each:.1f} | {costs[command].peak / 2**20:.0f} MiB |")
        lines.append(f"| {command} | 0 | {none.cpu:.2f} s in all | {none.peak / 2**20:.0f} MiB |")
    return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Stage:
    """What all cases share."""

    broker: Broker
    registry: Registry
    stack: ExitStack

    def scene(self) -> Scene:
        """A new shop."""
        folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        topics = TopicFactory(self.broker)
        self.stack.callback(topics.close)
        options = VendorOptions(latency=0.0)
        return self.stack.enter_context(scene_of(folder, self.broker, self.registry, topics, options))

    def row(self, case: Case) -> Row:
        """Run one case; whatever goes wrong is its finding."""
        begun = time.monotonic()
        try:
            scene = self.scene()
            scene.bury(case.clicks)
            finding = case.run(scene)
        except (AssertionError, subprocess.TimeoutExpired, KeyError) as error:
            finding = Finding([f"{type(error).__name__}: {error}"], [], [Check("did not come to its end", held=False)])
        row = Row(case.what, "single calls", finding)
        print(f"{time.monotonic() - begun:4.0f} s {row}", file=sys.stderr, flush=True)
        return row


def main() -> int:
    """Run everything, or what is named."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.replay", description=__doc__)
    parser.add_argument("--letters", type=int, default=20_000, help="in the first three cases")
    parser.add_argument("--only", default="", help="cases whose description has this in it; `passed over` is the last")
    options = parser.parse_args()
    with ExitStack() as stack:
        broker, registry = stack.enter_context(running_broker()), stack.enter_context(running_registry())
        stage = Stage(broker, registry, stack)
        rows = [stage.row(case) for case in all_cases(options.letters) if options.only in case.what]
        over = passing(stage.scene) if options.only in "passed over" else ""
    kafka = broker.describe.partition(" at ")[0]
    print(f"{datetime.now(UTC):%Y-%m-%d}, {kafka}, {platform.system()} with {os.cpu_count()} processors.\n")
    print(f"{table(rows)}\n\n{over}")
    return any(row.finding.failed for row in rows)


if __name__ == "__main__":
    sys.exit(main())
