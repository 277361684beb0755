"""The expected account against the example configuration, which is read here without the service."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import jmespath
import pytest
import yaml

from processor.demo.clicks import Click, Shop
from processor.demo.expected import Expected, Judgement, expected_deliveries, judge
from processor.demo.rocket_rules import VISITOR_EVENTS, check_rocket, read_rocket
from processor.demo.rules import Accepted
from processor.demo.voyado_rules import check_voyado, read_voyado

START = 1_795_339_867_123
CANONICAL = Path(__file__).parents[2] / "examples" / "canonical.yaml"

VOYADO_PATHS = {"product_view": "/api/v2/tracking/productviews", "cart": "/api/v2/tracking/carts/batch"}
ROCKET_NAMES = {
    "view": "view",
    "group_view": "groupView",
    "add_to_basket": "addToBasket",
    "order": "order",
    "category_view": "categoryView",
    "search": "search",
}
TIMES = {"occurredAt", "placedAt"}


def as_json(value: Any, name: str = "") -> Any:
    """An event's value as expressions see it: times as text, decimals as numbers."""
    match value:
        case dict():
            return {key: as_json(part, key) for key, part in value.items()}
        case list():
            return [as_json(part) for part in value]
        case Decimal():
            return float(value)
        case int() if name in TIMES:
            return datetime.fromtimestamp(value / 1000, UTC).isoformat(timespec="milliseconds")
        case _:
            return value


def evaluate(route: dict[str, Any], event: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The payloads that a route makes of an event, by the plain JMESPath library."""
    items = jmespath.search(route["for_each"], event) if "for_each" in route else [None]
    for item in items:
        scope = event | {"item": item}
        if "when" not in route or jmespath.search(route["when"], scope):
            payload = {
                field: jmespath.search(rule, scope) if isinstance(rule, str) else rule
                for field, rule in route["map"].items()
            }
            yield {field: value for field, value in payload.items() if value is not None}


def deliver(to: str, payload: dict[str, Any]) -> Accepted:
    """Have the vendor's rules judge a payload; Retail Rocket's times are cut to whole seconds, as it demands."""
    destination, method = to.split(".")
    if destination == "voyado":
        path, body = VOYADO_PATHS[method], [payload]
        assert check_voyado(path, body) is None
        [accepted] = read_voyado(path, body)
    else:
        stamp = datetime.fromisoformat(payload["timestamp"]).isoformat(timespec="seconds")
        envelopes = [{ROCKET_NAMES[method]: payload | {"timestamp": stamp}}]
        assert check_rocket(VISITOR_EVENTS, envelopes) is None
        [accepted] = read_rocket(VISITOR_EVENTS, envelopes)
    return accepted


def by_the_file(routes: dict[str, Any], click: Click) -> list[Expected]:
    """What the example asks for."""
    event = as_json(click.value)
    return [
        Expected(name, route["to"].split(".")[0], deliver(route["to"], payload))
        for name, route in routes.items()
        if route["event"] == click.record_name
        for payload in evaluate(route, event)
    ]


@pytest.fixture(scope="module")
def routes() -> dict[str, Any]:
    """The routes of the example."""
    loaded: dict[str, Any] = yaml.safe_load(CANONICAL.read_text(encoding="utf-8"))["routes"]
    return loaded


@pytest.fixture(scope="module")
def clicks() -> list[Click]:
    """Clicks of every type."""
    return list(Shop(5, START).clicks(1_000))


def test_the_expected_account_is_that_of_the_example(routes: dict[str, Any], clicks: list[Click]) -> None:
    """File and code agree on every delivery, and every payload passes both vendors' rules."""
    for click in clicks:
        assert sorted(expected_deliveries(click)) == sorted(by_the_file(routes, click))


def test_every_route_is_used(routes: dict[str, Any], clicks: list[Click]) -> None:
    """No route of the example is left without an event."""
    assert {expected.route for click in clicks for expected in expected_deliveries(click)} == set(routes)


def test_deliveries_are_counted_by_route(clicks: list[Click]) -> None:
    """One delivery per event and route, but one per line of an order, and none for an unknown visitor at Voyado."""
    counts = Counter(expected.route for click in clicks for expected in expected_deliveries(click))
    views = [click for click in clicks if click.record_name.endswith(".ProductViewed")]
    orders = [click for click in clicks if click.record_name.endswith(".OrderPlaced")]

    assert counts["views-to-rocket"] == len(views)
    assert counts["views-to-voyado"] == sum(click.value["contactId"] is not None for click in views)
    assert counts["orders-to-rocket"] == sum(len(click.value["lines"]) for click in orders)
    assert counts["order-empties-cart"] == sum(click.value["contactId"] is not None for click in orders)


def test_every_delivery_can_be_told_from_all_others(clicks: list[Click]) -> None:
    """Otherwise a duplicate could hide a loss."""
    deliveries = [(e.destination, e.delivery) for click in clicks for e in expected_deliveries(click)]

    assert len(set(deliveries)) == len(deliveries)


A1, A2, A3, B1 = (Accepted("view", lane, "x", time) for lane, time in (("a", 1), ("a", 2), ("a", 3), ("b", 1)))
CART = Accepted("cart", "a", "", 1)


@pytest.mark.parametrize(
    ("accepted", "lost", "unexpected", "duplicates", "out_of_order"),
    [
        ([A1, A2, A3, B1], 0, 0, 0, 0),
        ([B1, A1, A2, A3], 0, 0, 0, 0),
        ([A1, A2, A3], 1, 0, 0, 0),
        ([], 4, 0, 0, 0),
        ([A1, A2, A3, B1, A3, A3], 0, 0, 2, 0),
        ([A1, A2, A1, A3, B1], 0, 0, 1, 0),
        ([A2, A1, A3, B1], 0, 0, 0, 1),
        ([A3, A2, A1, B1], 0, 0, 0, 2),
        ([A1, A2, A3, B1, CART, CART], 0, 2, 0, 1),
    ],
    ids=[
        "all in order",
        "lanes mixed otherwise",
        "one lost",
        "all lost",
        "the last one twice more",
        "an earlier one again, which is no disorder",
        "two swapped",
        "turned round",
        "something nobody sent, in a lane of others",
    ],
)
def test_a_vendor_s_books_are_judged(
    accepted: list[Accepted], lost: int, unexpected: int, duplicates: int, out_of_order: int
) -> None:
    """Loss, inventions, duplicates and disorder are each counted, and only duplicates are allowed."""
    judgement = judge([A1, A2, A3, B1], accepted)

    assert judgement == Judgement(4, len(accepted), lost, unexpected, duplicates, out_of_order)
    assert judgement.clean == (lost == unexpected == out_of_order == 0)


def test_the_same_delivery_may_be_expected_twice() -> None:
    """Equal deliveries count as many times as they were asked for."""
    assert judge([A1, A1], [A1, A1]).clean
    assert judge([A1, A1], [A1]).lost == 1
    assert judge([A1, A1], [A1, A1, A1]).duplicates == 1
