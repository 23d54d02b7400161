"""Orders that are kept on our side because the venue lacks what they ask for."""

from typing import final

from pyrt.core.instruments import Instrument
from pyrt.core.orders import Order
from pyrt.execution.custody import Custody

RETRY_NS: int
ENDED: str
LEFT: str

@final
class Emulator(Custody):
    def keep_exits(self, order: Order) -> None: ...
    def has_prices(self, instrument: Instrument) -> bool: ...
    def would_take(self, order: Order) -> bool: ...
    def split(self, index: int, new: int, old: int) -> None: ...
    def end_exits(self, order: Order) -> None: ...
    def units_asked(self, order: Order) -> int: ...
