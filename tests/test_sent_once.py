"""What is sent only once, and what becomes too old, on a real Kafka."""

import io
import json
import struct
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import fastavro
import pytest
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient

from processor.demo.vendor_stub import Faults
from processor.demo.vendors import VendorOptions
from tests.support.broker import Broker
from tests.support.letters import letters
from tests.support.metrics import counted
from tests.support.path import WholePath, running_path
from tests.support.registry import Registry
from tests.support.topics import TopicFactory
from tests.support.waiting import eventually_sync

NAME = "com.acme.test.Subscribed"
SCHEMA = {
    "type": "record",
    "name": NAME,
    "fields": [{"name": name, "type": "string"} for name in ("session", "mail", "time")],
}
PARSED = fastavro.parse_schema(SCHEMA)
WELCOMES = 5
HOUR = 3600.0


@pytest.fixture
def path(tmp_path: Path, broker: Broker, registry: Registry, topic: TopicFactory) -> Iterator[WholePath]:
    """A topic on its way to both vendors."""
    with running_path(tmp_path, broker, registry, topic, VendorOptions(latency=0.0)) as path:
        yield path


def subscribe(path: WholePath, *ages: float) -> None:
    """Somebody subscribed so many seconds ago, each in a session of its own."""
    with SchemaRegistryClient({"url": path.registry.url}) as client:
        schema_id = client.register_schema(NAME, Schema(json.dumps(SCHEMA), "AVRO"))
    for number, age in enumerate(ages):
        happened = datetime.fromtimestamp(time.time() - age, UTC).isoformat(timespec="seconds")
        buffer = io.BytesIO(struct.pack(">bI", 0, schema_id))
        buffer.seek(0, io.SEEK_END)
        event = {"session": f"s{number}", "mail": "anna@example.com", "time": happened}
        fastavro.schemaless_writer(buffer, PARSED, event)
        path.producer.produce(path.topic, buffer.getvalue(), b"key", partition=1)
    assert path.producer.flush(10) == 0


def configuration(path: WholePath, method: str, fields: dict[str, Any], **route: Any) -> dict[str, Any]:
    """One route, in batches where the method has one; a retry comes at once."""
    changes = path.overlay(batch={"max_wait": "50ms"}, retry={"delays": ["200ms"]})
    mapped = {"sessionExternalId": "session", "timestamp": "time", **fields}
    changes["routes"] = {"subscribed": {"event": NAME, "to": f"rocket.{method}", "map": mapped, **route}}
    return changes


def test_a_welcome_is_not_sent_a_second_time(path: WholePath) -> None:
    """After a 5xx each one is a letter that says why; refused connections and 404 lose none of them."""
    subscribe(path, *[0.0] * WELCOMES)
    path.vendors.rocket.faults = Faults(status=404)
    changes = configuration(path, "welcome_sequence", {"email": "mail"})

    with path.service(changes, "--destination", "rocket") as service:
        refused = path.vendors.account.rocket.refused
        eventually_sync(lambda: refused[404, "fault on request"] > 2 * WELCOMES, within=40)
        path.vendors.rocket.faults = Faults(status=500)
        found = letters(path.broker, path.letters["rocket"], WELCOMES)
        eventually_sync(lambda: path.committed("rocket").get(1) == WELCOMES, within=20)
        metrics = service.get("/metrics")[1]
        service.terminate()

    assert refused[500, "fault on request"] == WELCOMES, "each once"
    for _, _, headers in found:
        assert (headers["dlq.stage"], headers["dlq.error.class"]) == ("send", "unknown_outcome")
        assert headers["dlq.error.message"] == "the vendor may have done it, so it is not sent again: status 500"
        assert headers["dlq.http.status"] == "500"
    labels = {"pipeline": "rocket", "stage": "send", "class": "unknown_outcome"}
    assert counted(metrics, "clickstream_dead_letters_total", **labels) == WELCOMES
    assert path.accepted("rocket") == []


def test_a_reset_may_have_been_a_welcome(path: WholePath) -> None:
    """The vendor took them and then cut the connection: none is sent again, all are letters without a status."""
    subscribe(path, *[0.0] * WELCOMES)
    path.vendors.rocket.faults = Faults(reset="after_accepting")
    changes = configuration(path, "welcome_sequence", {"email": "mail"})

    with path.service(changes, "--destination", "rocket") as service:
        found = letters(path.broker, path.letters["rocket"], WELCOMES)
        service.terminate()

    assert len(path.accepted("rocket")) == WELCOMES
    assert all(headers["dlq.error.class"] == "unknown_outcome" for _, _, headers in found)
    assert all("dlq.http.status" not in headers for _, _, headers in found)


def test_what_is_too_old_is_filtered(path: WholePath) -> None:
    """By the event's time: what is older than the route allows is not sent, and all is committed."""
    subscribe(path, 0.0, 2 * HOUR, 0.0, 3 * HOUR)
    changes = configuration(path, "search", {"searchPhrase": "mail"}, max_event_age="1h")

    with path.service(changes, "--destination", "rocket") as service:
        eventually_sync(lambda: path.committed("rocket").get(1) == 4, within=40)
        metrics = service.get("/metrics")[1]
        service.terminate()

    assert {accepted.lane for accepted in path.accepted("rocket")} == {"s0", "s2"}
    filtered = {"pipeline": "rocket", "route": "subscribed", "reason": "too_old"}
    assert counted(metrics, "clickstream_filtered_total", **filtered) == 2


def test_what_grows_too_old_while_it_waits_is_not_sent(path: WholePath) -> None:
    """An outage longer than the age: nothing of it is sent when the vendor is back, and all is committed."""
    path.vendors.rocket.faults = Faults(status=503)
    changes = configuration(path, "search", {"searchPhrase": "mail"}, max_event_age="6s")

    with path.service(changes, "--destination", "rocket") as service:
        service.ready()
        subscribe(path, *[0.0] * 3)
        eventually_sync(lambda: path.committed("rocket").get(1) == 3, within=40)
        path.vendors.rocket.faults = Faults()
        metrics = service.get("/metrics")[1]
        service.terminate()

    assert path.accepted("rocket") == []
    assert path.vendors.account.rocket.refused.total() > 0, "it was tried while it was young"
    assert counted(metrics, "clickstream_filtered_total", pipeline="rocket", reason="too_old") == 3
    assert counted(metrics, "clickstream_dead_letters_total") == 0
