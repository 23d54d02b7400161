"""A node with its page, logs, metrics and links, against a served exchange, as operators do."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from pyrt.core.data import Signal
from pyrt.errors import ConfigError
from pyrt.live.config import NodeConfig
from pyrt.live.observe.redaction import Redactor
from pyrt.live.observe.senders import Email, Webhook
from pyrt.live.observe.targets import AlertTarget, make_senders
from pyrt.live.process.control import ask
from pyrt.live.process.heartbeat import NODE_BEAT, WATCHDOG_BEAT, read_beat, write_beat
from tests.live.programs import PYRT, Exchange, Program

pytest.importorskip("uvicorn")
pytest.importorskip("zmq")

from pyrt.links import SignalSender, Subscriber


class Page:
    """The dashboard as a script sees it."""

    def __init__(self, state: Path) -> None:
        path, limit = state / "dashboard.tokens", time.monotonic() + 60
        while not path.exists():
            assert time.monotonic() < limit, "there is no dashboard"
            time.sleep(0.05)
        lines = path.read_text().splitlines()
        self.values = dict(line.split("=", 1) for line in lines)
        self.http = httpx.Client(base_url=self.values["url"], timeout=20)

    def get(self, path: str, token: str = "read") -> httpx.Response:
        return self.http.get(path, headers={"authorization": f"Bearer {self.values[token]}"})

    def act(self, **body: Any) -> httpx.Response:
        headers = {"authorization": f"Bearer {self.values['control']}"}
        return self.http.post("/api/control", headers=headers, json=body)

    def until(self, condition: Any, seconds: float = 60.0) -> dict[str, Any]:
        """Return the first state that meets a condition."""
        limit = time.monotonic() + seconds
        while True:
            state = self.get("/api/state").json()
            if condition(state):
                return dict(state)
            assert time.monotonic() < limit, state
            time.sleep(0.2)


def test_an_operator_sees_and_stops_a_node(tmp_path: Path) -> None:
    feed, signals = f"ipc://{tmp_path}/feed", f"ipc://{tmp_path}/signals"
    exchange = Exchange(tmp_path, speed="120x")
    program = Program(
        tmp_path, exchange, dashboard=True, dashboard_port=0, publish=feed, signals=signals
    )
    try:
        with Subscriber(feed, topics=["order.*", "data.bars.*", "system.*"]) as reader:
            program.start()
            page = Page(program.state)
            state = page.until(lambda s: s["fills"] and s["ready"])
            assert {c["name"]: c["is_up"] for c in state["connections"]} == {
                "trade_updates": True, "stocks": True,
            }  # fmt: skip
            account = exchange.get("/v2/account")["account_number"]
            assert state["account_masked"] == f"…{account[-4:]}"
            assert page.get("/health").json()["status"] == "ok"
            assert page.get("/ready").status_code == 200
            metrics = page.get("/metrics").text
            assert 'pyrt_stage_latency_seconds_count{stage="decode"}' in metrics
            assert 'pyrt_order_events_total{outcome="accepted"}' in metrics
            messages = [reader.receive(5.0) for _ in range(30)]
            topics = {message.topic for message in messages if message}
            assert "data.bars.SPY.1m" in topics
            assert any(topic.startswith("order.") for topic in topics)
        with SignalSender(signals) as sender:
            assert sender.send(Signal("SPY", "buy", 1.0, 1.0, time.time_ns()))

        assert page.act(action="halt").status_code == 200
        state = page.until(lambda s: s["trading_state"] == "HALTED")
        assert not exchange.get("/v2/orders", status="open")
        assert page.act(action="resume").json()["code"] == "confirmation"
        done = page.act(action="resume", typed="RESUME", actor="ann", reason="looked at it")
        assert done.status_code == 200, done.text
        page.until(lambda s: s["trading_state"] == "ACTIVE")
        done = page.act(action="flatten", typed="FLATTEN", actor="ann", reason="lunch")
        assert done.status_code == 200, done.text
        # A fill may still have been on its way: flattening is over when everything is halted.
        page.until(lambda s: s["trading_state"] == "HALTED" and not s["positions"])
        assert exchange.get("/v2/positions") == []
        assert program.kill(15) == 0
    finally:
        if program.process is not None and program.process.poll() is None:
            program.kill()
        exchange.close()
    log = (program.state / "logs" / "pyrt.log").read_text()
    rows = [json.loads(line) for line in log.splitlines()]
    assert any("filled" in row["message"] and row.get("trace") for row in rows)
    everything = log + (tmp_path / "out.txt").read_text() + (tmp_path / "err.txt").read_text()
    assert exchange.urls["secret"] not in everything
    assert exchange.urls["key"] not in log
    assert account not in log
    assert (program.state / "last-exit").read_text() == "SIGTERM"


def test_alert_targets_take_their_secrets_from_the_environment() -> None:
    redactor = Redactor()
    targets = [
        AlertTarget(form="slack", url_env="HOOK"),
        AlertTarget(form="email", host="mail.test", sender="a@x", recipients=("b@x",),
                    user="u", password_env="PASSWORD"),
    ]  # fmt: skip
    environment = {"HOOK": "https://hooks.test/T0/secret-part", "PASSWORD": "hunter22"}
    hook, mail = make_senders(targets, redactor, environment)
    assert isinstance(hook, Webhook)
    assert isinstance(mail, Email)
    assert "secret-part" not in redactor.redact("posted to https://hooks.test/T0/secret-part")
    assert "secret-part" not in redactor.redact('"POST /T0/secret-part HTTP/1.1" 404')
    assert "hunter22" not in redactor.redact("with hunter22")
    with pytest.raises(ConfigError, match="HOOK"):
        make_senders(targets, redactor, {})


def test_settings_name_targets_by_tables(tmp_path: Path) -> None:
    path = tmp_path / "node.toml"
    path.write_text('symbols = ["SPY"]\n[[alerts]]\nform = "slack"\nurl_env = "HOOK"\n')
    assert NodeConfig.from_toml(path).alerts == (AlertTarget(form="slack", url_env="HOOK"),)
    path.write_text('symbols = ["SPY"]\n[[alerts]]\nform = "slack"\nurl = "https://x"\n')
    with pytest.raises(ConfigError, match="url"):
        NodeConfig.from_toml(path)


# -- what is named is there ------------------------------------------------------------------------

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
NAME = re.compile(r"\bpyrt_[a-z_]+")
BY_EVENT = {"pyrt_denials_total"}
"""Labeled by what happens: they are there once something has."""


def named_metrics() -> set[str]:
    """Return what the rules, the panels and the page of documentation name."""
    files = ["deploy/grafana/dashboard.json", "deploy/prometheus/alerts.yml"]
    files.append("docs/observability.md")
    texts = [(DEPLOY.parent / name).read_text("utf-8") for name in files]
    found = {name for text in texts for name in NAME.findall(text)}
    return {re.sub("_(bucket|sum|count)$", "", name) for name in found} - {"pyrt_live"}


def test_every_metric_that_is_named_is_on_a_running_node(tmp_path: Path) -> None:
    exchange = Exchange(tmp_path, speed="120x")
    program = Program(tmp_path, exchange, dashboard=True, dashboard_port=0, watchdog=True)
    names = ("max_order_notional", "max_position_notional", "max_gross_exposure")
    names += ("max_daily_loss", "max_open_orders", "max_orders_per_minute")
    lines = ["[limits]", *(f"{name} = 50000" for name in names), "price_collar_bps = 500"]
    with (tmp_path / "node.toml").open("a") as settings:
        settings.write("\n".join([*lines, 'stale_data_after = "90s"', ""]))
    try:
        program.start()
        page = Page(program.state)
        page.until(lambda s: s["fills"] and s["positions"])
        program.run_more("control", str(program.state), "reduce", "--reason", "a look")
        page.until(lambda s: s["trading_state"] == "REDUCING")
        time.sleep(2.5)
        text = page.get("/metrics").text
        rows = {
            (found[1], found[2] or ""): float(found[3])
            for found in re.finditer(r"^(pyrt_\w+)(\{[^}]*})? (\S+)$", text, re.MULTILINE)
        }
        there = {re.sub("_(bucket|sum|count)$", "", name) for name, _ in rows}
        assert named_metrics() - BY_EVENT <= there
        assert rows["pyrt_watchdog_up", ""] == 1
        assert rows["pyrt_ready", ""] == 1
        assert rows["pyrt_trading_state", ""] == 1
        assert rows["pyrt_alarms_total", '{code="restricted"}'] == 1
        assert rows["pyrt_alarms_total", '{code="unguarded"}'] == 0
        assert rows["pyrt_exceptions_total", '{strategy="Swing"}'] == 0
        # One may have been on its way out when only reducing was allowed.
        assert rows["pyrt_rejects_total", ""] <= 1
        assert rows["pyrt_reconnects_total", '{stream="stocks"}'] == 0
        assert rows["pyrt_messages_total", '{stream="stocks"}'] > 5
        assert 0 < rows["pyrt_connection_uptime_seconds", '{stream="stocks"}'] < 120
        assert 0 <= rows["pyrt_journal_lag_seconds", ""] < 60
        assert 20e6 < rows["pyrt_resident_memory_bytes", ""] < 2e9
        assert rows["pyrt_equity", '{currency="USD"}'] == pytest.approx(100_000, rel=0.01)
        assert page.get("/health").json()["components"]["watchdog"]["status"] == "ok"
    finally:
        if program.process is not None and program.process.poll() is None:
            program.kill(15)
        exchange.close()


class Hook(BaseHTTPRequestHandler):
    """Where a node's alerts arrive."""

    got: list[dict[str, Any]] = []

    def do_POST(self) -> None:
        self.got.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Stay silent."""


@pytest.fixture
def hook() -> Iterator[str]:
    Hook.got = []
    server = HTTPServer(("127.0.0.1", 0), Hook)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/hook"
    server.shutdown()
    thread.join()
    server.server_close()


def codes() -> list[str]:
    return [alert["code"] for alert in Hook.got]


def with_alerts(program: Program, hook: str) -> Program:
    path = program.folder / "node.toml"
    path.write_text(path.read_text() + '[[alerts]]\nform = "json"\nurl_env = "HOOK"\n')
    program.environment["HOOK"] = hook
    return program


def test_what_is_wrong_before_the_start_is_over_reaches_a_person(tmp_path: Path, hook: str) -> None:
    exchange = Exchange(tmp_path, speed="120x")
    program = with_alerts(Program(tmp_path, exchange), hook)
    try:
        order = {"symbol": "SPY", "qty": "3", "side": "buy", "type": "market"}
        exchange.post("/v2/orders", {**order, "time_in_force": "day"})
        until = time.monotonic() + 20
        while not exchange.get("/v2/positions"):
            assert time.monotonic() < until, "the order does not fill"
            time.sleep(0.1)
        program.start()
        assert program.kill(15) == 0
        assert codes().count("heartbeat") == 1
        assert codes().count("position_mismatch") == 1
        program.start()
        assert program.kill(9) == -9
        assert codes().count("heartbeat") == 1, "one a day, however often a node is started"
        assert (program.state / "last-exit").read_text() == "it died"
    finally:
        if program.process is not None and program.process.poll() is None:
            program.kill()
        exchange.close()


def test_a_start_that_fails_is_seen_and_told(tmp_path: Path, hook: str) -> None:
    exchange = Exchange(tmp_path, speed="120x")
    program = with_alerts(Program(tmp_path, exchange, dashboard=True, dashboard_port=0), hook)
    exchange.close()
    with (tmp_path / "err.txt").open("a") as errors:
        node = subprocess.Popen([*PYRT, *program.arguments], stderr=errors, env=program.environment)
    try:
        page = Page(program.state)
        assert page.get("/live").status_code == 200
        assert page.get("/ready").status_code == 503
        body = page.get("/health").json()
        assert body["waiting_for"] == ["reconciled", "warmed_up"]
        assert page.get("/api/state").json()["trading_state"] == "STARTING"
        assert b"pyrt_ready 0.0" in page.get("/metrics").content
        refused = page.act(action="flatten", typed="FLATTEN", actor="ann", reason="x").json()
        assert refused["code"] == "not_running"
        until = time.monotonic() + 20
        while "look_failed" not in codes():
            assert time.monotonic() < until, codes()
            time.sleep(0.1)
        assert node.wait(timeout=60) == 1
    finally:
        if node.poll() is None:
            node.kill()
            node.wait()
    assert "node_failed" in codes()
    assert "does not answer" in (program.state / "last-exit").read_text()


KEYRING = """
def get_password(service, name):
    return KEYS.get(name) if service == "pyrt-test" else None
"""


def test_a_watchdog_with_keys_of_the_keyring_tells_of_a_dead_node(
    tmp_path: Path, hook: str
) -> None:
    exchange = Exchange(tmp_path, speed="120x")
    program = with_alerts(Program(tmp_path, exchange, keyring="pyrt-test"), hook)
    keys = {
        name: program.environment.pop(name) for name in ("APCA_API_KEY_ID", "APCA_API_SECRET_KEY")
    }
    (tmp_path / "keyring.py").write_text(f"KEYS = {keys!r}\n{KEYRING}")
    program.environment["PYTHONPATH"] = str(tmp_path)
    command = ["watchdog", "--config", str(tmp_path / "node.toml"), "--silence", "1.5"]
    with (tmp_path / "watchdog.txt").open("w") as errors:
        watchdog = subprocess.Popen([*PYRT, *command], env=program.environment, stderr=errors)
    try:
        program.start()
        order = {"symbol": "SPY", "qty": "3", "side": "buy", "type": "limit", "limit_price": "10"}
        exchange.post("/v2/orders", {**order, "time_in_force": "gtc"})
        assert program.kill(9) == -9
        until = time.monotonic() + 30
        while codes().count("node_silent") < 2:
            assert time.monotonic() < until, (codes(), (tmp_path / "watchdog.txt").read_text())
            time.sleep(0.05)
        assert exchange.get("/v2/orders", status="open") == []
        first, last = (alert for alert in Hook.got if alert["code"] == "node_silent")
        assert (first["level"], last["level"]) == ("critical", "critical")
        assert "silent for 1.5 s" in first["text"]
        assert "are canceled" in last["text"]
        assert watchdog.poll() is None
        beat = read_beat(program.state, WATCHDOG_BEAT)
        assert beat is not None
        assert beat.pid == watchdog.pid
    finally:
        watchdog.kill()
        watchdog.wait()
        exchange.close()


def test_a_watchdog_that_the_broker_does_not_hear_tells_so_and_goes_on(
    tmp_path: Path, hook: str
) -> None:
    state, path = tmp_path / "state", tmp_path / "node.toml"
    state.mkdir(mode=0o700)
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    path.write_text(
        f'symbols = ["SPY"]\nstate_dir = "{state}"\ntrading_url = "http://127.0.0.1:{port}"\n'
        '[[alerts]]\nform = "json"\nurl_env = "HOOK"\n[limits]\nmax_order_notional = 1000\n'
    )
    write_beat(state, NODE_BEAT, phase="running")
    environment = {
        **os.environ, "HOOK": hook, "APCA_API_KEY_ID": "PKX", "APCA_API_SECRET_KEY": "canary-77",
    }  # fmt: skip
    command = ["watchdog", "--config", str(path), "--silence", "1"]
    watchdog = subprocess.Popen([*PYRT, *command], env=environment, stderr=subprocess.PIPE)
    try:
        until = time.monotonic() + 30
        while "cancel_failed" not in codes():
            assert time.monotonic() < until, codes()
            time.sleep(0.05)
        assert codes()[0] == "node_silent"
        told = next(alert for alert in Hook.got if alert["code"] == "cancel_failed")
        assert "not canceled yet: ConnectError" in told["text"]
        beats = {read_beat(state, WATCHDOG_BEAT)}
        while len(beats) < 3:
            assert time.monotonic() < until, "it does not beat while it tries"
            beats.add(read_beat(state, WATCHDOG_BEAT))
            time.sleep(0.02)
    finally:
        watchdog.kill()
        _, errors = watchdog.communicate()
    assert b"node_silent: node" in errors
    assert b"canary" not in errors


def test_shadows_run_beside_the_node_that_trades_by_the_same_settings(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    exchange = Exchange(tmp_path)
    program = Program(tmp_path, exchange, dashboard=True, dashboard_port=port)
    program.start()
    pages = {f"http://127.0.0.1:{port}"}
    shadows = []
    try:
        for count in (1, 2):
            shadow = subprocess.Popen(
                [*PYRT, *program.arguments, "--shadow"],
                stdout=subprocess.DEVNULL,
                stderr=(tmp_path / "shadow.txt").open("a"),
                env=program.environment,
            )
            shadows.append(shadow)
            limit = time.monotonic() + 60
            while True:
                assert shadow.poll() is None, (tmp_path / "shadow.txt").read_text()
                assert time.monotonic() < limit, "the shadow does not run"
                running = [f for f in (program.state / "shadow").glob("*") if is_running(f)]
                if len(running) == count:
                    break
                time.sleep(0.1)
            pages |= {Page(folder).values["url"] for folder in running}
        assert program.is_running()
    finally:
        for shadow in shadows:
            shadow.kill()
            shadow.wait()
        program.kill()
        exchange.close()
    assert len(pages) == 3


def is_running(folder: Path) -> bool:
    """Return whether a node of this folder answers, and trades."""
    try:
        return bool(ask(folder, "status")["phase"] == "running")
    except ConfigError:
        return False
