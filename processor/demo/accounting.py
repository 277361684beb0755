"""The demo's account: what went in must have come out, by the service's own books and by everybody else's."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, astuple, dataclass
from typing import Any

from processor.demo.judging import Judge
from processor.demo.wording import grouped
from processor.metrics import DEAD_LETTERS, DELIVERIES, FILTERED, Metrics
from processor.running import RunningPipeline

COLUMNS = ("read", "filtered", "deliveries", "delivered", "dead_lettered", "open")


@dataclass(frozen=True, slots=True)
class DestinationAccount:
    """One destination's books, all counted where they happen and none derived from another.

    What a run gave back when it ended counts for the run that reads it again.

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

    def __add__(self, other: "DestinationAccount") -> "DestinationAccount":
        return DestinationAccount(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))


NOTHING = DestinationAccount(0, 0, 0, 0, 0, 0)


def account_of(pipeline: RunningPipeline, metrics: Metrics) -> DestinationAccount:
    """Read one pipeline's books."""
    name, counts = pipeline.plan.name, pipeline.kafka.counts
    return DestinationAccount(
        read=sum(counts.read.values()) - sum(counts.abandoned.values()),
        filtered=metrics.total(FILTERED, pipeline=name),
        deliveries=pipeline.score.made - metrics.total(DELIVERIES, pipeline=name, outcome="stale"),
        delivered=metrics.total(DELIVERIES, pipeline=name, outcome="delivered"),
        dead_lettered=metrics.total(DEAD_LETTERS, pipeline=name),
        open=pipeline.scheduler.waiting
        + pipeline.scheduler.cooling
        + pipeline.sender.sending
        + pipeline.undertaker.waiting,
    )


@dataclass(frozen=True, slots=True)
class FinalAccount:
    """How a demo ended.

    Attributes:
        books: the service's, by destination.
        judge: what the clicks asked for, and what the vendors and the dead-letter topics have.
        restarts: of the service.
    """

    books: Mapping[str, DestinationAccount]
    judge: Judge
    restarts: int

    @property
    def twice(self) -> int:
        """Deliveries that a vendor has twice, and letters that are there twice."""
        return sum(each.judgement.duplicates for each in self.judge.vendors.values()) + self.judge.letters.again

    @property
    def unaccounted(self) -> int:
        """Clicks of which something is neither at a vendor nor in a dead-letter topic."""
        return self.judge.unaccounted

    @property
    def balanced(self) -> bool:
        """Whether all is as it must be."""
        return not self.faults

    @property
    def faults(self) -> list[str]:
        """What is not as it must be, in words."""
        return [*self._common_faults(), *(f"{name}: {fault}" for name in self.books for fault in self._faults_of(name))]

    def _common_faults(self) -> Iterator[str]:
        letters, counted = self.judge.letters, sum(books.dead_lettered for books in self.books.values())
        if self.unaccounted:
            yield f"{self.unaccounted} clicks are not or not all at the vendors or in the dead-letter topics"
        if self.twice and not self.restarts:
            yield f"{self.twice} came twice without a restart"
        if letters.unasked:
            yield f"{letters.unasked} dead letters are not of poison"
        if letters.came != counted:
            yield f"{letters.came} dead letters found, {counted} written"

    def _faults_of(self, name: str) -> Iterator[str]:
        books, judged = self.books[name], self.judge.vendors[name].judgement
        if books.read != self.judge.clicks:
            yield f"{books.read} of {self.judge.clicks} clicks read"
        if books.open:
            yield f"{books.open} deliveries still open"
        if not books.balanced:
            yield "not every delivery is somewhere"
        if judged.out_of_order:
            yield f"{judged.out_of_order} came out of order"
        if judged.unexpected:
            yield f"{judged.unexpected} came that nobody asked for"
        if judged.accepted != books.delivered:
            yield f"the vendor has {judged.accepted} deliveries, the service counts {books.delivered}"

    def as_json(self) -> dict[str, Any]:
        """The demo's last line.

        Returns:
            `{"type": "account", "balanced": …, "destinations": {NAME: {read, filtered, deliveries, delivered,
            dead_lettered, open}}}`.
        """
        destinations = {name: asdict(books) for name, books in self.books.items()}
        return {"type": "account", "balanced": self.balanced, "destinations": destinations}

    def checked(self) -> dict[str, Any]:
        """What was compared with the vendors' books and the dead-letter topics, as JSON types."""
        vendors = [each.judgement for each in self.judge.vendors.values()]
        return {
            "type": "checked",
            "clicks": self.judge.clicks,
            "accounted_for": self.judge.clicks - self.unaccounted,
            "visitors": len(self.judge.visitors),
            "lost": sum(each.lost for each in vendors),
            "twice": self.twice,
            "out_of_order": sum(each.out_of_order for each in vendors),
            "poisoned": self.judge.poisoned,
            "dead_letters": self.judge.letters.first,
            "restarts": self.restarts,
            "faults": self.faults,
        }

    def text(self) -> str:
        """The same for people: a table, and a sentence."""
        lines = [f"{'':10}" + "".join(f"{column.replace('_', ' '):>15}" for column in COLUMNS)]
        for name, books in self.books.items():
            lines.append(f"{name:10}" + "".join(f"{grouped(getattr(books, column)):>15}" for column in COLUMNS))
        return "\n".join([*lines, f"checked: {self._sentence()}"])

    def _sentence(self) -> str:
        if not self.balanced:
            return f"THE ACCOUNT DOES NOT BALANCE: {'; '.join(self.faults)}"
        clicks, visitors = grouped(self.judge.clicks), grouped(len(self.judge.visitors))
        parts = [f"{clicks} clicks in", f"{clicks} accounted for", f"order kept for {visitors} visitors", "0 lost"]
        allowed = " (allowed after a restart: at least once)" if self.twice else ""
        parts.append(f"{grouped(self.twice)} twice{allowed}")
        if self.judge.poisoned:
            letters, poisoned = grouped(self.judge.letters.first), grouped(self.judge.poisoned)
            parts.append(f"{letters} dead letters, exactly those of {poisoned} poisoned clicks")
        return ", ".join(parts)
