"""The simulator on sockets: an ASGI application, and a server for it. Needs `pyrt[ops]`."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
import time
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import msgspec

from pyrt.adapters.alpaca.simulator.core import SimulatorCore
from pyrt.adapters.alpaca.simulator.faults import CUT
from pyrt.adapters.alpaca.simulator.lockstep import Lockstep, Report
from pyrt.adapters.alpaca.simulator.protocol.http import Refused, Response, answer, bad
from pyrt.adapters.alpaca.simulator.protocol.limits import Limits, RateLimit
from pyrt.adapters.alpaca.simulator.protocol.router import read_body
from pyrt.adapters.alpaca.simulator.protocol.wires import instant, numbered_id
from pyrt.adapters.alpaca.simulator.server.clockwork import Clockwork
from pyrt.adapters.alpaca.simulator.server.lines import Lines
from pyrt.adapters.alpaca.simulator.server.memory import Memory
from pyrt.adapters.alpaca.simulator.server.sockets import DataHub, TradeHub
from pyrt.adapters.alpaca.simulator.server.traffic import Traffic
from pyrt.adapters.alpaca.simulator.streams.feeds import ERRORS
from pyrt.adapters.alpaca.simulator.trading.event_stream import EventFeed, read_window

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response as HttpResponse

STOCK_FEEDS = ("iex", "sip", "delayed_sip", "test")
COIN_FEEDS = ("us", "us-1", "us-2", "eu-1", "bs-1")
PATIENCE_S = 1.0
"""A client whose frames wait longer than this is slow, at any speed of the market."""
LOG = logging.getLogger("pyrt.simulator")
LOCKSTEP = frozenset({"advance", "quiet", "time", "forget"})
"""Controls that only move time; the record shows time itself."""
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
    limits : Limits, optional
        Requests a minute, connections, symbols; by default those of a basic account.
    text_frames : bool
        Whether trade updates go out as text, as Alpaca's live accounts get them.
    memory : Memory, optional
        Keeps what changes the core; what it knows already is done again first.
    record : str, optional
        A file that all traffic is written to.
    """

    def __init__(
        self,
        core: SimulatorCore,
        *,
        key: str = "PKSIMULATOR",
        secret: str = "simulator-secret",
        speed: float = 1.0,
        limits: Limits | None = None,
        text_frames: bool = False,
        memory: Memory | None = None,
        record: str | None = None,
    ) -> None:
        self.core = core
        self.faults = core.faults
        self.lines: Lines = Lines()
        self._keys = (key, secret)
        self._speed = speed
        own, box = limits or Limits(), self.faults
        self._limit = RateLimit(own.requests)
        self._trades = TradeHub(key, secret, own, box, text=text_frames)
        self._stocks = DataHub(key, secret, own, box, crypto=False)
        self._coins = DataHub(key, secret, own, box, crypto=True, snapshot=core.market.books_of)
        self.events = EventFeed(core.publisher)
        self.clockwork = Clockwork(core, speed, self.flush)
        phases = core.instants()
        self.lockstep = Lockstep(core, phases, self.flush, self._sent)
        self._served = 0
        """Requests so far: each answer has an id of its own, for support."""
        self._traffic = None if record is None else Traffic(record, secret)
        self._memory = memory
        if memory is not None:
            memory.restore(core, phases, self._repeat)
        for hub in (self._trades, self._stocks, self._coins):
            hub.watch, hub.cut = self._watch, self.lines.cut

    def urls(self, host: str, port: int, *, is_secure: bool = False) -> dict[str, str]:
        """Return the settings that a client needs."""
        schemes = ("https", "wss") if is_secure else ("http", "ws")
        web, socket = (f"{scheme}://{host}:{port}" for scheme in schemes)
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

        stocks = [WebSocketRoute(f"/v2/{feed}", self._stocks.serve) for feed in STOCK_FEEDS]
        coins = [
            WebSocketRoute(f"/v1beta3/crypto/{place}", self._coins.serve) for place in COIN_FEEDS
        ]
        return Starlette(
            routes=[
                WebSocketRoute("/stream", self._trades.serve),
                *stocks,
                *coins,
                Route("/v2/events/trades", self._listen, methods=["GET"]),
                Route("/control/{action}", self._control, methods=["GET", "POST"]),
                Route("/{path:path}", self._rest, methods=METHODS),
            ],
            lifespan=self._lifespan,
        )

    @contextlib.asynccontextmanager
    async def _lifespan(self, app: object) -> AsyncIterator[None]:
        clock = asyncio.ensure_future(self.clockwork.run()) if self._speed else None
        if clock is not None:
            clock.add_done_callback(_report_end)
        yield
        if clock is not None:
            clock.cancel()
        if self._memory is not None:
            self._memory.note_time(self.core, is_last=True)
            self._memory.close()
        if self._traffic is not None:
            self._traffic.close()

    def _watch(self, kind: str, path: str, data: bytes) -> None:
        """Write a frame that was sent or received, where traffic is written."""
        if self._traffic is not None:
            self._traffic.write(kind, self.core.now, path=path, data=data)

    def _repeat(self, kind: str, target: str, body: bytes) -> None:
        """Carry out an input of an earlier run."""
        if kind != "control":
            self.core.request(kind, target, body)
        elif target == "faults":
            self.faults.set(msgspec.json.decode(body))
        else:
            self.core.interventions.act(target, msgspec.json.decode(body))

    async def flush(self) -> None:
        """Hand over what the core has to say; wait only while clients have much to read."""
        updates = self.core.take_trade_updates()
        if updates or self.faults.faults.delay:
            self._trades.send(self.faults.events("trade_updates", updates))
        messages = self.core.take_messages()
        if messages or self.faults.faults.delay:
            kept = self.faults.events("market_data", messages)
            self._stocks.send(kept)
            self._coins.send(kept)
        self.core.fake.listen(self.core.now, is_heard=self._stocks.hears_test)
        self.lockstep.wake()
        self.events.wake()
        if self._memory is not None:
            # What clients were told of orders must not be undone by a kill.
            self._memory.note_time(self.core, is_last=bool(updates))
        if self._traffic is not None:
            self._traffic.flush()
        for hub in (self._trades, self._stocks, self._coins):
            await hub.has_room(PATIENCE_S)

    def _sent(self) -> dict[str, int]:
        return {**self._trades.sent, **self._stocks.sent, **self._coins.sent}

    # -- requests ------------------------------------------------------------------------------

    async def _rest(self, request: Request) -> HttpResponse:
        body = await request.body()
        self._served += 1
        name = {"x-request-id": numbered_id("request", self._served).replace("-", "")}
        response = self._respond(request, body)
        response = response if response is CUT else _with(response, name)
        self._record(request, body, response)
        await self.flush()
        if self.faults.is_late():
            await asyncio.sleep(self.faults.faults.slow_s)
        if response is CUT:
            self.lines.cut(request.client)
            # Written to a connection that is gone.
            return _http(answer({}, 503))
        return _http(response)

    def _record(self, request: Request, body: bytes, response: Response) -> None:
        """Write a request and its answer, where traffic is written."""
        if self._traffic is not None:
            url = f"{request.url.path}?{request.url.query}".rstrip("?")
            told = {"method": request.method, "path": url, "status": response.status}
            self._traffic.write("request", self.core.now, **told, body=body, answer=response.body)

    async def _listen(self, request: Request) -> HttpResponse:
        from starlette.responses import StreamingResponse

        if not self._knows(request):
            return _http(answer({"code": 40110000, "message": "request is not authorized"}, 401))
        try:
            window = read_window(dict(request.query_params))
        except Refused as error:
            return _http(answer(error.body, error.status))
        told = self._recorded(self.events.listen(window), request.url.path)
        return StreamingResponse(told, media_type="text/event-stream")

    async def _recorded(self, lines: AsyncIterator[bytes], path: str) -> AsyncIterator[bytes]:
        async for line in lines:
            self._watch("sent", path, line)
            yield line

    def _respond(self, request: Request, body: bytes) -> Response:
        if not self._knows(request):
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
            target = f"{path}?{query}"
            self.clockwork.catch_up()
            if self._memory is not None and request.method != "GET":
                self._memory.note(self.core, request.method, target, body)
            answered = self.core.request(request.method, target, body)
            if request.method == "GET":
                answered = self.faults.read(target, answered)
            response = self.faults.after(answered)
        return response if response is CUT else _with(response, headers)

    def _knows(self, request: Request) -> bool:
        given = request.headers
        keys = (given.get("apca-api-key-id"), given.get("apca-api-secret-key"))
        if keys == self._keys:
            return True
        if given.get("authorization") == f"Bearer {self._keys[1]}":
            return True
        return request.scope["path"].startswith("/v1beta3/crypto/") and keys == (None, None)

    # -- control -------------------------------------------------------------------------------

    async def _control(self, request: Request) -> HttpResponse:
        given, action = await request.body(), request.path_params["action"]
        try:
            response = await self._act(action, dict(read_body(given)))
        except Refused as error:
            response = answer(error.body, error.status)
        if action not in LOCKSTEP:
            self._record(request, given, response)
        return _http(response)

    async def _act(self, action: str, body: dict[str, Any]) -> Response:
        if action == "advance":
            return await self._advance(body)
        if action == "quiet":
            return await self._quiet(body)
        if action == "forget":
            self.lockstep.forget(str(body.get("client")))
            return answer({})
        if action == "faults":
            made = self.faults.set(body)
            self._note(action, body)
            self._freeze(made.half_open)
            return answer(dataclasses.asdict(made))
        if action == "time":
            return answer(self.lockstep.state)
        if action == "error":
            return answer({"clients": self._push_error(body)})
        done = self.core.interventions.act(action, body)
        if done is None:
            raise bad(f"no such control: {action}")
        self._note(action, body)
        await self.flush()
        return answer(done)

    def _note(self, action: str, body: dict[str, Any]) -> None:
        if self._memory is not None:
            self._memory.note(self.core, "control", action, msgspec.json.encode(body))

    async def _advance(self, body: dict[str, Any]) -> Response:
        """Move on by an instant, by some, or up to a time."""
        if self._speed:
            raise bad("time moves by itself: start with --speed lockstep")
        count, until = body.get("instants", 1), body.get("until")
        if not isinstance(count, int) or count < 1:
            raise bad(f"invalid instants: {count}")
        end = None if until is None else instant(str(until), "until", 0)
        more = True
        try:
            while more and (count > 0 if end is None else self._is_due(end)):
                more = await self.lockstep.advance()
                count -= 1
        except TimeoutError:
            return answer({"message": "a lockstep client is not quiet"}, 504)
        if self._memory is not None:
            self._memory.note_time(self.core, is_last=True)
        return answer({"ts": self.core.now, "done": not more})

    def _is_due(self, end: int) -> bool:
        due = self.core.next_instant()
        return due is None or due <= end

    def _push_error(self, body: dict[str, Any]) -> int:
        """Send any error of the market-data streams to the clients of a path."""
        code, path = body.get("code"), str(body.get("path", "/v2/iex"))
        if code not in ERRORS:
            raise bad(f"invalid code: {code}")
        return sum(hub.push_error(path, code) for hub in (self._stocks, self._coins))

    def _freeze(self, is_frozen: bool) -> None:
        self.lines.set(self.faults.faults)
        for hub in (self._trades, self._stocks, self._coins):
            for outlet in hub.outlets:
                outlet.is_frozen = is_frozen
                if is_frozen:
                    self.lines.freeze(outlet.socket.client)

    async def _quiet(self, body: dict[str, Any]) -> Response:
        report = _report(body)
        if not _outstanding(body):
            self.lockstep.quiet(body["client"], report)
            if body.get("wait"):
                await self.lockstep.wait(report)
        return answer(self.lockstep.state)


def _report_end(clock: asyncio.Future[None]) -> None:
    """Say why time has come to a stop, if it was not the end of the data."""
    with contextlib.suppress(asyncio.CancelledError):
        error = clock.exception()
        if error is not None:
            LOG.error("the simulator's time has stopped", exc_info=error)


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
