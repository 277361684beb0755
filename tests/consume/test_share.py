"""Which part of the rate is a replica's: the rule."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processor.consume.share import INTERVAL, MOVED, SMALL, Look, Work, share
from processor.records import Key

Part = str
"""Partitions, each as one letter."""


def keys(letters: Part) -> frozenset[Key]:
    """Partitions by their letters."""
    return frozenset(("clicks", ord(letter)) for letter in letters)


@pytest.mark.parametrize(
    ("own", "known", "busy", "expected"),
    [
        pytest.param("", "abcd", "abcd", 0, id="who has nothing sends nothing"),
        pytest.param("", "", "", 0, id="nor before anything is known"),
        pytest.param("ab", "", "", None, id="own partitions alone say nothing about the others"),
        pytest.param("abcd", "abcd", "", 1, id="all of them"),
        pytest.param("abc", "abcd", "", 3 / 4, id="where nothing has work all count"),
        pytest.param("ab", "abcd", "abcd", 2 / 4, id="all have work"),
        pytest.param("ab", "abcd", "acd", 1 / 3, id="idle ones do not count, own or others'"),
        pytest.param("ab", "abcd", "ab", 1, id="only own ones have work"),
        pytest.param("ab", "abcd", "d", SMALL, id="idle: a little, should one of them get work"),
        pytest.param("a", "abcdefghijkl", "bcdefghijkl", 1 / 12, id="idle: no more than the part of one partition"),
        pytest.param("ae", "abcd", "", 2 / 5, id="a partition that was added since the last look"),
        pytest.param("e", "abcd", "ab", SMALL, id="the same, after a look"),
    ],
)
def test_a_share_is_the_part_of_what_has_work(own: Part, known: Part, busy: Part, expected: float | None) -> None:
    """Own partitions with work, of all with work; all count where none has any."""
    found = share(keys(own), keys(known), keys(busy))

    assert found == (expected if expected is None else pytest.approx(expected))


@settings(deadline=None)
@given(owners=st.lists(st.integers(0, 3), min_size=1, max_size=12), data=st.data())
def test_shares_add_up_whoever_has_looked(owners: list[int], data: st.DataObject) -> None:
    """Partitions wake between two looks: before, between and after these no more than the rate is used in all.

    Each replica whose partitions are all idle may use a little on top of it.
    """
    everything = [("clicks", number) for number in range(len(owners))]
    before = frozenset(key for key in everything if data.draw(st.booleans()))
    after = before | {key for key in everything if data.draw(st.booleans())}
    stages = [Work(), Work(), Work()]
    for looks, work in enumerate(stages):
        for number, busy in enumerate([before, after, after][: looks + 1]):
            committed = {key: 0 if key in busy else 1 for key in everything}
            work.enter(Look(frozenset(everything), dict.fromkeys(everything, 1), committed), number * INTERVAL)

    for known in (stages[:2], stages[1:]):
        total, idle = 0.0, 0
        for owner in set(owners):
            own = frozenset(key for key, of in zip(everything, owners, strict=True) if of == owner)
            total += data.draw(st.sampled_from(known)).share(own) or 0.0
            idle += not own & before
        assert total <= 1 + idle * SMALL + 1e-9


@pytest.mark.parametrize("busy", ["", "a", "ad", "abcdef"])
def test_the_whole_rate_is_used(busy: Part) -> None:
    """Replicas that know the same leave nothing unused."""
    shares = [share(keys(own), keys("abcdef"), keys(busy)) for own in ("a", "bc", "def")]

    assert sum(found or 0.0 for found in shares) >= 1 - 1e-9


def test_a_partition_that_wakes_counts_for_others_first() -> None:
    """Its owner waits until everyone has noticed; meanwhile it uses what is left for idle ones."""
    work = Work()
    woken = []
    work.enter(seen((10, 5), (10, 10)), 0.0)
    for now in (15.0, 30.0):
        work.enter(seen((10, 5), (11, 10)), now)
        woken.append((work.share(keys("a")), work.share(keys("b"))))

    assert woken == [(0.5, SMALL), (0.5, 0.5)]


def test_who_is_alone_has_all() -> None:
    """Whatever wakes, and before anything is known to be idle."""
    work = Work()
    assert work.share(keys("ab")) is None
    shares = []
    for now, end in ((0.0, 10), (15.0, 11), (30.0, 12)):
        work.enter(seen((10, 10), (end, 10)), now)
        shares.append(work.share(keys("ab")))

    assert shares == [1.0] * 3


# What has work.

ALL = keys("ab")
A, B = sorted(ALL)


def seen(a: tuple[int, int | None], b: tuple[int, int | None] = (0, None), fresh: Part = "") -> Look:
    """A look at two partitions: the end and the committed offset of each."""
    each = {A: a, B: b}
    committed = {key: offset for key, (_, offset) in each.items() if offset is not None}
    return Look(ALL, {key: end for key, (end, _) in each.items()}, committed, keys(fresh))


def test_a_partition_with_lag_has_work() -> None:
    """Committed below the end; without a commit it begins at its first record."""
    work = Work()
    work.enter(seen((10, 9), (10, 10)), 0.0)
    assert work.busy == keys("a")
    work.enter(seen((10, 10), (10, None)), 100.0)
    assert B in work.busy


def test_a_partition_with_new_records_has_work_for_a_minute() -> None:
    """What is slow and steady has no lag when somebody looks."""
    work = Work()
    work.enter(seen((10, 10), (10, 10)), 0.0)
    assert work.busy == frozenset()

    busy = []
    for now in (15.0, 30.0, 15.0 + MOVED - 1, 15.0 + MOVED):
        work.enter(seen((11, 11), (10, 10)), now)
        busy.append(work.busy)

    assert busy == [keys("a"), keys("a"), keys("a"), keys("")]


def test_commits_are_no_work() -> None:
    """The first ones of a new group, and the last ones of a backlog: where there is no lag there is nothing to do."""
    work = Work()
    work.enter(seen((0, None), (10, 5)), 0.0)
    work.enter(seen((0, 0), (10, 10)), 15.0)

    assert work.busy == frozenset()


def test_a_fresh_replica_goes_by_timestamps() -> None:
    """It has not seen what moved in the last minute, and must not take more than the others leave it."""
    work = Work()
    work.enter(seen((10, 10), (10, 10), fresh="b"), 0.0)
    assert work.busy == keys("b")

    work.enter(seen((10, 10), (10, 10)), MOVED)
    assert work.busy == frozenset()


def test_an_unknown_end_may_be_work() -> None:
    """A partition whose leader is away counts until somebody has seen that it is idle."""
    work = Work()
    work.enter(Look(ALL, {A: 5}, {A: 5}), 0.0)

    assert work.busy == keys("b")


def test_what_is_gone_is_forgotten() -> None:
    """A topic that was deleted and made again begins anew: its smaller end is no new record."""
    work = Work()
    work.enter(seen((10, 5), (10, 5)), 0.0)
    work.enter(Look(keys("a"), {A: 10}, {A: 5}), 1.0)
    assert work.known == work.busy == keys("a")

    work.enter(seen((10, 10), (0, None)), 2.0)
    assert work.known == ALL
    assert work.busy == frozenset()
