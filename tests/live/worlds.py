"""One run in each world, reduced to what has to be equal: fills, orders' ends, equity."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np

from pyrt import Strategy, backtest
from pyrt.core import records
from pyrt.core.instruments import Instrument
from tests.live.lockstep import Lockstep

E9 = Decimal(10**9)
E18 = Decimal(10**18)
Fill = tuple[int, str, int, Decimal, Decimal, Decimal]
"""Time, symbol, side, quantity, price, fee."""


@dataclass(frozen=True)
class Outcome:
    """What a run came to; `account` is the equity that the broker states."""

    fills: list[Fill]
    equity: Decimal
    account: Decimal

    def differs_in(self, other: Outcome) -> str:
        """Name what is not equal; "" where all is."""
        if len(self.fills) != len(other.fills):
            return f"{len(self.fills)} fills and {len(other.fills)}"
        for number, (mine, theirs) in enumerate(zip(self.fills, other.fills, strict=True)):
            if mine != theirs:
                return f"fill {number}: {mine} and {theirs}"
        if self.equity != other.equity:
            return f"equity {self.equity} and {other.equity}"
        return "" if self.account == other.account else f"account {self.account}, {other.account}"


def fills_of(kernel: Any) -> list[Fill]:
    """Read a kernel's records."""
    rows = np.frombuffer(kernel.records.fills.tobytes(), records.FILL_DTYPE)
    names = {i.index: i.symbol for i in kernel.cache.instruments if isinstance(i, Instrument)}
    return [
        (
            int(row["ts_event"]),
            names[int(row["instrument"])],
            int(row["side"]),
            Decimal(int(row["quantity"])) / E9,
            Decimal(int(row["price"])) / E9,
            Decimal((int(row["fee_high"]) << 64) + int(row["fee_low"])) / E18,
        )
        for row in rows
    ]


def backtested(strategies: Sequence[Strategy], data: Any, **options: Any) -> Outcome:
    """Run a backtest under Alpaca's rules."""
    result = backtest(list(strategies), data, venue="alpaca", progress=False, **options)
    frame = result.fills
    fills = [
        (
            int(ts),
            symbol,
            1 if side == "buy" else -1,
            *(Decimal(str(value)) for value in (quantity, price, fee)),
        )
        for ts, symbol, side, quantity, price, fee in zip(
            frame["ts_event"].astype("int64"),
            *(frame[name] for name in ("symbol", "side", "quantity", "price", "fee")),
            strict=True,
        )
    ]
    equity = Decimal(str(result.equity.iloc[-1]))
    return Outcome(fills, equity, equity)


def lived(
    strategies: Sequence[Strategy],
    data: Sequence[Any],
    plant: Callable[[Lockstep], None] | None = None,
    **options: Any,
) -> Outcome:
    """Run a node core against the simulator core; `plant` may spoil something first."""
    world = Lockstep(strategies, data, **options)
    if plant is not None:
        plant(world)
    world.run()
    accounts = (world.node.kernel.account, world.broker.account)
    return Outcome(fills_of(world.node.kernel), *(Decimal(str(a.equity)) for a in accounts))
