import time

import pytest

from processor.holds import State
from processor.records import Request
from processor.send.outlet import BatchLimits
from processor.send.replies import ReplyClass
from processor.send.scheduler import Scheduler
from tests.send.parts import ACCEPTED, BAD_KEY, BROKEN, assignment, deliveries
from tests.send.sender_bench import VIEW, VIEWS, running, settle_down, waiting
from tests.support.waiting import eventually


async def test_what_is_sent_is_reported() -> None:
    """Each reply is told once: the request, the reply, its class, what became of it and how long it took."""
    async with running() as bench:
        [delivery] = deliveries(VIEW, "a")
        begun = time.monotonic()
        bench.sender.send([delivery])
        await eventually(waiting(bench, 1))
        bench.vendor.answer(ACCEPTED)
        await eventually(lambda: bench.settled)

        [(request, reply, reply_class, result, seconds)] = bench.settled
        assert list(request.deliveries) == list(result.accepted) == [delivery]
        assert (reply, reply_class) == (ACCEPTED, ReplyClass.ACCEPTED)
        assert 0 <= seconds <= time.monotonic() - begun


async def test_at_most_so_many_are_in_flight() -> None:
    """However much waits, no more requests are out than the file allows; each reply makes room for one."""
    async with running(workers=3) as bench:
        bench.sender.send(deliveries(VIEW, *[None] * 40))
        await eventually(waiting(bench, 3))
        await settle_down()
        assert (bench.sender.in_flight, bench.sender.sending) == (3, 3)

        while len(bench.settled) < 40:
            before = len(bench.settled)
            bench.vendor.answer(ACCEPTED)
            await eventually(lambda before=before: len(bench.settled) > before)  # type: ignore[misc]

        assert bench.vendor.most == 3
        assert sorted(bench.accepted) == list(range(40))
        assert (bench.sender.in_flight, bench.sender.sending) == (0, 0)


async def test_deliveries_in_flight_are_counted_too() -> None:
    """One request of a batch is many deliveries."""
    async with running(batch=BatchLimits(3, 1000, 0.0), opened=[VIEWS]) as bench:
        bench.sender.send(deliveries(VIEWS, *"abcd"))
        await eventually(waiting(bench, 2))

        assert (bench.sender.in_flight, bench.sender.sending) == (2, 4)


async def test_a_lane_goes_one_by_one_with_many_workers() -> None:
    """Free workers do not tempt the sender to break a lane's order."""
    async with running(workers=8) as bench:
        bench.sender.send(deliveries(VIEW, *"aaaa"))
        for done in range(4):
            await eventually(waiting(bench, 1))
            await settle_down()
            assert len(bench.vendor.asked) == 1
            bench.vendor.answer(ACCEPTED)
            await eventually(lambda done=done: len(bench.settled) > done)  # type: ignore[misc]

        assert bench.accepted == [0, 1, 2, 3]


async def test_one_delivery_does_not_wake_every_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sixty-four idle workers cost nothing: one of them looks for the next request, the others wait for their turn."""
    looks = 0
    take = Scheduler.take

    def counted(scheduler: Scheduler, now: float, wall: float) -> Request | float | None:
        nonlocal looks
        looks += 1
        return take(scheduler, now, wall)

    monkeypatch.setattr(Scheduler, "take", counted)
    async with running(workers=64) as bench:
        bench.sender.send(deliveries(VIEW, "a"))
        await eventually(waiting(bench, 1))
        await settle_down()

        assert looks <= 3


async def test_new_deliveries_wake_the_sender() -> None:
    """A sender that waits for a far retry sends what arrives meanwhile at once."""
    async with running(delay=3600.0) as bench:
        bench.sender.send(deliveries(VIEW, "a"))
        await eventually(waiting(bench, 1))
        bench.vendor.answer(BROKEN)
        await eventually(lambda: bench.settled)

        bench.sender.send(deliveries(VIEW, "b", first=1))
        await eventually(waiting(bench, 1))
        bench.vendor.answer(ACCEPTED)
        await eventually(lambda: bench.accepted == [1])


async def test_a_retry_goes_out_by_itself() -> None:
    """Nothing needs to happen for a delivery whose delay is over."""
    async with running(delay=0.01) as bench:
        bench.sender.send(deliveries(VIEW, "a"))
        await eventually(waiting(bench, 1))
        bench.vendor.answer(BROKEN)
        await eventually(lambda: len(bench.settled) == 1 and len(bench.vendor.asked) == 1)
        bench.vendor.answer(ACCEPTED)
        await eventually(lambda: bench.accepted == [0])


async def test_a_batch_goes_out_when_its_wait_is_over() -> None:
    """Nobody has to come for a batch that never gets full."""
    async with running(batch=BatchLimits(100, 1000, 0.02), opened=[VIEWS]) as bench:
        bench.sender.send(deliveries(VIEWS, "a", "b"))
        await eventually(waiting(bench, 1))

        assert [len(request.deliveries) for request in bench.vendor.asked] == [2]


async def test_a_reply_wakes_the_lane_s_next() -> None:
    """What stands behind a delivery that is done with goes on at once."""
    async with running() as bench:
        bench.sender.send(deliveries(VIEW, "a", "a"))
        await eventually(waiting(bench, 1))
        bench.vendor.answer(ACCEPTED)
        await eventually(lambda: len(bench.settled) == 1 and len(bench.vendor.asked) == 1)
        bench.vendor.answer(ACCEPTED)
        await eventually(lambda: bench.accepted == [0, 1])


async def test_the_news_of_gates_are_told() -> None:
    """Who reads the log learns that a path holds, and that it accepts again."""
    async with running(delay=0.01, opened=[]) as bench:
        bench.sender.send(deliveries(VIEW, "a"))
        await eventually(waiting(bench, 1))
        bench.vendor.answer(BROKEN)
        await eventually(lambda: len(bench.settled) == 1 and len(bench.vendor.asked) == 1)
        bench.vendor.answer(ACCEPTED)
        await eventually(lambda: len(bench.told) == 2)

        assert {each.method for each in bench.told} == {"view"}
        assert [each.state for each in bench.told] == [State.HOLDING, State.ACCEPTING]


async def test_secrets_are_read_again_before_the_key_s_probe() -> None:
    """After a 401 the next request, and only that one, goes out with a key that was just read."""
    async with running(delay=0.01) as bench:
        bench.sender.send(deliveries(VIEW, "a", "b"))
        await eventually(waiting(bench, 2))
        bench.vendor.answer(BAD_KEY, count=2)
        await eventually(lambda: len(bench.settled) == 2 and len(bench.vendor.asked) == 1)
        bench.vendor.answer(ACCEPTED)
        await eventually(lambda: len(bench.settled) == 3 and len(bench.vendor.asked) == 1)
        bench.vendor.answer(ACCEPTED)
        await eventually(lambda: len(bench.accepted) == 2)

        assert bench.vendor.renewals == [2]


async def test_what_became_too_old_is_told_and_not_sent() -> None:
    """Deliveries that expired while they waited never leave, whether something else goes out with the look or not."""
    async with running() as bench:
        old = deliveries(VIEW, "a", "b", expires=-1e9)
        fresh = deliveries(VIEW, "a", first=2)
        bench.sender.send([*old, *fresh])
        await eventually(waiting(bench, 1))
        bench.vendor.answer(ACCEPTED)
        await eventually(lambda: bench.accepted == [2])
        assert bench.expired == old

        late = deliveries(VIEW, "c", first=3, expires=-1e9)
        bench.sender.send(late)
        await eventually(lambda: bench.expired == [*old, *late])
        assert len(bench.settled) == 1


async def test_the_rate_is_kept() -> None:
    """What is above the rate goes out later, not never."""
    async with running(rate=10.0) as bench:
        begun = time.monotonic()
        bench.sender.send(deliveries(VIEW, *[None] * 4))
        await eventually(waiting(bench, 4))

        assert time.monotonic() - begun >= 0.24


async def test_nothing_goes_out_that_may_not_be_ours() -> None:
    """While the answer is no nothing is sent, neither new nor waiting; after a yes it goes on by itself."""
    ours = False
    asked: list[float] = []

    def may_send(now: float) -> bool:
        asked.append(now)
        return ours

    async with running(may_send=may_send) as bench:
        lost, ours_still = assignment(0), assignment(1)
        bench.sender.send(deliveries(VIEW, "a", "b", of=lost))
        await eventually(lambda: len(asked) > 2)
        bench.sender.drop([lost])
        bench.sender.send(deliveries(VIEW, "c", of=ours_still, first=2))
        await settle_down()
        assert bench.vendor.received == 0

        ours = True
        await eventually(waiting(bench, 1))
        bench.vendor.answer(ACCEPTED)
        await eventually(lambda: bench.accepted)

        assert bench.accepted == [2]
