"""Random payloads for fuzzing: valid ones in all forms that Avro allows, and what accidents leave of them."""

import struct
from collections.abc import Callable
from random import Random

from tests.decode.strict_schema import Type
from tests.decode.strict_values import MAX_DECIMAL_BYTES

LENGTHS = (0, 0, 1, 2, 3, 7, 20)
TEXTS = ("", "a", "SKU-1", "å", "日本", "😀", "\0", '"quoted\\"', "x" * 70, "7c9e6679-7425-40de-944b-e07fc1f90ae7")
DAY = 24 * 60 * 60
YEAR_1, YEAR_10000 = -719162 * DAY, 2932897 * DAY
"""Seconds from 1970."""
SECOND = {"millis": 10**3, "micros": 10**6, "nanos": 10**9}
HOSTILE = (2**31, -(2**31), 2**40, 2**60, 2**63 - 1, -(2**63), -1, -2, 10_000, 10_001, 64, 2**32, 2**62)


class NoValueError(Exception):
    """There is no value of this type: it would not end, has no symbol, or would be a decimal that nobody reads."""


def varint(number: int, spare: int = 0) -> bytes:
    """Zig-zag, seven bits a byte; `spare` bytes more than needed, which say nothing."""
    rest = number * 2 if number >= 0 else -number * 2 - 1
    encoded = bytearray()
    while rest > 127:
        encoded.append(rest % 128 + 128)
        rest //= 128
    if not spare:
        return bytes([*encoded, rest])
    return bytes([*encoded, rest + 128, *[128] * (spare - 1), 0])


class Encoder:
    """Writes random valid values of a type.

    Args:
        plain: only in the encoding's shortest form, as other readers want it.
    """

    def __init__(self, rng: Random, *, plain: bool = False) -> None:
        self._rng = rng
        self._plain = plain
        self._depth = 0
        self._values = 0

    def encode(self, type_: Type) -> bytes:
        """One value.

        Raises:
            NoValueError: there is none, or none was found.
        """
        writer: Callable[[Type], bytes] = getattr(self, f"_write_{type_.kind}")
        self._depth += 1
        self._values += 1
        if self._depth > 60:
            raise NoValueError
        try:
            return writer(type_)
        finally:
            self._depth -= 1

    def _is_enough(self) -> bool:
        return self._depth > 25 or self._values > 300

    def _varint(self, number: int, most: int = 10) -> bytes:
        shortest = varint(number)
        if self._plain or self._rng.random() < 0.95 or len(shortest) == most:
            return shortest
        return varint(number, self._rng.randint(1, most - len(shortest)))

    def _write_null(self, _: Type) -> bytes:
        return b""

    def _write_boolean(self, _: Type) -> bytes:
        return self._rng.choice([b"\0", b"\1"])

    def _write_int(self, type_: Type) -> bytes:
        return self._varint(self._integer(type_, 31), 5)

    def _write_long(self, type_: Type) -> bytes:
        return self._varint(self._integer(type_, 63))

    def _integer(self, type_: Type, bits: int) -> int:
        """Small ones, edges, and what the logical type has room for."""
        rng = self._rng
        least, most = _range(type_, bits)
        bits_now = rng.choice([1, 7, 8, 15, bits])
        number = rng.choice([rng.randint(-(2**bits_now), 2**bits_now - 1), rng.randint(least, most), least, most])
        return min(max(number, least), most)

    def _write_float(self, _: Type) -> bytes:
        return self._rng.choice([b"\0\0\0\x80", b"\0\0\xc0\x7f", b"\0\0\x80\xff", b"\0\0\x80?", self._rng.randbytes(4)])

    def _write_double(self, _: Type) -> bytes:
        number = self._rng.choice([0.0, -0.0, 1.5, 0.1, 1e300, float("nan"), float("inf")])
        return self._rng.choice([struct.pack("<d", number), self._rng.randbytes(8)])

    def _write_bytes(self, type_: Type) -> bytes:
        size = self._rng.choice([*LENGTHS, 64] if type_.logical else [*LENGTHS, 64, 65, 300])
        return self._varint(size) + self._rng.randbytes(size)

    def _write_string(self, _: Type) -> bytes:
        text = self._rng.choice(TEXTS).encode()
        return self._varint(len(text)) + text

    def _write_fixed(self, type_: Type) -> bytes:
        if type_.logical == "decimal" and type_.size > MAX_DECIMAL_BYTES:
            raise NoValueError
        return self._rng.choice([self._rng.randbytes(type_.size), bytes(type_.size), b"\xff" * type_.size])

    def _write_enum(self, type_: Type) -> bytes:
        return self._varint(self._index(len(type_.symbols)), 5)

    def _write_union(self, type_: Type) -> bytes:
        index = self._index(len(type_.parts))
        if self._is_enough():  # the way out of a recursive type
            index = min(range(len(type_.parts)), key=lambda number: bool(type_.parts[number].inner()))
        return self._varint(index, 5) + self.encode(type_.parts[index])

    def _index(self, size: int) -> int:
        if not size:
            raise NoValueError
        return self._rng.randrange(size)

    def _write_record(self, type_: Type) -> bytes:
        return b"".join(self.encode(field.type) for field in type_.fields)

    def _write_array(self, type_: Type) -> bytes:
        return self._blocks(lambda: self.encode(type_.parts[0]))

    def _write_map(self, type_: Type) -> bytes:
        key = Type("string")
        return self._blocks(lambda: self.encode(key) + self.encode(type_.parts[0]))

    def _blocks(self, item: Callable[[], bytes]) -> bytes:
        """Items in blocks of any size, with and without their bytes counted."""
        encoded = b""
        for _ in range(0 if self._is_enough() else self._rng.choice([0, 1, 1, 2])):
            count = self._rng.choice([1, 1, 2, 3] if self._depth > 4 else [1, 2, 3, 70])
            items = [item() for number in range(count) if not (number and self._is_enough())]
            block, count = b"".join(items), len(items)
            counted = self._rng.random() < 0.3
            encoded += self._varint(-count) + self._varint(len(block)) if counted else self._varint(count)
            encoded += block
        return encoded + self._varint(0)


def _range(type_: Type, bits: int) -> tuple[int, int]:
    if type_.logical == "date":
        return YEAR_1 // DAY, YEAR_10000 // DAY - 1
    unit = type_.logical.rpartition("-")[2]
    if unit not in SECOND or unit == "nanos":
        return -(2**bits), 2**bits - 1
    if type_.logical.startswith("time-"):
        return 0, DAY * SECOND[unit] - 1
    return YEAR_1 * SECOND[unit], YEAR_10000 * SECOND[unit] - 1


def mutate(rng: Random, payload: bytes) -> bytes:
    """What is left of a payload after one accident or several."""
    for _ in range(rng.choice([1, 1, 1, 2, 4])):
        payload = rng.choice(ACCIDENTS)(rng, payload)
    return payload


def _flip(rng: Random, payload: bytes) -> bytes:
    if not payload:
        return b"\1"
    damaged = bytearray(payload)
    damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
    return bytes(damaged)


def _cut(rng: Random, payload: bytes) -> bytes:
    return payload[: rng.randint(0, len(payload))]


def _drop(rng: Random, payload: bytes) -> bytes:
    begin, end = _span(rng, payload)
    return payload[:begin] + payload[end:]


def _insert(rng: Random, payload: bytes) -> bytes:
    place = rng.randint(0, len(payload))
    return payload[:place] + rng.randbytes(rng.choice([1, 1, 2, 9])) + payload[place:]


def _repeat(rng: Random, payload: bytes) -> bytes:
    begin, end = _span(rng, payload)
    return payload[:end] + payload[begin:end] * rng.choice([1, 2, 30]) + payload[end:]


def _swap(rng: Random, payload: bytes) -> bytes:
    first, second, third, fourth = sorted(rng.randint(0, len(payload)) for _ in range(4))
    return b"".join(
        [payload[:first], payload[third:fourth], payload[second:third], payload[first:second], payload[fourth:]]
    )


def _number(rng: Random, payload: bytes) -> bytes:
    """A number of the payload becomes huge, negative, longer than needed, or endless."""
    place = rng.randint(0, len(payload))
    number = rng.choice([rng.choice(HOSTILE), rng.randint(-130, 130)])
    encoded = varint(number)
    if rng.random() < 0.3:
        encoded = varint(number, rng.randint(1, 12))
    if rng.random() < 0.1:
        encoded = b"\x80" * rng.randint(4, 10) + bytes([rng.randrange(256)])
    return payload[:place] + encoded + payload[place + rng.choice([0, 1, 1, 1, 2]) :]


def _byte(rng: Random, payload: bytes) -> bytes:
    place = rng.randint(0, len(payload))
    return payload[:place] + bytes([rng.choice([0, 1, 2, 3, 4, 0x7F, 0x80, 0x81, 0xFE, 0xFF])]) + payload[place + 1 :]


def _noise(rng: Random, payload: bytes) -> bytes:
    return rng.randbytes(rng.choice([0, 1, 2, 8, len(payload)]))


def _span(rng: Random, payload: bytes) -> tuple[int, int]:
    begin = rng.randint(0, len(payload))
    return begin, min(len(payload), begin + rng.choice([1, 1, 2, 4, 16]))


ACCIDENTS = (_flip, _flip, _flip, _cut, _drop, _insert, _repeat, _swap, _number, _number, _number, _byte, _byte, _noise)
