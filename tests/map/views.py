"""An event, and mappings of it to the vendors' methods."""

from decimal import Decimal
from typing import Any

import orjson

from processor.destinations import VENDORS
from processor.destinations.vendor import Wirings
from processor.expressions.language import compile_expression
from processor.map.mapper import Mapper
from processor.records import ErrorClass, Failure, Payload, Stage

GUID = "2e40a1de-0a0c-4be5-9f7e-1c1a0f2de22f"
EVENT: dict[str, Any] = {
    "contactId": GUID,
    "occurredAt": "2026-11-22T09:31:07.120Z",
    "sessionId": "s-1",
    "market": "SE",
    "empty": "",
    "nothing": None,
    "product": {"sku": "10233", "categoryPath": ["Shoes", "Winter", "Boots"], "price": Decimal("9.90")},
    "page": {"url": "https://shop.example/p/10233", "utm": [{"name": "source", "value": "mail"}]},
}


def mapper(
    fields: dict[str, str],
    *,
    to: str = "voyado.product_view",
    constants: dict[str, Any] | None = None,
    order_key: str | None = None,
    batched: bool = False,
) -> Mapper:
    """A mapping to a vendor's method, whose own order key is not used."""
    vendor, name = to.split(".")
    method = VENDORS[vendor].methods[name]
    return Mapper(
        target=Wirings(batched=batched).wire(method),
        fields={field: compile_expression(text) for field, text in fields.items()},
        constants=constants or {},
        model=method.model,
        order_key=compile_expression(order_key) if order_key else None,
        order_field=None,
        time_field=method.time,
    )


def view(**fields: str) -> dict[str, str]:
    """What a product view needs, and more."""
    return {"itemId": "product.sku", "contactId": "contactId", **fields}


def body(found: Payload | Failure) -> dict[str, Any]:
    """What is sent, which something must be."""
    assert isinstance(found, Payload), found
    sent: dict[str, Any] = orjson.loads(found.body)
    return sent


def message(found: Payload | Failure, stage: Stage = Stage.MAP) -> str:
    """Why nothing is sent."""
    assert isinstance(found, Failure), found
    assert (found.stage, found.error_class) == (stage, ErrorClass.UNMAPPED)
    assert (found.status, found.response) == (None, None)
    return found.message
