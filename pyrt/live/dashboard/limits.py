"""How much of each limit is used: of the whole account's, of each symbol's and each strategy's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

RAMPED = frozenset(
    {
        *("max_order_quantity", "max_order_notional", "max_position_quantity"),
        *("max_position_notional", "max_daily_quantity", "max_daily_notional"),
        *("max_gross_exposure", "max_net_exposure", "max_leverage"),
        *("max_concentration", "max_sector_concentration"),
    }
)
"""Limits of which a ramp lets a share be used."""
READINGS = {
    "max_value_at_risk": "value_at_risk",
    "max_expected_shortfall": "expected_shortfall",
    "max_volatility": "volatility",
    "max_correlation": "correlation",
    "max_beta_exposure": "beta_exposure",
}
"""Limits of the whole portfolio's risk → what is computed on a schedule."""


def limits_used(kernel: Any, account: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what is used of each limit that counts something that is there now.

    Returns
    -------
    list of dict
        ``name``, ``symbol`` and ``strategy`` ("" for the whole account), ``used``, ``limit`` (what
        a ramp leaves of it) and ``share`` (used ÷ limit), the most used first.
    """
    rows = [*_of_account(kernel, account), *_of_symbols(kernel), *_of_strategies(kernel)]
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
        **_flow(kernel),
        **{name: kernel.gate.readings.values.get(key) for name, key in READINGS.items()},
    }
    for name, value in used.items():
        limit = getattr(limits, name)
        if limit is not None and value is not None:
            yield _row(kernel, name, value, limit)


def _flow(kernel: Any) -> dict[str, int | None]:
    """Return how many orders and messages there were, in windows that end now."""
    traffic, now = kernel.gate.traffic, kernel.clock.timestamp_ns
    windows = {
        "max_orders_per_second": traffic.per_second,
        "max_orders_per_minute": traffic.per_minute,
        "max_messages_per_minute": traffic.messages,
    }
    counts = {name: None if w is None else w.count(now) for name, w in windows.items()}
    return {"max_daily_orders": traffic.orders_today, **counts}


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
                yield _row(kernel, name, value, limit, symbol=instrument.symbol)


def _of_strategies(kernel: Any) -> Iterator[dict[str, Any]]:
    """Yield what counts for each strategy by itself: past it, that one is HALTED."""
    limit = kernel.gate.limits.max_duplicates
    if limit is None:
        return
    counts = kernel.gate.duplicates
    for strategy in kernel.strategies:
        used = counts.get(strategy.name, 0)
        yield _row(kernel, "max_duplicates", used, limit, strategy=strategy.name)


def _row(
    kernel: Any, name: str, used: Any, limit: Any, *, symbol: str = "", strategy: str = ""
) -> dict[str, Any]:
    most = float(limit)
    if name in RAMPED and kernel.gate.ramp_share is not None:
        most *= float(kernel.gate.ramp_share)
    share = float(used) / most if most > 0 else float(used > 0)
    return {
        "name": name,
        "symbol": symbol,
        "strategy": strategy,
        "used": used,
        "limit": most,
        "share": share,
    }
