"""Moving averages: hand-worked values and the windows that never drift."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import talib

from pyrt.errors import ConfigError
from pyrt.indicators import EMA, SMA


def test_sma_is_the_mean_of_the_window() -> None:
    assert SMA(3).batch([1, 2, 3, 4, 5])[2:].tolist() == pytest.approx([2, 3, 4])


def test_ema_starts_from_the_plain_mean() -> None:
    # mean of 1, 2, 3 is 2; then half of each new value
    assert EMA(3).batch([1, 2, 3, 4, 8])[2:].tolist() == [2.0, 3.0, 5.5]


def test_sma_forgets_a_spike_that_talib_remembers() -> None:
    x = np.full(400, 0.1)
    x[50] = 1e12
    exact = float(Fraction(0.1))
    assert abs(talib.SMA(x, 20)[-1] / exact - 1) > 1e-5
    assert abs(SMA(20).batch(x)[-1] / exact - 1) < 1e-15


@pytest.mark.parametrize("bad", [0, -1, 100_001, 2.5, True, "9"])
def test_a_period_that_is_no_length_is_refused(bad: object) -> None:
    with pytest.raises(ConfigError, match="timeperiod"):
        SMA(bad)
