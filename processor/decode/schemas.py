"""Writers' schemas by their registry id: fetched once, kept for ever; unknown ids are remembered for a while."""

import asyncio
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, Protocol

from confluent_kafka.schema_registry import Schema as RegisteredSchema
from confluent_kafka.schema_registry import SchemaReference
from confluent_kafka.schema_registry.error import SchemaRegistryError

from processor.clock import Clock
from processor.decode.event_types import Schema, make_schema, parse
from processor.delays import delay_after
from processor.logs import Logger
from processor.records import SchemaId
from processor.settings.avro_files import LocalSchemas

REMEMBER_UNKNOWN = 60.0
"""Seconds for which an unknown id is not asked again, or a stream of garbage would call the registry once a record."""
BACK_OFF = (1.0, 2.0, 5.0, 10.0)
"""Seconds between questions to a registry that does not answer; the last one repeats."""
QUESTIONS = 4
"""How many a registry is asked at a time, each in a thread of the store's own: one that hangs must not keep those that
others need."""
MAX_ID = 2**31 - 1
"""Registries number schemas with 32-bit integers with a sign. What is above is garbage, and they answer it as they
answer a wrong path: with a plain 404."""
NOT_FOUND = 404
UNKNOWN = range(40400, 40500)
"""Error codes of a registry that does not know the schema, subject or version it was asked for. Its code for a path
that it does not have is 404, as of everybody else."""
SCHEMA_NOT_FOUND = 40403
REFUSED = frozenset({401, 403})
WORDS = 200
"""Characters of an answer that are told; what stands before a registry may answer with a page."""


class Registry(Protocol):
    """The part of `confluent_kafka.schema_registry.SchemaRegistryClient` that is used here; it blocks."""

    def get_schema(self, schema_id: int) -> RegisteredSchema:
        """Raises SchemaRegistryError, or the transport's own error."""

    def get_schema_by_guid(self, guid: str) -> RegisteredSchema:
        """The same by GUID."""

    def get_version(self, subject_name: str, version: int, deleted: bool) -> Any:  # noqa: FBT001 - the client's own
        """A registered version of a subject, deleted ones too if wanted; its `.schema` is wanted."""

    def close(self) -> None:
        """Close its connections."""


@dataclass(frozen=True, slots=True)
class Unusable:
    """The record's fault: no such id, or no Avro record type behind it."""

    message: str


class SchemaStore:
    """Schemas by id. `get` never waits; `fetch` asks the registry.

    Args:
        registry: None where the file has none.
        local: the readers' schemas.
    """

    def __init__(self, registry: Registry | None, local: LocalSchemas, clock: Clock, log: Logger) -> None:
        self._registry = registry
        self._local = local
        self._clock = clock
        self._log = log
        self._known: dict[SchemaId, Schema] = {}
        self._unusable: dict[SchemaId, tuple[float, Unusable]] = {}  # until when; the oldest first
        self._fetches: dict[SchemaId, asyncio.Task[None]] = {}
        self._threads = ThreadPoolExecutor(QUESTIONS, "registry")
        self.troubles: dict[SchemaId, str] = {}
        """Why the registry has not told a schema yet that it was asked for; gone once it has."""

    def get(self, schema_id: SchemaId) -> Schema | Unusable | None:
        """What is known of an id; None = `fetch` it first."""
        known = self._known.get(schema_id)
        if known is not None:
            return known
        until, unusable = self._unusable.get(schema_id, (0.0, None))
        return unusable if self._clock.now() < until else None

    async def fetch(self, schema_id: SchemaId) -> None:
        """Wait until `get` knows the id, however long the registry is away; concurrent calls share one question."""
        task = self._fetches.get(schema_id)
        if task is None:
            task = self._fetches[schema_id] = asyncio.create_task(self._fetch(schema_id))
            task.add_done_callback(lambda _: self._fetches.pop(schema_id, None))
        await asyncio.shield(task)

    def close(self) -> None:
        """Ask no more: questions end unanswered, the registry's connections are closed; again is nothing more."""
        for task in self._fetches.values():
            task.cancel()
        self._threads.shutdown(wait=False, cancel_futures=True)
        if self._registry is not None:
            self._registry.close()

    async def _fetch(self, schema_id: SchemaId) -> None:
        failures = 0
        while True:
            try:
                found = await self._ask(schema_id)
            except Exception as exception:  # noqa: BLE001 - the client leaks its transport's errors; all mean: wait
                delay = delay_after(failures + 1, BACK_OFF)
                self._in_trouble(schema_id, exception, delay)
                await asyncio.sleep(delay)
                failures += 1
                continue
            if isinstance(found, Unusable):
                self._remember(schema_id, found)
            else:
                self._known[schema_id] = found
            if self.troubles.pop(schema_id, None):
                self._log.info("registry_back", schema_id=schema_id)
            return

    def _remember(self, schema_id: SchemaId, unusable: Unusable) -> None:
        """Remember it for a while, and forget those whose while is over: garbage brings new ids without end."""
        now = self._clock.now()
        for old in list(takewhile(lambda id_: self._unusable[id_][0] <= now, self._unusable)):
            del self._unusable[old]
        self._unusable[schema_id] = now + REMEMBER_UNKNOWN, unusable
        self._log.warning("schema_unusable", schema_id=schema_id, reason=unusable.message)

    async def _ask(self, schema_id: SchemaId) -> Schema | Unusable:
        registry = self._registry
        if registry is None:
            return Unusable(f"schema id {schema_id}: no registry is configured; set registry.url")
        return await asyncio.get_running_loop().run_in_executor(self._threads, load, registry, schema_id, self._local)

    def _in_trouble(self, schema_id: SchemaId, exception: Exception, delay: float) -> None:
        reason = describe(exception)
        if self.troubles.get(schema_id) != reason:
            self._log.error(
                "registry_unavailable",
                schema_id=schema_id,
                reason=reason,
                next=f"asked again in {delay:g} s and after; partitions that need this schema wait, nothing is lost",
            )
        self.troubles[schema_id] = reason


def describe(exception: Exception) -> str:
    """Say why a registry gave no answer, and what to look at."""
    if not isinstance(exception, SchemaRegistryError):
        keys = "registry.url (and at ssl.… and bearer.auth.… where they are set)"
        return f"{type(exception).__name__}: {str(exception)[:WORDS]}; look at {keys}, and at the registry"
    status = exception.http_status_code
    answer = f"it answers {status}: {_words(exception)}"
    if status in REFUSED:
        keys = "basic.auth.user.info, bearer.auth.… or ssl.… of `registry`"
        return f"{answer}; it refuses this service's login: look at {keys}"
    if status == NOT_FOUND:
        return f"{answer}; this is no answer of a schema registry: look at the path in registry.url"
    return f"{answer}; look at the registry"


def _words(error: SchemaRegistryError) -> str:
    return str(error.error_message)[:WORDS]


def load(registry: Registry, schema_id: SchemaId, local: LocalSchemas) -> Schema | Unusable:
    """Ask the registry for a schema and all it refers to, and compile it; blocks.

    Raises:
        SchemaRegistryError: the registry answered with an error that is not about this id.
        Exception: the transport's own errors, as the client leaks them.
    """
    called = f"schema id {schema_id}"
    if isinstance(schema_id, int) and schema_id > MAX_ID:
        return Unusable(f"a schema id that is no registry's: theirs end at {MAX_ID}")
    try:
        if isinstance(schema_id, int):
            registered = registry.get_schema(schema_id)
        else:
            registered = registry.get_schema_by_guid(schema_id)
    except SchemaRegistryError as error:
        if not is_unknown(error):
            raise
        why = "" if error.error_code == SCHEMA_NOT_FOUND else f": {_words(error)}"
        return Unusable(f"{called} is unknown to the registry{why}")
    if (registered.schema_type or "AVRO") != "AVRO":
        return Unusable(f"{called} is {registered.schema_type}, not Avro")
    texts: dict[tuple[str, int], str] = {}
    try:
        _load_references(registered.references or [], registry.get_version, texts, ())
    except LookupError as error:
        return Unusable(f"{called} cannot be read: {error}")
    return _compile(schema_id, [*texts.values(), registered.schema_str or ""], local)


def _compile(schema_id: SchemaId, texts: Sequence[str], local: LocalSchemas) -> Schema | Unusable:
    names: dict[str, Any] = {}
    try:
        for text in texts:
            parsed = parse(json.loads(text), names)
        schema = make_schema(schema_id, parsed, names, local)
    except Exception as error:  # noqa: BLE001 - a schema can be wrong in any way, and is then its records' fault
        return Unusable(f"schema id {schema_id} cannot be parsed: {type(error).__name__}: {error}"[:500])
    if not any(schema.types):
        return Unusable(f"schema id {schema_id} is not a record type")
    return schema


def is_unknown(error: SchemaRegistryError) -> bool:
    """Whether a registry says that it does not know what was asked for; a 404 of anybody else has no such code."""
    return error.http_status_code == NOT_FOUND and error.error_code in UNKNOWN


def _load_references(
    references: Sequence[SchemaReference],
    get_version: Callable[..., Any],
    texts: dict[tuple[str, int], str],
    path: tuple[str, ...],
) -> None:
    """Collect the texts of what a schema refers to, deepest first; a deleted version still counts.

    Raises:
        LookupError: a reference leads nowhere, or they go in a circle.
    """
    for reference in references:
        subject, version = str(reference.subject), int(reference.version or 0)
        if subject in path:
            raise LookupError(f"its references go in a circle over {subject}")
        if (subject, version) in texts:
            continue
        try:
            schema: RegisteredSchema = get_version(subject, version, deleted=True).schema
        except SchemaRegistryError as error:
            if is_unknown(error):
                message = f"it refers to version {version} of {subject}, which the registry does not know"
                raise LookupError(message) from None
            raise
        _load_references(schema.references or [], get_version, texts, (*path, subject))
        texts[subject, version] = schema.schema_str or ""
