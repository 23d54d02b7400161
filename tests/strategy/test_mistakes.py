"""What makes no sense is refused where it is written, with the value named."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from pyrt import BacktestEngine, Strategy, backtest
from pyrt.core.times import format_ns
from pyrt.errors import ConfigError, DataError, OrderError, StrategyError
from pyrt.indicators import SMA
from tests.kernel.test_one_instant import MINUTE, START, bars


class Sends(Strategy):
    """Sends one order, given as arguments of `buy`."""

    def on_start(self):
        self.subscribe_bars("A", "1m")

    def on_bar(self, bar):
        getattr(self, self.side)("A", **self.terms)


def sent(side="buy", **terms):
    strategy = Sends()
    strategy.side, strategy.terms = side, terms
    with pytest.raises(StrategyError) as raised:
        backtest(strategy, bars("A", 2), progress=False)
    return raised.value.__cause__


@pytest.mark.parametrize("quantity", [0, -1, math.nan, math.inf, 1e30])
def test_a_quantity_must_be_a_positive_number(quantity):
    error = sent(quantity=quantity)
    assert isinstance(error, OrderError)
    assert str(error).startswith(f"quantity is {quantity!r}; expected a positive number")


@pytest.mark.parametrize(
    ("side", "terms"),
    [
        ("buy", {"take_profit": 90, "stop_loss": 110}),
        ("sell", {"take_profit": 110, "stop_loss": 90}),
        ("buy", {"limit_price": 100, "take_profit": 99}),
        ("buy", {"limit_price": 100, "stop_loss": 100}),
        ("sell", {"limit_price": 100, "stop_loss": 99}),
    ],
)
def test_exits_on_the_wrong_side_are_refused(side, terms):
    error = sent(side, quantity=1, **terms)
    assert isinstance(error, OrderError)
    assert "would leave at once" in str(error)


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        ({}, "needs a quantity or a notional"),
        ({"quantity": 1, "notional": 5}, "give one of them"),
        ({"quantity": 1, "stop_price": 99, "trail_amount": 1}, "exclude each other"),
        ({"quantity": 1, "time_in_force": "forever"}, "time_in_force is 'forever'"),
        ({"quantity": 1, "time_in_force": "gtd"}, "go together"),
        (
            {"quantity": 1, "expires_at": "2001-01-01"},
            "expires_at 2001-01-01T00:00:00Z has passed already: it is 20",
        ),
        ({"notional": 5, "limit_price": 3}, "by notional is a market order"),
        ({"quantity": 1, "post_only": True}, "post_only needs a limit order"),
        ({"quantity": 1, "limit_price": -1}, "expected a positive price"),
    ],
)
def test_terms_that_do_not_go_together_are_named(terms, message):
    assert message in str(sent(**terms))


def test_a_handler_that_would_never_be_called_is_named():
    class Typo(Strategy):
        def on_bars(self, bar):
            """Meant to be on_bar."""

    with pytest.raises(ConfigError, match=r"Typo\.on_bars is no handler.*Did you mean on_bar"):
        Typo()


@pytest.mark.parametrize("stream", ["A", None])
def test_an_indicator_is_attached_to_a_stream_and_not_to_a_name(stream):
    with pytest.raises(TypeError, match="Argument 'stream' "):
        Strategy().attach(SMA(3), stream)


@pytest.mark.parametrize("cash", [0, -5])
def test_cash_must_be_positive(cash):
    with pytest.raises(ConfigError, match="cash is"):
        BacktestEngine(cash=cash)


def test_a_seed_is_a_whole_number():
    with pytest.raises(ConfigError, match="seed is 'x'"):
        BacktestEngine(seed="x")


def test_a_way_to_cost_units_that_is_none_is_named_before_the_run():
    with pytest.raises(ConfigError, match="cost is 'lifo'; expected 'average' or 'fifo'"):
        BacktestEngine(cost="lifo")


def test_a_start_after_all_data_is_an_error():
    with pytest.raises(DataError, match="no data lie after start=2030-01-01T00:00:00Z"):
        backtest(Sends(), bars("A", 2), start="2030-01-01", progress=False)


@pytest.mark.parametrize("start", [None, "1990-01-01"])
def test_an_end_before_all_data_is_an_error(start):
    with pytest.raises(DataError, match="no data lie in the time before end=2001-01-02T00:00:00Z"):
        backtest(Sends(), bars("A", 2), start=start, end="2001-01-01", progress=False)


def test_an_end_before_the_start_is_an_error():
    data = bars("A", 5)
    for end in (2, 3):
        with pytest.raises(ConfigError, match=r"start=.* is not before end="):
            backtest(Sends(), data, start=data.ts_open[3], end=data.ts_open[end], progress=False)


def test_start_and_end_are_read_in_the_zone_of_the_stamps():
    class Counts(Strategy):
        def on_start(self):
            self.subscribe_bars("A", "1m")
            self.seen = []

        def on_bar(self, bar):
            self.seen.append(format_ns(bar.ts_open)[11:16])

    index = pd.date_range("2024-01-02 09:30", periods=60, freq="1min")
    data = {"A": pd.DataFrame(dict.fromkeys(["open", "high", "low", "close"], 100.0), index)}
    span = {"start": "2024-01-02 09:40", "end": "2024-01-02 09:43", "progress": False}
    counts = Counts()
    backtest(counts, data, label="open", tz="America/New_York", **span)
    assert counts.seen == ["14:40", "14:41", "14:42"]


@pytest.mark.parametrize("account", ["cash", "margin"])
def test_a_symbol_listed_after_the_end_takes_no_part(account):
    class Both(Strategy):
        def on_start(self):
            for symbol in "AB":
                self.subscribe_bars(symbol, "1m")

        def on_bar(self, bar):
            self.buy("B" if bar.symbol == "A" else "A", 1)

    early, late = bars("A", 5), bars("B", 5, start=START + 100 * MINUTE)
    options = {"end": START + 5 * MINUTE, "account": account, "ledger": True, "progress": False}
    result = backtest(Both(), [late, early], calendar="24/7", **options)
    assert result.events_processed == 5
    assert list(result.orders["symbol"]) == ["B"] * 5
    assert list(result.orders["status"]) == ["ACCEPTED"] * 5
    assert len(result.equity) == 5


def test_an_empty_path_is_no_data():
    with pytest.raises(DataError, match="path of the data is empty"):
        backtest(Sends(), "", progress=False)


def test_orders_that_meet_several_opens_at_once_fill_as_they_were_sent():
    class Swap(Strategy):
        def on_start(self):
            self.subscribe_bars("A", "1m")
            self.subscribe_bars("B", "1m")
            self.step = 0

        def on_bar(self, bar):
            if bar.symbol != "B":
                return
            self.step += 1
            if self.step == 1:
                self.buy("B", 9)
            elif self.step == 3:
                self.sell("B", 9)
                self.buy("A", 9)

    result = backtest(Swap(), [bars("A", 6), bars("B", 6)], cash=1_000, progress=False)
    assert result.fills.symbol.tolist() == ["B", "B", "A"]


def test_a_timer_in_bare_seconds_would_be_one_in_nanoseconds():
    class Beat(Strategy):
        def on_start(self):
            self.set_timer("beat", 600)

    with pytest.raises(StrategyError, match="600 is 600 nanoseconds"):
        backtest(Beat(), bars("A", 2), progress=False)
