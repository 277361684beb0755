"""Writers' schemas by their registry id: fetched once, kept for ever; unknown ids are remembered for a while."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, Protocol

import fastavro
from confluent_kafka.schema_registry import Schema as RegisteredSchema
from confluent_kafka.schema_registry import SchemaReference
from confluent_kafka.schema_registry.error import SchemaRegistryError
from fastavro.schema import SchemaParseException

from processor.clock import Clock
from processor.logs import Logger

REMEMBER_UNKNOWN = 60.0
"""Seconds for which an unknown id is not asked again, or a stream of garbage would call the registry once a record."""
BACK_OFF = (1.0, 2.0, 5.0, 10.0, 30.0)
"""Seconds between questions to a registry that does not answer; the last one repeats."""
NOT_FOUND = 404


class Registry(Protocol):
    """The part of `confluent_kafka.schema_registry.SchemaRegistryClient` that is used here; it blocks."""

    def get_schema(self, schema_id: int) -> RegisteredSchema:
        """Raises SchemaRegistryError, or the transport's own error."""

    def get_version(self, subject_name: str, version: int) -> Any:
        """A registered version of a subject; its `.schema` is wanted."""


@dataclass(frozen=True, slots=True)
class Schema:
    """A writer's schema.

    Attributes:
        name: full name of the record type.
        parsed: as fastavro wants it.
    """

    id: int
    name: str
    parsed: Any


@dataclass(frozen=True, slots=True)
class Unusable:
    """The record's fault: no such id, or no Avro record type behind it."""

    message: str


class SchemaStore:
    """Schemas by id. `get` never waits; `fetch` asks the registry.

    Args:
        registry: None where the file has none.
    """

    def __init__(self, registry: Registry | None, clock: Clock, log: Logger) -> None:
        self._registry = registry
        self._clock = clock
        self._log = log
        self._known: dict[int, Schema] = {}
        self._unusable: dict[int, tuple[float, Unusable]] = {}  # until when; the oldest first
        self._fetches: dict[int, asyncio.Task[None]] = {}
        self.trouble: str | None = None
        """Why records wait for their schemas; None while the registry answers."""

    def get(self, schema_id: int) -> Schema | Unusable | None:
        """What is known of an id; None = `fetch` it first."""
        known = self._known.get(schema_id)
        if known is not None:
            return known
        until, unusable = self._unusable.get(schema_id, (0.0, None))
        return unusable if self._clock.now() < until else None

    async def fetch(self, schema_id: int) -> None:
        """Wait until `get` knows the id, however long the registry is away; concurrent calls share one question."""
        task = self._fetches.get(schema_id)
        if task is None:
            task = self._fetches[schema_id] = asyncio.create_task(self._fetch(schema_id))
            task.add_done_callback(lambda _: self._fetches.pop(schema_id, None))
        await asyncio.shield(task)

    async def _fetch(self, schema_id: int) -> None:
        failures = 0
        while True:
            try:
                found = await self._ask(schema_id)
            except Exception as exception:  # noqa: BLE001 - the client leaks its transport's errors; all mean: wait
                self._in_trouble(schema_id, exception)
                await asyncio.sleep(BACK_OFF[min(failures, len(BACK_OFF) - 1)])
                failures += 1
                continue
            if isinstance(found, Unusable):
                self._remember(schema_id, found)
            else:
                self._known[schema_id] = found
            if self.trouble:
                self._log.info("registry_back")
                self.trouble = None
            return

    def _remember(self, schema_id: int, unusable: Unusable) -> None:
        """Remember it for a while, and forget those whose while is over: garbage brings new ids without end."""
        now = self._clock.now()
        for old in list(takewhile(lambda id_: self._unusable[id_][0] <= now, self._unusable)):
            del self._unusable[old]
        self._unusable[schema_id] = now + REMEMBER_UNKNOWN, unusable
        self._log.warning("schema_unusable", schema_id=schema_id, reason=unusable.message)

    async def _ask(self, schema_id: int) -> Schema | Unusable:
        registry = self._registry
        if registry is None:
            return Unusable(f"schema id {schema_id}: no registry is configured; set registry.url")
        try:
            return await asyncio.to_thread(load, registry, schema_id)
        except SchemaRegistryError as error:
            if error.http_status_code == NOT_FOUND:
                return Unusable(f"schema id {schema_id} is unknown to the registry")
            raise

    def _in_trouble(self, schema_id: int, exception: Exception) -> None:
        reason = f"{type(exception).__name__}: {exception}"
        if self.trouble is None:
            self._log.error(
                "registry_unavailable",
                schema_id=schema_id,
                reason=reason,
                next="asked again until it answers; partitions that need this schema wait, nothing is lost",
            )
        self.trouble = reason


def load(registry: Registry, schema_id: int) -> Schema | Unusable:
    """Ask the registry for a schema and all it refers to; blocks.

    Raises:
        SchemaRegistryError: the registry answered with an error.
        Exception: the transport's own errors, as the client leaks them.
    """
    registered = registry.get_schema(schema_id)
    if (registered.schema_type or "AVRO") != "AVRO":
        return Unusable(f"schema id {schema_id} is {registered.schema_type}, not Avro")
    try:
        named: dict[str, Any] = {}
        _load_references(registered.references or [], registry.get_version, named, frozenset())
        parsed = fastavro.parse_schema(json.loads(registered.schema_str or ""), named_schemas=named)
    except (SchemaParseException, ValueError, KeyError, TypeError) as error:
        return Unusable(f"schema id {schema_id} cannot be parsed: {error}")
    if not isinstance(parsed, dict) or parsed.get("type") != "record":
        return Unusable(f"schema id {schema_id} is not a record type")
    return Schema(schema_id, parsed["name"], parsed)


def _load_references(
    references: list[SchemaReference],
    get_version: Callable[[str, int], Any],
    named: dict[str, Any],
    path: frozenset[str],
) -> None:
    """Parse what a schema refers to into `named`, deepest first.

    Raises:
        ValueError: references go in a circle.
    """
    for reference in references:
        subject, version = str(reference.subject), int(reference.version or 0)
        if subject in path:
            raise ValueError(f"its references go in a circle over {subject}")
        schema: RegisteredSchema = get_version(subject, version).schema
        _load_references(schema.references or [], get_version, named, path | {subject})
        if reference.name not in named:
            fastavro.parse_schema(json.loads(schema.schema_str or ""), named_schemas=named)
