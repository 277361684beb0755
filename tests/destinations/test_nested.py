from decimal import Decimal

import orjson
import pytest

from processor.destinations.nested import list_of, properties, record
from processor.destinations.numbers import integer
from processor.destinations.texts import text
from processor.fields import Field

LINE = record(
    {
        "sku": Field(text(shortest=1), "text", required=True),
        "quantity": Field(integer(0), "integer", required=True),
        "note": Field(text(), "text"),
    }
)
UNKNOWN = "the record has a field that the vendor does not know; there are sku, quantity, note"


def test_a_record_s_fields_are_converted() -> None:
    """Each by its own rules, and those that are optional and null are left out."""
    assert LINE({"sku": 10233, "quantity": "2", "note": None}) == {"sku": "10233", "quantity": 2}
    assert LINE({"sku": "a", "quantity": 0, "note": ""}) == {"sku": "a", "quantity": 0, "note": ""}


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"sku": "a"}, ".quantity: required, but null"),
        ({"sku": None, "quantity": 1}, ".sku: required, but null"),
        ({"sku": "", "quantity": 1}, ".sku: the text is empty"),
        ({"sku": "a", "quantity": 1, "anna@example.com": 9}, UNKNOWN),
        ({"sku": "a", "quantity": 1, 5: 9}, UNKNOWN),
        ({}, ".sku: required, but null"),
        ("a", "text is not a record"),
        ([], "array is not a record"),
        (None, "null is not a record"),
    ],
)
def test_a_record_says_which_field_is_wrong(value: object, words: str) -> None:
    """By the vendor's name of it; an unknown one is not named, for a map's keys are data."""
    with pytest.raises(ValueError) as refusal:  # noqa: PT011 - the words follow
        LINE(value)
    assert str(refusal.value) == words


def test_a_list_s_elements_are_converted() -> None:
    """All of them, in order; the empty list is one."""
    assert list_of(integer(1))(["0012", 3.0, 4]) == [12, 3, 4]
    assert list_of(integer(1))([]) == []


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ([{"sku": "a", "quantity": 1}, {"sku": "b", "quantity": "many"}], "[1].quantity: text is not an integer"),
        ([{"sku": "a", "quantity": 1}, None], "[1]: null is not a record"),
        (["a"], "[0]: text is not a record"),
        ([[]], "[0]: array is not a record"),
        ([], "the array is empty"),
        ("a", "text is not an array"),
        ({"sku": "a", "quantity": 1}, "record is not an array"),
        (None, "null is not an array"),
        (("a",), "tuple is not an array"),
    ],
)
def test_a_list_says_which_element_is_wrong(value: object, words: str) -> None:
    """The first one, by its position counted from 0."""
    with pytest.raises(ValueError) as refusal:  # noqa: PT011 - the words follow
        list_of(LINE, shortest=1)(value)
    assert str(refusal.value) == words


def test_lists_of_lists_say_the_whole_way() -> None:
    """However deep it is."""
    with pytest.raises(ValueError, match=r"^\[1\]\[0\]\.sku: required, but null$"):
        list_of(list_of(LINE))([[], [{}]])


def test_properties_are_texts_numbers_and_flags() -> None:
    """Under any names; decimals without noise, and nothing for what is null."""
    value = {"tier": "gold", "points": 12, "share": Decimal("0.10"), "vip": False, "debt": -9.5, "none": None}

    assert orjson.dumps(properties(value)) == (b'{"tier":"gold","points":12,"share":0.1,"vip":false,"debt":-9.5}')
    assert properties({}) == {}


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"a": [1]}, "array is no property; texts, numbers, true and false are"),
        ({"a": {"b": 1}}, "record is no property; texts, numbers, true and false are"),
        ({"a": b"x"}, "bytes is no property; texts, numbers, true and false are"),
        ({"a": float("nan")}, "NaN and infinity are no JSON numbers"),
        ({"a": 2**53}, "the number is above 9007199254740991"),
        ({"a": "\ud83d"}, "the text has half of a surrogate pair, which is no character"),
        ({"\ud83d": "a"}, "the text has half of a surrogate pair, which is no character"),
        ({"": "a"}, "the text is empty"),
        ([], "array is not a record"),
        ("{}", "text is not a record"),
        (None, "null is not a record"),
    ],
    ids=ascii,
)
def test_what_are_no_properties_is_refused(value: object, words: str) -> None:
    """Without the name, which is as much data as the value."""
    with pytest.raises(ValueError) as refusal:  # noqa: PT011 - the words follow
        properties(value)
    assert str(refusal.value) == words
