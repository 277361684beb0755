"""Every metric, declared once: name, kind, labels, meaning. `docs/metrics.md` and `/metrics` both come from here.

A cell is a plain number which one thread writes; nothing on the hot path looks up a label or takes a lock.
`prometheus_client` renders the cells when somebody scrapes.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector


class Kind(StrEnum):
    """Prometheus' types."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Declaration:
    """One metric. `name` is without the prefix `clickstream_`."""

    name: str
    kind: Kind
    labels: tuple[str, ...]
    meaning: str
    buckets: tuple[float, ...] = ()


PREFIX = "clickstream_"
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
LONG_SECONDS = (0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 1800, 3600, 21600, 86400)

RECORDS = Declaration(
    "records_total",
    Kind.COUNTER,
    ("pipeline", "topic", "result"),
    "Records: read from Kafka; settled; abandoned (their partition left before they were settled); expired (the broker "
    "deleted them before they were read; a topic created anew counts as 1 for each partition).",
)
FILTERED = Declaration(
    "filtered_total",
    Kind.COUNTER,
    ("pipeline", "route", "reason"),
    "Nothing to deliver, by a rule: when, no_route, tombstone, empty, python; too_old, which was a delivery already.",
)
DELIVERIES = Declaration(
    "deliveries_total",
    Kind.COUNTER,
    ("pipeline", "route", "outcome"),
    "Deliveries that ended: delivered, dead_lettered, shadowed (`mode: shadow`), stale (their partition left; "
    "another replica sends them).",
)
DEAD_LETTERS = Declaration(
    "dead_letters_total",
    Kind.COUNTER,
    ("pipeline", "route", "stage", "class"),
    "Dead letters that the broker acknowledged.",
)
REQUESTS = Declaration(
    "requests_total",
    Kind.COUNTER,
    ("pipeline", "method", "class"),
    "HTTP requests, by the class of their reply; shadowed: not sent (`mode: shadow`).",
)
UNSETTLED_RECORDS = Declaration("unsettled_records", Kind.GAUGE, ("pipeline",), "Records read and not yet settled.")
UNSETTLED_BYTES = Declaration(
    "unsettled_bytes", Kind.GAUGE, ("pipeline",), "Bytes of keys and values of the unsettled."
)
IN_FLIGHT = Declaration("requests_in_flight", Kind.GAUGE, ("pipeline",), "HTTP requests that wait for their reply.")
OLDEST_UNSETTLED = Declaration(
    "oldest_unsettled_timestamp_seconds",
    Kind.GAUGE,
    ("pipeline",),
    "Kafka time of the oldest unsettled record, in seconds since 1970; absent while nothing is unsettled.",
)
LAG = Declaration(
    "lag_records",
    Kind.GAUGE,
    ("pipeline", "topic", "partition"),
    "End of the partition less the offset up to which all is settled.",
)
END_TO_END = Declaration(
    "end_to_end_seconds",
    Kind.HISTOGRAM,
    ("pipeline",),
    "From the event's own time to its acceptance.",
    LONG_SECONDS,
)
QUEUE = Declaration(
    "queue_seconds",
    Kind.HISTOGRAM,
    ("pipeline",),
    "From reading a record to the first request with it.",
    SECONDS,
)
COOLING = Declaration(
    "cooling_seconds",
    Kind.HISTOGRAM,
    ("pipeline",),
    "Waits between a refusal and the next attempt.",
    LONG_SECONDS,
)
REQUEST = Declaration(
    "request_seconds", Kind.HISTOGRAM, ("pipeline", "method"), "From sending a request to its reply.", SECONDS
)
RATE_LIMIT = Declaration(
    "rate_limit", Kind.GAUGE, ("pipeline",), "Requests a second that are allowed; absent without a limit."
)
RATE_USED = Declaration(
    "rate_used", Kind.GAUGE, ("pipeline",), "Requests a second that went out over the last ten seconds."
)
HOLD = Declaration(
    "hold",
    Kind.GAUGE,
    ("pipeline", "method", "reason"),
    "1 while something stands still on purpose, absent else: outage, refused (a method answers 3xx or 4xx to all), "
    "credential, mass_failure (most records fail in decode or map), registry, dead_letter_topic, offsets, paused; "
    "method is empty where more than one is held.",
)
HOLD_SINCE = Declaration(
    "hold_since_timestamp_seconds",
    Kind.GAUGE,
    ("pipeline", "method", "reason"),
    "When the hold began, in seconds since 1970.",
)
COMMITS = Declaration("commits_total", Kind.COUNTER, ("pipeline", "result"), "Offset commits: ok, failed.")
LAST_COMMIT = Declaration(
    "last_commit_timestamp_seconds",
    Kind.GAUGE,
    ("pipeline",),
    "When a commit last succeeded, in seconds since 1970.",
)
REBALANCES = Declaration(
    "rebalances_total",
    Kind.COUNTER,
    ("pipeline",),
    "Changes of this member's partitions: assigned, revoked or lost.",
)
CONFIG_INFO = Declaration("config_info", Kind.GAUGE, ("pipeline", "version"), "1; the configuration that is running.")

DECLARATIONS = (
    RECORDS, FILTERED, DELIVERIES, DEAD_LETTERS, REQUESTS, UNSETTLED_RECORDS, UNSETTLED_BYTES, IN_FLIGHT,
    OLDEST_UNSETTLED, LAG, END_TO_END, QUEUE, COOLING, REQUEST, RATE_LIMIT, RATE_USED, HOLD, HOLD_SINCE, COMMITS,
    LAST_COMMIT, REBALANCES, CONFIG_INFO,
)  # fmt: skip


class Cell:
    """One number: a counter's or a gauge's. Only one thread may write it."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0.0

    def add(self, amount: float = 1) -> None:
        """Count."""
        self.value += amount

    def set(self, value: float) -> None:
        """Replace (gauges)."""
        self.value = value


class Distribution:
    """A histogram's counts. Only one thread may write it."""

    __slots__ = ("bounds", "counts", "sum")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def observe(self, value: float) -> None:
        """Count one value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value

    def cumulative(self) -> list[tuple[str, float]]:
        """Buckets as Prometheus wants them: upper bound and the count up to it."""
        total, buckets = 0, []
        for bound, count in zip((*self.bounds, float("inf")), self.counts, strict=True):
            total += count
            buckets.append(("+Inf" if bound == float("inf") else str(bound), float(total)))
        return buckets


Labels = tuple[str, ...]
Sample = tuple[Labels, float]
Ask = Callable[[], Iterable[tuple[Declaration, Sample]]]


class Metrics(Collector):
    """The cells of one process, and gauges which are asked when somebody scrapes."""

    def __init__(self) -> None:
        self._cells: dict[tuple[str, Labels], Cell] = {}
        self._distributions: dict[tuple[str, Labels], Distribution] = {}
        self._asked: list[Ask] = []
        self._registry = CollectorRegistry()
        self._registry.register(self)
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        GCCollector(registry=self._registry)

    def cell(self, declaration: Declaration, *labels: str) -> Cell:
        """The number behind these label values, in the declared order; the same one for the same values."""
        assert len(labels) == len(declaration.labels), declaration  # noqa: S101 - a programmer's mistake
        return self._cells.setdefault((declaration.name, labels), Cell())

    def distribution(self, declaration: Declaration, *labels: str) -> Distribution:
        """The histogram behind these label values."""
        assert len(labels) == len(declaration.labels), declaration  # noqa: S101 - a programmer's mistake
        return self._distributions.setdefault((declaration.name, labels), Distribution(declaration.buckets))

    def sampled(self, ask: Ask) -> None:
        """Ask for samples at each scrape, on the thread that serves it: `ask` must only read snapshots."""
        self._asked.append(ask)

    def total(self, declaration: Declaration, **wanted: str) -> int:
        """Sum of the cells whose labels have these values."""
        places = {declaration.labels.index(name): value for name, value in wanted.items()}
        return int(
            sum(
                cell.value
                for (name, labels), cell in list(self._cells.items())
                if name == declaration.name and all(labels[at] == value for at, value in places.items())
            )
        )

    def render(self) -> bytes:
        """The text that Prometheus reads."""
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        """All families; called by prometheus_client."""
        samples: dict[str, list[Sample]] = defaultdict(list)
        for (name, labels), cell in list(self._cells.items()):
            samples[name].append((labels, cell.value))
        for ask in self._asked:
            for declaration, sample in ask():
                samples[declaration.name].append(sample)
        for declaration in DECLARATIONS:
            if declaration.kind is Kind.HISTOGRAM:
                yield self._histogram(declaration)
            else:
                yield _family(declaration, samples[declaration.name])

    def _histogram(self, declaration: Declaration) -> HistogramMetricFamily:
        family = HistogramMetricFamily(PREFIX + declaration.name, declaration.meaning, labels=declaration.labels)
        for (name, labels), distribution in list(self._distributions.items()):
            if name == declaration.name:
                family.add_metric(labels, distribution.cumulative(), distribution.sum)
        return family


def _family(declaration: Declaration, samples: Iterable[Sample]) -> CounterMetricFamily | GaugeMetricFamily:
    family_type = CounterMetricFamily if declaration.kind is Kind.COUNTER else GaugeMetricFamily
    family = family_type(PREFIX + declaration.name, declaration.meaning, labels=declaration.labels)
    for labels, value in samples:
        family.add_metric(labels, value)
    return family
