"""What our models let through, the stub vendors take: their rules are written from the documents, apart from ours."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processor.demo.rocket_rules import check_rocket
from processor.demo.voyado_rules import check_voyado
from processor.destinations import VENDORS
from processor.records import Failure, Payload
from tests.destinations.mapping import GOOD, GUID, VOYADO, good, mapped, vendor_of

ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.decimals(allow_nan=False, allow_infinity=False),
    st.text(max_size=60),
    st.binary(max_size=5),
    st.lists(st.integers(), max_size=2),
)
INTEGERS = st.one_of(
    st.integers(-2, 2**53 + 1),
    st.from_regex(r"-?\d{1,20}", fullmatch=True),
    st.integers(-2, 2**53 + 1).map(Decimal),
    st.integers(-2, 2**54).map(float),
    st.decimals(allow_nan=False, allow_infinity=False, places=2),
)
PRICES = st.one_of(
    st.floats(),
    st.integers(),
    st.decimals(allow_nan=False, allow_infinity=False, places=2),
    st.from_regex(r"-?\d{1,5}(\.\d{1,3})?", fullmatch=True),
)
ZONES = st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
TIMES = st.one_of(
    st.datetimes(timezones=st.one_of(st.just(UTC), ZONES)).map(datetime.isoformat),
    st.datetimes().map(lambda time: time.isoformat() + "Z"),
    st.from_regex(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", fullmatch=True),
)
SESSIONS = st.one_of(st.uuids().map(str), st.from_regex(r"[A-Za-z0-9-]{1,52}\n?", fullmatch=True))
CONTACTS = st.one_of(st.uuids().map(str), st.just(GUID), st.from_regex(r"[A-Za-z0-9_-]{19,25}\n?", fullmatch=True))
TEXTS = st.one_of(st.text(max_size=55), st.integers())
FILLED = st.text(min_size=1, max_size=55)
CULTURES = st.from_regex(r"[a-z]{2,3}(-[A-Z]{2})?", fullmatch=True)
"""The stub wants a culture code, where Voyado would leave the event out later; our model takes any text."""

FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "itemId": TEXTS,
    "contactId": CONTACTS,
    "time": TIMES,
    "category": TEXTS,
    "sessionId": TEXTS,
    "newSession": st.booleans(),
    "language": CULTURES,
    "url": TEXTS,
    "externalReferrer": TEXTS,
    "utm": st.lists(st.fixed_dictionaries({"key": TEXTS, "value": TEXTS}), max_size=3),
    "cartReference": TEXTS,
    "items": st.lists(st.fixed_dictionaries({"sku": TEXTS, "quantity": INTEGERS}), max_size=3),
    "sessionExternalId": SESSIONS,
    "timestamp": TIMES,
    "productId": INTEGERS,
    "productIds": st.lists(INTEGERS, max_size=3),
    "groupId": INTEGERS,
    "categoryId": INTEGERS,
    "stockId": FILLED,
    "price": PRICES,
    "quantity": INTEGERS,
    "transaction": TEXTS,
    "searchPhrase": TEXTS,
}
"""Values of the right kind, and just beside it."""
NO_WILD_VALUES = frozenset({"language", "stockId"})
"""The stub is stricter here than our models: see `CULTURES`; and a stock that is named must have a name."""


@st.composite
def payloads(draw: st.DrawFn, method: str) -> dict[str, Any]:
    """A good payload, with some fields replaced by others of their kind, and one by anything at all."""
    fields = sorted(VENDORS[vendor_of(method)].methods[method].fields)
    changed = draw(st.sets(st.sampled_from(fields), max_size=len(fields)))
    changes = {field: draw(FIELDS[field]) for field in changed}
    wild = draw(st.sampled_from([field for field in fields if field not in NO_WILD_VALUES]))
    if draw(st.integers(0, 3)) == 0:
        changes[wild] = draw(ANYTHING)
    return good(method, **changes)


@pytest.mark.parametrize("batched", [False, True])
@pytest.mark.parametrize("method", GOOD)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_what_we_send_the_vendor_takes(method: str, batched: bool, data: st.DataObject) -> None:  # noqa: FBT001 - a column of a table
    """Whatever comes out of Kafka is a dead letter or a payload that passes the vendor's own rules."""
    values = data.draw(payloads(method))

    found = mapped(method, values, batched=batched)

    assert isinstance(found, Failure) or judged(method, found) is None


def judged(method: str, payload: Payload) -> str | None:
    """What the vendor's rules say of a request with this payload alone."""
    body = orjson.loads(payload.body)
    sent = [body] if payload.channel.batched else body
    if method in VOYADO:
        return check_voyado(payload.channel.path, sent)
    return check_rocket(f"/1.0{payload.channel.path}", sent)


@pytest.mark.parametrize("method", GOOD)
def test_good_payloads_are_sent_and_taken(method: str) -> None:
    """The comparison is not of dead letters only."""
    for batched in (False, True):
        found = mapped(method, good(method), batched=batched)

        assert isinstance(found, Payload)
        assert judged(method, found) is None
