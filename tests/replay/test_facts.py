import pytest

from processor.expressions.event_functions import key_text
from processor.replay.facts import NAMES, facts, header_texts, moment
from tests.replay.letters import as_letter, buried, changed


def test_what_a_letter_says() -> None:
    """Each fact has its name; what the record held is not among them."""
    said = facts(as_letter(changed(buried(9), value_omitted=b"12", attempts=b"2", last_attempt=b"then")))

    assert said == {
        "letter": "3:9",
        "written": "2023-11-14T22:14:20.000Z",
        "id": "clicks:0:0:orders:2",
        "topic": "clicks",
        "partition": 0,
        "offset": 0,
        "time": "2023-11-14T22:13:20.000Z",
        "destination": "rocket",
        "route": "orders",
        "index": 2,
        "stage": "send",
        "class": "invalid",
        "status": 400,
        "message": "400",
        "response": '{"error":"price"}',
        "attempts": 2,
        "first_attempt": None,
        "last_attempt": "then",
        "schema_id": "7",
        "config_version": "77be01",
        "service_version": "0.1.0",
        "replays": 0,
        "omitted": {"value": 12},
    }
    assert tuple(said) == NAMES


def test_what_a_letter_does_not_know() -> None:
    """It is null."""
    said = facts(as_letter(route="", index=None, written=-1))

    assert (said["route"], said["index"], said["written"]) == (None, None, None)


@pytest.mark.parametrize(("key", "text"), [(None, None), (b"k", "k"), ("å".encode(), "å"), (b"\xff\xfe", "//4=")])
def test_keys(key: bytes | None, text: str | None) -> None:
    """Text where it is one, else base64."""
    assert key_text(key) == text


def test_headers() -> None:
    """The last one of a name; what is no text is shown as far as it is."""
    assert header_texts([("a", b"1"), ("b", None), ("a", b"\xff2")]) == {"a": "\ufffd2", "b": None}
    assert header_texts(None) == {}


@pytest.mark.parametrize(
    ("milliseconds", "text"), [(0, "1970-01-01T00:00:00.000Z"), (-1, None), (10**16, None), (2**63 - 1, None)]
)
def test_moments(milliseconds: int, text: str | None) -> None:
    """A time that no calendar has is none."""
    assert moment(milliseconds) == text
