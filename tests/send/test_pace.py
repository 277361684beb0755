from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processor.send.pace import LONGEST_PAUSE, Pace

SECONDS = st.floats(0.0, 30.0)


def go(pace: Pace, now: float) -> bool:
    """Send a request if the pace lets it."""
    ready = pace.ready_at(now) <= now
    if ready:
        pace.spend()
    return ready


def test_without_a_rate_everything_goes_at_once() -> None:
    """`rate: none` means no limit."""
    pace = Pace(None, 0.0)

    assert all(go(pace, 0.0) for _ in range(10_000))


def test_a_second_s_worth_may_go_at_once() -> None:
    """A burst is at most what one second brings; the next request comes when its token is there."""
    pace = Pace(10.0, 0.0)

    assert [go(pace, 0.0) for _ in range(11)] == [True] * 10 + [False]
    assert pace.ready_at(0.0) == pytest.approx(0.1)
    assert not go(pace, 0.05)
    assert go(pace, 0.1)


def test_idle_time_saves_no_more_than_a_second_s_worth() -> None:
    """A quiet hour is no licence for a flood."""
    pace = Pace(10.0, 0.0)

    assert sum(go(pace, 3600.0) for _ in range(100)) == 10


@pytest.mark.parametrize("rate", [0.1, 0.5, 1.0])
def test_a_slow_rate_still_sends(rate: float) -> None:
    """Less than one request a second is one request at once, and then its time."""
    pace = Pace(rate, 0.0)

    assert go(pace, 0.0)
    assert pace.ready_at(0.0) == pytest.approx(1 / rate)


def test_waking_at_the_named_time_is_enough() -> None:
    """Who waits until `ready_at` may send, whatever rounding does to the tokens."""
    pace = Pace(7.0, 0.0)
    now = 0.0
    wakings = 0
    for _ in range(1000):
        while not go(pace, now):
            now = pace.ready_at(now)
            wakings += 1

    assert now == pytest.approx((1000 - 7) / 7.0)
    assert wakings < 2 * 1000


@settings(deadline=None)
@given(rate=st.floats(0.05, 500.0), steps=st.lists(st.tuples(SECONDS, st.integers(0, 30)), max_size=40))
def test_no_window_has_more_than_burst_and_rate(rate: float, steps: list[tuple[float, int]]) -> None:
    """In any window of time at most one burst and what the rate brings meanwhile goes out."""
    pace = Pace(rate, 0.0)
    now = 0.0
    sent = []
    for wait, wanted in steps:
        now += wait
        sent += [now for _ in range(wanted) if go(pace, now)]

    burst = max(1.0, rate)
    for first, begin in enumerate(sent):
        for last in range(first, len(sent)):
            assert last - first + 1 <= burst + rate * (sent[last] - begin) + 1e-6


def test_retry_after_is_waited_out() -> None:
    """Nothing goes out before the time that the vendor named, with or without a rate."""
    for rate in (None, 100.0):
        pace = Pace(rate, 0.0)
        pace.throttled(5.0, 30.0)

        assert pace.ready_at(5.0) == 35.0
        assert pace.ready_at(34.9) == 35.0
        assert go(pace, 35.0)


def test_the_latest_retry_after_counts() -> None:
    """A second, shorter wish never shortens the first one; a longer one lengthens it."""
    pace = Pace(None, 0.0)
    pace.throttled(0.0, 60.0)
    pace.throttled(1.0, 10.0)
    assert pace.ready_at(1.0) == 60.0
    pace.throttled(2.0, 100.0)
    assert pace.ready_at(2.0) == 102.0


def pauses(pace: Pace, count: int, now: float = 0.0) -> list[float]:
    """The lengths of pauses that follow each other, each ended by one more throttled reply."""
    times = [now]
    for _ in range(count):
        pace.throttled(times[-1], None)
        times.append(pace.ready_at(times[-1]))
    return [after - before for before, after in pairwise(times)]


def test_pauses_double_up_to_a_minute() -> None:
    """Where the vendor names no time, each pause that did not help is followed by one of twice its length."""
    assert pauses(Pace(None, 0.0), 8) == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, LONGEST_PAUSE, LONGEST_PAUSE]


def test_an_acceptance_ends_the_doubling() -> None:
    """The next trouble begins with the shortest pause again."""
    pace = Pace(None, 0.0)
    pauses(pace, 5)
    pace.accepted()

    assert pauses(pace, 1, now=1000.0) == [1.0]


def test_replies_to_requests_in_flight_make_one_pause() -> None:
    """Thirty requests that were refused together say one thing, not thirty."""
    pace = Pace(None, 0.0)
    for at in range(30):
        pace.throttled(at / 100, None)

    assert pace.ready_at(0.3) == 1.0
    assert pauses(pace, 1, now=1.0) == [2.0]


def test_a_retry_after_of_nothing_still_makes_a_pause() -> None:
    """A vendor that is too busy and asks for no wait (or whose clock is behind) is not called in a tight loop."""
    pace = Pace(None, 0.0)

    pace.throttled(0.0, 0.0)

    assert pace.ready_at(0.0) == 1.0
