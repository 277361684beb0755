import asyncio

from processor.send.outlet import BatchLimits
from processor.send.replies import Answered
from tests.send.parts import ACCEPTED, BROKEN, assignment, deliveries
from tests.send.sender_bench import VIEW, VIEWS, running, settle_down, waiting
from tests.support.waiting import eventually


async def test_dropping_takes_out_what_waits() -> None:
    """What is in flight ends by itself; the rest of the partition never goes out, and others go on."""
    async with running(workers=1) as bench:
        leaving, staying = assignment(0), assignment(1)
        bench.sender.send(deliveries(VIEW, "a", "a", "b", of=leaving))
        bench.sender.send(deliveries(VIEW, "a", of=staying, first=10))
        await eventually(waiting(bench, 1))
        leaving.live = False

        dropped = bench.sender.drop([leaving])
        bench.vendor.answer(ACCEPTED)
        await eventually(lambda: bench.accepted == [0])
        await eventually(waiting(bench, 1))
        bench.vendor.answer(ACCEPTED)
        await eventually(lambda: bench.accepted == [0, 10])
        await settle_down()

        assert [delivery.record.offset for delivery in dropped] == [1, 2]
        assert bench.vendor.asked == {}


async def test_dropping_wakes_the_sender() -> None:
    """When the lane's head leaves, who stood behind it goes out at once, not at the head's next try."""
    async with running(delay=3600.0) as bench:
        leaving, staying = assignment(0), assignment(1)
        bench.sender.send(deliveries(VIEW, "a", of=leaving))
        bench.sender.send(deliveries(VIEW, "a", of=staying, first=10))
        await eventually(waiting(bench, 1))
        bench.vendor.answer(BROKEN)
        await eventually(lambda: bench.settled)
        await settle_down()
        assert bench.vendor.asked == {}
        leaving.live = False

        bench.sender.drop([leaving])
        await eventually(waiting(bench, 1))

        assert [request.deliveries[0].record.offset for request in bench.vendor.asked] == [10]


async def test_ended_waits_for_what_is_in_flight_of_these_only() -> None:
    """A partition leaves when its own requests have ended; others' requests may take their time."""
    async with running() as bench:
        leaving, staying = assignment(0), assignment(1)
        bench.sender.send(deliveries(VIEW, "a", "b", of=leaving))
        await eventually(waiting(bench, 2))
        bench.sender.send(deliveries(VIEW, "c", of=staying))
        await eventually(waiting(bench, 3))

        ended = asyncio.create_task(bench.sender.ended([leaving]))
        await settle_down()
        assert not ended.done()
        bench.vendor.answer(ACCEPTED)
        await eventually(waiting(bench, 2))
        await settle_down()
        assert not ended.done()
        bench.vendor.answer(BROKEN)
        await eventually(ended.done)

        assert len(bench.settled) == 2
        assert len(bench.vendor.asked) == 1


async def test_ended_waits_for_a_batch_that_carries_one_of_these() -> None:
    """A request over several partitions belongs to all of them."""
    async with running(batch=BatchLimits(10, 1000, 0.0), opened=[VIEWS]) as bench:
        leaving, staying = assignment(0), assignment(1)
        bench.sender.send([*deliveries(VIEWS, "a", of=staying), *deliveries(VIEWS, "b", of=leaving)])
        await eventually(waiting(bench, 1))

        ended = asyncio.create_task(bench.sender.ended([leaving]))
        await settle_down()
        assert not ended.done()
        bench.vendor.answer(ACCEPTED)
        await eventually(ended.done)


async def test_nothing_in_flight_has_ended_already() -> None:
    """Without requests there is nothing to wait for, whatever waits for its turn."""
    async with running(rate=0.001, opened=[]) as bench:
        bench.sender.send(deliveries(VIEW, "a", of=assignment(1)))
        await eventually(waiting(bench, 1))

        await asyncio.wait_for(bench.sender.ended([assignment(0)]), 5)


async def test_several_may_wait_for_their_end() -> None:
    """Two partitions that leave one after the other are both told."""
    async with running() as bench:
        one, two = assignment(0), assignment(1)
        bench.sender.send(deliveries(VIEW, "a", of=one))
        bench.sender.send(deliveries(VIEW, "b", of=two))
        await eventually(waiting(bench, 2))
        ended = [asyncio.create_task(bench.sender.ended([which])) for which in (two, one)]
        await settle_down()

        bench.vendor.answer(Answered(200, ""))
        await eventually(ended[1].done)
        assert not ended[0].done()
        bench.vendor.answer(Answered(200, ""))
        await eventually(ended[0].done)


async def test_cancelling_ends_what_is_in_flight() -> None:
    """At the end of the service no request and no worker is left."""
    async with running() as bench:
        bench.sender.send(deliveries(VIEW, "a", "b"))
        await eventually(waiting(bench, 2))

    assert bench.vendor.asked == {}
    assert bench.sender.in_flight == 0
    assert bench.settled == []
