import asyncio
from typing import Any

import pytest
from confluent_kafka.schema_registry.error import SchemaRegistryError

from processor.clock import ManualClock
from processor.decode import schemas as module
from processor.decode.event_types import Schema
from processor.decode.schemas import REMEMBER_UNKNOWN, SchemaStore, Unusable, load
from tests.decode.registries import NO_FILES, FakeRegistry, record_type, registered
from tests.support.logs import Lines
from tests.support.waiting import eventually

PAGE = record_type("Page", url="string")
VIEW = record_type("View", page="Page", at="long")
BOTH = record_type("Both", view="View", page="Page")
GUID = "8f14e45f-ceea-467f-a8d3-1f0e3c2b9a77"


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
    return SchemaStore(registry, NO_FILES, clock, lines.log)


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
    assert (found.id, names(found)) == (1, ["com.acme.Page"])
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


async def test_a_registry_that_hangs_keeps_nobody_else(store: SchemaStore, registry: FakeRegistry) -> None:
    """However many schemas it is asked for, other work that needs a thread gets one."""
    registry.gate.clear()
    fetching = [asyncio.create_task(store.fetch(schema_id)) for schema_id in range(1, 101)]
    await eventually(lambda: registry.asked)

    assert await asyncio.wait_for(asyncio.to_thread(lambda: "done"), 5) == "done"
    registry.gate.set()
    await asyncio.gather(*fetching)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        (SchemaRegistryError(503, 50302, "no leader"), "it answers 503: no leader; look at the registry"),
        (SchemaRegistryError(500, 50001, "store"), "it answers 500: store"),
        (
            SchemaRegistryError(502, -1, "<html>" * 1000),
            f"it answers 502: {('<html>' * 34)[:200]}; look at the registry",
        ),
        (
            SchemaRegistryError(401, 40101, "Unauthorized"),
            "it answers 401: Unauthorized; it refuses this service's login",
        ),
        (SchemaRegistryError(403, 40301, "Forbidden"), "it refuses this service's login: look at basic.auth"),
        (SchemaRegistryError(429, 42901, "slow down"), "it answers 429: slow down"),
        (SchemaRegistryError(404, -1, "<html>"), "no answer of a schema registry: look at the path in registry.url"),
        (SchemaRegistryError(404, 0, ""), "no answer of a schema registry: look at the path in registry.url"),
        (
            SchemaRegistryError(404, 404, "HTTP 404 Not Found"),
            "it answers 404: HTTP 404 Not Found; this is no answer of",
        ),
        (ConnectionError("refused"), "ConnectionError: refused; look at registry.url"),
        (TimeoutError("timed out"), "TimeoutError: timed out; look at registry.url"),
    ],
)
async def test_a_registry_that_is_down_is_waited_for(
    store: SchemaStore, registry: FakeRegistry, lines: Lines, trouble: Exception, words: str
) -> None:
    """Nothing is anybody's fault meanwhile; the reason can be read, is logged once, and goes away with the trouble."""
    registry.trouble = trouble
    fetching = asyncio.create_task(store.fetch(1))
    await eventually(lambda: len(registry.asked) > 3)
    assert store.get(1) is None
    assert words in store.troubles[1]

    registry.trouble = None
    await fetching

    assert isinstance(store.get(1), Schema)
    assert store.troubles == {}
    assert lines.events == ["registry_unavailable", "registry_back"]
    assert {line["schema_id"] for event in lines.events for line in lines(event)} == {1}


@pytest.mark.usefixtures("impatient")
async def test_each_schema_has_its_own_trouble(store: SchemaStore, registry: FakeRegistry, lines: Lines) -> None:
    """That the registry tells one schema says nothing of another that it cannot tell."""
    registry.by_id[2] = registered(VIEW, ("Page", "pages"))
    registry.refusals["pages"] = SchemaRegistryError(500, 50001, "store")
    fetching = asyncio.create_task(store.fetch(2))
    await eventually(lambda: store.troubles)

    await store.fetch(1)

    assert list(store.troubles) == [2]
    assert lines.events == ["registry_unavailable"]
    fetching.cancel()


@pytest.mark.parametrize("schema_id", [2**31, 2**32 - 1])
def test_an_id_that_no_registry_gives_is_not_asked_for(schema_id: int) -> None:
    """Registries would answer it as they answer a wrong path, which is waited for."""
    registry = FakeRegistry(trouble=SchemaRegistryError(404, 404, "HTTP 404 Not Found"))

    assert load(registry, schema_id, NO_FILES) == Unusable(
        "a schema id that is no registry's: theirs end at 2147483647"
    )
    assert registry.asked == []


def test_a_registry_s_other_words_are_told() -> None:
    """Apicurio answers so for a schema that refers to what it does not have."""
    registry = FakeRegistry(trouble=SchemaRegistryError(404, 40402, "Version 1 not found."))

    assert load(registry, 5, NO_FILES) == Unusable("schema id 5 is unknown to the registry: Version 1 not found.")


async def test_the_registry_is_asked_less_and_less_often(
    store: SchemaStore, registry: FakeRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The waits grow to ten seconds and stay there: not longer does a partition stand still for nothing."""
    waits: list[float] = []

    async def note(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 7:
            registry.trouble = None

    monkeypatch.setattr(asyncio, "sleep", note)
    registry.trouble = ConnectionError("refused")
    await store.fetch(1)

    assert waits == [1.0, 2.0, 5.0, 10.0, 10.0, 10.0, 10.0]


async def test_without_a_registry_every_id_is_unknown(clock: ManualClock, lines: Lines) -> None:
    """The message says what is missing in the file."""
    store = SchemaStore(None, NO_FILES, clock, lines.log)
    await store.fetch(1)

    assert store.get(1) == Unusable("schema id 1: no registry is configured; set registry.url")
    store.close()


@pytest.mark.usefixtures("impatient")
async def test_the_end(store: SchemaStore, registry: FakeRegistry, lines: Lines) -> None:
    """Who waits for a registry that is away waits no more, nobody asks again, the client is closed."""
    registry.trouble = ConnectionError("refused")
    waits = asyncio.create_task(store.fetch(1))
    await eventually(lambda: store.troubles)
    store.close()
    store.close()
    with pytest.raises(asyncio.CancelledError):
        await waits
    asked = len(registry.asked)
    await asyncio.sleep(0)

    assert registry.closed
    assert len(registry.asked) == asked
    assert len(lines("registry_unavailable")) == 1


async def test_the_end_in_the_middle_of_a_question(store: SchemaStore, registry: FakeRegistry, lines: Lines) -> None:
    """Nobody waits for its answer, and nothing is said of it."""
    registry.gate.clear()
    waits = asyncio.create_task(store.fetch(1))
    await eventually(lambda: registry.asked)
    store.close()
    with pytest.raises(asyncio.CancelledError):
        await waits
    registry.gate.set()

    assert lines.events == []


# What a registry answers.


def test_no_schema_type_means_avro() -> None:
    """Old registries do not tell the type."""
    found = load(FakeRegistry({1: registered(PAGE, kind=None)}), 1, NO_FILES)

    assert isinstance(found, Schema)


@pytest.mark.parametrize("kind", ["PROTOBUF", "JSON"])
def test_other_types_are_unusable(kind: str) -> None:
    """Only Avro is read; the message names what it is."""
    assert load(FakeRegistry({1: registered(PAGE, kind=kind)}), 1, NO_FILES) == Unusable(
        f"schema id 1 is {kind}, not Avro"
    )


@pytest.mark.parametrize("schema", ['"string"', '["null", "string"]', {"type": "enum", "name": "E", "symbols": ["A"]}])
def test_only_records_are_events(schema: object) -> None:
    """What is no record type has no fields to map."""
    assert load(FakeRegistry({1: registered(schema)}), 1, NO_FILES) == Unusable("schema id 1 is not a record type")


@pytest.mark.parametrize(
    "schema",
    ["", "no JSON", "null", "5", "{}", '{"type": "record"}', '{"type": "thing"}', record_type("View", page="Page")],
    ids=str,
)
def test_a_schema_that_cannot_be_parsed_is_unusable(schema: object) -> None:
    """The record's fault, not the registry's: waiting would not help."""
    found = load(FakeRegistry({1: registered(schema)}), 1, NO_FILES)

    assert isinstance(found, Unusable)
    assert found.message.startswith("schema id 1 cannot be parsed: ")


def names(found: Schema | Unusable | None) -> Any:
    """The events that a schema has, by name."""
    assert isinstance(found, Schema), found
    return [each and each.name for each in found.types]


def text(word: str) -> bytes:
    """A short text in Avro's binary encoding."""
    return bytes([len(word) << 1]) + word.encode()


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

    found = load(registry, 1, NO_FILES)

    assert isinstance(found, Schema)
    assert found.types[0]
    assert found.types[0].read(text("/a") + b"\x02" + text("/b"), 0) == {
        "view": {"page": {"url": "/a"}, "at": 1},
        "page": {"url": "/b"},
    }


def test_references_in_a_circle_are_unusable() -> None:
    """No registry should have them; one that does must not keep us for ever."""
    registry = FakeRegistry(
        {1: registered(VIEW, ("Page", "pages"))},
        {
            ("pages", 1): registered(PAGE, ("View", "views")),
            ("views", 1): registered(VIEW, ("Page", "pages")),
        },
    )

    assert load(registry, 1, NO_FILES) == Unusable(
        "schema id 1 cannot be read: its references go in a circle over pages",
    )


async def test_a_reference_that_is_gone_is_the_schema_s_fault(store: SchemaStore, registry: FakeRegistry) -> None:
    """A 404 for a part is as final as one for the whole."""
    registry.by_id[2] = registered(VIEW, ("Page", "pages"))
    await store.fetch(2)

    assert store.get(2) == Unusable(
        "schema id 2 cannot be read: it refers to version 1 of pages, which the registry does not know"
    )


async def test_a_reference_that_cannot_be_asked_for_is_waited_for(store: SchemaStore, registry: FakeRegistry) -> None:
    """A part that the registry does not give just now is not a part that it does not have."""
    registry.by_id[2] = registered(VIEW, ("Page", "pages"))
    registry.refusals["pages"] = SchemaRegistryError(500, 50001, "store")
    fetching = asyncio.create_task(store.fetch(2))
    await eventually(lambda: store.troubles)
    assert store.get(2) is None
    fetching.cancel()


async def test_a_schema_is_known_by_its_guid(store: SchemaStore, registry: FakeRegistry) -> None:
    """Newer producers write it in place of a number."""
    registry.by_id[GUID] = registered(PAGE)
    await store.fetch(GUID)
    await store.fetch("8f14e45f-ceea-467f-a8d3-000000000000")

    assert names(store.get(GUID)) == ["com.acme.Page"]
    assert store.get("8f14e45f-ceea-467f-a8d3-000000000000") == Unusable(
        "schema id 8f14e45f-ceea-467f-a8d3-000000000000 is unknown to the registry"
    )


def test_a_union_at_the_top_has_several_events() -> None:
    """Each by its own name; what is no record is never an event."""
    union = ["null", record_type("A"), "string", record_type("B")]
    found = load(FakeRegistry({1: registered(union)}), 1, NO_FILES)

    assert names(found) == [None, "com.acme.A", None, "com.acme.B"]
    assert isinstance(found, Schema)
    assert found.is_union


def test_a_union_of_references_has_several_events() -> None:
    """As producers of several event types register it: names only, each with its own subject."""
    registry = FakeRegistry(
        {1: registered('["com.acme.Page", "com.acme.View"]', ("com.acme.Page", "pages"), ("com.acme.View", "views"))},
        {("pages", 1): registered(PAGE), ("views", 1): registered(VIEW, ("Page", "pages"))},
    )

    assert names(load(registry, 1, NO_FILES)) == ["com.acme.Page", "com.acme.View"]


@pytest.mark.parametrize(
    "kind",
    [
        {"type": "bytes", "logicalType": "decimal", "precision": 2, "scale": 4},
        {"type": "bytes", "logicalType": "decimal"},
        {"type": "string", "logicalType": "timestamp-millis"},
        {"type": "fixed", "name": "F", "size": 1, "logicalType": "decimal", "precision": 9},
        {"type": {"type": "string", "avro.java.string": "String"}},
        {"type": ["null", "string"]},
        {"type": "array", "items": {"type": "bytes", "logicalType": "decimal", "precision": -1}},
        {"type": "map", "values": {"type": {"type": "string"}}},
    ],
)
def test_what_does_not_matter_to_readers_is_no_fault(kind: object) -> None:
    """Ten years of producers have registered these; their bytes are as good as any."""
    schema = {"type": "record", "name": "A", "fields": [{"name": "a", "type": kind, "default": {"wrong": "type"}}]}

    assert names(load(FakeRegistry({1: registered(schema)}), 1, NO_FILES)) == ["A"]


def test_a_schema_of_endless_depth_is_unusable() -> None:
    """Whatever a schema does to the parser, it is its own fault, and is not waited for."""
    deep = '{"type": "array", "items": ' * 20_000 + '"int"' + "}" * 20_000

    assert isinstance(load(FakeRegistry({1: registered(deep)}), 1, NO_FILES), Unusable)
