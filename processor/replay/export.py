"""Letters in a file: an Avro object container file, which everything that knows Avro reads.

One record for each message, with all of its bytes as they are in the dead-letter topic: key, value and headers, those
of the letter included. Such a file holds personal data: it is for its owner only.
"""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

import fastavro

from processor.errors import FatalError
from processor.records import Assignment, Key, Record

NAME = "clickstream.DeadLetter"
SCHEMA = fastavro.parse_schema(
    {
        "type": "record",
        "name": NAME,
        "doc": "A dead letter as it lies in its topic, byte for byte.",
        "fields": [
            {"name": "topic", "type": "string", "doc": "The dead-letter topic."},
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
CODEC = "deflate"
"""The one that every reader of Avro has."""
BATCH = 1000
"""Records of one batch that is read."""


def write_export(path: Path, letters: Iterable[Record], *, force: bool = False) -> int:
    """Write letters to a file, in their order. It is there once it is whole; for its owner only.

    Args:
        path: of the file.
        letters: as they lie in the dead-letter topic.
        force: whether a file that is there may be replaced.

    Returns:
        How many there were.

    Raises:
        FatalError: the file is there already, or cannot be written.
    """
    if path.exists() and not force:
        raise FatalError(f"{path} is there already; give another name, or --force to replace it")
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    counted = _Counted(letters)
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

    def __init__(self, letters: Iterable[Record]) -> None:
        self.count = 0
        self._letters = letters

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for letter in self._letters:
            self.count += 1
            yield {
                "topic": letter.assignment.topic,
                "partition": letter.assignment.partition,
                "offset": letter.offset,
                "timestamp": letter.timestamp,
                "key": letter.key,
                "value": letter.value,
                "headers": [{"name": name, "value": value} for name, value in letter.headers or ()],
            }


def read_export(path: Path) -> Iterator[list[Record]]:
    """Read an export again, in its order.

    Yields:
        Records as they were in the dead-letter topic, some at a time.

    Raises:
        FatalError: the file cannot be read, is no export, or ends in the middle of a letter.
    """
    records: list[Record] = []
    try:
        with path.open("rb") as file:
            for record in _records(path, file):
                records.append(record)
                if len(records) == BATCH:
                    yield records
                    records = []
    except OSError as error:
        raise FatalError(f"{path} cannot be read: {error.strerror or error}") from None
    if records:
        yield records


def _records(path: Path, file: IO[bytes]) -> Iterator[Record]:
    assignments: dict[Key, Assignment] = {}
    try:
        for message in _messages(file):
            key = message["topic"], message["partition"]
            at = assignments.setdefault(key, Assignment(*key, 0))
            headers = [(header["name"], header["value"]) for header in message["headers"]]
            yield Record(at, message["offset"], message["timestamp"], message["key"], message["value"], headers)
    except OSError:
        raise
    except Exception as error:  # noqa: BLE001 - of a file that was cut or changed by hand fastavro raises what it meets
        raise FatalError(f"{path} is no whole export of dead letters: {error}") from None


def _messages(file: IO[bytes]) -> Any:
    """All that is in the file, as the schema has it.

    Raises:
        ValueError: it is a file of something else.
    """
    messages: Any = fastavro.reader(file, SCHEMA)
    name = messages.writer_schema["name"]
    if name != NAME:
        raise ValueError(f"it holds records of another kind: {name}")
    return messages
