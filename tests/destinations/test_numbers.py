from decimal import Decimal

import orjson
import pytest

from processor.destinations.numbers import MAX_INTEGER, flag, integer, number

LIMIT = 2**53 - 1


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1, 1),
        (LIMIT, LIMIT),
        ("12", 12),
        ("0012", 12),
        (str(LIMIT), LIMIT),
        (3.0, 3),
        (float(LIMIT), LIMIT),
        (Decimal(3), 3),
        (Decimal("3.00"), 3),
        (Decimal("1E+3"), 1000),
    ],
)
def test_an_integer_is_made_of_what_is_one(value: object, expected: int) -> None:
    """Digits, and numbers without a fraction; as an integer, never as text."""
    found = integer(1)(value)

    assert (found, type(found)) == (expected, int)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        *[(text, "text is not an integer") for text in ("SKU-1", "", " 12", "12 ", "12\n", "+12", "1_000", "１２")],
        *[(text, "text is not an integer") for text in ("3.0", "1e3", "0x10", "--5", "9" * 5000)],
        (3.5, "the number has a fraction"),
        (5e-324, "the number has a fraction"),
        (Decimal("3.01"), "the number has a fraction"),
        (Decimal("1" * 38 + ".5"), "the number has a fraction"),
        (Decimal("1E-1000000"), "the number has a fraction"),
        *[(value, "NaN and infinity are no JSON numbers") for value in (float("nan"), float("inf"), Decimal("-Inf"))],
        *[(Decimal(text), "NaN and infinity are no JSON numbers") for text in ("NaN", "sNaN")],
        (1e300, "the number has more than 40 digits"),
        (Decimal("1E+1000000"), "the number has more than 40 digits"),
        (Decimal("1" * 29), f"the number is above {LIMIT}"),
        (LIMIT + 1, f"the number is above {LIMIT}"),
        (float(LIMIT + 1), f"the number is above {LIMIT}"),
        (str(LIMIT + 1), f"the number is above {LIMIT}"),
        (10**5000, f"the number is above {LIMIT}"),
        *[(value, "the number is below 1") for value in (0, -1, "-1", "-0", 0.0, -0.0, Decimal("-1E+3"))],
        (True, "boolean is not an integer"),
        (False, "boolean is not an integer"),
        (None, "null is not an integer"),
        (b"12", "bytes is not an integer"),
        ([12], "array is not an integer"),
        ({"id": 12}, "record is not an integer"),
    ],
    ids=lambda value: repr(value)[:20] if not isinstance(value, int) or abs(value) < 10**20 else "huge",
)
def test_what_is_no_integer_in_the_bounds_is_refused(value: object, words: str) -> None:
    """Whatever would lose something, or is beyond 1 to 2^53 - 1; and nothing that is slow to find out."""
    with pytest.raises(ValueError, match=f"^{words}$"):
        integer(1)(value)


def test_the_bounds_are_the_field_s_own() -> None:
    """Both are included; where none is named the upper one is what JSON readers keep."""
    assert [integer(0, 3)(value) for value in (0, 3)] == [0, 3]
    assert integer(0)(MAX_INTEGER) == LIMIT
    with pytest.raises(ValueError, match=r"^the number is above 3$"):
        integer(0, 3)(4)


@pytest.mark.parametrize(
    ("value", "on_wire"),
    [
        (0, b"0"),
        (10, b"10"),
        (9.99, b"9.99"),
        (0.1, b"0.1"),
        (1e-7, b"1e-7"),
        (Decimal("9.99"), b"9.99"),
        (Decimal("9.90"), b"9.9"),
        (Decimal("0.30"), b"0.3"),
        (Decimal("1E+3"), b"1000.0"),
        (Decimal("1234567890.12"), b"1234567890.12"),
        (Decimal("0.1") + Decimal("0.2"), b"0.3"),
        ("9.99", b"9.99"),
        ("0012", b"12.0"),
        (Decimal("100.00"), b"100.0"),
        (Decimal(LIMIT), b"9007199254740991.0"),
    ],
)
def test_a_number_travels_without_float_noise(value: object, on_wire: bytes) -> None:
    """The JSON number is the value itself, digit for digit."""
    assert orjson.dumps(number(0)(value)) == on_wire


@pytest.mark.parametrize(
    ("value", "words"),
    [
        *[(value, "the number is below 0") for value in (-1, -0.01, Decimal("-0.01"), "-5", Decimal("-1E+9999"))],
        *[(text, "text is not a number") for text in ("free", "", "9,99", "NaN", "Infinity", "1e400", "1e3", ".5")],
        *[(text, "text is not a number") for text in ("5.", "９.９９", " 5", "5\n", "9" * 41)],
        *[(value, "NaN and infinity are no JSON numbers") for value in (float("nan"), float("inf"), -float("inf"))],
        *[(Decimal(text), "NaN and infinity are no JSON numbers") for text in ("NaN", "sNaN", "Infinity")],
        (Decimal("0.12345678901234567890"), "the number has more digits than a JSON number keeps"),
        (Decimal("1234567890123456.78"), "the number has more digits than a JSON number keeps"),
        (Decimal("1E-400"), "the number has more digits than a JSON number keeps"),
        *[(value, f"the number is above {LIMIT}") for value in (10**40, LIMIT + 1, 1e300, Decimal("1E+1000000"))],
        (True, "boolean is not a number"),
        (None, "null is not a number"),
        (b"9.99", "bytes is not a number"),
        ([9.99], "array is not a number"),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_what_is_no_number_in_the_bounds_is_refused(value: object, words: str) -> None:
    """Negative, not a number, or with more digits than a JSON number keeps."""
    with pytest.raises(ValueError, match=f"^{words}$"):
        number(0)(value)


@pytest.mark.parametrize("value", [True, False])
def test_a_flag_is_true_or_false(value: bool) -> None:  # noqa: FBT001 - it is what is tested
    """False is sent, too."""
    assert flag(value) is value


@pytest.mark.parametrize(
    ("value", "kind"),
    [("true", "text"), ("", "text"), (1, "integer"), (0, "integer"), (1.0, "number"), ([], "array"), (None, "null")],
)
def test_nothing_else_is_a_flag(value: object, kind: str) -> None:
    """Truth like that of `when` has no place in a payload."""
    with pytest.raises(ValueError, match=f"^{kind} is not true or false$"):
        flag(value)
