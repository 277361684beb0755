import pytest

from processor.send.replies import Answered, NotSent, Reply, Unknown
from tests.send.parts import BROKEN, LIMITS, TOO_FAST, answer, channel, deliveries, fates, scheduler, step, taken

WELCOME = channel("welcome_sequence", once=True)
VIEW = channel("view")
LOST = Unknown("no answer in time")


@pytest.mark.parametrize("reply", [LOST, BROKEN, Answered(503, "")])
def test_what_may_have_reached_a_shopper_is_buried(reply: Reply) -> None:
    """Nobody is welcomed twice: it is buried at once, counts as tried, and its lane goes on."""
    of = scheduler()
    first, second = deliveries(WELCOME, "a", "a")
    of.add([first, second], 0.0)

    assert fates(answer(of, reply)) == {"buried": [first]}
    assert first.attempts == 1
    assert taken(of).deliveries == [second]


@pytest.mark.parametrize("reply", [NotSent("refused"), Answered(302, ""), Answered(401, ""), Answered(404, "")])
def test_what_was_not_done_is_sent_again(reply: Reply) -> None:
    """An outage that lets nothing through loses nothing."""
    of = scheduler()
    of.add(deliveries(WELCOME, "a"), 0.0)

    result = answer(of, reply)

    assert (fates(result), result.delay) == ({}, 10.0)
    assert step(of, 0.0) == 10.0
    assert len(taken(of, 10.0).deliveries) == 1


def test_throttled_is_sent_again() -> None:
    """Too fast means: not done."""
    of = scheduler()
    of.add(deliveries(WELCOME, "a"), 0.0)

    assert fates(answer(of, TOO_FAST)) == {}
    assert len(taken(of, 1.0).deliveries) == 1


def test_other_methods_of_the_destination_are_sent_again() -> None:
    """The same reply to a view means only that it waits."""
    of = scheduler()
    of.add(deliveries(VIEW, "a"), 0.0)

    assert fates(answer(of, LOST)) == {}


def test_what_is_sent_once_goes_alone() -> None:
    """Where the account sends batches, such a delivery is still a call of its own, without a wait."""
    of = scheduler(LIMITS)
    of.add(deliveries(WELCOME, None, None), 0.0)

    assert [len(taken(of).deliveries), len(taken(of).deliveries)] == [1, 1]
