"""What a simulated venue lets an account pay for, and what waiting orders hold of it."""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from pyrt.core.account_rules import account_rules
from pyrt.core.instruments import Instrument, crypto, equity
from tests.backtest.harness import SYMBOL, Run, Script, play

D = Decimal
FLAT = (100, 100, 100, 100)
THIN = (100, 100, 100, 100, 400)
"""A bar of which a tenth is 40."""


def reserved(run: Run) -> Decimal:
    return D(run.sim.account.margin_state()["reserved"])


def kept(steps: Any, *bars: Any, **options: Any) -> Decimal:
    """What waiting orders of a margin account hold at the end."""
    run = play([FLAT, *(bars or [FLAT] * 3)], steps, account=options.pop("account", "margin"),
               participation=0.1, **options)  # fmt: skip
    # The strategy's side of it reckons the same.
    assert run.kernel.account.buying_power == run.sim.account.buying_power
    return reserved(run)


THICK = (100, 100, 100, 100, 1e6)
NEAR = (100, 100, 95, 100, 400)

# Steps, bars after the first, and what waiting orders hold in the end.
KEPT: list[tuple[Any, list[Any], Any]] = [
    # A limit that waits; what a change of its terms makes of it; one that was canceled.
    ({0: lambda s: s.buy(SYMBOL, 100, limit_price=90)}, [], 9_000),
    ({0: lambda s: s.buy(SYMBOL, 100, limit_price=90),
      1: lambda s: s.modify(s.orders(SYMBOL)[0], limit_price=80, quantity=150)}, [], 12_000),
    ({0: lambda s: s.buy(SYMBOL, 100, limit_price=90),
      1: lambda s: s.cancel(s.orders(SYMBOL)[0])}, [], 0),
    # Of a hundred forty are filled; then forty more; then all of them.
    ({0: lambda s: s.buy(SYMBOL, 100, limit_price=96)}, [NEAR], 60 * 96),
    ({0: lambda s: s.buy(SYMBOL, 100, limit_price=96)}, [NEAR] * 2, 20 * 96),
    ({0: lambda s: s.buy(SYMBOL, 100, limit_price=96)}, [NEAR] * 3, 0),
    ({0: lambda s: s.sell(SYMBOL, 100, limit_price=104)}, [(100, 105, 100, 100, 400)], 60 * 104),
    # At the market by the last price, by units and by value.
    ({0: lambda s: s.buy(SYMBOL, 100)}, [THIN], 6_000),
    ({0: lambda s: s.buy(SYMBOL, notional=10_000)}, [THIN], 6_000),
    ({0: lambda s: s.buy(SYMBOL, notional=10_000)}, [(*FLAT, 0)], 10_000),
    # What leaves a holding holds nothing; what goes beyond it does, but for an exit.
    ({0: lambda s: s.buy(SYMBOL, 50), 1: lambda s: s.sell(SYMBOL, 50, limit_price=110)},
     [THICK] * 2, 0),
    ({0: lambda s: s.buy(SYMBOL, 50), 1: lambda s: s.sell(SYMBOL, 80, limit_price=110)},
     [THICK] * 2, 30 * 110),
    ({0: lambda s: s.buy(SYMBOL, 50),
      1: lambda s: s.sell(SYMBOL, 80, limit_price=110, reduce_only=True)}, [THICK] * 2, 0),
    # An exit is one however little is left for it to leave.
    (
        {
            0: lambda s: s.buy(SYMBOL, 50),
            1: lambda s: s.sell(SYMBOL, 50, limit_price=110, reduce_only=True),
            2: lambda s: s.sell(SYMBOL, 30),
            3: lambda s: s.modify(s.orders(SYMBOL)[0], limit_price=109),
        },
        [THICK] * 4,
        0,
    ),
    (
        {
            0: lambda s: s.buy(SYMBOL, 100, limit_price=90, take_profit=99, stop_loss=80),
            1: lambda s: s.modify(s.orders(SYMBOL)[1], limit_price=98),
        },
        [],
        9_000,
    ),
    # Exits that wait for their entry hold nothing beside it, nor once they work.
    ({0: lambda s: s.buy(SYMBOL, 100, limit_price=90, take_profit=99, stop_loss=80)}, [], 9_000),
    ({0: lambda s: s.buy(SYMBOL, 100, take_profit=120, stop_loss=80)}, [THICK] * 2, 0),
    ({0: lambda s: s.buy(SYMBOL, 100, limit_price=96, take_profit=120, stop_loss=80)},
     [NEAR], 60 * 96),
    # The smallest order there is.
    ({0: lambda s: s.buy(SYMBOL, 1e-9, limit_price=2e-9),
      1: lambda s: s.modify(s.orders(SYMBOL)[0], limit_price=1e-9)}, [], D("1E-18")),
]  # fmt: skip


@pytest.mark.parametrize(("steps", "bars", "holds"), KEPT)
def test_waiting_orders_hold_what_their_rest_may_cost(
    steps: Any, bars: list[Any], holds: Any
) -> None:
    assert kept(steps, *bars) == holds


# A holding of 60, and an order by value at a price of 100; what it holds.
BY_VALUE: list[tuple[str, dict[str, Any], str, int, Any]] = [
    ("margin", {}, "buy", 1_000, 1_000),
    ("margin", {}, "sell", 6_000, 0),
    ("margin", {}, "sell", 7_000, 1_000),
    ("alpaca", {}, "sell", 6_000, 0),
    # Nothing is lent on coins, and nobody lends them; what is held can be sold all the same.
    ("margin", {"kind": "crypto", "marginable": False}, "sell", 6_000, 0),
    ("margin", {"kind": "crypto", "marginable": False}, "sell", 6_001, "may not sell"),
    ("alpaca:1", {}, "sell", 6_000, 0),
    ("alpaca:1", {}, "sell", 6_001, "may not sell"),
    # Euros are worth 1.25; of a share that takes three quarters, a dollar takes three.
    ("margin", {"currency": "EUR"}, "buy", 1_000, 1_250),
    ("alpaca", {"margin_long": "0.75"}, "buy", 1_000, 3_000),
]


@pytest.mark.parametrize(("account", "changes", "side", "value", "holds"), BY_VALUE)
def test_an_order_by_value_holds_what_it_opens(
    account: str, changes: dict[str, Any], side: str, value: int, holds: Any
) -> None:
    run = play(
        [FLAT] * 3,
        {0: lambda s: s.buy(SYMBOL, 60), 2: lambda s: getattr(s, side)(SYMBOL, notional=value)},
        account=account, participation=0.1, rates={"EUR": "1.25"},
        instrument=Instrument(SYMBOL, **changes),
    )  # fmt: skip
    if isinstance(holds, str):
        assert holds in run.reasons[1]
        return
    assert run.statuses == ["FILLED", "ACCEPTED"]
    assert reserved(run) == holds
    assert run.kernel.account.buying_power == run.sim.account.buying_power


# Account, instrument, side, the most at 100 that is let in, what is told of one more.
ADMITTED = [
    ("margin", Instrument, "buy", 2000,
     "buying 2001 AAA reserves 200,100.00 USD, and the buying power is 200,000.00"),
    ("margin", Instrument, "sell", 2000,
     "selling 2001 AAA reserves 200,100.00 USD, and the buying power is 200,000.00"),
    # Nothing is lent on a coin, and nobody lends one.
    ("margin", crypto, "buy", 1000,
     "buying 1001 AAA reserves 100,100.00 USD, and the buying power is 100,000.00"),
    ("margin", partial(crypto, shortable=True), "sell", 0, "may not sell AAA short"),
    ("alpaca:1", Instrument, "sell", 0, "may not sell AAA short"),
    ("margin", partial(equity, marginable=False), "buy", 1000,
     "buying 1001 AAA reserves 100,100.00 USD, and the buying power is 100,000.00"),
]  # fmt: skip


@pytest.mark.parametrize(("account", "make", "side", "most", "told"), ADMITTED)
def test_an_order_that_cannot_be_carried_is_refused_as_it_comes(
    account: str, make: Any, side: str, most: int, told: str
) -> None:
    run = play(
        [FLAT] * 3,
        {0: lambda s: [
            getattr(s, side)(SYMBOL, most + 1, limit_price=100),
            *([getattr(s, side)(SYMBOL, most, limit_price=100)] if most else []),
        ]},
        account=account, instrument=make(SYMBOL),
    )  # fmt: skip
    assert run.statuses[0] == "REJECTED"
    assert told in run.reasons[0]
    assert run.statuses[1:] == ["ACCEPTED"] * bool(most)


def test_power_that_is_below_nothing_is_told_as_none() -> None:
    """2,000 at 40 on a debt of 100,000: no equity, and no power."""
    run = play(
        [(p, p, p, p) for p in (100, 100, 40, 40)],
        {0: lambda s: s.buy(SYMBOL, 2000), 2: lambda s: s.buy(SYMBOL, 1)},
        account=account_rules("margin").replace(on_call="none"),
    )
    assert run.statuses == ["FILLED", "REJECTED"]
    assert run.reasons[1].endswith("and the buying power is 0.00")


@pytest.mark.parametrize(
    ("side", "quantity", "fees", "told"),
    [
        ("buy", 1000, "fixed:1",
         "buying 1000 AAA at 100 is 100,000.00 USD plus 1.00 fees, 1.00 more than"),
        ("buy", "0.5", "fixed:99951",
         "buying 0.5 AAA at 100 is 50.00 USD plus 99,951.00 fees, 1.00 more than"),
        ("sell", 1001, None,
         "selling 1001 AAA at 100 is 100,100.00 USD plus 0.00 fees, 100.00 more than"),
        # A cent is told where less is missing.
        ("buy", 1000, "fixed:0.001",
         "buying 1000 AAA at 100 is 100,000.00 USD plus 0.01 fees, 0.01 more than"),
    ],
)  # fmt: skip
def test_a_refusal_tells_the_value_the_fee_and_what_is_missing(
    side: str, quantity: Any, fees: str | None, told: str
) -> None:
    run = play([FLAT] * 3, {0: lambda s: getattr(s, side)(SYMBOL, quantity)}, fees=fees)
    assert run.statuses == ["REJECTED"]
    assert run.reasons[0].startswith(f"insufficient_buying_power: {told} the account can cover")


# Cash, step, fee, price: the most that a target of all of it buys.
AFFORDED = [
    ("1000", 1, None, 100, 10), ("999.99", 1, None, 100, 9), ("1000", 3, None, 100, 9),
    ("1000", "0.3", None, 100, 9.9), ("1000", 1, "fixed:1", 100, 9),
    ("1001", 1, "fixed:1", 100, 10), ("1000", 1, None, 125, 8), ("100", 1, None, 100, 1),
]  # fmt: skip


@pytest.mark.parametrize(("cash", "step", "fees", "price", "most"), AFFORDED)
def test_an_order_that_shrinks_takes_the_most_that_can_be_paid(
    cash: str, step: Any, fees: str | None, price: int, most: float
) -> None:
    run = play(
        [FLAT, (price,) * 4],
        {0: lambda s: s.target_percent(SYMBOL, 2)},
        cash=cash, fees=fees, instrument=Instrument(SYMBOL, step_size=step),
    )  # fmt: skip
    assert [row["quantity"] for row in run.table("fills")] == [most]


class Listens(Script):
    """Notes the buying power that it sees as its order is accepted."""

    def on_order(self, event: Any) -> None:
        if event.kind == "accepted":
            self.seen = self.account.buying_power


@pytest.mark.parametrize(
    ("account", "terms", "power"),
    [
        # At the market 2.5 % more; of what was never held, too.
        ("alpaca", {"quantity": 1000}, 297_500), ("margin", {"quantity": 1000}, 100_000),
        ("alpaca", {"notional": 1000}, 399_000), ("margin", {"notional": 1000}, 199_000),
    ],
)  # fmt: skip
def test_what_waits_lowers_the_power_that_its_strategy_sees(
    account: str, terms: dict[str, Any], power: int
) -> None:
    strategy = Listens({0: lambda s: s.buy(SYMBOL, **terms)})
    play([FLAT] * 3, strategy, account=account)
    assert strategy.seen == power
