from decimal import Decimal
from typing import Any

import pytest

from processor.expressions.language import ExpressionError, Language, is_true
from tests.expressions.evaluate import LANGUAGE, evaluate, event

SCOPE: dict[str, Any] = {
    "sku": "10233",
    "product": {"name": "Boots", "brand": {"country": "SE"}},
    "path": ["Shoes", "Winter", "Boots"],
    "utm": [{"name": "source", "value": "mail"}, {"name": "medium", "value": None}],
    "price": Decimal("9.99"),
    "weight": 9.99,
    "active": True,
    "count": 1,
    "nothing": None,
    "odd name": {"x-y": 1},
}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("sku", "10233"),
        ("product.brand.country", "SE"),
        ('"odd name"."x-y"', 1),
        ('@."odd name"."x-y"', 1),
        ("missing", None),
        ("product.missing.deeper.still", None),
        ("sku.name", None),
        ("path.name", None),
        ("nothing.name", None),
        ("price", Decimal("9.99")),
        ("path[-1]", "Boots"),
        ("path[7]", None),
        ("path[::-1] | [0]", "Boots"),
        ("join(' > ', path)", "Shoes > Winter > Boots"),
        ("utm[].{key: name, value: value}", [{"key": "source", "value": "mail"}, {"key": "medium", "value": None}]),
        ("utm[?value].name | [0]", "source"),
        ("utm[?name == 'medium'] | [0].value", None),
        ("{a: sku, b: product.name}", {"a": "10233", "b": "Boots"}),
        ("[sku, product.name]", ["10233", "Boots"]),
        ("nothing || sku", "10233"),
        ("sku && product.name", "Boots"),
        ("not_null(nothing, missing, sku)", "10233"),
        ("sort_by(utm, &name)[0].name", "medium"),
        ("sku == '10233'", True),
        ("sku == `10233`", False),
        ("active == `true`", True),
        ("active == `1`", False),
        ("count == `true`", False),
        ("count == `1.0`", True),
        ("price > `5`", True),
        ("price == `9.99`", True),
        ("weight == `9.99`", True),
        ("weight == price", True),
        ("[weight] == [price]", True),
        ("{a: weight} != {a: price}", False),
        ("nothing > `5`", None),
        ("missing == `null`", True),
        ("sku > '1' && sku < '2'", True),
        ("'text'", "text"),
        ('`{"a": 1}`', {"a": 1}),
        ("@.sku", "10233"),
        ("length(@)", 10),
        ("round(multiply(price, `1.25`), `2`)", Decimal("12.49")),
        ("(active && 'yes') || 'no'", "yes"),
    ],
)
def test_what_an_expression_gives(expression: str, expected: object) -> None:
    """Fields, paths and the rest of JMESPath; null where there is nothing; numbers are equal whatever kind they are."""
    assert evaluate(expression, **SCOPE) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[]", "`[]` flattens the event; an empty list is written without quotes"),
        (" [] ", "`[]` flattens the event; an empty list is written without quotes"),
        ("&a", "& is for arguments of functions only: sort_by(lines, &price)"),
        ("[a, &b]", "& is for arguments of functions only: sort_by(lines, &price)"),
        ("a[::0]", "the step of a slice cannot be 0"),
        # Functions.
        ("lenght(a)", "unknown function lenght(), did you mean length()?"),
        ("Upper(a)", "unknown function Upper(), did you mean upper()?"),
        ("xyzzy(a)", "unknown function xyzzy()"),
        ("a[?coalesce(b, c)]", "unknown function coalesce(); here it is default()"),
        ("to_lower(a)", "unknown function to_lower(); here it is lower()"),
        ("if(a, b, c)", "unknown function if(); here it is a && b || c"),
        # Arguments.
        ("truncate(a)", "truncate() is called with 1 argument; it is truncate(text, n)"),
        ("event(a)", "event() is called with 1 argument; it is event()"),
        ("round()", "round() is called with no arguments; it is round(x, digits?)"),
        ("concat()", "concat() is called with no arguments; it is concat(x, …)"),
        ("round(a, b, c)", "round() is called with 3 arguments; it is round(x, digits?)"),
        (
            "truncate(a, '2')",
            "truncate() wants a whole number for n, not text: truncate(text, n); between backticks is a number: `2`",
        ),
        ("truncate(a, `2.0`)", "truncate() wants a whole number for n, not decimal: truncate(text, n)"),
        ("truncate(`5`, `2`)", "truncate() wants a text for text, not integer: truncate(text, n)"),
        ("sort_by(a, b)", "sort_by() wants an expression with & before it for expression: sort_by(array, expression)"),
        ("upper(&a)", "upper() wants a text for text: upper(text)"),
        ("join(',', `[1]`)", "join() wants an array of texts for texts, not array: join(glue, texts)"),
        # What is written out is judged.
        ("regex_match(a, '(')", "regex_match(): the pattern is no regular expression: missing ) at position 1"),
        (
            "regex_extract(a, '[')",
            "regex_extract(): the pattern is no regular expression: unterminated character set at position 1",
        ),
        (
            "regex_replace(a, '*', '')",
            "regex_replace(): the pattern is no regular expression: nothing to repeat at position 0",
        ),
        ("parse_time(a, '%Q')", "parse_time(): the format cannot be used: 'Q' is a bad directive in format '%Q'"),
        ("parse_time(a, '%Y-%')", "parse_time(): the format cannot be used: stray % in format '%Y-%'"),
        ("parse_time(a, '%Y %Y')", "parse_time(): the format has one of its %-signs twice"),
        (
            "parse_time(a, '', 'Europe/Stokholm')",
            "parse_time(): there is no time zone of that name; names are like Europe/Stockholm",
        ),
        ("lookup('cultur', a)", "lookup(): there is no table cultur; did you mean culture?"),
        ("a[].lookup('x', @)", "lookup(): there is no table x; `tables` has: culture, none"),
        ("lookup(`1`, a)", "lookup() wants a text for table, not integer: lookup(table, key, default?)"),
    ],
)
def test_what_no_event_could_pass_is_refused(text: str, words: str) -> None:
    """Before any event comes, with a message for who wrote it."""
    with pytest.raises(ExpressionError) as caught:
        LANGUAGE.parse(text)

    assert str(caught.value) == words


def test_without_tables_the_message_says_so() -> None:
    """There is no name to propose."""
    with pytest.raises(ExpressionError, match=r"^lookup\(\): there is no table x; `tables` has: none$"):
        Language({}, lambda: 0).parse("lookup('x', a)")


@pytest.mark.parametrize(
    "text",
    [
        "(" * 5000,
        "[" * 2000,
        "!" * 150 + "a",
        "a" + "[0]" * 300,
        " || ".join("a" * 300),
        " | ".join("a" * 1000),
        "concat(" * 300 + "a" + ")" * 300,
        "a[?" * 100 + "b" + "]" * 100,
        "`" + "[" * 20000 + "]" * 20000 + "`",
    ],
)
def test_what_is_nested_too_deep_is_refused(text: str) -> None:
    """Python's limits end in a message."""
    with pytest.raises(ExpressionError, match=r"nested too deep|is not JSON"):
        LANGUAGE.parse(text)


@pytest.mark.parametrize("text", [" || ".join("a" * 60), "a" + "[0]" * 100, "!" * 60 + "a", "a" + ".b" * 500])
def test_what_is_long_compiles(text: str) -> None:
    """As long as anybody writes it."""
    LANGUAGE.compile(text)


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("length(secret)", "length() wants a text, an array or a record, and secret is integer"),
        ("join(',', secret)", "join() wants an array of texts, and secret is integer"),
        ("abs(secret.name)", "abs() wants a number, and secret.name is null"),
        ("people[].upper(born)", "upper() wants a text, and born is integer"),
        ("upper(people[0].born)", "upper() wants a text, and people[0].born is integer"),
        ("sort(mixed)", "sort() wants an array of numbers or of texts, and mixed is array"),
        ("text > secret", "cannot tell whether text is more or less than integer"),
        ("secret <= text", "cannot tell whether integer is more or less than text"),
        ("people < mixed", "cannot tell whether array is more or less than array"),
        ("secret > `true`", "cannot tell whether integer is more or less than boolean"),
        ("sum([nan, secret]) > `5`", "nan is no number to calculate with"),
        ("nan > `5`", "NaN is neither more nor less than any number"),
        (
            "[0:1] || upper(text) && truncate(text, secret.x || '5')",
            "truncate() wants a whole number, and its second argument is text",
        ),
    ],
)
def test_what_fails_on_an_event_tells_no_value(expression: str, words: str) -> None:
    """The message has the expression, the argument and its kind; the value may be personal data."""
    scope = {
        "secret": 778899,
        "text": "anna@example.com",
        "nan": float("nan"),
        "mixed": [778899, "anna@example.com"],
        "people": [{"name": "anna@example.com", "born": 1990}],
    }

    with pytest.raises(ExpressionError) as caught:
        evaluate(expression, **scope)

    assert str(caught.value) == f"{expression}: {words}"
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_a_function_that_breaks_tells_no_value() -> None:
    """An error that nobody foresaw has its kind in the message, not its words."""
    broken = Language({"t": lambda key: str({"a": "b"}[key])}, lambda: 0).compile("lookup('t', email)")

    with pytest.raises(ExpressionError) as caught:
        broken({"email": "anna@example.com"}, event())

    assert str(caught.value) == "lookup('t', email): KeyError"


def test_a_constant_is_never_changed_by_an_event() -> None:
    """The same literal for every event."""
    compiled = LANGUAGE.compile('merge(`{"a": [1]}`, x)')

    assert [compiled({"x": {"b": at}}, event()) for at in range(2)] == [{"a": [1], "b": 0}, {"a": [1], "b": 1}]


@pytest.mark.parametrize("value", [None, False, "", [], {}])
def test_what_is_not_true(value: object) -> None:
    """JMESPath's idea: null, false, and what is empty."""
    assert not is_true(value)
    assert evaluate("!x", x=value) is True
    assert evaluate("x && 'yes' || 'no'", x=value) == "no"


@pytest.mark.parametrize("value", [True, 0, 0.0, Decimal(0), 1, "0", "false", " ", [0], [None], {"a": None}])
def test_what_is_true(value: object) -> None:
    """Zero is true, and so is whatever is not empty."""
    assert is_true(value)
    assert evaluate("!x", x=value) is False
    assert evaluate("x && 'yes' || 'no'", x=value) == "yes"
