"""The simulator core completed to what a read-back needs, and orders to send to it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec

from pyrt.adapters.alpaca.core.messages import ErrorBody
from pyrt.adapters.alpaca.simulator.core import Response, SimulatorCore
from pyrt.backtest.exchange import Exchange
from pyrt.backtest.fees import fee_model
from pyrt.backtest.slippage import slippage_model
from pyrt.backtest.venue import SimVenue
from pyrt.core.accounts import Account
from pyrt.core.instruments import Instrument
from pyrt.core.order_forms import order_from_dict
from pyrt.core.orders import Order
from pyrt.data.columns import BarColumns
from pyrt.kernel.kernel import Kernel
from pyrt.risk.engine import RiskEngine
from pyrt.strategy.strategy import Strategy
from tests.minutes import START, minute_bars

SYMBOL = "SPY"
PREFIX = "run-"


def bars(closes: list[float]) -> BarColumns:
    """Return minute bars through these closes."""
    return minute_bars(SYMBOL, closes, gap=0.01, reach=0.05)


class Broker:
    """The simulator core behind the paths a client uses."""

    def __init__(self, closes: list[float]) -> None:
        venue = SimVenue(Account(100_000), fee_model(None), slippage_model(None))
        venue.add_instrument(_numbered(Instrument(SYMBOL)))
        self.venue = venue
        self.core = SimulatorCore(Exchange(venue, [bars(closes)]))
        self.posted: list[str] = []
        self.averages: dict[str, tuple[Decimal, Decimal]] = {}

    @property
    def cash(self) -> Decimal:
        return Decimal(self.venue.account.cash_exact)

    def request(self, method: str, path: str, body: bytes) -> Response:
        parts = urlsplit(path)
        plain = parts.path
        if plain == "/v2/orders:by_client_order_id":
            plain = "/v2/orders/" + parse_qs(parts.query)["client_order_id"][0]
        answer = self.core.request(method, plain, body)
        if method == "POST" and answer.status == 200:
            self.posted.append(msgspec.json.decode(body)["client_order_id"])
        return Response(answer.status, self.averaged(answer.body)) if answer.body else answer

    def frames(self) -> list[bytes]:
        """Return the trade updates to push."""
        frames = self.core.take_trade_updates()
        for frame in frames:
            self.note(msgspec.json.decode(frame)["data"])
        return frames

    def note(self, update: dict[str, Any]) -> None:
        if update["event"] in ("fill", "partial_fill"):
            key = update["order"]["id"]
            quantity, cost = self.averages.get(key, (Decimal(0), Decimal(0)))
            more = Decimal(update["qty"])
            self.averages[key] = (quantity + more, cost + more * Decimal(update["price"]))

    def averaged(self, body: bytes) -> bytes:
        """Fill in the average price of an order, as Alpaca does."""
        view = msgspec.json.decode(body)
        if not isinstance(view, dict) or view.get("id") not in self.averages:
            return body
        quantity, cost = self.averages[view["id"]]
        view["filled_avg_price"] = f"{cost / quantity:f}"
        return msgspec.json.encode(view)


def refused(status: int, code: int, message: str) -> Response:
    return Response(status, msgspec.json.encode(ErrorBody(code, message)))


LISTING = Instrument(SYMBOL)


def order(number: int, side: str = "buy", quantity: int = 10, **terms: Any) -> Order:
    """Return an order as the client gets it."""
    fields: dict[str, Any] = dict.fromkeys(
        ("limit_price", "stop_price", "trail_amount", "trail_percent", "expires_at", "tag")
    )
    fields.update(dict.fromkeys(("notional", "display_quantity", "taken", "parent", "sibling")))
    flags = ("post_only", "reduce_only", "extended_hours", "queue", "is_exit")
    fields.update(dict.fromkeys(flags, False))
    fields.update(
        number=number,
        filled_notional=0,
        requests=(0, 0, 0),
        venue_order_id="",
        client_order_id=f"{PREFIX}{number}",
        side=side,
        order_type="limit" if "limit_price" in terms else "market",
        time_in_force="gtc",
        status="SENT",
        quantity=quantity,
        filled_quantity=0,
        reason="",
        ts_init=START,
        ts_last=START,
    )
    return order_from_dict({**fields, **terms}, LISTING)


class Placing(Strategy):
    """Places orders outside of a run."""


def bracket(quantity: int = 10, *, take_profit: float, stop_loss: float) -> Order:
    """Return an entry with its exits, as a desk makes them; they are the orders 1, 2 and 3."""
    kernel = Kernel(Account(100_000), RiskEngine(), prefix=PREFIX, default_tif={"": "gtc"})
    kernel.add_instrument(Instrument(SYMBOL))
    strategy = Placing()
    kernel.add_strategy(strategy)
    return strategy.buy(SYMBOL, quantity, take_profit=take_profit, stop_loss=stop_loss)


def _numbered(instrument: Instrument) -> Instrument:
    from pyrt.core.cache import Cache

    Cache().add_instrument(instrument)
    return instrument
