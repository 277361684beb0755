"""The way into Kafka, over librdkafka's own mock cluster and the registry stub."""

import asyncio
import io
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, cast
from uuid import UUID

import fastavro
import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, Message, Producer, TopicPartition
from confluent_kafka.schema_registry import SchemaRegistryClient

from processor.demo import shop
from processor.demo.clicks import MIX, Click, Shop
from processor.demo.registry import running_registry
from processor.demo.schemas import NAMESPACE, load_schemas
from processor.demo.shop import (
    FRAME,
    Encoder,
    Failures,
    ShopOptions,
    parse_options,
    produce,
    register,
    run,
)
from tests.support.broker import PARTITIONS, Broker, embedded_broker
from tests.support.topics import TopicFactory
from tests.support.waiting import eventually_sync

START = 1_795_339_867_000
IDS = {name: 7 + place for place, name in enumerate(load_schemas())}

Report = Callable[[KafkaError | None, Message], None]


def decode(name: str, value: bytes) -> dict[str, Any]:
    """Read a value that was encoded with `IDS`."""
    assert FRAME.unpack_from(value) == (0, IDS[name])
    stream = io.BytesIO(value[FRAME.size :])
    decoded = fastavro.schemaless_reader(stream, load_schemas()[name].parsed, None)
    assert stream.read() == b""
    return cast("dict[str, Any]", decoded)


@pytest.mark.parametrize("name", sorted(MIX))
def test_a_click_survives_its_encoding(name: str) -> None:
    """What is read from the frame is what the shop made, with Avro's own types."""
    encoder = Encoder(IDS)

    for click in Shop(1, START, name).clicks(20):
        expected = click.value | {
            "eventId": UUID(click.value["eventId"]),
            "occurredAt": _moment(click.value["occurredAt"]),
        }
        if "placedAt" in expected:
            expected["placedAt"] = _moment(expected["placedAt"])
        assert decode(click.record_name, encoder.encode(click)) == expected


def _moment(millis: int) -> datetime:
    return datetime.fromtimestamp(millis / 1000, UTC)


def test_money_is_exact() -> None:
    """Prices have two decimals in Avro, not nearly two."""
    [click] = Shop(1, START, "ProductViewed").clicks(1)

    price = decode(click.record_name, Encoder(IDS).encode(click))["product"]["unitPrice"]

    assert price == click.value["product"]["unitPrice"]
    assert isinstance(price, Decimal)


async def test_every_schema_is_registered_under_its_name() -> None:
    """A consumer finds the writer's schema by the id that registering gave."""
    async with running_registry() as stub:
        with SchemaRegistryClient({"url": stub.url}) as client:
            ids = await asyncio.to_thread(register, client)
            again = await asyncio.to_thread(register, client)

        assert stub.store.subjects() == sorted(load_schemas())
        assert ids == again
        for name, schema_id in ids.items():
            assert stub.store.by_id(str(schema_id)).text == load_schemas()[name].text


def read_all(broker: Broker, topic: str, count: int) -> list[Message]:
    """Read a topic from its beginning until `count` messages came."""
    consumer = Consumer({"bootstrap.servers": broker.bootstrap, "group.id": "test"})
    consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in range(PARTITIONS)])
    messages: list[Message] = []

    def enough() -> bool:
        messages.extend(consumer.consume(count, 0.1))
        return len(messages) >= count

    eventually_sync(enough, 20)
    consumer.close()
    return messages


async def test_the_command_produces_what_was_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    """All events are in the topic, keyed by visitor, and the command says so."""
    with embedded_broker() as broker:
        topic = TopicFactory(broker)()
        async with running_registry() as stub:
            options = ShopOptions(broker.bootstrap, stub.url, topic, 500, rate=None, seed=3, type=None)
            assert await asyncio.to_thread(run, options) == 0
        messages = await asyncio.to_thread(read_all, broker, topic, 500)

    expected = Counter(click.key for click in Shop(3, START).clicks(500))
    assert Counter(message.key() for message in messages) == expected
    assert capsys.readouterr().out == f"500 events in {topic}\n"


def test_a_registry_that_is_not_there_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """Who mistyped the URL sees it again, and no traceback."""
    options = ShopOptions("127.0.0.1:9", "localhost:9", "t", 1, rate=None, seed=1, type=None)

    assert run(options) == 1
    assert capsys.readouterr().err.startswith("cannot register the schemas at localhost:9: ")


async def test_a_loss_fails_the_command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A script sees by the exit status that not all events are in the topic."""
    failures = Failures()
    failures.report(KafkaError(KafkaError._MSG_TIMED_OUT), cast("Message", None))
    monkeypatch.setattr(shop, "produce", lambda *_: failures)
    async with running_registry() as stub:
        options = ShopOptions("127.0.0.1:9", stub.url, "t", 5, rate=None, seed=1, type=None)
        assert await asyncio.to_thread(run, options) == 1

    assert capsys.readouterr().err.startswith("1 of 5 events were not taken: ")


class FakeProducer:
    """A broker that is full now and then, and does not take some events."""

    def __init__(self, error: KafkaError | None = None, room: int = 10) -> None:
        self.taken: list[bytes] = []
        self.polled: list[float] = []
        self._error = error
        self._room = room
        self._reports: list[Report] = []

    def produce(self, topic: str, value: bytes, key: bytes, on_delivery: Report) -> None:
        """Take one, or have no room."""
        assert (topic, value[:1]) == ("clicks", b"\0")
        if len(self._reports) == self._room:
            raise BufferError
        self.taken.append(key)
        self._reports.append(on_delivery)

    def poll(self, timeout: float) -> None:
        """Serve what was taken."""
        self.polled.append(timeout)
        for report in self._reports:
            report(self._error, cast("Message", None))
        self._reports.clear()

    def flush(self, _: float) -> None:
        """Serve the rest."""
        self.poll(0)


def run_fake(fake: FakeProducer, clicks: list[Click], rate: float | None = None) -> int:
    """Produce to a fake; returns the number of failures."""
    return produce(cast("Producer", fake), "clicks", clicks, Encoder(IDS), rate).count


def test_a_full_queue_is_waited_for() -> None:
    """No event is dropped because the broker is slower than the shop, and none is made twice."""
    fake, clicks = FakeProducer(room=7), list(Shop(1, START).clicks(50))

    assert run_fake(fake, clicks) == 0
    assert fake.taken == [click.key for click in clicks]


def test_what_the_broker_did_not_take_is_counted() -> None:
    """A loss on the way into Kafka is told, or it would look like the service's."""
    fake = FakeProducer(KafkaError(KafkaError._MSG_TIMED_OUT))

    assert run_fake(fake, list(Shop(1, START).clicks(25))) == 25


def test_a_rate_is_kept() -> None:
    """Between events the producer is served until the next one is due."""
    fake = FakeProducer()

    run_fake(fake, list(Shop(1, START).clicks(3)), rate=1000.0)

    waits = fake.polled[:-1]
    assert waits
    assert all(0 < wait <= 0.002 for wait in waits)


def test_the_command_line_is_read() -> None:
    """Everything but where to and how many has a default."""
    given = ["--bootstrap", "b:9092", "--registry", "http://r:8081", "--topic", "t", "--events", "5"]

    assert parse_options(given) == ShopOptions("b:9092", "http://r:8081", "t", 5, rate=None, seed=1, type=None)
    assert parse_options([*given, "--rate", "20", "--seed", "9", "--type", "Searched"]) == ShopOptions(
        "b:9092", "http://r:8081", "t", 5, rate=20.0, seed=9, type="Searched"
    )


def test_without_a_number_it_has_no_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """And another seed each time: who begins again in a container must not make the same orders once more."""
    given = ["--bootstrap", "b:9092", "--registry", "http://r:8081", "--topic", "t"]
    monkeypatch.setattr(shop, "_now", lambda: 77)

    assert parse_options(given) == ShopOptions("b:9092", "http://r:8081", "t", None, rate=None, seed=77, type=None)
    assert parse_options([*given, "--seed", "9"]).seed == 9


def test_a_type_that_is_not_there_ends_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    """The message says which types there are."""
    with pytest.raises(SystemExit):
        parse_options(
            ["--bootstrap", "b", "--registry", "r", "--topic", "t", "--events", "5", "--type", "PageScrolled"]
        )

    assert "ProductViewed" in capsys.readouterr().err


def test_names_are_full_names() -> None:
    """The shop's record names are the registry's subjects."""
    assert {click.record_name for click in Shop(1, START).clicks(1000)} == {f"{NAMESPACE}.{name}" for name in MIX}
