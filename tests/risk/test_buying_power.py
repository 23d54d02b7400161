"""Buying power with all that waits in it: against tables worked by hand, and a slow account."""

from __future__ import annotations

import random
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from pyrt.core.account_rules import Margin, account_rules
from pyrt.core.instruments import Instrument
from pyrt.risk import Limits, RiskEngine
from pyrt.testing.gates import GateRig
from tests.reference.margin import toward_zero, up
from tests.reference.risk import FINAL, opening_value
from tests.risk.test_checks import code

CASH = 10_000
UNITS = CASH // 100


def rig(account: Any, *symbols: Any, price: float | None = 100.0) -> GateRig:
    return GateRig(
        RiskEngine(Limits(require_buying_power=True)), cash=CASH, prices=price, account=account,
        symbols=symbols or ("AAA", "BBB"),
    )  # fmt: skip


# Account of 10,000 → how many orders of 5,000 wait before one lacks something.
WAITING = [
    ("cash", "buy", 2), ("cash", "sell", 2),
    ("margin", "buy", 4), ("margin", "sell", 4),
    ("margin:4", "buy", 8), ("margin:4", "sell", 8),
    ("alpaca", "buy", 8), ("alpaca", "sell", 8),
    ("alpaca:2", "buy", 4), ("alpaca:2", "sell", 4),
    ("alpaca:1", "buy", 2), ("alpaca:1", "sell", 0),
]  # fmt: skip


@pytest.mark.parametrize(("account", "side", "count"), WAITING)
def test_orders_that_wait_use_up_buying_power_on_either_side(
    account: str, side: str, count: int
) -> None:
    made = rig(account)
    found = [code(made.order(side, 50, ("AAA", "BBB")[n % 2], limit_price=100)) for n in range(10)]
    assert found == [""] * count + ["require_buying_power"] * (10 - count)


def test_what_is_lent_less_on_takes_more() -> None:
    rules = account_rules("margin").replace(instruments={"AAA": Margin(initial="0.8")})
    made = rig(rules)
    # 0.8 of 10,000 and half of 4,000 are all there is.
    assert code(made.order("buy", 100, limit_price=100)) == ""
    assert code(made.order("sell", 40.01, "BBB", limit_price=100)) == "require_buying_power"
    assert code(made.order("sell", 40, "BBB", limit_price=100)) == ""
    rules = account_rules("alpaca:2").replace(instruments={"AAA": Margin(initial="0.8")})
    made = rig(rules)
    # 10,000 take 16,000 of the 20,000.
    assert code(made.order("buy", 100, limit_price=100)) == ""
    assert code(made.order("buy", 40.01, "BBB", limit_price=100)) == "require_buying_power"
    assert code(made.order("buy", 40, "BBB", limit_price=100)) == ""


def test_other_rules_take_another_power_of_what_waits_and_the_first_ones_again() -> None:
    dear = account_rules("margin").replace(instruments={"AAA": Margin(initial="0.8")})
    made = rig("margin")
    assert code(made.order("buy", 100, limit_price=100)) == ""
    account = made.kernel.account
    first = account.rules
    for rules, taken in ((first, 5_000), (dear, 8_000), (first, 5_000), (dear, 8_000)):
        account.change_rules(rules, made.kernel.cache.instruments)
        assert made.gate.claims.power_taken() == taken


def test_what_takes_back_a_holding_takes_no_power_and_what_goes_on_does() -> None:
    made = rig("margin")
    made.hold(100)
    # Of a sale of 300 a hundred are held; 200 short use all of the 20,000.
    assert code(made.order("sell", 300.01, limit_price=100)) == "require_buying_power"
    first = made.order("sell", 100, limit_price=100)
    assert code(first) == ""
    # What is held is spoken for: this one is short with all of it.
    assert code(made.order("sell", 200.01, limit_price=100)) == "require_buying_power"
    assert code(made.order("sell", 150, limit_price=100)) == ""
    assert code(made.order("sell", 50.01, limit_price=100)) == "require_buying_power"
    assert code(made.order("sell", 50, limit_price=100)) == ""
    made.answer("cancel", first)
    assert code(made.order("sell", 100, limit_price=100)) == ""


def test_the_least_that_is_held_takes_its_part_off_what_takes_it_back() -> None:
    least = Decimal("0.000000001")
    for held, other in (("buy", "sell"), ("sell", "buy")):
        made = rig("cash")
        made.fill(made.order(held, least))
        assert code(made.order(other, 2 * least, limit_price=100)) == ""
        assert made.gate.claims.power_taken() == 100 * least


@pytest.mark.parametrize("account", ["cash", "margin"])
def test_a_pair_of_entries_takes_power_once(account: str) -> None:
    made = rig(account)
    most = 100 if account == "cash" else 200
    terms = {"symbol": "AAA", "side": "buy", "quantity": most}
    pair = made.kernel.strategies[0].pair(
        {**terms, "limit_price": 99}, {**terms, "stop_price": 100}
    )
    made.settle()
    assert [code(order) for order in pair] == ["", ""]
    assert code(made.order("buy", 1, "BBB")) == "require_buying_power"


def test_a_change_takes_what_it_adds_on_either_side() -> None:
    for side in ("buy", "sell"):
        made = rig("margin")
        order = made.order(side, 100, limit_price=100)
        made.answer("accept", order)
        assert code(made.order(side, 60, "BBB", limit_price=100)) == ""
        assert not made.modify(order, quantity=140.01)
        assert made.modify(order, quantity=140)


def test_waiting_orders_abroad_are_weighed_at_their_rate() -> None:
    made = rig("margin", Instrument("EEE", currency="EUR"), Instrument("USA"), price=None)
    made.kernel.account.set_rate("EUR", "1.25")
    for symbol in made.symbols:
        made.price(100, symbol)
    assert code(made.order("sell", 80, "EEE", limit_price=100)) == ""
    assert code(made.order("buy", 100.01, "USA", limit_price=100)) == "require_buying_power"
    assert code(made.order("buy", 100, "USA", limit_price=100)) == ""


# -- a slow account --------------------------------------------------------------------------------


class Slow:
    """All that is held and all that waits, at a price of 100; what an order would need."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.held = {"AAA": 0, "BBB": 0}
        self.orders: dict[Any, tuple[str, int, int]] = {}

    def waiting(self, symbol: str, side: int, without: Any = None) -> int:
        return sum(
            left for order, (s, way, left) in self.orders.items()
            if (s, way) == (symbol, side) and order is not without
        )  # fmt: skip

    def opening(self, symbol: str, side: int) -> int:
        return max(0, self.waiting(symbol, side) - max(0, -side * self.held[symbol]))

    def enters(self, symbol: str, side: int, quantity: int) -> bool:
        back = -side * self.held[symbol]
        return back <= 0 or self.waiting(symbol, side) + quantity > back

    def affords(self, symbol: str, side: int, quantity: int) -> bool:
        back = max(0, -side * self.held[symbol])
        before = self.waiting(symbol, side)
        new = quantity + min(before, back) - back
        waiting = sum(self.opening(s, way) for s in self.held for way in (1, -1))
        size = {s: abs(units) for s, units in self.held.items()}
        if self.kind == "alpaca:2":
            return waiting + new <= 2 * UNITS - sum(size.values())
        if self.kind == "margin":
            # Half of what would be held then; what is taken back is free.
            others = sum(size[s] for s in size if s != symbol or not back)
            return waiting + new + others <= 2 * UNITS
        longs = sum(max(0, units) for units in self.held.values())
        shorts = sum(max(0, -units) for units in self.held.values())
        # A long or a short that is taken back ties nothing up any more.
        longs, shorts = (longs, shorts - back) if side > 0 else (longs - back, shorts)
        return waiting + new <= UNITS - longs - shorts


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", ["cash", "margin", "alpaca:2"])
def test_no_order_leaves_that_buying_power_would_lack_for(kind: str, seed: int) -> None:
    rng = random.Random(f"{kind} {seed}")
    made, slow = rig(kind), Slow(kind)
    denied = entered = 0
    for _ in range(400):
        working = list(slow.orders)
        if working and rng.random() < 0.45:
            order = rng.choice(working)
            symbol, side, left = slow.orders[order]
            if rng.random() < 0.5:
                part = rng.randint(1, left)
                made.fill(order, part, price=100)
                slow.held[symbol] += side * part
                slow.orders[order] = (symbol, side, left - part)
            else:
                made.answer("cancel", order)
                slow.orders[order] = (symbol, side, 0)
            slow.orders = {o: row for o, row in slow.orders.items() if row[2]}
            continue
        symbol, side = rng.choice(("AAA", "BBB")), rng.choice((1, -1))
        quantity = rng.choice((10, 30, 50, 90))
        order = made.order("buy" if side > 0 else "sell", quantity, symbol, limit_price=100)
        passes = not slow.enters(symbol, side, quantity) or slow.affords(symbol, side, quantity)
        assert (order.reason == "") is passes, (slow.held, slow.orders, symbol, side, quantity)
        denied += not passes
        entered += passes
        if passes:
            slow.orders[order] = (symbol, side, quantity)
    assert denied > 30
    assert entered > 30


# -- sums that are kept ----------------------------------------------------------------------------

SECTORS = {"AAA": "one", "BBB": "one", "EEE": "two"}


class Recount:
    """What waits and what is held, summed up anew from the orders each time."""

    def __init__(self, rig: GateRig, shares: dict[str, Fraction]) -> None:
        self.rig = rig
        self.shares = shares
        self.prices: dict[Any, Fraction] = {}
        self.marks = dict.fromkeys(SECTORS, Fraction(100))
        self.rate = Fraction(1)

    def rate_of(self, symbol: str) -> Fraction:
        return self.rate if symbol == "EEE" else Fraction(1)

    def held(self, symbol: str) -> Fraction:
        return Fraction(self.rig.kernel.strategies[0].position(symbol).quantity_exact)

    def sides(self, symbol: str) -> list[tuple[int, Fraction, Fraction]]:
        """Side, units and value of what waits in a symbol."""
        found = []
        for side in (1, -1):
            units = value = Fraction(0)
            for order, price in self.prices.items():
                if (order.symbol, order.side_sign) == (symbol, side) and order.status not in FINAL:
                    left = Fraction(order.quantity_exact - order.filled_quantity_exact)
                    units += left
                    value += toward_zero(left * price * self.rate_of(symbol))
            found.append((side, units, value))
        return found

    def power(self) -> Fraction:
        account = self.rig.kernel.account
        lends = account.margin and account.equity_exact >= 2000
        total = Fraction(0)
        for symbol in SECTORS:
            for side, units, value in self.sides(symbol):
                opens = opening_value(units, value, -side * self.held(symbol))
                total += up(opens * self.shares[symbol]) if lends else opens
        return total

    def sectors(self) -> dict[str, Fraction]:
        total = {"": Fraction(0), "one": Fraction(0), "two": Fraction(0)}
        for symbol, sector in SECTORS.items():
            (_, _, buys), (_, _, sells) = self.sides(symbol)
            held = toward_zero(self.held(symbol) * self.marks[symbol] * self.rate_of(symbol))
            total[sector] += max(abs(held + buys), abs(held - sells))
        return total


def rules_of(kind: str, initial: str) -> Any:
    return account_rules(kind).replace(instruments={"AAA": Margin(initial=initial)})


KEPT = [("cash", Fraction(1), Fraction(1)), ("margin", Fraction(1), Fraction(1, 2)),
        ("alpaca:2", Fraction(2), Fraction(1))]  # fmt: skip


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("kind", "whole", "usual"), KEPT)
def test_kept_sums_are_those_of_all_orders(
    kind: str, whole: Fraction, usual: Fraction, seed: int
) -> None:
    rng = random.Random(f"{kind} {seed}")
    limits = Limits(require_buying_power=True, max_sector_concentration=1000)
    symbols = [
        Instrument(s, sector=sector, currency="EUR" if s == "EEE" else "USD")
        for s, sector in SECTORS.items()
    ]
    made = GateRig(RiskEngine(limits), cash=100_000, account=rules_of(kind, "0.8"), symbols=symbols)
    shares = {"AAA": max(usual, whole * Fraction(8, 10)), "BBB": usual, "EEE": usual}
    slow = Recount(made, shares)
    account = made.kernel.account
    account.set_rate("EUR", 1)
    for symbol in SECTORS:
        made.price(100, symbol)
    left = 0
    for _ in range(400):
        symbol, choice = rng.choice(list(SECTORS)), rng.random()
        working = [o for o in slow.prices if o.status not in FINAL]
        if choice < 0.25 and working:
            order = rng.choice(working)
            leaves = order.quantity - order.filled_quantity
            made.fill(order, rng.randint(1, int(leaves)), price=float(slow.marks[order.symbol]))
        elif choice < 0.4 and working:
            made.answer("cancel", rng.choice(working))
        elif choice < 0.5:
            slow.marks[symbol] = Fraction(rng.randint(80, 120))
            made.price(float(slow.marks[symbol]), symbol)
        elif choice < 0.55:
            slow.rate = Fraction(rng.randint(90, 110), 100)
            account.set_rate("EUR", f"{float(slow.rate):.2f}")
        elif choice < 0.6:
            # So little that the account lends no more, or again enough.
            wanted = rng.choice((1_000, 100_000))
            account.deposit(wanted - account.equity_exact)
        elif choice < 0.63:
            initial = rng.choice(("0.5", "0.6", "0.9"))
            account.change_rules(rules_of(kind, initial), symbols)
            shares["AAA"] = max(usual, whole * Fraction(initial))
        elif choice < 0.66:
            # Nothing is kept for want of a limit, and all of it is counted again.
            made.gate.set_limits(Limits(max_open_orders=1_000), "test", "as it happens")
            made.gate.set_limits(limits, "test", "as it happens")
        else:
            side, price = rng.choice((1, -1)), Fraction(rng.randint(80, 120))
            order = made.order(
                "buy" if side > 0 else "sell", rng.randint(1, 60), symbol, limit_price=float(price)
            )
            if order.status == "SENT":
                left += 1
                slow.prices[order] = price if side > 0 else max(price, slow.marks[symbol])
        assert Fraction(made.gate.claims.power_taken()) == slow.power()
        kept = made.gate.claims.sector_values()
        for name, value in slow.sectors().items():
            assert Fraction(kept.get(name, 0)) == value
    assert left > 20


@pytest.mark.parametrize("kind", ["margin", "alpaca:2"])
def test_an_account_that_stops_lending_has_its_waiting_orders_paid_in_full(kind: str) -> None:
    made = rig(kind)
    assert code(made.order("buy", 40, "AAA", limit_price=100)) == ""
    account = made.kernel.account
    account.deposit(-8_001)
    # 1,999 of equity is no margin account: the 4,000 that wait are more than there is.
    assert code(made.order("buy", 1, "BBB", limit_price=100)) == "require_buying_power"
    account.deposit(1)
    assert made.gate.claims.power_taken() == (2_000 if kind == "margin" else 4_000)
