"""An account's books: cash, holdings at their marks, what is unpaid, what margin asks for."""

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

from pyrt.core.account_rules import AccountRules
from pyrt.core.instruments import Instrument

class AccountBooks:
    waiting: Callable[[], Decimal] | None
    @property
    def base_currency(self) -> str: ...
    @property
    def currencies(self) -> list[str]: ...
    @property
    def rules(self) -> AccountRules: ...
    @property
    def multiplier(self) -> int: ...
    @property
    def open_holdings(self) -> int: ...
    def __init__(
        self, cash: float | str | Decimal, currency: str = "USD", rules: Any = None
    ) -> None: ...
    def change_rules(self, rules: Any, instruments: Iterable[Instrument]) -> None: ...
    def state_day(
        self, last_equity: float | str | Decimal, last_maintenance: float | str | Decimal
    ) -> None: ...
    def begin_day(
        self,
        last_equity: float | str | Decimal,
        last_maintenance: float | str | Decimal,
        unsettled: float | str | Decimal = 0,
    ) -> None: ...
    def carry(self, instrument: Instrument, quantity: float | str | Decimal) -> None: ...
