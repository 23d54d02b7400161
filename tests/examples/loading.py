"""Examples as modules, and the bars they run on by default as pandas tables."""

from __future__ import annotations

import importlib.util
import sys
from functools import cache
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
OTHERS = {"remote_model", "indicator_pictures"}
"""Examples that are no backtests: they have tests of their own."""
NAMES = sorted({path.stem for path in EXAMPLES.glob("*.py")} - OTHERS)


@cache
def example(name: str) -> ModuleType:
    """Import one example from its path."""
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def daily(symbol: str, *, adjusted: bool = False) -> pd.DataFrame:
    """Daily bars of one stock, date index; prices scaled to the adjusted close if wanted."""
    stocks = pytest.importorskip("bokeh_sampledata.stocks").data
    bars = stocks[stocks["ticker"] == symbol].set_index("date").drop(columns="ticker")
    if adjusted:
        factor = bars["adj_close"] / bars["close"]
        for column in ("open", "high", "low", "close"):
            bars[column] = bars[column] * factor
    return bars
