from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from processor.errors import Fault, Level
from processor.settings.substitute import substitute
from processor.settings.yaml import Bare, compose, read_tree

ENV = {"HOST": "kafka", "EMPTY": "", "ODD": "a: [b] # null", "BROKEN": "a\udc80"}


def replaced(value: str, folder: Path = Path()) -> tuple[object, list[Fault]]:
    """Substitute in one YAML scalar of a file in `folder`."""
    text = f"a: {value}"
    root = compose(text)
    assert isinstance(root, yaml.MappingNode)
    tree, faults = substitute(read_tree(root, text, str(folder / "a.yaml"))[0], ENV)
    return tree.python()["a"], faults


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("${HOST}", "kafka"),
        ("${HOST}:9092,${HOST}-2:9092", "kafka:9092,kafka-2:9092"),
        ("'${ODD}'", "a: [b] # null"),
        ("${EMPTY}", ""),
        ("${NONE:-x}", "x"),
        ("${EMPTY:-x}", "x"),
        ("${HOST:-x}", "kafka"),
        ("${NONE:-}", ""),
        ("${NONE:-a:-b}", "a:-b"),
        ("$${HOST}", "${HOST}"),
        ("$HOST $", "$HOST $"),
        ("'{${HOST}}'", "{kafka}"),
        ("$$${HOST}", "$${HOST}"),
    ],
)
def test_references_become_text(written: str, value: str) -> None:
    """Variables, defaults and the escape give exactly this text."""
    assert replaced(written) == (value, [])


def test_what_comes_in_is_text_always() -> None:
    """A number from outside is text and no bare number; what was written without reference stays bare."""
    assert type(replaced("${NONE:-5}")[0]) is str
    assert type(replaced("5")[0]) is Bare


def test_files_are_read_beside_the_configuration(tmp_path: Path) -> None:
    """A path counts from the folder of the file that names it, and one last newline is dropped."""
    (tmp_path / "key").write_text("a\nb\n\n")
    absolute = tmp_path / "key"
    assert replaced("${file:key}", tmp_path) == ("a\nb\n", [])
    assert replaced(f"'<${{file:{absolute}}}>'") == ("<a\nb\n>", [])


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    """A missing file, a folder, and a file that is no text are faults that name the path."""
    (tmp_path / "binary").write_bytes(b"\xff")
    for written, message in {
        "${file:none}": f"the file {tmp_path}/none does not exist",
        "${file:.}": f"the file {tmp_path} cannot be read: Is a directory",
        "${file:binary}": f"the file {tmp_path}/binary is not UTF-8 text",
        '"${file:a\\0b}"': f"the file {tmp_path}/a\0b cannot be read: embedded null byte",
    }.items():
        assert [fault.message for fault in replaced(written, tmp_path)[1]] == [message]


@pytest.mark.parametrize(
    ("written", "messages"),
    [
        ("${NONE}", ["the variable NONE is not set"]),
        ("${NONE}${HOST}${NIL}", ["the variable NONE is not set", "the variable NIL is not set"]),
        ("a${HOST", ["`${` is never closed"]),
        ("'${}'", ["`${}` names no variable"]),
        ("${A B}", ["`${A B}` names no variable"]),
        ("${NONE-x}", ["`${NONE-x}` names no variable"]),
        ("${NONE:-${HOST}}", ["`${NONE:-${HOST}` names no variable"]),
        ("${BROKEN}", ["holds half a character (a lone surrogate)"]),
        ('"\\ud800"', ["holds half a character (a lone surrogate)"]),
    ],
)
def test_every_missing_reference_is_a_fault(written: str, messages: list[str]) -> None:
    """All that is missing in a text is said, with its place and a fix."""
    faults = replaced(written)[1]
    assert [fault.message for fault in faults] == messages
    assert all(fault.path == ("a",) and fault.line == 1 and fault.fix for fault in faults)


def test_offline_a_file_may_be_absent() -> None:
    """Secrets are mounted where the service runs; an unset variable or an unreadable file is an error anywhere."""
    text = "a: ${file:/none}\nb: ${NONE}\nc: ${file:/}\n"
    root = compose(text)
    assert isinstance(root, yaml.MappingNode)
    tree, faults = substitute(read_tree(root, text, "a.yaml")[0], {}, offline=True)
    assert [fault.level for fault in faults] == [Level.WARNING, Level.ERROR, Level.ERROR]
    assert tree.python()["a"] == "${file:/none}"


def test_a_key_must_be_sendable_too() -> None:
    """Half a character in a key is a fault at that key."""
    text = 'a: {"\\udc00": b}'
    root = compose(text)
    assert isinstance(root, yaml.MappingNode)
    faults = substitute(read_tree(root, text, "a.yaml")[0], {})[1]
    assert [fault.path for fault in faults] == [("a", "\udc00")]


def test_references_are_found_at_any_depth() -> None:
    """Lists and mappings are searched; keys are left alone."""
    assert replaced('[{"${HOST}": ["${HOST}"]}, ~]') == ([{"${HOST}": ["kafka"]}, None], [])


@given(st.text(st.sampled_from("${}:-AfileHOST/ "), max_size=20))
def test_any_text_is_replaced_or_a_fault(text: str) -> None:
    """Whatever stands in a text, the result is text."""
    value, faults = replaced("'" + text + "'")
    assert isinstance(value, str)
    assert "${" not in text or faults or value != text or "$${" in text
