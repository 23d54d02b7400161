"""Price bands and pauses of limit up, limit down: worked out, and what is told of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pyrt.adapters.alpaca.simulator.streams.frames import Luld, Message, Stamp, Status
from pyrt.backtest.price_bands import read_bands
from pyrt.core.instruments import Instrument
from pyrt.data.columns import TradeColumns

NANO = 1e9
NO_UPPER_BAND = (1 << 63) - 1
IN_FORCE, OFF_HOURS = "B", "F"
"""The feed's codes of a band's message: a change in the day, and the end of the hours of bands."""
PAUSED = {"sc": "2", "sm": "Trading Halt", "rc": "M", "rm": "LULD Trading Pause"}
RESUMED = {"sc": "3", "sm": "Resume", "rc": "", "rm": ""}


def pauses(luld: Any, tables: Sequence[Any], instruments: Mapping[str, Instrument]) -> list[Any]:
    """Return what the exchange carries out for price bands.

    Parameters
    ----------
    luld : str, LuldRule, dict, table or None
        As `pyrt.backtest` takes it; one rule is for all stocks of which prints are recorded.
    tables : sequence of Columns
    instruments : mapping
        By symbol.
    """
    if luld is None:
        return []
    stocks = {name: one for name, one in instruments.items() if one.kind != "crypto"}
    if not (hasattr(luld, "columns") or isinstance(luld, (Mapping, list))):
        traded = {table.symbol for table in tables if isinstance(table, TradeColumns)}
        luld = {symbol: luld for symbol in stocks if symbol in traded}
    return read_bands(luld, tables, stocks)


def interruption(what: str, symbol: str, first: Any, second: int, stamp: Stamp) -> list[Message]:
    """Return the messages of what `Exchange.take_actions` has carried out; none of some."""
    if what == "band" and second == NO_UPPER_BAND:
        return [Luld(S=symbol, u=0.0, d=0.0, i=OFF_HOURS, t=stamp)]
    if what == "band":
        return [Luld(S=symbol, u=second / NANO, d=first / NANO, i=IN_FORCE, t=stamp)]
    if what in ("halt", "resume"):
        return [Status(S=symbol, t=stamp, **(PAUSED if what == "halt" else RESUMED))]
    return []
