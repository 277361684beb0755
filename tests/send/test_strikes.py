"""Refused between acceptances: what an answer says of those before it."""

from processor.records import Delivery, Request
from processor.send.replies import ReplyClass
from processor.send.strikes import Comparison, Refusal
from tests.send.parts import BROKEN, FORBIDDEN, channel, deliveries

VIEW = channel("view")
A, B, C = deliveries(VIEW, "a", "b", "c")


def sent(number: int, *carried: Delivery) -> Request:
    """The request that was sent as the n-th."""
    return Request(VIEW, carried, b"", number)


def alone(number: int, delivery: Delivery, reply_class: ReplyClass = ReplyClass.FORBIDDEN) -> Refusal:
    """The n-th request carried one delivery, and was refused."""
    return Refusal(sent(number, delivery), delivery, reply_class, FORBIDDEN)


def together(number: int, *carried: Delivery) -> Refusal:
    """The n-th request was a batch, and was refused."""
    return Refusal(sent(number, *carried), None, ReplyClass.TRANSIENT, BROKEN)


def test_one_refusal_says_nothing() -> None:
    """It waits for something to compare it with."""
    comparison = Comparison()

    assert not comparison.refused(alone(1, A))
    assert len(comparison) == 1


def test_an_acceptance_makes_it_a_strike() -> None:
    """The path works for others: it was this delivery's own fault, once."""
    comparison = Comparison()
    refusal = alone(1, A)
    comparison.refused(refusal)

    assert comparison.accepted(sent(2, B)) == [refusal]
    assert comparison.accepted(sent(3, C)) == []
    assert len(comparison) == 0


def test_a_refusal_of_others_means_that_the_path_refuses() -> None:
    """Then all pending refusals are forgotten: none of them will be a strike."""
    comparison = Comparison()
    comparison.refused(alone(1, A))

    assert comparison.refused(alone(2, B))
    assert comparison.accepted(sent(3, C)) == []


def test_an_acceptance_between_two_refusals_parts_them() -> None:
    """Two that are refused with others accepted between them are two strikes, not an outage."""
    comparison = Comparison()
    comparison.refused(alone(1, A))
    comparison.accepted(sent(2, C))

    assert not comparison.refused(alone(3, B))


def test_the_same_delivery_again_says_nothing_of_the_path() -> None:
    """However often one delivery is refused, it is pending once, with its latest refusal."""
    comparison = Comparison()
    comparison.refused(alone(1, A))
    latest = alone(2, A, ReplyClass.MISCONFIGURED)

    assert not comparison.refused(latest)
    assert comparison.accepted(sent(3, B)) == [latest]


def test_what_was_sent_before_decides_nothing() -> None:
    """An answer that comes late tells of the path as it was."""
    comparison = Comparison()
    refusal = alone(5, A)
    comparison.refused(refusal)

    assert comparison.accepted(sent(4, B)) == []
    assert not comparison.refused(alone(3, C))
    assert len(comparison) == 2


def test_an_acceptance_strikes_all_that_were_sent_before_it() -> None:
    """Refusals that overlap in time are told apart by one acceptance behind them."""
    comparison = Comparison()
    second, first = alone(2, A), alone(1, B)
    comparison.refused(second)
    comparison.refused(first)

    assert comparison.accepted(sent(3, C)) == [second, first]


def test_an_acceptance_of_the_refused_itself_is_no_strike() -> None:
    """In a batch or alone: what is accepted in the end was not at fault."""
    comparison = Comparison()
    comparison.refused(alone(1, A))

    assert comparison.accepted(sent(2, B, A)) == []
    assert len(comparison) == 0


def test_a_batch_that_shares_a_delivery_is_no_comparison() -> None:
    """One culprit in both would explain both refusals."""
    comparison = Comparison()
    comparison.refused(together(1, A, B))

    assert not comparison.refused(together(2, B, C))
    assert not comparison.refused(alone(3, B))
    assert comparison.refused(alone(4, A))


def test_a_batch_blames_nobody() -> None:
    """An acceptance after it shows only that the path works."""
    comparison = Comparison()
    comparison.refused(together(1, A, B))

    assert comparison.accepted(sent(2, C)) == []
    assert len(comparison) == 0


def test_who_is_done_with_is_forgotten() -> None:
    """It cannot be blamed any more; others stay pending."""
    comparison = Comparison()
    comparison.refused(alone(2, A))
    other = alone(1, B)
    comparison.refused(other)
    comparison.forget(A)

    assert comparison.accepted(sent(3, C)) == [other]


def test_a_gate_that_closes_forgets_all() -> None:
    """What was pending is nobody's fault."""
    comparison = Comparison()
    comparison.refused(alone(1, A))
    comparison.clear()

    assert comparison.accepted(sent(2, B)) == []
