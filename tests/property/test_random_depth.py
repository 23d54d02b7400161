"""Random orders against random quotes, levels and orders, drawn step by step.

Whatever is drawn: no order fills beyond its quantity or its limit, nothing fills that the market
did not show, what was taken is gone until it is shown anew, better prices and earlier orders come
first, and books stay sound.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from pyrt.core.book import OrderBook
from pyrt.errors import OrderError
from tests.backtest.depths import (
    SECOND,
    START,
    SYMBOL,
    levels,
    order_events,
    play,
    prints,
    quotes,
)  # fmt: skip

NIGHTLY = os.environ.get("PYRT_HYPOTHESIS") == "nightly"
LOW, HIGH = 95, 105

sides = st.sampled_from(("B", "A"))
ours = st.sampled_from(("buy", "sell"))
ticks = st.integers(LOW, HIGH)
sizes = st.integers(1, 9)
quantities = st.integers(1, 15)


@dataclass
class Instant:
    """What the market showed after what happened at one second."""

    second: int
    book: OrderBook
    changed: tuple[bool, bool]
    """Whether bids, asks have changed."""
    meets: bool
    """Quotes or book events came, and the market could be met after them."""
    traded: list[tuple[float, float]]
    """(price, size) of prints and executions."""


class DepthMachine(RuleBasedStateMachine):
    """Draws a market and commands, one second each; plays them at the end and checks the run."""

    @initialize(
        market=st.sampled_from(("quotes", "quotes+trades", "levels", "levels+trades", "orders")),
        queue=st.sampled_from((None, "power:2", "log")),
    )
    def choose(self, market: str, queue: str | None) -> None:
        self.market, self.queue = market, queue
        self.second = 0
        self.rows: list[tuple[Any, ...]] = []
        self.prints: list[tuple[Any, ...]] = []
        self.steps: dict[float, Any] = {}
        self.orders: dict[int, tuple[str, int, int]] = {}
        self.next_id = 1
        self.modified: set[str] = set()
        for price, side in ((LOW, "B"), (HIGH, "A")):
            if market == "orders":
                self.add(side, price, 5)
            elif market.startswith("levels"):
                self.set_level(side, price, 5)
        if market.startswith("quotes"):
            self.quote(LOW, 1, 5, 5)

    def tick(self) -> int:
        self.second += 1
        return self.second

    # -- the market ----------------------------------------------------------------------------

    @precondition(lambda self: self.market.startswith("quotes"))
    @rule(bid=ticks, spread=st.integers(-1, 4), bid_size=sizes, ask_size=sizes)
    def quote(self, bid: int, spread: int, bid_size: int, ask_size: int) -> None:
        self.rows.append((self.tick(), bid, bid_size, bid + spread, ask_size))

    @precondition(lambda self: self.market.startswith("levels"))
    @rule(side=sides, price=ticks, size=st.integers(0, 9))
    def set_level(self, side: str, price: int, size: int) -> None:
        self.rows.append((self.tick(), side, price, size))

    @precondition(lambda self: self.market == "orders")
    @rule(side=sides, price=ticks, size=sizes)
    def add(self, side: str, price: int, size: int) -> None:
        self.rows.append((self.tick(), "add", side, price, size, self.next_id))
        self.orders[self.next_id] = (side, price, size)
        self.next_id += 1

    @precondition(lambda self: self.market == "orders" and self.orders)
    @rule(which=st.integers(0, 99), size=sizes, executes=st.booleans())
    def take_off(self, which: int, size: int, executes: bool) -> None:
        number = list(self.orders)[which % len(self.orders)]
        side, price, left = self.orders[number]
        size = min(size, left)
        now = self.tick()
        if executes:
            self.rows.append((now, "fill", side, price, size, number))
        self.rows.append((now, "cancel", side, price, size, number))
        if size == left:
            del self.orders[number]
        else:
            self.orders[number] = (side, price, left - size)

    @precondition(lambda self: self.market == "orders" and self.orders)
    @rule(which=st.integers(0, 99), price=ticks, size=sizes)
    def alter(self, which: int, price: int, size: int) -> None:
        number = list(self.orders)[which % len(self.orders)]
        side = self.orders[number][0]
        self.rows.append((self.tick(), "modify", side, price, size, number))
        self.orders[number] = (side, price, size)

    @precondition(lambda self: self.market.endswith("trades"))
    @rule(price=ticks, size=sizes, aggressor=st.sampled_from(("buy", "sell", "")))
    def trade(self, price: int, size: int, aggressor: str) -> None:
        self.prints.append((self.tick(), price, size, aggressor))

    # -- commands, between two seconds ---------------------------------------------------------

    def command(self, do: Any) -> None:
        at = self.second + 0.25
        while at in self.steps:
            at += 0.03125
        self.steps[at] = do

    @rule(
        side=ours,
        quantity=quantities,
        price=st.none() | ticks,
        tif=st.sampled_from(("gtc", "gtc", "ioc", "fok")),
        post_only=st.booleans(),
    )
    def send(self, side: str, quantity: int, price: int | None, tif: str, post_only: bool) -> None:
        terms: dict[str, Any] = {"time_in_force": tif}
        if price is not None:
            terms |= {"limit_price": price, "post_only": post_only and tif == "gtc"}
        self.command(lambda s: getattr(s, side)(SYMBOL, quantity, **terms))

    @rule(side=ours, quantity=quantities, stop=ticks, limit=st.none() | ticks)
    def send_stop(self, side: str, quantity: int, stop: int, limit: int | None) -> None:
        self.command(
            lambda s: getattr(s, side)(SYMBOL, quantity, stop_price=stop, limit_price=limit)
        )

    @rule(which=st.integers(0, 99))
    def cancel(self, which: int) -> None:
        self.command(lambda s: [s.cancel(s.made[which % len(s.made)])][:0] if s.made else [])

    @rule(which=st.integers(0, 99), quantity=st.none() | quantities, price=st.none() | ticks)
    def modify(self, which: int, quantity: int | None, price: int | None) -> None:
        changes = {"quantity": quantity, "limit_price": price}
        changes = {name: value for name, value in changes.items() if value is not None}

        def change(strategy: Any) -> list[Any]:
            if strategy.made and changes:
                order = strategy.made[which % len(strategy.made)]
                self.modified.add(order.client_order_id)
                with suppress(OrderError):
                    strategy.modify(order, **changes)
            return []

        self.command(change)

    # -- the end -------------------------------------------------------------------------------

    def teardown(self) -> None:
        if not hasattr(self, "market"):
            return
        make = {"quotes": quotes, "levels": levels, "orders": order_events}
        kind = self.market.partition("+")[0]
        table = make[kind](*self.rows)
        tables = {"quotes" if kind == "quotes" else "book": table}
        if self.prints:
            tables["trades"] = prints(*self.prints)
        elif self.market.endswith("trades"):
            tables["trades"] = prints((self.tick(), 100, 1, ""))
            self.prints.append((self.second, 100, 1, ""))
        run = play(tables, self.steps, queue=self.queue, cash=10_000_000)
        check(run, self.instants(kind, table), self.modified)

    def instants(self, kind: str, table: Any) -> dict[int, Instant]:
        """The market second by second, by a book of its own."""
        book = OrderBook(SYMBOL, {"quotes": "L1", "levels": "L2", "orders": "L3"}[kind])
        rows = list(table.itertuples())
        columns = book.prepare(table, {"quotes": "quotes", "levels": "l2", "orders": "mbo"}[kind])
        width = 2 if kind == "quotes" else 1
        found: dict[int, Instant] = {}
        at = 0
        for second in range(1, self.second + 1):
            before = book.raw_levels("B").tolist(), book.raw_levels("A").tolist()
            traded = [(float(p), float(n)) for t, p, n, _ in self.prints if t == second]
            first = at
            while at < len(rows) and self.rows[at][0] == second:
                if kind == "orders" and self.rows[at][1] == "fill":
                    traded.append((float(self.rows[at][3]), float(self.rows[at][4])))
                book.apply(columns, width * at, width * (at + 1))
                at += 1
            book.check()
            assert (book.bids()[:, 1] > 0).all()
            assert (book.asks()[:, 1] > 0).all()
            after = book.raw_levels("B").tolist(), book.raw_levels("A").tolist()
            changed = (before[0] != after[0], before[1] != after[1])
            seen = OrderBook(SYMBOL)
            for side, shown in (("B", book.bids()), ("A", book.asks())):
                for price, size in shown.tolist():
                    seen.set(side, price, size)
            meets = at > first and not seen.is_crossed
            found[second] = Instant(second, seen, changed, meets, traded)
        return found


def check(run: Any, instants: dict[int, Instant], modified: set[str]) -> None:
    """Hold a run against the market it was played on."""
    orders = {o.client_order_id: o for o in run.strategies[0].made}
    rows = {o["client_order_id"]: o for o in run.table("orders")}
    fills = [
        (f, int(f["ts_event"] - START) // SECOND, orders[f["client_order_id"]])
        for f in run.table("fills")
    ]
    filled: dict[str, float] = {}
    for fill, second, order in fills:
        filled[order.client_order_id] = filled.get(order.client_order_id, 0) + fill["quantity"]
        check_price(fill, instants[second])
    for name, order in orders.items():
        assert filled.get(name, 0) == order.filled_quantity <= order.quantity
        if rows[name]["status"] == "FILLED":
            assert order.filled_quantity == order.quantity
        if rows[name]["status"] in ("REJECTED", "DENIED"):
            assert name not in filled
        if rows[name]["time_in_force"] == "fok" and name in filled:
            assert filled[name] == order.quantity
    check_liquidity(fills, instants)
    check_priority(fills, instants, [o for o in orders.values() if name_of(o) not in modified])


def name_of(order: Any) -> str:
    return str(order.client_order_id)


def check_price(fill: dict[str, Any], now: Instant) -> None:
    """A fill has a reason: a level that stands, or a trade at its price or through it."""
    sign = 1 if fill["side"] == "buy" else -1
    best = now.book.best_ask if sign > 0 else now.book.best_bid
    price = fill["price"]
    if fill["liquidity"] == "taker":
        assert now.book.size_at("A" if sign > 0 else "B", price) > 0
        assert sign * price >= sign * best
        assert not now.book.is_crossed
    else:
        met = best == best and sign * best <= sign * price
        assert met or any(sign * at <= sign * price for at, _ in now.traded)


def check_liquidity(fills: list[Any], instants: dict[int, Instant]) -> None:
    """No more is taken than is shown and traded, until it is shown anew."""
    for sign, side in ((1, "buy"), (-1, "sell")):
        other = "A" if sign > 0 else "B"
        since: list[tuple[float, float]] = []
        traded = 0.0
        last = 0
        for fill, second, _ in fills:
            if fill["side"] != side:
                continue
            for passed in range(last + 1, second + 1):
                if instants[passed].changed[1 if sign > 0 else 0]:
                    since, traded = [], 0.0
                traded += sum(n for _, n in instants[passed].traded)
            last = second
            since.append((fill["price"], fill["quantity"]))
            # Levels that were set again to what they showed are new; those fills stay counted.
            worst = max(sign * price for price, _ in since) * sign
            shown = instants[second].book.quantity_for_price(
                "buy" if other == "A" else "sell", worst
            )
            assert sum(n for _, n in since) <= shown + traded


def check_priority(fills: list[Any], instants: dict[int, Instant], orders: list[Any]) -> None:
    """While a better price or an earlier order at the same price waits, no other one fills."""
    resting = [o for o in orders if o.order_type == "limit" and o.time_in_force == "gtc"]
    for fill, second, order in fills:
        if fill["liquidity"] != "maker" or order not in resting:
            continue
        sign = 1 if fill["side"] == "buy" else -1
        later = [f for f, s, o in fills if s > second]
        for other in resting:
            sent = int(other.ts_init - START) // SECOND
            if other is order or other.side != order.side or other.ts_init >= fill["ts_event"]:
                continue
            if not any(instants[s].meets for s in range(sent + 1, second)):
                continue
            if other.is_closed and other.ts_last <= fill["ts_event"]:
                continue
            ahead = sign * (other.limit_price - order.limit_price)
            if ahead > 0 or (ahead == 0 and other.ts_init < order.ts_init):
                own = [f["quantity"] for f in later if f["client_order_id"] == name_of(other)]
                left = other.quantity - other.filled_quantity + sum(own)
                assert left == 0


DepthMachine.TestCase.settings = settings(
    max_examples=600 if NIGHTLY else 60, stateful_step_count=30, deadline=None, print_blob=True
)
TestRandomDepth = DepthMachine.TestCase


def test_an_order_that_may_not_take_and_has_filled_in_part_ends_where_a_change_would_take() -> None:
    """It was rejected, which ends only what has not filled yet; the run broke off."""
    state = DepthMachine()
    state.choose(market="levels+trades", queue=None)
    state.send(post_only=False, price=None, quantity=1, side="buy", tif="gtc")
    state.send(post_only=True, price=95, quantity=2, side="buy", tif="gtc")
    state.set_level(price=95, side="A", size=1)
    state.modify(price=None, quantity=3, which=1)
    state.teardown()
