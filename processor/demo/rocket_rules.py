"""What Retail Rocket's tracking accepts: the judge of the Retail Rocket stub.

Source: Retail Rocket's HTTP tracking API 1.0, and its mobile guide for lengths, int64 ids and the form of
times. Stricter than the documentation where that leaves room: no unknown fields, no null, integers never as
text.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from processor.demo.rules import (
    Accepted,
    Check,
    Model,
    Refusal,
    check_array,
    check_object,
    filled_text,
    integer_between,
    number_from,
    scalars,
    text_like,
    text_to,
    text_up_to,
    time_like,
    to_millis,
)

VISITOR_EVENTS = "/1.0/visitorEvents"

MAX_ID = 2**53 - 1
"""Catalogue ids pass through JavaScript, whose exact integers end here."""

MAX_QUANTITY = 2**63 - 1

SESSION = text_like(r"[A-Za-z0-9]{1,50}", "must be 1 to 50 letters and digits")
TIMESTAMP = time_like(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)",
    "must be ISO 8601 in whole seconds with a time zone, such as 2026-11-22T09:31:07Z",
)
ID = integer_between(1, MAX_ID)
SHORT = text_up_to(50)
STOCK = text_to(50)
CONTACT = text_like(r"[A-Za-z0-9]{1,50}", "must be 1 to 50 letters and digits")
EMAIL = text_like(r"[^@\s]+@[^@\s]+", "must be an e-mail address")
PHONE = text_like(r"\+?[1-9]\d{6,14}", "must be a phone number in E.164, such as +46701234567")


def ids(value: Any) -> str | None:
    """Wants an array with at least one id."""
    return check_array(value, ID) if value else "must be an array that is not empty"


@dataclass(frozen=True, slots=True)
class RocketMethod:
    """One method, single or as an envelope in `visitorEvents`.

    Attributes:
        name: as `to:` has it.
        item: what a payload is about.
        enveloped: whether a batch may hold it.
    """

    name: str
    model: Model
    item: Callable[[dict[str, Any]], str]
    enveloped: bool = True


def _about(*names: str) -> Callable[[dict[str, Any]], str]:
    return lambda payload: "/".join(str(payload[name]) for name in names)


def _model(*, stock: bool = False, optional: Mapping[str, Check] = MappingProxyType({}), **fields: Check) -> Model:
    required = {"sessionExternalId": SESSION, "timestamp": TIMESTAMP, **fields}
    return Model(required, {"stockId": STOCK, **optional} if stock else optional)


ROCKET_METHODS: Mapping[str, RocketMethod] = MappingProxyType(
    {
        "view": RocketMethod("view", _model(stock=True, productId=ID), _about("productId")),
        "groupView": RocketMethod("group_view", _model(stock=True, groupId=ID, productIds=ids), _about("groupId")),
        "addToBasket": RocketMethod("add_to_basket", _model(stock=True, productId=ID), _about("productId")),
        "categoryView": RocketMethod("category_view", _model(categoryId=ID), _about("categoryId")),
        "categoryViewByCategoryPath": RocketMethod(
            "category_view_by_category_path",
            _model(categoryPath=filled_text),
            _about("categoryPath"),
            enveloped=False,  # neither in the list of envelopes nor in the example
        ),
        "order": RocketMethod(
            "order",
            _model(
                stock=True,
                productId=ID,
                price=number_from(0),
                quantity=integer_between(1, MAX_QUANTITY),
                transaction=SHORT,
            ),
            _about("transaction", "productId"),
        ),
        "search": RocketMethod("search", _model(stock=True, searchPhrase=SHORT), _about("searchPhrase")),
        "setContact": RocketMethod(
            "set_contact",
            _model(
                stock=True,
                optional={"email": EMAIL, "phone": PHONE, "customData": scalars},
                contactExternalId=CONTACT,
            ),
            _about("contactExternalId"),
        ),
        "welcomeSequence": RocketMethod(
            "welcome_sequence",
            _model(email=EMAIL),
            _about("email"),
            enveloped=False,  # each one is a mail: a batch that is sent again would send all its mails again
        ),
        "emailClick": RocketMethod(
            "email_click",
            _model(optional={"customData": scalars}, mailTrackingId=filled_text),
            _about("mailTrackingId"),
        ),
        "recomBlockViewed": RocketMethod("recom_block_viewed", _model(recomBlockId=SHORT), _about("recomBlockId")),
        "recomTap": RocketMethod(
            "recom_tap",
            _model(stock=True, productId=ID, recomBlockId=SHORT),
            _about("recomBlockId", "productId"),
        ),
        "recomAddToBasket": RocketMethod(
            "recom_add_to_basket",
            _model(stock=True, productId=ID, recomBlockId=SHORT),
            _about("recomBlockId", "productId"),
        ),
        "impressionContentViewed": RocketMethod(
            "impression_content_viewed", _model(impressionContentId=filled_text), _about("impressionContentId")
        ),
        "impressionContentClicked": RocketMethod(
            "impression_content_clicked", _model(impressionContentId=filled_text), _about("impressionContentId")
        ),
    }
)

ROCKET_PATHS = frozenset({VISITOR_EVENTS, *(f"/1.0/{name}" for name in ROCKET_METHODS)})


def check_envelope(value: Any) -> str | None:
    """Judge one element of `visitorEvents`: an object whose only key names the method of its payload."""
    if type(value) is not dict or len(value) != 1:
        return "must be an object with one key, the method"
    [(name, payload)] = value.items()
    method = ROCKET_METHODS.get(name)
    if method is None or not method.enveloped:
        return f"{name} is not a method of this batch"
    wrong = check_object(payload, method.model)
    return wrong and f"{name}.{wrong}"


def check_rocket(path: str, payload: Any) -> str | None:
    """Judge a parsed body that was sent to one of `ROCKET_PATHS`.

    Returns:
        What is wrong, for a batch with the position of the first bad element; None when nothing is.
    """
    if path == VISITOR_EVENTS:
        return check_array(payload, check_envelope)
    return check_object(payload, ROCKET_METHODS[path.removeprefix("/1.0/")].model)


def read_rocket(path: str, payload: Any) -> list[Accepted]:
    """Note what a body that passed `check_rocket` delivers, in the lanes of its sessions."""
    if path != VISITOR_EVENTS:
        return [_read(path.removeprefix("/1.0/"), payload)]
    return [_read(name, event) for envelope in payload for name, event in envelope.items()]


def _read(name: str, payload: dict[str, Any]) -> Accepted:
    method = ROCKET_METHODS[name]
    return Accepted(method.name, payload["sessionExternalId"], method.item(payload), to_millis(payload["timestamp"]))


def admit_rocket(headers: Mapping[str, str], query: Mapping[str, str], key: str, partner: str) -> Refusal | None:
    """Judge a request's headers and query.

    Args:
        headers: by name, whatever its case.
        query: the parameters of the URL.
        key: the only API key that is good.
        partner: the shop that it belongs to.
    """
    if query.get("apiKey") != key or query.get("partnerId") != partner:
        return Refusal(401, "apiKey and partnerId do not belong together")
    if headers.get("Content-Type", "").partition(";")[0].strip() != "application/json":
        return Refusal(400, "Content-Type must be application/json")
    return None
