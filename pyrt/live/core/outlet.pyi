"""The kernel's way out in a live world: approved commands to a client core."""

from collections.abc import Callable
from typing import Any, final

from pyrt.core.orders import Order
from pyrt.core.ports import Venue

@final
class Outlet(Venue):
    client: Any
    def __init__(
        self, client: Any, preflight: Callable[[Order], str | None] | None = None
    ) -> None: ...
