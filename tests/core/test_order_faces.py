"""What orders, their events and fills tell: each figure, and its absence."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import pytest

from pyrt.core.instruments import Instrument, crypto
from pyrt.core.orders import Fill
from pyrt.core.types import Side
from pyrt.errors import ConfigError, InstrumentMismatch, InvalidTransition
from pyrt.risk import Limits, RiskEngine
from pyrt.risk.gate import BasicGate
from pyrt.testing.gates import GateRig
from tests.backtest.harness import Script, play

D = Decimal
LEAST = D("0.000000000000000001")
UNIT = D("0.000000001")


def rig(**instrument: Any) -> GateRig:
    share = Instrument("AAA", **{"decimals": 3, "multiplier": 5, **instrument})
    return GateRig(BasicGate(), cash=1_000_000, prices=100, symbols=(share,))


NOTHING = {
    "notional": None, "display_quantity": None, "filled_notional": None, "taken": None,
    "limit_price": None, "stop_price": None, "trail_amount": None, "trail_percent": None,
    "expires_at": None, "parent": None, "sibling": None, "tag": "", "reason": "",
}  # fmt: skip

# Terms of an order of 8 at the price of 100, and what it tells beside an order at the market.
TERMS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("market", {}, {}),
    ("limit", {"limit_price": "99.5"}, {"limit_price": "99.5"}),
    ("stop", {"stop_price": "100.5"}, {"stop_price": "100.5"}),
    ("stop_limit", {"stop_price": "100.5", "limit_price": "101.25"},
     {"stop_price": "100.5", "limit_price": "101.25"}),
    # Where a trigger stands is told by who trails it.
    ("trailing_stop", {"trail_amount": "1.5"}, {"trail_amount": "1.5"}),
    ("trailing_stop", {"trail_percent": "2.5"}, {"trail_percent": "2.5"}),
    ("limit", {"limit_price": 99, "display_quantity": "0.001"},
     {"limit_price": "99", "display_quantity": "0.001"}),
    ("limit", {"limit_price": 99, "post_only": True}, {"limit_price": "99", "post_only": True}),
    ("market", {"tag": "why"}, {"tag": "why"}),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "terms", "told"), TERMS)
def test_an_order_tells_its_terms(kind: str, terms: dict[str, Any], told: dict[str, Any]) -> None:
    made = rig()
    order = made.order("buy", 8, **terms)
    plain = order.to_dict()
    expected = {**NOTHING, "post_only": False, **told}
    found = {name: plain[name] for name in expected}
    numbers = {n for n, v in expected.items() if isinstance(v, str) and v[:1].isdigit()}
    assert {n: D(found[n]) if n in numbers else found[n] for n in found} == {
        n: D(v) if n in numbers else v for n, v in expected.items()
    }
    for name in ("limit_price", "stop_price", "trail_amount", "trail_percent", "display_quantity"):
        value = expected[name]
        assert getattr(order, name) == (None if value is None else float(value))
    assert (order.order_type, order.symbol, order.side) == (kind, "AAA", Side.BUY)
    assert (plain["type"], plain["side"], plain["quantity"]) == (kind, "buy", "8")
    assert (order.quantity, order.quantity_exact, order.leaves_quantity) == (8, 8, 8)
    assert (order.notional, order.notional_exact, order.expires_at) == (None, None, None)
    assert (order.legs, order.reason, order.time_in_force) == ((), "", "gtc")
    assert order.client_order_id == plain["client_order_id"]


@pytest.mark.parametrize(("side", "word"), [(Side.BUY, "buy"), (Side.SELL, "sell")])
def test_a_side_is_its_word_and_its_sign(side: Side, word: str) -> None:
    same = (word, word.upper(), int(side), Side(side))
    other = ("sell" if word == "buy" else "buy", "long", "", -int(side), Side(-side), None)
    assert [side == each for each in (*same, *other)] == [True] * 4 + [False] * 6
    assert [side != each for each in (*same, *other)] == [False] * 4 + [True] * 6
    assert {side: 1}[Side(side)] == {int(side): 1}[side] == 1


def test_an_order_by_value_tells_it_to_the_least_amount() -> None:
    made = rig(decimals=9, multiplier=1)
    order = made.order("sell", notional=250 + LEAST)
    assert (order.notional, order.notional_exact) == (250, 250 + LEAST)
    assert D(order.to_dict()["notional"]) == 250 + LEAST
    assert (order.quantity, order.quantity_exact) == (0, 0)
    assert "sell notional 250 AAA market" in repr(order)


def test_an_order_that_expires_tells_when() -> None:
    made = rig()
    order = made.order("buy", 1, limit_price=99, time_in_force="gtd", expires_at=made.now + 10**12)
    assert (order.time_in_force, order.expires_at) == ("gtd", made.now + 10**12)
    assert order.to_dict()["expires_at"] == made.now + 10**12


def test_an_entry_tells_its_exits() -> None:
    made = rig()
    order = made.order("buy", 1, limit_price=99, take_profit=110, stop_loss=90)
    profit, loss = order.legs
    assert (profit.limit_price, loss.stop_price) == (110, 90)
    assert profit.to_dict()["parent"] == loss.to_dict()["parent"] == order.client_order_id
    assert profit.to_dict()["sibling"] == loss.client_order_id
    alone = made.order("buy", 1, limit_price=99, stop_loss=90)
    assert [leg.stop_price for leg in alone.legs] == [90]


def test_an_order_tells_how_far_it_is() -> None:
    made = rig()
    order = made.order("buy", 8)
    assert math.isnan(order.average_price)
    steps = [
        # The least quantity at 100; the rest of a half at 110 and at 120.
        ("0.001", 100, 100.0, "PARTIALLY_FILLED"),
        ("3.999", 110, (0.1 + 3.999 * 110) / 4, "PARTIALLY_FILLED"),
        (4, 120, (0.1 + 3.999 * 110 + 480) / 8, "FILLED"),
    ]
    filled = D(0)
    for quantity, price, average, status in steps:
        assert (order.is_open, order.is_closed) == (True, False)
        made.fill(order, quantity, price)
        filled += D(str(quantity))
        assert order.average_price == pytest.approx(average, rel=1e-12)
        assert (order.filled_quantity, order.filled_quantity_exact) == (float(filled), filled)
        assert order.leaves_quantity == float(8 - filled)
        assert order.status == status
        assert D(order.to_dict()["filled_quantity"]) == filled
    assert (order.is_open, order.is_closed) == (False, True)
    assert D(order.to_dict()["filled_notional"]) == 5 * (D("0.1") + D("3.999") * 110 + 480)
    assert repr(order).endswith(" buy 8 AAA market gtc: FILLED, filled 8)")


@pytest.mark.parametrize(
    ("answers", "status", "closed"),
    [
        ([], "SENT", False), (["accept"], "ACCEPTED", False), (["reject"], "REJECTED", True),
        (["accept", "cancel"], "CANCELED", True), (["accept", "expire"], "EXPIRED", True),
    ],
)  # fmt: skip
def test_an_order_is_open_until_it_has_ended(answers: list[str], status: str, closed: bool) -> None:
    made = rig()
    order = made.order("buy", 1, limit_price=99)
    for answer in answers:
        made.answer(answer, order)
    assert (order.status, order.is_open, order.is_closed) == (status, not closed, closed)


def test_a_denied_order_has_ended_and_says_why() -> None:
    made = GateRig(RiskEngine(Limits(max_order_quantity=1)), prices=100)
    order = made.order("buy", 2)
    assert (order.status, order.is_open, order.is_closed) == ("DENIED", False, True)
    assert order.reason.startswith("max_order_quantity: ")
    assert order.to_dict()["reason"] == order.reason


def test_what_cannot_happen_to_an_order_is_refused_by_name_and_changes_nothing() -> None:
    made = rig()
    order = made.order("buy", 1)
    made.fill(order)
    with pytest.raises(InvalidTransition) as refused:
        made.answer("accept", order)
    assert f"order {order.client_order_id} is FILLED and cannot take 'accepted'" in str(
        refused.value
    )
    assert order.status == "FILLED"


def test_an_order_is_filled_by_a_fill_only() -> None:
    """Of 8 all but one are filled when it is canceled; the last comes late."""
    made = rig()
    order = made.order("buy", 8)
    made.fill(order, 7)
    made.answer("cancel", order)
    assert order.status == "CANCELED"
    made.fill(order, 1)
    assert order.status == "FILLED"


@pytest.mark.parametrize(
    ("side", "price", "terms", "tick", "trigger"),
    [
        ("sell", 100, {"trail_amount": 2}, None, 98), ("buy", 100, {"trail_amount": 2}, None, 102),
        ("sell", 100, {"trail_percent": 3}, None, 97),
        ("buy", 100, {"trail_percent": 3}, None, 103),
        # On the tick, and never nearer than the distance.
        ("sell", 100, {"trail_amount": "2.013"}, "0.01", 97.98),
        ("buy", 100, {"trail_amount": "2.013"}, "0.01", 102.02),
        ("sell", 99.99, {"trail_percent": 3}, "0.01", 96.99),
        ("buy", 99.99, {"trail_percent": 3}, "0.01", 102.99),
        # A percent of 1e-9 and a bit is rounded up to the next 1e-9.
        ("sell", 1.01, {"trail_percent": "0.000001"}, None, 1.009999989),
        ("buy", 1.01, {"trail_percent": "0.000001"}, None, 1.010000011),
    ],
)  # fmt: skip
def test_a_trigger_trails_at_its_distance_or_farther(
    side: str, price: float, terms: dict[str, Any], tick: str | None, trigger: float
) -> None:
    run = play(
        [(price,) * 4] * 3,
        {0: lambda s: getattr(s, side)("AAA", 1, **terms)},
        instrument=Instrument("AAA", tick_size=tick),
    )
    assert run.strategies[0].made[0].stop_price == trigger


# -- events ----------------------------------------------------------------------------------------


def test_an_event_tells_whose_it_is_and_why() -> None:
    class Notes(Script):
        def on_order(self, event: Any) -> None:
            self.told = [*getattr(self, "told", []), event]

    strategy = Notes({0: lambda s: [s.buy("AAA", 1e9), s.buy("AAA", 1)]})
    play([(100,) * 4] * 3, strategy)
    refused = next(event for event in strategy.told if event.reason)
    sent = next(event for event in strategy.told if event.kind == "sent")
    assert (refused.symbol, refused.client_order_id) == ("AAA", refused.order.client_order_id)
    assert repr(refused) == (
        f"OrderEvent({refused.kind} {refused.client_order_id} AAA: {refused.reason})"
    )
    assert repr(sent) == f"OrderEvent(sent {sent.client_order_id} AAA)"
    plain = refused.to_dict()
    assert (plain["symbol"], plain["client_order_id"]) == ("AAA", refused.client_order_id)


# -- fills -----------------------------------------------------------------------------------------

SIDES = [("buy", 1), ("sell", -1), (Side.BUY, 1), (Side.SELL, -1), (1, 1), (-1, -1)]


@pytest.mark.parametrize(("side", "sign"), SIDES)
def test_a_fill_tells_all_of_it(side: Any, sign: int) -> None:
    share = Instrument("AAA", decimals=3, currency="EUR")
    fill = Fill(share, side, "2.5", "10.25", fee="0.75", ts_event=7, liquidity="maker",
                execution_id="x-1")  # fmt: skip
    assert (fill.symbol, fill.side, fill.client_order_id) == ("AAA", Side(sign), "")
    assert (fill.quantity, fill.quantity_exact) == (2.5, D("2.5"))
    assert (fill.price, fill.price_exact) == (10.25, D("10.25"))
    assert (fill.fee, fill.fee_exact, fill.fee_value_exact) == (0.75, D("0.75"), D("0.75"))
    assert fill.raw_for(share) == (sign, 2_500, 10_250_000_000, D("0.75"))
    assert fill.to_dict() == {
        "symbol": "AAA", "side": "buy" if sign > 0 else "sell", "quantity": "2.5",
        "price": "10.25", "fee": str(fill.fee_exact), "fee_currency": "EUR",
        "liquidity": "maker", "client_order_id": "", "execution_id": "x-1", "ts_event": 7,
        "ts_init": 7, "ts_open": 7, "is_last": True,
    }  # fmt: skip
    assert repr(fill) == (f"Fill({'buy' if sign > 0 else 'sell'} 2.5 AAA @ 10.25, fee 0.75 EUR)")
    with pytest.raises(InstrumentMismatch, match="a fill of AAA cannot be applied to BBB"):
        fill.raw_for(Instrument("BBB"))


@pytest.mark.parametrize("side", ["Buy", "", 0, 2, -2, None, 1.5])
def test_a_side_that_is_none_is_refused(side: Any) -> None:
    with pytest.raises(ConfigError, match=f"side is {side!r}; expected 'buy' or 'sell'"):
        Fill(Instrument("AAA"), side, 1, 1)


def test_a_fee_in_what_is_bought_is_worth_the_price_of_the_fill() -> None:
    pair = crypto("BTC/USD")
    fill = Fill(pair, "buy", 2, 500, fee=UNIT, fee_currency="BTC")
    assert (fill.fee, fill.fee_exact, fill.fee_value_exact) == (1e-9, UNIT, 500 * UNIT)
    assert fill.raw_for(pair) == (1, 1_999_999_999, 500 * 10**9, 500 * UNIT)
    assert fill.to_dict()["fee_currency"] == "BTC"
    # Of a rebate in money nothing is taken.
    paid = Fill(pair, "buy", 2, 500, fee="-0.25")
    assert (paid.fee, paid.fee_exact, paid.fee_currency) == (-0.25, D("-0.25"), "USD")
    assert paid.raw_for(pair)[1] == 2 * 10**9
