"""Settling what `Strategy.when` is told: the stream, the position, what the handler takes."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

from pyrt.core.conditions import Condition, Place, Signal
from pyrt.errors import ConfigError

Attached = list[tuple[Any, Any]]
"""Indicators and the streams they were attached to."""


def takes_view(handler: Callable[..., Any]) -> bool:
    """Return whether a handler wants the bar, quote or trade.

    It does if it has a positional parameter without a default.

    Raises
    ------
    ConfigError
        If it asks for more than one argument.
    """
    required = [
        p
        for p in inspect.signature(handler).parameters.values()
        if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
    ]
    if len(required) > 1:
        raise ConfigError(
            f"{handler!r} asks for {len(required)} arguments",
            remedy="A handler of `when` takes nothing, or the bar, quote or trade",
        )
    return bool(required)


def check_unfed(indicator: Any, attached: Attached) -> None:
    """Refuse an indicator that a strategy has attached already, by itself or as part of another.

    Raises
    ------
    ConfigError
        If so: fed twice it would count each row twice.
    """
    fed = [one for known, _ in attached for one in _fed_with(known)]
    for one in _fed_with(indicator):
        if any(one is other for other in fed):
            raise ConfigError(
                f"{one!r} is fed already, and would count each row twice",
                remedy="Make an indicator of its own for each use",
            )


def _fed_with(indicator: Any) -> tuple[Any, ...]:
    return (indicator, *getattr(indicator, "owned_indicators", ()))


def stream_of(condition: Condition, attached: Attached, given: Any) -> Any:
    """Return the stream to test a condition on: the given one, or its indicators'.

    Raises
    ------
    ConfigError
        If an indicator is attached to no stream, or no single stream follows.
    """
    found: list[Any] = []
    for indicator in condition.indicators():
        known = next((stream for one, stream in attached if one is indicator), None)
        if known is None:
            raise ConfigError(
                f"{condition!r} reads {indicator!r}, which nothing feeds",
                remedy="Attach it first: self.attach(indicator, stream)",
            )
        if not any(known is one for one in found):
            found.append(known)
    if given is not None:
        return given
    if len(found) != 1:
        named = ", ".join(repr(one) for one in found) or "no indicator"
        raise ConfigError(
            f"the stream of {condition!r} is open: it reads {named}",
            remedy="Say which events it is tested on: when(..., stream=bars)",
        )
    return found[0]


def make_signal(
    strategy: Any,
    kernel: Any,
    condition: Condition,
    handler: Callable[..., Any],
    stream: Any,
) -> Signal:
    """Bind a condition to `stream` and pair it with what is called while it is true."""
    wants = takes_view(handler)
    condition.bind(
        Place(strategy, stream, strategy.position, partial(kernel.sessions_of, stream.instrument))
    )
    return Signal(condition, strategy, handler, takes_view=wants)
