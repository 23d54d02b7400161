"""The handlers a strategy defines, looked up once, and the channels its news go to."""

from typing import Any, final

from pyrt.core.bus import MessageBus

NARROW: dict[str, tuple[int, ...]]

@final
class Hooks:
    def __init__(self, strategy: Any, bus: MessageBus, name: str) -> None: ...
