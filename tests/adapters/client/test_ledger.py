"""The one apply that all news of orders goes through: whose it is, and what is new in it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from pyrt.adapters.alpaca.core.client import AlpacaClient
from pyrt.adapters.alpaca.core.events import Alarm, AnswerEvent
from pyrt.adapters.alpaca.core.known import Known, Part
from pyrt.adapters.alpaca.core.ledger import Execution, Ledger
from tests.adapters.client.exchange import PREFIX
from tests.adapters.client.test_order_path import NOW, body, kinds, submitted, view
from tests.adapters.client.test_replaced import LATER, SECOND_ONE, gone, told
from tests.adapters.client.test_state_news import partly


@pytest.fixture
def client() -> AlpacaClient:
    """A client with an order of ten at the broker."""
    made = AlpacaClient(PREFIX)
    made.receive_response(submitted(made), 200, body(), NOW)
    return made


# -- whose a view is -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "is_found"),
    [
        *((status, True) for status in ("new", "accepted", "held", "partially_filled", "filled")),
        *((status, False) for status in ("pending_new", "rejected", "canceled", "replaced")),
    ],
)
def test_what_another_has_put_in_an_orders_place_is_it_once_it_is_in_force(
    client, status, is_found
):
    other = view(status, id="theirs", client_order_id="by hand", replaces="venue-1")
    assert (client.ledger.find(other) is not None) is is_found
    unrelated = view(status, id="theirs", client_order_id="by hand", replaces="unknown")
    assert client.ledger.find(unrelated) is None
    fresh = view(status, id="theirs", client_order_id="by hand")
    assert client.ledger.find(fresh) is None


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("run-7", 7),
        ("run-7-r1", 7),
        ("run-7-anything", 7),
        ("run-07", 7),
        ("run-8", None),
        ("run-", None),
        ("run-x", None),
        ("run-7x", None),
        ("run-²", None),
        ("run-" + "7" * 5_000, None),
        ("run-1000000000", None),
        ("run-999999999", 999_999_999),
        ("old", 3),
        ("old-r1", 3),
        ("old-r1384", 3),
        ("old-rx", None),
        ("old-r", None),
        ("older", None),
        ("another-7", None),
        ("7", None),
        ("7-r1", None),
    ],
)
def test_an_order_is_known_by_its_name_and_by_those_of_its_replacements(name, number):
    ledger = Ledger("run-")
    for each in (7, 999_999_999, 1_000_000_000):
        ledger.add(Known(each, f"run-{each}"))
    ledger.adopt(Known(3, "old"), {})
    found = ledger.find(view(id="v", client_order_id=name))
    assert (None if found is None else found.number) == number
    assert ledger.is_ours("old")
    assert ledger.is_ours("run-anything")
    assert not ledger.is_ours("older")


def test_an_order_that_was_forgotten_is_found_by_nothing():
    ledger = Ledger("run-")
    known = Known(3, "old", venue_id="v2", next_id="v3")
    ledger.adopt(known, {"v1": Part(), "v2": Part()})
    ledger.expect(known, "v3")
    assert all(ledger.by_venue_id(name) is known for name in ("v1", "v2", "v3"))
    ledger.forget(3)
    assert [ledger.by_venue_id(name) for name in ("v1", "v2", "v3")] == [None] * 3
    assert not ledger.is_ours("old")
    assert ledger.get(3) is None
    with pytest.raises(KeyError):
        ledger.of(3)


def test_of_exits_left_behind_one_that_is_forgotten_leaves_the_other():
    ledger = Ledger("run-")
    for number, kind in ((2, "limit"), (3, "stop")):
        ledger.adopt(leg := Known(number, f"old-{number}", leg_type=kind), {})
        ledger.leave("entry", leg)
    shown = [view(id=f"v{kind}", client_order_id=kind, type=kind) for kind in ("limit", "stop")]
    entry = view("filled", id="e", client_order_id="entry", legs=shown)
    ledger.forget(2)
    assert [(e.kind, e.number) for e in ledger.apply(entry, NOW)] == [("accepted", 3)]
    # One that has an id by now is found by that.
    assert ledger.sight_left(replaced_legs(entry)) == []


def replaced_legs(entry):
    """The same entry with a stop under an id that nobody knows."""
    return view(
        "filled", id="e", client_order_id="entry",
        legs=[view(id="new", client_order_id="stop", type="stop")],
    )  # fmt: skip


# -- what is news ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("known", "more", "is_exceeded"),
    [
        ({"quantity": Decimal(10)}, 10, False),
        ({"quantity": Decimal(10)}, "10.000000001", True),
        ({"quantity": Decimal(10), "filled": Decimal(4)}, 6, False),
        ({"quantity": Decimal(10), "filled": Decimal(4)}, 7, True),
        ({}, 10**9, False),
        ({"quantity": Decimal(1), "notional": Decimal(100)}, 2, False),
    ],
)
def test_an_order_executes_no_more_than_its_size_where_that_is_known(known, more, is_exceeded):
    assert Known(1, "run-1", **known).is_exceeded_by(Decimal(more)) is is_exceeded


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("new", "accepted"), ("accepted", "accepted"), ("pending_new", "accepted"),
        ("held", "held"), ("canceled", "canceled"), ("expired", "expired"),
        ("rejected", "rejected"),
    ],
)  # fmt: skip
def test_any_sight_of_an_order_in_doubt_ends_the_doubt(client, status, kind):
    known = client.ledger.of(1)
    known.acknowledged, known.is_unknown = False, True
    assert client.ledger.apply(view(status), NOW, reason="why") == [
        AnswerEvent(kind, 1, NOW, "why")
    ]
    assert not known.is_unknown


def test_a_fill_ends_the_doubt_and_says_that_the_order_has_arrived(client):
    known = client.ledger.of(1)
    known.acknowledged, known.is_unknown = False, True
    assert told(client.ledger.apply(partly("3"), NOW)) == [("3",)]
    assert (known.is_unknown, known.acknowledged) == (False, True)
    assert client.ledger.apply(view("new"), NOW) == []
    assert client.ledger.apply(view("pending_cancel"), NOW) == []
    assert (known.filled, known.cost) == (3, 300)
    assert client.venue_of(1) == ("venue-1", "3", "300.000000000")


def test_fills_after_an_end_are_told_and_one_of_a_rejected_order_is_an_alarm(client):
    assert kinds(client.ledger.apply(view("canceled"), NOW)) == ["canceled"]
    assert told(client.ledger.apply(partly("3"), NOW)) == [("3",)]
    other = AlpacaClient(PREFIX)
    other.receive_response(submitted(other), 200, body("rejected"), NOW)
    text = f"{PREFIX}1 was filled"
    assert other.ledger.apply(partly("3"), NOW) == [Alarm("fill_after_reject", text, NOW)]
    assert other.ledger.of(1).filled == 0


def test_a_rejection_after_a_fill_ends_the_order_and_is_not_told(client):
    client.ledger.apply(partly("3"), NOW)
    assert client.ledger.apply(view("rejected", filled_qty="3"), NOW) == []
    assert client.ledger.of(1).final == "rejected"


def test_a_fill_whose_price_nobody_tells_is_no_end_yet(client):
    assert client.ledger.apply(view("filled", filled_qty="10"), NOW) == []
    assert client.ledger.of(1).final == ""
    # The latest execution has its price; the six before it have none.
    execution = Execution(Decimal(4), Decimal(101))
    shown = view("filled", filled_qty="10")
    assert client.ledger.apply(shown, NOW, execution=execution) == []
    done = view("filled", filled_qty="10", filled_avg_price="100")
    assert told(client.ledger.apply(done, NOW)) == [("10",)]
    assert client.ledger.of(1).final == "filled"


@pytest.mark.parametrize(
    ("quantity", "expected"),
    [
        # Known: four at 100. Now ten at an average of 101, which is 610 for six more.
        ("6", [("6", 102.0)]),
        ("5", [("1", 610 - 5 * 102), ("5", 102.0)]),
        # An execution that is larger than what is missing was told already, in part at least.
        ("7", [("6", 610 / 6)]),
    ],
)
def test_the_latest_execution_is_told_by_itself_where_it_is_all_new(client, quantity, expected):
    client.ledger.apply(partly("4"), NOW)
    execution = Execution(Decimal(quantity), Decimal(102))
    shown = view("filled", filled_qty="10", filled_avg_price="101")
    events = client.ledger.apply(shown, NOW, execution=execution)
    assert [(e.quantity, float(e.price)) for e in events] == [
        (units, pytest.approx(price, abs=1e-8)) for units, price in expected
    ]


@pytest.mark.parametrize(
    ("changes", "told_size"),
    [
        ({"qty": "7"}, "7"),
        ({"qty": "3"}, "3"),
        ({"qty": "10.0"}, None),
        ({"qty": None}, None),
        ({"qty": "0"}, None),
        # Less than it has filled it cannot be: that is old news.
        ({"qty": "2"}, None),
        ({"qty": "7", "id": "venue-0"}, None),
    ],
)
def test_a_size_that_the_broker_has_changed_is_told_once(client, changes, told_size):
    client.ledger.apply(partly("3"), NOW)
    shown = partly("3", **changes)
    events = client.ledger.resized(client.ledger.of(1), shown, LATER)
    assert events == [AnswerEvent("modified", 1, LATER, terms=(told_size, None, None))] * bool(
        told_size
    )
    assert client.ledger.resized(client.ledger.of(1), shown, LATER) == []
    client.ledger.of(1).final = "canceled"
    assert client.ledger.resized(client.ledger.of(1), partly("3", qty="8"), LATER) == []


@pytest.mark.parametrize(("status", "first"), [("new", "accepted"), ("held", "held")])
def test_with_another_size_an_order_in_doubt_has_arrived(client, status, first):
    known = client.ledger.of(1)
    known.acknowledged, known.is_unknown = False, True
    events = client.ledger.resized(known, view(status, qty="7"), LATER)
    assert kinds(events) == [first, "modified"]
    assert (known.is_unknown, known.held, known.acknowledged) == (
        False, first == "held", first == "accepted",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("status", "filled", "kinds_told", "in_force"),
    [
        ("pending_new", "0", [], "venue-1"),
        ("rejected", "0", ["modify_rejected"], "venue-1"),
        ("rejected", "3", ["modify_rejected", "fill"], "venue-1"),
        ("canceled", "0", ["modify_rejected"], "venue-1"),
        ("expired", "0", [], "venue-1"),
        ("new", "0", ["modified"], "venue-2"),
        ("accepted", "0", [], "venue-1"),
        ("held", "0", ["modified"], "venue-2"),
        ("partially_filled", "3", ["modified", "fill"], "venue-2"),
        ("filled", "10", ["modified", "fill"], "venue-2"),
    ],
)
def test_a_replacement_is_in_force_or_given_up_by_what_it_shows(
    client, status, filled, kinds_told, in_force
):
    client.ledger.expect(client.ledger.of(1), "venue-2")
    shown = view(status, filled_qty=filled, filled_avg_price="100", **SECOND_ONE)
    events = client.ledger.apply(shown, NOW, reason="too late")
    assert kinds(events) == kinds_told
    assert client.ledger.of(1).venue_id == in_force
    if kinds_told == ["modify_rejected"]:
        assert events == [AnswerEvent("modify_rejected", 1, NOW, "too late")]
    if kinds_told:
        # Once.
        assert kinds(client.ledger.apply(shown, NOW)) == []
        assert client.ledger.of(1).next_id == ""


def test_a_replacement_is_expected_under_an_id_that_is_new():
    ledger = Ledger("run-")
    known = ledger.add(Known(1, "run-1", venue_id="v1", parts={"v1": Part()}))
    for name, expected in (("", ""), ("v1", ""), ("v2", "v2")):
        ledger.expect(known, name)
        assert known.next_id == expected
    assert ledger.by_venue_id("v2") is known
    assert ledger.by_venue_id("") is None


def test_what_an_order_is_replaced_by_is_noted_before_it_is_so(client):
    """While the replace is pending, the one that follows is known and not in force."""
    pending = view("pending_replace", replaced_by="venue-2")
    assert client.ledger.apply(pending, NOW) == []
    known = client.ledger.of(1)
    assert (known.venue_id, known.next_id, known.is_replaced) == ("venue-1", "venue-2", False)
    assert client.ledger.apply(gone(), NOW) == []
    assert (known.venue_id, known.next_id, known.is_replaced) == ("venue-1", "venue-2", True)
    # Shown as canceled now, it had been in force.
    canceled = view("canceled", **SECOND_ONE, qty="7")
    assert kinds(client.ledger.apply(canceled, NOW)) == ["modified", "canceled"]
    assert (known.venue_id, known.next_id, known.is_replaced) == ("venue-2", "", False)


def test_a_late_fill_of_an_order_that_was_replaced_is_told_and_ends_nothing(client):
    client.ledger.apply(view("new", **SECOND_ONE), NOW)
    late = view("canceled", filled_qty="2", filled_avg_price="100")
    assert told(client.ledger.apply(late, NOW)) == [("2",)]
    assert client.ledger.of(1).final == ""
    everything = view("filled", filled_qty="10", filled_avg_price="100")
    assert told(client.ledger.apply(everything, NOW)) == [("10",)]
    assert client.ledger.of(1).final == "filled"


def test_a_fill_of_any_of_its_venue_orders_ends_the_doubt_about_an_order():
    ledger = Ledger("run-")
    known = Known(1, "run-1", venue_id="v2", is_unknown=True)
    ledger.adopt(known, {"v1": Part(), "v2": Part()})
    assert told(ledger.apply(partly("1", id="v1"), NOW)) == [("1",)]
    assert not known.is_unknown


def test_of_an_order_in_doubt_nothing_is_told_before_the_price_of_its_fill(client):
    known = client.ledger.of(1)
    known.acknowledged, known.is_unknown = False, True
    assert client.ledger.apply(view("filled", filled_qty="10"), NOW) == []
    done = view("filled", filled_qty="10", filled_avg_price="100")
    assert told(client.ledger.apply(done, NOW)) == [("10",)]


@pytest.mark.parametrize("end", ["canceled", "expired", "rejected"])
def test_what_has_ended_after_two_replaces_had_been_in_force(client, end):
    middle = view("replaced", replaced_by="venue-3", **{**SECOND_ONE, "qty": "12"})
    last = view(end, id="venue-3", client_order_id="r2", replaces="venue-2", qty="14")
    client.ledger.apply(gone(), NOW)
    assert told(client.ledger.apply(middle, NOW)) == [("modified", "12")]
    client.orders.read_back(1)
    (request,) = client.take_requests(NOW)
    assert request.path == "/v2/orders/venue-3?nested=true"
    assert told(client.ledger.apply(last, NOW)) == [("modified", "14"), (end,)]


def test_exits_are_paired_by_what_they_are_and_by_no_other(client):
    known = client.ledger.of(1)
    profit, stop = (
        client.ledger.add(Known(number, f"{PREFIX}{number}", leg_type=kind))
        for number, kind in ((2, "limit"), (3, "stop"))
    )
    known.legs = (profit, stop)
    legs = [
        view("held", id="va", client_order_id="a", type="stop_limit"),
        view("held", id="vb", client_order_id="b", type="limit"),
    ]
    events = client.ledger.apply(view("new", legs=legs), NOW)
    assert [(e.kind, e.number) for e in events] == [("held", 3), ("held", 2)]
    assert (stop.venue_id, profit.venue_id) == ("va", "vb")


@pytest.mark.parametrize("carried", ["6", "4", "3"])
@pytest.mark.parametrize(
    ("status", "kinds_told"),
    [("rejected", ["modify_rejected"]), ("pending_new", []), ("new", ["accepted", "modified"])],
)
def test_a_replacement_that_has_not_traded_shows_what_it_carries(status, kinds_told, carried):
    """That of its predecessor's was booked again after a restart, and hid that it was refused."""
    ledger = Ledger("run-")
    known = Known(1, "old-1", venue_id="v1", quantity=Decimal(20), filled=Decimal(6))
    ledger.adopt(known, {"v1": Part(Decimal(6), Decimal(600))})
    second = view(
        status, id="v2", client_order_id="old-1-r1", replaces="v1", qty="20",
        filled_qty=carried, filled_avg_price="100",
    )  # fmt: skip
    assert kinds(ledger.apply(second, NOW)) == kinds_told
    assert known.filled == 6
