"""Numbers, data, instruments, books, orders, positions and accounts: what all else is made of."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyrt.core.book import OrderBook as OrderBook

__all__ = ["OrderBook"]


def __getattr__(name: str) -> Any:
    if name != "OrderBook":
        raise AttributeError(f"module 'pyrt.core' has no attribute {name!r}")
    return import_module("pyrt.core.book").OrderBook
