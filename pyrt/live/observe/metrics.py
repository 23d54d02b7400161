"""What a node counts about itself, and its Prometheus form."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pyrt.errors import ConfigError, MissingExtra
from pyrt.live.observe.latency import BOUNDS_NS, STAGES, LatencyHistogram

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

COUNTERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "order_events": ("Steps of orders", ("outcome",)),
    "rejects": ("Orders that the broker refused", ()),
    "denials": ("Orders that the risk gate held back", ("code",)),
    "reconnects": ("Connections that had to be made again", ("stream",)),
    "messages": ("Messages taken in", ("stream",)),
    "ineligible_prints": ("Prints that set no price by their conditions", ("stream",)),
    "alarms": ("Alarms raised", ("code",)),
    "alerts": ("Alerts to people, counted for each way", ("outcome",)),
    "exceptions": ("Exceptions that handlers let out", ("strategy",)),
    "log_records_dropped": ("Log records that did not fit", ()),
    "log_records_failed": ("Log records that could not be written", ()),
}
"""Name → (what it counts, labels). Exported as ``pyrt_NAME_total``."""

GAUGES: dict[str, tuple[str, tuple[str, ...]]] = {
    "connection_up": ("1 while the stream is authorised", ("stream",)),
    "connection_uptime_seconds": ("Since the stream was last made", ("stream",)),
    "loop_up": ("1 while the trading loop turns", ()),
    "loop_lag_seconds": ("How late the trading loop wakes, or is by now", ()),
    "resident_memory_bytes": ("Memory of the process", ()),
    "queue_depth": ("What waits", ("queue",)),
    "journal_lag_seconds": ("Age of the oldest record that is not durable", ()),
    "equity": ("Account equity", ("currency",)),
    "pnl": ("Profit and loss", ("kind",)),
    "exposure": ("Exposure", ("kind",)),
    "limit_used_ratio": ("Share of a limit that is used", ("limit",)),
    "position_quantity": ("Units held", ("symbol",)),
    "open_orders": ("Orders that work", ()),
    "unknown_requests": ("Requests without an answer", ()),
    "trading_state": ("0 active, 1 reducing, 2 halted", ()),
    "symbol_state": ("The symbol's own: 0 active, 1 reducing, 2 halted", ("symbol",)),
    "strategy_state": ("The strategy's own: 0 active, 1 reducing, 2 halted", ("strategy",)),
    "breaker_state": ("0 closed, 1 half-open, 2 open", ()),
    "ready": ("1 after reconciliation and warm-up", ()),
    "alerts_failing": ("Ways to a person that got the last alert not through", ()),
    "watchdog_up": ("1 while the watchdog answers", ()),
}
"""Name → (what it is, labels). Exported as ``pyrt_NAME``."""

Labels = tuple[str, ...]


class Metrics:
    """Counters, gauges and latency histograms of one node; plain numbers until somebody reads them.

    Attributes
    ----------
    stages : dict of str to LatencyHistogram
        One for each of `STAGES`.
    """

    def __init__(self) -> None:
        self.stages = {stage: LatencyHistogram() for stage in STAGES}
        self._counts: dict[tuple[str, Labels], float] = {}
        self._levels: dict[tuple[str, Labels], float] = {}
        self._sources: list[Callable[[Metrics], None]] = []

    def count(self, name: str, *labels: str, by: float = 1) -> None:
        """Add to a counter of `COUNTERS`."""
        key = (_known(name, labels, COUNTERS), labels)
        self._counts[key] = self._counts.get(key, 0) + by

    def set(self, name: str, value: float, *labels: str) -> None:
        """Put a gauge of `GAUGES` at a value."""
        self._levels[_known(name, labels, GAUGES), labels] = value

    def set_all(self, name: str, values: Mapping[str, float]) -> None:
        """Put a gauge with one label at a value for each; what had one and has none now is 0."""
        # A copy: whoever reads is another thread, and may set what is read there.
        before = [labels for key, labels in list(self._levels) if key == name]
        for label in {labels[0] for labels in before} - values.keys():
            self.set(name, 0.0, label)
        for label, value in values.items():
            self.set(name, value, label)

    def read_from(self, source: Callable[[Metrics], None]) -> None:
        """Let `source(metrics)` set gauges just before they are read."""
        self._sources.append(source)

    def refresh(self) -> None:
        """Ask the sources."""
        for source in self._sources:
            source(self)

    def value(self, name: str, *labels: str) -> float:
        """Return a counter or gauge; 0 where nothing was counted or set."""
        table = self._counts if name in COUNTERS else self._levels
        return table.get((name, labels), 0)

    def families(self) -> Iterator[tuple[str, str, str, Labels, list[tuple[Labels, float]]]]:
        """Yield (kind, name, help, label names, [(labels, value), …]) of what has values."""
        for kind, table, values in (
            ("counter", COUNTERS, self._counts),
            ("gauge", GAUGES, self._levels),
        ):
            for name, (text, label_names) in table.items():
                # A copy: whoever reads is another thread, and the node may count meanwhile.
                items = list(values.items())
                rows = [(labels, value) for (key, labels), value in items if key == name]
                if rows:
                    yield kind, name, text, label_names, sorted(rows)


def _known(name: str, labels: Labels, table: Mapping[str, tuple[str, Labels]]) -> str:
    if name not in table or len(labels) != len(table[name][1]):
        raise ConfigError(f"{name!r} with labels {labels!r} is no metric of a node")
    return name


def exposition(metrics: Metrics) -> bytes:
    """Return everything in Prometheus' text format.

    Raises
    ------
    MissingExtra
        If prometheus-client is not installed.
    """
    try:
        from prometheus_client import CollectorRegistry
        from prometheus_client.exposition import generate_latest
    except ImportError as error:
        raise MissingExtra(
            "metrics need prometheus-client", remedy="Install it: pip install 'pyrt[ops]'"
        ) from error
    metrics.refresh()
    registry = CollectorRegistry()
    registry.register(_Collector(metrics))
    return bytes(generate_latest(registry))


class _Collector:
    """Shows the numbers to prometheus-client, which knows the format."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[Any]:
        from prometheus_client.core import (
            CounterMetricFamily,
            GaugeMetricFamily,
            HistogramMetricFamily,
        )

        for kind, name, text, label_names, rows in self._metrics.families():
            family = CounterMetricFamily if kind == "counter" else GaugeMetricFamily
            made = family(f"pyrt_{name}", text, labels=label_names)
            for labels, value in rows:
                made.add_metric(labels, value)
            yield made
        stages = HistogramMetricFamily(
            "pyrt_stage_latency_seconds", "Time spent in a stage", labels=("stage",)
        )
        for stage, histogram in self._metrics.stages.items():
            stages.add_metric((stage,), _buckets(histogram), histogram.total_ns / 1e9)
        yield stages


def _buckets(histogram: LatencyHistogram) -> list[tuple[str, float]]:
    seen = 0
    found: list[tuple[str, float]] = []
    for bound, count in zip(BOUNDS_NS, histogram.counts):
        seen += count
        found.append((repr(bound / 1e9), seen))
    return [*found, ("+Inf", histogram.count)]
