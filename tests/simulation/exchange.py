"""The exchanges of simulations: their bars, and whether they have Alpaca's rules."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np

from pyrt.adapters.alpaca.simulator.core import SimulatorCore
from pyrt.adapters.alpaca.simulator.session import make_core
from pyrt.backtest.exchange import Exchange
from pyrt.backtest.fees import fee_model
from pyrt.backtest.slippage import slippage_model
from pyrt.backtest.venue import SimVenue
from pyrt.core.accounts import Account
from pyrt.core.instruments import Instrument
from pyrt.data.columns import BarColumns
from tests.live.lockstep import _bind
from tests.simulation.chances import REPLACING_FROM, STRICT_FROM, is_strict

MINUTE = 60_000_000_000
START = 1_381_175_160_000_000_000  # 2013-10-07 19:46 UTC: the session ends when the data have
MORNING = 1_381_239_000_000_000_000  # the next one begins, 13:30
BEFORE_NIGHT = 14
AFTER_NIGHT = 8
"""Minutes of data up to the close and from the open, where a night lies between."""
NIGHTS = 64
"""Of so many strict schedules one goes on after a night."""
CASH = 1_000_000
PARTICIPATION = (0.0, 0.0, 0.01)


def exchange_of(bars: list[BarColumns], seed: int) -> SimulatorCore:
    """Return the exchange of a schedule: with Alpaca's rules, or one that takes anything."""
    core = (_strict_core if is_strict(seed) else _plain_core)(bars, seed)
    if seed >= REPLACING_FROM:
        draw = Random(f"{seed}:replacing")
        share, seconds = draw.choice((0.1, 0.5, 1.0)), draw.choice((0.2, 1.5, 8.0, 90.0))
        core.faults.set({"slow_replace": share, "replace_s": seconds, "seed": seed})
    return core


def opens_of(seed: int, minutes: int) -> Any:
    """Return when the bars of a schedule open; some strict ones go on after a night.

    A night takes as long to run as forty days, and little happens in it.
    """
    if not is_strict(seed) or (seed - STRICT_FROM) % NIGHTS:
        return START + MINUTE * np.arange(minutes)
    return np.concatenate(
        (START + MINUTE * np.arange(BEFORE_NIGHT), MORNING + MINUTE * np.arange(AFTER_NIGHT))
    )


def walk(symbol: str, ts_open: Any, seed: int) -> BarColumns:
    """Return minute bars of a random walk, on cents."""
    minutes = len(ts_open)
    draw = np.random.default_rng([seed, len(symbol), ord(symbol[0])])
    close = np.round(100 + np.cumsum(draw.choice((-0.3, -0.1, 0.0, 0.1, 0.3), minutes)), 2)
    opens = np.round(np.concatenate((close[:1], close[:-1])) + draw.choice((0.0, 0.05)), 2)
    spread = draw.choice((0.02, 0.1, 0.3), minutes)
    return BarColumns(
        symbol=symbol,
        timeframe="1m",
        timeframe_ns=MINUTE,
        ts_open=ts_open,
        ts_close=ts_open + MINUTE,
        ts_init=ts_open + MINUTE,
        open=opens,
        high=np.maximum(opens, close) + spread,
        low=np.minimum(opens, close) - spread,
        close=close,
        volume=np.full(minutes, 1_000.0),
    )


def _plain_core(bars: list[BarColumns], seed: int) -> SimulatorCore:
    """Return an exchange that takes whatever it is sent, at any time."""
    draw = Random(f"{seed}:broker")
    venue = SimVenue(
        Account(CASH), fee_model(None), slippage_model(None),
        participation=draw.choice(PARTICIPATION), children="next_bar",
    )  # fmt: skip
    for index, table in enumerate(bars):
        instrument = Instrument(table.symbol)
        _bind(instrument, index)
        venue.add_instrument(instrument)
    return SimulatorCore(Exchange(venue, bars), seed=seed)


def _strict_core(bars: list[BarColumns], seed: int) -> SimulatorCore:
    """Return an exchange with Alpaca's rules: wash trades, held quantities, sessions, margin."""
    draw = Random(f"{seed}:broker")
    return make_core(bars, cash=CASH, participation=draw.choice(PARTICIPATION), seed=seed)
