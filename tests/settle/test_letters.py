from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.records import Channel, Delivery, ErrorClass, Failure, Headers, Record, Stage
from processor.settle.letters import (
    MESSAGE_LIMIT,
    RESPONSE_LIMIT,
    SHORT_LIMIT,
    VALUE_OMITTED,
    Letter,
    Origin,
    iso,
    letter,
)
from tests.support.records import record

ORIGIN = Origin("voyado", "c0ffee", "1.2.3")
REFUSED = Failure(Stage.SEND, ErrorClass.INVALID, "400: itemId is unknown", 400, '{"error": "itemId"}')
GARBAGE = Failure(Stage.DECODE, ErrorClass.UNDECODABLE, "3 bytes are no Confluent frame")


def refused(source: Record, failure: Failure = REFUSED) -> Letter:
    """The letter of a delivery that the vendor refused at its second attempt."""
    delivery = Delivery(
        source, 7, "orders", 3, Channel("order", "/order", batched=False), b"{}", "v1", None, 0.0, 2, 1e9, 1e9 + 0.25
    )
    return letter(ORIGIN, source, failure, route="orders", index=3, schema_id=7, delivery=delivery)


def headers_of(one: Letter) -> dict[str, str]:
    """Our headers, as text; each is there once."""
    ours = [(name, value) for name, value in one.headers if name.startswith("dlq.")]
    assert len(dict(ours)) == len(ours)
    return {name: value.decode() for name, value in ours if isinstance(value, bytes)}


def test_a_letter_tells_everything() -> None:
    """A refused delivery's letter has every header of the contract, as text."""
    assert headers_of(refused(record(42))) == {
        "dlq.source.topic": "clicks",
        "dlq.source.partition": "0",
        "dlq.source.offset": "42",
        "dlq.source.timestamp": "2023-11-14T22:13:20.000Z",
        "dlq.destination": "voyado",
        "dlq.route": "orders",
        "dlq.delivery.index": "3",
        "dlq.delivery.id": "clicks:0:42:orders:3",
        "dlq.stage": "send",
        "dlq.error.class": "invalid",
        "dlq.error.message": "400: itemId is unknown",
        "dlq.http.status": "400",
        "dlq.http.response": '{"error": "itemId"}',
        "dlq.attempts": "2",
        "dlq.first.attempt": "2001-09-09T01:46:40.000Z",
        "dlq.last.attempt": "2001-09-09T01:46:40.250Z",
        "dlq.schema.id": "7",
        "dlq.config.version": "c0ffee",
        "dlq.service.version": "1.2.3",
        "dlq.replay.count": "0",
    }


def test_what_is_not_known_is_absent() -> None:
    """A record that cannot be decoded was never sent, has no route and no schema: those headers are not there."""
    assert headers_of(letter(ORIGIN, record(42, timestamp=-1), GARBAGE)) == {
        "dlq.source.topic": "clicks",
        "dlq.source.partition": "0",
        "dlq.source.offset": "42",
        "dlq.destination": "voyado",
        "dlq.delivery.id": "clicks:0:42::0",
        "dlq.stage": "decode",
        "dlq.error.class": "undecodable",
        "dlq.error.message": "3 bytes are no Confluent frame",
        "dlq.attempts": "0",
        "dlq.config.version": "c0ffee",
        "dlq.service.version": "1.2.3",
        "dlq.replay.count": "0",
    }


@pytest.mark.parametrize("timestamp", [1_700_000_000_000_000, 2**63 - 1])
def test_a_timestamp_that_is_no_date_is_absent(timestamp: int) -> None:
    """Microseconds where Kafka has milliseconds are no date; the letter is written all the same (invariant 10)."""
    assert "dlq.source.timestamp" not in headers_of(letter(ORIGIN, record(timestamp=timestamp), GARBAGE))


def test_a_reply_without_a_body_is_told_apart_from_no_reply() -> None:
    """An empty body is an empty header; only what was never received is absent."""
    empty = headers_of(refused(record(), replace(REFUSED, response="")))

    assert empty["dlq.http.response"] == ""


def test_the_record_travels_as_it_arrived() -> None:
    """Key, value and headers are the same bytes in the same order, repeated and empty headers included."""
    arrived: Headers = [("trace", b"\xff\x00"), ("trace", b"2"), ("none", None), ("dlqueue", b"kept")]
    source = record(key=None, value=b"\x00\xffvalue", headers=arrived)

    one = refused(source)

    assert one.record is source
    assert one.value == source.value
    assert one.headers[: len(arrived)] == arrived


def smaller(one: Letter) -> Letter:
    """The same with one thing less."""
    found = one.smaller()
    assert found is not None
    return found


def test_a_letter_about_a_letter_replaces_its_headers() -> None:
    """Where a letter comes back as a record, our old headers are replaced, never added to."""
    first = smaller(refused(record(42, headers=[("trace", b"1")], value=b"more than a trace")))

    again = refused(record(7, headers=first.headers))

    assert headers_of(again) == headers_of(refused(record(7)))
    assert again.headers[0] == ("trace", b"1")


def test_a_letter_without_its_value_says_so() -> None:
    """For a topic that is too small the value stays behind, and a header tells how many bytes it had."""
    whole = refused(record(value=b"x" * 5000))

    cut = smaller(whole)

    assert cut.value is None
    assert headers_of(cut) == headers_of(whole) | {VALUE_OMITTED: "5000"}
    assert (cut.record, cut.failure, cut.route, cut.index) == (whole.record, whole.failure, whole.route, whole.index)


def forms(one: Letter | None) -> Iterator[Letter]:
    """The letter as it is written, and made smaller until nothing is left."""
    while one is not None:
        yield one
        one = one.smaller()


LONG = replace(REFUSED, message="m" * 500, response="r" * 500)


@pytest.mark.parametrize(
    ("source", "steps"),
    [
        (record(headers=[("t", b"12")], value=b"123456"), ["value", "texts", "headers", "key"]),
        (record(headers=[("t", b"123456")], value=b"12"), ["headers", "texts", "value", "key"]),
        (record(headers=[("t", b"12")], value=b"12", key=None), ["headers", "texts", "value"]),
        (record(headers=None, value=None), ["texts", "key"]),
        (record(headers=[("t", None)], value=b"", key=b""), ["headers", "texts"]),
    ],
)
def test_a_letter_is_made_smaller_step_by_step(source: Record, steps: list[str]) -> None:
    """The larger one of value and headers first, then our texts, then the other one, the key last; all are told."""
    found: list[str] = []
    for before, after in pairwise(forms(refused(source, LONG))):
        told = headers_of(after).keys() - headers_of(before).keys()
        found += [name.removeprefix("dlq.").removesuffix(".omitted") for name in told] or ["texts"]

    assert found == steps
    bare = [*forms(refused(source, LONG))][-1]
    assert (bare.key or b"", bare.value or b"", bare.arrived) == (b"", b"", [])
    texts = {name: headers_of(bare).pop(name) for name in ("dlq.error.message", "dlq.http.response")}
    assert texts == {"dlq.error.message": "m" * SHORT_LIMIT, "dlq.http.response": "r" * SHORT_LIMIT}
    assert headers_of(bare).items() >= {"dlq.source.offset": "0", "dlq.delivery.id": "clicks:0:0:orders:3"}.items()


def test_short_texts_are_no_step() -> None:
    """What is as short as it gets is not tried again."""
    found = [*forms(refused(record(key=None)))]

    assert [one.value for one in found] == [b"vv", None]


@given(st.text(max_size=30), st.integers(0, 40))
def test_long_texts_are_cut_between_characters(text: str, repeat: int) -> None:
    """Message and response keep as many whole characters as fit, and are UTF-8 whatever was in them."""
    long = text * repeat
    headers = headers_of(refused(record(), replace(REFUSED, message=long, response=long)))
    clean = long.encode(errors="replace").decode()

    for name, limit in (("dlq.error.message", MESSAGE_LIMIT), ("dlq.http.response", RESPONSE_LIMIT)):
        kept = headers[name]
        assert clean.startswith(kept)
        assert len(kept.encode()) <= limit
        assert kept == clean or len(clean[: len(kept) + 1].encode()) > limit


@pytest.mark.parametrize("character", ["é", "€", "😀"])
def test_a_cut_inside_a_character_drops_it(character: str) -> None:
    """A character of two, three or four bytes that straddles the limit is left out as a whole."""
    text = "x" * (RESPONSE_LIMIT - 1) + character

    kept = headers_of(refused(record(), replace(REFUSED, response=text)))["dlq.http.response"]

    assert kept == "x" * (RESPONSE_LIMIT - 1)


def test_half_a_character_does_not_stop_a_letter() -> None:
    """A lone surrogate, which UTF-8 does not know, is replaced."""
    headers = headers_of(refused(record(), replace(REFUSED, message="bad \ud800 text")))

    assert headers["dlq.error.message"] == "bad ? text"


@given(st.integers(0, 4_102_444_800_000))
def test_times_keep_their_milliseconds(milliseconds: int) -> None:
    """A Kafka timestamp until the year 2100 comes out with exactly its milliseconds."""
    text = iso(milliseconds / 1000)

    assert text.endswith(f".{milliseconds % 1000:03d}Z")
    assert len(text) == len("2023-11-14T22:13:20.000Z")
