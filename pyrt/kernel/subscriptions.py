"""Finding the stream a strategy asks for, or building it from a finer one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyrt.core.bus import escape
from pyrt.data.aggregation import Aggregator
from pyrt.data.aggregation_activity import SignedBars, TickBars, ValueBars, VolumeBars
from pyrt.data.aggregation_price import HeikinAshiBars, RangeBars, RenkoBars
from pyrt.data.aggregation_time import TimeBars
from pyrt.data.timeframe import format_timeframe, parse_timeframe
from pyrt.errors import ConfigError, UnknownName
from pyrt.strategy.strategy import Strategy

if TYPE_CHECKING:
    from pyrt.kernel.wiring import Wiring


UNNAMED = "ASSET"
"""What the instrument of a table is called that neither names a symbol nor is given one."""

GRACE_NS = 5_000_000_000
"""How long a bar made of others waits for the last of them, where data arrive after they happened.

A node's minute bars come some tenths of a second after their minute; backtests on what was recorded
so wait as long.
"""
HANDLERS = {"bars": "on_bar", "quotes": "on_quote", "trades": "on_trade", "book": "on_book"}
"""The handler that is called for a subscription."""

SOURCES: tuple[tuple[type[Aggregator], tuple[str, ...]], ...] = (
    (HeikinAshiBars, ("bars",)),
    (RangeBars, ("trades", "quotes")),
    (SignedBars, ("trades", "quotes")),
    (RenkoBars, ("trades", "quotes", "bars")),
    (TickBars, ("trades", "quotes", "bars")),
    (VolumeBars, ("trades", "bars")),
    (ValueBars, ("trades", "bars")),
    (TimeBars, ("bars", "trades", "quotes")),
    (Aggregator, ("trades", "quotes", "bars")),
)
"""What each kind of bar is made from, the preferred first.

In a backtest that is the first of which the data hold any, at its finest; in a node, whose broker
sends all of them, the first. What others have asked for before changes nothing about it.
"""


def topic_of(kind: str, symbol: str, timeframe: str = "") -> str:
    """Return the bus topic of a stream, such as ``data.bars.SPY.1m``."""
    parts = ["data", kind, escape(symbol)]
    return ".".join([*parts, timeframe] if timeframe else parts)


def unheard(kernel: Wiring) -> list[str]:
    """Return, a sentence each, which running strategies handle market data and hear of none."""
    found = []
    for strategy in kernel.strategies:
        if _is_deaf(strategy):
            found.append(
                f"{strategy.name} defines no handler, such as on_start and on_bar, so nothing in "
                "it will be called"
            )
        handled = {kind: name for kind, name in HANDLERS.items() if strategy.handles(name)}
        hears = any(stream.calls(strategy) for stream in kernel.cache.streams)
        if handled and strategy.running and not hears:
            wanted = " or ".join(f"self.subscribe_{kind}(...)" for kind in handled)
            found.append(
                f"{strategy.name} has subscribed to nothing, so {' and '.join(handled.values())} "
                f"will not be called; write {wanted} in on_start"
            )
    return found


def _is_deaf(strategy: Any) -> bool:
    """Whether a strategy says nothing to any event, as one that was written for another package."""
    handlers = [name for name in dir(Strategy) if name.startswith("on_")]
    return type(strategy) is not Strategy and not any(map(strategy.handles, handlers))


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
            f"there are no {'book events' if kind == 'book' else kind} of {symbol} in this run",
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
            remedy=f"Write symbol={symbol!r}, or give them as {{{symbol!r}: frame}}",
            name=symbol,
        ) from error


def subscribe_made(
    kernel: Wiring, symbol: str, aggregator: Aggregator, source: str | None, name: str | None
) -> Any:
    """Return a stream of the bars that an aggregator makes of finer data.

    Raises
    ------
    ConfigError
        If there is nothing it can be made from, or the name is taken or looks like a timeframe.
    """
    instrument = _instrument(kernel, symbol)
    fed = _source_of(kernel, instrument, aggregator, source)
    known = [s.timeframe for s in kernel.cache.streams if s.instrument is instrument]
    label = name or f"{type(aggregator).__name__}-{len(known)}"
    if label in known or label[:1].isdigit():
        raise ConfigError(
            f"bars of {instrument.id} cannot be called {label!r}",
            remedy="Give a name that is not taken and does not begin with a digit",
        )
    topic = topic_of("bars", instrument.id, escape(label))
    # Coarser than what they are made of: they mark no positions.
    target = kernel.add_stream("bars", instrument, topic, label, fed.timeframe_ns + 1)
    kernel.link_aggregate(fed, aggregator, target)
    return target


def named_bars(kernel: Wiring, symbol: str, name: str) -> Any:
    """Return the stream of bars that an aggregator makes under a name; ConfigError if none is."""
    instrument = _instrument(kernel, symbol)
    found = kernel.cache.stream(topic_of("bars", instrument.id, escape(name)))
    if found is None:
        raise ConfigError(
            f"no bars of {symbol} are called {name!r}",
            remedy="Give a timeframe, or the name= of a subscribe_bars call before this one",
        )
    return found


def _source_of(kernel: Wiring, instrument: Any, aggregator: Any, source: str | None) -> Any:
    kinds = next((found for made, found in SOURCES if isinstance(aggregator, made)), None)
    if kinds is None:
        raise ConfigError(
            f"expected a timeframe or an aggregator, got {aggregator!r}",
            remedy='Write "5m", or a new object such as VolumeBars(10_000)',
        )
    if source is not None:
        kind = source if source in ("trades", "quotes") else "bars"
        if kind not in kinds:
            raise ConfigError(
                f"{type(aggregator).__name__} cannot be made from {source}",
                remedy=f"It takes {' or '.join(kinds)}",
            )
        return subscribe(kernel, kind, instrument.id, "" if kind == source else source)
    # In a node what is open is what somebody has asked for.
    held = given_streams(kernel, instrument) if kernel.open_stream is None else []
    for kind in kinds:
        streams = [s for s in held if s.kind == kind and not kernel.makes(s)]
        if streams:
            return min(streams, key=lambda s: s.timeframe_ns)
    first = kinds[0]
    return subscribe(kernel, first, instrument.id, "1m" if first == "bars" else "")


def given_streams(kernel: Wiring, instrument: Any) -> list[Any]:
    """Return an instrument's streams but for bars that follow no clock."""
    return [
        s
        for s in kernel.cache.streams
        if s.instrument is instrument and (s.kind != "bars" or s.timeframe[:1].isdigit())
    ]


def _aggregate(kernel: Wiring, instrument: Any, topic: str, timeframe: str) -> Any:
    length = parse_timeframe(timeframe)
    streams = given_streams(kernel, instrument)
    # From what the data hold, never from bars that somebody else's asking has made: then all
    # that end at an instant end together, the finest first, whoever asked for what before.
    given = [s for s in streams if s.kind == "bars" and not kernel.makes(s)]
    finer = sorted((s for s in given if s.timeframe_ns < length), key=lambda s: s.timeframe_ns)
    # A bar that has parts in two intervals cannot be split, but inside of a session it may fit.
    fitting = [s for s in finer if length % s.timeframe_ns == 0]
    ticks = [s for kind in ("trades", "quotes") for s in streams if s.kind == kind]
    source = next(iter([*fitting, *ticks, *finer]), None)
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
