"""Small markets with depth for tests: rows of books, quotes and prints, and commands by time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

from pyrt import Strategy
from pyrt.core.instruments import Instrument
from tests.backtest.harness import Probe, Run

START = 1_704_205_800_000_000_000  # 2024-01-02 14:30 UTC
SECOND = 1_000_000_000
SYMBOL = "X"
LAST, MBO_LAST = 2, 128

Rows = Sequence[Sequence[Any]]


def stamp(seconds: float) -> int:
    """Return the moment so many seconds after the start of a test's market."""
    return START + round(seconds * SECOND)


def levels(*rows: Sequence[Any]) -> pd.DataFrame:
    """Return book events (seconds, side, price, new total); rows of one second are a batch."""
    table = pd.DataFrame(rows, columns=["ts_event", "side", "price", "size"])
    table["action"] = ["set" if size else "delete" for size in table["size"]]
    last = table["ts_event"] != table["ts_event"].shift(-1)
    table["flags"] = [LAST if end else 0 for end in last]
    table["ts_event"] = [stamp(t) for t in table["ts_event"]]
    return table.astype({"price": float, "size": float})


def order_events(*rows: Sequence[Any]) -> pd.DataFrame:
    """Return order-by-order events (seconds, action, side, price, size, id), each a batch."""
    names = ["ts_event", "action", "side", "price", "size", "order_id"]
    table = pd.DataFrame(rows, columns=names)
    table["flags"] = MBO_LAST
    table["ts_event"] = [stamp(t) for t in table["ts_event"]]
    return table.astype({"price": float, "size": float})


def quotes(*rows: Sequence[Any]) -> pd.DataFrame:
    """Return quotes (seconds, bid, bid size, ask, ask size)."""
    names = ["ts_event", "bid_price", "bid_size", "ask_price", "ask_size"]
    table = pd.DataFrame(rows, columns=names).astype(dict.fromkeys(names[1:], float))
    table["ts_event"] = [stamp(t) for t in table["ts_event"]]
    return table


def prints(*rows: Sequence[Any]) -> pd.DataFrame:
    """Return trades (seconds, price, size, aggressor)."""
    table = pd.DataFrame(rows, columns=["ts_event", "price", "size", "aggressor"])
    table["ts_event"] = [stamp(t) for t in table["ts_event"]]
    return table.astype({"price": float, "size": float})


class Timed(Strategy):
    """Carries out commands at given seconds; hears every kind of data there is."""

    def __init__(self, steps: Mapping[float, Callable[[Any], Any]], kinds: Sequence[str]) -> None:
        super().__init__()
        self._steps = steps
        self._kinds = kinds
        self.made: list[Any] = []
        self.happened: list[tuple[float, str]] = []
        self.heard: list[Any] = []

    def on_start(self) -> None:
        for kind in self._kinds:
            getattr(self, f"subscribe_{kind}")(SYMBOL)
        for seconds in self._steps:
            self.set_alert(f"at {seconds}", stamp(seconds), self._run)

    def _run(self, event: Any) -> None:
        made = self._steps[(event.ts_event - START) / SECOND](self)
        self.made.extend(made if isinstance(made, (list, tuple)) else [made])

    def on_order(self, event: Any) -> None:
        self.happened.append(((self.now - START) / SECOND, event.kind))

    def on_status(self, status: Any) -> None:
        self.heard.append(((self.now - START) / SECOND, status.status, status.reason))


class Played(Run):
    """A finished run; what it filled, by second."""

    @property
    def filled(self) -> list[tuple[float, float, float]]:
        """(second, signed quantity, price) of each fill."""
        return [(f[0], f[1], f[2]) for f in self.with_liquidity]

    @property
    def with_liquidity(self) -> list[tuple[float, float, float, str]]:
        """(second, signed quantity, price, "maker" or "taker") of each fill."""
        return [
            (
                (int(f["ts_event"]) - START) / SECOND,
                float(f["quantity"]) * (1 if f["side"] == "buy" else -1),
                float(f["price"]),
                str(f["liquidity"]),
            )
            for f in self.table("fills")
        ]

    @property
    def happened(self) -> list[tuple[float, str]]:
        """(second, kind) of each event the strategy was told."""
        # The plans of this module run a strategy that keeps it.
        return self.strategies[0].happened  # type: ignore[attr-defined,no-any-return]


def play(
    tables: Mapping[str, pd.DataFrame],
    steps: Mapping[float, Callable[[Any], Any]],
    *,
    instrument: Instrument | None = None,
    cash: Any = 1_000_000,
    engine: Mapping[str, Any] | None = None,
    load: Mapping[str, Any] | None = None,
    check: bool = True,
    **venue: Any,
) -> Played:
    """Run timed commands on tables named by what they are: book, quotes, trades."""
    probe = Probe(cash=cash, **(engine or {}))
    probe.add_venue(venue.pop("venue_name", "sim"), **venue)
    probe.add_instrument(instrument or Instrument(SYMBOL, tick_size="0.01", step_size=1))
    for kind, table in tables.items():
        probe.add_data(table, symbol=SYMBOL, kind=kind, **(load or {}))
    strategy = Timed(steps, list(tables))
    probe.add_strategy(strategy)
    run = Played(probe, probe.execute(), [strategy], START)
    if check:
        run.check_books()
    return run
