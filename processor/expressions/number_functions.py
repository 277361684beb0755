"""Numbers: exact, whether they came as integers, floats or decimals."""

from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Any

from processor.expressions.jmespath_functions import plus, whole
from processor.expressions.signatures import DIGITS, INTEGER, NUMBER, Function
from processor.expressions.values import EXACT, MAX_EXPONENT, QUOTIENT, WrongValueError, exact

MAX_DIGITS = 30
"""Digits after the point that `round` gives at most."""


def _multiply(left: Any, right: Any) -> Any:
    left, right = exact(left), exact(right)
    if left.__class__ is int and right.__class__ is int:
        return left * right
    return EXACT.multiply(Decimal(left), Decimal(right))


def _subtract(left: Any, right: Any) -> Any:
    right = exact(right)
    return plus(left, right.copy_negate() if right.__class__ is Decimal else -right)


def _divide(left: Any, right: Any) -> Any:
    if not right:
        raise WrongValueError("divide() by zero")
    return whole(QUOTIENT.divide(Decimal(exact(left)), Decimal(exact(right))))


def _round(value: Any, digits: int = 0) -> Any:
    """Half up: 2.5 is 3 and -2.5 is -3, as prices are rounded."""
    if not 0 <= digits <= MAX_DIGITS:
        raise WrongValueError(f"round() wants 0 to {MAX_DIGITS} digits")
    with localcontext(EXACT):
        rounded = Decimal(exact(value)).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP) + 0  # no -0.00
    return rounded if digits else int(rounded)


def to_integer(value: Any) -> int:
    """An integer from a number without a fraction, or from a text of digits.

    Raises:
        WrongValueError: the number has one, or the text something else.
    """
    if value.__class__ is str:
        return _integer_in(value)
    number = exact(value)
    if number.__class__ is Decimal and number != number.to_integral_value():
        raise WrongValueError("to_integer() wants a number without a fraction; round(x) or floor(x) drops it")
    return int(number)


def _integer_in(text: str) -> int:
    if not (text.isascii() and text.removeprefix("-").isdigit() and len(text) <= MAX_EXPONENT):
        raise WrongValueError("to_integer() wants a text of digits only, and this text is none")
    return int(text)


_TWO = [("x", NUMBER), ("y", NUMBER)]
NUMBER_FUNCTIONS = (
    Function("add", _TWO, "number", "x + y, exactly.",
             plus, example=("add(product.price, `1`)", "10.99")),
    Function("subtract", _TWO, "number", "x - y, exactly.",
             _subtract, example=("subtract(product.price, discount)", "8.49")),
    Function("multiply", _TWO, "number", "x · y, exactly.",
             _multiply, example=("multiply(lines[0].price, lines[0].quantity)", "19.98")),
    Function("divide", _TWO, "number", "x / y, to 28 digits; by zero is an error.",
             _divide, example=("divide(product.price, `2`)", "4.995")),
    Function("round", [("x", NUMBER), ("digits", INTEGER)], "number",
             "Half up (2.5 is 3, -2.5 is -3), to so many digits after the point; without them to a whole number.",
             _round, optional=1, example=("round(`2.345`, `2`)", "2.35")),
    Function("to_integer", [("x", DIGITS)], "integer",
             "An integer from digits, or from a number without a fraction; anything else is an error.",
             to_integer, example=("to_integer('0012')", "12")),
)  # fmt: skip
