"""The demo's account: what went in must have come out, by the service's own books and by the vendors'."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from processor.demo.expected import Judgement
from processor.metrics import DEAD_LETTERS, DELIVERIES, FILTERED, Metrics
from processor.running import RunningPipeline


@dataclass(frozen=True, slots=True)
class DestinationAccount:
    """One destination's books, all counted where they happen and none derived from another.

    Attributes:
        read: records read from Kafka.
        filtered: times that nothing was to be delivered, by a rule.
        deliveries: deliveries made.
        open: deliveries that are waiting, cooling, being sent or being buried.
    """

    read: int
    filtered: int
    deliveries: int
    delivered: int
    dead_lettered: int
    open: int

    @property
    def balanced(self) -> bool:
        """Whether every delivery that was made is somewhere."""
        return self.deliveries == self.delivered + self.dead_lettered + self.open


def account_of(pipeline: RunningPipeline, metrics: Metrics) -> DestinationAccount:
    """Read one pipeline's books."""
    name = pipeline.plan.name
    return DestinationAccount(
        read=sum(pipeline.kafka.counts.read.values()),
        filtered=metrics.total(FILTERED, pipeline=name),
        deliveries=pipeline.score.made,
        delivered=metrics.total(DELIVERIES, pipeline=name, outcome="delivered"),
        dead_lettered=metrics.total(DEAD_LETTERS, pipeline=name),
        open=pipeline.scheduler.waiting
        + pipeline.scheduler.cooling
        + pipeline.sender.sending
        + pipeline.undertaker.waiting,
    )


def final_account(
    accounts: Mapping[str, DestinationAccount], judgements: Mapping[str, Judgement], produced: int
) -> dict[str, Any]:
    """The demo's last line.

    Args:
        accounts: the service's books.
        judgements: what the vendors' own books say of the same clicks.
        produced: records that went into Kafka.

    Returns:
        `{"type": "account", "balanced": …, "destinations": {NAME: {read, filtered, deliveries, delivered,
        dead_lettered, open}}}`; balanced means: everything read, nothing open, and the vendors have exactly what the
        clicks ask for, in order.
    """
    balanced = all(
        account.balanced
        and account.read == produced
        and account.open == 0
        and judgements[name].clean
        and judgements[name].duplicates == 0
        and judgements[name].accepted == account.delivered
        for name, account in accounts.items()
    )
    return {
        "type": "account",
        "balanced": balanced,
        "destinations": {name: asdict(account) for name, account in accounts.items()},
    }
