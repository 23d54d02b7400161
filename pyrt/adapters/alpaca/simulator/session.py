"""A simulator core from tables of bars: instruments, sessions, account and rules put together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pyrt.adapters.alpaca.simulator.core import SimulatorCore
from pyrt.adapters.alpaca.simulator.wires import is_pair
from pyrt.backtest.exchange import Exchange
from pyrt.backtest.fees import fee_model
from pyrt.backtest.slippage import slippage_model
from pyrt.backtest.venue import SimVenue
from pyrt.core.accounts import Account
from pyrt.core.cache import Cache
from pyrt.core.instruments import Instrument
from pyrt.venues.alpaca import AlpacaOptions, AlpacaRules
from pyrt.venues.sessions import sessions

DAY = 86_400_000_000_000


def make_core(
    tables: Sequence[Any],
    *,
    cash: Any = 100_000,
    fees: Any = None,
    slippage: Any = None,
    options: AlpacaOptions | None = None,
) -> SimulatorCore:
    """Return a core that trades the symbols of bar tables under Alpaca's rules.

    Parameters
    ----------
    tables : sequence of BarColumns
        One for each symbol; a symbol with a slash is a pair of coins, open around the clock.
    cash : number or str
        Dollars at the start.
    fees, slippage
        As `pyrt.backtest` takes them.
    options : AlpacaOptions, optional
        Choices of the rules.
    """
    venue = SimVenue(Account(cash), fee_model(fees), slippage_model(slippage))
    cache = Cache()
    for columns in tables:
        instrument = Instrument(columns.symbol)
        cache.add_instrument(instrument)
        venue.add_instrument(instrument, _sessions_of(columns))
    return SimulatorCore(Exchange(venue, list(tables)), AlpacaRules(options))


def _sessions_of(columns: Any) -> tuple[Any, Any] | None:
    """Return opens and closes of the New York sessions around a table; None for coins."""
    if is_pair(columns.symbol) or not len(columns):
        return None
    span = int(columns.ts_open[0]) - 5 * DAY, int(columns.ts_close[-1]) + 100 * DAY
    table = sessions("XNYS", *span)
    return table.open, table.close


def cut_before(columns: Any, start: int) -> Any:
    """Return the bars of a table that open at `start` (ns UTC) or later."""
    from pyrt.data.columns import take

    return take(columns, columns.ts_open >= start)
