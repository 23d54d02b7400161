"""A desk: an account with a few instruments, traded by hand."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from pyrt.core.accounts import Account
from pyrt.core.cache import Cache
from pyrt.core.instruments import Instrument, crypto, equity


class Desk:
    """An account with an equity, a coin, a share that nothing is lent on, and a euro share."""

    def __init__(self, cash: Any, rules: Any) -> None:
        self.account = Account(cash, "USD", rules)
        cache = Cache()
        self.names = {
            "SPY": equity("SPY"),
            "TQQQ": equity("TQQQ"),
            "BTC": crypto("BTC/USD"),
            "OTC": equity("OTC", marginable=False),
            "SAP": Instrument("SAP", currency="EUR"),
        }
        for instrument in self.names.values():
            cache.add_instrument(instrument)
            self.account.register(instrument)

    def trade(self, symbol: str, quantity: Any, price: Any, fee: Any = 0) -> Account:
        self.account.execute(self.names[symbol], quantity, price, fee)
        return self.account

    def lacks(self, symbol: str, quantity: Any, price: Any, fee: Any = 0) -> Decimal:
        return self.account.lacks(self.names[symbol], quantity, price, fee)

    def mark(self, symbol: str, price: Any) -> None:
        self.account.mark(self.names[symbol], price)

    def state(self, *names: str) -> tuple[Any, ...]:
        state = self.account.margin_state()
        return tuple(state[name] for name in names)
