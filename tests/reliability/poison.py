"""Records that the vendor will never take: in a backlog, one visitor's all, and on a quiet topic."""

import time
from collections.abc import Sequence

from tests.reliability.scene import METHODS, PRODUCTION, SOME, Scene, visitors
from tests.reliability.vendor import refusing
from tests.reliability.verdict import Check, Finding, balance, people, waits, within

CLASSES = {400: "invalid", 403: "refused", 500: "exhausted"}
"""As what a record ends that is always answered so, while others are accepted."""
FEW = 10.0
"""Events a second beside what is looked at: a refusal needs others to be compared with."""


def healthy(scene: Scene, *, events: int = 10_000) -> Finding:
    """A backlog, and nothing wrong: what the others are compared with."""
    scene.backlog(events)
    with scene.service():
        scene.until_delivered(within=180)
        scene.settle()
    return Finding(
        counted=[f"{events:,} events through in {people(_took(scene))}, {len(scene.calls()):,} requests"],
        own=[],
        books=balance(scene, {}),
    )


def backlog(scene: Scene, *, status: int, events: int = 10_000, delays: Sequence[str] = PRODUCTION) -> Finding:
    """A backlog in which every hundredth event is answered so, always; a few more events follow as time goes by."""
    scene.backlog(events)
    poison = {number for number in range(1, events + 1) if number % 100 == 50}
    scene.vendor.fault = refusing(lambda sent: sent.number in poison, status)
    with scene.service(delays=delays):
        with scene.feeding(FEW):
            scene.until_buried(len(poison), within=300)
        scene.settle(but=len(poison))
    buried = max(float(headers["written"]) for headers in scene.letters().values())
    first = scene.calls()[0]
    sick = {sent.visitor for sent in scene.produced.values() if sent.number in poison}
    healthy = [(call.at, sent.visitor in sick) for call, sent in scene.accepted() if sent.number <= events]
    through = max(at for at, behind in healthy if not behind)
    attempts = [int(headers["dlq.attempts"]) for headers in scene.letters().values()]
    return Finding(
        counted=[
            f"other visitors' events through in {people(through - first.at)}",
            f"all {len(healthy):,} healthy ones in {people(max(healthy)[0] - first.at)}",
            f"last of {len(poison)} dead letters after {people(buried - first.wall)}",
            f"{len(scene.calls(until=max(healthy)[0])):,} requests until then",
            f"attempts per letter {min(attempts)} to {max(attempts)}",
        ],
        own=[],
        books=balance(scene, dict.fromkeys(poison, CLASSES[status])),
    )


def one_visitor(scene: Scene, *, events: int = 20, delays: Sequence[str] = PRODUCTION) -> Finding:
    """One visitor's events are answered 403, always, under a live feed of others."""
    (sick,) = visitors("sick", 1)
    scene.vendor.fault = refusing(lambda sent: sent.visitor == sick, 403)
    with scene.service(delays=delays):
        with scene.feeding():
            scene.until_steady()
            begun = time.monotonic()
            bad = [scene.produce(sick, METHODS[at % 2]).number for at in range(events)]
            scene.until_buried(events, within=10 * events)
            ended = time.monotonic()
        scene.settle(but=events)
    letters = scene.letters()
    during = waits(scene.accepted(begun, ended))
    written = sorted(bad, key=lambda number: float(letters[number]["written"]))
    rate = len(during) / (ended - begun) / scene.mode.feed
    return Finding(
        counted=[
            f"{events} events of the visitor buried one after another in {people(ended - begun)}",
            f"others at {rate:.0%} of what was produced meanwhile, worst wait {people(max(during))}",
        ],
        own=[
            Check("buried in their order", written == bad),
            Check("others' rate is what was produced (± 5 %)", rate >= 0.95, timed=True),
            Check("99 % of others wait 1 s at most", within(1, during), timed=True),
        ],
        books=balance(scene, dict.fromkeys(bad, "refused")),
    )


def quiet(
    scene: Scene, *, status: int, first: bool, every: float = 2, events: int = 15, delays: Sequence[str] = PRODUCTION
) -> Finding:
    """One event every few seconds, each of another visitor; one of them, or the very first, is answered so always."""
    lanes, at = SOME[:events], 0 if first else events // 3
    scene.vendor.fault = refusing(lambda sent: sent.visitor == lanes[at], status)
    with scene.service(delays=delays):
        for lane in lanes:
            scene.produce(lane, METHODS[0])
            scene.flush()
            time.sleep(every)
        with scene.feeding(1 / every, lambda: (scene.random.choice(lanes[at + 1 :]), METHODS[0])):
            scene.until_buried(1, within=120)
        scene.settle(but=1)
    (letter,) = scene.letters().values()
    (made,) = (sent.made for sent in scene.produced.values() if sent.number == at + 1)
    passed = [call for call, sent in scene.accepted() if call.wall < float(letter["written"])]
    return Finding(
        counted=[
            f"{len(scene.accepted())} healthy events, worst wait {people(max(waits(scene.accepted())))}",
            f"the poison buried after {people(float(letter['written']) - made)} and {letter['dlq.attempts']} attempts",
        ],
        own=[
            Check("healthy events arrive within a second", max(waits(scene.accepted())) <= 1, timed=True),
            Check("healthy events go out while the poison waits", len(passed) >= (events - 1) // 2),
        ],
        books=balance(scene, {at + 1: CLASSES[status]}),
    )


def alone(scene: Scene, *, stalemate: float = 20, delays: Sequence[str] = ("5s",)) -> Finding:
    """The topic's only record is answered 403; long after, a healthy one of the same visitor follows."""
    scene.vendor.fault = refusing(lambda sent: sent.number == 1, 403)
    longest = stalemate + 2 * 1.25 * max(float(delay[:-1]) for delay in delays) + 5
    with scene.service(delays=delays, retry={"stalemate": f"{stalemate:g}s"}):
        made = scene.produce(SOME[0], METHODS[0]).made
        scene.flush()
        scene.until_buried(1, within=longest + 20)
        scene.produce(SOME[0], METHODS[0])
        scene.settle(but=1)
    (letter,) = scene.letters().values()
    after = float(letter["written"]) - made
    return Finding(
        counted=[
            f"buried after {people(after)} and {letter['dlq.attempts']} attempts: {letter['dlq.error.message']}",
            f"the next event of its visitor waited {people(max(waits(scene.accepted())))}",
        ],
        own=[
            Check("not before the stalemate", stalemate <= after),
            Check("soon after it", after <= longest, timed=True),
        ],
        books=balance(scene, {1: "refused"}),
    )


def _took(scene: Scene) -> float:
    accepted = scene.accepted()
    return accepted[-1][0].at - accepted[0][0].at
