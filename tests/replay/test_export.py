"""Letters in a file and back."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fastavro
import pytest

from processor.errors import FatalError
from processor.records import Assignment, Record
from processor.replay.export import BATCH, read_export, write_export
from processor.replay.letter import DeadLetter, dead_letter
from tests.replay.letters import buried


def fields(record: Record) -> tuple[object, ...]:
    """All that a record has."""
    at = record.assignment
    plain = record.offset, record.timestamp, record.key, record.value, record.headers or []
    return at.topic, at.partition, *plain


def read(path: Path) -> list[Record]:
    """All records of a file."""
    return [record for records in read_export(path) for record in records]


ODD = [
    Record(Assignment("dlq", 7, 1), 2**62, -1, None, None, None),
    Record(Assignment("dlq", 0, 1), 0, 2**62, b"", b"", []),
    Record(
        Assignment("dlq", 0, 1),
        1,
        0,
        bytes(range(256)),
        b"\x00" * 100_000,
        [("a", b""), ("a", None), ("ü", b"\xff\xfe"), ("", b"x")],
    ),
]


def test_every_byte_comes_back(tmp_path: Path) -> None:
    """Nothing, empty and unreadable are told apart; headers keep their order, also those of one name."""
    letters = [*ODD, buried(5)]

    assert write_export(tmp_path / "letters.avro", letters) == 4
    assert [fields(each) for each in read(tmp_path / "letters.avro")] == [fields(each) for each in letters]


def test_a_letter_is_a_letter_again(tmp_path: Path) -> None:
    """What the headers say is read from the file as from the topic."""
    write_export(tmp_path / "letters.avro", [buried(5)])
    (record,) = read(tmp_path / "letters.avro")
    letter = dead_letter(record)

    assert isinstance(letter, DeadLetter)
    assert (letter.place, letter.route, letter.status) == ("3:5", "orders", 400)


def test_many_letters(tmp_path: Path) -> None:
    """They come in their order, some at a time."""
    count = 2 * BATCH + 7

    def some() -> Iterator[Record]:
        for offset in range(count):
            yield buried(offset)

    assert write_export(tmp_path / "letters.avro", some()) == count
    batches = [[record.offset for record in records] for records in read_export(tmp_path / "letters.avro")]
    assert [len(batch) for batch in batches] == [BATCH, BATCH, 7]
    assert [offset for batch in batches for offset in batch] == list(range(count))


def test_no_letter(tmp_path: Path) -> None:
    """The file is there, and says so."""
    assert write_export(tmp_path / "letters.avro", []) == 0
    assert read(tmp_path / "letters.avro") == []


def test_others_may_not_read_it(tmp_path: Path) -> None:
    """It holds personal data, whatever the process's mask says."""
    before = os.umask(0)
    try:
        write_export(tmp_path / "letters.avro", [buried()])
    finally:
        os.umask(before)

    assert stat.S_IMODE((tmp_path / "letters.avro").stat().st_mode) == 0o600


def test_a_file_that_is_there(tmp_path: Path) -> None:
    """It is left alone, unless it may be replaced; its reader then sees the one or the other, whole."""
    path = tmp_path / "letters.avro"
    path.write_text("mine")
    path.chmod(0o644)
    with pytest.raises(FatalError, match=r"letters\.avro is there already; give another name, or --force"):
        write_export(path, [buried()])
    assert path.read_text() == "mine"

    assert write_export(path, [buried()], force=True) == 1
    assert len(read(path)) == 1
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_letters_that_end_too_early(tmp_path: Path) -> None:
    """Where Kafka falls silent there is no file: half of one would look like a whole one."""

    def silent() -> Iterator[Record]:
        yield buried()
        raise FatalError("Kafka gave no answer")

    with pytest.raises(FatalError, match="no answer"):
        write_export(tmp_path / "letters.avro", silent())
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    """It is told in words, and nothing stays behind."""
    with pytest.raises(FatalError, match="cannot be written: No such file or directory"):
        write_export(tmp_path / "nowhere" / "letters.avro", [])
    (tmp_path / "folder").mkdir()
    with pytest.raises(FatalError, match="cannot be written: Is a directory"):
        write_export(tmp_path / "folder", [], force=True)
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_a_file_that_is_no_export(tmp_path: Path) -> None:
    """Text, nothing, Avro of another kind, and a file that was cut are told from an export."""
    path = tmp_path / "letters.avro"
    with pytest.raises(FatalError, match="cannot be read: No such file"):
        read(path)
    for content in (b"", b"hello"):
        path.write_bytes(content)
        with pytest.raises(FatalError, match="is no whole export of dead letters"):
            read(path)
    with path.open("wb") as file:
        fastavro.writer(file, {"type": "record", "name": "a.View", "fields": []}, [{}])
    with pytest.raises(FatalError, match=r"records of another kind: a\.View"):
        read(path)

    write_export(path, [buried(offset) for offset in range(5)], force=True)
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(FatalError, match="is no whole export"):
        read(path)


def test_what_others_read(tmp_path: Path) -> None:
    """Any reader of Avro finds the schema in the file, with what the fields mean."""
    write_export(tmp_path / "letters.avro", [buried(5)])
    with (tmp_path / "letters.avro").open("rb") as file:
        reader: Any = fastavro.reader(file)
        (record,) = reader

    schema = reader.writer_schema
    assert schema["name"] == "clickstream.DeadLetter"
    assert [field["name"] for field in schema["fields"]] == list(record)
    assert {"name": "dlq.route", "value": b"orders"} in record["headers"]
