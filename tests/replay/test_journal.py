"""What a run tells the audit topic, and when it lets offsets go."""

import asyncio
from collections.abc import Callable, Mapping

import pytest

from processor.records import Assignment, Key, Span
from processor.replay import journal as module
from processor.replay.journal import Journal
from processor.replay.outcomes import Outcome
from processor.replay.spans import Spans
from tests.support.records import record
from tests.support.waiting import eventually

AT = Assignment("dlq", 3, 1)
OTHER = Assignment("dlq", 4, 2)
WANTED = {AT.key: Spans((0, 100)), OTHER.key: Spans((0, 100))}


class Bench:
    """A journal, an audit topic that acknowledges when it is told to, and what was let go."""

    def __init__(self, wanted: Mapping[Key, Spans] = WANTED) -> None:
        self.told: list[tuple[Key, dict[str, Spans]]] = []
        self.gone: list[tuple[int, int, int]] = []
        self.journal = Journal(self._mark, wanted)
        self._posted = self.journal.to(self._post)
        self._acknowledge: list[Callable[[], None]] = []
        self._draining: list[asyncio.Task[None]] = []

    def _mark(self, key: Key, outcomes: Mapping[str, Spans], acknowledged: Callable[[], None]) -> None:
        self.told.append((key, dict(outcomes)))
        self._acknowledge.append(acknowledged)

    def _post(self, spans: list[Span]) -> None:
        self.gone += [(span.assignment.partition, span.start, span.end) for span in spans]

    def note(self, offset: int, outcome: Outcome = Outcome.DELIVERED, at: Assignment = AT) -> None:
        """A delivery of this letter met that."""
        self.journal.note(record(offset, at=at), outcome)

    def settle(self, start: int, end: int, at: Assignment = AT) -> None:
        """The pipeline says so."""
        self._posted([Span(at, start, end, end - start, 1)])

    async def flush(self) -> None:
        """Tell all now, and wait for nothing."""
        self._draining.append(asyncio.create_task(self.journal.drained()))
        await turns()

    @property
    def drained(self) -> bool:
        """Whether all is let go that was settled before the last flush."""
        return self._draining[-1].done()

    async def acknowledge(self, number: int = 0) -> None:
        """The broker has one of the marks that it has not acknowledged, by its number; on a thread of its own."""
        await asyncio.to_thread(self._acknowledge.pop(number))
        await turns()


async def turns() -> None:
    """The event loop gets some."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_span_is_let_go_after_its_marks() -> None:
    """Not before the audit topic has acknowledged what became of its records."""
    bench = Bench()
    bench.note(5)
    bench.settle(5, 6)

    await bench.flush()

    assert bench.told == [(AT.key, {"delivered": Spans((5, 6))})]
    assert (bench.gone, bench.drained) == ([], False)
    await bench.acknowledge()
    assert (bench.gone, bench.drained) == ([(3, 5, 6)], True)


async def test_spans_of_several_partitions_wait_for_all_of_their_marks() -> None:
    """What was settled together is let go together."""
    bench = Bench()
    bench.note(5)
    bench.note(6, at=OTHER)
    bench.settle(5, 6)
    bench.settle(6, 7, OTHER)
    await bench.flush()

    await bench.acknowledge(1)
    assert bench.gone == []
    await bench.acknowledge()
    assert bench.gone == [(3, 5, 6), (4, 6, 7)]


async def test_spans_are_let_go_in_order() -> None:
    """However the marks are acknowledged; also what has none does not overtake."""
    bench = Bench()
    for offset in (1, 2):
        bench.note(offset)
        bench.settle(offset, offset + 1)
        await bench.flush()
    bench.settle(3, 4)
    await bench.flush()

    await bench.acknowledge(1)
    assert (len(bench.told), bench.gone, bench.drained) == (2, [], False)
    await bench.acknowledge()
    assert (bench.gone, bench.drained) == ([(3, 1, 2), (3, 2, 3), (3, 3, 4)], True)


async def test_what_the_run_is_not_about_is_let_go_untold() -> None:
    """Neither another offset nor another partition is noted; nothing keeps their spans."""
    bench = Bench({AT.key: Spans((5, 6))})
    bench.note(4)
    bench.note(5, at=OTHER)
    bench.settle(0, 5)
    bench.settle(0, 9, OTHER)

    await bench.journal.drained()

    assert (bench.told, bench.gone) == ([], [(3, 0, 5), (4, 0, 9)])


@pytest.mark.parametrize("met", [(0, 1, 2, 3), (3, 2, 1, 0), (1, 0, 3, 2)])
async def test_the_worst_outcome_counts(met: tuple[int, ...]) -> None:
    """Of all deliveries of one record, in whatever order they ended."""
    bench = Bench()
    order = [Outcome.FAILED, Outcome.DELIVERED, Outcome.TOO_OLD, Outcome.FILTERED]
    for number in met:
        for offset in range(number + 1):
            bench.note(offset, order[number])
    bench.settle(0, 4)
    await bench.flush()

    # Offset 3 met the last one only, 2 the last two, and so on.
    assert bench.told == [
        (
            AT.key,
            {
                "failed": Spans((0, 1)),
                "delivered": Spans((1, 2)),
                "too_old": Spans((2, 3)),
                "filtered": Spans((3, 4)),
            },
        )
    ]


@pytest.mark.parametrize("end", [8, 100])
async def test_only_what_is_settled_is_told(end: int) -> None:
    """Of a wide span with few records as of a narrow one with many; the rest is told with its own span, once."""
    bench = Bench()
    for offset in (1, 2, 4, end):
        bench.note(offset)
    bench.settle(0, end)
    await bench.flush()
    bench.settle(end, end + 1)
    await bench.flush()
    bench.settle(0, end + 1)
    await bench.flush()

    told = [Spans((1, 3), (4, 5)), Spans((end, end + 1))]
    wanted = told if end < 100 else told[:1]
    assert [outcomes["delivered"] for _, outcomes in bench.told] == wanted


async def test_marks_are_gathered(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is settled within the interval is one message for each partition, without anybody asking for it."""
    monkeypatch.setattr(module, "INTERVAL", 0.0)
    bench = Bench()
    for offset in range(50):
        bench.note(offset)
        bench.settle(offset, offset + 1)

    assert bench.told == []
    await eventually(lambda: bench.told)

    assert bench.told == [(AT.key, {"delivered": Spans((0, 50))})]
    await bench.acknowledge()
    assert len(bench.gone) == 50


async def test_drained_without_anything() -> None:
    """Then there is nothing to wait for."""
    bench = Bench()

    async with asyncio.timeout(5):
        await bench.journal.drained()

    assert (bench.told, bench.gone) == ([], [])


async def test_what_will_never_come_is_told() -> None:
    """At once, and no span waits for it."""
    bench = Bench()
    bench.journal.gone(AT.key, Spans((0, 7)))
    bench.settle(7, 8)

    await bench.journal.drained()

    assert bench.told == [(AT.key, {"gone": Spans((0, 7))})]
    assert bench.gone == [(3, 7, 8)]


async def test_a_partition_that_leaves() -> None:
    """What was not settled of it is told by its next owner; other partitions stay."""
    bench = Bench()
    bench.note(1)
    bench.note(1, at=OTHER)
    bench.journal.forget(AT.key)
    bench.journal.forget(("dlq", 77))
    bench.settle(1, 2)
    bench.settle(1, 2, OTHER)
    await bench.flush()

    assert bench.told == [(OTHER.key, {"delivered": Spans((1, 2))})]


def test_an_acknowledgement_after_the_end() -> None:
    """The loop is closed, and nobody needs it any more."""
    bench = Bench()

    async def end_early() -> None:
        bench.journal.gone(AT.key, Spans((0, 7)))

    asyncio.run(end_early())

    bench._acknowledge.pop()()
    assert bench.gone == []


# What is done already.


async def test_what_was_told_is_told_once() -> None:
    """From the moment its mark is on its way; a letter that is read again meanwhile was delivered."""
    bench = Bench()
    bench.note(5)
    assert not bench.journal.told(record(5, at=AT))
    bench.settle(5, 6)

    await bench.flush()

    assert [bench.journal.told(record(offset, at=AT)) for offset in (4, 5, 6)] == [False, True, False]
    assert not bench.journal.told(record(5, at=OTHER))


async def test_what_another_worker_has_told() -> None:
    """What the audit topic knows is done, also in partitions of which nothing is left."""
    bench = Bench()

    bench.journal.left({AT.key: Spans((10, 100))})

    assert [bench.journal.told(record(offset, at=AT)) for offset in (9, 10)] == [True, False]
    assert bench.journal.told(record(10, at=OTHER))
