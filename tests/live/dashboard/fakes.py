"""A node's face with a few positions, orders and fills, and a record of what it was told to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pyrt.errors import PyrtError
from pyrt.live.observe.health import Health
from pyrt.live.observe.metrics import Metrics
from pyrt.live.process.control import Request

T = 1_700_000_000_000_000_000
MINUTE = 60_000_000_000


class FakeFace:
    """Shows `symbol` everywhere a text from outside can appear."""

    def __init__(self, symbol: str = "SPY") -> None:
        self.symbol = symbol
        self.health = Health("stopped by SIGTERM")
        self.metrics = Metrics()
        self.controls: list[Request] = []
        self.time = self.made = T
        self.health.beat(T)
        self.health.report("journal", "ok", now=T)

    def now(self) -> int:
        return self.time

    def state(self) -> dict[str, Any]:
        fill = {
            "ts_event": T, "symbol": self.symbol, "side": "buy", "quantity": 10.0,
            "price": 450.25, "fee": 0.01, "client_order_id": f"run-{self.symbol}-1",
        }  # fmt: skip
        return {
            "name": "node", "mode": "paper", "account_masked": "…AB4C", "time": self.made,
            "health": self.health.status, "ready": self.health.is_ready,
            "trading_state": "ACTIVE", "breaker": "closed", "alarms": [],
            "halted_symbols": ["QQQ"], "limited_symbols": ["SPY"],
            "account": {
                "equity": 100_250.5, "cash": 95_000.0, "day_pnl": 250.5, "total_pnl": -12.0,
                "market_value": 5_250.5, "gross_exposure": 5_250.5, "buying_power": 190_000.0,
            },
            "positions": [{
                "symbol": self.symbol, "quantity": 10.0, "average_price": 450.25,
                "last_price": 451.0, "market_value": 4510.0, "unrealized_pnl": 7.5,
                "realized_pnl": -3.0, "state": "ACTIVE",
            }],
            "orders": [{
                "client_order_id": "run-2", "symbol": self.symbol, "side": "sell", "type": "limit",
                "quantity": 10.0, "filled_quantity": 0.0, "limit_price": 460.0,
                "stop_price": None, "status": "ACCEPTED", "is_unknown": True,
            }],
            "fills": [fill],
            "limits": [
                {"name": "max_open_orders", "symbol": "", "strategy": "", "used": 9, "limit": 10,
                 "share": 0.9},
                {"name": "max_position_notional", "symbol": "SPY", "strategy": "", "used": 4510.0,
                 "limit": 5000, "share": 0.902},
                {"name": "max_duplicates", "symbol": "", "strategy": f"Cross{self.symbol}",
                 "used": 1, "limit": 5, "share": 0.2},
            ],
            "ramp": 0.25,
            "strategies": [
                {"name": f"Cross{self.symbol}", "running": True, "stopped": "", "state": "ACTIVE",
                 "open_orders": 1, "market_value": 4510.0, "unrealized_pnl": 7.5,
                 "realized_pnl": -3.0},
                {"name": "Broken", "running": False, "stopped": f"raised {self.symbol}",
                 "state": "HALTED", "open_orders": 0, "market_value": 0.0, "unrealized_pnl": 0.0,
                 "realized_pnl": 0.0},
            ],
            "connections": [
                {"name": "trade_updates", "state": "up", "is_up": True, "since": T,
                 "reconnects": 2},
            ],
            "latency": [{"stage": "decode", "count": 3, "p50_us": 1.0, "p99_us": 2.0, "max_us": 2}],
            "symbols": [self.symbol],
            "equity": {"ts": [T + i * MINUTE for i in range(60)],
                       "equity": [100_000.0 + i * i for i in range(60)]},
        }  # fmt: skip

    def prices(self, symbol: str) -> dict[str, Any]:
        return {
            "symbol": symbol,
            "ts": [T + i * MINUTE for i in range(60)],
            "close": [450 + i % 7 for i in range(60)],
            "fills": [{"ts_event": T + 5 * MINUTE, "side": "buy", "price": 455, "quantity": 10},
                      {"ts_event": T + 9 * MINUTE, "side": "sell", "price": 452, "quantity": 5}],
        }  # fmt: skip

    def log_lines(self) -> Sequence[str]:
        return [f'{{"message":"{self.symbol}"}}']

    async def control(self, control: Request) -> dict[str, Any]:
        if control.symbol == "FAIL":
            raise PyrtError("nothing is held in FAIL", code="no_position")
        self.controls.append(control)
        return {"message": f"{control.action}: done"}
