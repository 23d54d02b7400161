"""One order request with all that is known about it: what every check of `AlpacaRules` reads."""

from __future__ import annotations

import datetime as dt
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from pyrt.venues.alpaca.facts import (
    AccountFacts,
    AssetFacts,
    MarketFacts,
    OpenOrder,
    OrderRequest,
    PositionFacts,
)
from pyrt.venues.alpaca.options import AlpacaOptions
from pyrt.venues.alpaca.refusals import REFUSALS, Refusal

__all__ = ["Case", "find_position", "new_york", "refuse"]

_NEW_YORK = ZoneInfo("America/New_York")


def new_york(ts: int) -> dt.datetime:
    """Return an instant (nanoseconds UTC) as New York time, cut to the second."""
    return dt.datetime.fromtimestamp(ts // 1_000_000_000, _NEW_YORK)


def find_position(positions: Mapping[str, PositionFacts], symbol: str) -> PositionFacts | None:
    """Return a position by the order's symbol; Alpaca writes those of coins without the slash."""
    return positions.get(symbol) or positions.get(symbol.replace("/", ""))


def refuse(
    options: AlpacaOptions, rule: str, *, extra: Mapping[str, Any] | None = None, **fields: object
) -> Refusal:
    """Return the refusal of a rule, its text filled with `fields`."""
    text = REFUSALS[rule]
    message = options.messages.get(rule, text.message).format(**fields)
    return Refusal(rule, text.http_status, text.code, message, dict(extra or {}))


@dataclass(frozen=True, kw_only=True)
class Case:
    """A request and its surroundings.

    Attributes
    ----------
    asset : AssetFacts or None
        None where Alpaca does not know the symbol.
    positions : mapping of str to PositionFacts
        By symbol.
    open_orders : sequence of OpenOrder
        All of the account, in any state but final.
    used_client_order_ids : container of str
        Every id this account has used.
    """

    request: OrderRequest
    asset: AssetFacts | None
    account: AccountFacts
    market: MarketFacts
    positions: Mapping[str, PositionFacts]
    open_orders: Sequence[OpenOrder]
    ts: int
    used_client_order_ids: Container[str]
    options: AlpacaOptions

    def refuse(
        self, rule: str, *, extra: Mapping[str, Any] | None = None, **fields: object
    ) -> Refusal:
        """Return the refusal of a rule, its text filled with `fields`."""
        return refuse(self.options, rule, extra=extra, **fields)

    @property
    def position(self) -> PositionFacts | None:
        """The position in the order's symbol."""
        return find_position(self.positions, self.request.symbol)

    @property
    def held(self) -> Decimal:
        """Signed units held of the order's symbol; 0 if none."""
        position = self.position
        return Decimal(0) if position is None else position.quantity

    @property
    def is_closing(self) -> bool:
        """Whether the order works against the position held."""
        return self.held > 0 if self.request.side == "sell" else self.held < 0

    def orders_on_symbol(self, side: str) -> list[OpenOrder]:
        """Return the working orders of one side in the order's symbol, in the given order."""
        return [
            order
            for order in self.open_orders
            if order.symbol == self.request.symbol and order.side == side and order.is_working
        ]
