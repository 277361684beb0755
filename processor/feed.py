"""How records get into a pipeline, and who is told when they have left it."""

from collections.abc import Callable, Sequence

from processor.clock import Clock
from processor.decode.decoder import Decoder
from processor.logs import Logger
from processor.metrics import Metrics
from processor.plan import Plan
from processor.records import Assignment, Record, Span
from processor.route.router import Router
from processor.scorekeeper import Scorekeeper
from processor.transform import Transform

Post = Callable[[list[Span]], None]
"""Hands settled spans to the thread that owns the offsets."""


class Feed:
    """The service's: records as its topics have them. A replay overrides what it does otherwise."""

    def taken(self, records: list[Record]) -> list[Record]:
        """What the pipeline is to see of one poll's records."""
        return records

    def transform(self, plan: Plan, router: Router, decoder: Decoder, score: Scorekeeper) -> Transform:
        """What makes deliveries of them."""
        return Transform(decoder, router, plan.mappers, score.unexpected)

    def scorekeeper(self, metrics: Metrics, pipeline: str, clock: Clock, log: Logger) -> Scorekeeper:
        """Who is told what became of them."""
        return Scorekeeper(metrics, pipeline, clock, log)

    def settled(self, post: Post) -> Post:
        """Who is told that they are settled."""
        return post

    async def drained(self, assignments: Sequence[Assignment]) -> None:
        """Nothing of these partitions is in flight any more, and they are about to leave."""
