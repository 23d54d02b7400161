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
    after_open,
    becomes,
    before_close,
    column,
    cross_above,
    cross_below,
    exit_condition,
    falling,
    holding,
    hysteresis,
    in_session,
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
# From an hour before a session of the exchange to half an hour after it; it is 9:30 to 16:00 there.
SESSION = walk(510, 3, step=2, tz_start="2024-03-08 13:29")
OPENS, CLOSES = (
    pd.Timestamp("2024-03-08 14:30", tz="UTC"),
    pd.Timestamp("2024-03-08 21:00", tz="UTC"),
)
Truth = bool | None
"""None is undefined."""
Test = Callable[[dict[str, float], Any, pd.Timestamp], Truth]
NUMBERS = ("quantity", "working_quantity", "average_price", "unrealized_pnl")


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


def in_part(first: int | None, last: int | None) -> Test:
    def test(seen: dict[str, float], position: Any, ts: pd.Timestamp) -> Truth:
        since, left = ts - OPENS, CLOSES - ts
        if since < pd.Timedelta(0) or left <= pd.Timedelta(0):
            return False
        if first is not None and since >= pd.Timedelta(minutes=first):
            return False
        return last is None or left <= pd.Timedelta(minutes=last)

    return test


def left_for(reason: str, distance: float) -> Test:
    """A reason to leave; `seen["entry"]` is the number of the position, of those there were."""
    known: dict[str, float] = {"entry": -1.0}

    def test(seen: dict[str, float], position: Any, ts: pd.Timestamp) -> Truth:
        price, side = seen["close"], 1 if position.quantity > 0 else -1
        if position.quantity == 0:
            return False
        if seen["entry"] != known["entry"]:
            known.update(entry=seen["entry"], best=position.average_price, events=0)
        known["events"] += 1
        known["best"] = side * max(side * known["best"], side * price)
        below, above = 1 - side * distance, 1 + side * distance
        if reason == "bars":
            return known["events"] >= distance
        if reason == "target":
            return side * price >= side * (position.average_price * above)
        level = known["best"] if reason == "trail" else position.average_price
        return side * price <= side * (level * below)

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

NAMES = st.sampled_from(["fast", "slow", "rsi", "close", "high", *NUMBERS])
SIDES = st.one_of(NAMES, st.sampled_from([99.5, 100.0, 100.5, 30, 50, 70, 0, 5, -5]))
DISTANCES = st.sampled_from([0.0001, 0.0004, 0.001])
COUNTS = st.integers(1, 4)
MINUTES = st.sampled_from([540, 571, 720, 930, 959])
LEAVES = st.one_of(
    st.tuples(st.just("compare"), st.sampled_from(["<", "<=", ">", ">="]), NAMES, SIDES),
    st.tuples(st.just("cross"), st.booleans(), NAMES, SIDES),
    st.tuples(st.just("run"), st.booleans(), NAMES, COUNTS),
    st.tuples(st.just("hold"), NAMES, st.sampled_from([(60, 40), (35, 55), (100.2, 99.8)])),
    st.tuples(st.just("time"), MINUTES, MINUTES).filter(lambda t: t[1] != t[2]),
    st.tuples(st.just("side"), st.sampled_from(["flat", "long", "short"])),
    st.tuples(st.just("exit"), st.sampled_from(["stop", "target", "trail"]), DISTANCES),
    st.tuples(st.just("exit"), st.just("bars"), COUNTS),
)
SESSIONS = st.tuples(
    st.just("session"), st.sampled_from([(None, None), (45, None), (None, 30), (1, None)])
)


def trees_of(leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Join conditions in every way there is."""
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.tuples(st.just("and"), inner, inner),
            st.tuples(st.just("or"), inner, inner),
            st.tuples(st.just("not"), inner),
            st.tuples(st.just("within"), inner, COUNTS),
            st.tuples(st.just("becomes"), inner),
        ),
        max_leaves=5,
    )


TREES = trees_of(LEAVES)
SIDE = {"flat": is_flat, "long": is_long, "short": is_short}


def declared(tree: Any, sources: dict[str, Any]) -> Any:
    """Make the condition."""
    kind, *rest = tree
    named = {**sources, "close": column("close"), "high": column("high")}
    named |= {name: holding("X", name) for name in NUMBERS}
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
    if kind == "exit":
        return exit_condition("X", **{rest[0]: rest[1]})
    if kind == "session":
        first, last = rest[0]
        if first is not None:
            return after_open(f"{first}m")
        return in_session() if last is None else before_close(f"{last}m")
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
    if kind == "exit":
        return left_for(*rest)
    if kind == "session":
        return in_part(*rest[0])
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
        self.units, self.entry = 0.0, 0
        return self

    def on_fill(self, fill: Any) -> None:
        before = self.units
        self.units += fill.side * fill.quantity
        self.entry += before == 0 or before * self.units < 0

    def on_start(self) -> None:
        self.sources = self.attach_all()

    def on_bar(self, bar: Any) -> None:
        seen = {name: one.value for name, one in self.sources.items()}
        seen |= {"close": bar.close, "high": bar.high, "entry": self.entry}
        ts = pd.Timestamp(bar.ts_event, tz="UTC")
        position = self.position("X")
        for what, test in enumerate(self.tests):
            # Looked at anew: the handler of the test before may have sent an order.
            seen |= {name: getattr(position, name) for name in NUMBERS}
            if test(seen, position, ts):
                self.act(what)


@settings(max_examples=EXAMPLES)
@given(st.lists(TREES, min_size=3, max_size=3), st.integers(0, len(DATA) - 1))
def test_random_conditions_fill_as_their_tests_by_hand(trees: list[Any], which: int) -> None:
    check(trees, DATA[which])


@settings(max_examples=max(EXAMPLES // 4, 10))
@given(st.lists(trees_of(st.one_of(LEAVES, SESSIONS, SESSIONS)), min_size=3, max_size=3))
def test_random_conditions_on_sessions_fill_as_their_tests_by_hand(trees: list[Any]) -> None:
    check(trees, SESSION, venue="alpaca")


def check(trees: list[Any], data: Any, **options: Any) -> None:
    """Run the conditions declared and by hand: the fills are the same."""
    runs = [run(make().prepare(trees), data, **options) for make in (ByHand, Declared)]
    fills = [
        one.fills.drop(columns=["strategy", "client_order_id", "execution_id"]) for one in runs
    ]
    pd.testing.assert_frame_equal(fills[1], fills[0], check_exact=True)
