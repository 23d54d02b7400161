"""Cash follows the broker's: money that comes between two answers is counted once."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from pyrt.adapters.alpaca.simulator.trading.activities import add_booking
from pyrt.live.core.inputs import Inputs
from pyrt.live.journal import records as r
from pyrt.live.journal.journal import read_records
from pyrt.live.plan import Policies
from pyrt.live.replay.replay import replay
from pyrt.risk import BreakerState, Limits
from pyrt.risk.gate import BasicGate
from pyrt.testing.files import MemoryFiles
from pyrt.testing.gates import GateRig
from tests.live.test_comeback import killed
from tests.live.test_recovery import PRICES, Collect
from tests.live.whole import SECOND, Node, World

DIVIDEND = Decimal("12.5")


def booked(world: World, amount: Decimal = DIVIDEND) -> None:
    world.venue.account.deposit(amount)
    add_booking(world.simulator.desk, "DIV", amount, "of this test")


def begun(world: World, looks: int = 3) -> Node:
    policies = Policies(looks=looks, warmup=0)
    return Node(world, MemoryFiles(), [Collect()], run_id="one", policies=policies)


def look(node: Node, seconds: int) -> None:
    now = node.world.now + seconds * SECOND
    node.driver.look(now)
    node.settle(now)


def differences(node: Node) -> list[str]:
    node.journal.commit()
    records = [record for _, record in read_records(node.files)]
    return [
        record.amount
        for record in records
        if isinstance(record, r.Adjustment) and record.kind == "cash_difference"
    ]


def test_a_dividend_between_two_answers_of_the_first_look_counts_once():
    world = World([PRICES])
    node = begun(world)

    def between(request, send):
        answer = send(request)
        if request.purpose == "snapshot:activities":
            booked(world)
            node.on_request = None
        return answer

    node.on_request = between
    node.start()
    for seconds in range(4, 16, 4):
        look(node, seconds)
    assert node.kernel.account.cash_exact == world.venue.account.cash_exact
    assert differences(node) == ["-12.5"]
    assert "cash_mismatch" in {code for code, _ in node.alarms}


def test_a_dividend_that_is_booked_in_order_needs_no_correction():
    world = World([PRICES])
    node = begun(world)
    node.start()
    booked(world)
    look(node, 3)
    assert node.kernel.account.cash_exact == world.venue.account.cash_exact
    assert differences(node) == []
    assert "cash_mismatch" not in {code for code, _ in node.alarms}


def test_what_was_taken_over_and_is_listed_after_all_is_on_record_at_once():
    """In and out again at one look: cash is what it was, loss and drawdown count from elsewhere."""
    world = World([PRICES])
    node = held(world)
    world.venue.account.deposit(20_000)
    look(node, 4)
    add_booking(world.simulator.desk, "DIV", Decimal(20_000), "of this test")
    look(node, 8)
    kept = [s for _, s in read_records(node.files) if isinstance(s, r.RiskState)][-1]
    saved = msgspec.msgpack.decode(kept.saved)["breaker"]
    assert saved["day_open"] == node.kernel.gate.breaker.save()["day_open"]
    assert [Decimal(each) for each in differences(node)] == [20_000, -20_000]


def test_cash_that_nothing_explains_is_taken_over_when_it_is_stated_again_and_again():
    world = World([PRICES])
    node = begun(world)
    node.start()
    world.venue.account.deposit(7)
    for seconds in (4, 8):
        look(node, seconds)
        assert differences(node) == []
    look(node, 12)
    assert differences(node) == ["7"]
    assert node.kernel.account.cash_exact == world.venue.account.cash_exact


@pytest.mark.parametrize("amounts", [(7, -3, 1)])
def test_cash_that_is_stated_otherwise_each_time_is_told_and_left(amounts):
    world = World([PRICES])
    node = begun(world)
    node.start()
    before = node.kernel.account.cash_exact
    for number, amount in enumerate(amounts):
        world.venue.account.deposit(amount)
        look(node, 4 + 4 * number)
    assert differences(node) == []
    assert node.kernel.account.cash_exact == before
    assert "cash_mismatch" in {code for code, _ in node.alarms}


# -- while no node ran -----------------------------------------------------------------------------

QUICK = Policies(looks=1, warmup=0)
FALLS = Limits(
    max_order_quantity=1_000, max_position_quantity=1_000, max_leverage=4,
    max_daily_loss=500, max_drawdown="0.01", max_open_orders=50, max_orders_per_minute=1_000,
    price_collar_bps=1_000, stale_data_after="30d",
)  # fmt: skip


def held(world: World) -> Node:
    """Return a node that holds something, and whose breaker knows a day and a peak."""
    node = Node(world, MemoryFiles(), [Collect()], run_id="one", policies=QUICK, limits=FALLS)
    node.start()
    node.run(9)
    return node


def move(world: World, kind: str, amount: Decimal, symbol: str = "") -> None:
    world.venue.account.deposit(amount)
    add_booking(world.simulator.desk, kind, amount, "of this test", symbol=symbol)


@pytest.mark.parametrize("goes_on", [True, False], ids=["goes_on", "begins"])
@pytest.mark.parametrize("amount", [Decimal(-20_000), Decimal(20_000)])
def test_money_moved_while_the_node_was_down_is_neither_profit_nor_loss(amount, goes_on):
    world = World([PRICES])
    first = held(world)
    before = first.kernel.gate.breaker
    killed(first)
    files = first.files if goes_on else first.crash()
    move(world, "CSW" if amount < 0 else "CSD", amount)
    policies = QUICK if goes_on else Policies(looks=1, warmup=0, replay_max=0)
    second = Node(world, files, [Collect()], run_id="two", policies=policies, limits=FALLS)
    second.start()
    starts = [s for _, s in read_records(files) if isinstance(s, r.RunStart)]
    assert not [text for code, text in second.alarms if code == "not_replayed"]
    assert starts[-1].resumes == ("one" if goes_on else "")
    second.run(12)
    after = second.kernel.gate.breaker
    assert second.kernel.account.cash_exact == world.venue.account.cash_exact
    assert after.state == BreakerState.CLOSED
    assert abs(after.day_loss - before.day_loss) < 100
    assert after.drawdown < 0.01
    assert differences(second) == []
    # What was measured from before goes on being measured: a fall that is one trips.
    move(world, "INT", Decimal(-2_000))
    look(second, 3)
    second.run(6)
    assert after.state == BreakerState.OPEN
    second.stop()
    assert replay(second.files, [Collect()], run_id="two").is_exact


def assert_no_loss(node: Node, before: float, run_id: str = "one") -> None:
    """The breaker counts the day as it did before, and a replay does what the node has done."""
    node.run(6)
    breaker = node.kernel.gate.breaker
    assert breaker.state == BreakerState.CLOSED
    assert abs(breaker.day_loss - before) < 100
    node.stop()
    assert replay(node.files, [Collect()], run_id=run_id).is_exact


@pytest.mark.parametrize("amount", [-20_000, 20_000])
def test_cash_that_nothing_explains_is_neither_profit_nor_loss(amount):
    """The breaker opened by a withdrawal that the broker had not listed yet."""
    world = World([PRICES])
    node = held(world)
    before = node.kernel.gate.breaker.day_loss
    world.venue.account.deposit(amount)
    look(node, 4)
    assert [Decimal(each) for each in differences(node)] == [amount]
    assert node.kernel.account.cash_exact == world.venue.account.cash_exact
    assert_no_loss(node, before)


@pytest.mark.parametrize("amount", [-20_000, 20_000])
def test_nor_is_what_is_found_at_a_start(amount):
    world = World([PRICES])
    first = held(world)
    before = first.kernel.gate.breaker.day_loss
    killed(first)
    world.venue.account.deposit(amount)
    second = Node(world, first.files, [Collect()], run_id="two", policies=QUICK, limits=FALLS)
    second.start()
    assert_no_loss(second, before, run_id="two")
    assert second.kernel.account.cash_exact == world.venue.account.cash_exact


# -- dividends -------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_down", [False, True])
def test_a_dividend_is_what_its_position_has_realized(is_down):
    world = World([PRICES])
    node = held(world)
    before = node.kernel.strategies[0].position("SPY").realized_pnl_exact
    files = node.crash() if is_down else None
    move(world, "DIV", DIVIDEND, "SPY")
    if is_down:
        node = Node(world, files, [Collect()], run_id="two", policies=QUICK)
        node.start()
    look(node, 3)
    position = node.kernel.strategies[0].position("SPY")
    assert position.realized_pnl_exact == before + DIVIDEND
    assert node.kernel.account.cash_exact == world.venue.account.cash_exact
    assert node.journal.state.positions["Collect|SPY"].realized == str(
        int(position.realized_pnl_exact * 10**18)
    )
    node.stop()
    assert replay(node.files, [Collect()], run_id="two" if is_down else "one").is_exact


def test_a_dividend_of_what_is_not_traded_here_is_cash_only():
    world = World([PRICES])
    node = held(world)
    before = node.kernel.strategies[0].position("SPY").realized_pnl_exact
    move(world, "DIV", DIVIDEND, "XOM")
    look(node, 3)
    assert node.kernel.strategies[0].position("SPY").realized_pnl_exact == before
    assert node.kernel.account.cash_exact == world.venue.account.cash_exact


def test_one_dividend_is_shared_by_those_who_hold_and_not_by_one_who_has_left():
    rig = GateRig(BasicGate(), prices=100, strategies=3)
    for number, quantity in enumerate((10, 5, 30)):
        rig.hold(quantity, strategy=number)
    rig.fill(rig.order("sell", 5, strategy=1))
    Inputs(rig.kernel).cash(rig.now, 20, kind="dividend", symbol="AAA")
    held = [rig.kernel.strategies[n].position("AAA") for n in range(3)]
    assert [(p.quantity, p.realized_pnl) for p in held] == [(10, 5), (0, 0), (30, 15)]
