"""A run that goes on where another was cut off: what is changed in a core between the two.

Each change is a note on the tape, so that the run can itself be played again from its beginning.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from pyrt.core.orders import Order
from pyrt.errors import StrategyError
from pyrt.live.core.node import NodeCore
from pyrt.live.core.restore import (
    drop_cancel,
    drop_change,
    drop_commands,
    rename_order,
    replace_position,
    restore_orders,
    send_again,
    take_prefix,
)
from pyrt.live.driver.acts import expect_changes, load
from pyrt.live.journal import records as r

UNSENT = "-unsent"
_ORDERS = msgspec.msgpack.Decoder(tuple[r.OrderState, ...])
_POSITIONS = msgspec.msgpack.Decoder(tuple[r.PositionState, ...])


def part_with(
    core: NodeCore,
    *,
    prefix: str,
    orders: bytes,
    unsent: Sequence[int],
    uncanceled: Sequence[int],
) -> None:
    """Leave the run that was cut off behind: no timer fires from here on until `go_on`.

    Parameters
    ----------
    prefix : str
        Begins client order ids from now on.
    orders : bytes
        Encoded states of orders that the journal has and the inputs did not lead to.
    unsent : sequence of int
        Numbers of orders that never left, and that nobody has heard of.
    uncanceled : sequence of int
        Numbers of orders whose cancel is not to be repeated.
    """
    kernel = core.kernel
    core.inputs.hold()
    # The inputs may end between a handler and what it asked for.
    drop_commands(kernel)
    take_prefix(kernel, prefix)
    for number in unsent:
        order = _found(core, number)
        # Another order of the same id may have left: that of the run as it really was.
        name = order.client_order_id
        rename_order(order, name + UNSENT)
        _rename_trial(kernel.gate, name, order.client_order_id)
    for number in uncanceled:
        drop_cancel(_found(core, number))
    for order in kernel.cache.orders_open():
        drop_change(order)
    restore_orders(kernel, _ORDERS.decode(orders))


def _rename_trial(gate: Any, name: str, renamed: str) -> None:
    """Let a half-open breaker know its one entry by its new id: it waits for the end of it."""
    breaker = getattr(gate, "breaker", None)
    if breaker is not None and breaker.trial == name:
        breaker.restore({**breaker.save(), "trial": renamed})


def go_on_with(core: NodeCore, numbers: Sequence[int] = ()) -> None:
    """Let time do what it does, and orders go on that were on their way out.

    Parameters
    ----------
    numbers : sequence of int
        Orders that close a position and had not left. They wait anew for what they count on, and
        are cut to what is held by then.
    """
    core.inputs.release_timers()
    for number in numbers:
        order = core.inputs.order(number)
        if order is not None and order.status == "INITIALIZED":
            send_again(core.kernel, order)


def _found(core: NodeCore, number: int) -> Order:
    order = core.inputs.order(number)
    assert order is not None
    return order


def settle_with(
    core: NodeCore,
    *,
    positions: bytes,
    risk: bytes,
    saves: Mapping[str, bytes],
    halted: Mapping[str, str],
    changing: bytes = b"",
) -> None:
    """Take over what the journal knows better than the inputs that were played.

    Parameters
    ----------
    positions : bytes
        Encoded holdings that came out otherwise.
    risk : bytes
        What the risk engine goes on from, where the inputs end before the journal does.
    saves : mapping
        Strategy → what it saved after the inputs end.
    halted : mapping
        Strategy → why it is stopped.
    changing : bytes
        Encoded states of orders with changes that nobody has answered.
    """
    kernel = core.kernel
    for state in _POSITIONS.decode(positions):
        replace_position(kernel, state)
    gate = kernel.gate
    if risk and hasattr(gate, "restore"):
        gate.restore(msgspec.msgpack.decode(risk))
    elif hasattr(gate, "resync"):
        gate.resync()
    if changing:
        expect_changes(core, _ORDERS.decode(changing))
    for strategy in kernel.strategies:
        if strategy.name in halted:
            reason = halted[strategy.name]
            kernel.calls.halt(strategy, reason)
            kernel.errors.append(StrategyError(reason, strategy=strategy.name))
        else:
            load(core, strategy, saves.get(strategy.name, b""))


def encode_states(states: Sequence[Any]) -> bytes:
    """Return states of orders or positions for a note."""
    return r.ENCODER.encode(tuple(states))
