"""A look at the whole account: what it asks for, page by page, and the state it comes to."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from pyrt.adapters.alpaca.core.client import AlpacaClient
from pyrt.adapters.alpaca.core.events import NoLookEvent
from pyrt.adapters.alpaca.core.pacing import SECOND
from pyrt.adapters.alpaca.core.rest import HttpRequest
from pyrt.adapters.alpaca.core.snapshot import (
    ACTIVITIES_MAX,
    KINDS,
    MIXED,
    ORDERS_MAX,
    SnapshotReader,
)
from pyrt.core.times import timestamp_ns
from pyrt.live.core.broker import BrokerAdjustment, BrokerFill, BrokerOrder, BrokerState
from tests.adapters.client.test_listing import ACCOUNT, NOW, order
from tests.adapters.simulator import contract

HOUR = 3600 * SECOND
AT = "2024-06-03T14:00:00Z"
CLOCK = {"timestamp": AT, "is_open": True, "next_close": "2024-06-03T20:00:00Z"}
THERE = timestamp_ns(AT)
"""What the broker's clock says; the one here is at `NOW`, an hour behind."""
EMPTY = {
    "clock": CLOCK, "flat": [], "open": [], "all": [], "activities": [], "account": ACCOUNT,
    "positions": [],
}  # fmt: skip


def drive(
    answers: dict[str, object], reader: SnapshotReader | None = None, age: int = 0, after: str = ""
) -> tuple[BrokerState, list[HttpRequest]]:
    """Answer a look step by step: lists of pages are in functions, which take the query."""
    reader = reader or SnapshotReader(("SPY", "BTC/USD"))
    request, asked = reader.begin(age, after), []
    while True:
        assert reader.is_busy
        asked.append(request)
        step = request.purpose.removeprefix("snapshot:")
        answer = {**EMPTY, **answers}[step]
        found = answer(query_of(request)) if callable(answer) else answer
        came = reader.receive(request, msgspec.json.encode(found), NOW)
        if isinstance(came, BrokerState):
            assert not reader.is_busy
            return came, asked
        request = came


def query_of(request: HttpRequest) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(request.path).query).items()}


def activity(number: int, kind: str = "FILL", **fields: object) -> dict:
    return {"id": f"a{number:03}", "activity_type": kind, **fields}


def fill(number: int, time: str | None, cumulative: str | None = "1", **fields: object) -> dict:
    row = activity(number, transaction_time=time, price="100.5", qty="1", side="buy", symbol="SPY")
    return {**row, "cum_qty": cumulative, "order_id": "v", **fields}


def test_everything_is_asked_for_by_and_by_and_positions_last():
    _, asked = drive({}, age=HOUR, after="2024-06-02T00:00:00Z")
    assert [(r.method, r.body, r.host, urlsplit(r.path).path) for r in asked] == [
        ("GET", b"", "trading", path)
        for path in (
            "/v2/clock", "/v2/orders", "/v2/orders", "/v2/orders", "/v2/account/activities",
            "/v2/account", "/v2/positions",
        )
    ]  # fmt: skip
    common = {"limit": "500", "direction": "asc"}
    # Closed orders by the broker's clock, an hour back; open ones however old they are.
    assert [query_of(request) for request in asked[1:5]] == [
        {**common, "status": "open", "nested": "false"},
        {**common, "status": "open", "nested": "true"},
        {**common, "status": "all", "nested": "true", "after": "2024-06-03T13:00:00Z"},
        {"direction": "asc", "page_size": "100", "after": "2024-06-02T00:00:00Z"},
    ]


@pytest.mark.parametrize(
    ("age", "clock", "after"),
    [
        (0, AT, None),
        (HOUR, AT, "2024-06-03T13:00:00Z"),
        # There is nothing before 1970.
        (2 * THERE, AT, None),
        (THERE, AT, None),
        (THERE - 1, AT, "1970-01-01T00:00:00.000000001Z"),
        (HOUR, "1970-01-01T00:00:00Z", None),
    ],
)
def test_closed_orders_are_listed_as_far_back_as_was_asked(age, clock, after):
    _, asked = drive({"clock": {**CLOCK, "timestamp": clock}}, age=age)
    assert query_of(asked[3]).get("after") == after


@pytest.mark.parametrize(("age", "since"), [(0, 0), (HOUR, NOW - HOUR), (2 * NOW, 0), (NOW, 0)])
def test_a_state_says_by_our_clock_since_when_closed_orders_are_in_it(age, since):
    assert drive({}, age=age)[0].orders_after == since


def test_what_an_account_says_is_in_the_state():
    account = {
        **ACCOUNT, "cash": "-12.5", "equity": "1000.25", "multiplier": "4", "last_equity": "999.5",
        "shorting_enabled": True, "last_maintenance_margin": "250.75", "balance_asof": "2024-06-01",
    }  # fmt: skip
    held = [
        {"symbol": "SPY", "qty": "-3", "side": "short", "current_price": "530.1"},
        {"symbol": "BTCUSD", "qty": "0.5"},
        {"symbol": "NEW", "qty": "7", "current_price": None},
    ]
    state, _ = drive({"account": account, "positions": held})
    assert (state.ts, state.server_ts) == (NOW, THERE)
    assert (state.session_open, state.next_close) == (True, THERE + 6 * HOUR)
    assert (state.account, state.may_trade, state.status) == ("PA1", True, "ACTIVE")
    assert (state.cash, state.equity) == (Decimal("-12.5"), Decimal("1000.25"))
    assert (state.multiplier, state.shorting) == (4, True)
    assert state.last_equity == Decimal("999.5")
    assert state.last_maintenance == Decimal("250.75")
    assert state.balance_date == "2024-06-01"
    # Coins come without their slash; what the node does not know keeps the broker's name.
    assert state.positions == {"SPY": -3, "BTC/USD": Decimal("0.5"), "NEW": 7}
    assert state.prices == {"SPY": Decimal("530.1")}


def test_what_an_account_leaves_out_is_nothing():
    state, _ = drive({"clock": {"timestamp": AT, "is_open": False}})
    assert (state.session_open, state.next_close) == (False, 0)
    assert (state.multiplier, state.shorting, state.balance_date) == (0, False, "")
    assert (state.last_equity, state.last_maintenance) == (0, 0)
    assert (state.positions, state.prices, state.orders, state.fills) == ({}, {}, (), ())
    assert (state.adjustments, state.activities_until, state.raw) == ((), "", ((), ()))
    assert (state.orders_after, state.orders_complete) == (0, True)


@pytest.mark.parametrize(
    "changes", [{"status": "INACTIVE"}, {"trading_blocked": True}, {"account_blocked": True}]
)
def test_an_account_that_is_blocked_in_any_way_may_not_trade(changes):
    assert not drive({"account": {**ACCOUNT, **changes}})[0].may_trade


# -- orders ----------------------------------------------------------------------------------------

ENDED = ("filled", "canceled", "expired", "rejected", "replaced", "done_for_day", "calculated")


@pytest.mark.parametrize("status", [*ENDED, "new", "held", "pending_cancel", "stopped", "odd"])
def test_an_order_is_told_in_our_words(status):
    row = order("v", status=status, symbol="BTCUSD", filled_qty="0.25")
    state, _ = drive({"all": [row]})
    assert state.orders == (
        BrokerOrder(
            venue_order_id="v", client_order_id="of-v", symbol="BTC/USD", side="sell",
            status=status, is_open=status not in ENDED, filled=Decimal("0.25"),
        ),
    )  # fmt: skip
    assert [view.id for view in state.raw[0]] == ["v"]


def stamp(second: int) -> str:
    return f"2024-05-01T{14 + second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}Z"


def listing(rows: list[dict], *, limit: int = ORDERS_MAX) -> Callable[[dict[str, str]], list]:
    """Answer with the orders that were submitted after a time, as many as a page holds."""

    def page(query: dict[str, str]) -> list[dict]:
        after = timestamp_ns(query["after"]) if "after" in query else 0
        times = [timestamp_ns(row["submitted_at"] or row["created_at"]) for row in rows]
        return [row for row, ts in zip(rows, times, strict=True) if ts > after][:limit]

    return page


@pytest.mark.parametrize("step", ["flat", "open", "all"])
@pytest.mark.parametrize("count", [ORDERS_MAX - 1, ORDERS_MAX, ORDERS_MAX + 1, 2 * ORDERS_MAX + 5])
def test_pages_of_orders_are_read_to_the_last(step, count):
    rows = [order(f"o{n}", stamp(n)) for n in range(count)]
    # One without the time of its submission stands at a page's end.
    rows[min(count, ORDERS_MAX) - 1]["submitted_at"] = None
    state, asked = drive({step: listing(rows)})
    assert {each.venue_order_id for each in state.orders} == {f"o{n}" for n in range(count)}
    assert state.orders_complete
    # A page begins with the last of the one before it.
    assert len(asked) == 7 + (count - 1) // (ORDERS_MAX - 1)


def test_a_page_begins_at_the_instant_of_the_last_order_before_it():
    rows = [order(f"o{n}", stamp(n)) for n in range(ORDERS_MAX + 1)]
    for last in ({}, {"submitted_at": None}, {"created_at": None}):
        rows[ORDERS_MAX - 1] = {**order("last", stamp(ORDERS_MAX - 1)), **last}
        _, asked = drive({"open": listing(rows)})
        # 499 s after 14:00.
        assert query_of(asked[3])["after"] == "2024-05-01T14:08:18.999999999Z"


def test_orders_of_one_instant_on_both_sides_of_a_page_are_all_read():
    rows = [order(f"o{n}", stamp(min(n, ORDERS_MAX - 2))) for n in range(ORDERS_MAX + 1)]
    state, _ = drive({"all": listing(rows)})
    assert len(state.orders) == ORDERS_MAX + 1
    assert state.orders_complete


@pytest.mark.parametrize("step", ["flat", "open", "all"])
@pytest.mark.parametrize("count", [ORDERS_MAX - 1, ORDERS_MAX])
def test_a_page_that_leads_no_further_is_a_list_that_is_not_complete(step, count):
    """More orders of one instant than a page holds, or a page whose last tells no time."""
    state, asked = drive({step: [order(f"o{n}") for n in range(count)]})
    assert (len(state.orders), state.orders_complete) == (count, count < ORDERS_MAX)
    assert len(asked) == 7 + (count == ORDERS_MAX)
    timeless = [{**order(f"o{n}"), "submitted_at": None, "created_at": None} for n in range(count)]
    state, asked = drive({"all": timeless})
    assert (state.orders_complete, len(asked)) == (count < ORDERS_MAX, 7)
    # The next look is judged by its own pages.
    reader = SnapshotReader()
    drive({step: [order(f"o{n}") for n in range(count)]}, reader)
    state, _ = drive({}, reader)
    assert (state.orders_complete, state.orders) == (True, ())


@pytest.mark.parametrize(
    ("created", "is_taken"),
    [("2024-06-03T13:58:59.999999999Z", True), ("2024-06-03T13:59:00Z", False)],
)
def test_an_exit_in_the_flat_list_alone_counts_from_a_minute_on(created, is_taken):
    state, _ = drive({"flat": [order("exit", created)]})
    assert [each.venue_order_id for each in state.orders] == (["exit"] if is_taken else [])


def test_what_changed_while_the_lists_were_read_is_as_the_last_one_shows_it():
    shown = [order("v", status=status) for status in ("pending_new", "new", "filled")]
    state, _ = drive(dict(zip(("flat", "open", "all"), ([row] for row in shown), strict=True)))
    assert [each.status for each in state.orders] == ["filled"]


# -- activities ------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [0, 1, ACTIVITIES_MAX - 1, ACTIVITIES_MAX, ACTIVITIES_MAX + 1])
def test_pages_of_activities_are_read_to_the_last(count):
    rows = [activity(n, "FEE") for n in range(count)]
    tokens = []

    def page(query: dict[str, str]) -> list[dict]:
        tokens.append(query.get("page_token"))
        first = [row["id"] for row in rows].index(tokens[-1]) + 1 if tokens[-1] else 0
        return rows[first : first + ACTIVITIES_MAX]

    state, _ = drive({"activities": page})
    assert len(state.adjustments) == count
    assert tokens == [None, "a099"][: 1 + count // ACTIVITIES_MAX]


def test_a_broker_that_gives_the_same_page_again_is_not_asked_for_ever():
    rows = [activity(n, "FEE") for n in range(ACTIVITIES_MAX)]
    state, asked = drive({"activities": rows})
    assert (len(state.adjustments), len(asked)) == (ACTIVITIES_MAX, 8)


def test_executions_are_told_in_the_order_in_which_they_happened():
    first, second = "2024-06-03T13:00:00Z", "2024-06-03T13:00:01Z"
    rows = [
        fill(1, second),
        fill(2, first, "10"),
        fill(3, first, "9"),
        fill(5, first, "9"),
        fill(4, first, "9"),
        # Without a cumulative quantity it comes before one that has filled something.
        fill(6, first, None),
        fill(7, first, "0.5"),
        fill(8, None),
        fill(9, first, status="correct"),
    ]
    state, _ = drive({"activities": rows})
    numbers = ["a008", "a006", "a007", "a009", "a003", "a004", "a005", "a002", "a001"]
    assert [trade.id for trade in state.raw[1]] == numbers
    # What corrects another execution is none of its own.
    assert [each.activity_id for each in state.fills] == [n for n in numbers if n != "a009"]
    assert state.activities_until == second
    assert state.adjustments == ()


def test_times_are_compared_as_times_however_many_digits_they_have():
    """By its letters a time without a fraction is later than one with it in the same second."""
    times = ["2024-06-03T13:00:00Z", "2024-06-03T13:00:00.98Z", "2024-06-03T13:00:00.981482Z"]
    rows = [fill(n, time) for n, time in enumerate(times)]
    state, _ = drive({"activities": rows[::-1]})
    assert [trade.id for trade in state.raw[1]] == ["a000", "a001", "a002"]
    assert state.activities_until == times[-1]


def test_what_an_activity_does_not_have_may_be_null():
    names = (
        "transaction_time", "type", "price", "qty", "side", "symbol", "order_id", "cum_qty",
        "date", "net_amount", "description", "status",
    )  # fmt: skip
    bare = dict.fromkeys(names)
    rows = [activity(1, "INT", **bare), activity(2, "FILL", **bare)]
    state, _ = drive({"activities": rows})
    (change,), (execution,) = state.adjustments, state.fills
    assert (change.kind, change.symbol, change.quantity, change.amount) == ("interest", "", 0, 0)
    assert (execution.venue_order_id, execution.quantity, execution.price) == ("", 0, 0)
    assert (state.canceled, state.activities_until) == ((), "")


def test_an_execution_is_told_in_our_words():
    time = "2024-06-03T13:00:00.000000007Z"
    sold = fill(1, time, "2.5", qty="0.5", side="sell_short", symbol="BTCUSD", order_id="w")
    bare = {"id": "a000", "activity_type": "FILL", "side": "buy"}
    state, _ = drive({"activities": [sold, bare]})
    assert state.fills == (
        BrokerFill(
            activity_id="a000", venue_order_id="", symbol="", side="buy", quantity=Decimal(0),
            price=Decimal(0), cumulative=Decimal(0), ts_event=0,
        ),
        BrokerFill(
            activity_id="a001", venue_order_id="w", symbol="BTC/USD", side="sell",
            quantity=Decimal("0.5"), price=Decimal("100.5"), cumulative=Decimal("2.5"),
            ts_event=timestamp_ns(time),
        ),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "fields", "expected"),
    [
        ("SPLIT", {"symbol": "SPY"}, "split"),
        ("SC", {"symbol": "SPY"}, "symbol_change"),
        ("DIV", {"symbol": "SPY"}, "dividend"),
        ("DIVCGL", {"symbol": "SPY"}, "dividend"),
        ("FEE", {}, "fee"),
        ("FEE", {"description": "Stock Borrow Fee"}, "borrow"),
        ("CFEE", {"description": "Coin Pair Transaction Fee"}, "fee"),
        # Only a fee can be one for what is borrowed.
        ("INT", {"description": "borrow"}, "interest"),
        ("CSD", {}, "cash"),
        ("ACATS", {}, "correction"),
        ("CGD", {"symbol": "SPY"}, "dividend"),
        ("DIVNEW", {"symbol": "SPY"}, "dividend"),
        ("PTR", {"symbol": "SPY"}, "fee"),
        ("INTNRA", {}, "interest"),
        ("NC", {"symbol": "SPY"}, "symbol_change"),
        ("JNL", {"symbol": "SPY"}, "correction"),
        ("JNL", {}, "cash"),
        ("NEW", {"symbol": "SPY"}, "correction"),
        ("NEW", {}, "cash"),
    ],
)
def test_every_other_activity_is_a_change_of_a_known_kind(kind, fields, expected):
    row = activity(1, kind, qty="-2.5", net_amount="-0.01", date="2024-06-03", **fields)
    state, _ = drive({"activities": [row]})
    assert state.adjustments == (
        BrokerAdjustment(
            activity_id="a001", kind=expected, symbol=fields.get("symbol", ""),
            quantity=Decimal("-2.5"), amount=Decimal("-0.01"),
            text=f"{kind} {fields.get('description', '')}".strip(),
            ts_event=timestamp_ns("2024-06-03"),
        ),
    )  # fmt: skip
    assert (state.fills, state.raw[1]) == ((), ())


@pytest.mark.parametrize("kind", ["NEW", "MISC", "JNL"])
def test_what_moves_cash_alone_is_no_change_of_a_position(kind):
    row = activity(1, kind, symbol="SPY", net_amount="0.3", date="2024-06-03")
    (change,) = drive({"activities": [row]})[0].adjustments
    assert change.kind == "cash"


def test_every_type_of_activity_that_alpaca_documents_has_a_kind():
    contract.require_documents()
    listed = contract.document("trading")["components"]["schemas"]["ActivityType"]["enum"]
    # Executions are no bookings, and each type is decided once.
    assert set(listed) - {"FILL"} <= KINDS.keys() | MIXED
    assert not KINDS.keys() & MIXED


def test_what_is_canceled_is_told_apart_from_what_was_booked():
    rows = [
        activity(1, "DIV", symbol="SPY", net_amount="1", status="executed"),
        activity(2, "DIV", symbol="SPY", net_amount="2", status="canceled"),
        activity(3, "DIV", symbol="SPY", net_amount="3", status="correct"),
    ]
    state, _ = drive({"activities": rows})
    assert [each.activity_id for each in state.adjustments] == ["a001", "a003"]
    assert [(each.activity_id, each.amount) for each in state.canceled] == [("a002", 2)]


def test_a_change_that_tells_little_is_one_of_nothing():
    (change,) = drive({"activities": [activity(1, "JNLC")]})[0].adjustments
    assert (change.quantity, change.amount, change.ts_event, change.text) == (0, 0, 0, "JNLC")


# -- the client ------------------------------------------------------------------------------------


def test_there_is_one_look_at_a_time_and_a_state_comes_of_it():
    client = AlpacaClient("run-", symbols=("SPY",))
    assert client.look(HOUR, "2024-06-02T00:00:00Z")
    assert not client.look()
    told = []
    while requests := client.take_requests(NOW):
        (request,) = requests
        step = request.purpose.removeprefix("snapshot:")
        assert not told
        assert not client.look()
        answer = msgspec.json.encode(EMPTY[step])
        told = client.receive_response(request, 200, answer, NOW)
    (state,) = told
    assert (type(state), state.orders_after) == (BrokerState, NOW - HOUR)
    assert client.look()


def test_an_answer_that_makes_no_sense_is_asked_for_again_three_times_in_all():
    client = AlpacaClient("run-")
    client.look()
    now, texts = NOW, []
    for attempt in (1, 2, 3):
        (request,) = client.take_requests(now)
        assert request.attempt == attempt
        status, body = ((200, b"{}"), (0, b"ReadTimeout"), (200, b"{}"))[attempt - 1]
        told = client.receive_response(request, status, body, now)
        assert told[0].code == "query_failed"
        texts.append(told[0].text)
        now += 60 * SECOND
    assert texts[1] == "snapshot:clock: no answer (ReadTimeout)"
    assert "timestamp" in texts[2]
    assert told[1] == NoLookEvent(now - 60 * SECOND, texts[2])
    assert client.take_requests(now) == []
    assert client.look()


def test_a_position_that_is_no_number_costs_one_answer_and_not_the_look():
    client = AlpacaClient("run-")
    client.look()
    while True:
        (request,) = client.take_requests(NOW)
        step = request.purpose.removeprefix("snapshot:")
        if step == "positions":
            break
        client.receive_response(request, 200, msgspec.json.encode(EMPTY[step]), NOW)
    spoiled = b'[{"symbol":"SPY","qty":"many"}]'
    assert [e.code for e in client.receive_response(request, 200, spoiled, NOW)] == ["query_failed"]
    (again,) = client.take_requests(NOW + 5 * SECOND)
    assert (again.purpose, again.attempt) == ("snapshot:positions", 2)
    (state,) = client.receive_response(again, 200, b'[{"symbol":"SPY","qty":"5"}]', NOW)
    assert state.positions == {"SPY": 5}
