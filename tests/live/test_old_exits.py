"""Exits whose entry filled weeks ago, and what became of them while no node ran.

The broker's nested list has an exit under its entry only, and the entry is older than what a
fresh journal looks back; its flat list has those that work, under names of the broker's own.
"""

from __future__ import annotations

import json

import numpy as np
import pytest

from pyrt import Strategy
from pyrt.data.columns import BarColumns
from pyrt.testing.files import MemoryFiles
from tests.live.test_changes_in_flight import LIMITS
from tests.live.test_orphaned_exits import Guarded
from tests.live.test_ways_out import killed
from tests.live.whole import PHASES, Node, World, policies
from tests.minutes import MINUTE, START, minute_bars

LATER = START + 30 * 86_400_000_000_000
WAYS = ("played", "saved")
CALM, RISE, FALL = [100.0] * 40, [100.0] * 2 + [112.0] * 38, [100.0] * 2 + [94.0] * 38
ARRAYS = (
    "ts_open", "ts_close", "ts_init", "open", "high", "low", "close", "volume",
)  # fmt: skip


class Idle(Strategy):
    """Holds nothing and does nothing."""

    def on_start(self):
        self.subscribe_bars("SPY", "1m")


def weeks_apart(closes: list[float]) -> World:
    """Return a world of ten quiet minutes, and of these thirty days later."""
    first = minute_bars("SPY", [100.0] * 10, gap=0.01, reach=0.05)
    second = minute_bars("SPY", closes, LATER, gap=0.01, reach=0.05)
    parts = {n: np.concatenate((getattr(first, n), getattr(second, n))) for n in ARRAYS}
    return World([BarColumns(symbol="SPY", timeframe="1m", timeframe_ns=MINUTE, **parts)])


def guarded() -> Guarded:
    return Guarded(units=10, take_profit=110, stop_loss=90)


def begin(world: World, files: MemoryFiles, way: str, run_id: str, strategy=None) -> Node:
    strategies = [strategy or guarded()]
    return Node(world, files, strategies, run_id=run_id, limits=LIMITS, policies=policies(way))


def pass_to(world: World, until: int) -> None:
    """Let time pass with no node there to hear of anything."""
    for ts in world.instants:
        world.step += 1
        world.simulator.take_trade_updates()
        world.simulator.take_market_data()
        if ts >= until:
            return


def bought(world: World, way: str, instants: int = 6 * PHASES) -> MemoryFiles:
    """Let a node buy, and be killed; return its files."""
    node = begin(world, MemoryFiles(), way, "one")
    node.start()
    node.run(instants)
    return killed(node)


def gone_on_with(world: World, files: MemoryFiles, way: str, outside=None) -> Node:
    """Start again weeks later, five minutes after somebody has done something at the broker."""
    pass_to(world, LATER)
    if outside is not None:
        outside(world)
    pass_to(world, LATER + 5 * MINUTE)
    node = begin(world, files, way, "two")
    node.start()
    return node


def cancel_all(world: World) -> None:
    assert world.simulator.request("DELETE", "/v2/orders", b"").status == 207


def raise_stop(world: World, times: int = 1) -> None:
    for _ in range(times):
        (stop,) = [each for each in at_broker(world) if each["type"] == "stop"]
        path, body = f"/v2/orders/{stop['id']}", b'{"stop_price":"95"}'
        answer = world.simulator.request("PATCH", path, body)
        assert answer.status == 200


def raise_stop_twice(world: World) -> None:
    raise_stop(world, 2)


def at_broker(world: World) -> list:
    return json.loads(world.simulator.request("GET", "/v2/orders?status=open", b"").body)


def held(node: Node) -> float:
    return node.kernel.strategies[0].position("SPY").quantity


def working(node: Node) -> list[tuple[str, str, float]]:
    return [(o.order_type, o.status, o.quantity) for o in node.kernel.cache.orders_open()]


def codes(node: Node) -> set[str]:
    return {code for code, _ in node.alarms}


@pytest.mark.parametrize("way", WAYS)
def test_exits_that_still_work_guard_no_more_than_their_entry_has_filled(way):
    world = weeks_apart(CALM)
    node = gone_on_with(world, bought(world, way), way)
    assert held(node) == 10
    assert working(node) == [("limit", "ACCEPTED", 10), ("stop", "ACCEPTED", 10)]
    # One of the two fills, never both: short by ten is out of reach.
    assert node.kernel.portfolio.metrics()["gross_exposure"] == pytest.approx(10 * 100, rel=0.01)
    strategy = node.kernel.strategies[0]
    strategy.wanted = 12
    node.run(4 * PHASES)
    kind, reason = strategy.kinds[-1]
    assert (kind, "exit_quantity" in reason) == ("modify_rejected", True)
    assert node.alarms == []


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("closes", [RISE, FALL[:2] + [85.0] * 38])
def test_an_exit_that_has_filled_meanwhile_leaves_nothing(way, closes):
    world = weeks_apart(closes)
    node = gone_on_with(world, bought(world, way), way)
    assert (held(node), working(node), at_broker(world), node.alarms) == (0, [], [], [])


@pytest.mark.parametrize("way", WAYS)
def test_a_position_whose_exits_the_broker_has_canceled_is_told(way):
    world = weeks_apart(CALM)
    node = gone_on_with(world, bought(world, way), way, cancel_all)
    node.run(2 * PHASES)
    assert (held(node), working(node)) == (10, [])
    ((code, text),) = node.alarms
    assert (code, "SPY of Guarded is held" in text) == ("unguarded", True)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("outside", [raise_stop, raise_stop_twice])
def test_a_stop_that_somebody_has_replaced_is_gone_on_with(way, outside):
    world = weeks_apart(CALM)
    node = gone_on_with(world, bought(world, way), way, outside)
    node.run(2 * PHASES)
    (stop,) = [o for o in node.kernel.cache.orders_open() if o.order_type == "stop"]
    assert (held(node), stop.stop_price, stop.parent.filled_quantity) == (10, 95, 10)
    (there,) = [each for each in at_broker(world) if each["type"] == "stop"]
    assert node.client.venue_of(stop.number)[0] == there["id"]
    assert "position_mismatch" not in codes(node)
    node.client.withdraw(stop)
    node.run(2 * PHASES)
    assert at_broker(world) == []


@pytest.mark.parametrize("way", WAYS)
def test_a_stop_that_was_replaced_and_filled_is_in_the_first_look(way):
    world = weeks_apart(FALL)
    node = gone_on_with(world, bought(world, way), way, raise_stop)
    assert (held(node), working(node), node.alarms) == (0, [], [])
    assert node.kernel.account.cash == float(world.venue.account.cash)


@pytest.mark.parametrize("way", WAYS)
def test_exits_whose_ids_nobody_has_written_down_are_found_with_their_entry(way, monkeypatch):
    """No request is answered before the node dies, and the stream tells of the entry alone."""
    world = weeks_apart(CALM)
    taken = world.simulator.take_trade_updates

    def of_the_entry() -> list[bytes]:
        frames = [json.loads(frame) for frame in taken()]
        named = [f for f in frames if f["data"]["order"]["client_order_id"] == "pyrt-one-1"]
        for frame in named:
            frame["data"]["order"]["legs"] = None
        return [json.dumps(frame).encode() for frame in named]

    def unanswered(request, answer):
        answer(request)

    monkeypatch.setattr(world.simulator, "take_trade_updates", of_the_entry)
    node = begin(world, MemoryFiles(), way, "one")
    node.start()
    node.on_request = unanswered
    node.run(6 * PHASES)
    assert held(node) == 10
    assert {node.client.venue_of(o.number)[0] for o in node.kernel.cache.orders_open()} == {""}
    files = killed(node)
    monkeypatch.undo()
    node = gone_on_with(world, files, way)
    assert working(node) == [("limit", "ACCEPTED", 10), ("stop", "ACCEPTED", 10)]
    for order in node.kernel.cache.orders_open():
        assert node.client.venue_of(order.number)[0] in {each["id"] for each in at_broker(world)}


@pytest.mark.parametrize("way", WAYS)
def test_a_backup_from_before_the_order_that_shows_the_same_holding_halts_on_its_exits(way):
    """Nothing is held, as in the backup; what was bought was sold, and its exits still work."""
    world = weeks_apart(CALM)
    node = begin(world, MemoryFiles(), way, "one", Idle())
    node.start()
    backup = killed(node)
    body = {"symbol": "SPY", "side": "buy", "type": "market", "time_in_force": "gtc"}
    exits = {
        "order_class": "bracket",
        "take_profit": {"limit_price": "110"},
        "stop_loss": {"stop_price": "90"},
    }
    for more in ({"qty": "10", **exits}, {"qty": "10", "side": "sell"}):
        posted = world.simulator.request("POST", "/v2/orders", json.dumps(body | more).encode())
        assert posted.status == 200
        pass_to(world, world.now + MINUTE)
    pass_to(world, LATER + 5 * MINUTE)
    assert len(at_broker(world)) == 2
    node = begin(world, backup, way, "two", Idle())
    node.start()
    assert held(node) == 0
    assert codes(node) == {"external_order", "restricted"}
    assert any("symbol SPY is HALTED" in text for _, text in node.alarms)
