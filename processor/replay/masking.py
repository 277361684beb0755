"""Personal data, hidden: what a record held is shown by its form alone. Pure."""

from typing import Any

MASK = "****"


def masked(value: Any) -> Any:
    """The same lists and names of fields, every text and number hidden, its length too; null, true and false stay."""
    if isinstance(value, dict):
        return {name: masked(each) for name, each in value.items()}
    if isinstance(value, list):
        return [masked(each) for each in value]
    return value if value is None or isinstance(value, bool) else MASK


def as_is(value: Any) -> Any:
    """What `--reveal` shows."""
    return value
