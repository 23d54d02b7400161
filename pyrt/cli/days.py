"""A recorded day and its backtest brought side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from pyrt.core.times import format_ns
from pyrt.live.journal.files import RealFiles
from pyrt.live.replay.parity import SECOND, Leg, ParityReport, compare_days
from pyrt.live.replay.replay import Player, Recording, find_recording, play_all, recordings
from pyrt.strategy.strategy import Strategy

ZERO = Decimal(0)
MINUTE = 60 * SECOND
FAR = 1 << 62
Bars = dict[tuple[str, int], tuple[float, ...]]


class _Listener(Strategy):
    """Notes every one-minute bar of some symbols, and trades nothing."""

    symbols: tuple[str, ...] = ()

    def on_start(self) -> None:
        self.seen: Bars = {}
        for symbol in self.symbols:
            self.subscribe_bars(symbol, "1m")

    def on_bar(self, bar: Any) -> None:
        values = (bar.open, bar.high, bar.low, bar.close, bar.volume)
        self.seen[bar.symbol, bar.ts_event] = values


def parity_of(
    folder: Path,
    data: Any,
    *,
    run_id: str = "",
    strategy: str | None = None,
    tolerance_s: float = 1.0,
    **options: Any,
) -> ParityReport:
    """Compare a recorded run with the backtest of the same strategies over `data`.

    A run that went on after a crash has the orders of the run that was cut off, too: its inputs
    begin with that one's.

    Parameters
    ----------
    folder : Path
        The state folder.
    data : object
        As `pyrt.backtest` takes it.
    **options
        For `pyrt.backtest`, such as ``venue`` and ``fees``.

    Raises
    ------
    JournalError
        If there is no such run, or its inputs are gone.
    """
    from pyrt import backtest
    from pyrt.cli.replay import strategies_of

    files = RealFiles(folder)
    runs = recordings(files)
    recording = find_recording(files, run_id)
    player = Player(recording, strategies_of(recording.start, strategy))
    play_all(files, player)
    seen = player.bars
    span: dict[str, Any] = {}
    last = max((ts for _, ts in seen), default=FAR)
    if seen:
        # One bar more: what was sent at the last one meets the next one's open.
        first = min(ts for _, ts in seen)
        span = {"start": format_ns(first), "end": format_ns(last + MINUTE)}
    opening = recording.start.opening
    if opening.account:
        options.setdefault("account", opening.account)
    result = backtest(
        strategies_of(recording.start, strategy),
        data,
        cash=opening.cash,
        progress=False,
        **span,
        **options,
    )
    symbols = tuple(sorted({symbol for symbol, _ in seen}))
    theirs = _bars(data, symbols, span, options) if symbols else {}
    return compare_days(
        live_legs(whole(recording, runs), player),
        [leg for leg in tested_legs(result) if leg.ts_sent <= last],
        last_prices={symbol: Decimal(repr(values[3])) for (symbol, _), values in seen.items()},
        odd_bars=odd_bars(seen, {key: row for key, row in theirs.items() if key[1] <= last}),
        bars=len(seen),
        tolerance_ns=int(tolerance_s * SECOND),
    )


def _bars(
    data: Any, symbols: tuple[str, ...], span: dict[str, Any], options: dict[str, Any]
) -> Bars:
    from pyrt import backtest

    listener = _Listener(symbols=symbols)
    backtest(listener, data, progress=False, **span, **options)
    return listener.seen


def odd_bars(seen: Bars, theirs: Bars) -> list[tuple[str, int]]:
    """Return (symbol, close) of bars whose prices differ, or that only one world has."""
    return sorted(
        key
        for key in {*seen, *theirs}
        if key not in seen or key not in theirs or seen[key][:4] != theirs[key][:4]
    )


def whole(recording: Recording, runs: Sequence[Recording]) -> Recording:
    """Return a run with what is on record of those that it has gone on with."""
    at = max(i for i, run in enumerate(runs) if run.start == recording.start)
    chain, wanted = [recording], recording.start.resumes
    for run in reversed(runs[:at]):
        if run.start.run_id == wanted:
            chain.insert(0, run)
            wanted = run.start.resumes
    return replace(
        recording,
        orders={name: order for run in chain for name, order in run.orders.items()},
        executions=[execution for run in chain for execution in run.executions],
    )


def live_legs(recording: Recording, player: Player) -> list[Leg]:
    """Return what each order of a recorded run came to."""
    legs = []
    for name, order in recording.orders.items():
        fills = [e for e in recording.executions if e.order.client_order_id == name]
        quantity = sum((Decimal(e.quantity) for e in fills), ZERO)
        value = sum((Decimal(e.quantity) * Decimal(e.price) for e in fills), ZERO)
        legs.append(
            Leg(
                strategy=order.strategy,
                symbol=order.symbol,
                side=order.side,
                quantity=quantity,
                price=value / quantity if quantity else ZERO,
                ts_sent=player.sent_at.get(name, order.ts_init),
                ts_filled=max((e.ts_event for e in fills), default=0),
                status=order.status,
                reason=order.reason,
                client_order_id=name,
                fee=sum((Decimal(e.fee) for e in fills), ZERO),
            )
        )
    return legs


def tested_legs(result: Any) -> list[Leg]:
    """Return what each order of a backtest came to."""
    fills: dict[str, list[Any]] = {}
    for row in result.fills.itertuples():
        fills.setdefault(row.client_order_id, []).append(row)
    legs = []
    for row in result.orders.itertuples():
        own = fills.get(row.client_order_id, [])
        quantity = sum((Decimal(repr(float(f.quantity))) for f in own), ZERO)
        value = sum(
            (Decimal(repr(float(f.quantity))) * Decimal(repr(float(f.price))) for f in own), ZERO
        )
        legs.append(
            Leg(
                strategy=row.strategy,
                symbol=row.symbol,
                side=row.side,
                quantity=quantity,
                price=value / quantity if quantity else ZERO,
                ts_sent=_ns(row.ts_event),
                ts_filled=max((_ns(f.ts_event) for f in own), default=0),
                status=row.status,
                reason=row.reason or "",
                client_order_id=row.client_order_id,
                fee=sum((_fee_value(f) for f in own), ZERO),
            )
        )
    return legs


def _fee_value(fill: Any) -> Decimal:
    """The fee of a fill in the currency of its price: one taken in coins at that price."""
    fee = Decimal(repr(float(fill.fee)))
    coin = fill.symbol.partition("/")[0]
    return fee * Decimal(repr(float(fill.price))) if fill.fee_currency == coin else fee


def _ns(stamp: Any) -> int:
    return int(stamp.as_unit("ns").value) if hasattr(stamp, "as_unit") else int(stamp)
