"""Tables for `lookup`: from the configuration, or from files that are read again when they change."""

import asyncio
import csv
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from processor.errors import Fault, FaultPath
from processor.logs import Logger

INTERVAL = 5.0
"""Seconds between two looks at the files."""

TEXT = r'"([^"\\\x00-\x1f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*)*)"'
EMPTY = re.compile(r"\s*\{\s*\}\s*")
OPENING = re.compile(r"\s*\{\s*")
MEMBER = re.compile(rf"{TEXT}\s*:\s*{TEXT}\s*(,\s*|\}}\s*\Z)")
"""JSON (RFC 8259) of an object whose values are texts."""

Entry = tuple[str, str, str]
"""Where it stands in the file, in words; key; value."""
Finder = Callable[[str], str | None]
Stamp = tuple[int, int, int]
"""What a file's change is seen by: inode, size, time of the last change in ns. Kubernetes swaps a link for another."""


class TableError(Exception):
    """A file that is no table; the message says why, and in which line."""


def read_table(path: Path) -> dict[str, str]:
    """Read a table: `.json` is an object of texts, anything else CSV, a key and its value per row, no heading.

    Raises:
        TableError: it is none.
        OSError: it cannot be read.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return _table(_members(file.read()) if path.suffix == ".json" else _rows(csv.reader(file)))
    except UnicodeDecodeError:
        raise TableError("is not UTF-8 text; save it as UTF-8") from None
    except csv.Error as error:
        raise TableError(f"is not CSV: {error}") from None


def _members(text: str) -> Iterator[Entry]:
    """The members of a JSON object, one by one: to parse a million at once would hold up all threads for seconds."""
    if EMPTY.fullmatch(text):
        return
    opening = OPENING.match(text)
    at, number, ended = opening.end() if opening else 0, 0, False
    while not ended:
        member = MEMBER.match(text, at) if opening else None
        if member is None:
            line = text.count("\n", 0, at) + 1
            raise TableError(f'line {line}: one JSON object of texts is wanted, like {{"10233": "SKU-7"}}')
        at, number, ended = member.end(), number + 1, member[3][0] == "}"
        yield f"member {number}", _unescaped(member[1]), _unescaped(member[2])


def _unescaped(text: str) -> str:
    return str(json.loads(f'"{text}"')) if "\\" in text else text


def _rows(rows: Iterable[Sequence[str]]) -> Iterator[Entry]:
    for number, row in enumerate(rows, 1):
        if not row:
            continue
        if len(row) != 2:  # noqa: PLR2004 - a key and its value
            raise TableError(f"row {number} has {len(row)} columns; a key and its value are wanted")
        yield f"row {number}", row[0], row[1]


def _table(entries: Iterable[Entry]) -> dict[str, str]:
    table: dict[str, str] = {}
    for place, key, value in entries:
        if table.setdefault(key, value) != value:
            raise TableError(f"{place}: the same key stands further up with another value")
    return table


@dataclass(slots=True)
class FileTable:
    """A table from a file; `content` is replaced as a whole when the file changes.

    Attributes:
        stamp: of the file when it was read; None = it could not be looked at.
    """

    name: str
    path: Path
    content: Mapping[str, str]
    stamp: Stamp | None
    trouble: str = ""

    def find(self, key: str) -> str | None:
        """The key's value in what was read last."""
        return self.content.get(key)


@dataclass(frozen=True, slots=True)
class Tables:
    """All tables of a configuration.

    Attributes:
        finders: what finds a key's value, by table.
        files: those that may change.
    """

    finders: Mapping[str, Finder] = field(default_factory=dict)
    files: Sequence[FileTable] = ()

    async def watch(self, log: Logger) -> None:
        """Read files again when they change, for ever; a million rows are read beside the event loop."""
        while True:
            await asyncio.sleep(INTERVAL)
            for table in self.files:
                await asyncio.to_thread(refresh, table, log)


def refresh(table: FileTable, log: Logger) -> None:
    """Read a file again if it changed; where it is no table now, what was read last stays."""
    stamp = _stamp(table.path)
    if stamp == table.stamp:
        return
    table.stamp = stamp
    try:
        table.content = read_table(table.path)
    except (TableError, OSError) as error:
        table.trouble = str(error)
        log.error(  # noqa: TRY400 - a user's file, not our defect: no traceback
            "table_unreadable",
            table=table.name,
            file=str(table.path),
            reason=table.trouble,
            next="the rows that were read before are used on",
            fix="repair the file; it is looked at every few seconds",
        )
        return
    table.trouble = ""
    log.info("table_read", table=table.name, file=str(table.path), rows=len(table.content))


def _stamp(path: Path) -> Stamp | None:
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def read_tables(tables: Mapping[str, Mapping[str, str] | Path]) -> tuple[Tables, list[Fault]]:
    """Read all tables.

    Args:
        tables: rows, or the file with them, by name.

    Returns:
        The tables, and what is wrong with files; such a table is empty.
    """
    files: list[FileTable] = []
    faults: list[Fault] = []
    finders: dict[str, Finder] = {}
    for name, table in tables.items():
        if isinstance(table, Path):
            one, fault = _file_table(name, table)
            files.append(one)
            faults += [fault] if fault else []
            finders[name] = one.find
        else:
            finders[name] = table.get
    return Tables(finders, files), faults


def _file_table(name: str, path: Path) -> tuple[FileTable, Fault | None]:
    where: FaultPath = ("tables", name, "file")
    stamp = _stamp(path)  # before it is read: a change in between is seen at the next look
    try:
        return FileTable(name, path, read_table(path), stamp), None
    except TableError as error:
        fault = Fault(where, f"the file {path} is no table: {error}", "CSV of key,value rows, or a JSON object")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        fault = Fault(where, f"the file {path} cannot be read: {reason}", "create or mount it, or mend the path")
    return FileTable(name, path, {}, stamp), fault
