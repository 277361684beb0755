"""What the vendors should receive for given clicks under `examples/canonical.yaml`, and whether they did.

Says in Python what the routes of that file say in YAML, and shares nothing with the service, so that both
check each other.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from processor.demo.clicks import Click
from processor.demo.rules import Accepted
from processor.demo.schemas import NAMESPACE


class Expected(NamedTuple):
    """One delivery that a click asks for.

    Attributes:
        route: the route's name in the file.
        destination: the destination's name in the file: `voyado` or `rocket`.
        delivery: what the vendor's books must show.
    """

    route: str
    destination: str
    delivery: Accepted


def expected_deliveries(click: Click) -> Iterator[Expected]:
    """Tell what one click asks for: nothing where no route wants the event, or its contact is missing."""
    value = click.value
    match click.record_name.removeprefix(f"{NAMESPACE}."):
        case "ProductViewed":
            product = value["product"]
            yield from _voyado(click, "views-to-voyado", "product_view", value["contactId"], product["sku"])
            yield _rocket(click, "views-to-rocket", "view", product["id"])
        case "GroupViewed":
            yield _rocket(click, "groups-to-rocket", "group_view", value["group"]["id"])
        case "CartUpdated":
            yield from _voyado(click, "carts-to-voyado", "cart", value["cartId"], _cart(value["items"]))
        case "AddedToBasket":
            yield _rocket(click, "baskets-to-rocket", "add_to_basket", value["product"]["id"])
        case "OrderPlaced":
            yield from _voyado(click, "order-empties-cart", "cart", value["cartId"], "")
            for line in value["lines"]:
                item = f"{value['orderNumber']}/{line['productId']}"
                yield _rocket(click, "orders-to-rocket", "order", item)
        case "CategoryViewed":
            yield _rocket(click, "categories-to-rocket", "category_view", value["category"]["id"])
        case "Searched":
            yield _rocket(click, "searches-to-rocket", "search", value["phrase"])
        case _:
            pass  # no route reads ContactIdentified


def _voyado(click: Click, route: str, method: str, lane: str, item: str) -> Iterator[Expected]:
    """Voyado hears of known contacts only."""
    if click.value["contactId"]:
        yield Expected(route, "voyado", Accepted(method, lane, item, click.value["occurredAt"]))


def _rocket(click: Click, route: str, method: str, item: object) -> Expected:
    """Retail Rocket keeps whole seconds."""
    seconds = click.value["occurredAt"] // 1000
    return Expected(route, "rocket", Accepted(method, click.value["visitorId"], str(item), seconds * 1000))


def _cart(items: list[dict[str, Any]]) -> str:
    return " ".join(f"{item['sku']}*{item['quantity']}" for item in items)


@dataclass(frozen=True, slots=True)
class Judgement:
    """How a vendor's books compare with what was expected, in deliveries.

    Attributes:
        lost: expected and never accepted.
        unexpected: accepted though nothing asked for it.
        duplicates: accepted again.
        out_of_order: first acceptances that came after a later one of their lane.
    """

    expected: int
    accepted: int
    lost: int
    unexpected: int
    duplicates: int
    out_of_order: int

    @property
    def clean(self) -> bool:
        """Nothing lost, nothing made up, order kept; duplicates are what "at least once" allows."""
        return not (self.lost or self.unexpected or self.out_of_order)


def judge(expected: Iterable[Accepted], accepted: Iterable[Accepted]) -> Judgement:
    """Compare what a vendor should have with what it has.

    Args:
        expected: the deliveries of `expected_deliveries` for one destination, in any order.
        accepted: the vendor's books, in the order of arrival.
    """
    wanted, seen = Counter(expected), Counter(accepted)
    return Judgement(
        expected=wanted.total(),
        accepted=seen.total(),
        lost=(wanted - seen).total(),
        unexpected=sum(count for delivery, count in seen.items() if delivery not in wanted),
        duplicates=sum(max(0, count - wanted[delivery]) for delivery, count in seen.items() if delivery in wanted),
        out_of_order=_out_of_order(seen),
    )


def _out_of_order(first_acceptances: Iterable[Accepted]) -> int:
    latest: dict[str, int] = {}
    late = 0
    for delivery in first_acceptances:
        time = delivery.time or 0
        late += time < latest.get(delivery.lane, 0)
        latest[delivery.lane] = max(time, latest.get(delivery.lane, 0))
    return late
