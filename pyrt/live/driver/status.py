"""What stands in a node now, as plain values for whoever asks."""

from __future__ import annotations

from typing import Any

from pyrt.live.core.notes import breaker_of
from pyrt.live.driver.comeback import plain
from pyrt.live.driver.driver import Driver

PHASES = ("new", "looking", "running", "stopping", "stopped")


def status_of(driver: Driver) -> dict[str, Any]:
    """Return phase, account, positions, orders, restrictions and the journal's lag.

    ``symbols`` has the states that we trade them in; ``halted_symbols`` and ``limited_symbols`` are
    those whose trading the exchange has halted, and those at a price band.
    """
    journal = driver.journal
    values: dict[str, Any] = {
        "phase": PHASES[driver.phase],
        "ready": driver.is_ready,
        "run_id": driver.plan.run_id,
        "mode": driver.plan.mode,
        "latched": driver.latch.reason if driver.latch.is_set else "",
        "held_back": driver.held_back,
        "journal": {
            "records": journal.last,
            "durable": journal.durable,
            "failure": str(journal.failure or ""),
        },
        "findings": [{"code": f.code, "symbol": f.symbol, "text": f.text} for f in driver.findings],
    }
    if driver.last_look is not None:
        values["account"] = driver.last_look.account
    core = driver.core
    if core is None:
        return values
    kernel = core.kernel
    gate: Any = kernel.gate
    values["equity"] = kernel.account.equity
    values["cash"] = kernel.account.cash
    values["state"] = gate.state().name if hasattr(gate, "state") else "ACTIVE"
    values["breaker"] = breaker_of(gate)
    if getattr(gate, "limits", None) is not None:
        values["limits"] = plain(gate.limits.to_dict())
        values["ramp"] = None if gate.ramp_share is None else f"{gate.ramp_share:f}"
    values["symbols"] = {
        i.symbol: gate.state(symbol=i.id).name
        for i in kernel.cache.instruments
        if hasattr(gate, "state")
    }
    values["halted_symbols"] = list(getattr(gate, "halted_symbols", ()))
    values["limited_symbols"] = list(getattr(gate, "limited_symbols", ()))
    values["strategies"] = [
        {
            "name": s.name,
            "running": s.running,
            "stopped": driver.scribe.clean(s.stop_reason),
            "state": gate.state(strategy=s.name).name if hasattr(gate, "state") else "ACTIVE",
        }
        for s in kernel.strategies
    ]
    values["positions"] = [
        {
            "strategy": kernel.strategies[p.strategy].name,
            "symbol": p.symbol,
            "quantity": f"{p.quantity_exact:f}",
            "average_price": p.average_price,
            "unrealized_pnl": p.unrealized_pnl,
        }
        for p in kernel.cache.positions()
    ]
    values["orders"] = [
        {
            "client_order_id": o.client_order_id,
            "symbol": o.symbol,
            "side": o.side.name.lower(),
            "type": o.order_type,
            "quantity": f"{o.quantity_exact:f}",
            "filled": f"{o.filled_quantity_exact:f}",
            "limit_price": o.limit_price,
            "stop_price": o.stop_price,
            "status": o.status,
            "unknown": o.is_unknown,
        }
        for o in kernel.cache.orders_open()
    ]
    return values
