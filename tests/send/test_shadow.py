import asyncio

from processor.records import Request
from processor.send.replies import Shadowed
from processor.send.shadow import ShadowSender
from tests.send.parts import channel, deliveries

VIEW = channel("view")
REQUEST = Request(VIEW, deliveries(VIEW, None), b"{}")


async def test_nothing_is_sent_and_all_is_answered() -> None:
    """Every request ends as shadowed, no key is needed, and nothing needs to be closed."""
    shadow = ShadowSender()

    await shadow.renew()
    assert await shadow.send(REQUEST) == Shadowed()
    await shadow.close()


async def test_others_get_their_turn() -> None:
    """A worker that sends shadows one after another does not keep the event loop for itself."""
    shadow, turns = ShadowSender(), 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    other = asyncio.create_task(count())
    for _ in range(10):
        await shadow.send(REQUEST)
    other.cancel()

    assert turns >= 9
