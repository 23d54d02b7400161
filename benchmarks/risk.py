"""What it costs to judge one order by every control, among few symbols and orders and many."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from benchmarks.timing import Row, median, row
from pyrt.core.instruments import Instrument
from pyrt.risk import Limits, RiskEngine
from pyrt.testing.gates import GateRig

JUDGED = 20_000
REPEATS = 5
FEW, MANY = 10, 10_000


def all_limits() -> Limits:
    """Return limits with every control on, wide enough that none denies."""
    return Limits(
        max_order_quantity=1e6,
        max_order_notional=1e9,
        fat_finger_multiple=1e6,
        max_position_quantity=1e6,
        max_position_notional=1e9,
        max_open_positions=1_000_000,
        max_concentration=1,
        max_sector_concentration=1,
        max_gross_exposure=1e12,
        max_net_exposure=1e12,
        max_leverage=10,
        max_open_orders=1_000_000,
        require_buying_power=True,
        require_shortable=True,
        require_open_session=True,
        deny_self_match=True,
        price_collar_bps=2_000,
        max_slippage_bps=1_000,
        market_protection_bps=500,
        stale_data_after="1d",
        max_tick_jump_bps=5_000,
        max_orders_per_second=1_000_000,
        max_orders_per_minute=1_000_000,
        max_messages_per_minute=1_000_000,
        duplicate_window="1h",
        max_duplicates=1_000,
        max_repeated_executions=1_000_000,
        max_daily_orders=1_000_000,
        max_daily_notional=1e15,
        max_daily_quantity=1e9,
        max_daily_loss=1e9,
        max_drawdown=0.5,
        max_consecutive_losses=1_000,
        max_loss_rate=1,
        max_reject_rate=1,
        max_latency="1d",
        max_value_at_risk=1e12,
        max_expected_shortfall=1e12,
        max_volatility=10,
        max_correlation=1,
        max_beta_exposure=1e12,
        max_risk_age="1000d",
        market_symbol="S0",
    )


def crowded(count: int) -> GateRig:
    """Return a rig with that many symbols and in each an open buy, or a sell of what is held."""
    symbols = [Instrument(f"S{i}", sector=f"sector {i % 11}") for i in range(count)]
    rig = GateRig(RiskEngine(all_limits()), cash=1e12, symbols=symbols, prices=100)
    # Portfolio risk as a schedule would have left it.
    rig.gate.readings.take(rig.now, value_at_risk=1e6, betas={s.symbol: 1.1 for s in symbols})
    for i, instrument in enumerate(symbols):
        if i % 2:
            rig.hold(10 + i % 7, instrument.symbol)
        side, price = ("sell", 120) if i % 2 else ("buy", 90)
        order = rig.order(side, 10 + i % 7, instrument.symbol, limit_price=price)
        assert order.status == "SENT", order.reason
    rig.wait("1m")
    return rig


def drafts(rig: GateRig) -> list[Any]:
    """Return orders not judged yet, over all symbols in random order, a fifth at the market."""
    draw = random.Random(1)
    found = []
    for i in range(JUDGED):
        terms = {} if i % 5 == 0 else {"limit_price": 95 + i % 11}
        symbol = rig.symbols[draw.randrange(len(rig.symbols))]
        found.append(rig.draft("buy", 1 + i % 100, symbol, **terms))
    return found


def each_ns(call: Callable[[Any], object], orders: Sequence[Any]) -> np.ndarray[Any, Any]:
    """Return ns of every single call."""
    clock = time.perf_counter_ns
    taken = []
    for order in orders:
        start = clock()
        call(order)
        taken.append(clock() - start)
    return np.asarray(taken, float)


def nothing(order: Any) -> None:
    """Stand in for the judge, to know what timing a call costs."""


def figures(count: int) -> tuple[float, float]:
    """Return median and 99th percentile in ns an order, the timing's own cost taken off."""
    rig = crowded(count)
    orders = drafts(rig)
    assert rig.judge(orders[0]) is None
    middles, tails = [], []
    for _ in range(REPEATS):
        own = median(each_ns(nothing, orders).tolist())
        taken = each_ns(rig.judge, orders) - own
        middles.append(float(np.median(taken)))
        tails.append(float(np.quantile(taken, 0.99)))
    return median(middles), median(tails)


def measure() -> list[Row]:
    """Measure among ten thousand symbols and open orders, and how that grows from ten."""
    few, _ = figures(FEW)
    many, tail = figures(MANY)
    return [
        row("risk_checks", many, "ns/order"),
        row("risk_checks_p99", tail, "ns/order"),
        row("risk_checks_flat", many, "ns/order", many / few),
    ]
