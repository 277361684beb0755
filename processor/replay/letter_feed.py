"""The dead-letter topic as source of the pipeline that wrote it: only some letters, and of each only what failed."""

from collections.abc import Iterable, Mapping, Sequence

from processor.clock import Clock
from processor.decode.decoder import Decoded, Decoder
from processor.feed import Feed, Post
from processor.logs import Logger
from processor.metrics import Metrics
from processor.plan import Plan
from processor.records import (
    Assignment,
    Delivery,
    ErrorClass,
    Event,
    Failure,
    Filtered,
    FilterReason,
    Key,
    Record,
    Request,
    Stage,
)
from processor.replay.journal import Journal
from processor.replay.letter import DeadLetter, Replayed, dead_letter
from processor.replay.outcomes import Outcome
from processor.replay.spans import Spans
from processor.route.router import NotRouted, Route, Routed, Router
from processor.scorekeeper import Scorekeeper
from processor.transform import Transform

PASSED_OVER = Filtered(FilterReason.NO_ROUTE)
"""Of what the run is not about; it is not counted."""


class RecordFeed(Feed):
    """Some records of topics again, and a journal that is told what becomes of them.

    Args:
        wanted: the offsets that the run is about.
    """

    def __init__(self, wanted: Mapping[Key, Spans], journal: Journal) -> None:
        self._wanted = wanted
        self._journal = journal

    def wants(self, record: Record) -> bool:
        """Whether the run is about a record, and nobody has dealt with it yet."""
        spans = self._wanted.get(record.assignment.key)
        return spans is not None and record.offset in spans and not self._journal.told(record)

    @staticmethod
    def opened(record: Record) -> Record:
        """What is delivered of a record that the run is about: the record itself."""
        return record

    def taken(self, records: list[Record]) -> list[Record]:
        """Those that the run is about, opened; all else as it is, to be passed over."""
        return [self.opened(record) if self.wants(record) else record for record in records]

    def transform(self, plan: Plan, router: Router, decoder: Decoder, score: Scorekeeper) -> Transform:
        """Passes over what the run is not about; it is not even decoded."""
        return Transform(Picking(self, decoder), router, plan.mappers, score.unexpected)

    def scorekeeper(self, metrics: Metrics, pipeline: str, clock: Clock, log: Logger) -> Scorekeeper:
        """Counts as ever, and tells the journal."""
        return ReplayScore(metrics, pipeline, clock, log, self._journal, self)

    def settled(self, post: Post) -> Post:
        """By way of the journal."""
        return self._journal.to(post)

    async def drained(self, assignments: Sequence[Assignment]) -> None:
        """What is settled is told and may be committed; the next owner does the rest."""
        await self._journal.drained()
        for assignment in assignments:
            self._journal.forget(assignment.key)


class LetterFeed(RecordFeed):
    """Letters become the records that they were, and go the way of their route and item only."""

    @staticmethod
    def opened(record: Record) -> Record:
        """The record that a letter was."""
        letter = dead_letter(record)
        return Replayed(letter) if isinstance(letter, DeadLetter) else record

    def transform(self, plan: Plan, router: Router, decoder: Decoder, score: Scorekeeper) -> Transform:
        """Routes each letter to what failed then."""
        del router  # it would send all that the record asks for
        return Transform(Picking(self, decoder), LetterRouter(plan.routes), plan.mappers, score.unexpected)


class Picking:
    """A decoder that looks only at what the run is about."""

    def __init__(self, feed: RecordFeed, decoder: Decoder) -> None:
        self._feed = feed
        self._decoder = decoder

    def decode(self, record: Record) -> Decoded:
        """Decode a record, or pass over it."""
        return self._decoder.decode(record) if self._feed.wants(record) else PASSED_OVER


class LetterRouter:
    """Routes a letter to the delivery that failed: its route, and its item where it had one.

    Where the record failed before any route, all that would have been made of it is made.
    """

    def __init__(self, routes: Sequence[Route]) -> None:
        self._all = Router(routes)
        self._one = {route.name: Router([route]) for route in routes}

    def route(self, event: Event) -> Sequence[Routed | NotRouted]:
        """What today's routes make of it."""
        record = event.record
        if not isinstance(record, Replayed) or not record.letter.route:
            return self._all.route(event)
        route, index = record.letter.route, record.letter.index
        found = self._one[route].route(event) if route in self._one else ()
        if not found:
            return [NotRouted(route, index, Filtered(FilterReason.NO_ROUTE, route))]
        if index is None:
            return found
        failed = [each for each in found if each.index in {None, index}]
        words = "for_each gives fewer items now, and this one no more"
        return failed or [NotRouted(route, index, Failure(Stage.ROUTE, ErrorClass.UNMAPPED, words))]


class ReplayScore(Scorekeeper):
    """Tells the journal what becomes of records."""

    def __init__(
        self, metrics: Metrics, pipeline: str, clock: Clock, log: Logger, journal: Journal, feed: RecordFeed
    ) -> None:
        super().__init__(metrics, pipeline, clock, log)
        self._journal = journal
        self._feed = feed

    def filtered(self, filtered: Filtered, record: Record) -> None:
        """Nothing of what is passed over is counted."""
        if self._feed.wants(record):
            old = filtered.reason is FilterReason.TOO_OLD
            self._journal.note(record, Outcome.TOO_OLD if old else Outcome.FILTERED)
            super().filtered(filtered, record)

    def replied(
        self, request: Request, words: str, reply_class: str, accepted: Iterable[Delivery], seconds: float
    ) -> None:
        """What was accepted is delivered."""
        delivered = list(accepted)
        for delivery in delivered:
            self._journal.note(delivery.record, Outcome.DELIVERED)
        super().replied(request, words, reply_class, delivered, seconds)

    def expired(self, deliveries: Iterable[Delivery]) -> None:
        """These became too old while they waited."""
        late = list(deliveries)
        for delivery in late:
            self._journal.note(delivery.record, Outcome.TOO_OLD)
        super().expired(late)

    def failed(self, record: Record, route: str, index: int | None, failure: Failure) -> None:
        """A new letter says why."""
        self._journal.note(record, Outcome.FAILED)
        super().failed(record, route, index, failure)
