"""A second reader of Avro's binary encoding, to judge the product's: slow, strict, written from the specification 1.12.

It shares no code with the product, and has three steps: the schema's names are resolved (`strict_schema`), the bytes
become a tree of data (here), the tree becomes JSON types, by the writer's schema (`strict_values`) or by the reader's
(`strict_resolution`).
"""

import struct
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.decode.strict_resolution import resolve
from tests.decode.strict_schema import Type
from tests.decode.strict_values import Datum, RefusedError, render

MAX_EMPTY_ITEMS = 10_000
"""Items without a byte, in all of a payload."""
MAX_OPEN_RECORDS = 100
"""Records of recursive types that are open at one time."""
ENOUGH_FRAMES = 50_000
"""Of Python, for the deepest payload that is allowed."""


def read(payload: bytes, writer: Type, reader: Type | None = None) -> object:
    """The payload's value as JSON types, by the writer's or the reader's schema.

    Raises:
        RefusedError: it is not what the writer's schema says, or the reader's schema has no place for it.
    """
    with _enough_frames():
        cursor = _Cursor(payload)
        datum = cursor.read(writer)
        if cursor.position != len(payload):
            raise RefusedError(f"{len(payload) - cursor.position} bytes are left over")
        return render(datum) if reader is None else resolve(datum, reader)


@contextmanager
def _enough_frames() -> Iterator[None]:
    """Python's limit stays as it is for the product, whose answer to deep payloads is under test."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(ENOUGH_FRAMES)
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)


class _Cursor:
    """Where the reader is in a payload, and what it has counted so far."""

    def __init__(self, payload: bytes) -> None:
        self.position = 0
        self._payload = payload
        self._empty_items = 0
        self._open_records = 0

    def read(self, type_: Type) -> Datum:
        reader: Callable[[Type], object] = getattr(self, f"_read_{type_.kind}")
        return Datum(type_, reader(type_))

    def _take(self, size: int) -> bytes:
        left = len(self._payload) - self.position
        if not 0 <= size <= left:
            raise RefusedError(f"{size} bytes are wanted where {left} are left")
        self.position += size
        return self._payload[self.position - size : self.position]

    def _varint(self, bits: int) -> int:
        """Seven bits a byte, the lowest first; then zig-zag: 0, 1, 2, 3 mean 0, -1, 1, -2."""
        number = 0
        for place in range(10 if bits == 64 else 5):
            byte = self._take(1)[0]
            number += (byte % 128) << (7 * place)
            if byte < 128:
                break
        else:
            raise RefusedError("a varint without an end")
        if number >= 2**bits:
            raise RefusedError(f"a varint of more than {bits} bits")
        return number // 2 if number % 2 == 0 else -((number + 1) // 2)

    def _read_null(self, _: Type) -> None:
        return None

    def _read_boolean(self, _: Type) -> bool:
        byte = self._take(1)
        if byte not in {b"\0", b"\1"}:
            raise RefusedError(f"{byte!r} is no boolean")
        return byte == b"\1"

    def _read_int(self, _: Type) -> int:
        return self._varint(32)

    def _read_long(self, _: Type) -> int:
        return self._varint(64)

    def _read_float(self, _: Type) -> float:
        return float(struct.unpack("<f", self._take(4))[0])

    def _read_double(self, _: Type) -> float:
        return float(struct.unpack("<d", self._take(8))[0])

    def _read_bytes(self, _: Type) -> bytes:
        return self._take(self._varint(64))

    def _read_string(self, _: Type) -> str:
        try:
            return self._take(self._varint(64)).decode("utf-8", "strict")
        except UnicodeDecodeError as error:
            raise RefusedError(str(error)) from error

    def _read_fixed(self, type_: Type) -> bytes:
        return self._take(type_.size)

    def _read_enum(self, type_: Type) -> str:
        return type_.symbols[self._index(len(type_.symbols))]

    def _read_union(self, type_: Type) -> Datum:
        return self.read(type_.parts[self._index(len(type_.parts))])

    def _index(self, size: int) -> int:
        index = self._varint(32)
        if not 0 <= index < size:
            raise RefusedError(f"index {index} of {size}")
        return index

    def _read_record(self, type_: Type) -> dict[str, Datum]:
        self._open_records += type_.recursive
        if self._open_records > MAX_OPEN_RECORDS:
            raise RefusedError(f"more than {MAX_OPEN_RECORDS} records inside each other")
        value = {field.name: self.read(field.type) for field in type_.fields}
        self._open_records -= type_.recursive
        return value

    def _read_array(self, type_: Type) -> list[Datum]:
        items: list[Datum] = []
        for _ in self._items():
            items.append(self.read(type_.parts[0]))  # noqa: PERF401 - what `_items` counts is read here
        return items

    def _read_map(self, type_: Type) -> list[tuple[str, Datum]]:
        values: list[tuple[str, Datum]] = []
        for _ in self._items():
            key = self._read_string(type_)
            values.append((key, self.read(type_.parts[0])))
        return values

    def _items(self) -> Iterator[None]:
        """One step for every item of all blocks; the caller reads the item."""
        while count := self._varint(64):
            size = self._varint(64) if count < 0 else None
            begin = self.position
            for _ in range(abs(count)):
                before = self.position
                yield
                self._empty_items += self.position == before
                if self._empty_items > MAX_EMPTY_ITEMS:
                    raise RefusedError(f"more than {MAX_EMPTY_ITEMS} items without a byte")
            if size is not None and self.position - begin != size:
                raise RefusedError(f"a block of {self.position - begin} bytes says that it has {size}")
