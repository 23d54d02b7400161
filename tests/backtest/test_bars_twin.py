"""The bar matcher against its slow twin, order for order and fill for fill."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.backtest.harness import MINUTE, START, SYMBOL, Script, play
from tests.reference.matching import SlowOrder, SlowVenue

whole = st.integers(85, 115)
Bar = tuple[int, int, int, int]


@st.composite
def bars(draw: st.DrawFn) -> Bar:
    values = [draw(whole) for _ in range(4)]
    return values[0], max(values), min(values), values[3]


@st.composite
def orders(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(st.sampled_from(["market", "limit", "stop", "stop_limit", "trail"]))
    terms: dict[str, Any] = {"side": draw(st.sampled_from([1, -1])), "quantity": 1}
    if kind in ("limit", "stop_limit"):
        terms["limit"] = draw(whole) + 0.5
    if kind in ("stop", "stop_limit"):
        terms["stop"] = draw(whole)
    if kind == "trail":
        terms["trail"] = draw(st.integers(1, 6))
    if kind in ("market", "limit", "stop") and draw(st.booleans()):
        at = terms.get("limit", terms.get("stop", 100))
        away = terms["side"] * draw(st.integers(1, 8))
        terms["target"] = int(at) + away + 0.5 if away > 0 else int(at) + away - 0.5
        if draw(st.booleans()):
            terms["loss"] = int(at) - terms["side"] * draw(st.integers(1, 8))
    return terms


NAMES = {
    "limit": "limit_price",
    "stop": "stop_price",
    "trail": "trail_amount",
    "target": "take_profit",
    "loss": "stop_loss",
}

plans = st.lists(st.tuples(bars(), st.lists(orders(), max_size=3)), min_size=2, max_size=8)


class Sender(Script):
    """Sends the orders of each bar in turn; notes bar, quantity and price of the fills."""

    def __init__(self, steps: Any) -> None:
        super().__init__(steps)
        self.fills: list[tuple[int, int, float]] = []

    def on_fill(self, fill: Any) -> None:
        bar = (fill.ts_open - START) // MINUTE
        self.fills.append((bar, round(fill.quantity) * int(fill.side), fill.price))


def send_all(wanted: list[dict[str, Any]]) -> Any:
    def send(s: Any) -> list[Any]:
        made = []
        for terms in wanted:
            side = s.buy if terms["side"] > 0 else s.sell
            made.append(side(SYMBOL, 1, **{NAMES[k]: v for k, v in terms.items() if k in NAMES}))
        return made

    return send


@pytest.mark.parametrize("fill", ["next_open", "next_close"])
@pytest.mark.parametrize("path", ["open_high_low_close", "open_low_high_close"])
@settings(max_examples=120, deadline=None)
@given(plan=plans)
def test_the_matcher_fills_as_a_walk_over_every_half_point(
    path: str, fill: str, plan: list[tuple[Bar, list[dict[str, Any]]]]
) -> None:
    strategy = Sender({i: send_all(wanted) for i, (_, wanted) in enumerate(plan)})
    play([bar for bar, _ in plan], strategy, path=path, fill=fill, cash=10_000_000)
    venue = SlowVenue(path == "open_high_low_close", fill == "next_close")
    for bar, wanted in plan:
        venue.take(*bar)
        for terms in wanted:
            venue.send(SlowOrder(**terms), bar[3])
    assert strategy.fills == venue.fills
