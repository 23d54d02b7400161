"""Splits, busts and corrections of the broker's: journalled, and what is held changed by them.

Only what explains the broker's position to the last unit is taken in; any other difference stays
one, and halts its symbol.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

from pyrt.live.core.adjust import adjust_position
from pyrt.live.core.broker import BrokerAdjustment, BrokerState
from pyrt.live.core.node import NodeCore
from pyrt.live.core.restore import position_state
from pyrt.live.driver.run import Run
from pyrt.live.journal import records as r

NANO = Fraction(1, 10**9)
KINDS = frozenset({"split", "bust", "correction"})


class Adjusting:
    """Takes in what the broker has changed of positions without a fill.

    Parameters
    ----------
    run : Run
    announce : callable
        Told the time and a change before it counts as known, so that a kill hides none.

    Attributes
    ----------
    taken : set of str
        Ids of activities that have been taken in, cash and all, and were not told to anybody yet.
    """

    def __init__(self, run: Run, announce: Callable[[int, BrokerAdjustment], object]) -> None:
        self._run = run
        self._announce = announce
        self.taken: set[str] = set()

    def take(self, now: int, state: BrokerState) -> None:
        """Adjust positions by what is new."""
        known = self._run.journal.state.activities
        fresh: dict[str, list[BrokerAdjustment]] = {}
        for change in state.adjustments:
            if change.kind in KINDS and change.quantity and change.activity_id not in known:
                fresh.setdefault(change.symbol, []).append(change)
        for symbol, changes in fresh.items():
            held = holdings(self._run.live_core, symbol)
            there = state.positions.get(symbol, Decimal(0))
            if sum(held.values()) + sum(change.quantity for change in changes) != there:
                continue
            entries = joined(changes)
            for change, shares in shared_out(map(_net, entries), held):
                self._adjust(now, change, entries.pop(0), shares)
        self._take_coins(now, state)

    def _take_coins(self, now: int, state: BrokerState) -> None:
        """Take in what the broker has kept less, or more, of coins than was booked."""
        run, core = self._run, self._run.live_core
        for symbol in core.coins.in_doubt:
            gains = core.coins.settle(symbol, state.positions.get(symbol, Decimal(0)))
            if not gains:
                continue
            change = BrokerAdjustment(
                activity_id=f"coins-{run.plan.run_id}-{now}-{symbol}",
                kind="coin_fee",
                symbol=symbol,
                quantity=sum(gains.values(), Decimal(0)),
                amount=Decimal(0),
                text="the fee of purchases, by the broker's position",
                ts_event=now,
            )
            run.journal.record(adjustment_record(now, change, self._change(change, gains)))

    def _adjust(
        self,
        now: int,
        change: BrokerAdjustment,
        entries: list[BrokerAdjustment],
        shares: dict[str, Decimal],
    ) -> None:
        """Change holdings, and write down the broker's entries for it, the last one with them.

        What cash gains by it counts with the units: without it they would be a loss until then.
        """
        run = self._run
        for entry in entries:
            self._announce(now, entry)
        after = self._change(change, shares)
        for entry in entries:
            positions = after if entry is entries[-1] else ()
            run.journal.record(adjustment_record(now, entry, positions))
            self.taken.add(entry.activity_id)
            if entry.amount:
                amount = f"{entry.amount:f}"
                run.live_core.inputs.cash(entry.ts_event, amount, entry.kind, entry.symbol)
        run.scribe.save_risk()

    def _change(
        self, change: BrokerAdjustment, shares: dict[str, Decimal]
    ) -> tuple[r.PositionState, ...]:
        """Change holdings, as a note on the tape says; return how they are afterwards."""
        after: list[r.PositionState] = []
        for owner, units in shares.items():
            terms: dict[str, Any] = {
                "strategy": owner,
                "symbol": change.symbol,
                "quantity": f"{units:f}",
                "amount": f"{change.amount:f}",
                "is_split": change.kind == "split",
                "restates": len(after) == len(shares) - 1,
            }
            after.append(change_holding(self._run, terms))
        return tuple(after)


def joined(changes: Iterable[BrokerAdjustment]) -> list[list[BrokerAdjustment]]:
    """Return changes of a symbol, oldest first, with entries for one split together.

    A broker may take the old shares in one entry, and give the new ones in another.
    """
    found: dict[tuple[int, str], list[BrokerAdjustment]] = {}
    for change in sorted(changes, key=_place):
        name = "" if change.kind == "split" else change.activity_id
        found.setdefault((change.ts_event, name), []).append(change)
    return list(found.values())


def _net(entries: list[BrokerAdjustment]) -> BrokerAdjustment:
    quantity = sum((entry.quantity for entry in entries), Decimal(0))
    amount = sum((entry.amount for entry in entries), Decimal(0))
    return replace(entries[0], quantity=quantity, amount=amount)


def _place(change: BrokerAdjustment) -> tuple[int, str]:
    return change.ts_event, change.activity_id


def shared_out(
    changes: Iterable[BrokerAdjustment], held: dict[str, Decimal]
) -> list[tuple[BrokerAdjustment, dict[str, Decimal]]]:
    """Return changes of a symbol, oldest first, each with what every owner gains by it.

    Of several owners only a split says who gains what, where it comes out in whole units and
    brings no cash; else nothing is shared out.
    """
    found = []
    for change in sorted(changes, key=_place):
        total = sum(held.values())
        ratio = Fraction(change.quantity) / Fraction(total) if total else None
        if len(held) == 1:
            shares = dict.fromkeys(held, change.quantity)
        elif change.kind != "split" or change.amount or ratio is None:
            return []
        else:
            gains = {owner: Fraction(units) * ratio / NANO for owner, units in held.items()}
            if any(gain.denominator != 1 for gain in gains.values()):
                return []
            shares = {owner: gain.numerator * Decimal("1e-9") for owner, gain in gains.items()}
        held = {owner: units + shares[owner] for owner, units in held.items()}
        found.append((change, shares))
    return found


def change_holding(run: Run, terms: dict[str, Any]) -> r.PositionState:
    """Change a holding, and put it on the tape; return how it is afterwards."""
    run.note("adjust", **terms)
    return adjust(run.live_core, **terms)


def adjust(
    core: NodeCore,
    *,
    strategy: str,
    symbol: str,
    quantity: str,
    amount: str,
    is_split: bool,
    restates: bool,
) -> r.PositionState:
    """Change a holding, live and in replay alike; return how it is afterwards."""
    kernel = core.kernel
    position = adjust_position(
        kernel,
        strategy,
        symbol,
        Decimal(quantity),
        Decimal(amount),
        is_split=is_split,
        restates=restates,
    )
    if hasattr(kernel.gate, "resync"):
        kernel.gate.resync()
    return position_state(position, strategy)


def holdings(core: NodeCore, symbol: str) -> dict[str, Decimal]:
    """Return what each strategy holds of a symbol, those without any left out."""
    names = {strategy.number: strategy.name for strategy in core.kernel.strategies}
    return {
        names[position.strategy]: Decimal(position.quantity_exact)
        for position in core.kernel.cache.positions()
        if position.symbol == symbol and position.quantity_exact
    }


def position_states(core: NodeCore, symbol: str) -> tuple[r.PositionState, ...]:
    """Return what each strategy has made of a symbol, for the journal."""
    names = {strategy.number: strategy.name for strategy in core.kernel.strategies}
    instruments = [one for one in core.kernel.cache.instruments if one.symbol == symbol]
    return tuple(
        position_state(position, names[position.strategy])
        for instrument in instruments
        for position in core.kernel.cache.positions_in(instrument)
    )


def adjustment_record(
    now: int, change: BrokerAdjustment, positions: tuple[r.PositionState, ...] = ()
) -> r.Adjustment:
    """Return the record of a change, with the holdings after it."""
    return r.Adjustment(
        ts=now,
        activity_id=change.activity_id,
        kind=change.kind,
        symbol=change.symbol,
        quantity=f"{change.quantity:f}",
        amount=f"{change.amount:f}",
        text=change.text,
        ts_event=change.ts_event,
        positions=positions,
    )
