"""Runs cases through the routes and mappings that the service has; nothing is sent."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import zip_longest
from typing import Any

from processor.cases.model import Case, CaseRequest
from processor.clock import SystemClock
from processor.expressions.jmespath_functions import to_text
from processor.expressions.values import equals
from processor.plan import Plan, Ready
from processor.records import Assignment, Event, Failure, Filtered, FilterReason, Payload, Record
from processor.route.router import NotRouted, Route, Router
from processor.settings.wording import did_you_mean


@dataclass(frozen=True, slots=True)
class Request:
    """What would be sent."""

    path: str
    body: Any


Outcome = Request | Filtered | Failure
Decoded = Event | Filtered | Failure


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a case showed.

    Attributes:
        wrong: what was not as expected, in words; empty where it passed.
    """

    case: Case
    wrong: str


class PinnedClock:
    """The machine's clock, but for cases that say what time it is."""

    def __init__(self) -> None:
        self._machine = SystemClock()
        self.pinned: float | None = None

    def now(self) -> float:
        """Seconds on the monotonic clock."""
        return self._machine.now()

    def wall(self) -> float:
        """Seconds since 1970; the case's own where it has one."""
        return self._machine.wall() if self.pinned is None else self.pinned


class Rehearsal:
    """Runs cases.

    Args:
        ready: the configuration, compiled with `clock`, and with single calls: each delivery is then one request.
        decode: what becomes of a case's message.
    """

    def __init__(self, ready: Ready, clock: PinnedClock, decode: Callable[[Record, Plan], Decoded]) -> None:
        self._ready = ready
        self._clock = clock
        self._decode = decode

    def judge(self, case: Case) -> Verdict:
        """Run one case."""
        if case.route is not None and case.route not in self._ready.settings.routes:
            hint = did_you_mean(case.route, self._ready.settings.routes)
            return Verdict(case, f"there is no route `{case.route}`; {hint}")
        self._clock.pinned = None if case.now is None else case.now.timestamp()
        return Verdict(case, "\n".join(_compare(case, list(self._outcomes(case)) or [Filtered(FilterReason.NO_ROUTE)])))

    def _outcomes(self, case: Case) -> Iterator[Outcome]:
        """What every route makes of the case's event, in the file's order; nothing where none matches."""
        for plan in self._ready.plans:
            routes = [route for route in plan.routes if case.route in {None, route.name}]
            if routes:
                yield from self._of_plan(case, plan, routes)

    def _of_plan(self, case: Case, plan: Plan, routes: Sequence[Route]) -> Iterator[Outcome]:
        named = (topic for topic in routes[0].topics if not topic.startswith("^"))
        topic = case.topic or next(named, "topic")
        if case.topic is None:  # a case that does not care where its event came from
            routes = [replace(route, topics=(topic,)) for route in routes]
        record = self._record(case, topic)
        event = Event(record, case.event.record, case.event.value, None) if case.event else self._decode(record, plan)
        if not isinstance(event, Event):
            yield event
            return
        for routed in Router(routes).route(event):
            if isinstance(routed, NotRouted):
                yield routed.fate
                continue
            fate = plan.mappers[routed.route].map(routed.scope, event)
            if isinstance(fate, Payload):
                path = plan.vendor.address(plan.settings).url(fate.channel.path).path
                yield Request(path, json.loads(fate.body, parse_float=Decimal))
            else:
                yield fate

    def _record(self, case: Case, topic: str) -> Record:
        key = None if case.key is None else case.key.encode()
        stamp = int(self._clock.wall() * 1000)
        return Record(Assignment(topic, 0, 0), 0, stamp, key, case.message, [*case.headers.items()])


def _compare(case: Case, outcomes: Sequence[Outcome]) -> Iterator[str]:
    """What is not as the case has it, a line each."""
    if case.expect is not None:
        yield from _compare_requests(case.expect, outcomes)
    elif case.filtered is not None:
        if any(not isinstance(each, Filtered) or each.reason is not case.filtered for each in outcomes):
            yield f"expected to be filtered ({case.filtered}), and got: {'; '.join(map(_words, outcomes))}"
    elif not any(isinstance(each, Failure) and str(case.error) in each.message for each in outcomes):
        yield f"expected an error with `{case.error}`, and got: {'; '.join(map(_words, outcomes))}"


def _compare_requests(expected: Sequence[CaseRequest], outcomes: Sequence[Outcome]) -> Iterator[str]:
    requests = [each for each in outcomes if isinstance(each, Request)]
    for failure in outcomes:
        if isinstance(failure, Failure):
            yield f"mapping error: {failure.message}"
    if len(requests) != len(expected):
        filtered = "".join(f"; {_words(each)}" for each in outcomes if isinstance(each, Filtered))
        yield f"expected requests: {len(expected)}, made: {len(requests)}{filtered}"
    for at, (wanted, request) in enumerate(zip_longest(expected, requests)):
        if wanted is None or request is None:
            side = f"made: {_words(request)}" if request else f"expected: {to_text(wanted and wanted.body)}"
            yield f"  only {side}"
        elif wanted.path not in {None, request.path}:
            yield f"  request {at + 1}: expected POST {wanted.path}, and got POST {request.path}"
        elif not equals(wanted.body, request.body):
            yield f"  request {at + 1}: expected {to_text(wanted.body)}\n              and got  {to_text(request.body)}"


def _words(outcome: Outcome) -> str:
    match outcome:
        case Request():
            return f"POST {outcome.path} {to_text(outcome.body)}"
        case Filtered(reason):
            return f"filtered ({reason.value})"
        case Failure():
            return outcome.message
