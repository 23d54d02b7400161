"""A simulator over a few hand-made minute bars inside a New York session."""

from __future__ import annotations

from typing import Any

import msgspec

from pyrt.adapters.alpaca.simulator.core import SimulatorCore
from pyrt.adapters.alpaca.simulator.session import make_core
from tests.adapters.simulator import contract
from tests.minutes import MINUTE, minute_bars

CLOSES = [100.0, 101.0, 102.0, 103.0, 104.0, 105.0, 104.0, 103.0]


class Bench:
    """A core, its clockwork, and JSON in and out."""

    def __init__(self, closes: list[float] | None = None, *, fees: str | None = None) -> None:
        flat = [minute_bars("QQQ", [50.0] * 8), minute_bars("BTC/USD", [20.0] * 8)]
        tables = [minute_bars("SPY", closes or CLOSES), *flat]
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
