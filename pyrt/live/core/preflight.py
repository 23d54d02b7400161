"""What the broker would say of an order, by its rules and by what the kernel knows.

A function of the kernel's state alone, so that a replay of the day gives the same answers.
"""

from __future__ import annotations

from collections.abc import Container
from decimal import Decimal

from pyrt.core.orders import Order
from pyrt.kernel.kernel import Kernel
from pyrt.venues.alpaca.facts import (
    AccountFacts,
    AssetFacts,
    MarketFacts,
    OpenOrder,
    PositionFacts,
    market_facts,
)
from pyrt.venues.alpaca.intake import Intake, refusal_text
from pyrt.venues.alpaca.requests import open_order_of, request_of
from pyrt.venues.alpaca.rules import AlpacaRules
from pyrt.venues.extended_hours import hours_around

__all__ = ["KernelBooks", "Preflight"]


class KernelBooks:
    """A kernel's account, positions and orders, as Alpaca's rules ask for them.

    Parameters
    ----------
    kernel : Kernel
    """

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    @property
    def now(self) -> int:
        """The kernel's time, ns UTC."""
        return self._kernel.clock.timestamp_ns

    @property
    def free_funds(self) -> Decimal:
        """Dollars that new positions may cost, before what open orders reserve."""
        return self._power("buying_power")

    @property
    def unmargined_funds(self) -> Decimal:
        """Dollars that may be spent on what nothing is lent on."""
        return self._power("non_marginable_buying_power")

    def _power(self, name: str) -> Decimal:
        account = self._kernel.account
        if not account.margin:
            return account.cash_exact
        # Whoever works orders may have reserved for them; the rules reserve for all that is open.
        state = account.margin_state()
        return Decimal(state[name] + state["reserved"])

    @property
    def client_ids(self) -> Container[str]:
        """No id: those of a run are minted once, so that none is used twice."""
        return frozenset()

    def account_facts(self) -> AccountFacts:
        """Return the account's equity, and whether it may sell short now."""
        account = self._kernel.account
        return AccountFacts(
            buying_power=Decimal(0),
            non_marginable_buying_power=Decimal(0),
            equity=account.equity_exact,
            is_shorting_enabled=account.can_short,
        )

    def asset_facts(self, symbol: str) -> AssetFacts | None:
        """Return what the instrument says of an asset; None if there is none."""
        for instrument in self._kernel.cache.instruments:
            if instrument.symbol == symbol:
                return AssetFacts(
                    symbol=symbol,
                    asset_class="crypto" if instrument.kind == "crypto" else "us_equity",
                    is_tradable=instrument.tradable,
                    is_shortable=instrument.shortable,
                    is_fractionable=instrument.fractionable,
                )
        return None

    def market(self, symbol: str) -> MarketFacts:
        """Return hours and last price of a symbol; no price, where none has come yet."""
        last = None
        for instrument in self._kernel.cache.instruments:
            if instrument.symbol == symbol:
                marks = (p.last_price for p in self._kernel.cache.positions_in(instrument))
                last = next((Decimal(repr(mark)) for mark in marks if mark > 0), None)
        return market_facts(hours_around(self.now), self.now, last=last)

    def positions(self) -> dict[str, PositionFacts]:
        """Return what the account holds, by symbol; coins without the slash."""
        held: dict[str, Decimal] = {}
        for position in self._kernel.cache.positions():
            symbol = position.symbol.replace("/", "")
            held[symbol] = held.get(symbol, Decimal(0)) + position.quantity_exact
        return {s: PositionFacts(symbol=s, quantity=units) for s, units in held.items() if units}

    def open_orders(self) -> list[OpenOrder]:
        """Return all orders that the broker has, oldest first."""
        orders = (open_order_of(order) for order in self._kernel.cache.orders_open())
        return [order for order in orders if order is not None]


class Preflight:
    """Judges orders that are not to be sent.

    Parameters
    ----------
    kernel : Kernel
    rules : AlpacaRules, optional
    """

    def __init__(self, kernel: Kernel, rules: AlpacaRules | None = None) -> None:
        self.intake = Intake(rules or AlpacaRules(), KernelBooks(kernel))

    def __call__(self, order: Order) -> str | None:
        """Return how the broker would refuse an order, or None."""
        refusal = self.intake.check(request_of(order))
        return None if refusal is None else refusal_text(refusal)
