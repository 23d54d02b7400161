"""What has taken the place of an order at the broker, while nobody here heard of it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from pyrt.adapters.alpaca.core.client import AlpacaClient
from pyrt.adapters.alpaca.core.ledger import Execution
from pyrt.adapters.alpaca.core.snapshot import ActivityView
from pyrt.live.core.broker import BrokerState
from tests.adapters.client.exchange import PREFIX, order
from tests.adapters.client.test_order_path import NOW, SECOND, body, kinds, submitted, view

SECOND_ONE = {"id": "venue-2", "client_order_id": f"{PREFIX}1-r1", "replaces": "venue-1"}
LATER = NOW + 60 * SECOND


@pytest.fixture
def client() -> AlpacaClient:
    """A client with an order of ten at the broker, and no stream."""
    made = AlpacaClient(PREFIX)
    made.receive_response(submitted(made), 200, body(), NOW)
    return made


def look(client: AlpacaClient, views, trades=()):
    """Apply a look at the account that shows these orders and executions."""
    state = BrokerState(
        ts=LATER, account="a", may_trade=True, status="ACTIVE", cash=Decimal(0), equity=Decimal(0),
        positions={}, orders=(), fills=(), adjustments=(), raw=(views, trades),
    )  # fmt: skip
    return client.apply(state)


def execution(venue_id: str, quantity: str, cumulative: str) -> ActivityView:
    return ActivityView(
        id=f"{venue_id}-{cumulative}", activity_type="FILL", price="100", qty=quantity,
        cum_qty=cumulative, side="buy", symbol="SPY", order_id=venue_id,
        transaction_time="2013-10-07T13:30:30Z",
    )  # fmt: skip


def gone(**changes):
    return view("replaced", replaced_by="venue-2", **changes)


def told(events):
    return [
        (e.cumulative,) if e.WHAT == "fill" else (e.kind, *(t for t in e.terms if t))
        for e in events
    ]


def test_an_execution_of_a_replacement_comes_after_its_terms(client):
    """Twelve were more than the ten that were known, so the fill was put aside for ever."""
    filled = view("filled", filled_qty="12", filled_avg_price="100", **SECOND_ONE, qty="12")
    events = look(client, [gone(), filled], [execution("venue-2", "12", "12")])
    assert told(events) == [("modified", "12"), ("12",)]
    assert client.ledger.of(1).final == "filled"


def test_a_replacement_that_no_list_shows_is_looked_at_before_its_executions_count(client):
    """Lists may leave out what has ended."""
    assert look(client, [gone()], [execution("venue-2", "12", "12")]) == []
    (request,) = client.take_requests(LATER)
    assert request.path == "/v2/orders/venue-2?nested=true"
    filled = body("filled", filled_qty="12", filled_avg_price="100", **SECOND_ONE, qty="12")
    assert told(client.receive_response(request, 200, filled, LATER)) == [
        ("modified", "12"), ("12",),
    ]  # fmt: skip


@pytest.mark.parametrize("end", ["canceled", "expired", "rejected"])
def test_an_order_ends_with_what_took_its_place(client, end):
    """It stayed open here, and every look showed the one that was replaced long ago."""
    events = look(client, [gone(), view(end, **SECOND_ONE, qty="12")])
    assert kinds(events) == ["modified", end]


def test_a_look_at_a_replaced_order_goes_on_to_the_one_in_force(client):
    client.orders.read_back(1)
    (request,) = client.take_requests(LATER)
    shown = body("replaced", replaced_by="venue-2")
    assert client.receive_response(request, 200, shown, LATER) == []
    (request,) = client.take_requests(LATER + 5 * SECOND)
    assert request.path == "/v2/orders/venue-2?nested=true"
    ended = body("expired", **SECOND_ONE, qty="12")
    assert kinds(client.receive_response(request, 200, ended, LATER)) == ["modified", "expired"]


def test_a_replacement_taken_for_refused_is_followed_once_the_other_is_shown_as_replaced(client):
    """News of the replacement alone may come first: canceled, it looks as if it never was."""
    client.change(order(1), {"quantity": "12"})
    (patch,) = client.take_requests(NOW)
    pending = body("pending_new", **SECOND_ONE, qty="12")
    client.receive_response(patch, 200, pending, NOW)
    canceled = view("canceled", **SECOND_ONE, qty="12")
    assert kinds(client.ledger.apply(canceled, LATER)) == ["modify_rejected"]
    assert client.ledger.apply(gone(), LATER) == []
    assert kinds(client.ledger.apply(canceled, LATER)) == ["modified", "canceled"]


def test_replacements_of_replacements_are_followed_to_the_last(client):
    middle = view("replaced", replaced_by="venue-3", **SECOND_ONE, qty="12")
    last = view(
        "filled", id="venue-3", client_order_id=f"{PREFIX}1-r2", replaces="venue-2", qty="14",
        filled_qty="14", filled_avg_price="100",
    )  # fmt: skip
    events = look(client, [gone(), middle, last], [execution("venue-3", "14", "14")])
    assert told(events)[-2:] == [("modified", "14"), ("14",)]


def test_an_order_that_was_replaced_before_it_was_acknowledged_is_accepted_first():
    """The change alone was news that no order on its way can take, and was put aside for ever."""
    client = AlpacaClient(PREFIX)
    client.receive_response(submitted(client), 200, body("pending_new"), NOW)
    client.change(order(1), {"quantity": "12"})
    client.take_requests(NOW)
    replaced = view("new", **SECOND_ONE, qty="12")
    assert told(client.ledger.apply(replaced, LATER)) == [("accepted",), ("modified", "12")]
    filled = view("filled", filled_qty="12", filled_avg_price="100", **SECOND_ONE, qty="12")
    assert told(client.ledger.apply(filled, LATER)) == [("12",)]


def test_an_execution_of_what_took_its_place_waits_for_nothing_where_a_list_shows_it(client):
    client.change(order(1), {"quantity": "12"})
    (patch,) = client.take_requests(NOW)
    client.receive_response(patch, 200, body("pending_new", **SECOND_ONE, qty="12"), NOW)
    assert client.ledger.of(1).next_id == "venue-2"
    filled = view("filled", filled_qty="12", filled_avg_price="100", **SECOND_ONE, qty="12")
    events = look(client, [gone(), filled], [execution("venue-2", "12", "12")])
    assert told(events) == [("modified", "12"), ("12",)]
    assert "venue-2" not in " ".join(request.path for request in client.take_requests(LATER))


def test_an_execution_of_an_order_that_no_list_shows_any_more_counts_at_once(client):
    assert told(look(client, [], [execution("venue-1", "3", "3")])) == [("3",)]
    assert client.take_requests(LATER) == []


def test_an_exit_that_is_held_is_accepted_once_it_works(client):
    client.ledger.of(1).acknowledged = False
    assert kinds(client.ledger.apply(view("held"), NOW)) == ["held"]
    assert client.ledger.apply(view("held"), NOW) == []
    assert kinds(client.ledger.apply(view("new"), NOW)) == ["accepted"]


def test_a_clients_time_goes_with_its_answers_and_never_back(client):
    for at in (LATER, NOW):
        client.orders.read_back(1)
        (request,) = client.take_requests(LATER)
        client.receive_response(request, 200, body(), at)
        assert client.now == LATER


def test_an_execution_beyond_the_size_known_here_waits_for_a_look_where_no_list_shows_it(client):
    """Somebody made it larger, under the same id or one not told of: the fill was put aside."""
    assert look(client, [], [execution("venue-1", "12", "12")]) == []
    (request,) = client.take_requests(LATER)
    assert request.path == "/v2/orders/venue-1?nested=true"


def test_an_exit_that_grew_with_its_entry_fills_after_its_new_size_is_told(client):
    """Its entry was changed before the node died, and its exit filled while it was down."""
    filled = view("filled", filled_qty="30", filled_avg_price="100", qty="30")
    events = look(client, [filled], [execution("venue-1", "30", "30")])
    assert told(events) == [("modified", "30"), ("30",)]
    assert client.ledger.of(1).final == "filled"


def test_what_a_replacement_carries_is_judged_once_its_predecessors_executions_are_known():
    """Both were seen at once after a crash: what the first had filled counted twice."""
    old = gone(filled_qty="10", filled_avg_price="100", qty="12")
    new = view("partially_filled", filled_qty="10", filled_avg_price="100", **SECOND_ONE, qty="12")
    for views, trades in (
        ([new, old], [execution("venue-1", "10", "10")]),
        ([new, old], []),
    ):
        made = AlpacaClient(PREFIX)
        made.receive_response(submitted(made), 200, body(), NOW)
        events = look(made, views, trades)
        assert [e for e in told(events) if len(e) == 1] == [("10",)]
        assert [Decimal(text) for text in made.venue_of(1)[1:]] == [10, 1000]
        assert told(look(made, views, trades)) == []


def test_a_replacement_whose_executions_count_from_zero_is_told_by_the_first_of_them(client):
    """It had filled more than its predecessor: taken to carry that over, it lost as much."""
    events = look(
        client,
        [
            gone(filled_qty="4", filled_avg_price="100"),
            view("filled", filled_qty="6", filled_avg_price="100", **SECOND_ONE, qty="10"),
        ],
        [execution("venue-1", "4", "4"), execution("venue-2", "6", "6")],
    )
    assert told(events) == [("4",), ("modified", "10"), ("10",)]


def test_what_a_replacement_carries_has_its_price_too(client):
    """The two that were missed were told at six times their price: the average is of all twelve."""
    client.ledger.apply(view("partially_filled", filled_qty="10", filled_avg_price="100"), NOW)
    new = view("filled", filled_qty="12", filled_avg_price="101", **SECOND_ONE, qty="12")
    fill = look(client, [gone(filled_qty="10", filled_avg_price="100"), new])[-1]
    assert (fill.quantity, Decimal(fill.price)) == ("2", Decimal("106"))


@pytest.mark.parametrize("execution_told", [None, Execution(Decimal(2), Decimal(100))])
def test_what_a_replacement_had_at_first_sight_is_not_told_again_by_its_predecessor(
    client, execution_told
):
    """The news of the first fill was late: six were booked twice, and the last four refused."""
    new = view("partially_filled", filled_qty="6", filled_avg_price="100", **SECOND_ONE, qty="10")
    events = client.ledger.apply(new, NOW, execution=execution_told)
    assert told(events)[-1] == ("6",)
    before = "6" if execution_told is None else "4"
    old = gone(filled_qty=before, filled_avg_price="100")
    assert look(client, [old, new], [execution("venue-1", before, before)]) == []
    rest = view("filled", filled_qty="10", filled_avg_price="101", **SECOND_ONE, qty="10")
    (fill,) = look(client, [old, rest])
    assert (fill.quantity, fill.cumulative, Decimal(fill.price)) == ("4", "10", Decimal("102.5"))
    assert client.ledger.of(1).final == "filled"


def test_what_a_replacement_carries_is_judged_as_it_takes_the_others_place(client):
    """Seen before its predecessor filled, it counted from zero: ten were booked twice."""
    client.ledger.apply(view("pending_new", **SECOND_ONE, qty="30"), NOW)
    client.ledger.apply(view("partially_filled", filled_qty="10", filled_avg_price="100"), NOW)
    new = view("partially_filled", filled_qty="10", filled_avg_price="100", **SECOND_ONE, qty="30")
    assert told(look(client, [gone(filled_qty="10", filled_avg_price="100"), new])) == [
        ("modified", "30")
    ]
    rest = view("filled", filled_qty="30", filled_avg_price="100", **SECOND_ONE, qty="30")
    assert told(look(client, [rest])) == [("30",)]


def test_what_a_replaced_order_had_executed_is_its_own_however_late_it_is_shown(client):
    """It was taken for what the replacement carries, which counts from zero: three were lost."""
    assert told(client.ledger.apply(view("new", **SECOND_ONE, qty="12"), NOW)) == [
        ("modified", "12")
    ]
    late = gone(filled_qty="4", filled_avg_price="100")
    assert told(look(client, [late, view("new", **SECOND_ONE, qty="12")])) == [("4",)]
    more = view("partially_filled", filled_qty="3", filled_avg_price="100", **SECOND_ONE, qty="12")
    assert told(look(client, [more])) == [("7",)]
