import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from processor.errors import Fault
from processor.settings.yaml import Bare, Node, compose, is_unfinished, merge, read_tree


def parse(text: str, file: str = "a.yaml") -> tuple[Node, list[Fault]]:
    """Read a text that is a mapping."""
    root = compose(text)
    assert isinstance(root, yaml.MappingNode)
    return read_tree(root, text, file)


@pytest.mark.parametrize("text", ["NO", "on", "yes", "22:00", "5e123", "0012", "1_000", "0x1F", "2026-11-22", "True"])
def test_plain_scalars_stay_text(text: str) -> None:
    """What YAML 1.1 would turn into something else arrives as it was written."""
    assert parse(f"a: {text}")[0].python() == {"a": text}


@pytest.mark.parametrize("text", ["null", "~", ""])
def test_only_null_tilde_and_nothing_are_null(text: str) -> None:
    """These three, without quotes, are null; with quotes they are text."""
    assert parse(f"a: {text}")[0].python() == {"a": None}
    assert parse(f"a: '{text}'")[0].python() == {"a": text}
    assert parse("a: Null")[0].python() == {"a": "Null"}


def test_quotes_are_remembered() -> None:
    """A number without quotes can be told from one with quotes."""
    tree = parse("a: 5\nb: '5'\nc: |\n  5\n")[0].python()
    assert [type(tree[key]) for key in "abc"] == [Bare, str, str]


def test_duplicate_keys_are_refused() -> None:
    """A key that is set twice is named with both lines; the first value stays."""
    tree, faults = parse("a: 1\nb:\n  c: 2\n  c: 3\n")
    assert tree.python() == {"a": "1", "b": {"c": "2"}}
    assert [str(fault) for fault in faults] == [
        "ERROR a.yaml:4 b.c   the key is set twice, first in line 3\n      fix: remove one of the two"
    ]


def test_anchors_merge() -> None:
    """`<<` brings in a mapping, own keys win, of several the first one wins, and `x-` keys are gone."""
    text = """\
x-one: &one {a: 1, b: 1}
x-two: &two {b: 2, c: 2}
own: {<<: *one, b: 3}
both: {<<: [*one, *two], x-inner: 1}
"""
    assert parse(text)[0].python() == {
        "own": {"a": "1", "b": "3"},
        "both": {"a": "1", "b": "1", "c": "2", "x-inner": "1"},
    }


def test_merging_something_else_is_refused() -> None:
    """`<<` with a text is a fault and brings in nothing."""
    tree, faults = parse("a:\n  <<: text\n  b: 1\n")
    assert tree.python() == {"a": {"b": "1"}}
    assert [(fault.where, fault.line, fault.fix) for fault in faults] == [("a.<<", 2, "write `<<: *anchor`")]


def test_quoted_merge_key_is_a_key() -> None:
    """In quotes `<<` means nothing."""
    assert parse("'<<': 1")[0].python() == {"<<": "1"}


def test_keys_are_text() -> None:
    """A key is what is written; a list as a key is refused."""
    tree, faults = parse("NO: 1\n5: 2\nnull: 3\n[a]: 4\n")
    assert tree.python() == {"NO": "1", "5": "2", "null": "3"}
    assert [(fault.message, fault.line) for fault in faults] == [("a key must be text", 4)]


def test_every_value_has_its_place() -> None:
    """Positions give file and line of keys and of list items, through anchors too."""
    tree = parse("x-a: &a\n  b: 1\nc:\n  <<: *a\n  d:\n    - e\n    - f\n")[0]
    assert tree.positions() == {
        (): ("a.yaml", 1),
        ("c",): ("a.yaml", 3),
        ("c", "b"): ("a.yaml", 2),
        ("c", "d"): ("a.yaml", 5),
        ("c", "d", 0): ("a.yaml", 6),
        ("c", "d", 1): ("a.yaml", 7),
    }


def test_a_value_is_found_by_its_path() -> None:
    """`at` follows keys and positions and gives None beside them."""
    tree = parse("a: [{b: c}]")[0]
    found = tree.at(("a", 0, "b"))
    assert found is not None
    assert found.value == "c"
    assert tree.at(("a", 1, "b")) is None
    assert tree.at(("a", 0, "b", "c")) is None


def test_files_merge_deep() -> None:
    """Mappings merge, lists and texts are replaced, null removes, and the last setter's place counts."""
    lower = parse("a: {b: 1, c: 2, d: {e: 3}}\nl: [1, 2]\nt: 1\n", "low.yaml")[0]
    upper = parse("a:\n  c: 5\n  d: null\n  n: null\nl: [3]\nt: {u: 1}\n", "up.yaml")[0]
    merged = merge(lower, upper)
    assert merged.python() == {"a": {"b": "1", "c": "5", "n": None}, "l": ["3"], "t": {"u": "1"}}
    positions = merged.positions()
    assert positions["a", "b"] == ("low.yaml", 1)
    assert positions["a", "c"] == ("up.yaml", 2)
    assert positions["l", 0] == ("up.yaml", 5)
    assert ("l", 1) not in positions
    assert ("a", "d", "e") not in positions
    assert positions["a", "d"] == ("up.yaml", 3)


def test_null_may_be_a_value() -> None:
    """Where null says something of its own it replaces; what removed a key is remembered over more files."""
    nulls = frozenset({("a", "*", "c")})
    lower = parse("a: {b: {c: 1, d: 2}}\nc: 3\n", "1.yaml")[0]
    middle = merge(lower, parse("a: {b: {c: null, d: null}}\nc: null\n", "2.yaml")[0], nulls)
    assert middle.python() == {"a": {"b": {"c": None}}}
    upper = merge(middle, parse("a: {b: {c: {e: 5}}}", "3.yaml")[0], nulls)
    assert upper.python() == {"a": {"b": {"c": {"e": "5"}}}}
    assert upper.positions()[("c",)] == ("2.yaml", 2)
    assert upper.positions()["a", "b", "d"] == ("2.yaml", 1)


@pytest.mark.parametrize(
    ("text", "path", "mark"),
    [
        ("a: x == ' # y'", "a", "#"),
        ("a: b[?c == `1] # y", "a", "#"),
        ("a: {b: add(c, d)}", "a.b", ","),
        ("a: [add(c, d)]", "a.0", ","),
    ],
)
def test_a_cut_expression_is_refused(text: str, path: str, mark: str) -> None:
    """Where YAML ends an expression early without saying so, we say so."""
    faults = parse(text)[1]
    assert [fault.where for fault in faults] == [path]
    assert faults[0].message.startswith(f"YAML ends this expression at `{mark}`")
    assert faults[0].fix == "put quotes around the whole expression"


@pytest.mark.parametrize("text", ["a: b # c", "a: don't # c", "a: 'x # y' # z", "a: [b, c]", "a: f(x, y)"])
def test_comments_are_fine(text: str) -> None:
    """A comment after a whole value is one, and so is a comma between items."""
    assert parse(text)[1] == []


@pytest.mark.parametrize("text", ["a: !x", "a: !!int 5", "a: ! b", "a: [?b]", "? a\n: b", "a: b\n---\nc: d", "a: *b"])
def test_what_expressions_begin_with_is_not_read_as_yaml(text: str) -> None:
    """Tags, complex keys, unknown aliases and second documents are errors."""
    with pytest.raises(yaml.YAMLError):
        compose(text)


def test_an_anchor_in_itself_ends() -> None:
    """A value that contains itself raises what the caller catches, and does not hang."""
    with pytest.raises(RecursionError):
        parse("a: &a [*a]")


PRINTABLE = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=8)


@given(
    st.dictionaries(
        PRINTABLE.filter(lambda key: not key.startswith("x-")),
        st.recursive(
            PRINTABLE | st.none(), lambda inner: st.lists(inner) | st.dictionaries(PRINTABLE, inner), max_leaves=5
        ),
        max_size=3,
    )
)
def test_json_is_read_as_it_is(value: object) -> None:
    """Any tree of texts and nulls in JSON, which is YAML, comes back as it was."""
    tree, faults = parse(json.dumps(value))
    assert (tree.python(), faults) == (value, [])


@pytest.mark.parametrize(
    ("text", "unfinished"), [("join('", True), ("a[?b", True), ("don't", False), ("a == 'b'", False), ("`", True)]
)
def test_unfinished_expressions(text: str, unfinished: bool) -> None:  # noqa: FBT001  # a parameter of the table
    """Open brackets and quotes are found; an apostrophe is none."""
    assert is_unfinished(text) is unfinished
