"""The order manager: what stands between risk and venue."""

from typing import Any, final

from pyrt.core.cache import Cache
from pyrt.core.clock import Clock
from pyrt.core.events import EventQueue
from pyrt.core.instruments import Instrument
from pyrt.core.orders import Order
from pyrt.core.ports import CommandSink
from pyrt.core.records import Records
from pyrt.execution.desk import Desk
from pyrt.execution.emulation import Emulator
from pyrt.execution.parents import Parents
from pyrt.venues.capabilities import Capabilities

EVERYTHING: Capabilities

@final
class OrderManager(CommandSink):
    @property
    def emulator(self) -> Emulator: ...
    @property
    def parents(self) -> Parents: ...
    def __init__(
        self,
        desk: Desk,
        cache: Cache,
        clock: Clock,
        inbox: EventQueue,
        records: Records,
        world: Any,
        capabilities: dict[str, Capabilities] | None = None,
    ) -> None: ...
    def flips(self, order: Order) -> bool: ...
    def shorts_fractions(self, instrument: Instrument) -> bool: ...
    def keeps_back(self, order: Order) -> bool: ...
    def split(self, index: int, new: int, old: int) -> None: ...
