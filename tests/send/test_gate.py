from processor.holds import Change, Reason, State
from processor.send.gate import INVALID_BUDGET, PROBES, SUSPECTS_BUDGET, Gate
from processor.send.replies import Answered
from tests.send.parts import BROKEN, DELAYS, FORBIDDEN, LOST, NO_CONNECTION


def gate(journal: list[Change] | None = None) -> Gate:
    """A gate that has just begun."""
    return Gate("view", DELAYS, [] if journal is None else journal)


def opened(journal: list[Change] | None = None) -> Gate:
    """A gate that accepted something at 0."""
    made = gate(journal)
    made.accepted(0.0)
    return made


def test_a_gate_starts_in_probing() -> None:
    """Nobody knows yet; that is no trouble."""
    made = gate()

    assert (made.state, made.since, made.reason, made.words) == (
        State.PROBING,
        None,
        Reason.OUTAGE,
        "nothing was sent yet",
    )
    assert repr(made) == "<Gate probing era 0 holds 0>"


def test_an_acceptance_opens_it() -> None:
    """The last one counts, however often it opens what is open."""
    made = gate()

    made.accepted(1.0)
    made.accepted(2.0)
    assert (made.state, made.accepted_at) == (State.ACCEPTING, 2.0)


def test_a_healthy_start_is_no_news() -> None:
    """A log line says that a trouble is over; there was none."""
    journal: list[Change] = []
    opened(journal)

    assert journal == []


def test_closing_tells_since_when_and_why() -> None:
    """What was said last is kept until the path accepts again."""
    journal: list[Change] = []
    made = opened(journal)
    made.closes(FORBIDDEN, 5.0)

    assert (made.state, made.since, made.reason, made.words) == (State.PROBING, 5.0, Reason.REFUSED, "status 403")
    made.trouble(LOST, 9.0)
    assert (made.since, made.reason, made.words) == (5.0, Reason.OUTAGE, "no answer in time")
    made.accepted(12.0)
    assert (made.since, made.last_refusal, made.recovered_at) == (None, None, 12.0)
    assert journal == [
        Change("view", State.PROBING, Reason.REFUSED, "status 403", 0.0),
        Change("view", State.ACCEPTING, Reason.OUTAGE, "no answer in time", 7.0),
    ]


def test_each_hold_is_longer_than_the_one_before() -> None:
    """The delays follow each other and the last one repeats; an acceptance begins anew."""
    made = gate()
    ends = []
    for _ in range(4):
        made.hold(100.0, 1.0)
        ends.append(made.until - 100.0)
        assert made.state is State.HOLDING
        made.probe()
    assert ends == [10.0, 30.0, 60.0, 60.0]

    made.accepted(200.0)
    made.hold(300.0, 1.25)
    assert (made.until, made.held_at) == (312.5, 300.0)


def test_a_hold_is_told_with_its_length() -> None:
    """A hold that nothing preceded is a trouble from then on."""
    journal: list[Change] = []
    made = gate(journal)
    made.hold(3.0, 1.0)

    assert made.since == 3.0
    assert journal == [Change("view", State.HOLDING, Reason.OUTAGE, "nothing was sent yet", 10.0)]


def test_after_no_answer_no_other_head_is_tried() -> None:
    """A 5xx, a time-out and a failed connection would be the same for all."""
    for reply in (BROKEN, Answered(503, ""), LOST, NO_CONNECTION):
        assert gate().probe_refused(reply)


def test_after_an_answered_refusal_up_to_ten_heads_are_tried() -> None:
    """A few poison records must not pass for an outage; each probing counts anew."""
    made = gate()
    for reply in (FORBIDDEN, Answered(302, "")):
        assert [made.probe_refused(reply) for _ in range(PROBES)] == [False] * (PROBES - 1) + [True]
        made.probe()


def test_a_probing_in_which_all_were_answered_with_a_refusal_was_fruitless() -> None:
    """Whether these were ten heads, or all that there are; an acceptance begins anew, and no answer tells nothing."""
    made = gate()
    for reply, heads, fruitless in ((FORBIDDEN, 1, 1), (LOST, 1, 1), (FORBIDDEN, PROBES, 2), (FORBIDDEN, 0, 2)):
        for _ in range(heads):
            made.trouble(reply, 0.0)
            made.probe_refused(reply)
        made.hold(0.0, 1.0)
        made.probe()
        assert made.fruitless == fruitless

    made.accepted(1.0)
    assert made.fruitless == 0


def test_who_was_sent_before_a_change_is_not_blamed() -> None:
    """An era ends when the gate closes and when it opens; in a hold nobody is blamed."""
    made = gate()
    probing = made.era
    assert made.fair(probing)
    made.accepted(0.0)
    accepting = made.era
    assert (made.fair(probing), made.fair(accepting)) == (False, True)
    made.closes(BROKEN, 1.0)
    assert (made.fair(accepting), made.fair(made.era)) == (False, True)
    made.hold(1.0, 1.0)
    assert not made.fair(made.era)
    closed = made.era
    made.probe()
    assert made.fair(closed)


def test_each_probing_is_a_round() -> None:
    """Who was probed in an earlier one may be probed again."""
    made = opened()
    before = made.round
    made.closes(BROKEN, 0.0)
    made.hold(0.0, 1.0)
    made.probe()

    assert made.round == before + 2


def test_invalid_is_not_believed_before_the_first_acceptance() -> None:
    """A path that never accepted anything may be wrong for all."""
    made = gate()
    assert not made.may_blame_invalid
    made.accepted(0.0)
    assert made.may_blame_invalid


def test_the_budget_of_invalid_payloads() -> None:
    """Fifty may be blamed; the next acceptance gives as many again."""
    made = opened()
    for _ in range(INVALID_BUDGET):
        assert made.may_blame_invalid
        made.blame_invalid()
    assert not made.may_blame_invalid
    assert made.may_blame_suspect
    made.accepted(1.0)
    assert made.may_blame_invalid


def test_the_budget_of_suspects() -> None:
    """Fifty may be blamed; the next acceptance gives as many again."""
    made = opened()
    for _ in range(SUSPECTS_BUDGET):
        assert made.may_blame_suspect
        made.blame_suspect()
    assert not made.may_blame_suspect
    assert made.may_blame_invalid
    made.accepted(1.0)
    assert made.may_blame_suspect
