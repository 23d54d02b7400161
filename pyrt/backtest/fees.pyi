"""Fee models: what an execution costs, exact."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyrt.core.ports import FeeModel

DAY_NS: int
NEW_YORK_MIDNIGHT_NS: int

class NoFees(FeeModel): ...

class BpsFees(FeeModel):
    def __init__(
        self, taker: float | str | Decimal, maker: float | str | Decimal | None = None
    ) -> None: ...

class PerShareFees(FeeModel):
    def __init__(
        self,
        per_share: float | str | Decimal,
        minimum: float | str | Decimal = 0,
        maximum_bps: float | str | Decimal | None = None,
    ) -> None: ...

class FixedFees(FeeModel):
    def __init__(self, amount: float | str | Decimal, *, per_fill: bool = False) -> None: ...

def dated_rows(rates: Any) -> NDArray[np.int64]: ...

class UsRegulatoryFees(FeeModel):
    def __init__(self, sec: Any = None, taf: Any = None) -> None: ...

class SumOfFees(FeeModel):
    @property
    def models(self) -> tuple[FeeModel, ...]: ...
    def __init__(self, *models: Any) -> None: ...

class PythonFees(FeeModel):
    @property
    def model(self) -> Callable[..., Any]: ...
    def __init__(self, model: Callable[..., Any]) -> None: ...

def fee_model(value: Any) -> FeeModel: ...
def _from_text(text: Any) -> FeeModel: ...
