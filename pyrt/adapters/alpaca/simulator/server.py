"""The simulator on sockets: an ASGI application, and a server for it. Needs `pyrt[ops]`."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import time
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import msgspec

from pyrt.adapters.alpaca.simulator.clockwork import Clockwork
from pyrt.adapters.alpaca.simulator.core import SimulatorCore
from pyrt.adapters.alpaca.simulator.faults import FaultBox
from pyrt.adapters.alpaca.simulator.feeds import expand
from pyrt.adapters.alpaca.simulator.http import Refused, Response, answer, bad
from pyrt.adapters.alpaca.simulator.limits import RateLimit
from pyrt.adapters.alpaca.simulator.lockstep import Lockstep, Report
from pyrt.adapters.alpaca.simulator.router import read_body
from pyrt.adapters.alpaca.simulator.sockets import DataHub, TradeHub

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response as HttpResponse

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


class SimulatorServer:
    """Puts a core behind HTTP and websockets.

    Parameters
    ----------
    core : SimulatorCore
    key, secret : str
        What clients must show.
    speed : float
        Simulated seconds a second; 0 for lockstep.
    requests_per_minute : int
        Limit of the trading API.
    """

    def __init__(
        self,
        core: SimulatorCore,
        *,
        key: str = "PKSIMULATOR",
        secret: str = "simulator-secret",
        speed: float = 1.0,
        requests_per_minute: int = 200,
    ) -> None:
        self.core = core
        self.faults = FaultBox()
        self._keys = (key, secret)
        self._limit = RateLimit(requests_per_minute)
        self._speed = speed
        self._trades = TradeHub(key, secret)
        self._stocks = DataHub(key, secret, crypto=False)
        self._coins = DataHub(key, secret, crypto=True)
        phases = core.instants()
        self.clockwork = Clockwork(core, phases, speed, self.flush)
        self.lockstep = Lockstep(core, phases, self.flush, self._sent)

    def urls(self, host: str, port: int) -> dict[str, str]:
        """Return the settings that a client needs."""
        web, socket = f"http://{host}:{port}", f"ws://{host}:{port}"
        return {
            "rest_url": web,
            "data_url": web,
            "trading_stream_url": f"{socket}/stream",
            "stock_stream_url": f"{socket}/v2/iex",
            "crypto_stream_url": f"{socket}/v1beta3/crypto/us",
            "control_url": f"{web}/control",
            "key": self._keys[0],
            "secret": self._keys[1],
        }

    @property
    def is_heard(self) -> bool:
        """Whether clients listen on both the trade-updates and the stock stream."""
        return self._trades.is_heard and self._stocks.is_heard

    def app(self) -> Starlette:
        """Return the ASGI application."""
        from starlette.applications import Starlette
        from starlette.routing import Route, WebSocketRoute

        return Starlette(
            routes=[
                WebSocketRoute("/stream", self._trades.serve),
                WebSocketRoute("/v2/{feed:str}", self._stocks.serve),
                WebSocketRoute("/v1beta3/crypto/{feed:str}", self._coins.serve),
                Route("/control/{action}", self._control, methods=["GET", "POST"]),
                Route("/{path:path}", self._rest, methods=METHODS),
            ],
            lifespan=self._lifespan,
        )

    @contextlib.asynccontextmanager
    async def _lifespan(self, app: object) -> AsyncIterator[None]:
        clock = asyncio.ensure_future(self.clockwork.run()) if self._speed else None
        yield
        if clock is not None:
            clock.cancel()

    async def flush(self) -> None:
        """Send what the core has to say."""
        updates = self.faults.frames("trade_updates", self.core.take_trade_updates())
        await self._trades.send(updates)
        for frame in self.faults.frames("market_data", self.core.take_market_data()):
            messages = list(expand(msgspec.json.decode(frame), self.core.now))
            await self._stocks.send(messages)
            await self._coins.send(messages)
        self.lockstep.wake()

    def _sent(self) -> dict[str, int]:
        return {**self._trades.sent, **self._stocks.sent, **self._coins.sent}

    # -- requests ------------------------------------------------------------------------------

    async def _rest(self, request: Request) -> HttpResponse:
        response = self._respond(request, await request.body())
        await self.flush()
        return _http(response)

    def _respond(self, request: Request, body: bytes) -> Response:
        given = request.headers
        keys = (given.get("apca-api-key-id"), given.get("apca-api-secret-key"))
        is_open = request.scope["path"].startswith("/v1beta3/crypto/")
        if keys != self._keys and not (is_open and keys == (None, None)):
            return answer({"code": 40110000, "message": "request is not authorized"}, 401)
        # Where time stands still, minutes on the wall say nothing about a client's haste.
        passes, headers = self._limit.take(time.time() if self._speed else self.core.now / 1e9)
        if not passes:
            return _with(answer({"code": 42910000, "message": "rate limit exceeded"}, 429), headers)
        response = self.faults.before()
        if response is None:
            # The path as it was sent: a slash that is part of a symbol is still quoted.
            path = request.scope["raw_path"].decode("latin-1").partition("?")[0]
            query = request.scope["query_string"].decode("latin-1")
            answered = self.core.request(request.method, f"{path}?{query}", body)
            response = self.faults.after(answered)
        return _with(response, headers)

    # -- control -------------------------------------------------------------------------------

    async def _control(self, request: Request) -> HttpResponse:
        try:
            body = dict(read_body(await request.body()))
            return _http(await self._act(request.path_params["action"], body))
        except Refused as error:
            return _http(answer(error.body, error.status))

    async def _act(self, action: str, body: dict[str, Any]) -> Response:
        if action == "advance":
            try:
                more = await self.lockstep.advance()
            except TimeoutError:
                return answer({"message": "a lockstep client is not quiet"}, 504)
            return answer({"ts": self.core.now, "done": not more})
        if action == "quiet":
            return await self._quiet(body)
        if action == "forget":
            self.lockstep.forget(str(body.get("client")))
            return answer({})
        if action == "faults":
            return answer(dataclasses.asdict(self.faults.set(body)))
        if action == "time":
            return answer(self.lockstep.state)
        raise bad(f"no such control: {action}")

    async def _quiet(self, body: dict[str, Any]) -> Response:
        report = _report(body)
        if not _outstanding(body):
            self.lockstep.quiet(body["client"], report)
            if body.get("wait"):
                await self.lockstep.wait(report)
        return answer(self.lockstep.state)


def _report(body: dict[str, Any]) -> Report:
    """Read what a lockstep client says; refused if it makes no sense."""
    if not isinstance(body.get("client"), str):
        raise bad("client and ts are required")
    named = {name: body[name] for name in ("ts", "turn", "received", "next_timer") if name in body}
    try:
        return msgspec.convert(named, Report)
    except msgspec.ValidationError as error:
        raise bad(f"client and ts are required: {error}") from error


def _outstanding(body: dict[str, Any]) -> int:
    names = ("requests outstanding", "requests_outstanding", "outstanding")
    return next((int(body[name]) for name in names if name in body), 0)


def _with(response: Response, headers: dict[str, str]) -> Response:
    return Response(response.status, response.body, {**response.headers, **headers})


def _http(response: Response) -> HttpResponse:
    from starlette.responses import Response as HttpResponse

    headers = {"content-type": "application/json; charset=UTF-8", **response.headers}
    return HttpResponse(response.body, response.status, headers)
