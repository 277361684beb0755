"""The product's reader against the strict one, on payloads by the thousand.

For a long session: `FUZZ_PAYLOADS=1000000 FUZZ_SEED=7 pytest tests/decode/test_fuzz.py`; a failure says how to see it
again.
"""

import json
import os
import subprocess
import sys
from io import BytesIO
from typing import Any

import fastavro
import pytest

from processor.decode.wire import MalformedError
from tests.decode import fuzzing
from tests.decode.hostile import CPU_SECONDS, MIB
from tests.decode.strict_schema import parse

PAYLOADS = int(os.environ.get("FUZZ_PAYLOADS", "4000"))
SEED = int(os.environ.get("FUZZ_SEED", "1"))
BYTES_A_BYTE = 700
"""Memory that a byte of a payload may take: a byte can be three records within each other of 184 bytes each."""
SECONDS_A_BYTE = 20e-6
"""Ten times what was measured."""


def test_the_reader_reads_what_the_strict_one_reads() -> None:
    """Every payload gives the same value in both readers, or both refuse it; nothing but refusals comes out."""
    counts = fuzzing.fuzz(SEED, PAYLOADS)

    assert counts["accepted"] > PAYLOADS / 5
    assert counts["refused"] > PAYLOADS / 5
    assert counts["valid"] > PAYLOADS / 10


def test_readers_schemas_are_resolved_as_the_strict_reader_resolves_them() -> None:
    """With a reader's schema as well: the same value, the same refusals, and the same schemas that do not match."""
    counts = fuzzing.fuzz(SEED, PAYLOADS, evolved=True)

    assert counts["accepted"] > PAYLOADS / 5
    assert counts["refused"] > PAYLOADS / 5
    assert counts["mismatches"] > PAYLOADS / 1000


def lenient_reader(writer: Any, reader: Any = None) -> fuzzing.Reader:
    """What fastavro takes for good."""

    def read(payload: bytes, start: int) -> Any:
        try:
            return fastavro.schemaless_reader(BytesIO(payload[start:]), writer, reader)
        except Exception as error:
            raise MalformedError from error

    return read


def test_a_lenient_reader_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that lets bytes be left over differs soon, and its message leads straight back to the difference."""
    monkeypatch.setattr(fuzzing, "compile_reader", lenient_reader)
    monkeypatch.setattr(fuzzing, "known_schemas", lambda: [fuzzing.Schemas({"type": "array", "items": "long"})])
    with pytest.raises(fuzzing.DifferenceError) as found:
        fuzzing.fuzz(SEED, 1000)
    seed = str(found.value).partition("FUZZ_SEED=")[2].partition(" ")[0]

    with pytest.raises(fuzzing.DifferenceError) as again:
        fuzzing.fuzz(int(seed), 1)

    assert str(again.value) == str(found.value)


def test_known_schemas_can_be_parsed() -> None:
    """The shop's schemas and all fixtures take part."""
    known = fuzzing.known_schemas()

    assert len(known) >= 8
    assert all(parse(schemas.writer) for schemas in known)


def test_hostile_payloads_cost_no_more_than_their_bytes() -> None:
    """What announces more than it has, nests without end or floods is refused, with memory and time in proportion."""
    command = [sys.executable, "-m", "tests.decode.hostile"]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=2 * CPU_SECONDS)

    costs = [json.loads(line) for line in result.stdout.splitlines()]

    assert (result.returncode, result.stderr) == (0, "")
    assert len(costs) > 100
    assert [cost for cost in costs if not cost["refused"]] == []
    assert [cost for cost in costs if cost["memory"] > MIB + BYTES_A_BYTE * cost["size"]] == []
    assert [cost for cost in costs if cost["seconds"] > 0.1 + SECONDS_A_BYTE * cost["size"]] == []
