"""The store over the client that the service uses, against a registry over real HTTP."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import pytest
from confluent_kafka.schema_registry import SchemaRegistryClient

from processor.clock import ManualClock
from processor.decode import schemas as module
from processor.decode.event_types import Schema
from processor.decode.schemas import SchemaStore, Unusable
from processor.demo.registry import RegistryFaults, RegistryOptions, RegistryStub, running_registry
from processor.demo.schemas import load_schemas
from tests.decode.registries import NO_FILES, record_type, registered
from tests.support.logs import Lines
from tests.support.server import free_port
from tests.support.waiting import eventually

PAGE = record_type("Page", url="string")
VIEW = record_type("View", page="Page")
BOTH = record_type("Both", view="View", page="Page")
USER = ("shop", "a good word")


@pytest.fixture
async def stub() -> AsyncIterator[RegistryStub]:
    """An empty registry."""
    async with running_registry() as stub:
        yield stub


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The registry is asked again soon."""
    monkeypatch.setattr(module, "BACK_OFF", (0.01,))


@contextmanager
def store(url: str, **config: object) -> Iterator[SchemaStore]:
    """A store that knows nothing yet, over the real client."""
    with SchemaRegistryClient({"url": url, "timeout": 5, "max.retries": 0, **config}) as client:
        yield SchemaStore(client, NO_FILES, ManualClock(), Lines().log)


async def register(stub: RegistryStub, subject: str, *schema: object) -> int:
    """Register a schema with its references; gives its id."""
    with SchemaRegistryClient({"url": stub.url}) as client:
        return await asyncio.to_thread(client.register_schema, subject, registered(*schema))  # type: ignore[arg-type]


async def test_the_canonical_schemas_are_read(stub: RegistryStub) -> None:
    """What the demo's shop registers is what the service decodes with."""
    for name, schema in load_schemas().items():
        schema_id = await register(stub, name, schema.text)
        with store(stub.url) as schemas:
            await schemas.fetch(schema_id)
            found = schemas.get(schema_id)

        assert isinstance(found, Schema)
        assert [each and each.name for each in found.types] == [name]


async def test_references_are_read(stub: RegistryStub) -> None:
    """A schema in three parts, two of them used twice."""
    await register(stub, "pages", PAGE)
    await register(stub, "views", VIEW, ("com.acme.Page", "pages"))
    schema_id = await register(stub, "both", BOTH, ("com.acme.View", "views"), ("com.acme.Page", "pages"))

    with store(stub.url) as schemas:
        await schemas.fetch(schema_id)
        found = schemas.get(schema_id)

    assert isinstance(found, Schema)
    assert [each and each.name for each in found.types] == ["com.acme.Both"]


@pytest.mark.parametrize("schema_id", [77, 2**31 - 1])
async def test_an_unknown_id_is_the_record_s_fault(stub: RegistryStub, schema_id: int) -> None:
    """Whatever number stands in a frame, the registry's own 404 ends the waiting."""
    with store(stub.url) as schemas:
        await asyncio.wait_for(schemas.fetch(schema_id), 10)

        assert schemas.get(schema_id) == Unusable(f"schema id {schema_id} is unknown to the registry")


async def test_an_outage_is_waited_out(stub: RegistryStub) -> None:
    """503 until it is back, and then the schema."""
    schema_id = await register(stub, "pages", PAGE)
    stub.faults = RegistryFaults(down=True)
    with store(stub.url) as schemas:
        fetching = asyncio.create_task(schemas.fetch(schema_id))
        await eventually(lambda: schemas.troubles)
        assert not fetching.done()

        stub.faults = RegistryFaults()
        await asyncio.wait_for(fetching, 10)

        assert isinstance(schemas.get(schema_id), Schema)
        assert schemas.troubles == {}


async def test_a_slow_registry_is_waited_for(stub: RegistryStub) -> None:
    """An answer that comes later than the client waits is asked for again."""
    schema_id = await register(stub, "pages", PAGE)
    stub.faults = RegistryFaults(delay=30.0)
    with store(stub.url, timeout=0.3) as schemas:
        fetching = asyncio.create_task(schemas.fetch(schema_id))
        await eventually(lambda: schemas.troubles)
        stub.faults = RegistryFaults()
        await asyncio.wait_for(fetching, 10)

        assert isinstance(schemas.get(schema_id), Schema)


async def test_a_registry_that_is_not_there_is_waited_for() -> None:
    """It may start after us."""
    port = free_port()
    with store(f"http://127.0.0.1:{port}") as schemas:
        fetching = asyncio.create_task(schemas.fetch(1))
        await eventually(lambda: schemas.troubles)
        async with running_registry(RegistryOptions(port=port)) as stub:
            await register(stub, "pages", PAGE)
            await asyncio.wait_for(fetching, 10)

        assert schemas.get(1) is not None


async def test_wrong_credentials_are_waited_out_and_not_shown() -> None:
    """They are nobody's record's fault; the reason names no secret."""
    async with running_registry(RegistryOptions(credentials=USER)) as stub:
        with store(stub.url, **{"basic.auth.user.info": "shop:wrong-word"}) as schemas:
            fetching = asyncio.create_task(schemas.fetch(1))
            await eventually(lambda: schemas.troubles)
            fetching.cancel()

            assert "Unauthorized" in schemas.troubles[1]
            assert "wrong-word" not in schemas.troubles[1]


async def test_the_right_credentials_open_it() -> None:
    """The client's own keys are for that."""
    async with running_registry(RegistryOptions(credentials=USER)) as stub:
        with store(stub.url, **{"basic.auth.user.info": ":".join(USER)}) as schemas:
            await asyncio.wait_for(schemas.fetch(1), 10)

            assert isinstance(schemas.get(1), Unusable)
