import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.consume.backpressure import Decision, Limits, decide, too_far_ahead
from processor.offsets import PartitionView
from processor.records import Key

LIMITS = Limits(max_records=100, max_bytes=1000)
A, B, C, D = (("clicks", number) for number in range(4))


def view(held: dict[Key, int | tuple[int, int]]) -> dict[Key, PartitionView]:
    """What each partition holds: records, or records and bytes."""
    pairs = {key: value if isinstance(value, tuple) else (value, 0) for key, value in held.items()}
    return {key: PartitionView(0, 0, 0, records, size, 0, None) for key, (records, size) in pairs.items()}


def decided(held: dict[Key, int | tuple[int, int]], *paused: Key) -> Decision:
    """Decide about partitions, some of them paused."""
    return decide(LIMITS, view(held), frozenset(paused))


def decision(pause: set[Key] | None = None, resume: set[Key] | None = None) -> Decision:
    """What should come out."""
    return Decision(frozenset(pause or ()), frozenset(resume or ()))


def test_nothing_assigned() -> None:
    """Without partitions there is nothing to decide."""
    assert decided({}) == decision()


def test_what_may_hold_nothing_is_paused_from_the_start() -> None:
    """A pipeline that may hold no records fetches none: every partition is paused, and none is ever resumed."""
    nothing, held = Limits(0, 0), view({A: 0, B: 0})

    assert decide(nothing, held, frozenset()) == decision(pause={A, B})
    assert decide(nothing, held, frozenset({A, B})) == decision()


def test_below_its_share_a_partition_flows() -> None:
    """One record short of its share a partition is left alone."""
    assert decided({A: 24, B: 0, C: 0, D: 0}) == decision()


def test_at_its_share_a_partition_is_paused_alone() -> None:
    """Each of four partitions may hold a quarter; the one that does is paused (invariant 6)."""
    assert decided({A: 25, B: 24, C: 0, D: 0}) == decision(pause={A})


def test_a_share_has_bytes_too() -> None:
    """Few large records fill a share as well as many small ones."""
    assert decided({A: (1, 250), B: (1, 249), C: (0, 0), D: (0, 0)}) == decision(pause={A})


def test_at_the_total_all_are_paused() -> None:
    """When the pipeline holds all it may, nothing is fetched any more, also of partitions that hold little."""
    assert decided({A: 97, B: 1, C: 1, D: 1}, A) == decision(pause={B, C, D})


def test_the_total_has_bytes_too() -> None:
    """The same for bytes."""
    assert decided({A: (1, 999), B: (1, 1)}, A) == decision(pause={B})


def test_a_paused_partition_is_resumed_when_half_empty() -> None:
    """Between half and full a partition stays what it is: a pause throws away what was fetched."""
    assert decided({A: 13, B: 0, C: 0, D: 0}, A) == decision()
    assert decided({A: 12, B: 0, C: 0, D: 0}, A) == decision(resume={A})


def test_what_is_paused_is_not_paused_again() -> None:
    """A full partition that is paused already needs nothing."""
    assert decided({A: 30, B: 0, C: 0, D: 0}, A) == decision()


def test_one_stuck_partition_does_not_keep_others_paused() -> None:
    """A partition that stands still with more than its share leaves the others what is below the total."""
    assert decided({A: 60, B: 30, C: 5, D: 4}, A, B, C, D) == decision(resume={C, D})


def test_shares_shrink_when_partitions_come() -> None:
    """What was within a half is beyond a quarter: the next decision pauses it."""
    assert decided({A: 40, B: 0}) == decision()
    assert decided({A: 40, B: 0, C: 0, D: 0}) == decision(pause={A})


counts = st.integers(0, 120)


@given(st.dictionaries(st.sampled_from([A, B, C, D]), st.tuples(counts, st.integers(0, 1200))), st.data())
def test_what_holds_for_every_decision(held: dict[Key, tuple[int, int]], data: st.DataObject) -> None:
    """Only what flows is paused, only what is paused resumed, and nothing full flows afterwards (invariant 6)."""
    paused = frozenset(data.draw(st.sets(st.sampled_from(sorted(held))))) if held else frozenset()

    made = decide(LIMITS, view({**held}), paused)

    flowing = set(held) - ((paused | made.pause) - made.resume)
    assert made.pause.isdisjoint(paused)
    assert made.resume <= paused
    assert all(held[key][0] * len(held) < 100 and held[key][1] * len(held) < 1000 for key in flowing)
    empty = decide(LIMITS, view(dict.fromkeys(held, 0)), paused)
    assert empty == Decision(frozenset(), paused)


FAR = Limits(max_records=100, max_bytes=1000, max_ahead=1000)


def beyond(settled_ahead: int = 0, fill: float = 0.0) -> PartitionView:
    """A partition that holds one record, and settled so much behind it."""
    return PartitionView(7, 7, 9, 1, 1, 3, None, settled_ahead, fill)


@pytest.mark.parametrize(
    ("far", "flowing", "paused"),
    [
        (beyond(1000), decision(pause={A}), decision()),
        (beyond(999), decision(), decision()),
        (beyond(501), decision(), decision()),
        (beyond(500), decision(), decision(resume={A})),
        (beyond(fill=0.75), decision(pause={A}), decision()),
        (beyond(fill=0.74), decision(), decision()),
        (beyond(fill=0.38), decision(), decision()),
        (beyond(fill=0.375), decision(), decision(resume={A})),
        (beyond(400, 0.8), decision(pause={A}), decision()),
    ],
)
def test_too_far_ahead_a_partition_is_paused_alone(far: PartitionView, flowing: Decision, paused: Decision) -> None:
    """At either limit one partition is paused, and resumed at half of it; the other ones flow."""
    both = {A: far, B: beyond()}

    assert decide(FAR, both, frozenset()) == flowing
    assert decide(FAR, both, frozenset({A})) == paused


def test_what_is_held_is_never_fetched() -> None:
    """A partition that must not be read is paused from the start, and stays so however empty it is."""
    assert decide(FAR, view({A: 0, B: 0}), frozenset(), {A}) == decision(pause={A})
    assert decide(FAR, view({A: 0, B: 0}), frozenset({A, B}), {A}) == decision(resume={B})


def test_the_reason_names_what_is_reached() -> None:
    """Which limit it is, how much, and the offset that it waits for."""
    records = too_far_ahead(FAR, beyond(1200, 0.3), already=False)
    spans = too_far_ahead(FAR, beyond(400, 0.78), already=False)

    assert records == "1200 records (max_ahead: 1000) are settled behind offset 7, which is not"
    assert spans == "3 spans of records (78% of what a commit can name) are settled behind offset 7, which is not"


@pytest.mark.parametrize(("already", "says"), [(True, True), (False, False)])
def test_the_reason_holds_until_the_resumption(already: bool, says: bool) -> None:  # noqa: FBT001 - a test's parameters
    """Between half and full it is why a partition waits only where it waited for that already."""
    assert bool(too_far_ahead(FAR, beyond(800), already=already)) is says
    assert too_far_ahead(FAR, beyond(500), already=already) == ""
