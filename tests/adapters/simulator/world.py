"""A served simulator in lockstep, for tests over real sockets."""

from __future__ import annotations

import threading
import time
from typing import Any

import httpx

from pyrt.adapters.alpaca.simulator.protocol.limits import Limits
from pyrt.adapters.alpaca.simulator.server.app import SimulatorServer
from pyrt.adapters.alpaca.simulator.session import make_core
from tests.adapters.simulator import contract
from tests.adapters.simulator.exchange import CLOSES
from tests.minutes import minute_bars

MINUTE = 60_000_000_000


class World:
    """A lockstep simulator in a thread, and how to reach it.

    Every answer it gives is held against Alpaca's documents; `close` fails if one was wrong.
    """

    def __init__(
        self,
        tables: list[Any] | None = None,
        *,
        speed: float = 0,
        limits: Limits | None = None,
        shell: dict[str, Any] | None = None,
        **settings: Any,
    ) -> None:
        from pyrt.adapters.alpaca.simulator.server.serving import HOST, bind, make_runner

        if tables is None:
            tables = [minute_bars("SPY", CLOSES), minute_bars("BTC/USD", [20.0] * 8)]
        self.core = make_core(tables, **settings)
        self.wrong: list[str] = []
        self._check_answers()
        self.server = SimulatorServer(self.core, speed=speed, limits=limits, **(shell or {}))
        listener = bind(0)
        self.urls = self.server.urls(HOST, listener.getsockname()[1])
        self.runner = make_runner(self.server)
        self._thread = threading.Thread(target=self.runner.run, args=([listener],), daemon=True)
        self._thread.start()

    def _check_answers(self) -> None:
        ask = self.core.request

        def asked(method: str, path: str, body: bytes) -> Any:
            answer = ask(method, path, body)
            if all(contract.document(name) for name in contract.NAMES):
                self.wrong += contract.faults(method, path, answer.status, answer.body)
            return answer

        self.core.request = asked  # type: ignore[method-assign]

    @property
    def keys(self) -> tuple[str, str]:
        return self.urls["key"], self.urls["secret"]

    @property
    def headers(self) -> dict[str, str]:
        names = ("APCA-API-KEY-ID", "APCA-API-SECRET-KEY")
        return dict(zip(names, self.keys, strict=True))

    def get(self, path: str, **more: Any) -> httpx.Response:
        url = self.urls["rest_url"] + path
        return httpx.get(url, headers=self.headers, timeout=5, **more)

    def control(self, action: str, **body: Any) -> Any:
        return httpx.post(f"{self.urls['control_url']}/{action}", json=body).json()

    def advance(self, minutes: float = 1) -> None:
        until = self.core.now + int(minutes * MINUTE)
        while self.core.now < until:
            assert not self.control("advance")["done"]

    def close(self) -> None:
        self.runner.should_exit = self.runner.force_exit = True
        self._thread.join(10)
        assert self.wrong == []


def wait_for(condition: Any, seconds: float = 8) -> None:
    """Return when something has come true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "nothing came in time"
        time.sleep(0.02)
