from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.clock import ManualClock
from processor.expressions.language import ExpressionError, Language
from processor.expressions.time_functions import find_zone
from processor.expressions.values import WrongValueError
from tests.expressions.evaluate import evaluate, event


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("from_millis(`0`)", "1970-01-01T00:00:00.000Z"),
        ("from_millis(`-1`)", "1969-12-31T23:59:59.999Z"),
        ("from_millis(`1795339867120`)", "2026-11-22T09:31:07.120Z"),
        ("from_millis(`1795339867120.5`)", "2026-11-22T09:31:07.120500Z"),
        ("from_millis(`253402300799999`)", "9999-12-31T23:59:59.999Z"),
        ("from_millis(`-62135596800000`)", "0001-01-01T00:00:00.000Z"),
        ("from_seconds(`1795339867`)", "2026-11-22T09:31:07.000Z"),
        ("from_seconds(`1795339867.12`)", "2026-11-22T09:31:07.120Z"),
        ("from_seconds(float)", "2026-11-22T09:31:07.120Z"),
        ("from_seconds(`-14182940`)", "1969-07-20T20:17:40.000Z"),
    ],
)
def test_times_from_numbers(expression: str, expected: str) -> None:
    """ISO 8601 in UTC with milliseconds, before 1970 too."""
    assert evaluate(expression, float=1795339867.12) == expected


@pytest.mark.parametrize("number", ["253402300800000", "-62135596800001", "1e20", "-1e300"])
def test_a_number_out_of_range_is_no_time(number: str) -> None:
    """Years 1 to 9999; the message has the usual mistake."""
    with pytest.raises(ExpressionError, match="a time outside of the years 1 to 9999; is it in milliseconds"):
        evaluate(f"from_millis(`{number}`)")
    with pytest.raises(ExpressionError, match="a time outside of the years 1 to 9999; is it in milliseconds"):
        evaluate(f"from_seconds(`{number}`)")


@given(st.integers(-62135596800000, 253402300799999))
def test_times_come_back(millis: int) -> None:
    """A time that was made from a number has that number's age."""
    assert evaluate("age(from_millis(x))", x=millis) == Decimal(1_700_000_000) - Decimal(millis) / 1000


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("parse_time('2026-11-22T10:31:07+01:00')", "2026-11-22T10:31:07.000+01:00"),
        ("parse_time('2026-11-22T09:31:07Z')", "2026-11-22T09:31:07.000Z"),
        ("parse_time('2026-11-22T09:31:07.1234567Z')", "2026-11-22T09:31:07.123456Z"),
        ("parse_time('20261122T093107-0330')", "2026-11-22T09:31:07.000-03:30"),
        ("parse_time('2026-11-22', '', 'Europe/Stockholm')", "2026-11-22T00:00:00.000+01:00"),
        ("parse_time('2026-11-22T09:31:07Z', '', 'Europe/Stockholm')", "2026-11-22T09:31:07.000Z"),
        ("parse_time('22.11.2026 10:31', '%d.%m.%Y %H:%M', 'Europe/Oslo')", "2026-11-22T10:31:00.000+01:00"),
        ("parse_time('22/Jul/2026:10:31:07 +0200', '%d/%b/%Y:%H:%M:%S %z')", "2026-07-22T10:31:07.000+02:00"),
        ("parse_time('2026-07-22 10:31', '%Y-%m-%d %H:%M', 'UTC')", "2026-07-22T10:31:00.000Z"),
        ("parse_time('2026-01-22 10:31', '%Y-%m-%d %H:%M', 'Europe/London')", "2026-01-22T10:31:00.000Z"),
        ("parse_time('2026-07-22 10:31', '%Y-%m-%d %H:%M', 'Asia/Kathmandu')", "2026-07-22T10:31:00.000+05:45"),
        ("parse_time('1969-07-20 22:17', '%Y-%m-%d %H:%M', 'Europe/Stockholm')", "1969-07-20T22:17:00.000+01:00"),
        ("parse_time('1870-01-01', '', 'Europe/Stockholm')", "1869-12-31T22:47:48.000Z"),
    ],
)
def test_parse_time(expression: str, expected: str) -> None:
    """A zone in the text counts before the one that is named; the result always has one."""
    assert evaluate(expression) == expected


@pytest.mark.parametrize(
    ("local", "expected"),
    [
        ("2026-03-29T01:59:59", "2026-03-29T01:59:59.000+01:00"),
        ("2026-03-29T02:30:00", "2026-03-29T02:30:00.000+01:00"),
        ("2026-03-29T03:00:00", "2026-03-29T03:00:00.000+02:00"),
        ("2026-10-25T01:59:59", "2026-10-25T01:59:59.000+02:00"),
        ("2026-10-25T02:30:00", "2026-10-25T02:30:00.000+02:00"),
        ("2026-10-25T03:00:00", "2026-10-25T03:00:00.000+01:00"),
    ],
)
def test_hours_that_are_missing_or_come_twice(local: str, expected: str) -> None:
    """The hour that summer time skips counts as winter time, the hour that comes twice is the first: summer time."""
    assert evaluate("parse_time(x, '', 'Europe/Stockholm')", x=local) == expected


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("parse_time(x)", "this text is no time of the form that is asked for"),
        ("parse_time('2026-13-01T00:00:00Z')", "this text is no time of the form that is asked for"),
        ("parse_time('22.11.2026', '%d.%m.%y')", "this text is no time of the form that is asked for"),
        ("parse_time('2026-11-22', x)", "this text is no time of the form that is asked for"),
        ("parse_time('2026-11-22', twice)", "this text is no time of the form that is asked for"),
        (
            "parse_time('2026-11-22T10:31')",
            "this time has no zone: name one, parse_time(text, format, 'Europe/Stockholm')",
        ),
        ("parse_time('2026-11-22', '', x)", "there is no time zone of that name; names are like Europe/Stockholm"),
        ("parse_time('0001-01-01', '', 'Europe/Stockholm')", "a time outside of the years 1 to 9999"),
        ("age(x)", "age() wants an ISO 8601 time, and this text is none"),
        ("age('2026-11-22T10:31:07')", "age() wants a time with a zone, and this one has none"),
    ],
)
def test_a_text_that_is_no_time(expression: str, words: str) -> None:
    """What is wrong with it, and never the text itself."""
    with pytest.raises(ExpressionError) as caught:
        evaluate(expression, x="anna%Q", twice="%Y %Y")

    assert str(caught.value) == f"{expression}: {words}"


@pytest.mark.parametrize("name", ["", "Europe", "Mars/Olympus", "../etc/passwd", "/etc/passwd", "\0", "é", "a" * 300])
def test_a_zone_that_does_not_exist(name: str) -> None:
    """Whatever the name is, it is said in the same words."""
    with pytest.raises(WrongValueError, match="there is no time zone of that name"):
        find_zone(name)


def test_age_goes_with_the_clock() -> None:
    """Seconds since then, to the millisecond; negative for what is still to come."""
    clock = ManualClock(wall=1_795_339_867.0)
    age = Language({}, clock.wall).compile("age(at)")

    def old(at: str) -> Decimal:
        found: Decimal = age({"at": at}, event())
        return found

    assert old("2026-11-22T09:31:06.880Z") == Decimal("0.120")
    clock.advance(10)
    assert old("2026-11-22T10:31:06.880+01:00") == Decimal("10.120")
    assert old("2026-11-22T09:31:18Z") == -1
    assert old("1969-12-31T23:59:59Z") == 1_795_339_878
    assert old("0001-01-01T00:00:00+14:00") > old("9999-12-31T23:59:59-12:00")


def test_age_in_a_condition() -> None:
    """An event of the last hour."""
    assert evaluate("age(at) < `3600`", at="2023-11-14T22:00:00Z") is True
    assert evaluate("age(at) < `3600`", at="2023-11-14T21:00:00Z") is False
    assert evaluate("age(at) < `3600`", at=None) is None
