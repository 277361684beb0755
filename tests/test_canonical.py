"""The example of `examples/canonical.yaml`: without fault, and delivering what it says."""

import asyncio
from collections import Counter
from pathlib import Path

import orjson
import pytest

from processor.clock import ManualClock
from processor.decode.decoder import Decoder
from processor.decode.local import LocalTypes
from processor.decode.schemas import SchemaStore
from processor.demo.clicks import Shop
from processor.demo.expected import expected_deliveries
from processor.demo.rocket_rules import check_rocket, read_rocket
from processor.demo.rules import Accepted
from processor.demo.schemas import load_schemas
from processor.demo.shop import Encoder
from processor.demo.voyado_rules import check_voyado, read_voyado
from processor.plan import Plan, Ready, load_plans
from processor.records import Event, Filtered, Payload
from processor.route.router import NotRouted, Router
from tests.decode.registries import NO_FILES, FakeRegistry, registered
from tests.support.logs import Lines
from tests.support.records import record

CANONICAL = Path(__file__).parent.parent / "examples" / "canonical.yaml"


@pytest.fixture(scope="module")
def canonical() -> Ready:
    """The demo's file as a user has it."""
    return load_plans([CANONICAL], {})


def test_the_canonical_file_is_without_fault(canonical: Ready) -> None:
    """Nobody learns from an example that warns."""
    assert canonical.warnings == []
    assert [(plan.name, len(plan.routes)) for plan in canonical.plans] == [("voyado", 3), ("rocket", 6)]
    assert {plan.topics for plan in canonical.plans} == {("shop.clickstream",)}


def test_the_canonical_file_delivers_what_its_routes_say(canonical: Ready) -> None:
    """A thousand clicks become the expected payloads, and both vendors' rules accept them all."""
    clicks = list(Shop(seed=7, start=1_795_343_467_120).clicks(1000))
    encoder, decoder = codec()
    events = [decoder.decode(record(value=encoder.encode(click))) for click in clicks]
    expected = Counter((one.destination, one.delivery) for click in clicks for one in expected_deliveries(click))

    found = Counter((plan.name, one) for plan in canonical.plans for event in events for one in received(plan, event))

    assert found == expected


def codec() -> tuple[Encoder, Decoder]:
    """What the shop writes with and the service reads with."""
    ids = {name: number for number, name in enumerate(load_schemas(), 1)}
    registry = FakeRegistry({ids[name]: registered(schema.text) for name, schema in load_schemas().items()})
    store = SchemaStore(registry, NO_FILES, ManualClock(), Lines().log)

    async def fetch_all() -> None:
        for schema_id in registry.by_id:
            await store.fetch(schema_id)

    asyncio.run(fetch_all())
    return Encoder(ids), Decoder(store, LocalTypes(NO_FILES, {}), lambda *_: True)


def received(plan: Plan, event: object) -> list[Accepted]:
    """What the vendor notes of what one event's payloads say."""
    assert isinstance(event, Event)
    event.record.assignment.topic = plan.topics[0]
    noted: list[Accepted] = []
    for routed in Router(plan.routes).route(event):
        if isinstance(routed, NotRouted):
            assert isinstance(routed.fate, Filtered)
            continue
        payload = plan.mappers[routed.route].map(routed.scope, event)
        assert isinstance(payload, Payload)
        noted += judged(plan, payload)
    return noted


def judged(plan: Plan, payload: Payload) -> list[Accepted]:
    """Have the vendor's rules accept a payload, and note it."""
    body = orjson.loads(payload.body)
    sent = [body] if payload.channel.batched else body
    if plan.vendor.name == "voyado":
        assert check_voyado(payload.channel.path, sent) is None
        return read_voyado(payload.channel.path, sent)
    path = f"/1.0{payload.channel.path}"
    assert check_rocket(path, sent) is None
    return read_rocket(path, sent)
