"""Take one order through its life on a real paper account: `make paper-check`.

Needs APCA_API_KEY_ID and APCA_API_SECRET_KEY of a paper account (or --env-file) and skips without.
Places a limit order for one share far below the market, sees it taken on the trade-updates stream,
replaces it, cancels it, and compares account and orders with what they were before. Nothing can be
filled unless the market loses half of its value meanwhile. APCA_API_BASE_URL and APCA_API_DATA_URL
point somewhere else, such as at `pyrt simulator`.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import uuid4

from pyrt.adapters.alpaca.account.scripts import AlpacaAccount
from pyrt.adapters.alpaca.core.client import AlpacaClient
from pyrt.adapters.alpaca.core.events import Event
from pyrt.adapters.alpaca.credentials import Credentials, read_credentials
from pyrt.adapters.alpaca.shell.http import Http
from pyrt.adapters.alpaca.shell.sockets import Socket
from pyrt.core.accounts import Account
from pyrt.core.instruments import Instrument
from pyrt.core.orders import Order
from pyrt.errors import ConfigError
from pyrt.kernel.kernel import Kernel
from pyrt.live.config import PAPER_TRADING
from pyrt.risk.engine import RiskEngine
from pyrt.strategy.strategy import Strategy

PATIENCE_S = 30.0


class Life:
    """A client core with its shell, and the events that came."""

    def __init__(self, keys: Credentials, trading: str) -> None:
        self.prefix = f"check-{uuid4().hex[:12]}-"
        self.client = AlpacaClient(self.prefix, keys)
        self.http = Http({"trading": trading}, keys)
        url = trading.replace("http", "ws", 1).rstrip("/") + "/stream"
        self.socket = Socket(url, self.client.trade_updates, self.hear, lambda: None, time.time_ns)
        self.seen: list[Event] = []
        self.tasks: set[asyncio.Task[None]] = set()

    def hear(self, frame: bytes | str) -> None:
        """Take a frame of the stream."""
        self.seen.extend(self.client.receive_trade_update(frame, time.time_ns()))

    def spawn(self, work: Any) -> None:
        """Run something beside."""
        task = asyncio.ensure_future(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def send(self, request: Any) -> None:
        """Send a request and take its answer."""
        answer = await self.http.send(request)
        now = time.time_ns()
        self.seen.extend(
            self.client.receive_response(request, answer.status, answer.body, now, answer.headers)
        )

    async def until(self, what: str, met: Callable[[], bool]) -> None:
        """Let the client work until something is so."""
        async with asyncio.timeout(PATIENCE_S):
            while not met():
                now = time.time_ns()
                if self.client.trade_updates.wants_connection(now):
                    self.spawn(self.socket.serve())
                self.seen.extend(self.client.poll(now))
                for request in self.client.take_requests(now):
                    self.spawn(self.send(request))
                await self.socket.flush()
                await asyncio.sleep(0.02)
        print(f"ok: {what}")

    def has(self, kind: str) -> bool:
        """Return whether an answer of a kind has come."""
        return any(getattr(event, "kind", "") == kind for event in self.seen)

    async def close(self) -> None:
        """Close connections."""
        await self.socket.close()
        for task in tuple(self.tasks):
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await self.http.close()


class Placing(Strategy):
    """Places an order outside of a run."""


def limit_order(prefix: str, symbol: str, price: str) -> Order:
    """Return an order for one share, as a kernel makes it."""
    kernel = Kernel(Account(100_000), RiskEngine(), prefix=prefix, default_tif={"": "day"})
    kernel.add_instrument(Instrument(symbol))
    strategy = Placing()
    kernel.add_strategy(strategy)
    return strategy.buy(symbol, 1, limit_price=price)


async def check(keys: Credentials, symbol: str, trading: str, data: str) -> None:
    """Run the whole life; an assertion or a time-out says what was not as it should be."""
    settings = {"credentials": keys, "trading_url": trading, "data_url": data}
    async with AlpacaAccount(**settings) as account:
        before = await account.account()
        print(f"account {before['account_number']}: {before['status']}, equity {before['equity']}")
        last = Decimal(str((await account.latest_trade(symbol))["p"]))
        low, higher = (f"{(last / 2 + step).quantize(Decimal('0.01'))}" for step in (0, 1))
        life = Life(keys, trading)
        order = limit_order(life.prefix, symbol, low)
        try:
            await life.until(
                "the stream is authorized", lambda: life.client.trade_updates.is_active
            )
            life.client.submit(order)
            await life.until("the order is taken", lambda: life.has("accepted"))
            life.client.change(order, {"limit_price": higher})
            answered = ("modified", "modify_rejected")
            await life.until("a replace is answered", lambda: any(map(life.has, answered)))
            life.client.withdraw(order)
            await life.until("the order is canceled", lambda: life.has("canceled"))
        finally:
            await life.close()
        assert not any(o["client_order_id"].startswith(life.prefix) for o in await account.orders())
        after = await account.account()
        assert after["cash"] == before["cash"], "the cash has changed"
        print("ok: nothing is left open and no cash has moved")


def main(arguments: list[str]) -> int:
    """Run the check, or say why it is skipped."""
    parser = ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--env-file")
    parser.add_argument("--symbol", default="SPY")
    given = parser.parse_args(arguments)
    try:
        keys = read_credentials(env_file=given.env_file)
    except ConfigError as error:
        print(f"skipped: {error}")
        return 0
    if keys.is_live:
        print("refused: this is the key of a live account")
        return 2
    trading = os.environ.get("APCA_API_BASE_URL", PAPER_TRADING)
    data = os.environ.get("APCA_API_DATA_URL", "https://data.alpaca.markets")
    asyncio.run(check(keys, given.symbol, trading, data))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
