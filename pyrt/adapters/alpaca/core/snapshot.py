"""One look at the whole account: orders and activities page by page, positions last."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import msgspec

from pyrt.adapters.alpaca.core.account import AccountView, PositionView
from pyrt.adapters.alpaca.core.messages import OrderView
from pyrt.adapters.alpaca.core.pacing import SECOND
from pyrt.adapters.alpaca.core.rest import HttpRequest
from pyrt.core.times import format_ns, timestamp_ns
from pyrt.live.core.broker import BrokerAdjustment, BrokerFill, BrokerOrder, BrokerState

PURPOSE = "snapshot:"
ORDERS_MAX = 500
ACTIVITIES_MAX = 100
CLOSED = frozenset(
    {"filled", "canceled", "expired", "rejected", "replaced", "done_for_day", "calculated"}
)
KINDS = {
    "SPLIT": "split",
    "SSP": "split",
    "REORG": "symbol_change",
    "SC": "symbol_change",
    "SSO": "symbol_change",
    "MA": "symbol_change",
    "NC": "symbol_change",
    "DIV": "dividend",
    "DIVCGL": "dividend",
    "DIVCGS": "dividend",
    "DIVFEE": "dividend",
    "DIVFT": "dividend",
    "DIVNRA": "dividend",
    "DIVROC": "dividend",
    "DIVTW": "dividend",
    "DIVTXEX": "dividend",
    "CGD": "dividend",
    "FEE": "fee",
    "CFEE": "fee",
    "PTC": "fee",
    "PTR": "fee",
    "INT": "interest",
    "INTNRA": "interest",
    "INTTW": "interest",
    "CSD": "cash",
    "CSW": "cash",
    "JNLC": "cash",
    "TRANS": "cash",
    "ACATC": "cash",
    "OPCSH": "cash",
    "ACATS": "correction",
    "FOPT": "correction",
    "JNLS": "correction",
    "SPIN": "correction",
    # The shares that an option delivers or takes; those of the contract are nobody's here.
    "OPASN": "correction",
    "OPCA": "correction",
    "OPEXC": "correction",
    "OPEXP": "correction",
    "OPTRD": "correction",
}
"""The broker's types of activity → ours; further ones that begin with DIV are dividends."""
MIXED = frozenset({"JNL", "MISC"})
"""Types that move units or cash: which, an entry says itself, as one of a type not known does."""
LAGGING_NS = 60 * SECOND
"""Lists are not all of one instant: what is younger and stands in one alone is left for the next
look."""


class ActivityView(msgspec.Struct, kw_only=True):
    """An entry of the account's activities; fills and everything else in one shape."""

    id: str
    activity_type: str
    transaction_time: str | None = None
    type: str = ""
    price: str = "0"
    qty: str | None = None
    side: str = ""
    symbol: str = ""
    order_id: str = ""
    cum_qty: str | None = None
    date: str | None = None
    net_amount: str | None = None
    description: str = ""
    status: str = "executed"
    per_share_amount: str | None = None


class ClockView(msgspec.Struct, kw_only=True):
    """Whether the market is open."""

    timestamp: str
    is_open: bool
    next_close: str | None = None


class SnapshotReader:
    """Asks for everything, one request after the other; `begin` starts, `receive` goes on.

    Parameters
    ----------
    symbols : sequence of str
        As the node writes them: positions of coins come without their slash.
    """

    def __init__(self, symbols: tuple[str, ...] = ()) -> None:
        self.names = {symbol.replace("/", ""): symbol for symbol in symbols}
        self._reset(0, "")
        self.is_busy = False

    def _reset(self, orders_age: int, activities_after: str) -> None:
        self._orders_age = orders_age
        self._activities_after = activities_after
        self._orders: dict[str, OrderView] = {}
        self._flat: dict[str, OrderView] = {}
        self._activities: dict[str, ActivityView] = {}
        self._complete = True
        self._session_open: bool | None = None
        self._server_ts = self._next_close = 0
        self._account: AccountView | None = None

    def begin(self, orders_age: int = 0, activities_after: str = "") -> HttpRequest:
        """Start another look; return its first request.

        Parameters
        ----------
        orders_age : int
            Closed orders are listed that are not older, ns by the broker's clock; open ones
            always. 0 for all.
        activities_after : str
            ISO time from which activities are listed; "" for all.
        """
        self._reset(orders_age, activities_after)
        self.is_busy = True
        return _get("clock", "/v2/clock")

    def receive(self, request: HttpRequest, body: bytes, now: int) -> HttpRequest | BrokerState:
        """Take an answer; return the next request, or the state when this was the last.

        Raises
        ------
        msgspec.DecodeError
            If it makes no sense; the same request may be sent again.
        """
        step = request.purpose.removeprefix(PURPOSE)
        if step == "clock":
            clock = msgspec.json.decode(body, type=ClockView)
            self._session_open, self._server_ts = clock.is_open, timestamp_ns(clock.timestamp)
            self._next_close = timestamp_ns(clock.next_close) if clock.next_close else 0
            return self._orders_page("flat", 0)
        if step in ("flat", "open", "all"):
            return self._on_orders(step, body)
        if step == "activities":
            return self._on_activities(body)
        if step == "account":
            self._account = msgspec.json.decode(body, type=AccountView)
            return _get("positions", "/v2/positions")
        held = msgspec.json.decode(body, type=list[PositionView])
        # Busy up to here: an answer that makes no sense is asked for again, by the same look.
        self.is_busy = False
        return self._state(held, now)

    # -- pages ---------------------------------------------------------------------------------

    def _orders_page(self, step: str, after: int) -> HttpRequest:
        query: dict[str, Any] = {
            "status": "open" if step == "flat" else step,
            "limit": ORDERS_MAX,
            "direction": "asc",
            "nested": "false" if step == "flat" else "true",
        }
        if after:
            query["after"] = format_ns(after)
        return _get(step, f"/v2/orders?{urlencode(query)}")

    def _on_orders(self, step: str, body: bytes) -> HttpRequest:
        page = msgspec.json.decode(body, type=list[OrderView])
        orders = self._flat if step == "flat" else self._orders
        fresh = [view for view in page if view.id not in orders]
        for view in page:
            orders[view.id] = view
        if len(page) == ORDERS_MAX:
            last = page[-1].submitted_at or page[-1].created_at
            if fresh and last is not None:
                # Orders of one instant may lie on both sides of a page's end: look again from it.
                return self._orders_page(step, timestamp_ns(last) - 1)
            self._complete = False
        if step == "flat":
            # Before the others: an entry that comes meanwhile is in those with its exits.
            return self._orders_page("open", 0)
        if step == "open":
            # By the broker's clock: a simulator of another day has its own.
            age, there = self._orders_age, self._server_ts
            return self._orders_page("all", max(there - age, 0) if age and there else 0)
        self._orders |= self._alone()
        return self._activities_page("")

    def _alone(self) -> dict[str, OrderView]:
        """Return exits whose entry filled longer ago than orders are listed: no nested list has
        them."""
        shown = {leg.id for view in self._orders.values() for leg in view.legs or ()}
        latest = self._server_ts - LAGGING_NS
        return {
            view.id: view
            for view in self._flat.values()
            if view.id not in shown
            and view.id not in self._orders
            and view.created_at is not None
            and timestamp_ns(view.created_at) < latest
        }

    def _activities_page(self, token: str) -> HttpRequest:
        query: dict[str, Any] = {"direction": "asc", "page_size": ACTIVITIES_MAX}
        if self._activities_after:
            query["after"] = self._activities_after
        if token:
            query["page_token"] = token
        return _get("activities", f"/v2/account/activities?{urlencode(query)}")

    def _on_activities(self, body: bytes) -> HttpRequest:
        rows = msgspec.json.decode(body, type=list[dict[str, Any]])
        # What an activity of its kind does not have may be left out, or be null.
        told = [{name: one for name, one in row.items() if one is not None} for row in rows]
        page = msgspec.convert(told, list[ActivityView])
        fresh = [view for view in page if view.id not in self._activities]
        for view in page:
            self._activities[view.id] = view
        if len(page) == ACTIVITIES_MAX and fresh:
            return self._activities_page(page[-1].id)
        return _get("account", "/v2/account")

    # -- the whole -----------------------------------------------------------------------------

    def _state(self, held: list[PositionView], now: int) -> BrokerState:
        assert self._account is not None
        account = self._account
        trades = [a for a in self._activities.values() if a.activity_type == "FILL"]
        trades.sort(key=lambda a: (_time_of(a), Decimal(a.cum_qty or 0), a.id))
        others = [a for a in self._activities.values() if a.activity_type != "FILL"]
        bookings = [a for a in others if a.status != "canceled"]
        return BrokerState(
            ts=now,
            account=account.account_number,
            may_trade=account.may_trade,
            status=account.status,
            cash=account.cash_exact,
            equity=Decimal(account.equity),
            positions={self._name(p.symbol): Decimal(p.qty) for p in held},
            prices={
                self._name(p.symbol): Decimal(p.current_price) for p in held if p.current_price
            },
            orders=tuple(map(self._order, self._orders.values())),
            fills=tuple(self._fill(a) for a in trades if a.status != "correct"),
            adjustments=tuple(map(self._adjustment, bookings)),
            canceled=tuple(self._adjustment(a) for a in others if a.status == "canceled"),
            orders_after=max(now - self._orders_age, 0) if self._orders_age else 0,
            orders_complete=self._complete,
            activities_until=(trades[-1].transaction_time or "") if trades else "",
            session_open=self._session_open,
            server_ts=self._server_ts,
            multiplier=account.multiplier_number,
            shorting=account.shorting_enabled,
            last_equity=Decimal(account.last_equity or 0),
            last_maintenance=Decimal(account.last_maintenance_margin or 0),
            balance_date=account.balance_asof or "",
            next_close=self._next_close,
            coin_tier=account.crypto_tier or 0,
            raw=(tuple(self._orders.values()), tuple(trades)),
        )

    def _name(self, symbol: str) -> str:
        return self.names.get(symbol.replace("/", ""), symbol)

    def _order(self, view: OrderView) -> BrokerOrder:
        return BrokerOrder(
            venue_order_id=view.id,
            client_order_id=view.client_order_id,
            symbol=self._name(view.symbol),
            side=view.side,
            status=view.status,
            is_open=view.status not in CLOSED,
            filled=Decimal(view.filled_qty),
        )

    def _fill(self, view: ActivityView) -> BrokerFill:
        return BrokerFill(
            activity_id=view.id,
            venue_order_id=view.order_id,
            symbol=self._name(view.symbol),
            side="buy" if view.side == "buy" else "sell",
            quantity=Decimal(view.qty or 0),
            price=Decimal(view.price),
            cumulative=Decimal(view.cum_qty or 0),
            ts_event=_time_of(view),
        )

    def _adjustment(self, view: ActivityView) -> BrokerAdjustment:
        quantity = Decimal(view.qty or 0)
        kind = KINDS.get(view.activity_type, "")
        if not kind:
            kind = "correction" if view.symbol and quantity else "cash"
            kind = "dividend" if view.activity_type.startswith("DIV") else kind
        if kind == "fee" and "borrow" in view.description.lower():
            # It comes beside the fees of executions, and replaces none that were accrued.
            kind = "borrow"
        return BrokerAdjustment(
            activity_id=view.id,
            kind=kind,
            symbol=self._name(view.symbol),
            quantity=quantity,
            amount=Decimal(view.net_amount or 0),
            text=f"{view.activity_type} {view.description}".strip(),
            ts_event=timestamp_ns(view.date) if view.date else 0,
        )


def _time_of(view: ActivityView) -> int:
    """Return when an execution occurred, ns UTC; 0 where that is not told."""
    return timestamp_ns(view.transaction_time) if view.transaction_time else 0


def _get(step: str, path: str) -> HttpRequest:
    return HttpRequest("GET", path, b"", purpose=PURPOSE + step)
