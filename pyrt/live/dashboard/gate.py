"""The guard as ASGI middleware: what it refuses reaches no route."""

from __future__ import annotations

import html
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pyrt.live.dashboard.guard import BODY_MAX, HEADERS, Asked, Guard, Refusal
from pyrt.live.dashboard.static import static

LOGIN = "/login"


class Gate:
    """Stands before every route: host, origin, size, token, in this order.

    Parameters
    ----------
    app : ASGI application
    guard : Guard
    """

    def __init__(self, app: ASGIApp, guard: Guard) -> None:
        self._app = app
        self._guard = guard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, as ASGI asks."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] != "http":
            # No socket is served: a page that opens one is none of ours.
            await send({"type": "websocket.close", "code": 1008})
        else:
            await self._serve(scope, _Bounded(receive), _with_headers(send))

    async def _serve(self, scope: Scope, receive: _Bounded, send: Send) -> None:
        asked = asked_of(scope)
        refusal = self._guard.refuse_place(asked) or _too_large(asked)
        if refusal is None and (asked.method, scope["path"]) != ("POST", LOGIN):
            refusal = self._admit(asked, scope)
        if refusal is None:
            await self._app(scope, receive, send)
        elif refusal.code == "token" and (asked.method, scope["path"]) == ("GET", "/"):
            await login_page(refusal.status)(scope, receive, send)
        else:
            await refused(refusal)(scope, receive, send)

    def _admit(self, asked: Asked, scope: Scope) -> Refusal | None:
        allowed = self._guard.scope_of(asked)
        if allowed is None:
            return Refusal(401, "token", "a token is needed")
        scope.setdefault("state", {}).update(asked=asked, allowed=allowed)
        return None if asked.method in ("GET", "HEAD") else self._guard.refuse_change(asked)


class _Bounded:
    """A request's body that ends, as if the client had left, where it is too long."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._size = 0

    async def __call__(self) -> Message:
        message = await self._receive()
        self._size += len(message.get("body", b""))
        return message if self._size <= BODY_MAX else {"type": "http.disconnect"}


def asked_of(scope: Scope) -> Asked:
    """Return the parts of a request that decide who asks."""
    found: dict[str, list[str]] = {}
    for name, value in Headers(scope=scope).items():
        found.setdefault(name.lower(), []).append(value)
    return Asked(scope["method"], found)


def refused(refusal: Refusal) -> Response:
    """Return the answer to a request that goes no further."""
    body = {"code": refusal.code, "message": refusal.text}
    return JSONResponse(body, status_code=refusal.status)


def login_page(status: int, refusal: str = "") -> Response:
    """Return the page that asks for a token; it says why the one shown was refused."""
    # Its style is inside: who has no token is given no other file.
    page = static("login.html").replace(b"<!--style-->", static("style.css"))
    page = page.replace(b"<!--refusal-->", html.escape(refusal).encode())
    return Response(page, status, media_type="text/html")


def _too_large(asked: Asked) -> Refusal | None:
    length = asked.one("content-length") or "0"
    if "content-length" in asked.headers and not (length.isascii() and length.isdigit()):
        return Refusal(400, "size", "the length of the body is no number")
    if int(length) > BODY_MAX:
        return Refusal(413, "size", f"at most {BODY_MAX} bytes are read")
    return None


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers: Any = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers[name] = value
        await send(message)

    return sending
