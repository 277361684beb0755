from pathlib import Path

import pytest

from processor.settings.files import read_files


def test_later_files_lie_over_earlier_ones(tmp_path: Path) -> None:
    """Three files merge in order, and `x-` keys of each are dropped."""
    paths = [tmp_path / name for name in ("a.yaml", "b.yaml", "c.yaml")]
    for path, text in zip(paths, ("x-a: 1\na: {b: 1, c: 1}", "a: {b: 2}", "a: {c: null}"), strict=True):
        path.write_text(text)
    tree, faults = read_files(paths)
    assert tree is not None
    assert (tree.python(), faults) == ({"a": {"b": "2"}}, [])
    assert tree.positions()["a", "b"] == (str(paths[1]), 1)


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        (b"", 1, "the file is empty"),
        (b"# only a comment\n", 1, "the file is empty"),
        (b"\n- a\n", 2, "the file is not a mapping"),
        (b"text", 1, "the file is not a mapping"),
        (b"a: b\nc: \xff\n", 2, "the file is not UTF-8 text"),
        (b"a: `b`\n", 1, "YAML cannot read this"),
        (b"a: &a [*a]\n", 1, "nested too deep"),
        (b"[" * 5000, 1, "nested too deep"),
    ],
)
def test_unreadable_files(tmp_path: Path, content: bytes, line: int, message: str) -> None:
    """What is no configuration at all is one fault with its line, and there is no tree."""
    path = tmp_path / "a.yaml"
    path.write_bytes(content)
    tree, faults = read_files([path])
    assert tree is None
    assert [(fault.file, fault.line) for fault in faults] == [(str(path), line)]
    assert message in faults[0].message
    assert faults[0].fix


def test_missing_files_are_all_named(tmp_path: Path) -> None:
    """A missing file and a folder are faults that do not hide one another."""
    tree, faults = read_files([tmp_path / "none.yaml", tmp_path])
    assert tree is None
    assert [fault.message for fault in faults] == [
        "the file does not exist",
        "the file cannot be read: Is a directory",
    ]


def test_windows_line_ends_and_a_byte_order_mark(tmp_path: Path) -> None:
    """A file from another system is read as it is meant."""
    path = tmp_path / "a.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: b\r\nc: d\r\n")
    tree, faults = read_files([path])
    assert tree is not None
    assert (tree.python(), faults) == ({"a": "b", "c": "d"}, [])
