"""Random events, and random expressions over the whole grammar and all functions."""

import json
from collections.abc import Sequence
from decimal import Decimal

from hypothesis import strategies as st

from processor.expressions.signatures import Function, Kind

NAMES = st.sampled_from(["a", "b", "c"])
KEYS = st.one_of(NAMES, st.just("odd name"))
TEXTS = (
    "", "a", "b", "ab", "SE", "0012", "-7", "9.99", "1e5", "nan", "👩‍👧 é", "e\u0301", "2026-11-22T09:31:07.120Z",
    "2026-03-29 02:30", "https://shop.example/a?a=1&b=x+y%20z", "http://[", "(", "a|b", "Europe/Oslo", "%Y-%m-%d %H:%M",
)  # fmt: skip
NUMBERS = (
    0, 1, -1, 2, 7, 2**53 - 1, 2**53 + 1, 10**30, 1795339867120, 0.0, -0.0, 0.1, 0.2, 2.5, -2.5, 9.99, 1e308, 5e-324,
    Decimal("9.99"), Decimal("0.00"), Decimal("-2.5"), Decimal("3.0"), Decimal("123456789012345678901234567890.12"),
)  # fmt: skip
NO_NUMBERS = (float("nan"), float("inf"), float("-inf"))
SCALARS = st.one_of(
    st.sampled_from(TEXTS),
    st.sampled_from(NUMBERS),
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from(NO_NUMBERS),
    st.text(max_size=5),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(st.sampled_from(NUMBERS), max_size=3),
        st.lists(st.sampled_from(TEXTS), max_size=3),
        st.dictionaries(KEYS, inner, max_size=3),
    ),
    max_leaves=12,
)
SCOPES = st.fixed_dictionaries(
    {
        "a": VALUES,
        "b": VALUES,
        "text": st.sampled_from(TEXTS),
        "number": st.sampled_from(NUMBERS),
        "texts": st.lists(st.sampled_from(TEXTS), max_size=3),
        "numbers": st.lists(st.sampled_from(NUMBERS), max_size=3),
        "records": st.lists(
            st.fixed_dictionaries({"a": st.sampled_from(NUMBERS), "b": st.sampled_from(TEXTS)}), max_size=3
        ),
    },
    optional={"c": VALUES, "odd name": VALUES},
)
"""Events whose fields a and b are anything, and some of which an expression knows the kind."""


def json_literal(value: object) -> str:
    """A value as JMESPath writes it between backticks."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return "`" + text.replace("`", "\\`") + "`"


def text_literal(text: str) -> str:
    """A text as JMESPath writes it."""
    return "'" + text.replace("'", "\\'") + "'"


def _numbers() -> st.SearchStrategy[str]:
    return st.sampled_from(NUMBERS).map(lambda number: f"`{number}`")


def _of_kind(kind: Kind) -> st.SearchStrategy[str]:
    """Literals and fields that an argument may be."""
    taken = [text_literal(text) for text in TEXTS] if kind.takes("") else []
    taken += [f"`{number}`" for number in NUMBERS if kind.takes(number)]
    taken += [json_literal(value) for value in ([], [1, 2.5, 1], ["b", "a"], {}, {"a": 1}) if kind.takes(value)]
    named = {"text": "", "number": 1, "numbers": [1], "texts": [""], "records": [{}], "records[0]": {}}
    return st.one_of(
        st.sampled_from(taken), st.sampled_from([name for name, value in named.items() if kind.takes(value)])
    )


def _call(function: Function, inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """A call with as many arguments as may be."""
    kinds = [kind for _, kind in function.parameters]
    counts = [len(kinds) - left_out for left_out in range(function.optional + 1)]
    if function.repeated:
        counts += [len(kinds) + 1, len(kinds) + 2]

    def arguments(count: int) -> st.SearchStrategy[str]:
        each = [_argument(function.kind_of(at), inner) for at in range(count)]
        return st.tuples(*each).map(lambda texts: f"{function.name}({', '.join(texts)})")

    return st.sampled_from(counts).flatmap(arguments)


def _argument(kind: Kind, inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    if kind.expression:
        return inner.map("&{}".format)
    return st.one_of(_of_kind(kind), _of_kind(kind), inner.map(_unjudged))


def _unjudged(text: str) -> str:
    """A literal as the language does not see it, which refuses one of a wrong kind."""
    return f"({text} | @)" if text[0] in "`'" else text


def calls(functions: Sequence[Function]) -> st.SearchStrategy[str]:
    """Calls of one function each, with arguments of the right kinds only."""
    return st.sampled_from(functions).flatmap(lambda function: _call(function, st.sampled_from(["a", "b"])))


def _slices() -> st.SearchStrategy[str]:
    numbers = st.one_of(st.just(""), st.integers(-4, 4).map(str))
    return st.builds("[{}:{}:{}]".format, numbers, numbers, st.sampled_from(["", "1", "-1", "2"]))


def _grammar(inner: st.SearchStrategy[str]) -> Sequence[st.SearchStrategy[str]]:
    pairs = st.lists(st.builds("{}: {}".format, NAMES, inner), min_size=1, max_size=2)
    return (
        st.builds("{}.{}".format, inner, NAMES),
        st.builds('{}."odd name"'.format, inner),
        st.builds("{}.{}.{}".format, inner, NAMES, NAMES),
        st.builds("{}[{}]".format, inner, st.integers(-3, 3)),
        st.builds("{}{}".format, inner, _slices()),
        st.builds("{}{}.{}".format, inner, _slices(), NAMES),
        st.builds("{}[*].{}".format, inner, NAMES),
        st.builds("{}[]".format, inner),
        st.builds("{}[].{}".format, inner, NAMES),
        st.builds("{}[][].{}[]".format, inner, NAMES),
        st.builds("{}.*".format, inner),
        st.builds("{}.*.{}".format, inner, NAMES),
        st.builds("{}[?{}].{}".format, inner, inner, NAMES),
        st.builds("{}[?{}]".format, inner, inner),
        st.builds("{}.[{}, {}]".format, inner, NAMES, inner),
        st.builds("[{}, {}]".format, inner, inner),
        pairs.map(lambda found: "{" + ", ".join(found) + "}"),
        st.builds("{}.{{a: {}}}".format, inner, inner),
        st.builds("{}[*].{{a: {}, b: {}}}".format, inner, inner, inner),
        st.builds("({} | {})".format, inner, inner),
        st.builds("({} && {})".format, inner, inner),
        st.builds("({} || {})".format, inner, inner),
        st.builds("(!{})".format, inner),
        st.builds("({} {} {})".format, inner, st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), inner),
    )


def expressions(functions: Sequence[Function]) -> st.SearchStrategy[str]:
    """Expressions of all kinds of nodes, and calls of every function with right and wrong arguments."""
    leaves = st.one_of(
        NAMES,
        NAMES,
        st.builds("{}.{}".format, NAMES, NAMES),
        st.builds("{}.{}.{}".format, NAMES, NAMES, NAMES),
        st.sampled_from(["@", "[0]", "*", "[]", "[*]", '@."odd name"', "`null`", "`true`"]),
        st.sampled_from(TEXTS).map(text_literal),
        _numbers(),
        st.sampled_from([[1, "a"], {"a": {"b": [0.1, None]}}, [[1], [2, [3]]], False, "`"]).map(json_literal),
    )

    def larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        grammar = st.one_of(*_grammar(inner))
        calls = st.one_of(*(_call(function, inner) for function in functions))
        return st.one_of(grammar, calls)

    return st.recursive(leaves, larger, max_leaves=6)
