"""Streaming and batch indicators, TA-Lib's names first; modules load on first use."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from pyrt.indicators.names import MODULES

__all__ = list(MODULES)


def __getattr__(name: str) -> Any:
    if name not in MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{MODULES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(MODULES))
