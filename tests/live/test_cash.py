"""Cash follows the broker's: money that comes between two answers is counted once."""

from __future__ import annotations

from decimal import Decimal

import pytest

from pyrt.adapters.alpaca.simulator.trading.activities import add_booking
from pyrt.live.journal import records as r
from pyrt.live.journal.journal import read_records
from pyrt.live.plan import Policies
from pyrt.testing.files import MemoryFiles
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
    for seconds in range(3, 12, 3):
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


def test_cash_that_nothing_explains_is_taken_over_when_it_is_stated_again_and_again():
    world = World([PRICES])
    node = begun(world)
    node.start()
    world.venue.account.deposit(7)
    for seconds in (3, 6):
        look(node, seconds)
        assert differences(node) == []
    look(node, 9)
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
        look(node, 3 + 3 * number)
    assert differences(node) == []
    assert node.kernel.account.cash_exact == before
    assert "cash_mismatch" in {code for code, _ in node.alarms}
