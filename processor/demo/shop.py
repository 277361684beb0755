"""The shop's way into Kafka: registers its schemas, encodes its clicks, and produces them on command.

    python -m processor.demo.shop --bootstrap localhost:9092 --registry http://localhost:8081 --topic shop.clicks
        --events 100000 --rate 2000

Without `--events` it clicks until SIGTERM or SIGINT, in real time, and waits for a registry or a Kafka that is away.
"""

import argparse
import io
import signal
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import takewhile

import fastavro
from confluent_kafka import KafkaError, Message, Producer
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient

from processor.demo.clicks import MIX, STEP, Click, Shop
from processor.demo.schemas import load_schemas

FRAME = struct.Struct(">bI")
"""Confluent's frame: a zero byte and the schema's id, then the Avro data."""
RATE = 100.0
"""Events a second of a shop without an end: as many as its visitors make."""
RETRY = 2.0
"""Seconds until a registry that is away is asked again."""
REGISTRY_TIMEOUT = 5
"""Seconds for its answer."""
REPORT = 10.0
"""Seconds between two lines of a shop without an end."""
FLUSH_TIMEOUT = 5.0
"""Seconds at most at the end of a shop that was told to stop; a Kafka that is away would keep it."""


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
        events: how many; None = until it is told to stop.
        rate: events a second; None = as fast as it goes.
        type: the one record type to make; None = the usual mix.
    """

    bootstrap: str
    registry: str
    topic: str
    events: int | None
    rate: float | None
    seed: int
    type: str | None


class Failures:
    """Counts what the broker did not take, and what it did."""

    def __init__(self) -> None:
        self.taken = 0
        self.count = 0
        self.last: KafkaError | None = None

    def report(self, error: KafkaError | None, _: Message) -> None:
        """Librdkafka's delivery report."""
        if error is None:
            self.taken += 1
        else:
            self.count += 1
            self.last = error


def produce(
    producer: Producer,
    topic: str,
    clicks: Iterable[Click],
    encoder: Encoder,
    rate: float | None,
    tell: Callable[[Failures], None] = lambda _: None,
    within: float = -1,
) -> Failures:
    """Produce all clicks, keyed by visitor, and wait until the broker has them.

    Args:
        producer: gets them one by one; a full queue is waited for.
        topic: must exist.
        clicks: may be without an end.
        encoder: knows their schemas.
        rate: events a second; None = as fast as it goes.
        tell: called for each click, with the counts so far.
        within: seconds that the broker has at the end; -1 = as long as it takes.
    """
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
        tell(failures)
    producer.flush(within)
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
        encoder = _registered(options.registry)
    except Exception as error:  # noqa: BLE001 - among others those of the client's HTTP library, which is its own affair
        print(_unregistered(options.registry, error), file=sys.stderr)
        return 1
    producer = _producer(options.bootstrap)
    events = options.events or 0
    clicks = Shop(options.seed, _now() - events * STEP, options.type).clicks(events)  # the last one is about now
    failures = produce(producer, options.topic, clicks, encoder, options.rate)
    if failures.last is not None:
        print(f"{failures.count} of {events} events were not taken: {failures.last}", file=sys.stderr)
        return 1
    print(f"{events} events in {options.topic}")
    return 0


def serve(options: ShopOptions, stop: threading.Event) -> int:
    """Register and click until `stop` is set; whatever is away is waited for.

    Returns:
        The process's exit status, which is 0: what was not taken is told, and the clicks go on.
    """
    encoder = _patiently_registered(options.registry, stop)
    if encoder is None:
        return 0
    rate = options.rate or RATE
    print(f"schemas registered at {options.registry}; {rate:g} clicks a second to {options.topic}", flush=True)
    producer = _producer(options.bootstrap)
    clicks = takewhile(lambda _: not stop.is_set(), Shop(options.seed, _now(), options.type).live(_now))
    failures = produce(producer, options.topic, clicks, encoder, rate, _teller(options.topic), FLUSH_TIMEOUT)
    print(_told(options.topic, failures))
    return 0


def _patiently_registered(registry: str, stop: threading.Event) -> Encoder | None:
    """Ask until the registry has answered; None = it was told to stop meanwhile."""
    while not stop.is_set():
        try:
            return _registered(registry)
        except Exception as error:  # noqa: BLE001 - see `run`
            print(f"{_unregistered(registry, error)}; tried again in {RETRY:g} s", file=sys.stderr, flush=True)
            stop.wait(RETRY)
    return None


def _registered(registry: str) -> Encoder:
    with SchemaRegistryClient({"url": registry, "timeout": REGISTRY_TIMEOUT, "max.retries": 0}) as client:
        return Encoder(register(client))


def _unregistered(registry: str, error: Exception) -> str:
    return f"cannot register the schemas at {registry}: {error}"


def _producer(bootstrap: str) -> Producer:
    return Producer(
        {
            "bootstrap.servers": bootstrap,
            "partitioner": "murmur2_random",  # as Java producers do, so that both agree where a visitor is
            "enable.idempotence": True,  # repeated sends neither reorder a visitor's clicks nor write one twice
            "linger.ms": 20,
            "compression.type": "lz4",
            "message.timeout.ms": 30_000,
        }
    )


def _teller(topic: str) -> Callable[[Failures], None]:
    """A line now and then."""
    due = time.monotonic() + REPORT

    def tell(failures: Failures) -> None:
        nonlocal due
        if time.monotonic() >= due:
            due += REPORT
            print(_told(topic, failures), flush=True)

    return tell


def _told(topic: str, failures: Failures) -> str:
    lost = f", {failures.count} were not taken, the last one because of: {failures.last}" if failures.count else ""
    return f"{failures.taken} events in {topic}{lost}"


def _now() -> int:
    """Milliseconds since 1970."""
    return int(time.time() * 1000)


def parse_options(arguments: list[str] | None = None) -> ShopOptions:
    """Read the command line; ends the process with a message when it is wrong."""
    parser = argparse.ArgumentParser(prog="python -m processor.demo.shop", description="A shop that clicks.")
    parser.add_argument("--bootstrap", required=True, help="Kafka's address, such as localhost:9092")
    parser.add_argument("--registry", required=True, help="the schema registry's URL")
    parser.add_argument("--topic", required=True, help="must exist")
    parser.add_argument("--events", type=int, help="how many; until SIGTERM or SIGINT when not given")
    parser.add_argument(
        "--rate", type=float, help=f"events a second; without --events {RATE:g}, else as fast as it goes"
    )
    parser.add_argument("--seed", type=int, help="the same seed makes the same clicks; without --events another one")
    parser.add_argument("--type", choices=sorted(MIX), help="make only this type")
    options = vars(parser.parse_args(arguments))
    # Who begins again, in a container say, must not make the same visitors, carts and orders once more.
    seed = options.pop("seed") or (_now() if options["events"] is None else 1)
    return ShopOptions(seed=seed, **options)


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit status."""
    options = parse_options(arguments)
    if options.events is not None:
        return run(options)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return serve(options, stop)


if __name__ == "__main__":
    sys.exit(main())
