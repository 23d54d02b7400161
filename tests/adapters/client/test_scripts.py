"""Scripts on an account: what they see, that they only reduce, and that a node keeps them out."""

from __future__ import annotations

import asyncio
import errno
import json
from decimal import Decimal
from typing import Any

import httpx
import pytest

from pyrt import AlpacaAccount
from pyrt.adapters.alpaca.account.asking import request_from
from pyrt.adapters.alpaca.core.pacing import RetryPolicy
from pyrt.adapters.alpaca.credentials import Credentials
from pyrt.adapters.alpaca.shell.http import Answer
from pyrt.adapters.alpaca.simulator.session import make_core
from pyrt.cli import main
from pyrt.errors import BrokerError, ConfigError, JournalError, OrderError
from pyrt.live.process.lock import lock_account
from tests.adapters.simulator.exchange import CLOSES
from tests.minutes import minute_bars

pytest.importorskip("uvicorn")

from tests.live.wire import Served

NUMBER = "PA0000000"


class Bench:
    """A served exchange, orders placed by another client, and a script's account."""

    def __init__(self, served: Served, folder: Any) -> None:
        self.served = served
        self.folder = folder
        headers = served.keys.headers()
        self.other = httpx.Client(base_url=served.urls["rest_url"], headers=headers)
        served.minutes(1)

    def buy(self, quantity: int = 10, **terms: Any) -> dict[str, Any]:
        order = {"symbol": "SPY", "side": "buy", "type": "market", "time_in_force": "day"}
        answer = self.other.post("/v2/orders", json={**order, "qty": quantity, **terms})
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def account(self, **settings: Any) -> AlpacaAccount:
        urls = self.served.urls
        named = {"trading_url": urls["rest_url"], "data_url": urls["data_url"]}
        return AlpacaAccount(
            credentials=self.served.keys, state_dir=self.folder, **{**named, **settings}
        )

    def run(self, ask: Any, **settings: Any) -> Any:
        async def inside() -> Any:
            async with self.account(**settings) as account:
                return await ask(account)

        return asyncio.run(inside())


@pytest.fixture
def bench(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    with Served(make_core([minute_bars("SPY", CLOSES)])) as served:
        made = Bench(served, tmp_path / "state")
        yield made
        made.other.close()


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


def test_closing_cancels_what_holds_the_shares_and_never_sells_more(bench):
    bench.buy(10)
    bench.served.minutes(1)
    resting = bench.buy(10, side="sell", type="limit", limit_price="500")
    part = bench.run(lambda a: a.close("SPY", 4))
    bench.served.minutes(1)
    (position,) = bench.run(lambda a: a.positions())
    assert (part["side"], part["qty"], position["qty"]) == ("sell", "4", "6")
    assert bench.run(lambda a: a.order(resting["id"]))["status"] == "canceled"
    with pytest.raises(OrderError, match="would not reduce"):
        bench.run(lambda a: a.close("SPY", 7))
    with pytest.raises(OrderError, match="no position in QQQ"):
        bench.run(lambda a: a.close("QQQ"))
    bench.run(lambda a: a.close_all())
    bench.served.minutes(1)
    assert bench.run(lambda a: a.positions()) == []


def test_cancel_tells_what_the_order_came_to(bench):
    resting = bench.buy(5, type="limit", limit_price="50")
    assert bench.run(lambda a: a.cancel(resting["id"]))["status"] == "canceled"
    assert bench.run(lambda a: a.cancel(resting["id"]))["status"] == "canceled"
    with pytest.raises(BrokerError):
        bench.run(lambda a: a.cancel("00000000-0000-0000-0000-000000000000"))


def bracket(bench) -> None:
    """Hold ten shares with both exits at work."""
    exits = {"take_profit": {"limit_price": "500"}, "stop_loss": {"stop_price": "50"}}
    bench.buy(10, order_class="bracket", **exits)
    bench.served.minutes(1)


def test_a_cancel_goes_on_to_what_has_replaced_the_order(bench):
    order = bench.buy(1, type="limit", limit_price=90)
    new = bench.other.patch(f"/v2/orders/{order['id']}", json={"limit_price": 91}).json()
    ended = bench.run(lambda account: account.cancel(order["id"]))
    assert (ended["id"], ended["status"]) == (new["id"], "canceled")


def test_a_cancel_asks_again_for_what_has_replaced_the_order(bench, monkeypatch):
    """Its first cancel, and the looks after it, are not answered."""
    monkeypatch.setattr("pyrt.adapters.alpaca.account.reducing.LOOK_S", 0.001)
    order = bench.buy(1, type="limit", limit_price=90)
    new = bench.other.patch(f"/v2/orders/{order['id']}", json={"limit_price": 91}).json()

    async def ask(a):
        send, left = a._reader._send, iter(range(1 + a._reader._policy.attempts))
        a._reader._policy = RetryPolicy(initial_ns=1_000)

        async def losing(request):
            is_lost = new["id"] in request.path and next(left, None) is not None
            return Answer(0) if is_lost else await send(request)

        a._reader._send = losing
        return await a.cancel(order["id"])

    ended = bench.run(ask)
    assert (ended["id"], ended["status"]) == (new["id"], "canceled")


def test_exits_whose_entry_has_filled_are_seen_and_canceled_too(bench):
    bracket(bench)
    resting = bench.buy(5, type="limit", limit_price="50")
    shown = bench.run(lambda a: a.orders())
    assert sorted(o["type"] for o in shown if o["side"] == "sell") == ["limit", "stop"]
    ended = bench.run(lambda a: a.cancel_all())
    assert {o["id"] for o in ended} >= {o["id"] for o in shown} >= {resting["id"]}
    assert bench.other.get("/v2/orders", params={"status": "open"}).json() == []


@pytest.mark.parametrize("quantity", ["4", "10"])
def test_exits_hold_the_shares_that_a_sale_would_need(bench, quantity):
    bracket(bench)
    terms = {"side": "sell", "symbol": "SPY", "quantity": quantity}
    verdict = bench.run(lambda a: a.validate(terms))
    answer = bench.other.post("/v2/orders", json=posted(terms)).json()
    assert verdict.reason == "{code}: {message}".format(**answer)


def test_more_orders_than_a_list_holds_are_all_canceled(bench, monkeypatch):
    for _ in range(3):
        bench.buy(1, type="limit", limit_price="50")
    first = AlpacaAccount.orders
    monkeypatch.setattr(AlpacaAccount, "orders", lambda self: first(self, limit=2))
    assert len(bench.run(lambda a: a.cancel_all())) == 3


def test_intents_are_written_down_before_they_are_acted_on(bench):
    resting = bench.buy(5, type="limit", limit_price="50")
    bench.run(lambda a: a.cancel(resting["id"], reason="tidy up"))
    held = b"".join(path.read_bytes() for path in bench.folder.iterdir() if path.is_file())
    assert b"tidy up" in held
    assert resting["id"].encode() in held


@pytest.mark.parametrize("fault", ["no folder", "no room"])
def test_a_disk_that_takes_no_record_keeps_no_cancel_back(bench, monkeypatch, caplog, fault):
    """A full disk has ended the node: its orders have to be canceled all the same."""
    bracket(bench)
    resting = bench.buy(5, type="limit", limit_price="50")
    if fault == "no folder":
        bench.folder.write_text("somebody's")
    else:

        def full(*_: Any) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr("pyrt.live.journal.files.RealFile.write", full)
    # An order without a record never leaves, and then its exits stay.
    with pytest.raises((ConfigError, JournalError)):
        bench.run(lambda a: a.close("SPY"))
    assert len(bench.run(lambda a: a.orders())) == 3
    assert bench.run(lambda a: a.cancel(resting["id"]))["status"] == "canceled"
    assert "is not written down" in caplog.text
    assert len(bench.run(lambda a: a.cancel_all())) == 2


def test_while_a_node_holds_the_account_a_script_may_only_look(bench):
    resting = bench.buy(5, type="limit", limit_price="50")
    lock = lock_account(bench.served.urls["rest_url"], NUMBER)
    try:
        for ask in (lambda a: a.cancel(resting["id"]), lambda a: a.cancel_all()):
            with pytest.raises(ConfigError, match=r"another node .* --node or node_dir"):
                bench.run(ask)
        assert len(bench.run(lambda a: a.orders())) == 1
    finally:
        lock.release()
    assert bench.run(lambda a: a.cancel_all())[0]["status"] == "canceled"


def test_a_node_that_is_known_does_it_instead(bench, monkeypatch):
    asked = []

    def ask(folder, action, **given):
        what = given.get("symbol") or given.get("order")
        asked.append((folder.name, action, given["reason"], what))
        return {"done": action}

    monkeypatch.setattr("pyrt.adapters.alpaca.account.scripts.ask", ask)
    bench.buy(10)
    bench.served.minutes(1)
    bench.buy(5, type="limit", limit_price="50")
    lock = lock_account(bench.served.urls["rest_url"], NUMBER)
    try:
        known = {"node_dir": bench.folder / "node"}
        assert bench.run(lambda a: a.cancel("one"), **known) == {"done": "cancel"}
        assert bench.run(lambda a: a.cancel_all(reason="tidy"), **known) == [{"done": "cancel_all"}]
        assert bench.run(lambda a: a.close("SPY"), **known) == {"done": "close"}
        with pytest.raises(ConfigError, match="another node"):
            bench.run(lambda a: a.close("SPY", 4), **known)
    finally:
        lock.release()
    assert asked == [
        ("node", "cancel", "asked for", "one"),
        ("node", "cancel_all", "tidy", None),
        ("node", "close", "asked for", "SPY"),
    ]


def test_a_cancel_goes_on_while_nothing_is_heard(bench, monkeypatch):
    monkeypatch.setattr("pyrt.adapters.alpaca.account.reducing.LOOK_S", 0.001)
    order = bench.buy(1, type="limit", limit_price=90)

    async def ask(a):
        send, lost = a._reader._send, iter([True] * 5)
        a._reader._policy = RetryPolicy(initial_ns=1_000)

        async def losing(request):
            return type(await send(request))(0) if next(lost, False) else await send(request)

        a._reader._send = losing
        return await a.cancel(order["id"])

    assert bench.run(ask)["status"] == "canceled"


def test_a_closing_order_whose_answer_is_lost_is_found_and_not_sent_again(bench):
    bench.buy(10)
    bench.served.minutes(1)

    async def ask(a):
        send = a._reader._send

        async def losing(request):
            answer = await send(request)
            return type(answer)(0) if request.method == "POST" else answer

        a._reader._send = losing
        return await a.close("SPY")

    order = bench.run(ask)
    assert (order["qty"], order["side"]) == ("10", "sell")
    sells = [o for o in bench.run(lambda a: a.orders("all")) if o["side"] == "sell"]
    assert len(sells) == 1


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
        assert main(command) == 2
        assert "--node" in capsys.readouterr().err
    finally:
        lock.release()
