"""Coins that the broker keeps of a purchase are what his positions show, or in doubt till then."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from pyrt import Strategy
from pyrt.adapters.alpaca.core.events import FillEvent
from pyrt.backtest.fees import fee_model
from pyrt.live.core.coins import DOUBTS_MAX
from pyrt.live.core.node import NodeCore
from pyrt.live.core.player import play
from pyrt.live.core.tape import Tape
from pyrt.risk.gate import BasicGate
from tests.live.cores import COIN, SECOND, core_of, taken

D = Decimal
FIRST = ("0.0015", "0.0025")
SECOND_TIER = ("0.0012", "0.0022")


class One(Strategy):
    """Keeps its fills."""

    def on_start(self) -> None:
        self.fills: list[Any] = []

    def on_fill(self, fill: Any) -> None:
        self.fills.append(fill)


class Two(One):
    """Is another."""


def core(fees: str = "alpaca") -> NodeCore:
    options = {"cash": 10_000_000, "fees": fee_model(fees), "tape": Tape()}
    return core_of(BasicGate(), [One(), Two()], **options)[0]


def buy(
    made: NodeCore,
    quantity: str = "1",
    position: str = "",
    *,
    owner: int = 0,
    rates: tuple[str, str] = FIRST,
) -> FillEvent:
    """Fill a resting purchase, after which the account is said to hold `position`."""
    order = made.kernel.strategies[owner].buy(COIN, quantity, limit_price=40_000)
    made.inputs.settle()
    keeps = tuple(
        (liquidity, f"{D(quantity) * D(rate):f}")
        for liquidity, rate in zip(("maker", "taker"), rates, strict=True)
    )
    at = made.kernel.clock.timestamp_ns + SECOND
    event = FillEvent(order.number, at, quantity, "40000", quantity, position=position, keeps=keeps)
    made.take(at, [event])
    return event


def held(made: NodeCore) -> list[Decimal]:
    return [each.position(COIN).quantity_exact for each in made.kernel.strategies]


def settle(made: NodeCore, there: str) -> dict[str, Decimal]:
    return made.coins.settle(COIN, D(there))


@pytest.mark.parametrize(
    ("position", "rates", "liquidity"),
    [
        ("0.9985", FIRST, "maker"),
        ("0.9975", FIRST, "taker"),
        # An account of a better tier than the fee model knows of.
        ("0.9978", SECOND_TIER, "taker"),
        ("0.9988", SECOND_TIER, "maker"),
        # What either would have kept does not tell them apart.
        ("0.9985", ("0.0015", "0.0015"), ""),
    ],
)
def test_the_position_stated_with_a_fill_says_what_was_kept_of_it(position, rates, liquidity):
    made = core()
    buy(made, position=position, rates=rates)
    assert held(made) == [D(position), 0]
    (fill,) = made.kernel.strategies[0].fills
    assert fill.liquidity == liquidity
    assert (fill.fee_exact, fill.fee_currency) == (1 - D(position), "BTC")
    assert fill.fee_value_exact == 40_000 * (1 - D(position))
    # The purchase has cost its price and nothing more, and no fee is to come.
    assert made.kernel.account.cash_exact == 10_000_000 - 40_000
    assert made.fee_ledger.accrued == 0
    assert made.coins.in_doubt == ()


@pytest.mark.parametrize(
    ("position", "rates"),
    [
        ("", FIRST),
        ("0.998500001", FIRST),
        ("0.9975", SECOND_TIER),
        ("1", FIRST),
        ("-1", FIRST),
    ],
)
def test_what_no_fee_leads_to_leaves_the_fee_models_word_in_doubt(position, rates):
    made = core()
    buy(made, position=position, rates=rates)
    assert held(made) == [D("0.9975"), 0]
    assert made.kernel.strategies[0].fills[0].liquidity == ""
    assert made.coins.in_doubt == (COIN,)


def test_what_is_stated_is_of_all_strategies_together():
    made = core()
    buy(made, "2", "1.997")
    buy(made, "1", "2.9955", owner=1)
    buy(made, "4", "6.9855")
    assert held(made) == [D("5.987"), D("0.9985")]
    assert made.coins.in_doubt == ()


def test_a_fill_that_was_seen_before_says_nothing_of_its_order():
    made = core()
    first = buy(made, position="0.9985")
    made.take(made.kernel.clock.timestamp_ns, [first])
    assert held(made) == [D("0.9985"), 0]
    assert made.coins.in_doubt == ()
    assert made.fee_of(first) == 0


def test_while_a_purchase_is_in_doubt_a_position_proves_nothing_of_the_next():
    """The first was the maker's, the second the taker's: what is stated looks like the maker's."""
    made = core()
    buy(made)
    buy(made, position="1.996", owner=1)
    assert held(made) == [D("0.9975"), D("0.9975")]
    # Whose of the two was the maker's nobody knows: it stays a difference.
    assert settle(made, "1.996") == {}
    assert made.coins.in_doubt == (COIN,)


def test_a_sale_is_charged_as_before():
    made = core()
    buy(made, position="0.9985")
    order = made.kernel.strategies[0].sell(COIN, "0.9985", limit_price=50_000)
    made.inputs.settle()
    at = made.kernel.clock.timestamp_ns + SECOND
    made.take(at, [FillEvent(order.number, at, "0.9985", "50000", "0.9985", position="0")])
    assert held(made) == [0, 0]
    # 25 bps of 49,925 dollars, up to the cent.
    assert made.fee_ledger.accrued == D("124.82")


@pytest.mark.parametrize(
    ("quantities", "there", "gains"),
    [
        (["1"], "0.9985", {"One": "0.001"}),
        (["1", "3"], "3.993", {"One": "0.003"}),
        (["1", "3"], "3.991", {"One": "0.001"}),
        (["1", "3"], "3.994", {"One": "0.004"}),
        # Two ways to the same end are one end.
        (["1", "1"], "1.996", {"One": "0.001"}),
        # No fee explains these.
        (["1"], "0.998499999", {}),
        (["1"], "1", {}),
        (["1"], "0", {}),
        (["1", "3"], "3.992", {}),
        (["0.1"] * (DOUBTS_MAX + 1), "0.898", {}),
    ],
)
def test_a_look_explains_purchases_in_doubt_to_the_last_digit_or_not_at_all(
    quantities, there, gains
):
    made = core()
    for quantity in quantities:
        buy(made, quantity)
    assert settle(made, there) == {name: D(gain) for name, gain in gains.items()}
    assert made.coins.in_doubt == (() if gains else (COIN,))


def test_purchases_of_several_strategies_are_explained_where_one_way_leads_there():
    made = core()
    buy(made, "1")
    buy(made, "3", owner=1)
    assert settle(made, "3.993") == {"Two": D("0.003")}
    buy(made, "1")
    buy(made, "1", owner=1)
    there = sum(held(made))
    assert settle(made, f"{there + D('0.001'):f}") == {}
    assert settle(made, f"{there + D('0.002'):f}") == {"One": D("0.001"), "Two": D("0.001")}


def test_a_position_that_agrees_ends_the_doubt():
    made = core()
    buy(made)
    assert settle(made, "0.9975") == {}
    assert made.coins.in_doubt == ()
    # What differs later is no purchase's.
    buy(made, position="1.996")
    assert held(made) == [D("1.996"), 0]


def test_without_a_fee_model_what_was_kept_is_known_by_the_position_all_the_same():
    made, _ = core_of(BasicGate(), [One(), Two()], cash=100_000)
    buy(made, position="0.9985")
    buy(made)
    assert held(made) == [D("1.9985"), 0]
    assert settle(made, "1.9985") == {}
    buy(made)
    assert settle(made, "2.996") == {"One": D("-0.0025")}


def test_what_was_kept_is_on_the_tape():
    made = core()
    taken(made)
    again = core()
    buy(made, position="0.9985")
    buy(made, "2", "2.9941", rates=SECOND_TIER, owner=1)
    for strategy, quantity in ((0, "1"), (1, "2")):
        # Commands are strategies' own: the tape has what came in.
        again.kernel.strategies[strategy].buy(COIN, quantity, limit_price=40_000)
    play(again.inputs, taken(made), lambda note: None, lambda error: None)
    assert held(again) == held(made) == [D("0.9985"), D("1.9956")]
    assert [s.fills[0].liquidity for s in again.kernel.strategies] == ["maker", "taker"]
