"""What a replay takes in, and where a letter goes."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, cast

import pytest

from processor.expressions.language import Language
from processor.plan import Plan
from processor.records import (
    Assignment,
    ErrorClass,
    Event,
    Failure,
    Filtered,
    Record,
    Stage,
)
from processor.replay.letter import Replayed
from processor.replay.letter_feed import PASSED_OVER, LetterFeed, LetterRouter, RecordFeed
from processor.route.router import NotRouted, Route, Router
from tests.replay.feeds import AT, Noted, Told, feed
from tests.replay.letters import as_letter, buried, changed
from tests.support.records import record

LANGUAGE = Language({}, lambda: 0.0)
UNDECODABLE = Failure(Stage.DECODE, ErrorClass.UNDECODABLE, "the first byte is 255")
UNMAPPED = Failure(Stage.MAP, ErrorClass.UNMAPPED, "itemId: is required")
ORDER: Mapping[str, Any] = {"total": 30, "lines": [{"sku": "a"}, {"sku": "b"}, {"sku": "c"}]}


def route(name: str = "orders", for_each: str | None = "lines", when: str | None = None) -> Route:
    """A route of orders."""
    condition = LANGUAGE.compile(when) if when else None
    items = LANGUAGE.compile(for_each) if for_each else None
    return Route(name, frozenset({"com.acme.Order"}), ("clicks",), condition, items)


ROUTES = (route(), route("mails", None))


def routed(*routes: Route, event: Event | None = None, **letter: Any) -> list[tuple[str, int | None, str | None]]:
    """Where a letter goes: route, index, and why not, if not."""
    replayed = Event(Replayed(as_letter(**letter)), "com.acme.Order", dict(ORDER), 1)
    return [
        (each.route, each.index, _why(each.fate) if isinstance(each, NotRouted) else None)
        for each in LetterRouter(routes or ROUTES).route(event or replayed)
    ]


def _why(fate: Filtered | Failure) -> str:
    return fate.reason.value if isinstance(fate, Filtered) else fate.message


# What is taken in.


def test_what_has_its_outcome_is_passed_over(noted: Noted) -> None:
    """A partition that was lost is read again from the last commit, also what was delivered and marked since."""
    some = feed(noted)
    noted.done.add(2)

    assert [some.wants(record(offset, at=AT)) for offset in (1, 2, 5)] == [True, False, True]


def test_source_records_are_taken_as_they_are(noted: Noted) -> None:
    """The feed of records changes none of them, whether the run is about them or not."""
    records = [record(offset, at=AT) for offset in range(7)]
    some = feed(noted, RecordFeed)

    assert all(one is other for one, other in zip(some.taken(records), records, strict=True))
    assert [one.offset for one in records if some.wants(one)] == [1, 2, 5]
    assert not some.wants(record(1, at=Assignment("dlq", 4, 1)))
    assert not some.wants(record(1, at=Assignment("clicks", 3, 1)))


def test_letters_become_the_records_that_they_were(noted: Noted) -> None:
    """Those that the run is about; they are settled where the letter lies."""
    source = record(77, at=Assignment("clicks", 9, 1), key=b"ann", headers=[("tenant", b"acme")])
    batch = [buried(offset, source=source, at=AT) for offset in range(3)]

    zero, one, two = feed(noted).taken(batch)

    assert zero is batch[0]
    for taken in (one, two):
        assert isinstance(taken, Replayed)
        assert (taken.topic, taken.source, taken.headers) == ("clicks", ("clicks", 9, 77), [("tenant", b"acme")])
        assert taken.assignment is AT
    assert (one.offset, two.offset) == (1, 2)


def test_what_is_no_letter_is_taken_as_it_is(noted: Noted) -> None:
    """It was one in the survey; whatever it is now, it ends nothing."""
    stranger = changed(buried(1, at=AT), stage=None)

    assert feed(noted).taken([stranger]) == [stranger]


@pytest.mark.parametrize("kind", [RecordFeed, LetterFeed])
def test_only_what_is_wanted_is_decoded(noted: Noted, kind: type[RecordFeed]) -> None:
    """All else is passed over, unseen."""
    asked: list[int] = []

    def decode(one: Record) -> Failure:
        asked.append(one.offset)
        return UNDECODABLE

    decoder: Any = SimpleNamespace(decode=decode)
    transform = feed(noted, kind).transform(shop(), Router([]), decoder, Told(noted).keeper)

    assert [transform.decode(record(offset, at=AT)) for offset in (0, 1)] == [PASSED_OVER, UNDECODABLE]
    assert asked == [1]


def shop() -> Plan:
    """A plan with what is used of it; its mappers fail."""
    mapper = SimpleNamespace(map=lambda *_: UNMAPPED)
    return cast("Plan", SimpleNamespace(routes=ROUTES, mappers={"orders": mapper, "mails": mapper}))


def test_who_routes(noted: Noted) -> None:
    """Source records go where the pipeline's router sends them, letters only to what failed then."""
    event = Event(Replayed(as_letter(index=1)), "com.acme.Order", dict(ORDER), 1)
    decoder: Any = SimpleNamespace(decode=None)
    mine = Router([route("mails", None)])
    keeper = Told(noted).keeper

    source = feed(noted, RecordFeed).transform(shop(), mine, decoder, keeper)
    letters = feed(noted).transform(shop(), mine, decoder, keeper)

    assert list(source.fates(event)) == [("mails", 0, UNMAPPED)]
    assert list(letters.fates(event)) == [("orders", 1, UNMAPPED)]


# Where a letter goes.


def test_only_the_item_that_failed() -> None:
    """Of its route only; also where it is the first one, or has none."""
    assert routed(index=2) == [("orders", 2, None)]
    assert routed(index=0) == [("orders", 0, None)]
    assert routed(route="mails", index=0) == [("mails", 0, None)]


def test_a_route_without_an_index() -> None:
    """The whole route failed then, so all of its items are made."""
    assert routed(index=None) == [("orders", 0, None), ("orders", 1, None), ("orders", 2, None)]


def test_a_record_that_failed_before_any_route() -> None:
    """All that would have been made of it is made."""
    everything = [("orders", 0, None), ("orders", 1, None), ("orders", 2, None), ("mails", 0, None)]

    assert routed(route="", index=None, failure=UNDECODABLE) == everything


def test_an_item_that_is_gone() -> None:
    """It fails again, with words: nobody knows which item it would be now."""
    assert routed(index=3) == [("orders", 3, "for_each gives fewer items now, and this one no more")]
    assert routed(route("orders", None), index=1) == [
        ("orders", 1, "for_each gives fewer items now, and this one no more")
    ]


def test_a_for_each_that_fails() -> None:
    """That of the whole route is the letter's fate, whatever its item was."""
    assert routed(route(for_each="total")) == [("orders", None, "for_each: the expression gives no array")]
    assert routed(route(for_each="nothing")) == [("orders", None, "empty")]


def test_a_condition_that_is_false_today() -> None:
    """Only that of the letter's item counts."""
    assert routed(route(when="item.sku != 'c'"), index=2) == [("orders", 2, "when")]
    assert routed(route(when="item.sku != 'c'"), index=1) == [("orders", 1, None)]


def test_a_route_that_is_gone_or_reads_something_else() -> None:
    """Nothing is sent in its place by other routes."""
    assert routed(route("mails", None)) == [("orders", 2, "no_route")]
    other = Route("orders", frozenset({"com.acme.Return"}), ("clicks",), None, None)
    assert routed(other, route("mails", None)) == [("orders", 2, "no_route")]


def test_what_is_no_letter_goes_all_ways() -> None:
    """The router has nothing to go by."""
    assert len(routed(event=Event(record(), "com.acme.Order", dict(ORDER), 1))) == 4
