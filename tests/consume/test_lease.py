from math import inf

import pytest

from processor.clock import ManualClock
from processor.consume.lease import SWIFT, Lease, StoodStillError
from processor.consume.statistics import Coordinator

KEY, OTHER = ("clicks", 0), ("clicks", 1)


def told(idle: float, asked: float | None = None, questions: int = 1, waiting: int = 0, lost: int = 0) -> Coordinator:
    """The coordinator was last heard of and asked so many seconds ago, at the same time if nothing else is said."""
    return Coordinator(idle, idle if asked is None else asked, questions, questions - waiting, lost)


@pytest.fixture
def clock() -> ManualClock:
    """Time passes when the test says so."""
    return ManualClock(start=1000.0)


@pytest.fixture
def lease(clock: ManualClock) -> Lease:
    """Of a group that waits ten seconds for its members."""
    return Lease(10.0, clock)


def test_it_holds_while_it_is_renewed(lease: Lease, clock: ManualClock) -> None:
    """Each sign of life is good for one session time-out."""
    for _ in range(5):
        clock.advance(10.0)
        assert lease.holds(clock.now())
        assert lease.renew()
    clock.advance(10.1)

    assert not lease.holds(clock.now())


def test_once_it_ran_out_it_is_not_renewed(lease: Lease, clock: ManualClock) -> None:
    """What comes to itself after too long has lost what it had, until it begins anew."""
    clock.advance(12.5)
    assert not lease.renew()
    with pytest.raises(StoodStillError, match=r"^12.5 s without a sign of life, and the session time-out is 10$"):
        lease.check()
    assert not lease.holds(clock.now())

    lease.begin()

    lease.check()
    assert lease.holds(clock.now())


def test_nothing_may_be_sent_while_an_end_is_on_its_way(lease: Lease, clock: ManualClock) -> None:
    """A lease that begins anew counts only once the event loop has dropped what was before (invariant 5)."""
    lease.ending()
    lease.ending()
    lease.begin()
    assert not lease.holds(clock.now())
    lease.known()
    assert not lease.holds(clock.now())

    lease.known()

    assert lease.holds(clock.now())


def test_a_silent_coordinator(lease: Lease, clock: ManualClock) -> None:
    """A thread at work is not enough where the client says that its coordinator was not heard of."""
    lease.heard(told(1.0))
    assert lease.renew()
    for _ in range(3):
        clock.advance(3.0)
        lease.heard(None)
        assert lease.renew()
    assert lease.holds(clock.now())
    clock.advance(0.1)

    assert not lease.renew()
    assert not lease.holds(clock.now())
    lease.begin()
    assert lease.holds(clock.now())


def test_a_coordinator_that_is_heard_again(lease: Lease, clock: ManualClock) -> None:
    """It counts from when it was heard, not from when that was told."""
    clock.advance(8.0)
    lease.renew()
    lease.heard(told(6.0))
    assert lease.holds(clock.now() + 4.0)
    assert not lease.holds(clock.now() + 4.1)


def test_a_client_without_a_coordinator(lease: Lease, clock: ManualClock) -> None:
    """Before the client knows who that is there is nothing to compare with."""
    lease.heard(None)
    clock.advance(10.0)

    assert lease.renew()


def test_a_doubt(clock: ManualClock) -> None:
    """After a standstill that the group may not have waited out, the coordinator's next answer is waited for."""
    lease = Lease(45.0, clock, unsure=3.0)
    lease.heard(told(0.0))
    clock.advance(3.1)
    assert not lease.holds(clock.now())  # the event loop may be the first to go on

    assert lease.renew()
    clock.advance(1.0)
    assert lease.renew()
    lease.heard(told(1.5))  # that was before
    assert not lease.holds(clock.now())
    lease.heard(None)
    assert not lease.holds(clock.now())

    lease.heard(told(0.5))
    assert lease.holds(clock.now())


def test_an_answer_from_before_a_standstill(clock: ManualClock) -> None:
    """What was asked before it and is read after it, and what the client said before it, is no sign of life."""
    lease = Lease(45.0, clock, unsure=3.0)
    clock.advance(8.0)
    assert lease.renew()
    clock.advance(0.1)
    lease.heard(told(0.0, asked=0.05))  # said before, and heard now
    assert not lease.holds(clock.now())
    assert lease.renew()
    lease.heard(told(0.05, asked=8.2))  # a late answer, and nothing was asked since
    assert not lease.holds(clock.now())

    lease.heard(told(0.0, asked=0.05, questions=7, waiting=1))  # a late answer, and what was asked since is open
    assert not lease.holds(clock.now())
    clock.advance(1.0)
    assert lease.renew()
    lease.heard(told(0.9, asked=0.01, questions=8, waiting=1))  # that is answered now, and another one is open
    assert lease.holds(clock.now())


@pytest.mark.parametrize(("seconds", "unsure", "holds"), [(SWIFT, 3.0, True), (1.1, 3.0, False), (1.1, inf, True)])
def test_an_assignment_that_was_not_swift(clock: ManualClock, seconds: float, unsure: float, holds: bool) -> None:  # noqa: FBT001 - a test's parameter
    """What the coordinator says after it is waited for; not where the client tells of losses by itself."""
    lease = Lease(45.0, clock, unsure)
    with lease.assigning([KEY]):
        for _ in range(2):
            clock.advance(seconds / 2)
            lease.renew()
    with lease.assigning([]):
        pass
    found = lease.holds(clock.now()), KEY in lease.surely([KEY, OTHER])
    clock.advance(1.0)
    lease.renew()
    lease.heard(told(0.5))

    assert found == (holds, holds)
    assert lease.holds(clock.now())
    assert lease.surely([KEY, OTHER]) == [KEY, OTHER]


def test_a_connection_that_was_lost(clock: ManualClock) -> None:
    """What was asked on it counts as answered and was not: what is asked on the next one is waited for."""
    lease = Lease(45.0, clock, unsure=3.0)
    lease.heard(told(0.0, lost=1))
    clock.advance(8.0)
    assert lease.renew()
    clock.advance(1.0)
    assert lease.renew()
    lease.heard(told(0.5, questions=7, lost=2))
    assert not lease.holds(clock.now())
    lease.heard(told(0.1, questions=8, waiting=1, lost=2))
    assert not lease.holds(clock.now())

    lease.heard(told(0.1, questions=8, lost=2))
    assert lease.holds(clock.now())


def test_a_doubt_that_was_right(clock: ManualClock) -> None:
    """The client tells that all is lost: what it is given then is its own."""
    lease = Lease(45.0, clock, unsure=3.0)
    clock.advance(10.0)
    assert lease.renew()
    assert not lease.holds(clock.now())

    lease.begin()

    assert lease.holds(clock.now())
