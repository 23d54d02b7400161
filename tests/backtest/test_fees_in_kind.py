"""Fees taken in what is bought: what is held, what is paid, and books that balance to the last."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyrt import Strategy, backtest, load
from pyrt.core.instruments import crypto, listed
from pyrt.core.orders import Fill
from pyrt.core.positions import Position
from pyrt.core.serialization import from_dict, to_dict
from tests.backtest.harness import Run, Script, frame, play
from tests.live.worlds import backtested, lived

COIN = "BTC/USD"
FLAT = [(10_000.0,) * 4] * 8


def played(steps: Any, bars: Any = None, **options: Any) -> Run:
    run = play(
        {COIN: bars or FLAT},
        Script(steps, symbol=COIN),
        instrument=listed(COIN),
        name=options.pop("name", "alpaca"),
        engine={"ledger": True},
        **options,
    )
    kernel = run.kernel
    assert kernel.booking.ledger is not None
    assert not kernel.booking.ledger.differences(kernel.account, kernel.cache.all_positions())
    return run


def test_a_fill_that_was_seen_at_alpaca_leaves_what_was_seen() -> None:
    bars = [(100_000.0,) * 4] * 4
    run = played({0: lambda s: s.buy(COIN, "0.000175822", limit_price=101_000)}, bars)
    (fill,) = run.table("fills")
    assert (fill["quantity"], fill["fee"], fill["fee_currency"]) == (0.000175822, 4.4e-7, "BTC")
    assert run.kernel.cache.positions()[0].quantity_exact == D("0.000175382")
    # The price of all of it was paid, and no more.
    assert run.kernel.account.cash_exact == D(100_000) - D("17.5822")


def test_of_a_sale_the_fee_is_money_rounded_up_to_the_cent() -> None:
    run = played({0: lambda s: s.buy(COIN, 1), 2: lambda s: s.close(COIN)})
    bought, sold = run.table("fills")
    assert (bought["fee"], bought["fee_currency"]) == (0.0025, "BTC")
    # 25 bps of 9,975 dollars are 24.9375.
    assert (sold["quantity"], sold["fee"], sold["fee_currency"]) == (0.9975, 24.94, "USD")
    assert run.kernel.account.cash_exact == D(100_000) - 10_000 + 9_975 - D("24.94")
    (trip,) = run.table("trades")
    assert (trip["quantity"], trip["fees"], trip["pnl"]) == (0.9975, 49.94, -49.94)


def test_no_cash_is_asked_for_the_fee_of_a_purchase() -> None:
    run = played({0: lambda s: s.buy(COIN, 1, limit_price=10_000)}, cash=10_000,
                 touch_fills=True)  # fmt: skip
    assert run.table("orders")[0]["status"] == "FILLED"
    assert run.kernel.account.cash_exact == 0


def test_what_was_filled_is_more_than_can_be_sold() -> None:
    run = played({0: lambda s: s.buy(COIN, 1), 2: lambda s: s.sell(COIN, 1)})
    assert run.table("orders")[1]["reason"].startswith("40310000: insufficient balance for BTC")


def test_exits_that_are_emulated_work_for_what_is_held() -> None:
    bars = [*FLAT[:3], (10_000, 11_000, 10_000, 11_000), *FLAT[:2]]
    run = played(
        {0: lambda s: s.buy(COIN, 1, take_profit=10_500, stop_loss=9_000)}, bars, emulate="all"
    )
    assert [(f["side"], f["quantity"], f["price"]) for f in run.table("fills")] == [
        ("buy", 1, 10_000),
        ("sell", 0.9975, 10_500),
    ]
    assert not run.kernel.cache.positions()


def test_exits_that_the_venue_holds_work_for_what_is_held() -> None:
    bars = [*FLAT[:3], (10_000, 11_000, 10_000, 11_000), *FLAT[:2]]
    run = played(
        {0: lambda s: s.buy(COIN, 1, take_profit=10_500, stop_loss=9_000)},
        bars,
        name="sim",
        fees="alpaca",
    )
    assert [o["status"] for o in run.table("orders")] == ["FILLED", "FILLED", "CANCELED"]
    assert not run.kernel.cache.positions()


def test_a_fill_says_what_was_taken_and_what_it_was_worth() -> None:
    pair = crypto(COIN)
    fill = Fill(pair, "buy", 1, 10_000, fee="0.0025", fee_currency="BTC")
    assert (fill.fee, fill.fee_exact, fill.fee_value_exact) == (0.0025, D("0.0025"), 25)
    again = from_dict(to_dict(fill), instruments={COIN: pair})
    assert (again.fee_exact, again.fee_currency) == (D("0.0025"), "BTC")
    position = Position(pair)
    assert position.apply(fill) == -25
    assert (position.quantity_exact, position.average_price) == (D("0.9975"), 10_000)


def test_the_summary_values_coins_at_their_price() -> None:
    class Once(Strategy):
        def on_start(self) -> None:
            self.subscribe_bars(COIN, "1m")
            self.sent = False

        def on_bar(self, bar: Any) -> None:
            if not self.sent:
                self.sent = True
                self.buy(COIN, 2)

    result = backtest(Once(), {COIN: frame(FLAT)}, label="open", venue="alpaca", progress=False)
    assert result.summary["fees"] == 50
    assert result.fills["fee"].tolist() == [0.005]
    assert result.fills["fee_currency"].tolist() == ["BTC"]


class Churn(Strategy):
    """Buys and sells coins by turns."""

    def on_start(self) -> None:
        self.subscribe_bars(COIN, "1m")
        self.count = 0

    def on_bar(self, bar: Any) -> None:
        self.count += 1
        if self.count % 3 == 1:
            self.buy(COIN, "0.123456789", limit_price=bar.close + 50)
        elif self.count % 3 == 0:
            self.close(COIN)


def test_both_worlds_take_the_same() -> None:
    bars = [(10_000 + i, 10_030 + i, 9_970 - i, 10_000 - i) for i in range(20)]
    data = load({COIN: frame(bars)}, label="open").columns
    expected = backtested([Churn()], data)
    live = lived([Churn()], data)
    assert len(expected.fills) > 8
    assert [f[:5] for f in live.fills] == [f[:5] for f in expected.fills]
    assert live.equity == live.account == expected.equity


@given(
    steps=st.lists(
        st.tuples(st.booleans(), st.integers(1, 3 * 10**9), st.integers(-50, 50)), max_size=7
    )
)
@settings(max_examples=25, deadline=None)
def test_books_balance_whatever_is_traded(steps: list[tuple[bool, int, int]]) -> None:
    prices = [10_000.0 + change for _, _, change in steps] + [10_000.0] * 2

    def command(buys: bool, units: int) -> Any:
        quantity = D(units).scaleb(-9)
        return lambda s: s.buy(COIN, quantity) if buys else s.close(COIN)

    run = played(
        {i: command(buys, units) for i, (buys, units, _) in enumerate(steps)},
        [(p, p, p, p) for p in prices],
    )
    held = sum(
        (
            (D(str(f["quantity"])) - D(str(f["fee"])))
            if f["side"] == "buy"
            else -D(str(f["quantity"]))
            for f in run.table("fills")
        ),
        D(0),
    )
    positions = run.kernel.cache.positions()
    assert (positions[0].quantity_exact if positions else 0) == held


@pytest.mark.parametrize("quantity", ["0.000000001", "0.000000002"])
def test_the_smallest_purchase_goes_to_the_venue_whole(quantity: str) -> None:
    run = played({0: lambda s: s.buy(COIN, quantity)}, name="sim", fees="alpaca")
    assert run.table("orders")[0]["status"] == "FILLED"
    held = run.kernel.cache.positions()
    assert (held[0].quantity_exact if held else 0) == D(quantity) - D("0.000000001")
