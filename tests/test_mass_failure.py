from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.mass_failure import Cause, FailureWindow, MassFailure
from processor.records import Stage

GOOD: tuple[Cause, ...] = ()
ITEM = Cause("views", Stage.MAP, "itemId: text is not an integer")
TIME = Cause("carts", Stage.MAP, "time: the time has no zone")
GARBAGE = Cause("", Stage.DECODE, "the first byte is 255")
OUTCOMES = st.lists(st.sampled_from([GOOD, GOOD, (ITEM,), (TIME,), (ITEM, TIME), (GARBAGE,)]), max_size=80)
SHARES = st.sampled_from(["0", "0.1", "0.29", "0.333", "0.5", "0.7", "0.999", "1"])


def first(failures: FailureWindow, outcomes: list[tuple[Cause, ...]]) -> tuple[int, MassFailure] | None:
    """The place of the first record that is one failure too many, and what was found."""
    for at, causes in enumerate(outcomes):
        if found := failures.add(causes):
            return at, found
    return None


@given(OUTCOMES, SHARES, st.integers(1, 40), st.integers(1, 20))
def test_it_is_what_looking_back_says(outcomes: list[tuple[Cause, ...]], share: str, window: int, least: int) -> None:
    """It trips where the last records, counted anew, have more failures than they may, and not before."""
    expected = None
    for at, causes in enumerate(outcomes):
        last = outcomes[max(0, at + 1 - window) : at + 1]
        failed = sum(map(bool, last))
        if causes and failed >= least and Fraction(failed, len(last)) > Fraction(share):
            expected = at, failed, len(last)
            break

    found = first(FailureWindow(float(share), window, least), outcomes)

    assert (found and (found[0], found[1].failed, found[1].wanted)) == expected


@given(OUTCOMES, st.integers(1, 40), st.integers(1, 20))
def test_its_cause_is_the_most_frequent_one(outcomes: list[tuple[Cause, ...]], window: int, least: int) -> None:
    """No cause made more of the remembered records fail."""
    found = first(FailureWindow(0.5, window, least), outcomes)

    if found is not None:
        at, failure = found
        last = outcomes[max(0, at + 1 - window) : at + 1]
        times = {cause: sum(cause in each for each in last) for cause in (ITEM, TIME, GARBAGE)}
        assert failure.times == times[failure.cause] == max(times.values())


@given(OUTCOMES, st.integers(1, 40), st.integers(1, 20))
def test_all_may_fail(outcomes: list[tuple[Cause, ...]], window: int, least: int) -> None:
    """With 1 nothing is ever too many."""
    assert first(FailureWindow(1, window, least), outcomes) is None


def test_so_few_are_never_too_many() -> None:
    """At the beginning only the least number counts; the one that reaches it is one too many."""
    found = first(FailureWindow(0.5, 500, 50), [(ITEM,)] * 60)

    assert found == (49, MassFailure(50, 50, ITEM, 50))


def test_as_many_as_allowed_are_not_too_many() -> None:
    """More than the part must fail, exactly; a part that no binary fraction has is no exception."""
    failures = FailureWindow(0.29, 100, 1)
    assert first(failures, [GOOD] * 100 + [(ITEM,)] * 29) is None

    assert first(failures, [(ITEM,)]) == (0, MassFailure(30, 100, ITEM, 30))


def test_what_is_long_ago_is_forgotten() -> None:
    """Failures that good records have pushed out of the window count no more."""
    assert first(FailureWindow(0.5, 100, 10), ([(ITEM,)] * 9 + [GOOD] * 100) * 20) is None


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        (ITEM, "route views, stage map: itemId: text is not an integer"),
        (GARBAGE, "stage decode: the first byte is 255"),
    ],
)
def test_it_is_told_in_words(cause: Cause, words: str) -> None:
    """How many of how many, and the most frequent cause; a decode failure has no route."""
    start = "260 of the last 500 records that a route wanted failed before they could be sent, 200 of them in "
    assert str(MassFailure(260, 500, cause, 200)) == start + words
