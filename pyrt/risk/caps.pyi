"""Limits compiled: one row of raw numbers for each set of symbols that share them."""

from decimal import Decimal
from typing import final

from pyrt.risk.limits import Limits

@final
class CapsTable:
    @property
    def limits(self) -> Limits: ...
    @property
    def count(self) -> int: ...
    @property
    def n_enabled(self) -> int: ...
    @property
    def needs_value(self) -> bool: ...
    @property
    def value_code(self) -> str | None: ...
    def __init__(self, limits: Limits, share: Decimal = ...) -> None: ...
