"""What JMESPath's operators mean for event values: truth, equality and order, with exact numbers."""

from collections.abc import Callable
from decimal import Context, Decimal
from typing import Any

from processor.errors import ClickstreamError
from processor.kinds import kind

NUMBERS = frozenset({int, float, Decimal})
EXACT = Context(prec=1000)
"""Digits enough for any sum or product of two event values: those of the greatest and the least float together are 650,
those of two decimals 308."""
QUOTIENT = Context(prec=28)
"""Digits of what does not end."""
MAX_EXPONENT = 324
"""The exponent, up or down, that a number in a text or a literal has at most: as a float. A text `1e999999999` would
have a billion digits as an integer."""


class WrongValueError(ClickstreamError):
    """A value that an operator or function cannot take; the message never has the value in it."""


def is_true(value: Any) -> bool:
    """JMESPath's idea of truth: null, false and what is empty are not; 0 is."""
    return bool(value) or value.__class__ in NUMBERS


def exact(value: Any) -> Any:
    """A number as an integer or a decimal: 9.99 as a float is nine and ninety-nine hundredths, as it was written.

    Raises:
        WrongValueError: it is infinite, or not a number at all (NaN).
    """
    if value.__class__ is not float:
        return value
    number = Decimal(repr(value))
    if not number.is_finite():
        raise WrongValueError(f"{value} is no number to calculate with")
    return number


def is_sensible(number: Decimal) -> bool:
    """Whether a number that somebody wrote is one, and of a size that can be calculated with."""
    return number.is_finite() and abs(number.adjusted()) <= MAX_EXPONENT


def equals(left: Any, right: Any) -> bool:
    """Equality as JSON has it: `true` is not 1, and 9.99 is 9.99 whether it came as a float or as a decimal."""
    if left.__class__ is right.__class__:
        if left.__class__ is list:
            return len(left) == len(right) and all(map(equals, left, right))
        if left.__class__ is dict:
            return left.keys() == right.keys() and all(equals(value, right[key]) for key, value in left.items())
        return bool(left == right)
    if left.__class__ in NUMBERS and right.__class__ in NUMBERS:
        return bool(_comparable(left) == _comparable(right))
    return False


def _comparable(value: Any) -> Any:
    """As `exact`; infinities compare as they are."""
    return Decimal(repr(value)) if value.__class__ is float else value


def _orderable(value: Any) -> Any:
    if value.__class__ is float and value != value:  # noqa: PLR0124 - only NaN is not itself
        raise WrongValueError("NaN is neither more nor less than any number")
    return _comparable(value)


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool | None]:
    """Numbers are ordered, and texts; null is neither more nor less than anything, which gives null.

    Raises:
        WrongValueError: two kinds that have no order; JMESPath would give null, and a condition with a number for a
            text would filter every event in silence.
    """

    def ordered(left: Any, right: Any) -> bool | None:
        if left.__class__ in NUMBERS and right.__class__ in NUMBERS:
            return compare(_orderable(left), _orderable(right))
        if left.__class__ is str and right.__class__ is str:
            return compare(left, right)
        if left is None or right is None:
            return None
        raise WrongValueError(f"cannot tell whether {kind(left)} is more or less than {kind(right)}")

    return ordered


COMPARATORS: dict[str, Callable[[Any, Any], bool | None]] = {
    "eq": equals,
    "ne": lambda left, right: not equals(left, right),
    "lt": _ordered(lambda left, right: bool(left < right)),
    "lte": _ordered(lambda left, right: bool(left <= right)),
    "gt": _ordered(lambda left, right: bool(left > right)),
    "gte": _ordered(lambda left, right: bool(left >= right)),
}
