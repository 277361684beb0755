"""A simulated schema registry, as far as the service calls `SchemaRegistryClient`."""

from types import SimpleNamespace
from typing import Any

from confluent_kafka.schema_registry import Schema as RegisteredSchema
from confluent_kafka.schema_registry.common._httpx_compat import httpx
from confluent_kafka.schema_registry.error import SchemaRegistryError

from tests.simulation.machine import Host, Machine
from tests.simulation.weather import Ill, Weather

TIMEOUT = 5.0
"""Seconds that the service's client waits for an answer."""


class Registry:
    """All schemas.

    Attributes:
        by_id: by number or GUID.
        versions: by subject and version, for what schemas refer to.
        asked: ids in the order of the questions.
    """

    def __init__(self, machine: Machine, weather: Weather) -> None:
        self._machine = machine
        self._weather = weather
        self.by_id: dict[int | str, RegisteredSchema] = {}
        self.versions: dict[tuple[str, int], RegisteredSchema] = {}
        self.asked: list[int | str] = []

    def client(self, _: Host | None = None) -> "RegistryClient":
        """As `SchemaRegistryClient(config)`."""
        return RegistryClient(self)

    def answer(self, schema: RegisteredSchema | None, code: int, words: str) -> RegisteredSchema:
        """What a client is told, after a while; blocks the calling simulated thread.

        Raises:
            SchemaRegistryError: an answer that is an error.
            httpx.TransportError: no answer.
        """
        self._machine.sleep(0.001 + self._machine.random.random() ** 4 * 0.05)
        if self._weather.now(Ill.REGISTRY_AWAY):
            raise httpx.ConnectError("[Errno 111] Connection refused")
        if self._weather.now(Ill.REGISTRY_SILENT):
            self._machine.sleep(TIMEOUT)
            raise httpx.ReadTimeout("timed out")
        if self._weather.now(Ill.REGISTRY_ERROR):
            raise SchemaRegistryError(500, 50001, "Error in the backend datastore")
        if self._weather.now(Ill.REGISTRY_LOGIN):
            raise SchemaRegistryError(401, 401, "Unauthorized")
        if self._weather.now(Ill.REGISTRY_PAGE):
            raise SchemaRegistryError(404, -1, "unknown Schema Registry Error: <html>nobody here</html>")
        if schema is None:
            raise SchemaRegistryError(404, code, words)
        return schema


class RegistryClient:
    """One process's client."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def get_schema(self, schema_id: int) -> RegisteredSchema:
        """A schema by its number."""
        return self._by_id(schema_id)

    def get_schema_by_guid(self, guid: str) -> RegisteredSchema:
        """A schema by its GUID."""
        return self._by_id(guid)

    def close(self) -> None:
        """Nothing is kept open."""

    def get_version(self, subject_name: str, version: int, deleted: bool = False) -> Any:  # noqa: ARG002, FBT001, FBT002 - the client's own
        """A version of a subject."""
        found = self._registry.versions.get((subject_name, version))
        return SimpleNamespace(schema=self._registry.answer(found, 40401, f"Subject '{subject_name}' not found."))

    def _by_id(self, schema_id: int | str) -> RegisteredSchema:
        self._registry.asked.append(schema_id)
        found = self._registry.by_id.get(schema_id)
        return self._registry.answer(found, 40403, f"Schema {schema_id} not found")
