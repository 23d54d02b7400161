"""Whatever is sent by hand beside them, exits take from a position and never open or turn one."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pyrt.venues.capabilities import Capabilities
from tests.backtest.harness import SYMBOL, Script, play

BARE = Capabilities(
    order_types={"market", "limit"}, times_in_force={"day", "gtc"}, groups=(), instructions=()
)
whole = st.integers(90, 110)


@st.composite
def bars(draw: st.DrawFn) -> tuple[int, ...]:
    values = [draw(whole) for _ in range(4)]
    return values[0], max(values), min(values), values[3], draw(st.sampled_from([40, 400]))


@st.composite
def orders(draw: st.DrawFn) -> tuple[str, int, dict[str, Any]]:
    side = draw(st.sampled_from([1, -1]))
    kind = draw(st.sampled_from(["market", "limit", "stop"]))
    terms: dict[str, Any] = {} if kind == "market" else {f"{kind}_price": draw(whole)}
    at = terms.get(f"{kind}_price", 100)
    if draw(st.booleans()):
        terms["stop_loss"] = at - side * draw(st.integers(1, 12))
    if draw(st.booleans()):
        terms["take_profit"] = at + side * draw(st.integers(1, 12))
    return "buy" if side > 0 else "sell", draw(st.integers(1, 9)), terms


class Hand(Script):
    """Follows what is held fill by fill."""

    def __init__(self, steps: Any) -> None:
        super().__init__(steps)
        self.held = 0
        self.wrong: list[tuple[int, int]] = []

    def on_fill(self, fill: Any) -> None:
        before = self.held
        self.held += round(fill.quantity) * int(fill.side)
        leaves = abs(self.held) < abs(before) and self.held * before >= 0
        if fill.order.parent is not None and not leaves:
            self.wrong.append((before, self.held))


def send(wanted: list[tuple[str, int, dict[str, Any]]]) -> Any:
    return lambda s: [getattr(s, side)(SYMBOL, size, **terms) for side, size, terms in wanted]


@given(
    plan=st.lists(st.tuples(bars(), st.lists(orders(), max_size=3)), min_size=2, max_size=10),
    participation=st.sampled_from([None, 0.1]),
    children=st.sampled_from(["rest_of_bar", "next_bar"]),
)
def test_a_fill_of_an_exit_makes_a_position_smaller(
    plan: list[tuple[Any, Any]], participation: float | None, children: str
) -> None:
    hand = Hand({i: send(wanted) for i, (_, wanted) in enumerate(plan)})
    options: dict[str, Any] = {} if participation is None else {"participation": participation}
    play([bar for bar, _ in plan], hand, cash=10_000_000, children=children, **options)
    assert hand.wrong == []
    assert hand.held == hand.position(SYMBOL).quantity


@given(
    plan=st.lists(st.tuples(bars(), st.lists(orders(), max_size=3)), min_size=2, max_size=10),
    participation=st.sampled_from([None, 0.1]),
)
def test_an_exit_that_we_hold_is_at_no_time_larger_than_what_is_held(
    plan: list[tuple[Any, Any]], participation: float | None
) -> None:
    hand = Hand({i: send(wanted) for i, (_, wanted) in enumerate(plan)})
    options: dict[str, Any] = {} if participation is None else {"participation": participation}
    run = play([bar for bar, _ in plan], hand, cash=10_000_000, emulate=BARE, **options)
    assert hand.wrong == []
    for order in run.kernel.cache.orders_open():
        if order.parent is not None and order.parent.is_closed:
            assert order.leaves_quantity <= -int(order.side) * hand.held
