"""The account of a node is the broker's: margin, shorts, days; equal to the backtest's."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pyrt import Strategy
from pyrt.adapters.alpaca.simulator.session import make_core
from pyrt.core.account_rules import account_rules
from pyrt.core.times import timestamp_ns
from pyrt.data.columns import BarColumns
from pyrt.errors import ConfigError
from pyrt.live.config import NodeConfig
from pyrt.live.core.broker import BrokerState
from pyrt.live.core.terms import last_close, rules_in_force
from pyrt.live.driver.days import AccountDays
from pyrt.live.driver.run import RUNNING
from pyrt.live.replay.replay import find_recording, replay
from pyrt.testing.files import MemoryFiles
from tests.live.strategies import Cross
from tests.live.test_walking_skeleton import MINUTE, START
from tests.live.whole import SECOND, Node, World
from tests.live.wire import Run, run_on_the_wire
from tests.live.worlds import Outcome, backtested, fills_of

pytest.importorskip("uvicorn")

CLOSE = START + 390 * MINUTE
"""16:00 in New York of the first day."""
DAY = 24 * 60 * MINUTE


def two_days(seed: int, minutes: int = 45) -> BarColumns:
    """Return minute bars to the close of one day, and from the open of the next."""
    rng = np.random.default_rng(seed)
    close = (100 + np.cumsum(rng.normal(0, 0.25, 2 * minutes))).round(2)
    opens = np.concatenate((close[:1], close[:-1])) + 0.01
    ts_open = np.concatenate(
        (CLOSE - MINUTE * np.arange(minutes, 0, -1), START + DAY + MINUTE * np.arange(minutes))
    )
    return BarColumns(
        symbol="SPY",
        timeframe="1m",
        timeframe_ns=MINUTE,
        ts_open=ts_open,
        ts_close=ts_open + MINUTE,
        ts_init=ts_open + MINUTE,
        open=opens,
        high=np.maximum(opens, close) + 0.05,
        low=np.minimum(opens, close) - 0.05,
        close=close,
        volume=np.full(len(close), 10_000.0),
    )


class Turning(Cross):
    """Long above, short below, with all the buying power that its account shows, over night too."""

    share: float = 0.9

    def on_bar(self, bar):
        self.seen = [*getattr(self, "seen", []), self.account.buying_power_exact]
        if not self.slow_ma.ready:
            return
        rises = self.fast_ma.value > self.slow_ma.value
        position = self.position(self.symbol)
        if position.quantity and (position.quantity > 0) != rises:
            self.close(self.symbol)
        elif position.is_flat:
            units = self.share * self.account.buying_power // bar.close
            if rises:
                self.buy(self.symbol, units)
            else:
                self.sell(self.symbol, units)


def lived_on_the_wire(strategy: Strategy, data: BarColumns, **options: Any) -> tuple[Outcome, Run]:
    core = make_core([data], fees="alpaca", **options)
    run = run_on_the_wire(core, [strategy], ["SPY"])
    kernel = run.node.core.kernel
    equity = Decimal(str(kernel.account.equity))
    return Outcome(fills_of(kernel), equity, Decimal(run.account.equity)), run


@pytest.mark.parametrize("account", ["alpaca", "alpaca:2", "alpaca:1", "margin"])
def test_a_strategy_that_turns_short_trades_alike_in_both_worlds(account):
    data = two_days(5)
    tested, live = Turning(), Turning()
    expected = backtested([tested], data, account=account)
    found, run = lived_on_the_wire(live, data, account=account)
    assert expected.differs_in(found) == ""
    assert live.seen == tested.seen
    assert Decimal(run.account.cash) == run.node.core.kernel.account.cash_exact
    sides = {side for _, _, side, *_ in expected.fills}
    assert sides == {1, -1}
    assert len(expected.fills) > 4


# -- a whole node, in one process ------------------------------------------------------------------


class Shorts(Strategy):
    """Sells short once, keeps it."""

    def on_start(self):
        self.subscribe_bars("SPY", "1m")
        self.powers = []

    def on_bar(self, bar):
        self.powers.append(self.account.buying_power_exact)
        if self.position("SPY").is_flat:
            self.sell("SPY", 500)


def begun(world: World, run_id: str = "one", files: MemoryFiles | None = None, **more: Any) -> Node:
    node = Node(world, files or MemoryFiles(), [Shorts()], run_id=run_id, **more)
    node.start()
    return node


def margin_of(account: Any) -> dict[str, Any]:
    """Return what both sides have to show alike; each reserves for waiting orders by itself."""
    names = ("multiplier", "can_short", "cash", "equity", "last_equity", "buying_power")
    return {name: account.margin_state()[name] for name in names}


def look(node: Node, seconds: int = 3) -> None:
    now = node.world.now + seconds * SECOND
    node.driver.look(now)
    node.settle(now)


def test_what_a_run_begins_with_is_journalled_and_replayed():
    world = World([two_days(3)], account="alpaca")
    node = begun(world)
    node.run()
    assert margin_of(node.kernel.account) == margin_of(world.venue.account)
    assert node.kernel.account.can_short
    node.stop()
    recording = find_recording(node.files)
    assert recording.start.opening.account["multiplier"] == 4
    again = Shorts()
    result = replay(node.files, [again])
    assert result.is_exact
    assert result.commands > 0
    assert again.powers == node.kernel.strategies[0].powers
    assert result.equity == node.kernel.account.equity


@pytest.mark.parametrize("minutes", [20, 60], ids=["on_the_day", "on_the_next"])
def test_a_restart_takes_up_the_day_with_what_was_carried_into_it(minutes):
    world = World([two_days(3)], account="alpaca")
    first = begun(world)
    first.run(3 * minutes)
    second = begun(world, "two", first.crash())
    # What was opened on the day takes the day's credit; what was carried into it does not.
    assert margin_of(second.kernel.account) == margin_of(world.venue.account)
    assert second.kernel.account.day_pnl_exact == world.venue.account.day_pnl_exact
    second.run()
    assert margin_of(second.kernel.account) == margin_of(world.venue.account)
    second.stop()
    assert replay(second.files, [Shorts()], run_id="two").is_exact


def test_the_brokers_figures_of_the_day_before_replace_ours():
    world = World([two_days(3)], account="alpaca")
    node = begun(world)
    node.run(30)
    world.venue.account.begin_day(90_000, 1_000)
    look(node)
    assert node.kernel.account.margin_state()["last_equity"] == 90_000
    assert node.kernel.account.margin_state()["last_maintenance_margin"] == 1_000
    node.run()
    node.stop()
    assert replay(node.files, [Shorts()]).is_exact


def test_margin_that_the_broker_takes_away_is_followed_and_told():
    world = World([two_days(3)], account="alpaca")
    node = begun(world)
    node.run(30)
    world.simulator.desk.configurations.update(max_margin_multiplier="2", no_shorting=True)
    look(node)
    account = node.kernel.account
    assert (account.multiplier, account.can_short) == (2, False)
    assert [text for code, text in node.alarms if code == "account_terms"] == [
        "buying power is 2 times free equity now, without short sales"
    ]
    (strategy,) = node.kernel.strategies
    assert strategy.validate({"symbol": "SPY", "side": "sell", "quantity": 1}).code == "40310000"
    node.run()
    node.stop()
    assert replay(node.files, [Shorts()]).is_exact


def test_asking_refuses_no_short_sale_that_the_broker_takes():
    strategies = {}
    for account in ("alpaca", "cash"):
        node = begun(World([two_days(3)], account=account))
        node.run(6)
        (strategies[account],) = node.kernel.strategies
    terms = {"symbol": "SPY", "side": "sell", "quantity": 100, "time_in_force": "day"}
    assert strategies["alpaca"].validate(terms).code == ""
    assert strategies["alpaca"].validate({**terms, "quantity": 4_000}).code == "40310000"
    refused = strategies["cash"].validate(terms)
    assert (refused.by, refused.code) == ("venue", "40310000")


def test_the_night_is_charged_by_the_broker_and_booked_as_a_cost():
    rules = account_rules("alpaca").replace(borrow_rate="0.1", credit_rate="0.02")
    world = World([two_days(3)], account=rules)
    node = begun(world)
    node.run()
    for seconds in (3, 6, 9):
        look(node, seconds)
    assert world.venue.account.cash_exact == node.kernel.account.cash_exact
    texts = {a.get("description") for a in world.simulator.desk.activities}
    assert {"borrow", "interest"} <= texts
    assert {code for code, _ in node.alarms} & {"cash_mismatch", "adjusted_cash"} == set()
    # A charge is no withdrawal: the day's profit has it.
    ours, theirs = node.kernel.account, world.venue.account
    assert ours.day_pnl_exact == theirs.day_pnl_exact


# -- by hand ---------------------------------------------------------------------------------------


def state(**changes: Any) -> BrokerState:
    values: dict[str, Any] = {
        "ts": START, "account": "A", "may_trade": True, "status": "ACTIVE", "cash": Decimal(1),
        "equity": Decimal(1), "positions": {}, "orders": (), "fills": (), "adjustments": (),
    }  # fmt: skip
    return BrokerState(**{**values, **changes})


@pytest.mark.parametrize(
    ("named", "multiplier", "shorting", "expected"),
    [
        # Configuration, what the broker grants; kind, multiplier, whether shorts are.
        (None, 0, False, ("cash", 1, True)),
        ("margin:4", 0, False, ("margin", 4, True)),
        (None, 4, True, ("alpaca", 4, True)),
        (None, 2, True, ("alpaca", 2, True)),
        (None, 1, False, ("alpaca", 1, False)),
        (None, 3, True, ("alpaca", 2, True)),
        ("alpaca:2", 4, True, ("alpaca", 2, True)),
        ("margin:4", 2, True, ("margin", 2, True)),
        ("cash", 4, True, ("cash", 1, True)),
        ({"kind": "alpaca", "shorting": False}, 4, True, ("alpaca", 4, False)),
    ],
)
def test_the_configuration_goes_no_further_than_the_broker(named, multiplier, shorting, expected):
    rules = rules_in_force(named, state(multiplier=multiplier, shorting=shorting))
    assert (rules.kind, rules.multiplier, rules.shorting) == expected


def test_a_configuration_that_counts_on_more_is_told():
    node = begun(World([two_days(3)], account="alpaca:2"), account="margin:4")
    assert [text for code, text in node.alarms if code == "account_terms"] == [
        "the configuration names 4 times free equity, the broker grants 2, with short sales"
    ]
    assert node.kernel.account.rules.kind == "margin"


@pytest.mark.parametrize(
    ("date", "close"),
    [("2024-01-02", "2024-01-02T21:00:00Z"), ("2024-07-02", "2024-07-02T20:00:00Z")],
)
def test_the_day_of_a_balance_ends_at_four_in_new_york(date, close):
    assert last_close(date) == timestamp_ns(close)


def test_a_day_ends_once_the_bars_of_its_last_minute_are_here():
    ended: list[int] = []
    told: list[int] = []
    run: Any = SimpleNamespace(
        plan=SimpleNamespace(grace_ns=5 * SECOND, account=None),
        phase=RUNNING,
        balance_date="2013-10-04",
        live_core=SimpleNamespace(inputs=SimpleNamespace(end_day=ended.append)),
    )
    days = AccountDays(run)
    days.on_end = told.append
    # A clock of another day is a simulator's: nothing is planned by it.
    days._look_ahead(START, state(server_ts=START + DAY, next_close=CLOSE))
    assert days.due is None
    days._look_ahead(START, state(server_ts=START, next_close=CLOSE))
    assert days.due == CLOSE + 5 * SECOND
    days.turn(CLOSE + 5 * SECOND - 1)
    assert (ended, run.balance_date) == ([], "2013-10-04")
    days.turn(CLOSE + 6 * SECOND)
    assert (ended, told) == ([CLOSE], [CLOSE + 6 * SECOND])
    assert (run.balance_date, days.due) == ("2013-10-07", None)


def test_an_account_may_be_a_table_of_a_file(tmp_path):
    place = tmp_path / "node.toml"
    place.write_text(
        'symbols = ["SPY"]\n[account]\nkind = "alpaca"\non_call = "liquidate"\n'
        '[account.instruments.TQQQ]\ninitial = "0.75"\nmaintenance = "0.75"\n'
    )
    rules = account_rules(NodeConfig.from_toml(place).account)
    assert (rules.multiplier, rules.on_call) == (4, "liquidate")
    assert rules.instruments["TQQQ"].maintenance == Decimal("0.75")


@pytest.mark.parametrize("account", ["savings", {"kind": "margin", "multiplier": 3}, {"x": 1}])
def test_an_account_that_is_none_is_refused(account):
    with pytest.raises(ConfigError):
        NodeConfig(symbols=("SPY",), account=account)
