"""The stub is asked by the client that the service uses."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from typing import Any

import aiohttp
import pytest
from confluent_kafka.schema_registry import Schema, SchemaReference, SchemaRegistryClient
from confluent_kafka.schema_registry.error import SchemaRegistryError

from processor.demo.registry import RegistryFaults, RegistryOptions, RegistryStub, running_registry
from processor.demo.schemas import load_schemas

ClientOf = Callable[..., SchemaRegistryClient]

USER = ("shop", "a good word")

PAGE = Schema('{"type": "record", "name": "Page", "fields": [{"name": "url", "type": "string"}]}', "AVRO")
VIEW = Schema(
    '{"type": "record", "name": "View", "fields": [{"name": "page", "type": "Page"}]}',
    "AVRO",
    [SchemaReference("Page", "page", 1)],
)
BOTH = Schema(
    '{"type": "record", "name": "Both", "fields": ['
    '{"name": "view", "type": "View"}, {"name": "page", "type": "Page"}]}',
    "AVRO",
    [SchemaReference("View", "view", 1), SchemaReference("Page", "page", 1)],
)


@pytest.fixture
async def stub() -> AsyncIterator[RegistryStub]:
    """An empty registry."""
    async with running_registry() as stub:
        yield stub


@pytest.fixture
def client_of() -> Iterator[ClientOf]:
    """Makes clients that know nothing yet and never ask twice."""
    with ExitStack() as clients:
        yield lambda stub, **config: clients.enter_context(
            SchemaRegistryClient({"url": stub.url, "max.retries": 0, **config})
        )


async def refusal(call: Any, *arguments: Any) -> tuple[int, int]:
    """HTTP status and error code that a client's call fails with."""
    with pytest.raises(SchemaRegistryError) as caught:
        await asyncio.to_thread(call, *arguments)
    return caught.value.http_status_code, caught.value.error_code


async def test_a_registered_schema_is_found_by_its_id(client_of: ClientOf, stub: RegistryStub) -> None:
    """What a producer registers a consumer reads back, word for word."""
    client = client_of(stub)

    for name, schema in load_schemas().items():
        schema_id = await asyncio.to_thread(client.register_schema, name, Schema(schema.text, "AVRO"))
        found = await asyncio.to_thread(client_of(stub).get_schema, schema_id)
        assert found.schema_str == schema.text


async def test_a_schema_may_be_asked_for_with_its_subject(client_of: ClientOf, stub: RegistryStub) -> None:
    """Newer clients add the subject to the id; the answer is the same."""
    schema_id = await asyncio.to_thread(client_of(stub).register_schema, "page", PAGE)

    found = await asyncio.to_thread(client_of(stub).get_schema, schema_id, "page")

    assert found.schema_str == PAGE.schema_str


async def test_the_same_schema_has_one_id_and_one_version(client_of: ClientOf, stub: RegistryStub) -> None:
    """Registering again, or elsewhere, or with other white space, makes nothing new."""
    spaced = Schema("  " + (PAGE.schema_str or "").replace(",", " ,\n"), "AVRO")

    ids = [
        await asyncio.to_thread(client_of(stub).register_schema, subject, schema)
        for subject, schema in (("page", PAGE), ("page", PAGE), ("page", spaced), ("other", PAGE))
    ]

    assert ids == [1, 1, 1, 1]
    assert await asyncio.to_thread(client_of(stub).get_versions, "page") == [1]
    assert await asyncio.to_thread(client_of(stub).get_subjects) == ["other", "page"]


async def test_versions_count_per_subject(client_of: ClientOf, stub: RegistryStub) -> None:
    """The latest version is the one that was registered last."""
    client = client_of(stub)
    wider = Schema((PAGE.schema_str or "").replace('"string"', '["null", "string"]'), "AVRO")
    await asyncio.to_thread(client.register_schema, "page", PAGE)
    await asyncio.to_thread(client.register_schema, "page", wider)

    latest = await asyncio.to_thread(client.get_latest_version, "page")
    first = await asyncio.to_thread(client.get_version, "page", 1)

    assert (latest.version, latest.schema_id) == (2, 2)
    assert (first.version, first.schema_id, first.schema.schema_str) == (1, 1, PAGE.schema_str)


async def test_a_schema_is_looked_up_in_its_subject(client_of: ClientOf, stub: RegistryStub) -> None:
    """A producer that may not register still finds its id."""
    await asyncio.to_thread(client_of(stub).register_schema, "page", PAGE)

    found = await asyncio.to_thread(client_of(stub).lookup_schema, "page", PAGE)

    assert (found.subject, found.version, found.schema_id) == ("page", 1, 1)


async def test_references_are_kept(client_of: ClientOf, stub: RegistryStub) -> None:
    """A consumer learns which other schemas it must fetch, also where two of them lead to the same one."""
    client = client_of(stub)
    await asyncio.to_thread(client.register_schema, "page", PAGE)
    await asyncio.to_thread(client.register_schema, "view", VIEW)
    schema_id = await asyncio.to_thread(client.register_schema, "both", BOTH)

    found = await asyncio.to_thread(client_of(stub).get_schema, schema_id)

    assert [(r.name, r.subject, r.version) for r in found.references or ()] == [
        ("View", "view", 1),
        ("Page", "page", 1),
    ]


async def test_what_is_not_there_has_the_real_error_codes(client_of: ClientOf, stub: RegistryStub) -> None:
    """The service tells "unknown schema" from "registry down" by these codes."""
    client = client_of(stub)
    await asyncio.to_thread(client.register_schema, "page", PAGE)

    assert await refusal(client.get_schema, 99) == (404, 40403)
    assert await refusal(client.get_versions, "nothing") == (404, 40401)
    assert await refusal(client.get_latest_version, "nothing") == (404, 40401)
    assert await refusal(client.get_version, "page", 9) == (404, 40402)
    assert await refusal(client.get_version, "page", "first") == (422, 42202)
    assert await refusal(client.lookup_schema, "page", VIEW) == (404, 40403)


@pytest.mark.parametrize(
    "schema",
    [
        Schema('{"type": "record", "fields": []}', "AVRO"),
        Schema('{"type": "record"', "AVRO"),
        Schema('{"type": "thing"}', "AVRO"),
        Schema('syntax = "proto3";', "PROTOBUF"),
        VIEW,
    ],
    ids=["no name", "not JSON", "unknown type", "not Avro", "reference that is not there"],
)
async def test_a_bad_schema_is_refused(client_of: ClientOf, stub: RegistryStub, schema: Schema) -> None:
    """Nothing is registered that a consumer could not use."""
    assert await refusal(client_of(stub).register_schema, "bad", schema) == (422, 42201)
    assert await asyncio.to_thread(client_of(stub).get_subjects) == []


async def test_other_requests_are_answered_in_the_registry_s_form(stub: RegistryStub) -> None:
    """Garbage and unknown paths get an error body too, never a stack trace."""
    async with aiohttp.ClientSession() as session:
        for body in ("not JSON", "[]"):
            async with session.post(f"{stub.url}/subjects/page/versions", data=body) as answer:
                assert (answer.status, (await answer.json(content_type=None))["error_code"]) == (400, 400)
        async with session.get(f"{stub.url}/elsewhere") as answer:
            assert (await answer.json(content_type=None)) == {"error_code": 404, "message": "Not Found"}


async def test_the_right_credentials_are_wanted_where_some_are_set(client_of: ClientOf) -> None:
    """With basic authentication on, a client without it or with a wrong word gets 401."""
    async with running_registry(RegistryOptions(credentials=USER)) as stub:
        good = client_of(stub, **{"basic.auth.user.info": ":".join(USER)})
        bad = client_of(stub, **{"basic.auth.user.info": "shop:wrong"})

        assert await asyncio.to_thread(good.register_schema, "page", PAGE) == 1
        assert await refusal(bad.get_schema, 1) == (401, 401)
        assert await refusal(client_of(stub).get_schema, 1) == (401, 401)


async def test_credentials_are_not_shown() -> None:
    """Options may end up in a log line; the word may not."""
    assert USER[1] not in repr(RegistryOptions(credentials=USER))


async def test_a_registry_that_is_down_answers_503_until_it_is_up(client_of: ClientOf, stub: RegistryStub) -> None:
    """An outage ends without losing what was registered."""
    client = client_of(stub)
    await asyncio.to_thread(client.register_schema, "page", PAGE)

    stub.faults = RegistryFaults(down=True)
    assert await refusal(client_of(stub).get_schema, 1) == (503, 503)

    stub.faults = RegistryFaults()
    assert (await asyncio.to_thread(client_of(stub).get_schema, 1)).schema_str == PAGE.schema_str


async def test_a_slow_registry_takes_its_time(stub: RegistryStub) -> None:
    """A client that is less patient than the registry is slow sees a time-out."""
    stub.faults = RegistryFaults(delay=30.0)

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(_subjects(stub), 0.05)


async def _subjects(stub: RegistryStub) -> None:
    async with aiohttp.ClientSession() as session, session.get(f"{stub.url}/subjects"):
        pass
