"""Alpaca's charges over days and months, worked by hand."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal as D
from zoneinfo import ZoneInfo

from pyrt.backtest.fees import fee_model
from pyrt.core.instruments import Instrument, listed
from tests.backtest.harness import Script, play

NEW_YORK = ZoneInfo("America/New_York")


def ny(text: str) -> int:
    moment = dt.datetime.fromisoformat(text).replace(tzinfo=NEW_YORK)
    return int(moment.timestamp()) * 1_000_000_000


def charges(steps, *, symbol="SPY", start, price=50, fees=None):
    """Return the fee of each fill on flat bars of a minute: dollars, or coins where those go."""
    made = play(
        {symbol: [(price,) * 4] * 8},
        Script(steps, symbol=symbol),
        start=ny(start),
        instrument=listed(symbol, calendar="24/7"),
        name="alpaca",
        fees=fees,
        cash=10_000_000,
    )
    return [D(str(row["fee"])) for row in made.table("fills")]


def sells(*steps, quantity=100, symbol="SPY"):
    """Buy enough first, then sell some at each of these bars."""
    script = {0: lambda s: s.buy(symbol, quantity * len(steps))}
    script.update({step: lambda s: s.sell(symbol, quantity) for step in steps})
    return script


def test_a_days_fees_of_a_kind_are_rounded_up_once():
    # 27.80 a million of 5,000 is 0.139, 0.278, 0.417: 0.14, 0.28, 0.42 in all.
    # 0.000166 × 100 is 0.0166, 0.0332, 0.0498: 0.02, 0.04, 0.05 in all. No CAT yet.
    found = charges(sells(1, 2, 3), start="2024-06-03 10:00")
    assert found == [0, D("0.16"), D("0.16"), D("0.15")]


def test_both_sides_pay_the_audit_trail_on_started_shares():
    # 0.0000265 × 300 is 0.00795, a cent; the sales of 2026 add 0.0106, 0.01325 and 0.0159.
    # SEC 20.60 a million of 5,000: 0.103, 0.206, 0.309. TAF 0.000195 × 100: 0.0195, 0.039, 0.0585.
    found = charges(sells(1, 2, 3), start="2026-06-03 10:00")
    assert found == [
        D("0.01"),
        D("0.11") + D("0.02") + D("0.01"),
        D("0.10") + D("0.02") + 0,
        D("0.10") + D("0.02") + 0,
    ]


def test_half_a_share_counts_as_one_for_the_audit_trail():
    # 0.0000265 × 378 shares is 0.010017: the 378th, of which half is bought, begins a second cent.
    steps = {0: lambda s: s.buy("SPY", 377), 1: lambda s: s.buy("SPY", 0.5)}
    assert charges(steps, start="2026-06-03 10:00") == [D("0.01"), D("0.01")]


def test_the_taf_is_capped_for_each_trade():
    # 60,000 × 0.000166 is 9.96, capped at 8.30; SEC 27.80 a million of 3,000,000 is 83.40.
    assert charges(sells(1, quantity=60_000), start="2024-06-03 10:00")[1] == D("91.70")


def test_a_new_day_rounds_anew():
    # One fill at 23:59 in New York, one at 00:01: 0.16 each.
    steps = sells(1, 3)
    found = charges(steps, start="2024-06-03 23:57")
    assert found[1:] == [D("0.16"), D("0.16")]


def test_rates_are_those_of_the_date():
    # 2013: SEC 17.40 a million of 5,000 is 0.087, TAF 0.000119 × 100 is 0.0119.
    assert charges(sells(1), start="2013-07-02 10:00")[1] == D("0.09") + D("0.02")
    # From 2025-05-14 the SEC takes nothing; CAT of 2025 0.000046 × 100 is 0.0046 each side.
    assert charges(sells(1), start="2025-05-15 10:00") == [D("0.01"), D("0.02")]


def test_paper_accounts_pay_no_regulatory_fees():
    assert charges(sells(1), start="2024-06-03 10:00", fees="alpaca_paper") == [0, 0]


def test_coins_pay_the_taker_rate_of_the_first_tier():
    steps = {0: lambda s: s.buy("BTC/USD", 2), 1: lambda s: s.sell("BTC/USD", 1)}
    # 25 bps of the two coins bought, and of the 10,000 dollars received.
    found = charges(steps, symbol="BTC/USD", start="2024-06-03 10:00", price=10_000)
    assert found == [D("0.005"), 25]


def test_a_resting_order_for_coins_pays_the_maker_rate():
    bars = [(10_000,) * 4, (10_000, 10_000, 9_000, 9_500)]
    made = play(
        {"BTC/USD": bars},
        Script({0: lambda s: s.buy("BTC/USD", 1, limit_price=9_800)}, symbol="BTC/USD"),
        start=ny("2024-06-03 10:00"),
        instrument=listed("BTC/USD"),
        name="alpaca",
    )
    # 15 bps of the coin.
    assert [row["fee"] for row in made.table("fills")] == [0.0015]


def test_the_volume_of_the_days_before_sets_the_tier():
    # 600,000 dollars are traded before midnight: tier 3 from 500,000, 20 bps for takers. The same
    # day's volume does not count yet.
    steps = {
        0: lambda s: s.buy("BTC/USD", 60),
        1: lambda s: s.sell("BTC/USD", 1),
        4: lambda s: s.sell("BTC/USD", 1),
    }
    found = charges(steps, symbol="BTC/USD", start="2024-06-03 23:57", price=10_000)
    assert found == [D("0.15"), 25, 20]


def test_other_instruments_pay_nothing():
    made = play(
        {"ES": [(50,) * 4] * 4},
        Script({0: lambda s: s.buy("ES", 1)}, symbol="ES"),
        start=ny("2024-06-03 10:00"),
        instrument=Instrument("ES"),
        fees="alpaca",
    )
    assert [row["fee"] for row in made.table("fills")] == [0]


def test_a_run_begins_without_what_an_earlier_one_accrued():
    model = fee_model("alpaca")
    first = charges(sells(1, 2), start="2024-06-03 10:00", fees=model)
    assert charges(sells(1, 2), start="2024-06-03 10:00", fees=model) == first
