"""The ledger: double entry, every entry balanced in every currency to the last 1e-18."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from enum import IntEnum
from typing import Any, final

import numpy.typing as npt

from pyrt.core.account_books import AccountBooks
from pyrt.core.positions import Position
from pyrt.core.records import Rows

POSTING_DTYPE: list[tuple[str, str]]
NAMES: tuple[str, ...]

class LedgerAccount(IntEnum):
    CASH = 0
    HOLDINGS = 1
    CAPITAL = 2
    TRADING = 3
    FEES = 4
    DIVIDENDS = 5
    INTEREST = 6
    BORROW = 7
    ADJUSTMENTS = 8

@final
class Ledger:
    @property
    def rows(self) -> Rows: ...
    @property
    def entries(self) -> int: ...
    def __init__(self) -> None: ...
    def __len__(self) -> int: ...
    def post(
        self,
        ts: int,
        lines: Iterable[tuple[str, int, int]],
        *,
        instrument: int = -1,
        strategy: int = -1,
    ) -> None: ...
    def balances(self, currencies: Sequence[str]) -> dict[tuple[str, str], Decimal]: ...
    def differences(
        self, account: AccountBooks, positions: Iterable[Position]
    ) -> dict[tuple[str, str], tuple[Decimal, Decimal]]: ...
    def table(self) -> npt.NDArray[Any]: ...
