"""Purchases of coins in a whole node: after looks it holds what the broker does, or halts."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import msgspec
import pytest

from pyrt import Strategy
from pyrt.live.journal import records as r
from pyrt.live.journal.journal import read_records
from pyrt.live.replay.replay import replay
from pyrt.testing.files import MemoryFiles
from tests.live.test_adjusting import Books, look
from tests.live.whole import Node, World
from tests.minutes import minute_bars

COIN = "BTC/USD"
START = 1_704_205_800_000_000_000
"""2024-01-02T14:30:00Z: makers and takers pay different rates."""
CLOSES = [100.0, 101.0, 100.0, 98.0, 97.0, 99.0, 100.0, 101.0]
PRICES = minute_bars(COIN, CLOSES, START, gap=0.01, reach=0.05)


class Rests(Strategy):
    """Leaves one order to buy below the market, and takes what it holds for what it may sell."""

    def on_start(self):
        self.subscribe_bars(COIN, "1m")
        self.sent = False

    def on_bar(self, bar):
        if not self.sent:
            self.sent = True
            self.buy(COIN, 2, limit_price=99)


def node(world: World, files: MemoryFiles, run_id: str = "one") -> Node:
    made = Node(world, files, [Rests()], run_id=run_id)
    made.start()
    return made


def deaf(one: Node) -> None:
    """Let the stream of order news tell nothing from here on."""
    one.client.receive_trade_update = lambda frame, now=None: []


def held(one: Node) -> Decimal:
    return one.kernel.strategies[0].position(COIN).quantity_exact


def coin_fees(files: MemoryFiles) -> list[r.Adjustment]:
    found = [record for _, record in read_records(files) if isinstance(record, r.Adjustment)]
    return [record for record in found if record.kind == "coin_fee"]


def test_a_resting_purchase_keeps_the_node_and_the_broker_of_one_mind():
    files = MemoryFiles()
    first = node(World([PRICES], fees="alpaca"), files)
    first.run()
    look(first)
    # 15 bps of two coins.
    assert held(first) == Decimal("1.997")
    assert first.driver.findings == ()
    assert first.kernel.gate.state(symbol=COIN).name != "HALTED"
    first.stop()
    assert coin_fees(files) == []
    assert replay(files, [Rests()]).is_exact


def test_a_fill_that_the_stream_did_not_tell_is_set_right_by_a_look():
    world, files = World([PRICES], fees="alpaca"), MemoryFiles()
    first = node(world, files)
    deaf(first)
    first.run()
    look(first)
    assert held(first) == Decimal("1.997")
    assert first.driver.findings == ()
    first.journal.commit()
    (record,) = coin_fees(files)
    assert (Decimal(record.quantity), record.amount) == (Decimal("0.002"), "0")
    # Of what two coins cost nothing has come back: the fee was less, and the coins are more.
    position = first.kernel.strategies[0].position(COIN)
    assert position.cost_basis_exact - position.realized_pnl_exact == 2 * 99
    first.stop()
    assert replay(files, [Rests()]).is_exact
    second = node(world, files, "two")
    assert held(second) == Decimal("1.997")
    assert second.driver.findings == ()


def test_a_fill_of_while_the_node_was_down_is_set_right_by_the_first_look():
    world = World([PRICES], fees="alpaca")
    first = node(world, MemoryFiles())
    first.run(6)
    files = first.crash()
    for ts in world.instants:
        world.simulator.take_trade_updates()
        assert ts
    second = node(world, files, "two")
    assert held(second) == Decimal("1.997")
    assert second.driver.findings == ()
    second.stop()
    assert replay(files, [Rests()], run_id="two").is_exact


@pytest.mark.parametrize("hears", [True, False])
def test_what_no_fee_explains_halts_as_before(hears):
    first = node(World([PRICES], fees="alpaca"), MemoryFiles())
    books = first.on_request = Books()
    if not hears:
        deaf(first)
    books.units = Decimal("0.000000001")
    first.run()
    look(first)
    assert "position_mismatch" in {finding.code for finding in first.driver.findings}
    assert first.kernel.gate.state(symbol=COIN).name == "HALTED"


def test_the_tier_that_the_account_states_says_what_may_have_been_kept():
    """Of a tier that was not taken the rates explain nothing."""
    first = node(World([PRICES], fees="alpaca"), MemoryFiles())

    def better(request, send):
        answer = send(request)
        if request.path != "/v2/account":
            return answer
        body = {**msgspec.json.decode(answer.body), "crypto_tier": 3}
        return replace(answer, body=msgspec.json.encode(body))

    first.on_request = better
    look(first)
    first.run()
    look(first)
    assert held(first) == Decimal("1.995")
    assert first.kernel.gate.state(symbol=COIN).name == "HALTED"
