"""Fees and slippage to the last digit, worked by hand."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pandas as pd
import pytest

from pyrt.backtest.fees import UsRegulatoryFees
from pyrt.core.instruments import Instrument
from pyrt.errors import ConfigError
from tests.backtest.harness import SYMBOL, Run, play

FLAT = (100, 100, 100, 100)
BAR = (100, 104, 98, 101)


def cash_after(run: Run) -> Decimal:
    return Decimal(run.kernel.account.cash_exact)


@pytest.mark.parametrize(
    ("fees", "quantity", "price", "expected"),
    [
        (None, 10, "100", "0"),
        ("bps:2", 10, "100", "0.2"),  # 1000 × 0.0002
        ("bps:0.5", 3, "33.33", "0.0049995"),  # 99.99 × 0.00005
        ("per_share:0.005", 10, "100", "0.05"),
        ("per_share:0.005/1", 10, "100", "1"),  # the minimum
        ("per_share:0.005/1", 300, "100", "1.5"),
        ("per_share:0.005/1/50", 10, "10", "0.5"),  # capped at 50 bps of 100
        ("fixed:1.25", 10, "100", "1.25"),
        ("bps:1 + fixed:1", 10, "100", "1.1"),
        (lambda *a: 0.125, 10, "100", "0.125"),
    ],
)
def test_a_fee_is_exact(fees: Any, quantity: float, price: str, expected: str) -> None:
    p = float(price)
    run = play([FLAT, (p, p, p, p)], {0: lambda s: s.buy(SYMBOL, quantity)}, fees=fees)
    paid = Decimal(100_000) - Decimal(price) * quantity - cash_after(run)
    assert paid == Decimal(expected)
    assert run.table("fills")[0]["fee"] == pytest.approx(float(expected), abs=1e-18)


def test_makers_and_takers_pay_their_own_rate() -> None:
    run = play(
        [FLAT, (100, 101, 98, 100)],
        {0: lambda s: [s.buy(SYMBOL, 10), s.buy(SYMBOL, 10, limit_price=99)]},
        fees="bps:2/-1",
    )
    assert [(f["liquidity"], round(f["fee"], 9)) for f in run.table("fills")] == [
        ("taker", 0.2),
        ("maker", -0.099),
    ]
    assert cash_after(run) == Decimal(100_000) - 1000 - 990 - Decimal("0.2") + Decimal("0.099")


@pytest.mark.parametrize(
    ("fees", "expected"),
    [
        ("fixed:1", [1, 0]),  # with the order's first fill
        ("per_share:0.01/1", [1, 0.5]),  # 0.60 is less than the minimum; then 1.50 − 1
    ],
)
def test_a_partly_filled_order_pays_its_minimum_once(fees: str, expected: list[float]) -> None:
    run = play(
        [FLAT, (100, 100, 100, 100, 600), (100, 100, 100, 100, 1000)],
        {0: lambda s: s.buy(SYMBOL, 150)},
        fees=fees,
        participation=0.1,
    )
    assert [f[1] for f in run.fills] == [60, 90]
    assert [f["fee"] for f in run.table("fills")] == pytest.approx(expected)


def test_us_fees_are_taken_on_sales_by_the_table_of_the_day_rounded_up_to_the_cent() -> None:
    """SEC 22.90 per million of 20,000 is 0.458 → 0.46; TAF 0.000119 × 200 = 0.0238 → 0.03."""
    day = int(pd.Timestamp("2022-06-01T15:00Z").value)
    share = Instrument(SYMBOL, kind="equity", tick_size="0.01")
    run = play(
        [FLAT, FLAT, FLAT],
        {0: lambda s: s.buy(SYMBOL, 200), 1: lambda s: s.close(SYMBOL)},
        fees=UsRegulatoryFees(sec=[[0, 22_900]], taf=[[0, 119_000, 5_950_000_000]]),
        start=day,
        instrument=share,
    )
    assert [f["fee"] for f in run.table("fills")] == pytest.approx([0, 0.49])
    unstated = play([FLAT, FLAT], {0: lambda s: s.sell(SYMBOL, 200)}, fees="us", start=day)
    assert unstated.table("fills")[0]["fee"] == pytest.approx(0.49)
    coin = play(
        [FLAT, FLAT],
        {0: lambda s: s.sell(SYMBOL, 200)},
        fees="us",
        start=day,
        instrument=Instrument(SYMBOL, kind="crypto", base_currency="ABC"),
    )
    assert coin.table("fills")[0]["fee"] == 0


@pytest.mark.parametrize(
    ("slippage", "tick", "terms", "side", "price"),
    [
        ("ticks:2", "0.01", {}, "buy", 100.02),
        ("ticks:2", "0.01", {}, "sell", 99.98),
        ("bps:5", None, {}, "buy", 100.05),
        ("bps:5", "0.1", {}, "buy", 100.1),  # rounded against the order
        ("bps:5", "0.1", {}, "sell", 99.9),
        ("range:0.1", None, {}, "buy", 100.6),  # a tenth of 104 − 98
        ("range:0.1", None, {}, "sell", 99.4),
        ("ticks:2", "0.01", {"stop_price": 102}, "buy", 102.02),
        ("ticks:2", "0.01", {"limit_price": 99}, "buy", 99),  # resting limits do not slip
        ("ticks:2", "0.01", {"limit_price": 103}, "buy", 100),
        ("ticks:2/0.05", None, {}, "buy", 100.1),  # a tick for who states none
        ("ticks:2/0.05", "0.01", {}, "buy", 100.02),  # the instrument's own comes first
        (lambda side, price, quantity, span: price + 0.25, None, {}, "buy", 100.25),
    ],
)
def test_orders_that_take_slip_against_themselves(
    slippage: Any, tick: str | None, terms: dict[str, Any], side: str, price: float
) -> None:
    run = play(
        [FLAT, BAR],
        {0: lambda s: getattr(s, side)(SYMBOL, 10, **terms)},
        slippage=slippage,
        instrument=Instrument(SYMBOL, tick_size=tick),
    )
    assert [f[2] for f in run.fills] == [price]


def test_slippage_by_range_at_the_same_close_reads_the_bar_just_ended() -> None:
    run = play(
        [(100, 104, 98, 101)],
        {0: lambda s: s.buy(SYMBOL, 10)},
        slippage="range:0.5",
        fill="same_close",
    )
    assert run.fills == [(1, 10, 104)]


def test_slippage_in_ticks_needs_a_tick() -> None:
    with pytest.raises(ConfigError, match=r'no tick size\. Write "ticks:1/0\.01"'):
        play([FLAT, BAR], {0: lambda s: s.buy(SYMBOL, 10)}, slippage="ticks:1")


@pytest.mark.parametrize("text", ["ticks:1.5", "ticks:x", "ticks:-1", "ticks:1/x", "bps:x"])
def test_slippage_that_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        play([FLAT, BAR], {}, slippage=text)
