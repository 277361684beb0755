"""The vendor throttles, or fails at random."""

import time
from collections import Counter
from collections.abc import Sequence
from random import Random

from tests.reliability.scene import CONCURRENCY, METHODS, SOME, Scene
from tests.reliability.vendor import Answer, Call, always, refusing
from tests.reliability.verdict import Check, Finding, balance, people

ON_ITS_WAY = 0.5
"""Seconds after an answer in which requests may still arrive that left before it was read."""
MAX_ATTEMPTS = 8
"""The file's default."""


def throttled(scene: Scene, *, retry_after: int | None, seconds: float = 10) -> Finding:
    """Everything is answered 429 for so many seconds; one of the events of that time is answered 400 ever after."""
    with scene.service():
        with scene.feeding():
            scene.until_steady()
            begun = time.monotonic()
            scene.vendor.fault = always(429, None if retry_after is None else str(retry_after))
            poison = scene.produce(SOME[0], METHODS[0]).number
            time.sleep(seconds)
            ended = time.monotonic()
            scene.vendor.fault = refusing(lambda sent: sent.number == poison, 400)
            scene.until_steady(but=1)
            caught_up = time.monotonic()
        scene.until_buried(1, within=60)
        scene.settle(but=1)
    storm, back = [call for call in scene.calls(begun) if call.status == 429], scene.accepted(ended)[0][0].at
    waited = pauses(storm, back)
    least = [retry_after or 2**place for place in range(len(waited))]
    attempts = int(scene.letters()[poison]["dlq.attempts"])
    most = CONCURRENCY * (int((back - begun) / (retry_after or 1)) + 2)
    return Finding(
        [
            f"{len(storm)} requests were answered 429",
            f"pauses as the vendor saw them: {', '.join(f'{pause:.2f}' for pause in waited)} s",
            f"first delivery {people(back - ended)} after the end, backlog gone after {people(caught_up - ended)}",
        ],
        [
            Check(
                f"never back before {'Retry-After' if retry_after else '1, 2, 4, … s'} is over",
                all(pause >= at_least for pause, at_least in zip(waited, least, strict=True)),
                timed=True,
            ),
            Check("no more requests than were in flight, and one after each pause", len(storm) <= most),
            Check("no attempt spent: an event that was throttled first is buried after two 400s", attempts == 2),
        ],
        balance(scene, {poison: "invalid"}),
    )


def pauses(storm: Sequence[Call], back: float) -> list[float]:
    """Seconds from the answer to a burst's first request to the next request that had not left before that."""
    found, told = [], _answered(storm[0])
    for call in storm[1:]:
        if call.at > told + ON_ITS_WAY:
            found.append(call.at - told)
            told = _answered(call)
    return [*found, back - told]


def _answered(call: Call) -> float:
    return call.answered or call.at


def dice(scene: Scene, *, events: int = 10_000, delays: Sequence[str] = ("1s", "2s", "4s")) -> Finding:
    """One half of the events meets a healthy vendor, the other one a vendor that answers 500 to a fifth of requests."""
    random = Random(2)  # noqa: S311 - the dice must fall the same each time
    with scene.service(delays=delays):
        scene.backlog(events // 2)
        scene.until_delivered(within=180)
        scene.settle()
        scene.vendor.fault = lambda _: Answer(500) if random.random() < 0.2 else None
        begun = time.monotonic()
        scene.backlog(events // 2)
        scene.wait(lambda: scene.vendor.taken + scene.buried >= len(scene.produced), 300)
        ended = time.monotonic()
        scene.until_committed()
    healthy, rate = _rate(scene, 0, begun), _rate(scene, begun, ended)
    refused = [call for call in scene.calls(begun) if call.status == 500]
    alone = Counter(call.deliveries[0].number for call in refused if len(call.deliveries) == 1)
    unlucky = {number for number, times in alone.items() if times >= MAX_ATTEMPTS}
    letters = scene.letters()
    return Finding(
        [
            f"{len(refused):,} of {len(scene.calls(begun)):,} requests answered 500",
            f"95 % delivered at {rate / healthy:.0%} of the healthy rate ({healthy:.0f}/s)",
            f"all after {people(ended - begun)}",
            f"most refusals of one event {max(alone.values(), default=0)}; {len(unlucky)} met {MAX_ATTEMPTS} in a row",
        ],
        [Check(f"dead letters only of what met {MAX_ATTEMPTS} in a row", letters.keys() <= unlucky)],
        balance(scene, dict.fromkeys(letters, "exhausted")),
    )


def _rate(scene: Scene, since: float, until: float) -> float:
    """Events a second until 95 % of them were delivered: the last ones wait for their delays."""
    accepted = scene.accepted(since, until)
    most = accepted[: len(accepted) * 95 // 100]
    return len(most) / (most[-1][0].at - accepted[0][0].at)
