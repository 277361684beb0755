import pytest

from processor.records import ErrorClass
from processor.send.blame import History, RetryPolicy, Ruling, Stalemates, effective, rule
from processor.send.gate import INVALID_BUDGET, SUSPECTS_BUDGET, Gate
from processor.send.replies import Answered, Reply, ReplyClass
from tests.send.parts import BROKEN, DELAYS, FORBIDDEN, LOST, NO_CONNECTION, REFUSED, RETRY

INVALID, MISCONFIGURED, TRANSIENT = ReplyClass.INVALID, ReplyClass.MISCONFIGURED, ReplyClass.TRANSIENT


def gate(*, opened: bool = True) -> Gate:
    """A gate that accepted something, or not."""
    made = Gate("view", DELAYS, [])
    if opened:
        made.accepted(0.0)
    return made


def test_delays_by_the_number_of_refusals() -> None:
    """The first refusal waits for the first delay, and the last delay repeats."""
    assert [RETRY.delay(refusals) for refusals in (0, 1, 2, 3, 4, 100)] == [10.0, 10.0, 30.0, 60.0, 60.0, 60.0]


def ruled(history: History, refusals: int, reply_class: ReplyClass, path: Gate, *, fair: bool = True) -> Ruling:
    """What becomes of a delivery that is refused alone, for so many times now."""
    return rule(history, refusals, reply_class, BROKEN, path, RETRY, fair=fair)


# Strikes.


@pytest.mark.parametrize("reply_class", [ReplyClass.FORBIDDEN, MISCONFIGURED])
def test_two_strikes_of_one_class_are_its_own_fault(reply_class: ReplyClass) -> None:
    """After the first it is sent again a second later."""
    history = History()

    assert history.strike(reply_class, FORBIDDEN, RETRY) == Ruling(FORBIDDEN, None, 1.0)
    assert history.strike(reply_class, FORBIDDEN, RETRY).bury is ErrorClass.REFUSED


def test_strikes_of_different_classes_do_not_add_up() -> None:
    """A 403, then a 404, then a 500 is not yet a case; another 404 is."""
    history = History()
    for reply_class in (ReplyClass.FORBIDDEN, MISCONFIGURED, TRANSIENT):
        assert history.strike(reply_class, FORBIDDEN, RETRY).bury is None

    assert history.strike(MISCONFIGURED, FORBIDDEN, RETRY).bury is ErrorClass.REFUSED


def test_a_transient_strike_makes_a_suspect() -> None:
    """It is sent again after the first delay, and counts as the first of `max_attempts`."""
    history = History()

    assert history.strike(TRANSIENT, BROKEN, RETRY) == Ruling(BROKEN, None, 10.0)
    assert (history.suspect, history.transient) == (True, 1)


def test_one_attempt_is_one_strike() -> None:
    """With `max_attempts: 1` the first transient strike is the last."""
    assert History().strike(TRANSIENT, BROKEN, RetryPolicy(DELAYS, 1, None)).bury is ErrorClass.EXHAUSTED


def test_a_strike_does_not_take_back_what_was_counted() -> None:
    """A suspect that is struck for an older refusal keeps its count."""
    history = History(suspect=True, transient=2)
    history.strike(TRANSIENT, BROKEN, RETRY)

    assert history.transient == 2


def test_a_strike_ends_the_stalemate() -> None:
    """There was somebody to compare it with."""
    history = History(since=5.0)
    history.strike(ReplyClass.FORBIDDEN, FORBIDDEN, RETRY)

    assert history.since is None


# Rules.


def test_invalid_is_believed_at_the_second_refusal() -> None:
    """The retry comes a second after the first; neither says anything of the method."""
    history = History()

    assert ruled(history, 1, INVALID, gate()) == Ruling(BROKEN, None, 1.0, own=True)
    assert ruled(history, 2, INVALID, gate()) == Ruling(BROKEN, ErrorClass.INVALID, own=True)


def test_an_unfair_refusal_does_not_count_as_invalid() -> None:
    """Where the gate changed between sending and answer, it is only sent again."""
    history = History()
    for refusals in (1, 2, 3):
        assert ruled(history, refusals, INVALID, gate(), fair=False) == Ruling(BROKEN, None, 1.0, own=True)


def test_invalid_needs_a_path_that_accepts_others() -> None:
    """Before the first acceptance it is treated as forbidden."""
    assert effective(INVALID, gate(opened=False)) is ReplyClass.FORBIDDEN
    assert effective(INVALID, gate()) is INVALID
    assert effective(TRANSIENT, gate(opened=False)) is TRANSIENT


def test_a_vendor_that_calls_everything_invalid_costs_fifty() -> None:
    """The budget is spent by burials; then it is treated as forbidden until something is accepted."""
    path = gate()
    for _ in range(INVALID_BUDGET):
        history = History(invalid=1)
        assert effective(INVALID, path) is INVALID
        assert ruled(history, 2, INVALID, path).bury is ErrorClass.INVALID
    assert effective(INVALID, path) is ReplyClass.FORBIDDEN
    path.accepted(1.0)
    assert effective(INVALID, path) is INVALID


@pytest.mark.parametrize("reply_class", [ReplyClass.FORBIDDEN, MISCONFIGURED, TRANSIENT])
def test_any_other_refusal_waits_for_a_comparison(reply_class: ReplyClass) -> None:
    """By itself it blames nobody, however often; it is sent again after its delay."""
    history = History()

    assert [ruled(history, refusals, reply_class, gate()) for refusals in (1, 2, 9)] == [
        Ruling(BROKEN, None, delay, own=False) for delay in (10.0, 30.0, 60.0)
    ]


def test_a_suspect_s_refusals_are_its_own() -> None:
    """They count towards `max_attempts`, the strike included, and say nothing about the method."""
    history = History()
    history.strike(TRANSIENT, BROKEN, RETRY)

    assert ruled(history, 2, TRANSIENT, gate()) == Ruling(BROKEN, None, 30.0, own=True)
    assert ruled(history, 3, TRANSIENT, gate()) == Ruling(BROKEN, ErrorClass.EXHAUSTED, own=True)


def test_an_unfair_refusal_does_not_count_for_a_suspect() -> None:
    """The gate changed meanwhile: it may have been the method."""
    history = History(suspect=True, transient=2)

    assert ruled(history, 3, TRANSIENT, gate(), fair=False) == Ruling(BROKEN, None, 30.0, own=True)


def test_a_suspect_that_is_refused_otherwise_is_none() -> None:
    """A 403 to it is compared like any."""
    history = History(suspect=True, transient=2)

    assert not ruled(history, 3, ReplyClass.FORBIDDEN, gate()).own


def test_an_outage_that_meets_suspects_alone_costs_fifty() -> None:
    """Beyond the budget a suspect's refusal counts for the gate like any other, and blames nobody."""
    path = gate()
    for _ in range(SUSPECTS_BUDGET):
        history = History(suspect=True, transient=2)
        assert ruled(history, 3, TRANSIENT, path).bury is ErrorClass.EXHAUSTED

    history = History(suspect=True, transient=2)
    assert ruled(history, 3, TRANSIENT, path) == Ruling(BROKEN, None, 60.0, own=False)
    path.accepted(1.0)
    assert ruled(history, 4, TRANSIENT, path).bury is ErrorClass.EXHAUSTED


# Stalemate.


def test_a_stalemate_is_reached_after_its_time() -> None:
    """It counts from the head's first answered refusal."""
    stalemates, history = Stalemates(300.0), History()

    assert not stalemates.reached(history, FORBIDDEN, 100.0)
    assert not stalemates.reached(history, BROKEN, 399.9)
    assert stalemates.reached(history, REFUSED, 400.0)


def test_one_stalemate_for_each_time() -> None:
    """Of many heads that nobody can be compared with, one is given up at a time."""
    stalemates = Stalemates(300.0)

    assert [stalemates.give_up(now) for now in (350.0, 649.9, 650.0, 651.0)] == [True, False, True, False]


def test_never_is_never() -> None:
    """`stalemate: never` waits as long as it takes."""
    stalemates = Stalemates(None)

    assert not stalemates.reached(History(since=0.0), FORBIDDEN, 1e9)
    assert not stalemates.give_up(1e9)


@pytest.mark.parametrize("reply", [LOST, NO_CONNECTION, Answered(302, "")])
def test_what_was_not_answered_never_counts(reply: Reply) -> None:
    """An outage dead-letters nothing; a redirect is neither 4xx nor 5xx."""
    stalemates, history = Stalemates(300.0), History(since=0.0)

    assert not stalemates.reached(history, reply, 1000.0)
    assert not stalemates.reached(fresh := History(), reply, 0.0)
    assert fresh.since is None
