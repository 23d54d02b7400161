"""What Alpaca takes: nothing but regulatory fees on shares, maker and taker fees on coins."""

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from pyrt.core.ports import FeeModel
from pyrt.venues.alpaca.fees import CryptoTier
from pyrt.venues.rates import DatedRates

CRYPTO_SCHEDULES: tuple[tuple[dt.date, tuple[CryptoTier, ...]], ...]
NEW_YORK: ZoneInfo
VOLUME_DAYS: int

def dated_rows(rates: DatedRates) -> NDArray[np.int64]: ...
def tier_rows() -> NDArray[np.int64]: ...

class AlpacaFees(FeeModel):
    def __init__(self, *, paper: bool = False) -> None: ...
    def volume_before(self, day: int) -> int: ...
