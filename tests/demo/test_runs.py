import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from processor.demo import runs as module
from processor.demo.accounting import DestinationAccount
from processor.demo.runs import Runs
from processor.errors import FatalError


class FakeService:
    """Runs until it is told to stop; its books are what it is given.

    Attributes:
        ended: what becomes of it when it ends; None = well.
    """

    def __init__(self, read: int, ahead: int = 0, ended: FatalError | None = None, *, starts: bool = True) -> None:
        view = SimpleNamespace(settled_ahead=ahead)
        kafka = SimpleNamespace(snapshot=SimpleNamespace(partitions={("t", 0): view}))
        self.pipelines = [SimpleNamespace(plan=SimpleNamespace(name="rocket"), kafka=kafka)]
        self.books = DestinationAccount(read, 0, read, read, 0, 0)
        self.metrics = self
        self.ended = ended
        self.ready = False
        self._starts = starts

    async def run(self, stop: asyncio.Event) -> None:
        if self._starts:
            self.ready = True
            await stop.wait()
            self.ready = False
        if self.ended is not None:
            raise self.ended


@pytest.fixture(autouse=True)
def _books(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fake's books are read as a service's are."""
    monkeypatch.setattr(module, "account_of", lambda _, service: service.books)


def runs(*services: FakeService) -> Runs:
    """One run after another."""
    left = iter(services)
    return Runs(lambda: cast("Any", next(left)))


async def test_it_is_up_between_its_start_and_its_end() -> None:
    """What is seen in between may be believed."""
    found = runs(FakeService(5))
    up = [found.up]

    await found.start()
    found.check()
    up.append(found.up)
    await found.end()

    assert [*up, found.up] == [False, True, False]
    assert found.accounts()["rocket"].read == 5


async def test_a_restart_adds_up_the_books() -> None:
    """Every record counts once: what was settled ahead is counted by the run that reads it again."""
    found = runs(FakeService(100, ahead=8), FakeService(30), FakeService(1))
    await found.start()

    await found.restart()
    assert found.restarts == 1
    assert found.accounts()["rocket"].read == 122
    assert found.accounts()["rocket"].delivered == 130

    await found.restart()
    assert found.accounts()["rocket"].read == 123
    await found.end()


async def test_a_service_that_does_not_start_is_said() -> None:
    """The reason is the service's."""
    found = runs(FakeService(0, ended=FatalError("no port"), starts=False))

    with pytest.raises(FatalError, match="no port"):
        await found.start()


async def test_a_service_that_ends_by_itself_is_noticed() -> None:
    """With its reason, or with that there was none."""
    for ended, words in ((FatalError("a pipeline failed"), "a pipeline failed"), (None, "ended by itself")):
        service = FakeService(0, ended=ended)
        found = runs(service)
        await found.start()
        found._stop.set()
        await asyncio.sleep(0)
        await asyncio.sleep(0)

        with pytest.raises(FatalError, match=words):
            found.check()


async def test_an_end_that_leaves_something_undone_is_said_once() -> None:
    """But for where something else has failed already."""
    found = runs(FakeService(0, ended=FatalError("not all was done")))
    await found.start()

    with pytest.raises(FatalError, match="not all was done"):
        await found.end()
    await found.abandon()


async def test_before_its_start_there_is_nothing_to_end() -> None:
    """Whoever opens the demo may fail before."""
    await runs(FakeService(0)).abandon()
