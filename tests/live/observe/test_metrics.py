"""Metrics: counted cheaply, and read back by Prometheus' own parser as what they were."""

from __future__ import annotations

import numpy as np
import pytest

from pyrt.errors import ConfigError
from pyrt.live.observe.latency import BOUNDS_NS, STAGES, LatencyHistogram
from pyrt.live.observe.metrics import COUNTERS, GAUGES, Metrics, exposition

parser = pytest.importorskip("prometheus_client.parser")


def samples(metrics: Metrics) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    families = parser.text_string_to_metric_families(exposition(metrics).decode())
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def test_counters_and_gauges_are_exported_under_their_labels() -> None:
    metrics = Metrics()
    metrics.count("order_events", "filled")
    metrics.count("order_events", "filled", by=2)
    metrics.count("order_events", "rejected")
    metrics.set("equity", 1234.5, "USD")
    metrics.read_from(lambda m: m.set("open_orders", 7))
    found = samples(metrics)
    assert found["pyrt_order_events_total", (("outcome", "filled"),)] == 3
    assert found["pyrt_order_events_total", (("outcome", "rejected"),)] == 1
    assert found["pyrt_equity", (("currency", "USD"),)] == 1234.5
    assert found["pyrt_open_orders", ()] == 7
    assert metrics.value("order_events", "filled") == 3
    assert metrics.value("rejects") == 0


def test_what_drops_out_of_a_gauge_is_nothing_and_no_longer_what_it_was() -> None:
    metrics = Metrics()
    metrics.set("equity", 7.0, "USD")
    metrics.set_all("position_quantity", {"AAA": 19.0, "BBB": -2.0})
    metrics.set_all("position_quantity", {"BBB": 1.0})
    found = samples(metrics)
    assert found["pyrt_position_quantity", (("symbol", "AAA"),)] == 0
    assert found["pyrt_position_quantity", (("symbol", "BBB"),)] == 1
    assert found["pyrt_equity", (("currency", "USD"),)] == 7


def test_a_histogram_counts_each_duration_in_its_bucket() -> None:
    metrics = Metrics()
    for duration in (500, 1_000, 1_001, 3_000_000, 10**12, -5):
        metrics.stages["decode"].observe(duration)
    found = samples(metrics)
    name = "pyrt_stage_latency_seconds"

    def below(bound: str) -> float:
        return found[f"{name}_bucket", (("le", bound), ("stage", "decode"))]

    assert below("1e-06") == 3
    assert below("2e-06") == 4
    assert below("0.005") == 5
    assert below("5.0") == 5
    assert below("+Inf") == found[f"{name}_count", (("stage", "decode"),)] == 6
    assert found[f"{name}_sum", (("stage", "decode"),)] == pytest.approx(1000.0030025)
    assert {dict(labels)["stage"] for n, labels in found if n == f"{name}_count"} == set(STAGES)


def test_quantiles_are_exact_to_a_bucket() -> None:
    draw = np.random.default_rng(1).lognormal(11, 2, 5_000).astype(int)
    histogram = LatencyHistogram()
    for value in draw:
        histogram.observe(int(value))
    for share in (0.01, 0.5, 0.9, 0.99, 1.0):
        exact = float(np.quantile(draw, share, method="inverted_cdf"))
        bound = histogram.quantile(share)
        assert bound >= exact or share == 1.0
        lower = max((b for b in BOUNDS_NS if b < exact), default=0)
        assert lower <= bound
        assert bound <= max(min((b for b in BOUNDS_NS if b >= exact), default=0), draw.max())
    assert LatencyHistogram().quantile(0.5) == 0


def test_a_metric_that_is_not_in_the_table_is_refused() -> None:
    metrics = Metrics()
    for call in (
        lambda: metrics.set("nope", 1.0),
        lambda: metrics.set("equity", 1.0),
        lambda: metrics.count("rejects", "a label too many"),
    ):
        with pytest.raises(ConfigError, match="no metric"):
            call()


def test_every_metric_of_the_tables_can_be_exported() -> None:
    metrics = Metrics()
    for name, (_, labels) in COUNTERS.items():
        metrics.count(name, *("x",) * len(labels))
    for name, (_, labels) in GAUGES.items():
        metrics.set(name, 1.0, *("x",) * len(labels))
    names = {name for name, _ in samples(metrics)}
    assert {f"pyrt_{name}_total" for name in COUNTERS} <= names
    assert {f"pyrt_{name}" for name in GAUGES} <= names
