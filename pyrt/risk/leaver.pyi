"""Leaving positions: protective stops, the kill switch, and the orders that do it."""

from pyrt.risk.warden import Warden

class Leaver(Warden):
    def kill(self, actor: str, reason: str, *, flatten: bool = False) -> None: ...
