"""Which source records a run is about."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from processor.errors import FatalError
from processor.records import Assignment, Record
from processor.replay.access import Access
from processor.replay.history import History, Marks, Run
from processor.replay.letter_feed import RecordFeed
from processor.replay.run import Found, Terms
from processor.replay.source import Range, find_records, milliseconds, of_routes
from processor.replay.spans import Spans
from tests.replay.audits import WALL
from tests.support.configured import ROCKET, VIEW, plans
from tests.support.records import record

NINE = datetime(2026, 11, 22, 9, tzinfo=UTC)
TEN = NINE + timedelta(hours=1)
ALL = Range(("clicks",), NINE, TEN, (), None, ())
TERMS = Terms(None, 5.0, "mapping", "ann", "pod-1", {"o.yaml": "mode: live"})


def at(offset: int, minutes: float, topic: str = "clicks", partition: int = 0, key: bytes | None = b"k") -> Record:
    """A record so many minutes after nine."""
    moment = milliseconds(NINE) + round(minutes * 60_000)
    return record(offset, at=Assignment(topic, partition, 1), timestamp=moment, key=key)


class Topics:
    """A reader of topics that are in memory, and what it was asked for."""

    def __init__(self, *records: Record) -> None:
        self._topics: dict[str, dict[int, list[Record]]] = {}
        for one in records:
            partitions = self._topics.setdefault(one.topic, {})
            partitions.setdefault(one.assignment.partition, []).append(one)
        self.reads: list[tuple[str, Mapping[int, int], Mapping[int, int]]] = []

    def watermarks(self, topic: str) -> dict[int, tuple[int, int]] | None:
        """As Kafka has them."""
        if topic not in self._topics:
            return None
        return {partition: (each[0].offset, each[-1].offset + 1) for partition, each in self._topics[topic].items()}

    def offsets_at(self, topic: str, known: Mapping[int, tuple[int, int]], moment: int) -> dict[int, int]:
        """The first record that is not older, as Kafka looks it up."""
        return {
            partition: next((one.offset for one in self._topics[topic][partition] if one.timestamp >= moment), end)
            for partition, (_, end) in known.items()
        }

    def read(self, topic: str, begins: Mapping[int, int], ends: Mapping[int, int]) -> Iterator[list[Record]]:
        """What lies between."""
        self.reads.append((topic, begins, ends))
        for partition, records in self._topics[topic].items():
            yield [one for one in records if begins[partition] <= one.offset < ends[partition]]


def access(topics: Topics) -> Access:
    """The parts that are used."""
    parts = {
        "reader": topics,
        "topic": "dlq",
        "plan": SimpleNamespace(name="rocket", group="shop.rocket"),
        "ready": SimpleNamespace(version="77be01"),
        "audit": SimpleNamespace(topic_id="id-1"),
        "admin": None,
    }
    return cast("Access", SimpleNamespace(**parts))


def found(
    *records: Record,
    wanted: Range = ALL,
    terms: Terms = TERMS,
    resumed: Run | None = None,
    history: History | None = None,
) -> Found:
    """What a run is about."""
    return find_records(access(Topics(*records)), wanted, terms, resumed, history or History("dlq", ""), WALL)


def passed(it: Found) -> dict[str, int]:
    """The reasons that were met."""
    return {reason.value: number for reason, number in it.survey.passed.items() if number}


# What is asked for.


@pytest.mark.parametrize(("minutes", "wanted"), [(-0.001, False), (0, True), (59.999, True), (60, False), (90, False)])
def test_from_one_time_to_just_before_another(minutes: float, wanted: bool) -> None:  # noqa: FBT001 - a case
    """By Kafka's timestamp, to the millisecond."""
    assert ALL.wants(at(0, minutes)) is wanted


def test_no_end() -> None:
    """The run's ends say where it is."""
    assert replace(ALL, until=None).wants(at(0, 1e6))


@pytest.mark.parametrize(("key", "wanted"), [(b"ann", True), (b"anna", False), (None, False)])
def test_a_key_as_text(key: bytes | None, wanted: bool) -> None:  # noqa: FBT001 - a case
    """All of it, and none is not the empty one."""
    assert replace(ALL, key="ann").wants(at(0, 1, key=key)) is wanted
    assert not replace(ALL, key="").wants(at(0, 1, key=None))
    assert ALL.wants(at(0, 1, key=key))


def test_a_key_that_is_no_text() -> None:
    """It is asked for as it is shown: as base64."""
    assert replace(ALL, key="/w==").wants(at(0, 1, key=b"\xff"))


@pytest.mark.parametrize(
    "wanted",
    [ALL, Range(("a", "b"), NINE, None, ("views", "carts"), "ann", ("max_event_age",))],
)
def test_the_audit_keeps_what_was_asked_for(wanted: Range) -> None:
    """A run that goes on means the same records, also after its record was written and read."""
    run = Run(id="r", kind="source", topic="dlq", selectors=wanted.as_json())
    read = Run.model_validate_json(run.as_json())

    assert Range.of(read) == wanted


def test_another_zone() -> None:
    """It is the same moment."""
    assert milliseconds(NINE.astimezone(timezone(timedelta(hours=5, minutes=30)))) == milliseconds(NINE)


# Which routes.


def test_only_the_named_routes(tmp_path: Path) -> None:
    """In the file's order; without a name all of them."""
    (plan,) = plans(tmp_path, VIEW + VIEW.replace("views:", "more:")).plans
    whole = Access(*cast("Any", (None, plan, None, "", None, None, None)))

    assert [route.name for route in of_routes(whole, ()).plan.routes] == ["views", "more"]
    assert [route.name for route in of_routes(whole, ("more", "views")).plan.routes] == ["views", "more"]
    assert [route.name for route in of_routes(whole, ("more",)).plan.routes] == ["more"]
    assert len(whole.plan.routes) == 2


def test_a_route_that_the_destination_has_not(tmp_path: Path) -> None:
    """It is refused with those that there are, also where the file has it for another one."""
    plan, _ = plans(tmp_path, VIEW + ROCKET).plans

    with pytest.raises(FatalError) as caught:
        of_routes(Access(*cast("Any", (None, plan, None, "", None, None, None))), ("views", "rocket", "cart"))

    assert str(caught.value) == "voyado has no route rocket, cart; it has: views"


# What is found.


def test_the_records_of_the_range() -> None:
    """From the offset of the first time to the end of now; those of other times are passed."""
    run = found(at(0, -9), at(1, 1), at(2, 70), at(3, 20), at(4, 61))

    assert run.survey.wanted == run.left == {("clicks", 0): Spans((1, 2), (3, 4))}
    assert run.run.begins == {"clicks": {0: 1}}
    assert run.run.ends == {"clicks": {0: 5}}
    assert (run.survey.read, passed(run), run.survey.since) == (4, {"not_selected": 2}, milliseconds(NINE))


def test_timestamps_that_do_not_ascend() -> None:
    """What is stamped late or early hides none of those behind it."""
    run = found(at(0, 90), at(1, 1), at(2, -9), at(3, 2))

    assert run.survey.wanted == {("clicks", 0): Spans((1, 2), (3, 4))}


def test_every_topic_and_partition() -> None:
    """Each by its own offsets; of a key where one is named."""
    run = found(
        at(0, 1, key=b"ann"),
        at(7, 1, partition=1, key=b"bob"),
        at(8, 2, partition=1, key=b"ann"),
        at(5, 3, topic="orders", key=b"ann"),
        wanted=replace(ALL, topics=("clicks", "orders"), key="ann"),
    )

    assert run.left == {("clicks", 0): Spans((0, 1)), ("clicks", 1): Spans((8, 9)), ("orders", 0): Spans((5, 6))}
    assert run.run.ends == {"clicks": {0: 1, 1: 9}, "orders": {0: 6}}
    assert passed(run) == {"not_selected": 1}


def test_up_to_now() -> None:
    """Without an end, that of the topic as it is now."""
    run = found(at(3, 1), at(4, 500), wanted=replace(ALL, until=None))

    assert (run.run.ends, run.survey.selected) == ({"clicks": {0: 5}}, 2)


def test_the_oldest() -> None:
    """So many; the rest is accounted for."""
    run = found(at(0, 1), at(1, 2), at(2, 3), terms=replace(TERMS, most=2))

    assert run.left == {("clicks", 0): Spans((0, 2))}
    assert (passed(run), run.survey.read) == ({"beyond_max": 1}, 3)


def test_a_topic_that_is_not_there() -> None:
    """Nothing is replayed, and it is named."""
    with pytest.raises(FatalError, match="the topic orders does not exist"):
        found(at(0, 1), wanted=replace(ALL, topics=("clicks", "orders")))


def test_the_record_of_a_new_run() -> None:
    """It says all that the audit is to know, and has no id yet."""
    it = found(at(0, 1), terms=replace(TERMS, rate=None, most=7))
    run = it.run

    assert (run.id, run.kind, run.topic, run.topic_id, run.destination) == ("", "source", "dlq", "id-1", "rocket")
    assert (run.by, run.host, run.reason, run.overlay) == ("ann", "pod-1", "mapping", {"o.yaml": "mode: live"})
    assert (run.max, run.rate, run.config_version, run.started) == (7, "none", "77be01", "2026-11-22T10:00:00.000Z")
    assert run.selectors == ALL.as_json()
    assert (it.rate, it.feed, run.state) == (None, RecordFeed, "running")
    assert found(at(0, 1)).run.rate == "5/s"


def test_a_run_beside_another_one() -> None:
    """It is refused before anything is read."""
    told = History("dlq", "")
    told._enter(Run(id="2026-11-22-1", kind="source", topic="dlq", started="2026-11-22T09:59:30.000Z"))

    with pytest.raises(FatalError, match=r"run 2026-11-22-1 of .* goes on"):
        found(at(0, 1), history=told)


def test_a_run_that_goes_on() -> None:
    """Its own offsets and limit count, not today's; what it has done is not done again, and stays in the account."""
    begun = found(at(0, 1), at(1, 2), at(2, 3), terms=replace(TERMS, most=2)).run.model_copy(update={"id": "r"})
    told = History("dlq", "")
    told._enter(begun.model_copy(update={"started": "2026-11-22T09:59:59.000Z"}))
    marks = Marks(run="r", topic="clicks", partition=0, outcomes={"delivered": ((0, 1),)})
    told.add(record(at=Assignment("dlq.audit", 0, 1), value=marks.as_json()))

    later = [at(0, 1), at(1, 2), at(2, 3), at(3, 4)]
    run = found(*later, wanted=Range.of(begun), resumed=begun, history=told)

    assert run.run is begun
    assert run.survey.wanted == {("clicks", 0): Spans((0, 2))}
    assert run.left == {("clicks", 0): Spans((1, 2))}
    assert (passed(run), run.survey.read) == ({"beyond_max": 1}, 3)


def test_a_run_whose_records_are_deleted_when_it_goes_on() -> None:
    """What it has done counts for its limit all the same."""
    begun = found(at(0, 1), at(1, 2), at(2, 3), terms=replace(TERMS, most=2)).run.model_copy(update={"id": "r"})
    told = History("dlq", "")
    marks = Marks(run="r", topic="clicks", partition=0, outcomes={"delivered": ((0, 1),)})
    told.add(record(at=Assignment("dlq.audit", 0, 1), value=marks.as_json()))

    run = found(at(1, 2), at(2, 3), wanted=Range.of(begun), resumed=begun, history=told)

    assert run.left == {("clicks", 0): Spans((1, 2))}
