"""A start that plays nothing again goes on from the cash that its record has, not the broker's."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from pyrt import Strategy
from pyrt.live.journal import records as r
from pyrt.live.journal.journal import read_records
from pyrt.live.plan import Policies
from pyrt.live.replay.replay import replay
from pyrt.risk import BreakerState
from pyrt.testing.files import MemoryFiles
from tests.live.test_accepting import accept, begun, by_hand
from tests.live.test_accepting import look as look_on
from tests.live.test_accepting import strategies as holders
from tests.live.test_adjusting import Books
from tests.live.test_cash import FALLS, QUICK, Collect, assert_no_loss, held, look, move
from tests.live.test_recovery import PRICES
from tests.live.test_walking_skeleton import bars
from tests.live.test_ways_out import killed
from tests.live.whole import PHASES, Node, World

ENDS = ("stopped", "killed", "played")
"""How the first run ends, and whether the second plays it again."""


def left_by(node: Node, how: str) -> MemoryFiles:
    if how == "stopped":
        node.stop()
        return node.files
    return killed(node)


def begun_again(world: World, files: MemoryFiles, who: list[Strategy], how: str) -> Node:
    policies = QUICK if how == "played" else Policies(looks=1, warmup=0, replay_max=0)
    node = Node(world, files, who, run_id="two", policies=policies, limits=FALLS)
    node.start()
    return node


def pass_by(world: World, instants: int) -> None:
    """Let time pass in which nobody listens."""
    for _ in range(instants):
        next(world.instants)
    world.simulator.take_market_data()
    world.simulator.take_trade_updates()


def moves(world: World, kind: str, amount: int) -> None:
    """Let money come or go; without a kind the broker has not listed it yet."""
    if kind:
        move(world, kind, Decimal(amount))
    else:
        world.venue.account.deposit(amount)


class Rests(Strategy):
    """Leaves a limit order at the broker, to buy or to sell what it has bought."""

    side: str

    def on_start(self):
        self.subscribe_bars("SPY", "1m")
        self.seen = 0

    def on_bar(self, bar):
        self.seen += 1
        if self.seen == 1 and self.side == "sell":
            self.buy("SPY", 50)
        if self.seen == 3 and self.side == "buy":
            self.buy("SPY", 50, limit_price=95)
        elif self.seen == 3:
            self.sell("SPY", 50, limit_price=105)


@pytest.mark.parametrize("how", ENDS)
@pytest.mark.parametrize(("side", "price", "lost"), [("buy", 94.9, 5.0), ("sell", 105.1, -249.0)])
def test_what_an_order_filled_while_the_node_was_down_is_no_loss(side, price, lost, how):
    """The value of the fill counted as a loss of the day, or hid as much of one."""
    world = World([bars([100.0] * 8 + [price] * 40)])
    leave = Policies(looks=1, warmup=0, on_stop="leave")
    first = Node(
        world, MemoryFiles(), [Rests(side=side)], run_id="one", policies=leave, limits=FALLS
    )
    first.start()
    first.run(5 * PHASES)
    files = left_by(first, how)
    pass_by(world, 8 * PHASES)
    second = begun_again(world, files, [Rests(side=side)], how)
    second.run(2)
    breaker = second.kernel.gate.breaker
    assert breaker.state == BreakerState.CLOSED
    assert abs(breaker.day_loss - lost) < 1
    assert second.kernel.account.cash_exact == world.venue.account.cash_exact
    second.stop()
    assert replay(second.files, [Rests(side=side)], run_id="two").is_exact


@pytest.mark.parametrize("how", ENDS)
@pytest.mark.parametrize("kind", ["", "CSD"], ids=["unlisted", "listed"])
@pytest.mark.parametrize("amount", [-20_000, 20_000])
def test_money_moved_meanwhile_is_no_loss_listed_or_not(amount, kind, how):
    world = World([PRICES])
    first = held(world)
    before = first.kernel.gate.breaker.day_loss
    files = left_by(first, how)
    moves(world, kind, amount)
    second = begun_again(world, files, [Collect()], how)
    assert_no_loss(second, before, run_id="two")
    assert second.kernel.account.cash_exact == world.venue.account.cash_exact


@pytest.mark.parametrize("how", ENDS)
@pytest.mark.parametrize(("side", "quantity"), [("sell", 10), ("sell", 4), ("buy", 8)])
def test_a_trade_by_hand_meanwhile_is_taken_over_as_a_trade(side, quantity, how):
    """A sale of all, accepted at the next start, stayed a loss of its value for the day."""
    node = begun()
    node.driver.operate("cancel_all", "anna", "out", symbol="SPY")
    node.run(PHASES)
    before = node.kernel.gate.breaker.day_loss
    files, world = left_by(node, how), node.world
    body = b'{"symbol":"SPY","qty":"%d","side":"%s",' % (quantity, side.encode())
    body += b'"type":"market","time_in_force":"day"}'
    assert world.simulator.request("POST", "/v2/orders", body).status == 200
    pass_by(world, 2 * PHASES)
    second = begun_again(world, files, holders(), how)
    second.run(PHASES)
    breaker = second.kernel.gate.breaker
    for _ in range(4):
        look_on(second)
    assert abs(breaker.day_loss - before) < 1
    accept(second)
    second.run(PHASES)
    assert abs(breaker.day_loss - before) < 1
    assert breaker.state == BreakerState.CLOSED
    assert second.kernel.account.cash_exact == world.venue.account.cash_exact


@pytest.mark.parametrize("how", ["killed", "played", "cut"])
@pytest.mark.parametrize("kind", ["", "CSD"], ids=["unlisted", "listed"])
@pytest.mark.parametrize("amount", [-20_000, 20_000])
def test_a_kill_right_after_money_has_moved_makes_no_loss_of_it(amount, kind, how):
    """Loss and drawdown were saved up to a minute later; of a tape that ends before, never."""
    world = World([PRICES])
    first = held(world)
    before = first.kernel.gate.breaker.day_loss
    tape = killed(first).read("tape-one-00000001.log")
    moves(world, kind, amount)
    look(first, 4)
    files = killed(first)
    if how == "cut":
        files.put("tape-one-00000001.log", tape)
    second = begun_again(world, files, [Collect()], "played" if how == "cut" else how)
    assert ("replay_short" in {code for code, _ in second.alarms}) == (how == "cut")
    second.run(6)
    breaker = second.kernel.gate.breaker
    assert breaker.state == BreakerState.CLOSED
    assert abs(breaker.day_loss - before) < 100


def test_what_was_accepted_right_before_a_kill_is_no_loss():
    node = begun()
    by_hand(node, "sell", 15)
    accept(node)
    second = begun_again(node.world, killed(node), holders(), "killed")
    second.run(2 * PHASES)
    assert second.kernel.gate.breaker.state == BreakerState.CLOSED
    assert abs(second.kernel.gate.breaker.day_loss) < 1


class Turns(Strategy):
    """Buys, sells again, and sells short."""

    def on_start(self):
        self.subscribe_bars("SPY", "1m")
        self.seen = 0

    def on_bar(self, bar):
        self.seen += 1
        if self.seen == 2:
            self.buy("SPY", 50)
        elif self.seen == 4:
            self.sell("SPY", 90)


@pytest.mark.parametrize("instants", [4 * PHASES, 7 * PHASES])
def test_what_was_filled_since_the_last_save_counts_at_a_start(instants):
    world = World([bars([100.0] * 40)])
    first = Node(world, MemoryFiles(), [Turns()], run_id="one", policies=QUICK, limits=FALLS)
    first.start()
    first.run(instants)
    before = first.kernel.gate.breaker.day_loss
    second = begun_again(world, killed(first), [Turns()], "killed")
    second.journal.commit()
    starts = [s for _, s in read_records(second.files) if isinstance(s, r.RunStart)]
    assert Decimal(starts[-1].opening.cash) == first.kernel.account.cash_exact
    assert second.kernel.gate.breaker.day_loss == before
    assert second.kernel.account.cash_exact == world.venue.account.cash_exact


# -- fees that the broker has still to charge ------------------------------------------------------

COSTLY = FALLS.replace(max_daily_loss=300, max_order_quantity=2_000, max_position_quantity=2_000)


class Coins(Strategy):
    """Buys coins, which costs coins, and sells most of them, which costs money."""

    trades: bool = True

    def on_start(self):
        self.subscribe_bars("BTC/USD", "1m")
        self.seen = 0

    def on_bar(self, bar):
        self.seen += 1
        if self.trades and self.seen == 1:
            self.buy("BTC/USD", 1000)
        elif self.trades and self.seen == 3:
            self.sell("BTC/USD", 900)


@pytest.mark.parametrize("how", ["killed", "played"])
@pytest.mark.parametrize("is_charged", [False, True])
@pytest.mark.parametrize("starts", [1, 3])
def test_fees_count_once_whenever_the_broker_charges_them(how, is_charged, starts):
    """Of what a crash fell on before it was charged, the charge was a loss once more."""
    seldom = Policies(looks=1, warmup=0, reconcile_ns=10**18, save_ns=10**18)
    world = World([bars([50.0] * 40, symbol="BTC/USD")], fees="alpaca")
    node = Node(world, MemoryFiles(), [Coins()], run_id="one", policies=seldom, limits=COSTLY)
    node.start()
    node.run(4 * PHASES)
    before = node.kernel.gate.breaker.day_loss
    assert node.driver.core.fee_ledger.accrued > 100
    if is_charged:
        look(node, 3)
        assert node.driver.core.fee_ledger.accrued == 0
    for number in range(starts):
        files = killed(node)
        policies = Policies(looks=1, warmup=0, replay_max=500_000 if how == "played" else 0)
        who = [Coins(trades=how == "played")]
        node = Node(world, files, who, run_id=f"n{number}", policies=policies, limits=COSTLY)
        node.start()
        node.run(2)
        assert node.kernel.gate.breaker.day_loss == before
        assert node.kernel.gate.breaker.state == BreakerState.CLOSED
    node.run(2 * PHASES)
    assert node.kernel.gate.breaker.day_loss == before
    assert node.kernel.account.cash_exact == world.venue.account.cash_exact


RISK_STATE = r.RiskState


def older(**fields: Any) -> r.RiskState:
    return RISK_STATE(**{name: fields[name] for name in ("ts", "saved", "inputs")})


@pytest.mark.parametrize("kind", ["CSD", "DIV"])
@pytest.mark.parametrize("amount", [-20_000, 20_000])
def test_a_record_of_an_older_version_knows_only_what_was_booked(amount, kind, monkeypatch):
    monkeypatch.setattr("pyrt.live.driver.scribe.r.RiskState", older)
    world = World([PRICES])
    first = held(world)
    before = first.kernel.gate.breaker.day_loss
    files = left_by(first, "stopped")
    monkeypatch.undo()
    move(world, kind, Decimal(amount))
    gained = amount if kind == "DIV" else 0
    second = begun_again(world, files, [Collect()], "stopped")
    second.run(6)
    assert abs(second.kernel.gate.breaker.day_loss - before + gained) < 100
    assert second.kernel.account.cash_exact == world.venue.account.cash_exact


# -- busts -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["", "killed", "played"])
@pytest.mark.parametrize("beside", [0, 7, -1000], ids=["alone", "interest", "cash lags"])
def test_a_bust_is_no_loss_whatever_differs_beside_it(beside, how):
    """Its units went with the first look, its cash came with the third: the breaker had opened."""
    patient = Policies(looks=3, warmup=0, reconcile_ns=10**15)
    world = World([PRICES])
    node = Node(world, MemoryFiles(), [Collect()], run_id="one", policies=patient, limits=FALLS)
    books = node.on_request = Books()
    node.start()
    node.run(9)
    before = node.kernel.gate.breaker.day_loss
    books.book("JNLS", "-10", "1000")
    books.cash += beside
    look(node, 3)
    node.driver.core.inputs.sample()
    node.run(3)
    assert abs(node.kernel.gate.breaker.day_loss - before) < 100
    if how:
        world, files = node.world, killed(node)
        policies = QUICK if how == "played" else Policies(looks=1, warmup=0, replay_max=0)
        node = Node(world, files, [Collect()], run_id="two", policies=policies, limits=FALLS)
        node.on_request = books
        node.start()
    books.cash -= beside if beside < 0 else 0
    for _ in range(4):
        look(node, 4)
        node.run(3)
    assert_no_loss(node, before, run_id="two" if how else "one")
