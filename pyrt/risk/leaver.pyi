"""Leaving positions: protective stops, the kill switch, and the orders that do it."""

from pyrt.core.positions import Position
from pyrt.risk.warden import Warden

class Leaver(Warden):
    def stays(self, position: Position) -> bool: ...
    def kill(self, actor: str, reason: str, *, flatten: bool = False) -> None: ...
