"""Records of a Java producer that registers nested types as references: from a real Kafka, with a real registry."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient

from processor.clock import SystemClock
from processor.decode.decoder import AwaitSchema, Decoded, Decoder
from processor.decode.local import LocalTypes
from processor.decode.schemas import SchemaStore
from processor.records import Event, Filtered, FilterReason, Record
from processor.settings.avro_files import LocalSchemas
from tests.decode.client_values import exact, revived
from tests.support.broker import Broker
from tests.support.logs import Lines
from tests.support.options import UnavailableError
from tests.support.programs import run_java
from tests.support.records import record
from tests.support.registry import API, Registry
from tests.support.topics import TopicFactory
from tests.support.waiting import eventually_sync

FIXTURES = Path(__file__).parents[1] / "fixtures"
PRODUCER = FIXTURES / "producer"
OWN_API = "/apis/registry/v3"
"""Where Apicurio's own serializer registers, beside `API`."""
FEATURES = (
    *("nested_type_of_the_same_namespace", "newer_version_of_a_nested_type"),
    *("references_of_references_in_another_namespace", "in_arrays_and_maps", "top_level_union", "without_references"),
)


@dataclass(frozen=True)
class Written:
    """A record as it is in Kafka, and what its producer says of it."""

    feature: str
    event: str
    value: Any
    record: Record


@pytest.fixture(scope="module")
def written(broker: Broker, registry: Registry, tmp_path_factory: pytest.TempPathFactory) -> Sequence[Written]:
    """All that the producer wrote, in its order."""
    if broker.kind == "embedded" or not registry.url.endswith(API):
        pytest.skip("a Java producer needs a real Kafka, and its serializer Apicurio Registry")
    said = tmp_path_factory.mktemp("producer") / "said.jsonl"
    with closing(TopicFactory(broker)) as topics:
        topic = topics(partitions=1)
        where = [broker.bootstrap, registry.url.removesuffix(API) + OWN_API, topic]
        try:
            run_java(
                PRODUCER, "Producer", [*where, str(PRODUCER / "events.json"), str(said)], [FIXTURES / "avro" / "java"]
            )
        except UnavailableError as error:
            pytest.skip(f"no Java producer here: {error}")
        lines = [revived(line) for line in said.read_text(encoding="utf-8").splitlines()]
        values = list(consumed(broker, topic, len(lines)))
    return [
        Written(line["feature"], line["event"], line["value"], record(line["offset"], value=values[line["offset"]]))
        for line in lines
    ]


def consumed(broker: Broker, topic: str, count: int) -> Iterator[bytes | None]:
    """The values of a topic's first records."""
    consumer = Consumer({"bootstrap.servers": broker.bootstrap, "group.id": f"{topic}.test"})
    consumer.assign([TopicPartition(topic, 0, 0)])
    try:
        for offset in range(count):
            message = eventually_sync(lambda: consumer.poll(0.2))
            assert message.error() is None
            assert message.offset() == offset
            yield message.value()
    finally:
        consumer.close()


@pytest.fixture
def registry_client(registry: Registry) -> Iterator[SchemaRegistryClient]:
    """Confluent's client, as the service has it."""
    with SchemaRegistryClient({"url": registry.url}) as client:
        yield client


async def decoded(client: SchemaRegistryClient, arrived: Record, wanted: str = "") -> Decoded:
    """What becomes of a record where routes want all events, or one."""
    store = SchemaStore(client, LocalSchemas(), SystemClock(), Lines().log)
    decoder = Decoder(store, LocalTypes(LocalSchemas(), {}), lambda _, event: not wanted or event == wanted)
    unknown = decoder.decode(arrived)
    assert isinstance(unknown, AwaitSchema)
    await store.fetch(unknown.schema_id)
    return decoder.decode(arrived)


@pytest.mark.parametrize("feature", FEATURES)
async def test_an_event_is_read_as_its_producer_wrote_it(
    written: Sequence[Written], registry_client: SchemaRegistryClient, feature: str
) -> None:
    """Whatever types its schema refers to, by short names too, and as branches of a union."""
    records = [each for each in written if each.feature == feature]

    assert records
    for each in records:
        event = await decoded(registry_client, each.record)
        assert isinstance(event, Event), event
        assert event.name == each.event
        assert exact(event.value) == exact(each.value)


async def test_of_a_union_only_what_is_wanted_is_read(
    written: Sequence[Written], registry_client: SchemaRegistryClient
) -> None:
    """The branches that no route wants are filtered."""
    union = [each for each in written if each.feature == "top_level_union"]
    wanted = union[1].event

    fates = [await decoded(registry_client, each.record, wanted) for each in union]

    assert [isinstance(fate, Event) for fate in fates] == [each.event == wanted for each in union]
    assert [fate for fate in fates if not isinstance(fate, Event)] == [Filtered(FilterReason.NO_ROUTE)] * 2


def test_the_registry_has_references_by_short_names(
    written: Sequence[Written], registry_client: SchemaRegistryClient
) -> None:
    """What the tests above decode is what they say it is."""
    found: dict[tuple[str, int], str] = {}
    for each in written:
        value = each.record.value or b""
        collect_references(registry_client, registry_client.get_schema(int.from_bytes(value[1:5])), found)

    assert '"name":"page","type":"Page"' in found["org.fixture.shop.Viewed", 1]
    assert '"name":"country","type":"Country"' in found["org.fixture.geo.Address", 1]
    assert '"name":"region","type":"Region"' in found["org.fixture.geo.Country", 1]
    assert "seconds" not in found["org.fixture.shop.Page", 1]
    assert "seconds" in found["org.fixture.shop.Page", 2]


def collect_references(client: SchemaRegistryClient, schema: Schema, found: dict[tuple[str, int], str]) -> None:
    """The texts of all that a schema refers to, by name and version."""
    for reference in schema.references or []:
        referred = client.get_version(str(reference.subject), int(reference.version or 0)).schema
        found[str(reference.name), int(reference.version or 0)] = referred.schema_str or ""
        collect_references(client, referred, found)
