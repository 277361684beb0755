import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.records import Assignment, ErrorClass, Failure, Stage, delivery_id
from processor.replay.letter import DeadLetter, NotALetter, Replayed, dead_letter
from tests.replay.letters import WRITTEN, as_letter, buried, changed
from tests.support.records import SECOND, record

SOURCE = record(41, at=Assignment("shop.clicks", 5, 1), key=b"k1", value=b"vv", headers=[("tenant", b"acme")])


def test_all_that_it_says() -> None:
    """What the service wrote is read again, header by header, and the record's own parts apart from it."""
    found = as_letter(source=SOURCE, offset=17)

    assert (found.partition, found.offset, found.place, found.written) == (3, 17, "3:17", WRITTEN)
    assert (found.source_topic, found.source_partition, found.source_offset) == ("shop.clicks", 5, 41)
    assert found.source_timestamp == SECOND
    assert (found.destination, found.route, found.index) == ("rocket", "orders", 2)
    assert found.delivery_id == "shop.clicks:5:41:orders:2"
    assert (found.stage, found.error_class, found.message) == ("send", "invalid", "400")
    assert (found.status, found.response, found.attempts) == (400, '{"error":"price"}', 0)
    assert (found.first_attempt, found.last_attempt, found.schema_id) == (None, None, "7")
    assert (found.config_version, found.service_version, found.replays) == ("77be01", "0.1.0", 0)
    assert (found.key, found.value, found.arrived) == (b"k1", b"vv", [("tenant", b"acme")])
    assert found.omitted == {}


def test_what_a_letter_does_not_know() -> None:
    """A record that failed before any route, without a time or key: nothing is made up."""
    failure = Failure(Stage.DECODE, ErrorClass.UNDECODABLE, "no Avro")
    found = as_letter(source=record(key=None, headers=None, timestamp=-1), failure=failure, route="", index=None)

    assert (found.route, found.index, found.status, found.response) == ("", None, None, None)
    assert (found.source_timestamp, found.key, found.arrived) == (-1, None, [])
    assert found.delivery_id == "clicks:0:0::0"


def test_the_id_of_a_letter_that_has_none() -> None:
    """It follows from where the record was."""
    found = as_letter(changed(buried(source=SOURCE), delivery_id=None))

    assert found.delivery_id == "shop.clicks:5:41:orders:2"


def test_what_was_left_out() -> None:
    """Each part that the topic did not take, with its bytes."""
    found = as_letter(changed(buried(), value_omitted=b"1048576", key_omitted=b"12"))

    assert found.omitted == {"value": 1_048_576, "key": 12}


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("source_topic", None, "has no dlq.source.topic"),
        ("destination", None, "has no dlq.destination"),
        ("error_class", None, "has no dlq.error.class"),
        ("source_offset", b"-3", "has a dlq.source.offset that is no number"),
        ("source_partition", b"", "has a dlq.source.partition that is no number"),
        ("replay_count", b"9" * 5000, "has a dlq.replay.count that is no number"),
        ("http_status", "٤٠٠".encode(), "has a dlq.http.status that is no number"),
        ("source_timestamp", b"yesterday", "has a dlq.source.timestamp that is no time"),
        ("source_timestamp", b"\xff", "has a dlq.source.timestamp that is no time"),
        ("source_timestamp", b"2026-11-22T10:00:00", "has a dlq.source.timestamp that is no time"),
    ],
)
def test_headers_against_the_contract(name: str, content: bytes | None, why: str) -> None:
    """A message with them is no letter, and the words name the header."""
    assert dead_letter(changed(buried(), **{name: content})) == NotALetter(why)


def test_other_messages() -> None:
    """Somebody else's message and a user's tombstone are told apart."""
    assert dead_letter(record(headers=[("a", b"1")])) == NotALetter("has no headers of a dead letter")
    assert dead_letter(record(headers=None)) == NotALetter("has no headers of a dead letter")
    assert dead_letter(record(value=None)) == NotALetter("is a tombstone", tombstone=True)


NAMES = st.sampled_from([name for name, _ in buried().headers or ()]) | st.text(max_size=8)
CONTENTS = st.none() | st.binary(max_size=30) | st.integers(-1, 10**19).map(lambda number: str(number).encode())


@given(headers=st.lists(st.tuples(NAMES, CONTENTS)), whole=st.booleans())
def test_whatever_comes(headers: list[tuple[str, bytes | None]], *, whole: bool) -> None:
    """Whatever somebody writes into headers: reading raises nothing, neither the letter nor any part of it."""
    message = buried()
    message.headers = [*((message.headers or []) if whole else []), *headers]

    found = dead_letter(message)

    if isinstance(found, DeadLetter):
        parts = [name for name in dir(DeadLetter) if not name.startswith("_") and name != "text"]
        assert len([getattr(found, name) for name in parts]) == len(parts)
        assert Replayed(found).source == (found.source_topic, found.source_partition, found.source_offset)


def test_on_its_way_again() -> None:
    """It is the record that it was, but settled where the letter lies."""
    message = changed(buried(17, source=SOURCE), replay_count=b"2")

    again = Replayed(as_letter(message))

    assert (again.assignment, again.offset) == (message.assignment, 17)
    assert again.source == ("shop.clicks", 5, 41)
    assert again.topic == "shop.clicks"
    assert again.replays == 3
    assert (again.key, again.value, again.headers) == (b"k1", b"vv", [("tenant", b"acme")])
    assert (again.timestamp, again.size, again.open) == (SECOND, 4, 0)
    assert delivery_id(again, "orders", 2) == "shop.clicks:5:41:orders:2"
