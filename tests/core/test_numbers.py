from __future__ import annotations

from decimal import Context, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyrt.core.numbers import (
    Money,
    price_decimal,
    price_from_raw,
    price_to_raw,
    quantity_decimal,
    quantity_to_raw,
)
from pyrt.errors import ConfigError, PrecisionError


@pytest.mark.parametrize("binade", range(-29, 23))
@given(data=st.data())
def test_decimals_of_nine_places_survive_the_trip_through_float(binade, data):
    low, high = int(Fraction(2) ** binade * 10**9), int(Fraction(2) ** (binade + 1) * 10**9)
    raw = data.draw(st.integers(low, high - 1 if high > low else low))
    number = float(Decimal(raw) / 10**9)
    assert price_to_raw(number) == raw
    assert price_from_raw(raw) == number


@pytest.mark.parametrize(
    "raw", [4_194_304_000_000_001, 4_200_000_123_456_789, 4_503_599_999_999_999]
)
def test_the_range_where_a_plain_product_fails_is_exact(raw):
    assert price_to_raw(raw / 1e9) == raw


@given(st.floats(-9e9, 9e9))
def test_a_float_is_read_as_the_nearest_billionth(x):
    exact = Fraction(x) * 10**9
    raw = price_to_raw(x)
    assert abs(raw - exact) <= Fraction(1, 2)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf"), 1e10])
def test_a_float_that_is_no_price_is_refused(bad):
    with pytest.raises(OverflowError, match="price"):
        price_to_raw(bad)


def test_exact_types_are_read_exactly_or_refused():
    assert price_to_raw("100.25") == 100_250_000_000
    assert price_to_raw(Decimal("0.000000001")) == 1
    assert price_to_raw(3) == 3_000_000_000
    with pytest.raises(PrecisionError, match="more than 9 decimal places"):
        price_to_raw("0.0000000001")
    with pytest.raises(ConfigError, match="not a number"):
        price_to_raw("ten")
    with pytest.raises(ConfigError, match="expected a number"):
        price_to_raw(True)


def test_quantities_respect_their_unit():
    assert quantity_to_raw(0.5, 9) == 500_000_000
    assert quantity_to_raw("12", 0) == 12
    with pytest.raises(PrecisionError, match="more than 0 decimal places"):
        quantity_to_raw(0.5, 0)
    assert quantity_decimal(1_500_000_000) == Decimal("1.5")
    assert price_decimal(-5) == Decimal("-0.000000005")


def test_money_adds_within_one_currency_only():
    total = Money("0.1", "USD") + Money("0.2", "USD")
    assert total.amount == Decimal("0.3")
    assert total > Money("0.29", "USD")
    assert -total == Money("-0.3", "USD")
    assert str(total) == "0.3 USD"
    with pytest.raises(ConfigError, match="cannot mix USD and EUR"):
        total + Money(1, "EUR")


def billionths(n: int) -> Decimal:
    """n × 1e-18, whatever the digits: Decimal's operators would round to 28 of them."""
    return Decimal(n).scaleb(-18, Context(prec=60))


@given(
    st.integers(-(10**37), 10**37), st.integers(-(10**37), 10**37), st.sampled_from(["USD", "BTC"])
)
def test_money_sums_are_exact_to_the_last_digit(a, b, currency):
    left, right = Money(billionths(a), currency), Money(billionths(b), currency)
    assert Fraction((left + right).amount) == Fraction(a + b, 10**18)
    assert Fraction((left - right).amount) == Fraction(a - b, 10**18)


def test_money_beyond_its_range_raises():
    largest = Money(billionths(2**127 - 1), "USD")
    with pytest.raises(OverflowError):
        largest + Money("0.000000000000000001", "USD")
