"""Every field of every method over every Avro type: what is sent, or why not. The tables are in `table.py`."""

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processor.destinations import VENDORS
from processor.fields import Field
from tests.destinations.feeds import FEEDS
from tests.destinations.mapping import good, judged, method_of
from tests.destinations.table import TABLE, No, Table

CELLS = [(method, path, table) for method, fields in TABLE.items() for path, table in fields.items()]


def field_of(method: str, path: str) -> Field:
    """A field by its name, or by those on the way to it: `items.sku`."""
    name, *inner = path.split(".")
    field = method_of(method).fields[name]
    for part in inner:
        field = field.fields[part]
    return field


def converted(field: Field, value: Any) -> Any:
    """What is sent, or why not."""
    try:
        return field.convert(value)
    except ValueError as error:
        return No(str(error))


def payload(method: str, path: str, value: Any) -> dict[str, Any]:
    """A good payload with a converted value in its place."""
    name, _, inner = path.partition(".")
    if not inner:
        return good(method, **{name: value})
    rest = {"sku": "10233", "quantity": 2} if name == "items" else {"key": "source", "value": "mail"}
    return good(method, **{name: [{**rest, inner: value}]})


def test_the_table_has_every_field_of_every_method() -> None:
    """Also those inside of lists, so that a new one cannot be forgotten."""
    fields = {
        method.name: {
            path
            for name, field in method.fields.items()
            for path in (name, *(f"{name}.{inner}" for inner in field.fields))
        }
        for vendor in VENDORS.values()
        for method in vendor.methods.values()
    }

    assert {method: set(paths) for method, paths in TABLE.items()} == fields


@pytest.mark.parametrize(("method", "path", "table"), CELLS, ids=lambda part: part if isinstance(part, str) else "")
def test_what_is_sent_or_why_not(method: str, path: str, table: Table) -> None:
    """For a value of every Avro type, to the type and the digit, and nothing else than what the table says."""
    field = field_of(method, path)

    found = {name: repr(converted(field, value)) for name, value in FEEDS.items()}

    assert found == {name: repr(cell) for name, cell in table.items()}


@pytest.mark.parametrize(("method", "path", "table"), CELLS, ids=lambda part: part if isinstance(part, str) else "")
def test_what_the_table_sends_the_vendor_takes(method: str, path: str, table: Table) -> None:
    """Judged by rules that share nothing with the converters, single and in a batch."""
    wrong = {
        (name, batched): verdict
        for name, cell in table.items()
        if not isinstance(cell, No)
        for batched in (False, True)
        if (verdict := judged(method, payload(method, path, cell), batched=batched)) is not None
    }

    assert wrong == {}


@pytest.mark.parametrize(("method", "path", "table"), CELLS, ids=lambda part: part if isinstance(part, str) else "")
def test_no_message_of_the_table_has_the_value(method: str, path: str, table: Table) -> None:
    """It may be personal data, and letters' headers are read by many; `12` and `true` are there by chance."""
    shown = {
        name: cell.words
        for name, cell in table.items()
        if isinstance(cell, No) and len(text := str(FEEDS[name])) > 3 and text != "true" and text in cell.words
    }

    assert shown == {}, (method, path)


MARK = "§"
MARKED = st.text(st.characters(exclude_categories=["Cs"]), max_size=30).map(lambda text: f"{MARK}{text}{MARK}")
PERSONAL = st.recursive(
    st.one_of(MARKED, st.integers().map(lambda value: value * 10**20 + 12_345_678_901_234_567_890)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(MARKED, inner, max_size=3)),
    max_leaves=5,
)


@pytest.mark.parametrize("method", TABLE)
@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_no_message_has_any_part_of_a_value(method: str, data: st.DataObject) -> None:
    """Neither a text nor a name in a map nor the digits of a number, however deep they are."""
    path = data.draw(st.sampled_from(list(TABLE[method])))

    found = converted(field_of(method, path), data.draw(PERSONAL))

    if isinstance(found, No):
        assert MARK not in found.words
        assert "2345678901234567890" not in found.words


NUMBERS = st.one_of(
    st.integers(-2, 2**53 + 1),
    st.integers(),
    st.floats(),
    st.decimals(),
    st.decimals(allow_nan=False, allow_infinity=False, places=2),
)
TEXTS = st.one_of(
    st.text(max_size=60),
    st.from_regex(r"-?[0-9]{1,20}(\.[0-9]{1,3})?", fullmatch=True),
    st.from_regex(r"[A-Za-z0-9_-]{1,52}\n?", fullmatch=True),
    st.uuids().map(str),
    st.from_regex(r"\+?[0-9]{5,16}", fullmatch=True),
    st.from_regex(r"[a-zA-Z]{1,4}([-_][A-Za-z0-9]{1,9}){0,4}", fullmatch=True),
    st.from_regex(r"[^@]{0,5}@[^@]{0,5}(@x)?", fullmatch=True),
    st.sampled_from(["\ud83d", "a\ude00@b"]),
)
TIMES = st.one_of(
    st.datetimes(timezones=st.timezones()).map(lambda time: time.isoformat()),
    st.datetimes().map(lambda time: time.isoformat(timespec="milliseconds") + "Z"),
    st.from_regex(r"[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})"),
)
SCALARS = st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS, TIMES, st.binary(max_size=3))
RECORDS = st.one_of(
    st.dictionaries(st.text(max_size=5), SCALARS, max_size=3),
    st.fixed_dictionaries({"sku": SCALARS, "quantity": NUMBERS}),
    st.fixed_dictionaries({"key": TEXTS, "value": SCALARS}),
)
ANYTHING = st.one_of(SCALARS, RECORDS, st.lists(st.one_of(SCALARS, RECORDS), max_size=3), st.lists(RECORDS, max_size=3))


@pytest.mark.parametrize("method", TABLE)
@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_what_comes_out_the_vendor_takes(method: str, data: st.DataObject) -> None:
    """Whatever comes out of Kafka and a mapping, it is refused, or it is JSON that passes the vendor's own rules."""
    path = data.draw(st.sampled_from(list(TABLE[method])))

    found = converted(field_of(method, path), data.draw(ANYTHING))

    if not isinstance(found, No):
        body = orjson.loads(orjson.dumps(payload(method, path, found)))
        assert judged(method, body, batched=False) is None
        assert judged(method, body, batched=True) is None
