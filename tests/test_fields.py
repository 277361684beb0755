import pytest

from processor.fields import event_time, located


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("the text is empty", "items: the text is empty"),
        ("[2].sku: required, but null", "items[2].sku: required, but null"),
        (".sku: required, but null", "items.sku: required, but null"),
    ],
)
def test_where_a_value_is_wrong(words: str, expected: str) -> None:
    """A field's name, and the way on from there where the value is nested."""
    assert located("items", ValueError(words)) == expected


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
def test_the_time_of_a_payload(time: str, seconds: float) -> None:
    """Seconds since 1970, whatever the zone and on both sides of a clock change, as far as the calendar goes."""
    assert event_time(time) == pytest.approx(seconds, abs=1e-3)
