"""Values that other clients decoded, as their programs wrote them; `tests/fixtures/avro/README.md` has the forms."""

import json
from decimal import Decimal
from typing import Any


def revived(text: str) -> Any:
    """JSON with its numbers as the types that events have."""
    return json.loads(text, object_hook=_number)


def _number(pairs: dict[str, Any]) -> Any:
    match pairs:
        case {"$double": str(text)}:
            return float(text)
        case {"$decimal": str(text)}:
            return Decimal(text)
        case {"$integer": str(text)}:
            return int(text)
        case _:
            return pairs


def exact(value: Any) -> Any:
    """A value so that only the same one is equal to it.

    True is not 1, 1 is not 1.0, 9.9 is not 9.90, 0.0 is not -0.0, NaN is NaN, and fields have an order.
    """
    match value:
        case dict():
            return [(key, exact(each)) for key, each in value.items()]
        case list():
            return [list, *map(exact, value)]
        case _:
            return type(value), repr(value)
