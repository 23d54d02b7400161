"""A position that loses its exits, and not by our doing, is told; other ends of exits are not."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace as Stub
from typing import Any

import pytest

from pyrt import Strategy
from pyrt.live.driver import unguarded
from pyrt.live.driver.unguarded import LostExits
from pyrt.testing.files import MemoryFiles
from tests.live.test_walking_skeleton import bars
from tests.live.test_ways_out import killed
from tests.live.whole import PHASES, Node, World, policies

PRICES = [100.0] * 6 + [104.0] * 20


class Guarded(Strategy):
    """Holds ten, guarded by a pair; `goal` is where it takes its profit."""

    goal: float = 150.0
    guards_anew: bool = False
    lets_go: bool = False

    def on_start(self):
        self.subscribe_bars("SPY", "1m")
        self.seen = 0

    def on_bar(self, bar):
        self.seen += 1
        if self.seen == 1:
            self.buy("SPY", 10, stop_loss=90, take_profit=self.goal)
        elif self.lets_go and self.seen == 4:
            for order in self.orders("SPY"):
                self.cancel(order)
        elif self.seen > 8 and self.goal < 110 and self.position("SPY").is_flat:
            # Held without exits, as this strategy wants it.
            self.buy("SPY", 5)

    def on_order(self, event):
        if self.guards_anew and event.kind == "canceled" and not self.orders("SPY"):
            self.sell("SPY", 10, stop_price=89, reduce_only=True)


def run(strategy: Guarded, *, canceled_outside: bool = False, steps: int = 14) -> Node:
    world = World([bars(PRICES)])
    node = Node(world, MemoryFiles(), [strategy], run_id="one", policies=policies("saved"))
    node.start()
    node.run(4 * PHASES)
    assert node.kernel.strategies[0].position("SPY").quantity == 10
    if canceled_outside:
        world.simulator.request("DELETE", "/v2/orders", b"")
    node.run(steps * PHASES)
    return node


def told(node: Node) -> list[str]:
    return [text for code, text in node.alarms if code == "unguarded"]


def test_exits_that_somebody_else_has_canceled_are_told_once():
    node = run(Guarded(), canceled_outside=True)
    (text,) = told(node)
    assert "SPY of Guarded is held" in text
    assert "pyrt-one-2" in text
    assert "pyrt-one-3" in text
    assert not node.kernel.cache.orders_open()


@pytest.mark.parametrize(
    ("terms", "canceled_outside"),
    [({}, False), ({"guards_anew": True}, True), ({"lets_go": True}, False)],
)
def test_what_is_guarded_or_let_go_on_purpose_is_not_told(terms, canceled_outside):
    node = run(Guarded(**terms), canceled_outside=canceled_outside)
    assert node.kernel.strategies[0].position("SPY").quantity == 10
    assert told(node) == []


def test_the_other_of_a_pair_that_has_filled_is_not_missed():
    node = run(Guarded(goal=103.0))
    assert node.kernel.strategies[0].position("SPY").quantity == 5
    assert told(node) == []


SECOND = 1_000_000_000


class Exits:
    """Positions and working orders of a node, as they are said; what is alarmed."""

    def __init__(self) -> None:
        self.strategy = Stub(name="Guarded", number=0)
        self.held = [self.holding("SPY", 10)]
        self.working: list[Any] = []
        self.told: list[str] = []
        cache = Stub(
            positions=lambda: self.held,
            orders_open=lambda strategy, symbol: [o for o in self.working if o.symbol == symbol],
        )
        kernel = Stub(cache=cache, strategies=[self.strategy])
        self.there: Decimal | None = None
        run: Any = Stub(live_core=Stub(kernel=kernel), scribe=Stub(alarm=self.alarm))
        run.stated_otherwise = lambda symbol: self.there
        self.lost = LostExits(run)

    def alarm(self, code: str, text: str, now: int) -> None:
        assert code == "unguarded"
        self.told.append(text)

    def holding(self, symbol: str, quantity: float) -> Any:
        return Stub(strategy=0, symbol=symbol, quantity_exact=Decimal(quantity))

    def order(self, name: str = "a", symbol: str = "SPY", side: int = -1, **more: Any) -> Any:
        given = {"sibling": None, **more}
        return Stub(
            client_order_id=name, symbol=symbol, side_sign=side, strategy=self.strategy, **given
        )


def test_a_strategy_has_five_seconds_to_guard_anew_and_is_told_of_once():
    exits = Exits()
    exits.lost.note(exits.order(), 100 * SECOND)
    assert exits.lost.due == 105 * SECOND
    exits.lost.turn(105 * SECOND - 1)
    assert exits.told == []
    exits.lost.turn(105 * SECOND)
    assert len(exits.told) == 1
    assert exits.lost.due is None
    exits.lost.turn(200 * SECOND)
    assert len(exits.told) == 1


def test_exits_that_are_refused_one_after_the_other_do_not_put_the_alarm_off():
    """A strategy that guards anew each second, and is refused each second, guards nothing."""
    exits = Exits()
    for second in range(6):
        exits.lost.turn(second * SECOND)
        if second < 5:
            exits.lost.note(exits.order(f"exit-{second}"), second * SECOND)
    (text,) = exits.told
    assert "exit-0, exit-1, exit-2, exit-3, exit-4" in text


def test_each_position_has_its_own_five_seconds():
    exits = Exits()
    exits.held += [exits.holding("BAC", 5), exits.holding("XOM", 5)]
    for name, symbol, second in (
        ("a", "SPY", 0),
        ("b", "XOM", 3),
        ("c", "SPY", 4),
        ("d", "BAC", 4),
    ):
        exits.lost.note(exits.order(name, symbol), second * SECOND)
    for now, due, told in (
        (5, 8, ["SPY"]), (7, 8, ["SPY"]), (8, 9, ["SPY", "XOM"]), (9, None, ["SPY", "XOM", "BAC"]),
    ):  # fmt: skip
        exits.lost.turn(now * SECOND)
        assert exits.lost.due == (None if due is None else due * SECOND)
        assert [text.partition(" ")[0] for text in exits.told] == told
    assert "(a, c)" in exits.told[0]


@pytest.mark.parametrize(
    ("held", "side", "working", "is_told"),
    [
        (10, -1, [], True),
        (10, -1, [1], True),
        (10, -1, [1, -1], False),
        (-10, 1, [], True),
        (-10, 1, [-1], True),
        (-10, 1, [1], False),
        (1, -1, [-1], False),
        (1, -1, [1], True),
        (0.5, -1, [-1], False),
        (-0.5, 1, [1], False),
    ],
)
def test_only_an_order_of_the_other_side_guards_a_position(held, side, working, is_told):
    exits = Exits()
    exits.held = [exits.holding("BAC", 5), exits.holding("SPY", held)]
    exits.working = [exits.order(side=each) for each in working]
    exits.lost.note(exits.order(side=side), 0)
    exits.lost.turn(5 * SECOND)
    assert bool(exits.told) == is_told
    assert all("SPY of Guarded is held, its exits ended unfilled (a)" in t for t in exits.told)


@pytest.mark.parametrize(("filled", "is_told"), [(0, True), (1, False)])
def test_an_exit_whose_sibling_has_filled_is_not_lost(filled, is_told):
    exits = Exits()
    exits.lost.note(exits.order(sibling=Stub(filled_quantity=filled)), 0)
    exits.lost.turn(5 * SECOND)
    assert bool(exits.told) == is_told


def leftover(side: int, *, canceling: bool = False, number: int = 0, name: str = "a") -> Any:
    return Stub(side_sign=side, canceling=canceling, number=number, client_order_id=name)


@pytest.mark.parametrize(
    ("held", "orders", "wanted", "told"),
    [
        # Its only exit is being canceled, by what was played or by the record; or it is not.
        (10, [leftover(-1, canceling=True)], {}, "(a)"),
        (10, [leftover(-1)], {"a": True}, "(a)"),
        (10, [leftover(-1)], {"a": False}, None),
        (10, [leftover(-1)], {}, None),
        # An order that closes the position leaves later, or another exit stays.
        (10, [leftover(-1, canceling=True, number=7)], {}, None),
        (10, [leftover(-1, canceling=True), leftover(-1, name="b")], {}, None),
        (
            10,
            [leftover(-1, canceling=True), leftover(-1, canceling=True, name="b")],
            {},
            "(a, b)",
        ),
        # An entry is no exit, whatever becomes of it.
        (10, [leftover(1, canceling=True)], {}, None),
        (10, [leftover(-1, canceling=True), leftover(1, name="b")], {}, "(a)"),
        (-10, [leftover(1, canceling=True)], {}, "(a)"),
        (-10, [leftover(-1, canceling=True)], {}, None),
        (1, [leftover(-1, canceling=True)], {}, "(a)"),
        (0.5, [leftover(-1, canceling=True)], {}, "(a)"),
        (10, [], {}, None),
        (0, [leftover(1, canceling=True)], {}, None),
    ],
)
def test_after_a_crash_exits_that_were_being_canceled_are_told(
    monkeypatch, held, orders, wanted, told
):
    monkeypatch.setattr(unguarded, "is_canceling", lambda order: order.canceling)
    asked = []
    cache = Stub(
        positions=lambda: [Stub(strategy=3, symbol="SPY", quantity_exact=held)],
        orders_open=lambda *given: asked.append(given) or orders,
    )
    known = {name: Stub(cancel_wanted=is_wanted) for name, is_wanted in wanted.items()}
    run = Stub(
        live_core=Stub(kernel=Stub(cache=cache, strategies=[Stub(number=3, name="Guarded")])),
        journal=Stub(state=Stub(orders=known)),
    )
    found = list(unguarded.unguarded(run, [7]))
    assert asked == [(3, "SPY")]
    assert len(found) == (told is not None)
    for text in found:
        assert text.startswith("SPY of Guarded is held, its exits were being canceled")
        assert f"{told}, and nothing closes it" in text


@pytest.mark.parametrize(("there", "is_told"), [(None, True), (4, True), (0, False), (-3, False)])
def test_what_was_closed_beside_the_node_is_not_said_to_be_held(there, is_told):
    """Whoever closed it here, as the alarm asks for, opened the other side at the broker."""
    exits = Exits()
    exits.there = None if there is None else Decimal(there)
    exits.lost.note(exits.order(), 0)
    exits.lost.turn(10 * SECOND)
    assert bool(exits.told) == is_told


class Keeps(Guarded):
    """Guards what it holds by an order that Alpaca has no type for: the node keeps it."""

    def on_bar(self, bar):
        self.seen += 1
        if self.seen == 1:
            self.buy("SPY", 10)
        elif self.lets_go and self.seen == 4:
            self.cancel_all("SPY")

    def on_fill(self, fill):
        self.sell("SPY", 10, trigger_price=200)


@pytest.mark.parametrize("action", ["", "halt", "cancel_all"])
def test_a_kept_exit_that_is_let_go_on_purpose_is_not_told(action):
    """Of a Kill it alone was told: exits at the broker, which it had canceled too, seemed there."""
    node = Node(
        World([bars(PRICES)]), MemoryFiles(), [Keeps(lets_go=not action)], run_id="one",
        policies=policies("saved"),
    )  # fmt: skip
    node.start()
    node.run(3 * PHASES)
    assert [order.status for order in node.kernel.cache.orders_open()] == ["EMULATED"]
    if action:
        node.driver.operate(action, "anna", "looks odd")
    node.run(14 * PHASES)
    assert node.kernel.strategies[0].position("SPY").quantity == 10
    assert not node.kernel.cache.orders_open()
    assert told(node) == []


def test_a_kept_exit_that_has_died_with_its_node_is_told():
    world = World([bars(PRICES)])
    first = Node(world, MemoryFiles(), [Keeps()], run_id="one", policies=policies("played"))
    first.start()
    first.run(3 * PHASES)
    second = Node(world, killed(first), [Keeps()], run_id="two", policies=policies("played"))
    second.start()
    second.run(10 * PHASES)
    assert len(told(second)) == 1
