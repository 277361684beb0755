"""The vendor is down, refuses the key, or one of its methods is down.

All of it happens under a live feed that flowed undisturbed for `steady` seconds.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from statistics import median

from tests.reliability.scene import CONCURRENCY, METHODS, PRODUCTION, Scene, visitors
from tests.reliability.vendor import CARTS, VIEWS, Answer, Call, Fault, always, nothing_wrong
from tests.reliability.verdict import Check, Finding, balance, people, waits, within

JITTER = 1.25
"""Delays get up to this much longer."""
FLOWING = 20
"""Deliveries of others that must get through while one method is down."""
GRACE = 1.0
"""Seconds after something broke in which what was on its way may still arrive."""


def outage(
    scene: Scene, *, seconds: float = 60, refused: bool = False, delays: Sequence[str] = PRODUCTION, steady: float = 8
) -> Finding:
    """Everything is answered with 503, or every connection refused, for so many seconds."""

    def fail() -> None:
        if refused:
            scene.vendor.refuse_connections()
        else:
            scene.vendor.fault = always(503)

    def heal() -> None:
        if refused:
            scene.vendor.take_connections()
        scene.vendor.fault = nothing_wrong

    with scene.service(delays=delays) as service:
        with scene.feeding():
            rate = _undisturbed(scene, steady)
            begun = _now(fail)
            time.sleep(seconds)
            failed = scene.requests(service, **{"class": "transient"})
            returned = _now(heal)
            back = [_flowing(scene, returned, delays, path) for path in (VIEWS, CARTS)]
            full = _full_rate(scene, returned, rate)
            scene.until_steady()
            caught_up = time.monotonic()
        scene.settle()
    first, late = scene.calls(begun, begun + GRACE), scene.calls(begun + GRACE, returned)
    probes = [sum(path in call.path for call in late) for path in (VIEWS, CARTS)]
    seen = f"{len(first)} requests in the first second, then probes: views {probes[0]}, carts {probes[1]}"
    most = allowed(delays, seconds)
    return Finding(
        [
            f"{failed} requests, by the service's own count" if refused else seen,
            f"first view {people(back[0] - returned)} after the return, first cart {people(back[1] - returned)}",
            f"full rate {people(full - min(back))} later, backlog gone {people(caught_up - returned)} after the return",
        ],
        [
            Check(f"at most {most} probes per path after the first second", max(probes) <= most, timed=True),
            Check("flows at the next probe", max(back) - returned <= next_probe(delays, seconds), timed=True),
            _few(scene.calls(begun, returned), delays, returned - begun, paths=2),
        ],
        balance(scene, {}),
    )


def refused_key(scene: Scene, *, seconds: float = 45, delays: Sequence[str] = PRODUCTION, steady: float = 8) -> Finding:
    """The key is revoked; so many seconds later its file holds the new one."""
    file = scene.path.folder / "api-key"
    file.write_text(scene.vendor.key)
    with scene.service(delays=delays, api_key=f"${{file:{file}}}"):
        with scene.feeding():
            _undisturbed(scene, steady)
            begun, scene.vendor.key = time.monotonic(), "the-new-key"
            time.sleep(seconds)
            changed = _now(lambda: _replace(file, scene.vendor.key))
            back = _flowing(scene, changed, delays)
        scene.settle()
    first, later = scene.calls(begun, begun + GRACE), scene.calls(begun + GRACE, changed)
    most = allowed(delays, seconds)
    return Finding(
        [
            f"{len(first)} requests in the first second, then {len(later)} in {seconds:.0f} s, all paths together",
            f"first delivery {people(back - changed)} after the file changed",
        ],
        [
            Check(f"at most {most} probes after the first second", len(later) <= most, timed=True),
            Check(
                "no old key after the change", all(c.key == scene.vendor.key for c in scene.calls(changed)), timed=True
            ),
            Check("flows at the next probe, no restart", back - changed <= next_probe(delays, seconds), timed=True),
            _few([*first, *later], delays, changed - begun),
        ],
        balance(scene, {}),
    )


def method_down(
    scene: Scene,
    *,
    seconds: float = 60,
    silent: bool = False,
    delays: Sequence[str] = PRODUCTION,
    timeout: float = 2,
    steady: float = 8,
) -> Finding:
    """Carts are answered with 500, or not at all, while views work."""

    def fail() -> None:
        scene.vendor.fault = _on(CARTS, Answer(0 if silent else 500))

    def heal() -> None:
        scene.vendor.fault = nothing_wrong

    with scene.service(delays=delays, timeout=f"{timeout:g}s"):
        with scene.feeding(pick=_viewers_and_buyers(scene)):
            _undisturbed(scene, steady)
            begun = _now(fail)
            time.sleep(seconds)
            scene.wait(lambda: len(_views(scene, begun, time.monotonic())) >= FLOWING, 60)
            returned = _now(heal)
            back = _flowing(scene, returned, delays, CARTS)
        scene.settle()
    before, during = _views(scene, begun - steady, begun), _views(scene, begun, returned)
    part = len(during) / scene.asked(VIEWER, begun, returned)
    wait = timeout if silent else 0.0
    # What was on its way takes its time-out, and the first probe goes out after it.
    late = [call for call in scene.calls(begun + GRACE + 2 * wait, returned) if CARTS in call.path]
    most = allowed(delays, seconds)
    return Finding(
        [
            f"{len(during):,} views of other visitors, {part:.0%} of what was produced meanwhile",
            f"median from event to vendor {people(median(during))} (before {people(median(before))})",
            f"worst {people(max(during))} (before {people(max(before))})",
            f"{len(late)} probes of carts, the first one accepted {people(back - returned)} after the return",
        ],
        [
            Check("views go out as they are produced (± 5 %)", part >= 0.95, timed=True),
            Check(f"99 % wait {1 + wait:.0f} s at most", within(1 + wait, during), timed=True),
            Check(f"at most {most} probes of carts", len(late) <= most, timed=True),
            Check("flows at the next probe", back - returned <= next_probe(delays, seconds) + wait, timed=True),
            Check("views go out while carts are down", len(during) >= FLOWING),
            _few([call for call in scene.calls(begun, returned) if CARTS in call.path], delays, returned - begun),
        ],
        balance(scene, {}),
    )


VIEWER, BUYER, BOTH = "view", "cart", "both"
"""How the names of visitors begin who only look, who only buy, and who do both."""


def _viewers_and_buyers(scene: Scene) -> Callable[[], tuple[str, str]]:
    """Most do only one of both; four in a hundred events are of visitors whose views wait behind their carts."""
    viewers, buyers, others = visitors(VIEWER, 500), visitors(BUYER, 500), visitors(BOTH, 20)

    def pick() -> tuple[str, str]:
        method = scene.random.choice(METHODS)
        who = others if scene.random.random() < 0.04 else viewers if method == METHODS[0] else buyers
        return scene.random.choice(who), method

    return pick


def _views(scene: Scene, since: float, until: float) -> list[float]:
    """How long views took of visitors who do nothing else."""
    return waits([each for each in scene.accepted(since, until) if each[1].visitor.startswith(VIEWER)])


def _on(path: str, answer: Answer) -> Fault:
    def fault(call: Call) -> Answer | None:
        return answer if path in call.path else None

    return fault


def _now(step: Callable[[], None]) -> float:
    """Do something, and say when."""
    step()
    return time.monotonic()


def _undisturbed(scene: Scene, seconds: float) -> float:
    """Let the feed flow for a while, to compare with; deliveries a second."""
    scene.until_steady()
    begun = time.monotonic()
    time.sleep(seconds)
    return len(scene.accepted(begun)) / seconds


def _flowing(scene: Scene, since: float, delays: Sequence[str], path: str = "") -> float:
    """Wait until something is accepted again; says when it came."""

    def times() -> Iterator[float]:
        return (call.at for call, _ in scene.accepted(since) if path in call.path)

    scene.wait(lambda: any(times()), max(_numbers(delays)) * JITTER + 20)
    return next(times())


def _full_rate(scene: Scene, since: float, rate: float) -> float:
    """When a second began in which as much was accepted as in a second before the trouble."""
    wanted = max(int(rate * 0.95), 1)

    def begins() -> Iterator[float]:
        times = [call.at for call, _ in scene.accepted(since)]
        return (a for a, b in zip(times, times[wanted:], strict=False) if b - a <= 1)

    scene.wait(lambda: any(begins()), 30)
    return next(begins())


def _few(calls: Sequence[Call], delays: Sequence[str], seconds: float, paths: int = 1) -> Check:
    """What was in flight, as much again while the first answers were read, and the probes: however slow the machine."""
    most = 2 * CONCURRENCY + paths * allowed(delays, seconds)
    return Check(f"at most {most} requests into the trouble", len(calls) <= most)


def _numbers(delays: Sequence[str]) -> list[float]:
    return [float(delay.removesuffix("s")) for delay in delays]


def allowed(delays: Sequence[str], seconds: float) -> int:
    """How many probes so many seconds allow, where one goes out at once and one after each delay."""
    known = _numbers(delays)
    return sum(at <= seconds for at in accumulate(known + [known[-1]] * int(seconds / known[-1] + 1)))


def next_probe(delays: Sequence[str], seconds: float) -> float:
    """Seconds at most until the next probe, after so many seconds of trouble: the longest hold that may go on then."""
    known = _numbers(delays)
    return known[min(allowed(delays, seconds), len(known) - 1)] * JITTER + GRACE


def _replace(file: Path, text: str) -> None:
    """As Kubernetes does it: never half written."""
    new = file.with_suffix(".new")
    new.write_text(text)
    new.rename(file)
