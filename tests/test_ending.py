import asyncio

from processor.ending import Ending
from tests.support.logs import Lines

FOREVER = 3600.0


class Stubborn:
    """A task that does not end when it is cancelled, until it is let go."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        while not self.go.is_set():
            try:
                await self.go.wait()
            except asyncio.CancelledError:
                continue


async def test_a_step_waits_for_all_of_its_works() -> None:
    """The next step begins when everything of this one is over, and nothing is said."""
    lines, done = Lines(), []

    async def work(name: str, turns: int) -> None:
        for _ in range(turns):
            await asyncio.sleep(0)
        done.append(name)

    ending = Ending(FOREVER, lines.log)
    await ending.step("first", [work("slow", 20), work("quick", 1)])
    done.append("between")
    await ending.step("second", [work("next", 1)])

    assert done == ["quick", "slow", "between", "next"]
    assert (ending.given_up, lines.events) == ([], [])


async def test_a_step_without_works_is_over_at_once() -> None:
    """A service without pipelines ends too."""
    ending = Ending(0.0, Lines().log)
    await ending.step("nothing", [])

    assert ending.given_up == []


async def test_all_steps_share_the_time() -> None:
    """A step that takes all of it leaves none to those behind it; they are tried all the same, and each is named."""
    lines, tried = Lines(), []
    stubborn = Stubborn()

    async def work() -> None:
        tried.append(True)
        await asyncio.Event().wait()

    ending = Ending(0.02, lines.log)
    await ending.step("tasks", [stubborn.task])
    assert ending.left == 0
    await ending.step("port", [work()])

    assert tried == [True]
    assert ending.given_up == ["tasks", "port"]
    assert [line["step"] for line in lines("end_not_in_time")] == ["tasks", "port"]
    stubborn.go.set()
    await stubborn.task


async def test_what_is_over_needs_no_time() -> None:
    """After the deadline a step that has nothing to wait for is not late."""
    ending = Ending(0.0, Lines().log)

    async def at_once() -> None:
        pass

    task = asyncio.create_task(at_once())
    await task
    await ending.step("tasks", [task])

    assert ending.given_up == []


async def test_a_step_that_fails_does_not_keep_the_next_one() -> None:
    """The failure is logged with its cause; a task that was cancelled has ended as it should."""
    lines, done = Lines(), []

    async def fail() -> None:
        raise ZeroDivisionError

    async def last() -> None:
        done.append(True)

    cancelled = asyncio.create_task(asyncio.sleep(FOREVER))
    cancelled.cancel()
    ending = Ending(FOREVER, lines.log)
    await ending.step("connections", [fail()])
    await ending.step("tasks", [asyncio.create_task(last())])
    await asyncio.wait([cancelled])

    assert done == [True]
    assert lines.events == ["end_failed"]
    assert isinstance(lines("end_failed")[0]["exc_info"], ZeroDivisionError)
    assert ending.given_up == []
