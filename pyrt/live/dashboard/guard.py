"""Who may ask the dashboard, and from where: decided before any route is looked at."""

from __future__ import annotations

import secrets
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from hmac import compare_digest

from pyrt.errors import ConfigError

READ, CONTROL = "read", "control"
COOKIE = "pyrt_session"
"""With the port behind it: a browser keeps cookies by host, and a host may have several nodes."""
CSRF_HEADER = "x-csrf-token"
BODY_MAX = 64 * 1024
SESSION_S = 12 * 3_600.0
ATTEMPTS_MAX, ATTEMPTS_S = 10, 60.0
TOKEN_MIN = 22
"""Characters of URL-safe base64 that hold 128 bits."""

HEADERS = {
    "content-security-policy": (
        "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; connect-src 'self'; object-src 'none'; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
"""Sent with every answer. Inline styles are let in: the chart library places its marks by them."""


@dataclass(frozen=True)
class Asked:
    """The parts of a request that decide who asks.

    Attributes
    ----------
    method : str
    headers : dict of str to list of str
        Names in lower case; every value of a name.
    """

    method: str
    headers: dict[str, list[str]]

    def one(self, name: str) -> str | None:
        """Return the only value of a header; None where there is none or more than one."""
        values = self.headers.get(name, [])
        return values[0] if len(values) == 1 else None


@dataclass(frozen=True)
class Refusal:
    """Why a request goes no further."""

    status: int
    code: str
    text: str


@dataclass
class Session:
    """A browser that has shown a token."""

    scope: str
    ends: float
    csrf: str = field(default_factory=lambda: secrets.token_urlsafe(32))


class Guard:
    """Tokens, sessions, hosts and origins.

    Parameters
    ----------
    read_token, control_token : str
        At least 128 bits each, in URL-safe base64; different ones.
    hosts : iterable of str
        Values of the Host header that are answered, such as ``127.0.0.1:8080``.
    clock : callable
        Seconds that only go forward.
    cookie : str
        The name of the cookie that a session is kept in.

    Raises
    ------
    ConfigError
        If a token is short, or one token would give both scopes.
    """

    def __init__(
        self,
        read_token: str,
        control_token: str,
        hosts: Iterable[str],
        *,
        clock: Callable[[], float] = time.monotonic,
        cookie: str = COOKIE,
    ) -> None:
        for token in (read_token, control_token):
            if len(token) < TOKEN_MIN:
                raise ConfigError(
                    f"a dashboard token of {len(token)} characters is too short",
                    remedy="Use secrets.token_urlsafe(32)",
                )
        if compare_digest(read_token, control_token):
            raise ConfigError("the read token and the control token are the same")
        self._tokens = ((control_token.encode(), CONTROL), (read_token.encode(), READ))
        self._hosts = frozenset(host.lower() for host in hosts)
        self._origins = frozenset(f"http://{host}" for host in self._hosts)
        self._sessions: dict[str, Session] = {}
        self._attempts: deque[float] = deque(maxlen=ATTEMPTS_MAX)
        self._clock = clock
        self.cookie = cookie

    def refuse_place(self, asked: Asked) -> Refusal | None:
        """Refuse a request that names another host or comes from another page."""
        host = asked.one("host")
        if host is None or host.lower() not in self._hosts:
            return Refusal(421, "host", "this server does not answer for that host")
        origin = asked.headers.get("origin")
        if origin is not None and (len(origin) != 1 or origin[0].lower() not in self._origins):
            return Refusal(403, "origin", "requests of other pages are refused")
        site = asked.one("sec-fetch-site")
        if site not in (None, "same-origin", "none"):
            return Refusal(403, "origin", "requests of other pages are refused")
        return None

    def scope_of(self, asked: Asked) -> str | None:
        """Return the scope that a request's token or session has; None without one."""
        authorization = asked.one("authorization")
        if authorization is not None:
            kind, _, token = authorization.partition(" ")
            return self.scope_of_token(token.strip()) if kind.lower() == "bearer" else None
        session = self._session(asked)
        return None if session is None else session.scope

    def scope_of_token(self, token: str) -> str | None:
        """Return the scope of a token; each is compared in constant time."""
        found = None
        for known, scope in self._tokens:
            if compare_digest(token.encode(), known):
                found = scope
        return found

    def refuse_change(self, asked: Asked) -> Refusal | None:
        """Refuse a change that a page of another origin could have sent with our cookie."""
        if asked.one("authorization") is not None:
            return None  # a browser adds no bearer token by itself
        session = self._session(asked)
        given = (asked.one(CSRF_HEADER) or "").encode()
        if session is None or not compare_digest(given, session.csrf.encode()):
            return Refusal(403, "csrf", "the request does not carry the session's token")
        if asked.headers.get("origin") is None:
            return Refusal(403, "origin", "a change by session says where it comes from")
        return None

    def log_in(self, token: str) -> tuple[str, Session] | Refusal:
        """Return (cookie value, session) for a right token; a refusal else."""
        now = self._clock()
        scope = self.scope_of_token(token)
        if scope is None:
            # Nobody's wrong tokens lock anybody out who has the right one.
            if len(self._attempts) == ATTEMPTS_MAX and now - self._attempts[0] < ATTEMPTS_S:
                return Refusal(429, "attempts", "too many wrong tokens; wait a minute")
            self._attempts.append(now)
            return Refusal(401, "token", "that is not a token of this node")
        self._sessions = {key: s for key, s in self._sessions.items() if s.ends > now}
        key = secrets.token_urlsafe(32)
        session = self._sessions[key] = Session(scope, now + SESSION_S)
        return key, session

    def log_out(self, asked: Asked) -> None:
        """Forget the session of a request."""
        self._sessions.pop(self._key(asked), None)

    def csrf_of(self, asked: Asked) -> str:
        """Return the token that changes of this session carry; "" without a session."""
        session = self._session(asked)
        return "" if session is None else session.csrf

    def _session(self, asked: Asked) -> Session | None:
        session = self._sessions.get(self._key(asked))
        return session if session is not None and session.ends > self._clock() else None

    def _key(self, asked: Asked) -> str:
        for part in (asked.one("cookie") or "").split(";"):
            name, _, value = part.strip().partition("=")
            if name == self.cookie:
                return value
        return ""


def new_tokens() -> tuple[str, str]:
    """Return a (read, control) pair of 256 bits each."""
    return secrets.token_urlsafe(32), secrets.token_urlsafe(32)
