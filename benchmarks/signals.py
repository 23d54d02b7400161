"""What a bar costs when the moving-average cross is declared by `when`, beside bare calls."""

from __future__ import annotations

from benchmarks.engine import EVENTS, REPEATS, Empty, bar_views, run
from benchmarks.timing import Row, bars, call_ns, median, paired, rounds, row
from pyrt import Strategy, load
from pyrt.indicators import SMA, is_flat, is_long


class SmaCrossWhen(Strategy):
    """The strategy of the README, declared: Python is called for orders only."""

    symbol: str = "X"
    fast: int = 50
    slow: int = 200
    size: float = 100

    def on_start(self) -> None:
        stream = self.subscribe_bars(self.symbol, "1m")
        fast = self.attach(SMA(self.fast), stream)
        slow = self.attach(SMA(self.slow), stream)
        self.when((fast > slow) & is_flat(self.symbol), self.enter)
        self.when((fast < slow) & is_long(self.symbol), self.leave)

    def enter(self) -> None:
        self.buy(self.symbol, self.size)

    def leave(self) -> None:
        self.close(self.symbol)


class Silent(Strategy):
    """Subscribes to bars and defines no handler: what the engine costs by itself."""

    def on_start(self) -> None:
        self.subscribe_bars("X", "1m")


def measure() -> list[Row]:
    """Measure all rows in the same rounds."""
    views = bar_views(EVENTS)
    loaded = load(bars(EVENTS), symbol="X", label="open")
    found = rounds(
        {
            "bare_call": lambda: call_ns(Empty().on_bar, views),
            "no_handler_bar": lambda: run(Silent(), loaded),
            "sma_cross_when": lambda: run(SmaCrossWhen(), loaded),
        },
        REPEATS,
    )
    bare = found["bare_call"]
    return [
        row("no_handler_bar", median(found["no_handler_bar"]), "ns/bar"),
        row(
            "sma_cross_when",
            median(found["sma_cross_when"]),
            "ns/bar",
            paired(found["sma_cross_when"], bare),
        ),
    ]
