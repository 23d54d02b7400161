"""Did you mean: which names are near, and what is said where none is."""

from __future__ import annotations

import pytest

from pyrt import Strategy, backtest
from pyrt.core.suggest import did_you_mean, suggest
from pyrt.errors import ConfigError


def test_case_does_not_matter_and_the_best_comes_first() -> None:
    assert suggest("appl", ["MSFT", "AAPL"]) == ["AAPL"]
    assert suggest("fill", ["fills", "fill_at", "cash"])[0] == "fills"


def test_without_a_near_name_the_known_ones_are_listed() -> None:
    assert did_you_mean("zzz", ["cash", "seed"]) == "Known are cash, seed"
    assert did_you_mean("zzz", list("abcdefg")) == "Known are a, b, c, d, e and 2 more"
    assert did_you_mean("zzz", []) == "Nothing is known by any name here"


@pytest.mark.parametrize(("given", "meant"), [("labl", "label"), ("calender", "calendar")])
def test_a_misspelled_option_of_a_backtest_is_named(given: str, meant: str) -> None:
    with pytest.raises(ConfigError, match=rf"no option '{given}'\. Did you mean {meant}"):
        backtest(Strategy(), {}, **{given: "open"})


def test_an_option_that_another_package_has_is_told_by_its_name_here() -> None:
    with pytest.raises(ConfigError, match=r"no option 'commission'\. Write fees="):
        backtest(Strategy(), {}, commission=0.002)
