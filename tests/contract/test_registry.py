"""What the schema store believes of a registry and its client, said of the simulated one and of a real one alike."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.error import SchemaRegistryError

from processor.app import REGISTRY_DEFAULTS
from processor.decode.schemas import is_unknown
from tests.contract.simulated import OnThread, SimulatedGround
from tests.decode.registries import record_type
from tests.simulation.registry import Registry
from tests.simulation.weather import Ill
from tests.support.server import free_port

PAGE = Schema(json.dumps(record_type("Page", url="string")), "AVRO")


@dataclass
class Ground:
    """A registry.

    Attributes:
        client: of the service.
        register: registers a schema under a new subject; gives the subject and the id.
        nobody: a client of a registry that is not there.
    """

    client: Any
    register: Callable[[Schema], tuple[str, int]]
    nobody: Callable[[], Any]


@dataclass
class Simulated:
    """A simulated registry's side."""

    ground: SimulatedGround
    registry: Registry = field(init=False)

    def __post_init__(self) -> None:
        self.registry = Registry(self.ground.machine, self.ground.weather)

    def register(self, schema: Schema) -> tuple[str, int]:
        """Its first schema."""
        self.registry.by_id[1] = self.registry.versions["pages", 1] = schema
        return "pages", 1

    def client(self) -> Any:
        """A client whose calls are made on a simulated thread."""
        return OnThread(self.ground.run, self.registry.client())

    def nobody(self) -> Any:
        """The same, with nobody there."""
        self.ground.weather.begin(Ill.REGISTRY_AWAY)
        return self.client()


@pytest.fixture(params=["simulated", "real"])
def ground(request: pytest.FixtureRequest) -> Iterator[Ground]:
    """A registry, simulated and real."""
    if request.param == "simulated":
        simulated = Simulated(SimulatedGround("classic"))
        yield Ground(simulated.client(), simulated.register, simulated.nobody)
        return
    url = request.getfixturevalue("registry").url
    nowhere = f"http://127.0.0.1:{free_port()}"
    with client_of(url) as client, client_of(nowhere) as nobody:
        yield real_ground(client, nobody)


def client_of(url: str) -> SchemaRegistryClient:
    """A client as the service has it."""
    return SchemaRegistryClient({"url": url, **REGISTRY_DEFAULTS})


def real_ground(client: SchemaRegistryClient, nobody: SchemaRegistryClient) -> Ground:
    """A registry of the test run."""

    def register(schema: Schema) -> tuple[str, int]:
        subject = uuid4().hex
        return subject, client.register_schema(subject, schema)

    return Ground(client, register, lambda: nobody)


def test_a_schema_is_had_by_its_id_and_by_its_version(ground: Ground) -> None:
    """With its text, and a type that is Avro or nothing."""
    subject, schema_id = ground.register(PAGE)

    by_id = ground.client.get_schema(schema_id)
    by_version = ground.client.get_version(subject, 1, deleted=True).schema

    for schema in (by_id, by_version):
        assert json.loads(schema.schema_str) == json.loads(PAGE.schema_str or "")
        assert schema.schema_type in {None, "AVRO"}
        assert not schema.references


def test_an_unknown_id(ground: Ground) -> None:
    """It is an error of its own, which says that it is about the id; and the same for a subject."""
    with pytest.raises(SchemaRegistryError) as by_id:
        ground.client.get_schema(2_000_000_000)
    with pytest.raises(SchemaRegistryError) as by_subject:
        ground.client.get_version("no-such-subject", 1, deleted=True)

    assert (by_id.value.http_status_code, by_id.value.error_code) == (404, 40403)
    assert (by_subject.value.http_status_code, by_subject.value.error_code) == (404, 40401)
    assert is_unknown(by_id.value)
    assert is_unknown(by_subject.value)


def test_nobody_is_there(ground: Ground) -> None:
    """That is the transport's own error, and no registry's."""
    with pytest.raises(Exception, match="refused") as raised:
        ground.nobody().get_schema(1)

    assert not isinstance(raised.value, SchemaRegistryError)
    assert type(raised.value).__name__ == "ConnectError"
