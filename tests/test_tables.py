"""Tables for `lookup`: what is one, what is none, and what happens when a file changes."""

import asyncio
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from processor import tables
from processor.errors import Level
from processor.tables import FileTable, TableError, Tables, read_table, read_tables, refresh
from tests.support.logs import Lines
from tests.support.waiting import eventually

ROWS = 1_000_000


def written(folder: Path, content: str | bytes, name: str = "table.csv") -> Path:
    """A file with this content."""
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def table_of(path: Path) -> FileTable:
    """The table of a file that is one."""
    found, faults = read_tables({"ids": path})
    assert faults == []
    [table] = found.files
    return table


# What is a table.


@pytest.mark.parametrize(
    ("content", "table"),
    [
        ("", {}),
        ("1,SKU-1\n2,SKU-2\n", {"1": "SKU-1", "2": "SKU-2"}),
        ("1,SKU-1\r\n\r\n2,SKU-2", {"1": "SKU-1", "2": "SKU-2"}),
        ('"a,b","say ""no"""\n', {"a,b": 'say "no"'}),
        ('a,"two\nlines"\n', {"a": "two\nlines"}),
        ("NO,nb-NO\n007, x \n,empty\nnothing,\n", {"NO": "nb-NO", "007": " x ", "": "empty", "nothing": ""}),
        ("same,1\nsame,1\n", {"same": "1"}),
        (b"\xef\xbb\xbfk\xc3\xb6,v\n", {"kö": "v"}),
    ],
)
def test_rows_of_csv(tmp_path: Path, content: str | bytes, table: dict[str, str]) -> None:
    """A key and its value, as they are written; blank rows and a byte order mark mean nothing."""
    assert read_table(written(tmp_path, content)) == table


@pytest.mark.parametrize(
    "content",
    [
        "{}",
        " { } \n",
        '{"1": "SKU-1", "2": "SKU-2"}',
        '\n{\n\t"1" : "SKU-1"\r\n,\n"2":"" }\n',
        r'{"a\"b\\": "\u00e5\ud83d\ude00\n\/", "å😀": "x"}',
        '\ufeff{"a": "b"}',
        '{"a": "b", "a": "b"}',
    ],
)
def test_a_json_object_of_texts(tmp_path: Path, content: str) -> None:
    """It is read as `json` reads it."""
    assert read_table(written(tmp_path, content, "table.json")) == json.loads(content.lstrip("\ufeff"))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.csv", "1,SKU-1\n2\n", "row 2 has 1 columns; a key and its value are wanted"),
        ("t.csv", "1,SKU-1,x\n", "row 1 has 3 columns; a key and its value are wanted"),
        ("t.csv", "1;SKU-1\n", "row 1 has 1 columns; a key and its value are wanted"),
        ("t.csv", "1,a\n2,b\n1,c\n", "row 3: the same key stands further up with another value"),
        ("t.csv", b"1,\xff\n", "is not UTF-8 text; save it as UTF-8"),
        ("t.csv", '1,"' + "x" * 140_000, "is not CSV: field larger than field limit (131072)"),
        ("t.json", b'{"a": "\xff"}', "is not UTF-8 text; save it as UTF-8"),
        ("t.json", '{"a": "1", "b": "2", "a": "3"}', "member 3: the same key stands further up with another value"),
        ("t.json", "", "line 1: one JSON object of texts is wanted"),
        ("t.json", "[]", "line 1: one JSON object of texts is wanted"),
        ("t.json", '{"a": 5}', "line 1: one JSON object of texts is wanted"),
        ("t.json", '{"a": "1",\n "b": null}', "line 2: one JSON object of texts is wanted"),
        ("t.json", '{"a": "1",\n\n\n "b": {"c": "d"}}', "line 4: one JSON object of texts is wanted"),
        ("t.json", '{"a": "1",\n}', "line 2: one JSON object of texts is wanted"),
        ("t.json", '{"a": "1"', "line 1: one JSON object of texts is wanted"),
        ("t.json", '{"a": "1"} {}', "line 1: one JSON object of texts is wanted"),
        ("t.json", '{"a": "1",', "line 1: one JSON object of texts is wanted"),
        ("t.json", r'{"a": "\x"}', "line 1: one JSON object of texts is wanted"),
        ("t.json", '{"a": "line\nbreak"}', "line 1: one JSON object of texts is wanted"),
        ("t.json", "[" * 100_000, "line 1: one JSON object of texts is wanted"),
    ],
)
def test_what_is_no_table(tmp_path: Path, name: str, content: str | bytes, message: str) -> None:
    """Why, and in which place of the file."""
    with pytest.raises(TableError) as caught:
        read_table(written(tmp_path, content, name))

    assert str(caught.value).startswith(message)


def test_all_tables_are_read(tmp_path: Path) -> None:
    """Those of the configuration never change; those of files are kept to be looked at again."""
    found, faults = read_tables({"markets": {"SE": "sv-SE"}, "ids": written(tmp_path, "1,SKU-1\n")})

    assert faults == []
    assert [found.finders["markets"](key) for key in ("SE", "NO")] == ["sv-SE", None]
    assert [found.finders["ids"](key) for key in ("1", "2")] == ["SKU-1", None]
    assert [table.name for table in found.files] == ["ids"]


def test_all_faults_of_files_at_once(tmp_path: Path) -> None:
    """Each at its table; the tables are empty then, so that more faults can be looked for."""
    (tmp_path / "folder").mkdir()
    files = {"none": tmp_path / "none.csv", "folder": tmp_path / "folder", "wrong": written(tmp_path, "1\n")}

    found, faults = read_tables({"markets": {"SE": "sv-SE"}, **files})

    assert [(fault.level, fault.where, fault.message) for fault in faults] == [
        (Level.ERROR, "tables.none.file", f"the file {files['none']} cannot be read: No such file or directory"),
        (Level.ERROR, "tables.folder.file", f"the file {files['folder']} cannot be read: Is a directory"),
        (
            Level.ERROR,
            "tables.wrong.file",
            f"the file {files['wrong']} is no table: row 1 has 1 columns; a key and its value are wanted",
        ),
    ]
    assert all(fault.fix for fault in faults)
    assert {name: finder("1") for name, finder in found.finders.items()} == dict.fromkeys(found.finders)


# When files change.


def test_a_change_is_read(tmp_path: Path) -> None:
    """Also one that leaves the size as it was; without a change nothing is read."""
    path, lines = written(tmp_path, "1,a\n"), Lines()
    table = table_of(path)
    found = table.find

    refresh(table, lines.log)
    assert lines.events == []
    written(tmp_path, "1,b\n")
    os.utime(path, ns=(1, 1))
    refresh(table, lines.log)
    refresh(table, lines.log)

    assert found("1") == "b"
    assert lines("table_read") == [
        {"event": "table_read", "log_level": "info", "table": "ids", "file": str(path), "rows": 1}
    ]


def test_a_link_that_is_swapped_is_read(tmp_path: Path) -> None:
    """As Kubernetes changes a mounted configuration: the folder behind a link is replaced, the name stays."""
    for version, content in (("..v1", "1,a\n"), ("..v2", "1,b\n")):
        (tmp_path / version).mkdir()
        os.utime(written(tmp_path / version, content), ns=(1, 1))
    (tmp_path / "..data").symlink_to("..v1")
    (tmp_path / "table.csv").symlink_to("..data/table.csv")
    table, lines = table_of(tmp_path / "table.csv"), Lines()

    (tmp_path / "..tmp").symlink_to("..v2")
    (tmp_path / "..tmp").replace(tmp_path / "..data")
    refresh(table, lines.log)

    assert table.find("1") == "b"


def test_a_broken_version_changes_nothing(tmp_path: Path) -> None:
    """The old rows are used on; it is said once for each change, with the reason and what to do, and when it heals."""
    path, lines = written(tmp_path, "1,a\n"), Lines()
    table = table_of(path)

    for content in ("1,b,c\n", "1,b,c,d\n"):
        written(tmp_path, content)
        refresh(table, lines.log)
        refresh(table, lines.log)
        assert table.find("1") == "a"
        assert table.trouble.startswith("row 1 has ")
    path.unlink()
    refresh(table, lines.log)
    refresh(table, lines.log)
    assert table.find("1") == "a"
    assert lines.events == ["table_unreadable"] * 3
    assert [line["reason"].partition(";")[0] for line in lines("table_unreadable")][:2] == [
        "row 1 has 3 columns",
        "row 1 has 4 columns",
    ]
    assert all(line["next"] and line["fix"] and line["file"] == str(path) for line in lines("table_unreadable"))

    written(tmp_path, "1,b\n")
    refresh(table, lines.log)
    assert (table.find("1"), table.trouble) == ("b", "")
    assert lines.events[3:] == ["table_read"]


async def test_files_are_watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file is looked at again and again, whatever is wrong with another one."""
    monkeypatch.setattr(tables, "INTERVAL", 0.01)
    first, second = written(tmp_path, "1,a\n", "first.csv"), written(tmp_path, "1,a\n", "second.csv")
    found, _ = read_tables({"first": first, "second": second})
    lines = Lines()

    with watching(found, lines):
        for value in ("b", "bb"):
            written(tmp_path, "no table", "first.csv")
            written(tmp_path, f"1,{value}\n", "second.csv")
            await eventually(lambda value=value: found.finders["second"]("1") == value)  # type: ignore[misc]
        written(tmp_path, "1,c\n", "first.csv")
        await eventually(lambda: found.finders["first"]("1") == "c")


@contextmanager
def watching(found: Tables, lines: Lines) -> Iterator[None]:
    """Watch the files for as long as the block runs."""
    task = asyncio.create_task(found.watch(lines.log))
    try:
        yield
        assert not task.done()
    finally:
        task.cancel()


@pytest.mark.parametrize("name", ["table.csv", "table.json"])
async def test_a_million_rows_are_read_beside_the_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """In a thread of their own; how little that holds up the event loop was measured, which no test can do for sure."""
    monkeypatch.setattr(tables, "INTERVAL", 0.01)
    table = table_of(written(tmp_path, "1,a\n" if name.endswith(".csv") else '{"1": "a"}', name))
    written(tmp_path, a_million(name), name)
    threads: list[int] = []

    def noted(path: Path) -> dict[str, str]:
        threads.append(threading.get_ident())
        return read_table(path)

    monkeypatch.setattr(tables, "read_table", noted)
    with watching(Tables({}, [table]), Lines()):
        await eventually(lambda: table.find("999999") == "new", within=60)

    assert len(table.content) == ROWS
    assert threading.get_ident() not in threads


def a_million(name: str) -> str:
    """The content of a file with as many rows as are promised to work."""
    if name.endswith(".csv"):
        return "".join(f"{key},new\n" for key in range(ROWS))
    return json.dumps(dict.fromkeys(map(str, range(ROWS)), "new"))
