"""`pyrt.backtest` is the function in every order of imports, and the subpackage stays in reach."""

from __future__ import annotations

import subprocess
import sys

import pytest

ORDERS = [
    "from pyrt import backtest",
    "from pyrt import BacktestEngine, backtest",
    "from pyrt.backtest.fees import fee_model; from pyrt import backtest",
    "import pyrt.backtest.engine; backtest = pyrt.backtest",
    "import pyrt.facade; from pyrt import backtest",
    "from pyrt.backtest import engine; assert engine.Engine; from pyrt import backtest",
    "from importlib import import_module; import_module('pyrt.backtest.engine').Engine; "
    "from pyrt import backtest",
]


@pytest.mark.parametrize("order", ORDERS)
def test_backtest_is_the_function(order: str) -> None:
    code = f"import warnings; warnings.simplefilter('error'); {order}; print(backtest.__module__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.stdout.strip(), done.stderr) == ("pyrt.facade", "")


def test_a_run_travels_between_processes_by_name() -> None:
    import pickle

    import pyrt
    from pyrt.backtest.settings import VenueSettings

    assert pickle.loads(pickle.dumps(pyrt.backtest)) is pyrt.backtest
    assert pickle.loads(pickle.dumps(VenueSettings())) == VenueSettings()
