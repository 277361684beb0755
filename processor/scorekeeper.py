"""What happened, for people: one pipeline's counters, and the log lines of facts that repeat."""

import traceback
from collections.abc import Iterable

from processor.clock import Clock
from processor.logs import Logger
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
from processor.records import Delivery, Failure, Filtered, FilterReason, Request

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


class Scorekeeper:
    """Counts what a pipeline does. Lives on the event loop."""

    def __init__(self, metrics: Metrics, pipeline: str, clock: Clock, log: Logger) -> None:
        self._metrics = metrics
        self._pipeline = pipeline
        self._clock = clock
        self._log = log
        self._sometimes = Sometimes(clock)
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
        self.refusals: dict[str, str] = {}
        """Those of them that were not accepted."""

    def filtered(self, filtered: Filtered) -> None:
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
                self._end_to_end.observe(wall - delivery.event_time)
        self._queued(request, now - seconds)
        self._tell_change(label, words, reply_class)

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

    def failed(self, route: str, failure: Failure, delivery_id: str) -> None:
        """A delivery goes to the dead-letter topic."""
        held_back = self._sometimes.ask(route, failure.stage, failure.error_class)
        if held_back is not None:
            self._log.warning(
                "dead_letter",
                route=route,
                stage=failure.stage.value,
                error_class=failure.error_class.value,
                reason=failure.message,
                delivery=delivery_id,
                also=held_back,
                next="the record is in the dead-letter topic, the next one goes on",
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
            if delivery.attempts == 1:
                self._queue.observe(sent - delivery.made)

    def _seconds(self, label: str) -> Distribution:
        distribution = self._request_seconds.get(label)
        if distribution is None:
            distribution = self._request_seconds[label] = self._metrics.distribution(REQUEST, self._pipeline, label)
        return distribution

    def _tell_change(self, label: str, words: str, reply_class: str) -> None:
        before = self.last_replies.get(label)
        if before == words:
            return
        self.last_replies[label] = words
        if reply_class == "accepted":
            if self.refusals.pop(label, None):
                self._log.info("accepted_again", method=label, before=before)
            return
        self.refusals[label] = words
        if self._sometimes.ask(label, words) is not None:
            self._log.warning(
                "refused",
                method=label,
                reply_class=reply_class,
                reply=words,
                next="400, 409, 410, 413 and 422 go to the dead-letter topic, as does what is sent only once and may "
                "have been done; all else is sent again after its delay",
            )
