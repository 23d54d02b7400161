"""The slow twin of the account: cash is what was paid and received, nothing else."""

from __future__ import annotations

from fractions import Fraction

from tests.reference.position import SlowPosition


class SlowAccount:
    """Cash and positions by (strategy, instrument), from fills and corporate actions alone."""

    def __init__(self, cash: Fraction, cost: str = "average") -> None:
        self.opening = cash
        self.cash = cash
        self.cost = cost
        self.positions: dict[tuple[int, int], SlowPosition] = {}

    def position(self, strategy: int, instrument: int, step: Fraction) -> SlowPosition:
        return self.positions.setdefault(
            (strategy, instrument), SlowPosition(cost=self.cost, step=step)
        )

    def fill(
        self, position: SlowPosition, side: int, quantity: Fraction, price: Fraction, fee: Fraction
    ) -> None:
        position.fill(side, quantity, price, fee)
        self.cash -= side * quantity * price + fee

    def split(self, instrument: int, ratio: Fraction) -> None:
        for key, position in self.positions.items():
            if key[1] == instrument:
                self.cash += position.split(ratio)

    def dividend(self, instrument: int, amount: Fraction) -> None:
        for key, position in self.positions.items():
            if key[1] == instrument:
                position.realized += position.quantity * amount
                self.cash += position.quantity * amount

    def mark(self, instrument: int, price: Fraction) -> None:
        for key, position in self.positions.items():
            if key[1] == instrument:
                position.mark = price

    @property
    def equity(self) -> Fraction:
        return self.cash + sum(p.value for p in self.positions.values())
