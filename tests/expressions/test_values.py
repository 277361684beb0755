from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.expressions.values import COMPARATORS, WrongValueError, equals, exact, is_sensible
from tests.expressions.strategies import VALUES

NUMBERS = st.one_of(st.integers(), st.floats(allow_nan=False), st.decimals(allow_nan=False, allow_infinity=False))


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (9.99, Decimal("9.99")),
        (1, 1.0),
        (1, Decimal("1.00")),
        (2**53 + 1, Decimal(2**53 + 1)),
        (0.0, -0.0),
        (float("inf"), float("inf")),
        ([1, [2.5]], [Decimal(1), [Decimal("2.5")]]),
        ({"a": 1, "b": None}, {"b": None, "a": 1.0}),
        (None, None),
    ],
)
def test_what_is_equal(left: object, right: object) -> None:
    """Numbers by what was written, at any depth; records in any order."""
    assert equals(left, right)
    assert equals(right, left)
    assert COMPARATORS["ne"](left, right) is False


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (True, 1),
        (False, 0),
        (None, 0),
        (None, False),
        ("1", 1),
        (2**53, float(2**53) + 2),
        (2**53 + 1, float(2**53)),
        (0.1 + 0.2, Decimal("0.3")),
        (float("nan"), float("nan")),
        (float("nan"), Decimal(1)),
        ([1], [True]),
        ([1], [1, 2]),
        ({"a": 1}, {"a": 1, "b": None}),
        ({"a": 1}, {"b": 1}),
        ([], {}),
        ("", []),
    ],
)
def test_what_is_not_equal(left: object, right: object) -> None:
    """Kinds do not mix, and a float is not rounded until it fits."""
    assert not equals(left, right)
    assert not equals(right, left)
    assert COMPARATORS["ne"](left, right) is True


@given(VALUES, VALUES)
def test_equality_is_symmetric(left: Any, right: Any) -> None:
    """Which side a value stands on makes no difference."""
    assert equals(left, right) is equals(right, left)


@given(NUMBERS, NUMBERS)
def test_numbers_have_one_order(left: Any, right: Any) -> None:
    """Exactly one of less, equal and more, and `<=` is less or equal."""
    assert [COMPARATORS[name](left, right) for name in ("lt", "eq", "gt")].count(True) == 1
    assert COMPARATORS["lte"](left, right) is (COMPARATORS["lt"](left, right) or equals(left, right))
    assert COMPARATORS["gte"](left, right) is COMPARATORS["lte"](right, left)


@pytest.mark.parametrize("name", ["lt", "lte", "gt", "gte"])
@pytest.mark.parametrize("other", [None, 1, "a", [], True])
def test_null_has_no_order(name: str, other: object) -> None:
    """Neither more nor less than anything; the comparison gives null."""
    assert COMPARATORS[name](None, other) is None
    assert COMPARATORS[name](other, None) is None


@pytest.mark.parametrize(("left", "right"), [("1", 1), (True, 1), ([1], [2]), ({}, {}), (True, False), ("a", ["a"])])
def test_other_kinds_have_no_order(left: object, right: object) -> None:
    """JMESPath would give null, and a condition would filter every event in silence."""
    with pytest.raises(WrongValueError, match="cannot tell whether"):
        COMPARATORS["lt"](left, right)


@pytest.mark.parametrize(
    ("value", "expected"), [(9.99, "9.99"), (1e22, "1E+22"), (5e-324, "5E-324"), (3, "3"), (Decimal("1.10"), "1.10")]
)
def test_exact(value: object, expected: str) -> None:
    """A float as it is written; other numbers as they are."""
    assert str(exact(value)) == expected


@pytest.mark.parametrize(
    ("number", "sensible"),
    [
        ("1e308", True),
        ("1e324", True),
        ("1e325", False),
        ("1e-325", False),
        ("NaN", False),
        ("-Infinity", False),
        ("0", True),
    ],
)
def test_what_can_be_calculated_with(number: str, sensible: bool) -> None:  # noqa: FBT001 - a column of the table
    """As large and as small as a float, and finite."""
    assert is_sensible(Decimal(number)) is sensible
