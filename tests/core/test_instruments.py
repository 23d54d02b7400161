from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyrt.core.cache import Cache
from pyrt.core.instruments import Instrument, crypto, equity
from pyrt.errors import ConfigError, UnknownName


@pytest.mark.parametrize(
    ("side", "price", "rounded"),
    [
        ("buy", 10.019, 10.01),
        ("sell", 10.011, 10.02),
        ("buy", 10.01, 10.01),
        ("sell", 10.01, 10.01),
    ],
)
def test_a_computed_price_is_put_on_the_tick_and_never_made_worse(side, price, rounded):
    assert equity("SPY").round_price(price, side) == rounded


def test_quantities_round_toward_zero_to_the_step():
    share = equity("SPY", step_size=1)
    assert share.round_quantity(3.999) == 3.0
    assert share.round_quantity(-3.999) == -3.0
    assert not share.fractionable
    assert equity("SPY").round_quantity(0.1 + 0.2) == 0.3


def test_pairs_know_both_their_sides():
    pair = crypto("BTC/EUR")
    assert (pair.base_currency, pair.currency, pair.calendar) == ("BTC", "EUR", "24/7")


@given(st.integers(0, 9), st.integers(1, 1000))
def test_an_instrument_is_rebuilt_from_its_own_description(decimals, multiplier):
    one = Instrument(
        "X", decimals=decimals, multiplier=multiplier, tick_size="0.05", min_notional=Decimal("1.5")
    )
    assert Instrument(**one.to_dict()).to_dict() == one.to_dict()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"decimals": 10}, "decimals is 10"),
        ({"multiplier": 0}, "multiplier is 0"),
        ({"tick_size": "-0.01"}, "must be positive"),
    ],
)
def test_grids_that_make_no_sense_are_refused(change, message):
    with pytest.raises(ConfigError, match=message):
        Instrument("X", **change)


def test_a_bare_symbol_is_accepted_only_while_it_is_unambiguous():
    cache = Cache()
    first = cache.add_instrument(Instrument("ABC", venue="XNYS"))
    assert cache.instrument("ABC") is first
    second = cache.add_instrument(Instrument("ABC", venue="XLON"))
    with pytest.raises(UnknownName, match="several venues"):
        cache.instrument("ABC")
    assert cache.instrument("ABC.XLON") is second


def test_an_unknown_symbol_gets_a_suggestion():
    cache = Cache()
    cache.add_instrument(Instrument("GOOG"))
    with pytest.raises(UnknownName, match="Did you mean GOOG"):
        cache.instrument("GOGO")
