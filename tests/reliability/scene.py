"""One service between one topic and one vendor that goes wrong, and the books of what was produced."""

import json
import time
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from threading import Event, Lock, Thread
from typing import Any

from confluent_kafka import KafkaError, Message, TopicPartition
from confluent_kafka.admin import OffsetSpec
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient

from processor.demo.vendors import VendorOptions
from tests.decode.registries import binary, framed, record_type
from tests.reliability.vendor import Call, FaultyVendor, Sent, running_vendor
from tests.support.broker import Broker
from tests.support.metrics import counted
from tests.support.path import WholePath, running_path
from tests.support.reading import read
from tests.support.registry import Registry
from tests.support.service import ServiceProcess
from tests.support.topics import TopicFactory

SCHEMA = record_type("Seen", **dict.fromkeys(("method", "visitor", "number", "time"), "string"))
TO_BOTH = {"contactId": "visitor", "time": "time"}
ROUTES: Mapping[str, Any] = {
    method: {
        "event": "com.acme.Seen",
        "to": f"voyado.{method}",
        "when": f"method == '{method}'",
        "order_key": "visitor",
        "map": {**TO_BOTH, **fields},
    }
    for method, fields in {
        "product_view": {"itemId": "number"},
        "cart": {"cartReference": "visitor", "items": "[{sku: number, quantity: `1`}]"},
    }.items()
}
"""One lane per visitor over both methods, so that a visitor whose cart must wait waits with his views."""
PRODUCTION = ("10s", "30s", "60s", "300s")
"""`retry.delays` as they are by default."""
CONCURRENCY = 32
"""Requests in flight at most."""
LOOK = 0.1
"""Seconds between two looks at what is waited for."""
TICK = 0.02
"""Seconds between two looks of a live feed at its clock."""


@dataclass(frozen=True, slots=True)
class Mode:
    """How the service sends.

    Attributes:
        batch: the file's.
        rate: requests a second of the account.
        feed: events a second of a live feed, well below what the rate allows.
    """

    name: str
    batch: Mapping[str, Any] | None
    rate: int
    feed: int


SINGLE = Mode("single", None, rate=300, feed=60)
BATCHES = Mode("batches of 100", {"max_events": "100", "max_bytes": "1MiB", "max_wait": "200ms"}, rate=50, feed=600)


def visitors(kind: str, count: int) -> list[str]:
    """Visitors with ids that the vendor takes: 20 characters, the kind first."""
    return [f"{kind}{number:0{20 - len(kind)}d}" for number in range(count)]


SOME = visitors("some", 1000)
"""Who looks and buys when nothing else is said."""
METHODS = ("product_view", "cart")


@dataclass
class Scene:
    """What a case needs.

    Attributes:
        produced: all events, by the bytes of their records.
    """

    path: WholePath
    vendor: FaultyVendor
    mode: Mode
    schema_id: int
    produced: dict[bytes, Sent] = field(default_factory=dict)
    random: Random = field(default_factory=lambda: Random(1))  # noqa: S311 - what is drawn must be the same each time
    _producing: Lock = field(default_factory=Lock)
    _made: list[float] = field(default_factory=list)
    _failures: list[KafkaError] = field(default_factory=list)
    _service: ServiceProcess | None = None

    # What comes in.

    def produce(self, visitor: str, method: str) -> Sent:
        """One event."""
        with self._producing:
            now = datetime.now(UTC).isoformat(timespec="milliseconds")
            sent = Sent(visitor, len(self.produced) + 1, datetime.fromisoformat(now).timestamp())
            fields = {"method": method, "visitor": visitor, "number": str(sent.number), "time": now}
            value = framed(self.schema_id, binary(SCHEMA, fields))
            self.produced[value] = sent
            self._made.append(sent.made)
            self.path.producer.produce(self.path.topic, value, visitor.encode(), on_delivery=self._written)
            self.path.producer.poll(0)
        return sent

    def _written(self, error: KafkaError | None, _: Message) -> None:
        if error is not None:
            self._failures.append(error)

    def flush(self) -> None:
        """Wait until the broker has everything."""
        assert self.path.producer.flush(30) == 0
        assert not self._failures, self._failures[0]

    def backlog(self, count: int, among: Sequence[str] = SOME) -> None:
        """So many events at once, of all visitors, to both methods."""
        for _ in range(count):
            self.produce(self.random.choice(among), self.random.choice(METHODS))
        self.flush()

    @contextmanager
    def feeding(self, rate: float | None = None, pick: Callable[[], tuple[str, str]] | None = None) -> Iterator[None]:
        """Produce events as time goes by, for as long as the block runs.

        Args:
            rate: events a second.
            pick: says who does what; anybody anything by default.
        """
        stop = Event()
        anything = pick or (lambda: (self.random.choice(SOME), self.random.choice(METHODS)))
        thread = Thread(target=self._feed, args=(stop, rate or self.mode.feed, anything), daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()
            self.flush()

    def _feed(self, stop: Event, rate: float, pick: Callable[[], tuple[str, str]]) -> None:
        begun, count = time.monotonic(), 0
        while not stop.wait(TICK):
            due = int((time.monotonic() - begun) * rate)
            for _ in range(due - count):
                self.produce(*pick())
            count = due

    # The service.

    @contextmanager
    def service(self, *, delays: Sequence[str] = PRODUCTION, **changes: Any) -> Iterator[ServiceProcess]:
        """The service on its way to this vendor; ends in order, with the block."""
        destination = {
            "base_url": self.vendor.url,
            "rate": f"{self.mode.rate}/s",
            "concurrency": str(CONCURRENCY),
            "batch": self.mode.batch,
            "dead_letter": {"topic": self.path.letters["voyado"]},
            "retry": {"delays": list(delays), **changes.pop("retry", {})},
            **changes,
        }
        with self.path.service(
            {"routes": ROUTES, "destinations": {"voyado": destination}}, "--destination", "voyado"
        ) as service:
            service.ready()
            self._service = service
            yield service
            assert service.terminate() == 0, service.log

    def requests(self, service: ServiceProcess, **labels: str) -> int:
        """Requests by the service's own count."""
        return int(counted(service.get("/metrics")[1], "clickstream_requests_total", **labels))

    # What came out.

    def calls(self, since: float = 0, until: float = float("inf")) -> list[Call]:
        """Requests that arrived in this time, in order."""
        calls = self.vendor.calls
        return calls[bisect_left(calls, since, key=_at) : bisect_left(calls, until, key=_at)]

    def accepted(self, since: float = 0, until: float = float("inf")) -> list[tuple[Call, Sent]]:
        """Deliveries that the vendor took from requests of this time, in order."""
        calls = [call for call in self.calls(since, until) if call.status == 200]
        return [(call, sent) for call in calls for sent in call.deliveries]

    def asked(self, who: str, since: float, until: float) -> int:
        """Events of visitors whose name begins so that were produced in this time."""
        ahead = time.time() - time.monotonic()
        made = [sent.made - ahead for sent in self.produced.values() if sent.visitor.startswith(who)]
        return sum(since <= at < until for at in made)

    @property
    def delivered(self) -> set[int]:
        """Numbers of what the vendor took."""
        return {sent.number for _, sent in self.accepted()}

    def letters(self) -> dict[int, dict[str, str]]:
        """The headers of all dead letters by the number of their event, and `written`, in seconds since 1970."""
        count, found = self.buried, {}
        for message in read(self.path.broker.bootstrap, self.path.letters["voyado"], count) if count else []:
            headers: Any = message.headers()
            number = self.produced[message.value() or b""].number
            found[number] = {name: value.decode() for name, value in headers}
            found[number]["written"] = str(message.timestamp()[1] / 1000)
        return found

    def until_steady(self, but: int = 0) -> None:
        """Wait until everything was taken that is older than a second, except for so many events."""
        self.wait(lambda: self.vendor.taken + but >= bisect_left(self._made, time.time() - 1) > 0, 90)

    def until_delivered(self, but: int = 0, within: float = 60) -> None:
        """Wait until the vendor took as many events as there are, except for so many."""
        self.flush()
        self.wait(lambda: self.vendor.taken + but >= len(self.produced), within)

    def until_buried(self, count: int, within: float) -> None:
        """Wait until there are so many dead letters."""
        self.wait(lambda: self.buried >= count, within)

    def until_committed(self) -> None:
        """Wait until the group has committed everything that was produced."""
        self.wait(lambda: self.path.committed("voyado") == self.path.ends(), 60)

    def settle(self, but: int = 0) -> None:
        """Wait until the vendor took all but so many, and the group has committed everything."""
        self.until_delivered(but)
        self.until_committed()

    def wait(self, condition: Callable[[], object], within: float) -> None:
        """Wait for something that the service is to bring about.

        Raises:
            AssertionError: it did not come in time, or the service ended.
        """
        deadline = time.monotonic() + within
        while not condition():
            self.check_alive()
            assert time.monotonic() < deadline, f"not done after {within:g} s: {self._books()}"
            time.sleep(LOOK)

    def check_alive(self) -> None:
        """Raise AssertionError where the service ended by itself."""
        assert self._service
        assert self._service.process.poll() is None, "the service ended by itself"

    def _books(self) -> str:
        return f"{len(self.produced)} events, {self.vendor.taken} taken, {self.buried} buried"

    @property
    def buried(self) -> int:
        """How many dead letters there are."""
        topic = self.path.letters["voyado"]
        partitions = self.path.admin.list_topics(topic, timeout=10).topics[topic].partitions
        asked = {TopicPartition(topic, number): OffsetSpec.latest() for number in partitions}
        return sum(future.result().offset for future in self.path.admin.list_offsets(asked).values())


def _at(call: Call) -> float:
    return call.at


@contextmanager
def running_scene(folder: Path, broker: Broker, registry: Registry, topic: TopicFactory, mode: Mode) -> Iterator[Scene]:
    """A topic of its own, a vendor of its own, for as long as the block runs."""
    with (
        running_path(folder, broker, registry, topic, VendorOptions()) as path,
        running_vendor() as vendor,
        SchemaRegistryClient({"url": registry.url}) as client,
    ):
        schema_id = client.register_schema("seen", Schema(json.dumps(SCHEMA), "AVRO"))
        yield Scene(path, vendor, mode, schema_id)
