"""What a finished run hands over for analysis: plain columns, nothing computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyrt.errors import DataError

Column = Sequence[Any] | NDArray[Any]
"""One column of a table: a list or a one-dimensional array."""

Table = Mapping[str, Column]
"""Columns by name, all of one length; an empty mapping is a table without rows."""

FILL_COLUMNS = (
    "ts_event",
    "symbol",
    "strategy",
    "side",
    "quantity",
    "price",
    "fee",
    "fee_currency",
    "liquidity",
    "client_order_id",
    "execution_id",
)
ORDER_COLUMNS = (
    "ts_event",
    "symbol",
    "strategy",
    "side",
    "type",
    "quantity",
    "filled_quantity",
    "limit_price",
    "stop_price",
    "time_in_force",
    "status",
    "reason",
    "client_order_id",
    "tag",
    "parent",
)
TRADE_COLUMNS = (
    "symbol",
    "strategy",
    "side",
    "quantity",
    "entry_time",
    "exit_time",
    "entry_price",
    "exit_price",
    "pnl",
    "fees",
    "return_pct",
    "bars",
    "tag",
)
POSITION_COLUMNS = (
    "symbol",
    "strategy",
    "quantity",
    "average_price",
    "market_value",
    "realized_pnl",
    "unrealized_pnl",
)
PRICE_COLUMNS = ("ts_event", "open", "high", "low", "close", "volume")


def _no_floats() -> NDArray[np.float64]:
    return np.empty(0, dtype=np.float64)


def _no_stamps() -> NDArray[np.int64]:
    return np.empty(0, dtype=np.int64)


@dataclass(frozen=True, kw_only=True, eq=False)
class RunRecord:
    """The raw outcome of one run, as columns.

    Making one checks nothing, so that a sweep may make thousands; `check` verifies the shape.

    Attributes
    ----------
    initial_cash : float
        Equity before the first event, in `currency`.
    currency : str
        Currency of the account and of every amount below.
    equity_ts : ndarray of int64, shape (n_points,)
        Instants of the equity curve, nanoseconds UTC, strictly increasing.
    equity, cash, gross_exposure : ndarray of float64, shape (n_points,)
        Marked-to-market equity, cash, and sum of absolute market values at those instants.
    fills, orders, trades, positions : mapping of str to column
        Tables with the columns `FILL_COLUMNS`, `ORDER_COLUMNS`, `TRADE_COLUMNS` (round trips) and
        `POSITION_COLUMNS` (still open at the end). Times are int64 nanoseconds; quantities are
        unsigned with a side, signed on positions; a price that does not apply is NaN;
        ``return_pct`` is in percent. `fills` may add ``notional``, the traded value, where
        quantity × price is not it (a contract multiplier).
    prices : mapping of str to mapping
        Bars by symbol with the columns `PRICE_COLUMNS`, stamped at the close; may be empty.
    events_processed : int
        Rows of market data given to the kernel.
    elapsed_s, load_s : float
        Seconds from first to last event, and from the call to the first event.
    run_hash : str
        Equal in any process for equal inputs.
    parameters : sequence of dict
        One ``{"name": str, "params": dict}`` for each strategy.
    provenance : mapping
        Data hash, label, versions, seed, warm-up, fill rule and the like. Three keys are read
        here: ``calendar`` (a name of `exchange_calendars`, or ``"24/7"``), ``timezone`` (name of
        the zone whose local date is the session) and ``path``/``ambiguous_bars`` for display.
    order_events : mapping of str to column or None
        Optional history of orders: at least ``ts_event``, ``client_order_id``, ``status``.
    ledger : mapping of str to column
        Movements of cash that are no trade: ``ts_event``, ``kind`` (dividend, interest, ...),
        ``symbol``, ``currency``, ``amount`` as it changed cash.
    rates : mapping of str to float
        Symbol → units of `currency` for one of the currency it is quoted in, at the run's end; of
        symbols quoted in another currency. 0 where no rate was ever stated.
    splits : mapping of str to column
        Splits that the run was given, the oldest first: ``ts_event`` from when on they are in
        force, ``symbol``, ``ratio`` (new units for an old one).
    risk : mapping
        What the risk engine did, as `pyrt.risk.report.report_of` returns it; may be empty.
    messages : sequence of str
        Notes of the engine and the user's strategies, in order.
    """

    initial_cash: float
    currency: str = "USD"
    equity_ts: NDArray[np.int64] = field(default_factory=_no_stamps)
    equity: NDArray[np.float64] = field(default_factory=_no_floats)
    cash: NDArray[np.float64] = field(default_factory=_no_floats)
    gross_exposure: NDArray[np.float64] = field(default_factory=_no_floats)
    fills: Table = field(default_factory=dict)
    orders: Table = field(default_factory=dict)
    trades: Table = field(default_factory=dict)
    positions: Table = field(default_factory=dict)
    prices: Mapping[str, Table] = field(default_factory=dict)
    events_processed: int = 0
    elapsed_s: float = 0.0
    load_s: float = 0.0
    run_hash: str = ""
    parameters: Sequence[Mapping[str, Any]] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)
    order_events: Table | None = None
    ledger: Table = field(default_factory=dict)
    rates: Mapping[str, float] = field(default_factory=dict)
    splits: Table = field(default_factory=dict)
    risk: Mapping[str, Any] = field(default_factory=dict)
    messages: Sequence[str] = ()

    def check(self) -> None:
        """Verify columns, lengths and the order of time.

        Raises
        ------
        DataError
            Naming the table, the column and what is wrong with it.
        """
        _check_curve(self)
        _check_table("fills", self.fills, FILL_COLUMNS)
        _check_table("orders", self.orders, ORDER_COLUMNS)
        _check_table("trades", self.trades, TRADE_COLUMNS)
        _check_table("positions", self.positions, POSITION_COLUMNS)
        for symbol, table in self.prices.items():
            _check_table(f"prices[{symbol}]", table, PRICE_COLUMNS)


def rows(table: Table) -> int:
    """Return the number of rows of a table; 0 for an empty mapping."""
    for column in table.values():
        return len(column)
    return 0


def floats(table: Table, name: str) -> NDArray[np.float64]:
    """Return a column as float64; empty when the table has no rows."""
    return np.asarray(table.get(name, ()), dtype=np.float64)


def in_base(record: RunRecord, table: Table, name: str) -> NDArray[np.float64]:
    """Return a column of amounts or prices in the account's currency, at the run's last rates."""
    found = floats(table, name)
    if not record.rates or not len(found):
        return found
    rates = [record.rates.get(symbol, 1.0) for symbol in texts(table, "symbol")]
    return np.multiply(found, np.asarray(rates, dtype=np.float64))


def stamps(table: Table, name: str) -> NDArray[np.int64]:
    """Return a time column as int64 nanoseconds; empty when the table has no rows."""
    return np.asarray(table.get(name, ()), dtype=np.int64)


def texts(table: Table, name: str) -> list[str]:
    """Return a column as strings, None as the empty string."""
    return ["" if value is None else str(value) for value in table.get(name, ())]


def _check_curve(record: RunRecord) -> None:
    n = len(record.equity_ts)
    for name in ("equity", "cash", "gross_exposure"):
        if len(getattr(record, name)) != n:
            raise DataError(
                f"{name} has {len(getattr(record, name))} points, equity_ts has {n}", column=name
            )
    if n > 1 and bool(np.any(np.diff(record.equity_ts) <= 0)):
        raise DataError("equity_ts does not increase strictly", column="equity_ts")
    if not bool(np.all(np.isfinite(record.equity))):
        raise DataError("equity holds a value that is not finite", column="equity")


def _check_table(label: str, table: Table, names: tuple[str, ...]) -> None:
    if not table:
        return
    missing = [name for name in names if name not in table]
    if missing:
        raise DataError(f"{label} lacks {', '.join(missing)}", table=label, missing=missing)
    lengths = {name: len(column) for name, column in table.items()}
    if len(set(lengths.values())) > 1:
        raise DataError(f"{label} has columns of several lengths: {lengths}", table=label)
