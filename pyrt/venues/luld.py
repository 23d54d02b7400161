"""Limit up, limit down: which prices a US stock may trade at, by the plan's dated parameters.

Source: the National Market System Plan to Address Extraordinary Market Volatility (SEC file 4-631),
section V and appendix A, with amendment 18.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from pyrt.errors import ConfigError

__all__ = [
    "LIMIT_STATE",
    "LIMIT_STATE_NS",
    "NO_REOPENING_NS",
    "PAUSE_NS",
    "REFERENCE_NS",
    "STRADDLE_STATE",
    "TRADING",
    "UPDATE_NS",
    "LuldRule",
    "LuldWatch",
    "state_of",
]

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
NANO = 1_000_000_000
CENT = 10_000_000

REFERENCE_NS = 5 * MINUTE
"""The reference price is the mean of the prints of this span."""
UPDATE_NS = 30 * SECOND
"""A reference price holds at least so long."""
LIMIT_STATE_NS = 15 * SECOND
"""A limit state that lasts so long becomes a pause."""
PAUSE_NS = 5 * MINUTE
NO_REOPENING_NS = 10 * MINUTE
"""A pause declared this close to the end of the session lasts until the closing auction."""
OPENING_NS = 15 * MINUTE
CLOSING_NS = 25 * MINUTE
"""Spans after the open and before the close in which bands are doubled."""
MOVE_E4 = 100
"""What a reference price has to move by, in 1/10,000 of it, to be replaced."""
AMENDMENT_18 = dt.date(2020, 2, 24)
"""Since then not doubled after the open, nor before the close in tier 2 above 3 dollars."""
STARTED = dt.date(2013, 4, 8)
"""First date of the plan, in tier 1."""
TRADING, LIMIT_STATE, STRADDLE_STATE = "trading", "limit_state", "straddle_state"
"""What the plan calls a touch beside its bands, as `Status.status` has it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LuldRule:
    """How the plan treats one stock.

    Attributes
    ----------
    tier : {1, 2}
        1: stocks of the S&P 500 and the Russell 1000, and funds the plan names; 2: all others.
    previous_close : number, optional
        Decides the percentage; None takes each reference price itself.
    leverage : number
        Of a leveraged fund of tier 2: its percentage is multiplied by it.
    """

    tier: int = 1
    previous_close: float | None = None
    leverage: float = 1

    def __post_init__(self) -> None:
        if self.tier not in (1, 2):
            raise ConfigError(f"the tier is {self.tier!r}; the plan has tiers 1 and 2")
        if self.leverage < 1 or (self.leverage != 1 and self.tier == 1):
            raise ConfigError(
                f"leverage is {self.leverage!r} in tier {self.tier}",
                remedy="Give 1 or more, in tier 2 only",
            )
        if self.previous_close is not None and not self.previous_close > 0:
            raise ConfigError(
                f"previous_close is {self.previous_close!r}; expected a price above 0"
            )

    def width(self, reference: int, date: dt.date, to_open: int, to_close: int) -> int:
        """Return how far the bands lie from a reference price; all in 1e-9.

        Parameters
        ----------
        reference : int
        date : date
            Of the session.
        to_open, to_close : int
            Nanoseconds since the session opened, and until it closes.
        """
        price = reference
        if self.previous_close is not None:
            price = int(Decimal(str(self.previous_close)) * NANO)
        if price > 3 * NANO:
            width = reference * (5 if self.tier == 1 else 10) // 100
        elif price >= 3 * NANO // 4:
            width = reference * 20 // 100
        else:
            width = min(15 * CENT, reference * 75 // 100)
        if self.leverage != 1:
            width = int(width * Decimal(str(self.leverage)))
        return 2 * width if self.is_doubled(price, date, to_open, to_close) else width

    def is_doubled(self, price: int, date: dt.date, to_open: int, to_close: int) -> bool:
        """Return whether bands are twice as wide at a time of the session."""
        if date < AMENDMENT_18:
            return to_open < OPENING_NS or to_close <= CLOSING_NS
        return to_close <= CLOSING_NS and (self.tier == 1 or price <= 3 * NANO)

    def bands(self, reference: int, date: dt.date, to_open: int, to_close: int) -> tuple[int, int]:
        """Return the lower and the upper price band in 1e-9, to the nearest cent.

        Examples
        --------
        >>> noon = dt.date(2013, 10, 7), 9_000_000_000_000, 14_400_000_000_000
        >>> LuldRule(tier=1).bands(14_020_000_000, *noon)
        (13320000000, 14720000000)
        """
        width = self.width(reference, date, to_open, to_close)
        return max(0, to_cent(reference - width)), to_cent(reference + width)


def to_cent(price: int) -> int:
    """Round a price in 1e-9 to the nearest cent, halves up."""
    return (price + CENT // 2) // CENT * CENT


def state_of(bid: float, ask: float, lower: float, upper: float) -> str:
    """Return what the plan calls a best bid and offer; 0 or NaN is a side without anybody.

    In a limit state the best offer stands at the lower band, or the best bid at the upper one,
    and bid and offer do not meet. In a straddle state, which is no limit state, the best bid is
    below the lower band or the best offer above the upper one: that side cannot trade. All four
    numbers are of one unit.

    Examples
    --------
    >>> state_of(94.9, 95.0, 95.0, 105.0), state_of(94.9, 95.1, 95.0, 105.0)
    ('limit_state', 'straddle_state')
    >>> state_of(99.9, 100.1, 95.0, 105.0)
    'trading'
    """
    if 0 < bid < ask and (ask <= lower or bid >= upper):
        return LIMIT_STATE
    if 0 < bid < lower or ask > upper:
        return STRADDLE_STATE
    return TRADING


class LuldWatch:
    """Follows price bands and touch of one symbol as they come, and says when its state changes.

    While trading is halted nothing is said: a pause is the venue's to end.
    """

    def __init__(self) -> None:
        self.lower, self.upper = 0.0, float("inf")
        self.state = TRADING
        self._touch: tuple[float, float] | None = None
        self._halted = False

    def set_bands(self, lower: float, upper: float) -> str | None:
        """Take new bands, 0 and 0 for none; return the state if it is another now."""
        self.lower, self.upper = (lower, upper) if upper > 0 else (0.0, float("inf"))
        return self._look()

    def set_touch(self, bid: float, ask: float) -> str | None:
        """Take a best bid and offer, 0 for none; return the state if it is another now."""
        self._touch = (bid, ask)
        return self._look()

    def set_halted(self, halted: bool) -> None:
        """Note that trading stops or goes on; the state begins anew with the next touch."""
        self._halted = halted
        self.state = TRADING
        self._touch = None

    def _look(self) -> str | None:
        touch = self._touch
        if touch is None:
            if self.upper < float("inf"):
                # Nothing follows from bands alone.
                return None
            touch = (0.0, 0.0)
        state = TRADING if self._halted else state_of(*touch, self.lower, self.upper)
        if state == self.state:
            return None
        self.state = state
        return state
