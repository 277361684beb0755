"""What is done to a replay on a real Kafka, and what must hold: small in the tests, in full size in the benchmarks."""

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from processor.demo.expected import judge
from processor.demo.rules import Accepted
from processor.demo.vendor_stub import Faults
from tests.reliability.verdict import Check, Finding
from tests.replay.scene import (
    BASKETS,
    COMMIT_INTERVAL,
    CONCURRENCY,
    ORDERS,
    SEARCHES,
    VIEWS,
    Command,
    Scene,
    fails,
)
from tests.support.broker import PARTITIONS
from tests.support.waiting import eventually_sync

SOON: Mapping[str, Any] = {"retry": {"delays": ["1s"]}}
"""A method that refuses is probed again at once."""
MAX_REPLAYS = 3
WINDOW = 5
"""Seconds over which the rate is judged."""
TENTH = 0.1
"""Of the account's rate is a replay's, where nobody says another."""
BOTH = 1.1
"""Of the account's rate, for a service and a replay beside it."""
BURST = 0.25
"""Seconds of its rate that a process may send at once."""


def mixed(scene: Scene) -> Finding:
    """Four routes fail, of which two are repaired and replayed; then the others."""
    selected = ("--route", VIEWS, "--route", ORDERS)
    buried, before = len(scene.failed()), Counter(scene.books)
    dry, run, took = _rehearsed(scene, *selected)
    arrived = scene.books[before.total() :]
    again = _ended(scene.replay(*selected))
    unchanged = len(scene.books) == before.total() + len(arrived)
    states = scene.states()
    counts = run.counts
    untouched = {(route, "open"): len(scene.failed(route)) for route in (SEARCHES, BASKETS)}
    replayed = {(route, "replayed"): len(scene.failed(route)) for route in (VIEWS, ORDERS)}
    rest_dry, rest, _ = _rehearsed(scene)
    last = _ended(scene.replay(faulty={}))
    per_second = len(arrived) / took
    return Finding(
        [f"{buried:,} letters, {counts['selected']:,} selected", f"{per_second:.0f} letters/s with start and end"],
        [
            Check("dry run and run have the same counts", dry.counts == counts and rest_dry.counts == rest.counts),
            Check("exactly the selected deliveries arrive", Counter(arrived) == scene.failed(VIEWS, ORDERS)),
            Check("of some orders only some lines", bool(partial_orders(scene))),
            Check("in order per visitor", in_order(arrived)),
            Check("a second replay delivers nothing", "selected" not in again.counts and unchanged),
            Check(f"other routes' letters are untouched {states}", states == untouched | replayed),
            Check(
                "they are replayable afterwards",
                rest.counts["delivered"] == len(scene.failed(BASKETS))
                and rest.counts["failed"] == last.counts["delivered"] == len(scene.failed(SEARCHES)),
            ),
            Check("none is open at the end", last.counts["read"] == last.counts["closed"] + last.counts["delivered"]),
        ],
        [
            Check("what was good before had arrived", before == scene.good),
            Check("the vendor has all, once", Counter(scene.books) == scene.good + scene.failed()),
        ],
    )


def refiled(scene: Scene) -> Finding:
    """All letters are exported, one route is replayed, Kafka deletes half of all, then the file is replayed."""
    file = str(scene.path.folder / "letters.avro")
    buried, before = scene.failed(), len(scene.books)
    exported = _ended(scene.command("dlq", "export", file)).counts["exported"]
    first = _ended(scene.replay("--route", ORDERS, faulty={})).counts["delivered"]
    deleted = scene.forget(*range(PARTITIONS // 2))
    asked = ("--from-file", file)
    dry = _ended(scene.replay(*asked, "--dry-run", faulty={}))
    run = _ended(scene.replay(*asked, faulty={}))
    arrived = scene.books[before:]
    again = _ended(scene.replay(*asked, faulty={}))
    put_back = run.account["file"]["put_back"]
    return Finding(
        [f"{exported:,} letters exported, {first:,} replayed, {deleted:,} deleted by Kafka, {put_back:,} put back"],
        [
            Check("Kafka has deleted letters that nobody had replayed", deleted > first),
            Check("the file has all", exported == len(scene.listed("--state", "open")) + put_back + first),
            Check("dry run and run have the same counts", dry.counts == run.counts),
            Check("and the same file", dry.account["file"] == run.account["file"]),
            Check("what was replayed is not put back", put_back == exported - first == run.counts["delivered"]),
            Check("all arrive, each delivery once", Counter(arrived) == buried),
            Check("in order per visitor", in_order(arrived[first:])),
            Check("a second replay of the file delivers nothing", "selected" not in again.counts),
            Check("and puts nothing back", again.account["file"]["put_back"] == 0),
            Check("nothing arrived by it", len(scene.books) == before + len(arrived)),
        ],
        [Check("none is open at the end", {state for _, state in scene.states()} == {"replayed"})],
    )


def put_back_killed(scene: Scene) -> Finding:
    """Kafka has deleted all that was exported; the replay of the file is killed while it puts letters back."""
    file = str(scene.path.folder / "letters.avro")
    buried, before = scene.failed(), len(scene.books)
    exported = _ended(scene.command("dlq", "export", file)).counts["exported"]
    scene.forget(*range(PARTITIONS))
    asked = ("--from-file", file)
    empty = scene.ends()
    first = scene.replay(*asked, faulty={})
    eventually_sync(lambda: scene.ends() > empty, 60)
    first.kill()
    killed_at = len(scene.listed())
    sent = len(scene.books) - before
    refused: list[Command] = []

    def accepted() -> bool:
        """Whether the run that was killed does not count as going on any more."""
        refused.append(scene.replay(*asked, faulty={}))
        return refused[-1].end() == 0

    eventually_sync(accepted, 120)
    run = refused.pop()
    put_back = run.account["file"]["put_back"]
    return Finding(
        [f"{exported:,} letters exported and deleted, killed when {killed_at:,} were back"],
        [
            Check("killed in the middle, before anything was sent", 0 < killed_at < exported and sent == 0),
            Check("meanwhile refused, and told why", all("give its command again" in each.err for each in refused)),
            Check("the same command puts back the others", put_back == exported - killed_at),
            Check("and replays all", run.counts["delivered"] == exported),
            Check("each arrives once", Counter(scene.books[before:]) == buried),
        ],
        [Check("in order per visitor", in_order(scene.books[before:]))],
    )


def stopped(scene: Scene, rate: int) -> Finding:
    """`kill -9` after a third and `--resume`, Ctrl-C after two and `--resume`."""
    wanted, before = scene.failed(VIEWS), len(scene.books)
    first = scene.replay("--route", VIEWS, rate=f"{rate}/s")
    scene.arrived(before + len(wanted) // 3)
    first.kill()
    killed_at = len(scene.books) - before
    run = scene.begun().id
    unmarked = killed_at - scene.marked(run)
    second = scene.replay("--resume", run, rate=f"{rate}/s")
    scene.arrived(before + unmarked + len(wanted) * 2 // 3)
    second.interrupt()
    code, interrupted_at = second.end(), len(scene.books) - before - unmarked
    record = scene.history.runs[run]
    third = _ended(scene.replay("--resume", run))
    arrived = scene.books[before:]
    repeats = len(arrived) - len(wanted)
    open_then, counts = len(wanted) - interrupted_at, third.counts
    return Finding(
        [
            f"{len(wanted):,} letters at {rate:,}/s, killed after {killed_at:,}, interrupted after {interrupted_at:,}",
            f"{repeats} repeated",
        ],
        [
            Check("stopped in the middle", 0 < killed_at < interrupted_at < len(wanted)),
            *_once_more(Counter(arrived), wanted, repeats, rate),
            Check("repeated was only what no mark told of when it was killed", repeats == unmarked),
            Check(
                "Ctrl-C: exit code 1, and how to resume", code == 1 and f"--resume {run}" in second.account["resume"]
            ),
            Check("Ctrl-C: the rest is open", second.counts["open"] == open_then),
            Check("Ctrl-C: the run goes on in the audit", record.state == "running" and record.ended is None),
            Check("the account is of the whole run", counts["delivered"] == counts["selected"] == len(wanted)),
        ],
        [Check("the run is done", scene.history.runs[run].state == "done")],
    )


def rebalanced(scene: Scene, rate: int) -> Finding:
    """Three workers of one run, of which one is killed."""
    wanted, before = scene.failed(VIEWS), len(scene.books)
    first = scene.replay("--route", VIEWS, rate=f"{rate}/s")
    run = scene.begun().id
    others = [scene.replay("--resume", run, rate=f"{rate}/s") for _ in range(2)]
    eventually_sync(lambda: scene.members(run) == 1 + len(others), 60)
    at = len(scene.books) - before
    first.kill()
    for other in others:
        _ended(other)
    arrived = scene.books[before:]
    repeats = len(arrived) - len(wanted)
    one, two = (other.counts for other in others)
    return Finding(
        [f"three workers, one killed after {at:,} of {len(wanted):,} letters", f"{repeats} repeated"],
        [
            Check("killed in the middle", 0 < at < len(wanted)),
            *_once_more(Counter(arrived), wanted, repeats, rate),
            Check("both others end with the same account", one == two and one["delivered"] == len(wanted)),
        ],
        [Check("the run is done", scene.history.runs[run].state == "done")],
    )


def never_mended(scene: Scene) -> Finding:
    """Letters whose cause is not mended are replayed again and again."""
    number, before = len(scene.failed(SEARCHES)), len(scene.books)
    tries: list[Command] = []
    codes = []
    for _ in range(MAX_REPLAYS):
        tries.append(scene.replay("--route", SEARCHES))
        codes.append(tries[-1].end())
    over = _ended(scene.replay("--route", SEARCHES))
    listed = Counter((letter["state"], letter["replays"]) for letter in scene.listed("--route", SEARCHES))
    replayed = {("replayed", count): number for count in range(MAX_REPLAYS)}
    return Finding(
        [f"{number:,} letters, {MAX_REPLAYS} replays"],
        [
            Check("each replay fails and says so", codes == [1] * MAX_REPLAYS),
            Check("all of them fail again", all(each.counts["failed"] == number for each in tries)),
            Check("each time behind a new letter with its count", listed == replayed | {("open", MAX_REPLAYS): number}),
            Check("then they are left alone, and reported", over.counts.get("over_max_replays") == number),
            Check("nothing is selected any more", "selected" not in over.counts),
        ],
        [Check("the vendor got nothing of them", len(scene.books) == before)],
    )


def refused(scene: Scene, route: str, status: int) -> Finding:
    """The vendor refuses all that a run sends; later it does not."""
    wanted, before = scene.failed(route), len(scene.books)
    account = scene.path.vendors.rocket.account
    scene.path.vendors.rocket.faults, before_it = Faults(status=status), account.requests
    run = scene.replay("--route", route, **SOON)
    begun = time.monotonic()
    code = run.end()
    took = time.monotonic() - begun
    tried = account.requests - before_it
    scene.path.vendors.rocket.faults = Faults()
    counts = run.counts
    after = _ended(scene.replay("--route", route))
    return Finding(
        [f"{len(wanted):,} letters, all answered {status}", f"ended after {took:.0f} s and {tried:,} requests"],
        [
            Check("exit code 1", code == 1),
            Check("the rest is open", counts.get("open") == counts["selected"] == len(wanted)),
            Check("it says what the vendor answered", f"{status}" in run.account["why_open"]),
            Check("replayable afterwards", Counter(scene.books[before:]) == wanted),
        ],
        [Check("the account after it balances", after.counts["delivered"] == len(wanted))],
    )


def beside(scene: Scene, letters: int, rate: int) -> Finding:
    """A live service that uses all of its rate, and a replay with the rate that it takes where nobody says one."""
    wanted, before = len(scene.failed()), len(scene.books)
    account = scene.path.vendors.rocket.account
    account.per_second.clear()
    limits = {"rate": f"{rate}/s", "concurrency": "8"}
    asked = len(scene.asked)
    with scene.path.service(scene.config({}, **limits), "--destination", "rocket") as live:
        live.ready(60)
        scene.click(letters * round(1 / TENTH) + 3 * rate, seed=2)
        run = scene.command("replay", "--route", VIEWS, "--max", str(letters), faulty={}, **limits)
        code = run.end()
        arrived = scene.arrived(before + letters + len(scene.asked) - asked) - before
        assert live.terminate() == 0, live.log
    seconds = range(min(account.per_second), max(account.per_second) + 1)
    per_second = [account.per_second[second] for second in seconds]
    most = max(sum(per_second[at : at + WINDOW]) for at in range(max(len(per_second) - WINDOW, 0) + 1))
    mean = sum(per_second) / len(per_second)
    late = 2 * int(limits["concurrency"])  # that were in flight while a busy stub looked away
    return Finding(
        [
            f"{arrived:,} deliveries, {letters:,} of {wanted:,} letters among them, {mean:.1f}/s in all",
            f"at most {most / WINDOW:.1f}/s over {WINDOW} s; the account has {rate}/s",
        ],
        [
            Check("all replayed", code == 0 and run.counts["delivered"] == letters),
            Check(
                "at most 1.1 times the rate in any five seconds, and one burst",
                most <= BOTH * rate * (WINDOW + BURST) + late,
            ),
            Check("at most 1.1 times the rate in all", mean <= BOTH * rate * (1 + BURST / len(per_second))),
        ],
        [Check("the live service lost nothing", arrived == letters + len(scene.asked) - asked)],
    )


def partial_orders(scene: Scene) -> set[str]:
    """Orders of which some lines were refused, and some were not."""
    lines = [one for one in scene.asked if one.route == ORDERS]
    bad, good = ({one.delivery.item.partition("/")[0] for one in lines if fails(one) is fate} for fate in (True, False))
    return bad & good


def in_order(arrived: list[Accepted]) -> bool:
    """Whether each visitor's deliveries of one method came in the order of their times."""
    methods = {one.method for one in arrived}
    return not any(judge([], [one for one in arrived if one.method == method]).out_of_order for method in methods)


def _rehearsed(scene: Scene, *arguments: str) -> tuple[Command, Command, float]:
    """A dry run, the run, and the seconds that it took."""
    dry = _ended(scene.replay("--dry-run", *arguments))
    begun = time.monotonic()
    run = scene.replay(*arguments)
    code = run.end()
    assert code == (1 if run.counts.get("failed") else 0), run.err
    return dry, run, time.monotonic() - begun


def _ended(command: Command) -> Command:
    assert command.end() == 0, command.out + command.err
    return command


def _once_more(arrived: Counter[Accepted], wanted: Counter[Accepted], repeats: int, rate: int) -> Iterator[Check]:
    most = CONCURRENCY + round(rate * COMMIT_INTERVAL)
    yield Check("nothing lost, nothing else", arrived.keys() == wanted.keys())
    yield Check(f"{repeats} repeated, at most in flight and of a commit interval: {most}", repeats <= most)
