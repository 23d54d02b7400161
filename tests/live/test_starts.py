"""Starts: what gives one up, which account it takes, and what it writes down and tells."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from pyrt import Strategy
from pyrt.adapters.alpaca.core.events import Alarm, FillEvent
from pyrt.adapters.alpaca.simulator.trading.activities import add_booking
from pyrt.errors import ConfigError, ConnectionLost
from pyrt.live.core.notes import decode_note
from pyrt.live.core.tape import survey
from pyrt.live.driver.run import LOOKING, RUNNING, STOPPED
from pyrt.live.journal import records as r
from pyrt.live.journal.journal import Journal, read_records, read_tape
from pyrt.live.plan import MINUTE, SECOND, Policies
from pyrt.live.replay.replay import replay
from pyrt.risk import Limits
from pyrt.testing.files import MemoryFiles
from tests.live.test_walking_skeleton import bars
from tests.live.whole import Node, World

PRICES = bars([100.0] * 12)
ACCOUNT = "PA0000000"
FAILURES_MAX = 8
LIMITS = Limits(
    max_order_quantity=10, max_position_quantity=50, max_gross_exposure=50_000,
    max_daily_loss=5_000, max_open_orders=10, max_orders_per_minute=20, stale_data_after="30d",
    price_collar_bps=5_000,
)  # fmt: skip


class Quiet(Strategy):
    """Does what a test asks of it, and notes what it is told."""

    size: int = 3

    def on_start(self):
        self.subscribe_bars("SPY", "1m")
        self.told = []

    def on_fill(self, fill):
        self.told.append(fill.quantity)

    def on_save(self):
        return {"told": self.told}

    def on_load(self, state):
        self.told = [*state["told"], "loaded"]


def made(
    files: MemoryFiles | None = None, *, world: World | None = None, run_id: str = "one",
    limits: Any = None, **plan: Any,
) -> Node:  # fmt: skip
    node = Node(
        world or World([PRICES]), files or MemoryFiles(), [Quiet()], run_id=run_id, limits=limits,
        policies=plan.pop("policies", Policies(looks=1, warmup=0)),
    )  # fmt: skip
    node.driver.plan = replace(node.driver.plan, **plan)
    return node


def started(files: MemoryFiles | None = None, **options: Any) -> Node:
    node = made(files, **options)
    node.start()
    return node


def written(node: Node, kind: type[r.Record]) -> list[Any]:
    node.journal.commit()
    return [record for _, record in read_records(node.files) if isinstance(record, kind)]


def told(node: Node, code: str) -> list[str]:
    return [text for each, text in node.alarms if each == code]


# -- looks that fail before there is a core --------------------------------------------------------


def failing(node: Node, *texts: str, code: str = "query_failed") -> Exception | None:
    now = node.world.now
    for text in texts:
        node.driver.take(now, [Alarm(code, text, now)])
    return node.driver.error


@pytest.mark.parametrize("status", [401, 403])
def test_keys_that_are_refused_give_a_start_up_at_once(status):
    node = made()
    node.driver.begin(node.world.now)
    error = failing(node, f"account: HTTP {status}")
    assert isinstance(error, ConfigError)
    assert error.message == f"the broker refuses the keys: account: HTTP {status}"
    assert error.remedy == "Look at the keys and the mode"
    assert (node.driver.phase, node.driver.latch.is_set) == (STOPPED, True)


def test_a_broker_that_does_not_answer_gives_a_start_up_after_so_many_queries():
    node = made()
    node.driver.begin(node.world.now)
    texts = [f"account: HTTP 50{number}" for number in range(FAILURES_MAX)]
    assert failing(node, *texts[:-1]) is None
    assert failing(node, "of something else", code="clock") is None
    error = failing(node, texts[-1])
    assert isinstance(error, ConnectionLost)
    assert error.message == f"the broker does not answer: {texts[-1]}"
    assert error.remedy == "Start again when it does"
    assert node.driver.phase == STOPPED


def test_queries_that_fail_count_anew_once_a_look_was_through():
    """So many in all gave a start up, though the broker answered between them."""
    node = made(policies=Policies(looks=2, warmup=0))
    node.driver.begin(node.world.now)
    texts = ["account: HTTP 500"] * (FAILURES_MAX - 1)
    assert failing(node, *texts) is None
    state = replace(started().driver.last_look, positions={"SPY": Decimal(1)})
    node.driver.take(node.world.now, [state])
    assert node.driver.phase == LOOKING
    assert failing(node, *texts) is None
    assert isinstance(failing(node, "account: HTTP 503"), ConnectionLost)


def test_a_node_that_runs_is_not_given_up_for_queries_that_fail():
    node = started()
    assert failing(node, *["account: HTTP 401"] * (FAILURES_MAX + 1)) is None
    assert node.driver.phase == RUNNING


# -- the account -----------------------------------------------------------------------------------


def given_up(node: Node, **changes: Any) -> ConfigError:
    """Let a node see the account with these changes; return why its start was given up."""
    other = started()
    state = replace(other.driver.last_look, account="PA1", **changes)
    node.driver.begin(node.world.now)
    node.driver.take(node.world.now, [state])
    assert node.driver.phase == STOPPED
    assert node.driver.core is None
    assert isinstance(node.driver.error, ConfigError)
    assert written(node, r.RunStart) == []
    return node.driver.error


def test_keys_of_another_account_than_expected_start_nothing():
    error = given_up(made(account_id="PA2"))
    assert (error.code, error.message) == (
        "wrong_account", "the keys belong to account PA1, not to PA2",
    )  # fmt: skip


def test_a_state_folder_is_of_one_account():
    files = MemoryFiles()
    first = made(files)
    first.journal.record(r.Account(ts=1, account="PA2", cash="1", equity="1", positions={}))
    first.journal.commit()
    error = given_up(made(files))
    assert (error.code, error.message) == (
        "wrong_account", "this state folder is of account PA2, the keys are of PA1",
    )  # fmt: skip
    assert error.remedy == "Use the keys of that account, or another state_dir"


def test_an_account_that_may_not_trade_starts_nothing():
    error = given_up(made(), may_trade=False, status="ACCOUNT_CLOSED")
    assert (error.code, error.message) == (
        "no_trading", "the account may not trade: ACCOUNT_CLOSED",
    )  # fmt: skip


@pytest.mark.parametrize("typed", ["", "PA2"])
def test_real_money_starts_only_with_the_accounts_number_typed(typed):
    error = given_up(made(mode="live", arm=typed))
    assert (error.code, error.message) == (
        "not_armed", "account PA1 is not armed for real money in this state folder",
    )  # fmt: skip
    assert "Start once with --arm" in error.remedy


def test_who_is_armed_is_remembered_and_paper_arms_nobody():
    files, world = MemoryFiles(), World([PRICES])
    first = started(files, world=world, mode="live", arm=ACCOUNT, account_id=ACCOUNT)
    (arming,) = [said for said in written(first, r.Operation) if said.action == "arm"]
    assert (arming.actor, arming.arguments) == ("operator", {"account": ACCOUNT})
    assert arming.reason == "the account's number was typed at the start"
    first.stop()
    second = started(files, world=world, mode="live", run_id="two")
    assert len([said for said in written(second, r.Operation) if said.action == "arm"]) == 1
    assert written(started(arm=ACCOUNT), r.Operation) == []


def test_a_run_that_goes_on_with_real_money_needs_no_number():
    files, world = MemoryFiles(), World([PRICES])
    first = started(files, world=world, mode="live", arm=ACCOUNT)
    first.run(3)
    first.journal.commit()
    second = started(files, world=world, mode="live", run_id="two")
    assert second.driver._recovery.has_gone_on
    assert len([said for said in written(second, r.Operation) if said.action == "arm"]) == 1


# -- what a start writes down ----------------------------------------------------------------------


def test_a_start_says_what_it_is_going_to_run():
    node = started(
        limits=LIMITS, version="9", config={"a": 1}, source="x.py:Quiet", grace_ns=5,
        policies=Policies(looks=1, warmup=0, save_ns=7 * SECOND),
    )  # fmt: skip
    (start,) = written(node, r.RunStart)
    assert (start.ts, start.run_id, start.prefix) == (node.world.now, "one", "pyrt-one-")
    assert (start.version, start.account, start.mode) == ("9", ACCOUNT, "paper")
    assert (start.config, start.source, start.grace_ns) == ({"a": 1}, "x.py:Quiet", 5)
    assert (start.default_tif, start.sessions, start.resumes) == ({"": "gtc"}, False, "")
    assert [(each.name, each.params) for each in start.strategies] == [("Quiet", {"size": 3})]
    assert [each["symbol"] for each in start.instruments] == ["SPY"]
    assert start.limits["max_order_quantity"] == "10"
    assert start.opening.cash == "100000"
    assert node.driver.save_at == node.world.now + 7 * SECOND
    assert written(started(), r.RunStart)[0].limits == {}


def test_a_run_that_goes_on_says_whose_inputs_it_played_and_how_ids_began_at_first():
    files, world = MemoryFiles(), World([PRICES])
    for run_id in ("one", "two", "three"):
        node = started(files, world=world, run_id=run_id, limits=LIMITS)
        node.run(3)
        node.journal.commit()
    one, two, three = written(node, r.RunStart)
    assert [each.resumes for each in (one, two, three)] == ["", "one", "two"]
    assert [each.first_prefix for each in (two, three)] == ["pyrt-one-", "pyrt-one-"]
    assert 0 == one.resumed_at < two.resumed_at < three.resumed_at
    assert one.limits == two.limits == three.limits
    assert node.driver._recovery.has_gone_on
    # Its strategies have started long ago: nothing is loaded into them.
    assert "loaded" not in node.kernel.strategies[0].told


# -- what only the node held -----------------------------------------------------------------------


@pytest.mark.parametrize("status", ["INITIALIZED", "EMULATED", "RELEASED", "SENT", "HELD"])
def test_an_order_that_had_not_left_is_closed_with_its_words_and_told(status):
    files, world = MemoryFiles(), World([PRICES])
    first = started(files, world=world)
    first.run(3)
    order = r.OrderState(
        client_order_id="pyrt-one-77", strategy="Quiet", symbol="SPY", side="buy",
        order_type="stop", quantity="2", time_in_force="gtc", status=status, stop_price="150",
        venue_order_id="v-9",
    )  # fmt: skip
    first.journal.record(r.Outcome(ts=1, kind="x", ts_event=1, order=order))
    first.stop()
    second = started(files, world=world, run_id="two")
    text = "pyrt-one-77, a stop order for SPY, was emulated"
    is_held_here = status in ("INITIALIZED", "EMULATED", "RELEASED")
    assert told(second, "emulated_lost") == ([f"{text} and died with its node"] * is_held_here)
    gone = [(record.client_order_id, record.reason) for record in written(second, r.NotSent)]
    assert gone == [("pyrt-one-77", f"{text}; its node has stopped")] * is_held_here
    names = {each.client_order_id for each in second.kernel.cache.orders_open()}
    assert ("pyrt-one-77" in names) is not is_held_here


class Keeps(Quiet):
    """Has an order that is kept on our side, and one at the broker."""

    def on_start(self):
        super().on_start()
        self.sent = []

    def on_bar(self, bar):
        if not self.sent:
            self.sent = [self.buy("SPY", 1, trigger_price=50), self.buy("SPY", 1, limit_price=50)]


def test_an_order_that_was_kept_here_is_canceled_in_the_run_that_goes_on():
    """It stayed open in a strategy's eyes, and nothing watched prices for it any more."""
    files, world = MemoryFiles(), World([PRICES])
    first = Node(world, files, [Keeps()], run_id="one")
    first.start()
    first.run(6)
    assert [order.status for order in first.kernel.strategies[0].sent] == ["EMULATED", "ACCEPTED"]
    first.journal.commit()
    second = Node(world, files, [Keeps()], run_id="two")
    second.start()
    assert second.driver._recovery.has_gone_on
    kept, sent = second.kernel.strategies[0].sent
    assert (kept.status, sent.status) == ("CANCELED", "ACCEPTED")
    assert second.kernel.cache.orders_open() == [sent]
    text = "pyrt-one-1, a market_if_touched order for SPY, was emulated and died with its node"
    assert told(second, "emulated_lost") == [text]


def test_an_order_that_was_kept_here_and_whose_input_is_lost_is_closed_and_told():
    """It came back as one on its way to the broker, and stayed that for ever."""
    files, world, tape = MemoryFiles(), World([PRICES]), "tape-one-00000001.log"
    first = Node(world, files, [Keeps()], run_id="one")
    first.start()
    first.journal.commit()
    began = files.read(tape)
    first.run(6)
    first.journal.commit()
    files.put(tape, began)
    second = Node(world, files, [Keeps()], run_id="two")
    second.start()
    assert second.driver._recovery.has_gone_on
    assert [each.client_order_id for each in second.kernel.cache.orders_open()] == ["pyrt-one-2"]
    assert list(second.journal.state.orders) == ["pyrt-one-2"]
    text = "pyrt-one-1, a market_if_touched order for SPY, was emulated and died with its node"
    assert told(second, "emulated_lost") == [text]


# -- limits changed by hand ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("goes_on", "by_hand", "now_set", "counts", "is_told"),
    [
        (False, True, 10, 10, True),
        (False, False, 10, 10, False),
        (False, True, 9, 9, False),
        # A run that goes on has the change among its inputs.
        (True, True, 10, 4, False),
        (True, True, 9, 9, False),
    ],
)
def test_limits_changed_by_hand_that_count_no_more_are_told(
    goes_on, by_hand, now_set, counts, is_told
):
    files, world = MemoryFiles(), World([PRICES])
    first = started(files, world=world, limits=LIMITS)
    first.run(3)
    if by_hand:
        first.driver.set_limit("max_order_quantity", 4, "anna", "careful")
        first.settle(world.now)
    first.driver.save(world.now)
    first.journal.commit()
    policies = Policies(looks=1, warmup=0, replay_max=500_000 if goes_on else 0)
    second = started(
        files, world=world, run_id="two", policies=policies,
        limits=LIMITS.replace(max_order_quantity=now_set),
    )  # fmt: skip
    text = "limits that were changed by hand are those of the settings again"
    assert told(second, "limits_reset") == ([text] if is_told else [])
    assert second.kernel.gate.limits.max_order_quantity == counts


def test_a_start_without_limits_or_without_a_record_of_risk_has_none_to_reset():
    files, world = MemoryFiles(), World([PRICES])
    first = started(files, world=world, limits=LIMITS)
    first.journal.commit()
    again = started(files.crash(), world=world, run_id="two")
    assert told(again, "limits_reset") == []
    # A crash right after the record of the start, and before that of risk.
    fresh = MemoryFiles()
    journal = Journal(fresh)
    for record in written(first, r.RunStart):
        journal.record(record)
    journal.close()
    policies = Policies(looks=1, warmup=0, replay_max=0)
    second = started(fresh, world=world, run_id="two", limits=LIMITS, policies=policies)
    assert told(second, "limits_reset") == []


def test_limits_changed_by_hand_are_told_where_the_change_is_among_lost_inputs():
    files, world, tape = MemoryFiles(), World([PRICES]), "tape-one-00000001.log"
    first = started(files, world=world, limits=LIMITS)
    first.run(3)
    first.journal.commit()
    before = files.read(tape)
    first.driver.set_limit("max_order_quantity", 4, "anna", "careful")
    first.settle(world.now)
    first.driver.save(world.now)
    first.run(3)
    first.journal.commit()
    files.put(tape, before)
    second = started(files, world=world, run_id="two", limits=LIMITS)
    assert second.driver._recovery.has_gone_on
    text = "limits that were changed by hand are those of the settings again"
    assert told(second, "limits_reset") == [text]
    assert second.kernel.gate.limits.max_order_quantity == 10


@pytest.mark.parametrize("goes_on", [True, False])
def test_a_start_puts_a_long_journal_away(monkeypatch, goes_on):
    files, world = MemoryFiles(), World([PRICES])
    first = started(files, world=world)
    first.run(3)
    first.journal.commit()
    monkeypatch.setattr("pyrt.live.journal.journal.SNAPSHOT_EVERY", 3)
    policies = Policies(looks=1, warmup=0, replay_max=500_000 if goes_on else 0)
    second = started(files, world=world, run_id="two", policies=policies)
    assert second.driver._recovery.has_gone_on is goes_on
    assert [name for name in files.names() if name.startswith("old-")] == ["old-main-00000001.log"]
    assert isinstance(next(iter(read_records(files)))[1], r.Snapshot)


# -- cash and missed fills -------------------------------------------------------------------------


class Answers(Quiet):
    """Buys as it starts, and again at each fill it hears of."""

    def on_start(self):
        super().on_start()
        self.sent = [self.buy("SPY", 1, limit_price=50)]

    def on_fill(self, fill):
        self.told.append(self.sent[0].status)
        self.sent.append(self.buy("SPY", 1, limit_price=51))


def test_what_a_strategy_asks_for_as_it_starts_leaves_before_it_hears_of_missed_fills():
    files, world = MemoryFiles(), World([PRICES])
    first = started(files, world=world)
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
    files, world = MemoryFiles(), World([PRICES])
    first = started(files, world=world)
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
