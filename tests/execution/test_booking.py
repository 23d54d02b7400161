"""Booking: what fills, splits, dividends and cash leave in records, round trips and the ledger."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from pyrt.backtest.collect import array
from pyrt.core import records as layouts
from pyrt.core.instruments import Instrument, listed
from pyrt.core.ledger import POSTING_DTYPE
from pyrt.live.core.inputs import Inputs
from pyrt.risk.gate import BasicGate
from pyrt.testing.gates import GateRig
from tests.backtest.harness import MINUTE, START, Probe, Run, Script, frame, play

D = Decimal
SHARE = Instrument("AAA", step_size=1)
NAMES = ("cash", "holdings", "capital", "trading", "fees", "dividends", "interest", "borrow",
         "adjustments")  # fmt: skip


def flat(*prices: float) -> list[tuple[float, float, float, float]]:
    return [(p, p, p, p) for p in prices]


def wide(row: Any, name: str) -> Decimal:
    return D((int(row[f"{name}_high"]) << 64) | int(row[f"{name}_low"])).scaleb(-18)


def postings(ledger: Any) -> list[tuple[Any, ...]]:
    """(entry, account, amount, instrument, strategy, currency) of every line."""
    return [
        (int(row["entry"]), NAMES[row["account"]], wide(row, "amount"), int(row["instrument"]),
         int(row["strategy"]), int(row["currency"]))
        for row in array(ledger.rows, POSTING_DTYPE)
    ]  # fmt: skip


def rig(strategies: int = 1, account: Any = None) -> GateRig:
    made = GateRig(
        BasicGate(), cash=10_000, prices=100, strategies=strategies, symbols=(SHARE, "BBB"),
        account=account,
    )  # fmt: skip
    made.kernel.booking.keep_ledger(7)
    return made


def agrees(made: GateRig) -> bool:
    kernel = made.kernel
    ledger = kernel.booking.ledger
    return not ledger.differences(kernel.account, kernel.cache.all_positions())


# -- fills -----------------------------------------------------------------------------------------


def two() -> Run:
    """A buys and leaves euro shares with a limit, at 1 % of fees; B sells dollar shares short."""
    a = Script({
        0: lambda s: s.buy("EEE", 10, tag="in"),
        2: lambda s: s.sell("EEE", 4, limit_price=110),
        4: lambda s: s.sell("EEE", 8, tag="out"),
    }, symbol="EEE")  # fmt: skip
    b = Script({1: lambda s: s.sell("UUU", 3)}, symbol="UUU")
    bars = {"EEE": [*flat(100, 100, 100), (100, 120, 100, 120), *flat(120, 120, 120)],
            "UUU": flat(*[50] * 7)}  # fmt: skip
    return play(
        bars, [b, a], instrument=[Instrument("EEE", currency="EUR"), Instrument("UUU")],
        account="margin", rates={"EUR": 2}, fees="bps:100/50", engine={"ledger": True},
    )  # fmt: skip


def test_a_fill_is_on_record_with_all_that_belongs_to_it() -> None:
    run = two()
    made = [
        (row["symbol"], row["side"], row["quantity"], row["price"], row["fee"],
         row["fee_currency"], row["liquidity"], (int(row["ts_event"]) - START) // MINUTE)
        for row in run.table("fills")
    ]  # fmt: skip
    assert made == [
        ("EEE", "buy", 10, 100, 10, "EUR", "taker", 1),
        ("UUU", "sell", 3, 50, 1.5, "USD", "taker", 2),
        ("EEE", "sell", 4, 110, 2.2, "EUR", "maker", 4),
        ("EEE", "sell", 8, 120, 9.6, "EUR", "taker", 5),
    ]
    kept = array(run.kernel.records.fills, layouts.FILL_DTYPE)
    assert (kept["position"] / 1e9).tolist() == [10, -3, 6, -2]
    assert kept["bar"].tolist() == [1, 2, 3, 5]
    assert kept["strategy"].tolist() == [1, 0, 1, 1]
    assert kept["order"].tolist() == [
        o.number for o in (*run.strategies[1].made[:1], *run.strategies[0].made[:1],
                           *run.strategies[1].made[1:])
    ]  # fmt: skip


def test_a_fill_is_an_entry_of_the_ledger_in_its_currency() -> None:
    run = two()
    ledger = run.kernel.booking.ledger
    assert postings(ledger)[2:] == [
        # Nobody owned the capital in euros: there was none.
        (2, "cash", -1000, 0, 1, 1), (2, "holdings", 1000, 0, 1, 1), (2, "cash", -10, 0, 1, 1),
        (2, "fees", 10, 0, 1, 1),
        (3, "cash", 150, 1, 0, 0), (3, "holdings", -150, 1, 0, 0), (3, "cash", D("-1.5"), 1, 0, 0),
        (3, "fees", D("1.5"), 1, 0, 0),
        (4, "cash", 440, 0, 1, 1), (4, "holdings", -400, 0, 1, 1), (4, "trading", -40, 0, 1, 1),
        (4, "cash", D("-2.2"), 0, 1, 1), (4, "fees", D("2.2"), 0, 1, 1),
        # Six at a cost of 600 leave for 720, two are sold short for 240.
        (5, "cash", 960, 0, 1, 1), (5, "holdings", -840, 0, 1, 1), (5, "trading", -120, 0, 1, 1),
        (5, "cash", D("-9.6"), 0, 1, 1), (5, "fees", D("9.6"), 0, 1, 1),
    ]  # fmt: skip
    stamps = array(ledger.rows, POSTING_DTYPE)["ts_event"].tolist()
    fills = [int(row["ts_event"]) for row in run.table("fills")]
    assert stamps[2:] == [fills[n] for n, lines in enumerate((4, 4, 5, 5)) for _ in range(lines)]


def test_what_is_taken_in_kind_counts_at_the_price_of_the_order() -> None:
    run = play(
        {"BTC/USD": flat(*[10_000] * 4)},
        Script({0: lambda s: s.buy("BTC/USD", 1)}, symbol="BTC/USD"),
        instrument=listed("BTC/USD"), name="alpaca",
    )  # fmt: skip
    (order,) = run.strategies[0].made
    assert (order.filled_quantity, order.average_price) == (1, 10_000)
    assert order.to_dict()["taken"] == "0.0025"
    (kept,) = array(run.kernel.records.fills, layouts.FILL_DTYPE)
    assert (kept["quantity"], kept["taken"], kept["position"]) == (10**9, 2_500_000, 997_500_000)


# -- round trips -----------------------------------------------------------------------------------


def trips(run: Run) -> list[tuple[Any, ...]]:
    return [
        (t["symbol"], t["strategy"], t["side"], t["quantity"], t["entry_price"], t["exit_price"],
         round(t["pnl"], 9), round(t["fees"], 9), t["bars"], t["tag"],
         (int(t["entry_time"]) - START) // MINUTE, (int(t["exit_time"]) - START) // MINUTE)
        for t in run.table("trades")
    ]  # fmt: skip


def test_round_trips_are_told_from_flat_to_flat_and_over_a_flip() -> None:
    steps = {
        0: lambda s: s.buy("AAA", 10, tag="long"),
        1: lambda s: s.buy("AAA", 10, tag="more"),
        2: lambda s: s.sell("AAA", 5),
        3: lambda s: s.sell("AAA", 25, tag="flip"),
        4: lambda s: s.buy("AAA", 4),
        6: lambda s: s.buy("AAA", 6, tag="end"),
        7: lambda s: s.sell("AAA", 2, tag="again"),
        8: lambda s: s.close("AAA"),
    }
    run = play(flat(100, 100, 110, 120, 130, 125, 125, 115, 115, 120), steps, fees="fixed:5")
    assert trips(run) == [
        # 10 at 100 and 10 at 110; 5 at 120 and 15 at 130. Of the flip's fee 15 / 25 are its.
        ("AAA", "Script", "long", 20, 105, 127.5, 450 - 18, 18, 3, "long", 1, 4),
        # 10 at 130; 4 at 125 and 6 at 115: 100 + 90 / 10 each.
        ("AAA", "Script", "short", 10, 130, 119, 110 - 12, 12, 3, "flip", 4, 7),
        ("AAA", "Script", "short", 2, 115, 120, -10 - 10, 10, 1, "again", 8, 9),
    ]


def test_a_flips_fee_is_shared_half_to_even_and_none_of_it_is_lost() -> None:
    """A third of 1e-9 and two: 0.333333333333333333 and the rest, by units."""
    run = play(
        flat(*[100] * 6),
        {0: lambda s: s.buy("AAA", 1), 1: lambda s: s.sell("AAA", 3), 2: lambda s: s.close("AAA")},
        fees=lambda *given: "1" if given[2] == 3 else "0",
    )
    kept = array(run.kernel.records.trips, layouts.TRIP_DTYPE)
    assert [wide(row, "fees") for row in kept] == [
        D("0.333333333333333333"), D("0.666666666666666667"),
    ]  # fmt: skip


def test_an_instrument_that_joins_later_leaves_the_bars_of_others_counted() -> None:
    probe = Probe(cash=10_000)
    probe.add_venue("sim")
    probe.add_data(frame(flat(*[100] * 8)), symbol="AAA", timeframe="1m", label="open")
    probe.add_strategy(Script({
        1: lambda s: s.buy("AAA", 1),
        3: lambda s: probe.kernel.add_instrument(Instrument("ZZZ")),
        5: lambda s: s.close("AAA"),
    }))  # fmt: skip
    probe.execute()
    (trip,) = array(probe.kernel.records.trips, layouts.TRIP_DTYPE)
    assert trip["bars"] == 4
    fills = array(probe.kernel.records.fills, layouts.FILL_DTYPE)
    assert fills["bar"].tolist() == [2, 6]


@pytest.mark.parametrize("sign", [1, -1])
def test_the_least_unit_makes_a_round_trip(sign: int) -> None:
    made = rig()
    unit = D("0.000000001")
    made.hold(unit * sign, "BBB")
    made.fill(made.order("sell" if sign > 0 else "buy", 3 * unit, "BBB"), price=110)
    made.fill(made.order("buy" if sign > 0 else "sell", 2 * unit, "BBB"), price=120)
    kept = array(made.kernel.records.trips, layouts.TRIP_DTYPE)
    assert kept["quantity"].tolist() == [1, 2]
    assert kept["side"].tolist() == [sign, -sign]
    assert [wide(row, "pnl") for row in kept] == [10 * unit * sign, -20 * unit * sign]
    position = made.kernel.strategies[0].position("BBB")
    # 100 and twice 110 were entered.
    assert position.realized_pnl_percent == pytest.approx(-100 * sign * 10 / 320)
    assert agrees(made)


class Other(Script):
    """A script under another name."""


def test_each_strategy_has_round_trips_of_its_own() -> None:
    one = Script({0: lambda s: s.buy("AAA", 10), 2: lambda s: s.close("AAA")})
    two = Other({1: lambda s: s.sell("AAA", 4), 3: lambda s: s.close("AAA")})
    run = play(flat(100, 100, 110, 120, 130), [one, two])
    assert [t[1:7] for t in trips(run)] == [
        ("Script", "long", 10, 100, 120, 200), ("Other", "short", 4, 110, 130, -80),
    ]  # fmt: skip


# -- dividends -------------------------------------------------------------------------------------


def paid(made: GateRig, amount: Any, kind: str = "dividend", symbol: str = "AAA") -> None:
    Inputs(made.kernel).cash(made.now, amount, kind=kind, symbol=symbol)


# What each strategy holds, the sum that is paid, and what of it each has realized.
SHARED: list[tuple[tuple[Any, ...], str, tuple[str, ...]]] = [
    ((10, 5, 30), "90", ("20", "10", "60")),
    # Parts are rounded half to even as the sum goes along, and make the sum.
    ((1, 1, 1), "0.000000000000000002", ("1E-18", "0", "1E-18")),
    ((1, 1, 2), "0.000000000000000002", ("0", "1E-18", "1E-18")),
    ((1, 1, 1), "0.1", ("0.033333333333333333", "0.033333333333333334", "0.033333333333333333")),
    # A short pays where the others are paid for all; who holds none has no part.
    ((10, -4, 0), "6", ("10", "-4", "0")),
    ((-10, 4, 0), "-6", ("-10", "4", "0")),
    ((0, D("0.000000001"), 0), "6", ("0", "6", "0")),
    # Long and short make nothing together: it is nobody's.
    ((5, -5, 0), "6", ("0", "0", "0")),
]


@pytest.mark.parametrize(("held", "amount", "parts"), SHARED)
def test_one_sum_is_shared_by_units(
    held: tuple[Any, ...], amount: str, parts: tuple[str, ...]
) -> None:
    made = rig(3)
    for number, quantity in enumerate(held):
        order = made.hold(quantity or 1, "BBB", strategy=number)
        if not quantity:
            made.fill(made.order("sell", 1, "BBB", number), price=order.average_price)
    cash = made.kernel.account.cash_exact
    before = len(made.kernel.booking.ledger)
    paid(made, amount, symbol="BBB")
    positions = [made.kernel.strategies[n].position("BBB") for n in range(3)]
    assert [p.realized_pnl_exact for p in positions] == [D(part) for part in parts]
    assert made.kernel.account.cash_exact == cash + D(amount)
    assert agrees(made)
    lines = [line for line in postings(made.kernel.booking.ledger) if line[0] > before]
    owned = [(-D(part), n) for n, part in enumerate(parts) if D(part)]
    account = "dividends" if owned else "adjustments"
    owned = owned or [(-D(amount), -1)]
    assert [(amount, n) for _, name, amount, _, n, _ in lines if name == account] == owned
    assert {line[3] for line in lines} == {1}
    kept = array(made.kernel.records.ledger, layouts.LEDGER_DTYPE)
    assert sum(wide(row, "amount") for row in kept) == D(amount)
    # One payment to each who holds, or one to nobody.
    assert len(kept) == (sum(map(bool, held)) if account == "dividends" else 1)
    assert kept["instrument"].tolist() == [1] * len(kept)
    assert kept["ts_event"].tolist() == [made.now] * len(kept)


def test_a_dividend_per_unit_is_a_payment_to_each_who_holds() -> None:
    """Half a dollar on ten, on the least unit, and of four that were sold short."""
    steps = [
        {0: lambda s: s.buy("AAA", 10)},
        {0: lambda s: s.buy("AAA", 1e-9)},
        {0: lambda s: s.buy("AAA", 3), 20: lambda s: s.close("AAA")},
        {0: lambda s: s.sell("AAA", 4)},
    ]
    action = {
        "symbol": "AAA", "ex_date": "2024-01-02", "kind": "cash_dividend", "cash_amount": 0.5,
    }  # fmt: skip
    run = play(
        flat(*[100] * 1445), [Script(one) for one in steps], actions=[action],
        engine={"ledger": True},
    )  # fmt: skip
    paid_out = [(r["kind"], r["symbol"], r["currency"], r["amount"]) for r in run.table("ledger")]
    assert paid_out == [
        ("dividend", "AAA", "USD", amount) for amount in (5.0, 5e-10, -2.0)
    ]  # fmt: skip
    midnight = START + 1440 * MINUTE
    assert [int(row["ts_event"]) for row in run.table("ledger")] == [midnight] * 3
    realized = [s.position("AAA").realized_pnl_exact for s in run.kernel.strategies]
    assert realized == [5, D("5E-10"), 0, -2]
    lines = [line for line in postings(run.kernel.booking.ledger) if line[1] == "dividends"]
    assert [(line[2], line[4]) for line in lines] == [(-5, 0), (D("-5E-10"), 1), (2, 3)]


def test_a_dividend_that_comes_late_is_his_who_held_alone_and_in_no_round_trip() -> None:
    made = rig(2)
    made.hold(10)
    paid(made, 3)
    made.fill(made.order("sell", 10), price=110)
    paid(made, 2)
    position = made.kernel.strategies[0].position("AAA")
    assert position.realized_pnl_exact == 100 + 3 + 2
    made.fill(made.order("buy", 10), price=100)
    paid(made, "-1")
    made.fill(made.order("sell", 10), price=100)
    kept = array(made.kernel.records.trips, layouts.TRIP_DTYPE)
    assert [wide(row, "pnl") for row in kept] == [103, -1]
    assert agrees(made)
    # Of two who have held it is nobody's.
    made.hold(10, strategy=1)
    made.fill(made.order("sell", 10, strategy=1))
    paid(made, 4)
    assert position.realized_pnl_exact == 104
    assert made.kernel.booking.ledger.balances(["USD"])["adjustments", "USD"] == -4
    assert agrees(made)


# -- splits ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("side", "sign"), [("buy", 1), ("sell", -1)])
def test_what_fills_no_step_leaves_at_the_new_price(side: str, sign: int) -> None:
    """Seven three-for-two are ten and a half: half a share for 40, of a cost of 700."""
    made = rig(2)
    made.hold(7 * sign)
    made.hold(4 * sign, strategy=1)
    made.price(120)
    cash = made.kernel.account.cash_exact
    made.split(3, 2)
    one, other = (made.kernel.strategies[n].position("AAA") for n in range(2))
    assert (one.quantity, other.quantity) == (10 * sign, 6 * sign)
    assert made.kernel.account.cash_exact == cash + 40 * sign
    # A 21st of 700 goes with it.
    cost = (D(700) / 21).quantize(D("1E-18"))
    assert one.realized_pnl_exact == sign * (40 - cost)
    assert one.cost_basis_exact == sign * (700 - cost)
    last = max(line[0] for line in postings(made.kernel.booking.ledger))
    assert [line[1:] for line in postings(made.kernel.booking.ledger) if line[0] == last] == [
        ("cash", 40 * sign, 0, 0, 0), ("holdings", -sign * cost, 0, 0, 0),
        ("trading", -sign * (40 - cost), 0, 0, 0),
    ]  # fmt: skip
    assert agrees(made)
    (kept,) = array(made.kernel.records.ledger, layouts.LEDGER_DTYPE)
    assert (wide(kept, "amount"), kept["instrument"]) == (40 * sign, 0)
    # Two strategies' units together are the account's.
    made.price(80)
    assert made.kernel.account.market_value == 16 * 80 * sign
    made.fill(made.order("sell" if sign > 0 else "buy", 10), price=90)
    (trip,) = array(made.kernel.records.trips, layouts.TRIP_DTYPE)
    assert (wide(trip, "pnl"), trip["quantity"]) == (sign * 240, 10_500_000_000)
    assert (wide(trip, "entry_notional"), wide(trip, "exit_notional")) == (700, 940)


@pytest.mark.parametrize("sign", [1, -1])
def test_the_least_stub_is_paid_out(sign: int) -> None:
    """Two units of 1e-9 become three, and steps have two."""
    unit = D("0.000000001")
    made = GateRig(
        BasicGate(), cash=10_000, prices=60, symbols=(Instrument("CCC", step_size=2 * unit),)
    )
    made.kernel.booking.keep_ledger()
    made.hold(2 * unit * sign)
    cash = made.kernel.account.cash_exact
    made.split(3, 2)
    position = made.kernel.strategies[0].position("CCC")
    assert (position.quantity_exact, position.cost_basis_exact) == (
        2 * unit * sign,
        80 * unit * sign,
    )
    assert made.kernel.account.cash_exact == cash + 40 * unit * sign
    assert agrees(made)
    made.fill(made.order("sell" if sign > 0 else "buy", 2 * unit), price=50)
    (trip,) = array(made.kernel.records.trips, layouts.TRIP_DTYPE)
    assert (wide(trip, "pnl"), wide(trip, "exit_notional")) == (20 * unit * sign, 140 * unit)


def test_a_split_that_leaves_nothing_ends_the_round_trip_with_all_its_cost() -> None:
    made = rig()
    unit = D("0.000000003")
    made.hold(unit, "BBB")
    made.split(1, 10, "BBB")
    (trip,) = array(made.kernel.records.trips, layouts.TRIP_DTYPE)
    assert (wide(trip, "pnl"), trip["instrument"], trip["exit_time"]) == (-100 * unit, 1, made.now)
    assert made.kernel.strategies[0].position("BBB").realized_pnl_exact == -100 * unit
    assert made.kernel.account.equity_exact == 10_000 - 100 * unit
    assert agrees(made)
    # A split of what nobody holds is none.
    made.split(2, 1, "BBB")
    assert len(made.kernel.records.trips) == 1


# -- cash ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "account", "profit"),
    [
        ("cash", "capital", 0), ("interest", "interest", 25), ("borrow", "borrow", 25),
        ("other", "adjustments", 25), ("dividend", "adjustments", 25),
    ],
)  # fmt: skip
def test_cash_that_no_trade_moved_comes_from_an_account_of_its_kind(
    kind: str, account: str, profit: int
) -> None:
    made = rig(account="margin")
    paid(made, 25, kind, symbol="")
    assert postings(made.kernel.booking.ledger) == [
        (1, "cash", 10_000, -1, -1, 0), (1, "capital", -10_000, -1, -1, 0),
        (2, "cash", 25, -1, -1, 0), (2, account, -25, -1, -1, 0),
    ]  # fmt: skip
    assert made.kernel.account.cash == 10_025
    assert made.kernel.account.day_pnl == profit
    (kept,) = array(made.kernel.records.ledger, layouts.LEDGER_DTYPE)
    assert (wide(kept, "amount"), kept["instrument"], kept["ts_event"]) == (25, -1, made.now)
    assert agrees(made)


def test_a_day_ends_at_the_account() -> None:
    made = rig(account="margin")
    made.hold(10)
    made.price(110)
    assert made.kernel.account.day_pnl == 100
    Inputs(made.kernel).end_day(made.now)
    assert made.kernel.account.day_pnl == 0
    assert made.kernel.account.margin_state()["last_equity"] == 10_100


def test_a_ledger_begins_with_what_there_is_in_each_currency() -> None:
    made = GateRig(BasicGate(), cash=100, prices=1)
    made.kernel.account.deposit(7, "EUR")
    ledger = made.kernel.booking.keep_ledger(5)
    assert ledger is made.kernel.booking.ledger
    assert postings(ledger) == [
        (1, "cash", 100, -1, -1, 0), (1, "capital", -100, -1, -1, 0),
        (2, "cash", 7, -1, -1, 1), (2, "capital", -7, -1, -1, 1),
    ]  # fmt: skip
    assert array(ledger.rows, POSTING_DTYPE)["ts_event"].tolist() == [5] * 4
