"""The slow twin of a margin account: fractions, and every figure from the holdings each time."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil, floor

GRID = Fraction(1, 10**18)


def up(value: Fraction) -> Fraction:
    """Round away from zero to 1e-18."""
    steps = value / GRID
    return (ceil(steps) if steps > 0 else floor(steps)) * GRID


def toward_zero(value: Fraction) -> Fraction:
    return int(value / GRID) * GRID


def half_even(value: Fraction) -> Fraction:
    return round(value / GRID) * GRID


@dataclass
class SlowHolding:
    """Units, mark and the units carried from the day before."""

    lends: bool
    currency: str
    units: Fraction = Fraction(0)
    mark: Fraction = Fraction(0)
    carried: Fraction = Fraction(0)

    @property
    def value(self) -> Fraction:
        return self.units * self.mark

    @property
    def opened(self) -> Fraction:
        if self.units * self.carried <= 0:
            return self.units
        more = max(abs(self.units) - abs(self.carried), Fraction(0))
        return more if self.units > 0 else -more


@dataclass
class SlowMargin:
    """Regulation T and FINRA's (or Alpaca's) maintenance, as they are written down."""

    kind: str
    multiplier: int
    cash: dict[str, Fraction]
    holdings: dict[str, SlowHolding]
    rates: dict[str, Fraction]
    debit_rate: Fraction = Fraction(0)
    borrow_rate: Fraction = Fraction(0)
    last_equity: Fraction = Fraction(0)
    last_maintenance: Fraction = Fraction(0)
    unpaid: dict[str, Fraction] = field(default_factory=dict)

    def initial_of(self, h: SlowHolding, units: Fraction, share: Fraction) -> Fraction:
        if not h.lends or (self.kind == "alpaca" and units > 0 and h.mark < Fraction("2.5")):
            share = Fraction(1)
        return up(abs(units) * h.mark * share)

    def maintenance_of(self, h: SlowHolding) -> Fraction:
        value = abs(h.value)
        if not h.lends or h.units == 0:
            return value
        if h.units > 0:
            if self.kind == "alpaca":
                return up(value * (Fraction(3, 10) if h.mark >= Fraction("2.5") else 1))
            return up(value * Fraction(1, 4))
        if h.mark < 5:
            return max(value, abs(h.units) * Fraction("2.5"))
        return max(up(value * Fraction(3, 10)), abs(h.units) * 5)

    def _total(self, parts: dict[str, Fraction], cautious: bool) -> Fraction:
        total = Fraction(0)
        for currency, amount in parts.items():
            worth = amount * self.rates[currency]
            total += amount if currency == "USD" else up(worth) if cautious else toward_zero(worth)
        return total

    def _sum(self, figure: str) -> Fraction:
        parts = dict.fromkeys(self.cash, Fraction(0))
        day = Fraction(1, self.multiplier)
        for h in self.holdings.values():
            parts[h.currency] += {
                "initial": lambda h=h: self.initial_of(h, h.units, Fraction(1, 2)),
                "intraday": lambda h=h: self.initial_of(h, h.units, day),
                "opened": lambda h=h: self.initial_of(h, h.opened, day),
                "maintenance": lambda h=h: self.maintenance_of(h),
            }[figure]()
        return self._total(parts, True)

    @property
    def equity(self) -> Fraction:
        parts = dict(self.cash)
        for h in self.holdings.values():
            parts[h.currency] += h.value
        return self._total(parts, False)

    @property
    def state(self) -> dict[str, Fraction]:
        lends = self.equity >= 2000
        free = self.equity - self._sum("initial")
        day = self.last_equity - self.last_maintenance - self._sum("opened")
        money = self._total(self.cash, False)
        if not lends:
            shorts = dict.fromkeys(self.cash, Fraction(0))
            for h in self.holdings.values():
                shorts[h.currency] += max(-h.value, Fraction(0))
            power = money - 2 * self._total(shorts, True)
        elif self.kind == "margin":
            power = toward_zero((self.equity - self._sum("intraday")) * self.multiplier)
        else:
            power = 2 * free if self.multiplier == 2 else 4 * day
        return {
            "equity": self.equity,
            "cash": money,
            "initial_margin": self._sum("initial"),
            "maintenance_margin": self._sum("maintenance"),
            "buying_power": max(power, Fraction(0)),
            "regt_buying_power": max(free * (2 if lends else 1), Fraction(0)),
            "daytrading_buying_power": max(
                4 * day if lends and self.multiplier == 4 else Fraction(0), Fraction(0)
            ),
            "non_marginable_buying_power": max(min(money, free), Fraction(0)),
            "last_equity": self.last_equity,
            "last_maintenance_margin": self.last_maintenance,
        }

    def trade(self, symbol: str, units: Fraction, price: Fraction, fee: Fraction) -> None:
        h = self.holdings[symbol]
        self.cash[h.currency] -= units * price + fee
        if symbol != "BTC":
            self.unpaid[h.currency] = self.unpaid.get(h.currency, Fraction(0)) - units * price
        h.units += units
        h.mark = price

    def end_day(self, nights: int) -> None:
        for currency in self.cash:
            paid = self.cash[currency] - self.unpaid.get(currency, Fraction(0))
            if paid < 0:
                self.cash[currency] += half_even(paid * self.debit_rate * nights / 360)
        for h in self.holdings.values():
            if h.units < 0:
                self.cash[h.currency] += half_even(h.value * self.borrow_rate * nights / 360)
            h.carried = h.units
        self.unpaid = {}
        self.last_equity = self.equity
        self.last_maintenance = self._sum("maintenance")
