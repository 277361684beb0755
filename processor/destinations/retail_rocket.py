"""Retail Rocket: tracking API 1.0.

Sources: Retail Rocket's HTTP tracking API (methods, `visitorEvents`, 100 requests a second per shop), its general
principles (session ids of letters and digits, the time always sent) and its mobile guide (lengths, whole seconds).
The key travels in the URL, because that is the only place where the vendor takes it.
"""

from typing import Annotated, Any, NotRequired

from pydantic import Field, with_config
from typing_extensions import TypedDict
from yarl import URL

from processor.destinations.fields import (
    CatalogueId,
    PositiveQuantity,
    Price,
    RequiredText50,
    SessionId,
    Text50,
    TimeInSeconds,
)
from processor.destinations.vendor import RULES, Address, BatchForm, Method, Vendor
from processor.settings.models import DestinationSettings
from processor.settings.values import Rate

BASE_URL = "https://apptracking.retailrocket.net/1.0"
RATE = 100.0


class Settings(DestinationSettings):
    """A shop at Retail Rocket. It sends single calls unless `batch` is set; then `visitorEvents`.

    Attributes:
        partner_id: the shop's public identifier.
    """

    base_url: str = BASE_URL
    rate: Rate = RATE
    partner_id: str = Field(min_length=1)


@with_config(RULES)
class Visit(TypedDict):
    """What all methods have in common."""

    sessionExternalId: SessionId
    timestamp: TimeInSeconds


@with_config(RULES)
class View(Visit):
    """A product's page was seen."""

    productId: CatalogueId
    stockId: NotRequired[Text50]


@with_config(RULES)
class GroupView(Visit):
    """The page of a product with variants was seen; `productIds` are all of the group."""

    groupId: CatalogueId
    productIds: Annotated[list[CatalogueId], Field(min_length=1)]
    stockId: NotRequired[Text50]


@with_config(RULES)
class AddToBasket(Visit):
    """A product was put into the basket; the vendor takes no quantity."""

    productId: CatalogueId
    stockId: NotRequired[Text50]


@with_config(RULES)
class Order(Visit):
    """One line of an order; all lines carry the same `transaction`. `price` is per unit, after discounts."""

    productId: CatalogueId
    price: Price
    quantity: PositiveQuantity
    transaction: RequiredText50
    stockId: NotRequired[Text50]


@with_config(RULES)
class CategoryView(Visit):
    """A category's page was seen."""

    categoryId: CatalogueId


@with_config(RULES)
class Search(Visit):
    """A search was made."""

    searchPhrase: RequiredText50
    stockId: NotRequired[Text50]


def _address(settings: Settings) -> Address:
    base = URL(settings.base_url.rstrip("/"))
    query = {"apiKey": settings.api_key.get_secret_value(), "partnerId": settings.partner_id}
    headers = {"User-Agent": settings.user_agent, "Content-Type": "application/json"}
    return Address(lambda path: base.joinpath(path.removeprefix("/")).with_query(query), headers)


def _method(name: str, model: Any) -> Method:
    head, *rest = name.split("_")
    wire_name = head + "".join(word.title() for word in rest)
    batch = BatchForm("/visitorEvents", label="visitor_events", envelope=wire_name)
    return Method(name, f"/{wire_name}", model, order_key="sessionExternalId", time="timestamp", batch=batch)


METHODS = (
    _method("view", View),
    _method("group_view", GroupView),
    _method("add_to_basket", AddToBasket),
    _method("order", Order),
    _method("category_view", CategoryView),
    _method("search", Search),
)

VENDOR = Vendor("retail_rocket", Settings, {method.name: method for method in METHODS}, _address)
