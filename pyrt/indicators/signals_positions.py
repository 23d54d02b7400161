"""Conditions on a strategy's position, beside those on indicators and prices."""

from __future__ import annotations

from pyrt.core.exits import exit_condition, is_flat, is_long, is_short

__all__ = ["exit_condition", "is_flat", "is_long", "is_short"]
