"""What a run leaves: plain columns, what made them, and a hash of both."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pyrt.backtest import collect
from pyrt.backtest.hashing import run_hash
from pyrt.backtest.markets import Market
from pyrt.backtest.runner import Runner
from pyrt.backtest.settings import VenueSettings
from pyrt.backtest.venue import SimVenue
from pyrt.data.clocks import midnights
from pyrt.data.columns import BarColumns, Columns
from pyrt.data.tables import Loaded
from pyrt.kernel.kernel import Kernel


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """A finished run as plain columns; `pyrt.analysis` makes a result of it."""

    kernel_columns: dict[str, Any]
    prices: dict[str, dict[str, Any]]
    initial_cash: float
    currency: str
    events_processed: int
    elapsed_s: float
    load_s: float
    run_hash: str
    parameters: list[dict[str, Any]]
    provenance: dict[str, Any]
    messages: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True, slots=True)
class Inputs:
    """What a run was made of, as far as its outcome states it.

    Attributes
    ----------
    venue : VenueSettings
    tables : list of Columns
        In the order they were added; of a stream its first chunk.
    streams : dict
        Number of a table → the stream it is the first chunk of.
    loaded : list of Loaded
    markets : dict
        Symbol → what decided its fills.
    zones : dict
        Symbol → the zone in which its data name their days, where not UTC.
    cash, currency, seed, cost, start
        As given to the engine.
    warmup : int
        Bars before `start` that fed indicators.
    """

    venue: VenueSettings
    tables: list[Columns]
    streams: dict[int, Any]
    loaded: list[Loaded]
    markets: dict[str, Market]
    zones: dict[str, str]
    cash: Any
    currency: str
    seed: int
    cost: str
    start: int | None
    warmup: int

    def describe(self, parameters: list[dict[str, Any]], kernel: Kernel) -> dict[str, Any]:
        """Return the settings that the run hash covers."""
        return {
            "venue": self.venue.describe(),
            "parameters": parameters,
            "seed": self.seed,
            "cash": str(self.cash),
            "start": self.start,
            "warmup": self.warmup,
            "cost": self.cost,
            "instruments": [i.to_dict() for i in kernel.cache.instruments],
        }

    def hashes(self, finished: bool) -> list[bytes]:
        """Return the hash of each table's content; of streams, of all that was read."""
        return [
            (self.streams.get(number, table) if finished else table).content_hash()
            for number, table in enumerate(self.tables)
        ]

    def prices(self) -> dict[str, dict[str, Any]]:
        """Return the finest bars of each symbol, for charts; streamed data are not kept."""
        found: dict[str, dict[str, Any]] = {}
        for number, t in enumerate(self.tables):
            if isinstance(t, BarColumns) and t.symbol not in found and number not in self.streams:
                found[t.symbol] = {
                    "ts_event": t.ts_close,
                    "open": t.open,
                    "high": t.high,
                    "low": t.low,
                    "close": t.close,
                    "volume": t.volume,
                }
        return found


def outcome_of(
    inputs: Inputs,
    splits: dict[str, Any],
    kernel: Kernel,
    venue: SimVenue,
    runner: Runner,
    *,
    elapsed_s: float,
    load_s: float,
    messages: list[str],
) -> Outcome:
    """Read what a run left into plain columns."""
    collector = collect.Collector(kernel)
    parameters = [{"name": s.name, "params": s.params} for s in kernel.strategies]
    contents = inputs.hashes(runner.finished)
    return Outcome(
        kernel_columns={
            "fills": collector.fills(),
            "orders": collector.orders(),
            "trades": collector.trades(),
            "order_events": collector.order_events(),
            "ledger": collector.ledger(),
            "risk": kernel.gate.report() if hasattr(kernel.gate, "report") else {},
            "positions": collect.positions(kernel),
            "rates": collect.rates(kernel),
            "splits": splits,
            **collector.curve(),
        },
        prices=inputs.prices(),
        initial_cash=float(inputs.cash),
        currency=inputs.currency,
        events_processed=runner.events_processed,
        elapsed_s=elapsed_s,
        load_s=load_s,
        run_hash=run_hash(kernel, contents, inputs.describe(parameters, kernel)),
        parameters=parameters,
        provenance=_provenance(inputs, kernel, venue, contents),
        messages=[*messages, *_bare(collector), *(str(e) for e in kernel.errors)],
    )


def _bare(collector: collect.Collector) -> list[str]:
    """Say where exits did not last: live it would be the alarm `unguarded`."""
    count = collector.entries_left_bare()
    if not count:
        return []
    return [
        f"after {count} {'entry' if count == 1 else 'entries'} the exits ended with their day, "
        'and what was held stood without them; write time_in_force="gtc" in the entry to keep them'
    ]


def _provenance(
    inputs: Inputs, kernel: Kernel, venue: SimVenue, contents: list[bytes]
) -> dict[str, Any]:
    described = inputs.venue.describe().items()
    return {
        "data": [loaded.provenance for loaded in inputs.loaded],
        "data_hash": [content.hex() for content in contents],
        **{k: v for k, v in described if k not in ("name", "calendar")},
        "venue": inputs.venue.name,
        **_days(inputs, kernel),
        "ambiguous_bars": venue.ambiguous_bars,
        "fills_from": {
            symbol: market.source + ("+trades" if market.prints else "")
            for symbol, market in inputs.markets.items()
        },
        "book_gaps": book_gaps(kernel),
        "warmup": inputs.warmup,
        "seed": inputs.seed,
        "versions": _versions(),
    }


def _days(inputs: Inputs, kernel: Kernel) -> dict[str, str]:
    """What the run's days are: of a calendar that was named, else of the zone of all its data."""
    calendars = {i.calendar for i in kernel.cache.instruments}
    zones = {inputs.zones.get(table.symbol, "UTC") for table in inputs.tables}
    # An instrument is round the clock unless somebody says otherwise: that alone names nothing.
    is_named = inputs.venue.calendar is not None or inputs.venue.name == "alpaca"
    if len(calendars) == 1 and (is_named or calendars != {"24/7"}):
        return {"calendar": calendars.pop()}
    if calendars == {"24/7"} and len(zones) == 1 and _is_named(zone := zones.pop()):
        return {"timezone": zone}
    return {}


def _is_named(zone: str) -> bool:
    """Whether a zone other than UTC can be found again by its name: not each offset can."""
    try:
        midnights(np.zeros(1, np.int64), zone)
    except (KeyError, ValueError):
        return False
    return zone != "UTC"


def book_gaps(kernel: Kernel) -> dict[str, int]:
    """Return how often each book lost changes, by symbol."""
    return {s.symbol: s.book.gap_count for s in kernel.cache.streams if s.kind == "book"}


def _versions() -> dict[str, str]:
    from pyrt import __version__

    return {"pyrt": __version__, "numpy": np.__version__, "python": sys.version.split()[0]}
