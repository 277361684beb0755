"""A vendor, workers and partitions in simulated time round one scheduler; what must hold is the judge's affair.

Time goes from event to event: a record arrives, an answer comes, the scheduler wanted to be asked again.
"""

import heapq
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from random import Random

from processor.clock import ManualClock
from processor.records import Channel, Delivery, Request
from processor.send.blame import RetryPolicy
from processor.send.judge import Result
from processor.send.pace import Pace
from processor.send.replies import classify
from processor.send.scheduler import Scheduler
from tests.send.case_model import Flight
from tests.send.charges import Charge
from tests.send.referee import Referee
from tests.send.request_rules import EPSILON, check_request, check_result, lane_of, remains
from tests.send.rest import check_rest
from tests.send.sentence import Deadline, check_outages
from tests.send.traffic import Traffic
from tests.send.vendor_model import Vendor
from tests.send.worlds import Episode, Partition, Setup
from tests.support.convictions import ConvictionError

SETTLED = {"accepted", "buried", "expired"}


@dataclass(frozen=True, slots=True)
class Account:
    """What a run came to."""

    deliveries: int
    requests: int
    blamed: Counter[str]
    stuck: int


class World:
    """Runs one setup to its end, and asserts at every step what must hold.

    Args:
        make: the scheduler on trial.
    """

    def __init__(self, setup: Setup, random: Random, make: Callable[..., Scheduler] = Scheduler) -> None:
        self.setup = setup
        self.random = random
        self.clock = ManualClock()
        retry = RetryPolicy(setup.delays, setup.max_attempts, setup.stalemate)
        self.scheduler = make(setup.batch, retry, Pace(setup.rate, 0.0), classify, random)
        self.vendor = Vendor(setup, random)
        batched = setup.batch is not None
        self.channels = [Channel("a", "/a", batched), Channel("b", "/b", batched), Channel("c", "/c", batched=False)]
        self.risky = Channel("o", "/o", batched=False, once=True)
        self.referee = Referee(setup, self.vendor, [*self.channels, self.risky])
        self.traffic = Traffic(setup, self.clock, self.channels, self.risky)
        self.lanes: dict[str, deque[Delivery]] = {}
        self.busy: set[str] = set()
        self.open: set[Delivery] = set()
        self.out: list[tuple[float, int, Flight]] = []
        self.flying = self.carried = 0
        self.fates: Counter[str] = Counter()
        self.made: Counter[str] = Counter()
        self.suspects_met: dict[tuple[Episode, str], int] = {}
        self.requests = 0
        self.saturated_at = 0.0
        self._sequence = count()
        self._deadline = Deadline(self)

    # The run.

    def run(self) -> Account:
        """From the first record to the last fate, and a look at what is left."""
        self.work()
        check_outages(self)
        left = len(self.open)
        if not left:
            self.check_fates()
            self.check_memory()
        return Account(self.setup.records * self.setup.partitions, self.requests, self.referee.tally, left)

    def work(self) -> None:
        """Feed, send, answer and drop until nothing is left, or nothing can move."""
        while True:
            arrives_at = self.feed()
            wake = self.fill_workers()
            self.check_counters()
            if (
                self.setup.drops
                and not (self._deadline.runs or self.vendor.well)
                and self.random.random() < self.setup.drops
            ):
                self.drop(self.random.choice(self.traffic.partitions))
                continue
            now = self.clock.now()
            if (not self.open and arrives_at is None) or self._deadline.over(now):
                return
            times = [time for time in (wake, arrives_at) if time is not None]
            if self.out:
                times.append(self.out[0][0])
            if not times:
                raise ConvictionError(Charge.ASLEEP, f"{len(self.open)} are open, and nothing will ever happen")
            self.clock.advance(max(0.0, min(times) - now))
            self.answer_due()

    def feed(self) -> float | None:
        """What has arrived by now; says when the next records come."""
        fresh = self.traffic.poll()
        for delivery in fresh:
            self.enter(delivery)
        if fresh:
            self.scheduler.add(fresh, self.clock.now())
        return self.traffic.arrives_at()

    def enter(self, delivery: Delivery) -> None:
        """The model takes a delivery."""
        self.open.add(delivery)
        self.made[delivery.channel.path] += 1
        lane = self.lanes.setdefault(lane_of(delivery), deque())
        lane.append(delivery)
        if len(lane) == 1:
            self.referee.waits(delivery, self.clock.now())

    def fill_workers(self) -> float | None:
        """Every free worker takes a request; tells when to ask again."""
        now, wall = self.clock.now(), self.clock.wall()
        while self.flying < self.setup.slots:
            step = self.scheduler.take(now, wall)
            self.expire(self.scheduler.expired())
            if not isinstance(step, Request):
                check_rest(self, now, step)
                return step
            self.send(step)
        self.saturated_at = now
        return None

    def send(self, request: Request) -> None:
        """A request goes out."""
        now = self.clock.now()
        check_request(self, request)
        self.referee.pace.sent(now)
        verdict = self.vendor.answer(request, now)
        if isinstance(verdict.cause, Episode):
            self.meet(verdict.cause, request.channel)
        flight = self.referee.sent(request, now, verdict)
        self.busy.update(lane_of(delivery) for delivery in request.deliveries)
        self.flying += 1
        self.carried += len(flight.found)
        self.requests += 1
        heapq.heappush(self.out, (now + verdict.takes, next(self._sequence), flight))

    def meet(self, episode: Episode, channel: Channel) -> None:
        """A request into an episode: note how many suspects it may meet; an answer from before may yet make some."""
        cases, at = self.referee.cases.values(), (episode, channel.path)
        found = sum(1 for case in cases if case.maybe_suspect and case.delivery.channel is channel)
        self.suspects_met[at] = max(self.suspects_met.get(at, 0), found)

    def answer_due(self) -> None:
        """The vendor's replies that are there by now."""
        now, wall = self.clock.now(), self.clock.wall()
        while self.out and self.out[0][0] <= now + EPSILON:
            flight = heapq.heappop(self.out)[2]
            self.flying -= 1
            self.carried -= len(flight.found)
            result = self.scheduler.answered(flight.request, flight.verdict.reply, now, wall)
            self.enter_result(flight, result, now)

    def enter_result(self, flight: Flight, result: Result, now: float) -> None:
        """Follow an answer in the model, once the judge has agreed to it."""
        found = flight.request.deliveries
        check_result(flight, result)
        lanes = {lane_of(delivery) for delivery in found}
        self.busy -= lanes
        self.referee.answered(flight, result, now)
        self.settle(result.accepted, "accepted")
        self.settle([each.delivery for each in result.buried], "buried")
        self.settle(result.stale, "stale")
        for delivery in found:
            lane = self.lanes.get(lane_of(delivery))
            if lane and lane[0] is delivery:
                self.referee.comes_back(flight, delivery, now)

    def drop(self, partition: Partition) -> None:
        """A partition leaves, and comes back at once."""
        old = self.traffic.leave(partition)
        dropped = self.scheduler.drop(frozenset({old}))
        flying = {delivery for _, _, flight in self.out for delivery in flight.found}
        waiting = {delivery for delivery in self.open - flying if delivery.record.assignment is old}
        if set(dropped) != waiting:
            raise ConvictionError(Charge.FATE, f"dropped {len(dropped)}, and {len(waiting)} were waiting")
        self.settle(dropped, "dropped")

    def expire(self, found: Sequence[Delivery]) -> None:
        """What is too old, and waits, is done with; nothing else is."""
        for delivery in found:
            if delivery.expires is None or delivery.expires >= self.clock.wall():
                raise ConvictionError(Charge.AGE, "given up as too old, and it is not")
        self.settle(found, "expired")

    def settle(self, found: Sequence[Delivery], fate: str) -> None:
        """These are done with, each once, and their lanes go on."""
        self.fates[fate] += len(found)
        for delivery in found:
            if delivery not in self.open:
                raise ConvictionError(Charge.FATE, f"{fate} after another fate, or never added")
            self.open.remove(delivery)
            self.referee.done(delivery)
            name = lane_of(delivery)
            lane = self.lanes[name]
            head = lane[0] is delivery
            lane.remove(delivery)
            if not lane:
                del self.lanes[name]
            elif head and name not in self.busy:
                self.referee.waits(lane[0], self.clock.now())
            if fate in SETTLED:
                self.traffic.settled(delivery)

    def check_counters(self) -> None:
        """The scheduler's figures are the truth."""
        waiting, cooling = self.scheduler.waiting, self.scheduler.cooling
        held = len(self.open) - self.carried
        if waiting + cooling != held or min(waiting, cooling) < 0:
            raise ConvictionError(Charge.COUNTERS, f"{waiting} waiting, {cooling} cooling, and it should be {held}")

    def check_fates(self) -> None:
        """Every record has one."""
        for partition in self.traffic.partitions:
            if len(partition.done) != self.setup.records:
                raise ConvictionError(Charge.FATE, f"{self.setup.records - len(partition.done)} records have none")

    def check_memory(self) -> None:
        """Once each path has accepted one more, nothing is left to compare it with, and nothing is kept."""
        self.vendor.well = True
        for at, channel in enumerate(self.referee.paths):
            delivery = self.traffic.one_more(at, channel)
            self.enter(delivery)
            self.scheduler.add([delivery], self.clock.now())
        self.work()
        if kept := next(remains(self.scheduler), None):
            raise ConvictionError(Charge.MEMORY, f"{kept}")
