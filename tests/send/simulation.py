"""A vendor, workers and partitions in simulated time round one scheduler, and a model that knows what must hold.

The model keeps one list per lane: what was entered and is not done with, in order of entry. Everything else that is
asserted at each request follows from it.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import count
from random import Random

from processor.clock import ManualClock
from processor.records import Assignment, Channel, Delivery, Record, Request
from processor.send.pace import LONGEST_PAUSE, Pace
from processor.send.replies import Answered, Reply, ReplyClass, Verdict, classify, judge
from processor.send.scheduler import JITTER, Result, Scheduler
from tests.send.worlds import DELAYS, REFUSALS, TROUBLE, Partition, Setup

EPSILON = 1e-6


class World:
    """Runs one setup to its end, and asserts at every step what must hold.

    Attributes:
        fates: how often each delivery met each fate: accepted, buried, expired, stale or dropped.
    """

    def __init__(self, setup: Setup, random: Random) -> None:
        self.setup = setup
        self.random = random
        self.clock = ManualClock()
        self.scheduler = Scheduler(setup.batch, DELAYS, Pace(setup.rate, 0.0), random)
        self.channels = [Channel(name, f"/{name}", setup.batch is not None and name != "c") for name in "abc"]
        self.partitions = [Partition(Assignment("shop", at, 1)) for at in range(setup.partitions)]
        self.poison = {
            (at, offset)
            for at in range(setup.partitions)
            for offset in range(setup.records)
            if random.random() < setup.poison
        }
        self.lanes: dict[str, list[Delivery]] = {}
        self.open: set[Delivery] = set()
        self.out: dict[Request, float] = {}
        self.cooling: dict[Delivery, float] = {}
        self.refused_together: set[Delivery] = set()
        self.tried: Counter[Delivery] = Counter()
        self.fates: dict[Delivery, list[str]] = {}
        self.not_before = 0.0
        self.level = 0.0
        self.level_at = 0.0

    # The run.

    def run(self) -> None:
        """Feed, send, answer and drop until nothing is left; time goes from one event to the next."""
        for step in count():
            assert step < 2000 + 400 * self.setup.records * self.setup.partitions, "it goes round in circles"
            self.feed()
            wake = self.fill_workers()
            self.check_counters()
            if self.random.random() < self.setup.drops:
                self.drop(self.random.choice(self.partitions))
                continue
            times = [*self.out.values(), *([] if wake is None else [wake])]
            if not times and all(partition.next == self.setup.records for partition in self.partitions):
                break
            self.clock.advance(max(0.0, min(times, default=self.clock.now() + 1) - self.clock.now()))
            self.answer_due()
        self.check_end()

    @property
    def ill(self) -> bool:
        """The vendor recovers when everything has arrived."""
        return any(partition.next < self.setup.records for partition in self.partitions)

    def feed(self) -> None:
        """Some more records arrive, of one partition, in offset order."""
        partition = self.random.choice(self.partitions)
        last = min(self.setup.records, partition.next + self.random.choice((0, 1, 3, 20)))
        fresh = [self.make(partition.assignment, offset) for offset in range(partition.next, last)]
        fresh = [delivery for delivery in fresh if delivery.record.offset not in partition.done]
        partition.next = last
        for delivery in fresh:
            self.lanes.setdefault(lane_of(delivery), []).append(delivery)
        self.open.update(fresh)
        self.scheduler.add(fresh, self.clock.now())

    def make(self, assignment: Assignment, offset: int) -> Delivery:
        """A delivery that is the same whenever it is read again, except for being another object."""
        dice = (assignment.partition * 7919 + offset) * 104_729 % 1_000_003
        lane = None if dice % 5 == 0 else f"v{dice % self.setup.lanes}"
        body = b'"%s"' % (b"x" * (dice % 40))
        record = Record(assignment, offset, 0, None, b"", None)
        mortal = self.setup.lifetime is not None and dice % 7 < 2
        expires = self.clock.wall() + (self.setup.lifetime or 0.0) if mortal else None
        channel = self.channels[dice % 3]
        return Delivery(record, 1, "r", 0, channel, body, lane, None, self.clock.now(), expires=expires)

    def fill_workers(self) -> float | None:
        """Every free worker takes a request; tells when to ask again."""
        while len(self.out) < self.setup.workers:
            now = self.clock.now()
            step = self.scheduler.take(now, self.clock.wall())
            self.expire(self.scheduler.expired())
            self.cooling = {delivery: due for delivery, due in self.cooling.items() if due > now}
            if not isinstance(step, Request):
                assert step is None or step > now, "a time that is over makes the driver spin"
                assert step is not None or not self.could_go(), "something could go out, and nobody will ask again"
                return step
            self.check_request(step)
            self.out[step] = now + self.random.choice((0.01, 0.05, 2.0)) * self.random.random()
        return None

    def could_go(self) -> bool:
        """Whether something waits that is not behind a request in flight."""
        busy = {lane_of(delivery) for request in self.out for delivery in request.deliveries}
        return any(lane_of(delivery) not in busy for delivery in self.open)

    def answer_due(self) -> None:
        """The vendor's replies that are there by now."""
        now = self.clock.now()
        for request in [request for request, at in self.out.items() if at <= now]:
            del self.out[request]
            reply = self.reply(request)
            result = self.scheduler.answered(request, reply, now, self.clock.wall())
            self.enter(request, reply, result)

    def reply(self, request: Request) -> Reply:
        """What this vendor says to this request today."""
        if self.ill and self.random.random() < self.setup.faults:
            return self.random.choice(TROUBLE)
        if any(delivery_key(delivery) in self.poison for delivery in request.deliveries):
            return Answered(self.random.choice(REFUSALS), "poison")
        return Answered(self.random.choice((200, 202)), "")

    def drop(self, partition: Partition) -> None:
        """A partition leaves and comes back at once, and is read again from what is not settled."""
        old = partition.assignment
        old.live = False
        dropped = self.scheduler.drop(frozenset({old}), self.clock.now())
        flying = {delivery for request in self.out for delivery in request.deliveries}
        waiting = {delivery for delivery in self.open - flying if delivery.record.assignment is old}
        assert set(dropped) == waiting, "what waited of the partition is dropped, and nothing else"
        self.settle(dropped, "dropped")
        partition.assignment = Assignment(old.topic, old.partition, old.epoch + 1)
        partition.next = next((o for o in range(partition.next) if o not in partition.done), partition.next)

    # What must hold.

    def check_request(self, request: Request) -> None:
        """Everything that can be said of a request when it goes out."""
        found = list(request.deliveries)
        assert found
        assert all(of.expires is None or of.expires >= self.clock.wall() for of in found), "sent when too old"
        assert {delivery.channel for delivery in found} == {request.channel}
        self.check_body(request)
        self.check_order(found)
        self.check_pace(self.clock.now())
        for delivery in found:
            assert delivery not in self.cooling, "sent again before its delay was over"
            assert len(found) == 1 or delivery not in self.refused_together, "it was set apart"
            assert delivery.record.assignment.live, "its partition has left"

    def check_body(self, request: Request) -> None:
        """The bytes are the payloads', and within the limits of a batch."""
        bodies = [delivery.body for delivery in request.deliveries]
        if not request.channel.batched:
            assert [request.body] == bodies
            return
        limits = self.setup.batch
        assert limits is not None
        assert request.body == b"[" + b",".join(bodies) + b"]"
        assert len(bodies) <= limits.max_events
        assert len(bodies) == 1 or len(request.body) <= limits.max_bytes

    def check_order(self, found: list[Delivery]) -> None:
        """Per lane one request in flight, and it carries the lane's oldest deliveries, in order (invariant 4)."""
        busy = {lane_of(delivery) for other in self.out for delivery in other.deliveries}
        for lane in {lane_of(delivery) for delivery in found}:
            assert lane not in busy, f"two requests in flight of lane {lane}"
            mine = [delivery for delivery in found if lane_of(delivery) == lane]
            assert mine == self.lanes[lane][: len(mine)], f"lane {lane} is out of order"

    def check_pace(self, now: float) -> None:
        """Nothing before the vendor's time, and in no window more than a burst and what the rate brings."""
        assert now >= self.not_before - EPSILON, "sent before the time that the vendor named"
        if self.setup.rate is not None:
            # A meter that loses `rate` a second and gains 1 a request never exceeds the burst: the same as counting
            # every window, and written differently from the bucket that is tested.
            self.level = max(0.0, self.level - (now - self.level_at) * self.setup.rate) + 1
            self.level_at = now
            assert self.level <= max(1.0, self.setup.rate) + EPSILON, "faster than the rate"

    def expire(self, found: Sequence[Delivery]) -> None:
        """What is too old, and waits, is done with; nothing else is."""
        flying = {delivery for request in self.out for delivery in request.deliveries}
        for delivery in found:
            assert delivery.expires is not None
            assert delivery.expires < self.clock.wall()
            assert delivery not in flying
            self.settle([delivery], "expired")

    def enter(self, request: Request, reply: Reply, result: Result) -> None:
        """Follow a reply in the model, and hold the scheduler's answer against it."""
        found = list(request.deliveries)
        live = [delivery for delivery in found if delivery.record.assignment.live]
        verdict = judge(reply, len(found))
        accepted = found if verdict is Verdict.ACCEPTED else []
        buried = found if verdict is Verdict.BURY else []
        stale = [] if accepted or buried else [d for d in found if d not in live]
        assert (list(result.accepted), list(result.buried), list(result.stale)) == (accepted, buried, stale)
        self.settle(accepted, "accepted")
        self.settle(buried, "buried")
        self.settle(stale, "stale")
        self.count_attempts(found, counts=verdict is not Verdict.SINGLE and not throttles(reply))
        if verdict is Verdict.SINGLE:
            self.refused_together.update(live)
        if verdict is Verdict.WAIT:
            self.cool(live, reply, result, found)

    def count_attempts(self, found: list[Delivery], *, counts: bool) -> None:
        """Throttled replies are none, and neither are refusals of a whole batch."""
        for delivery in found:
            self.tried[delivery] += counts
            assert delivery.attempts == self.tried[delivery]
            assert delivery.last_attempt == self.clock.wall()

    def cool(self, live: list[Delivery], reply: Reply, result: Result, found: list[Delivery]) -> None:
        """What comes back is due after the delay of its attempts, or after the vendor's pause; lanes wait as one."""
        now = self.clock.now()
        if throttles(reply):
            if isinstance(reply, Answered) and reply.retry_after:
                self.not_before = max(self.not_before, now + reply.retry_after)
            assert not live or now + result.delay >= self.not_before - EPSILON
            assert not live or 0 < result.delay <= LONGEST_PAUSE
            self.not_before = max(self.not_before, now + result.delay)
        elif live:
            delay = DELAYS[min(max(of.attempts for of in found), len(DELAYS)) - 1]
            assert delay <= result.delay <= delay * (1 + JITTER)
        assert live or result.delay == 0
        heads = {lane_of(delivery): delivery for delivery in reversed(live)}
        self.cooling |= dict.fromkeys(heads.values(), now + result.delay)

    def settle(self, found: Sequence[Delivery], fate: str) -> None:
        """These are done with."""
        for delivery in found:
            self.fates.setdefault(delivery, []).append(fate)
            self.lanes[lane_of(delivery)].remove(delivery)
            self.open.remove(delivery)
            self.cooling.pop(delivery, None)
            if fate in {"accepted", "buried", "expired"}:
                partition = self.partitions[delivery.record.assignment.partition]
                partition.done.add(delivery.record.offset)

    def check_counters(self) -> None:
        """The scheduler's figures are the truth."""
        flying = sum(len(request.deliveries) for request in self.out)
        assert self.scheduler.cooling == len(self.cooling)
        assert self.scheduler.waiting == len(self.open) - flying - len(self.cooling)

    def check_end(self) -> None:
        """Everything ended exactly once and as it had to, and nothing is kept."""
        assert not self.open
        assert all(len(fates) == 1 for fates in self.fates.values())
        assert [len(partition.done) for partition in self.partitions] == [self.setup.records] * self.setup.partitions
        for delivery, (fate,) in self.fates.items():
            assert fate != "accepted" or delivery_key(delivery) not in self.poison
            assert fate != "buried" or delivery_key(delivery) in self.poison, "a good delivery was blamed"
        assert len(self.scheduler._lanes) == 0
        assert list(remains(self.scheduler)) == []


def lane_of(delivery: Delivery) -> str:
    """The lane, or a name of its own where there is none."""
    return f"#{id(delivery)}" if delivery.lane is None else delivery.lane


def throttles(reply: Reply) -> bool:
    """Whether the vendor said: too fast."""
    return classify(reply) is ReplyClass.THROTTLED


def delivery_key(delivery: Delivery) -> tuple[int, int]:
    """What a delivery has in common with itself when it is read again."""
    return delivery.record.assignment.partition, delivery.record.offset


def remains(scheduler: Scheduler) -> Iterator[object]:
    """Whatever a scheduler still holds."""
    for queue in scheduler._queues.values():
        yield from queue.ready
        yield from queue.alone
        if queue.size:
            yield queue.size
    for _, _, found in scheduler._cooling:
        yield from found
