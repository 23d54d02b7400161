"""Positions: average and FIFO cost, flips, exactness against fractions."""

from __future__ import annotations

import math
import random
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyrt.core.instruments import Instrument
from pyrt.core.orders import Fill
from pyrt.core.positions import Position
from pyrt.core.types import Side
from pyrt.errors import ConfigError, InstrumentMismatch
from tests.backtest.harness import SYMBOL, play
from tests.reference.position import SlowPosition

AAA = Instrument("AAA")
COSTS = ["average", "fifo"]


def fill(side: str, quantity: Any, price: Any, fee: Any = 0) -> Fill:
    return Fill(AAA, side, quantity, price, fee=fee)


def after(*fills: Fill, cost: str = "average") -> Position:
    position = Position(AAA, cost=cost)
    for one in fills:
        position.apply(one)
    return position


def exact(position: Position) -> tuple[Decimal, Decimal, Decimal]:
    return position.quantity_exact, position.cost_basis_exact, position.realized_pnl_exact


def test_a_new_position_holds_nothing() -> None:
    position = Position(AAA)
    assert (position.quantity, position.side, position.is_flat) == (0, None, True)
    assert position.average_price != position.average_price
    assert position.last_price != position.last_price


@pytest.mark.parametrize("cost", COSTS)
def test_buying_more_raises_the_cost_and_realizes_the_fee_only(cost: str) -> None:
    position = after(fill("buy", 10, "100", "0.5"), fill("buy", 30, "104", "0.25"), cost=cost)
    assert exact(position) == (40, 4120, Decimal("-0.75"))
    assert position.average_price == 103
    assert position.side is Side.BUY
    assert position.is_long
    assert not position.is_short


@pytest.mark.parametrize(
    ("cost", "left", "realized"), [("average", 3090, 140), ("fifo", 3120, 170)]
)
def test_selling_releases_cost_by_the_rule(cost: str, left: int, realized: int) -> None:
    """10 at 100 and 30 at 104; ten leave at 117: a quarter of 4120, or the first ten's 1000."""
    position = after(fill("buy", 10, 100), fill("buy", 30, 104), fill("sell", 10, 117), cost=cost)
    assert exact(position) == (30, left, realized)


@pytest.mark.parametrize("cost", COSTS)
def test_a_short_earns_when_the_price_falls(cost: str) -> None:
    position = after(fill("sell", 10, 100), fill("buy", 4, 90), cost=cost)
    assert exact(position) == (-6, -600, 40)
    assert position.average_price == 100
    assert position.is_short
    assert position.market_value == -540
    assert position.unrealized_pnl == 60
    assert position.unrealized_pnl_percent == 10


@pytest.mark.parametrize("cost", COSTS)
def test_a_fill_past_zero_reverses_the_position(cost: str) -> None:
    position = after(fill("buy", 10, 100), fill("sell", 15, 110, 1), cost=cost)
    assert exact(position) == (-5, -550, 99)
    back = after(fill("buy", 10, 100), fill("sell", 15, 110), fill("buy", 7, 105), cost=cost)
    assert exact(back) == (2, 210, 125)


def test_fifo_releases_lots_oldest_first_over_lot_ends() -> None:
    position = after(
        fill("buy", 1, 10),
        fill("buy", 2, 20),
        fill("buy", 3, 30),
        fill("sell", 2, 50),
        fill("sell", 3, 60),
        cost="fifo",
    )
    # 1×10 + 1×20 = 30 of 100; then 1×20 + 2×30 = 80 of 180.
    assert exact(position) == (1, 30, 70 + 100)


def test_the_average_rule_rounds_half_to_even_and_keeps_the_rest() -> None:
    """Three units of 1e-9 for 1e-9 each cost 3e-18; a third of 4e-18 is 1.33e-18 → 1e-18."""
    unit = Decimal("0.000000001")
    position = after(fill("buy", unit, unit), fill("buy", 2 * unit, 2 * unit))
    assert position.cost_basis_exact == Decimal("5E-18")
    position.apply(fill("sell", unit, unit))
    # 5/3 = 1.67 → 2 released, 3 kept, realized 1 − 2.
    assert exact(position) == (2 * unit, Decimal("3E-18"), Decimal("-1E-18"))
    position.apply(fill("sell", unit, unit))
    # 3/2 = 1.5 → 2, the even neighbor.
    assert exact(position) == (unit, Decimal("1E-18"), Decimal("-2E-18"))


def test_a_fill_of_another_instrument_is_refused_and_changes_nothing() -> None:
    position = after(fill("buy", 10, 100))
    before = exact(position)
    with pytest.raises(InstrumentMismatch):
        position.apply(Fill(Instrument("BBB"), "buy", 1, 1))
    assert exact(position) == before


@pytest.mark.parametrize("cost", COSTS)
@pytest.mark.parametrize(
    ("side", "quantity", "price"),
    [("buy", 9e9, 9e9), ("sell", 9e9, 9e9)],
)
def test_an_overflow_raises_and_changes_nothing(
    cost: str, side: str, quantity: float, price: float
) -> None:
    """9e9 units of 1e-9 are 9e18, near the end of 64 bits: once fits, twice does not."""
    position = after(fill("sell", 5, 3), fill(side, quantity, price), cost=cost)
    before = exact(position)
    before = exact(position)
    with pytest.raises(OverflowError):
        position.apply(fill(side, quantity, price))
    assert exact(position) == before


def test_a_flat_position_has_made_no_percentage() -> None:
    flat = after(fill("buy", 10, 100), fill("sell", 10, 101))
    assert math.isnan(flat.unrealized_pnl_percent)
    assert flat.unrealized_pnl == 0.0


def test_an_unknown_cost_rule_is_refused() -> None:
    with pytest.raises(ConfigError, match="'average' or 'fifo'"):
        Position(AAA, cost="lifo")


def test_a_multiplier_scales_cost_and_value_not_the_average_price() -> None:
    future = Instrument("ES", multiplier=50)
    position = Position(future)
    position.apply(Fill(future, "buy", 2, 4000))
    assert position.cost_basis == 400_000
    assert position.average_price == 4000


# Fills (side, quantity, price, fee) at five dollars a point, then: quantity, cost, value, realized,
# unrealized, unrealized in percent, fees.
FIGURES = [
    # 3 x 10 x 5; of it a third leaves at 12.
    ([("buy", 3, 10, "0.25"), ("sell", 1, 12, "0.5")], 2, 100, 120, "9.25", 20, 20.0, 0.75),
    ([("sell", 3, 10, "0.25"), ("buy", 1, 12, "-0.5")], -2, -100, -120, "-9.75", -20, -20.0, -0.25),
    ([("buy", 4, 10, 0), ("sell", 6, 9, 3)], -2, -90, -90, "-23", 0, 0.0, 3.0),
]


@pytest.mark.parametrize("cost", COSTS)
@pytest.mark.parametrize(
    ("fills", "quantity", "basis", "value", "realized", "unrealized", "percent", "fees"), FIGURES
)
def test_a_position_tells_what_it_is_worth_and_has_made(
    cost: str,
    fills: list[tuple[str, int, int, Any]],
    quantity: int,
    basis: int,
    value: int,
    realized: str,
    unrealized: int,
    percent: float,
    fees: float,
) -> None:
    future = Instrument("ES", multiplier=5, decimals=3)
    position = Position(future, 4, cost=cost)
    made = [position.apply(Fill(future, *one[:3], fee=one[3])) for one in fills]
    assert sum(made) == position.realized_pnl == float(realized)
    assert exact(position) == (quantity, basis, Decimal(realized))
    assert (position.market_value, position.market_value_exact) == (value, value)
    assert (position.unrealized_pnl, position.unrealized_pnl_exact) == (unrealized, unrealized)
    assert (position.unrealized_pnl_percent, position.total_fees) == (percent, fees)
    last = fills[-1][2]
    assert (position.quantity, position.cost_basis, position.last_price) == (quantity, basis, last)
    assert (position.is_long, position.is_short) == (quantity > 0, quantity < 0)
    assert position.side is (Side.BUY if quantity > 0 else Side.SELL)
    assert position.average_price == basis / quantity / 5
    assert position.symbol == "ES"
    told = {name: Decimal(text) for name, text in position.to_dict().items() if is_number(text)}
    assert told == {
        "quantity": quantity, "cost_basis": basis, "realized_pnl": Decimal(realized),
        "market_value": value, "unrealized_pnl": unrealized,
    }  # fmt: skip
    assert {name: position.to_dict()[name] for name in ("symbol", "strategy", "last_price")} == {
        "symbol": "ES", "strategy": 4, "last_price": last,
    }  # fmt: skip
    assert repr(position) == (
        f"Position('ES', quantity={quantity}, average_price={basis / quantity / 5:g}, "
        f"realized_pnl={float(realized):.2f})"
    )


def is_number(value: Any) -> bool:
    return isinstance(value, str) and value != "ES"


def test_the_least_that_can_be_held_is_held() -> None:
    """One unit of 1e-9 is a side, has a cost, and is no longer flat."""
    unit = Decimal("1e-9")
    for side, sign in (("buy", 1), ("sell", -1)):
        position = after(fill(side, unit, 3))
        assert (position.is_long, position.is_short) == (sign > 0, sign < 0)
        assert position.side is (Side.BUY if sign > 0 else Side.SELL)
        assert position.average_price == pytest.approx(3)
        assert position.unrealized_pnl_percent == 0
        assert not position.is_flat
    empty = after(fill("buy", unit, 3), fill("sell", unit, 3))
    assert (empty.is_long, empty.is_short, empty.side, empty.is_flat) == (False, False, None, True)
    assert math.isnan(empty.average_price)


def test_what_was_made_is_a_share_of_all_that_was_entered() -> None:
    """40 on 10 at 100 and 5 at 104, short and long; nothing entered, nothing to be a share of."""
    seen: list[Any] = []
    run = play(
        [(p, p, p, p) for p in (100, 100, 104, 104, 104)],
        {
            -1: lambda s: seen.append(s.position(SYMBOL).realized_pnl_percent),
            0: lambda s: s.buy(SYMBOL, 10),
            1: lambda s: s.sell(SYMBOL, 15),
        },
    )
    assert math.isnan(seen[0])
    position = run.strategies[0].position(SYMBOL)
    assert position.realized_pnl == 40
    assert position.realized_pnl_percent == pytest.approx(100 * 40 / 1_520)


def test_waiting_buys_count_against_waiting_sells() -> None:
    seen: list[Any] = []
    play(
        [(100, 100, 100, 100)] * 3,
        {
            0: lambda s: [
                s.buy(SYMBOL, 10, limit_price=90),
                s.sell(SYMBOL, 4, limit_price=110),
                s.sell(SYMBOL, 7, limit_price=120),
            ],
            1: lambda s: seen.append(s.position(SYMBOL).working_quantity),
        },
    )
    assert seen == [-1]


# -- splits ---------------------------------------------------------------------------------------


def split(
    position: Position, numerator: int, denominator: int = 1
) -> tuple[Decimal, Decimal, Decimal]:
    position.apply_split(numerator, denominator)
    return exact(position)


@pytest.mark.parametrize("cost", COSTS)
def test_a_split_leaves_the_cost_with_the_units(cost: str) -> None:
    position = after(fill("buy", 10, 100), fill("buy", 10, 130), cost=cost)
    assert split(position, 3, 2) == (30, 2300, 0)
    assert position.last_price == pytest.approx(130 * 2 / 3)
    # The first lot is 15 units that cost 1000 together; half of everything is 1150.
    position.apply(fill("sell", 15, 100))
    assert exact(position) == (15, 1300 if cost == "fifo" else 1150, 500 if cost == "fifo" else 350)


def test_part_of_a_lot_is_rounded_half_to_even_and_the_rest_stays() -> None:
    """One unit for 1.00 becomes three: a third of 1 is released, then half of what is left."""
    position = after(fill("buy", 1, 1), fill("buy", 1, 5), cost="fifo")
    split(position, 3)
    third = Decimal("0.333333333333333333")
    position.apply(fill("sell", 1, 2))
    assert exact(position) == (5, 6 - third, 2 - third)
    position.apply(fill("sell", 1, 2))
    # Half of 0.666666666666666667 lies between two; the even one is ...334.
    assert exact(position) == (4, 5 + third, 4 - third - (third + Decimal("1e-18")))
    position.apply(fill("sell", 1, 2))
    assert exact(position) == (3, 5, 5)


def test_lots_end_where_the_split_puts_them_rounded_down_from_the_oldest() -> None:
    """Three lots of 3 units of 1e-9 become 4.5 each: they end at 4.5, 9 and 13.5."""
    unit = Decimal("1e-9")
    bought = [fill("buy", 3 * unit, price) for price in (1, 2, 3)]
    position = after(*bought, cost="fifo")
    assert split(position, 3, 2) == (13 * unit, 18 * unit, 0)
    for units, cost in ((4, 15), (5, 9), (4, 0)):
        position.apply(fill("sell", units * unit, 1))
        assert position.cost_basis_exact == cost * unit


def test_a_lot_without_a_unit_left_gives_its_cost_to_its_neighbor() -> None:
    """Lots of 1, 1 and 20 units, one for ten: they end at .1, .2 and 2.2."""
    unit = Decimal("1e-9")
    bought = [fill("buy", units * unit, price) for units, price in ((1, 4), (1, 6), (20, 1))]
    position = after(*bought, cost="fifo")
    assert split(position, 1, 10) == (2 * unit, 30 * unit, 0)
    position.apply(fill("buy", unit, 7))
    position.apply(fill("sell", 2 * unit, 10))
    assert exact(position) == (unit, 7 * unit, -10 * unit)

    newest = after(fill("buy", 10 * unit, 2), fill("buy", 3 * unit, 3), cost="fifo")
    assert split(newest, 1, 10) == (unit, 29 * unit, 0)
    newest.apply(fill("buy", unit, 50))
    newest.apply(fill("sell", unit, 30))
    assert exact(newest) == (unit, 50 * unit, unit)


def test_a_released_part_is_released_once_where_lots_have_vanished() -> None:
    unit = Decimal("1e-9")
    bought = [fill("buy", units * unit, price) for units, price in ((10, 1), (4, 9), (16, 2))]
    position = after(*bought, cost="fifo")
    # Ends at 1, 1.4 and 3: the second lot vanishes, and its 36 belong to the third.
    assert split(position, 1, 10) == (3 * unit, 78 * unit, 0)
    for cost in (68, 34, 0):
        position.apply(fill("sell", unit, 1))
        assert position.cost_basis_exact == cost * unit


@pytest.mark.parametrize("cost", COSTS)
@pytest.mark.parametrize("side", ["buy", "sell"])
def test_the_cost_of_what_vanishes_is_realized(cost: str, side: str) -> None:
    unit = Decimal("1e-9")
    position = after(fill(side, 9 * unit, 1), cost=cost)
    lost = -9 * unit if side == "buy" else 9 * unit
    assert split(position, 1, 10) == (0, 0, lost)
    position.apply(fill("buy", 2, 5))
    assert exact(position) == (2, 10, lost)


def test_what_fills_no_step_is_named_and_still_held() -> None:
    whole = Instrument("WHOLE", step_size="1")
    position = Position(whole)
    position.apply(Fill(whole, "sell", 5, 100))
    assert position.apply_split(3, 2) == Decimal("-0.5")
    assert position.quantity_exact == Decimal("-7.5")


@pytest.mark.parametrize("ratio", [(0, 1), (1, 0), (-2, 1), (2, -1)])
def test_a_split_of_nothing_is_refused(ratio: tuple[int, int]) -> None:
    position = after(fill("buy", 10, 100))
    with pytest.raises(ConfigError, match="above 0"):
        position.apply_split(*ratio)
    assert exact(position) == (10, 1000, 0)


@pytest.mark.parametrize("cost", COSTS)
def test_a_split_out_of_range_changes_nothing(cost: str) -> None:
    position = after(fill("buy", 10**9, 100), cost=cost)
    with pytest.raises(OverflowError):
        position.apply_split(10)
    assert exact(position) == (10**9, 10**11, 0)
    assert position.last_price == 100


# -- against fractions -----------------------------------------------------------------------------

amounts = st.integers(1, 10**13)
fills = st.lists(
    st.tuples(
        st.sampled_from([1, -1]), amounts, st.integers(1, 10**14), st.integers(-(10**6), 10**12)
    ),
    min_size=1,
    max_size=60,
)


def compare(position: Position, twin: SlowPosition) -> None:
    assert Fraction(position.quantity_exact) == twin.quantity
    assert Fraction(position.cost_basis_exact) == twin.open_cost
    assert Fraction(position.realized_pnl_exact) == twin.realized
    assert Fraction(position.market_value_exact) == twin.value


def step(
    position: Position, twin: SlowPosition, instrument: Instrument, raw: tuple[int, int, int, int]
) -> Fraction:
    """Give one raw fill to both; return its cash flow."""
    side, units, nano, fee = raw
    quantity, price = Decimal(units).scaleb(-instrument.decimals), Decimal(nano).scaleb(-9)
    paid = Decimal(fee).scaleb(-12)
    position.apply(Fill(instrument, "buy" if side > 0 else "sell", quantity, price, fee=paid))
    twin.fill(side, Fraction(quantity), Fraction(price), Fraction(paid))
    return -side * Fraction(quantity) * Fraction(price) - Fraction(paid)


@pytest.mark.parametrize("cost", COSTS)
@settings(max_examples=100, deadline=None)
@given(raws=fills, decimals=st.sampled_from([0, 4, 9]))
def test_any_fills_leave_what_the_fractions_say(
    cost: str, raws: list[tuple[int, int, int, int]], decimals: int
) -> None:
    instrument = Instrument("AAA", decimals=decimals)
    scale = 10 ** (9 - decimals)
    position, twin, cash = Position(instrument, cost=cost), SlowPosition(cost), Fraction(0)
    for side, units, nano, fee in raws:
        cash += step(position, twin, instrument, (side, max(1, units // scale), nano, fee))
        compare(position, twin)
        # What was paid and what is held is what was earned: to the last 1e-18.
        assert cash + twin.value == twin.realized + twin.value - twin.open_cost


@pytest.mark.parametrize("cost", COSTS)
@settings(max_examples=100, deadline=None)
@given(
    raws=st.lists(
        st.one_of(
            st.tuples(
                st.sampled_from([1, -1]),
                st.integers(1, 10**4),
                st.integers(1, 10**4),
                st.integers(-(10**6), 10**12),
            ),
            st.tuples(st.just(0), st.integers(1, 20), st.integers(1, 20), st.just(0)),
        ),
        max_size=60,
    )
)
def test_any_fills_and_splits_leave_what_the_fractions_say(
    cost: str, raws: list[tuple[int, int, int, int]]
) -> None:
    """Units are few, so that lots vanish in splits all the time."""
    position, twin = Position(AAA, cost=cost), SlowPosition(cost)
    for raw in raws:
        if raw[0]:
            step(position, twin, AAA, raw)
        else:
            position.apply_split(raw[1], raw[2])
            twin.split(Fraction(raw[1], raw[2]))
        compare(position, twin)


def random_fills(seed: int, n: int) -> Any:
    """Mean-reverting sides, so that closes, partial closes and flips all come often."""
    rng, held = random.Random(seed), 0
    for _ in range(n):
        side = -1 if rng.random() < 0.5 + 0.4 * (held > 0) - 0.4 * (held < 0) else 1
        units = abs(held) if held and rng.random() < 0.1 else rng.randrange(1, 10**12)
        held += side * units
        yield side, units, rng.randrange(10**6, 10**12), rng.randrange(0, 10**12)


@pytest.mark.parametrize("cost", COSTS)
@pytest.mark.parametrize(
    "n", [20_000, pytest.param(1_000_000, marks=[pytest.mark.nightly, pytest.mark.timeout(900)])]
)
def test_many_random_fills_balance_to_the_last_digit(cost: str, n: int) -> None:
    """With a split now and then, up and down in turn."""
    position, twin, cash = Position(AAA, cost=cost), SlowPosition(cost), Fraction(0)
    ratios = [(3, 1), (2, 7), (7, 5), (5, 6), (1, 10), (10, 1)]
    for number, raw in enumerate(random_fills(11, n)):
        if number % 97 == 96:
            up, down = ratios[number // 97 % len(ratios)]
            position.apply_split(up, down)
            twin.split(Fraction(up, down))
        cash += step(position, twin, AAA, raw)
        if number % 1000 == 0 or number == n - 1:
            compare(position, twin)
            earned = Fraction(position.realized_pnl_exact)
            assert cash == earned - Fraction(position.cost_basis_exact)
