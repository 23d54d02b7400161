"""Price bars the indicator tests run on: plausible and adversarial, made from fixed seeds."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Columns = dict[str, NDArray[np.float64]]


def bars_around(close: NDArray[np.float64], width: NDArray[np.float64], seed: int) -> Columns:
    """Bars whose closes are given and whose other prices lie about `width` away."""
    rng = np.random.default_rng(seed)
    open_ = np.concatenate((close[:1], close[:-1])) + width * rng.normal(0, 0.3, len(close))
    high = np.maximum(open_, close) + width * np.abs(rng.normal(0, 0.5, len(close)))
    low = np.minimum(open_, close) - width * np.abs(rng.normal(0, 0.5, len(close)))
    volume = np.floor(rng.lognormal(8, 1, len(close)))
    return {"open": open_, "high": high, "low": low, "close": close, "volume": volume}


def walk(n: int = 600, seed: int = 1) -> Columns:
    """A geometric random walk from 100."""
    rng = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.01, n)))
    return bars_around(close, close * 0.01, seed + 1)


def ticks(n: int = 600) -> Columns:
    """A walk on a grid of cents: ties, equal highs, bodies of zero."""
    return {k: v if k == "volume" else np.round(v, 1) for k, v in walk(n, 7).items()}


def constant(n: int = 300) -> Columns:
    """Nothing moves."""
    flat = np.full(n, 12.5)
    return {"open": flat, "high": flat, "low": flat, "close": flat, "volume": np.full(n, 1000.0)}


def rising(n: int = 300) -> Columns:
    """Every bar above the one before."""
    close = np.linspace(10, 20, n)
    return {
        "open": close - 0.01,
        "high": close + 0.02,
        "low": close - 0.03,
        "close": close,
        "volume": np.arange(1.0, n + 1),
    }


def falling(n: int = 300) -> Columns:
    """Every bar below the one before."""
    return {k: v[::-1].copy() for k, v in rising(n).items()}


def scaled(factor: float) -> Columns:
    """The walk in another unit of price."""
    return {k: v if k == "volume" else v * factor for k, v in walk(400, 11).items()}


def spiked() -> Columns:
    """The walk with one bar a million times too high."""
    bars = walk(600, 13)
    for name in ("open", "high", "low", "close"):
        bars[name] = bars[name].copy()
        bars[name][200] *= 1e6
    return bars


def silent() -> Columns:
    """The walk without any volume."""
    return walk(200, 19) | {"volume": np.zeros(200)}


def lulls() -> Columns:
    """The walk with hours without volume, the first ones too."""
    bars = walk(300, 23)
    rows = np.arange(300)
    return bars | {"volume": np.where((rows < 45) | (rows // 40 == 3), 0.0, bars["volume"])}


def broken() -> Columns:
    """No bars at all: prices that have nothing to do with one another."""
    rng = np.random.default_rng(29)
    names = ("open", "high", "low", "close")
    volume = rng.integers(1, 9, 200) * 1.0
    return {name: rng.normal(0, 1, 200) for name in names} | {"volume": volume}


def nan_led(n: int = 37) -> Columns:
    """The walk after `n` rows of nothing."""
    return {k: np.concatenate((np.full(n, np.nan), v)) for k, v in walk(500, 17).items()}


SERIES: dict[str, Callable[[], Columns]] = {
    "walk": walk,
    "ticks": ticks,
    "constant": constant,
    "rising": rising,
    "falling": falling,
    "tiny": lambda: scaled(1e-6),
    "huge": lambda: scaled(1e9),
    "spiked": spiked,
    "nan_led": nan_led,
    "silent": silent,
    "lulls": lulls,
    "broken": broken,
}


def defined_for(name: str, inputs: tuple[str, ...], bars: Columns) -> list[NDArray[np.float64]]:
    """As `columns_for`, within [-1, 1] for the arc functions."""
    columns = columns_for(inputs, bars)
    return [1 / c for c in columns] if name in {"ACOS", "ASIN"} else columns


def columns_for(inputs: tuple[str, ...], bars: Columns) -> list[NDArray[np.float64]]:
    """The columns an indicator takes; a free series is the close."""
    rng = np.random.default_rng(3)
    rows = len(bars["close"])
    more = {
        "value": bars["close"],
        "periods": rng.integers(1, 40, rows) * 1.0,
        "bid_price": bars["low"],
        "ask_price": bars["high"],
        "bid_size": np.floor(rng.lognormal(4, 1, rows)),
        "ask_size": np.floor(rng.lognormal(4, 1, rows)),
        "ts_event": 1_704_205_800e9 + 600e9 * np.arange(1, rows + 1),
    }
    return [(bars | more)[name] for name in inputs]
