"""FIFO lots: the oldest units leave first, however many lots come, go and are restated by splits.

The twin is a list with the price of every unit held, oldest first.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from pyrt.core.instruments import Instrument
from pyrt.core.orders import Fill
from pyrt.core.positions import Position

AAA = Instrument("AAA", decimals=0)


class Stack:
    """A FIFO position of one side, and the price of each of its units."""

    def __init__(self, opens: str = "buy") -> None:
        self.position = Position(AAA, cost="fifo")
        self.opens, self.closes = opens, "sell" if opens == "buy" else "buy"
        self.prices: list[int] = []
        self.earned = 0
        self.next_price = 100

    def fill(self, side: str, quantity: int, price: int) -> None:
        self.position.apply(Fill(AAA, side, quantity, price))

    def lots(self, *quantities: int) -> None:
        """Open a lot of each quantity, each dearer than the one before."""
        for quantity in quantities:
            self.fill(self.opens, quantity, self.next_price)
            self.prices += [self.next_price] * quantity
            self.next_price += 7
            self.check()

    def leave(self, *quantities: int, price: int = 50) -> None:
        for quantity in quantities:
            self.fill(self.closes, quantity, price)
            gone, self.prices = self.prices[:quantity], self.prices[quantity:]
            self.earned += (1 if self.opens == "buy" else -1) * (quantity * price - sum(gone))
            self.check()

    def split(self, numerator: int, denominator: int = 1) -> None:
        self.position.apply_split(numerator, denominator)

    def check(self) -> None:
        sign = 1 if self.opens == "buy" else -1
        assert self.position.quantity_exact == sign * len(self.prices)
        assert self.position.cost_basis_exact == sign * sum(self.prices)
        assert self.position.realized_pnl_exact == self.earned


# What opens in lots of a unit each, and what leaves then, in turns.
TURNS = [
    # Room is made for eight lots, then for 24, then for 56.
    [(8, 0), (1, 9)],
    [(24, 3), (40, 61)],
    # Room is found again where lots have left: one fewer than half of it, half, one more.
    *([(8, left), (1, 0), (8, 0), (20, 37 - left)] for left in (3, 4, 5, 7, 8)),
    [(24, 13), (11, 0), (2, 0), (1, 25)],
    # The same room over and over.
    [(5, 4)] * 9,
    [(1, 1)] * 20,
]


@pytest.mark.parametrize("opens", ["buy", "sell"])
@pytest.mark.parametrize("turns", TURNS)
def test_the_oldest_units_leave_first_however_many_lots_there_are(
    turns: list[tuple[int, int]], opens: str
) -> None:
    stack = Stack(opens)
    for opened, left in turns:
        stack.lots(*[1] * opened)
        stack.leave(*[1] * left)
    stack.leave(*[1] * len(stack.prices))
    assert stack.position.quantity == 0


@pytest.mark.parametrize("opens", ["buy", "sell"])
def test_one_order_takes_lots_in_part_and_in_whole(opens: str) -> None:
    stack = Stack(opens)
    stack.lots(4, 3, 5, 2, 6)
    # One of the first; its rest and the second; more than the third; the rest, lot by lot.
    stack.leave(1, 6, 6, 1, 3, 3)
    assert stack.position.quantity == 0
    stack.lots(2, 2)
    stack.leave(3, 1)


def test_many_positions_keep_lots_of_their_own() -> None:
    """They grow side by side, in memory too."""
    stacks = [Stack("buy" if number % 2 else "sell") for number in range(30)]
    for round_ in range(30):
        for number, stack in enumerate(stacks):
            stack.next_price += number
            stack.lots(1 + (round_ + number) % 3)
            if round_ % 4 == 3:
                stack.leave(2)
    for stack in stacks:
        while stack.prices:
            stack.leave(1)


def test_a_flip_begins_with_a_lot_of_its_own() -> None:
    stack = Stack()
    stack.lots(*[2] * 8)
    stack.fill("sell", 20, 10)
    assert stack.position.cost_basis_exact == -40
    stack.fill("sell", 3, 30)
    # Two of the four at 10, then the other two and one at 30.
    stack.fill("buy", 2, 1)
    assert stack.position.cost_basis_exact == -(20 + 90)
    stack.fill("buy", 3, 1)
    assert stack.position.cost_basis_exact == -60


def test_a_split_restates_the_lots_that_are_left() -> None:
    """Of 2, 4 and 6 units the first lot and half of the second are gone."""
    stack = Stack()
    stack.lots(2, 4, 6)
    stack.leave(4)
    stack.split(3)
    # 6 units cost 2 x 107, 18 cost 6 x 114.
    costs = [Decimal(6 * 114), Decimal(3 * 114), Decimal(0)]
    for quantity, cost in zip((6, 9, 9), costs, strict=True):
        stack.fill("sell", quantity, 40)
        assert stack.position.cost_basis_exact == cost


def test_lots_bought_after_some_have_vanished_come_after_those_that_are_left() -> None:
    """Lots of 1, 1 and 20 end at .1, .2 and 2.2 after one for ten: one lot of 2 is left."""
    stack = Stack()
    stack.lots(1, 1, 20)
    stack.split(1, 10)
    cost = 100 + 107 + 20 * 114
    assert stack.position.cost_basis_exact == cost
    for price in (3, 5):
        stack.fill("buy", 1, price)
    for left in (cost / 2 + 8, 8, 5, 0):
        stack.fill("sell", 1, 2)
        assert stack.position.cost_basis_exact == Decimal(left)


def test_lots_of_which_no_unit_was_left_are_forgotten() -> None:
    stack = Stack()
    stack.lots(3, 3, 3)
    stack.split(1, 10)
    assert (stack.position.quantity, stack.position.cost_basis_exact) == (0, 0)
    assert stack.position.realized_pnl_exact == -3 * (100 + 107 + 114)
    stack.fill("buy", 2, 5)
    stack.fill("buy", 2, 7)
    for quantity, cost in ((1, 19), (2, 7), (1, 0)):
        stack.fill("sell", quantity, 10)
        assert stack.position.cost_basis_exact == cost


@pytest.mark.parametrize(("numerator", "denominator", "left"), [(1, 2, 4), (3, 2, 13), (9, 9, 9)])
def test_a_split_that_leaves_all_lots_gives_each_its_share(
    numerator: int, denominator: int, left: int
) -> None:
    """Three lots of three end at 1, 3 and 4 after one for two; at 4, 9 and 13 after 3 for 2."""
    ends: Any = {4: (1, 3, 4), 13: (4, 9, 13), 9: (3, 6, 9)}[left]
    stack = Stack()
    stack.lots(3, 3, 3)
    stack.split(numerator, denominator)
    assert stack.position.quantity == left
    begun = 0
    for end, rest in zip(ends, (3 * 107 + 3 * 114, 3 * 114, 0), strict=True):
        stack.fill("sell", end - begun, 1)
        assert stack.position.cost_basis_exact == rest
        begun = end
