"""Orders of an earlier run as a client takes them over, and what its first looks make of them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from pyrt.adapters.alpaca.core.client import AlpacaClient
from pyrt.adapters.alpaca.core.known import Part
from pyrt.core.orders import Order
from pyrt.live.core import restore
from pyrt.live.journal.records import OrderState
from pyrt.risk.gate import BasicGate
from pyrt.testing.gates import GateRig
from tests.adapters.client.test_order_path import MISSING, NOW, SECOND, frame, kinds, view
from tests.adapters.client.test_replaced import LATER, look

E18 = 10**18
LOST = 120 * SECOND


def state(name: str = "old-1", **more: Any) -> OrderState:
    values = {
        "strategy": "A", "symbol": "SPY", "side": "buy", "order_type": "limit", "quantity": "12",
        "time_in_force": "day", "status": "ACCEPTED", "limit_price": "99.5", "ts_init": NOW,
    }  # fmt: skip
    return OrderState(client_order_id=name, **{**values, **more})


def taken_over(*states: OrderState, now: int = NOW) -> tuple[AlpacaClient, list[Order]]:
    """A client of a later run that goes on with these orders, and the orders."""
    client = AlpacaClient("later-")
    client.poll(now)
    kernel = GateRig(BasicGate(), symbols=("SPY",), prices=100).kernel
    orders = restore.restore_orders(kernel, states)
    for order, each in zip(orders, states, strict=True):
        client.adopt(order, each)
    return client, orders


def shown(name: str = "old-1", status: str = "new", **more: Any):
    return view(status, **{"client_order_id": name, "qty": "12", "type": "limit", **more})


@pytest.mark.parametrize(
    ("status", "acknowledged", "held"),
    [
        ("SENT", False, False),
        ("HELD", False, True),
        ("ACCEPTED", True, False),
        ("PARTIALLY_FILLED", True, False),
    ],
)
def test_what_it_had_heard_is_no_news(status, acknowledged, held):
    client, (order,) = taken_over(state(status=status))
    for news, known in (("held", held or acknowledged), ("new", acknowledged)):
        told = kinds(client.receive_trade_update(frame("new", shown(status=news)), NOW))
        assert told == ([] if known else ["accepted" if news == "new" else news])
    assert client.ledger.of(order.number).quantity == 12


@pytest.mark.parametrize(
    ("unknown", "told"), [("submit", ["accepted"]), ("submit,cancel", ["accepted"]), ("cancel", [])]
)
def test_an_order_in_doubt_is_looked_for_by_its_name(unknown, told):
    client, (order,) = taken_over(state(status="SENT", unknown=unknown))
    assert client.orders.resync(NOW) == bool(told)
    looks = [request.path for request in client.take_requests(NOW)]
    assert looks == ["/v2/orders:by_client_order_id?client_order_id=old-1"] * bool(told)
    # What is on its way is evidence that it arrived, where that was in doubt.
    pending = frame("pending_new", shown(status="pending_new"))
    assert kinds(client.receive_trade_update(pending, NOW)) == told
    assert not client.ledger.of(order.number).is_unknown


def test_what_it_had_executed_is_no_news_of_any_of_its_venue_orders():
    client, (order,) = taken_over(
        state(
            filled="5", filled_notional=str(500 * E18), venue_order_id="v3", venue_filled="1",
            venue_cost="101", venue_parts=(("v1", "3", "299"), ("v2", "1", "100")),
        )
    )  # fmt: skip
    assert client.venue_of(order.number) == ("v3", "1", "101")
    assert client.parts_of(order.number) == (("v1", "3", "299"), ("v2", "1", "100"))
    assert all(client.knows(name) for name in ("v1", "v2", "v3"))
    known = client.ledger.of(order.number)
    assert (known.filled, known.cost) == (5, 500)
    for name, had in (("v1", "3"), ("v2", "1"), ("v3", "1")):
        seen = shown(id=name, filled_qty=had, filled_avg_price="100", status="partially_filled")
        assert client.ledger.apply(seen, NOW) == []
    # One more at an average of 101.5 for two, where one had cost 101.
    seen = shown(id="v3", filled_qty="2", filled_avg_price="101.5", status="partially_filled")
    (fill,) = client.ledger.apply(seen, NOW)
    assert (fill.quantity, float(fill.price), fill.cumulative) == ("1", 102.0, "6")


def test_without_a_replace_all_that_it_executed_is_of_one_venue_order():
    client, (order,) = taken_over(
        state(filled="5", filled_notional=str(499 * E18), venue_order_id="v1")
    )
    name, filled, cost = client.venue_of(order.number)
    assert (name, filled, Decimal(cost)) == ("v1", "5", 499)
    assert client.parts_of(order.number) == ()
    assert client.ledger.of(order.number).parts == {"v1": Part(Decimal(5), Decimal(499))}


def test_an_order_that_no_broker_has_shown_has_no_venue_order():
    client, (order,) = taken_over(state(status="SENT"))
    assert client.venue_of(order.number) == ("", "", "")
    assert client.ledger.of(order.number).parts == {}


def test_a_cancel_that_was_wanted_leaves_as_soon_as_its_order_is_seen():
    for wanted in (True, False):
        client, _ = taken_over(state(cancel_wanted=wanted, venue_order_id="v1"))
        client.receive_trade_update(frame("new", shown(id="v1")), NOW)
        assert [r.method for r in client.take_requests(NOW)] == ["DELETE"] * wanted


def test_a_look_lets_out_what_waits_for_an_id_and_cancels_nothing_that_has_ended():
    for status, methods in (("new", ["DELETE", "DELETE"]), ("canceled", [])):
        client, (_, profit, _) = taken_over(
            state(cancel_wanted=True, venue_order_id="v1"), *exits(cancel_wanted=True)
        )
        client.withdraw(profit)
        ended = [
            shown("theirs-b", status, id="vb"),
            shown("theirs-a", "canceled", id="va", type="stop"),
        ]
        look(client, [shown(id="v1", status=status, legs=ended)])
        assert [request.method for request in client.take_requests(LATER)] == methods
        assert [client.knows(name) for name in ("v1", "va", "vb")] == [True] * 3


def test_its_bytes_are_never_sent_again_and_its_age_counts_from_when_it_was_made():
    client, (order,) = taken_over(state(status="SENT", unknown="submit"), now=NOW + LOST)
    told = []
    for passed in (0, LOST - 1, LOST, LOST):
        client.orders.read_back(order.number)
        request = client.take_requests(NOW + 2 * LOST)[0]
        assert request.method == "GET"
        told.append(kinds(client.receive_response(request, 404, MISSING, NOW + passed)))
    assert told == [[], [], [], ["lost"]]


def test_a_cancel_of_what_may_be_there_does_not_end_it():
    client, (order,) = taken_over(state(status="SENT", unknown="submit"))
    client.withdraw(order)
    assert client.poll(NOW) == []
    assert not client.orders.is_nowhere(order.number)
    client.orders.resync(NOW)
    (look,) = client.take_requests(NOW)
    found = msgspec.json.encode(shown(id="v1"))
    assert kinds(client.receive_response(look, 200, found, NOW)) == ["accepted"]
    assert [r.method for r in client.take_requests(NOW)] == ["DELETE"]


def test_changes_go_on_from_the_time_in_milliseconds():
    client, (order,) = taken_over(state(venue_order_id="v1"), now=NOW + 1_999_999)
    for _ in range(2):
        client.change(order, {"limit_price": "99"})
    names = [
        msgspec.json.decode(request.body)["client_order_id"]
        for request in client.take_requests(NOW)
    ]
    count = NOW // 1_000_000 + 1
    assert names == [f"old-1-r{count + 1}", f"old-1-r{count + 2}"]
    # News of such a name are of the order, whatever the count.
    news = shown(f"old-1-r{count + 1}", id="v2", replaces="v1")
    (event,) = client.receive_trade_update(frame("new", news), NOW)
    assert (event.kind, event.number) == ("modified", order.number)


# -- exits and pairs -------------------------------------------------------------------------------


def exits(*, parent: str = "old-1", **more: Any) -> list[OrderState]:
    """A limit and a stop that belong together."""
    terms = {"side": "sell", "parent": parent, "flags": ("is_exit", "is_child"), "status": "SENT"}
    terms |= more
    stop = {"order_type": "stop", "limit_price": "", "stop_price": "80"}
    return [
        state("old-2", sibling="old-3", **terms),
        state("old-3", sibling="old-2", **{**terms, **stop}),
    ]


def legs() -> list:
    return [
        shown("theirs-a", "held", id="va", type="stop"),
        shown("theirs-b", id="vb", type="limit"),
    ]


def test_exits_of_an_open_entry_are_told_from_what_it_shows():
    client, (entry, profit, stop) = taken_over(state(venue_order_id="v1"), *exits())
    events = client.ledger.apply(shown(id="v1", legs=legs()), NOW)
    assert [(e.kind, e.number) for e in events] == [
        ("held", stop.number),
        ("accepted", profit.number),
    ]
    assert [client.venue_of(order.number)[0] for order in (entry, profit, stop)] == [
        "v1",
        "vb",
        "va",
    ]


@pytest.mark.parametrize("by_a_look", [False, True])
def test_exits_of_an_open_entry_end_with_it(by_a_look):
    """Where a look was the first to show its end they stayed open, and nobody told of them."""
    client, (entry, profit, stop) = taken_over(state(venue_order_id="v1"), *exits())
    gone = shown(id="v1", status="canceled")
    client.orders.read_back(entry.number, NOW)
    if by_a_look:
        events = look(client, [gone])
    else:
        events = client.receive_trade_update(frame("canceled", gone), NOW)
    assert len(client.queue) == 0
    assert [(e.kind, e.number) for e in events] == [
        ("canceled", order.number) for order in (entry, profit, stop)
    ]


def test_exits_whose_entry_has_ended_are_found_by_its_name():
    client, (profit, stop) = taken_over(*exits())
    entry = shown("old-1", "filled", id="v1", legs=legs())
    events = client.ledger.apply(entry, NOW)
    assert [(e.kind, e.number) for e in events] == [
        ("held", stop.number),
        ("accepted", profit.number),
    ]
    # Of two whose entry has ended, the stop goes with the other.
    assert client.ledger.of(profit.number).legs == (client.ledger.of(stop.number),)
    assert client.ledger.of(stop.number).legs == ()


@pytest.mark.parametrize("parent", ["", "old-1"])
def test_of_a_pair_the_stop_ends_with_the_other_where_nobody_has_shown_it(parent):
    client, (profit, stop) = taken_over(*exits(parent=parent))
    seen = shown("old-2", "filled", id="v2", filled_qty="12", filled_avg_price="120")
    events = client.receive_trade_update(frame("fill", seen), NOW)
    assert [(e.WHAT, e.number) for e in events] == [
        ("fill", profit.number),
        ("answer", stop.number),
    ]


def test_of_a_pair_sent_from_here_both_halves_are_known_for_what_they_are():
    pair = (
        msgspec.structs.replace(each, client_order_id=f"old-{number}", sibling=f"old-{3 - number}")
        for number, each in enumerate(exits(parent="", flags=("is_child",)), 1)
    )
    _, (profit, stop) = taken_over(*pair)
    client = AlpacaClient("old-")
    client.submit(profit)
    (request,) = client.take_requests(NOW)
    assert msgspec.json.decode(request.body)["order_class"] == "oco"
    theirs = shown("theirs", "held", id="va", type="stop")
    mine = shown("old-1", id="v1", legs=[theirs])
    events = client.ledger.apply(mine, NOW)
    assert [(e.kind, e.number) for e in events] == [
        ("accepted", profit.number),
        ("held", stop.number),
    ]
    # Of another, whose stop nobody has shown, the stop ends with what it has filled.
    client = AlpacaClient("old-")
    client.submit(profit)
    seen = shown("old-1", "filled", id="v1", filled_qty="12", filled_avg_price="120")
    events = client.receive_trade_update(frame("fill", seen), NOW)
    assert [(e.WHAT, e.number) for e in events] == [
        ("fill", profit.number),
        ("answer", stop.number),
    ]


def test_exits_that_are_to_be_canceled_are_so_once_an_entry_that_has_ended_shows_them():
    client, _ = taken_over(*exits(cancel_wanted=True))
    look(client, [shown("old-1", "filled", id="v1", legs=legs())])
    paths = [request.path for request in client.take_requests(LATER) if request.method == "DELETE"]
    assert sorted(paths) == ["/v2/orders/va", "/v2/orders/vb"]


def test_of_a_pair_the_other_does_not_end_with_the_stop():
    client, (profit, stop) = taken_over(*exits(parent=""))
    seen = shown("old-3", "canceled", id="v3", type="stop")
    events = client.receive_trade_update(frame("canceled", seen), NOW)
    assert [(e.kind, e.number) for e in events] == [("canceled", stop.number)]
    assert not client.ledger.of(profit.number).final


@pytest.mark.parametrize(
    ("parent", "flags", "doubtful"),
    [
        # What another brings is where that one is; what our side keeps has left by itself.
        ("old-1", ("is_exit", "is_child"), [False, False]),
        ("old-1", ("is_exit", "is_child", "keeps_exits"), [True, True]),
        ("", ("is_child",), [True, False]),
        ("", ("is_child", "keeps_exits"), [True, True]),
    ],
)
def test_only_what_leaves_by_itself_can_be_in_doubt(parent, flags, doubtful):
    client, orders = taken_over(*exits(parent=parent, flags=flags, unknown="submit"))
    known = [client.ledger.of(order.number) for order in orders]
    assert [each.is_unknown for each in known] == doubtful
    assert [each.is_unknown for each in known] == [order.is_unknown for order in orders]
    kept = "keeps_exits" in flags
    assert [each.leg_type for each in known] == (["", ""] if kept else ["limit", "stop"])
    assert [len(each.legs) for each in known] == ([0, 0] if kept else [1, 0])


def test_exits_that_our_side_keeps_are_found_by_their_own_names_alone():
    client, orders = taken_over(*exits(flags=("is_exit", "is_child", "keeps_exits")))
    entry = shown("old-1", "filled", id="v1", legs=legs())
    assert client.ledger.apply(entry, NOW) == []
    (event,) = client.ledger.apply(shown("old-3", id="v3", type="stop"), NOW)
    assert (event.kind, event.number) == ("accepted", orders[1].number)
