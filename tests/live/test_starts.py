"""Starts: what gives one up, which account it takes, and what it writes down and tells."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from itertools import islice
from typing import Any

import pytest

from pyrt import Strategy
from pyrt.adapters.alpaca.core.events import Alarm
from pyrt.errors import ConfigError, ConnectionLost
from pyrt.live.driver.run import LOOKING, RUNNING, STOPPED
from pyrt.live.journal import records as r
from pyrt.live.journal.journal import Journal, read_records
from pyrt.live.plan import SECOND, Policies
from pyrt.risk import Limits
from pyrt.testing.files import MemoryFiles
from tests.live.looks import told, written
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


# -- its name --------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", [Node.stop, Node.crash])
def test_a_name_is_taken_once_in_a_state_folder(ending):
    """The broker knew orders of the run before by the same ids: an old fill was booked again."""
    files, world = MemoryFiles(), World([PRICES])
    first = started(files, world=world)
    first.run(3)
    first.journal.commit()
    left = ending(first) or files
    again = made(left, world=world)
    with pytest.raises(ConfigError, match="there was a run one in this state folder") as caught:
        again.start()
    assert caught.value.code == "run_id"
    assert len(written(again, r.RunStart)) == 1
    again.journal.close()
    assert started(left, world=world, run_id="two").driver.phase == RUNNING


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


@pytest.mark.parametrize("status", ["EMULATED", "RELEASED", "SENT", "HELD"])
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
    is_held_here = status in ("EMULATED", "RELEASED")
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


def test_what_may_have_arrived_is_asked_for_by_its_name_before_positions_are_judged():
    """Lists left it out; its fill was a mismatch, and the symbol was halted."""
    world, files = World([PRICES]), MemoryFiles()
    first = Node(world, files, [Quiet()], run_id="one")
    first.start()
    first.run(3)

    def unheard(request, send):
        send(request)
        world.simulator.take_trade_updates()

    first.on_request = unheard
    first.kernel.strategies[0].buy("SPY", 5)
    first.driver.core.inputs.settle()
    first.settle(world.now)
    after = first.crash()
    # It fills while nobody listens.
    list(islice(world.instants, 6))
    world.simulator.take_trade_updates()
    second = Node(world, after, [Quiet()], run_id="two", policies=Policies(looks=3, warmup=0))

    def left_out(request, send):
        answer = send(request)
        if "status=all" not in request.path:
            return answer
        rows = [row for row in json.loads(answer.body) if row["status"] != "filled"]
        return replace(answer, body=json.dumps(rows).encode())

    second.on_request = left_out
    second.driver.begin(world.now)
    for later in range(4):
        second.settle(world.now + later * 2 * SECOND)
    assert second.driver.phase == RUNNING
    assert second.kernel.strategies[0].position("SPY").quantity == 5
    assert told(second, "position_mismatch") == []


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
