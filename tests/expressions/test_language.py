from decimal import Decimal

import pytest

from processor.expressions.language import ExpressionError, compile_expression, is_true


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("sku", "10233"),
        ("product.name", "Boots"),
        ("product.brand.country", "SE"),
        ('"odd name"."x-y"', 1),
        ("missing", None),
        ("product.missing", None),
        ("product.missing.deeper.still", None),
        ("sku.name", None),
        ("path.name", None),
        ("nothing.name", None),
        ("price", Decimal("9.99")),
        ("path[0]", "Shoes"),
        ("path[-1]", "Boots"),
        ("path[7]", None),
        ("join(' > ', path)", "Shoes > Winter > Boots"),
        ("join(' > ', `[]`)", ""),
        ("utm[].{key: name, value: value}", [{"key": "source", "value": "mail"}, {"key": "medium", "value": None}]),
        ("utm[?value].name | [0]", "source"),
        ("{a: sku, b: product.name}", {"a": "10233", "b": "Boots"}),
        ("[sku, product.name]", ["10233", "Boots"]),
        ("nothing || sku", "10233"),
        ("sku && product.name", "Boots"),
        ("not_null(nothing, missing, sku)", "10233"),
        ("to_number(sku)", 10233),
        ("to_string(`5`)", "5"),
        ("length(path)", 3),
        ("sort_by(utm, &name)[0].name", "medium"),
        ("sku == '10233'", True),
        ("price > `5`", True),
        ("'text'", "text"),
        ('`{"a": 1}`', {"a": 1}),
        ("@.sku", "10233"),
    ],
)
def test_what_an_expression_gives(expression: str, expected: object) -> None:
    """Fields, paths and the rest of JMESPath; null where there is nothing."""
    scope = {
        "sku": "10233",
        "product": {"name": "Boots", "brand": {"country": "SE"}},
        "path": ["Shoes", "Winter", "Boots"],
        "utm": [{"name": "source", "value": "mail"}, {"name": "medium", "value": None}],
        "price": Decimal("9.99"),
        "nothing": None,
        "odd name": {"x-y": 1},
    }

    assert compile_expression(expression)(scope) == expected


@pytest.mark.parametrize("text", ["", " ", "a.", ".a", "a b", "a[", "a{", "a ==", "foo(", "'x", "a[?b", "|", "5"])
def test_what_does_not_parse_is_refused(text: str) -> None:
    """The message is one line, for a fault that is shown beside its place in the file."""
    with pytest.raises(ExpressionError) as caught:
        compile_expression(text)

    assert "\n" not in str(caught.value)
    assert str(caught.value)


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("length(secret)", "JMESPathTypeError"),
        ("join(',', secret)", "JMESPathTypeError"),
        ("abs(secret.name)", "JMESPathTypeError"),
        ("sum(prices)", "JMESPathTypeError"),
        ("sort(mixed)", "JMESPathTypeError"),
        ("keys(text)", "JMESPathTypeError"),
        ("text > number", "TypeError"),
        ("sort_by(people, &name)", "JMESPathTypeError"),
    ],
)
def test_what_fails_on_an_event_tells_no_value(expression: str, reason: str) -> None:
    """The message has the expression and the kind of error; the value may be personal data."""
    scope = {
        "secret": 778899,
        "text": "anna@example.com",
        "number": 778899,
        "prices": [Decimal("778899.10")],
        "mixed": [778899, "anna@example.com"],
        "people": [{"name": "anna@example.com"}, {"name": 778899}],
    }

    with pytest.raises(ExpressionError) as caught:
        compile_expression(expression)(scope)

    assert str(caught.value) == f"{expression}: {reason}"


@pytest.mark.parametrize("value", [None, False, "", [], {}])
def test_what_is_not_true(value: object) -> None:
    """JMESPath's idea: null, false, and what is empty."""
    assert not is_true(value)


@pytest.mark.parametrize("value", [True, 0, 0.0, Decimal(0), 1, "0", "false", " ", [0], [None], {"a": None}])
def test_what_is_true(value: object) -> None:
    """Zero is true, and so is whatever is not empty."""
    assert is_true(value)
