"""One account at a simulation's exchange, as the network reaches it."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import numpy as np

from pyrt.adapters.alpaca.core.rest import HttpRequest
from pyrt.adapters.alpaca.simulator.core import Response
from tests.simulation.chances import REPLACING_FROM
from tests.simulation.exchange import CASH, MINUTE, exchange_of, opens_of, walk
from tests.simulation.ledger import OracleLedger


class Broker:
    """One account at the exchange; outlives the nodes that trade it."""

    def __init__(self, seed: int, *, symbols: tuple[str, ...], minutes: int) -> None:
        opens = opens_of(seed, minutes)
        self.bars = [walk(symbol, opens, seed) for symbol in symbols]
        self.symbols = symbols
        self.core = exchange_of(self.bars, seed)
        self._goes_on = seed >= REPLACING_FROM
        self.venue = self.core.desk.exchange.venue
        self.ledger = OracleLedger(Decimal(CASH))
        self.accepted: dict[str, int] = {}
        """Client order id → how many orders were placed under it."""
        self.on_the_way: dict[int, HttpRequest] = {}
        """Submits and replaces that will arrive, whether or not their senders believe it."""
        self._serial = 0
        self._is_touched = True
        self._due: int | None = None
        self.end = int(self.bars[0].ts_close[-1])

    def is_open(self, now: int) -> bool:
        """Return whether it has bars around this time."""
        bars = self.bars[0]
        at = int(np.searchsorted(bars.ts_open, now, side="right")) - 1
        return at < 0 or now < bars.ts_close[at] + MINUTE

    def run_to(self, ts: int) -> None:
        """Let the exchange's time pass: it may have something to tell by then."""
        while self.core.run(ts):
            continue
        if self._goes_on and self.core.next_instant() is None:
            # What is on its way ends after the last bar too.
            self.core.pass_to(ts)
        self._is_touched = True

    def next_due(self) -> int | None:
        """Return when something happens next if nobody asks for anything."""
        if self._is_touched:
            self._is_touched, self._due = False, self.core.next_instant()
        return self._due

    def is_due(self, now: int) -> bool:
        """Return whether it has been asked for something since `next_due`, or has to act."""
        return self._is_touched or (self._due is not None and self._due <= now)

    def request(self, method: str, path: str, body: bytes) -> Response:
        """Answer a request."""
        self._is_touched = True
        answer = self.core.request(method, path, body)
        if method == "POST" and path == "/v2/orders" and answer.status == 200:
            name = json.loads(body)["client_order_id"]
            self.accepted[name] = self.accepted.get(name, 0) + 1
        return answer

    def expect(self, request: HttpRequest) -> int:
        """Note that a request is on its way; returns its ticket."""
        self._serial += 1
        if request.method in ("POST", "PATCH"):
            self.on_the_way[self._serial] = request
        return self._serial

    def arrived(self, ticket: int, request: HttpRequest) -> Response:
        """Carry out a request that was on its way."""
        self.on_the_way.pop(ticket, None)
        return self.request(request.method, request.path, request.body)

    def take_updates(self) -> list[bytes]:
        """Return frames of order news; the ledger has read them first."""
        frames = self.core.take_trade_updates()
        for frame in frames:
            self.ledger.read(frame)
        return frames

    def get(self, path: str) -> Any:
        """Return what a GET answers, decoded."""
        answer = self.core.request("GET", path, b"")
        assert answer.status == 200, (path, answer)
        return json.loads(answer.body)

    def price(self, symbol: str, now: int) -> float:
        """Return the close of the last bar that has ended; 0.0 before the first has."""
        bars = self.bars[self.symbols.index(symbol)]
        at = int(np.searchsorted(bars.ts_close, now, side="right")) - 1
        return float(bars.close[at]) if at >= 0 else 0.0

    def positions(self) -> dict[str, Decimal]:
        """Return what the account holds, as the exchange states it."""
        return {row["symbol"]: Decimal(row["qty"]) for row in self.get("/v2/positions")}
