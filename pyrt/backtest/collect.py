"""What a finished run leaves behind, as plain columns that are made when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyrt.core import records as layouts
from pyrt.core.types import LIQUIDITY_NAMES, STATUS_NAMES, TIF_NAMES, TYPE_NAMES
from pyrt.execution.booking import EntryKind
from pyrt.kernel.kernel import Kernel

ENTRY_NAMES = [EntryKind(i).name.lower() for i in range(6)]
DAY = TIF_NAMES.index("day")
NO_PRICE = np.iinfo(np.int64).min
Rows = NDArray[Any]


class LazyTable(Mapping[str, Any]):
    """Columns by name; each is computed on first use and kept."""

    def __init__(self, makers: dict[str, Callable[[], Any]]) -> None:
        self._makers = makers
        self._made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._made:
            self._made[name] = self._makers[name]()
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)


def array(rows: Any, dtype: list[tuple[str, str]]) -> Rows:
    """Return recorded rows as a structured array."""
    return np.frombuffer(rows.tobytes(), dtype)


def money(rows: Rows, name: str) -> NDArray[np.float64]:
    """Return a 128-bit money column as float64."""
    # Extended precision where the platform has it, so that whole amounts come out whole.
    high = rows[f"{name}_high"].astype(np.longdouble) * np.longdouble(2.0**64)
    raw = high + rows[f"{name}_low"].astype(np.longdouble)
    return np.asarray(raw / np.longdouble(10**18), np.float64)


def prices(raw: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return raw prices as float64; NaN where there is none."""
    return np.where(raw == NO_PRICE, np.nan, raw / 1e9)


class Collector:
    """Reads a kernel's records; holds copies, so the kernel can go.

    Parameters
    ----------
    kernel : Kernel
        After its run.
    """

    def __init__(self, kernel: Kernel) -> None:
        records = kernel.records
        self._orders = array(records.orders, layouts.ORDER_DTYPE)
        self._fills = array(records.fills, layouts.FILL_DTYPE)
        self._trips = array(records.trips, layouts.TRIP_DTYPE)
        self._events = array(records.order_events, layouts.ORDER_EVENT_DTYPE)
        self._entries = array(records.ledger, layouts.LEDGER_DTYPE)
        self._equity = array(records.equity, layouts.EQUITY_DTYPE)
        self._texts = list(records.texts.names)
        self._symbols = [i.id for i in kernel.cache.instruments]
        self._bases = [i.base_currency for i in kernel.cache.instruments]
        self._units = np.array([10.0**i.decimals for i in kernel.cache.instruments] or [1.0])
        self._multipliers = np.array([i.multiplier for i in kernel.cache.instruments] or [1])
        self._names = [s.name for s in kernel.strategies]
        self._currencies = list(kernel.account.currencies)
        self._prefix = kernel.desk.prefix

    def _pick(self, names: list[str] | tuple[str, ...], index: NDArray[Any]) -> Any:
        return np.array(names, dtype=object)[index] if len(index) else np.empty(0, object)

    def _ids(self, numbers: NDArray[np.int32]) -> list[str]:
        return [f"{self._prefix}{n}" for n in numbers.tolist()]

    def _quantity(self, rows: Rows, name: str) -> NDArray[np.float64]:
        return np.asarray(rows[name] / self._units[rows["instrument"]])

    def _sides(self, rows: Rows) -> Any:
        return np.where(rows["side"] > 0, "buy", "sell").astype(object)

    def fills(self) -> LazyTable:
        """Return executions of our orders; their value too, where contracts have a multiplier."""
        rows = self._fills
        value = {} if (self._multipliers == 1).all() else {"notional": self._notional}
        return LazyTable(
            {
                "ts_event": lambda: rows["ts_event"],
                "symbol": lambda: self._pick(self._symbols, rows["instrument"]),
                "strategy": lambda: self._pick(self._names, rows["strategy"]),
                "side": lambda: self._sides(rows),
                "quantity": lambda: self._quantity(rows, "quantity"),
                "price": lambda: rows["price"] / 1e9,
                "fee": lambda: np.where(
                    rows["taken"] != 0, self._quantity(rows, "taken"), money(rows, "fee")
                ),
                "fee_currency": lambda: np.where(
                    rows["taken"] != 0,
                    self._pick(self._bases, rows["instrument"]),
                    self._pick(self._currencies, rows["flags"] & 15),
                ),
                "liquidity": lambda: self._pick(LIQUIDITY_NAMES, rows["flags"] >> 4),
                "client_order_id": lambda: self._ids(rows["order"]),
                "execution_id": self._execution_ids,
                **value,
            }
        )

    def _notional(self) -> NDArray[np.float64]:
        rows = self._fills
        units = self._quantity(rows, "quantity") * self._multipliers[rows["instrument"]]
        return np.asarray(units * rows["price"] / 1e9)

    def _execution_ids(self) -> list[str]:
        total: dict[int, int] = {}
        ids = []
        orders = self._fills["order"].tolist()
        for number, quantity in zip(orders, self._fills["quantity"].tolist()):
            total[number] = total.get(number, 0) + quantity
            ids.append(f"{self._prefix}{number}-{total[number]}")
        return ids

    def orders(self) -> LazyTable:
        """Return all orders, in order of submission."""
        rows = self._orders
        return LazyTable(
            {
                "ts_event": lambda: rows["ts_init"],
                "symbol": lambda: self._pick(self._symbols, rows["instrument"]),
                "strategy": lambda: self._pick(self._names, rows["strategy"]),
                "side": lambda: self._sides(rows),
                "type": lambda: self._pick(TYPE_NAMES, rows["type"]),
                "quantity": lambda: self._quantity(rows, "quantity"),
                "filled_quantity": lambda: self._quantity(rows, "filled"),
                "limit_price": lambda: prices(rows["limit_price"]),
                "stop_price": lambda: prices(rows["stop_price"]),
                "time_in_force": lambda: self._pick(TIF_NAMES, rows["time_in_force"]),
                "status": lambda: self._pick(STATUS_NAMES, rows["status"]),
                "reason": lambda: self._pick(self._texts, rows["reason"]),
                "client_order_id": lambda: self._ids(np.arange(1, len(rows) + 1, dtype=np.int32)),
                "tag": lambda: self._pick(self._texts, rows["tag"]),
                "parent": lambda: self._parents(rows["parent"]),
            }
        )

    def _parents(self, numbers: NDArray[np.int32]) -> list[str]:
        return [f"{self._prefix}{n}" if n else "" for n in numbers.tolist()]

    def entries_left_bare(self) -> int:
        """Return after how many entries the exits ended with their day, unfilled.

        They have the entry's time in force, and what was bought stands without them from then on.
        """
        rows = self._orders
        is_over = rows["status"] == STATUS_NAMES.index("EXPIRED")
        left = rows[is_over & (rows["time_in_force"] == DAY) & (rows["parent"] > 0)]
        entries = rows[left["parent"] - 1]
        # A slice of an algorithm has a parent too, of its own side.
        held = left[(entries["side"] != left["side"]) & (entries["filled"] > left["filled"])]
        return len(np.unique(held["parent"]))

    def trades(self) -> LazyTable:
        """Return round trips, in order of their end."""
        rows = self._trips
        factor = self._multipliers[rows["instrument"]]
        quantity = self._quantity(rows, "quantity")

        def return_pct() -> NDArray[np.float64]:
            entry = np.abs(money(rows, "entry_notional"))
            with np.errstate(divide="ignore", invalid="ignore"):
                return np.asarray(100.0 * money(rows, "pnl") / entry)

        return LazyTable(
            {
                "symbol": lambda: self._pick(self._symbols, rows["instrument"]),
                "strategy": lambda: self._pick(self._names, rows["strategy"]),
                "side": lambda: np.where(rows["side"] > 0, "long", "short").astype(object),
                "quantity": lambda: quantity,
                "entry_time": lambda: rows["entry_time"],
                "exit_time": lambda: rows["exit_time"],
                "entry_price": lambda: money(rows, "entry_notional") / quantity / factor,
                "exit_price": lambda: money(rows, "exit_notional") / quantity / factor,
                "pnl": lambda: money(rows, "pnl"),
                "fees": lambda: money(rows, "fees"),
                "return_pct": return_pct,
                "bars": lambda: rows["bars"],
                "tag": lambda: self._pick(self._texts, rows["tag"]),
            }
        )

    def order_events(self) -> LazyTable:
        """Return what happened to orders, in order."""
        rows = self._events
        return LazyTable(
            {
                "ts_event": lambda: rows["ts_event"],
                "client_order_id": lambda: self._ids(rows["order"]),
                "status": lambda: self._pick(STATUS_NAMES, rows["status"]),
            }
        )

    def ledger(self) -> LazyTable:
        """Return movements of cash that are no trade: dividends, interest, borrow fees, ..."""
        rows = self._entries
        return LazyTable(
            {
                "ts_event": lambda: rows["ts_event"],
                "kind": lambda: self._pick(ENTRY_NAMES, rows["kind"]),
                "symbol": lambda: self._pick([*self._symbols, ""], rows["instrument"]),
                "currency": lambda: self._pick(self._currencies, rows["currency"]),
                "amount": lambda: money(rows, "amount"),
            }
        )

    def curve(self) -> dict[str, NDArray[Any]]:
        """Return the equity curve: ts, equity, cash, gross exposure."""
        rows = self._equity
        return {
            "equity_ts": np.ascontiguousarray(rows["ts_event"]),
            "equity": np.ascontiguousarray(rows["equity"]),
            "cash": np.ascontiguousarray(rows["cash"]),
            "gross_exposure": np.ascontiguousarray(rows["exposure"]),
        }


def rates(kernel: Kernel) -> dict[str, float]:
    """Return what a unit of an instrument's currency is worth at the end, where it is another."""
    account = kernel.account
    found = account.rates
    return {
        i.id: float(found.get(i.currency, 0))
        for i in kernel.cache.instruments
        if i.currency != account.base_currency
    }


def positions(kernel: Kernel) -> dict[str, list[Any]]:
    """Return the positions still open at the end."""
    held = kernel.cache.positions()
    return {
        "symbol": [p.instrument.id for p in held],
        "strategy": [kernel.strategies[p.strategy].name for p in held],
        "quantity": [p.quantity for p in held],
        "average_price": [p.average_price for p in held],
        "market_value": [p.market_value for p in held],
        "realized_pnl": [p.realized_pnl for p in held],
        "unrealized_pnl": [p.unrealized_pnl for p in held],
    }
