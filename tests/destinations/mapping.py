"""Values mapped one to one to a vendor's method, by the models and the mapper that the service uses."""

from functools import cache
from typing import Any

import orjson

from processor.destinations import VENDORS
from processor.destinations.vendor import Wirings
from processor.expressions.language import compile_expression
from processor.map.mapper import Mapper
from processor.records import ErrorClass, Failure, Payload, Stage

GUID = "2e40a1de-0a0c-4be5-9f7e-1c1a0f2de22f"
SESSION = "4f3c2a1b0c9d8e7f6a5b4c3d2e1f0a9b"

GOOD: dict[str, dict[str, Any]] = {
    "product_view": {"itemId": "10233", "contactId": GUID},
    "cart": {"cartReference": "c-1", "contactId": GUID, "items": [{"sku": "10233", "quantity": 2}]},
    "view": {"productId": 10233},
    "group_view": {"groupId": 7, "productIds": [10233, 10234]},
    "add_to_basket": {"productId": 10233},
    "order": {"productId": 10233, "price": 9.5, "quantity": 2, "transaction": "O-1"},
    "category_view": {"categoryId": 12},
    "search": {"searchPhrase": "boots"},
}
"""What each method needs, without what all methods of its vendor have in common."""
VISIT = {"sessionExternalId": SESSION, "timestamp": "2026-11-22T09:31:07Z"}
VOYADO = ("product_view", "cart")
ROCKET = tuple(method for method in GOOD if method not in VOYADO)


def vendor_of(method: str) -> str:
    """The vendor's name in the catalogue."""
    return "voyado" if method in VOYADO else "retail_rocket"


def good(method: str, **changes: object) -> dict[str, Any]:
    """A payload that the method takes, with some fields changed; None takes one out."""
    common = {} if method in VOYADO else VISIT
    return {field: value for field, value in {**common, **GOOD[method], **changes}.items() if value is not None}


@cache
def mapper(method: str, *, batched: bool = False) -> Mapper:
    """Maps every field of a method to the field of the same name."""
    found = VENDORS[vendor_of(method)].methods[method]
    return Mapper(
        target=Wirings(batched=batched).wire(found),
        fields={field: compile_expression(field) for field in sorted(found.fields)},
        constants={},
        model=found.model,
        order_key=None,
        order_field=found.order_key,
        time_field=found.time,
    )


def mapped(method: str, values: dict[str, Any], *, batched: bool = False) -> Payload | Failure:
    """What becomes of these values."""
    return mapper(method, batched=batched).map(values)


def sent(method: str, **changes: object) -> dict[str, Any]:
    """What is sent of a good payload with some fields changed."""
    found = mapped(method, good(method, **changes))
    assert isinstance(found, Payload), found
    body: dict[str, Any] = orjson.loads(found.body)
    return body


def refused(method: str, **changes: object) -> str:
    """Why a good payload with some fields changed is not sent."""
    found = mapped(method, good(method, **changes))
    assert isinstance(found, Failure), f"it is sent: {found}"
    assert (found.stage, found.error_class) == (Stage.MAP, ErrorClass.UNMAPPED)
    return found.message
