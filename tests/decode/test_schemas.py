import asyncio
from typing import Any

import pytest
from confluent_kafka.schema_registry.error import SchemaRegistryError

from processor.clock import ManualClock
from processor.decode import schemas as module
from processor.decode.schemas import REMEMBER_UNKNOWN, Schema, SchemaStore, Unusable, load
from tests.decode.registries import FakeRegistry, record_type, registered
from tests.support.logs import Lines
from tests.support.waiting import eventually

PAGE = record_type("Page", url="string")
VIEW = record_type("View", page="Page", at="long")
BOTH = record_type("Both", view="View", page="Page")


@pytest.fixture
def registry() -> FakeRegistry:
    """Knows `com.acme.Page` as 1."""
    return FakeRegistry({1: registered(PAGE)})


@pytest.fixture
def clock() -> ManualClock:
    """Time passes when told."""
    return ManualClock()


@pytest.fixture
def lines() -> Lines:
    """What was logged."""
    return Lines()


@pytest.fixture
def store(registry: FakeRegistry, clock: ManualClock, lines: Lines) -> SchemaStore:
    """A store that knows nothing yet."""
    return SchemaStore(registry, clock, lines.log)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The registry is asked again after no time."""
    monkeypatch.setattr(module, "BACK_OFF", (0.0, 0.0))


async def test_a_schema_is_fetched_once_and_kept(
    store: SchemaStore, registry: FakeRegistry, clock: ManualClock
) -> None:
    """`get` never waits; what was fetched is known for ever."""
    assert store.get(1) is None
    await store.fetch(1)
    clock.advance(10_000_000)

    found = store.get(1)

    assert isinstance(found, Schema)
    assert (found.id, found.name) == (1, "com.acme.Page")
    assert registry.asked == [1]


async def test_an_unknown_id_is_remembered_for_a_while(
    store: SchemaStore, registry: FakeRegistry, clock: ManualClock, lines: Lines
) -> None:
    """Garbage calls the registry once a minute per id; what is registered later is found."""
    await store.fetch(9)
    assert store.get(9) == Unusable("schema id 9 is unknown to the registry")
    clock.advance(REMEMBER_UNKNOWN - 0.1)
    assert store.get(9) is not None
    assert registry.asked == [9]

    clock.advance(0.1)
    assert store.get(9) is None
    registry.by_id[9] = registered(PAGE)
    await store.fetch(9)

    assert isinstance(store.get(9), Schema)
    assert [line["schema_id"] for line in lines("schema_unusable")] == [9]


async def test_what_is_remembered_does_not_grow_with_garbage(store: SchemaStore, clock: ManualClock) -> None:
    """A topic full of bytes that look like frames brings new ids for ever; only the last minute's are kept."""
    for schema_id in range(1000, 1200):
        await store.fetch(schema_id)
        clock.advance(REMEMBER_UNKNOWN / 10)

    assert len(store._unusable) <= 11


async def test_concurrent_misses_share_one_question(store: SchemaStore, registry: FakeRegistry) -> None:
    """A hundred records that wait for one schema make one request."""
    registry.gate.clear()
    waiting = [asyncio.create_task(store.fetch(1)) for _ in range(100)]
    await eventually(lambda: registry.asked)
    registry.gate.set()
    await asyncio.gather(*waiting)

    assert registry.asked == [1]
    assert isinstance(store.get(1), Schema)


async def test_one_who_gives_up_takes_nothing_from_the_others(store: SchemaStore, registry: FakeRegistry) -> None:
    """A partition that is revoked while it waits does not stop the question that others wait for."""
    registry.gate.clear()
    leaving, staying = asyncio.create_task(store.fetch(1)), asyncio.create_task(store.fetch(1))
    await eventually(lambda: registry.asked)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    registry.gate.set()
    await staying

    assert isinstance(store.get(1), Schema)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    "trouble",
    [
        SchemaRegistryError(503, 50302, "no leader"),
        SchemaRegistryError(500, 50001, "store"),
        SchemaRegistryError(401, 40101, "Unauthorized"),
        SchemaRegistryError(403, 40301, "Forbidden"),
        SchemaRegistryError(429, 42901, "slow down"),
        ConnectionError("refused"),
        TimeoutError("timed out"),
    ],
)
async def test_a_registry_that_is_down_is_waited_for(
    store: SchemaStore, registry: FakeRegistry, lines: Lines, trouble: Exception
) -> None:
    """Nothing is anybody's fault meanwhile; the reason can be read, is logged once, and goes away with the trouble."""
    registry.trouble = trouble
    fetching = asyncio.create_task(store.fetch(1))
    await eventually(lambda: len(registry.asked) > 3)
    assert store.get(1) is None
    assert type(trouble).__name__ in str(store.trouble)

    registry.trouble = None
    await fetching

    assert isinstance(store.get(1), Schema)
    assert store.trouble is None
    assert lines.events == ["registry_unavailable", "registry_back"]


async def test_the_registry_is_asked_less_and_less_often(
    store: SchemaStore, registry: FakeRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The waits grow to half a minute and stay there."""
    waits: list[float] = []

    async def note(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 7:
            registry.trouble = None

    monkeypatch.setattr(asyncio, "sleep", note)
    registry.trouble = ConnectionError("refused")
    await store.fetch(1)

    assert waits == [1.0, 2.0, 5.0, 10.0, 30.0, 30.0, 30.0]


async def test_without_a_registry_every_id_is_unknown(clock: ManualClock, lines: Lines) -> None:
    """The message says what is missing in the file."""
    store = SchemaStore(None, clock, lines.log)
    await store.fetch(1)

    assert store.get(1) == Unusable("schema id 1: no registry is configured; set registry.url")


# What a registry answers.


def test_no_schema_type_means_avro() -> None:
    """Old registries do not tell the type."""
    found = load(FakeRegistry({1: registered(PAGE, kind=None)}), 1)

    assert isinstance(found, Schema)


@pytest.mark.parametrize("kind", ["PROTOBUF", "JSON"])
def test_other_types_are_unusable(kind: str) -> None:
    """Only Avro is read; the message names what it is."""
    assert load(FakeRegistry({1: registered(PAGE, kind=kind)}), 1) == Unusable(f"schema id 1 is {kind}, not Avro")


@pytest.mark.parametrize("schema", ['"string"', '["null", "string"]', {"type": "enum", "name": "E", "symbols": ["A"]}])
def test_only_records_are_events(schema: object) -> None:
    """What is no record type has no fields to map."""
    assert load(FakeRegistry({1: registered(schema)}), 1) == Unusable("schema id 1 is not a record type")


@pytest.mark.parametrize(
    "schema",
    ["", "no JSON", "null", "5", "{}", '{"type": "record"}', '{"type": "thing"}', record_type("View", page="Page")],
    ids=str,
)
def test_a_schema_that_cannot_be_parsed_is_unusable(schema: object) -> None:
    """The record's fault, not the registry's: waiting would not help."""
    found = load(FakeRegistry({1: registered(schema)}), 1)

    assert isinstance(found, Unusable)
    assert found.message.startswith("schema id 1 cannot be parsed: ")


def names(found: Schema | Unusable) -> Any:
    """The fields of a schema with their types' names."""
    assert isinstance(found, Schema), found
    return {field["name"]: field["type"] for field in found.parsed["fields"]}


@pytest.mark.parametrize("form", ["{}", "com.acme.{}"])
def test_references_are_fetched(form: str) -> None:
    """Nested two deep, one of them twice, by full names and by the short ones that real producers register."""
    page, view = form.format("Page"), form.format("View")
    registry = FakeRegistry(
        {1: registered(BOTH, (view, "views"), (page, "pages"))},
        {
            ("pages", 1): registered(PAGE),
            ("views", 1): registered(VIEW, (page, "pages")),
        },
    )

    assert names(load(registry, 1)) == {"view": "com.acme.View", "page": "com.acme.Page"}


def test_references_in_a_circle_are_unusable() -> None:
    """No registry should have them; one that does must not keep us for ever."""
    registry = FakeRegistry(
        {1: registered(VIEW, ("Page", "pages"))},
        {
            ("pages", 1): registered(PAGE, ("View", "views")),
            ("views", 1): registered(VIEW, ("Page", "pages")),
        },
    )

    assert load(registry, 1) == Unusable(
        "schema id 1 cannot be parsed: its references go in a circle over pages",
    )


async def test_a_reference_that_is_gone_is_the_schema_s_fault(store: SchemaStore, registry: FakeRegistry) -> None:
    """A 404 for a part is as final as one for the whole."""
    registry.by_id[2] = registered(VIEW, ("Page", "pages"))
    await store.fetch(2)

    assert isinstance(store.get(2), Unusable)
