"""An event, and mappings of it to the vendors' methods."""

from decimal import Decimal
from typing import Any

import orjson

from processor.clock import Clock, ManualClock
from processor.destinations import VENDORS
from processor.destinations.vendor import Method, Wirings
from processor.expressions.language import Language
from processor.map.mapper import Mapper, Timing
from processor.map.values import Mapped, Values, compile_values
from processor.records import ErrorClass, Event, Failure, Filtered, Payload, Stage
from tests.support.records import SECOND, record

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


LANGUAGE = Language({}, lambda: 0.0)


def event(value: dict[str, Any], *, timestamp: int = SECOND) -> Event:
    """An event with these fields."""
    return Event(record(timestamp=timestamp), "com.acme.Seen", value, 1)


class Mapping:
    """A mapper, and events for it."""

    def __init__(self, mapper: Mapper) -> None:
        self._mapper = mapper

    def map(self, value: dict[str, Any], *, timestamp: int = SECOND) -> Payload | Filtered | Failure:
        """What becomes of an event with these fields."""
        return self._mapper.map(value, event(value, timestamp=timestamp))


def mapper(
    fields: dict[str, str], *, to: str = "voyado.product_view", constants: dict[str, Any] | None = None, **more: Any
) -> Mapping:
    """A mapping to a vendor's method; constants are converted already, and `more` is what `mapping` takes besides."""
    method = method_of(to)
    mapped = [Mapped(name, method.fields[name], text, LANGUAGE.parse(text)) for name, text in fields.items()]
    return mapping(compile_values(mapped, constants or {}, LANGUAGE.functions), to=to, **more)


def mapping(
    values: Values,
    *,
    to: str = "voyado.product_view",
    order_key: str | None = None,
    order_field: str | None = None,
    batched: bool = False,
    max_age: float | None = None,
    clock: Clock | None = None,
) -> Mapping:
    """A mapping whose payloads are made so; the method's own order key is not used."""
    method = method_of(to)
    return Mapping(
        Mapper(
            route="views",
            target=Wirings(batched=batched).wire(method),
            values=values,
            order_key=LANGUAGE.compile(order_key) if order_key else None,
            order_field=order_field,
            timing=Timing(method.time, max_age, method.never_old),
            clock=clock or ManualClock(),
        )
    )


def method_of(to: str) -> Method:
    """A vendor's method by its name in the file."""
    vendor, name = to.split(".")
    return VENDORS[vendor].methods[name]


def view(**fields: str) -> dict[str, str]:
    """What a product view needs, and more."""
    return {"itemId": "product.sku", "contactId": "contactId", **fields}


def body(found: Payload | Filtered | Failure) -> dict[str, Any]:
    """What is sent, which something must be."""
    assert isinstance(found, Payload), found
    sent: dict[str, Any] = orjson.loads(found.body)
    return sent


def message(found: Payload | Filtered | Failure, stage: Stage = Stage.MAP) -> str:
    """Why nothing is sent."""
    assert isinstance(found, Failure), found
    assert (found.stage, found.error_class) == (stage, ErrorClass.UNMAPPED)
    assert (found.status, found.response) == (None, None)
    return found.message
