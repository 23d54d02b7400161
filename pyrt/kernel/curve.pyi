"""The equity curve: points of the account in time, and what a strategy calls its own of it."""

from typing import final

from pyrt.core.accounts import Account
from pyrt.core.cache import Cache
from pyrt.core.instruments import Instrument
from pyrt.core.records import Records
from pyrt.risk.watch import Watcher
from pyrt.strategy.core import StrategyCore

@final
class EquityCurve:
    @property
    def initial(self) -> float: ...
    @property
    def paid_in(self) -> float: ...
    @property
    def day(self) -> float: ...
    @property
    def last(self) -> float: ...
    def __init__(
        self,
        account: Account,
        cache: Cache,
        records: Records,
        strategies: list[StrategyCore],
        watcher: Watcher | None = None,
    ) -> None: ...
    def rebase(self) -> None: ...
    def of_strategy(self, number: int, instrument: Instrument | None = None) -> float: ...
