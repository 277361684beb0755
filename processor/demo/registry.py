"""A small schema registry: what a Confluent-compatible client needs to register and to read Avro schemas.

Speaks the paths, bodies and error codes of Confluent's registry over real HTTP. Keeps everything in memory,
and checks no compatibility between versions. As there, a schema has the same id under every subject.
"""

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import fastavro
import orjson
from aiohttp import web
from aiohttp.typedefs import Handler
from fastavro.schema import SchemaParseException

from processor.demo.serving import SHUTDOWN_TIMEOUT, serving

CONTENT_TYPE = "application/vnd.schemaregistry.v1+json"


@dataclass(frozen=True, slots=True)
class RegistryOptions:
    """How the registry is started.

    Attributes:
        port: 0 takes a free one.
        credentials: user name and its word for basic authentication; None = everybody may.
    """

    host: str = "127.0.0.1"
    port: int = 0
    credentials: tuple[str, str] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class RegistryFaults:
    """What is wrong with the registry right now.

    Attributes:
        down: everything is answered with 503.
        delay: seconds that each answer takes longer.
    """

    down: bool = False
    delay: float = 0.0


class RegistryError(Exception):
    """A request that is answered with an error code; its first three digits are the HTTP status."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    @property
    def status(self) -> int:
        """HTTP status of the answer."""
        return self.code if self.code < 1000 else self.code // 100  # noqa: PLR2004 - plain statuses have 3 digits


@dataclass(frozen=True, slots=True)
class StoredSchema:
    """One schema with its id.

    Attributes:
        references: as registered: objects with `name`, `subject`, `version`.
    """

    id: int
    text: str
    references: tuple[dict[str, Any], ...]

    def as_json(self) -> dict[str, Any]:
        """The part of an answer that describes the schema."""
        return {"schema": self.text} | ({"references": list(self.references)} if self.references else {})


class SchemaStore:
    """Schemas by id, and versions by subject.

    Every method raises `RegistryError` for what it does not have.
    """

    def __init__(self) -> None:
        self._by_content: dict[bytes, StoredSchema] = {}
        self._by_id: dict[int, StoredSchema] = {}
        self._subjects: dict[str, list[StoredSchema]] = {}

    def register(self, subject: str, body: dict[str, Any]) -> StoredSchema:
        """Add a version to the subject, unless it has this schema already."""
        schema = self._intern(body)
        versions = self._subjects.setdefault(subject, [])
        if schema not in versions:
            versions.append(schema)
        return schema

    def lookup(self, subject: str, body: dict[str, Any]) -> tuple[int, StoredSchema]:
        """Find which version of the subject this schema is."""
        versions = self.versions(subject)
        schema = self._by_content.get(_content(body))
        if schema is None or schema not in versions:
            raise RegistryError(40403, "Schema not found")
        return versions.index(schema) + 1, schema

    def by_id(self, schema_id: str) -> StoredSchema:
        """Find a schema by its id, as the path has it."""
        schema = self._by_id.get(int(schema_id)) if schema_id.isdecimal() else None
        if schema is None:
            raise RegistryError(40403, f"Schema {schema_id} not found")
        return schema

    def subjects(self) -> list[str]:
        """Name all subjects."""
        return sorted(self._subjects)

    def versions(self, subject: str) -> list[StoredSchema]:
        """List the subject's schemas, version 1 first."""
        if subject not in self._subjects:
            raise RegistryError(40401, f"Subject '{subject}' not found.")
        return self._subjects[subject]

    def version(self, subject: str, version: str) -> tuple[int, StoredSchema]:
        """Find one version: a number, `latest`, or -1 for the same."""
        versions = self.versions(subject)
        number = len(versions) if version in ("latest", "-1") else int(version) if version.isdecimal() else 0
        if number < 1:
            raise RegistryError(42202, f"The specified version '{version}' is not a valid version id.")
        if number > len(versions):
            raise RegistryError(40402, f"Version {version} not found.")
        return number, versions[number - 1]

    def _intern(self, body: dict[str, Any]) -> StoredSchema:
        content = _content(body)
        known = self._by_content.get(content)
        if known is not None:
            return known
        schema = StoredSchema(len(self._by_id) + 1, body["schema"], tuple(body.get("references") or ()))
        self._prove(schema)
        self._by_content[content] = schema
        self._by_id[schema.id] = schema
        return schema

    def _prove(self, schema: StoredSchema) -> None:
        """Refuse a schema that cannot be used with the types it refers to."""
        named: dict[str, Any] = {}
        try:
            for part in self._closure(schema).values():
                fastavro.parse_schema(orjson.loads(part.text), named_schemas=named)
        except (RegistryError, KeyError, TypeError, ValueError, SchemaParseException) as error:
            raise RegistryError(42201, f"Invalid schema: {error}") from error

    def _closure(self, schema: StoredSchema) -> dict[int, StoredSchema]:
        """The schema and all it refers to, by id, each after what it needs."""
        found: dict[int, StoredSchema] = {}
        for reference in schema.references:
            _, target = self.version(reference["subject"], str(reference["version"]))
            found |= self._closure(target)
        return found | {schema.id: schema}


def _content(body: dict[str, Any]) -> bytes:
    """What makes two schemas the same: all but white space and the order of keys."""
    if body.get("schemaType", "AVRO") != "AVRO" or not isinstance(body.get("schema"), str):
        raise RegistryError(42201, "Invalid schema: only Avro is kept here")
    try:
        schema = orjson.loads(body["schema"])
    except orjson.JSONDecodeError as error:
        raise RegistryError(42201, f"Invalid schema: {error}") from error
    return orjson.dumps([schema, body.get("references") or []], option=orjson.OPT_SORT_KEYS)


class RegistryStub:
    """The store behind HTTP.

    Attributes:
        faults: what is wrong right now; set it at any time.
        url: where it listens; empty before it does.
    """

    def __init__(self, options: RegistryOptions) -> None:
        self.faults = RegistryFaults()
        self.url = ""
        self.store = SchemaStore()
        self._authorization = _basic(options.credentials) if options.credentials else None

    def application(self) -> web.Application:
        """Build what answers."""
        app = web.Application(middlewares=[self._guard])
        app.router.add_get("/subjects", self._subjects)
        app.router.add_post("/subjects/{subject}", self._lookup)
        app.router.add_get("/subjects/{subject}/versions", self._versions)
        app.router.add_post("/subjects/{subject}/versions", self._register)
        app.router.add_get("/subjects/{subject}/versions/{version}", self._version)
        app.router.add_get("/schemas/ids/{id}", self._schema)
        return app

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        faults = self.faults
        await asyncio.sleep(faults.delay)
        try:
            self._admit(request, faults)
            return await handler(request)
        except RegistryError as error:
            return _answer({"error_code": error.code, "message": error.message}, error.status)
        except web.HTTPException as error:
            return _answer({"error_code": error.status, "message": error.reason}, error.status)

    def _admit(self, request: web.Request, faults: RegistryFaults) -> None:
        if faults.down:
            raise RegistryError(503, "Service Unavailable")
        if self._authorization and request.headers.get("Authorization") != self._authorization:
            raise RegistryError(401, "Unauthorized")

    async def _subjects(self, _: web.Request) -> web.Response:
        return _answer(self.store.subjects())

    async def _lookup(self, request: web.Request) -> web.Response:
        subject = request.match_info["subject"]
        version, schema = self.store.lookup(subject, await _body(request))
        return _answer({"subject": subject, "version": version, "id": schema.id} | schema.as_json())

    async def _versions(self, request: web.Request) -> web.Response:
        versions = self.store.versions(request.match_info["subject"])
        return _answer(list(range(1, len(versions) + 1)))

    async def _register(self, request: web.Request) -> web.Response:
        schema = self.store.register(request.match_info["subject"], await _body(request))
        return _answer({"id": schema.id})

    async def _version(self, request: web.Request) -> web.Response:
        subject = request.match_info["subject"]
        version, schema = self.store.version(subject, request.match_info["version"])
        return _answer({"subject": subject, "version": version, "id": schema.id} | schema.as_json())

    async def _schema(self, request: web.Request) -> web.Response:
        return _answer(self.store.by_id(request.match_info["id"]).as_json())


async def _body(request: web.Request) -> dict[str, Any]:
    try:
        body = orjson.loads(await request.read())
    except orjson.JSONDecodeError as error:
        raise RegistryError(400, f"Not JSON: {error}") from error
    if not isinstance(body, dict):
        raise RegistryError(400, "Not a JSON object")
    return body


def _answer(body: object, status: int = 200) -> web.Response:
    return web.Response(status=status, body=orjson.dumps(body), content_type=CONTENT_TYPE)


def _basic(credentials: tuple[str, str]) -> str:
    return "Basic " + b64encode(":".join(credentials).encode()).decode("ascii")


@asynccontextmanager
async def running_registry(options: RegistryOptions | None = None) -> AsyncIterator[RegistryStub]:
    """Run a registry for as long as the block runs.

    Raises:
        OSError: the port is taken.
    """
    options = options or RegistryOptions()
    stub = RegistryStub(options)
    runner = web.AppRunner(
        stub.application(), access_log=None, handler_cancellation=True, shutdown_timeout=SHUTDOWN_TIMEOUT
    )
    async with serving(runner, options.host, options.port) as url:
        stub.url = url
        yield stub
