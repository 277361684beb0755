import inspect
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from processor import metrics as module
from processor.metrics import (
    COMMITS,
    DECLARATIONS,
    LAG,
    PREFIX,
    RECORDS,
    REQUEST,
    REQUESTS,
    UNSETTLED_RECORDS,
    Declaration,
    Distribution,
    Kind,
    Metrics,
)


def families(metrics: Metrics) -> dict[str, Metric]:
    """What Prometheus reads, by name."""
    return {family.name: family for family in text_string_to_metric_families(metrics.render().decode())}


def samples(metrics: Metrics, declaration: Declaration) -> dict[tuple[str, ...], float]:
    """The samples of one metric, by label values in the declared order."""
    family = families(metrics)[PREFIX + declaration.name.removesuffix("_total")]
    return {tuple(one.labels[name] for name in declaration.labels): one.value for one in family.samples}


def test_everything_declared_is_rendered() -> None:
    """Every declaration comes out with its type and its meaning, also before anything was counted."""
    rendered = families(Metrics())

    for declaration in DECLARATIONS:
        family = rendered[PREFIX + declaration.name.removesuffix("_total")]
        assert family.type == declaration.kind.value
        assert family.documentation == declaration.meaning


def test_the_list_is_complete() -> None:
    """No declaration of the module is missing in the list that is rendered, and none is there twice."""
    declared = [value for _, value in inspect.getmembers(module) if isinstance(value, Declaration)]

    assert sorted(one.name for one in DECLARATIONS) == sorted(one.name for one in declared)
    assert len({one.name for one in DECLARATIONS}) == len(DECLARATIONS)


@pytest.mark.parametrize("declaration", DECLARATIONS, ids=lambda declaration: declaration.name)
def test_a_declaration_keeps_the_conventions(declaration: Declaration) -> None:
    """Prometheus' naming; buckets ascend; the pipeline is the first label; the meaning is a sentence."""
    assert re.fullmatch(r"[a-z][a-z0-9_]*", declaration.name)
    assert declaration.name.endswith("_total") == (declaration.kind is Kind.COUNTER)
    assert bool(declaration.buckets) == (declaration.kind is Kind.HISTOGRAM)
    assert list(declaration.buckets) == sorted(set(declaration.buckets))
    assert declaration.labels[0] == "pipeline"
    assert len(set(declaration.labels)) == len(declaration.labels)
    assert declaration.meaning.endswith(".")


def test_cells_of_the_same_labels_are_one() -> None:
    """Whoever asks for the same label values counts into the same number; others are apart."""
    metrics = Metrics()

    metrics.cell(REQUESTS, "voyado", "cart", "accepted").add()
    metrics.cell(REQUESTS, "voyado", "cart", "accepted").add(2)
    metrics.cell(REQUESTS, "rocket", "view", "throttled").add()

    assert samples(metrics, REQUESTS) == {("voyado", "cart", "accepted"): 3, ("rocket", "view", "throttled"): 1}


def test_a_gauge_has_its_last_value() -> None:
    """Setting replaces."""
    metrics = Metrics()
    cell = metrics.cell(UNSETTLED_RECORDS, "voyado")

    cell.set(5)
    cell.set(2)

    assert samples(metrics, UNSETTLED_RECORDS) == {("voyado",): 2}


def test_snapshots_are_asked_at_each_scrape() -> None:
    """A sampled gauge shows what is true when somebody looks, beside the counted cells."""
    metrics, lags = Metrics(), {"0": 7.0}
    metrics.sampled(lambda: [(LAG, (("voyado", "clicks", partition), lag)) for partition, lag in lags.items()])
    metrics.sampled(lambda: [(COMMITS, (("voyado", "ok"), 3))])
    first = samples(metrics, LAG)

    lags.clear()
    lags["1"] = 9.0

    assert first == {("voyado", "clicks", "0"): 7}
    assert samples(metrics, LAG) == {("voyado", "clicks", "1"): 9}
    assert samples(metrics, COMMITS) == {("voyado", "ok"): 3}


def test_label_values_are_escaped() -> None:
    """A topic or a route may be called as it likes."""
    metrics, odd = Metrics(), 'a"b\\c\nd'

    metrics.cell(RECORDS, "voyado", odd, "read").add()

    assert samples(metrics, RECORDS) == {("voyado", odd, "read"): 1}


def test_a_wrong_number_of_labels_is_a_mistake() -> None:
    """Who forgets a label is told at once, with the declaration."""
    metrics = Metrics()

    with pytest.raises(AssertionError, match="requests_total"):
        metrics.cell(REQUESTS, "voyado")
    with pytest.raises(AssertionError, match="request_seconds"):
        metrics.distribution(REQUEST, "voyado", "cart", "more")


def test_totals_are_sums_over_labels() -> None:
    """A total counts the cells that have the wanted values, and only of its own metric."""
    metrics = Metrics()
    for pipeline, method, amount in (("voyado", "cart", 1), ("voyado", "view", 2), ("rocket", "view", 4)):
        metrics.cell(REQUESTS, pipeline, method, "accepted").add(amount)
    metrics.cell(COMMITS, "voyado", "ok").add(100)

    assert metrics.total(REQUESTS) == 7
    assert metrics.total(REQUESTS, pipeline="voyado") == 3
    assert metrics.total(REQUESTS, pipeline="voyado", method="view") == 2
    assert metrics.total(REQUESTS, method="none") == 0


def test_a_histogram_is_what_prometheus_reads() -> None:
    """Buckets, sum and count come out, per label values."""
    metrics = Metrics()
    for value in (0.004, 0.005, 0.2, 99):
        metrics.distribution(REQUEST, "voyado", "cart").observe(value)

    found = {
        (one.name.removeprefix(PREFIX), one.labels.get("le")): one.value
        for one in families(metrics)[PREFIX + REQUEST.name].samples
    }

    assert found["request_seconds_bucket", "0.005"] == 2
    assert found["request_seconds_bucket", "0.25"] == 3
    assert found["request_seconds_bucket", "+Inf"] == found["request_seconds_count", None] == 4
    assert found["request_seconds_sum", None] == pytest.approx(99.209)
    assert len(found) == len(REQUEST.buckets) + 3


@given(st.lists(st.floats(0, 100)), st.lists(st.floats(0.1, 90), min_size=1, unique=True).map(sorted))
def test_buckets_are_cumulative(values: list[float], bounds: list[float]) -> None:
    """Each bucket counts the values up to and with its bound, the last one all."""
    distribution = Distribution(tuple(bounds))
    for value in values:
        distribution.observe(value)

    buckets = distribution.cumulative()

    assert [count for _, count in buckets] == [
        *(sum(value <= bound for value in values) for bound in bounds),
        len(values),
    ]
    assert buckets[-1][0] == "+Inf"
    assert distribution.sum == pytest.approx(sum(values))


def test_the_process_tells_of_itself() -> None:
    """Memory and garbage collection are there without anybody's doing."""
    names = families(Metrics())

    assert {"process_resident_memory_bytes", "python_gc_collections", "python_info"} <= names.keys()
