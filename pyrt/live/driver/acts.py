"""What is done with a core from outside its events, by a live run and by its replay alike."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec

from pyrt.core.bus import escape
from pyrt.core.data import Signal
from pyrt.core.instruments import Instrument
from pyrt.core.ports import FeeModel
from pyrt.data.timeframe import parse_timeframe
from pyrt.live.core.gate_changes import unrecorded
from pyrt.live.core.node import NodeCore
from pyrt.live.core.notes import cancel_entries, carry_out
from pyrt.live.core.restore import restore_orders, restore_positions
from pyrt.live.core.tape import Tape
from pyrt.live.driver.run import NODE
from pyrt.live.driver.scribe import decode_saved
from pyrt.live.journal import records as r
from pyrt.live.plan import Plan
from pyrt.strategy.strategy import Strategy
from pyrt.venues.alpaca.timeframes import wire_timeframe
from pyrt.venues.capabilities import capabilities_of


def make_core(
    client: Any,
    gate: Any,
    instruments: Sequence[Instrument],
    strategies: Sequence[Strategy],
    plan: Plan,
    opening: r.Opening,
    tape: Tape | None,
    fees: FeeModel | None = None,
    *,
    prefix: str = "",
) -> NodeCore:
    """Return a node core with what a run begins with: live and in replay alike.

    Client order ids begin with the plan's prefix, unless another is given.
    """
    core = NodeCore(
        client,
        gate,
        instruments,
        strategies,
        cash=Decimal(opening.cash),
        prefix=prefix or plan.prefix,
        account=opening.account or None,
        default_tif=dict(plan.default_tif) or None,
        capabilities=capabilities_of(plan.venue, plan.emulate),
        tape=tape,
        fees=fees,
    )
    if plan.venue == "alpaca":
        core.later.check_timeframe = _has_bars
    core.kernel.grace_ns = plan.grace_ns
    # Orders of paper accounts rest in no market.
    core.kernel.books_show_own = plan.mode == "live"
    core.kernel.sessions = plan.sessions
    restore_positions(core.kernel, opening.positions)
    core.kernel.curve.rebase()
    restore_orders(core.kernel, opening.orders)
    if opening.risk and hasattr(gate, "restore"):
        gate.restore(msgspec.msgpack.decode(opening.risk))
    elif hasattr(gate, "resync"):
        gate.resync()
    expect_changes(core, opening.orders)
    return core


def _has_bars(timeframe: str) -> None:
    """Raise ConfigError where Alpaca has no bars of a timeframe."""
    wire_timeframe(parse_timeframe(timeframe), timeframe)


def expect_changes(core: NodeCore, states: Sequence[r.OrderState]) -> None:
    """Let the gate count what may still come of changes that nobody has answered."""
    gate: Any = core.kernel.gate
    if not hasattr(gate, "expect_change"):
        return
    orders = {order.client_order_id: order for order in core.kernel.cache.orders_open()}
    for state in states:
        order = orders.get(state.client_order_id)
        if state.changes and order is not None:
            gate.expect_change(order, state.changes, *state.asked)


def publish_signal(core: NodeCore, signal: Signal) -> None:
    """Let strategies hear a signal. The kernel settles afterwards: that is an input of its own."""
    core.enter()
    core.kernel.bus.publish(f"signal.{escape(signal.symbol)}", signal)
    core.leave()


def state_volume(core: NodeCore, symbol: str, volume: str) -> None:
    """State a symbol's average daily volume to the gate."""
    with unrecorded(core.kernel) as gate:
        gate.set_adv(symbol, Decimal(volume))


def state_range(core: NodeCore, symbol: str, value: str) -> None:
    """State a symbol's average true range to the gate."""
    with unrecorded(core.kernel) as gate:
        gate.set_atr(symbol, float(value))


def start_strategies(core: NodeCore, now: int, saves: dict[str, bytes]) -> None:
    """Call `on_start` of all, then `on_load` of those that run and had saved something."""
    core.enter()
    core.start(now)
    core.leave()
    for strategy in core.kernel.strategies:
        load(core, strategy, saves.get(strategy.name, b""))


def load(core: NodeCore, strategy: Any, saved: bytes) -> None:
    """Call `on_load` of a strategy that runs; what cannot be read back stops that one alone."""
    if not (saved and strategy.running and strategy.handles("on_load")):
        return
    try:
        state = decode_saved(saved)
    except msgspec.DecodeError as error:
        # The state itself, however long it is, is no part of what is told.
        core.kernel.calls.take_failure(strategy, "on_load", None, error)
    else:
        call(core, strategy, "on_load", state)


def tell_missed(core: NodeCore, fills: Sequence[Any]) -> None:
    """Tell strategies of the fills that came while they did not run, oldest first."""
    for fill in fills:
        strategy = fill.order.strategy
        if strategy.running and strategy.handles("on_fill"):
            call(core, strategy, "on_fill", fill)


def call(core: NodeCore, strategy: Any, handler: str, argument: Any) -> None:
    """Call a handler; an exception stops its strategy, as in any other."""
    bus = core.kernel.bus
    core.enter()
    bus.begin()
    try:
        getattr(strategy, handler)(argument)
    except Exception as error:
        core.kernel.calls.bus_failed(getattr(strategy, handler), argument, error)
    finally:
        bus.end()
        core.leave()


def settle(core: NodeCore) -> None:
    """Let what handlers have asked for take place, and strategies hear what comes of it."""
    core.enter()
    core.inputs.settle()
    core.leave()


def stop_strategies(core: NodeCore, policy: str) -> None:
    """Stop all strategies, and treat what they leave behind as the policy says."""
    core.enter()
    core.stop()
    core.leave()
    if policy == "cancel_entries":
        cancel_entries(core.kernel)
    elif policy == "cancel_all":
        carry_out(core, "cancel_all", NODE, "the node stops", "", "")
