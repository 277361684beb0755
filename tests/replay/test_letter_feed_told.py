"""What a replay tells its journal."""

import pytest

from processor.metrics import DEAD_LETTERS, DELIVERIES, FILTERED, REQUESTS
from processor.records import (
    Assignment,
    Channel,
    Delivery,
    ErrorClass,
    Failure,
    Filtered,
    FilterReason,
    Request,
    Span,
    Stage,
)
from processor.replay.letter_feed import PASSED_OVER
from tests.replay.feeds import AT, Noted, Told, feed
from tests.support.records import record

CHANNEL = Channel("view", "/view", batched=False)
UNMAPPED = Failure(Stage.MAP, ErrorClass.UNMAPPED, "itemId: is required")


def delivery(offset: int) -> Delivery:
    """One on its way."""
    return Delivery(record(offset, at=AT), 7, "orders", 0, CHANNEL, b"{}", None, None, 0.0)


@pytest.mark.parametrize(
    ("reason", "outcome"),
    [(reason, "too_old" if reason is FilterReason.TOO_OLD else "filtered") for reason in FilterReason],
)
def test_what_a_rule_filters(noted: Noted, reason: FilterReason, outcome: str) -> None:
    """What is too old is told apart from what today's file does not want; both are counted as ever."""
    told = Told(noted)

    told.keeper.filtered(Filtered(reason, "orders"), record(5, at=AT))

    assert noted.calls == [(5, outcome)]
    assert told.total(FILTERED) == [1]


def test_what_is_passed_over_is_not_counted(noted: Noted) -> None:
    """The run is not about it: it is neither filtered nor told of."""
    told = Told(noted)

    told.keeper.filtered(PASSED_OVER, record(4, at=AT))

    assert (noted.calls, told.total(FILTERED)) == ([], [0])


def test_what_is_accepted_is_delivered(noted: Noted) -> None:
    """Only what the vendor took of a request; also where that comes as an iterator. Both counts are as ever."""
    told = Told(noted)
    one, two = delivery(1), delivery(2)

    told.keeper.replied(Request(CHANNEL, [one, two], b""), "200", "accepted", iter([one]), 0.1)

    assert noted.calls == [(1, "delivered")]
    assert told.total(DELIVERIES, REQUESTS) == [1, 1]


def test_what_becomes_too_old_while_it_waits(noted: Noted) -> None:
    """It is told of, and counted as ever."""
    told = Told(noted)

    told.keeper.expired(iter([delivery(1), delivery(2)]))

    assert noted.calls == [(1, "too_old"), (2, "too_old")]
    assert told.total(FILTERED) == [2]


def test_what_fails_again(noted: Noted) -> None:
    """It is told of before its letter is written; the letter itself is counted when the broker has it."""
    told = Told(noted)

    told.keeper.failed(record(5, at=AT), "orders", 2, UNMAPPED)
    assert noted.calls == [(5, "failed")]
    told.keeper.buried("orders", UNMAPPED)

    assert noted.calls == [(5, "failed")]
    assert told.total(DEAD_LETTERS) == [1]


def test_settled_spans_go_by_way_of_the_journal(noted: Noted) -> None:
    """Nothing reaches the offsets past it."""
    posted: list[list[Span]] = []
    spans = [Span(AT, 1, 2, 1, 1)]

    feed(noted).settled(posted.append)(spans)

    assert noted.calls == [(posted.append, spans)]
    assert posted == []


async def test_a_partition_that_leaves(noted: Noted) -> None:
    """What is settled is told first; then the rest is the next owner's."""
    await feed(noted).drained([AT, Assignment("dlq", 4, 2)])

    assert noted.calls == ["drained", ("forget", ("dlq", 3)), ("forget", ("dlq", 4))]
