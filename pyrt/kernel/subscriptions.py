"""Finding the stream a strategy asks for, or building it from a finer one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyrt.core.bus import escape
from pyrt.data.aggregation_time import TimeBars
from pyrt.data.timeframe import format_timeframe, parse_timeframe
from pyrt.errors import ConfigError, UnknownName

if TYPE_CHECKING:
    from pyrt.kernel.wiring import Wiring


UNNAMED = "ASSET"
"""What the instrument of a table is called that neither names a symbol nor is given one."""


def topic_of(kind: str, symbol: str, timeframe: str = "") -> str:
    """Return the bus topic of a stream, such as ``data.bars.SPY.1m``."""
    parts = ["data", kind, escape(symbol)]
    return ".".join([*parts, timeframe] if timeframe else parts)


def subscribe(kernel: Wiring, kind: str, symbol: str, timeframe: str) -> Any:
    """Return the stream of `kind` for `symbol`; bars may be aggregated from finer data.

    Raises
    ------
    UnknownName
        If the symbol is not in the run.
    ConfigError
        If there is no such data for it, or only data that is coarser than asked for.
    """
    instrument = _instrument(kernel, symbol)
    if kind == "bars":
        timeframe = format_timeframe(parse_timeframe(timeframe))
    topic = topic_of(kind, instrument.id, timeframe)
    found = kernel.cache.stream(topic)
    if (
        found is None
        and kernel.open_stream is not None
        and kernel.open_stream(kind, instrument.id, timeframe)
    ):
        found = kernel.cache.stream(topic)
    if found is not None:
        return found
    if kind != "bars":
        raise ConfigError(
            f"there are no {kind} of {symbol} in this run",
            remedy=f"It has: {', '.join(s.topic for s in kernel.cache.streams)}",
        )
    return _aggregate(kernel, instrument, topic, timeframe)


def _instrument(kernel: Wiring, symbol: str) -> Any:
    try:
        return kernel.cache.instrument(symbol)
    except UnknownName as error:
        if [known.symbol for known in kernel.cache.instruments] != [UNNAMED]:
            raise
        raise UnknownName(
            f"no instrument {symbol!r} in this run: its data name no symbol",
            remedy=f"Give them as {{{symbol!r}: frame}}",
            name=symbol,
        ) from error


def _aggregate(kernel: Wiring, instrument: Any, topic: str, timeframe: str) -> Any:
    length = parse_timeframe(timeframe)
    streams = [s for s in kernel.cache.streams if s.instrument is instrument]
    finer = [s for s in streams if s.kind == "bars" and s.timeframe_ns < length]
    source = min(finer, key=lambda s: s.timeframe_ns, default=None) or next(
        (s for s in streams if s.kind == "trades"), None
    )
    if source is None:
        have = ", ".join(s.timeframe or s.kind for s in streams) or "no data"
        raise ConfigError(
            f"{timeframe} bars of {instrument.id} were asked for and cannot be made",
            remedy=f"The run has {have}; subscribe to that or to something coarser",
            timeframe=timeframe,
        )
    target = kernel.add_stream("bars", instrument, topic, timeframe, length)
    sessions = kernel.sessions_of(instrument)
    kernel.link_aggregate(
        source, TimeBars(timeframe, sessions=sessions, grace_ns=kernel.grace_ns), target
    )
    return target
