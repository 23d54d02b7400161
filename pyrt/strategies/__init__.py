"""Ready strategies, each a page long: to run as they are, to compare with, to start from.

`pyrt backtest pyrt.strategies.sma_cross --data …` runs one from the shell.
"""

from pyrt.strategies.buy_and_hold import BuyAndHold
from pyrt.strategies.rsi_reversion import RsiReversion
from pyrt.strategies.sma_cross import SmaCross

__all__ = ["BuyAndHold", "RsiReversion", "SmaCross"]
