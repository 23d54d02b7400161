"""The counter where Alpaca takes requests: the rules, and the state of the account they ask for.

A user of the rules says what its account holds and has open (`Books`); `Intake` gathers that for
each request, so that buying power and what is reserved are computed in one place.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Protocol

from pyrt.venues.alpaca.case import find_position
from pyrt.venues.alpaca.facts import (
    AccountFacts,
    AssetFacts,
    MarketFacts,
    OpenOrder,
    OrderRequest,
    PositionFacts,
    ReplaceRequest,
)
from pyrt.venues.alpaca.refusals import Refusal
from pyrt.venues.alpaca.rules import AlpacaRules

__all__ = ["Books", "Intake", "refusal_text"]


def refusal_text(refusal: Refusal) -> str:
    """Return a refusal as an order's reason: code, colon, message."""
    return f"{refusal.code}: {refusal.message}"


class Books(Protocol):
    """What the rules want to know of an account, at this instant."""

    @property
    def now(self) -> int:
        """The present, nanoseconds UTC."""

    @property
    def free_funds(self) -> Decimal:
        """Dollars that new positions may cost, before what open orders reserve."""

    @property
    def unmargined_funds(self) -> Decimal:
        """Dollars that coins and what else nothing is lent on may cost, before the same."""

    @property
    def client_ids(self) -> Container[str]:
        """Every client order id the account has used."""

    def asset_facts(self, symbol: str) -> AssetFacts | None:
        """Return what is known of an asset; None if there is none."""

    def account_facts(self) -> AccountFacts:
        """Return the account's permissions and equity; buying powers are filled in."""

    def market(self, symbol: str) -> MarketFacts:
        """Return prices and hours of a symbol."""

    def positions(self) -> Mapping[str, PositionFacts]:
        """Return what is held, by symbol."""

    def open_orders(self) -> Sequence[OpenOrder]:
        """Return all orders that are not final, oldest first."""


class Intake:
    """Judges an account's requests by Alpaca's rules.

    Parameters
    ----------
    rules : AlpacaRules
    books : Books
        Asked anew for each request: nothing is remembered here.
    """

    def __init__(self, rules: AlpacaRules, books: Books) -> None:
        self.rules = rules
        self.books = books

    def check(self, request: OrderRequest) -> Refusal | None:
        """Return how a new order is refused, or None."""
        books, orders = self.books, self.books.open_orders()
        return self.rules.check(
            request,
            books.asset_facts(request.symbol),
            self._account(orders),
            books.market(request.symbol),
            books.positions(),
            orders,
            books.now,
            books.client_ids,
        )

    def check_change(self, order: OpenOrder, change: ReplaceRequest) -> Refusal | None:
        """Return how a replacement is refused, or None."""
        books, orders = self.books, self.books.open_orders()
        return self.rules.replace_check(
            order,
            change,
            books.asset_facts(order.symbol),
            self._account(orders),
            books.market(order.symbol),
            books.positions(),
            orders,
            books.now,
            books.client_ids,
        )

    def check_cancel(self, order: OpenOrder | None, order_id: str = "") -> Refusal | None:
        """Return how a cancel is refused, or None."""
        return self.rules.cancel_check(order, order_id)

    def starts_as(self, request: OrderRequest) -> str:
        """Return the status a new order starts in: ``pending_new``, or ``accepted`` if it waits."""
        return self.rules.initial_status(request, self.books.market(request.symbol))

    def ends_at(self, request: OrderRequest) -> int | None:
        """Return when a new order expires, nanoseconds UTC; None where nothing is stated."""
        books = self.books
        return self.rules.expires_at(request, books.market(request.symbol), books.now)

    def buying_power(self) -> Decimal:
        """Return the dollars that a new order may cost: free funds less what is reserved."""
        return self._power(self.books.open_orders())

    def reserved(self) -> Decimal:
        """Return the dollars that open opening orders reserve."""
        return self._reserved(self.books.open_orders())

    def _account(self, orders: Sequence[OpenOrder]) -> AccountFacts:
        reserved = self._reserved(orders)
        return replace(
            self.books.account_facts(),
            buying_power=max(Decimal(0), self.books.free_funds - reserved),
            non_marginable_buying_power=max(Decimal(0), self.books.unmargined_funds - reserved),
        )

    def _power(self, orders: Sequence[OpenOrder]) -> Decimal:
        return max(Decimal(0), self.books.free_funds - self._reserved(orders))

    def _reserved(self, orders: Sequence[OpenOrder]) -> Decimal:
        if not orders:
            return Decimal(0)
        positions, total = self.books.positions(), Decimal(0)
        for order in orders:
            if not order.is_leg and not _closes(order, positions):
                value = self.rules.reserved_value(order, self.books.market(order.symbol))
                total += value or Decimal(0)
        return total


def _closes(order: OpenOrder, positions: Mapping[str, PositionFacts]) -> bool:
    """Tell whether an order works against what is held."""
    position = find_position(positions, order.symbol)
    held = Decimal(0) if position is None else position.quantity
    return held > 0 if order.side == "sell" else held < 0
