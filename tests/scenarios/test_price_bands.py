"""Price bands and pauses at the venue: what trades, what waits, and how trading begins again."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pyrt import BacktestEngine, Strategy, backtest
from pyrt.backtest.band_days import states_of
from pyrt.backtest.price_bands import read_bands
from pyrt.core.instruments import Instrument
from pyrt.core.price_bands import PriceBands
from pyrt.core.types import TRADING_STATUS_NAMES
from pyrt.data.tables import load
from pyrt.errors import ConfigError, DataError
from pyrt.risk import Limits
from pyrt.venues.luld import LuldRule, state_of
from tests.backtest.depths import SYMBOL, Timed, levels, play, prints, quotes, stamp

FAR = 9_223_372_036.854775807


def buy(quantity: float, **terms: Any) -> Any:
    return lambda s: s.buy(SYMBOL, quantity, **terms)


def sell(quantity: float, **terms: Any) -> Any:
    return lambda s: s.sell(SYMBOL, quantity, **terms)


def bands(*rows: tuple[float, float, float]) -> pd.DataFrame:
    """Recorded bands (seconds, lower, upper)."""
    return pd.DataFrame(
        [(stamp(t), SYMBOL, lower, upper) for t, lower, upper in rows],
        columns=["ts_event", "symbol", "lower", "upper"],
    )


BOOK = ((0, "B", 99, 5), (0, "B", 98, 9), (0, "A", 100, 5), (0, "A", 101, 5), (0, "A", 102, 9))


@pytest.mark.parametrize(
    ("command", "fills", "status"),
    [
        # What lies inside the bands trades as ever.
        (buy(5), [(0.5, 5, 100)], "FILLED"),
        (sell(5), [(0.5, -5, 99)], "FILLED"),
        # Beyond them nothing does: the rest waits, and goes on when the bands let it.
        (buy(8), [(0.5, 5, 100), (2, 3, 101)], "FILLED"),
        (sell(8), [(0.5, -5, 99)], "PARTIALLY_FILLED"),
        (buy(8, limit_price=101), [(0.5, 5, 100), (2, 3, 101)], "FILLED"),
        (buy(8, time_in_force="ioc"), [(0.5, 5, 100)], "CANCELED"),
        (buy(8, time_in_force="fok"), [], "CANCELED"),
    ],
)
def test_nothing_trades_outside_the_bands(command: Any, fills: Any, status: str) -> None:
    rows = (*BOOK, (2, "B", 97, 1), (9, "B", 96, 1))
    run = play(
        {"book": levels(*rows)}, {0.5: command}, luld=bands((0, 98.5, 100.5), (1, 98.5, 101.5))
    )
    assert run.filled == fills
    assert run.statuses == [status]


def test_bands_hold_on_quotes_and_prints_alone_as_well() -> None:
    rows = quotes((0, 99, 5, 100, 5), (1, 99, 5, 101, 5), (2, 99, 5, 100.5, 5))
    run = play({"quotes": rows}, {0.5: buy(3)}, luld=bands((0, 95, 100.5)))
    assert run.filled == [(2, 3, 100.5)]
    run = play(
        {"trades": prints((0, 99, 5, ""), (1, 101, 5, ""), (2, 100, 5, ""))},
        {0.5: buy(3)},
        luld=bands((0, 95, 100.5)),
    )
    assert run.filled == [(2, 3, 100)]


def test_slippage_ends_at_the_band() -> None:
    run = play({"book": levels(*BOOK, (9, "B", 96, 1))}, {0.5: buy(5)},
               slippage="ticks:90", luld=bands((0, 98.5, 100.5)))  # fmt: skip
    assert run.filled == [(0.5, 5, 100.5)]


def test_a_halt_ends_with_its_auction() -> None:
    """Market orders and limits no worse than the price trade, up to the size; the rest waits."""
    rows = quotes((0, 99, 5, 100, 5), (5, 102, 5, 103, 50), (9, 102, 5, 103, 50))
    halts = pd.DataFrame(
        [(SYMBOL, stamp(1), stamp(4), "news", 101.0, 12.0)],
        columns=["symbol", "start", "end", "reason", "price", "size"],
    )
    steps = {
        2.0: buy(3, limit_price=101.5),
        2.1: buy(4, limit_price=100.5),
        2.2: buy(10),
        2.3: sell(2, limit_price=100),
        2.4: buy(1, stop_price=105),
    }
    run = play({"quotes": rows}, steps, halts=halts)
    # The market order comes before all limits, then the better limit gets what is left of 12.
    assert run.filled[:3] == [(4, 10, 101), (4, 2, 101), (4, -2, 101)]
    assert run.statuses == ["PARTIALLY_FILLED", "ACCEPTED", "FILLED", "FILLED", "ACCEPTED"]
    heard = run.strategies[0].heard  # type: ignore[attr-defined]
    assert heard == [(1, "halted", "news"), (4, "trading", "news")]


# -- worked out from prints and quotes ---------------------------------------------------------


def worked_out(
    trades: list[tuple[float, float]],
    touch: list[tuple[float, float, float]] | None = None,
    rule: Any = "tier1",
) -> list[tuple[Any, ...]]:
    """What a morning of 2024-01-02 comes to: (second, what, prices); prints (second, price)."""
    tables = [prints(*((t, p, 100, "") for t, p in trades))]
    if touch:
        tables.append(quotes(*((t, bid, 5, ask, 5) for t, bid, ask in touch)))
    columns = [c for table in tables for c in load(table, symbol=SYMBOL).columns]
    instrument = Instrument(SYMBOL)
    found = []
    for ts, what, _, first, second in read_bands({SYMBOL: rule}, columns, {SYMBOL: instrument}):
        terms = (first / 1e9, second / 1e9) if what == "band" else ()
        if what == "status":
            what = TRADING_STATUS_NAMES[first]
        found.append(
            ((ts - stamp(0)) / 1e9, what, *terms, *((first / 1e9,) if what == "reopen" else ()))
        )
    return found


CLOSE = 23_400.0
QUARTER = CLOSE - 1_500.0  # 25 minutes before the close
OFF = (CLOSE, "band", 0.0, FAR)


def test_the_first_print_is_the_first_reference() -> None:
    assert worked_out([(-60, 90.0), (2, 100.0), (3, 100.4)]) == [
        (2, "band", 95.0, 105.0),
        (QUARTER, "band", 90.0, 110.0),
        OFF,
    ]


def test_a_reference_moves_with_the_mean_of_five_minutes_by_one_percent_after_30_seconds() -> None:
    trades = [
        (0, 100.0),
        # The mean is 101.50 at once, but the first reference holds for 30 seconds ...
        (10, 103.0),
        (29.9, 103.0),
        # ... and here it is (100 + 103 + 103 + 104) / 4.
        (30, 104.0),
        # 400 seconds on, the five minutes hold this print alone; less than a percent from 102.50.
        (430, 103.0),
        (500, 104.0),  # (103 + 104) / 2 is 103.50: 0.98 %
        (600, 105.0),  # (103 + 104 + 105) / 3 is 104: 1.46 %
    ]
    assert worked_out(trades) == [
        (0, "band", 95.0, 105.0),
        (30, "band", 97.38, 107.63),
        (600, "band", 98.8, 109.2),
        (QUARTER, "band", 93.6, 114.4),
        OFF,
    ]


def test_a_limit_state_of_15_seconds_is_a_pause_of_five_minutes() -> None:
    trades = [(0, 100.0), (400, 94.0), (430, 94.2)]
    touch = [
        (0, 99.9, 100.1),
        # 14 seconds at the lower band, then back: no pause.
        (50, 94.9, 95.0),
        (64, 95.1, 95.2),
        # 15 seconds at it.
        (70, 94.8, 95.0),
        (80, 94.7, 95.0),
        (380, 93.9, 94.1),
    ]
    assert worked_out(trades, touch) == [
        (0, "band", 95.0, 105.0),
        (50, "limit_state"),
        (64, "trading"),
        (70, "limit_state"),
        (85, "halt"),
        # The first print from five minutes later on is the reopening, and the next reference.
        (400, "reopen", 94.0),
        (400, "resume"),
        (400, "band", 89.3, 98.7),
        (QUARTER, "band", 84.6, 103.4),
        OFF,
    ]


@pytest.mark.parametrize(
    "touch",
    [
        [(0, 99.9, 100.1), (50, 95.0, 95.0)],  # locked: nobody waits
        [(0, 99.9, 100.1), (50, 94.8, 95.01)],  # a cent above the band
        [(0, 99.9, 100.1), (50, float("nan"), 95.0)],  # one side only
    ],
)
def test_no_limit_state(touch: list[tuple[float, float, float]]) -> None:
    said = {row[1] for row in worked_out([(0, 100.0)], touch)}
    assert not said & {"limit_state", "halt"}


def test_the_upper_band_is_a_limit_too() -> None:
    found = worked_out([(0, 100.0), (400, 104.0)], [(0, 99.9, 100.1), (50, 105.0, 105.1)])
    assert found[1:3] == [(50, "limit_state"), (65, "halt")]


def test_a_pause_in_the_last_ten_minutes_lasts_to_the_close() -> None:
    late = CLOSE - 500
    found = worked_out([(0, 100.0), (late + 320, 90.0)], [(0, 99.9, 100.1), (late, 89.9, 90.0)])
    assert found[2:] == [
        (late, "limit_state"), (late + 15, "halt"), (CLOSE, "resume"), OFF,
    ]  # fmt: skip


def test_each_session_begins_anew() -> None:
    day = 86_400.0
    found = worked_out([(0, 100.0), (day, 50.0)], rule=LuldRule(tier=2))
    assert [row for row in found if row[0] in (0, day)] == [
        (0, "band", 90.0, 110.0),
        (day, "band", 45.0, 55.0),
    ]


def test_orders_wait_out_a_pause_that_was_worked_out() -> None:
    tables = {
        "trades": prints((0, 100, 100, ""), (400, 94, 100, ""), (410, 94.2, 100, "")),
        "quotes": quotes(
            (0, 99.9, 5, 100.1, 5), (50, 94.8, 5, 95.0, 5), (399, 93.9, 5, 94.1, 5),
            (420, 94.0, 5, 94.3, 5),
        ),
    }  # fmt: skip
    # Sent in the pause; the reopening print is its price.
    run = play(tables, {200.0: buy(2)}, luld="tier1")
    assert run.filled == [(400, 2, 94)]
    heard = run.strategies[0].heard  # type: ignore[attr-defined]
    assert [(at, status) for at, status, _ in heard] == [
        (50, "limit_state"), (65, "halted"), (400, "trading"),
    ]  # fmt: skip


def test_a_straddle_state_is_told_and_stops_nothing() -> None:
    touch = [
        (0, 99.9, 100.1),
        (50, 94.0, 100.1),  # the bid is below the lower band
        (60, 94.0, 95.0),  # a limit state, which comes first
        (61, 99.0, 105.5),  # the offer is above the upper band
        (900, 99.0, 100.0),
    ]
    assert worked_out([(0, 100.0)], touch)[1:5] == [
        (50, "straddle_state"),
        (60, "limit_state"),
        (61, "straddle_state"),
        (900, "trading"),
    ]


def test_states_are_those_of_the_stated_rule() -> None:
    prices = [0, 94, 95, 96, 100, 104, 105, 106]
    for bid, ask in itertools.product(prices, prices):
        (code,) = states_of(np.array([bid]), np.array([ask]), 95, 105)
        assert TRADING_STATUS_NAMES[code] == state_of(bid, ask, 95, 105)


LIMITED = {
    "trades": prints((0, 100, 100, ""), (30, 97, 100, ""), (40, 97, 100, "")),
    "quotes": quotes(
        (0, 99.9, 5, 100.1, 5), (10, 94.8, 5, 95.0, 5), (20, 96.0, 5, 97.0, 5),
        (41, 96.5, 5, 97.5, 5),
    ),
}  # fmt: skip


def limited(seconds: float, limits: Limits | None, **options: Any) -> tuple[str, str]:
    """Return what becomes of an order sent then: its status and the reason."""
    strategy = Timed({seconds: buy(2)}, list(LIMITED))
    result = backtest(
        strategy, list(LIMITED.values()), symbol=SYMBOL, limits=limits, progress=False, **options
    )
    row = result.orders.iloc[0]
    return row["status"], row["reason"].partition(":")[0]


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        # Nothing is limited: the venue alone decides.
        (None, ("FILLED", "")),
        (Limits(max_order_quantity=100), ("DENIED", "limit_state")),
        (Limits(max_order_quantity=100, deny_limit_state=False), ("FILLED", "")),
    ],
)
def test_limits_keep_entries_back_in_a_limit_state(
    limits: Limits | None, expected: tuple[str, str]
) -> None:
    assert limited(15.0, limits, luld="tier1") == expected
    # Once it is over they leave as ever.
    assert limited(25.0, limits, luld="tier1") == ("FILLED", "")


def test_limits_know_of_recorded_halts_as_a_node_does() -> None:
    halts = pd.DataFrame([(SYMBOL, stamp(5), stamp(25), "news")],
                         columns=["symbol", "start", "end", "reason"])  # fmt: skip
    assert limited(15.0, Limits(max_order_quantity=100), halts=halts) == ("DENIED", "halted")
    assert limited(15.0, None, halts=halts) == ("FILLED", "")


def test_a_halt_for_another_reason_outlasts_a_limit_state() -> None:
    halts = pd.DataFrame([(SYMBOL, stamp(12), stamp(30), "news")],
                         columns=["symbol", "start", "end", "reason"])  # fmt: skip
    run = play(LIMITED, {15.0: buy(2)}, halts=halts, luld="tier1")
    heard = run.strategies[0].heard  # type: ignore[attr-defined]
    # The touch leaves the band at 20, in the halt: nobody is told that there is trading.
    assert [(at, status) for at, status, _ in heard] == [
        (10, "limit_state"), (12, "halted"), (30, "trading"),
    ]  # fmt: skip
    assert run.filled == [(41, 2, 97.5)]


class Bands(Strategy):
    def on_start(self) -> None:
        self.subscribe_quotes(SYMBOL)
        self.subscribe(f"data.bands.{SYMBOL}", self.on_bands)
        self.told: list[tuple[float, float, float]] = []

    def on_bands(self, bands: PriceBands) -> None:
        self.told.append(((bands.ts_event - stamp(0)) / 1e9, bands.lower, bands.upper))


def test_strategies_can_hear_of_bands() -> None:
    tables = [load(table, symbol=SYMBOL) for table in LIMITED.values()]
    engine = BacktestEngine()
    engine.add_venue(luld="tier1")
    for table in tables:
        engine.add_loaded(table)
    strategy = engine.add_strategy(Bands())
    engine.run()
    assert strategy.told[0] == (0, 95.0, 105.0)


@pytest.mark.parametrize(
    ("luld", "error", "message"),
    [
        ("tier3", ConfigError, "luld is 'tier3'"),
        ({"Y": "tier1"}, ConfigError, "price bands of Y are worked out from its prints"),
        (bands((0, 101, 100)), DataError, "The lower one is below the upper one"),
    ],
)
def test_bands_that_make_no_sense_are_refused(luld: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        play({"trades": prints((0, 100, 1, ""))}, {}, luld=luld)


def test_bands_need_prints() -> None:
    with pytest.raises(ConfigError, match="this run has none"):
        play({"quotes": quotes((0, 99, 1, 100, 1))}, {}, luld="tier1")
    with pytest.raises(ConfigError, match="luld is 'tier9'"):
        play({"quotes": quotes((0, 99, 1, 100, 1))}, {}, luld="tier9")
