"""Voyado Engage: product views and carts, API v2.

Sources: Voyado's tracking service (models, batch rules), its pages on authentication (header `apikey`, a mandatory
user agent in product/version form, 500 without a content type), rate limits (50 requests a second advised, 429 above
200, counted per key) and retries (10, 30, 60, 300 seconds).
"""

from typing import NotRequired

from pydantic import Field, with_config
from typing_extensions import TypedDict
from yarl import URL

from processor.destinations.fields import ContactId, Flag, Quantity, RequiredText, Text, TimeInMillis
from processor.destinations.vendor import RULES, Address, BatchForm, Method, Vendor
from processor.settings.models import BatchSettings, DestinationSettings
from processor.settings.texts import UserAgent
from processor.settings.values import Rate

RATE = 50.0
BATCH = BatchSettings(max_events=500, max_bytes=2**20, max_wait=0.2)


class Settings(DestinationSettings):
    """An account at Voyado.

    Attributes:
        user_agent: Voyado refuses requests that do not say who they are, so it is required here.
        key_header: the header with the key; Voyado's pages disagree, `apikey` is what its own clients send.
    """

    user_agent: UserAgent = Field(examples=["AcmeClickstream/1.0"])
    rate: Rate = RATE
    batch: BatchSettings | None = BATCH
    key_header: str = "apikey"


@with_config(RULES)
class KeyValue(TypedDict):
    """One campaign parameter."""

    key: Text
    value: Text


@with_config(RULES)
class ProductView(TypedDict):
    """ProductViewApiModel: one product seen by one contact."""

    itemId: RequiredText
    contactId: ContactId
    time: NotRequired[TimeInMillis]
    category: NotRequired[Text]
    sessionId: NotRequired[Text]
    newSession: NotRequired[Flag]
    language: NotRequired[Text]
    url: NotRequired[Text]
    externalReferrer: NotRequired[Text]
    utm: NotRequired[list[KeyValue]]


@with_config(RULES)
class CartItem(TypedDict):
    """One line of a cart."""

    sku: RequiredText
    quantity: Quantity


@with_config(RULES)
class Cart(TypedDict):
    """CartApiModel: the whole cart as it is now, not a change of it.

    `items` may be empty (the cart was emptied) but not absent: a typing error in a mapping must not empty carts.
    """

    cartReference: RequiredText
    contactId: ContactId
    time: NotRequired[TimeInMillis]
    language: NotRequired[Text]
    url: NotRequired[Text]
    items: list[CartItem]


def _address(settings: Settings) -> Address:
    base = settings.base_url.rstrip("/")
    headers = {
        settings.key_header: settings.api_key.get_secret_value(),
        "User-Agent": settings.user_agent,
        "Content-Type": "application/json",
    }
    return Address(lambda path: URL(base + path, encoded=True), headers)


TRACKING = "/api/v2/tracking"

PRODUCT_VIEW = Method(
    "product_view",
    f"{TRACKING}/productview",
    ProductView,
    order_key=None,
    time="time",
    batch=BatchForm(f"{TRACKING}/productviews"),
)
CART = Method(
    "cart",
    f"{TRACKING}/carts",
    Cart,
    order_key="cartReference",
    time="time",
    batch=BatchForm(f"{TRACKING}/carts/batch"),
)

VENDOR = Vendor("voyado", Settings, {method.name: method for method in (PRODUCT_VIEW, CART)}, _address)
