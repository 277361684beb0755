import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from processor.clock import ManualClock
from processor.expressions.language import ExpressionError, Language
from processor.records import Assignment, ErrorClass, Failure, Stage
from processor.replay.letter import DeadLetter
from processor.replay.selectors import Selection, Selectors
from processor.settle.letters import Origin
from tests.replay.letters import WRITTEN, as_letter
from tests.support.records import record

LANGUAGE = Language({}, ManualClock().wall)
TIME = datetime.fromtimestamp(WRITTEN / 1000, UTC)
LETTER = as_letter(
    source=record(41, at=Assignment("shop.clicks", 5, 1), key=b"k1", headers=[("tenant", b"acme"), ("bad", b"\xff")])
)
BEFORE_ROUTES = as_letter(
    source=record(key=b"\xff\xfe"), failure=Failure(Stage.DECODE, ErrorClass.UNDECODABLE, "no Avro"), route=""
)


def wants(letter: DeadLetter, **selectors: Any) -> bool:
    """Whether these selectors mean the letter."""
    return Selection(Selectors(**selectors), "rocket", LANGUAGE).wants(letter)


@pytest.mark.parametrize(
    ("selectors", "wanted"),
    [
        ({}, True),
        ({"routes": ("orders",)}, True),
        ({"routes": ("views", "orders")}, True),
        ({"routes": ("order",)}, False),
        ({"stages": ("send",)}, True),
        ({"stages": ("map",)}, False),
        ({"classes": ("invalid", "refused")}, True),
        ({"classes": ("refused",)}, False),
        ({"statuses": (400, 422)}, True),
        ({"statuses": (422,)}, False),
        ({"since": TIME}, True),
        ({"since": TIME + timedelta(milliseconds=1)}, False),
        ({"until": TIME + timedelta(milliseconds=1)}, True),
        ({"until": TIME}, False),
        ({"key": "k1"}, True),
        ({"key": "k"}, False),
        ({"source": ("shop.clicks", None, None)}, True),
        ({"source": ("shop.clicks", 5, None)}, True),
        ({"source": ("shop.clicks", 5, 41)}, True),
        ({"source": ("shop.clicks", 5, 42)}, False),
        ({"source": ("shop.clicks", 4, None)}, False),
        ({"source": ("shop", None, None)}, False),
        ({"grep": "^400$"}, True),
        ({"grep": '"error":"pri'}, True),
        ({"grep": "prices"}, False),
        ({"routes": ("orders",), "statuses": (422,)}, False),
        ({"where": "letter.status == `400` && headers.tenant == 'acme' && key == 'k1'"}, True),
        ({"where": "headers.\"dlq.route\" == 'views'"}, False),
        ({"where": "letter.topic == 'shop.clicks' && letter.offset == `41` && letter.replays < `3`"}, True),
        (
            {"where": "letter.index == `2` && letter.class == 'invalid' && starts_with(letter.id, 'shop.clicks:5')"},
            True,
        ),
        ({"where": "header('tenant') == 'acme' && kafka_key() == 'k1'"}, True),
        ({"where": "letter.first_attempt"}, False),
        ({"where": "`0`"}, True),
    ],
)
def test_each_selector(selectors: dict[str, Any], wanted: bool) -> None:  # noqa: FBT001 - a table's column
    """Each narrows the others; of one that is given several times, one fits."""
    assert wants(LETTER, **selectors) is wanted


@pytest.mark.parametrize(
    ("selectors", "wanted"),
    [
        ({"routes": ("",)}, True),
        ({"routes": ("orders",)}, False),
        ({"statuses": (400,)}, False),
        ({"key": "//4="}, True),
        ({"grep": "Avro"}, True),
        ({"where": "letter.route == `null` && key == '//4='"}, True),
    ],
)
def test_what_failed_before_any_route(selectors: dict[str, Any], wanted: bool) -> None:  # noqa: FBT001 - so here
    """It has no route and no reply; a key that is no text is meant by its base64."""
    assert wants(BEFORE_ROUTES, **selectors) is wanted


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("status == `400`", "there is no `status` here; did you mean letter.status?"),
        (
            "letter.status == `400` && market == 'SE'",
            "there is no `market` here; there are key, headers, letter, event",
        ),
        ("not_null(key, [tenant][0])", "there is no `tenant` here"),
        ("letter.statuz", "there is no `letter.statuz`; it has letter, written, id,"),
        ("headers.dlq.route == 'x'", 'its name stands in quotes: headers."dlq.route"'),
    ],
)
def test_a_condition_on_what_no_letter_has(where: str, words: str) -> None:
    """It is refused: null for each letter looks as if there were none."""
    with pytest.raises(ExpressionError, match=re.escape(words)):
        wants(LETTER, where=where)


@pytest.mark.parametrize(
    "where",
    [
        "event.lines[?sku == 'a'].price | length(@) > `1`",
        "contains(event.lines[].sku, 'a') && max_by(event.lines, &price).sku",
        "event().market",
        "@.key && letter.omitted.value && values(headers)[?@ == 'x']",
        "event.*.sku",
    ],
)
def test_names_inside_of_an_event(where: str) -> None:
    """What an event has in it nobody knows before it comes."""
    Selection(Selectors(where=where), "rocket", LANGUAGE)


def test_letters_of_another_destination() -> None:
    """They are never meant, though they lie in the same topic."""
    other = as_letter(origin=Origin("voyado", "1", "1"))

    assert not wants(other)


def test_a_condition_on_the_event() -> None:
    """The event is asked for only where it is named, and after the headers; what cannot be decoded is null."""
    named = Selection(Selectors(routes=("orders",), where="event.price > `10`"), "rocket", LANGUAGE)
    called = Selection(Selectors(where="event().price > `10`"), "rocket", LANGUAGE)
    without = Selection(Selectors(where="letter.status == `400`"), "rocket", LANGUAGE)

    assert (named.needs_event, called.needs_event, without.needs_event) == (True, True, False)
    assert named.wants(LETTER)
    assert not named.wants(BEFORE_ROUTES)
    for selection in (named, called):
        assert selection.wants_event(LETTER, {"price": 12})
        assert not selection.wants_event(LETTER, {"price": 9})
        assert not selection.wants_event(LETTER, None)
    assert without.wants_event(LETTER, None)


def test_a_condition_that_fails() -> None:
    """Such a letter is not selected, and people are told on how many that was, and why."""
    selection = Selection(Selectors(where="letter.message > letter.status"), "rocket", LANGUAGE)

    assert [selection.wants(LETTER) for _ in range(3)] == [False] * 3
    [(words, count)] = selection.failed.items()
    assert count == 3
    assert "cannot tell whether" in words


def test_a_condition_that_does_not_parse() -> None:
    """It is refused before anything is read."""
    with pytest.raises(ExpressionError, match="unknown function"):
        Selection(Selectors(where="nope(key)"), "rocket", LANGUAGE)


@pytest.mark.parametrize(
    "selectors",
    [
        Selectors(),
        Selectors(("", "b"), ("map",), ("invalid",), (400,), TIME, TIME, "k", ("t", 1, None), "x", "key"),
        Selectors(source=("t", None, None)),
    ],
)
def test_through_the_audit(selectors: Selectors) -> None:
    """What is written there as JSON is read again as it was; what was not asked for is not written."""
    plain = json.loads(json.dumps(selectors.as_json()))

    assert Selectors.from_json(plain) == selectors
    assert (plain == {}) == (selectors == Selectors())
