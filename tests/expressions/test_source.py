"""The compiled source against the library's own interpreter, which says what an expression means."""

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import jmespath
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from jmespath.visitor import TreeInterpreter

from processor.expressions import grammar, reference
from processor.expressions.language import ExpressionError, Language
from processor.expressions.source import _WRITERS, Source, define
from processor.records import Event
from tests.expressions.interpreter import interpreted
from tests.expressions.strategies import SCOPES, calls, expressions

TABLES = {"a": {"SE": "sv-SE", "1": "one"}, "SE": {"a": "b"}}
LANGUAGE = Language({name: table.get for name, table in TABLES.items()}, lambda: reference.WALL)
FUNCTIONS = list(LANGUAGE.functions.values())
EXPRESSIONS = expressions(FUNCTIONS)
FAILS = "fails"


def event_of(scope: dict[str, Any]) -> Event:
    """An event with these fields."""
    event = reference.example_event()
    return Event(event.record, event.name, scope, event.schema_id)


def outcome(search: Callable[[Any, Event], Any], scope: dict[str, Any]) -> str:
    """What an expression gives, type and digits included, or that it fails."""
    try:
        return repr(search(scope, event_of(scope)))
    except ExpressionError as error:
        return FAILS if " " in str(error).rsplit(": ", 1)[-1] else f"not said in words: {error}"
    except Exception:  # noqa: BLE001 - the interpreter may raise anything
        return FAILS


def compilable(text: str) -> Callable[[Any, Event], Any] | None:
    """The compiled expression; None where the language refuses it, as a literal of a wrong kind."""
    try:
        return LANGUAGE.compile(text)
    except ExpressionError:
        return None


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(text=EXPRESSIONS, scope=SCOPES)
@example(text="a == `1`", scope={"a": True})
@example(text="a == `9.99`", scope={"a": 9.99})
@example(text="a < `1`", scope={"a": True})
@example(text="a < b", scope={"a": "x", "b": 1})
@example(text="a < b", scope={"a": float("nan"), "b": Decimal(1)})
@example(text="a[]", scope={"a": [[1], 2, [[3]]]})
@example(text="a.*", scope={"a": 1})
@example(text="@", scope={})
@example(text="a | b", scope={"a": {"b": 1}, "b": 2})
@example(text="[a, @ | b, {c: a.b}]", scope={"a": {"b": 1}, "b": 2})
@example(text="a[?b == 'x' && c].{b: event().a, c: c}", scope={"a": [{"b": "x", "c": 0}, {"b": "x"}]})
@example(text="map(&[@, !@, b || c], a)", scope={"a": [None, 0, {"c": 1}]})
@example(text="sort_by(a, &b.c)[*].b", scope={"a": [{"b": {"c": 2}}, {"b": {"c": 1.5}}]})
def test_every_expression_means_what_the_library_says(text: str, scope: dict[str, Any]) -> None:
    """Random expressions over random events give the same as the interpreter, or fail where it fails."""
    compiled = compilable(text)
    if compiled is None:
        return

    assert outcome(compiled, scope) == outcome(interpreted(LANGUAGE.parse(text), LANGUAGE.functions), scope)


@settings(max_examples=500, deadline=None)
@given(text=calls(FUNCTIONS), scope=SCOPES)
def test_every_function_is_called_as_it_is_declared(text: str, scope: dict[str, Any]) -> None:
    """The quick checks of a compiled call decide as the declaration does, argument by argument."""
    compiled = compilable(text)
    if compiled is None:
        return

    assert outcome(compiled, scope) == outcome(interpreted(LANGUAGE.parse(text), LANGUAGE.functions), scope)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(texts=st.lists(EXPRESSIONS, min_size=2, max_size=5), scope=SCOPES)
@example(texts=["a.b", "a.b.c", "a", "a.b", "a.c || b"], scope={"a": {"b": {"c": 1}}})
@example(texts=["a.b.c", "b.a", "a.b"], scope={"a": 1, "b": []})
def test_expressions_in_one_source_do_not_change_each_other(texts: list[str], scope: dict[str, Any]) -> None:
    """Paths that several expressions of a route share are read once, and each gives what it gives alone."""
    kept = {text: alone for text in texts if (alone := compilable(text)) is not None}

    together = in_one_source(list(kept))(scope, event_of(scope))

    assert together == [outcome(alone, scope) for alone in kept.values()]


def in_one_source(texts: list[str]) -> Callable[[Any, Event], list[str]]:
    """One function of several expressions; each outcome by itself."""
    source = Source(LANGUAGE.functions)
    body = ["o = []"]
    for text in texts:
        value = source.expression(LANGUAGE.parse(text))
        body += [*source.take_lines(), f"try: o.append(repr({value}))", f"except Exception: o.append({FAILS!r})"]
    found: Callable[[Any, Event], list[str]] = define("together", "s, ev", [*body, "return o"], source.names)
    return found


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(text=EXPRESSIONS)
@example(text="`9.99` == a && 'x' || `{\"a\": [0.1, 1e5]}`")
def test_the_tree_is_the_librarys(text: str) -> None:
    """Reading literals exactly changes nothing else about what the library's parser makes of a text."""
    assert as_floats(grammar.parse(text)) == jmespath.compile(text).parsed


def as_floats(node: Any) -> Any:
    """A tree with decimals as the library reads them."""
    match node:
        case Decimal():
            return float(node)
        case Mapping():
            return {key: as_floats(value) for key, value in node.items()}
        case list() | tuple():
            return [as_floats(value) for value in node]
        case _:
            return node


def test_every_kind_of_node_is_written() -> None:
    """A kind of node that a later library brings fails here first."""
    visited = {name.removeprefix("visit_") for name in dir(TreeInterpreter) if name.startswith("visit_")}

    assert set(_WRITERS) == visited - {"expref", "key_val_pair"}, "these two are written by what holds them"


def test_a_shared_record_is_read_once() -> None:
    """`product.sku` and `product.brand.name` look `product` up once."""
    source = Source(LANGUAGE.functions)
    for text in ("product.sku", "product.brand.name", "product.brand.country", "lower(product.name)"):
        source.expression(LANGUAGE.parse(text))

    gets = Counter(re.findall(r"\.get\('(\w+)'\)", "\n".join(source.lines)))

    assert gets == {"product": 1, "brand": 1}


def test_lines_are_taken_once() -> None:
    """What one expression has read is there for the next one, and is not written again."""
    source = Source(LANGUAGE.functions)
    source.expression(LANGUAGE.parse("a.b"))

    assert len(source.take_lines()) == 2
    source.expression(LANGUAGE.parse("a.c"))
    assert source.take_lines() == []


CODE = (
    "'",
    '"""',
    "'''",
    "\\",
    "\n",
    "{x}",
    "__import__('os').abort()",
    "%s",
    "\u2028",
    "\x00",
    "#",
    "😀",
    "\\N{BELL}",
)


@pytest.mark.parametrize("text", CODE)
def test_no_text_of_a_file_becomes_code(text: str) -> None:
    """Names, texts and keys are written into the source as literals only."""
    name = json.dumps(text)
    scope = {"m": {text: "found"}}
    compiled = LANGUAGE.compile(f"[m.{name}, m.{{{name}: @.{name}}}, default(a, `{name}`)]")

    assert compiled(scope, event_of(scope)) == ["found", {text: "found"}, text]
