"""Inputs that are neither events nor time: starts, operators' commands, state brought back."""

from __future__ import annotations

from typing import Any

import msgspec

from pyrt.errors import ConfigError, UnknownName

CONTROLS = (
    *("halt", "reduce", "resume", "cancel", "cancel_all", "flatten", "close", "stop_strategy"),
    "reset_breaker",
)
"""What an operator may ask for."""
NODE = "node"
"""The actor of what nobody has asked for."""
MONITOR = "monitor"
"""The actor of a halt because a handler did not come back: it stays until a person lifts it."""
OURS = frozenset({NODE, MONITOR})
"""Actors that are no persons."""
BREAKERS = ("closed", "open", "half-open")


def encode_note(what: str, **arguments: Any) -> bytes:
    """Return a note for the tape."""
    return msgspec.msgpack.encode({"what": what, **arguments})


def decode_note(data: bytes) -> dict[str, Any]:
    """Return a note's values."""
    return msgspec.msgpack.decode(data, type=dict[str, Any])


def check_operation(action: str, actor: str, reason: str) -> None:
    """Raise ConfigError for an unknown action, and for one without an actor or a reason."""
    if action not in CONTROLS:
        raise ConfigError(f"action is {action!r}; expected one of {', '.join(CONTROLS)}")
    if not actor.strip() or not reason.strip():
        raise ConfigError(f"{action} needs an actor and a reason", code="actor")


def by_hand(actor: str) -> str:
    """Return the name of a person who asks, told apart from what the node does by itself.

    Somebody may go by a name of the node's own, which spares its exits.
    """
    return f"{actor} (by hand)" if actor in OURS else actor


def breaker_of(gate: Any) -> str:
    """Return how a gate's circuit breaker stands; closed where it has none."""
    breaker = getattr(gate, "breaker", None)
    return BREAKERS[0 if breaker is None else breaker.state]


def _knows(kernel: Any, symbol: str) -> bool:
    try:
        kernel.cache.instrument(symbol)
    except UnknownName:
        return False
    return True


def carry_out(
    core: Any,
    action: str,
    actor: str,
    reason: str,
    symbol: str,
    strategy: str,
    order: str = "",
) -> str:
    """Do what an operator asks; return what was done. The kernel settles afterwards.

    An order is named by its client order id.

    Raises
    ------
    ConfigError
        If the action is unknown, or nobody or no reason is named; nothing is done then.
    """
    check_operation(action, actor, reason)
    kernel, gate = core.kernel, core.kernel.gate
    if action in ("halt", "reduce", "resume"):
        state = {"halt": "halted", "reduce": "reducing", "resume": "active"}[action]
        scope = {"symbol": symbol or None, "strategy": strategy or None}
        if symbol and not _knows(kernel, symbol):
            # The node itself halts what the broker has and it does not trade, lest it begins to.
            gate.states.set(state, actor, reason, ts=gate.now, symbol=symbol)
        else:
            gate.set_state(state, actor, reason, **scope)
        if action == "halt" and not symbol and not strategy:
            # What the node halts for itself, on a full disk for one, keeps its protective exits: no
            # other could leave. A person's kill is one.
            _cancel(kernel, "", entries_only=actor in OURS)
        done = f"{symbol or strategy or 'everything'} is {state}"
        return done + _barred_still(gate, symbol or strategy) * (action == "resume")
    if action == "cancel":
        return _cancel_one(kernel, order)
    if action == "cancel_all":
        return f"{_cancel(kernel, symbol, entries_only=False)} orders are being canceled"
    if action == "flatten":
        gate.kill(actor, reason, flatten=True)
        return "everything is being closed"
    if action == "reset_breaker":
        gate.reset_breaker(actor, reason)
        return "the circuit breaker is closed"
    if action == "close":
        if not symbol:
            raise ConfigError("close needs a symbol")
        closed = [s.close(symbol) for s in kernel.strategies]
        return f"{sum(order is not None for order in closed)} orders close {symbol}"
    found = [s for s in kernel.strategies if s.name == strategy]
    if not found:
        raise ConfigError(f"no strategy {strategy!r} runs here", code="unknown_strategy")
    kernel.calls.halt(found[0], f"{actor}: {reason}")
    return f"{strategy} is stopped"


def _barred_still(gate: Any, name: str) -> str:
    """Return in words what bars orders after a resume of `name`, or of everything."""
    text = ""
    if not name:
        saved = gate.states.save()
        parts = {**saved["symbols"], **saved["strategies"]}
        restricted = [part for part, state in parts.items() if state]
        text = f", but not {', '.join(restricted)}: resume that by name" * bool(restricted)
    if breaker_of(gate) != "closed":
        text += f", and the circuit breaker is {breaker_of(gate)}"
    return text


def _cancel_one(kernel: Any, client_order_id: str) -> str:
    owners = {strategy.name: strategy for strategy in kernel.strategies}
    for order in kernel.cache.orders_open():
        if order.client_order_id == client_order_id:
            owners[order.strategy.name].cancel(order)
            return f"order {client_order_id} is being canceled"
    raise ConfigError(f"no order {client_order_id!r} is open here", code="unknown_order")


def cancel_entries(kernel: Any) -> int:
    """Cancel what could open a position; return how many orders that are."""
    return _cancel(kernel, "", entries_only=True)


def _cancel(kernel: Any, symbol: str, *, entries_only: bool) -> int:
    count = 0
    owners = {strategy.name: strategy for strategy in kernel.strategies}
    for order in kernel.cache.orders_open(symbol=symbol or None):
        if not (entries_only and order.is_exit):
            owners[order.strategy.name].cancel(order)
            count += 1
    return count
