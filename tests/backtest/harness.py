"""Small worlds for tests of the venue: a few bars, a script of commands, and what came of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from pyrt.backtest.engine import Engine
from pyrt.backtest.outcome import Outcome
from pyrt.core.instruments import Instrument
from pyrt.strategy.strategy import Strategy

MINUTE = 60_000_000_000
START = 1_704_067_200_000_000_000  # 2024-01-01T00:00Z
SYMBOL = "AAA"

Bars = Sequence[Sequence[float]]
Command = Callable[[Any], Any]


class Probe(Engine):
    """An engine whose kernel and venue a test may look into after the run."""

    def _build(self) -> Any:
        self.kernel, self.sim = super()._build()
        return self.kernel, self.sim


class Script(Strategy):
    """Runs given commands at the close of given bars (0 is the first bar, -1 is on_start)."""

    def __init__(self, steps: Mapping[int, Command], symbol: str = SYMBOL, **options: Any) -> None:
        super().__init__(**options)
        self._steps = steps
        self._symbol = symbol
        self._bar = -1
        self.made: list[Any] = []
        self.events: list[tuple[str, str]] = []
        self.happened: list[tuple[str, int]] = []

    def on_start(self) -> None:
        self.subscribe_bars(self._symbol, "1m")
        self._run(-1)

    def on_bar(self, bar: Any) -> None:
        self._bar += 1
        self._run(self._bar)

    def on_order(self, event: Any) -> None:
        self.events.append((event.client_order_id, event.kind))
        self.happened.append((event.kind, event.ts_event))

    def _run(self, step: int) -> None:
        if step in self._steps:
            made = self._steps[step](self)
            self.made.extend(made if isinstance(made, (list, tuple)) else [made])


class Run:
    """A finished run with its columns in plain form."""

    def __init__(
        self, engine: Probe, outcome: Outcome, strategies: Sequence[Strategy], start: int
    ) -> None:
        self.start = start
        self.engine = engine
        self.kernel: Any = engine.kernel
        self.sim: Any = engine.sim
        self.outcome = outcome
        self.strategies = strategies

    def table(self, name: str) -> list[dict[str, Any]]:
        """Return a table of the outcome as a list of rows."""
        columns = self.outcome.kernel_columns[name]
        values = {key: list(columns[key]) for key in columns}
        return [dict(zip(values, row)) for row in zip(*values.values())]

    @property
    def fills(self) -> list[tuple[Any, ...]]:
        """(bar minute, signed quantity, price) of each fill; the minute is that of its stamp."""
        return [
            (
                (int(f["ts_event"]) - self.start) / MINUTE,
                float(f["quantity"]) * (1 if f["side"] == "buy" else -1),
                float(f["price"]),
            )
            for f in self.table("fills")
        ]

    @property
    def statuses(self) -> list[str]:
        return [str(o["status"]) for o in self.table("orders")]

    @property
    def reasons(self) -> list[str]:
        return [str(o["reason"]) for o in self.table("orders")]

    def check_books(self) -> None:
        """Kernel and venue agree on cash and units, and nothing is left counted as working."""
        mine, theirs = self.kernel.account, self.sim.account
        assert mine.balances == theirs.balances
        for book in self.sim.books:
            units: dict[int, int] = {}
            for number in range(len(self.strategies)):
                for position in self.kernel.cache.positions(number, book.instrument.id):
                    units[number] = int(position.quantity_exact.scaleb(book.instrument.decimals))
            assert units == {k: v for k, v in book.units.items() if v}
        working = {o.client_order_id for o in self.kernel.cache.orders_open()}
        open_rows = [
            o
            for o in self.table("orders")
            if o["status"] not in ("DENIED", "REJECTED", "FILLED", "CANCELED", "EXPIRED")
        ]
        assert working == {o["client_order_id"] for o in open_rows}


def frame(
    bars: Bars, *, start: int = START, minutes: float = 1, volume: float = 1e6
) -> pd.DataFrame:
    """Return bars given as (open, high, low, close[, volume]) as a table labeled by their opens."""
    rows = [tuple(b) if len(b) == 5 else (*b, volume) for b in bars]
    columns = np.array(rows, float).T
    index = pd.DatetimeIndex(
        start + np.arange(len(rows)) * int(minutes * MINUTE), tz="UTC", name="timestamp"
    )
    names = ("open", "high", "low", "close", "volume")
    return pd.DataFrame(dict(zip(names, columns)), index=index)


def play(
    bars: Bars | Mapping[str, Bars] | pd.DataFrame,
    steps: Mapping[int, Command] | Strategy | Sequence[Strategy],
    *,
    cash: Any = 100_000,
    instrument: Instrument | Sequence[Instrument] | None = None,
    actions: Any = None,
    rates: Any = None,
    start: int = START,
    minutes: float = 1,
    label: str = "open",
    timeframe: str = "1m",
    engine: Mapping[str, Any] | None = None,
    check: bool = True,
    **venue: Any,
) -> Run:
    """Run a script on a few bars; every command happens at the close of its bar."""
    probe = Probe(cash=cash, **(engine or {}))
    probe.add_venue(venue.pop("name", "sim"), **venue)
    for one in [instrument] if isinstance(instrument, Instrument) else instrument or []:
        probe.add_instrument(one)
    tables = bars if isinstance(bars, Mapping) else {SYMBOL: bars}
    for symbol, rows in tables.items():
        table = (
            rows if isinstance(rows, pd.DataFrame) else frame(rows, start=start, minutes=minutes)
        )
        probe.add_data(table, symbol=symbol, timeframe=timeframe, label=label)
    if actions is not None:
        probe.add_corporate_actions(actions)
    if rates is not None:
        probe.add_rates(rates)
    strategies = _strategies(steps)
    for strategy in strategies:
        probe.add_strategy(strategy)
    run = Run(probe, probe.execute(), strategies, start)
    if check:
        run.check_books()
    return run


def _strategies(steps: Any) -> list[Strategy]:
    if isinstance(steps, Strategy):
        return [steps]
    return [Script(steps)] if isinstance(steps, Mapping) else list(steps)
