"""What becomes of events when the vendor, the key or a record goes wrong: measured, and written into the docs.

    make reliability          (or: python -m benchmarks.reliability [--only WORD] [--at-once N])

Every row is one service process between a topic of four partitions on a real Kafka and a stub vendor over real HTTP.
What is stated was counted by the vendor, and compared with what was produced, with the dead-letter topic and with the
group's committed offsets. Exit code 1 where something did not hold.
"""

import argparse
import os
import platform
import re
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from benchmarks.replicas import replicas
from benchmarks.replicas import table as replicas_table
from tests.reliability import outages, poison, pressure
from tests.reliability.scene import BATCHES, SINGLE, Mode, Scene, running_scene
from tests.reliability.verdict import Check, Finding
from tests.support.broker import Broker, running_broker
from tests.support.registry import Registry, running_registry
from tests.support.topics import TopicFactory

PAGE = Path(__file__).parents[1] / "docs" / "reliability.md"
AT_ONCE = 4
"""Cases that run side by side: most of their time is waiting."""


@dataclass(frozen=True, slots=True)
class Case:
    """One row for each mode; delays are those of production where nothing else is said.

    Attributes:
        what: what was done.
    """

    what: str
    run: Callable[[Scene], Finding]


CASES: Sequence[Case] = (
    Case("nothing wrong: a backlog of 10,000", poison.healthy),
    Case("60 s of 503", outages.outage),
    Case("60 s of refused connections", partial(outages.outage, refused=True)),
    Case("key revoked; 45 s later its file holds the new one", outages.refused_key),
    Case("60 s of 500 to carts, views work", outages.method_down),
    Case("60 s without an answer to carts (`timeout: 2s`), views work", partial(outages.method_down, silent=True)),
    Case("1 % of 10,000 events always answered 400", partial(poison.backlog, status=400)),
    Case("1 % of 10,000 events always answered 403", partial(poison.backlog, status=403)),
    Case(
        "1 % of 10,000 events always answered 500 (`delays: [1s]`)", partial(poison.backlog, status=500, delays=("1s",))
    ),
    Case("20 events of one visitor always answered 403", poison.one_visitor),
    Case("10 s of 429 with `Retry-After: 3`", partial(pressure.throttled, retry_after=3)),
    Case("10 s of 429 without Retry-After", partial(pressure.throttled, retry_after=None)),
    Case("20 % of all requests answered 500 (`delays: [1s, 2s, 4s]`)", pressure.dice),
    Case("an event every 2 s, one always answered 400", partial(poison.quiet, status=400, first=False)),
    Case("an event every 2 s, the very first always answered 403", partial(poison.quiet, status=403, first=True)),
    Case(
        "an event every 2 s, the very first always answered 500 (`delays: [1s]`)",
        partial(poison.quiet, status=500, first=True, delays=("1s",)),
    ),
    Case("a topic's only record always answered 403 (`delays: [5s]`, `stalemate: 20s`)", poison.alone),
)
LONGEST_FIRST = ("60 s", "key", "1 %", "20 %")
"""How the cases begin that take longest, so that none of them is left for the end."""


@dataclass(frozen=True, slots=True)
class Row:
    """One case in one mode.

    Attributes:
        what: was done.
        sent: how the service sends.
    """

    what: str
    sent: str
    finding: Finding

    def __str__(self) -> str:
        failed = self.finding.failed
        held = "; ".join(check.words for check in (*self.finding.own, self._letters) if check.held)
        verdict = f"**not held: {'; '.join(failed)}**" if failed else f"yes: {held}"
        return f"| {self.what} | {self.sent} | {'; '.join(self.finding.counted)} | {verdict} |"

    @property
    def _letters(self) -> Check:
        return next((check for check in self.finding.books if "dead letters" in check.words), Check("", held=False))


@dataclass(frozen=True, slots=True)
class Stage:
    """What all cases share."""

    broker: Broker
    registry: Registry
    topics: TopicFactory
    folder: Path

    def row(self, case: Case, mode: Mode) -> Row:
        """Run one case; whatever goes wrong is its finding."""
        begun = time.monotonic()
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        try:
            with running_scene(folder, self.broker, self.registry, self.topics, mode) as scene:
                finding = case.run(scene)
        except Exception as error:  # noqa: BLE001 - the other cases go on
            words = f"{type(error).__name__}: {error}".partition("\n")[0]
            finding = Finding([words], [], [Check("did not come to its end", held=False)])
        row = Row(case.what, mode.name, finding)
        print(f"{time.monotonic() - begun:4.0f} s {row}", file=sys.stderr, flush=True)
        if finding.failed:
            logs = "".join(log.read_text() for log in folder.glob("service-*.log"))
            print(logs, file=sys.stderr, flush=True)
        return row


def measure(cases: Sequence[Case], at_once: int) -> tuple[str, list[Row]]:
    """Run all cases in both modes, some at once; says on which broker, and gives the rows in the cases' order."""
    with ExitStack() as stack:
        broker, registry = stack.enter_context(running_broker()), stack.enter_context(running_registry())
        topics = TopicFactory(broker)
        stack.callback(topics.close)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        stage = Stage(broker, registry, topics, folder)
        pool = stack.enter_context(ThreadPoolExecutor(at_once))
        order = sorted(cases, key=lambda case: not case.what.startswith(LONGEST_FIRST))
        running = [pool.submit(stage.row, case, mode) for case in order for mode in (SINGLE, BATCHES)]
        rows = [each.result() for each in running]
        places = {case.what: place for place, case in enumerate(cases)}
        return broker.describe.partition(" at ")[0], sorted(rows, key=lambda row: places[row.what])


def table(rows: Sequence[Row]) -> str:
    """The rows in Markdown."""
    head = ["| what was done | sent | what was counted | held |", "| --- " * 4 + "|"]
    return "\n".join([*head, *map(str, rows)])


def write(page: Path, name: str, text: str, command: str = "make reliability") -> None:
    """Put a text between the page's two marks of this name, which tell the command."""
    begin, end = f"<!-- {name}: written by `{command}` -->", f"<!-- end of {name} -->"
    pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    changed, count = pattern.subn(lambda _: f"{begin}\n{text}\n{end}", page.read_text())
    assert count == 1, f"{page} has no place for {name}"
    page.write_text(changed)


def main() -> int:
    """Run everything, or what is named."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reliability", description=__doc__)
    parser.add_argument("--only", default="", help="cases whose description has this in it; the page stays as it is")
    parser.add_argument("--at-once", type=int, default=AT_ONCE, help="cases that run side by side")
    options = parser.parse_args()
    broker, rows = measure([case for case in CASES if options.only in case.what], options.at_once)
    print(table(rows))
    if not options.only:
        at = f"{datetime.now(UTC):%Y-%m-%d}, {broker}, {platform.system()} with {os.cpu_count()} processors"
        write(PAGE, "cases", f"\n{at}.\n\n{table(rows)}\n")
        shared = replicas_table(replicas())
        print(f"\n{shared}")
        write(PAGE, "replicas", f"\n{shared}\n")
    return any(row.finding.failed for row in rows)


if __name__ == "__main__":
    sys.exit(main())
