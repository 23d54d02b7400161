"""Health: the worst part speaks for the node, and readiness needs every step."""

from __future__ import annotations

import pytest

from pyrt.errors import ConfigError
from pyrt.live.observe.health import Health

T = 1_700_000_000_000_000_000
SECOND = 1_000_000_000


def test_the_worst_component_is_the_nodes_status() -> None:
    health = Health()
    assert health.status == "ok"
    for component, status, expected in [
        ("journal", "ok", "ok"), ("stream", "degraded", "degraded"),
        ("journal", "failed", "failed"), ("journal", "ok", "degraded"), ("stream", "ok", "ok"),
        ("journal", "degraded", "degraded"), ("stream", "failed", "failed"),
    ]:  # fmt: skip
        health.report(component, status, now=T)
        assert health.status == expected


def test_ready_after_reconciliation_and_warm_up_unless_something_failed() -> None:
    health = Health()
    assert health.as_dict(T)["waiting_for"] == ["reconciled", "warmed_up"]
    seen = [health.is_ready]
    health.reached("reconciled")
    seen.append(health.is_ready)
    health.reached("warmed_up")
    seen.append(health.is_ready)
    health.report("journal", "failed", "disk full", now=T)
    seen.append(health.is_ready)
    health.report("journal", "ok", now=T)
    health.lost("reconciled")
    seen.append(health.is_ready)
    assert seen == [False, False, True, False, False]
    assert health.as_dict(T)["waiting_for"] == ["reconciled"]


def test_secrets_are_in_nothing_that_is_told() -> None:
    health = Health("keys of 123456789", clean=lambda text: text.replace("123456789", "…6789"))
    health.report("orders", "degraded", "account 123456789 is not armed", now=T)
    assert "12345" not in str(health.as_dict(T))
    assert health.as_dict(T)["components"]["orders"]["message"] == "account …6789 is not armed"


def test_live_while_the_loop_turns() -> None:
    health = Health()
    health.beat(T)
    assert health.is_live(T + 5 * SECOND)
    assert not health.is_live(T + 5 * SECOND + 1)


def test_the_body_tells_since_when_and_why_the_last_run_ended() -> None:
    health = Health("SIGKILL")
    health.report("stream", "ok", "authorised", now=T, uptime_s=3)
    health.report("stream", "ok", "authorised", now=T + SECOND, uptime_s=4)
    body = health.as_dict(T + SECOND)
    assert body["last_exit"] == "SIGKILL"
    assert body["components"]["stream"] == {
        "status": "ok", "message": "authorised", "since": "2023-11-14T22:13:20Z",
        "metrics": {"uptime_s": 4},
    }  # fmt: skip


def test_unknown_words_are_refused() -> None:
    with pytest.raises(ConfigError, match="status is 'fine'"):
        Health().report("x", "fine", now=T)
    with pytest.raises(ConfigError, match="no step"):
        Health().reached("coffee")
