"""A node with its page, logs, metrics and links, against a served exchange, as operators do."""

from __future__ import annotations

import json
import time
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
from tests.live.programs import Exchange, Program

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
