"""Slow, obvious twins of the position and the account: fractions, and one rule for each question.

They are given fills, fees, splits and dividends as they were ordered, never what the engine made
of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

GRID = Fraction(1, 10**18)


def half_even(value: Fraction) -> Fraction:
    """Round to the nearest 1e-18, ties to even (Python's `round` of a Fraction does that)."""
    return round(value / GRID) * GRID


def toward_zero(value: Fraction, grid: Fraction) -> Fraction:
    """Drop what does not fill the grid."""
    return int(value / grid) * grid


@dataclass
class SlowPosition:
    """Units, what they cost and what closed ones earned.

    Under average cost closing releases the closed share of the cost, rounded half to even; under
    FIFO lots are released oldest first at their own price, and nothing is ever rounded.
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

    def fill(self, side: int, quantity: Fraction, price: Fraction, fee: Fraction) -> None:
        """Close what is held on the other side, then open with the rest."""
        closing = min(abs(self.quantity), quantity) if self.quantity * side < 0 else Fraction(0)
        released = self._release(closing)
        self.realized += -side * closing * price - released - fee
        self.fees += fee
        self.quantity += side * quantity
        self.open_cost += -released + side * (quantity - closing) * price
        if quantity > closing:
            self.lots.append([quantity - closing, price])
        self.mark = price

    def _release(self, closing: Fraction) -> Fraction:
        """Return the signed cost of the units that close."""
        if closing == 0:
            return Fraction(0)
        sign = 1 if self.quantity > 0 else -1
        left, exact = closing, Fraction(0)
        while left:
            taken = min(left, self.lots[0][0])
            exact += taken * self.lots[0][1]
            self.lots[0][0] -= taken
            left -= taken
            if self.lots[0][0] == 0:
                self.lots.pop(0)
        if self.cost == "fifo":
            return sign * exact
        if closing == abs(self.quantity):
            return self.open_cost
        return half_even(self.open_cost * closing / abs(self.quantity))

    def split(self, ratio: Fraction) -> Fraction:
        """Multiply the units; return the cash paid for what does not fill a step."""
        whole = toward_zero(self.quantity * ratio, self.unit)
        self.mark = round(self.mark / ratio * 10**9) * Fraction(1, 10**9)
        for lot in self.lots:
            lot[0] *= ratio
            lot[1] /= ratio
        self.quantity = whole
        stub = whole - toward_zero(whole, self.step)
        if stub:
            self.fill(-1 if stub > 0 else 1, abs(stub), self.mark, Fraction(0))
        return stub * self.mark

    @property
    def value(self) -> Fraction:
        """Signed market value."""
        return self.quantity * self.mark
