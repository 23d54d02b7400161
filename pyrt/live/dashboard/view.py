"""A node's state as plain values, made by the trading loop about once a second.

The dashboard's thread reads the last one made and never the node itself, so that a page can neither
see half a change nor hold one up.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pyrt.live.core.notes import BREAKERS, breaker_of
from pyrt.live.dashboard.history import History
from pyrt.live.dashboard.limits import limits_used
from pyrt.live.observe.health import Health
from pyrt.live.observe.latency import STAGES
from pyrt.live.observe.metrics import Metrics
from pyrt.live.process.control import Request

BREAKER_LEVELS = {"closed": 0, "half-open": 1, "open": 2}


@dataclass(frozen=True)
class Connection:
    """One of a node's connections.

    Attributes
    ----------
    name, state : str
    is_up : bool
    since : int
        ns UTC; 0 before the first.
    reconnects : int
    """

    name: str
    state: str
    is_up: bool
    since: int = 0
    reconnects: int = 0


class NodeView:
    """Shows one node; implements `NodeFace`.

    Parameters
    ----------
    health, metrics
    control : callable
        Awaited in the dashboard's loop: carries out a checked request and returns what came of it.
    name, mode : str
    connections : callable
        Returns the connections as they are.
    log_lines : callable
        Returns the last lines of the log, redacted.
    clean : callable
        Takes what no page may show out of a text.
    clock : callable
        ns UTC.
    """

    def __init__(
        self,
        health: Health,
        metrics: Metrics,
        *,
        control: Callable[[Request], Awaitable[dict[str, Any]]],
        clock: Callable[[], int],
        name: str = "node",
        mode: str = "paper",
        connections: Callable[[], Iterable[Connection]] = tuple,
        log_lines: Callable[[], Sequence[str]] = tuple,
        clean: Callable[[str], str] = str,
    ) -> None:
        self.health = health
        self.metrics = metrics
        self.history = History()
        self._kernel: Any = None
        self._control = control
        self._clock = clock
        self._who = {"name": name, "mode": mode, "account_masked": masked("")}
        self._connections = connections
        self._log_lines = log_lines
        self._clean = clean
        self._state: dict[str, Any] = {}
        self.refresh()

    def attach(self, kernel: Any, account: str = "") -> None:
        """Show a kernel, with a `RiskEngine` as its gate; before there is one, nothing is held."""
        self._kernel = kernel
        self._who["account_masked"] = masked(account)
        self.history.attach(kernel.bus)
        self.refresh()

    # -- asked by the dashboard's thread -------------------------------------------------------

    def now(self) -> int:
        """Return the wall clock, ns UTC."""
        return self._clock()

    def state(self) -> dict[str, Any]:
        """Return the last state made."""
        return self._state

    def prices(self, symbol: str) -> dict[str, Any]:
        """Return one symbol's closes and our fills in it."""
        return self.history.prices(symbol)

    def log_lines(self) -> Sequence[str]:
        """Return the last lines of the log."""
        return self._log_lines()

    async def control(self, request: Request) -> dict[str, Any]:
        """Carry out an action."""
        return await self._control(request)

    # -- called by the trading loop ------------------------------------------------------------

    def refresh(self) -> None:
        """Make the state anew and bring the gauges up to date."""
        now = self._clock()
        kernel = self._kernel
        self.metrics.set("ready", int(self.health.is_ready))
        if kernel is None:
            self._state = self._unborn(now)
            return
        account = kernel.portfolio.metrics()
        account["day_pnl"] = day_pnl(kernel, account)
        market_now = self.history.market_time(now)
        self.history.add_equity(market_now, account["equity"])
        for position in kernel.cache.all_positions():
            if position.last_price > 0:
                self.history.add_price(position.symbol, market_now, position.last_price)
        state = {
            **self._who,
            "time": now,
            "health": self.health.status,
            "ready": self.health.is_ready,
            "trading_state": kernel.gate.state().name,
            "breaker": breaker_of(kernel.gate),
            "halted_symbols": kernel.gate.halted_symbols,
            "limited_symbols": kernel.gate.limited_symbols,
            "alarms": list(self.history.alarms)[-20:],
            "account": {name: account[name] for name in ACCOUNT},
            "positions": [self._position(p) for p in kernel.cache.positions()],
            "orders": [_order(order) for order in kernel.cache.orders_open()],
            "fills": list(self.history.fills)[-50:],
            "limits": limits_used(kernel, account),
            "ramp": None if kernel.gate.ramp_share is None else float(kernel.gate.ramp_share),
            "strategies": [self._strategy(strategy) for strategy in kernel.strategies],
            "connections": [vars(connection) for connection in self._connections()],
            "latency": [self._stage(stage) for stage in STAGES],
            "symbols": self.history.symbols,
            "equity": self.history.equity(),
        }
        self._set_gauges(state)
        self._state = state

    def _unborn(self, now: int) -> dict[str, Any]:
        """Return what can be told before the account has been looked at: no order may leave."""
        return {
            **self._who,
            "time": now,
            "health": self.health.status,
            "ready": False,
            "trading_state": "STARTING",
            "breaker": BREAKERS[0],
            "halted_symbols": [],
            "limited_symbols": [],
            "alarms": list(self.history.alarms)[-20:],
            "account": dict.fromkeys(ACCOUNT, 0.0),
            "positions": [],
            "orders": [],
            "fills": [],
            "limits": [],
            "ramp": None,
            "strategies": [],
            "connections": [vars(connection) for connection in self._connections()],
            "latency": [self._stage(stage) for stage in STAGES],
            "symbols": [],
            "equity": self.history.equity(),
        }

    def _position(self, position: Any) -> dict[str, Any]:
        gate = self._kernel.gate
        state = max(gate.state(), gate.state(symbol=position.instrument.id))
        return {
            "symbol": position.symbol,
            "quantity": position.quantity,
            "average_price": position.average_price,
            "last_price": position.last_price,
            "market_value": position.market_value,
            "unrealized_pnl": position.unrealized_pnl,
            "realized_pnl": position.realized_pnl,
            "state": state.name,
        }

    def _strategy(self, strategy: Any) -> dict[str, Any]:
        kernel = self._kernel
        held = [p for p in kernel.cache.all_positions() if p.strategy == strategy.number]
        return {
            "name": strategy.name,
            "running": strategy.running,
            "stopped": self._clean(strategy.stop_reason),
            "state": max(kernel.gate.state(), kernel.gate.state(strategy=strategy.name)).name,
            "open_orders": len(kernel.cache.orders_open(strategy.number)),
            "market_value": sum(p.market_value for p in held),
            "unrealized_pnl": sum(p.unrealized_pnl for p in held),
            "realized_pnl": sum(p.realized_pnl for p in held),
        }

    def _stage(self, stage: str) -> dict[str, Any]:
        histogram = self.metrics.stages[stage]
        return {
            "stage": stage,
            "count": histogram.count,
            "p50_us": histogram.quantile(0.5) / 1e3,
            "p99_us": histogram.quantile(0.99) / 1e3,
            "max_us": histogram.max_ns / 1e3,
        }

    def _set_gauges(self, state: dict[str, Any]) -> None:
        put = self.metrics.set
        account = state["account"]
        put("equity", account["equity"], self._kernel.account.base_currency)
        put("pnl", account["day_pnl"], "day")
        put("pnl", account["total_pnl"], "total")
        put("exposure", account["gross_exposure"], "gross")
        put("exposure", account["market_value"], "net")
        put("open_orders", len(state["orders"]))
        put("unknown_requests", sum(order["is_unknown"] for order in state["orders"]))
        self._set_states()
        put("breaker_state", BREAKER_LEVELS[state["breaker"]])
        held: dict[str, float] = {}
        for position in state["positions"]:
            held[position["symbol"]] = held.get(position["symbol"], 0.0) + position["quantity"]
        self.metrics.set_all("position_quantity", held)
        # The most used come first: of a limit of each symbol, the one that is nearest counts.
        used = {limit["name"]: limit["share"] for limit in reversed(state["limits"])}
        self.metrics.set_all("limit_used_ratio", used)
        for connection in state["connections"]:
            put("connection_up", int(connection["is_up"]), connection["name"])

    def _set_states(self) -> None:
        kernel, put = self._kernel, self.metrics.set
        gate = kernel.gate
        put("trading_state", int(gate.state()))
        for instrument in kernel.cache.instruments:
            put("symbol_state", int(gate.state(symbol=instrument.id)), instrument.symbol)
        for strategy in kernel.strategies:
            put("strategy_state", int(gate.state(strategy=strategy.name)), strategy.name)


ACCOUNT = (
    "equity", "cash", "day_pnl", "total_pnl", "market_value", "gross_exposure", "buying_power",
)  # fmt: skip


def masked(account: str) -> str:
    """Return an account's number by its last four characters."""
    return f"…{account[-4:]}" if account else "–"


def day_pnl(kernel: Any, account: dict[str, Any]) -> float:
    """Return the day's result; with limits from where their day began, restarts or not."""
    gate = kernel.gate
    limits, breaker = getattr(gate, "limits", None), getattr(gate, "breaker", None)
    if limits is None or limits.is_empty or breaker is None:
        return float(account["day_pnl"])
    return float(-breaker.day_loss)


def _order(order: Any) -> dict[str, Any]:
    return {
        "client_order_id": order.client_order_id,
        "symbol": order.symbol,
        "side": order.side.name.lower(),
        "type": order.order_type,
        "quantity": order.quantity,
        "filled_quantity": order.filled_quantity,
        "limit_price": order.limit_price,
        "stop_price": order.stop_price,
        "status": order.status,
        "is_unknown": order.is_unknown,
    }
