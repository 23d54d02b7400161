"""An order by notional: the broker never says how many units it comes to."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyrt.adapters.alpaca.core.client import AlpacaClient
from pyrt.adapters.alpaca.core.known import Known
from pyrt.adapters.alpaca.core.ledger import Execution, Ledger
from pyrt.adapters.alpaca.core.messages import OrderView
from tests.adapters.client.exchange import PREFIX, order

NOW = 1_381_152_600_000_000_000


@pytest.fixture
def ledger() -> Ledger:
    ledger = AlpacaClient(PREFIX).ledger
    ledger.add(Known(1, f"{PREFIX}1", notional=Decimal(100)))
    return ledger


def view(status: str, filled: str = "0", price: str | None = None) -> OrderView:
    return OrderView(
        id="venue-1", client_order_id=f"{PREFIX}1", symbol="SPY", side="buy", type="market",
        time_in_force="day", status=status, qty=None, notional="100", filled_qty=filled,
        filled_avg_price=price,
    )  # fmt: skip


def told(ledger: Ledger, *args: str, execution: Execution | None = None) -> list[tuple]:
    events = ledger.apply(view(*args), NOW, execution=execution)
    return [
        (event.kind, event.terms[0])
        if hasattr(event, "kind")
        else (event.quantity, float(event.price))
        for event in events
    ]


def test_filled_at_once_its_quantity_comes_before_its_fill(ledger):
    assert told(ledger, "new") == [("accepted", None)]
    assert told(ledger, "filled", "0.8", "125") == [("modified", "0.8"), ("0.8", 125)]
    assert ledger.of(1).final == "filled"
    assert told(ledger, "filled", "0.8", "125") == []


def test_filled_in_part_the_rest_is_taken_at_the_average_price(ledger):
    # 50 of the 100 are spent at 125: 0.4 more.
    assert told(ledger, "partially_filled", "0.4", "125") == [
        ("accepted", None),
        ("modified", "0.800000000"),
        ("0.4", 125),
    ]
    # The rest came cheaper: 0.5 at 100, after which the order has come to 0.9.
    assert told(ledger, "filled", "0.9", "111.111111111") == [
        ("modified", "0.9"),
        ("0.5", 100),
    ]


def test_of_an_order_whose_arrival_nobody_told_it_is_told_before_its_size(ledger):
    """Only what has arrived takes other terms; its fill was put aside, and its symbol halted."""
    assert told(ledger, "filled", "0.8", "125") == [
        ("accepted", None),
        ("modified", "0.8"),
        ("0.8", 125),
    ]


def test_it_is_never_complete_before_the_broker_says_so(ledger):
    told(ledger, "partially_filled", "0.8", "125")
    assert ledger.of(1).quantity == Decimal("0.800000001")
    assert told(ledger, "filled", "0.8", "125") == [("modified", "0.8")]


def test_it_grows_while_what_was_reckoned_is_filled_and_the_broker_goes_on(ledger):
    told(ledger, "partially_filled", "0.4", "125")
    assert told(ledger, "partially_filled", "0.8", "125") == [
        ("modified", "0.800000001"),
        ("0.4", 125),
    ]


def test_a_size_that_came_out_as_reckoned_is_no_news(ledger):
    told(ledger, "partially_filled", "0.4", "125")
    assert told(ledger, "filled", "0.8", "125") == [("0.4", 125)]


def test_an_order_that_is_sent_grows_by_the_smallest_unit_of_its_instrument():
    client = AlpacaClient(PREFIX)
    client.submit(order(1, quantity=0, notional="100"))
    assert told(client.ledger, "partially_filled", "0.8", "125")[1] == ("modified", "0.800000001")


def test_an_execution_states_the_price_where_the_order_does_not(ledger):
    execution = Execution(Decimal("0.4"), Decimal(125))
    events = told(ledger, "partially_filled", "0.4", execution=execution)
    assert events == [("accepted", None), ("modified", "0.800000000"), ("0.4", 125)]


def test_old_news_changes_nothing(ledger):
    told(ledger, "filled", "0.8", "125")
    assert told(ledger, "partially_filled", "0.4", "125") == []
    assert told(ledger, "new") == []


def test_once_it_has_ended_it_has_its_size(ledger):
    told(ledger, "filled", "0.8", "125")
    assert told(ledger, "filled", "0.9", "125") == [("0.1", 125)]


def test_it_never_comes_to_less_than_what_was_told(ledger):
    told(ledger, "partially_filled", "0.4", "125")
    assert told(ledger, "filled", "0.2", "125") == []


def test_a_fill_whose_price_nobody_tells_waits_for_it(ledger):
    assert told(ledger, "partially_filled", "0.4") == []
    assert told(ledger, "partially_filled", "0.4", "125")[1] == ("modified", "0.800000000")


def test_while_less_has_filled_than_was_reckoned_the_quantity_stays(ledger):
    told(ledger, "partially_filled", "0.4", "125")
    assert told(ledger, "partially_filled", "0.6", "120") == [("0.2", 110)]
    assert ledger.of(1).quantity == Decimal("0.8")


@st.composite
def spent(draw: st.DrawFn) -> list[tuple[str, Decimal, Decimal, Execution]]:
    """Fills that spend a hundred dollars: status, units and value so far, and the execution."""
    left, filled, cost, rows = Decimal(100), Decimal(0), Decimal(0), []
    shares = [*draw(st.lists(st.integers(5, 60), max_size=4)), 100]
    for number, share in enumerate(shares, 1):
        price = Decimal(draw(st.sampled_from(("98", "99.5", "100", "103.25"))))
        units = (left * share / 100 / price).quantize(Decimal("1e-9"))
        filled, cost, left = filled + units, cost + units * price, left - units * price
        status = "filled" if number == len(shares) else "partially_filled"
        rows.append((status, filled, cost, Execution(units, price)))
    return rows


@given(spent(), st.data())
def test_its_size_is_never_below_what_has_filled_in_whatever_order_news_come(rows, data):
    ledger = AlpacaClient(PREFIX).ledger
    known = ledger.add(Known(1, f"{PREFIX}1", notional=Decimal(100)))
    size = total = Decimal(0)
    for status, filled, cost, execution in [
        *data.draw(st.lists(st.sampled_from(rows), max_size=8)),
        rows[-1],
    ]:
        shown = view(status, f"{filled:f}", f"{cost / filled:.9f}")
        heard = execution if data.draw(st.booleans()) else None
        for event in ledger.apply(shown, NOW, execution=heard):
            if event.WHAT == "fill":
                total += Decimal(event.quantity)
            elif event.kind == "modified":
                size = Decimal(event.terms[0])
            assert total <= size
    _, filled, cost, _ = rows[-1]
    assert total == size == filled
    assert abs(known.cost - cost) < Decimal("1e-5")
    assert known.final == "filled"
