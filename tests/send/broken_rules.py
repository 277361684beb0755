"""Methods of the scheduler with a rule broken each; what each of them does wrong is in its docstring."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from unittest.mock import patch

from processor.records import Delivery, ErrorClass, Failure, Request
from processor.send import blame, scheduler
from processor.send.blame import History, Ruling, Stalemates
from processor.send.dispatch import Dispatch
from processor.send.gate import Gate
from processor.send.judge import Judge, Result
from processor.send.lanes import Lanes
from processor.send.outlet import NEVER, Outlet
from processor.send.pace import Pace
from processor.send.replies import Reply, ReplyClass, failure_of
from processor.send.strikes import Comparison, Refusal
from processor.send.turns import Turns
from processor.send.waiting import Waiting

# Blame.


def strike_of_any_class(history: History, *words: Any) -> Ruling:
    """Strikes of all classes are one sum."""
    ruling = real_strike(history, *words)
    return replace(ruling, bury=ErrorClass.REFUSED) if history.strikes.total() + history.suspect > 1 else ruling


@dataclass(frozen=True, slots=True)
class Beside(Refusal):
    """A refusal that knows what was in flight when it came."""

    flying: frozenset[Request]


def compare_beside(self: Judge, place: Outlet, refusal: Refusal, now: float) -> None:
    """A refusal is noted with what was in flight."""
    words = refusal.request, refusal.blames, refusal.reply_class, refusal.reply
    real_compare(self, place, Beside(*words, frozenset(place.out)), now)


def accepted_beside(comparison: Comparison, request: Request) -> list[Refusal]:
    """Only what was in flight together is compared."""
    return [each for each in real_accepted(comparison, request) if isinstance(each, Beside) and request in each.flying]


def suspects_count(*words: Any, **more: Any) -> Ruling:
    """A suspect's refusal says something about its path."""
    return replace(real_rule(*words, **more), own=False)


def refused_twice(history: History, refusals: int, reply_class: ReplyClass, *words: Any, **more: Any) -> Ruling:
    """Whoever is forbidden twice is blamed, whatever is said of others."""
    ruling = real_rule(history, refusals, reply_class, *words, **more)
    return replace(ruling, bury=ErrorClass.REFUSED) if reply_class is ReplyClass.FORBIDDEN and refusals > 1 else ruling


def hurried(*words: Any, **more: Any) -> Ruling:
    """A suspect is given one attempt less."""
    history, refusals, reply_class, reply, place, retry = words
    fewer = replace(retry, max_attempts=retry.max_attempts - 1)
    return real_rule(history, refusals, reply_class, reply, place, fewer, **more)


def misnamed(reply: Reply, bury: ErrorClass, *, compared: bool = True) -> Failure:
    """What is forbidden is called exhausted."""
    return failure_of(reply, ErrorClass.EXHAUSTED if bury is ErrorClass.REFUSED else bury, compared=compared)


def always_more(stalemates: Stalemates, now: float) -> bool:
    """As many stalemates as there are."""
    del now
    return stalemates._after is not None


# Gates, holds, pace.


def probe_at_once(self: Dispatch, place: Outlet, now: float) -> float:
    """The first probe does not wait for what is in flight."""
    if place.probe is not None and place.probe in place.out:
        return NEVER
    with patch.object(place, "out", set()):
        return real_probe_due(self, place, now)


def brief_hold(self: Gate, now: float, stretch: float) -> None:
    """A hold lasts half as long."""
    real_hold(self, now, stretch)
    self.until = now + (self.until - now) / 2.5


def endless_hold(self: Gate, now: float, stretch: float) -> None:
    """A hold lasts ten times as long."""
    real_hold(self, now, stretch * 10)


def own_path_only(self: Judge, place: Outlet, request: Request, reply: Reply, now: float) -> Result:
    """A refused key holds only the path that said so."""
    place.close(reply, now)
    place.gate.hold(now, self._stretch())
    return self._returned(place, request, now)


def deaf_pace(self: Pace, now: float, retry_after: float | None) -> None:
    """Retry-After is not read."""
    del retry_after
    real_throttled(self, now, None)


def cheap(self: Pace) -> None:
    """A request costs half a token."""
    self._tokens -= 0.5


def most_refused(head: Delivery, *, suspect: bool) -> tuple[int, bool, float, int]:
    """The head refused most often first."""
    return -head.attempts, suspect, head.made, head.record.offset


def all_together(self: Outlet, request: Request, *, accepted: bool) -> None:
    """What was refused goes again as fast as it can."""
    real_outlet_answered(self, request, accepted=accepted)
    self.most_trials = 1000


# Lanes and batches.


def two_in_flight(self: Dispatch, *words: Any) -> Request | None:
    """The next one of a lane does not wait for the answer."""
    request = real_request(self, *words)
    for delivery in request.deliveries[-1:] if request else ():
        lane = self._waiting.lanes._lanes.get(delivery.lane or "")
        if lane is not None and lane.waiting:
            lane.out += 1
            behind = lane.waiting.popleft()
            self._waiting.outlet(behind.channel).add(behind, -NEVER)
    return request


def last_again(self: Lanes, deliveries: Sequence[Delivery]) -> list[Delivery]:
    """What comes back goes behind those that wait."""
    heads: list[Delivery] = []
    for delivery in deliveries:
        lane = self._lanes.get(delivery.lane or "")
        if lane is None or not lane.waiting or lane.out > 1:
            heads += real_come_back(self, [delivery])
        else:
            lane.waiting.append(delivery)
            heads.append(lane.waiting.popleft())
    return heads


def whole_again(self: Waiting, deliveries: Sequence[Delivery], *, together: int, suspects: bool) -> None:
    """A refused batch may ride as it was."""
    real_set_apart(self, deliveries, together=together, suspects=suspects)
    for delivery in deliveries:
        delivery.ride = together


def one_more(self: Outlet, *words: Any) -> tuple[Turns, int]:
    """A batch of one more than allowed."""
    turns, most = real_next(self, *words)
    return turns, most + 1 if most > 1 and turns is self._ready else most


def spoilt(channel: Any, deliveries: Any, body: bytes, *rest: Any) -> Request:
    """A body with something else in it."""
    return replace(Request(channel, deliveries, body, *rest), body=body + b" ")


def hasty_cooling(self: Waiting, delivery: Delivery, due: float) -> None:
    """A delay is half a second shorter."""
    real_cool(self, delivery, due - 0.5)


def counted_together(request: Request, reply_class: ReplyClass, wall: float) -> None:
    """A refused batch is an attempt of all in it."""
    real_note(request, reply_class, wall)
    if len(request.deliveries) > 1:
        for delivery in request.deliveries:
            delivery.attempts += 1


# What is kept, and when to ask again.


def hoarded(self: Waiting, deliveries: Sequence[Delivery]) -> None:
    """What is done with is not forgotten."""
    real_leave(self, deliveries)
    if deliveries:
        self.histories[deliveries[0]] = History()


def miscounted(self: Waiting, head: Delivery) -> None:
    """A probe is still counted as waiting."""
    real_take_out(self, head)
    self.total += 1


def spinning(self: Dispatch, now: float, wall: float) -> Request | float | None:
    """Asks to be asked again at once."""
    step = real_take(self, now, wall)
    return now if isinstance(step, float) else step


def forgetful(self: Waiting, now: float) -> float:
    """What cools is not waited for."""
    real_warm(self, now)
    return NEVER


def silent(self: Judge, *words: Any) -> Result:
    """Nobody is told of what was accepted."""
    real_judge_accepted(self, *words)
    return Result()


def never(*words: Any, **more: Any) -> Any:
    """No."""
    del words, more
    return False


def nobody(*words: Any) -> None:
    """Nobody, or nothing."""
    del words


real_strike = History.strike
real_accepted = Comparison.accepted
real_compare = Judge._compare
real_rule = blame.rule
real_probe_due = Dispatch._probe_due
real_hold = Gate.hold
real_throttled = Pace.throttled
real_come_back = Lanes.come_back
real_set_apart = Waiting.set_apart
real_next = Outlet.next
real_outlet_answered = Outlet.answered
real_cool = Waiting.cool
real_note = scheduler._note
real_leave = Waiting.leave
real_take_out = Waiting.take_out
real_take = Dispatch.take
real_request = Dispatch._request
real_warm = Waiting.warm
real_judge_accepted = Judge._accepted
