"""What happens to the account by the calendar: ends of days, splits and dividends."""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from typing import Any

from pyrt.adapters.alpaca.simulator.market.actions import Action
from pyrt.adapters.alpaca.simulator.protocol.wires import DAY, eastern, text
from pyrt.adapters.alpaca.simulator.trading.activities import add_booking
from pyrt.adapters.alpaca.simulator.trading.desk import Desk

CHARGES = {"interest": "INT", "borrow": "FEE"}


class Calendar:
    """Puts on the agenda what the account is due.

    Parameters
    ----------
    desk : Desk
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def begin(self) -> None:
        """Book the opening deposit, and look ahead from now on."""
        desk = self._desk
        add_booking(desk, "JNLC", desk.cash, "opening balance", desk.now - DAY)
        self.resume()
        for action in desk.actions.all:
            if action.ts > desk.now and action.symbol in desk.symbols:
                desk.agenda.add(action.ts, partial(self._act, action))

    def resume(self) -> None:
        """Look ahead from now on, without a deposit."""
        self._desk.balance_date = f"{eastern(self._desk.now - DAY):%Y-%m-%d}"
        self._next_close()

    def _next_close(self) -> None:
        desk = self._desk
        close = desk.hours().sessions.next_close(desk.now)
        if close is not None:
            desk.agenda.add(int(close), self._close)

    def _close(self) -> None:
        """End the account's day with the session: charge the nights until the next close."""
        desk = self._desk
        following = desk.hours().sessions.next_close(desk.now)
        nights = 1
        if following is not None:
            nights = (eastern(int(following)).date() - eastern(desk.now).date()).days
        desk.balance_date = f"{eastern(desk.now):%Y-%m-%d}"
        for kind, _, _, amount in desk.account.close_day(nights):
            add_booking(desk, CHARGES[kind], amount, kind)
        self._next_close()

    def _act(self, action: Action) -> None:
        """Let a split or dividend change what is held, at the start of its ex-date."""
        desk = self._desk
        holding = desk.holdings.get(action.symbol)
        held = Decimal(0) if holding is None else holding.quantity
        before = desk.cash
        if action.ratio is None:
            desk.exchange.act("dividend", action.symbol, 1, action.cash)
        else:
            ratio = action.ratio
            desk.exchange.act("split", action.symbol, ratio.numerator, ratio.denominator)
        if not held or holding is None:
            return
        more: dict[str, Any] = {"symbol": action.symbol, "qty": text(held), "cusip": action.cusip}
        if action.ratio is None:
            more["per_share_amount"] = text(action.cash)
            add_booking(desk, "DIV", desk.cash - before, "cash dividend", **more)
            return
        holding.quantity = desk.exchange.held(action.symbol)
        more["qty"] = text(holding.quantity - held)
        add_booking(desk, "SPLIT", desk.cash - before, "stock split", **more)
