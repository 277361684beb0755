import pytest
import yaml

from processor.errors import Fault
from processor.settings.syntax import explain, quoted
from processor.settings.yaml import compose


def fault_of(text: str) -> Fault:
    """Explain why a text is no YAML."""
    with pytest.raises(yaml.YAMLError) as caught:
        compose(text)
    return explain(caught.value, text, "a.yaml")


@pytest.mark.parametrize(
    ("text", "line", "fix"),
    [
        ("a: 1\nutm: page.utm[].{key: name}\nb: 2", 2, "utm: 'page.utm[].{key: name}'"),
        ("when: `a` == b", 1, "when: '`a` == b'"),
        ("when: !blocked", 1, "when: '!blocked'"),
        ("when: !a && b", 1, "when: '!a && b'"),
        ("when: 'x' == market", 1, "when: \"'x' == market\""),
        ('when: "x" == market', 1, "when: '\"x\" == market'"),
        ("for_each: [?x == 'a'].b", 1, "for_each: \"[?x == 'a'].b\""),
        ("for_each: [?x]", 1, "for_each: '[?x]'"),
        ("when: {a: b}.c", 1, "when: '{a: b}.c'"),
        ("l:\n  - [a, b][0]\n", 2, "- '[a, b][0]'"),
        ("k: {topic: ${X}}", 1, 'k: {topic: "${X}"}'),
        ("k: [${X}, ${Y}]", 1, 'k: ["${X}", "${Y}"]'),
        ("k: {url: http://${X}:1}", 1, "k: {url: 'http://${X}:1'}"),
        ("map: {a: b[].{c: d}, e: f}", 1, "map: {a: 'b[].{c: d}', e: f}"),
        ("map: {a: join(', ', b)}", 1, "map: {a: \"join(', ', b)\"}"),
        ("map: {a: b,\n  c: d[0], e: f}", 2, "c: 'd[0]', e: f}"),
        ("a: b\r\nwhen: `c`\r\n", 2, "when: '`c`'"),
        ("a: const: Men > Shoes", 1, "a: {const: 'Men > Shoes'}"),
    ],
)
def test_an_expression_is_shown_with_quotes(text: str, line: int, fix: str) -> None:
    """The faulty line comes back with the quotes that mend it."""
    fault = fault_of(text)
    assert (fault.file, fault.line, fault.fix) == ("a.yaml", line, f"use quotes: {fix}")


@pytest.mark.parametrize(
    ("text", "line", "message", "fix"),
    [
        ("a:\n\tb: c", 2, "a tab stands where a value or the indentation begins", "indent with spaces"),
        ("a:\n  b: c\n   d: e", 3, "may not have `: ` in it", "wrong indentation"),
        ("a:\n    b: c\n   d: e", 3, "its indentation is that of no key above", "the other keys of its group"),
        ("a: b\nc:d\ne: f", 2, "this line has no `key: value`", "a colon and a blank follow the key"),
        ("a: b\nc d\ne: f", 2, "this line has no `key: value`", "a colon and a blank follow the key"),
        ("a: *b", 1, "undefined alias 'b'", "define it above with `&name`"),
        ("a: b\n---\nc: d", 2, "`---` begins a second document", "--config more than once"),
        ("a: 'b\nc: d\n", 1, "a quote is never closed", "missing quote"),
        ("a: [b\nc: d\n", 1, "a comma parts the values", "bracket left open"),
        ("a: b\n  c: d\n", 2, "may not have `: ` in it", "wrong indentation"),
        ("a: - b", 1, "a list begins on the line below", "wrong indentation"),
        ("a: b\nc: d\x01\n", 2, "U+0001 is not allowed", "remove it"),
    ],
)
def test_other_errors_say_where_and_what(text: str, line: int, message: str, fix: str) -> None:
    """Where quotes would not help, the line is named and what to look for."""
    fault = fault_of(text)
    assert (fault.line, fault.path) == (line, ())
    assert message in fault.message
    assert fix in fault.fix


@pytest.mark.parametrize("text", ["a", "it's", 'say "x"', "both ' and \"", "back\\slash ' x", "# no comment", "${X}"])
def test_quoted_text_is_read_as_it_was(text: str) -> None:
    """Whatever is put between our quotes comes back from YAML."""
    node = compose(f"a: {quoted(text)}")
    assert isinstance(node, yaml.MappingNode)
    assert node.value[0][1].value == text
