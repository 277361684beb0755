"""What a payload's fields must look like: the parts that both vendors' rules are made of.

Written from the vendors' documentation alone and sharing nothing with `processor.destinations`, so that the
stubs are an independent judge of what the service sends. Values are what orjson makes of a body; a check
answers None when all is well, else what is wanted, without the value.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

Check = Callable[[Any], str | None]


class Accepted(NamedTuple):
    """One delivery that a vendor took, as far as loss, duplicates and order are to be judged.

    Attributes:
        method: the name of the method in `to:`, such as `product_view`.
        lane: whose deliveries must stay in order: contact, cart or session.
        item: what it is about: product, category, phrase, a cart's lines, an order's number and product.
        time: milliseconds since 1970, as the payload says; None where it has no time.
    """

    method: str
    lane: str
    item: str
    time: int | None


@dataclass(frozen=True, slots=True)
class Refusal:
    """How a vendor says no."""

    status: int
    message: str


@dataclass(frozen=True, slots=True)
class Model:
    """The fields of a payload; others are refused."""

    required: Mapping[str, Check]
    optional: Mapping[str, Check]


def check_object(value: Any, model: Model) -> str | None:
    """Hold a JSON object against its model.

    Returns:
        What is wrong, starting with the field's name; None when nothing is.
    """
    if type(value) is not dict:
        return "must be an object"
    for name, check in model.required.items():
        if name not in value:
            return f"{name} is missing"
        if (wrong := check(value[name])) is not None:
            return f"{name} {wrong}"
    for name, field in value.items():
        if name not in model.required:
            check_optional = model.optional.get(name)
            if check_optional is None:
                return f"{name} is not a field of this method"
            if (wrong := check_optional(field)) is not None:
                return f"{name} {wrong}"
    return None


def check_array(value: Any, check: Check) -> str | None:
    """Hold every element of a JSON array against a check.

    Returns:
        What is wrong with the first bad element, starting with its position; None when nothing is.
    """
    if type(value) is not list:
        return "must be an array"
    for index, element in enumerate(value):
        if (wrong := check(element)) is not None:
            return f"[{index}] {wrong}"
    return None


def array_of(model: Model) -> Check:
    """Make the check of an array whose elements are objects."""
    return lambda value: check_array(value, lambda element: check_object(element, model))


def text(value: Any) -> str | None:
    """Wants any string."""
    return None if type(value) is str else "must be a string"


def filled_text(value: Any) -> str | None:
    """Wants a string with something in it."""
    return None if type(value) is str and value else "must be a string that is not empty"


def text_up_to(limit: int) -> Check:
    """Make the check of a string with 1 to `limit` characters."""
    wanted = f"must be a string of 1 to {limit} characters"
    return lambda value: None if type(value) is str and 0 < len(value) <= limit else wanted


def text_to(limit: int) -> Check:
    """Make the check of a string with at most `limit` characters, which may be empty."""
    wanted = f"must be a string of at most {limit} characters"
    return lambda value: None if type(value) is str and len(value) <= limit else wanted


def scalars(value: Any) -> str | None:
    """Wants an object of names with strings, numbers and booleans."""
    wanted = "must be an object of strings, numbers and booleans under names that are not empty"
    good = type(value) is dict and all(name and type(held) in (str, int, float, bool) for name, held in value.items())
    return None if good else wanted


def text_like(pattern: str, wanted: str) -> Check:
    """Make the check of a string that matches a regular expression as a whole."""
    matches = re.compile(pattern, re.ASCII).fullmatch
    return lambda value: None if type(value) is str and matches(value) else wanted


def boolean(value: Any) -> str | None:
    """Wants true or false."""
    return None if type(value) is bool else "must be true or false"


def integer(value: Any) -> str | None:
    """Wants a JSON integer; `true`, `1.0` and `"1"` are none."""
    return None if type(value) is int else "must be an integer"


def integer_between(low: int, high: int) -> Check:
    """Make the check of an integer within bounds, both included."""
    wanted = f"must be an integer from {low} to {high}"
    return lambda value: None if type(value) is int and low <= value <= high else wanted


def number_from(low: int) -> Check:
    """Make the check of a number that is not below a bound."""
    wanted = f"must be a number of {low} or more"
    return lambda value: None if type(value) in (int, float) and value >= low else wanted


def time_like(pattern: str, wanted: str) -> Check:
    """Make the check of a point in time in one written form, which must exist in the calendar."""
    matches = re.compile(pattern, re.ASCII).fullmatch

    def check(value: Any) -> str | None:
        if type(value) is not str or not matches(value):
            return wanted
        try:
            datetime.fromisoformat(value)
        except ValueError:
            return wanted
        return None

    return check


def to_millis(value: str | None) -> int | None:
    """Read a time that was checked.

    Returns:
        Milliseconds since 1970; None for None.
    """
    return None if value is None else round(datetime.fromisoformat(value).timestamp() * 1000)
