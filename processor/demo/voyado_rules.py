"""What Voyado Engage's tracking accepts: the judge of the Voyado stub.

Source: Voyado's swagger for API v2 as its generated clients have it, and developer.voyado.com on
authentication, cart changes and product views. Stricter than Voyado where the documentation leaves room, so
that nothing doubtful passes: camelCase names only, no null, no unknown fields, a cart always names itself and
its contact.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from processor.demo.rules import (
    Accepted,
    Model,
    Refusal,
    array_of,
    boolean,
    check_array,
    check_object,
    filled_text,
    integer,
    text,
    text_like,
    time_like,
    to_millis,
)

CONTACT_ID = text_like(
    r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}|[A-Za-z0-9_-]{20,24}",
    "must be a GUID, or 20 to 24 letters, digits, - and _",
)
TIME = time_like(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)",
    "must be ISO 8601 with a time zone, such as 2026-11-22T09:31:07.120Z",
)
LANGUAGE = text_like(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*", "must be a culture code, such as sv-SE")

PRODUCT_VIEW = Model(
    required={"itemId": filled_text, "contactId": CONTACT_ID},
    optional={
        "time": TIME,
        "category": text,
        "sessionId": text,
        "newSession": boolean,
        "language": LANGUAGE,
        "url": text,
        "externalReferrer": text,
        "utm": array_of(Model(required={"key": text, "value": text}, optional={})),
    },
)
CART = Model(
    required={"cartReference": filled_text, "contactId": CONTACT_ID},
    optional={
        "time": TIME,
        "language": LANGUAGE,
        "url": text,
        "items": array_of(Model(required={}, optional={"sku": filled_text, "quantity": integer})),
    },
)


def read_product_view(payload: dict[str, Any]) -> Accepted:
    """Note a view, in the lane of its contact."""
    return Accepted("product_view", payload["contactId"], payload["itemId"], to_millis(payload.get("time")))


def read_cart(payload: dict[str, Any]) -> Accepted:
    """Note a cart, in its own lane, with its lines as `sku*quantity`."""
    lines = [f"{item.get('sku')}*{item.get('quantity')}" for item in payload.get("items", ())]
    return Accepted("cart", payload["cartReference"], " ".join(lines), to_millis(payload.get("time")))


@dataclass(frozen=True, slots=True)
class VoyadoMethod:
    """One URL path."""

    model: Model
    read: Callable[[dict[str, Any]], Accepted]
    batched: bool


VOYADO_METHODS: Mapping[str, VoyadoMethod] = MappingProxyType(
    {
        "/api/v2/tracking/productview": VoyadoMethod(PRODUCT_VIEW, read_product_view, batched=False),
        "/api/v2/tracking/productviews": VoyadoMethod(PRODUCT_VIEW, read_product_view, batched=True),
        "/api/v2/tracking/carts": VoyadoMethod(CART, read_cart, batched=False),
        "/api/v2/tracking/carts/batch": VoyadoMethod(CART, read_cart, batched=True),
    }
)


def check_voyado(path: str, payload: Any) -> str | None:
    """Judge a parsed body that was sent to one of `VOYADO_METHODS`.

    Returns:
        What is wrong, for a batch with the position of the first bad element; None when nothing is.
    """
    method = VOYADO_METHODS[path]
    if not method.batched:
        return check_object(payload, method.model)
    return check_array(payload, lambda element: check_object(element, method.model))


def read_voyado(path: str, payload: Any) -> list[Accepted]:
    """Note what a body that passed `check_voyado` delivers."""
    method = VOYADO_METHODS[path]
    return [method.read(element) for element in (payload if method.batched else [payload])]


def admit_voyado(headers: Mapping[str, str], key: str) -> Refusal | None:
    """Judge a request's headers.

    Args:
        headers: by name, whatever its case.
        key: the only API key that is good.
    """
    if headers.get("apikey") != key:
        return Refusal(401, "the header apikey has no valid key")
    if not re.match(r"[^\s/]+/[^\s/]+", headers.get("User-Agent", "")):
        return Refusal(400, "User-Agent must have the form product/version")
    if headers.get("Content-Type", "").partition(";")[0].strip() != "application/json":
        return Refusal(500, "An error has occurred")
    return None
