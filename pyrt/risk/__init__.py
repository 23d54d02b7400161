"""Risk: limits, the engine that holds them before anything leaves, and portfolio risk measures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pyrt.errors import ConfigError
from pyrt.risk.breaker import BreakerState, CircuitBreaker
from pyrt.risk.engine import RiskEngine
from pyrt.risk.limits import Limits
from pyrt.risk.states import Change, TradingState

__all__ = [
    "BreakerState",
    "Change",
    "CircuitBreaker",
    "Limits",
    "RiskEngine",
    "TradingState",
    "gate_for",
]


def gate_for(limits: Any = None, *, strict: bool = False) -> RiskEngine:
    """Return the gate that holds `limits`.

    Parameters
    ----------
    limits : Limits, mapping, path or RiskEngine, optional
        A path is a TOML file; an engine is returned as it is.
    strict : bool
        For live trading: refuse to run without limits, and deny while required ones are missing.

    Raises
    ------
    ConfigError
        For unknown names and impossible values, or a strict gate without limits.
    """
    if isinstance(limits, RiskEngine):
        if strict and not limits.strict:
            raise ConfigError("this risk engine is not strict", remedy="Pass its limits instead")
        return limits
    if isinstance(limits, Mapping):
        limits = Limits.from_dict(limits)
    elif isinstance(limits, (str, Path)):
        limits = Limits.from_toml(limits)
    return RiskEngine(limits, strict=strict)
