"""The life of orders at the simulator: placing, filling, replacing, canceling, exits."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from tests.adapters.simulator.exchange import Bench
from tests.live import test_walking_skeleton
from tests.live.whole import World


def test_a_market_order_fills_at_the_next_open_and_is_answered_before_it() -> None:
    bench = Bench()
    order = bench.buy(10)
    assert (order["status"], order["qty"], order["filled_qty"]) == ("pending_new", "10", "0")
    bench.step()
    filled = bench.order(order)
    assert (filled["status"], filled["filled_qty"]) == ("filled", "10")
    assert filled["filled_avg_price"] == "100"
    assert [event for event, _ in bench.events()] == ["pending_new", "new", "fill"]


def test_refusals_carry_alpacas_status_code_and_text() -> None:
    bench = Bench()
    order = {"symbol": "SPY", "side": "buy", "type": "limit", "time_in_force": "day", "qty": "1"}
    status, body = bench.ask("POST", "/v2/orders", {**order, "limit_price": "90.123"})
    assert (status, body["code"]) == (422, 42210000)
    assert "sub-penny" in body["message"]
    status, body = bench.ask(
        "POST", "/v2/orders", {**order, "qty": 1, "notional": 5, "limit_price": 90}
    )
    assert (status, body["code"]) == (422, 40010001)
    status, body = bench.ask("POST", "/v2/orders", {**order, "qty": 5000, "limit_price": 99})
    assert (status, body["code"], body["message"]) == (403, 40310000, "insufficient buying power")
    assert bench.ask("GET", "/v2/orders/nothing")[0] == 404
    assert bench.ask("GET", "/v2/nothing")[0] == 404


def test_a_client_order_id_is_taken_for_ever() -> None:
    bench = Bench()
    order = bench.buy(1, client_order_id="mine/1")
    bench.step()
    again = {"symbol": "SPY", "side": "buy", "type": "market", "time_in_force": "day", "qty": 1}
    status, body = bench.ask("POST", "/v2/orders", {**again, "client_order_id": "mine/1"})
    assert (status, body) == (
        422,
        {"code": 40010001, "message": "client_order_id must be unique"},
    )
    found = bench.ask("GET", "/v2/orders:by_client_order_id?client_order_id=mine%2F1")
    assert found[1]["id"] == order["id"]


def test_open_orders_reserve_buying_power_until_they_end() -> None:
    bench = Bench()
    order = bench.buy(500, type="limit", limit_price="90")
    assert Decimal(bench.ask("GET", "/v2/account")[1]["buying_power"]) == 400_000 - 45_000
    assert bench.ask("DELETE", f"/v2/orders/{order['id']}") == (204, None)
    assert Decimal(bench.ask("GET", "/v2/account")[1]["buying_power"]) == 400_000
    status, body = bench.ask("DELETE", f"/v2/orders/{order['id']}")
    assert (status, body["message"]) == (422, 'order is already in "canceled" state')


def test_a_replacement_is_a_new_order_linked_to_the_old_one() -> None:
    bench = Bench()
    old = bench.buy(10, type="limit", limit_price="90")
    bench.events()
    status, new = bench.ask("PATCH", f"/v2/orders/{old['id']}", {"limit_price": 101.5, "qty": 7})
    assert status == 200
    assert (new["replaces"], new["limit_price"], new["qty"]) == (old["id"], "101.5", "7")
    gone = bench.order(old)
    assert (gone["status"], gone["replaced_by"], gone["qty"]) == ("replaced", new["id"], "10")
    assert bench.events()[0] == ("replaced", old["id"])
    bench.step()
    filled = bench.order(new)
    assert (filled["status"], filled["filled_qty"]) == ("filled", "7")
    assert bench.ask("PATCH", f"/v2/orders/{old['id']}", {"qty": 3})[0] == 422


def test_a_replacement_may_have_another_time_in_force_and_ends_by_it() -> None:
    bench = Bench()
    lasting = bench.buy(1, type="limit", limit_price="90", time_in_force="day")
    fleeting = bench.buy(1, type="limit", limit_price="91", time_in_force="gtc")
    _, kept = bench.ask("PATCH", f"/v2/orders/{lasting['id']}", {"time_in_force": "gtc"})
    _, ended = bench.ask("PATCH", f"/v2/orders/{fleeting['id']}", {"time_in_force": "day"})
    assert (kept["time_in_force"], ended["time_in_force"]) == ("gtc", "day")
    assert ended["expires_at"] == lasting["expires_at"] == "2013-10-07T20:00:00Z"
    assert kept["expires_at"] == fleeting["expires_at"]
    status, body = bench.ask("PATCH", f"/v2/orders/{kept['id']}", {"time_in_force": "soon"})
    assert (status, body["code"]) == (422, 42210000)


def test_a_bracket_holds_its_exits_and_the_target_cancels_the_stop() -> None:
    bench = Bench()
    order = bench.buy(
        10,
        order_class="bracket",
        take_profit={"limit_price": 102.5},
        stop_loss={"stop_price": "95"},
    )
    assert [leg["status"] for leg in order["legs"]] == ["held", "held"]
    assert [leg["type"] for leg in order["legs"]] == ["limit", "stop"]
    assert len(bench.ask("GET", "/v2/orders?status=open")[1]) == 1
    bench.step(4)
    target, stop = bench.order(order)["legs"]
    assert (target["status"], target["filled_avg_price"]) == ("filled", "102.5")
    assert stop["status"] == "canceled"
    assert bench.ask("GET", "/v2/positions") == (200, [])


def test_an_oco_pair_leaves_one_exit_filled_and_the_other_canceled() -> None:
    bench = Bench()
    bench.buy(10)
    bench.step()
    pair = bench.buy(
        10,
        side="sell",
        type="limit",
        time_in_force="gtc",
        order_class="oco",
        take_profit={"limit_price": 103.5},
        stop_loss={"stop_price": 95},
    )
    bench.step(7)
    shown = bench.order(pair)
    assert (shown["status"], shown["filled_avg_price"]) == ("filled", "103.5")
    assert (shown["legs"][0]["type"], shown["legs"][0]["status"]) == ("stop", "canceled")


@pytest.mark.parametrize("group", ["bracket", "oco"])
def test_each_of_two_exits_can_be_replaced_after_the_other(group: str) -> None:
    bench = Bench()
    exits = {"take_profit": {"limit_price": 120}, "stop_loss": {"stop_price": 90}}
    entry = bench.buy(10, order_class="bracket", **exits) if group == "bracket" else bench.buy(10)
    bench.step()
    if group == "bracket":
        profit, loss = bench.order(entry)["legs"]
    else:
        profit = bench.buy(10, side="sell", type="limit", order_class="oco", **exits)
        loss = profit["legs"][0]
    status, new = bench.ask("PATCH", f"/v2/orders/{profit['id']}", {"limit_price": 119})
    assert (status, new["limit_price"]) == (200, "119")
    bench.step()
    status, new = bench.ask("PATCH", f"/v2/orders/{loss['id']}", {"stop_price": 91})
    assert (status, new.get("stop_price")) == (200, "91")


def test_lists_page_by_time_side_symbol_and_nesting() -> None:
    bench = Bench()
    first = bench.buy(1, type="limit", limit_price=90)
    bench.step()
    second = bench.buy(1, symbol="QQQ", type="limit", limit_price=40)

    def ids(query: str) -> list[str]:
        return [row["id"] for row in bench.ask("GET", f"/v2/orders?{query}")[1]]

    assert ids("") == [second["id"], first["id"]]
    assert ids("direction=asc&limit=1") == [first["id"]]
    assert ids("symbols=QQQ") == [second["id"]]
    assert ids("side=sell") == []
    assert ids(f"after={first['submitted_at']}") == [second["id"]]
    assert ids(f"until={second['submitted_at']}") == [first["id"]]
    assert ids(f"after_order_id={first['id']}") == [second["id"]]
    assert ids("status=closed") == []
    assert bench.ask("GET", "/v2/orders?limit=501")[0] == 422


def test_cancel_all_answers_for_each_order() -> None:
    bench = Bench()
    order = bench.buy(1, type="limit", limit_price=90)
    assert bench.ask("DELETE", "/v2/orders") == (207, [{"id": order["id"], "status": 200}])
    assert bench.order(order)["status"] == "canceled"


def test_a_body_that_is_no_object_is_a_bad_request() -> None:
    bench = Bench()
    for body in (b"[1]", b"{", b"\xff", b'"x"'):
        assert bench.core.request("POST", "/v2/orders", body).status == 400


def test_values_of_the_wrong_kind_are_refused_and_nothing_breaks() -> None:
    bench = Bench()
    order = bench.buy(1, type="limit", limit_price=90)
    path = f"/v2/orders/{order['id']}"
    for name in ("qty", "symbol", "client_order_id", "take_profit", "time_in_force", "notional"):
        for value in ([1], {"a": 1}, True, "x", 1e30):
            new = {"symbol": "SPY", "side": "buy", "type": "market", "time_in_force": "day"}
            assert bench.ask("POST", "/v2/orders", {**new, name: value})[0] in (400, 403, 422)
    for body in ({"client_order_id": [1]}, {"time_in_force": {}}, {"qty": [2]}):
        assert bench.ask("PATCH", path, body)[0] == 422
    assert bench.ask("POST", "/v2/watchlists", {"symbols": 5})[0] == 422
    assert bench.order(order)["status"] == "new"


@pytest.mark.parametrize("quantity", ["3", "4"])
def test_a_replacement_of_no_more_than_has_been_filled_is_refused_without_rules_too(
    quantity: str,
) -> None:
    core = World([test_walking_skeleton.bars([100.0] * 3)]).simulator
    terms = {"symbol": "SPY", "side": "buy", "type": "limit", "limit_price": "90", "qty": "10"}
    body = msgspec.json.encode({**terms, "time_in_force": "day"})
    placed = msgspec.json.decode(core.request("POST", "/v2/orders", body).body)
    core.desk.orders[placed["id"]].filled_quantity = Decimal(4)
    change = msgspec.json.encode({"qty": quantity})
    assert core.request("PATCH", f"/v2/orders/{placed['id']}", change).status == 422
    change = msgspec.json.encode({"qty": "5"})
    assert core.request("PATCH", f"/v2/orders/{placed['id']}", change).status == 200


@pytest.mark.parametrize("far", ["5989-07-16T09:29:01.2-16:11", "0116-01-15T20:13:17Z"])
def test_times_beyond_64_bits_are_times_all_the_same(far):
    bench = Bench()
    bench.buy(1, type="limit", limit_price=90)
    found = bench.core.request("GET", f"/v2/orders?status=all&until={far.replace('+', '%2B')}", b"")
    assert found.status == 200
    assert (b'"id"' in found.body) == far.startswith("5")
    assert bench.core.request("GET", "/v2/orders?until=soon", b"").status == 422
