from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.expressions.grammar import parse
from processor.expressions.language import ExpressionError
from tests.expressions.strategies import text_literal


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("5", 5),
        (" 5 ", 5),
        ("-0", 0),
        ("9007199254740993", 2**53 + 1),
        ("9.990", Decimal("9.990")),
        ("9007199254740993.0", Decimal("9007199254740993.0")),
        ("0.1234567890123456789", Decimal("0.1234567890123456789")),
        ("1e3", Decimal("1E+3")),
        ("1e324", Decimal("1E+324")),
        ("true", True),
        ("null", None),
        ('"a`b"'.replace("`", "\\`"), "a`b"),
        ('"\\u00e5 👟"', "å 👟"),
        ('[1.5, {"a": [0.1, null]}]', [Decimal("1.5"), {"a": [Decimal("0.1"), None]}]),
        ("[]", []),
    ],
)
def test_a_literal_is_exactly_what_is_written(written: str, expected: object) -> None:
    """All digits of a number count, at any depth."""
    value = parse(f"`{written}`")["value"]

    assert repr(value) == repr(expected)


def test_literals_stay_in_their_places() -> None:
    """Also where the tree has another order than the text, and beside texts that look like literals."""
    tree = parse("a[?b == `1.5`].[`\"x\"`, '`2`', \"`3`\".c, `4`, 'it\\'s `5`'] | [?`6`]")
    found = [node["value"] for node in _literals(tree)]

    assert sorted(map(str, found)) == sorted(["1.5", "x", "`2`", "4", "it's `5`", "6"])
    assert _literals(tree["children"][0]["children"][2]) == [
        {"type": "literal", "value": Decimal("1.5"), "children": []}
    ]


def _literals(node: object) -> list[dict[str, object]]:
    if not isinstance(node, dict):
        return []
    below = [each for child in node["children"] for each in _literals(child)]
    return [node, *below] if node["type"] == "literal" else below


@given(st.lists(st.text(alphabet="ab'\"`\\ ", max_size=6), max_size=3))
def test_no_text_confuses_the_search_for_literals(texts: list[str]) -> None:
    """Quotes of one kind within those of another are plain signs."""
    written = [text_literal(text.replace("\\", "")) for text in texts]

    tree = parse(f"[{', '.join(['`1.10`', *written, '`2.20`'])}]")

    assert [str(node["value"]) for node in tree["children"]] == [
        "1.10",
        *(text.replace("\\", "") for text in texts),
        "2.20",
    ]


@pytest.mark.parametrize(
    "written", ["1e999", "-1e-999", "1" * 400, "1" * 5000, "[1e999]", '{"a": 1e999}', "1e999999999"]
)
def test_a_number_of_no_sense_is_refused(written: str) -> None:
    """It would be infinite as a float, or have a billion digits."""
    with pytest.raises(
        ExpressionError, match=r"^is not an expression: `[0-9e…-]+` is too great or too small a number$"
    ):
        parse(f"a == `{written}`")


@pytest.mark.parametrize(
    "written",
    ["foo", "True", "None", "0012", "NaN", "-Infinity", "'a'", "{a: 1}", "[1,]", "", "1 2", "+1", ".5", "0x1F"],
)
def test_what_is_not_json_is_no_literal(written: str) -> None:
    """JMESPath would take it for a text, with a warning that nobody sees; the message says how a text is written."""
    with pytest.raises(ExpressionError) as caught:
        parse(f"`{written}`")

    assert str(caught.value) == (
        f"is not an expression: `{written}` is not JSON; between backticks are numbers, true, false, null, lists and "
        f"mappings, and a text is written '{written}'"
    )


def test_a_long_literal_is_cut_in_the_message() -> None:
    """The message stays one that can be read."""
    with pytest.raises(ExpressionError) as caught:
        parse(f"`{'x' * 5000}`")

    assert len(str(caught.value)) < 250
