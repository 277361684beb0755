import asyncio
from typing import Any, cast

import pytest
from confluent_kafka import KafkaError

from processor.demo.judging import Judge
from processor.demo.options import DemoOptions
from processor.demo.schemas import load_schemas
from processor.demo.shop import Encoder
from processor.demo.traffic import KEPT, SLICE, TAIL, Traffic
from processor.errors import FatalError
from tests.support.waiting import eventually

SCHEMAS = {name: number for number, name in enumerate(load_schemas(), 1)}


class FakeKafka:
    """Takes everything into one partition, once it is polled."""

    def __init__(self) -> None:
        self.taken = 0
        self.error: KafkaError | None = None
        self._waiting: list[tuple[Any, int]] = []

    def produce(self, topic: str, value: bytes, key: bytes, on_delivery: Any) -> None:
        assert topic
        assert key
        self._waiting.append((on_delivery, len(value)))

    def poll(self, _: float) -> None:
        waiting, self._waiting = self._waiting, []
        for report, size in waiting:
            if self.error is not None:
                report(self.error, None)
            else:
                report.__self__.enter(0, self.taken, size)
            self.taken += 1

    def __len__(self) -> int:
        return len(self._waiting)


class Shift:
    """A shop at work."""

    def __init__(self, **options: Any) -> None:
        self.kafka, self.stop = FakeKafka(), asyncio.Event()
        self.judge = Judge(("voyado", "rocket"))
        self.traffic = Traffic(cast("Any", self.kafka), Encoder(SCHEMAS), self.judge, DemoOptions(**options))

    def settle(self) -> None:
        """Every group commits all."""
        self.traffic.shelf.committed(0, self.kafka.taken)

    async def run(self) -> None:
        """Until it has an end."""
        await self.traffic.run(self.stop)


@pytest.mark.parametrize("events", [1, SLICE, SLICE + 1, 500, 1_234])
async def test_so_many_clicks_are_made_as_were_asked_for(events: int) -> None:
    """Not one more or less, also where that is no whole number of slices."""
    shift = Shift(events=events)

    await shift.run()

    assert shift.judge.clicks == shift.kafka.taken == events


async def test_the_shop_waits_before_kafka_forgets() -> None:
    """Nothing is produced beyond what a partition keeps until the slowest pipeline has committed; then it goes on."""
    shift = Shift(events=20_000)
    working = asyncio.create_task(shift.run())

    await eventually(lambda: shift.traffic.waits)
    full = shift.kafka.taken
    assert KEPT <= shift.traffic.shelf.fullest < KEPT * 1.1
    shift.settle()
    await eventually(lambda: shift.kafka.taken > full)
    while not working.done():
        shift.settle()
        await asyncio.sleep(0)
    await working

    assert shift.kafka.taken == 20_000
    assert not shift.traffic.waits


async def test_a_stop_ends_it() -> None:
    """A shop without an end clicks until it is told."""
    shift = Shift()
    working = asyncio.create_task(shift.run())
    await eventually(lambda: shift.kafka.taken)

    shift.stop.set()
    await working

    assert shift.judge.clicks == shift.kafka.taken


async def test_seconds_end_it() -> None:
    """The same where the time is over."""
    shift = Shift(seconds=0.1)

    await shift.run()

    assert shift.judge.clicks == shift.kafka.taken


async def test_after_a_restart_some_clicks_come_in_any_case() -> None:
    """Who quits at once after it would leave a gate that has accepted nothing, and poison that waits for ever."""
    shift = Shift()
    shift.stop.set()
    shift.traffic.restarted()

    await shift.run()

    assert shift.kafka.taken == TAIL


async def test_some_clicks_are_kept_for_behind_the_troubles() -> None:
    """Else the last ones could be over before the last trouble is."""
    shift = Shift(events=50, restart=True)
    shift.traffic._rate = None
    working = asyncio.create_task(shift.run())
    await eventually(lambda: shift.kafka.taken == 25)
    await asyncio.sleep(0)
    assert not working.done()

    shift.traffic.undisturbed.set()
    await working

    assert shift.kafka.taken == 50


async def test_without_another_end_it_ends_with_the_troubles() -> None:
    """`--outage 10` alone shows the outage and what comes of it."""
    shift = Shift(outage=1.0)
    working = asyncio.create_task(shift.run())
    await eventually(lambda: shift.kafka.taken)
    assert not working.done()

    shift.traffic.undisturbed.set()
    await working


async def test_poison_goes_to_the_judge_as_such() -> None:
    """What nobody takes is expected as letters."""
    shift = Shift(events=2_000, poison=0.1)

    await shift.run()

    assert 100 < shift.judge.poisoned < 300
    assert shift.judge.letters.asked > shift.judge.poisoned


async def test_a_kafka_that_does_not_take_a_click_ends_it() -> None:
    """The account could not be judged."""
    shift = Shift(events=10)
    shift.kafka.error = KafkaError(KafkaError._MSG_TIMED_OUT)

    with pytest.raises(FatalError, match="did not take a click"):
        await shift.run()
