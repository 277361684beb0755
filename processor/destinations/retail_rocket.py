"""Retail Rocket: tracking API 1.0.

Sources: Retail Rocket's HTTP tracking API (methods, `visitorEvents`, 100 requests a second per shop), its general
principles (session ids of letters and digits, the time always sent) and its mobile guide (lengths, whole seconds).
The key travels in the URL, because that is the only place where the vendor takes it.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from pydantic import Field as Setting
from yarl import URL

from processor.destinations.nested import list_of, properties
from processor.destinations.numbers import MAX_INTEGER, integer, number
from processor.destinations.texts import LONGEST_IDENTIFIER, letters_and_digits, text, text_like
from processor.destinations.times import in_seconds
from processor.destinations.vendor import Address, BatchForm, Method, Vendor
from processor.fields import Field
from processor.settings.models import DestinationSettings
from processor.settings.texts import HttpUrl
from processor.settings.values import Rate

BASE_URL = "https://apptracking.retailrocket.net/1.0"
RATE = 100.0


class Settings(DestinationSettings):
    """A shop at Retail Rocket. It sends single calls unless `batch` is set; then `visitorEvents`.

    Attributes:
        partner_id: the shop's public identifier.
    """

    base_url: HttpUrl = BASE_URL
    rate: Rate = RATE
    partner_id: str = Setting(min_length=1)


API: Final = "Retail Rocket: HTTP tracking API"
PRINCIPLES: Final = "Retail Rocket: General integration principles"
MOBILE: Final = "Retail Rocket: Mobile app guide"
PRODUCTS: Final = "Retail Rocket: Product API"
ORDER_CODE: Final = "Retail Rocket: Transaction tracking code"
WELCOME_CODE: Final = "Retail Rocket: Welcome sequence tracking code"

ID: Final = integer(1)
ID_TYPE: Final = f"integer, 1 to {MAX_INTEGER}"
SHORT: Final = text(shortest=1, longest=LONGEST_IDENTIFIER)
SHORT_TYPE: Final = f"text of 1 to {LONGEST_IDENTIFIER} characters"
IDENTIFIER_TYPE: Final = f"1 to {LONGEST_IDENTIFIER} letters and digits"
AS_IN_CATALOGUE: Final = "as in the catalogue that the shop uploads; what is not there cannot be matched."

SESSION: Final = Field(
    letters_and_digits,
    IDENTIFIER_TYPE,
    required=True,
    rule="The visitor's device or browser: it must stay the same after a login and hold no personal data. Hyphens are "
    "forbidden; those of a UUID are dropped.",
    source=PRINCIPLES,
)
TIMESTAMP: Final = Field(
    in_seconds,
    "ISO 8601 time with a zone, whole seconds",
    required=True,
    rule="When it happened; digits beyond the second are cut. Without it the vendor takes the time of the call, which "
    "is wrong for what was delayed.",
    source=f"{API}; {MOBILE}",
)
PRODUCT: Final = Field(
    ID,
    ID_TYPE,
    required=True,
    rule=f"The product's id {AS_IN_CATALOGUE} It is a JSON integer, so an id with letters cannot be sent.",
    source=f"{API}; {PRODUCTS}",
)
GROUP: Final = replace(PRODUCT, rule=f"The group's id {AS_IN_CATALOGUE}")
CATEGORY: Final = replace(
    PRODUCT,
    rule=f"For shops with a YML feed: the category's id {AS_IN_CATALOGUE} Shops with the Product API call "
    "category_view_by_category_path.",
)
STOCK: Final = Field(
    text(longest=LONGEST_IDENTIFIER),
    f"text of at most {LONGEST_IDENTIFIER} characters",
    rule=f"For shops with several regions or warehouses: its id {AS_IN_CATALOGUE}",
    source=f"{API}; {MOBILE}",
)
CONSENT: Final = "Only of visitors who agreed to be written to. An empty text is refused; map null where there is none."
EMAIL: Final = Field(
    text_like(r"[^\s@\ud800-\udfff]+@[^\s@\ud800-\udfff]+", "an e-mail address"),
    "e-mail address",
    rule=CONSENT,
    source=f"{API}; {MOBILE}",
)
CUSTOM_DATA: Final = Field(
    properties,
    "record of texts, numbers, true and false",
    rule="What else the shop wants to have with it, under names of its own.",
    source=f"{API}; {MOBILE}",
)
BLOCK: Final = Field(
    SHORT,
    SHORT_TYPE,
    required=True,
    rule="Names the block of recommendations: the same name in all its events, or they are not counted together.",
    source=f"{API}; {MOBILE}",
)
CONTENT: Final = Field(
    text(shortest=1),
    "text, not empty",
    required=True,
    rule="The sponsored content, as the vendor named it when it was asked for.",
    source=API,
)

ONE_PRODUCT: Final = {"productId": PRODUCT, "stockId": STOCK}
FIELDS: Final[Mapping[str, Mapping[str, Field]]] = {
    "view": ONE_PRODUCT,
    "group_view": {
        "groupId": GROUP,
        "productIds": Field(
            list_of(ID, shortest=1),
            f"list of at least one {ID_TYPE}",
            required=True,
            rule="The ids of all products of the group, not only of the one that was chosen.",
            source=f"{API}; {MOBILE}",
        ),
        "stockId": STOCK,
    },
    "add_to_basket": ONE_PRODUCT,
    "category_view": {"categoryId": CATEGORY},
    "category_view_by_category_path": {
        "categoryPath": Field(
            text(shortest=1),
            "text, not empty",
            required=True,
            rule=f"For shops with the Product API: the full path, `/` between its levels, {AS_IN_CATALOGUE} Shops with "
            "a YML feed call category_view.",
            source=API,
        )
    },
    "order": {
        **ONE_PRODUCT,
        "price": Field(
            number(0),
            f"number, 0 to {MAX_INTEGER}",
            required=True,
            rule="Of one piece, after discounts, in the shop's currency: not of the line.",
            source=f"{API}; {ORDER_CODE}",
        ),
        "quantity": Field(
            integer(1),
            ID_TYPE,
            required=True,
            rule="Pieces in this line of the order.",
            source=f"{API}; {ORDER_CODE}",
        ),
        "transaction": Field(
            SHORT,
            SHORT_TYPE,
            required=True,
            rule="The order's number, the same in the calls of all its lines; else the vendor counts several orders.",
            source=f"{API}; {MOBILE}",
        ),
    },
    "search": {
        "searchPhrase": Field(
            SHORT,
            SHORT_TYPE,
            required=True,
            rule="What the visitor searched for; `truncate(phrase, `50`)` makes a longer one fit.",
            source=f"{API}; {MOBILE}",
        ),
        "stockId": STOCK,
    },
    "set_contact": {
        "contactExternalId": Field(
            letters_and_digits,
            IDENTIFIER_TYPE,
            required=True,
            rule="The customer in the shop's own systems: what the vendor exchanges contacts by. Not an address.",
            source=API,
        ),
        "email": EMAIL,
        "phone": Field(
            text_like(r"\+?[1-9]\d{6,14}", "a phone number in E.164, like +46701234567", numbers=True),
            "phone number in E.164: 7 to 15 digits with the country's code, with or without +",
            rule=CONSENT,
            source=MOBILE,
        ),
        "stockId": STOCK,
        "customData": CUSTOM_DATA,
    },
    "welcome_sequence": {
        "email": replace(
            EMAIL,
            required=True,
            rule="An address that is subscribed already. Each call sends a mail, so an event that comes twice is a "
            "mail that comes twice.",
            source=f"{API}; {WELCOME_CODE}",
        )
    },
    "email_click": {
        "mailTrackingId": Field(
            text(shortest=1),
            "text, not empty",
            required=True,
            rule="The mail whose link was clicked, as the vendor wrote it into the link.",
            source=API,
        ),
        "customData": CUSTOM_DATA,
    },
    "recom_block_viewed": {"recomBlockId": BLOCK},
    "recom_tap": {**ONE_PRODUCT, "recomBlockId": BLOCK},
    "recom_add_to_basket": {**ONE_PRODUCT, "recomBlockId": BLOCK},
    "impression_content_viewed": {"impressionContentId": CONTENT},
    "impression_content_clicked": {"impressionContentId": CONTENT},
}
"""Methods and their own fields; all have `sessionExternalId` and `timestamp`, too."""

SUMMARIES: Final[Mapping[str, str]] = {
    "view": "A visitor saw a product.",
    "group_view": "A visitor saw a product with variants, which the catalogue has as a group.",
    "add_to_basket": "A visitor put a product into the basket; the vendor takes no quantity.",
    "category_view": "A visitor saw a category, in a shop with a YML feed.",
    "category_view_by_category_path": "A visitor saw a category, in a shop with the Product API.",
    "order": "A visitor bought a product: one call for each line of the order.",
    "search": "A visitor searched.",
    "set_contact": "A visitor's address or number became known, with consent to be written to.",
    "welcome_sequence": "Sends the welcome mail to a new subscriber; reaches a shopper, so it is sent once.",
    "email_click": "A visitor came by a link in a mail of the vendor's.",
    "recom_block_viewed": "A block of recommendations was shown.",
    "recom_tap": "A recommended product was opened.",
    "recom_add_to_basket": "A recommended product was put into the basket from the block itself.",
    "impression_content_viewed": "Sponsored content was shown.",
    "impression_content_clicked": "Sponsored content was clicked.",
}

ONCE: Final = frozenset({"welcome_sequence"})
NO_ENVELOPE: Final = frozenset({"category_view_by_category_path"})
"""What `visitorEvents` does not take."""


def _address(settings: Settings) -> Address:
    base = URL(settings.base_url.rstrip("/"))
    query = {"apiKey": settings.api_key.get_secret_value(), "partnerId": settings.partner_id}
    headers = {"User-Agent": settings.user_agent, "Content-Type": "application/json"}
    return Address(lambda path: base.joinpath(path.removeprefix("/")).with_query(query), headers)


def _method(name: str, fields: Mapping[str, Field]) -> Method:
    head, *rest = name.split("_")
    wire_name = head + "".join(word.title() for word in rest)
    batch = BatchForm("/visitorEvents", label="visitor_events", envelope=wire_name)
    return Method(
        name,
        f"/{wire_name}",
        {"sessionExternalId": SESSION, **fields, "timestamp": TIMESTAMP},
        order_key="sessionExternalId",
        time="timestamp",
        batch=None if name in ONCE | NO_ENVELOPE else batch,
        once=name in ONCE,
        summary=SUMMARIES[name],
    )


VENDOR = Vendor("retail_rocket", Settings, {name: _method(name, fields) for name, fields in FIELDS.items()}, _address)
