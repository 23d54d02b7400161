"""What an operator, and the node itself, halts, resumes and closes: at once, once, and told."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace as Stub
from typing import Any

import msgspec
import pytest

from pyrt.adapters.alpaca.node.companions import carry_out
from pyrt.errors import ConfigError, PyrtError
from pyrt.live.driver.operating import Operators, _brought_by
from pyrt.live.journal import records as r
from pyrt.live.journal.journal import read_records
from pyrt.live.plan import Policies
from pyrt.live.process.control import Request
from pyrt.testing.files import MemoryFiles
from tests.live.test_gate_changes import LIMITS
from tests.live.test_gate_changes import node as limited
from tests.live.test_hands import Holds, Watches, strategies
from tests.live.test_walking_skeleton import bars
from tests.live.whole import PHASES, SECOND, Node, World


class Shorts(Watches):
    """Is short of some of what the other holds."""

    def on_bar(self, bar):
        super().on_bar(bar)
        if self.seen == 1:
            self.sell("SPY", 4)


@pytest.fixture
def node() -> Node:
    """A node that holds ten, with two orders below the market."""
    found = Node(World([bars([100.0] * 40)]), MemoryFiles(), strategies(), run_id="one")
    found.start()
    found.run(4 * PHASES)
    return found


def lose_the_disk(node: Node) -> None:
    """Let the journal fail, and nothing of it be noticed yet."""
    node.files.faults.sync_error = 1.0
    node.journal.record(r.Alarmed(ts=1, code="x", text="x"))
    node.journal.commit()
    assert node.journal.failure is not None


def place_by_hand(node: Node, name: str = "by-hand") -> None:
    """Somebody places an order at the broker's page: it halts its symbol at the next look."""
    body = b'{"symbol":"SPY","qty":"1","side":"buy","type":"limit","limit_price":"80",'
    body += b'"time_in_force":"gtc","client_order_id":"%s"}' % name.encode()
    node.world.simulator.request("POST", "/v2/orders", body)


def look(node: Node) -> None:
    node.driver.look(node.world.now)
    node.settle(node.world.now)


def state(node: Node, symbol: str | None = None) -> str:
    return str(node.kernel.gate.state(symbol=symbol).name)


def codes(node: Node) -> list[str]:
    return [code for code, _ in node.alarms]


# -- a journal that fails --------------------------------------------------------------------------


@pytest.mark.parametrize("is_halted", [False, True])
def test_a_journal_that_fails_is_told_once_whoever_has_halted_before(node, is_halted):
    if is_halted:
        # As the control interface does it: nothing leaves while the kernel is busy.
        node.driver.latch.set("anna: prices look odd")
        node.driver.operate("halt", "anna", "prices look odd")
    lose_the_disk(node)
    assert "journal" not in codes(node)
    for hours in range(3):
        node.driver.turn(node.world.now + hours * 3_600 * SECOND)
    assert codes(node).count("journal") == 1
    assert node.driver.latch.is_set
    assert state(node) == "HALTED"


def test_while_the_journal_fails_nothing_is_resumed_and_a_flatten_says_what_it_cannot(node):
    lose_the_disk(node)
    node.driver.turn(node.world.now)
    with pytest.raises(ConfigError, match="the journal cannot be written") as refused:
        node.driver.operate("resume", "anna", "fine")
    assert refused.value.code == "journal"
    assert state(node) == "HALTED"
    done = node.driver.operate("reduce", "anna", "leave")
    assert done == "everything is reducing, but no order leaves: the journal cannot be written"
    assert node.driver.latch.is_set


# -- the latch -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "what", "is_set"),
    [
        ("resume", {}, False),
        ("resume", {"symbol": "SPY"}, True),
        ("resume", {"strategy": "Holds"}, True),
        ("flatten", {}, False),
        ("reduce", {}, False),
        ("reduce", {"symbol": "SPY"}, True),
        ("reduce", {"strategy": "Holds"}, True),
        ("cancel_all", {}, True),
        ("halt", {}, True),
    ],
)
def test_what_is_about_everything_lets_orders_leave_again_and_no_more(node, action, what, is_set):
    node.driver.latch.set("anna: enough")
    node.driver.operate(action, "anna", "so", **what)
    assert node.driver.latch.is_set is is_set


@pytest.mark.parametrize(
    ("before", "is_latched", "closes"),
    [
        ({}, False, True),
        ({}, True, False),
        ({"action": "halt"}, False, False),
        ({"action": "reduce"}, False, True),
        ({"action": "reduce", "symbol": "SPY"}, False, True),
    ],
)
def test_what_is_halted_is_not_closed_and_whoever_asks_is_told(node, before, is_latched, closes):
    if before:
        node.driver.operate(actor="anna", reason="odd", **before)
    if is_latched:
        node.driver.latch.set("anna: enough")
    if closes:
        assert node.driver.operate("close", "anna", "out", symbol="SPY") == "1 orders close SPY"
        return
    with pytest.raises(ConfigError, match="trading is HALTED, and SPY is not closed") as refused:
        node.driver.operate("close", "anna", "out", symbol="SPY")
    assert refused.value.code == "halted"
    assert "Flatten, which closes everything" in str(refused.value)


@pytest.mark.parametrize(
    ("halted", "barred"),
    [
        ([{"symbol": "SPY"}], "SPY"),
        ([{"strategy": "Holds"}], "Holds"),
        ([{"strategy": "Holds"}, {"symbol": "SPY"}], "SPY, Holds"),
        # It holds nothing: there is nothing to close of it.
        ([{"strategy": "Watches"}], ""),
    ],
)
def test_what_is_halted_by_name_is_not_closed_and_whoever_asks_is_told(node, halted, barred):
    """It said that one order closes SPY; that was denied, and nobody told."""
    for what in halted:
        node.driver.operate("halt", "anna", "odd", **what)
    if barred:
        with pytest.raises(ConfigError, match=f"nothing leaves while {barred} is HALTED,") as no:
            node.driver.operate("close", "anna", "out", symbol="SPY")
        assert (no.value.code, no.value.remedy) == ("halted", "Reduce or resume that first")
    done = node.driver.operate("flatten", "anna", "out")
    left = f", but no order leaves SPY of Holds yet: reduce or resume {barred} first"
    assert done == "everything is being closed" + left * bool(barred)
    node.settle(node.world.now)
    node.run(3 * PHASES)
    assert [position.quantity for position in node.kernel.cache.positions()] == [10] * bool(barred)
    if barred:
        for what in halted:
            node.driver.operate("resume", "anna", "let it go", **what)
        node.run(3 * PHASES)
    assert node.kernel.cache.positions() == []


@pytest.mark.parametrize(("on_trip", "closes"), [("reducing", True), ("halted", False)])
def test_what_the_breaker_denies_is_not_closed_and_whoever_asks_is_told(on_trip, closes):
    limits = LIMITS.replace(max_daily_loss=20, on_trip=on_trip)
    world = World([bars([100.0] * 4 + [95.0] * 40)])
    made = limited(world=world, strategies=[Holds()], limits=limits)
    made.run(8 * PHASES)
    left = ", but no order leaves SPY of Holds yet, and the circuit breaker is open"
    done = made.driver.operate("close", "anna", "out", symbol="SPY")
    assert done == "1 orders close SPY" + left * (not closes)
    done = made.driver.operate("flatten", "anna", "out")
    assert done == "everything is being closed" + left * (not closes)
    made.settle(world.now)
    made.run(3 * PHASES)
    assert len(made.kernel.cache.positions()) == (not closes)


def test_what_is_held_against_others_goes_after_them_and_is_named():
    made = Node(World([bars([100.0] * 40)]), MemoryFiles(), [Holds(), Shorts()], run_id="one")
    made.start()
    made.run(4 * PHASES)
    done = made.driver.operate("flatten", "anna", "out")
    assert done == "everything is being closed, but no order leaves SPY of Shorts yet"
    made.settle(made.world.now)
    made.run(6 * PHASES)
    assert made.kernel.cache.positions() == []


class Even(Watches):
    """Is short of all that the other holds."""

    def on_bar(self, bar):
        super().on_bar(bar)
        if self.seen == 1:
            self.sell("SPY", 10)


def test_what_strategies_hold_against_each_other_is_not_awaited():
    """The answer was that no order leaves yet, and the reason of the halt that all is flat."""
    made = Node(World([bars([100.0] * 40)]), MemoryFiles(), [Holds(), Even()], run_id="one")
    made.start()
    made.run(4 * PHASES)
    done = made.driver.operate("flatten", "anna", "out")
    assert done == "everything is being closed; SPY of Holds and Even comes to nothing and stays"
    made.settle(made.world.now)
    made.run(6 * PHASES)
    assert [position.quantity for position in made.kernel.cache.positions()] == [10, -10]
    assert made.kernel.gate.changes[-1].reason == "kill switch: everything is flat"


# -- halts that come again -------------------------------------------------------------------------


def test_what_the_node_has_halted_is_halted_once_while_it_is_so(node):
    place_by_hand(node)
    for _ in range(3):
        look(node)
    assert state(node, "SPY") == "HALTED"
    halts = [change for change in node.kernel.gate.changes if change.after == "HALTED"]
    assert len(halts) == 1
    records = [line for line in node.kernel.gate.changes if line.scope != "all"]
    assert len(records) == 1


@pytest.mark.parametrize("action", ["halt", "reduce", "resume"])
def test_what_a_start_goes_on_from_is_written_with_what_was_asked_for(node, action):
    """It came with the next turn: after a power cut a halt that is on record was forgotten."""
    if action == "resume":
        node.driver.operate("halt", "operator", "to look")
    before = node.journal.last
    node.driver.operate(action, "operator", "to look")
    node.journal.commit()
    written = [x for frame, x in read_records(node.files) if frame.sequence > before]
    asked = [isinstance(each, r.Operation) for each in written].index(True)
    risk = next(each for each in written[asked:] if isinstance(each, r.RiskState))
    wanted = {"halt": 2, "reduce": 1, "resume": 0}[action]
    assert msgspec.msgpack.decode(risk.saved)["states"]["everywhere"] == wanted


@pytest.mark.parametrize("by", ["operator", "program"])
def test_what_is_resumed_and_not_gone_is_halted_again_at_the_next_look(node, by):
    place_by_hand(node)
    look(node)
    if by == "operator":
        node.driver.operate("resume", "anna", "mine", symbol="SPY")
    else:
        node.kernel.gate.set_state("active", "anna", "mine", symbol="SPY")
    assert state(node, "SPY") == "ACTIVE"
    look(node)
    assert state(node, "SPY") == "HALTED"


def test_what_a_program_lets_reduce_stays_so():
    made = limited()
    made.run(2 * PHASES)
    place_by_hand(made)
    look(made)
    made.driver.gate.set_state("reducing", "anna", "leave it", symbol="SPY")
    look(made)
    assert state(made, "SPY") == "REDUCING"


def test_a_resume_of_all_names_only_what_halts_all(node):
    place_by_hand(node)
    look(node)
    done = node.driver.operate("resume", "anna", "fine")
    assert done == "everything is active, but not SPY: resume that by name"


def test_what_halts_again_is_said_of_a_resume_and_of_nothing_else(node):
    place_by_hand(node)
    look(node)
    assert node.driver.operate("reduce", "anna", "leave it", symbol="SPY") == "SPY is reducing"
    assert node.driver.operate("resume", "anna", "so", strategy="Holds") == "Holds is active"
    done = node.driver.operate("resume", "anna", "mine", symbol="SPY")
    assert done.startswith("SPY is active; halted again at the next look while it is so: an order")


# -- what is done at once --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "what", "count"),
    [
        ("cancel_all", {}, 2),
        ("halt", {}, 2),
        ("close", {"symbol": "SPY"}, 1),
        ("flatten", {}, 2),
    ],
)
def test_what_is_asked_for_is_on_its_way_when_it_is_answered(node, action, what, count):
    node.driver.operate(action, "anna", "now", **what)
    node.journal.commit()
    assert len(node.driver.take_requests(node.world.now)) >= count


@pytest.mark.parametrize(
    "given",
    [
        {"action": "set_limit", "limit": "max_order_quantity", "value": "5"},
        {"action": "set_ramp", "value": "0.5"},
        {"action": "halt", "symbol": "SPY"},
        {"action": "lost", "order": "pyrt-one-1"},
    ],
)
def test_what_is_asked_over_the_line_is_made_durable_without_delay(given):
    """The node sleeps for a second otherwise, and what it said is done dies with it."""
    made, woken = limited(), []
    driver = made.driver
    driver.resolve_lost = lambda *given: None
    line = Stub(driver=driver, wake=lambda: woken.append(True), client_order_id=str)
    carry_out(line, Request(token="", actor="anna", reason="news", **given))
    assert woken


class Breaks(Holds):
    """Breaks when it hears that an order is lost."""

    def on_order(self, event):
        if event.kind == "lost":
            raise RuntimeError("what now")


def test_a_submit_that_is_given_up_is_told_to_its_strategy_at_once():
    world = World([bars([100.0] * 40)])
    first = Node(world, MemoryFiles(), [Breaks(), Watches()], run_id="one")
    first.start()
    first.on_request = lambda request, send: None if request.method == "POST" else send(request)
    first.run(4 * PHASES)
    made = Node(world, first.crash(), [Breaks(), Watches()], run_id="two")
    made.start()
    order = made.kernel.cache.orders_open()[0]
    assert order.is_unknown
    made.driver.resolve_lost(order.client_order_id, "anna", "not at the broker's")
    assert order.status == "LOST"
    assert made.kernel.strategies[0].running is False
    assert "strategy_stopped" in codes(made)
    with pytest.raises(ConfigError, match="is no order of unknown outcome") as refused:
        made.driver.resolve_lost(order.client_order_id, "anna", "again")
    assert refused.value.code == "not_unknown"


class Repeats(Holds):
    """Sends what is lost again."""

    def on_order(self, event):
        if event.kind == "lost":
            self.again = self.buy("SPY", 10)


def test_what_a_strategy_does_about_a_lost_order_is_on_its_way_at_once():
    made = Node(World([bars([100.0] * 40)]), MemoryFiles(), [Repeats()], run_id="one")
    made.start()
    made.on_request = lambda request, send: None if request.method == "POST" else send(request)
    made.run(PHASES)
    strategy = made.kernel.strategies[0]
    order = made.kernel.cache.orders_open()[0]
    made.driver.core.inputs.order_event("unknown", order.number, made.world.now, "no answer")
    made.driver.resolve_lost(order.client_order_id, "anna", "not at the broker's")
    assert (order.status, strategy.again.status) == ("LOST", "SENT")


def leg(status: str) -> Stub:
    return Stub(status=status)


SENT, RESTS = leg("SENT"), leg("ACCEPTED")


@pytest.mark.parametrize(
    ("terms", "brought"),
    [
        ({}, []),
        ({"take_profit": SENT, "stop_loss": SENT}, [SENT, SENT]),
        # The broker has shown one of them: that is there.
        ({"take_profit": SENT, "stop_loss": RESTS}, [SENT]),
        ({"sibling": SENT}, [SENT]),
        ({"sibling": SENT, "parent": RESTS}, []),
        # Exits that are kept here leave by themselves.
        ({"take_profit": SENT, "stop_loss": SENT, "keeps_exits": True}, []),
    ],
)
def test_what_an_order_was_to_bring_is_lost_with_it_and_nothing_else(terms, brought):
    none = dict.fromkeys(("take_profit", "stop_loss", "sibling", "parent"))
    assert _brought_by(Stub(**{**none, "keeps_exits": False, **terms})) == brought


def test_nothing_is_given_up_by_a_node_that_has_not_started():
    made = Node(World([bars([100.0] * 4)]), MemoryFiles(), strategies(), run_id="one")
    with pytest.raises(ConfigError, match="has not started yet") as refused:
        made.driver.resolve_lost("pyrt-one-1", "anna", "early")
    assert refused.value.code == "not_running"


# -- what cannot be --------------------------------------------------------------------------------


def put_aside(node: Node, **event: Any) -> None:
    node.driver.core.on_bad_event(Stub(**event), PyrtError("it fills more than there is"))


def test_an_event_that_cannot_be_halts_its_symbol_and_is_told(node):
    put_aside(node, number=node.kernel.strategies[0].lower.number)
    assert (state(node, "SPY"), state(node)) == ("HALTED", "ACTIVE")
    assert ("bad_event", "SimpleNamespace: it fills more than there is") in node.alarms
    (change,) = node.kernel.gate.changes
    assert (change.actor, change.scope) == ("node", "symbol SPY")
    assert change.reason == "an event that cannot be: it fills more than there is"


@pytest.mark.parametrize("event", [{}, {"number": -1}, {"number": 9_999}])
def test_an_event_that_cannot_be_of_no_order_of_ours_halts_everything(node, event):
    put_aside(node, **event)
    assert state(node) == "HALTED"
    assert "bad_event" in codes(node)


@pytest.mark.parametrize(
    ("held", "order", "leaves"),
    [
        ("1", None, False),
        ("1", ("market", -1), True),
        ("-1", ("market", 1), True),
        # What works on the same side adds to it; what rests may never fill.
        ("0.5", ("market", 1), False),
        ("-0.5", ("market", -1), False),
        ("1", ("stop", -1), False),
        ("-1", ("limit", 1), False),
    ],
)
def test_what_is_held_leaves_by_a_market_order_against_it(held, order, leaves):
    """With a gate of a user's own, which may have no states."""
    position = Stub(strategy=0, symbol="SPY", quantity_exact=Decimal(held))
    orders = [Stub(order_type=order[0], side_sign=order[1])] if order else []
    cache = Stub(positions=lambda symbol: [position], orders_open=lambda strategy, symbol: orders)
    kernel = Stub(gate=object(), cache=cache, strategies=[Stub(name="Holds")])
    operators = Operators(Stub(live_core=Stub(kernel=kernel), latch=Stub(is_set=True)), None)
    operators._check_may_close("SPY")
    left = ", but no order leaves SPY of Holds yet"
    assert operators._not_closed("SPY") == ("" if leaves else left)


# -- what the broker does not hold -----------------------------------------------------------------


def sold_by_hand(quantity: int, on_stop: str = "cancel_entries") -> Node:
    """Ten are held here, and somebody has sold some of them at the broker's page."""
    found = Node(
        World([bars([100.0] * 60)]), MemoryFiles(), strategies(), run_id="one",
        policies=Policies(looks=1, warmup=0, on_stop=on_stop),
    )  # fmt: skip
    found.start()
    found.run(4 * PHASES)
    body = b'{"symbol":"SPY","qty":"%d","side":"sell","type":"market",' % quantity
    body += b'"time_in_force":"day","client_order_id":"by-hand"}'
    found.world.simulator.request("DELETE", "/v2/orders", b"")
    answer = found.world.simulator.request("POST", "/v2/orders", body)
    assert answer.status == 200, answer
    found.run(4 * PHASES)
    for _ in range(4):
        look(found)
    assert "position_mismatch" in codes(found)
    found.driver.operate("resume", "anna", "looked", symbol="SPY")
    return found


def at_the_broker(node: Node) -> Decimal:
    stated = msgspec.json.decode(node.world.simulator.request("GET", "/v2/positions", b"").body)
    return sum((Decimal(each["qty"]) for each in stated), Decimal(0))


@pytest.mark.parametrize(("sold", "left"), [(10, 0), (4, 6)])
def test_what_the_broker_does_not_hold_is_not_closed(sold, left):
    """It opened the other side: ten were sold that had been sold at the broker's page."""
    node = sold_by_hand(sold)
    with pytest.raises(ConfigError, match=f"SPY is {left} at the broker and 10 here: ") as caught:
        node.driver.operate("close", "anna", "its exits are gone", symbol="SPY")
    assert caught.value.code == "position_mismatch"
    done = node.driver.operate("flatten", "anna", "all of it")
    node.run(4 * PHASES)
    assert at_the_broker(node) == left
    assert state(node, "SPY") == "HALTED"
    assert f"SPY is {left} at the broker and 10 here" in done
    assert "resume" not in done


@pytest.mark.parametrize(("sold", "left"), [(10, 0), (4, 6)])
def test_nor_by_a_stop_that_flattens(sold, left):
    node = sold_by_hand(sold, on_stop="flatten")
    node.driver.stop(node.world.now)
    node.run(4 * PHASES)
    assert at_the_broker(node) == left
    assert state(node, "SPY") == "HALTED"


def test_what_the_broker_holds_more_of_is_closed():
    node = sold_by_hand(10)
    body = b'{"symbol":"SPY","qty":"15","side":"buy","type":"market","time_in_force":"day"}'
    node.world.simulator.request("POST", "/v2/orders", body)
    node.run(4 * PHASES)
    for _ in range(4):
        look(node)
    node.driver.operate("resume", "anna", "looked", symbol="SPY")
    assert node.driver.operate("close", "anna", "news", symbol="SPY").startswith("1 orders close")
    node.run(4 * PHASES)
    assert at_the_broker(node) == 5
