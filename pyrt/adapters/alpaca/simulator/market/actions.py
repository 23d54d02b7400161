"""Splits and cash dividends: what is announced, adjusted prices, and what the account gets."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np

from pyrt.adapters.alpaca.simulator.protocol.wires import NEW_YORK, SECOND, text
from pyrt.backtest.actions import ratio_of

PRICES = ("o", "h", "l", "c", "vw")
PAID_AFTER = dt.timedelta(days=14)
"""From a dividend's ex-date to its payment, as history lists it; tables know the ex-date only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One corporate action, in force from New York's midnight of its ex-date.

    Attributes
    ----------
    ratio : Fraction or None
        New shares per old one; None of a dividend.
    cash : Decimal
        Dollars per share; 0 of a split.
    previous_close : float
        Close of the session before; 0.0 where it is not known.
    """

    id: str
    symbol: str
    ex_date: dt.date
    ratio: Fraction | None = None
    cash: Decimal = Decimal(0)
    previous_close: float = 0.0

    @property
    def ts(self) -> int:
        """When it is in force, ns UTC."""
        start = dt.datetime.combine(self.ex_date, dt.time(), NEW_YORK)
        return int(start.timestamp()) * SECOND

    @property
    def process_date(self) -> dt.date:
        """The date that history is asked by: of payment, or of a split its ex-date."""
        return self.ex_date + PAID_AFTER if self.ratio is None else self.ex_date

    @property
    def kind(self) -> str:
        """Alpaca's name of its type, as history lists it."""
        if self.ratio is None:
            return "cash_dividends"
        return "forward_splits" if self.ratio > 1 else "reverse_splits"

    @property
    def cusip(self) -> str:
        """Nine characters that stand for the symbol; the tables hold no real ones."""
        return f"{self.symbol:0<9}"[:9].replace("/", "0")


class Actions:
    """The corporate actions of the symbols served, oldest first."""

    def __init__(self, actions: Iterable[Action] = ()) -> None:
        self.all = sorted(actions, key=lambda action: (action.ex_date, action.symbol))

    def adjust(
        self, symbol: str, bars: dict[str, Any], wanted: frozenset[str], now: int
    ) -> dict[str, Any]:
        """Return bars in terms of today's shares, for the kinds of adjustment asked for."""
        splits = bool(wanted & {"split", "all"})
        dividends = bool(wanted & {"dividend", "all"})
        for action in self.all:
            if action.symbol != symbol or action.ts > now or not len(bars["t"]):
                continue
            before = bars["t"] < action.ts
            if action.ratio is not None and splits:
                bars = _scaled(bars, before, float(1 / action.ratio), float(action.ratio))
            elif action.ratio is None and dividends and action.previous_close > 0:
                factor = 1 - float(action.cash) / action.previous_close
                bars = _scaled(bars, before, factor, 1.0)
        return bars


def _scaled(bars: dict[str, Any], rows: Any, price: float, volume: float) -> dict[str, Any]:
    made = {name: np.where(rows, np.round(bars[name] * price, 6), bars[name]) for name in PRICES}
    units = np.where(rows, bars["v"] * volume, bars["v"])
    return {**bars, **made, "v": np.round(units).astype(bars["v"].dtype)}


def read_table(rows: Iterable[Mapping[str, Any]], symbols: Iterable[str]) -> Actions:
    """Return the actions of some symbols from rows as `pyrt.backtest.actions` describes them."""
    known = set(symbols)
    found = []
    for number, row in enumerate(rows):
        if row["symbol"] not in known:
            continue
        is_split = row["kind"] == "split"
        day = row["ex_date"]
        found.append(
            Action(
                id=f"{number:08x}-0000-4000-8000-{number:012x}",
                symbol=row["symbol"],
                ex_date=day if isinstance(day, dt.date) else dt.date.fromisoformat(str(day)[:10]),
                ratio=ratio_of(float(row["split_ratio"])) if is_split else None,
                cash=Decimal(0) if is_split else Decimal(str(round(float(row["cash_amount"]), 6))),
                previous_close=float(row.get("prev_close") or 0.0),
            )
        )
    return Actions(found)


def history_body(action: Action) -> dict[str, Any]:
    """Return the JSON object of `/v1/corporate-actions`."""
    day = action.ex_date.isoformat()
    body: dict[str, Any] = {"id": action.id, "symbol": action.symbol}
    if action.ratio is None:
        body |= {"cusip": action.cusip, "rate": float(action.cash)}
        body |= {"special": False, "foreign": False}
    else:
        body |= {"new_rate": float(action.ratio.numerator)}
        body |= {"old_rate": float(action.ratio.denominator)}
        if action.ratio > 1:
            body["cusip"] = action.cusip
        else:
            body |= {"old_cusip": action.cusip, "new_cusip": action.cusip}
    paid = action.process_date.isoformat()
    return {**body, "process_date": paid, "ex_date": day, "record_date": day, "payable_date": paid}


def announcement_body(action: Action) -> dict[str, Any]:
    """Return the JSON object of `/v2/corporate_actions/announcements`."""
    day = action.ex_date.isoformat()
    ratio = Fraction(1) if action.ratio is None else action.ratio
    split = "stock_split" if ratio > 1 else "reverse_split"
    return {
        "id": action.id,
        "corporate_action_id": f"{action.cusip}_{day}",
        "ca_type": "dividend" if action.ratio is None else "split",
        "ca_sub_type": "cash" if action.ratio is None else split,
        "initiating_symbol": action.symbol,
        "initiating_original_cusip": action.cusip,
        "target_symbol": action.symbol,
        "target_original_cusip": action.cusip,
        "declaration_date": day,
        "effective_date": day,
        "ex_date": day,
        "record_date": day,
        "payable_date": action.process_date.isoformat(),
        "cash": text(action.cash),
        "old_rate": str(ratio.denominator),
        "new_rate": str(ratio.numerator),
    }


def load_table(path: str, symbols: Iterable[str]) -> Actions:
    """Return the actions of some symbols from a Parquet table."""
    import pyarrow.parquet as pq

    return read_table(pq.read_table(path).to_pylist(), symbols)
