"""A start that plays nothing again goes on from the cash that its record has, not the broker's."""

from __future__ import annotations

from decimal import Decimal

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
from tests.live.test_cash import FALLS, QUICK, Collect, held, look, move
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
    if kind:
        move(world, kind, Decimal(amount))
    else:
        world.venue.account.deposit(amount)
    second = begun_again(world, files, [Collect()], how)
    second.run(6)
    breaker = second.kernel.gate.breaker
    assert breaker.state == BreakerState.CLOSED
    assert abs(breaker.day_loss - before) < 100
    assert second.kernel.account.cash_exact == world.venue.account.cash_exact
    second.stop()
    assert replay(second.files, [Collect()], run_id="two").is_exact


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
    if kind:
        move(world, kind, Decimal(amount))
    else:
        world.venue.account.deposit(amount)
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
