"""Scripts on an account: what they see, what they may, and the commands of the shell."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from pyrt import AlpacaAccount
from pyrt.adapters.alpaca.account.asking import request_from
from pyrt.adapters.alpaca.credentials import Credentials
from pyrt.cli import main
from pyrt.errors import ConfigError, OrderError
from pyrt.live.process.lock import lock_account

pytest.importorskip("uvicorn")

from tests.adapters.client.bench import NUMBER, opened


@pytest.fixture
def bench(tmp_path, monkeypatch):
    yield from opened(tmp_path, monkeypatch)


def test_a_script_sees_account_positions_orders_and_the_market(bench):
    bench.buy(10)
    bench.served.minutes(1)
    bench.buy(5, type="limit", limit_price="50")

    async def ask(a):
        return (
            await a.metrics(),
            await a.positions(),
            await a.orders(),
            await a.latest_trade("SPY"),
            await a.snapshot("SPY"),
            await a.activities(),
        )

    metrics, positions, orders, trade, snapshot, activities = bench.run(ask)
    assert metrics["exposure"] == Decimal(positions[0]["market_value"]) > 0
    assert metrics["leverage"] == metrics["exposure"] / metrics["equity"]
    assert [(p["symbol"], p["qty"]) for p in positions] == [("SPY", "10")]
    assert [(o["symbol"], o["limit_price"]) for o in orders] == [("SPY", "50")]
    assert trade["p"] > 0
    assert snapshot["minuteBar"]["c"] > 0
    assert activities[0]["activity_type"] == "FILL"


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"paper": False}, "no live key"),
        ({"trading_url": "http://example.com"}, "neither Alpaca's"),
        ({"account_id": "PA9"}, "not to PA9"),
    ],
)
def test_the_wrong_world_is_refused(bench, settings, text):
    with pytest.raises(ConfigError, match=text):
        bench.run(lambda a: a.account(), **settings)


def test_live_needs_three_consents():
    live = Credentials("AKLIVE", "canary-1f")
    with pytest.raises(ConfigError, match="a live key"):
        AlpacaAccount(credentials=live)
    with pytest.raises(ConfigError, match="account_id is not given"):
        AlpacaAccount(credentials=live, paper=False)
    AlpacaAccount(credentials=live, paper=False, account_id="1")


JUDGED = {
    "plain": {"quantity": 10},
    "too dear": {"quantity": 100_000},
    "off the penny": {"quantity": 1, "limit_price": "50.123"},
    "short fraction": {"side": "sell", "quantity": "1.5"},
    "more than held": {"side": "sell", "quantity": 11},
    "opposite to what rests": {"side": "sell", "quantity": 10, "limit_price": 40},
    "stop on the wrong side": {"quantity": 1, "stop_price": 1},
    "bracket": {"quantity": 2, "limit_price": 60, "take_profit": 70, "stop_loss": (50, 49)},
    "bracket upside down": {"quantity": 2, "limit_price": 60, "take_profit": 50, "stop_loss": 70},
    "trailing": {"quantity": 2, "trail_percent": 2},
    "by notional": {"notional": "20.5"},
    "no such symbol": {"symbol": "NOSUCH", "quantity": 1},
    "id used before": {"quantity": 1, "client_order_id": "used-before"},
}


def posted(terms: dict[str, Any]) -> dict[str, Any]:
    """Return an order's description as the body that a client sends."""
    request = request_from(terms)
    names = ("limit_price", "stop_price", "trail_percent", "notional", "client_order_id")
    body = {n: str(getattr(request, n)) for n in names if getattr(request, n) is not None}
    if request.quantity is not None:
        body["qty"] = str(request.quantity)
    if request.order_class != "simple":
        body["order_class"] = request.order_class
        body["take_profit"] = {"limit_price": str(request.take_profit_limit)}
        body["stop_loss"] = {"stop_price": str(request.stop_loss_stop)}
        if request.stop_loss_limit is not None:
            body["stop_loss"]["limit_price"] = str(request.stop_loss_limit)
    plain = ("symbol", "side", "type", "time_in_force")
    return {**body, **{name: getattr(request, name) for name in plain}}


@pytest.mark.parametrize("quantity", ["4", "10"])
def test_exits_hold_the_shares_that_a_sale_would_need(bench, quantity):
    bench.bracket()
    terms = {"side": "sell", "symbol": "SPY", "quantity": quantity}
    verdict = bench.run(lambda a: a.validate(terms))
    answer = bench.other.post("/v2/orders", json=posted(terms)).json()
    assert verdict.reason == "{code}: {message}".format(**answer)


@pytest.mark.parametrize("name", JUDGED)
def test_an_order_is_judged_as_the_exchange_would_and_not_sent(bench, name):
    bench.buy(10)
    bench.served.minutes(1)
    bench.buy(5, type="limit", limit_price="50", client_order_id="used-before")
    terms = {"side": "buy", "symbol": "SPY", **JUDGED[name]}
    before = bench.run(lambda a: a.orders("all"))
    verdict = bench.run(lambda a: a.validate(terms))
    assert bench.run(lambda a: a.orders("all")) == before
    answer = bench.other.post("/v2/orders", json=posted(terms))
    refused = "" if answer.status_code == 200 else "{code}: {message}".format(**answer.json())
    assert verdict.reason == refused
    assert bool(verdict) == (answer.status_code == 200)


def test_a_description_that_makes_no_sense_raises(bench):
    for terms in ({"quantity": "many"}, {"quantity": 1, "size": 3}):
        with pytest.raises(OrderError):
            bench.run(lambda a, t=terms: a.validate({"side": "buy", "symbol": "SPY", **t}))


def test_the_shell_shows_and_reduces(bench, monkeypatch, capsys):
    keys = bench.served.urls
    monkeypatch.setenv("APCA_API_KEY_ID", keys["key"])
    monkeypatch.setenv("APCA_API_SECRET_KEY", keys["secret"])
    monkeypatch.setenv("APCA_API_BASE_URL", keys["rest_url"])
    monkeypatch.setenv("APCA_API_DATA_URL", keys["data_url"])
    monkeypatch.setenv("XDG_STATE_HOME", str(bench.folder))
    bench.buy(10)
    bench.served.minutes(1)
    assert main(["validate", "buy", "SPY", "1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"accepted": True, "by": "", "reason": ""}
    assert main(["validate", "buy", "SPY", "1", "--limit-price", "50.123", "--json"]) == 3
    assert json.loads(capsys.readouterr().out)["reason"].startswith("42210000: ")
    resting = bench.buy(5, type="limit", limit_price="50")
    found = {}
    for command in (
        ["account"],
        ["positions"],
        ["orders"],
        ["cancel", resting["id"]],
        ["close", "SPY"],
    ):
        assert main([*command, "--json"]) == 0, capsys.readouterr().err
        found[command[0]] = json.loads(capsys.readouterr().out)
    assert Decimal(found["account"]["exposure"]) > 0
    assert len(found["account"]["leverage"]) <= len("0.123456")
    assert found["positions"][0]["qty"] == "10"
    assert [o["id"] for o in found["orders"]] == [resting["id"]]
    assert found["cancel"][0]["status"] == "canceled"
    assert found["close"][0]["side"] == "sell"
    assert main(["positions"]) == 0
    assert capsys.readouterr().out.splitlines()[0].split()[:2] == ["symbol", "qty"]
    assert main(["cancel"]) == 2
    assert keys["secret"] not in capsys.readouterr().err


def test_the_shell_shows_what_a_node_answers(bench, monkeypatch, capsys):
    keys = bench.served.urls
    monkeypatch.setenv("APCA_API_KEY_ID", keys["key"])
    monkeypatch.setenv("APCA_API_SECRET_KEY", keys["secret"])
    monkeypatch.setenv("XDG_STATE_HOME", str(bench.folder))
    answer = {"done": "order one is being canceled"}
    monkeypatch.setattr("pyrt.adapters.alpaca.account.scripts.ask", lambda *_, **__: answer)
    command = ["cancel", "one", "--url", keys["rest_url"]]
    lock = lock_account(keys["rest_url"], NUMBER)
    try:
        assert main([*command, "--node", str(bench.folder)]) == 0
        assert capsys.readouterr().out == "order one is being canceled\n"
        assert main(command) == 1
        assert "--node" in capsys.readouterr().err
    finally:
        lock.release()
