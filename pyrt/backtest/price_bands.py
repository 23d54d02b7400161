"""Price bands and pauses of limit up, limit down: from the prints and quotes, or as recorded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pyrt.backtest.actions import rows_of
from pyrt.backtest.band_days import Action, Day
from pyrt.backtest.band_ticks import session_ticks
from pyrt.core.instruments import Instrument
from pyrt.core.numbers import price_to_raw
from pyrt.core.times import timestamp_ns
from pyrt.data.columns import Columns, QuoteColumns, TradeColumns
from pyrt.errors import ConfigError, DataError
from pyrt.venues.luld import LuldRule

TIERS = {"tier1": 1, "tier2": 2}


def read_bands(
    luld: Any,
    tables: Sequence[Columns],
    instruments: Mapping[str, Instrument],
    streams: Mapping[int, Any] | None = None,
) -> list[Action]:
    """Return what the runner does for price bands: "band", "status", "halt", "reopen" rows.

    Parameters
    ----------
    luld : str, dict or table
        ``"tier1"``, ``"tier2"``; a dict of symbol → one of these or a `LuldRule`; or recorded
        bands, a table of ``ts_event symbol lower upper``.
    tables : sequence of Columns
        The run's data; bands are worked out from prints, limit states from quotes.
    instruments : mapping
        By symbol.
    streams : mapping, optional
        Place in `tables` → the ParquetStream of which that table is the first chunk; it is read
        once more, a session at a time.

    Raises
    ------
    ConfigError, DataError
        If a symbol has no prints to work them out from, or recorded bands make no sense.
    """
    if isinstance(luld, (str, LuldRule)):
        luld = _rule(luld)
        symbols = {t.symbol for t in tables if isinstance(t, TradeColumns)}
        if not symbols:
            raise ConfigError(
                "price bands are worked out from prints, and this run has none",
                remedy="Add the symbol's trades, or give recorded bands as a table",
            )
        luld = dict.fromkeys(sorted(symbols), luld)
    elif not isinstance(luld, Mapping) or "ts_event" in luld:
        return _recorded(luld, instruments)
    found: list[Action] = []
    for symbol, value in luld.items():
        rule = _rule(value)
        trades = _chunks(TradeColumns, symbol, tables, streams or {})
        if trades is None or symbol not in instruments:
            raise ConfigError(
                f"price bands of {symbol} are worked out from its prints, and there are none",
                remedy="Add its trades, or leave it out of luld",
            )
        quotes = _chunks(QuoteColumns, symbol, tables, streams or {})
        for day in session_ticks(trades, quotes):
            found += Day(rule, instruments[symbol].index, *day).actions()
    return found


def _chunks(
    kind: type, symbol: str, tables: Sequence[Columns], streams: Mapping[int, Any]
) -> Iterator[Any] | None:
    """Return the pieces of a symbol's table of a kind; None if the run has none."""
    for place, table in enumerate(tables):
        if isinstance(table, kind) and table.symbol == symbol:
            return iter(streams[place].again() if place in streams else (table,))
    return None


def _rule(value: Any) -> LuldRule:
    if isinstance(value, LuldRule):
        return value
    if value in TIERS:
        return LuldRule(tier=TIERS[value])
    raise ConfigError(f"luld is {value!r}", remedy='Write "tier1" or "tier2", or give a LuldRule')


def _recorded(table: Any, instruments: Mapping[str, Instrument]) -> list[Action]:
    found: list[Action] = []
    for row in rows_of(table, "price bands", "ts_event", "symbol", "lower", "upper"):
        instrument = instruments.get(row["symbol"])
        if instrument is None:
            continue
        lower, upper = price_to_raw(row["lower"]), price_to_raw(row["upper"])
        if not 0 <= lower < upper:
            raise DataError(
                f"the bands of {row['symbol']} at {row['ts_event']} are {row['lower']} and "
                f"{row['upper']}",
                remedy="The lower one is below the upper one",
            )
        found.append((timestamp_ns(row["ts_event"]), "band", instrument.index, lower, upper))
    return found
