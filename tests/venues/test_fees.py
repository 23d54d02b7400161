"""US regulatory fees against published rates and worked amounts, both sides of each change."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyrt.errors import ConfigError, DataError
from pyrt.venues.fees import (
    CENT,
    SEC_SECTION_31,
    TAF,
    cat_fee,
    round_to_grid,
    round_up,
    sec_fee,
    taf_fee,
)
from pyrt.venues.rates import DatedRates, Rate, days_since_epoch

DOLLAR = 10**18
MILLION = 1_000_000 * DOLLAR
SHARE = 10**9


# Published in full by the SEC or FINRA: the day before, the day of the change.
@pytest.mark.parametrize(
    ("changed", "before", "after"),
    [
        ("2001-12-28", "33.30", "15.00"),
        ("2003-03-22", "30.10", "25.20"),
        ("2003-04-01", "25.20", "46.80"),
        ("2008-04-01", "11.00", "5.60"),
        ("2010-01-15", "25.70", "12.70"),
        ("2010-04-01", "12.70", "16.90"),
        ("2011-01-21", "16.90", "19.20"),
        ("2012-02-21", "19.20", "18.00"),
        ("2014-03-18", "17.40", "22.10"),
        ("2018-05-22", "23.10", "13.00"),
        ("2019-04-16", "13.00", "20.70"),
        ("2020-02-18", "20.70", "22.10"),
        ("2021-02-25", "22.10", "5.10"),
        ("2023-02-27", "22.90", "8.00"),
        ("2024-05-22", "8.00", "27.80"),
        ("2025-05-14", "27.80", "0.00"),
        ("2026-04-04", "0.00", "20.60"),
    ],
)
def test_section_31_on_a_million_dollars_is_the_published_rate(changed, before, after):
    date = dt.date.fromisoformat(changed)
    assert Fraction(sec_fee(date - dt.timedelta(days=1), MILLION), DOLLAR) == Fraction(before)
    assert Fraction(sec_fee(date, MILLION), DOLLAR) == Fraction(after)


@pytest.mark.parametrize(
    ("changed", "before", "cap_before", "after", "cap_after"),
    [
        ("2011-07-01", "0.000075", "3.75", "0.000090", "4.50"),
        ("2012-03-01", "0.000090", "4.50", "0.000095", "4.75"),
        ("2012-07-01", "0.000095", "4.75", "0.000119", "5.95"),
        ("2022-01-01", "0.000119", "5.95", "0.000130", "6.49"),
        ("2023-01-01", "0.000130", "6.49", "0.000145", "7.27"),
        ("2024-01-01", "0.000145", "7.27", "0.000166", "8.30"),
        ("2026-01-01", "0.000166", "8.30", "0.000195", "9.79"),
    ],
)
def test_taf_rate_and_cap_change_on_the_published_date(
    changed, before, cap_before, after, cap_after
):
    date = dt.date.fromisoformat(changed)
    eve = date - dt.timedelta(days=1)
    assert Fraction(taf_fee(eve, SHARE), DOLLAR) == Fraction(before)
    assert Fraction(taf_fee(date, SHARE), DOLLAR) == Fraction(after)
    assert Fraction(taf_fee(eve, 10**6 * SHARE), DOLLAR) == Fraction(cap_before)
    assert Fraction(taf_fee(date, 10**6 * SHARE), DOLLAR) == Fraction(cap_after)


@pytest.mark.parametrize(
    ("shares", "dollars"),
    [(1, "0.000166"), (49_999, "8.299834"), (50_000, "8.30"), (50_001, "8.30"), (10**7, "8.30")],
)
def test_taf_is_capped_for_each_trade(shares, dollars):
    assert Fraction(taf_fee(dt.date(2025, 1, 2), shares * SHARE), DOLLAR) == Fraction(dollars)


def test_worked_sale_of_a_hundred_shares_at_a_hundred_dollars():
    # Alpaca's own example: proceeds 10,000 at $8 a million is 8 cents.
    date = dt.date(2023, 6, 1)
    assert sec_fee(date, 10_000 * DOLLAR) == 8 * CENT
    assert taf_fee(date, 100 * SHARE) == 145 * DOLLAR // 10_000
    assert taf_fee(date, 100 * SHARE, "up_to_cent") == 2 * CENT


@pytest.mark.parametrize(
    ("raw", "cents"), [(0, 0), (1, 1), (CENT - 1, 1), (CENT, 1), (CENT + 1, 2), (83 * 10**13, 1)]
)
def test_any_fraction_of_a_cent_is_a_whole_cent(raw, cents):
    # A TAF of 0.00083 dollars is booked as one penny (docs.alpaca.markets, Regulatory Fees).
    assert round_up(raw, CENT) == cents * CENT


def test_fractional_shares_pay_in_proportion():
    date = dt.date(2025, 1, 2)
    assert taf_fee(date, SHARE // 2) * 2 == taf_fee(date, SHARE)


@given(
    notional=st.integers(0, 10**14).map(lambda cents: cents * CENT),
    day=st.integers(days_since_epoch(dt.date(1998, 1, 1)), days_since_epoch(dt.date(2026, 11, 1))),
)
def test_section_31_agrees_with_rational_arithmetic(notional, day):
    date = dt.date(1970, 1, 1) + dt.timedelta(days=day)
    rate = next(row for row in reversed(SEC_SECTION_31.rows) if row.effective <= date)
    assert sec_fee(day, notional) == Fraction(notional * rate.rate_e9, 10**9)
    booked = sec_fee(day, notional, "up_to_cent")
    assert booked % CENT == 0
    assert 0 <= booked - sec_fee(day, notional) < CENT


@given(st.integers(0, 10**30), st.integers(1, 10**12))
def test_division_to_the_grid_rounds_half_to_even(numerator, denominator):
    assert round_to_grid(numerator, denominator) == round(Fraction(numerator, denominator))


@pytest.mark.parametrize(
    ("shares_e9", "expected"),
    [(0, 0), (1, 1), (SHARE, 1), (SHARE + 1, 2), (100 * SHARE, 100)],
)
def test_cat_counts_a_started_share_as_one(shares_e9, expected):
    # 0.0000265 dollars a share, the sum shown by Alpaca in 2025.
    assert cat_fee(26_500_000, shares_e9) == expected * 265 * 10**11


@pytest.mark.parametrize("table", [SEC_SECTION_31, TAF], ids=lambda table: table.name)
def test_columns_give_the_same_answers_as_rows(table):
    for date in (
        dt.date(1999, 5, 3),
        dt.date(2009, 4, 9),
        dt.date(2009, 4, 10),
        dt.date(2026, 5, 1),
    ):
        row = int(np.searchsorted(table.days, days_since_epoch(date), side="right")) - 1
        assert table.rate_e9[row] == table.on(date).rate_e9
        assert table.cap_e9[row] == table.on(date).cap_e9
    assert table.days.dtype == table.rate_e9.dtype == np.int64
    assert not table.rate_e9.flags.writeable


@pytest.mark.parametrize("table", [SEC_SECTION_31, TAF], ids=lambda table: table.name)
def test_every_row_names_its_source_and_doubt_is_flagged(table):
    assert all(row.source for row in table.rows)
    doubtful = {str(row.effective) for row in table.rows if not row.confirmed}
    assert doubtful == {"SEC Section 31": {"2015-02-14"}, "FINRA TAF": {"2002-10-01"}}[table.name]


def test_dates_outside_the_tables_raise_or_are_flagged():
    with pytest.raises(DataError, match="before 1998-01-01"):
        sec_fee(dt.date(1997, 12, 31), MILLION)
    assert taf_fee(dt.date(2002, 9, 30), SHARE) == 0
    assert not SEC_SECTION_31.is_projected(dt.date(2026, 11, 1))
    assert SEC_SECTION_31.is_projected(dt.date(2026, 11, 2))
    assert sec_fee(dt.date(2030, 1, 1), MILLION) == sec_fee(dt.date(2026, 10, 1), MILLION)


def test_negative_amounts_and_unknown_roundings_are_refused():
    with pytest.raises(ConfigError, match="negative"):
        sec_fee(dt.date(2024, 1, 2), -1)
    with pytest.raises(ConfigError, match="negative"):
        taf_fee(dt.date(2024, 1, 2), -1)
    with pytest.raises(ConfigError, match="unknown rounding"):
        sec_fee(dt.date(2024, 1, 2), 1, "nearest")


@pytest.mark.parametrize(
    ("numerator", "expected"), [(1, 0), (2, 0), (3, 1), (5, 1), (6, 2), (7, 2), (10, 2), (14, 4)]
)
def test_halves_go_to_the_even_neighbor(numerator, expected):
    assert round_to_grid(numerator, 4) == expected


@pytest.mark.parametrize("years", [(2020, 2019), (2020, 2020)])
def test_a_table_out_of_order_is_refused(years):
    rows = tuple(Rate(dt.date(year, 1, 1), 1, "x") for year in years)
    with pytest.raises(DataError, match="not in order"):
        DatedRates("x", dt.date(2020, 1, 1), rows)
