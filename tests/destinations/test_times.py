import pytest

from processor.destinations.times import in_milliseconds, in_seconds


@pytest.mark.parametrize(
    ("value", "millis", "seconds"),
    [
        ("2026-11-22T09:31:07Z", "2026-11-22T09:31:07Z", "2026-11-22T09:31:07Z"),
        ("2026-11-22T09:31:07.120Z", "2026-11-22T09:31:07.120Z", "2026-11-22T09:31:07Z"),
        ("2026-11-22T09:31:07.999999Z", "2026-11-22T09:31:07.999Z", "2026-11-22T09:31:07Z"),
        ("2026-11-22T09:31:07.1Z", "2026-11-22T09:31:07.1Z", "2026-11-22T09:31:07Z"),
        ("2026-11-22T09:31:07.123456789Z", "2026-11-22T09:31:07.123Z", "2026-11-22T09:31:07Z"),
        ("2026-11-22T10:31:07.120+01:00", "2026-11-22T10:31:07.120+01:00", "2026-11-22T10:31:07+01:00"),
        ("2026-11-22T10:31:07.120456+01:00", "2026-11-22T10:31:07.120+01:00", "2026-11-22T10:31:07+01:00"),
        ("2026-11-22T04:01:07-05:30", "2026-11-22T04:01:07-05:30", "2026-11-22T04:01:07-05:30"),
        ("2024-02-29T23:59:59Z", "2024-02-29T23:59:59Z", "2024-02-29T23:59:59Z"),
        ("1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59Z"),
        ("0001-01-01T00:00:00.000Z", "0001-01-01T00:00:00.000Z", "0001-01-01T00:00:00Z"),
        # The hour that comes twice when summer ends, and the one that does not exist when it begins.
        ("2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+02:00"),
        ("2026-10-25T02:30:00+01:00", "2026-10-25T02:30:00+01:00", "2026-10-25T02:30:00+01:00"),
        ("2026-03-29T01:59:59.999+01:00", "2026-03-29T01:59:59.999+01:00", "2026-03-29T01:59:59+01:00"),
        ("2026-03-29T03:00:00.000+02:00", "2026-03-29T03:00:00.000+02:00", "2026-03-29T03:00:00+02:00"),
    ],
)
def test_times_keep_their_zone_and_what_the_vendor_reads(value: str, millis: str, seconds: str) -> None:
    """At most milliseconds, or whole seconds; what is cut is cut, not rounded."""
    assert in_milliseconds(value) == millis
    assert in_seconds(value) == seconds


NO_TIME = "text is no ISO 8601 time with a zone, like 2026-11-22T10:31:07Z"
NO_ZONE = "the time has no zone, so nobody can say when it was"
NOT_THERE = "there is no such time in the calendar"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("2026-11-22T10:31:07", NO_ZONE),
        ("2026-11-22T10:31:07.120", NO_ZONE),
        ("2026-11-22T10:31:07.120456789", NO_ZONE),
        ("2026-11-22 10:31", NO_ZONE),
        ("2026-11-22", "a date is no point in time"),
        ("2026-13-22T10:31:07Z", NOT_THERE),
        ("2026-13-22T10:31:07.120Z", NOT_THERE),
        ("2026-02-29T10:31:07.120Z", NOT_THERE),
        ("2026-02-29T10:31:07Z", NOT_THERE),
        ("2026-11-22T24:00:00Z", NOT_THERE),
        ("2026-11-22T10:31:60Z", NOT_THERE),
        ("0000-11-22T10:31:07Z", NOT_THERE),
        ("2026-11-22T10:31:07+24:00", NOT_THERE),
        ("2026-11-22T10:31:07+99:99", NOT_THERE),
        # As long as the commonest form, and something else: the week's day, no separators, a comma, other digits.
        ("2026-W47-7T10:31:07.120Z", NO_TIME),
        ("20261122T103107.1234567Z", NO_TIME),
        ("2026-11-22T103107.12345Z", NO_TIME),
        ("2026-11-22 10:31:07.120Z", NO_TIME),
        ("2026-11-22T10:31:07,120Z", NO_TIME),
        ("2026-11-22T10:31:07.12ZZ", NOT_THERE),
        ("2026-11-22T10:31:07.120z", NO_TIME),
        ("２026-11-22T10:31:07.120Z", NOT_THERE),
        ("2026-11-22T10:31:07.１20Z", NOT_THERE),
        ("2026-11-22T10:31:07.-20Z", NOT_THERE),
        ("\ud800026-11-22T10:31:07.120Z", NOT_THERE),
        *[
            (value, NO_TIME)
            for value in (
                "2026-11-22 10:31:07Z",
                "2026-11-22T10:31Z",
                "2026-11-22T10:31:07z",
                "2026-11-22T10:31:07+0100",
                "2026-11-22T10:31:07+01",
                "2026-11-22T10:31:07.Z",
                "2026-11-22T10:31:07,5Z",
                "２０２６-11-22T10:31:07Z",
                "2026-11-22T10:31:07+０１:00",
                "2026-11-22T10:31:07Z\n",
                " 2026-11-22T10:31:07Z",
                "10:31:07.120",
                "yesterday",
                "",
            )
        ],
        (1_795_343_467_120, "integer is no ISO 8601 time with a zone, like 2026-11-22T10:31:07Z"),
        (1_795_343_467.12, "number is no ISO 8601 time with a zone, like 2026-11-22T10:31:07Z"),
        (True, "boolean is no ISO 8601 time with a zone, like 2026-11-22T10:31:07Z"),
        (None, "null is no ISO 8601 time with a zone, like 2026-11-22T10:31:07Z"),
        (["2026-11-22T10:31:07Z"], "array is no ISO 8601 time with a zone, like 2026-11-22T10:31:07Z"),
    ],
    ids=ascii,
)
def test_what_is_no_time_with_a_zone_is_refused(value: object, words: str) -> None:
    """Nobody can say when a bare local time was; numbers are not guessed at; and the words say which it is."""
    for convert in (in_milliseconds, in_seconds):
        with pytest.raises(ValueError) as refusal:  # noqa: PT011 - the words follow
            convert(value)
        assert str(refusal.value) == words
