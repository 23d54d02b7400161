"""How much of each limit is used: of those over the whole account, and of those on one symbol."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def limits_used(kernel: Any, account: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what is used of each limit that counts something that is there now.

    Returns
    -------
    list of dict
        ``name``, ``symbol`` ("" for the whole account), ``used``, ``limit`` and ``share``
        (used ÷ limit), the most used first.
    """
    rows = [*_of_account(kernel, account), *_of_symbols(kernel)]
    return sorted(rows, key=lambda row: (-row["share"], row["name"], row["symbol"]))


def _of_account(kernel: Any, account: dict[str, Any]) -> Iterator[dict[str, Any]]:
    limits, breaker = kernel.gate.limits, kernel.gate.breaker
    equity = account["equity"]
    gross = account["gross_exposure"]
    used = {
        "max_open_orders": len(kernel.cache.orders_open()),
        "max_open_positions": account["positions"],
        "max_gross_exposure": gross,
        "max_net_exposure": abs(account["market_value"]),
        "max_leverage": gross / equity if equity > 0 else 0.0,
        "max_daily_loss": max(0.0, breaker.day_loss),
        "halt_daily_loss": max(0.0, breaker.day_loss),
        "max_drawdown": max(0.0, breaker.drawdown),
        "max_consecutive_losses": breaker.consecutive_losses,
    }
    for name, value in used.items():
        limit = getattr(limits, name)
        if limit is not None:
            yield _row(name, "", value, limit)


def _of_symbols(kernel: Any) -> Iterator[dict[str, Any]]:
    """Yield the limits of symbols in which something is held or works.

    Used is the worst that could become of the position, as the gate counts it: all that works on
    one side filled, and none of the other.
    """
    limits, claims = kernel.gate.limits, kernel.gate.claims
    if claims is None:
        return
    for instrument in kernel.cache.instruments:
        held, buys, sells = claims.worst_case(instrument.index)
        units = max(abs(held + buys), abs(held - sells))
        if not units:
            continue
        quantity = units / 10**instrument.decimals
        used = {"max_position_quantity": quantity}
        prices = [p.last_price for p in kernel.cache.positions_in(instrument) if p.last_price > 0]
        if prices:
            used["max_position_notional"] = quantity * prices[0] * instrument.multiplier
        for name, value in used.items():
            limit = limits.of(instrument.id, name)
            if limit is not None:
                yield _row(name, instrument.symbol, value, limit)


def _row(name: str, symbol: str, used: Any, limit: Any) -> dict[str, Any]:
    most = float(limit)
    share = float(used) / most if most > 0 else float(used > 0)
    return {"name": name, "symbol": symbol, "used": used, "limit": most, "share": share}
