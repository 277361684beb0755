"""What the measurements are measured with."""

import asyncio

import aiohttp
import pytest

from tests.reliability.outages import allowed, next_probe
from tests.reliability.pressure import pauses
from tests.reliability.scene import PRODUCTION
from tests.reliability.vendor import Answer, Call, Sent, refusing, serving_vendor
from tests.reliability.verdict import Taken, in_order

HEADERS = {"apikey": "demo-voyado-key", "User-Agent": "Test/1.0", "Content-Type": "application/json"}
VIEW = {"itemId": "7", "contactId": "some0000000000000001", "time": "2026-11-22T09:31:07.120Z"}


def call(at: float, *deliveries: Sent, answered: float | None = None) -> Call:
    """A request that arrived then."""
    return Call(at, at, "/productview", "", deliveries, answered=answered)


def taken(*numbers: int, visitor: str = "a") -> list[Taken]:
    """Accepted one after another, in this order."""
    return [(call(at), Sent(visitor, number, 0)) for at, number in enumerate(numbers)]


@pytest.mark.parametrize(
    ("seconds", "probes", "longest"), [(5, 0, 10), (60, 2, 60), (99, 2, 60), (100, 3, 300), (3600, 14, 300)]
)
def test_the_delays_say_how_many_probes_there_may_be(seconds: float, probes: int, longest: float) -> None:
    """One after each delay, the last of which repeats; the next one comes within the hold that goes on then."""
    assert allowed(PRODUCTION, seconds) == probes
    assert next_probe(PRODUCTION, seconds) == pytest.approx(longest * 1.25 + 1)


def test_an_event_that_overtakes_another_of_its_visitor_is_seen() -> None:
    """Order counts per visitor only, and twice is no order either."""
    assert in_order(taken(1, 2, 5))
    assert in_order(taken(2, 3) + taken(1, visitor="b"))
    assert not in_order(taken(1, 3, 2))
    assert not in_order(taken(1, 1))


def test_a_pause_begins_with_the_first_answer_of_a_burst() -> None:
    """What had left before the answer was read belongs to the burst."""
    storm = [call(0, answered=0.02), call(0.01, answered=0.05), call(3.1, answered=3.2)]

    assert pauses(storm, back=6.0) == [pytest.approx(3.08), pytest.approx(2.8)]


async def test_the_vendor_fails_as_it_is_told_and_keeps_what_it_saw() -> None:
    """A fault, a wrong key, an acceptance, a refused connection, and each request with its deliveries."""
    async with serving_vendor(latency=0) as vendor, aiohttp.ClientSession(headers=HEADERS) as client:
        url = f"{vendor.url}/api/v2/tracking/productview"

        async def post(**headers: str) -> int:
            async with client.post(url, json=VIEW, headers=headers) as response:
                return response.status

        vendor.fault = refusing(lambda sent: sent.number == 7, 403)
        assert await post() == 403
        vendor.fault = lambda _: None
        assert await post(apikey="another") == 401
        assert await post() == 200
        await vendor.close()
        with pytest.raises(aiohttp.ClientConnectionError):
            await post()
        await vendor.listen()
        vendor.fault = lambda _: Answer(0)
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(post(), 0.05)

    assert [call.status for call in vendor.calls] == [403, 401, 200, 0]
    assert [call.answered is None for call in vendor.calls] == [False, False, False, True]
    assert {sent.number for call in vendor.calls for sent in call.deliveries} == {7}
    assert vendor.taken == 1
    assert not vendor.broken.total()
