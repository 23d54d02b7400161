"""Alpaca's crypto tiers and the daily charge, against a recorded fill and worked amounts."""

from __future__ import annotations

import datetime as dt

import pytest

from pyrt.errors import ConfigError, DataError
from pyrt.venues.alpaca.fees import (
    CRYPTO_SCHEDULES,
    EQUITY_COMMISSION,
    crypto_fee_in_base,
    crypto_fee_in_quote,
    crypto_tier,
    crypto_tier_numbered,
    regulatory_charge,
    regulatory_fees,
)
from pyrt.venues.fees import CENT

DOLLAR = 10**18
TODAY = dt.date(2026, 11, 2)


@pytest.mark.parametrize(
    ("date", "volume", "tier", "maker", "taker"),
    [
        (TODAY, 0, 1, 15, 25),
        (TODAY, 99_999, 1, 15, 25),
        (TODAY, 100_000, 2, 12, 22),
        (TODAY, 499_999, 2, 12, 22),
        (TODAY, 500_000, 3, 10, 20),
        (TODAY, 1_000_000, 4, 8, 18),
        (TODAY, 10_000_000, 5, 5, 15),
        (TODAY, 25_000_000, 6, 2, 13),
        (TODAY, 50_000_000, 7, 2, 12),
        (TODAY, 99_999_999, 7, 2, 12),
        (TODAY, 100_000_000, 8, 0, 10),
        (dt.date(2023, 3, 13), 0, 1, 15, 25),
        (dt.date(2023, 3, 12), 0, 1, 25, 25),
        (dt.date(2023, 3, 12), 499_999, 1, 25, 25),
        (dt.date(2023, 3, 12), 500_000, 2, 22, 22),
        (dt.date(2022, 8, 12), 100_000_000, 8, 8, 8),
    ],
)
def test_tier_by_date_and_volume(date, volume, tier, maker, taker):
    found = crypto_tier(date, volume)
    assert (found.tier, found.bps("maker"), found.bps("taker")) == (tier, maker, taker)


def test_no_tier_is_invented_before_the_first_schedule():
    with pytest.raises(DataError, match="2022-08-12"):
        crypto_tier(CRYPTO_SCHEDULES[0][0] - dt.timedelta(days=1))


@pytest.mark.parametrize(
    ("date", "number", "rates"),
    [
        (TODAY, 1, (15, 25)),
        (TODAY, 8, (0, 10)),
        (dt.date(2023, 3, 12), 2, (22, 22)),
        (dt.date(2023, 3, 13), 2, (12, 22)),
        # Before the first schedule that one stands in.
        (dt.date(2020, 1, 1), 1, (25, 25)),
    ],
)
def test_an_account_states_its_tier_by_number(date, number, rates):
    found = crypto_tier_numbered(date, number)
    assert (found.tier, (found.maker_bps, found.taker_bps)) == (number, rates)


def test_there_is_no_tier_by_another_number():
    assert [crypto_tier_numbered(TODAY, number) for number in (-1, 0, 9)] == [None] * 3


def test_a_recorded_buy_left_the_quantity_after_the_fee():
    # Live log of 2026: filled_qty 0.000175822, position_qty 0.000175382, tier 1 taker.
    assert 175_822 - crypto_fee_in_base(175_822, 25) == 175_382


@pytest.mark.parametrize(("quantity", "fee"), [(0, 0), (1, 1), (400, 1), (401, 2), (10_000, 25)])
def test_the_fee_in_coin_is_rounded_up(quantity, fee):
    assert crypto_fee_in_base(quantity, 25) == fee


@pytest.mark.parametrize(
    ("notional", "cents"),
    [(0, 0), (1, 1), (4 * DOLLAR, 1), (4 * DOLLAR + 1, 2), (100 * DOLLAR, 25)],
)
def test_the_fee_in_dollars_is_rounded_up_to_the_cent(notional, cents):
    assert crypto_fee_in_quote(notional, 25) == cents * CENT


def test_the_fee_in_another_quote_coin_keeps_nine_decimals():
    assert crypto_fee_in_quote(DOLLAR, 25, quote="BTC") == 25 * 10**14
    assert crypto_fee_in_quote(1, 25, quote="BTC") == 10**9


def test_equities_pay_no_commission_but_the_regulators():
    assert EQUITY_COMMISSION == 0
    sec, taf = regulatory_fees(dt.date(2024, 6, 3), 10_000 * DOLLAR, 100 * 10**9)
    assert sec == 278 * 10**15
    assert taf == 166 * 10**14


def test_a_days_fees_are_rounded_up_once():
    fills = [regulatory_fees(dt.date(2024, 6, 3), 100 * DOLLAR, 10**9)[1] for _ in range(5)]
    assert regulatory_charge(sum(fills)) == CENT
    assert sum(regulatory_charge(fee) for fee in fills) == 5 * CENT


def test_negative_amounts_are_refused():
    for call in (
        lambda: crypto_fee_in_base(-1, 25),
        lambda: crypto_fee_in_quote(-1, 25),
        lambda: regulatory_charge(-1),
    ):
        with pytest.raises(ConfigError, match="negative"):
            call()
