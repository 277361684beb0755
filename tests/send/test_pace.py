from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processor.send.pace import BURST_SECONDS, LONGEST_PAUSE, RECHECK, Meter, Pace

SECONDS = st.floats(0.0, 30.0)


def go(pace: Pace, now: float) -> bool:
    """Send a request if the pace lets it."""
    ready = pace.ready_at(now) <= now
    if ready:
        pace.spend()
    return ready


def flood(pace: Pace, begin: float, end: float, step: float = 0.01) -> int:
    """How many requests go out in this time where more wait than may."""
    sent = 0
    for at in range(round((end - begin) / step)):
        now = begin + at * step
        while go(pace, now):
            sent += 1
    return sent


# The bucket.


def test_without_a_rate_everything_goes_at_once() -> None:
    """`rate: none` means no limit."""
    pace = Pace(None, 0.0)

    assert all(go(pace, 0.0) for _ in range(10_000))
    assert pace.limit is None


def test_a_rest_of_our_own() -> None:
    """Nothing goes out before it is over, and the rate is what it was; it never shortens what the vendor asked for."""
    pace = Pace(10.0, 0.0)
    pace.rest(5.0)
    assert (flood(pace, 0.0, 5.0), pace.limit) == (0, 10.0)
    assert flood(pace, 5.0, 6.0) > 0

    pace.throttled(6.0, 30.0)
    pace.rest(8.0)
    assert pace.not_before == 36.0


def test_whether_the_limit_holds_back() -> None:
    """Where the next request waits for its token; who only looks changes nothing."""
    pace, free, unknown = Pace(4.0, 0.0), Pace(None, 0.0), Pace(4.0, 0.0, share=0.0)
    assert not pace.holds_back(0.0)
    assert flood(pace, 0.0, 0.01) == 1
    assert [pace.holds_back(now) for now in (0.0, 0.24, 0.25, 0.24)] == [True, True, False, True]

    pace.throttled(1.0, 10.0)
    assert [pace.holds_back(now) for now in (2.0, 11.0)] == [False, False]
    assert not free.holds_back(0.0)
    assert not unknown.holds_back(0.0)


def test_a_burst_is_bounded() -> None:
    """A quarter of a second's worth may go at once; the next request comes when its token is there."""
    pace = Pace(40.0, 0.0)

    assert [go(pace, 0.0) for _ in range(11)] == [True] * 10 + [False]
    assert pace.ready_at(0.0) == pytest.approx(0.025)
    assert not go(pace, 0.0125)
    assert go(pace, 0.025)


def test_idle_time_saves_no_more_than_a_burst() -> None:
    """A quiet hour is no licence for a flood."""
    pace = Pace(40.0, 0.0)

    assert sum(go(pace, 3600.0) for _ in range(100)) == 10


@pytest.mark.parametrize("rate", [0.1, 0.5, 1.0])
def test_a_slow_rate_still_sends(rate: float) -> None:
    """Less than one request a second is one request at once, and then its time."""
    pace = Pace(rate, 0.0)

    assert go(pace, 0.0)
    assert not go(pace, 0.99 / rate)
    assert go(pace, 1 / rate)


def test_who_waits_long_asks_again_meanwhile() -> None:
    """The share may grow while a request waits for a token of a small one."""
    pace = Pace(0.1, 0.0, share=0.1)
    assert go(pace, 0.0)

    assert pace.ready_at(1.0) == 1.0 + RECHECK


def test_waking_at_the_named_time_is_enough() -> None:
    """Who waits until `ready_at` may send, whatever rounding does to the tokens."""
    pace = Pace(7.0, 0.0)
    now = 0.0
    wakings = 0
    for _ in range(1000):
        while not go(pace, now):
            now = pace.ready_at(now)
            wakings += 1

    assert now == pytest.approx((1000 - 7 * BURST_SECONDS) / 7.0)
    assert wakings < 2 * 1000


@settings(deadline=None)
@given(
    rate=st.floats(0.05, 500.0),
    steps=st.lists(st.tuples(SECONDS, st.integers(0, 30), st.sampled_from((None, 0.0, 0.25, 1.0))), max_size=40),
)
def test_no_window_has_more_than_burst_and_rate(rate: float, steps: list[tuple[float, int, float | None]]) -> None:
    """In any window of time at most one burst and what the rate brings meanwhile goes out, however shares change."""
    pace = Pace(rate, 0.0)
    now = 0.0
    sent = []
    for wait, wanted, share in steps:
        now += wait
        if share is not None:
            pace.take_share(share, now)
        sent += [now for _ in range(wanted) if go(pace, now)]

    burst = max(1.0, rate * BURST_SECONDS)
    for first, begin in enumerate(sent):
        for last in range(first, len(sent)):
            assert last - first + 1 <= burst + rate * (sent[last] - begin) + 1e-6


# The share.


def test_a_share_multiplies_the_rate() -> None:
    """Three of four partitions with work are three quarters of the rate."""
    pace = Pace(40.0, 0.0, share=0.75)

    assert pace.limit == 30.0
    assert flood(pace, 0.0, 10.0) == pytest.approx(30 * (10 + BURST_SECONDS), abs=1)


def test_nothing_goes_out_before_the_share_is_known() -> None:
    """Replicas that start together would each take all of the rate; a waiting request soon asks again."""
    pace = Pace(40.0, 0.0, share=0.0)

    assert flood(pace, 0.0, 60.0) == 0
    assert pace.ready_at(60.0) == 60.0 + RECHECK
    assert pace.limit == 0.0


def test_a_share_that_has_just_become_known_is_no_burst() -> None:
    """Tokens of the time before are nobody's: a restart does not send a burst, and neither does a new share."""
    pace = Pace(40.0, 0.0, share=0.0)
    pace.take_share(0.5, 60.0)

    assert not go(pace, 60.0)
    assert flood(pace, 60.0, 61.0) == pytest.approx(20, abs=1)


def test_a_larger_share_counts_from_now_on() -> None:
    """The idle time before a change brings what the smaller share brought."""
    pace = Pace(40.0, 0.0, share=0.25)
    while go(pace, 0.0):
        pass
    pace.take_share(1.0, 0.1)

    assert [go(pace, 0.1), go(pace, 0.1)] == [True, False]
    assert go(pace, 0.125)


def test_a_smaller_share_takes_what_was_saved_for_a_larger_one() -> None:
    """The partitions' new owner has the rest of the account's burst."""
    pace = Pace(40.0, 0.0)
    pace.take_share(0.5, 0.0)

    assert [go(pace, 0.0) for _ in range(6)] == [True] * 5 + [False]


def test_a_share_of_no_rate_is_no_rate() -> None:
    """`rate: none` is shared with nobody."""
    pace = Pace(None, 0.0)
    pace.take_share(0.5, 1.0)

    assert all(go(pace, 1.0) for _ in range(1000))
    assert pace.limit is None


# Pauses.


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


def test_a_pause_saves_nothing() -> None:
    """Who has just said "too fast" is not met with a burst when the pause is over."""
    pace = Pace(400.0, 0.0)
    pace.throttled(0.0, 30.0)

    assert [go(pace, 30.0), go(pace, 30.0)] == [True, False]


# Half of the rate, and back.


def limits(pace: Pace, begin: float, end: float, every: float = 10.0) -> list[float | None]:
    """The limit at these times, while more requests wait than may go out."""
    seen = []
    now = begin
    while now < end:
        flood(pace, now, now + every, 0.1)
        seen.append(pace.limit)
        now += every
    return seen


def test_a_throttled_answer_halves_the_rate() -> None:
    """Half of it after the pause, then a tenth more every ten seconds, up to what the file says and no further."""
    pace = Pace(100.0, 0.0)
    pace.throttled(0.0, None)

    expected = [min(50 * 1.1**step, 100.0) for step in range(10)]
    assert pace.limit == 50.0
    assert limits(pace, 1.0, 101.0) == pytest.approx(expected)
    assert flood(pace, 101.0, 111.0) == pytest.approx(1000, abs=26)


def test_the_halves_go_out() -> None:
    """What the limit says is what happens."""
    pace = Pace(100.0, 0.0)
    pace.throttled(0.0, None)

    assert flood(pace, 0.0, 11.0) == pytest.approx(500, abs=2)
    assert flood(pace, 11.0, 21.0) == pytest.approx(550, abs=2)


def test_within_ten_seconds_the_rate_is_halved_once() -> None:
    """A throttled answer at the end of a short pause repeats what is known."""
    pace = Pace(100.0, 0.0)
    for at in (0.0, 1.0, 3.0, 7.0):
        pace.throttled(at, None)
    assert pace.limit == 50.0

    pace.throttled(15.0, None)
    assert pace.limit == 25.0


def test_answers_to_one_burst_halve_once_however_late_they_come() -> None:
    """What was sent before the pause says nothing about the rate after it."""
    pace = Pace(100.0, 0.0)
    pace.throttled(0.0, 30.0)
    pace.throttled(12.0, 30.0)
    pace.throttled(29.0, None)

    assert pace.limit == 50.0
    assert pace.not_before == 42.0


def test_a_pause_is_no_recovery() -> None:
    """An hour in which nothing was sent teaches nothing about the vendor."""
    pace = Pace(100.0, 0.0)
    pace.throttled(0.0, 3600.0)

    pace.ready_at(3609.0)
    assert pace.limit == 50.0
    pace.ready_at(3610.0)
    assert pace.limit == pytest.approx(55.0)


def test_a_storm_of_any_length_leaves_a_little() -> None:
    """A day of throttled answers costs no more than some minutes of recovery after it."""
    pace = Pace(100.0, 0.0)
    for at in range(1000):
        pace.throttled(at * 60.0, 50.0)

    assert pace.limit == pytest.approx(100 / 64)
    pace.ready_at(999 * 60.0 + 50.0 + 8 * 60.0)
    assert pace.limit == 100.0


def test_what_was_missed_is_caught_up() -> None:
    """A quiet day after a throttled answer ends with the whole rate."""
    pace = Pace(100.0, 0.0)
    pace.throttled(0.0, None)

    pace.ready_at(86_400.0)

    assert pace.limit == 100.0


def test_a_share_and_a_halving_are_independent() -> None:
    """A replica that gets more partitions keeps what it learnt about the vendor."""
    pace = Pace(100.0, 0.0, share=0.5)
    pace.throttled(0.0, None)
    pace.take_share(1.0, 2.0)

    assert pace.limit == 50.0


# Without a rate.


def test_half_of_what_was_sent_becomes_the_limit() -> None:
    """Where the file names no rate a throttled answer says what is too much."""
    pace = Pace(None, 0.0)
    for at in range(1000):
        go(pace, at / 100)
    pace.throttled(10.0, None)

    assert pace.limit == pytest.approx(50.0, rel=0.1)


def test_the_limit_recovers_while_it_is_reached() -> None:
    """A tenth more every ten seconds, as long as requests wait for it."""
    pace = Pace(None, 0.0)
    for at in range(1000):
        go(pace, at / 100)
    pace.throttled(10.0, None)
    begun = pace.limit or 0.0

    assert limits(pace, 11.0, 211.0) == pytest.approx([begun * 1.1**step for step in range(20)])


def test_a_limit_that_is_not_reached_is_dropped() -> None:
    """After a minute without a request that had to wait for it nothing is limited any more."""
    pace = Pace(None, 0.0)
    for at in range(1000):
        go(pace, at / 100)
    pace.throttled(10.0, None)

    for at in range(11, 71):
        assert go(pace, float(at))
        assert pace.limit is not None
    assert go(pace, 71.0)
    assert pace.limit is None
    assert all(go(pace, 72.0) for _ in range(1000))


def test_a_pause_does_not_drop_the_limit() -> None:
    """A vendor that asks for an hour is not met with everything at the end of it."""
    pace = Pace(None, 0.0)
    for at in range(1000):
        go(pace, at / 100)
    pace.throttled(10.0, 3600.0)

    assert flood(pace, 10.0, 3611.0, step=1.0) == 1


def test_a_second_trouble_halves_the_limit_not_what_a_pause_left() -> None:
    """After a pause next to nothing was sent in the last ten seconds."""
    pace = Pace(None, 0.0)
    for at in range(1000):
        go(pace, at / 100)
    pace.throttled(10.0, 30.0)
    first = pace.limit
    assert go(pace, 40.0)
    pace.throttled(40.0, 30.0)

    assert first is not None
    assert pace.limit == first / 2


def test_a_limit_is_never_less_than_one_a_second() -> None:
    """Half of a quiet topic's traffic would be no limit but a stop."""
    pace = Pace(None, 0.0)
    go(pace, 0.0)
    pace.throttled(0.1, None)

    assert pace.limit == 1.0


# What went out.


def test_what_went_out_is_seen() -> None:
    """Requests a second over the last ten seconds, with a rate or without."""
    for rate in (None, 20.0):
        pace = Pace(rate, 0.0)
        assert pace.used(0.0) == 0.0
        for at in range(600):
            go(pace, at / 10)
        assert pace.used(60.0) == pytest.approx(10.0, rel=0.02)
        assert pace.used(65.0) == pytest.approx(5.0, rel=0.2)
        assert pace.used(80.0) == 0.0


def test_who_has_just_begun_is_judged_by_that() -> None:
    """Two seconds of a hundred a second are not twenty a second; a single burst counts for a second."""
    meter = Meter()
    for at in range(200):
        meter.count(5.5 + at / 100)
    assert meter.rate(7.5) == pytest.approx(100.0)

    meter = Meter()
    for _ in range(30):
        meter.count(5.5)
    assert meter.rate(5.5) == 30.0


@given(times=st.lists(st.floats(0.0, 60.0), max_size=60), later=st.floats(0.0, 15.0))
def test_the_meter_counts_what_a_list_counts(times: list[float], later: float) -> None:
    """In memory that does not grow it gives what all times together would give."""
    meter = Meter()
    times.sort()
    for at in times:
        meter.count(at)
    now = max(times, default=0.0) + later

    begin = max(int(now) - 9, times[0] if times else 0.0)
    counted = [at for at in times if at >= int(now) - 9]
    assert meter.rate(now) == pytest.approx(len(counted) / max(now - begin, 1.0))
