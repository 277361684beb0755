"""The selectors as people write them; what they select is in `tests/replay/test_selectors.py`."""

import argparse
from datetime import UTC, datetime, timedelta

import pytest

from processor.cli.selecting import add_selectors, selectors_of, source, time
from processor.replay.selectors import Selectors


def given(*arguments: str) -> Selectors:
    """What a command makes of its arguments."""
    parser = argparse.ArgumentParser()
    add_selectors(parser)
    return selectors_of(parser.parse_args(arguments))


def test_none_is_all() -> None:
    """Without arguments nothing is narrowed."""
    assert given() == Selectors()


def test_every_selector() -> None:
    """Each lands in its place; those that may be repeated are collected."""
    words = (
        "--route a --route b --stage map --stage send --class invalid --status 400 --status 422 --key k "
        "--since 2026-11-22T09:30:00Z --until 2026-11-22T10:30:00+01:00 --source t:1:2 --grep x+ --where key"
    )

    assert given(*words.split()) == Selectors(
        ("a", "b"),
        ("map", "send"),
        ("invalid",),
        (400, 422),
        datetime(2026, 11, 22, 9, 30, tzinfo=UTC),
        datetime(2026, 11, 22, 9, 30, tzinfo=UTC),
        "k",
        ("t", 1, 2),
        "x+",
        "key",
    )


def test_how_long_ago() -> None:
    """A time may be told by its distance from now."""
    before = datetime.now(UTC) - timedelta(hours=36)

    assert before <= time("1.5d") <= datetime.now(UTC) - timedelta(hours=36) + timedelta(minutes=1)


@pytest.mark.parametrize("text", ["", "2026-11-22", "2026-11-22T09:30:00", "soon", "5", "999999999999d"])
def test_what_is_no_time(text: str) -> None:
    """A time without its zone would mean another one on another machine."""
    with pytest.raises(argparse.ArgumentTypeError, match="is not a time with its zone"):
        time(text)


@pytest.mark.parametrize(
    ("text", "found"),
    [("t", ("t", None, None)), ("a.b-c:0", ("a.b-c", 0, None)), ("t:5:123456789012", ("t", 5, 123_456_789_012))],
)
def test_sources(text: str, found: tuple[str, int | None, int | None]) -> None:
    """As much as is said."""
    assert source(text) == found


@pytest.mark.parametrize("text", ["", ":1", "t:", "t:x", "t:1:2:3", "t:-1", "t:1:"])
def test_what_is_no_source(text: str) -> None:
    """It is refused with the form that is wanted."""
    with pytest.raises(argparse.ArgumentTypeError, match="is not TOPIC, TOPIC:PARTITION or TOPIC:PARTITION:OFFSET"):
        source(text)
