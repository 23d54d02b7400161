"""Draw what a family of indicators makes of one price: a chart as SVG, without any other package.

    python examples/indicator_pictures.py averages picture.svg

The price is a random walk from a fixed seed, so the same call draws the same picture.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import pyrt.indicators as indicators
from pyrt.indicators import catalog

Array = NDArray[np.float64]
BARS = 160
WARM = 240  # bars before the picture, for the longest warm-up
WIDTH, PRICE_HEIGHT, PANEL_HEIGHT, MARGIN = 720, 190, 110, 14
COLORS = ("#d1495b", "#2e86ab", "#edae49", "#66a182", "#8d6a9f")

# What each picture shows: with the price those that live on its scale, below it one other.
SHOWN: dict[str, tuple[tuple[str, ...], str | None]] = {
    "averages": (("SMA", "EMA", "HMA"), None),
    "adaptive": (("KAMA", "VIDYA"), None),
    "cycles": (("MAMA", "HT_TRENDLINE"), "HT_SINE"),
    "choice": (("MA",), None),
    "oscillators": ((), "MACD"),
    "statistics": (("LINEARREG",), "CORREL"),
    "arithmetic": ((), "CUMSUM"),
    "prices": (("HA",), "BOP"),
    "extremes": (("DONCHIAN",), "AROON"),
    "volatility": ((), "ATR"),
    "directional": ((), "ADX"),
    "stochastics": ((), "STOCH"),
    "bands": (("BBANDS",), "KPOS"),
    "stops": (("SUPERTREND", "SAR"), None),
    "volume": (("VWAP",), "MFI"),
    "turnover": ((), "PVT"),
    "candles_one": ((), "CDLDOJI"),
    "candles_two": ((), "CDLENGULFING"),
    "candles_hammers": ((), "CDLHAMMER"),
    "candles_three": ((), "CDL3OUTSIDE"),
    "candles_stars": ((), "CDLEVENINGSTAR"),
    "candles_gaps": ((), "CDLXSIDEGAP3METHODS"),
    "candles_more": ((), "CDLHIKKAKE"),
    "channels": (("ICHIMOKU",), "ZSCORE"),
    "estimators": ((), "YANGZHANG"),
    "rates": ((), "ROC"),
    "momentum": ((), "RSI"),
    "trend": ((), "CHOP"),
    "composites": ((), "CRSI"),
    "rolling": (("QUANTILE",), "SKEW"),
    "models": (("KALMAN",), "HURST"),
    "sessions": (("SESSIONVWAP",), None),
    "pivots": (("PIVOTS",), None),
    "microstructure": (("MICROPRICE",), "OFI"),
    "fuzzy": ((), "FUZZYCANDLE"),
}
PARAMETERS: dict[str, dict[str, Any]] = {
    "SMA": {"timeperiod": 20}, "EMA": {"timeperiod": 20}, "MA": {"matype": 2},
    "KAMA": {"timeperiod": 20}, "CORREL": {"timeperiod": 20}, "SESSIONVWAP": {"tz": "UTC"},
}  # fmt: skip
# Outputs on another scale than the first; drawing them with it would flatten it.
LEFT_OUT = {"SUPERTREND": 1, "KALMAN": 1}


def market() -> dict[str, Array]:
    """Return the columns any indicator may ask for."""
    rng = np.random.default_rng(12)
    rows = WARM + BARS
    close = 100 * np.exp(np.cumsum(rng.normal(0.0002, 0.008, rows)))
    first = np.concatenate((close[:1], close[:-1])) * (1 + rng.normal(0, 0.001, rows))
    spread = close * 0.004
    high = np.maximum(first, close) + spread * rng.random(rows)
    low = np.minimum(first, close) - spread * rng.random(rows)
    return {
        "value": close, "open": first, "high": high, "low": low, "close": close,
        "volume": rng.integers(100, 1_000, rows) * 1.0, "periods": np.full(rows, 15.0),
        "bid_price": close - 0.2, "ask_price": close + 0.2,
        "bid_size": rng.integers(1, 50, rows) * 1.0, "ask_size": rng.integers(1, 50, rows) * 1.0,
        "ts_event": 1_704_205_800e9 + 1_800e9 * np.arange(1, rows + 1),
    }  # fmt: skip


def lines_of(name: str, columns: dict[str, Array]) -> list[tuple[str, Array]]:
    """Return an indicator's outputs over the bars shown, each with its label."""
    indicator = getattr(indicators, name)(**PARAMETERS.get(name, {}))
    made = indicator.batch(*[columns[key] for key in indicator.inputs])
    outputs = made if isinstance(made, tuple) else (made,)
    outputs = outputs[: LEFT_OUT.get(name, len(COLORS))]
    labels = [name] if len(outputs) == 1 else indicator.outputs
    return [(label, values[WARM:]) for label, values in zip(labels, outputs)]


def panel(lines: list[tuple[str, Array]], top: float, height: float, colors: list[str]) -> str:
    """Return the lines scaled to one panel, their labels and the ends of the scale."""
    defined = np.concatenate([values[np.isfinite(values)] for _, values in lines])
    low, high = float(defined.min()), float(defined.max())
    span = (high - low) or 1.0
    parts = [f'<rect x="0" y="{top}" width="{WIDTH}" height="{height}" fill="#fafafa"/>']
    for k, ((label, values), color) in enumerate(zip(lines, colors, strict=True)):
        points = " ".join(
            f"{MARGIN + i * (WIDTH - 2 * MARGIN) / (BARS - 1):.1f},"
            f"{top + height - 8 - (v - low) / span * (height - 28):.1f}"
            for i, v in enumerate(values.tolist())
            if np.isfinite(v)
        )
        parts.append(f'<polyline points="{points}" fill="none" stroke="{color}"/>')
        x = MARGIN + 112 * k
        parts.append(f'<text x="{x}" y="{top + 12}" fill="{color}">{label}</text>')
    edge = WIDTH - MARGIN
    parts.append(f'<text x="{edge}" y="{top + 12}" text-anchor="end">{high:.4g}</text>')
    parts.append(f'<text x="{edge}" y="{top + height - 2}" text-anchor="end">{low:.4g}</text>')
    return "\n".join(parts)


def picture(family: str) -> str:
    """Return the SVG of a family."""
    columns = market()
    above, below = SHOWN[family]
    lines = [("close", columns["close"][WARM:])]
    for name in above:
        lines += lines_of(name, columns)
    colors = ["#333333", *[COLORS[k % len(COLORS)] for k in range(len(lines) - 1)]]
    body = [panel(lines, 0, PRICE_HEIGHT, colors)]
    height = PRICE_HEIGHT
    if below:
        under = lines_of(below, columns)
        body.append(panel(under, height + 6, PANEL_HEIGHT, list(COLORS[: len(under)])))
        height += PANEL_HEIGHT + 6
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
            'font-family="sans-serif" font-size="11" fill="#555555">',
            *body,
            "</svg>\n",
        ]
    )


def main() -> None:
    families = list(dict.fromkeys(entry.family for entry in catalog()))
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("family", choices=families)
    parser.add_argument("path", type=Path)
    chosen = parser.parse_args()
    chosen.path.write_text(picture(chosen.family), "utf-8")
    print(f"{chosen.family} drawn to {chosen.path}")


if __name__ == "__main__":
    main()
