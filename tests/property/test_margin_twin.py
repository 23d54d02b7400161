"""Margin accounts and their slow twin agree to the last 1e-18, whatever happens to them."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyrt.core.account_rules import account_rules
from pyrt.core.accounts import Account
from pyrt.core.cache import Cache
from pyrt.core.instruments import Instrument, crypto, equity
from tests.reference.margin import SlowHolding, SlowMargin

SYMBOLS = ("SPY", "OTC", "BTC", "SAP")
PRICES = st.integers(1, 400_000).map(lambda cents: Fraction(cents, 1000))
UNITS = st.integers(-3_000_000, 3_000_000).filter(bool).map(lambda n: Fraction(n, 1000))
STEPS = st.one_of(
    st.tuples(st.just("trade"), st.sampled_from(SYMBOLS), UNITS, PRICES),
    st.tuples(st.just("trade"), st.sampled_from(SYMBOLS), UNITS, PRICES),
    st.tuples(st.just("mark"), st.sampled_from(SYMBOLS), UNITS, PRICES),
    st.tuples(st.just("day"), st.sampled_from(SYMBOLS), UNITS, PRICES),
    st.tuples(st.just("rate"), st.sampled_from(SYMBOLS), UNITS, PRICES),
    st.tuples(st.just("deposit"), st.sampled_from(SYMBOLS), UNITS, PRICES),
)
RATES = {"debit_rate": "0.0675", "borrow_rate": "0.031"}


def text(value: Fraction) -> str:
    return f"{float(value):.9f}"


class Pair:
    """An account and its twin."""

    def __init__(self, rules: str) -> None:
        made = account_rules(rules).replace(**RATES)
        self.account = Account(100_000, "USD", made)
        self.instruments = {
            "SPY": equity("SPY"),
            "OTC": equity("OTC", marginable=False),
            "BTC": crypto("BTC/USD"),
            "SAP": Instrument("SAP", currency="EUR"),
        }
        cache = Cache()
        for instrument in self.instruments.values():
            cache.add_instrument(instrument)
            self.account.register(instrument)
        self.account.set_rate("EUR", "1.25")
        self.twin = SlowMargin(
            kind=made.kind,
            multiplier=made.multiplier,
            cash={"USD": Fraction(100_000), "EUR": Fraction(0)},
            holdings={
                "SPY": SlowHolding(True, "USD"),
                "OTC": SlowHolding(False, "USD"),
                "BTC": SlowHolding(False, "USD"),
                "SAP": SlowHolding(True, "EUR"),
            },
            rates={"USD": Fraction(1), "EUR": Fraction(5, 4)},
            debit_rate=Fraction("0.0675"),
            borrow_rate=Fraction("0.031"),
            last_equity=Fraction(100_000),
        )

    def step(self, what: str, symbol: str, units: Fraction, price: Fraction) -> None:
        instrument = self.instruments[symbol]
        if what == "trade":
            fee = abs(units) / 1000
            self.account.execute(instrument, text(units), text(price), text(fee))
            self.twin.trade(symbol, units, price, fee)
        elif what == "mark":
            self.account.mark(instrument, text(price))
            self.twin.holdings[symbol].mark = price
        elif what == "day":
            nights = int(price) % 4
            self.account.close_day(nights)
            self.twin.end_day(nights)
        elif what == "rate":
            self.account.set_rate("EUR", text(price / 100))
            self.twin.rates["EUR"] = price / 100
        else:
            self.account.deposit(text(units), "USD")
            self.twin.cash["USD"] += units

    def compare(self) -> None:
        state = self.account.margin_state()
        for name, value in self.twin.state.items():
            assert Fraction(state[name]) == value, name


@pytest.mark.parametrize("rules", ["margin:2", "margin:4", "alpaca:2", "alpaca:4"])
@settings(max_examples=100)
@given(steps=st.lists(STEPS, min_size=1, max_size=25))
def test_every_figure_is_that_of_the_twin(rules: str, steps: list[Any]) -> None:
    pair = Pair(rules)
    pair.compare()
    for step in steps:
        pair.step(*step)
        pair.compare()


@pytest.mark.parametrize("rules", ["margin:2", "margin:4", "alpaca:2", "alpaca:4", "cash"])
@settings(max_examples=100)
@given(
    steps=st.lists(STEPS, max_size=8), symbol=st.sampled_from(SYMBOLS), units=UNITS, price=PRICES
)
def test_what_can_be_afforded_leaves_nothing_missing(
    rules: str, steps: list[Any], symbol: str, units: Fraction, price: Fraction
) -> None:
    """After a trade that lacked nothing, and was no reduction, no requirement passes equity."""
    pair = Pair(rules)
    for step in steps:
        pair.step(*step)
    held = pair.twin.holdings[symbol].units
    if pair.account.lacks(pair.instruments[symbol], text(units), text(price)) > 0:
        return
    reduces = held * units < 0 and abs(units) <= abs(held)
    lent = Fraction(pair.account.equity_exact) >= 2000
    power = Fraction(pair.account.buying_power_exact)
    pair.step("trade", symbol, units, price)
    if reduces or not pair.account.margin:
        return
    if rules.startswith("margin") and lent:
        assert Fraction(pair.account.margin_state()["buying_power"]) >= 0
        need = pair.twin._sum("intraday")
        fee_back = abs(units) / 1000 * pair.twin.rates[pair.twin.holdings[symbol].currency]
        assert need <= pair.twin.equity + fee_back
    elif lent and pair.twin.holdings[symbol].lends:
        opening = abs(units) if held * units >= 0 else abs(units) - abs(held)
        worth = opening * price * pair.twin.rates[pair.twin.holdings[symbol].currency]
        assert worth <= power + Fraction(1, 10**9)
