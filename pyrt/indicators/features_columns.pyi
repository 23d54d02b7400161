from datetime import datetime

from typing_extensions import disjoint_base

COLUMN_NAMES: tuple[str, ...]
EPOCH: datetime

@disjoint_base
class BarColumns:
    def __init__(self, tz: str) -> None: ...
    def look_up(self, ts: int) -> None: ...
