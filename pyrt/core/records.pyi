"""What outlives a handler: rows in growable columns, and the texts they point to."""

from typing import Self, final

ORDER_DTYPE: list[tuple[str, str]]
ORDER_EVENT_DTYPE: list[tuple[str, str]]
FILL_DTYPE: list[tuple[str, str]]
TRIP_DTYPE: list[tuple[str, str]]
LEDGER_DTYPE: list[tuple[str, str]]
EQUITY_DTYPE: list[tuple[str, str]]

@final
class Rows:
    @property
    def count(self) -> int: ...
    def __new__(cls, size: int) -> Self: ...
    def __len__(self) -> int: ...
    def tobytes(self) -> bytes: ...

@final
class Texts:
    @property
    def names(self) -> list[str]: ...

@final
class Records:
    @property
    def orders(self) -> Rows: ...
    @property
    def order_events(self) -> Rows: ...
    @property
    def fills(self) -> Rows: ...
    @property
    def trips(self) -> Rows: ...
    @property
    def ledger(self) -> Rows: ...
    @property
    def equity(self) -> Rows: ...
    @property
    def texts(self) -> Texts: ...
