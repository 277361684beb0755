"""A shop that clicks: the same seed makes the same clicks.

Pure: makes events, sends nothing. Every field is valid for both vendors. A visitor's clicks are a second or
more apart, so that their order can be told even from times in whole seconds.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random
from typing import Any, NamedTuple, TypeVar

from processor.demo.catalogue import PHRASES, SITE, make_catalogue
from processor.demo.schemas import NAMESPACE

T = TypeVar("T")

MIX = {
    "ProductViewed": 55,
    "CategoryViewed": 12,
    "Searched": 10,
    "CartUpdated": 8,
    "AddedToBasket": 8,
    "GroupViewed": 4,
    "OrderPlaced": 2,
    "ContactIdentified": 1,
}
"""Share of each record type in percent."""

VISITORS = 1_900

KNOWN = 0.6
"""Share of visitors with a contact id."""

LONG_TAIL = 1.5
"""Some visitors click more than others: 1 would make all equal; at 2 the busiest would click all the time."""

CART_LINES = 4
"""Most lines of a cart, and so of an order."""

STEP = 10
"""Milliseconds between two clicks of all visitors, on average."""

MARKETS = (("SE", "sv-SE", "SEK"), ("NO", "nb-NO", "NOK"), ("DK", "da-DK", "DKK"), ("FI", "fi-FI", "EUR"))


class Click(NamedTuple):
    """One event on its way to Kafka.

    Attributes:
        record_name: Avro full name.
        key: the visitor's id, so that a visitor's clicks stay in order.
        value: the record's fields; timestamps are milliseconds since 1970. Parts are shared between clicks.
    """

    record_name: str
    key: bytes
    value: dict[str, Any]


@dataclass(slots=True)
class Visitor:
    """One browser.

    Attributes:
        head: the fields that all its events have in common.
        cart: quantity by position of the product in the catalogue.
        last: when it clicked last, milliseconds since 1970.
    """

    key: bytes
    head: dict[str, Any]
    currency: str
    cart_id: str
    cart: dict[int, int] = field(default_factory=dict)
    last: int = 0


class Shop:
    """Visitors, articles, and the time of the shop."""

    def __init__(self, seed: int, start: int, only: str | None = None) -> None:
        """Open the shop.

        Args:
            seed: makes visitors, articles and clicks.
            start: when the first click happens, milliseconds since 1970; 10 ms pass from one to the next on
                average.
            only: the one record type to make, such as `ProductViewed`; None makes the usual mix.

        Raises:
            ValueError: there is no such record type.
        """
        if only is not None and only not in MIX:
            raise ValueError(f"no record type {only}; there are {', '.join(MIX)}")
        self._rng = Random(seed)
        self._now = start
        self._catalogue = make_catalogue(self._rng)
        self._visitors = [self._visitor(place) for place in range(VISITORS)]
        self._known = [visitor for visitor in self._visitors if visitor.head["contactId"]]
        self._orders = 0
        self._wheel = [name for name, share in MIX.items() for _ in range(share) if only in (None, name)]
        self._makers: dict[str, Callable[[Visitor], dict[str, Any]]] = {
            "ProductViewed": self._product_viewed,
            "CategoryViewed": self._category_viewed,
            "Searched": self._searched,
            "CartUpdated": self._cart_updated,
            "AddedToBasket": self._added_to_basket,
            "GroupViewed": self._group_viewed,
            "OrderPlaced": self._order_placed,
            "ContactIdentified": self._contact_identified,
        }

    def clicks(self, count: int) -> Iterator[Click]:
        """Make the next clicks."""
        for _ in range(count):
            yield self._click(self._pick(self._wheel))

    def live(self, clock: Callable[[], int]) -> Iterator[Click]:
        """Make clicks for ever, each at the time it is asked for.

        Args:
            clock: milliseconds since 1970; where it stands or goes back, the shop's time goes on by itself.
        """
        while True:
            self._now = max(self._now, clock() - STEP)
            yield from self.clicks(1)

    def _click(self, name: str) -> Click:
        visitors = self._known if name == "ContactIdentified" else self._visitors
        visitor = visitors[int(len(visitors) * self._rng.random() ** LONG_TAIL)]
        self._now += 1 + int(self._rng.random() * (2 * STEP - 1))
        visitor.last = max(self._now, visitor.last + 1000)
        value = {
            **visitor.head,
            "eventId": _guid(self._rng),
            "occurredAt": visitor.last,
            **self._makers[name](visitor),
        }
        return Click(f"{NAMESPACE}.{name}", visitor.key, value)

    def _pick(self, items: Sequence[T]) -> T:
        """Take one; `Random.choice` takes three times as long, and this is most of the shop's work."""
        return items[int(self._rng.random() * len(items))]

    def _visitor(self, place: int) -> Visitor:
        rng = self._rng
        visitor_id = f"{rng.getrandbits(128):032x}"
        market, culture, currency = rng.choice(MARKETS)
        head = {
            "visitorId": visitor_id,
            "sessionId": _guid(rng),
            "contactId": _guid(rng) if place % 10 < KNOWN * 10 else None,
            "market": market,
            "culture": culture,
            "consent": {"marketing": rng.random() < 0.8},  # noqa: PLR2004 - most visitors agree
        }
        return Visitor(visitor_id.encode("ascii"), head, currency, cart_id=_guid(rng))

    def _product_viewed(self, _: Visitor) -> dict[str, Any]:
        seen = self._pick(self._catalogue.products)
        return {"page": seen.page, "product": seen.shown}

    def _group_viewed(self, _: Visitor) -> dict[str, Any]:
        seen = self._pick(self._catalogue.groups)
        return {"page": seen.page, "group": seen.shown}

    def _category_viewed(self, _: Visitor) -> dict[str, Any]:
        seen = self._pick(self._catalogue.categories)
        return {"page": seen.page, "category": seen.shown}

    def _searched(self, _: Visitor) -> dict[str, Any]:
        return {
            "page": _plain_page("search"),
            "phrase": self._pick(PHRASES),
            "results": self._rng.randrange(200),
        }

    def _contact_identified(self, _: Visitor) -> dict[str, Any]:
        return {
            "page": _plain_page("login"),
            "method": self._pick(("LOGIN", "REGISTRATION", "NEWSLETTER_LINK")),
            "memberNumber": self._pick((None, f"{self._rng.randrange(10**8):08}")),
        }

    def _added_to_basket(self, visitor: Visitor) -> dict[str, Any]:
        seen = self._catalogue.products[self._add(visitor.cart)]
        return {"page": seen.page, "cartId": visitor.cart_id, "product": seen.shown, "quantity": 1}

    def _cart_updated(self, visitor: Visitor) -> dict[str, Any]:
        if visitor.cart and self._rng.random() < 0.3:  # noqa: PLR2004 - people mostly add
            visitor.cart.pop(self._pick(list(visitor.cart)))
            change = "REMOVED"
        else:
            change = "QUANTITY_CHANGED" if visitor.cart.get(self._add(visitor.cart), 0) > 1 else "ADDED"
        return {
            "page": _plain_page("cart"),
            "cartId": visitor.cart_id,
            "change": change,
            "items": self._lines(visitor.cart),
            "currency": visitor.currency,
        }

    def _order_placed(self, visitor: Visitor) -> dict[str, Any]:
        if not visitor.cart:
            for _ in range(self._rng.randint(1, CART_LINES)):
                self._add(visitor.cart)
        lines = self._lines(visitor.cart)
        cart_id, visitor.cart_id = visitor.cart_id, _guid(self._rng)
        visitor.cart.clear()
        self._orders += 1
        return {
            "page": _plain_page("thanks"),
            "orderNumber": f"A{100_000 + self._orders}",
            "cartId": cart_id,
            "placedAt": visitor.last,
            "lines": lines,
            "total": sum((line["unitPrice"] * line["quantity"] for line in lines), Decimal(0)),
            "currency": visitor.currency,
        }

    def _add(self, cart: dict[int, int]) -> int:
        """Put one piece into the cart; a full cart gets more of what it has.

        Returns:
            The product's position in the catalogue.
        """
        full = len(cart) >= CART_LINES
        place = self._pick(list(cart)) if full else self._rng.randrange(len(self._catalogue.products))
        cart[place] = cart.get(place, 0) + 1
        return place

    def _lines(self, cart: dict[int, int]) -> list[dict[str, Any]]:
        return [_line(self._catalogue.products[place].shown, quantity) for place, quantity in cart.items()]


def _line(product: dict[str, Any], quantity: int) -> dict[str, Any]:
    return {
        "productId": product["id"],
        "sku": product["sku"],
        "quantity": quantity,
        "unitPrice": product["unitPrice"],
    }


def _plain_page(path: str) -> dict[str, Any]:
    return {"url": f"{SITE}/{path}", "referrer": None, "utm": []}


def _guid(rng: Random) -> str:
    """A version 4 GUID; `uuid.UUID` takes four times as long."""
    text = f"{rng.getrandbits(128):032x}"
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"
