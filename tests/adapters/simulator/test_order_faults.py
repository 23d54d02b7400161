"""Faults that strike orders: rejected late, stuck, filled after a cancel, legs without news."""

from __future__ import annotations

from typing import Any

from tests.adapters.simulator.exchange import Bench

LIMIT = {"type": "limit", "limit_price": 99.0}
FALLING = [100.0, 100.0, 98.0, 97.0, 97.0, 97.0, 97.0, 97.0]


def broken(closes: list[float] | None = None, **faults: Any) -> Bench:
    bench = Bench(closes)
    bench.core.faults.set(faults)
    return bench


def test_an_order_is_rejected_after_it_was_taken() -> None:
    bench = broken(reject=1.0)
    order = bench.buy(1, order_class="oto", take_profit={"limit_price": 200})
    assert order["status"] == "pending_new"
    shown = bench.order(order)
    assert (shown["status"], shown["legs"][0]["status"]) == ("rejected", "rejected")
    assert shown["failed_at"] is not None
    assert [event for event, _ in bench.events()] == ["pending_new", "rejected"]
    bench.step(3)
    assert bench.ask("GET", "/v2/positions") == (200, [])


def test_a_stuck_cancel_stays_pending_and_the_order_may_still_fill() -> None:
    bench = broken(FALLING, stuck=1.0)
    order = bench.buy(1, **LIMIT)
    assert bench.ask("DELETE", f"/v2/orders/{order['id']}") == (204, None)
    assert bench.order(order)["status"] == "pending_cancel"
    assert bench.ask("DELETE", f"/v2/orders/{order['id']}") == (204, None)
    bench.step(3)
    assert bench.order(order)["status"] == "filled"
    events = [event for event, _ in bench.events()]
    assert events == ["pending_new", "new", "pending_cancel", "fill"]


def replacing(closes: list[float] | None = None, *, seconds: float = 90) -> tuple[Bench, Any, Any]:
    """An exchange with an order that is about to be replaced, and its replacement."""
    bench = broken(closes, slow_replace=1.0, replace_s=seconds)
    order = bench.buy(2, **LIMIT)
    bench.events()
    status, new = bench.ask("PATCH", f"/v2/orders/{order['id']}", {"limit_price": "98.5"})
    assert (status, new["status"], new["replaces"]) == (200, "pending_new", order["id"])
    return bench, order, new


def test_an_order_that_is_being_replaced_takes_neither_a_cancel_nor_a_change() -> None:
    bench, order, new = replacing()
    assert bench.order(order)["status"] == "pending_replace"
    for each in (order, new):
        status, refused = bench.ask("DELETE", f"/v2/orders/{each['id']}")
        assert (status, refused["code"]) == (422, 42210000)
        assert bench.ask("PATCH", f"/v2/orders/{each['id']}", {"limit_price": "98"})[0] == 422
    status, rows = bench.ask("DELETE", "/v2/orders")
    assert (status, {row["status"] for row in rows}) == (207, {422})
    bench.step(2)
    assert bench.events() == [("replaced", order["id"]), ("new", new["id"])]
    shown = bench.order(new)
    assert (shown["status"], shown["limit_price"]) == ("new", "98.5")
    assert bench.ask("DELETE", f"/v2/orders/{new['id']}") == (204, None)
    assert bench.events() == [("canceled", new["id"])]


def test_an_order_that_fills_while_it_is_being_replaced_is_not() -> None:
    bench, order, new = replacing(FALLING, seconds=400)
    bench.step(4)
    shown = bench.order(order)
    assert (shown["status"], shown["replaced_by"]) == ("filled", new["id"])
    bench.step(4)
    assert bench.events() == [
        ("fill", order["id"]), ("order_replace_rejected", order["id"]), ("rejected", new["id"]),
    ]  # fmt: skip
    assert (bench.order(order)["status"], bench.order(order)["replaced_by"]) == ("filled", None)
    assert (bench.order(new)["status"], bench.order(new)["filled_qty"]) == ("rejected", "0")
    assert bench.ask("GET", "/v2/positions/SPY")[1]["qty"] == "2"


def test_a_fill_comes_after_a_cancel_that_was_confirmed() -> None:
    bench = broken(FALLING, late_fill=1.0)
    order = bench.buy(1, **LIMIT)
    bench.ask("DELETE", f"/v2/orders/{order['id']}")
    assert bench.order(order)["status"] == "canceled"
    bench.step(3)
    shown = bench.order(order)
    assert (shown["status"], shown["filled_qty"]) == ("filled", "1")
    assert [event for event, _ in bench.events()] == ["pending_new", "new", "canceled", "fill"]
    assert bench.ask("GET", "/v2/positions/SPY")[1]["qty"] == "1"


def test_the_cancel_of_the_other_exit_is_not_told() -> None:
    bench = broken(lost_leg_cancel=1.0)
    exits = {"take_profit": {"limit_price": 102.5}, "stop_loss": {"stop_price": "95"}}
    order = bench.buy(10, order_class="bracket", **exits)
    bench.step(4)
    target, stop = bench.order(order)["legs"]
    assert (target["status"], stop["status"]) == ("filled", "canceled")
    assert ("canceled", stop["id"]) not in bench.events()


def test_a_skewed_clock_is_ahead_of_the_market() -> None:
    bench = broken(clock_skew_s=90.0)
    assert bench.ask("GET", "/v2/clock")[1]["timestamp"] == "2013-10-07T09:32:30-04:00"
    assert bench.core.now == 1_381_152_660_000_000_000
