"""A served exchange for scripts: another client's orders at it, and the script's account."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from pyrt import AlpacaAccount
from pyrt.adapters.alpaca.simulator.session import make_core
from tests.adapters.simulator.exchange import CLOSES
from tests.live.wire import Served
from tests.minutes import minute_bars

NUMBER = "PA0000000"


class Bench:
    """A served exchange, orders placed by another client, and a script's account."""

    def __init__(self, served: Served, folder: Any) -> None:
        self.served = served
        self.folder = folder
        headers = served.keys.headers()
        self.other = httpx.Client(base_url=served.urls["rest_url"], headers=headers)
        served.minutes(1)

    def buy(self, quantity: int = 10, **terms: Any) -> dict[str, Any]:
        order = {"symbol": "SPY", "side": "buy", "type": "market", "time_in_force": "day"}
        answer = self.other.post("/v2/orders", json={**order, "qty": quantity, **terms})
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def bracket(self) -> None:
        """Hold ten shares with both exits at work."""
        exits = {"take_profit": {"limit_price": "500"}, "stop_loss": {"stop_price": "50"}}
        self.buy(10, order_class="bracket", **exits)
        self.served.minutes(1)

    def account(self, **settings: Any) -> AlpacaAccount:
        urls = self.served.urls
        named = {"trading_url": urls["rest_url"], "data_url": urls["data_url"]}
        return AlpacaAccount(
            credentials=self.served.keys, state_dir=self.folder, **{**named, **settings}
        )

    def run(self, ask: Any, **settings: Any) -> Any:
        async def inside() -> Any:
            async with self.account(**settings) as account:
                return await ask(account)

        return asyncio.run(inside())


def opened(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """Serve an exchange while a test runs."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    with Served(make_core([minute_bars("SPY", CLOSES)])) as served:
        made = Bench(served, folder / "state")
        yield made
        made.other.close()
