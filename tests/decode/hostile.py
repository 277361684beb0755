"""Payloads made to exhaust a reader, each with what reading it took: `python -m tests.decode.hostile`.

A program of its own, so that it can live under a limit of memory and be ended when it takes too long.
"""

import json
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from resource import RLIMIT_AS, RLIMIT_CPU, setrlimit
from time import process_time
from typing import Any

import fastavro
import psutil

from processor.decode.binary import compile_reader
from processor.decode.wire import MalformedError
from tests.decode.random_payloads import varint

MIB = 2**20
FLOOD = MIB // 64
"""Bytes whose cost is measured by the byte."""
MEMORY = 512 * MIB
"""More than the program has when it starts."""
CPU_SECONDS = 60
Payloads = Iterator[tuple[str, Any, bytes]]
"""Name, schema, payload."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What it took to refuse a payload.

    Attributes:
        outcome: the reason of the refusal, or what happened instead.
        size: of the payload in bytes.
        seconds: of CPU.
        memory: bytes at the peak.
    """

    name: str
    outcome: str
    refused: bool
    size: int
    seconds: float
    memory: int


def record(name: str, **fields: Any) -> dict[str, Any]:
    """A record type."""
    return {"type": "record", "name": name, "fields": [{"name": key, "type": kind} for key, kind in fields.items()]}


def array(items: Any) -> dict[str, Any]:
    """An array type."""
    return {"type": "array", "items": items}


def mapped(values: Any) -> dict[str, Any]:
    """A map type."""
    return {"type": "map", "values": values}


def announcements() -> Payloads:
    """Few bytes that announce many."""
    fixed: Any = {"type": "fixed", "name": "F", "size": 0}
    for name, number in {"2^31": 2**31, "2^60": 2**60, "2^63 - 1": 2**63 - 1, "10,001": 10_001}.items():
        for items in ("long", "null", fixed, record("E"), record("E", a="null", b=fixed), ["null"], array("null")):
            yield f"{name} items of {json.dumps(items)}", array(items), varint(number) + b"\0"
            yield f"a block of {name} items of {json.dumps(items)}", array(items), varint(-number) + b"\0\0"
        yield f"a map of {name}", mapped("null"), varint(number)
        yield f"a text of {name}", "string", varint(number) + b"text"
        yield f"bytes of {name}", "bytes", varint(number) + b"text"
        yield f"a key of {name}", mapped("null"), b"\2" + varint(number)
        yield f"a block of {name} bytes", array("long"), b"\1" + varint(number) + b"\2\0"
        yield f"branch {name}", ["null", "long"], varint(number)
        yield f"symbol {name}", {"type": "enum", "name": "S", "symbols": ["A"]}, varint(number)
    yield "the least count there is", array("null"), varint(-(2**63)) + b"\0\0"
    yield "a text of -1", "string", varint(-1)
    yield "symbol -1", {"type": "enum", "name": "S", "symbols": ["A", "B"]}, varint(-1)
    yield "branch -1", ["null", "long"], varint(-1) + b"\0"


def depths() -> Payloads:
    """Records within records."""
    linked = record("R", next=["null", "R"])
    in_arrays = record("R", all=array("R"))
    in_maps = record("R", all=mapped("R"))
    yield "10,000 records within each other", linked, b"\2" * 10_000
    yield "1 MiB of records within each other", linked, b"\2" * MIB
    yield "1 MiB of arrays within each other", in_arrays, b"\2" * MIB
    yield "1 MiB of counted arrays within each other", in_arrays, (b"\1" + varint(9)) * (MIB // 2)
    yield "1 MiB of maps within each other", in_maps, b"\2\0" * (MIB // 2)
    yield "a record that always has itself", record("R", next="R"), b""
    yield "an array of such records", array(record("R", next="R")), varint(2**40)
    yield "a record that has itself twice", record("R", left=["null", "R"], right=["null", "R"]), b"\2" * MIB


def floods() -> Payloads:
    """Many bytes that are at fault only at the end, or whose work is more than they are worth."""
    empty = record("E", a="null")
    yield "nulls in arrays", array(array("null")), varint(MIB) + (varint(9_999) + b"\0") * (MIB // 3)
    yield "records of nothing in arrays", array(array(empty)), varint(MIB) + (varint(100) + b"\0") * (MIB // 3)
    nested = record("R", a=record("S", b=record("T", c="boolean")))
    for items in ("long", ["null", "long"], array("null"), record("R", a="boolean"), nested):
        yield f"{json.dumps(items)} and a byte too many", array(items), varint(FLOOD) + bytes(FLOOD) + b"\0\0"
    yield "blocks of one item, without an end", array("long"), b"\2\2" * (FLOOD // 2)
    yield "counted blocks with a lie at the end", array("long"), b"\1\2\2" * (FLOOD // 3) + b"\1\4\2\0"
    yield "a map of one key, without an end", mapped("null"), b"\2\0" * (FLOOD // 2)
    keys = b"".join(b"\6" + number.to_bytes(3) for number in range(FLOOD) if max(number.to_bytes(3)) < 128)
    yield "keys without an end", mapped("null"), varint(len(keys) // 4) + keys
    yield "bad UTF-8 at the end", "string", varint(MIB) + b"a" * (MIB - 1) + b"\xff"
    yield "a decimal of 1 MiB", {"type": "bytes", "logicalType": "decimal", "precision": 9}, varint(MIB) + b"\x7f" * MIB
    large = {"type": "fixed", "name": "F", "size": MIB, "logicalType": "decimal", "precision": 9}
    yield "a fixed decimal of 1 MiB", large, b"\x7f" * MIB
    for byte in (0x7F, 0x80, 0xFF):
        for schema in ("long", "string", array("long"), mapped("string"), ["null", "long"], array(["null", "long"])):
            yield f"1 MiB of {byte:#x} as {json.dumps(schema)}", schema, bytes([byte]) * MIB


def measure(name: str, schema: Any, payload: bytes) -> Cost:
    """Read it twice: for the time, and for the memory."""
    read = compile_reader(fastavro.parse_schema(schema))
    begin = process_time()
    outcome, refused = attempt(read, payload)
    seconds = process_time() - begin
    tracemalloc.start()
    attempt(read, payload)
    _, memory = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return Cost(name, outcome, refused, len(payload), seconds, memory)


def attempt(read: Callable[[bytes, int], Any], payload: bytes) -> tuple[str, bool]:
    """What came of it, and whether that is a refusal."""
    try:
        read(payload, 0)
    except MalformedError as refusal:
        return str(refusal), True
    except (Exception, MemoryError) as error:  # noqa: BLE001 - whatever else it is, it is the finding
        return repr(error), False
    return "it was read", False


def main() -> None:
    """Print the cost of each payload as a line of JSON."""
    setrlimit(RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    limit = psutil.Process().memory_info().vms + MEMORY
    setrlimit(RLIMIT_AS, (limit, limit))
    for payloads in (announcements, depths, floods):
        for one in payloads():
            sys.stdout.write(json.dumps(asdict(measure(*one))) + "\n")


if __name__ == "__main__":
    main()
