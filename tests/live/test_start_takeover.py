"""Starts: the cash, fills and day they take over, and what a crash has left of a start before."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import msgspec
import pytest

from pyrt import Strategy, equity
from pyrt.adapters.alpaca.core.events import FillEvent
from pyrt.adapters.alpaca.simulator.trading.activities import add_booking
from pyrt.live.core.notes import decode_note
from pyrt.live.core.tape import survey
from pyrt.live.driver.run import LOOKING, RUNNING
from pyrt.live.journal import records as r
from pyrt.live.journal.journal import read_tape
from pyrt.live.plan import MINUTE, SECOND, Policies
from pyrt.live.replay.replay import replay
from pyrt.testing.files import MemoryFiles
from tests.live import whole
from tests.live.looks import told, written
from tests.live.test_starts import PRICES, Quiet, made, started
from tests.live.whole import Node, World


class Answers(Quiet):
    """Buys when it has its save, and again at each fill it hears of."""

    def on_load(self, state):
        super().on_load(state)
        self.sent = [self.buy("SPY", 1, limit_price=50)]

    def on_fill(self, fill):
        self.told.append(self.sent[0].status)
        self.sent.append(self.buy("SPY", 1, limit_price=51))


def filled_while_down() -> tuple[MemoryFiles, World]:
    """Let a node die that has just bought 3, and the order fill while none runs."""
    world = World([PRICES])
    first = started(MemoryFiles(), world=world)
    first.kernel.strategies[0].buy("SPY", 3)
    first.driver.core.inputs.settle()
    first.settle(world.now)
    first.driver.save(world.now)
    first.journal.commit()
    files = first.crash()
    for _ in world.instants:
        world.simulator.take_market_data()
        if world.venue.account.cash != 100_000:
            break
    return files, world


def test_what_a_strategy_asks_for_as_it_starts_leaves_before_it_hears_of_missed_fills():
    files, world = filled_while_down()
    policies = Policies(looks=1, warmup=0, replay_max=0)
    kind = type("Quiet", (Answers,), {})
    second = Node(world, files, [kind()], run_id="two", policies=policies)
    take = second.driver.take
    after: list[list[str]] = []

    def taking(now, events):
        take(now, events)
        if second.driver.phase == RUNNING and not after:
            # What it asks for then is on its way when the start is over, and waits for no turn.
            after.append([order.status for order in second.kernel.strategies[0].sent])

    second.driver.take = taking
    second.start()
    assert second.kernel.strategies[0].told == ["loaded", "SENT"]
    assert after == [["SENT", "SENT"]]


@pytest.mark.parametrize("goes_on", [True, False])
def test_what_a_crash_has_left_behind_the_last_record_is_told(goes_on):
    files, world = MemoryFiles(), World([PRICES])
    first = started(files, world=world)
    first.run(3)
    first.journal.commit()
    name = "main-00000001.log"
    files.put(name, files.read(name) + b"torn off")
    policies = Policies(looks=1, warmup=0, replay_max=500_000 if goes_on else 0)
    second = started(files, world=world, run_id="two", policies=policies)
    assert told(second, "torn_tail") == [f"8 bytes were cut off {name}"]
    third = started(files, world=world, run_id="three", policies=policies)
    assert told(third, "torn_tail") == []


def test_fills_that_came_while_no_node_ran_are_told_after_what_was_saved_is_loaded():
    files, world = filled_while_down()
    policies = Policies(looks=1, warmup=0, replay_max=0)
    second = started(files, world=world, run_id="two", policies=policies)
    strategy = second.kernel.strategies[0]
    assert strategy.told == ["loaded", 3.0]
    assert strategy.position("SPY").quantity == 3
    assert [fill.historical for fill in written(second, r.Execution)] == [True]
    assert second.driver.scribe.historical is None
    # What they have cost is in the broker's cash already: nothing is left to be explained.
    assert second.kernel.account.cash_exact == world.venue.account.cash_exact
    assert [each.kind for each in written(second, r.Adjustment) if "cash_" in each.kind] == []
    assert told(second, "cash_mismatch") == []
    second.stop()
    result = replay(second.files, [Quiet()], run_id="two")
    assert result.is_exact, result.difference
    assert result.equity == second.kernel.account.equity


@pytest.mark.parametrize("amounts", [(), ("-3",), ("-3", "2.5")])
def test_a_start_begins_with_cash_as_it_was_before_what_is_booked_then(amounts):
    files, world = MemoryFiles(), World([PRICES])
    started(files, world=world).stop()
    for amount in amounts:
        world.venue.account.deposit(Decimal(amount))
        add_booking(world.simulator.desk, "CSD", Decimal(amount), "of this test")
    second = started(files, world=world, run_id="two")
    assert Decimal(written(second, r.RunStart)[-1].opening.cash) == 100_000
    assert second.kernel.account.cash_exact == world.venue.account.cash_exact
    booked = [each.amount for each in written(second, r.Adjustment)[1:]]
    assert tuple(booked) == amounts


def test_a_start_takes_the_brokers_cash_less_what_its_fees_will_take():
    node = made()
    other = started()
    node.driver.begin(node.world.now)
    assert node.driver.phase == LOOKING
    node.driver.take(node.world.now, [replace(other.driver.last_look, cash=Decimal("77.5"))])
    assert node.kernel.account.cash_exact == Decimal("77.5")
    assert node.driver.phase == RUNNING
    assert node.driver.save_at == node.world.now + MINUTE


@pytest.mark.parametrize("accrued", ["0", "0.31"])
def test_a_start_counts_fees_off_that_the_broker_has_not_charged_yet(accrued):
    node = made(policies=Policies(looks=2, warmup=0))
    state = replace(started().driver.last_look, positions={"SPY": Decimal(1)}, cash=Decimal(500))
    node.driver.begin(node.world.now)
    node.driver.take(node.world.now, [state])
    assert (node.driver.phase, node.kernel.account.cash_exact) == (LOOKING, 500)
    # As of a fill that the first look has told of.
    node.driver.core.fee_ledger.accrue(node.world.now, Decimal(accrued))
    node.driver.take(node.world.now, [state])
    assert node.driver.phase == RUNNING
    assert node.kernel.account.cash_exact == 500 - Decimal(accrued)


def test_a_start_takes_up_the_brokers_day_and_does_not_end_it():
    node, now = made(grace_ns=5), started().world.now
    state = replace(
        started().driver.last_look, balance_date="2013-10-04", last_equity=Decimal(77),
        last_maintenance=Decimal(5), server_ts=now, next_close=now + MINUTE,
    )  # fmt: skip
    ended: list[int] = []
    node.driver._days.on_end = ended.append
    node.driver.begin(now)
    node.driver.take(now, [state])
    assert (node.driver.phase, node.driver.balance_date) == (RUNNING, "2013-10-04")
    day = node.kernel.account.margin_state()
    assert (day["last_equity"], day["last_maintenance_margin"]) == (77, 5)
    assert node.driver._days.due == now + MINUTE + 5
    node.driver.take(now + SECOND, [replace(state, ts=now + SECOND)])
    assert ended == []


def test_a_crash_in_a_start_is_no_end_and_one_that_stopped_is_not_gone_on_with():
    files, world = MemoryFiles(), World([PRICES])
    first = started(files, world=world)
    first.run(3)
    first.stop()
    second = started(files, world=world, run_id="two")
    assert not second.driver._recovery.has_gone_on
    assert told(second, "not_replayed") == []
    second.run(1)
    second.journal.commit()
    changed = Policies(looks=1, warmup=0)
    third = Node(
        world, files, [Quiet(size=4)], run_id="three", policies=changed,
    )  # fmt: skip
    third.start()
    (text,) = told(third, "not_replayed")
    assert text.startswith("the last run is not played again, strategies go on from their last")
    assert text.endswith("its strategies were others")
    assert msgspec.msgpack.decode(third.journal.state.saves["Quiet"][1])


class Killed(BaseException):
    """The process is gone."""


def test_a_start_that_dies_as_it_puts_the_journal_away_leaves_a_run_that_was_cut_off(monkeypatch):
    """The record of that run's start was put away with the rest: nobody was told that it died."""
    files, world = MemoryFiles(), World([PRICES])
    first = started(files, world=world)
    first.run(3)
    first.journal.commit()
    monkeypatch.setattr("pyrt.live.journal.journal.SNAPSHOT_EVERY", 3)
    second = made(files, world=world, run_id="two")
    record = second.journal.record

    def dying(taken):
        if isinstance(taken, r.RunStart):
            raise Killed
        return record(taken)

    second.journal.record = dying
    with pytest.raises(Killed):
        second.start()
    third = started(files, world=world, run_id="three")
    text = "the last run is not played again, strategies go on from their last save: "
    assert told(third, "not_replayed") == [f"{text}a start died as it put the journal away"]
    assert "loaded" in third.kernel.strategies[0].told
    third.stop()
    assert told(started(files, world=world, run_id="four"), "not_replayed") == []


def test_what_was_played_again_is_on_the_disk_before_the_run_that_goes_on_is():
    """A power failure right after a comeback left a run whose tape had no beginning."""
    files, world = MemoryFiles(), World([PRICES])
    first = started(files, world=world)
    first.run(6)
    first.journal.commit()
    second = started(files, world=world, run_id="two")
    assert second.driver._recovery.has_gone_on
    second.journal.commit()
    left = files.crash(keep_tail=False)
    notes = [
        decode_note(data)["what"]
        for piece in read_tape(left, "two")
        for _, data in survey(piece)[1]
    ]
    # The change from the one run to the other is on the disk with what came before it.
    assert notes[-2:] == ["part", "settle"]
    third = started(left, world=world, run_id="three")
    *_, before, last = written(third, r.RunStart)
    assert (last.resumes, told(third, "not_replayed")) == ("two", [])
    assert last.resumed_at >= before.resumed_at > 0


class Breaks(Quiet):
    """Raises as it starts."""

    def on_start(self):
        raise RuntimeError("broken")


def test_what_strategies_do_as_they_start_is_told_with_the_start():
    node = Node(World([PRICES]), MemoryFiles(), [Breaks()], run_id="one")
    other = started()
    node.driver.begin(node.world.now)
    node.driver.take(node.world.now, [other.driver.last_look])
    assert node.driver.phase == RUNNING
    assert len(told(node, "strategy_stopped")) == 1
    assert [record.strategy for record in written(node, r.StrategyStopped)] == ["Breaks"]


def test_an_event_that_cannot_be_is_put_aside_and_halts_its_symbol():
    node = started()
    order = node.kernel.strategies[0].buy("SPY", 3)
    node.driver.core.inputs.settle()
    node.settle(node.world.now)
    now = node.world.now
    node.driver.take(now, [FillEvent(order.number, now, "5", "100", "5")])
    ((text),) = told(node, "bad_event")
    assert text.startswith("FillEvent: ")
    assert "would be filled beyond that" in text
    assert (order.filled_quantity, order.is_open) == (0, True)
    assert node.kernel.gate.state(symbol="SPY").name == "HALTED"
    assert node.driver.phase == RUNNING


class Deaf(Strategy):
    def on_bar(self, bar):
        raise AssertionError("nothing was asked for")


@pytest.mark.parametrize(("strategy", "alarms"), [(Deaf, 1), (Quiet, 0)])
def test_a_strategy_that_hears_of_nothing_is_told_at_the_start(strategy, alarms):
    node = Node(
        World([PRICES]), MemoryFiles(), [strategy()], run_id="one", limits=None,
        policies=Policies(looks=1, warmup=0),
    )  # fmt: skip
    node.start()
    assert node.driver.phase == RUNNING
    texts = told(node, "unheard")
    assert [text.split(",")[0] for text in texts] == ["Deaf has subscribed to nothing"] * alarms


@pytest.mark.parametrize(("tradable", "alarms"), [(False, 1), (True, 0)])
def test_a_symbol_that_the_broker_does_not_trade_is_told_at_the_start(
    tradable, alarms, monkeypatch
):
    """A node with a misspelt symbol said that it runs, and never heard of it."""
    monkeypatch.setattr(whole, "instrument_of", lambda symbol: equity(symbol, tradable=tradable))
    node = Node(
        World([PRICES]), MemoryFiles(), [Quiet()], run_id="one", limits=None,
        policies=Policies(looks=1, warmup=0),
    )  # fmt: skip
    node.start()
    assert node.driver.phase == RUNNING
    assert [text.split(":")[0] for text in told(node, "not_tradable")] == ["SPY"] * alarms


@pytest.mark.parametrize("assumed", [(), ("SPY",)])
def test_a_symbol_whose_terms_the_broker_has_not_said_is_told_at_the_start(assumed):
    node = Node(
        World([PRICES]), MemoryFiles(), [Quiet()], run_id="one", limits=None,
        policies=Policies(looks=1, warmup=0), assumed=assumed,
    )  # fmt: skip
    node.start()
    assert node.driver.phase == RUNNING
    texts = told(node, "assumed_terms")
    assert [text.split(":")[0] for text in texts] == list(assumed)
