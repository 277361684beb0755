import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from processor.demo import run as module
from processor.demo.accounting import NOTHING
from processor.demo.conditions import Held
from processor.demo.judging import Judge
from processor.demo.run import Demo
from processor.demo.traffic import TOPIC
from processor.errors import FatalError
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from processor.demo.facts import Fact

HELD = Held("outage", (), 2.0, 1.0)


class Stage:
    """A demo whose parts are stand-ins: one partition, and both pipelines as far as a test says.

    Attributes:
        holds: what holds each pipeline.
        frontiers: up to where each has settled and committed.
        failed: what the service has died of.
    """

    def __init__(self) -> None:
        self.facts: list[Fact] = []
        self.holds: dict[str, Held | None] = {"voyado": None, "rocket": None}
        self.frontiers = {"voyado": 0, "rocket": 0}
        self.failed: FatalError | None = None
        self.opened = asyncio.Event()
        self.closed = asyncio.Event()
        self.judge = Judge(self.holds)
        self.troubles = SimpleNamespace(out=frozenset(), revoked=frozenset(), end_outage=self._heal)
        account = SimpleNamespace(take=list)
        parts: dict[str, Any] = {
            "addresses": {},
            "vendors": SimpleNamespace(account=SimpleNamespace(voyado=account, rocket=account)),
            "troubles": self.troubles,
            "runs": self._runs(),
            "traffic": SimpleNamespace(
                run=self._click,
                shelf=SimpleNamespace(ends={0: 10}, committed=lambda *_: None),
                waits=False,
                undisturbed=asyncio.Event(),
                restarted=lambda: None,
            ),
            "judge": self.judge,
            "letters": SimpleNamespace(read=list),
            "tell": self.facts.append,
        }
        self.demo = Demo(**parts)

    def _heal(self) -> None:
        self.troubles.out = frozenset()

    def _runs(self) -> Any:
        async def nothing() -> None:
            pass

        def check() -> None:
            if self.failed is not None:
                raise self.failed

        service = SimpleNamespace(pipelines=[_Pipeline(self, name) for name in self.holds])
        accounts = dict.fromkeys(self.holds, NOTHING)
        return SimpleNamespace(
            service=service, up=True, restarts=0, end=nothing, restart=nothing, check=check, accounts=lambda: accounts
        )

    async def _click(self, _: asyncio.Event) -> None:
        self.judge.clicks = 10
        self.opened.set()
        await self.closed.wait()

    def settle(self) -> None:
        """Everything is settled."""
        self.frontiers = dict.fromkeys(self.frontiers, 10)

    def kinds(self) -> list[str]:
        """What happened."""
        return [fact.kind for fact in self.facts]


class _Pipeline:
    def __init__(self, stage: Stage, name: str) -> None:
        self.stage = stage
        self.plan = SimpleNamespace(name=name)
        self.kafka = self

    @property
    def snapshot(self) -> Any:
        at = self.stage.frontiers[self.plan.name]
        return SimpleNamespace(partitions={(TOPIC, 0): SimpleNamespace(frontier=at, settled_ahead=0, committed=at)})


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    """Nothing is held, nothing is settled."""
    monkeypatch.setattr(module, "held_of", lambda pipeline: pipeline.stage.holds[pipeline.plan.name])
    monkeypatch.setattr(module, "LOOK", 0.001)
    return Stage()


async def no_script() -> None:
    """No trouble comes by itself."""


async def test_a_hold_is_told_when_it_begins_and_when_it_is_over(stage: Stage) -> None:
    """Once each, with the pipeline it is about; the other one is not mentioned."""
    running = asyncio.create_task(stage.demo.run(asyncio.Event(), no_script()))
    stage.holds["rocket"] = HELD
    await eventually(lambda: "held" in stage.kinds())
    stage.holds["rocket"] = None
    await eventually(lambda: "healed" in stage.kinds())
    stage.settle()
    stage.closed.set()
    await running

    assert stage.kinds() == ["held", "healed", "closed"]
    assert {fact.details.get("destination") for fact in stage.facts[:2]} == {"rocket"}
    assert stage.facts[1].details["seconds"] >= 2.0


async def test_the_end_puts_right_what_is_wrong_and_waits(stage: Stage) -> None:
    """Nobody quits into an account that cannot balance."""
    running = asyncio.create_task(stage.demo.run(asyncio.Event(), no_script()))
    stage.troubles.out = frozenset({"rocket"})
    stage.closed.set()
    await eventually(lambda: "closed" in stage.kinds())
    assert not stage.demo.clicking
    assert not running.done()

    stage.settle()
    await running

    assert stage.kinds() == ["outage_over", "closed"]


async def test_what_does_not_settle_is_told_and_not_waited_for(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a while without any progress the account is made all the same, and does not balance."""
    monkeypatch.setattr(module, "STUCK", 0.05)
    stage.closed.set()

    account = await stage.demo.run(asyncio.Event(), no_script())

    assert stage.kinds() == ["closed", "not_settled"]
    assert not account.balanced


async def test_a_shop_that_waits_is_told_once(stage: Stage) -> None:
    """It is a state, not a stream of news."""
    running = asyncio.create_task(stage.demo.run(asyncio.Event(), no_script()))
    cast("Any", stage.demo.traffic).waits = True
    await eventually(lambda: "shop_waits" in stage.kinds())
    for _ in range(20):
        await asyncio.sleep(0.001)
    stage.settle()
    stage.closed.set()
    await running

    assert stage.kinds().count("shop_waits") == 1


async def test_a_service_that_fails_ends_the_demo(stage: Stage) -> None:
    """With the service's reason, and without an account."""
    running = asyncio.create_task(stage.demo.run(asyncio.Event(), no_script()))
    await stage.opened.wait()

    stage.failed = FatalError("a pipeline failed")

    with pytest.raises(FatalError, match="a pipeline failed"):
        await running


async def test_a_restart_that_fails_ends_the_demo(stage: Stage) -> None:
    """It was begun by a key, and nobody waits for it."""

    async def fail() -> None:
        raise FatalError("cannot listen")

    cast("Any", stage.demo.runs).restart = fail
    running = asyncio.create_task(stage.demo.run(asyncio.Event(), no_script()))
    with pytest.raises(FatalError):
        await stage.demo.restart()

    with pytest.raises(FatalError, match="cannot listen"):
        await running


async def test_a_second_restart_waits_for_the_first(stage: Stage) -> None:
    """Whoever presses the key twice gets one."""
    restarts: list[int] = []
    go_on = asyncio.Event()

    async def restart() -> None:
        restarts.append(1)
        await go_on.wait()

    cast("Any", stage.demo.runs).restart = restart
    both = [asyncio.create_task(stage.demo.restart()) for _ in range(2)]
    await eventually(lambda: restarts)
    go_on.set()
    await asyncio.gather(*both)

    assert restarts == [1]
    assert stage.kinds() == ["restarting", "restarted"]
