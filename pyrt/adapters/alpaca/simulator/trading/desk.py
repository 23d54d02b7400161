"""What the simulator's requests share: exchange, rules, hours, orders, executions."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from pyrt.adapters.alpaca.simulator.faults import FaultBox
from pyrt.adapters.alpaca.simulator.market.actions import Actions
from pyrt.adapters.alpaca.simulator.market.agenda import Agenda
from pyrt.adapters.alpaca.simulator.market.playback import Market
from pyrt.adapters.alpaca.simulator.protocol.wires import eastern, is_pair, numbered_id
from pyrt.adapters.alpaca.simulator.trading.records import OrderRecord
from pyrt.adapters.alpaca.simulator.trading.settlement import settlement_lag
from pyrt.backtest.alpaca_fees import AlpacaFees
from pyrt.backtest.exchange import Exchange
from pyrt.core.accounts import Account
from pyrt.venues.alpaca import (
    AccountFacts,
    AlpacaRules,
    AssetFacts,
    MarketFacts,
    OpenOrder,
    PositionFacts,
    market_facts,
)
from pyrt.venues.alpaca.intake import Intake
from pyrt.venues.extended_hours import ExtendedHours, hours_around

MINUTE = 60_000_000_000
POWERS = {
    "1": "non_marginable_buying_power",
    "2": "regt_buying_power",
    "4": "buying_power",
}
"""What an account shows as its power under each setting of its multiplier."""
CONFIGURATIONS: dict[str, Any] = {
    "dtbp_check": "entry",
    "fractional_trading": True,
    "max_margin_multiplier": "4",
    "max_options_trading_level": 0,
    "no_shorting": False,
    "pdt_check": "entry",
    "ptp_no_exception_entry": False,
    "suspend_trade": False,
    "trade_confirm_email": "all",
    "disable_overnight_trading": False,
}


@dataclass(slots=True)
class Holding:
    """Average price of what is held of one symbol, and whether it was opened today."""

    quantity: Decimal = Decimal(0)
    cost: Decimal = Decimal(0)
    opened: int = 0

    def trade(self, side: str, quantity: Decimal, price: Decimal, ts: int) -> None:
        """Fold one execution in."""
        signed = quantity if side == "buy" else -quantity
        after = self.quantity + signed
        if self.quantity * signed >= 0:
            self.cost += signed * price
            self.opened = self.opened if self.quantity else ts
        elif self.quantity * after > 0:
            self.cost = self.cost * after / self.quantity
        else:
            self.cost = after * price
            self.opened = ts
        self.quantity = after


@dataclass(slots=True)
class Desk:
    """State of the one account of a simulator.

    Parameters
    ----------
    exchange : Exchange
    market_now : Market
        Prices of now.
    rules : AlpacaRules or None
        None lets every order through to the exchange that it can carry.
    """

    exchange: Exchange
    market_now: Market
    rules: AlpacaRules | None = None
    faults: FaultBox = field(default_factory=FaultBox)
    start: int = 0
    seed: int = 0
    orders: dict[str, OrderRecord] = field(default_factory=dict)
    working: dict[int, OrderRecord] = field(default_factory=dict)
    client_ids: dict[str, OrderRecord] = field(default_factory=dict)
    holdings: dict[str, Holding] = field(default_factory=dict)
    activities: list[dict[str, Any]] = field(default_factory=list)
    equity_curve: list[tuple[int, Decimal]] = field(default_factory=list)
    configurations: dict[str, Any] = field(default_factory=lambda: dict(CONFIGURATIONS))
    watchlists: dict[str, dict[str, Any]] = field(default_factory=dict)
    actions: Actions = field(default_factory=Actions)
    agenda: Agenda = field(default_factory=Agenda)
    serial: int = 0
    events: int = 0
    executions: int = 0
    bookings: int = 0
    lists: int = 0
    live: dict[str, OrderRecord] = field(default_factory=dict)
    coin_fees: AlpacaFees | None = None
    """What coins are charged by; None where that is no tier of Alpaca's."""
    balance_date: str = ""
    """New York's date of the last day that has ended."""
    looked_at: tuple[int, int] = (0, 0)
    looks: dict[str, MarketFacts] = field(default_factory=dict)
    """Market facts of this instant, for requests that ask again and again."""

    @property
    def now(self) -> int:
        """The simulator's time, ns UTC."""
        return int(self.exchange.now)

    @property
    def clock(self) -> int:
        """What the account's clock shows: now, unless it is to go wrong."""
        return self.now + int(self.faults.faults.clock_skew_s * 1_000_000_000)

    @property
    def symbols(self) -> list[str]:
        """Symbols that can be traded."""
        return self.exchange.symbols

    def next_number(self) -> int:
        """Return a number that no order of the exchange has had."""
        self.serial += 1
        return self.serial

    def next_id(self) -> str:
        """Return the id of a new order."""
        return self.made_id("order", len(self.orders) + 1)

    def made_id(self, kind: str, number: int) -> str:
        """Return the id of the `number`-th of a kind of things."""
        return numbered_id(f"{self.seed}:{kind}", number)

    def add(self, record: OrderRecord, *, works: bool = True) -> None:
        """Remember an order under its ids, and as the one its number stands for if it works."""
        self.orders[record.id] = self.live[record.id] = record
        self.client_ids[record.client_order_id] = record
        if works:
            self.working[record.number] = record

    def is_replacing(self, record: OrderRecord) -> bool:
        """Whether an order waits for another to take its place, or to take another's."""
        is_waiting = not record.is_final and self.working[record.number] is not record
        return record.status == "pending_replace" or is_waiting

    def settle_date(self, ts: int) -> str:
        """Return the day on which a trade of an instant is settled."""
        table = self.hours().sessions
        row = table.session_of(ts)
        lag = settlement_lag(eastern(int(table.open[row])).date())
        return f"{eastern(int(table.open[row + lag])):%Y-%m-%d}"

    def hours(self) -> ExtendedHours:
        """Return the US trading hours around now."""
        return hours_around(self.now)

    # -- facts for the rules -------------------------------------------------------------------

    def asset_facts(self, symbol: str) -> AssetFacts | None:
        """Return what the rules read of an asset, None if there is none."""
        if symbol not in self.symbols:
            return None
        pair = is_pair(symbol)
        return AssetFacts(
            symbol=symbol, asset_class="crypto" if pair else "us_equity", is_shortable=not pair
        )

    def market(self, symbol: str) -> MarketFacts:
        """Return prices and hours of a symbol; without quotes, the last price is both sides."""
        key = (self.now, self.market_now.version)
        if self.looked_at != key:
            self.looked_at = key
            self.looks.clear()
        facts = self.looks.get(symbol)
        if facts is None:
            facts = self.looks[symbol] = self._look_at(symbol)
        return facts

    def _look_at(self, symbol: str) -> MarketFacts:
        series = self.market_now.series.get(symbol)
        if series is None:
            return market_facts(self.hours(), self.now)
        sides = series.quote(self.now)
        bid, ask = (None, None) if sides is None else (Decimal(str(p)) for p in sides)
        last = self.exchange.last_price(symbol)
        return market_facts(self.hours(), self.now, bid=bid, ask=ask, last=last)

    def live_orders(self) -> list[OrderRecord]:
        """Return the orders that are not final, oldest first."""
        # What is final stays so: the work is that of the open orders, not of all there ever were.
        self.live = {key: record for key, record in self.live.items() if not record.is_final}
        return list(self.live.values())

    def open_orders(self) -> list[OpenOrder]:
        """Return what the rules read of all orders that are not final."""
        # What is to take another's place reserves nothing beside it.
        return [r.facts() for r in self.live_orders() if self.working[r.number] is r]

    def positions(self) -> dict[str, PositionFacts]:
        """Return what is held, by symbol; coins without the slash."""
        return {
            symbol.replace("/", ""): PositionFacts(
                symbol=symbol.replace("/", ""), quantity=holding.quantity
            )
            for symbol, holding in self.holdings.items()
            if holding.quantity
        }

    def account_facts(self) -> AccountFacts:
        """Return what the rules read of the account."""
        return AccountFacts(
            buying_power=self.free_funds,
            non_marginable_buying_power=self.unmargined_funds,
            equity=self.equity,
            is_blocked=bool(self.configurations["suspend_trade"]),
            no_shorting=bool(self.configurations["no_shorting"]),
            is_fractional_enabled=bool(self.configurations["fractional_trading"]),
        )

    # -- days ----------------------------------------------------------------------------------

    def note_equity(self) -> None:
        """Add a point to the equity curve, at most one a minute."""
        point = (self.now, self.equity)
        if self.equity_curve and self.equity_curve[-1][0] // MINUTE == self.now // MINUTE:
            self.equity_curve[-1] = point
        else:
            self.equity_curve.append(point)

    @property
    def opening(self) -> Decimal:
        """What the account began with: its first booking is the deposit."""
        first = next((row for row in self.activities if row["activity_type"] == "JNLC"), None)
        return self.equity if first is None else Decimal(first["net_amount"])

    # -- money ---------------------------------------------------------------------------------

    @property
    def account(self) -> Account:
        """The broker's books."""
        return self.exchange.venue.account

    @property
    def cash(self) -> Decimal:
        """Cash, in dollars."""
        return self.account.cash_exact

    @property
    def equity(self) -> Decimal:
        """Cash plus what is held, at last prices."""
        return self.account.equity_exact

    def value(self, symbol: str) -> Decimal:
        """Return the signed market value of what is held of a symbol."""
        holding = self.holdings.get(symbol)
        if holding is None or not holding.quantity:
            return Decimal(0)
        return holding.quantity * (self.exchange.last_price(symbol) or Decimal(0))

    @property
    def free_funds(self) -> Decimal:
        """What new positions may cost before what open orders reserve: buying power."""
        return self._power(POWERS[self.configurations["max_margin_multiplier"]])

    @property
    def unmargined_funds(self) -> Decimal:
        """What may be spent on that which is not lent on, before what open orders reserve."""
        return self._power("non_marginable_buying_power")

    def _power(self, name: str) -> Decimal:
        # The venue reserves for what it works on; the rules reserve for all that they took.
        account = self.account
        state = account.margin_state()
        power = state[name] if account.margin else account.buying_power_exact
        return Decimal(power + state["reserved"])

    @property
    def intake(self) -> Intake:
        """Alpaca's rules, asked with this account's state."""
        return Intake(self.rules or AlpacaRules(), self)

    def buying_power(self) -> Decimal:
        """Return what new orders may cost: free cash less what open opening orders reserve."""
        if self.rules is None:
            return max(Decimal(0), self.free_funds)
        return self.intake.buying_power()

    def reserved(self) -> Decimal:
        """Return the dollars that open opening orders reserve."""
        return Decimal(0) if self.rules is None else self.intake.reserved()

    def closes(self, symbol: str, side: str) -> bool:
        """Tell whether an order on this side reduces what is held."""
        holding = self.holdings.get(symbol)
        quantity = Decimal(0) if holding is None else holding.quantity
        return quantity > 0 if side == "sell" else quantity < 0
