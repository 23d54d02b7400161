"""A simulator over a few hand-made minute bars inside a New York session."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np

from pyrt.adapters.alpaca.simulator.core import SimulatorCore
from pyrt.adapters.alpaca.simulator.session import make_core
from pyrt.data.columns import BarColumns
from tests.adapters.simulator import contract

MINUTE = 60_000_000_000
START = 1_381_152_600_000_000_000  # 2013-10-07 13:30 UTC, the open of a Monday
CLOSES = [100.0, 101.0, 102.0, 103.0, 104.0, 105.0, 104.0, 103.0]


def bars(symbol: str, closes: list[float], start: int = START) -> BarColumns:
    """Return minute bars through these closes; each opens where the last one closed."""
    close = np.array(closes)
    opens = np.concatenate((close[:1], close[:-1]))
    ts_open = start + MINUTE * np.arange(len(close))
    return BarColumns(
        symbol=symbol,
        timeframe="1m",
        timeframe_ns=MINUTE,
        ts_open=ts_open,
        ts_close=ts_open + MINUTE,
        ts_init=ts_open + MINUTE,
        open=opens,
        high=np.maximum(opens, close) + 0.25,
        low=np.minimum(opens, close) - 0.25,
        close=close,
        volume=np.full(len(close), 1000.0),
    )


class Bench:
    """A core, its clockwork, and JSON in and out."""

    def __init__(self, closes: list[float] | None = None, *, fees: str | None = None) -> None:
        flat = [bars("QQQ", [50.0] * 8), bars("BTC/USD", [20.0] * 8)]
        tables = [bars("SPY", closes or CLOSES), *flat]
        self.core: SimulatorCore = make_core(tables, fees=fees)
        self._instants = self.core.instants()
        self._opens_next = False
        self.step()

    def step(self, minutes: int = 1) -> None:
        """Let bars go by; the last one has ended, and the one after it has not opened yet.

        So what a test sends next meets that open, as an order sent from a bar's handler does.
        """
        until = self.core.now + minutes * MINUTE
        while self.core.now < until:
            if self._opens_next:
                next(self._instants)
            due = self.core.next_instant()
            if due is None or due > until:
                self._opens_next = False
                return
            next(self._instants)
            next(self._instants)
            self._opens_next = True

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        data = b"" if body is None else msgspec.json.encode(body)
        response = self.core.request(method, path, data)
        contract.check(method, path, response.status, response.body)
        return response.status, msgspec.json.decode(response.body) if response.body else None

    def buy(self, quantity: Any = 10, **terms: Any) -> dict[str, Any]:
        """Place an order that is taken, and return it."""
        order = {"symbol": "SPY", "side": "buy", "type": "market", "time_in_force": "day"}
        status, body = self.ask("POST", "/v2/orders", {**order, "qty": quantity, **terms})
        assert status == 200, body
        return dict(body)

    def order(self, order: dict[str, Any]) -> dict[str, Any]:
        """Return an order as it is now."""
        status, body = self.ask("GET", f"/v2/orders/{order['id']}")
        assert status == 200
        return dict(body)

    def events(self) -> list[tuple[str, str]]:
        """Return event and order id of every trade update since the last call."""
        frames = [msgspec.json.decode(f)["data"] for f in self.core.take_trade_updates()]
        return [(data["event"], data["order"]["id"]) for data in frames]
