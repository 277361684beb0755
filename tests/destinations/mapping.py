"""Values converted as a mapping does it, and what the vendors' rules say of what is sent."""

from typing import Any

import orjson

from processor.demo.rocket_rules import check_rocket
from processor.demo.voyado_rules import check_voyado
from processor.destinations import VENDORS
from processor.destinations.vendor import Method, Wirings
from processor.fields import located

GUID = "2e40a1de-0a0c-4be5-9f7e-1c1a0f2de22f"
SESSION = "4f3c2a1b0c9d8e7f6a5b4c3d2e1f0a9b"

GOOD: dict[str, dict[str, Any]] = {
    "product_view": {"itemId": "10233", "contactId": GUID},
    "cart": {"cartReference": "c-1", "contactId": GUID, "items": [{"sku": "10233", "quantity": 2}]},
    "view": {"productId": 10233},
    "group_view": {"groupId": 7, "productIds": [10233, 10234]},
    "add_to_basket": {"productId": 10233},
    "category_view": {"categoryId": 12},
    "category_view_by_category_path": {"categoryPath": "Shoes/Winter/Boots"},
    "order": {"productId": 10233, "price": 9.5, "quantity": 2, "transaction": "O-1"},
    "search": {"searchPhrase": "boots"},
    "set_contact": {"contactExternalId": "C1"},
    "welcome_sequence": {"email": "anna@example.com"},
    "email_click": {"mailTrackingId": "m-1"},
    "recom_block_viewed": {"recomBlockId": "b-1"},
    "recom_tap": {"productId": 10233, "recomBlockId": "b-1"},
    "recom_add_to_basket": {"productId": 10233, "recomBlockId": "b-1"},
    "impression_content_viewed": {"impressionContentId": "i-1"},
    "impression_content_clicked": {"impressionContentId": "i-1"},
}
"""What each method needs, without what all methods of its vendor have in common."""
VISIT = {"sessionExternalId": SESSION, "timestamp": "2026-11-22T09:31:07Z"}
VOYADO = ("product_view", "cart")
ROCKET = tuple(method for method in GOOD if method not in VOYADO)


def method_of(name: str) -> Method:
    """A method by its name, which no other vendor has."""
    return VENDORS["voyado" if name in VOYADO else "retail_rocket"].methods[name]


def good(method: str, **changes: object) -> dict[str, Any]:
    """A payload that the method takes, with some fields changed; None takes one out."""
    common = {} if method in VOYADO else VISIT
    return {field: value for field, value in {**common, **GOOD[method], **changes}.items() if value is not None}


def sent(method: str, **changes: object) -> dict[str, Any]:
    """What is sent of a good payload with some fields changed."""
    fields = method_of(method).fields
    values = good(method, **changes)
    assert method_of(method).required <= values.keys()
    payload = {name: fields[name].convert(value) for name, value in values.items()}
    body: dict[str, Any] = orjson.loads(orjson.dumps(payload))
    return body


def refused(method: str, **changes: object) -> str:
    """Why a good payload with some fields changed is not sent."""
    fields = method_of(method).fields
    wrong = []
    for name, value in good(method, **changes).items():
        try:
            fields[name].convert(value)
        except ValueError as error:
            wrong.append(located(name, error))
    assert wrong, "it is sent"
    return "; ".join(wrong)


def judged(method: str, payload: dict[str, Any], *, batched: bool) -> str | None:
    """What the vendor's rules say of a request with this payload alone."""
    wiring = Wirings(batched=batched).wire(method_of(method))
    body = orjson.loads(wiring.prefix + orjson.dumps(payload) + wiring.suffix)
    request = [body] if wiring.channel.batched else body
    if method in VOYADO:
        return check_voyado(wiring.channel.path, request)
    return check_rocket(f"/1.0{wiring.channel.path}", request)
