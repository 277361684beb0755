"""What people write from habit, and what they are told."""

from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from processor.expressions.grammar import parse
from processor.expressions.language import ExpressionError

REFUSED = (
    # Nothing, or too little.
    ("", "it is empty"),
    (" \n", "it is empty"),
    ("a ==", "it ends where a field or a value is expected"),
    ("!", "it ends where a field or a value is expected"),
    ("a.", "after the dot at character 3 comes the name of a field"),
    # Numbers and constants.
    ("5", "a number is written between backticks: `5`"),
    ("price > 9.99", "a number is written between backticks: `9.99`"),
    ("price > -5", "a number is written between backticks: `-5`"),
    ("truncate(t, 2)", "a number is written between backticks: `2`"),
    ("{a: 5}", "a number is written between backticks: `5`"),
    ("lines[0.sku", "after [0 a ] is missing"),
    ("lines[-1", "after [-1 a ] is missing"),
    ("[1, 2]", "a number is written between backticks: `1`"),
    ("lines.0", "an item of an array is written [0], without a dot"),
    ("active == true", "true names a field; the constant is written between backticks: `true`"),
    ("active != False", "False names a field; the constant is written between backticks: `false`"),
    ("a == null", "null names a field; the constant is written between backticks: `null`"),
    # Texts.
    ('market == "SE"', '"SE" names a field; the text is written \'SE\' (and the field @."SE")'),
    ('concat(a, " ", b)', '" " names a field; the text is written \' \' (and the field @." ")'),
    ('"it\'s"', "\"it's\" names a field; the text is written 'it\\'s' (and the field @.\"it's\")"),
    (
        "red shoes",
        "between the two of `red shoes` an operator or a comma is missing, or quotes round a text: 'red shoes'",
    ),
    ("join(' ' a)", "between the two of `' ' a` an operator or a comma is missing"),
    ("'x", "the ' at character 1 is not closed"),
    ("a == 'x", "the ' at character 6 is not closed"),
    ("concat(a, 'it's')", "the ' at character 16 is not closed"),
    ('a."x', 'the " at character 3 is not closed'),
    ("`[1", "the ` at character 1 is not closed"),
    ('a."\\x"', 'the name "\\x" is not written as JSON has it'),
    ("“x”", "quotes are straight ones: 'text'"),
    ("a == ‘x’", "quotes are straight ones: 'text'"),
    ("a.'b'", "after the dot at character 3 comes the name of a field"),
    # Operators of other languages.
    ("a = b", "`=` is written =="),
    ("a === b", "`=` is written =="),
    ("a <> b", "`<>` is written !="),
    ("a == 'x' and b", "`and` is written &&"),
    ("a AND b", "`and` is written &&"),
    ("(a or b)", "`or` is written ||"),
    ("f(a or b)", "`or` is written ||"),
    ("not a", "`not` is written !"),
    ("not(a)", "`not` is written !"),
    ("a is b", "`is` is written =="),
    ("market in list", "`x in list` is written contains(list, x)"),
    ("a + b", "a sum is written add(x, y)"),
    ("a - b", "a difference is written subtract(x, y)"),
    ("a * b", "a product is written multiply(x, y)"),
    ("price * 2", "a product is written multiply(x, y)"),
    ("a * (b)", "a product is written multiply(x, y)"),
    ("a / b", "a quotient is written divide(x, y)"),
    ("a ? b : c", "`a ? b : c` is written a && b || c"),
    ("$.a", "a path begins with the name of a field, without $"),
    # Signs and brackets.
    ("a # b", "`#` at character 3 stands for nothing"),
    ("a; b", "`;` at character 2 stands for nothing"),
    ("å", "`å` at character 1 stands for nothing"),
    ("a[", "at its end ] is missing"),
    ("a[?b", "at its end ] is missing"),
    ("f(a[?b == {c: d", "at its end }]) is missing"),
    ("foo(", "at its end ) is missing"),
    ("a)", "`)` at character 2 closes nothing"),
    ("a]", "`]` at character 2 closes nothing"),
    ("(a]", ") is missing at character 3"),
    ("a[?b == c)", "] is missing at character 10"),
    (".a", "`.` is not expected at character 1"),
    ("a..b", "after the dot at character 3 comes the name of a field"),
    ("|", "`|` is not expected at character 1"),
    ("a && || b", "`||` is not expected at character 6"),
    ("a, b", "`,` is not expected at character 2"),
    ("a[b]", "after a field, between [ and ] is a number, * or ?condition; at character 3 is `b`"),
    ("{}", "between { and } are pairs, name: expression, with commas; at character 2 is `}`"),
    ("{a}", "between { and } are pairs, name: expression, with commas; at character 3 is `}`"),
    ("{a: b,}", "between { and } are pairs, name: expression, with commas; at character 7 is `}`"),
    ('"f"(a)', 'before ( is the name of a function, without quotes, and not `"f"`'),
    ("a[0](b)", "before ( is the name of a function, without quotes, and not `]`"),
    ("a[" + "9" * 5000 + "]", "it has a number that is too long"),
)


@pytest.mark.parametrize(("text", "words"), REFUSED)
def test_what_does_not_parse(text: str, words: str) -> None:
    """The message says in one line what to write instead."""
    with pytest.raises(ExpressionError) as caught:
        parse(text)

    assert str(caught.value) == f"is not an expression: {words}"


@pytest.mark.parametrize(
    "text",
    [
        '@."SE" == a',
        'properties."odd name"',
        '"odd name".x',
        '"odd name"[0]',
        '{"a b": c, true: d}',
        "@.true",
        "a.and",
        "and.or || not",
        "a.not(b)",
        "a[0:1]",
        "a[-1]",
        "[0]",
        "a.*.b",
        "*.a",
        "[*].a",
        "(*)",
        "a.[*]",
        "map(&*, a)",
        "contains(`[1, 2]`, a)",
        "a == 'true'",
        "a\n  || b",
        "a[?b == 'x' && !c][].d | [0]",
    ],
)
def test_what_looks_like_a_habit_and_is_none(text: str) -> None:
    """Names after a dot and keys are names, whatever they are called."""
    parse(text)


@given(st.text(alphabet="ab01 .,:'\"`\\[]{}()?*&|!=<>@-+$#tnå", max_size=12))
@example("\\")
@example("'\\")
@example('"\\u12"')
@example("`\\`")
def test_any_text_is_parsed_or_refused_in_one_line(text: str) -> None:
    """Whatever stands in a file, no other error comes out."""
    with suppress(ExpressionError):
        parse(text)
        return
    with pytest.raises(ExpressionError, match=r"\Ais not an expression: [^\n]+\Z"):
        parse(text)
