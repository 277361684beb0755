"""Fuzzing of the product's reader: random schemas and payloads, and whether the strict reader says the same of them."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import fastavro

from processor.decode.binary import compile_reader
from processor.decode.event_types import parse as parse_written
from processor.decode.shapes import SchemaMismatchError
from processor.decode.wire import MalformedError
from processor.demo.schemas import load_schemas
from tests.decode import strict
from tests.decode.evolution import evolve
from tests.decode.random_payloads import Encoder, NoValueError, mutate
from tests.decode.random_schemas import SchemaMaker
from tests.decode.strict_resolution import matches
from tests.decode.strict_schema import Type
from tests.decode.strict_schema import parse as parse_strictly
from tests.decode.strict_values import RefusedError

FIXTURES = Path(__file__).parents[1] / "fixtures" / "avro"
FRAMES = {"none": 0, "confluent": 5, "single_object": 10}
"""Bytes before the Avro binary."""
PAYLOADS_PER_SCHEMA = 20
Reader = Callable[[bytes, int], Any]


class DifferenceError(AssertionError):
    """The two readers do not agree; the message has all that one needs to see it again."""


@dataclass(frozen=True, slots=True)
class Schemas:
    """What a round reads with.

    Attributes:
        seeds: payloads that are known to be valid.
    """

    writer: Any
    reader: Any = None
    seeds: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a reader makes of a payload.

    Attributes:
        value: in Python's notation, which tells 1 from 1.0 and True, and keeps the order of fields; None where the
            payload is refused.
        reason: of the refusal; readers may say it differently.
    """

    value: str | None
    reason: str = field(default="", compare=False)

    def __str__(self) -> str:
        return f"refused, {self.reason}" if self.value is None else self.value


@dataclass(slots=True)
class Round:
    """Everything that is tried with one schema.

    Attributes:
        seed: of this round alone; a run with this seed begins with this round.
        counts: what was done, by name.
    """

    seed: int
    schemas: Schemas
    counts: Counter[str] = field(default_factory=Counter)

    def run(self, rng: Random, payloads: int) -> None:
        """Compare the readers.

        Raises:
            DifferenceError: they do not agree.
        """
        writer = parse_strictly(self.schemas.writer)
        reader = None if self.schemas.reader is None else parse_strictly(self.schemas.reader)
        read = self._compiled()
        self.counts["schemas"] += 1
        if (read is not None) is not (reader is None or matches(writer, reader)):
            raise self._difference(b"", f"the product {'compiles' if read else 'refuses'} these schemas")
        if read is None:
            self.counts["mismatches"] += 1
            return
        for payload, is_valid in self._payloads(rng, writer, payloads):
            self._compare(rng, payload, read, (writer, reader), is_valid=is_valid)

    def _compiled(self) -> Reader | None:
        """The product's reader; None where it finds that the schemas do not match."""
        try:
            writer = parse_written(self.schemas.writer, {})
            return compile_reader(writer, self.schemas.reader and fastavro.parse_schema(self.schemas.reader))
        except SchemaMismatchError:
            return None
        except Exception as error:
            raise self._difference(b"", f"the product fails: {error!r}") from error

    def _payloads(self, rng: Random, writer: Type, payloads: int) -> Iterator[tuple[bytes, bool]]:
        """Valid ones, each with what became of it by accident."""
        for number in range(payloads):
            if number % 4 == 0:
                valid = self._valid(rng, writer)
            if number % 4 == 0 and valid is not None:
                yield valid, True
            else:
                yield mutate(rng, valid or b""), False

    def _valid(self, rng: Random, writer: Type) -> bytes | None:
        if self.schemas.seeds and rng.random() < 0.5:
            return rng.choice(self.schemas.seeds)
        try:
            return Encoder(rng).encode(writer)
        except NoValueError:
            return None

    def _compare(
        self, rng: Random, payload: bytes, read: Reader, types: tuple[Type, Type | None], *, is_valid: bool
    ) -> None:
        expected, found = _judged(payload, types), self._found(rng, payload, read)
        if is_valid and expected.value is None and types[1] is None:
            raise self._difference(payload, f"a payload that should be valid is {expected}")
        if found != expected:
            raise self._difference(payload, f"the product: {found}\nthe strict reader: {expected}")
        self.counts["valid" if is_valid else "mutated"] += 1
        self.counts["refused" if expected.value is None else "accepted"] += 1

    def _found(self, rng: Random, payload: bytes, read: Reader) -> Answer:
        """What the product makes of it, behind some frame."""
        frame = rng.randbytes(rng.choice([0, 5, 10]))
        try:
            return Answer(repr(read(frame + payload, len(frame))))
        except MalformedError as malformed:
            return Answer(None, str(malformed))
        except Exception as error:
            raise self._difference(payload, f"the product fails: {error!r}") from error

    def _difference(self, payload: bytes, what: str) -> DifferenceError:
        reader = "" if self.schemas.reader is None else f"\nreader: {json.dumps(self.schemas.reader)}"
        return DifferenceError(
            f"{what}\nwriter: {json.dumps(self.schemas.writer)}{reader}\npayload: {payload.hex()}\n"
            f"again: FUZZ_SEED={self.seed} FUZZ_PAYLOADS={PAYLOADS_PER_SCHEMA}"
        )


def _judged(payload: bytes, types: tuple[Type, Type | None]) -> Answer:
    try:
        return Answer(repr(strict.read(payload, *types)))
    except RefusedError as refusal:
        return Answer(None, str(refusal))


def fuzz(seed: int, payloads: int, *, evolved: bool = False) -> Counter[str]:
    """Compare the readers on so many payloads.

    Args:
        seed: of the first round; each further one has the next number.
        payloads: how many at least; a round is not cut short.
        evolved: read with reader's schemas.

    Returns:
        How many schemas, payloads, refusals there were.

    Raises:
        DifferenceError: the readers do not agree.
    """
    counts: Counter[str] = Counter()
    while counts["valid"] + counts["mutated"] + counts["mismatches"] < payloads:
        rng = Random(seed)  # noqa: S311 - the same numbers for the same seed
        one = Round(seed, _evolved(rng) if evolved else _schemas(rng))
        one.run(rng, PAYLOADS_PER_SCHEMA)
        counts += one.counts
        seed += 1
    return counts


def _schemas(rng: Random) -> Schemas:
    """A random schema, or a known one."""
    if rng.random() < 0.25:
        return rng.choice(known_schemas())
    while True:
        schema = SchemaMaker(rng).schema()
        if _is_valid(schema, lambda one: parse_written(one, {})):
            return Schemas(schema)


def _evolved(rng: Random) -> Schemas:
    """A schema and what may have become of it."""
    while True:
        schemas = _schemas(rng)
        if schemas.reader is not None and rng.random() < 0.5:
            return schemas
        reader = evolve(rng, schemas.writer)
        if _is_valid(reader, fastavro.parse_schema):
            return Schemas(schemas.writer, reader, schemas.seeds)


def _is_valid(schema: Any, parse: Callable[[Any], Any]) -> bool:
    """Whether it is a schema for the specification, and for what parses the product's."""
    try:
        parse_strictly(schema)
        parse(schema)
    except (fastavro.schema.SchemaParseException, fastavro.schema.UnknownType, KeyError, ValueError):
        return False
    return True


@cache
def known_schemas() -> tuple[Schemas, ...]:
    """The shop's schemas, and those of the fixtures with their payloads."""
    shop = [Schemas(json.loads(schema.text)) for schema in load_schemas().values()]
    files = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(FIXTURES.glob("*.json"))]
    fixtures = [
        Schemas(
            each["schema"],
            each.get("reader"),
            tuple(bytes.fromhex(case["payload"])[FRAMES[each["frame"]] :] for case in each["cases"]),
        )
        for file in files
        for each in file
    ]
    return (*shop, *fixtures)
