"""Telling a strategy, and whoever listens on the bus, what became of an order."""

from typing import Any, final

from pyrt.core.accounts import Account
from pyrt.core.records import Records
from pyrt.kernel.calls import Calls
from pyrt.strategy.core import StrategyCore

@final
class Notices:
    def __init__(
        self,
        calls: Calls,
        account: Account,
        records: Records,
        strategies: list[StrategyCore],
        hooks: list[Any],
    ) -> None: ...
