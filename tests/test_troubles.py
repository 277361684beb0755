"""A record of each kind of trouble, on a real Kafka: it ends in the dead-letter topic, and the next one goes on."""

import io
import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fastavro
import pytest
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient

from processor.demo.vendor_stub import Faults
from processor.demo.vendors import VendorOptions
from tests.support.broker import Broker
from tests.support.letters import letters
from tests.support.path import WholePath, running_path
from tests.support.registry import Registry
from tests.support.topics import TopicFactory
from tests.support.waiting import eventually_sync

NAME = "com.acme.test.Seen"
SCHEMA = {
    "type": "record",
    "name": NAME,
    "fields": [{"name": name, "type": "string"} for name in ("session", "product", "time")],
}
PARSED = fastavro.parse_schema(SCHEMA)
GOOD = {"session": "a" * 32, "product": "123", "time": "2026-11-22T10:31:07Z"}
REFUSED = "666"
"""A product that the vendor refuses."""

TROUBLES: dict[str, tuple[dict[str, str] | bytes | None, dict[str, str] | None]] = {
    "garbage": (
        b"\xff\xfe not avro",
        {"dlq.stage": "decode", "dlq.error.class": "undecodable", "dlq.error.message": "the first byte is not 0"},
    ),
    "unknown schema id": (
        struct.pack(">bI", 0, 999_999) + b"\x00",
        {"dlq.stage": "decode", "dlq.error.class": "undecodable", "dlq.error.message": "schema id 999999 is unknown"},
    ),
    "bytes left over": (
        {"left over": "yes"},
        {"dlq.stage": "decode", "dlq.error.class": "undecodable", "dlq.error.message": "bytes are left over"},
    ),
    "tombstone": (None, None),
    "text for an integer": (
        {**GOOD, "product": "SKU-1"},
        {"dlq.stage": "map", "dlq.error.class": "unmapped", "dlq.error.message": "productId: text is not an integer"},
    ),
    "time without a zone": (
        {**GOOD, "time": "2026-11-22T10:31:07"},
        {"dlq.stage": "map", "dlq.error.class": "unmapped", "dlq.error.message": "timestamp: the time has no zone"},
    ),
    "long session": (
        {**GOOD, "session": "s" * 60},
        {
            "dlq.stage": "map",
            "dlq.error.class": "unmapped",
            "dlq.error.message": "the text has more than 50 characters",
        },
    ),
    "refused with 400": (
        {**GOOD, "product": REFUSED},
        {"dlq.stage": "send", "dlq.error.class": "invalid", "dlq.http.status": "400", "dlq.attempts": "2"},
    ),
}


@pytest.fixture
def path(tmp_path: Path, broker: Broker, registry: Registry, topic: TopicFactory) -> Iterator[WholePath]:
    """A topic on its way to both vendors."""
    with running_path(tmp_path, broker, registry, topic, VendorOptions(latency=0.0)) as path:
        yield path


def framed(schema_id: int, value: dict[str, str]) -> bytes:
    """A value in Confluent's frame; with something behind it where it says so."""
    buffer = io.BytesIO()
    buffer.write(struct.pack(">bI", 0, schema_id))
    fastavro.schemaless_writer(buffer, PARSED, {**GOOD, **value})
    return buffer.getvalue() + (b"!" if "left over" in value else b"")


def configuration(path: WholePath, batch: dict[str, Any] | None) -> dict[str, Any]:
    """One route that wants all that may go wrong."""
    changes = path.overlay(batch=batch)
    changes["routes"] = {
        "seen": {
            "event": NAME,
            "to": "rocket.view",
            "map": {"sessionExternalId": "session", "timestamp": "time", "productId": "product"},
        }
    }
    return changes


@pytest.mark.parametrize("batch", [None, {"max_events": 100, "max_wait": "50ms"}], ids=["single", "batch"])
def test_each_trouble_ends_in_its_letter_and_the_next_goes_on(path: WholePath, batch: dict[str, Any] | None) -> None:
    """Good records between all troubles are delivered; each trouble but a tombstone is a letter (invariant 10)."""
    with SchemaRegistryClient({"url": path.registry.url}) as client:
        schema_id = client.register_schema(NAME, Schema(json.dumps(SCHEMA), "AVRO"))
    path.vendors.rocket.faults = Faults(refuse=frozenset({REFUSED}))
    sent: dict[str, bytes | None] = {}
    for number, (name, (value, _)) in enumerate(TROUBLES.items()):
        good = framed(schema_id, {**GOOD, "product": str(1000 + number), "session": f"good{number}"})
        sent[name] = framed(schema_id, value) if isinstance(value, dict) else value
        path.producer.produce(path.topic, good, b"key", partition=1)
        path.producer.produce(path.topic, sent[name], name.encode(), partition=1, headers=[("trace", b"t-1")])
    path.producer.produce(path.topic, framed(schema_id, {**GOOD, "product": "2000"}), b"key", partition=1)
    assert path.producer.flush(10) == 0
    expected = {name: headers for name, (_, headers) in TROUBLES.items() if headers is not None}

    with path.service(configuration(path, batch), "--destination", "rocket") as service:
        found = letters(path.broker, path.letters["rocket"], len(expected))
        eventually_sync(lambda: path.committed("rocket").get(1) == 2 * len(TROUBLES) + 1, within=20)
        metrics = service.get("/metrics")[1]
        service.terminate()

    by_name = {(key or b"").decode(): (value, headers) for key, value, headers in found}
    assert by_name.keys() == expected.keys()
    for name, wanted in expected.items():
        value, headers = by_name[name]
        offset = 2 * list(TROUBLES).index(name) + 1
        assert value == sent[name]
        assert headers["trace"] == "t-1"
        assert headers["dlq.source.topic"] == path.topic
        assert (headers["dlq.source.partition"], headers["dlq.source.offset"]) == ("1", str(offset))
        assert headers["dlq.destination"] == "rocket"
        for header, part in wanted.items():
            assert part in headers[header], (name, header, headers[header])
    assert len(path.accepted("rocket")) == len(TROUBLES) + 1
    assert 'filtered_total{pipeline="rocket",reason="tombstone",route=""} 1.0' in metrics
    assert "demo-rocket-key" not in service.log + metrics + str(found)


def test_what_an_outage_refuses_waits_and_is_delivered(path: WholePath) -> None:
    """While the vendor answers 503 or 401 nothing is dead-lettered (invariant 9) or committed; then all goes out."""
    path.vendors.rocket.faults = Faults(status=503)
    clicks = path.click(300)

    with path.service(path.overlay(batch=None, retry={"delays": ["200ms"]}), "--destination", "rocket") as service:
        eventually_sync(lambda: path.vendors.account.rocket.refused.total() > 10, within=30)
        assert service.get("/live")[0] == service.get("/ready")[0] == 200
        assert "status 503" in str(service.status()["rocket"]["waiting_for"])
        path.vendors.rocket.faults = Faults(status=401)
        eventually_sync(lambda: path.vendors.account.rocket.refused[401, "fault on request"] > 5, within=30)
        path.vendors.rocket.faults = Faults()
        eventually_sync(lambda: path.committed("rocket") == path.ends(), within=30)
        metrics = service.get("/metrics")[1]
        service.terminate()

    assert len(clicks) == 300
    assert path.judgements()["rocket"].clean
    assert 'outcome="dead_lettered"' not in metrics


def test_a_registry_that_is_away_stops_only_what_needs_it(path: WholePath) -> None:
    """With a registry that answers nobody, records wait without a letter (invariant 9); garbage has one."""
    path.click(50)
    path.producer.produce(path.topic, b"\xffgarbage", b"g", partition=1)
    assert path.producer.flush(10) == 0
    changes = {**path.overlay(batch=None), "registry": {"url": "http://127.0.0.1:9"}}

    with path.service(changes, "--destination", "rocket") as service:
        service.ready()
        eventually_sync(lambda: "registry" in service.status()["rocket"]["waiting_for"], within=20)
        waiting = service.status()["rocket"]
        service.terminate()
    with path.service(path.overlay(batch=None), "--destination", "rocket") as service:
        eventually_sync(lambda: path.committed("rocket") == path.ends(), within=30)
        service.terminate()

    assert waiting["deliveries"]["waiting"] == 0
    assert path.judgements()["rocket"].clean
    assert [headers["dlq.stage"] for _, _, headers in letters(path.broker, path.letters["rocket"], 1)] == ["decode"]


def test_partitions_that_move_between_replicas_lose_nothing(path: WholePath) -> None:
    """A second replica comes and the first one goes, in the middle: all is delivered, in order per lane."""
    path.click(3000)
    changes = path.overlay(batch=None, concurrency="8")
    path.vendors.rocket.faults = path.vendors.voyado.faults = Faults(delay=0.02)

    with path.service(changes) as first, path.service(changes) as second:
        first.ready()
        second.ready()
        eventually_sync(lambda: len(path.accepted("rocket")) > 500, within=60)
        code = first.terminate()
        path.settled(within=90)
        second.terminate()

    assert code == 0, first.log
    assert all(judgement.clean for judgement in path.judgements().values()), path.judgements()
