import time

from processor.clock import ManualClock, SystemClock


def test_a_manual_clock_moves_only_when_told() -> None:
    """Both of its times advance together, by as much as the test says."""
    clock = ManualClock(start=5.0, wall=1000.0)
    before = clock.now(), clock.wall()

    clock.advance(2.5)

    assert before == (5.0, 1000.0)
    assert (clock.now(), clock.wall()) == (7.5, 1002.5)


def test_the_system_clock_is_the_machine_s() -> None:
    """Delays are measured on the clock that never jumps, times told in seconds since 1970."""
    clock = SystemClock()
    earlier = time.monotonic(), time.time()

    now, wall = clock.now(), clock.wall()

    assert earlier[0] <= now <= time.monotonic()
    assert abs(wall - earlier[1]) < 60
