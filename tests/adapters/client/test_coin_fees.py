"""What a purchase of coins may have cost, as executions tell it; and what shares never do."""

from __future__ import annotations

from decimal import Decimal

import pytest

from pyrt import Strategy
from pyrt.adapters.alpaca.core.client import AlpacaClient
from pyrt.adapters.alpaca.core.coin_fees import may_keep
from pyrt.adapters.alpaca.core.known import Known
from pyrt.core.times import timestamp_ns
from pyrt.risk.gate import BasicGate
from tests.adapters.client.exchange import PREFIX
from tests.adapters.client.test_account_looks import drive
from tests.adapters.client.test_listing import ACCOUNT
from tests.adapters.client.test_order_path import NOW, body, frame, submitted, view
from tests.live.cores import COIN, core_of

D = Decimal
NANO = D("1e-9")
TODAY = timestamp_ns("2024-06-03T15:00:00Z")


@pytest.mark.parametrize(
    ("quantity", "unit", "tier", "maker", "taker"),
    [
        ("1", NANO, 1, "0.0015", "0.0025"),
        ("1", NANO, 3, "0.0010", "0.0020"),
        ("1", NANO, 8, "0", "0.0010"),
        # Recorded: 0.000175822 left 0.000175382, and 0.001254903 left 0.001251765.
        ("0.000175822", NANO, 1, "0.000000264", "0.000000440"),
        ("0.001254903", NANO, 1, "0.000001883", "0.000003138"),
        ("1000001", D(1), 1, "1501", "2501"),
        ("1000000", D(1), 1, "1500", "2500"),
    ],
)
def test_either_rate_of_a_tier_is_rounded_up_to_the_coins_unit(quantity, unit, tier, maker, taker):
    found = {name: D(units) for name, units in may_keep(D(quantity), unit, TODAY, tier)}
    assert found == {"maker": D(maker), "taker": D(taker)}


@pytest.mark.parametrize("tier", [-1, 0, 9])
def test_of_a_tier_that_nobody_knows_nothing_is_said(tier):
    assert may_keep(D(1), NANO, TODAY, tier) == ()


@pytest.mark.parametrize(
    ("time", "maker"),
    [
        # Makers pay less from 13 March 2023 in New York on: it is four hours behind.
        ("2023-03-13T03:59:59.999999999Z", "0.0025"),
        ("2023-03-13T04:00:00Z", "0.0015"),
    ],
)
def test_the_schedule_is_that_of_the_day_in_new_york(time, maker):
    assert D(dict(may_keep(D(1), NANO, timestamp_ns(time), 1))["maker"]) == D(maker)


# -- executions ------------------------------------------------------------------------------------


def filled(client: AlpacaClient, **changes):
    """Tell a client that its order of ten has filled; return what comes of it."""
    shown = view("filled", filled_qty="10", filled_avg_price="100")
    terms = {"price": "100", "qty": "10", "position_qty": "9.985", **changes}
    update = frame("fill", shown, **terms)
    return [e for e in client.receive_trade_update(update, NOW) if e.WHAT == "fill"]


def client_of(*, buys_coins: bool = True) -> AlpacaClient:
    """Return a client with an order of ten at the broker."""
    client = AlpacaClient(PREFIX)
    client.receive_response(submitted(client), 200, body(), NOW)
    client.ledger.of(1).buys_coins = buys_coins
    return client


def test_an_execution_says_what_is_held_after_it_and_what_it_may_have_cost():
    client = client_of()
    client.ledger.coin_tier = 3
    (event,) = filled(client)
    assert event.position == "9.985"
    # In October 2013 the first schedule stands in: makers and takers of the third tier pay 20 bps.
    assert [(name, D(units)) for name, units in event.keeps] == [
        ("maker", D("0.02")), ("taker", D("0.02")),
    ]  # fmt: skip


@pytest.mark.parametrize("stated", [None, "", "many", "NaN", "-1"])
def test_a_position_that_is_none_costs_no_execution(stated):
    (event,) = filled(client_of(), position_qty=stated)
    assert (event.position, event.quantity) == ("", "10")


def test_of_executions_that_were_missed_the_last_one_alone_says_what_is_held():
    missed, last = filled(client_of(), qty="4")
    assert (missed.quantity, missed.position) == ("6", "")
    assert (last.quantity, last.position) == ("4", "9.985")
    assert [len(event.keeps) for event in (missed, last)] == [2, 2]
    # Of one that does not fit what is missing nothing is said.
    (whole,) = filled(client_of(), qty="11")
    assert (whole.quantity, whole.position) == ("10", "")


@pytest.mark.parametrize(
    ("symbol", "side", "buys"), [(COIN, "buy", True), (COIN, "sell", False), ("SPY", "buy", False)]
)
def test_coins_that_are_bought_are_charged_in_kind_and_nothing_else_is(symbol, side, buys):
    core, _ = core_of(BasicGate(), [Strategy()])
    order = getattr(core.kernel.strategies[0], side)(symbol, 10)
    assert Known.of(order).buys_coins is buys
    (event,) = filled(client_of(buys_coins=Known.of(order).buys_coins))
    assert bool(event.keeps) is buys


@pytest.mark.parametrize(("stated", "tier"), [({"crypto_tier": 3}, 3), ({}, 1)])
def test_the_tier_is_the_one_that_the_account_states(stated, tier):
    state, _ = drive({"account": {**ACCOUNT, **stated}})
    client = client_of()
    client.apply(state)
    assert client.ledger.coin_tier == tier
