"""The shop's way into Kafka: registers its schemas, encodes its clicks, and produces them on command.

python -m processor.demo.shop --bootstrap localhost:9092 --registry http://localhost:8081 --topic shop.clicks
    --events 100000 --rate 2000
"""

import argparse
import io
import struct
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import fastavro
from confluent_kafka import KafkaError, Message, Producer
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient

from processor.demo.clicks import MIX, STEP, Click, Shop
from processor.demo.schemas import load_schemas

FRAME = struct.Struct(">bI")
"""Confluent's frame: a zero byte and the schema's id, then the Avro data."""


def register(client: SchemaRegistryClient) -> dict[str, int]:
    """Register all schemas of the shop, each under its own full name (RecordNameStrategy).

    Returns:
        The schemas' ids, by full name.

    Raises:
        SchemaRegistryError: the registry refused one.
    """
    return {
        schema.name: client.register_schema(schema.name, Schema(schema.text, "AVRO"))
        for schema in load_schemas().values()
    }


class Encoder:
    """Turns clicks into what Kafka carries."""

    def __init__(self, ids: Mapping[str, int]) -> None:
        """Prepare.

        Args:
            ids: what `register` returned; every record name that will be encoded must be in it.
        """
        schemas = load_schemas()
        self._prepared = {name: (FRAME.pack(0, ids[name]), schemas[name].parsed) for name in ids}

    def encode(self, click: Click) -> bytes:
        """Write a click's value in Confluent's frame."""
        frame, schema = self._prepared[click.record_name]
        buffer = io.BytesIO()
        buffer.write(frame)
        fastavro.schemaless_writer(buffer, schema, click.value)
        return buffer.getvalue()


@dataclass(frozen=True, slots=True)
class ShopOptions:
    """What the command line asks for.

    Attributes:
        rate: events a second; None = as fast as it goes.
        type: the one record type to make; None = the usual mix.
    """

    bootstrap: str
    registry: str
    topic: str
    events: int
    rate: float | None
    seed: int
    type: str | None


class Failures:
    """Counts what the broker did not take."""

    def __init__(self) -> None:
        self.count = 0
        self.last: KafkaError | None = None

    def report(self, error: KafkaError | None, _: Message) -> None:
        """Librdkafka's delivery report."""
        if error is not None:
            self.count += 1
            self.last = error


def produce(producer: Producer, topic: str, clicks: Iterable[Click], encoder: Encoder, rate: float | None) -> Failures:
    """Produce all clicks, keyed by visitor, and wait until the broker has them."""
    failures = Failures()
    start = time.monotonic()
    for sent, click in enumerate(clicks):
        if rate is not None:
            _pace(producer, start + sent / rate)
        while True:
            try:
                producer.produce(topic, encoder.encode(click), click.key, on_delivery=failures.report)
                break
            except BufferError:
                producer.poll(0.1)
    producer.flush()
    return failures


def _pace(producer: Producer, due: float) -> None:
    """Serve delivery reports until it is time."""
    while (left := due - time.monotonic()) > 0:
        producer.poll(left)


def run(options: ShopOptions) -> int:
    """Register, click, and say what became of it.

    Returns:
        The process's exit status: 1 when the registry did not answer, or the broker did not take every event.
    """
    try:
        with SchemaRegistryClient({"url": options.registry}) as client:
            encoder = Encoder(register(client))
    except Exception as error:  # noqa: BLE001 - among others those of the client's HTTP library, which is its own affair
        print(f"cannot register the schemas at {options.registry}: {error}", file=sys.stderr)
        return 1
    producer = Producer(
        {
            "bootstrap.servers": options.bootstrap,
            "partitioner": "murmur2_random",  # as Java producers do, so that both agree where a visitor is
            "linger.ms": 20,
            "compression.type": "lz4",
            "message.timeout.ms": 30_000,
        }
    )
    start = int(time.time() * 1000) - options.events * STEP  # the last click is about now
    clicks = Shop(options.seed, start, options.type).clicks(options.events)
    failures = produce(producer, options.topic, clicks, encoder, options.rate)
    if failures.last is not None:
        print(f"{failures.count} of {options.events} events were not taken: {failures.last}", file=sys.stderr)
        return 1
    print(f"{options.events} events in {options.topic}")
    return 0


def parse_options(arguments: list[str] | None = None) -> ShopOptions:
    """Read the command line; ends the process with a message when it is wrong."""
    parser = argparse.ArgumentParser(prog="python -m processor.demo.shop", description="A shop that clicks.")
    parser.add_argument("--bootstrap", required=True, help="Kafka's address, such as localhost:9092")
    parser.add_argument("--registry", required=True, help="the schema registry's URL")
    parser.add_argument("--topic", required=True, help="must exist")
    parser.add_argument("--events", type=int, required=True)
    parser.add_argument("--rate", type=float, help="events a second; as fast as it goes when not given")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--type", choices=sorted(MIX), help="make only this type")
    return ShopOptions(**vars(parser.parse_args(arguments)))


if __name__ == "__main__":
    sys.exit(run(parse_options()))
