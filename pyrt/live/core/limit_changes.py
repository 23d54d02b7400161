"""One limit changed by what a person types, and whether that could let more through."""

from __future__ import annotations

from typing import Any

from pyrt.errors import ConfigError
from pyrt.risk.limit_names import COUNTS, FLAGS, MONEY, QUANTITIES, RATIOS
from pyrt.risk.limits import Limits

NONE = "none"
"""What is typed for no limit; for a symbol, for the one that all others have."""
FEWER_IS_TIGHTER = frozenset(
    {
        *(name for name in (*QUANTITIES, *MONEY, *RATIOS, *COUNTS) if name.startswith("max_")),
        *("halt_daily_loss", "halt_daily_loss_fraction", "price_collar_bps"),
    }
    # A price that is not believed bars exits as well: less of it is no caution.
    - {"max_tick_jump_bps"}
)
"""Limits of which it is certain that a smaller one lets less through."""


def changed(limits: Limits, name: str, text: str, symbol: str = "") -> Limits:
    """Return limits with one value changed.

    Parameters
    ----------
    limits : Limits
    name : str
        Of a limit, as in ``[limits]``.
    text : str
        A number, a duration such as ``90s``, ``true`` or ``false``, a word; ``none`` for no limit.
    symbol : str
        What it is to apply to alone; "" for all.

    Raises
    ------
    ConfigError
        If there is no such limit, or that is no value for it.
    """
    if name == "symbols":
        raise ConfigError("symbols is no limit", remedy="Name one symbol, and one of its limits")
    value = _value(name, text)
    values = limits.to_dict()
    if not symbol:
        values.pop(name, None)
        return Limits.from_dict(values if value is None else {**values, name: value})
    symbols = {each: dict(own) for each, own in values.pop("symbols", {}).items()}
    own = symbols.setdefault(symbol, {})
    own.pop(name, None)
    if value is not None:
        own[name] = value
    elif not own:
        del symbols[symbol]
    # A name that no symbol has a limit of is refused though nothing is set.
    Limits.from_dict({"symbols": {symbol: {name: 1 if value is None else value}}})
    return Limits.from_dict({**values, "symbols": symbols})


def loosens(before: Limits, after: Limits, name: str, symbol: str = "") -> bool:
    """Return whether a change of one limit could let more through than before."""
    old, new = (
        limits.of(symbol, name) if symbol else getattr(limits, name) for limits in (before, after)
    )
    if old == new:
        return False
    if name not in FEWER_IS_TIGHTER:
        return True
    return new is None or (old is not None and new > old)


def _value(name: str, text: str) -> Any:
    if text == NONE:
        return None
    if name in FLAGS:
        return {"true": True, "false": False}.get(text, text)
    if name in COUNTS:
        return int(text) if len(text) < 20 and text.isascii() and text.isdecimal() else text
    if name == "allowed_symbols":
        return tuple(filter(None, (symbol.strip() for symbol in text.split(","))))
    return text
