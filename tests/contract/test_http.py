"""What the sender hears of a vendor in all weathers: the simulated vendor's replies are those of the real client."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from processor.send.replies import Answered, NotSent, Reply, Unknown
from tests.contract.simulated import SimulatedGround
from tests.send.http_bench import REQUEST, sender
from tests.simulation.endpoint import ILLS, STATUSES, Endpoint, Entry
from tests.simulation.loop import SimLoop
from tests.simulation.weather import Ill
from tests.support.conversations import listening, read_request
from tests.support.server import free_port

WAIT = {Ill.BUSY_UNTIL: b"Retry-After: 7\r\n", Ill.UNAVAILABLE_UNTIL: b"Retry-After: 7\r\n"}
TIMEOUT = 1.0
"""Seconds for a request that is not answered."""


async def really(ill: Ill | None) -> Reply:
    """What the service's client says of a server that behaves so."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        if ill in {Ill.TIMEOUT, Ill.LOST}:
            await asyncio.Event().wait()
        if ill is not Ill.RESET:
            status, body = (STATUSES[ill], b"refused") if ill else (200, b"")
            head = b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n%s\r\n"
            writer.write(head % (status, len(body), WAIT.get(ill, b"") if ill else b"") + body)
            await writer.drain()

    async with listening(talk) as port:
        there = free_port() if ill is Ill.UNREACHABLE else port
        within = TIMEOUT if ill in {Ill.TIMEOUT, Ill.LOST} else 30.0
        async with sender(f"http://127.0.0.1:{there}", timeout=within) as http:
            return await http.send(REQUEST)


def simulated(ill: Ill | None, poison: Ill | None = None, seed: int = 1) -> tuple[Reply, Entry, float]:
    """What the simulated vendor says, what its books have, and the seconds that it took."""
    ground = SimulatedGround("classic", seed)
    endpoint = Endpoint(ground.machine, ground.weather, lambda _: poison)
    if ill:
        ground.weather.begin(ill)
    plan: Any = SimpleNamespace(settings=SimpleNamespace(timeout=TIMEOUT))
    loop = SimLoop(ground.machine, ground.host)  # type: ignore[abstract] # the rest is sockets
    with loop.running():
        task = loop.create_task(endpoint.http(ground.host, plan).send(REQUEST))
    while not task.done():
        ground.machine.step()
    (entry,) = endpoint.books
    return task.result(), entry, ground.machine.clock.now()


@pytest.mark.parametrize("ill", [None, *ILLS], ids=lambda ill: ill.name if ill else "well")
def test_the_simulated_vendor_replies_as_a_real_one(ill: Ill | None) -> None:
    """The same fact, in the same words."""
    real = asyncio.run(really(ill))
    reply, entry, seconds = simulated(ill)

    assert type(reply) is type(real)
    if isinstance(real, Answered) and isinstance(reply, Answered):
        assert (reply.status, reply.body) == (real.status, real.body)
        assert (reply.retry_after is None) == (real.retry_after is None)
    elif isinstance(real, NotSent | Unknown) and isinstance(reply, NotSent | Unknown):
        assert reply.reason.split(":")[0] == real.reason.split(":")[0]
    assert entry.taken or ill is not None
    assert (seconds >= TIMEOUT) == (ill in {Ill.TIMEOUT, Ill.LOST})


def test_the_books_know_what_the_sender_does_not() -> None:
    """What was carried out and never answered is accepted; what was not carried out is not."""
    assert simulated(Ill.LOST)[1].taken
    assert not simulated(Ill.TIMEOUT)[1].taken
    assert not simulated(Ill.UNREACHABLE)[1].taken


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("ill", [Ill.LOST, Ill.RESET])
def test_what_is_refused_for_good_is_refused_also_where_the_answer_is_lost(ill: Ill, seed: int) -> None:
    """A broken connection does not make a bad payload a good one."""
    assert not simulated(ill, Ill.FORBIDDEN, seed)[1].taken
