"""Slow, obvious twins of the position and the account: fractions, and one rule for each question.

They are given fills, fees, splits and dividends as they were ordered, never what the engine made
of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from itertools import accumulate, pairwise

GRID = Fraction(1, 10**18)


def half_even(value: Fraction) -> Fraction:
    """Round to the nearest 1e-18, ties to even (Python's `round` of a Fraction does that)."""
    return round(value / GRID) * GRID


def toward_zero(value: Fraction, grid: Fraction) -> Fraction:
    """Drop what does not fill the grid."""
    return int(value / grid) * grid


@dataclass
class SlowPosition:
    """Units, what they cost and what closed ones earned, by the rules of `docs/accounts.md`.

    Under average cost closing releases the closed share of the cost; under FIFO what the oldest
    lots cost, and of the last one of them the closed share. Shares are rounded half to even.
    """

    cost: str = "average"
    unit: Fraction = Fraction(1, 10**9)
    step: Fraction = Fraction(1, 10**9)
    quantity: Fraction = Fraction(0)
    open_cost: Fraction = Fraction(0)
    realized: Fraction = Fraction(0)
    fees: Fraction = Fraction(0)
    mark: Fraction = Fraction(0)
    lots: list[list[Fraction]] = field(default_factory=list)
    """Units and what they cost, oldest first."""

    def fill(self, side: int, quantity: Fraction, price: Fraction, fee: Fraction) -> None:
        """Close what is held on the other side, then open with the rest."""
        closing = min(abs(self.quantity), quantity) if self.quantity * side < 0 else Fraction(0)
        released = self._release(closing)
        self.realized += -side * closing * price - released - fee
        self.fees += fee
        self.quantity += side * quantity
        self.open_cost += -released + side * (quantity - closing) * price
        if quantity > closing and self.cost == "fifo":
            self.lots.append([quantity - closing, (quantity - closing) * price])
        self.mark = price

    def _release(self, closing: Fraction) -> Fraction:
        """Return the signed cost of the units that close."""
        if closing == 0:
            return Fraction(0)
        if self.cost == "average":
            return half_even(self.open_cost * closing / abs(self.quantity))
        left, released = closing, Fraction(0)
        while left:
            units, cost = self.lots[0]
            taken = min(left, units)
            part = half_even(cost * taken / units)
            released += part
            left -= taken
            self.lots[0] = [units - taken, cost - part]
            if taken == units:
                self.lots.pop(0)
        return released if self.quantity > 0 else -released

    def split(self, ratio: Fraction) -> Fraction:
        """Multiply the units; return the cash paid for what does not fill a step."""
        ends = [Fraction(0), *accumulate(units for units, _ in self.lots)]
        ends = [toward_zero(end * ratio, self.unit) for end in ends]
        costs = [cost for _, cost in self.lots]
        self.lots = []
        for (began, ended), cost in zip(pairwise(ends), costs, strict=True):
            if self.lots and self.lots[-1][0] == 0:
                # None of the lot before is left, and its cost is this one's.
                cost += self.lots.pop()[1]
            self.lots.append([ended - began, cost])
        if len(self.lots) > 1 and self.lots[-1][0] == 0:
            newest = self.lots.pop()
            self.lots[-1][1] += newest[1]
        self.mark = round(self.mark / ratio * 10**9) * Fraction(1, 10**9)
        self.quantity = toward_zero(self.quantity * ratio, self.unit)
        if self.quantity == 0:
            self.realized -= self.open_cost
            self.open_cost, self.lots = Fraction(0), []
        stub = self.quantity - toward_zero(self.quantity, self.step)
        if stub:
            self.fill(-1 if stub > 0 else 1, abs(stub), self.mark, Fraction(0))
        return stub * self.mark

    @property
    def value(self) -> Fraction:
        """Signed market value."""
        return self.quantity * self.mark
