"""The dashboard's gate: every route × every way to ask without the right to."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from pyrt.errors import ConfigError

testclient = pytest.importorskip("starlette.testclient")

# Imported once the extra is known to be there.
from starlette.websockets import WebSocketDisconnect  # noqa: E402

from pyrt.live.dashboard.app import make_app  # noqa: E402
from pyrt.live.dashboard.face import ACTIONS, request_of  # noqa: E402
from pyrt.live.dashboard.guard import (  # noqa: E402
    ATTEMPTS_MAX,
    BODY_MAX,
    COOKIE,
    SESSION_S,
    Guard,
    new_tokens,
)
from pyrt.live.process.control import Request  # noqa: E402

from .fakes import FakeFace, T  # noqa: E402

HOST = "127.0.0.1:8080"
ORIGIN = f"http://{HOST}"
KILL = '{"action":"halt"}'


class World:
    """A dashboard, its tokens, its clock, and a client that keeps no cookies by itself."""

    def __init__(self, face: FakeFace | None = None, *, cookie: str = COOKIE) -> None:
        self.face = face or FakeFace()
        self.read, self.control = new_tokens()
        self.seconds = 0.0
        self.guard = Guard(
            self.read,
            self.control,
            [HOST, "localhost:8080"],
            clock=lambda: self.seconds,
            cookie=cookie,
        )
        self.app = make_app(self.face, self.guard)
        self.client = testclient.TestClient(self.app, base_url=ORIGIN, follow_redirects=False)

    def bearer(self, token: str) -> dict[str, str]:
        return {"authorization": f"Bearer {token}"}

    def log_in(self, token: str) -> None:
        """Give the client the session of a token."""
        answer = self.client.post("/login", data={"token": token}, headers={"origin": ORIGIN})
        assert answer.status_code == 303

    def csrf(self) -> str:
        return str(self.client.get("/api/session").json()["csrf"])


@pytest.fixture
def world() -> World:
    return World()


def routes(world: World) -> list[tuple[str, str]]:
    """Every (method, path) that the application knows, but the one that takes tokens."""
    found = [
        (method, route.path)
        for route in world.app.routes
        for method in sorted(route.methods - {"HEAD"})
        if route.path != "/login"
    ]
    assert len(found) >= 15
    return found


def test_no_route_answers_without_a_right_token(world: World) -> None:
    headers = [
        {}, {"authorization": "Bearer "}, {"authorization": f"Bearer {world.read}x"},
        {"authorization": f"Basic {world.read}"}, {"authorization": world.read},
        {"cookie": "pyrt_session="}, {"cookie": "pyrt_session=guess"},
    ]  # fmt: skip
    for method, path in routes(world):
        for asked in headers:
            answer = world.client.request(method, path, headers=asked)
            assert answer.status_code == 401, (method, path, asked)
            assert "100250" not in answer.text


def test_an_unknown_route_says_nothing_without_a_token(world: World) -> None:
    assert world.client.get("/api/nothing").status_code == 401
    assert world.client.get("/api/nothing", headers=world.bearer(world.read)).status_code == 404


def test_a_session_ends(world: World) -> None:
    world.log_in(world.read)
    assert world.client.get("/api/state").status_code == 200
    world.seconds = SESSION_S + 1
    assert world.client.get("/api/state").status_code == 401


def test_logging_out_forgets_the_session(world: World) -> None:
    world.log_in(world.read)
    kept = dict(world.client.cookies)
    headers = {"x-csrf-token": world.csrf(), "origin": ORIGIN}
    assert world.client.post("/logout", headers=headers).status_code == 204
    world.client.cookies.update(kept)
    assert world.client.get("/api/state").status_code == 401


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8080", 200), ("localhost:8080", 200), ("LOCALHOST:8080", 200),
        ("127.0.0.1", 421), ("127.0.0.1:80", 421), ("localhost.:8080", 421),
        ("evil.test:8080", 421), ("127.0.0.1.evil.test:8080", 421), ("[::1]:8080", 421),
        ("0.0.0.0:8080", 421), ("127.1:8080", 421), ("", 421),
    ],
)  # fmt: skip
def test_only_this_machines_names_are_answered(world: World, host: str, status: int) -> None:
    headers = {**world.bearer(world.read), "host": host}
    assert world.client.get("/api/state", headers=headers).status_code == status


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.test"}, {"origin": "null"}, {"origin": "https://127.0.0.1:8080"},
        {"origin": "http://127.0.0.1:9"}, {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)  # fmt: skip
def test_requests_of_other_pages_are_refused(world: World, headers: dict[str, str]) -> None:
    world.log_in(world.control)
    csrf = {"x-csrf-token": world.csrf()}
    assert world.client.get("/api/state", headers=headers).status_code == 403
    answer = world.client.post("/api/control", headers={**csrf, **headers}, content=KILL)
    assert (answer.status_code, world.face.controls) == (403, [])


@pytest.mark.parametrize("given", [None, "", "guess", b"gu\xe9ss"])
def test_a_change_by_session_needs_its_own_token(world: World, given: str | bytes | None) -> None:
    world.log_in(world.control)
    csrf = {} if given is None else {"x-csrf-token": given}
    headers: dict[str, Any] = {"origin": ORIGIN, **csrf}
    answer = world.client.post("/api/control", headers=headers, content=KILL)
    assert (answer.status_code, answer.json()["code"]) == (403, "csrf")
    right = {"origin": ORIGIN, "x-csrf-token": world.csrf()}
    assert world.client.post("/api/control", headers=right, content=KILL).status_code == 200
    del right["origin"]
    assert world.client.post("/api/control", headers=right, content=KILL).status_code == 403


def test_no_get_changes_anything(world: World) -> None:
    for method, path in routes(world):
        if method == "GET":
            world.client.get(path, headers=world.bearer(world.control))
    answer = world.client.get("/api/control?action=halt", headers=world.bearer(world.control))
    assert (answer.status_code, world.face.controls) == (405, [])


def test_a_socket_is_not_served(world: World) -> None:
    headers = world.bearer(world.control)
    with pytest.raises(WebSocketDisconnect), world.client.websocket_connect("/", headers=headers):
        pytest.fail("a socket was opened")


def test_the_read_token_may_look_and_not_act(world: World) -> None:
    headers = world.bearer(world.read)
    assert world.client.get("/api/state", headers=headers).json()["mode"] == "paper"
    answer = world.client.post("/api/control", headers=headers, content=KILL)
    assert (answer.status_code, world.face.controls) == (403, [])


def test_wrong_tokens_are_slowed_down_and_lock_out_nobody_with_a_right_one(world: World) -> None:
    statuses = [
        world.client.post("/login", data={"token": "wrong"}).status_code
        for _ in range(ATTEMPTS_MAX + 1)
    ]
    assert statuses == [401] * ATTEMPTS_MAX + [429]
    assert world.client.post("/login", data={"token": world.read}).status_code == 303
    world.seconds = 61.0
    assert world.client.post("/login", data={"token": "wrong"}).status_code == 401


def test_sessions_of_two_nodes_of_a_host_do_not_end_one_another() -> None:
    """A browser sends a cookie to every port of the host that it is of."""
    one, other = World(cookie="pyrt_session_8765"), World(cookie="pyrt_session_8766")
    one.log_in(one.control)
    other.log_in(other.read)
    both = "; ".join(
        f"{name}={value}" for each in (one, other) for name, value in each.client.cookies.items()
    )
    for world, scope in ((one, "control"), (other, "read")):
        world.client.cookies.clear()
        answer = world.client.get("/api/session", headers={"cookie": both})
        assert answer.json()["scope"] == scope


def test_the_cookie_is_kept_from_scripts_and_other_sites(world: World) -> None:
    answer = world.client.post("/login", data={"token": world.read})
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert world.read.lower() not in cookie


def test_every_answer_forbids_what_does_not_come_from_here(world: World) -> None:
    for headers in ({}, world.bearer(world.read), {"host": "evil.test"}):
        answer = world.client.get("/", headers=headers)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "script-src 'self';" in policy
        assert "unsafe-eval" not in policy
        assert answer.headers["x-frame-options"] == "DENY"
        assert "<script>" not in answer.text
        assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("declared", [str(BODY_MAX + 1), str(2**30), "x", "-5"])
def test_a_body_too_large_is_refused_unread(world: World, declared: str) -> None:
    headers = {**world.bearer(world.control), "content-length": declared}
    answer = world.client.post("/api/control", headers=headers, content=b"{}")
    assert answer.status_code in (400, 413)


def test_a_body_that_hides_its_length_ends_where_it_is_too_long(world: World) -> None:
    def parts() -> Iterator[bytes]:
        for _ in range(100):
            yield b"x" * 10_000

    headers = world.bearer(world.control)
    answer = world.client.post("/api/control", headers=headers, content=parts())
    assert (answer.status_code, world.face.controls) == (413, [])


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"nope", b'{"action":"explode"}', b'{"action":["halt"]}', b'{"action":null}',
     b"[" * 10_000, b'{"action":"halt","actor":5}',
     b'{"action":"halt","symbol":"' + b"x" * 501 + b'"}'],
)  # fmt: skip
def test_a_body_of_another_form_is_named_and_nothing_is_done(world: World, content: bytes) -> None:
    answer = world.client.post("/api/control", headers=world.bearer(world.control), content=content)
    assert (answer.status_code, world.face.controls) == (400, [])


def asked(action: str, actor: str, reason: str, typed: str = "") -> Request:
    return Request(token="", action=action, actor=actor, reason=reason, typed=typed)


def test_halt_needs_the_token_alone(world: World) -> None:
    answer = world.client.post("/api/control", headers=world.bearer(world.control), content=KILL)
    assert (answer.status_code, answer.json()) == (200, {"message": "halt: done"})
    assert world.face.controls == [asked("halt", "dashboard", "halt pressed on the dashboard")]


WORDS = {"flatten": "FLATTEN", "resume": "RESUME", "reset_breaker": "RESET"}


@pytest.mark.parametrize("action", WORDS)
@pytest.mark.parametrize("missing", ["typed", "actor", "reason"])
def test_what_trades_needs_a_typed_word_an_actor_and_a_reason(action: str, missing: str) -> None:
    body = {"action": action, "typed": WORDS[action], "actor": "ann", "reason": "test"}
    assert request_of(body) == asked(action, "ann", "test", WORDS[action])
    for wrong in ("", " ", "no"):
        if wrong == "no" and missing != "typed":
            continue
        with pytest.raises(ConfigError):
            request_of({**body, missing: wrong})
    del body[missing]
    with pytest.raises(ConfigError):
        request_of(body)


def test_an_error_of_the_node_is_told(world: World) -> None:
    answer = world.client.post(
        "/api/control", headers=world.bearer(world.control),
        content='{"action":"cancel_all","symbol":"FAIL"}',
    )  # fmt: skip
    assert (answer.status_code, answer.json()["code"]) == (400, "no_position")


class Slow(FakeFace):
    """A face whose node does not answer before it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.came, self.answers = threading.Semaphore(0), threading.Event()

    async def control(self, control: Request) -> dict[str, Any]:
        if control.action != "halt":
            self.came.release()
            while not self.answers.is_set():
                await asyncio.sleep(0.001)
        return await super().control(control)


def test_what_waits_for_the_node_holds_neither_a_kill_nor_a_look_up() -> None:
    face = Slow()
    world = World(face)
    headers, body = world.bearer(world.control), '{"action":"cancel_all"}'
    with world.client as client, ThreadPoolExecutor() as pool:
        asked = [
            pool.submit(client.post, "/api/control", headers=headers, content=body)
            for _ in range(4)
        ]
        for _ in asked:
            assert face.came.acquire(timeout=20)
        assert client.post("/api/control", headers=headers, content=KILL).status_code == 200
        for path in ("/live", "/metrics", "/api/state"):
            assert client.get(path, headers=headers).status_code == 200
        assert [control.action for control in face.controls] == ["halt"]
        face.answers.set()
        assert {each.result(20).status_code for each in asked} == {200}


def test_every_action_is_carried_out(world: World) -> None:
    for action in ACTIONS:
        body = f'{{"action":"{action}","typed":"{WORDS.get(action, "")}","actor":"a","reason":"r"}}'
        answer = world.client.post(
            "/api/control", headers=world.bearer(world.control), content=body
        )
        assert answer.status_code == 200
    assert [control.action for control in world.face.controls] == list(ACTIONS)


def test_health_ready_and_live_answer_503_when_not(world: World) -> None:
    headers = world.bearer(world.read)

    def statuses() -> list[int]:
        paths = ("/health", "/ready", "/live")
        return [world.client.get(path, headers=headers).status_code for path in paths]

    health = world.face.health
    assert statuses() == [200, 503, 200]
    health.reached("reconciled")
    health.reached("warmed_up")
    assert statuses() == [200, 200, 200]
    health.report("journal", "failed", "disk full", now=T)
    assert statuses() == [503, 503, 200]
    health.report("journal", "ok", now=T)
    world.face.time = T + 6_000_000_000
    assert statuses() == [503, 200, 503]
    body = world.client.get("/health", headers=headers).json()
    assert body["last_exit"] == "stopped by SIGTERM"


def test_metrics_are_prometheus_text(world: World) -> None:
    world.face.metrics.count("rejects")
    answer = world.client.get("/metrics", headers=world.bearer(world.read))
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert "pyrt_rejects_total 1.0" in answer.text


@pytest.mark.parametrize(("read", "control"), [("short", "x" * 43), ("y" * 43, "y" * 43)])
def test_weak_or_equal_tokens_are_refused(read: str, control: str) -> None:
    with pytest.raises(ConfigError):
        Guard(read, control, [HOST])
