from typing import Any

import pytest

from processor.expressions.language import ExpressionError
from processor.records import Headers
from tests.expressions.evaluate import LANGUAGE, evaluate, event


def of_record(expression: str, **record: Any) -> Any:
    """What an expression gives for an event whose Kafka record has this."""
    return LANGUAGE.compile(expression)({}, event(**record))


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (None, None),
        ([], None),
        ([("other", b"x")], None),
        ([("tenant", b"acme")], "acme"),
        ([("tenant", b"first"), ("other", b"x"), ("tenant", b"last")], "last"),
        ([("tenant", b"acme"), ("tenant", None)], None),
        ([("tenant", "åsa".encode())], "åsa"),
        ([("tenant", b"")], ""),
        ([("Tenant", b"x")], None),
    ],
)
def test_header(headers: Headers | None, expected: str | None) -> None:
    """The last of that name, as UTF-8; null where there is none or it has no value."""
    assert of_record("header('tenant')", headers=headers) == expected


def test_a_header_that_is_no_text() -> None:
    """The message does not show its bytes."""
    with pytest.raises(ExpressionError) as caught:
        of_record("header('tenant')", headers=[("tenant", b"anna\xff")])

    assert str(caught.value) == "header('tenant'): header(): its value is not UTF-8 text"


@pytest.mark.parametrize(
    ("key", "expected"), [(None, None), (b"", ""), (b"8f14", "8f14"), ("å".encode(), "å"), (b"\x00\xff\xfe", "AP/+")]
)
def test_kafka_key(key: bytes | None, expected: str | None) -> None:
    """UTF-8 where it is, else base64."""
    assert of_record("kafka_key()", key=key) == expected


@pytest.mark.parametrize(
    ("timestamp", "expected"),
    [(-1, None), (0, "1970-01-01T00:00:00.000Z"), (1795339867301, "2026-11-22T09:31:07.301Z")],
)
def test_kafka_time(timestamp: int, expected: str | None) -> None:
    """Null where the broker knows none."""
    assert of_record("kafka_time()", timestamp=timestamp) == expected


def test_kafka_topic() -> None:
    """The topic, as the record came."""
    assert of_record("kafka_topic()") == "shop.clickstream"


def test_event_is_the_whole_event_everywhere() -> None:
    """Also where an item hides a field, and inside projections and arguments."""
    whole = {"item": "hidden", "market": "SE", "lines": [{"sku": "a"}]}
    compiled = LANGUAGE.compile("[item, event().item, lines[].[sku, event().market], map(&event().market, lines)]")

    given = compiled(whole | {"item": {"sku": "a"}, "name": "of let"}, event(whole))

    assert given == [{"sku": "a"}, "hidden", [["a", "SE"]], ["SE"]]
    assert LANGUAGE.compile("event().name")(whole | {"name": "of let"}, event(whole)) is None


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("lookup('culture', market)", "sv-SE"),
        ("lookup('culture', number)", "nb-NO"),
        ("lookup('culture', 'DK', 'en-GB')", "en-GB"),
        ("lookup('culture', 'DK', `null`)", None),
        ("lookup('culture', 'DK', number)", 47),
        ("lookup('culture', missing)", None),
        ("lookup('culture', missing, 'en-GB')", None),
        ("lookup('culture', market, missing)", "sv-SE"),
        ("lookup(missing, market)", None),
        ("lookup(table, market)", "sv-SE"),
        ("default(lookup('culture', missing), 'en-GB')", "en-GB"),
    ],
)
def test_lookup(expression: str, expected: object) -> None:
    """The table's value, else the default; a null table or key gives null; numbers are keys as they are written."""
    assert evaluate(expression, market="SE", number=47, table="culture") == expected


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("lookup('culture', email)", "lookup(): the table culture has no such key, and no default is given"),
        ("lookup('none', email)", "lookup(): the table none has no such key, and no default is given"),
        ("lookup(email, 'SE')", "lookup(): there is no such table"),
        ("lookup(email, 'SE', 'x')", "lookup(): there is no such table"),
    ],
)
def test_a_lookup_that_finds_nothing(expression: str, words: str) -> None:
    """The table is named, the key is not: it may be somebody's."""
    with pytest.raises(ExpressionError) as caught:
        evaluate(expression, email="anna@example.com")

    assert str(caught.value) == f"{expression}: {words}"
