"""JMESPath's own functions: what its specification says, and exact numbers."""

from decimal import Decimal

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.expressions.jmespath_functions import json_bytes
from processor.expressions.language import ExpressionError
from tests.expressions.evaluate import evaluate

LINES = [{"sku": "b", "price": Decimal("9.99")}, {"sku": "a", "price": 9.990}, {"sku": "c", "price": 5}]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("avg(`[]`)", None),
        ("sum(`[]`)", 0),
        ("max(`[]`)", None),
        ("min(`[]`)", None),
        ("max_by(`[]`, &a)", None),
        ("min_by(`[]`, &a)", None),
        ("sort_by(`[]`, &a)", []),
        ("ceil(`-1.5`)", -1),
        ("floor(`-1.5`)", -2),
        ("ceil(`3`)", 3),
        ("ceil(nine)", 10),
        ("contains('abc', 'b')", True),
        ("contains('abc', `1`)", False),
        ("contains(`[1, 2]`, `1.0`)", True),
        ("contains(`[1, 2]`, `true`)", False),
        ("contains(`[null]`, `null`)", True),
        ("contains(lines[].price, nine)", True),
        ("ends_with('abc', 'c')", True),
        ("starts_with('abc', '')", True),
        ("join('', `[]`)", ""),
        ('keys(`{"b": 1, "a": 2}`)', ["b", "a"]),
        ("length('👨‍👩‍👧')", 5),
        ('length(`{"a": 1}`)', 1),
        ("map(&sku, lines)", ["b", "a", "c"]),
        ("map(&x, lines)", [None, None, None]),
        ("max(`[1, 2.5, -3]`)", Decimal("2.5")),
        ('max(`["a", "b"]`)', "b"),
        ("max_by(lines, &price).sku", "b"),
        ("min_by(lines, &price).sku", "c"),
        ('merge(`{"a": 1, "b": 1}`, `{"b": 2}`, `{"c": 3}`)', {"a": 1, "b": 2, "c": 3}),
        ("not_null(x, `null`, `false`)", False),
        ("not_null(x)", None),
        ("reverse('ab')", "ba"),
        ("reverse(`[1, null]`)", [None, 1]),
        ("sort(`[3, 1.5, 2]`)", [Decimal("1.5"), 2, 3]),
        ('sort(`["b", "B", "a"]`)', ["B", "a", "b"]),
        ("sort_by(lines, &price)[].sku", ["c", "b", "a"]),
        ("to_array(x)", [None]),
        ("to_array(`[1]`)", [1]),
        ("type(x)", "null"),
        ("type(`true`)", "boolean"),
        ("type(`1`)", "number"),
        ("type(nine)", "number"),
        ("type('a')", "string"),
        ("type(`[]`)", "array"),
        ("type(`{}`)", "object"),
        ('values(`{"b": 1, "a": null}`)', [1, None]),
        ("abs(x.y || `-3`)", 3),
    ],
)
def test_what_jmespath_says(expression: str, expected: object) -> None:
    """Its specification, with numbers that are equal whatever kind they are; sorting is stable."""
    assert evaluate(expression, lines=LINES, nine=9.99, x=None) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("9.90", Decimal("9.90")),
        ("0012", 12),
        ("-7", -7),
        ("1e3", Decimal("1E+3")),
        ("9007199254740993", 9007199254740993),
        ("123456789012345678901234567890.12", Decimal("123456789012345678901234567890.12")),
        ("", None),
        ("-", None),
        ("anna", None),
        ("NaN", None),
        ("Infinity", None),
        ("1e999", None),
        ("1e999999999", None),
        ("-1e-999999999", None),
        ("9" * 5000, None),
    ],
)
def test_to_number(text: str, expected: object) -> None:
    """Exactly the number; null for what is none, or of a size that nobody can calculate with."""
    given_ = evaluate("to_number(x)", x=text)

    assert given_ == expected
    assert type(given_) is type(expected)


def test_to_number_of_other_kinds() -> None:
    """A number stays as it is, anything else is none."""
    assert evaluate("to_number(x)", x=9.99) == 9.99
    assert evaluate("map(&to_number(@), x)", x=[True, [1], {}, None]) == [None, None, None, None]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ('a"b', 'a"b'),
        (Decimal("9.90"), "9.90"),
        (Decimal("1E+3"), "1000"),
        (Decimal("1E-7"), "0.0000001"),
        (2**53 + 1, "9007199254740993"),
        (2**70, "1180591620717411303424"),
        (0.1, "0.1"),
        (True, "true"),
        (None, "null"),
        ([Decimal("9.90"), {"a": "å"}], '[9.90,{"a":"å"}]'),
        (
            {"a": [2**70, True, None, "x", Decimal("9.90"), 0.1]},
            '{"a":[1180591620717411303424,true,null,"x",9.90,0.1]}',
        ),
    ],
)
def test_to_string(value: object, expected: str) -> None:
    """A text as it is, all else as JSON with every digit."""
    assert evaluate("to_string(x)", x=value) == expected


@given(st.recursive(st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(), st.lists, max_leaves=5))
def test_json_is_what_orjson_says(value: object) -> None:
    """For all that is no decimal and no great integer."""
    assert json_bytes(value) == orjson.dumps(value)


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        (
            "sort_by(people, &name)",
            "sort_by() wants &… to give only numbers, or only texts, and it gives number and text",
        ),
        ("max_by(people, &x)", "max_by() wants &… to give only numbers, or only texts, and it gives null"),
        ("min_by(people, &@)", "min_by() wants &… to give only numbers, or only texts, and it gives record"),
    ],
)
def test_what_cannot_be_ordered(expression: str, words: str) -> None:
    """The kinds are named, and no value."""
    with pytest.raises(ExpressionError) as caught:
        evaluate(expression, people=[{"name": "anna@example.com"}, {"name": 1990}])

    assert str(caught.value) == f"{expression}: {words}"
