"""What stands beside the fields: the lane, the event's time, the bytes and their envelope."""

import pytest

from processor.clock import ManualClock
from processor.records import Filtered, FilterReason, Payload, Stage
from tests.map.views import EVENT, GUID, mapper, message, view


@pytest.mark.parametrize(
    ("order_key", "lane"),
    [
        (None, None),
        ("contactId", GUID),
        ("product.sku", "10233"),
        ("nothing", None),
        ("missing", None),
        ("length(product.categoryPath)", "3"),
    ],
)
def test_the_route_s_own_order_key(order_key: str | None, lane: str | None) -> None:
    """It is read from the event, not from the payload; null means no order."""
    found = mapper(view(), order_key=order_key).map(EVENT)

    assert isinstance(found, Payload)
    assert found.lane == lane


def test_an_order_key_that_fails_is_the_route_s_failure() -> None:
    """Without a lane nothing may go out, or the order would be lost without a word."""
    found = mapper(view(), order_key="length(nothing)").map(EVENT)

    assert message(found, Stage.ROUTE) == (
        "order_key: length(nothing): length() wants a text, an array or a record, and nothing is null"
    )


def test_the_method_s_order_key_is_the_payload_s_field() -> None:
    """After conversion: a UUID with and without hyphens is one visitor."""
    fields = {"sessionExternalId": "s", "timestamp": "t", "productId": "p"}
    mapping = mapper(fields, to="retail_rocket.view", order_field="sessionExternalId")
    lanes = []
    for session in (GUID, GUID.replace("-", "")):
        found = mapping.map({"s": session, "t": "2026-11-22T09:31:07Z", "p": 1})
        assert isinstance(found, Payload)
        lanes.append(found.lane)

    assert lanes == [GUID.replace("-", "")] * 2


@pytest.mark.parametrize(
    ("time", "seconds"),
    [
        ("1970-01-01T00:00:00Z", 0.0),
        ("1969-12-31T23:59:59.500Z", -0.5),
        ("2026-11-22T09:31:07.120Z", 1_795_339_867.12),
        ("2026-11-22T10:31:07.120+01:00", 1_795_339_867.12),
        ("2026-10-25T02:30:00+02:00", 1_792_888_200.0),
        ("2026-10-25T02:30:00+01:00", 1_792_891_800.0),
        ("0001-01-01T00:00:00+05:00", -62_135_614_800.0),
        ("9999-12-31T23:59:59-05:00", 253_402_318_799.0),
    ],
)
def test_the_event_s_time(time: str, seconds: float) -> None:
    """Seconds since 1970 in UTC, whatever the zone, on both sides of a clock change, as far as the calendar goes."""
    found = mapper(view(time="t")).map({**EVENT, "t": time})

    assert isinstance(found, Payload)
    assert found.event_time == pytest.approx(seconds, abs=1e-3)


def test_without_a_time_there_is_none() -> None:
    """The delay from event to acceptance is then not known."""
    found = mapper(view()).map(EVENT)

    assert isinstance(found, Payload)
    assert found.event_time is None


def test_the_body_is_compact_json_in_utf8() -> None:
    """No spaces and no escapes: bytes count towards a batch's limit."""
    found = mapper(view(category="c")).map({**EVENT, "c": 'Skor > "Kängor" 😀\n'})

    assert isinstance(found, Payload)
    assert '"category":"Skor > \\"Kängor\\" 😀\\n"' in found.body.decode()
    assert b'": ' not in found.body


def test_the_envelope_is_put_round_the_body() -> None:
    """In a shared batch each payload names its method."""
    fields = {"sessionExternalId": '`"v1"`', "timestamp": "occurredAt", "productId": "product.sku"}

    single = mapper(fields, to="retail_rocket.add_to_basket").map(EVENT)
    shared = mapper(fields, to="retail_rocket.add_to_basket", batched=True).map(EVENT)

    assert isinstance(single, Payload)
    assert isinstance(shared, Payload)
    assert shared.body == b'{"addToBasket":' + single.body + b"}"
    assert shared.channel.path == "/visitorEvents"


# Age.

HOUR = 3600.0
NOW = 1_795_343_467.0


@pytest.mark.parametrize(("age", "sent"), [(0, True), (HOUR, True), (HOUR + 1, False), (-HOUR, True)])
def test_what_happened_too_long_ago_is_filtered(age: float, sent: bool) -> None:  # noqa: FBT001 - a table's column
    """By the payload's own time; one from the future is not old."""
    mapping = mapper(view(time="from_seconds(t)"), max_age=HOUR, clock=ManualClock(wall=NOW))

    found = mapping.map({**EVENT, "t": NOW - age})

    if sent:
        assert isinstance(found, Payload)
        assert found.expires == pytest.approx(NOW - age + HOUR)
    else:
        assert found == Filtered(FilterReason.TOO_OLD, "views")


def test_without_a_time_the_record_s_counts() -> None:
    """Kafka knows when it took it; where it does not, nothing is too old."""
    mapping = mapper(view(), max_age=HOUR, clock=ManualClock(wall=NOW))

    assert isinstance(mapping.map(EVENT, timestamp=int(NOW * 1000)), Payload)
    assert isinstance(mapping.map(EVENT, timestamp=int((NOW - 2 * HOUR) * 1000)), Filtered)
    assert isinstance(mapping.map(EVENT, timestamp=-1), Payload)


@pytest.mark.parametrize(("items", "kind"), [([], Payload), ([{"sku": "1", "quantity": 1}], Filtered)])
def test_an_emptied_cart_is_never_too_old(items: list[object], kind: type) -> None:
    """Without it the vendor goes on mailing about a cart that was bought."""
    fields = {"cartReference": "sessionId", "contactId": "contactId", "time": "occurredAt", "items": "items"}
    mapping = mapper(fields, to="voyado.cart", max_age=HOUR, clock=ManualClock(wall=NOW + 10 * HOUR))

    found = mapping.map({**EVENT, "items": items})

    assert isinstance(found, kind)
