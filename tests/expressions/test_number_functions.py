from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from processor.expressions.language import ExpressionError
from processor.expressions.number_functions import MAX_DIGITS
from tests.expressions.evaluate import evaluate

VERY_LONG = Decimal("123456789012345678901234567890.12")


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("add(`0.1`, `0.2`)", Decimal("0.3")),
        ("add(tenth, fifth)", Decimal("0.3")),
        ("add(nine, decimal)", Decimal("19.98")),
        ("add(five, `3`)", 8),
        ("add(`9007199254740993`, `1`)", 9007199254740994),
        ("add(`9007199254740991`, `0.5`)", Decimal("9007199254740991.5")),
        ("add(`0.1234567890123456789`, `0`)", Decimal("0.1234567890123456789")),
        ("add(long, `0.005`)", Decimal("123456789012345678901234567890.125")),
        ("subtract(huge, huge)", 0),
        ("subtract(add(huge, `1`), huge)", 1),
        ("subtract(add(huge, tiny), huge)", Decimal("5E-324")),
        ("subtract(`1`, `0.9`)", Decimal("0.1")),
        ("subtract(decimal, nine)", Decimal("0.00")),
        ("subtract(`1`, long)", Decimal("-123456789012345678901234567889.12")),
        ("subtract(five, `7`)", -2),
        ("multiply(nine, `3`)", Decimal("29.97")),
        ("multiply(long, long)", Decimal("15241578753238836750495351562565828416864868162811315348393.6144")),
        ("multiply(five, five)", 25),
        ("divide(`1`, `3`)", Decimal("0.3333333333333333333333333333")),
        ("divide(`-7`, `2`)", Decimal("-3.5")),
        ("divide(`10`, `5`)", 2),
        ("divide(nine, decimal)", 1),
        ("abs(`-1.5`)", Decimal("1.5")),
        ("abs(subtract(`0`, long))", VERY_LONG),
        ("sum([tenth, fifth, decimal])", Decimal("10.29")),
        ("sum([long, long])", Decimal("246913578024691357802469135780.24")),
        ("avg([nine, decimal])", Decimal("9.99")),
        ("avg([`1`, `2`])", Decimal("1.5")),
    ],
)
def test_numbers_are_exact(expression: str, expected: object) -> None:
    """Sums, differences and products have all their digits, whether numbers come as integers, floats or decimals."""
    given_ = evaluate(
        expression,
        five=5,
        tenth=0.1,
        fifth=0.2,
        nine=9.99,
        decimal=Decimal("9.99"),
        long=VERY_LONG,
        huge=1e308,
        tiny=5e-324,
    )

    assert given_ == expected


ROUNDED = (
    ("2.5", None, "3"),
    ("-2.5", None, "-3"),
    ("0.5", None, "1"),
    ("-0.5", None, "-1"),
    ("-0.4", None, "0"),
    ("2.4999999999999999999999999999999", None, "2"),
    ("2.345", 2, "2.35"),
    ("-2.345", 2, "-2.35"),
    ("2.675", 2, "2.68"),
    ("1.005", 2, "1.01"),
    ("-0.004", 2, "0.00"),
    ("9.99", 0, "10"),
    ("9.9", 2, "9.90"),
    ("123456789012345678901234567890.125", 2, "123456789012345678901234567890.13"),
    ("3e-30", MAX_DIGITS, "3E-30"),
)
FLOATS = [number for number, _, _ in ROUNDED if Decimal(repr(float(number))) == Decimal(number)]
"""Those that have no more digits than a float."""


@pytest.mark.parametrize(
    ("value", "digits", "expected"),
    [
        *((Decimal(number), digits, expected) for number, digits, expected in ROUNDED),
        *((float(number), digits, expected) for number, digits, expected in ROUNDED if number in FLOATS),
    ],
)
def test_round_is_half_up(value: object, digits: int | None, expected: str) -> None:
    """Away from zero at the half, as prices are; a float is what was written, and there is no -0.00."""
    call = "round(x)" if digits is None else f"round(x, `{digits}`)"

    rounded = evaluate(call, x=value)

    assert str(rounded) == expected
    assert type(rounded) is (Decimal if digits else int)


def test_round_takes_what_is_whole_already() -> None:
    """An integer stays one, with digits it gets them, and the greatest float is no trouble."""
    assert evaluate("round(x)", x=2**53 + 1) == 2**53 + 1
    assert str(evaluate("round(x, `2`)", x=3)) == "3.00"
    assert evaluate("round(x)", x=1e308) == 10**308


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-1000, max_value=1000), st.integers(0, 3))
@example(Decimal("-0.0005"), 3)
def test_round_is_never_further_away_than_half(number: Decimal, digits: int) -> None:
    """The nearest one, for all numbers."""
    rounded = evaluate("round(x, d)", x=number, d=digits)

    assert abs(Decimal(rounded) - number) * 2 <= Decimal(1).scaleb(-digits)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (7, 7),
        (2**63 - 1, 2**63 - 1),
        (3.0, 3),
        (-0.0, 0),
        (Decimal("3.00"), 3),
        (Decimal(12345678901234567890123), 12345678901234567890123),
        (2.0**53, 2**53),
        ("0012", 12),
        ("-5", -5),
        ("9007199254740993", 9007199254740993),
    ],
)
def test_to_integer(value: object, expected: int) -> None:
    """Digits, and numbers that have no fraction."""
    assert evaluate("to_integer(x)", x=value) == expected
    assert type(evaluate("to_integer(x)", x=value)) is int


@pytest.mark.parametrize("value", ["", "-", "3.0", "+5", " 5", "5 ", "1e3", "1_000", "٣", "--5", "9" * 5000, "anna"])
def test_a_text_that_is_no_integer(value: str) -> None:
    """Only digits count, and only as many as can be calculated with."""
    with pytest.raises(ExpressionError) as caught:
        evaluate("to_integer(x)", x=value)

    assert str(caught.value) == "to_integer(x): to_integer() wants a text of digits only, and this text is none"


@pytest.mark.parametrize("value", [3.5, Decimal("-0.01"), 5e-324])
def test_a_number_that_is_no_integer(value: object) -> None:
    """A fraction is never dropped in silence; the message says what drops it."""
    with pytest.raises(ExpressionError, match=r"without a fraction; round\(x\) or floor\(x\) drops it$"):
        evaluate("to_integer(x)", x=value)


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("divide(five, `0`)", "divide() by zero"),
        ("divide(five, `0.00`)", "divide() by zero"),
        ("divide(five, zero)", "divide() by zero"),
        ("round(five, `-1`)", "round() wants 0 to 30 digits"),
        ("round(five, `31`)", "round() wants 0 to 30 digits"),
    ],
)
def test_what_cannot_be_calculated(expression: str, words: str) -> None:
    """It is said in words of the language."""
    with pytest.raises(ExpressionError) as caught:
        evaluate(expression, five=5, zero=-0.0)

    assert str(caught.value) == f"{expression}: {words}"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize(
    "call",
    [
        *("add(x, y)", "subtract(y, x)", "multiply(x, y)", "divide(x, y)", "round(x)", "to_integer(x)", "ceil(x)"),
        *("floor(x)", "sum([x])", "avg([x])", "max([x, y])", "min([y, x])", "sort([x, y])", "sort_by([x, y], &@)"),
        *("from_millis(x)", "from_seconds(x)", "divide(y, x)"),
    ],
)
def test_nothing_is_calculated_with_what_is_no_number(call: str, value: float) -> None:
    """NaN and the infinities of floats end in a message, never in a payload."""
    with pytest.raises(ExpressionError, match=r"is no number to calculate with$"):
        evaluate(call, x=value, y=1)


@given(
    st.sampled_from(["add", "multiply", "subtract"]), st.floats(allow_nan=False, allow_infinity=False), st.integers()
)
def test_floats_are_calculated_with_as_decimals(function: str, left: float, right: int) -> None:
    """A float counts as what it is written, so its kind makes no difference."""
    as_float: Any = evaluate(f"{function}(x, y)", x=left, y=right)

    assert as_float == evaluate(f"{function}(x, y)", x=Decimal(repr(left)), y=right)
