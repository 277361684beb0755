"""Numbers as the vendors read them: JSON numbers that are exactly the value, and flags."""

import re
from decimal import Decimal
from typing import Any, Final

from processor.fields import Converter, Quick
from processor.kinds import kind

MAX_INTEGER: Final = 2**53 - 1
"""The largest integer that every JSON reader keeps exactly; the vendors' ids end here, too."""

MAX_DIGITS: Final = 40
"""More are no number of this trade, and to expand `1E+1000000` takes seconds."""

_INTEGER: Final = re.compile(rf"-?\d{{1,{MAX_DIGITS}}}", re.ASCII)
_NUMBER: Final = re.compile(rf"-?\d{{1,{MAX_DIGITS}}}(\.\d{{1,{MAX_DIGITS}}})?", re.ASCII)


def integer(low: int, high: int = MAX_INTEGER) -> Converter:
    """Make a converter to an integer within bounds, both included.

    It takes integers, numbers without a fraction, and texts of digits: `"0012"` and 3.0 are 12 and 3.
    """

    def convert(value: Any) -> int:
        whole = _as_integer(value)
        _check_bounds(whole, low, high)
        return whole

    return Quick(convert, f"v.__class__ is int and {low} <= v <= {high}")


def number(low: int, high: int = MAX_INTEGER) -> Converter:
    """Make a converter to a number within bounds, both included; decimals and texts keep their digits.

    What a binary floating-point number would change is refused: 30 digits do not fit.
    """

    def convert(value: Any) -> float:
        found = _as_number(value)
        _check_bounds(found, low, high)
        return _exactly(found) if isinstance(found, Decimal) else found

    return Quick(convert, f"v.__class__ is float and {low} <= v <= {high}")


def flag(value: Any) -> bool:
    """True or false, and nothing that only looks like it.

    Raises:
        ValueError: it is something else.
    """
    if value is True or value is False:
        return value
    raise ValueError(f"{kind(value)} is not true or false")


def _as_integer(value: Any) -> int:
    if type(value) is int:
        return value
    if type(value) is str and _INTEGER.fullmatch(value):
        return int(value)
    if type(value) is float or type(value) is Decimal:
        return _without_fraction(value)
    raise ValueError(f"{kind(value)} is not an integer")


def _without_fraction(value: float | Decimal) -> int:
    exact = Decimal(value)  # of a float too: its value is a finite sum of powers of two
    _check_finite(exact)
    if exact.adjusted() > MAX_DIGITS:
        raise ValueError(f"the number has more than {MAX_DIGITS} digits")
    if exact != exact.to_integral_value():
        raise ValueError("the number has a fraction")
    return int(exact)


def _as_number(value: Any) -> int | float | Decimal:
    if type(value) is int:
        return value
    if type(value) is str and _NUMBER.fullmatch(value):
        return Decimal(value)
    if type(value) is float or type(value) is Decimal:
        _check_finite(Decimal(value))
        return value
    raise ValueError(f"{kind(value)} is not a number")


def _check_finite(value: Decimal) -> None:
    if not value.is_finite():
        raise ValueError("NaN and infinity are no JSON numbers")


def _check_bounds(value: float | Decimal, low: int, high: int) -> None:
    if value < low:
        raise ValueError(f"the number is below {low}")
    if value > high:
        raise ValueError(f"the number is above {high}")


def _exactly(value: Decimal) -> float:
    as_float = float(value)
    if Decimal(repr(as_float)) != value:
        raise ValueError("the number has more digits than a JSON number keeps")
    return as_float
