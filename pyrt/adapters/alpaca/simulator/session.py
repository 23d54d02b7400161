"""A simulator core from recorded tables: instruments, sessions, account and rules put together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pyrt.adapters.alpaca.simulator.core import SimulatorCore
from pyrt.adapters.alpaca.simulator.market.actions import Actions
from pyrt.adapters.alpaca.simulator.market.pauses import pauses
from pyrt.adapters.alpaca.simulator.market.series import make_series
from pyrt.adapters.alpaca.simulator.market.touch import with_quotes
from pyrt.adapters.alpaca.simulator.protocol.wires import is_pair
from pyrt.adapters.alpaca.simulator.trading.memo import RememberingRules
from pyrt.backtest.alpaca_fees import AlpacaFees
from pyrt.backtest.exchange import Exchange
from pyrt.backtest.fees import fee_model
from pyrt.backtest.past import first_moment
from pyrt.backtest.slippage import slippage_model
from pyrt.backtest.venue import SimVenue
from pyrt.core.accounts import Account
from pyrt.core.cache import Cache
from pyrt.core.instruments import crypto, equity
from pyrt.core.times import duration_ns
from pyrt.venues.alpaca import AlpacaOptions
from pyrt.venues.sessions import sessions

DAY = 86_400_000_000_000


def make_core(
    tables: Sequence[Any],
    *,
    cash: Any = 100_000,
    fees: Any = None,
    slippage: Any = None,
    account: Any = "alpaca",
    participation: float = 0.0,
    latency: Any = 0,
    options: AlpacaOptions | None = None,
    start: int | None = None,
    actions: Actions | None = None,
    luld: Any = None,
    seed: int = 0,
) -> SimulatorCore:
    """Return a core that trades the symbols of some tables under Alpaca's rules.

    Parameters
    ----------
    tables : sequence of columns
        Bars, quotes, trades and books; a symbol with a slash is a pair of coins, open around the
        clock. Fills come from the finest of each symbol: book, quotes, trades, bars.
    cash : number or str
        Dollars at the start.
    fees, slippage
        As `pyrt.backtest` takes them.
    account : AccountRules, str or mapping
        How the broker judges the account: Alpaca's margin, or ``"cash"``.
    participation : float
        Largest share of a bar's volume that may fill; 0 for no cap.
    latency : int, str or timedelta
        From an order's arrival to its effect.
    options : AlpacaOptions, optional
        Choices of the rules.
    start : int, optional
        Time at which it begins, ns UTC; what is known by then is history.
    actions : Actions, optional
        Splits and dividends.
    luld : str, LuldRule, dict or table, optional
        Price bands and pauses of stocks, as `pyrt.backtest` takes them.
    seed : int
        Of ids.
    """
    charged = fee_model(fees)
    venue = SimVenue(
        Account(cash, rules=account),
        charged,
        slippage_model(slippage),
        participation=participation,
        latency_ns=duration_ns(latency),
    )
    cache = Cache()
    tables = with_quotes(tables)
    series = make_series(tables)
    for symbol in series:
        instrument = crypto(symbol) if is_pair(symbol) else equity(symbol)
        cache.add_instrument(instrument)
        own = [table for table in tables if table.symbol == symbol and len(table)]
        venue.add_instrument(instrument, None if is_pair(symbol) else _sessions_of(own))
    replayed = [*tables, *(one.bars for one in series.values() if one.is_derived)]
    held = pauses(luld, tables, {one.symbol: one for one in cache.instruments})
    rules = RememberingRules(options)
    venue.stop_limit = rules.stop_limit
    core = SimulatorCore(
        Exchange(venue, replayed, held),
        rules,
        series=series,
        actions=actions,
        seed=seed,
        start=start,
    )
    models = (charged, *getattr(charged, "models", ()))
    core.desk.coin_fees = next((m for m in models if isinstance(m, AlpacaFees)), None)
    symbols = core.market.exchange.symbols
    core.market.banded = frozenset(symbols[row[2]] for row in held)
    return core


def _sessions_of(tables: Sequence[Any]) -> tuple[Any, Any] | None:
    """Return opens and closes of the New York sessions around some tables."""
    if not tables:
        return None
    first = min(first_moment(table) for table in tables)
    last = max(int(table.ts_init[-1]) for table in tables)
    found = sessions("XNYS", first - 5 * DAY, last + 100 * DAY)
    return found.open, found.close
