"""Letters in a file: an Avro object container file, which everything that knows Avro reads.

One record for each message, with all of its bytes as they are in the dead-letter topic: key, value and headers, those
of the letter included. Such a file holds personal data: it is for its owner only.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import Any

import fastavro

from processor.errors import FatalError
from processor.records import Assignment, Record

NAME = "clickstream.DeadLetter"
SCHEMA = fastavro.parse_schema(
    {
        "type": "record",
        "name": NAME,
        "doc": "A dead letter as it lies in its topic, byte for byte.",
        "fields": [
            {"name": "topic", "type": "string", "doc": "The dead-letter topic."},
            {
                "name": "topic_id",
                "type": "string",
                "doc": "Which topic of that name; empty where the broker tells none.",
            },
            {"name": "partition", "type": "int"},
            {"name": "offset", "type": "long"},
            {
                "name": "timestamp",
                "type": "long",
                "doc": "When it was written, in milliseconds since 1970; negative where the broker knows no time.",
            },
            {"name": "key", "type": ["null", "bytes"]},
            {"name": "value", "type": ["null", "bytes"]},
            {
                "name": "headers",
                "doc": "In their order; those that begin with dlq. are the letter's own.",
                "type": {
                    "type": "array",
                    "items": {
                        "type": "record",
                        "name": "clickstream.Header",
                        "fields": [
                            {"name": "name", "type": "string"},
                            {"name": "value", "type": ["null", "bytes"]},
                        ],
                    },
                },
            },
        ],
    }
)
OWNER_ONLY = 0o600
MAGIC = b"Obj\x01"
"""How an Avro object container file begins."""
CODEC = "deflate"
"""The one that every reader of Avro has."""
BATCH = 1000
BATCH_BYTES = 8 * 1024 * 1024
"""Records of one batch that is read, and bytes of their values; the one that is reached first ends it."""


def write_export(path: Path, letters: Iterable[Record], topic_id: str, *, force: bool = False) -> int:
    """Write letters to a file, in their order. It is there once it is whole; for its owner only.

    Args:
        path: of the file.
        letters: as they lie in the dead-letter topic, in offset order within each partition.
        topic_id: of that topic; empty where the broker tells none.
        force: whether a file that is there may be replaced.

    Returns:
        How many there were.

    Raises:
        FatalError: the file is there already, or cannot be written.
    """
    if path.exists() and not force:
        raise FatalError(f"{path} is there already; give another name, or --force to replace it")
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    counted = _Counted(letters, topic_id)
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY), "wb") as file:
            fastavro.writer(file, SCHEMA, counted, CODEC)
        part.replace(path)
    except OSError as error:
        raise FatalError(f"{path} cannot be written: {error.strerror or error}") from None
    finally:
        part.unlink(missing_ok=True)
    return counted.count


class _Counted:
    """Letters as the file has them, counted."""

    def __init__(self, letters: Iterable[Record], topic_id: str) -> None:
        self.count = 0
        self._letters = letters
        self._topic_id = topic_id

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for letter in self._letters:
            self.count += 1
            yield {
                "topic": letter.assignment.topic,
                "topic_id": self._topic_id,
                "partition": letter.assignment.partition,
                "offset": letter.offset,
                "timestamp": letter.timestamp,
                "key": letter.key,
                "value": letter.value,
                "headers": [{"name": name, "value": value} for name, value in letter.headers or ()],
            }


class Export:
    """A file of letters; made by `open_export`, and read as often as that is wanted, also where its name changes hands.

    Attributes:
        path: as it was given.
        digest: SHA-256 of its bytes, hexadecimal.
        topic: the dead-letter topic whose letters it has; empty where it has none.
        topic_id: which topic of that name; empty where the broker told none.
    """

    def __init__(self, path: Path, file: BufferedReader) -> None:
        self.path = path
        self._file = file
        self.digest = hashlib.file_digest(file, "sha256").hexdigest()
        first = next(self._messages(), None)
        self.topic: str = first["topic"] if first else ""
        self.topic_id: str = first["topic_id"] if first else ""

    def batches(self) -> Iterator[list[Record]]:
        """Read all, in offset order within each partition.

        Yields:
            Records as they were in the dead-letter topic, some at a time.

        Raises:
            FatalError: the file cannot be read, ends in the middle of a letter, or was put together by hand in a way
                that would not be replayed right: letters of two topics, twice the same one, another order.
        """
        records: list[Record] = []
        size = 0
        for record in self._records():
            records.append(record)
            size += len(record.value or b"")
            if len(records) == BATCH or size >= BATCH_BYTES:
                yield records
                records, size = [], 0
        if records:
            yield records

    def _records(self) -> Iterator[Record]:
        assignments: dict[int, Assignment] = {}
        lasts: dict[int, int] = {}
        for message in self._messages():
            if (message["topic"], message["topic_id"]) != (self.topic, self.topic_id):
                raise FatalError(f"{self.path} has letters of two topics: replay one export after the other")
            partition, offset = message["partition"], message["offset"]
            if offset <= lasts.get(partition, -1):
                raise FatalError(
                    f"{self.path} is not in the order of its export: {partition}:{offset} comes behind "
                    f"{partition}:{lasts[partition]}; sort it by partition and offset, each letter once"
                )
            lasts[partition] = offset
            at = assignments.setdefault(partition, Assignment(self.topic, partition, 0))
            headers = [(header["name"], header["value"]) for header in message["headers"]]
            yield Record(at, offset, message["timestamp"], message["key"], message["value"], headers)

    def _messages(self) -> Iterator[dict[str, Any]]:
        try:
            self._file.seek(0)
            if self._file.read(len(MAGIC)) != MAGIC:
                raise ValueError("it is no Avro file")  # noqa: TRY301 - told below
            self._file.seek(0)
            messages: Any = fastavro.reader(self._file, SCHEMA)
            name = messages.writer_schema["name"]
            if name != NAME:
                raise ValueError(f"it holds records of another kind: {name}")  # noqa: TRY301 - told below
            yield from messages
        except OSError as error:
            raise _unreadable(self.path, error) from None
        except Exception as error:  # noqa: BLE001 - of a file that was cut or changed by hand it raises what it meets
            raise FatalError(f"{self.path} is no whole export of dead letters: {error}") from None


@contextmanager
def open_export(path: Path) -> Iterator[Export]:
    """Open an export to read it again.

    Raises:
        FatalError: the file cannot be read, or is no export.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise _unreadable(path, error) from None
    with file:
        if not file.seekable():
            raise FatalError(f"{path} is a pipe, and the export is read more than once: write it to a file first")
        yield Export(path, file)


def _unreadable(path: Path, error: OSError) -> FatalError:
    return FatalError(f"{path} cannot be read: {error.strerror or error}")
