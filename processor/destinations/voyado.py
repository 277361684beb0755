"""Voyado Engage: product views and carts, API v2.

Sources: Voyado's tracking service (models, batch rules), its pages on authentication (header `apikey`, a mandatory
user agent in product/version form, 500 without a content type), rate limits (50 requests a second advised, 429 above
200, counted per key) and retries (10, 30, 60, 300 seconds).
"""

from dataclasses import replace
from typing import Final

from pydantic import Field as Setting
from yarl import URL

from processor.destinations.nested import list_of, record
from processor.destinations.numbers import MAX_INTEGER, flag, integer
from processor.destinations.texts import CULTURE, UUID, text, text_like
from processor.destinations.times import in_milliseconds
from processor.destinations.vendor import Address, BatchForm, Method, Vendor
from processor.fields import Field
from processor.settings.models import BatchSettings, DestinationSettings
from processor.settings.texts import HeaderName, UserAgent
from processor.settings.values import Rate

RATE = 50.0
BATCH = BatchSettings(max_events=500, max_bytes=2**20, max_wait=0.2)


class Settings(DestinationSettings):
    """An account at Voyado.

    Attributes:
        user_agent: Voyado refuses requests that do not say who they are, so it is required here.
        key_header: the header with the key; Voyado's pages disagree, `apikey` is what its own clients send.
    """

    user_agent: UserAgent = Setting(examples=["AcmeClickstream/1.0"])
    rate: Rate = RATE
    batch: BatchSettings | None = BATCH
    key_header: HeaderName = "apikey"


MODELS: Final = "Voyado API v2: Tracking service"
CARTS: Final = "Voyado developer pages: Tracking cart changes"
VIEWS: Final = "Voyado developer pages: Tracking product views"

CONTACT_ID: Final = Field(
    text_like(
        "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[A-Za-z0-9_-]{20,24}", "a GUID or a short GUID", usual=UUID
    ),
    "GUID, or short GUID: 20 to 24 of A-Z a-z 0-9 _ -",
    required=True,
    rule="The contact at Voyado, not the shop's own customer number. What belongs to no contact is filtered "
    "out there; leave anonymous events out with `when`.",
    source=f"{MODELS}; {CARTS}",
)
TIME: Final = Field(
    in_milliseconds,
    "ISO 8601 time with a zone, at most milliseconds",
    rule="When it happened. A local time without a zone is refused, for nobody knows when it was.",
    source=MODELS,
)
LANGUAGE: Final = Field(
    text_like("[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}", "a culture code like sv-SE", usual=CULTURE),
    "culture code like sv-SE",
    rule="A product feed must be configured for it at Voyado; an event whose language has none is filtered out there.",
    source=f"{CARTS}; {VIEWS}",
)
TEXT: Final = Field(text(), "text", source=MODELS)
FILLED: Final = Field(text(shortest=1), "text, not empty", required=True, source=MODELS)

KEY_VALUE: Final = {
    "key": replace(TEXT, required=True, rule="The parameter's name, like `source`."),
    "value": replace(TEXT, required=True, rule="What the link said."),
}
CART_ITEM: Final = {
    "sku": replace(FILLED, rule="The article's SKU in the product feed; one that is not there is left out of mails."),
    "quantity": Field(
        integer(0),
        f"integer, 0 to {MAX_INTEGER}",
        required=True,
        rule="Pieces of the article in the cart.",
        source=MODELS,
    ),
}

PRODUCT_VIEW_FIELDS: Final = {
    "itemId": replace(
        FILLED,
        rule="The article's SKU, as in the imported articles (usually g:id of the feed); one that is not there is left "
        "out of mails.",
        source=f"{MODELS}; {VIEWS}",
    ),
    "contactId": CONTACT_ID,
    "time": TIME,
    "category": replace(TEXT, rule="The product's category on the site, its levels joined by ` > `; used to filter."),
    "sessionId": replace(TEXT, rule="Names the visit. An abandoned browse is sent once per session."),
    "newSession": Field(flag, "true or false", rule="Whether this view began the session.", source=MODELS),
    "language": LANGUAGE,
    "url": replace(TEXT, rule="The page that was seen."),
    "externalReferrer": replace(TEXT, rule="The other site that the visitor came from."),
    "utm": Field(
        list_of(record(KEY_VALUE)),
        "list of {key, value}",
        rule="The campaign's parameters. Which keys Voyado reads is not documented.",
        source=MODELS,
        fields=KEY_VALUE,
    ),
}
CART_FIELDS: Final = {
    "cartReference": replace(
        FILLED,
        rule="Names the cart: of several updates of one cart the latest by time counts. Without it Voyado cannot tell "
        "carts apart, so it is required here.",
        source=f"{MODELS}; {CARTS}",
    ),
    "contactId": CONTACT_ID,
    "time": TIME,
    "language": LANGUAGE,
    "url": replace(TEXT, rule="Leads back to the cart, in a mail about it."),
    "items": Field(
        list_of(record(CART_ITEM)),
        "list of {sku, quantity}",
        required=True,
        rule="The whole cart as it is now, not a change of it. An empty list says that it was emptied or bought, "
        "without which the shopper gets a false mail about an abandoned cart; it must be written (`items: []`), for a "
        "slip in a mapping must not empty carts.",
        source=f"{MODELS}; {CARTS}",
        fields=CART_ITEM,
    ),
}


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
    PRODUCT_VIEW_FIELDS,
    order_key=None,
    time="time",
    batch=BatchForm(f"{TRACKING}/productviews"),
    summary="A contact saw a product.",
)
CART = Method(
    "cart",
    f"{TRACKING}/carts",
    CART_FIELDS,
    order_key="cartReference",
    time="time",
    batch=BatchForm(f"{TRACKING}/carts/batch"),
    never_old="items",
    summary="A contact's cart as it is now; an empty one after it was bought.",
)

VENDOR = Vendor("voyado", Settings, {method.name: method for method in (PRODUCT_VIEW, CART)}, _address)
