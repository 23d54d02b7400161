"""A node and the served simulator over real sockets on this machine, in lockstep."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Any

import httpx

from pyrt import LiveNode, NodeConfig, Strategy
from pyrt.adapters.alpaca.core.account import AccountView
from pyrt.adapters.alpaca.credentials import Credentials
from pyrt.adapters.alpaca.simulator.core import SimulatorCore
from pyrt.adapters.alpaca.simulator.server.app import SimulatorServer
from pyrt.adapters.alpaca.simulator.server.serving import HOST, bind, make_runner
from tests import canary

PATIENCE_S = 30.0


class Served:
    """A simulator in lockstep on a free port of this machine."""

    def __init__(self, core: SimulatorCore, key: str = canary.KEY) -> None:
        self._server = SimulatorServer(core, key=key, secret=canary.SECRET, speed=0)
        self._listener = bind(0)
        self._runner = make_runner(self._server)
        self._thread = threading.Thread(
            target=self._runner.run, kwargs={"sockets": [self._listener]}, daemon=True
        )
        self.urls = self._server.urls(HOST, self._listener.getsockname()[1])
        self.keys = Credentials(self.urls["key"], self.urls["secret"])
        self._http = httpx.Client(base_url=self.urls["control_url"], timeout=PATIENCE_S)

    def __enter__(self) -> Served:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._http.close()
        self._runner.should_exit = self._runner.force_exit = True
        self._thread.join(timeout=10)

    def config(self, symbols: Sequence[str], **changes: Any) -> NodeConfig:
        return NodeConfig(
            symbols=tuple(symbols),
            trading_url=self.urls["rest_url"],
            data_url=self.urls["data_url"],
            stream_url=self.urls["trading_stream_url"],
            data_stream_url=self.urls["stock_stream_url"],
            clock="simulator",
            **changes,
        )

    def control(self, action: str, **body: Any) -> dict[str, Any]:
        answer = self._http.post(f"/{action}", json=body)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def minutes(self, count: int) -> None:
        """Let time go by."""
        until = self.control("time")["ts"] + count * 60_000_000_000
        while self.control("time")["ts"] < until:
            assert self.advance()

    def advance(self) -> bool:
        return not self.control("advance")["done"]


class Run:
    """A node in a thread of its own, and what became of it."""

    def __init__(self, served: Served, node: LiveNode) -> None:
        self._served = served
        self.node = node
        self.account: AccountView | None = None
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        try:
            self.account = self.node.run()
        except BaseException as error:
            self.error = error

    def to_the_end(self) -> None:
        """Start the node, wait until time waits for it, and let all instants go by."""
        self._thread.start()
        while not self._served.control("time")["clients"]:
            if self.error is not None:
                raise self.error
        while self._served.advance():
            pass
        self._thread.join(timeout=PATIENCE_S)
        if self.error is not None:
            raise self.error
        assert not self._thread.is_alive()


def run_on_the_wire(
    core: SimulatorCore, strategies: Sequence[Strategy], symbols: Sequence[str], **settings: Any
) -> Run:
    """Run strategies against a served simulator in lockstep, to the end of its data."""
    with Served(core) as served:
        node = LiveNode(served.config(symbols, **settings), served.keys)
        for strategy in strategies:
            node.add_strategy(strategy)
        run = Run(served, node)
        run.to_the_end()
        return run
