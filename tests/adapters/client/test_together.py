"""Several orders or symbols at once: one that does not end keeps no other from being tried."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from pyrt import AlpacaAccount
from pyrt.adapters.alpaca.account.together import all_done, each_of
from pyrt.adapters.alpaca.core.pacing import RetryPolicy
from pyrt.adapters.alpaca.shell.http import Answer
from pyrt.cli import main
from pyrt.errors import BrokerError, ConfigError, ConnectionLost, OrderError, PyrtError
from pyrt.live.process.lock import lock_account

pytest.importorskip("uvicorn")

from tests.adapters.client.bench import NUMBER, opened


@pytest.fixture
def bench(tmp_path, monkeypatch):
    monkeypatch.setattr("pyrt.adapters.alpaca.account.reducing.LOOK_S", 0.001)
    yield from opened(tmp_path, monkeypatch)


def keeping(kept: set[str], requests: list[tuple[str, str]]) -> Any:
    """Return what makes an account hear that cancels are taken, of which some come to nothing."""

    def patch(account: AlpacaAccount) -> None:
        send = account._reader._send

        async def keep(request):
            requests.append((request.method, request.path.rpartition("/")[2]))
            is_kept = request.method == "DELETE" and requests[-1][1] in kept
            return Answer(204) if is_kept else await send(request)

        account._reader._send = keep

    return patch


@pytest.mark.parametrize("everything", [True, False])
def test_one_order_that_does_not_end_leaves_the_others_canceled(bench, everything):
    """It is the way out of an emergency: the first of them had it end there."""
    ids = [bench.buy(1, type="limit", limit_price=price)["id"] for price in ("50", "51", "52")]
    stuck, requests = {ids[0], ids[2]}, []

    async def ask(a):
        keeping(stuck, requests)(a)
        return await (a.cancel_all() if everything else a.cancel_orders(ids))

    with pytest.raises(ConnectionLost, match="2 of 3 not done: ") as told:
        bench.run(ask)
    for each in stuck:
        assert f"order {each} is new after 8 cancels" in str(told.value)
    assert told.value.values["failed"].keys() == stuck
    assert {o["id"] for o in bench.run(lambda a: a.orders())} == stuck
    # All are asked for before one is waited for.
    first = next(i for i, (method, _) in enumerate(requests) if method == "DELETE")
    assert requests[first : first + 3] == [
        ("DELETE", each) for each in (reversed(ids) if everything else ids)
    ]


def test_a_list_that_is_not_answered_does_not_hide_what_has_not_ended(bench):
    order = bench.buy(1, type="limit", limit_price="50")["id"]

    async def ask(a):
        a._reader._policy = RetryPolicy(initial_ns=1_000)
        keeping({order}, [])(a)
        first, seen = a.orders, []

        async def orders():
            seen.append(1)
            if len(seen) > 1:
                raise ConnectionLost("/v2/orders was not answered")
            return await first()

        a.orders = orders
        return await a.cancel_all()

    with pytest.raises(ConnectionLost, match="what else is open: /v2/orders was not") as told:
        bench.run(ask)
    assert f"order {order} is new" in str(told.value)


def test_a_symbol_that_cannot_be_closed_leaves_the_others_closed(bench):
    bench.buy(10)
    bench.served.minutes(1)
    with pytest.raises(OrderError, match="1 of 2 not done: QQQ: there is no position in QQQ"):
        bench.run(lambda a: a.close_positions(["QQQ", "SPY"]))
    bench.served.minutes(1)
    assert bench.run(lambda a: a.positions()) == []


def test_a_position_that_is_named_twice_is_sold_once(bench):
    bench.buy(10)
    bench.served.minutes(1)

    async def ask(a):
        return await asyncio.gather(*(a.close("SPY") for _ in range(3)))

    assert [order["qty"] for order in bench.run(ask)] == ["10"] * 3
    bench.served.minutes(1)
    # Each later one has canceled the one before it.
    assert bench.run(lambda a: a.positions()) == []


def test_a_node_that_holds_the_account_hears_of_every_order(bench, monkeypatch):
    asked = []

    def ask(folder, action, *, order, **given):
        asked.append((action, order))
        if order == "a":
            raise ConfigError("there is no order a")
        return {"done": order}

    monkeypatch.setattr("pyrt.adapters.alpaca.account.scripts.ask", ask)
    lock = lock_account(bench.served.urls["rest_url"], NUMBER)
    try:
        known = {"node_dir": bench.folder / "node"}
        with pytest.raises(ConfigError, match="1 of 2 not done: a: there is no order a"):
            bench.run(lambda a: a.cancel_orders(["a", "b"]), **known)
        with pytest.raises(ConfigError, match=r"2 of 2 not done: a, b: .*another node .*--node or"):
            bench.run(lambda a: a.cancel_orders(["a", "b"]))
    finally:
        lock.release()
    assert asked == [("cancel", "a"), ("cancel", "b")]


def test_the_shell_tries_all_that_it_is_given(bench, monkeypatch, capsys):
    keys = bench.served.urls
    for name, value in (
        ("APCA_API_KEY_ID", keys["key"]),
        ("APCA_API_SECRET_KEY", keys["secret"]),
        ("APCA_API_BASE_URL", keys["rest_url"]),
        ("XDG_STATE_HOME", str(bench.folder)),
    ):
        monkeypatch.setenv(name, value)
    bench.buy(10)
    bench.served.minutes(1)
    resting = bench.buy(1, type="limit", limit_price="50")["id"]
    assert main(["cancel", "no-such-order", resting]) == 1
    told = capsys.readouterr().err
    assert told.startswith("Error: 1 of 2 not done: no-such-order: DELETE /v2/orders/no-such-order")
    assert told.count("\n") == 1
    assert bench.run(lambda a: a.order(resting))["status"] == "canceled"
    assert main(["close", "QQQ", "SPY"]) == 1
    assert "QQQ: there is no position in QQQ" in capsys.readouterr().err
    bench.served.minutes(1)
    assert bench.run(lambda a: a.positions()) == []


# -- one error of several ------------------------------------------------------------------------


def test_what_all_errors_share_the_one_of_them_has():
    lost = {name: ConnectionLost("no answer", code="x", remedy="Wait") for name in "ab"}
    with pytest.raises(ConnectionLost, match=r"2 of 3 not done: a, b: no answer\. Wait") as told:
        all_done({**lost, "c": {"id": "c"}})
    assert (told.value.code, told.value.values) == ("x", {"failed": lost})
    with pytest.raises(PyrtError, match=r"a: no answer; d: refused\. Look at the account") as told:
        all_done({"a": lost["a"], "d": BrokerError("refused")})
    assert (type(told.value), told.value.code) == (PyrtError, "not_all_done")
    with pytest.raises(ConnectionLost, match=r"^no answer"):
        all_done({"a": lost["a"]})
    assert all_done({"c": {"id": "c"}}) == [{"id": "c"}]


def test_a_fault_of_ours_is_raised_when_the_others_are_through():
    done = []

    async def fault():
        raise ZeroDivisionError

    async def work():
        await asyncio.sleep(0)
        done.append(1)
        return {}

    with pytest.raises(ZeroDivisionError):
        asyncio.run(each_of({"a": fault(), "b": work()}))
    assert done == [1]
