"""Streams a strategy asks for: what is found, and what an error tells it to do."""

from __future__ import annotations

import pandas as pd
import pytest

from pyrt import Strategy, backtest
from pyrt.core.data import Bar, Quote
from pyrt.errors import StrategyError

BARS = pd.DataFrame(
    {"open": 100.0, "high": 101.0, "low": 99.0, "close": 100.0, "volume": 1.0},
    index=pd.date_range("2024-01-02T14:30", periods=30, freq="1min", tz="UTC"),
)


class Listener(Strategy):
    def on_start(self) -> None:
        self.subscribe_bars("SPY", "1m")


def test_a_symbol_asked_of_data_that_name_none_is_answered_with_how_to_name_it() -> None:
    with pytest.raises(StrategyError, match=r"Write symbol='SPY', or .*\{'SPY': frame\}"):
        backtest(Listener(), BARS, label="open", progress=False)


def test_a_misspelled_symbol_is_answered_with_the_nearest() -> None:
    with pytest.raises(StrategyError, match="Did you mean SPX"):
        backtest(Listener(), {"SPX": BARS, "QQQ": BARS}, label="open", progress=False)


class Deaf(Strategy):
    def on_bar(self, bar: Bar) -> None:
        raise AssertionError("nothing was asked for")

    def on_quote(self, quote: Quote) -> None:
        raise AssertionError("nothing was asked for")


class Versatile(Listener):
    def on_bar(self, bar: Bar) -> None:
        """Of quotes it hears in other runs."""

    def on_quote(self, quote: Quote) -> None:
        raise AssertionError("nothing was asked for")


class Failing(Listener):
    def on_bar(self, bar: Bar) -> None:
        raise ValueError("a fault")


def messages_of(strategy: Strategy) -> list[str]:
    found = backtest(strategy, {"SPY": BARS}, label="open", progress=False, on_error="halt")
    return list(found.messages)


def test_a_strategy_that_hears_of_nothing_is_told_so() -> None:
    (message,) = messages_of(Deaf())
    assert "Deaf has subscribed to nothing, so on_bar and on_quote will not be called" in message
    assert "self.subscribe_bars(...) or self.subscribe_quotes(...) in on_start" in message


class Foreign(Strategy):
    def init(self) -> None:
        raise AssertionError("no handler of ours")

    def next(self) -> None:
        raise AssertionError("no handler of ours")


def test_a_strategy_of_another_package_is_told_that_nothing_calls_it() -> None:
    (message,) = messages_of(Foreign())
    assert message.startswith("Foreign defines no handler, such as on_start and on_bar")


@pytest.mark.parametrize("kind", [Strategy, Listener, Versatile])
def test_one_that_handles_nothing_or_hears_of_something_is_not(kind: type[Strategy]) -> None:
    assert messages_of(kind()) == []


def test_one_that_was_stopped_has_another_reason() -> None:
    (message,) = messages_of(Failing())
    assert "a fault" in message
