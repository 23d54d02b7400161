"""Random conditions: declared with `when` and computed by hand in `on_bar`, they fill alike."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from pyrt import Strategy
from pyrt.indicators import (
    RSI,
    SMA,
    becomes,
    column,
    cross_above,
    cross_below,
    falling,
    hysteresis,
    is_flat,
    is_long,
    is_short,
    rising,
    time_of_day,
    within,
)
from tests.indicators.signal_runs import run, walk

EXAMPLES = 500 if settings().max_examples > 500 else 40
DATA = [walk(400, seed, step=2, tz_start="2024-03-08 12:00") for seed in range(3)]
Truth = bool | None
"""None is undefined."""
Test = Callable[[dict[str, float], Any, pd.Timestamp], Truth]


def number(name: Any, seen: dict[str, float]) -> float | None:
    value = seen[name] if isinstance(name, str) else float(name)
    return None if value != value else value


class Numbers:
    """Both sides of a comparison at this event and the one before."""

    def __init__(self, left: Any, right: Any) -> None:
        self.names = left, right
        self.before: tuple[float | None, float | None] = None, None

    def step(self, seen: dict[str, float]) -> tuple[Any, Any, Any, Any]:
        now = tuple(number(name, seen) for name in self.names)
        before, self.before = self.before, now
        return (*before, *now)


def compared(sign: str, left: Any, right: Any) -> Test:
    pair = Numbers(left, right)

    def test(seen: dict[str, float], position: Any, ts: Any) -> Truth:
        _, _, a, b = pair.step(seen)
        if a is None or b is None:
            return None
        return {"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[sign]

    return test


def crossed(up: bool, left: Any, right: Any) -> Test:
    pair = Numbers(left, right)

    def test(seen: dict[str, float], position: Any, ts: Any) -> Truth:
        p, q, a, b = pair.step(seen)
        if None in (p, q, a, b):
            return None
        return p <= q and a > b if up else p >= q and a < b

    return test


def ran(up: bool, name: str, n: int) -> Test:
    past: list[float] = []

    def test(seen: dict[str, float], position: Any, ts: Any) -> Truth:
        now = number(name, seen)
        if now is None:
            past.clear()
            return None
        past.append(now)
        if len(past) <= n:
            return None
        last = past[-n - 1 :]
        return all((b > a) if up else (b < a) for a, b in pairwise(last))

    return test


def held(name: str, enter: float, leave: float) -> Test:
    on = [False]

    def test(seen: dict[str, float], position: Any, ts: Any) -> Truth:
        now = number(name, seen)
        if now is None:
            return None
        if (now >= enter) if enter > leave else (now <= enter):
            on[0] = True
        elif (now <= leave) if enter > leave else (now >= leave):
            on[0] = False
        return on[0]

    return test


def timed(start: int, stop: int) -> Test:
    def test(seen: dict[str, float], position: Any, ts: pd.Timestamp) -> Truth:
        local = ts.tz_convert("America/New_York")
        minute = local.hour * 60 + local.minute
        return start <= minute < stop if start < stop else minute >= start or minute < stop

    return test


def both(a: Test, b: Test) -> Test:
    def test(*event: Any) -> Truth:
        x, y = a(*event), b(*event)
        return False if False in (x, y) else (True if x and y else None)

    return test


def either(a: Test, b: Test) -> Test:
    def test(*event: Any) -> Truth:
        x, y = a(*event), b(*event)
        return True if True in (x, y) else (None if None in (x, y) else False)

    return test


def opposite(a: Test) -> Test:
    def test(*event: Any) -> Truth:
        x = a(*event)
        return None if x is None else not x

    return test


def remembered(a: Test, n: int) -> Test:
    left = [0]

    def test(*event: Any) -> Truth:
        x = a(*event)
        left[0] = n if x else max(left[0] - 1, 0)
        return True if left[0] > 0 else x

    return test


def became(a: Test) -> Test:
    last: list[Truth] = [None]

    def test(*event: Any) -> Truth:
        x, before = a(*event), last[0]
        last[0] = x
        return None if x is None or before is None else bool(x and not before)

    return test


# What is written is a tree of tuples: it is made into a condition, and into a test by hand.

NAMES = st.sampled_from(["fast", "slow", "rsi", "close", "high"])
SIDES = st.one_of(NAMES, st.sampled_from([99.5, 100.0, 100.5, 30, 50, 70]))
COUNTS = st.integers(1, 4)
MINUTES = st.sampled_from([540, 571, 720, 930, 959])
LEAVES = st.one_of(
    st.tuples(st.just("compare"), st.sampled_from(["<", "<=", ">", ">="]), NAMES, SIDES),
    st.tuples(st.just("cross"), st.booleans(), NAMES, SIDES),
    st.tuples(st.just("run"), st.booleans(), NAMES, COUNTS),
    st.tuples(st.just("hold"), NAMES, st.sampled_from([(60, 40), (35, 55), (100.2, 99.8)])),
    st.tuples(st.just("time"), MINUTES, MINUTES).filter(lambda t: t[1] != t[2]),
    st.tuples(st.just("side"), st.sampled_from(["flat", "long", "short"])),
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.tuples(st.just("and"), inner, inner),
        st.tuples(st.just("or"), inner, inner),
        st.tuples(st.just("not"), inner),
        st.tuples(st.just("within"), inner, COUNTS),
        st.tuples(st.just("becomes"), inner),
    ),
    max_leaves=5,
)
SIDE = {"flat": is_flat, "long": is_long, "short": is_short}


def declared(tree: Any, sources: dict[str, Any]) -> Any:
    """Make the condition."""
    kind, *rest = tree
    named = {**sources, "close": column("close"), "high": column("high")}
    if kind == "compare":
        sign, left, right = rest
        a, b = named[left], named.get(right, right)
        return {"<": a.__lt__, "<=": a.__le__, ">": a.__gt__, ">=": a.__ge__}[sign](b)
    if kind == "cross":
        return (cross_above if rest[0] else cross_below)(
            *[named.get(side, side) for side in rest[1:]]
        )
    if kind == "run":
        return (rising if rest[0] else falling)(named[rest[1]], rest[2])
    if kind == "hold":
        return hysteresis(named[rest[0]], *rest[1])
    if kind == "time":
        return time_of_day(*[f"{m // 60:02}:{m % 60:02}" for m in rest])
    if kind == "side":
        return SIDE[rest[0]]("X")
    parts = [declared(part, sources) for part in rest if isinstance(part, tuple)]
    if kind == "and":
        return parts[0] & parts[1]
    if kind == "or":
        return parts[0] | parts[1]
    if kind == "not":
        return ~parts[0]
    return within(parts[0], rest[1]) if kind == "within" else becomes(parts[0])


def by_hand(tree: Any) -> Test:
    """Make the test that says the same."""
    kind, *rest = tree
    if kind == "side":
        return lambda seen, position, ts: getattr(position, f"is_{rest[0]}")
    if kind in ("compare", "cross", "run", "hold", "time"):
        make = {"compare": compared, "cross": crossed, "run": ran, "time": timed}.get(kind)
        return make(*rest) if make else held(rest[0], *rest[1])
    parts = [by_hand(part) for part in rest if isinstance(part, tuple)]
    if kind == "within":
        return remembered(parts[0], rest[1])
    return {"and": both, "or": either, "not": opposite, "becomes": became}[kind](*parts)


class Source(Strategy):
    def attach_all(self) -> dict[str, Any]:
        self.bars = self.subscribe_bars("X", "1m")
        made = {"fast": SMA(3), "slow": SMA(9), "rsi": RSI(5)}
        return {name: self.attach(one, self.bars) for name, one in made.items()}

    def act(self, what: int) -> None:
        if what == 0:
            self.target_position("X", 5)
        elif what == 1:
            self.target_position("X", -5)
        else:
            self.close("X")


class Declared(Source):
    def prepare(self, trees: list[Any]) -> Strategy:
        self.trees = trees
        return self

    def on_start(self) -> None:
        sources = self.attach_all()
        for what, tree in enumerate(self.trees):
            self.when(declared(tree, sources), lambda what=what: self.act(what), stream=self.bars)


class ByHand(Source):
    def prepare(self, trees: list[Any]) -> Strategy:
        self.tests = [by_hand(tree) for tree in trees]
        return self

    def on_start(self) -> None:
        self.sources = self.attach_all()

    def on_bar(self, bar: Any) -> None:
        seen = {name: one.value for name, one in self.sources.items()}
        seen |= {"close": bar.close, "high": bar.high}
        ts = pd.Timestamp(bar.ts_event, tz="UTC")
        for what, test in enumerate(self.tests):
            if test(seen, self.position("X"), ts):
                self.act(what)


@settings(max_examples=EXAMPLES)
@given(st.lists(TREES, min_size=3, max_size=3), st.integers(0, len(DATA) - 1))
def test_random_conditions_fill_as_their_tests_by_hand(trees: list[Any], which: int) -> None:
    runs = [run(make().prepare(trees), DATA[which]) for make in (ByHand, Declared)]
    fills = [
        one.fills.drop(columns=["strategy", "client_order_id", "execution_id"]) for one in runs
    ]
    pd.testing.assert_frame_equal(fills[1], fills[0], check_exact=True)
