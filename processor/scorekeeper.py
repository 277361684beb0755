"""What happened, for people: one pipeline's counters, and the log lines of facts that repeat."""

import traceback
from collections.abc import Iterable

from processor.clock import Clock
from processor.holds import MASS_FAILURE_FIX, Change, State
from processor.logs import Logger
from processor.mass_failure import MassFailure
from processor.metrics import (
    COOLING,
    DEAD_LETTERS,
    DELIVERIES,
    END_TO_END,
    FILTERED,
    QUEUE,
    REQUEST,
    REQUESTS,
    Cell,
    Declaration,
    Distribution,
    Metrics,
)
from processor.records import Channel, Delivery, Failure, Filtered, FilterReason, Record, Request, delivery_id

NEXT = {
    "invalid": "sent again alone in a second; what is refused twice goes to the dead-letter topic",
    "forbidden": "sent again; what is refused twice while others are accepted goes to the dead-letter topic",
    "misconfigured": "sent again; what is refused twice while others are accepted goes to the dead-letter topic",
    "transient": "sent again after its delay",
    "credential": "all methods of the destination wait; the key's file is read again before each probe",
}
"""What follows from a reply, by its class."""
ONCE = "what may have been done goes to the dead-letter topic, for it may have reached a shopper; else it is sent again"
"""What follows from a transient reply to what is sent once."""
LONGER = 1.5
"""So many times as long as the hold that was told is news: jitter is not."""
REPEAT_AFTER = 60.0
"""Seconds for which a fact that repeats is only counted, not logged again."""


class Sometimes:
    """Lets a fact through once a minute, with how often it was held back."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seen: dict[tuple[str, ...], tuple[float, int]] = {}

    def ask(self, *fact: str) -> int | None:
        """How many were held back since the last one; None = hold this one back too."""
        last, held_back = self._seen.get(fact, (float("-inf"), 0))
        now = self._clock.now()
        if now - last < REPEAT_AFTER:
            self._seen[fact] = (last, held_back + 1)
            return None
        self._seen[fact] = (now, 0)
        return held_back


class Cells:
    """Cells of one metric of one pipeline, by the labels behind `pipeline`; no label is looked up twice."""

    def __init__(self, metrics: Metrics, declaration: Declaration, pipeline: str) -> None:
        self._metrics = metrics
        self._declaration = declaration
        self._pipeline = pipeline
        self._cells: dict[tuple[str, ...], Cell] = {}

    def __getitem__(self, labels: tuple[str, ...]) -> Cell:
        cell = self._cells.get(labels)
        if cell is None:
            cell = self._cells[labels] = self._metrics.cell(self._declaration, self._pipeline, *labels)
        return cell


class HoldLog:
    """Log lines of holds and pauses.

    A hold is told when it begins and when it has become longer than the one that was told; its end is told where its
    beginning was, so that the last line about a method is never out of date. What flaps is told once a minute.
    """

    def __init__(self, sometimes: Sometimes, log: Logger) -> None:
        self._sometimes = sometimes
        self._log = log
        self._told: dict[str, float] = {}

    def tell(self, change: Change) -> None:
        """Write the line of a change, or none."""
        method, seconds = change.method, round(change.seconds, 1)
        facts = {"method": method or "all", "reason": change.reason.value if change.reason else None}
        match change.state:
            case State.PROBING:
                self._log.debug("probing", **facts, reply=change.words, next="one request at a time until one passes")
            case State.HOLDING if self._worth(method, change.seconds):
                words = "nothing is sent and nobody is blamed until the next probe; offsets stay"
                self._log.warning("holding", **facts, reply=change.words, probe_in_s=seconds, next=words)
            case State.ACCEPTING if self._told.pop(method, None) is not None:
                self._log.info("accepting", **facts, reply=change.words, after_s=seconds, next="at full rate again")
            case State.PAUSED if (also := self._sometimes.ask("paused", method)) is not None:
                words = "nothing goes out before that; the rate is halved at most once in ten seconds"
                self._log.warning(
                    "throttled", method=method, reply=change.words, pause_s=seconds, also=also, next=words
                )

    def _worth(self, method: str, seconds: float) -> bool:
        """Whether a hold is news: the first of a trouble, or one much longer than the one that was told."""
        told = self._told.get(method)
        if told is None and self._sometimes.ask("holding", method) is None:
            return False
        if told is not None and seconds < told * LONGER:
            return False
        self._told[method] = seconds
        return True


class Scorekeeper:
    """Counts what a pipeline does. Lives on the event loop."""

    def __init__(self, metrics: Metrics, pipeline: str, clock: Clock, log: Logger) -> None:
        self._metrics = metrics
        self._pipeline = pipeline
        self._clock = clock
        self._log = log
        self._sometimes = Sometimes(clock)
        self._holds = HoldLog(self._sometimes, log)
        self._filtered = Cells(metrics, FILTERED, pipeline)
        self._deliveries = Cells(metrics, DELIVERIES, pipeline)
        self._dead_letters = Cells(metrics, DEAD_LETTERS, pipeline)
        self._requests = Cells(metrics, REQUESTS, pipeline)
        self._end_to_end = metrics.distribution(END_TO_END, pipeline)
        self._queue = metrics.distribution(QUEUE, pipeline)
        self._cooling = metrics.distribution(COOLING, pipeline)
        self._request_seconds: dict[str, Distribution] = {}
        self.last_replies: dict[str, str] = {}
        """Per channel, what its last reply said; for `/status`."""
        self.made = 0
        """Deliveries made: one for each payload, also one that is too old, and for each failure before there is one."""

    def filtered(self, filtered: Filtered, _: Record) -> None:
        """Nothing is to be delivered, by a rule; what is only too old was a delivery already."""
        self._filtered[filtered.route, filtered.reason].add()
        self.made += filtered.reason is FilterReason.TOO_OLD

    def replied(
        self, request: Request, words: str, reply_class: str, accepted: Iterable[Delivery], seconds: float
    ) -> None:
        """A request came back, with these deliveries accepted."""
        label = request.channel.label
        self._requests[label, reply_class].add()
        self._seconds(label).observe(seconds)
        now, wall = self._clock.now(), self._clock.wall()
        for delivery in accepted:
            self._deliveries[delivery.route, "delivered"].add()
            if delivery.event_time is not None:
                # Clocks differ, and leap; a sum that shrinks would look like a restart.
                self._end_to_end.observe(max(wall - delivery.event_time, 0.0))
        self._queued(request, now - seconds)
        self._tell_refusal(request.channel, words, reply_class)

    def changed(self, changes: Iterable[Change]) -> None:
        """Gates open, close or hold, the key is refused, or the vendor asks for a pause: say what happens next."""
        for change in changes:
            self._holds.tell(change)

    def shadowed(self, request: Request, words: str) -> None:
        """All was done for a request but the call."""
        label = request.channel.label
        self._requests[label, "shadowed"].add()
        for delivery in request.deliveries:
            self._deliveries[delivery.route, "shadowed"].add()
        self._queued(request, self._clock.now())
        self.last_replies[label] = words

    def expired(self, deliveries: Iterable[Delivery]) -> None:
        """These became too old while they waited."""
        for delivery in deliveries:
            self._filtered[delivery.route, FilterReason.TOO_OLD].add()

    def cooled(self, seconds: float) -> None:
        """A request's deliveries wait for so long."""
        self._cooling.observe(seconds)

    def failed(self, record: Record, route: str, index: int | None, failure: Failure) -> None:
        """A delivery goes to the dead-letter topic."""
        held_back = self._sometimes.ask(route, failure.stage, failure.error_class)
        if held_back is not None:
            self._log.warning(
                "dead_letter",
                route=route,
                stage=failure.stage.value,
                error_class=failure.error_class.value,
                reason=failure.message,
                delivery=delivery_id(record, route, index),
                also=held_back,
                next="the record is in the dead-letter topic, the next one goes on",
            )

    def mass_failure(self, found: MassFailure) -> None:
        """The pipeline holds until it is started again."""
        self._log.error(
            "mass_failure",
            failed=found.failed,
            of=found.wanted,
            route=found.cause.route,
            stage=found.cause.stage.value,
            reason=found.cause.message,
            times=found.times,
            next=MASS_FAILURE_FIX,
        )

    def unexpected(self, exception: Exception) -> None:
        """The service itself failed on a record; says where, without the exception's words, which may hold values."""
        if self._sometimes.ask("unexpected", type(exception).__name__) is None:
            return
        frame = traceback.extract_tb(exception.__traceback__)[-1]
        self._log.error(
            "defect",
            exception=type(exception).__name__,
            where=f"{frame.filename}:{frame.lineno}",
            next="the record is in the dead-letter topic; please report this",
        )

    def buried(self, route: str, failure: Failure) -> None:
        """The broker has the letter."""
        self._deliveries[route, "dead_lettered"].add()
        self._dead_letters[route, failure.stage, failure.error_class].add()

    def stale(self, deliveries: Iterable[Delivery]) -> None:
        """These were not delivered, because their partition left."""
        for delivery in deliveries:
            self._deliveries[delivery.route, "stale"].add()

    def _queued(self, request: Request, sent: float) -> None:
        for delivery in request.deliveries:
            if delivery.first_attempt == delivery.last_attempt:
                self._queue.observe(sent - delivery.made)

    def _seconds(self, label: str) -> Distribution:
        distribution = self._request_seconds.get(label)
        if distribution is None:
            distribution = self._request_seconds[label] = self._metrics.distribution(REQUEST, self._pipeline, label)
        return distribution

    def _tell_refusal(self, channel: Channel, words: str, reply_class: str) -> None:
        self.last_replies[channel.label] = words
        if reply_class in {"accepted", "throttled"} or (also := self._sometimes.ask(channel.label, words)) is None:
            return
        follows = ONCE if channel.once and reply_class == "transient" else NEXT[reply_class]
        self._log.warning(
            "refused", method=channel.label, reply_class=reply_class, reply=words, also=also, next=follows
        )
