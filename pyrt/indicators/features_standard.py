"""The standard features: what each is called, means, reads and is computed by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pyrt.indicators.averages import EMA, SMA
from pyrt.indicators.bands import BBANDS
from pyrt.indicators.directional import ADX
from pyrt.indicators.extremes import AROONOSC, DONCHIAN
from pyrt.indicators.features_kernel import Cycle, LogReturn, Ratio, Same
from pyrt.indicators.momentum import RSI
from pyrt.indicators.oscillators import MACD
from pyrt.indicators.statistics import CORREL, LINEARREG_SLOPE, STDDEV
from pyrt.indicators.stochastics import CCI, STOCHF, WILLR
from pyrt.indicators.volatility import ATR
from pyrt.indicators.volume import CMF, MFI, RVOL


@dataclass(frozen=True, kw_only=True)
class Feature:
    """One column of a feature set.

    Attributes
    ----------
    name : str
    family : str
        price, return, momentum, volatility, volume, microstructure or calendar; free for others.
    make : callable
        () → a fresh indicator.
    inputs : tuple of str
        Columns of the bar, one for each input of the indicator, in its order; see
        `pyrt.indicators.features_columns.COLUMN_NAMES`.
    output : str
        Which output is the feature; "" for the first.
    meaning : str
        One line for people.
    """

    name: str
    family: str
    make: Callable[[], Any]
    inputs: tuple[str, ...]
    output: str = ""
    meaning: str = ""


def standard_features() -> tuple[Feature, ...]:
    """Return the features a set has by default, in their order.

    Returns
    -------
    tuple of Feature
        All are free of the price's level: ratios, logarithms or bounded oscillators.

    Examples
    --------
    >>> len(standard_features()) >= 40
    True
    """
    return (
        *_price(),
        *_returns(),
        *_momentum(),
        *_volatility(),
        *_volume(),
        *_microstructure(),
        *_calendar(),
    )


def _family(family: str, *rows: tuple[Any, ...]) -> tuple[Feature, ...]:
    """Make features of rows (name, meaning, make, inputs[, output])."""
    return tuple(
        Feature(
            name=row[0],
            family=family,
            meaning=row[1],
            make=row[2],
            inputs=tuple(row[3].split()),
            output=row[4] if len(row) > 4 else "",
        )
        for row in rows
    )


def _price() -> tuple[Feature, ...]:
    def average(kind: Any, n: int) -> Callable[[], Any]:
        return lambda: Ratio(Same(), kind(n), 1.0)

    return _family(
        "price",
        ("body", "ln(close / open)", Same, "body"),
        ("range", "ln(high / low)", Same, "log_range"),
        ("gap", "ln(open / previous close)", Same, "gap"),
        ("location", "(close - low) / (high - low)", Same, "location"),
        ("upper_wick", "share of the range above the body", Same, "upper_wick"),
        ("lower_wick", "share of the range below the body", Same, "lower_wick"),
        ("over_sma_10", "close / SMA(10) - 1", average(SMA, 10), "close close"),
        ("over_sma_50", "close / SMA(50) - 1", average(SMA, 50), "close close"),
        ("over_ema_20", "close / EMA(20) - 1", average(EMA, 20), "close close"),
        (
            "under_high_20",
            "close / highest high of 20 - 1",
            lambda: Ratio(Same(), DONCHIAN(20).output("upperband"), 1.0),
            "close high low",
        ),
        (
            "over_low_20",
            "close / lowest low of 20 - 1",
            lambda: Ratio(Same(), DONCHIAN(20).output("lowerband"), 1.0),
            "close high low",
        ),
    )


def _returns() -> tuple[Feature, ...]:
    def horizon(n: int) -> Callable[[], Any]:
        return lambda: LogReturn(n)

    return _family(
        "return",
        *(
            (f"return_{n}", f"ln(close / close {n} bars before)", horizon(n), "close")
            for n in (1, 2, 5, 10, 20, 60)
        ),
    )


def _momentum() -> tuple[Feature, ...]:
    return _family(
        "momentum",
        ("rsi_14", "RSI(14)", lambda: RSI(14), "close"),
        (
            "macd_histogram",
            "MACD(12, 26, 9) histogram / close",
            lambda: Ratio(MACD(12, 26, 9).output(MACD().outputs[2]), Same()),
            "close close",
        ),
        ("stochastic_14", "fast %K of 14", lambda: STOCHF(14, 3), "high low close"),
        ("williams_14", "Williams %R of 14", lambda: WILLR(14), "high low close"),
        ("cci_20", "CCI(20)", lambda: CCI(20), "high low close"),
        ("adx_14", "ADX(14)", lambda: ADX(14), "high low close"),
        ("aroon_25", "Aroon oscillator of 25", lambda: AROONOSC(25), "high low"),
        (
            "slope_20",
            "slope of the regression line of 20 / close",
            lambda: Ratio(LINEARREG_SLOPE(20), Same()),
            "close close",
        ),
    )


def _volatility() -> tuple[Feature, ...]:
    def mean(n: int) -> Callable[[], Any]:
        return lambda: SMA(n)

    return _family(
        "volatility",
        ("volatility_10", "standard deviation of 10 returns", lambda: STDDEV(10), "return"),
        ("volatility_60", "standard deviation of 60 returns", lambda: STDDEV(60), "return"),
        (
            "volatility_ratio",
            "volatility of 10 / of 60 returns",
            lambda: Ratio(STDDEV(10), STDDEV(60)),
            "return return",
        ),
        ("atr_14", "ATR(14) / close", lambda: Ratio(ATR(14), Same()), "high low close close"),
        ("parkinson_20", "mean of 20 squared log ranges", mean(20), "range_squared"),
        ("garman_klass_20", "mean of 20 Garman-Klass terms", mean(20), "garman_klass"),
        ("bipower_20", "mean of 20 products of absolute returns", mean(20), "bipower"),
        ("downside_20", "mean of 20 squared negative returns", mean(20), "downside"),
        (
            "band_width_20",
            "upper / lower Bollinger band of 20 - 1",
            lambda: Ratio(
                BBANDS(20).output(BBANDS().outputs[0]), BBANDS(20).output(BBANDS().outputs[2]), 1.0
            ),
            "close close",
        ),
    )


def _volume() -> tuple[Feature, ...]:
    return _family(
        "volume",
        (
            "volume_ratio_20",
            "volume / SMA(20) of it - 1",
            lambda: Ratio(Same(), SMA(20), 1.0),
            "volume volume",
        ),
        ("relative_volume_10", "RVOL(10)", lambda: RVOL(10), "volume"),
        ("money_flow_14", "MFI(14)", lambda: MFI(14), "high low close volume"),
        ("chaikin_20", "CMF(20)", lambda: CMF(20), "high low close volume"),
        (
            "over_vwap_20",
            "close / average price of 20 by volume - 1",
            lambda: Ratio(Same(), Ratio(SMA(20), SMA(20)), 1.0),
            "close dollar_volume volume",
        ),
    )


def _microstructure() -> tuple[Feature, ...]:
    return _family(
        "microstructure",
        (
            "flow_imbalance_20",
            "volume signed by the return / volume, of 20",
            lambda: Ratio(SMA(20), SMA(20)),
            "signed_volume volume",
        ),
        ("illiquidity_20", "Amihud's measure of 20", lambda: SMA(20), "illiquidity"),
        ("spread_20", "mean of 20 Corwin-Schultz spreads", lambda: SMA(20), "corwin_schultz"),
        (
            "autocorrelation_20",
            "correlation of 20 returns with those before",
            lambda: CORREL(20),
            "return previous_return",
        ),
        (
            "volume_return_20",
            "correlation of 20 absolute returns with volume",
            lambda: CORREL(20),
            "absolute_return volume",
        ),
    )


def _calendar() -> tuple[Feature, ...]:
    def cycle(length: float, phase: str) -> Callable[[], Any]:
        return lambda: Cycle(length, phase)

    return _family(
        "calendar",
        ("time_sin", "sine of the time of day", cycle(1440.0, "sin"), "minute"),
        ("time_cos", "cosine of the time of day", cycle(1440.0, "cos"), "minute"),
        ("weekday_sin", "sine of the day of the week", cycle(7.0, "sin"), "weekday"),
        ("weekday_cos", "cosine of the day of the week", cycle(7.0, "cos"), "weekday"),
        ("month_sin", "sine of the month", cycle(12.0, "sin"), "month"),
        ("month_cos", "cosine of the month", cycle(12.0, "cos"), "month"),
        ("monthday", "day of the month", Same, "monthday"),
        ("seconds_since", "seconds since the bar before", Same, "seconds_since"),
    )
