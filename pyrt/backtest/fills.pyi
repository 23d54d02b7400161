"""What an order gets at a simulated venue: its price, its size, and what the account can bear."""

from collections.abc import Callable
from decimal import Decimal

from pyrt.backtest.families import VenueFamilies
from pyrt.core.accounts import Account

class VenueFills(VenueFamilies):
    @property
    def account(self) -> Account: ...
    @property
    def stop_limit(self) -> Callable[[Decimal], Decimal | None] | None: ...
    @stop_limit.setter
    def stop_limit(self, value: Callable[[Decimal], Decimal | None] | None) -> None: ...
