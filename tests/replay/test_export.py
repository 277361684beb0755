"""Letters in a file and back."""

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import fastavro
import pytest

from processor.errors import FatalError
from processor.records import Assignment, Record
from processor.replay import export as module
from processor.replay.export import BATCH, open_export, write_export
from processor.replay.letter import DeadLetter, dead_letter
from tests.replay.letters import buried
from tests.support.records import record


def fields(record: Record) -> tuple[object, ...]:
    """All that a record has."""
    at = record.assignment
    plain = record.offset, record.timestamp, record.key, record.value, record.headers or []
    return at.topic, at.partition, *plain


def batches(path: Path) -> list[list[Record]]:
    """All records of a file, as they come."""
    with open_export(path) as export:
        return list(export.batches())


def read(path: Path) -> list[Record]:
    """All records of a file."""
    return [record for records in batches(path) for record in records]


def write(path: Path, letters: Iterable[Record], *, force: bool = False) -> int:
    """Write a file of letters of one topic."""
    return write_export(path, letters, "id-1", force=force)


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

    assert write(tmp_path / "letters.avro", letters) == 4
    assert [fields(each) for each in read(tmp_path / "letters.avro")] == [fields(each) for each in letters]


def test_a_letter_is_a_letter_again(tmp_path: Path) -> None:
    """What the headers say is read from the file as from the topic."""
    write(tmp_path / "letters.avro", [buried(5)])
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

    assert write(tmp_path / "letters.avro", some()) == count
    found = [[record.offset for record in records] for records in batches(tmp_path / "letters.avro")]
    assert [len(batch) for batch in found] == [BATCH, BATCH, 7]
    assert [offset for batch in found for offset in batch] == list(range(count))


def test_no_letter(tmp_path: Path) -> None:
    """The file is there, and says so."""
    assert write(tmp_path / "letters.avro", []) == 0
    assert read(tmp_path / "letters.avro") == []


def test_others_may_not_read_it(tmp_path: Path) -> None:
    """It holds personal data, whatever the process's mask says."""
    before = os.umask(0)
    try:
        write(tmp_path / "letters.avro", [buried()])
    finally:
        os.umask(before)

    assert stat.S_IMODE((tmp_path / "letters.avro").stat().st_mode) == 0o600


def test_a_file_that_is_there(tmp_path: Path) -> None:
    """It is left alone, unless it may be replaced; its reader then sees the one or the other, whole."""
    path = tmp_path / "letters.avro"
    path.write_text("mine")
    path.chmod(0o644)
    with pytest.raises(FatalError, match=r"letters\.avro is there already; give another name, or --force"):
        write(path, [buried()])
    assert path.read_text() == "mine"

    assert write(path, [buried()], force=True) == 1
    assert len(read(path)) == 1
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_letters_that_end_too_early(tmp_path: Path) -> None:
    """Where Kafka falls silent there is no file: half of one would look like a whole one."""

    def silent() -> Iterator[Record]:
        yield buried()
        raise FatalError("Kafka gave no answer")

    with pytest.raises(FatalError, match="no answer"):
        write(tmp_path / "letters.avro", silent())
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    """It is told in words, and nothing stays behind."""
    with pytest.raises(FatalError, match="cannot be written: No such file or directory"):
        write(tmp_path / "nowhere" / "letters.avro", [])
    (tmp_path / "folder").mkdir()
    with pytest.raises(FatalError, match="cannot be written: Is a directory"):
        write(tmp_path / "folder", [], force=True)
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_a_file_that_is_no_export(tmp_path: Path) -> None:
    """Text, nothing, Avro of another kind, and a file that was cut are told from an export."""
    path = tmp_path / "letters.avro"
    with pytest.raises(FatalError, match="cannot be read: No such file"):
        read(path)
    for content in (b"", b"hello"):
        path.write_bytes(content)
        with pytest.raises(FatalError, match="is no whole export of dead letters: it is no Avro file"):
            read(path)
    with path.open("wb") as file:
        fastavro.writer(file, {"type": "record", "name": "a.View", "fields": []}, [{}])
    with pytest.raises(FatalError, match=r"records of another kind: a\.View"):
        read(path)

    write(path, [buried(offset) for offset in range(5)], force=True)
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(FatalError, match="is no whole export"):
        read(path)


def test_what_others_read(tmp_path: Path) -> None:
    """Any reader of Avro finds the schema in the file, with what the fields mean."""
    write(tmp_path / "letters.avro", [buried(5)])
    with (tmp_path / "letters.avro").open("rb") as file:
        reader: Any = fastavro.reader(file)
        (record,) = reader

    schema = reader.writer_schema
    assert schema["name"] == "clickstream.DeadLetter"
    assert [field["name"] for field in schema["fields"]] == list(record)
    assert {"name": "dlq.route", "value": b"orders"} in record["headers"]


def test_letters_that_are_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not so many of them come at a time that the memory would be full of them."""
    monkeypatch.setattr(module, "BATCH_BYTES", 2_500)
    write(tmp_path / "letters.avro", [buried(offset, source=record(value=b"x" * 1_000)) for offset in range(7)])

    assert [len(batch) for batch in batches(tmp_path / "letters.avro")] == [3, 3, 1]


def test_what_the_file_says_of_itself(tmp_path: Path) -> None:
    """Whose letters they are, and a digest by which the same file is known again, whatever its name."""
    one, other = tmp_path / "one.avro", tmp_path / "other.avro"
    write(one, [buried(5)])
    other.write_bytes(one.read_bytes())
    with open_export(one) as first, open_export(other) as second:
        assert (first.topic, first.topic_id) == ("dlq", "id-1")
        assert first.digest == second.digest == hashlib.sha256(one.read_bytes()).hexdigest()
    write(one, [], force=True)
    with open_export(one) as empty:
        assert (empty.topic, empty.topic_id, list(empty.batches())) == ("", "", [])


def test_a_file_that_is_replaced_while_it_is_read(tmp_path: Path) -> None:
    """What was opened is read to its end, and again, as it was."""
    path = tmp_path / "letters.avro"
    write(path, [buried(5)])
    with open_export(path) as export:
        write(path, [buried(6), buried(7)], force=True)
        for _ in range(2):
            assert [each.offset for records in export.batches() for each in records] == [5]


@pytest.mark.parametrize("offsets", [(5, 5), (5, 4)])
def test_an_order_that_is_not_the_exports(tmp_path: Path, offsets: tuple[int, int]) -> None:
    """A lane's letters would arrive in another order, or one of them twice: it is refused, and said how to mend it."""
    write(tmp_path / "letters.avro", map(buried, offsets))

    with pytest.raises(FatalError, match=rf"3:{offsets[1]} comes behind 3:5; sort it by partition and offset"):
        read(tmp_path / "letters.avro")


def test_letters_of_two_topics(tmp_path: Path) -> None:
    """Of which one was put together by hand."""
    write(tmp_path / "letters.avro", [buried(5), buried(6, at=Assignment("other", 3, 1))])

    with pytest.raises(FatalError, match="has letters of two topics: replay one export after the other"):
        read(tmp_path / "letters.avro")


def test_what_cannot_be_read_twice(tmp_path: Path) -> None:
    """A pipe is refused: a replay reads the file several times."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writing = os.open(pipe, os.O_RDWR)
    try:
        with pytest.raises(FatalError, match="is a pipe, and the export is read more than once"), open_export(pipe):
            pass
    finally:
        os.close(writing)
