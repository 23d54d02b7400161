"""The dashboard's routes; the gate stands before all of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import msgspec
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from pyrt.errors import PyrtError
from pyrt.live.dashboard.face import NodeFace, request_of
from pyrt.live.dashboard.gate import LOGIN, Gate, login_page, refused
from pyrt.live.dashboard.guard import BODY_MAX, CONTROL, SESSION_S, Guard, Refusal
from pyrt.live.dashboard.static import FILES, KINDS, plotly, static
from pyrt.live.observe.metrics import CONTENT_TYPE, exposition

LOG_LINES_MAX = 200


def make_app(face: NodeFace, guard: Guard) -> Starlette:
    """Return the ASGI application that shows a node and takes its controls.

    Parameters
    ----------
    face : NodeFace
    guard : Guard
    """
    pages = Pages(face, guard)
    routes = [
        Route("/", lambda request: _file("index.html")),
        Route("/health", pages.health),
        Route("/ready", pages.ready),
        Route("/live", pages.live),
        Route("/metrics", pages.metrics),
        Route("/api/state", pages.state),
        Route("/api/prices", pages.prices),
        Route("/api/log", pages.log),
        Route("/api/session", pages.session),
        Route("/api/control", pages.control, methods=["POST"]),
        Route(LOGIN, pages.log_in, methods=["POST"]),
        Route("/logout", pages.log_out, methods=["POST"]),
        Route("/static/plotly.js", lambda request: Response(plotly(), media_type=KINDS["js"])),
        *(Route(f"/static/{name}", _serving(name)) for name in FILES),
    ]
    return Starlette(
        routes=routes,
        middleware=[Middleware(Gate, guard=guard)],
        exception_handlers={PyrtError: _explain, ClientDisconnect: _cut_off},
    )


class Pages:
    """What each route answers.

    Parameters
    ----------
    face : NodeFace
    guard : Guard
    """

    def __init__(self, face: NodeFace, guard: Guard) -> None:
        self._face = face
        self._guard = guard

    # -- sessions ------------------------------------------------------------------------------

    async def log_in(self, request: Request) -> Response:
        """Give a browser that shows a token its session."""
        form = parse_qs((await request.body()).decode("latin-1"))
        outcome = self._guard.log_in(form.get("token", [""])[0])
        if isinstance(outcome, Refusal):
            return login_page(outcome.status, outcome.text)
        answer = RedirectResponse("/", 303)
        answer.set_cookie(
            self._guard.cookie,
            outcome[0],
            max_age=int(SESSION_S),
            httponly=True,
            samesite="strict",
        )
        return answer

    async def log_out(self, request: Request) -> Response:
        """End the session."""
        self._guard.log_out(request.state.asked)
        answer = Response(status_code=204)
        answer.delete_cookie(self._guard.cookie, httponly=True, samesite="strict")
        return answer

    async def session(self, request: Request) -> Response:
        """Tell a page what it may do, and the token its changes carry."""
        csrf = self._guard.csrf_of(request.state.asked)
        return _json({"scope": request.state.allowed, "csrf": csrf})

    # -- eyes ----------------------------------------------------------------------------------

    async def health(self, request: Request) -> Response:
        """Tell how every part is; 503 when one failed or the loop stands still."""
        body = self._face.health.as_dict(self._face.now())
        return _json(body, 503 if body["status"] == "failed" or not body["live"] else 200)

    async def ready(self, request: Request) -> Response:
        """Tell whether the node is reconciled and warmed up."""
        ready = self._face.health.is_ready
        return _json({"ready": ready}, 200 if ready else 503)

    async def live(self, request: Request) -> Response:
        """Tell whether the trading loop turns."""
        live = self._face.health.is_live(self._face.now())
        return _json({"live": live}, 200 if live else 503)

    async def metrics(self, request: Request) -> Response:
        """Give all numbers to Prometheus."""
        return Response(exposition(self._face.metrics), headers={"content-type": CONTENT_TYPE})

    async def state(self, request: Request) -> Response:
        """Give what stood when the loop came round last, and what time it is by now."""
        return _json({**self._face.state(), "now": self._face.now()})

    async def prices(self, request: Request) -> Response:
        """Give one symbol's prices and our fills in it."""
        return _json(self._face.prices(request.query_params.get("symbol", "")))

    async def log(self, request: Request) -> Response:
        """Give the last lines of the log."""
        return _json(list(self._face.log_lines())[-LOG_LINES_MAX:])

    # -- hands ---------------------------------------------------------------------------------

    async def control(self, request: Request) -> Response:
        """Carry out what a person asks, if the token is one for it."""
        if request.state.allowed != CONTROL:
            return refused(Refusal(403, "scope", "this token may look, not act"))
        try:
            body = msgspec.json.decode(await request.body(), type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            return refused(Refusal(400, "body", f"not a JSON object: {error}"))
        return _json(await self._face.control(request_of(body)))


def _json(value: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, media_type="application/json")


def _file(name: str) -> Response:
    return Response(static(name), media_type=KINDS[name.rpartition(".")[2]])


def _serving(name: str) -> Callable[[Request], Response]:
    return lambda request: _file(name)


def _explain(request: Request, error: Exception) -> Response:
    return refused(Refusal(400, getattr(error, "code", "error"), str(error)))


def _cut_off(request: Request, error: Exception) -> Response:
    """Answer a body that is too long; who has left hears nothing."""
    return refused(Refusal(413, "size", f"at most {BODY_MAX} bytes are read"))
