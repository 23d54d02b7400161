"""The list of indicators is complete, in the documents as elsewhere."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from pyrt.indicators import catalog

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "indicators.md"
NAMES = {entry.name for entry in catalog()}

# What nautilus_trader.indicators 1.231 exports, and BookImbalanceRatio of its Rust core.
NAUTILUS = [
    "AdaptiveMovingAverage", "ArcherMovingAveragesTrends", "AroonOscillator",
    "AverageTrueRange", "Bias", "BollingerBands", "BookImbalanceRatio",
    "ChandeMomentumOscillator", "CommodityChannelIndex", "DirectionalMovement",
    "DonchianChannel", "DoubleExponentialMovingAverage", "EfficiencyRatio",
    "ExponentialMovingAverage", "FuzzyCandlesticks", "HullMovingAverage", "IchimokuCloud",
    "KeltnerChannel", "KeltnerPosition", "KlingerVolumeOscillator", "LinearRegression",
    "MovingAverageConvergenceDivergence", "MovingAverageFactory", "OnBalanceVolume",
    "Pressure", "PsychologicalLine", "RateOfChange", "RelativeStrengthIndex",
    "RelativeVolatilityIndex", "SimpleMovingAverage", "SpreadAnalyzer", "Stochastics",
    "Swings", "VariableIndexDynamicAverage", "VerticalHorizontalFilter", "VolatilityRatio",
    "VolumeWeightedAveragePrice", "WeightedMovingAverage", "WilderMovingAverage",
]  # fmt: skip

# What traders expect besides, by the name it has here.
EXPECTED = [
    "VWAP", "RVWAP", "SESSIONVWAP", "SUPERTREND", "KC", "DONCHIAN", "ICHIMOKU", "HMA",
    "ZLEMA", "VIDYA", "CKSTOP", "CHOP", "CRSI", "SQUEEZE", "FISHER", "VORTEX", "COPPOCK",
    "KST", "TSI", "ERI", "EFI", "PIVOTS", "FIBPIVOTS", "CAMARILLA", "HA", "ZSCORE", "SMA",
    "STDDEV", "SKEW", "KURT", "QUANTILE", "CORREL", "BETA", "REGRESSION", "LINEARREG", "MAX",
    "MIN", "MAXINDEX", "MININDEX", "EWMVAR", "EWMCOV", "KALMAN", "HALFLIFE", "HURST",
    "REALIZEDVOL", "BIPOWERVOL", "PARKINSON", "GARMANKLASS", "ROGERSSATCHELL", "YANGZHANG",
    "OFI", "MICROPRICE", "BOOKIMBALANCE", "KYLELAMBDA", "VPIN", "AMIHUD",
]  # fmt: skip


def test_every_indicator_of_nautilus_trader_has_a_counterpart() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| `(\w+)` \|", PAGE.read_text("utf-8"), re.MULTILINE))
    mapped = {theirs: ours for theirs, ours in rows.items() if theirs in NAUTILUS}
    assert set(mapped) == set(NAUTILUS)
    assert set(mapped.values()) <= NAMES


def test_what_traders_expect_is_there() -> None:
    assert set(EXPECTED) <= NAMES


def test_the_index_names_every_indicator_and_links_its_page() -> None:
    text = PAGE.read_text("utf-8").split("## The families")[1]
    assert {name for name in NAMES if f"`{name}`" not in text} == set()
    assert {e.family for e in catalog()} == set(re.findall(r"\(indicators/(\w+)\.md\)", text))


def test_pages_and_pictures_are_those_the_script_writes() -> None:
    command = [sys.executable, str(ROOT / "scripts" / "indicator_pages.py"), "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
