"""Which letters a run is about, and why the others are passed."""

from typing import Any

import pytest

from processor.clock import ManualClock
from processor.expressions.language import Language
from processor.records import Assignment, Key, Record
from processor.replay.history import History, Marks
from processor.replay.selectors import Selection, Selectors
from processor.replay.spans import Spans
from processor.replay.survey import Oldest, Passed, Survey, Wish, survey
from processor.replay.walk import Walk
from processor.settle.letters import Origin
from tests.replay.letters import WRITTEN, buried, changed
from tests.support.records import record

LANGUAGE = Language({}, ManualClock().wall)
AT, OTHER = Assignment("dlq", 3, 1), Assignment("dlq", 4, 2)
ROUTES = frozenset({"orders", "views"})


def history(**outcomes: tuple[int, int]) -> History:
    """What the audit topic tells of partition 3."""
    told = History("dlq", "")
    for number, (outcome, span) in enumerate(outcomes.items()):
        message = Marks(run="r", topic="dlq", partition=3, outcomes={outcome: (span,)}).as_json()
        told.add(record(number, at=Assignment("dlq.audit", 0, 1), value=message))
    return told


def found(
    *batch: Record,
    told: History | None = None,
    discarded: bool = False,
    most: int | None = None,
    mine: dict[Key, Spans] | None = None,
    **selectors: Any,
) -> Survey:
    """What a look at these messages finds; a letter may be replayed three times."""
    walk = Walk(Selection(Selectors(**selectors), "rocket", LANGUAGE), lambda _: None)
    wish = Wish(discarded, 3, most, ROUTES, mine or {})
    return survey(walk, [batch[:2], batch[2:]], told or history(), wish)


def passed(looked: Survey) -> dict[str, int]:
    """The reasons that were met."""
    return {reason.value: number for reason, number in looked.passed.items() if number}


def replayed(times: int, offset: int = 0) -> Record:
    """A letter that was replayed so often."""
    return changed(buried(offset, at=AT), replay_count=str(times).encode())


def test_all_that_is_open() -> None:
    """By topic and partition, in one span where they lie in a row; the oldest says since when."""
    looked = found(
        buried(1, at=AT, written=WRITTEN + 5),
        buried(2, at=AT),
        buried(9, at=AT),
        buried(1, at=OTHER, written=WRITTEN + 7),
    )

    assert looked.wanted == {AT.key: Spans((1, 3), (9, 10)), OTHER.key: Spans((1, 2))}
    assert (looked.selected, looked.read, passed(looked)) == (4, 4, {})
    assert looked.since == WRITTEN


def test_nothing_in_the_topic() -> None:
    """Then the run is about nothing, since no time at all."""
    looked = found()

    assert (looked.wanted, looked.selected, looked.read, looked.since) == ({}, 0, 0, None)


def test_what_is_none_of_our_letters() -> None:
    """Each kind is counted, so that everything that was read is accounted for."""
    looked = found(
        buried(1, at=AT),
        buried(2, at=AT, route="views"),
        buried(3, at=AT, origin=Origin("voyado", "1", "1")),
        record(4, at=AT),
        record(5, at=AT, value=None),
        routes=("orders",),
    )

    assert looked.wanted == {AT.key: Spans((1, 2))}
    assert passed(looked) == {"not_selected": 1, "elsewhere": 1, "not_a_letter": 1, "tombstone": 1}
    assert looked.read == 5


@pytest.mark.parametrize(("discarded", "wanted"), [(False, [2]), (True, [1, 2])])
def test_letters_that_are_closed(discarded: bool, wanted: list[int]) -> None:  # noqa: FBT001 - a case
    """What was replayed is never wanted again, what was discarded only on demand."""
    looked = found(
        *(buried(offset, at=AT) for offset in range(3)),
        told=history(delivered=(0, 1), discarded=(1, 2)),
        discarded=discarded,
    )

    assert looked.wanted == {AT.key: Spans(*((offset, offset + 1) for offset in wanted))}
    assert passed(looked) == {"closed": 3 - len(wanted)}


def test_a_discarded_letter_that_was_replayed() -> None:
    """It was sent, so it is not wanted even where discarded ones are."""
    looked = found(buried(0, at=AT), told=history(discarded=(0, 1), failed=(0, 1)), discarded=True)

    assert passed(looked) == {"closed": 1}


def test_letters_that_were_replayed_too_often() -> None:
    """They stay open; one that may be replayed once more is."""
    looked = found(replayed(2, 0), replayed(3, 1), replayed(17, 2))

    assert looked.wanted == {AT.key: Spans((0, 1))}
    assert passed(looked) == {"over_max_replays": 2}


def test_letters_of_a_route_that_the_file_has_not() -> None:
    """They stay open; those that failed before any route are wanted."""
    looked = found(buried(0, at=AT, route="carts"), buried(1, at=AT, route="", index=None))

    assert looked.wanted == {AT.key: Spans((1, 2))}
    assert passed(looked) == {"route_gone": 1}


@pytest.mark.parametrize("what", ["value_omitted", "headers_omitted", "key_omitted"])
def test_letters_that_are_not_whole(what: str) -> None:
    """The topic did not take all of the record: it would be mapped from what is missing."""
    looked = found(changed(buried(0, at=AT), **{what: b"900"}))

    assert (looked.wanted, passed(looked)) == ({}, {"incomplete": 1})


def test_one_reason_for_each_letter() -> None:
    """The first that says that nothing more is to be done; what is read adds up."""
    looked = found(
        changed(replayed(3, 0), route=b"carts", value_omitted=b"900"),
        changed(replayed(3, 1), route=b"carts", value_omitted=b"900"),
        told=history(delivered=(0, 1)),
    )

    assert passed(looked) == {"closed": 1, "over_max_replays": 1}
    assert looked.read == 2


def test_the_oldest_ones() -> None:
    """Of all partitions together, by when they were written, not by where they lie; the rest stays open."""
    looked = found(
        buried(1, at=AT, written=WRITTEN + 30),
        buried(2, at=AT, written=WRITTEN + 10),
        buried(3, at=AT, written=WRITTEN + 40),
        buried(1, at=OTHER, written=WRITTEN + 20),
        buried(2, at=OTHER, written=WRITTEN + 50),
        most=2,
    )

    assert looked.wanted == {AT.key: Spans((2, 3)), OTHER.key: Spans((1, 2))}
    assert (passed(looked), looked.selected, looked.read) == ({"beyond_max": 3}, 2, 5)
    assert looked.since == WRITTEN + 10


def test_a_limit_that_is_not_reached() -> None:
    """Then it changes nothing."""
    looked = found(buried(1, at=AT), buried(2, at=AT), most=2)

    assert (looked.wanted, passed(looked)) == ({AT.key: Spans((1, 3))}, {})


def test_only_what_is_wanted_counts_for_the_limit() -> None:
    """A closed letter takes nobody's place."""
    looked = found(
        *(buried(offset, at=AT, written=WRITTEN + offset) for offset in range(4)),
        told=history(delivered=(0, 1)),
        most=2,
    )

    assert looked.wanted == {AT.key: Spans((1, 3))}
    assert passed(looked) == {"closed": 1, "beyond_max": 1}


def test_a_run_that_goes_on() -> None:
    """What it has done itself counts as wanted, whatever else is true of it now: its `--max` means the same ones."""
    batch = [buried(offset, at=AT, written=WRITTEN + offset) for offset in range(4)]
    before = found(*batch, most=2)

    after = found(*batch, told=history(delivered=(0, 1)), mine={AT.key: Spans((0, 1))}, most=2)

    assert after == before
    assert before.wanted == {AT.key: Spans((0, 2))}


def test_a_run_whose_letters_are_deleted_when_it_goes_on() -> None:
    """What it has done counts for the limit all the same: else each resumption would send that many more."""
    batch = [buried(offset, at=AT, written=WRITTEN + offset) for offset in range(4, 9)]
    told = history(delivered=(0, 5))

    looked = found(*batch, told=told, mine={AT.key: Spans((0, 5))}, most=6)
    assert (looked.wanted, passed(looked)) == ({AT.key: Spans((4, 6))}, {"beyond_max": 3})

    looked = found(*batch, told=told, mine={AT.key: Spans((0, 5))}, most=5)
    assert (looked.wanted, passed(looked)) == ({AT.key: Spans((4, 5))}, {"beyond_max": 4})


def test_of_equal_age_the_first_of_a_partition_are_kept() -> None:
    """So that a run that goes on means the same letters as at its beginning."""
    oldest = Oldest(2)
    for offset in (3, 1, 4, 2):
        oldest.add(record(offset, at=AT))

    assert oldest.spans() == {AT.key: Spans((1, 3))}
    assert (oldest.kept, oldest.beyond) == (2, 2)


def test_every_reason_is_a_word_of_its_own() -> None:
    """They are the names in the account."""
    assert len({each.value for each in Passed}) == 9
