"""Every function: what it gives, what null gives, and what it says about a wrong argument."""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from jmespath.functions import Functions

from processor.expressions import reference
from processor.expressions.jmespath_functions import json_bytes
from processor.expressions.language import ExpressionError, Language
from processor.expressions.signatures import Function, Kind
from tests.expressions.evaluate import evaluate

EVERY = list(reference.functions())
SAMPLES: dict[str, Any] = {
    "text": "anna@example.com",
    "integer": 199001011234,
    "number": 1990.0101,
    "decimal": Decimal("199001.011234"),
    "boolean": True,
    "array": ["anna@example.com", 199001011234],
    "record": {"anna@example.com": 199001011234},
}
"""By its name in messages, a value of each kind that looks like somebody's."""
SECRETS = ("anna", "example", "1990", "0101", "1234", "True")


def names(function: Function, count: int | None = None) -> list[str]:
    """Fields v0, v1, … as the arguments of a call, & before an expression."""
    wanted = len(function.parameters) if count is None else count
    return [("&" if function.kind_of(at).expression else "") + f"v{at}" for at in range(wanted)]


def call(function: Function) -> str:
    """A call with all arguments that it may have."""
    return f"{function.name}({', '.join(names(function))})"


def right(kind: Kind) -> Any:
    """A value that a kind takes; a text for any value."""
    candidates = ["anna@example.com", 3, ["a"], [1], {"a": 1}]
    return next(value for value in candidates if kind.takes(value))


def scope(function: Function) -> dict[str, Any]:
    """Right values for all arguments of a call."""
    return {f"v{at}": right(kind) for at, (_, kind) in enumerate(function.parameters)}


def arguments() -> Iterator[tuple[Function, int]]:
    """Every argument of every function that is not an expression."""
    for function in EVERY:
        for at, (_, kind) in enumerate(function.parameters):
            if not kind.expression:
                yield function, at


def test_the_functions_of_jmespath_are_all_there() -> None:
    """What the specification has, has the language; its own are told from ours by `strict`."""
    assert {function.name for function in EVERY if function.strict} == set(Functions.FUNCTION_TABLE)


@pytest.mark.parametrize("function", EVERY, ids=lambda function: function.name)
def test_the_example_of_a_function_is_true(function: Function) -> None:
    """What the page of functions shows is what the expression gives."""
    tables = {name: table.get for name, table in reference.TABLES.items()}
    expression, expected = function.example
    about = reference.example_event()

    given = Language(tables, lambda: reference.WALL).compile(expression)(about.value, about)

    assert f"{function.name}(" in expression
    assert exact_json(json_bytes(given)) == exact_json(expected)


def exact_json(text: str | bytes) -> Any:
    """JSON with its numbers as they are written: 9.90 is not 9.9."""
    return json.loads(text, parse_float=str)


def word(parameter: object) -> str:
    """A parameter in a test's name, the same in every process: what has sets in it is not."""
    return parameter.name if isinstance(parameter, Function) else str(parameter)


@pytest.mark.parametrize(("function", "at"), list(arguments()), ids=word)
def test_null_in_null_out(function: Function, at: int) -> None:
    """Null in any argument of ours gives null, but for `default` and `concat`; JMESPath's own refuse it."""
    seen = scope(function) | {f"v{at}": None}
    kind = function.kind_of(at)

    if function.strict and kind.classes:
        with pytest.raises(ExpressionError, match=rf"{function.name}\(\) wants {kind.name}, and v{at} is null"):
            evaluate(call(function), **seen)
    elif function.name in {"default", "concat"} or function.strict or (function.name, at) == ("lookup", 2):
        evaluate(call(function), **(seen | {"v0": "culture"} if function.name == "lookup" else seen))
    else:
        assert evaluate(call(function), **seen) is None


def wrong_kinds() -> Iterator[tuple[Function, int, str]]:
    """Every argument of every function with every kind of value that it does not take."""
    for function, at in arguments():
        for name, value in SAMPLES.items():
            if not function.kind_of(at).takes(value):
                yield function, at, name


@pytest.mark.parametrize(("function", "at", "given"), list(wrong_kinds()), ids=word)
def test_a_wrong_kind_is_told_without_the_value(function: Function, at: int, given: str) -> None:
    """The message names the expression, the function, the kind it wants, the argument and its kind, and no value."""
    with pytest.raises(ExpressionError) as caught:
        evaluate(call(function), **(scope(function) | {f"v{at}": SAMPLES[given]}))

    expected = f"{call(function)}: {function.name}() wants {function.kind_of(at).name}, and v{at} is {given}"
    assert str(caught.value) == expected
    assert not [secret for secret in SECRETS if secret in str(caught.value)]


@pytest.mark.parametrize(
    ("expression", "argument"),
    [
        ("upper(a.b[0].c)", "a.b[0].c"),
        ("upper(a.list[-1])", "a.list[-1]"),
        ('upper(a."odd name")', 'a."odd name"'),
        ("upper(to_number('1'))", "to_number(…)"),
        ("upper(a.list[].b)", "its first argument"),
        ("split('a', [a])", "its second argument"),
        ("regex_replace('a', 'b', {a: a})", "its third argument"),
        ("merge(a, a, a, a.list[:1])", "its last argument"),
        ("map(&upper(@), a.list)", "@"),
    ],
)
def test_an_argument_is_named_as_it_is_written(expression: str, argument: str) -> None:
    """A path, a call, or its position where it is longer."""
    with pytest.raises(ExpressionError) as caught:
        evaluate(expression, a={"b": [{"c": 1}], "odd name": 1, "list": [1]})

    assert f", and {argument} is " in str(caught.value)


def test_an_array_of_mixed_kinds_is_told() -> None:
    """The kind of an array's items counts too."""
    with pytest.raises(ExpressionError, match=r"join\(\) wants an array of texts, and x is array$"):
        evaluate("join(',', x)", x=["anna", 1])


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        ("round", "round(x, digits?)"),
        ("concat", "concat(x, …)"),
        ("event", "event()"),
        ("parse_time", "parse_time(text, format?, zone?)"),
    ],
)
def test_the_signature_of_a_function(function: str, expected: str) -> None:
    """`?` may be left out, `…` may be repeated."""
    assert next(each for each in EVERY if each.name == function).signature == expected
