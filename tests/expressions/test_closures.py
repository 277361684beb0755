"""The closures against the library's own interpreter, which says what an expression means."""

import json
from typing import Any

import jmespath
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jmespath.exceptions import JMESPathError

from processor.expressions.closures import NotCompiledError, compile_node
from processor.expressions.language import ExpressionError, compile_expression

NAMES = st.sampled_from(["a", "b", "c"])
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 3), st.sampled_from([0.0, 1.0, 2.5]), st.sampled_from(["", "a", "b", "1"])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=3)),
    max_leaves=12,
)
SCOPES = st.dictionaries(NAMES, VALUES, max_size=3)


def literal(value: object) -> str:
    """A value as JMESPath writes it."""
    return "`" + json.dumps(value).replace("`", "\\`") + "`"


def _numbers() -> st.SearchStrategy[str]:
    return st.one_of(st.just(""), st.integers(-4, 4).map(str))


def _slices() -> st.SearchStrategy[str]:
    return st.builds("[{}:{}:{}]".format, _numbers(), _numbers(), st.sampled_from(["", "1", "-1", "2"]))


def _larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pairs = st.lists(st.builds("{}: {}".format, NAMES, inner), min_size=1, max_size=2)
    return st.one_of(
        st.builds("{}.{}".format, inner, NAMES),
        st.builds("{}[{}]".format, inner, st.integers(-3, 3)),
        st.builds("{}{}".format, inner, _slices()),
        st.builds("{}[*].{}".format, inner, NAMES),
        st.builds("{}[]".format, inner),
        st.builds("{}[].{}".format, inner, NAMES),
        st.builds("{}.*".format, inner),
        st.builds("{}[?{}].{}".format, inner, inner, NAMES),
        st.builds("{}.[{}, {}]".format, inner, NAMES, inner),
        pairs.map(lambda found: "{" + ", ".join(found) + "}"),
        st.builds("{}.{{a: {}}}".format, inner, inner),
        st.builds("({}) | ({})".format, inner, inner),
        st.builds("({} && {})".format, inner, inner),
        st.builds("({} || {})".format, inner, inner),
        st.builds("(!{})".format, inner),
        st.builds("({} {} {})".format, inner, st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), inner),
        st.builds("{}({})".format, st.sampled_from(["length", "type", "keys", "sort", "to_string", "not_null"]), inner),
        st.builds("not_null({}, {})".format, inner, inner),
        st.builds("sort_by({}, &{})".format, inner, NAMES),
        st.builds("map(&{}, {})".format, NAMES, inner),
    )


EXPRESSIONS = st.recursive(st.one_of(NAMES, st.just("@"), SCALARS.map(literal)), _larger, max_leaves=6)


def outcome(search: Any, scope: object) -> object:
    """What a search gives, or that it fails."""
    try:
        return repr(search(scope))
    except (JMESPathError, ExpressionError, TypeError, ValueError):
        return "fails"


@settings(max_examples=400, deadline=None)
@given(text=EXPRESSIONS, scope=SCOPES)
@example(text="a[::0]", scope={"a": [1]})
@example(text="a == `1`", scope={"a": True})
@example(text="a < `1`", scope={"a": True})
@example(text="a < b", scope={"a": "x", "b": 1})
@example(text="a[]", scope={"a": [[1], 2, [[3]]]})
@example(text="a.*", scope={"a": 1})
@example(text="@", scope={})
def test_every_expression_means_what_the_library_says(text: str, scope: dict[str, Any]) -> None:
    """Random expressions over random JSON give the same as the interpreter, or fail where it fails."""
    try:
        interpreted = jmespath.compile(text)
    except JMESPathError:
        with pytest.raises(ExpressionError):
            compile_expression(text)
        return

    assert outcome(compile_expression(text), scope) == outcome(interpreted.search, scope)


def nodes(node: Any) -> set[str]:
    """The kinds of nodes in a tree."""
    return {node["type"]}.union(*(nodes(child) for child in node["children"] if isinstance(child, dict)))


COMPILED = (
    "a.b[0] | c[1:2]",
    "a[*].b",
    "a.*.b",
    "a[?b == `1`].c",
    "a[]",
    "[a, b]",
    "{x: a}",
    "'raw' || @",
    "!a && b",
    "length(a)",
)


@pytest.mark.parametrize("text", COMPILED)
def test_common_expressions_are_closures(text: str) -> None:
    """Nothing that a mapping usually has goes to the interpreter."""
    assert callable(compile_node(jmespath.compile(text).parsed))


def test_every_kind_of_node_is_either_compiled_or_known_not_to_be() -> None:
    """A new kind of node of a later library fails here first."""
    seen = set().union(*(nodes(jmespath.compile(text).parsed) for text in (*COMPILED, "sort_by(a, &b)")))

    with pytest.raises(NotCompiledError):
        compile_node(jmespath.compile("sort_by(a, &b)").parsed)
    assert "expref" in seen
