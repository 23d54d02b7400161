"""What Alpaca accepts, charges and answers, stated once.

`AlpacaRules` judges orders, replacements and cancels; the backtest venue, the simulator and the
client's own check before sending are its three users. `fees` says what trading costs.
"""

from __future__ import annotations

from pyrt.venues.alpaca.facts import (
    AccountFacts,
    AssetFacts,
    MarketFacts,
    OpenOrder,
    OptionLeg,
    OrderRequest,
    PositionFacts,
    ReplaceRequest,
    market_facts,
)
from pyrt.venues.alpaca.options import AlpacaOptions
from pyrt.venues.alpaca.refusals import REFUSALS, Refusal, RefusalText
from pyrt.venues.alpaca.rules import AlpacaRules

__all__ = [
    "REFUSALS",
    "AccountFacts",
    "AlpacaOptions",
    "AlpacaRules",
    "AssetFacts",
    "MarketFacts",
    "OpenOrder",
    "OptionLeg",
    "OrderRequest",
    "PositionFacts",
    "Refusal",
    "RefusalText",
    "ReplaceRequest",
    "market_facts",
]
