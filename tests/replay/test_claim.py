"""Run ids that no two runs share."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from threading import Barrier

import pytest

from processor.replay.audit import Audit
from processor.replay.claim import claim
from processor.replay.history import History, Run
from tests.replay.audits import WALL, audited, desk
from tests.support.broker import Broker
from tests.support.topics import TopicFactory

TOGETHER = 4


def test_the_first_of_a_day(broker: Broker, topic: TopicFactory) -> None:
    """Ids are counted by day from what the audit topic has, and the record is there with the id."""
    with desk(broker, audited(broker, topic)) as here:
        first = claim(here.audit, here.writer, here.run(reason="one"), WALL)
        second = claim(here.audit, here.writer, here.run(reason="two"), WALL + 60)

        assert [first.id, second.id] == ["2026-11-22-1", "2026-11-22-2"]
        assert here.history.runs == {first.id: first, second.id: second}
        assert first.claim != second.claim


def test_two_at_the_same_moment(broker: Broker, topic: TopicFactory) -> None:
    """Who wrote first has the id, the other takes the next; both records stay, whatever compaction leaves."""
    name = audited(broker, topic)
    with desk(broker, name) as one, desk(broker, name) as other:
        winner = claim(other.audit, other.writer, other.run(by="winner"), WALL)
        loser = claim(Late(one.audit, History(name, "")), one.writer, one.run(by="loser"), WALL)

        assert (winner.id, loser.id) == ("2026-11-22-1", "2026-11-22-2")
        assert other.history.runs == {winner.id: winner, loser.id: loser}
        last = dict.fromkeys([winner.id, loser.id], "")
        bounds = other.audit._reader.watermarks(f"{name}.audit") or {}
        ends = {partition: end for partition, (_, end) in bounds.items()}
        for records in other.audit._reader.read(f"{name}.audit", dict.fromkeys(bounds, 0), ends):
            for record in records:
                run = Run.model_validate_json(record.value or b"")
                last[run.id] = run.by
    assert last == {winner.id: "winner", loser.id: "loser"}


class Late(Audit):
    """Knows at its first reading only what it knew before somebody else wrote."""

    def __init__(self, audit: Audit, before: History) -> None:
        self._readings = [before]
        self._audit = audit

    def read(self) -> History:
        """Read, or not."""
        return self._readings.pop() if self._readings else self._audit.read()


def test_many_at_once(broker: Broker, topic: TopicFactory) -> None:
    """However many processes start together, no id is given twice."""
    if broker.kind == "embedded":
        pytest.skip("the mock cluster's audit topic has several partitions")
    name = audited(broker, topic)
    barrier = Barrier(TOGETHER)
    with ExitStack() as stack:
        desks = [stack.enter_context(desk(broker, name)) for _ in range(TOGETHER)]

        def begin(number: int) -> Run:
            here = desks[number]
            barrier.wait(20)
            return claim(here.audit, here.writer, here.run(reason=str(number)), WALL)

        with ThreadPoolExecutor(TOGETHER) as pool:
            runs = list(pool.map(begin, range(TOGETHER)))
        known = desks[0].history.runs

    assert sorted(run.id for run in runs) == [f"2026-11-22-{number + 1}" for number in range(TOGETHER)]
    assert {run.id: run.reason for run in runs} == {run.id: run.reason for run in known.values()}
