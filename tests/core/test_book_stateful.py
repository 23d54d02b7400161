"""Random changes against the slow book: same levels, same queues, same answers."""

from __future__ import annotations

import pickle
from fractions import Fraction
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from pyrt.core.book import OrderBook
from tests.reference.book import SlowBook

NANO = 10**9
sides = st.sampled_from([1, -1])
# Few prices, so that levels are shared, and a spread of them, so that blocks split and merge.
ticks = st.one_of(st.integers(1, 6), st.integers(1, 400))
sizes = st.integers(1, 20)
ids = st.integers(1, 40)


class BookMachine(RuleBasedStateMachine):
    """Drives `OrderBook` by its tables and by single calls, `SlowBook` beside it."""

    def __init__(self) -> None:
        super().__init__()
        self.book = OrderBook("X", level="L3")
        self.slow = SlowBook()

    def apply(self, action: str, side: int, price: int, size: int, order_id: int) -> None:
        row: dict[str, Any] = {
            "side": ["B" if side > 0 else "A"],
            "price": [float(price)],
            "size": [float(size)],
            "action": [action],
            "order_id": [order_id],
        }
        lobster = action in ("reduce", "delete", "fill")
        assert self.book.apply_table(row, "lobster" if lobster else "mbo") == 1

    @rule(side=sides, price=ticks, size=st.integers(0, 20))
    def set_level(self, side: int, price: int, size: int) -> None:
        self.book.set(side, price, size)
        self.slow.set_level(side, price, size)

    @rule(side=sides, start=st.integers(1, 300), count=st.integers(20, 150), step=sizes)
    def set_many(self, side: int, start: int, count: int, step: int) -> None:
        for price in range(start, start + count * step, step):
            self.set_level(side, price, 1 + price % 7)

    @rule(side=sides, start=st.integers(1, 300), count=st.integers(20, 150))
    def delete_many(self, side: int, start: int, count: int) -> None:
        for price in range(start, start + count):
            self.set_level(side, price, 0)

    @rule(order_id=ids, side=sides, price=ticks, size=sizes)
    def add(self, order_id: int, side: int, price: int, size: int) -> None:
        self.apply("add", side, price, size, order_id)
        self.slow.add(order_id, side, price, size)

    @rule(order_id=ids, side=sides, price=ticks, size=st.integers(0, 20))
    def modify(self, order_id: int, side: int, price: int, size: int) -> None:
        self.apply("modify", side, price, size, order_id)
        self.slow.modify(order_id, side, price, size)

    @rule(
        action=st.sampled_from(["cancel", "reduce", "fill"]),
        order_id=ids,
        side=sides,
        price=ticks,
        size=sizes,
    )
    def reduce(self, action: str, order_id: int, side: int, price: int, size: int) -> None:
        self.apply(action, side, price, size, order_id)
        if order_id in self.slow.orders:
            self.slow.reduce(order_id, size)
        else:
            self.slow.take_unattributed(side, price, size)

    @rule(order_id=ids, side=sides, price=ticks, size=sizes)
    def delete(self, order_id: int, side: int, price: int, size: int) -> None:
        self.apply("delete", side, price, size, order_id)
        if order_id in self.slow.orders:
            del self.slow.orders[order_id]
        else:
            self.slow.take_unattributed(side, price, size)

    @rule()
    def save_and_load(self) -> None:
        self.book = pickle.loads(pickle.dumps(self.book))

    @rule(side=sides, quantity=st.integers(1, 200))
    def average_price_is_the_slow_one(self, side: int, quantity: int) -> None:
        slow = self.slow.average_price(side, quantity)
        price = self.book.average_price(side, quantity)
        assert price != price if slow is None else price == float(Fraction(slow))

    @rule(side=sides, limit=ticks)
    def quantity_for_price_is_the_slow_one(self, side: int, limit: int) -> None:
        assert self.book.quantity_for_price(side, limit) == self.slow.quantity_for_price(
            side, limit
        )

    @rule(side=sides, price=ticks, quantity=sizes)
    def a_view_without_own_orders_is_the_slow_one(
        self, side: int, price: int, quantity: int
    ) -> None:
        totals = dict(self.slow.levels(side))
        totals[price] = max(0, totals.get(price, 0) - quantity)
        view = self.book.without_own([(side, price, quantity)])
        expected = sorted(
            ((p, n) for p, n in totals.items() if n), key=lambda level: -side * level[0]
        )
        assert view.raw_levels(side).tolist() == [[p * NANO, n * NANO] for p, n in expected]
        view.check()

    @invariant()
    def levels_are_the_slow_ones_and_in_order(self) -> None:
        self.book.check()
        for side in (1, -1):
            levels = self.slow.levels(side)
            assert self.book.raw_levels(side).tolist() == [[p * NANO, n * NANO] for p, n in levels]
            assert all(size > 0 for _, size in levels)

    @invariant()
    def queues_are_the_slow_ones(self) -> None:
        assert self.book.order_count == len(self.slow.orders)
        for order_id, (side, price, _) in self.slow.orders.items():
            queue = [(i, float(self.slow.orders[i][2])) for i in self.slow.queue(side, price)]
            assert self.book.orders_at(side, price) == queue
            assert self.book.queue_ahead(order_id) == self.slow.size_ahead(order_id)

    @invariant()
    def the_imbalance_is_in_range(self) -> None:
        for n in (1, 5):
            bid, ask = (sum(size for _, size in self.slow.levels(s)[:n]) for s in (1, -1))
            if bid + ask:
                assert self.book.imbalance(n) == (bid - ask) / (bid + ask)
                assert -1.0 <= self.book.imbalance(n) <= 1.0


TestBookAgainstTheSlowOne = BookMachine.TestCase
TestBookAgainstTheSlowOne.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, derandomize=True
)
