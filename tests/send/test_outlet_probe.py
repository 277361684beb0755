"""Whom a path probes."""

from processor.holds import State
from processor.send.gate import SUSPECTS_BUDGET
from tests.send.outlet_bench import VIEW, Heads
from tests.send.parts import deliveries, one


def test_nobody_waits() -> None:
    """Then there is no probe."""
    assert Heads().candidate is None


def test_who_was_never_refused_is_probed_first() -> None:
    """Whatever else waits."""
    of = Heads()
    of.refused(0, 1)
    of.path.add(one(VIEW, first=5), 0.0)

    assert of.candidate == 5


def test_then_who_was_refused_least_often() -> None:
    """Among equals the oldest; delays do not count, for the gate's own are longer."""
    of = Heads()
    of.refused(0, 3)
    older, younger = of.refused(2, 2, due=100.0), of.refused(1, 2)
    older.made, younger.made = 1.0, 2.0
    assert of.candidate == 2

    of.path.remove(older)
    assert of.candidate == 1


def test_who_was_refused_in_this_round_is_not_asked_again() -> None:
    """When all were, nobody is left; the next round asks them anew."""
    of = Heads()
    first, second = of.refused(0, 1), of.refused(1, 1)
    found = []
    for head in (first, second):
        of.histories[head].round = of.path.gate.round
        found.append(of.candidate)
    of.path.probe_anew()

    assert [*found, of.candidate] == [1, None, 0]


def test_who_rode_in_a_refused_batch_was_never_refused_alone() -> None:
    """It has no history of its own, or an empty one."""
    of = Heads()
    head = of.refused(0, 0)
    del of.histories[head]

    assert of.candidate == 0


def test_among_equals_suspects_come_last() -> None:
    """And only when their delay is over."""
    of = Heads()
    of.refused(0, 1, suspect=True)
    other = of.refused(1, 1, due=50.0)
    of.refused(2, 0, due=60.0, suspect=True)
    assert of.candidate == 1

    of.histories[other].round = of.path.gate.round
    assert of.candidate == 0


def test_where_only_suspects_wait_the_first_due_is_told() -> None:
    """They are sent after their delays, whether they were tried in this round or not."""
    of = Heads()
    of.refused(0, 2, due=60.0, suspect=True)
    head = of.refused(1, 2, due=30.0, suspect=True)
    of.histories[head].round = of.path.gate.round
    assert of.candidate == 30.0

    due = of.refused(2, 5, suspect=True)
    of.histories[due].round = of.path.gate.round
    assert of.candidate == 2


def test_beyond_the_budget_nobody_is_a_suspect() -> None:
    """They are probed like all others."""
    of = Heads()
    of.refused(0, 2, due=60.0, suspect=True)
    for _ in range(SUSPECTS_BUDGET):
        of.path.gate.blame_suspect()

    assert of.candidate == 0


def test_only_a_single_fresh_one_is_a_newcomer() -> None:
    """Where more wait that were never refused, they wait for the hold's end."""
    of = Heads()
    of.refused(0, 1)
    assert of.path.newcomer() is None
    [first], [second] = deliveries(VIEW, None, first=5), deliveries(VIEW, None, first=6)
    of.path.add(first, 0.0)
    assert of.path.newcomer() is first
    of.path.add(second, 0.0)
    assert of.path.newcomer() is None


def test_a_gate_holds_where_all_were_refused() -> None:
    """Not where somebody is left to ask, nor where nobody waits, nor where it does not probe."""
    of = Heads()
    of.path.hold_if_all_refused(0.0, lambda: 1.0)
    assert of.path.gate.state is State.PROBING

    head = of.refused(0, 1)
    of.path.hold_if_all_refused(0.0, lambda: 1.0)
    assert of.path.gate.state is State.PROBING

    of.histories[head].round = of.path.gate.round
    of.path.hold_if_all_refused(0.0, lambda: 1.0)
    assert of.path.gate.until == 10.0
    of.path.hold_if_all_refused(5.0, lambda: 1.0)
    assert of.path.gate.until == 10.0
