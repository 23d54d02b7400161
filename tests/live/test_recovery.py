"""Start, crash, restart: what the journal knows comes back, and the broker's word counts."""

from __future__ import annotations

from decimal import Decimal
from random import Random
from typing import ClassVar

import msgspec
import pytest

from pyrt import Strategy
from pyrt.adapters.alpaca.core.account import account_request
from pyrt.errors import ConfigError, JournalError, PyrtError
from pyrt.live.journal import records as r
from pyrt.live.journal.journal import read_records
from pyrt.live.plan import Policies
from pyrt.live.replay.replay import replay
from pyrt.testing.files import DiskFaults, MemoryFiles
from tests.live.strategies import Cross as SmaCross
from tests.live.strategies import walk
from tests.live.test_walking_skeleton import bars
from tests.live.whole import SECOND, Node, World


class Collect(Strategy):
    """Buys once, keeps count over restarts."""

    symbol: str = "SPY"
    loaded: ClassVar[list] = []

    def on_start(self):
        self.subscribe_bars(self.symbol, "1m")
        self.seen = 0
        self.fills = []

    def on_bar(self, bar):
        self.seen += 1
        if self.position(self.symbol).is_flat:
            self.buy(self.symbol, 10)

    def on_fill(self, fill):
        self.fills.append((fill.quantity, fill.price))

    def on_save(self):
        return {"seen": self.seen}

    def on_load(self, state):
        self.seen = state["seen"]


class Rests(Collect):
    """Keeps one order far from the market, and a protective stop once it holds something."""

    def on_bar(self, bar):
        self.seen += 1
        if self.seen == 1:
            self.buy(self.symbol, 10)
            self.buy(self.symbol, 5, limit_price=50)

    def on_fill(self, fill):
        super().on_fill(fill)
        self.sell(self.symbol, 10, stop_price=40)


PRICES = bars([100.0, 101.0, 102.0, 103.0, 104.0, 105.0, 106.0, 107.0])


def node(world, files, kind=Collect, run_id="one", **options) -> Node:
    made = Node(world, files, [kind()], run_id=run_id, **options)
    made.start()
    return made


def test_a_run_leaves_a_journal_that_tells_it_all():
    world, files = World([PRICES]), MemoryFiles()
    first = node(world, files)
    first.run()
    first.stop()
    records = [record for _, record in read_records(files)]
    kinds = [type(record).__name__ for record in records]
    assert kinds[0] == "RunStart"
    assert kinds[-1] == "RunStop"
    assert kinds.index("Intent") < kinds.index("Execution")
    (fill,) = [record for record in records if isinstance(record, r.Execution)]
    assert (fill.quantity, fill.order.status) == ("10", "FILLED")
    assert first.journal.state.ended_well


def test_a_restart_brings_back_positions_and_what_strategies_saved():
    world, files = World([PRICES]), MemoryFiles()
    first = node(world, files)
    first.run(9)
    assert first.kernel.strategies[0].position("SPY").quantity == 10
    first.stop()
    cost = first.kernel.strategies[0].position("SPY").average_price
    second = node(world, files, run_id="two")
    strategy = second.kernel.strategies[0]
    assert strategy.position("SPY").quantity == 10
    assert strategy.position("SPY").average_price == cost
    assert strategy.seen == 3
    second.run()
    assert len(world.posted) == 1
    assert second.kernel.account.equity_exact == world.venue.account.equity_exact


def test_resting_orders_come_back_under_their_old_ids_and_can_be_canceled():
    world, files = World([PRICES]), MemoryFiles()
    first = node(world, files, Rests)
    first.run(9)
    ids = {o.client_order_id for o in first.kernel.cache.orders_open()}
    assert len(ids) == 2
    second = node(world, first.crash(), Rests, run_id="two")
    orders = second.kernel.cache.orders_open()
    assert {o.client_order_id for o in orders} == ids
    assert {(o.order_type, o.quantity, o.status) for o in orders} == {
        ("limit", 5.0, "ACCEPTED"),
        ("stop", 10.0, "ACCEPTED"),
    }
    for order in orders:
        second.kernel.strategies[0].cancel(order)
    second.settle(world.now)
    second.run(3)
    assert {o.status for o in orders} == {"CANCELED"}


def test_stopping_cancels_entries_and_leaves_protective_exits():
    world, files = World([PRICES]), MemoryFiles()
    first = node(world, files, Rests)
    first.run(9)
    first.stop()
    (left,) = first.journal.state.orders.values()
    assert (left.order_type, left.status) == ("stop", "ACCEPTED")


@pytest.mark.parametrize(
    ("policy", "orders", "quantity"),
    [("leave", 2, 10), ("cancel_all", 0, 10), ("flatten", 0, 10)],
)
def test_other_policies_at_stop_by_name(policy, orders, quantity):
    world, files = World([PRICES]), MemoryFiles()
    policies = Policies(looks=1, warmup=0, on_stop=policy)
    first = node(world, files, Rests, policies=policies)
    first.run(9)
    first.driver.stop(world.now)
    first.settle(world.now)
    if policy == "flatten":
        # The closing order meets the next bar's open; the stop waits for it.
        assert first.driver.is_running
        first.run(3)
        assert first.kernel.cache.positions() == []
        return
    assert len(first.kernel.cache.orders_open()) == orders
    assert first.kernel.strategies[0].position("SPY").quantity == quantity


def stopped_flat(patience_ns: int, *, halts: bool = False) -> Node:
    """A node that was stopped by the policy `flatten`, and has been given three more bars."""
    world, files = World([PRICES]), MemoryFiles()
    policies = Policies(looks=1, warmup=0, on_stop="flatten", stop_patience_ns=patience_ns)
    first = node(world, files, Rests, policies=policies)
    first.run(9)
    first.driver.stop(world.now)
    if halts:
        first.driver.operate("halt", "anna", "prices look odd")
    first.run(3)
    return first


def test_a_stop_that_has_left_everything_halts_no_later_run():
    first = stopped_flat(3600 * SECOND)
    assert not first.driver.is_running
    second = node(first.world, first.files, Rests, run_id="two")
    second.run(3)
    assert second.kernel.gate.state().name == "ACTIVE"
    (lifted,) = [c for c in second.kernel.gate.changes if c.after == "ACTIVE"]
    assert (lifted.actor, lifted.before) == ("node", "HALTED")


def test_a_stop_that_could_not_leave_everything_and_an_operators_halt_stay():
    for first in (stopped_flat(10 * SECOND), stopped_flat(3600 * SECOND, halts=True)):
        assert first.kernel.gate.state().name in ("HALTED", "REDUCING")
        first.driver.finish(first.world.now)
        second = node(first.world, first.files, Rests, run_id="two")
        second.run(1)
        assert second.kernel.gate.state().name in ("HALTED", "REDUCING")


def left_behind(node: Node) -> list[str]:
    return [text for code, text in node.alarms if code == "left_behind"]


def test_a_stop_tells_which_cancels_the_broker_has_not_taken():
    """From then on nobody looks after them, and the entry may fill."""
    for is_lost in (False, True):
        world, files = World([PRICES]), MemoryFiles()
        first = node(world, files, Rests)
        first.run(9)
        if is_lost:
            first.on_request = lambda request, send: (
                None if request.method == "DELETE" else send(request)
            )
        first.stop()
        if not is_lost:
            assert left_behind(first) == []
            continue
        (text,) = left_behind(first)
        (entry,) = [o for o in first.kernel.cache.orders_open() if not o.is_exit]
        assert f"buy 5 SPY ({entry.client_order_id}): its cancel is not answered" in text
        # What is a wish in the journal still is carried out by the next run.
        second = node(world, files, Rests, run_id="two")
        second.settle(world.now)
        assert entry.client_order_id in second.journal.state.closed


def test_a_stop_that_could_not_leave_everything_says_what_is_held():
    world, files = World([PRICES]), MemoryFiles()
    policies = Policies(looks=1, warmup=0, on_stop="flatten", stop_patience_ns=0)
    first = node(world, files, Rests, policies=policies)
    first.run(9)
    first.driver.stop(world.now)
    first.settle(world.now)
    first.driver.turn(world.now)
    assert not first.driver.is_running
    (text,) = left_behind(first)
    assert "by the policy flatten" in text
    assert "10 SPY is held" in text


@pytest.mark.parametrize("on_stop", ["flatten", "leave"])
def test_a_symbol_may_be_left_out_once_nothing_is_held_or_works_in_it(on_stop):
    world, files = World([PRICES, bars([50.0] * 8, symbol="BAC")]), MemoryFiles()
    policies = Policies(looks=1, warmup=0, on_stop=on_stop, stop_patience_ns=3600 * SECOND)
    first = node(world, files, Rests, policies=policies)
    first.run(9)
    first.driver.stop(world.now)
    first.run(3)
    assert not first.driver.is_running
    first.journal.close()
    world.bars = world.bars[1:]
    second = Node(world, files, [Rests(symbol="BAC")], run_id="two")
    if on_stop == "leave":
        with pytest.raises(JournalError, match="in SPY, which is not among the symbols"):
            second.start()
        return
    second.start()
    assert second.kernel.cache.positions() == []
    assert [i.symbol for i in second.kernel.cache.instruments] == ["BAC"]


def lose_answer(request, send):
    """Let an order reach the broker, and nothing come back before the crash."""
    answer = send(request)
    return None if request.method == "POST" else answer


def test_an_order_whose_answer_was_lost_in_a_crash_is_found_and_not_sent_again():
    world, files = World([PRICES]), MemoryFiles()
    first = node(world, files)
    first.on_request = lose_answer
    first.run(3)
    assert len(world.posted) == 1
    second = node(world, first.crash(), run_id="two")
    second.run()
    assert len(world.posted) == 1
    assert second.kernel.strategies[0].position("SPY").quantity == 10
    assert second.kernel.account.cash_exact == world.venue.account.cash_exact


def test_an_intent_that_never_left_stays_unknown_and_blocks_its_side():
    world, files = World([PRICES]), MemoryFiles()
    first = node(world, files)
    first.on_request = lambda request, send: None if request.method == "POST" else send(request)
    first.run(3)
    assert world.posted == []
    second = node(world, first.crash(), run_id="two")
    (order,) = second.kernel.cache.orders_open()
    assert order.is_unknown
    second.run(9)
    assert order.is_unknown, "not found is no evidence"
    another = second.kernel.strategies[0].buy("SPY", 1)
    second.driver.core.inputs.settle()
    assert another.reason.startswith("unknown_request: ")
    assert world.posted == []
    with pytest.raises(ConfigError):
        second.driver.resolve_lost("pyrt-other-1", "anna", "looked")
    second.driver.resolve_lost(order.client_order_id, "anna", "looked at the broker's page")
    assert order.status == "LOST"
    second.journal.commit()
    assert any(
        isinstance(record, r.Operation) and record.actor == "anna"
        for _, record in read_records(second.files)
    )


def test_nothing_leaves_before_its_record_is_durable():
    world, files = World([PRICES]), MemoryFiles()
    first = node(world, files)
    first.commits = False
    first.run(3)
    assert world.posted == []
    assert first.driver.held_back == 1
    first.journal.commit()
    first.settle(world.now)
    assert len(world.posted) == 1


def test_an_order_that_waits_too_long_is_dropped_and_told():
    world, files = World([PRICES]), MemoryFiles()
    first = node(world, files)
    first.commits = False
    first.run(6)
    assert world.posted == []
    rejected = [o for o in first.journal.state.closed.values() if o.status == "REJECTED"]
    assert rejected
    assert "not_sent" in {code for code, _ in first.alarms}


@pytest.mark.parametrize("fault", ["write_error", "sync_error", "space"])
def test_a_disk_that_fails_halts_and_lets_cancels_leave(fault):
    world, files = World([PRICES]), MemoryFiles()
    first = node(world, files, Rests)
    first.run(6)
    resting = [o for o in first.kernel.cache.orders_open() if o.order_type == "limit"]
    if fault == "space":
        files.faults.space = 10
    else:
        setattr(files.faults, fault, 1.0)
    posted = len(world.posted)
    exits = [o for o in first.kernel.cache.orders_open() if o.is_exit]
    assert [o.stop_price for o in exits] == [40]
    strategy = first.kernel.strategies[0]
    strategy.buy("SPY", 1)
    strategy.cancel(resting[0])
    first.driver.core.inputs.settle()
    first.settle(world.now)
    first.run(6)
    assert first.journal.failure is not None
    assert first.driver.latch.is_set
    assert len(world.posted) == posted
    assert resting[0].status == "CANCELED"
    assert "journal" in {code for code, _ in first.alarms}
    denied = strategy.buy("SPY", 1)
    first.driver.core.inputs.settle()
    assert denied.status == "DENIED"
    # No other could leave: what protects the position stays, until a person kills that too.
    assert [o.status for o in exits] == ["ACCEPTED"]
    first.driver.operate("halt", "anna", "enough")
    first.settle(world.now)
    assert [o.status for o in exits] == ["CANCELED"]


def test_a_kill_by_a_person_who_is_called_node_is_a_persons():
    world, files = World([PRICES]), MemoryFiles()
    first = node(world, files, Rests)
    first.run(6)
    exits = [o for o in first.kernel.cache.orders_open() if o.is_exit]
    assert exits
    first.driver.operate("halt", "node", "enough")
    first.settle(world.now)
    assert {o.status for o in exits} == {"CANCELED"}
    first.journal.commit()
    said = [record for _, record in read_records(files) if isinstance(record, r.Operation)]
    assert (said[-1].actor, said[-1].action) == ("node (by hand)", "halt")


def test_a_disk_that_fails_takes_entries_back_and_leaves_exits():
    world, files = World([PRICES]), MemoryFiles()
    first = node(world, files, Rests)
    first.run(6)
    files.faults.sync_error = 1.0
    first.kernel.strategies[0].buy("SPY", 1)
    first.driver.core.inputs.settle()
    first.settle(world.now)
    first.run(3)
    assert first.driver.latch.is_set
    assert [(o.is_exit, o.status) for o in first.kernel.cache.orders_open()] == [(True, "ACCEPTED")]


def test_a_mismatch_halts_its_symbol_and_is_never_traded_away():
    world, files = World([PRICES]), MemoryFiles()
    first = node(world, files)
    first.run(9)
    # Somebody sells three at the broker's page.
    body = msgspec.json.encode(
        {"symbol": "SPY", "qty": "3", "side": "sell", "type": "market", "time_in_force": "day"}
    )
    world.simulator.request("POST", "/v2/orders", body)
    first.run(6)
    posted = len(world.posted)
    second = node(world, first.crash(), run_id="two")
    assert second.kernel.strategies[0].position("SPY").quantity == 10
    assert {f.code for f in second.driver.findings} >= {"position_mismatch"}
    assert second.kernel.gate.state(symbol="SPY").name == "HALTED"
    second.run()
    assert len(world.posted) == posted


def test_holdings_of_a_strategy_that_is_not_run_any_more_stop_the_start():
    world, files = World([PRICES]), MemoryFiles()
    first = node(world, files)
    first.run(9)
    first.stop()
    with pytest.raises(JournalError, match="Collect, which is not in this run"):
        node(world, files, Rests, run_id="two")


def test_a_state_folder_of_another_account_is_refused():
    world, files = World([PRICES]), MemoryFiles()
    first = node(world, files)
    first.journal.record(r.Account(ts=1, account="PA9", cash="1", equity="1", positions={}))
    first.journal.commit()
    with pytest.raises(ConfigError, match="PA9"):
        node(world, files, run_id="two")


def test_a_halt_survives_a_restart_until_somebody_resumes():
    world, files = World([PRICES]), MemoryFiles()
    first = node(world, files)
    first.driver.operate("halt", "anna", "looks odd")
    first.settle(world.now)
    second = node(world, first.crash(), run_id="two")
    second.run(6)
    assert world.posted == []
    with pytest.raises(ConfigError):
        second.driver.operate("resume", "", "")
    second.driver.operate("resume", "anna", "looked, fine")
    second.run(3)
    assert len(world.posted) == 1


class Raises(Collect):
    def on_bar(self, bar):
        raise RuntimeError("broken")


def test_a_strategy_that_raises_is_stopped_and_the_others_go_on():
    world, files = World([PRICES]), MemoryFiles()
    both = Node(world, files, [Raises(), Collect()], run_id="one")
    both.start()
    both.run()
    assert "strategy_stopped" in {code for code, _ in both.alarms}
    assert both.kernel.strategies[1].position("SPY").quantity == 10
    assert both.journal.state.stopped["Raises"]


@pytest.mark.parametrize("seed", range(12))
def test_crashes_at_random_places_send_nothing_twice_and_lose_no_fill(seed):
    random = Random(seed)
    world = World([walk(seed, "SPY", 120)])
    files = MemoryFiles(DiskFaults(random=random))
    for run in range(6):
        this = node(world, files, SmaCross, run_id=f"r{run}")

        def unlucky(request, send):
            if request.method == "POST" and random.random() < 0.3:
                if random.random() < 0.5:
                    send(request)
                return None
            return send(request)

        this.on_request = unlucky
        this.run(random.randrange(20, 70))
        files = this.crash()
    last = node(world, files, SmaCross, run_id="last")
    last.run()
    names = [msgspec.json.decode(body)["client_order_id"] for body in world.posted]
    assert len(names) == len(set(names))
    held = world.simulator.request("GET", "/v2/positions", b"")
    theirs = {p["symbol"]: Decimal(p["qty"]) for p in msgspec.json.decode(held.body)}
    ours = last.kernel.strategies[0].position("SPY").quantity_exact
    assert ours == theirs.get("SPY", 0)


def test_an_order_that_only_the_node_held_dies_with_it_and_is_told():
    world, files = World([PRICES]), MemoryFiles()
    first = node(world, files, Rests)
    first.run(6)
    (held, *_) = first.journal.state.orders.values()
    name = "pyrt-one-77"
    emulated = msgspec.structs.replace(
        held, client_order_id=name, status="EMULATED", venue_order_id="", unknown=""
    )
    first.journal.record(r.Outcome(ts=1, kind="emulated", ts_event=1, order=emulated))
    first.journal.commit()
    second = node(world, first.crash(), Rests, run_id="two")
    assert name not in {o.client_order_id for o in second.kernel.cache.orders_open()}
    assert "emulated_lost" in {code for code, _ in second.alarms}
    assert second.journal.state.closed[name].status == "REJECTED"


class Floods(Collect):
    """Answers each denial by another order, without end."""

    def on_bar(self, bar):
        self.buy(self.symbol, 1, limit_price=-0.0 + 1e-9)

    def on_deny(self, event):
        self.buy(self.symbol, 1, limit_price=1e-9)


def test_a_strategy_that_floods_is_stopped_and_the_others_go_on():
    from pyrt.risk.limits import Limits

    world, files = World([PRICES]), MemoryFiles()
    limits = Limits(max_order_quantity=10, price_collar_bps=100)
    both = Node(world, files, [Floods(), Collect()], run_id="one")
    both.driver.gate.set_limits(limits, "test", "tight")
    both.start()
    both.run(9)
    floods, other = both.kernel.strategies
    assert not floods.running
    assert "without end" in floods.stop_reason or "still issues" in floods.stop_reason
    assert other.position("SPY").quantity == 10
    assert both.driver.is_running


def test_after_a_reconnect_nothing_new_leaves_before_the_account_was_looked_at():
    world, files = World([PRICES]), MemoryFiles()
    first = node(world, files)
    first.client.trade_updates.closed(world.now)
    first.driver.turn(world.now)
    assert "stream_lost" in {code for code, _ in first.alarms}
    looks = []
    answer = first.answer
    held = []

    def slow(request, ts):
        if request.purpose.startswith("snapshot:") and not looks:
            held.append(request)
            return
        answer(request, ts)

    first.answer = slow
    later = world.now + 120 * SECOND
    first.connect(later)
    strategy = first.kernel.strategies[0]
    first.driver.turn(later)
    strategy.buy("SPY", 3)
    first.driver.core.inputs.settle()
    first.settle(later)
    assert world.posted == []
    assert first.driver.held_back == 1
    looks.append(True)
    for request in held:
        answer(request, later)
    first.settle(later)
    assert len(world.posted) == 1


def test_an_order_given_up_that_fills_after_all_is_booked_and_halts_its_symbol():
    world, files = World([PRICES]), MemoryFiles()
    first = node(world, files)
    gone = []

    def swallow(request, send):
        if request.method == "POST":
            gone.append(request)
            return type(send(account_request()))(504, b"")
        return send(request)

    first.on_request = swallow
    first.run(3)
    (order,) = first.kernel.cache.orders_open()
    first.driver.resolve_lost(order.client_order_id, "anna", "nowhere to be seen")
    assert order.status == "LOST"
    # It was on its way all the time.
    first.on_request = None
    world.request(gone[0])
    first.run(6)
    assert order.status in ("FILLED", "LOST")
    assert first.kernel.strategies[0].position("SPY").quantity == 10
    assert first.kernel.gate.state(symbol="SPY").name == "HALTED"
    assert {"late_fill", "reopened"} & {code for code, _ in first.alarms}


@pytest.mark.parametrize("is_seen", [True, False], ids=["it waits to be repeated", "no answer yet"])
def test_an_order_that_was_declared_lost_is_not_sent_again(is_seen):
    """Right after a time-out the same bytes go out again under the same id, but not then."""
    world, files = World([PRICES]), MemoryFiles()
    first = node(world, files)

    def fail(request, send):
        answer = send(request) if request.method == "GET" and is_seen else None
        return answer or type(send(account_request()))(504, b"")

    first.on_request = fail
    first.run(3)
    (order,) = first.kernel.cache.orders_open()
    assert order.is_unknown
    first.driver.resolve_lost(order.client_order_id, "anna", "nowhere to be seen")
    sent = []
    first.on_request = lambda request, send: sent.append(request) or send(request)
    for second in range(1, 9):
        first.settle(world.now + second * SECOND)
    assert [request.method for request in sent if request.purpose == "submit"] == []
    assert [request.purpose for request in sent] != [], "it is looked for all the same"
    assert world.posted == []
    assert order.status == "LOST"


def test_an_operator_cancels_one_order_and_a_replay_does_the_same():
    world, files = World([PRICES]), MemoryFiles()
    first = node(world, files, Rests)
    first.run(9)
    resting = next(o for o in first.kernel.cache.orders_open() if o.limit_price == 50)
    with pytest.raises(ConfigError, match="no order 'nonsense'"):
        first.driver.operate("cancel", "anna", "mistyped", order="nonsense")
    with pytest.raises(ConfigError, match="actor"):
        first.driver.operate("cancel", "", "", order=resting.client_order_id)
    first.driver.operate("cancel", "anna", "not wanted", order=resting.client_order_id)
    first.settle(world.now)
    first.run(2)
    assert resting.status == "CANCELED"
    assert [o.stop_price for o in first.kernel.cache.orders_open()] == [40]
    first.stop()
    result = replay(files, [Rests()])
    assert result.is_exact, result.difference


@pytest.mark.parametrize("action", ["halt", "reduce", "resume", "cancel_all", "close"])
@pytest.mark.parametrize("wrong", [{"symbol": "SPYY"}, {"strategy": "Nobody"}])
def test_a_name_that_nothing_here_has_is_refused_and_leaves_no_trace(action, wrong):
    world, files = World([PRICES]), MemoryFiles()
    first = node(world, files)
    first.run(6)
    first.driver.latch.set("a handler does not come back")
    before = first.journal.last, first.driver.core.inputs.count
    with pytest.raises(PyrtError, match=next(iter(wrong.values()))):
        first.driver.operate(action, "anna", "mistyped", **wrong)
    assert (first.journal.last, first.driver.core.inputs.count) == before
    assert first.driver.latch.is_set


def test_to_resume_a_part_does_not_open_the_latch():
    world, files = World([PRICES]), MemoryFiles()
    first = node(world, files)
    first.run(6)
    first.driver.latch.set("a handler does not come back")
    first.driver.operate("resume", "anna", "looked, fine", symbol="SPY")
    assert first.driver.latch.is_set
    with pytest.raises(ConfigError, match="actor"):
        first.driver.operate("resume", "", "")
    assert first.driver.latch.is_set
    first.driver.operate("resume", "anna", "looked, fine")
    assert not first.driver.latch.is_set


def deaf(node: Node) -> None:
    """Let a node's stream of order news be down, for good."""
    node.client.trade_updates.closed(node.world.now)
    node.world.simulator.take_trade_updates = list
    node.driver.turn(node.world.now)


def test_flattening_needs_no_stream_of_order_news():
    world, files = World([PRICES]), MemoryFiles()
    first = node(world, files, Rests)
    first.run(9)
    assert first.kernel.strategies[0].position("SPY").quantity == 10
    deaf(first)
    first.driver.operate("flatten", "anna", "closing down")
    first.settle(world.now)
    first.run(12)
    assert first.kernel.cache.positions() == []
    assert first.kernel.cache.orders_open() == []
    assert first.kernel.gate.state().name == "HALTED"
    held = world.simulator.request("GET", "/v2/positions", b"")
    assert msgspec.json.decode(held.body) == []
    sells = [msgspec.json.decode(body) for body in world.posted]
    assert [one["qty"] for one in sells if one["side"] == "sell" and one["type"] == "market"] == [
        "10"
    ]


class Guarded(Collect):
    """Holds something under a stop that is near."""

    def on_bar(self, bar):
        self.seen += 1
        if self.seen == 1:
            self.buy(self.symbol, 10)

    def on_fill(self, fill):
        if fill.order.order_type == "market":
            self.sell(self.symbol, 10, stop_price=98)


def test_without_the_stream_an_exit_that_filled_unheard_is_not_sold_again():
    prices = bars([100.0, 101.0, 102.0, 95.0, 94.0, 93.0, 92.0, 91.0, 90.0, 89.0])
    world, files = World([prices]), MemoryFiles()
    first = node(world, files, Guarded)
    first.run(9)
    position = first.kernel.strategies[0].position("SPY")
    assert position.quantity == 10
    deaf(first)

    def silent(request, send):
        answer = send(request)
        return type(answer)(504, b"") if request.method == "GET" else answer

    first.on_request = silent
    first.run(6)
    # The stop has filled by now, and nothing has said so.
    held = world.simulator.request("GET", "/v2/positions", b"")
    assert msgspec.json.decode(held.body) == []
    assert position.quantity == 10
    before = len(world.posted)
    first.on_request = None
    first.driver.operate("flatten", "anna", "closing down")
    first.settle(world.now)
    first.run(12)
    assert len(world.posted) == before
    assert position.quantity == 0
    assert first.kernel.gate.state().name == "HALTED"


def test_without_the_stream_nothing_else_leaves():
    world, files = World([PRICES]), MemoryFiles()
    first = node(world, files, Rests)
    first.run(9)
    deaf(first)
    before = len(world.posted)
    first.kernel.strategies[0].buy("SPY", 1)
    first.kernel.strategies[0].sell("SPY", 1)
    first.driver.core.inputs.settle()
    first.run(3)
    assert len(world.posted) == before
