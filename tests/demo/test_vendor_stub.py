import asyncio
import io
from dataclasses import replace
from typing import Any

import aiohttp
import orjson
import pytest
from pydantic import ValidationError

from processor.demo.rules import Accepted
from processor.demo.vendor_stub import OVERLAPPING, Faults, Limit, products
from processor.demo.vendors import Vendors, running_vendors
from tests.demo.vendor_client import CART, GUID, HEADERS, OPTIONS, VIEW, rocket, rocket_view, voyado
from tests.support.waiting import eventually

Session = aiohttp.ClientSession


async def test_voyado_takes_good_calls(vendors: Vendors, session: Session) -> None:
    """Each method answers 200 and its deliveries are in the books, in the order of arrival."""
    for path, payload in (
        ("productview", VIEW),
        ("productviews", [VIEW, VIEW | {"itemId": "2"}]),
        ("carts", CART),
        ("carts/batch", [CART | {"items": []}]),
    ):
        assert await voyado(session, vendors, path, payload) == (200, {})

    account = vendors.account.voyado
    assert [(a.method, a.lane, a.item) for a in account.accepted] == [
        ("product_view", GUID, "10233"),
        ("product_view", GUID, "10233"),
        ("product_view", GUID, "2"),
        ("cart", "c-1", "10233*1"),
        ("cart", "c-1", ""),
    ]
    assert account.requests == 4
    assert vendors.account.rocket.requests == 0


async def test_retail_rocket_takes_good_calls(vendors: Vendors, session: Session) -> None:
    """A single call and a batch are both accepted and noted."""
    assert await rocket(session, vendors, "view", rocket_view()) == (200, {})
    assert await rocket(session, vendors, "visitorEvents", [{"view": rocket_view("s2", 5)}]) == (200, {})

    assert vendors.account.rocket.accepted == [
        Accepted("view", "s1", "10233", 1_795_339_867_000),
        Accepted("view", "s2", "5", 1_795_339_867_000),
    ]


@pytest.mark.parametrize(
    ("path", "payload", "headers", "status", "message"),
    [
        ("productview", VIEW, {"apikey": "bad"}, 401, "the header apikey has no valid key"),
        ("productview", VIEW, {"User-Agent": "Acme"}, 400, "User-Agent must have the form product/version"),
        ("productview", VIEW, {"Content-Type": "text/plain"}, 500, "An error has occurred"),
        ("productview", {}, {}, 400, "itemId is missing"),
        ("productviews", [VIEW, {}], {}, 400, "[1] itemId is missing"),
        ("orders", {}, {}, 404, "no such path: /api/v2/tracking/orders"),
    ],
)
async def test_voyado_refuses_with_its_status(
    vendors: Vendors,
    session: Session,
    path: str,
    payload: Any,
    headers: dict[str, str],
    status: int,
    message: str,
) -> None:
    """A refused call, a batch with one bad element too, leaves nothing but its reason in the books."""
    assert await voyado(session, vendors, path, payload, **headers) == (status, {"message": message})

    assert vendors.account.voyado.accepted == []
    assert vendors.account.voyado.refused == {(status, message): 1}


async def test_retail_rocket_refuses_with_its_status(vendors: Vendors, session: Session) -> None:
    """A wrong key, a wrong payload and a wrong path are told apart."""
    good = rocket_view()

    assert (await rocket(session, vendors, "view", good, apiKey="bad"))[0] == 401
    assert (await rocket(session, vendors, "view", good, partnerId="bad"))[0] == 401
    assert (await rocket(session, vendors, "view", good | {"productId": "SKU-1"}))[0] == 400
    assert (await rocket(session, vendors, "visitorEvents", [{"view": good}, {"view": {}}]))[0] == 400
    assert (await rocket(session, vendors, "removeFromBasket", good))[0] == 404
    assert vendors.account.rocket.accepted == []


async def test_a_key_in_the_url_is_not_repeated(vendors: Vendors, session: Session) -> None:
    """The stub, as the vendor, never answers with the key it was sent."""
    _, body = await rocket(session, vendors, "nothing", {}, apiKey="a-wrong-key")

    assert "a-wrong-key" not in str(body)


async def test_other_verbs_and_other_bodies_are_refused(vendors: Vendors, session: Session) -> None:
    """Only POST with JSON is a call."""
    url = f"{vendors.voyado_url}/api/v2/tracking/productview"
    headers = HEADERS | {"Content-Type": "application/json"}

    async with session.get(url, headers=headers) as answer:
        assert answer.status == 405
    async with session.post(url, headers=headers, data=b'{"itemId": NaN}') as answer:
        assert answer.status == 400
        assert (await answer.json())["message"].startswith("the body is not JSON")


async def test_a_large_batch_is_no_trouble(vendors: Vendors, session: Session) -> None:
    """A batch may be larger than what an HTTP server takes by default."""
    body = orjson.dumps([VIEW | {"url": "https://www.acme.example/" + "x" * 2000}] * 1000)
    headers = HEADERS | {"Content-Type": "application/json"}
    url = f"{vendors.voyado_url}/api/v2/tracking/productviews"

    async with session.post(url, data=io.BytesIO(body), headers=headers) as answer:
        assert answer.status == 200

    assert vendors.account.voyado.deliveries == {"product_view": 1000}


async def test_overlapping_batches_of_one_session_are_noticed(session: Session) -> None:
    """Two `visitorEvents` calls in flight with one session break Retail Rocket's rule; the call itself passes."""
    async with running_vendors(replace(OPTIONS, latency=0.3)) as vendors:
        calls = [
            rocket(session, vendors, "visitorEvents", [{"view": rocket_view("s1")}, {"view": rocket_view(other)}])
            for other in ("s2", "s3", "s4")
        ]
        answers = await asyncio.gather(*calls)

        account = vendors.account.rocket
        assert {status for status, _ in answers} == {200}
        assert account.violations == {OVERLAPPING: 2}
        assert account.max_in_flight == account.max_in_flight_per_lane == 3


async def test_batches_of_different_sessions_may_overlap(session: Session) -> None:
    """Different users may run in parallel, and one session's calls may follow each other."""
    async with running_vendors(replace(OPTIONS, latency=0.1)) as vendors:
        for _ in range(2):
            await asyncio.gather(
                *(
                    rocket(session, vendors, "visitorEvents", [{"view": rocket_view(visitor)}])
                    for visitor in ("s1", "s2")
                )
            )

        assert vendors.account.rocket.violations == {}
        assert vendors.account.rocket.max_in_flight == 2
        assert vendors.account.rocket.max_in_flight_per_lane == 1


async def test_overlapping_single_calls_break_no_rule(session: Session) -> None:
    """Only the batch has that rule; the books still show how many calls a lane had."""
    async with running_vendors(replace(OPTIONS, latency=0.3)) as vendors:
        await asyncio.gather(*(rocket(session, vendors, "view", rocket_view()) for _ in range(2)))

        assert vendors.account.rocket.violations == {}
        assert vendors.account.rocket.max_in_flight_per_lane == 2


async def test_a_client_that_gave_up_has_no_call_in_flight(vendors: Vendors) -> None:
    """After a time-out the next call with the same session is not a violation."""
    body = [{"view": rocket_view()}]
    vendors.rocket.faults = Faults(delay=60.0)
    async with Session(timeout=aiohttp.ClientTimeout(total=0.2)) as hasty:
        with pytest.raises(TimeoutError):
            await rocket(hasty, vendors, "visitorEvents", body)
    vendors.rocket.faults = Faults()

    async with Session() as session:
        await eventually(lambda: vendors.account.rocket._in_flight == 0)
        assert await rocket(session, vendors, "visitorEvents", body) == (200, {})

    assert vendors.account.rocket.violations == {}
    assert vendors.account.rocket.deliveries == {"view": 2}


@pytest.mark.parametrize("status", [401, 503])
async def test_every_call_gets_the_status_asked_for(vendors: Vendors, session: Session, status: int) -> None:
    """An outage or a revoked key begins and ends on request, and accepts nothing meanwhile."""
    vendors.voyado.faults = Faults(status=status)
    assert (await voyado(session, vendors, "productview", VIEW))[0] == status

    vendors.voyado.faults = Faults()
    assert (await voyado(session, vendors, "productview", VIEW))[0] == 200

    assert vendors.account.voyado.refused == {(status, "fault on request"): 1}
    assert vendors.account.voyado.deliveries == {"product_view": 1}


async def test_a_fault_may_say_when_to_come_back(vendors: Vendors, session: Session) -> None:
    """Retry-After is sent as it was asked for."""
    vendors.voyado.faults = Faults(status=503, retry_after="Sun, 22 Nov 2026 10:00:00 GMT")

    async with session.post(f"{vendors.voyado_url}/api/v2/tracking/carts") as answer:
        assert answer.status == 503
        assert answer.headers["Retry-After"] == "Sun, 22 Nov 2026 10:00:00 GMT"


async def test_a_connection_is_reset_before_anything_is_done(
    vendors: Vendors, session: Session, caplog: pytest.LogCaptureFixture
) -> None:
    """The client sees a lost connection, and the vendor has nothing."""
    vendors.voyado.faults = Faults(reset="at_once")

    with pytest.raises(aiohttp.ClientConnectionError):
        await voyado(session, vendors, "productview", VIEW)

    assert vendors.account.voyado.accepted == []
    assert vendors.account.voyado.refused == {(0, "connection reset on request"): 1}
    assert caplog.records == []


async def test_a_connection_is_reset_after_the_call_was_accepted(vendors: Vendors, session: Session) -> None:
    """The client cannot know that the vendor has it."""
    vendors.voyado.faults = Faults(reset="after_accepting")

    with pytest.raises(aiohttp.ClientConnectionError):
        await voyado(session, vendors, "productview", VIEW)

    assert vendors.account.voyado.deliveries == {"product_view": 1}


async def test_a_poisoned_product_is_refused_wherever_it_is(vendors: Vendors, session: Session) -> None:
    """Calls that name the product get 400, single, in a batch, and in a cart; others pass."""
    vendors.voyado.faults = vendors.rocket.faults = Faults(refuse=frozenset({"10233"}))

    assert (await voyado(session, vendors, "productview", VIEW))[0] == 400
    assert (await voyado(session, vendors, "productview", VIEW | {"itemId": "1"}))[0] == 200
    assert (await voyado(session, vendors, "productviews", [VIEW | {"itemId": "1"}, VIEW]))[0] == 400
    assert (await voyado(session, vendors, "carts", CART))[0] == 400
    assert (await rocket(session, vendors, "view", rocket_view(product=10233)))[0] == 400
    assert (await rocket(session, vendors, "visitorEvents", [{"view": rocket_view(product=10233)}]))[0] == 400
    assert (await rocket(session, vendors, "view", rocket_view(product=1)))[0] == 200


async def test_too_many_calls_a_second_get_429(session: Session) -> None:
    """Above the limit a call is refused with the time to come back, and the limit is each vendor's own."""
    async with running_vendors(replace(OPTIONS, limit=3)) as vendors:
        url = f"{vendors.voyado_url}/api/v2/tracking/productview"
        answers = []
        for _ in range(4):
            async with session.post(url, json=VIEW, headers=HEADERS) as answer:
                answers.append((answer.status, answer.headers.get("Retry-After")))

        assert answers == [(200, None)] * 3 + [(429, "1")]
        assert (await rocket(session, vendors, "view", rocket_view()))[0] == 200


def test_a_limit_refills_with_time() -> None:
    """What was not used is kept for one second and no longer."""
    limit = Limit(2)

    assert [limit.exceeded(100.0) for _ in range(3)] == [False, False, True]
    assert [limit.exceeded(100.5) for _ in range(2)] == [False, True]
    assert [limit.exceeded(200.0) for _ in range(3)] == [False, False, True]


def test_a_slow_limit_lets_a_call_through_now_and_then() -> None:
    """Less than one call a second is a limit too."""
    limit = Limit(0.5)

    assert [limit.exceeded(now) for now in (100.0, 101.0, 102.0)] == [False, True, False]


async def test_counting_looks_into_nothing(session: Session) -> None:
    """For benchmarks only the deliveries' number is taken, from bodies that nobody parses."""
    async with running_vendors(replace(OPTIONS, count_only=True)) as vendors:
        assert await voyado(session, vendors, "productviews", [VIEW, VIEW, CART]) == (200, {})
        assert await rocket(session, vendors, "visitorEvents", [{"view": rocket_view()}] * 2) == (200, {})

        assert vendors.account.voyado.deliveries == {"/api/v2/tracking/productviews": 3}
        assert vendors.account.rocket.deliveries == {"/1.0/visitorEvents": 2}
        assert vendors.account.voyado.accepted == []
        assert (await voyado(session, vendors, "carts", CART, apikey="bad"))[0] == 401


def test_a_fault_that_nobody_knows_is_refused() -> None:
    """A mistyped fault must not pass for a healthy vendor."""
    with pytest.raises(ValidationError):
        Faults.model_validate({"satus": 503})


def test_products_are_found_at_any_depth() -> None:
    """Ids count as their text."""
    body = [{"order": {"productId": 5, "price": 1}}, {"items": [{"sku": "a"}, {"sku": "b"}]}, {"itemId": "c"}]

    assert list(products(body)) == ["5", "a", "b", "c"]
