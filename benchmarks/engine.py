"""What an event costs: empty handlers, and the moving-average cross, beside bare calls."""

from __future__ import annotations

from typing import Any

from benchmarks.timing import Row, bars, call_ns, median, paired, quotes, rounds, row
from pyrt import BacktestEngine, Bar, Quote, Strategy, load
from pyrt.indicators import SMA

EVENTS = 500_000
STREAMS = 100
REPEATS = 7
PROBES = 20


class Empty(Strategy):
    """Subscribes to one kind of data and does nothing with it."""

    kind: str = "bars"
    symbols: list[str] = ["X"]

    def on_start(self) -> None:
        for symbol in self.symbols:
            if self.kind == "bars":
                self.subscribe_bars(symbol, "1m")
            else:
                self.subscribe_quotes(symbol)

    def on_bar(self, bar: Bar) -> None:
        pass

    def on_quote(self, quote: Quote) -> None:
        pass


class SmaCross(Strategy):
    """The strategy of the README."""

    symbol: str = "X"
    fast: int = 50
    slow: int = 200
    size: float = 100

    def on_start(self) -> None:
        stream = self.subscribe_bars(self.symbol, "1m")
        self.fast_ma = self.attach(SMA(self.fast), stream)
        self.slow_ma = self.attach(SMA(self.slow), stream)

    def on_bar(self, bar: Bar) -> None:
        if not self.slow_ma.ready:
            return
        if self.fast_ma.value > self.slow_ma.value and self.position(self.symbol).is_flat:
            self.buy(self.symbol, self.size)
        elif self.fast_ma.value < self.slow_ma.value and self.position(self.symbol).is_long:
            self.close(self.symbol)


class ProbedCross(SmaCross):
    """At evenly spaced bars, times its own handler in a bare loop over prebuilt bars."""

    def prepare(self, views: list[Bar], every: int) -> None:
        """Say what the handler is called with, and how often to stop for it."""
        self.views, self.every = views, every
        self.seen = 0
        self.found: list[float] = []

    def on_bar(self, bar: Bar) -> None:
        super().on_bar(bar)
        self.seen += 1
        if self.seen % self.every == 0:
            self.found.append(call_ns(super().on_bar, self.views))


def run(strategy: Strategy, loaded: Any) -> float:
    """Return ns an event of one run, data in memory already."""
    engine = BacktestEngine()
    engine.add_loaded(loaded)
    engine.add_strategy(strategy)
    result = engine.run()
    return result.elapsed_s / result.events_processed * 1e9


def bar_views(count: int) -> list[Bar]:
    """Return prebuilt bars as handlers get them."""
    rows = bars(count).itertuples(index=False)
    return [Bar("X", "1m", *map(float, r), i, i + 1, i + 1) for i, r in enumerate(rows)]


def handler_ns(loaded: Any, views: list[Bar]) -> float:
    """Return ns a call of the cross's handler alone, over states its run went through."""
    strategy = ProbedCross()
    strategy.prepare(views, len(loaded.columns[0]) // PROBES)
    run(strategy, loaded)
    return median(strategy.found)


def measure() -> list[Row]:
    """Measure all rows in the same rounds."""
    views = bar_views(EVENTS)
    few = views[: EVENTS // PROBES]
    one = load(bars(EVENTS), symbol="X", label="open")
    names = [f"S{number:02}" for number in range(STREAMS)]
    many = load({name: bars(EVENTS // STREAMS, i) for i, name in enumerate(names)}, label="open")
    ticks = load(quotes(EVENTS), symbol="X")
    found = rounds(
        {
            "bare_call": lambda: call_ns(Empty().on_bar, views),
            "empty_bar": lambda: run(Empty(), one),
            "empty_bar_100_streams": lambda: run(Empty(symbols=names), many),
            "empty_quote": lambda: run(Empty(kind="quotes"), ticks),
            "handler": lambda: handler_ns(one, few),
            "sma_cross": lambda: run(SmaCross(), one),
        },
        REPEATS,
    )
    bare = found["bare_call"]
    above = [full - alone for full, alone in zip(found["sma_cross"], found["handler"], strict=True)]
    measured = [row("bare_call", median(bare), "ns/call")]
    for name in ("empty_bar", "empty_quote", "empty_bar_100_streams"):
        measured.append(row(name, median(found[name]), "ns/event", paired(found[name], bare)))
    spread = paired(found["empty_bar_100_streams"], found["empty_bar"])
    measured += [
        row("interleaved_100", median(found["empty_bar_100_streams"]), "ns/event", spread),
        row("sma_cross_handler", median(found["handler"]), "ns/call"),
        row("sma_cross", median(found["sma_cross"]), "ns/bar", paired(above, bare)),
    ]
    return measured
