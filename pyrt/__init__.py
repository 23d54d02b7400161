"""Event-driven backtesting and live trading: one strategy, recorded or live markets."""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyrt.analysis.result import BacktestResult as BacktestResult
    from pyrt.core.book import OrderBook as OrderBook
    from pyrt.core.data import Bar as Bar
    from pyrt.core.data import Quote as Quote
    from pyrt.core.data import Signal as Signal
    from pyrt.core.data import Trade as Trade
    from pyrt.core.instruments import Instrument as Instrument
    from pyrt.core.instruments import crypto as crypto
    from pyrt.core.instruments import equity as equity
    from pyrt.core.numbers import Money as Money
    from pyrt.core.orders import Fill as Fill
    from pyrt.core.orders import Order as Order
    from pyrt.data import load as load
    from pyrt.facade import BacktestEngine as BacktestEngine
    from pyrt.facade import backtest as backtest
    from pyrt.strategy import Strategy as Strategy

__version__ = "0.1.0"

_WHERE = {
    "Strategy": "pyrt.strategy",
    "backtest": "pyrt.facade",
    "BacktestEngine": "pyrt.facade",
    "BacktestResult": "pyrt.analysis.result",
    "Instrument": "pyrt.core.instruments",
    "equity": "pyrt.core.instruments",
    "crypto": "pyrt.core.instruments",
    "OrderBook": "pyrt.core.book",
    "Bar": "pyrt.core.data",
    "Quote": "pyrt.core.data",
    "Trade": "pyrt.core.data",
    "Signal": "pyrt.core.data",
    "Fill": "pyrt.core.orders",
    "Order": "pyrt.core.orders",
    "Money": "pyrt.core.numbers",
    "load": "pyrt.data",
    "AlpacaAccount": "pyrt.adapters.alpaca.account.scripts",
    "LiveNode": "pyrt.adapters.alpaca.node.live",
    "NodeConfig": "pyrt.live.config",
}

__all__ = ["__version__", *_WHERE]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'pyrt' has no attribute {name!r}")
    value = getattr(import_module(_WHERE[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


class _Facade(ModuleType):
    """The package's own type: `pyrt.backtest` is the function, whatever is imported when.

    Importing anything of the subpackage of that name binds it as an attribute of this package,
    over the function; `from pyrt import BacktestEngine, backtest` would then give a module.
    """

    @property
    def backtest(self) -> Any:
        return import_module("pyrt.facade").backtest

    @backtest.setter
    def backtest(self, value: Any) -> None:
        # What the import system binds here stays in sys.modules, where imports find it.
        return


sys.modules[__name__].__class__ = _Facade
