"""Numbers that a run is told, checked before anything is loaded."""

from __future__ import annotations

from numbers import Integral
from typing import Any

from pyrt.core.accounts import Account
from pyrt.core.times import format_ns
from pyrt.errors import ConfigError


def check_cash(cash: Any, currency: str) -> None:
    """Raise ConfigError unless `cash` is a positive amount."""
    if not Account(cash, currency).cash_exact > 0:
        raise ConfigError(f"cash is {cash!r}; expected a positive amount")


def whole_seed(seed: Any) -> int:
    """Return a seed as int; raise ConfigError if it is no whole number."""
    if isinstance(seed, Integral) and not isinstance(seed, bool):
        return int(seed)
    raise ConfigError(f"seed is {seed!r}; expected a whole number")


def whole_bars(warmup: Any) -> int | None:
    """Return a number of bars as int, None as it is; raise ConfigError for anything else."""
    if warmup is None:
        return None
    if isinstance(warmup, Integral) and not isinstance(warmup, bool) and int(warmup) >= 0:
        return int(warmup)
    raise ConfigError(f"warmup is {warmup!r}; expected a number of bars, 0 or more")


def known_cost(cost: Any) -> str:
    """Return how closed units are costed; raise ConfigError for a way that is none.

    A position would say so at the first fill, as if the strategy had done it.
    """
    if cost not in ("average", "fifo"):
        raise ConfigError(f"cost is {cost!r}; expected 'average' or 'fifo'")
    return str(cost)


def check_span(start: int | None, end: int | None) -> None:
    """Raise ConfigError unless a run starts before it ends."""
    if start is not None and end is not None and start >= end:
        raise ConfigError(
            f"start={format_ns(start)} is not before end={format_ns(end)}",
            remedy="Exchange the two, or leave one out",
        )
