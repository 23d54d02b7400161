"""The record of verdicts as columns, and what each control kept out, cost and saved."""

from __future__ import annotations

import json

import numpy as np
import pytest

from pyrt.core.instruments import Instrument
from pyrt.risk import Limits, RiskEngine
from pyrt.testing.gates import GateRig

LIMITS = Limits(
    max_order_quantity=100, max_order_notional=1e6, allowed_symbols=("AAA", "FUT", "NEW"),
    max_position_quantity=1e6, max_gross_exposure=1e9,
)  # fmt: skip


def rig() -> GateRig:
    made = GateRig(
        RiskEngine(LIMITS), cash=1e6, account="margin", strategies=2,
        symbols=("AAA", Instrument("FUT", decimals=0, multiplier=50), "NEW", "OFF"),
    )  # fmt: skip
    made.price(100, "AAA")
    made.price(20, "FUT")
    return made


def test_a_verdict_is_a_row_in_the_units_of_its_instrument() -> None:
    made = rig()
    made.order("buy", 0.5, strategy=1)
    made.order("sell", 3, "FUT", limit_price=21)
    made.wait("1s")
    order = made.order("sell", 101, "FUT")
    columns = made.gate.report()["verdicts"]
    assert {name: values.tolist() for name, values in columns.items()} == {
        "ts_event": [made.now - 10**9] * 2 + [made.now],
        "order": [1, 2, 3],
        "strategy": ["B", "A", "A"],
        "symbol": ["AAA", "FUT", "FUT"],
        "side": ["buy", "sell", "sell"],
        "is_change": [False, False, False],
        "quantity": [0.5, 3.0, 101.0],
        "multiplier": [1.0, 50.0, 50.0],
        "price": [100.0, 20.0, 20.0],
        "value": [50.0, 3_150.0, 101_000.0],
        "exposure": [50.0, 3_200.0, 104_200.0],
        "control": ["approved", "approved", "max_order_quantity"],
        "reason": ["", "", order.reason],
        "limits_version": [LIMITS.version] * 3,
    }


def test_what_was_denied_would_have_made_the_way_to_the_last_price() -> None:
    made = rig()
    made.order("buy", 101)
    made.order("sell", 102)
    made.order("sell", 200, "FUT")
    # There was no price when this was denied, and none is known of the next at the end.
    made.order("buy", 101, "NEW", limit_price=5)
    made.price(7, "NEW")
    made.order("buy", 1, "OFF", limit_price=5)
    made.price(103, "AAA")
    made.price(19, "FUT")
    report = made.gate.report()
    expected = [101 * 3.0, 102 * -3.0, 200 * 50 * 1.0, np.nan, np.nan]
    np.testing.assert_array_equal(report["denials"]["foregone"], expected)
    assert report["denials"]["symbol"].tolist() == ["AAA", "AAA", "FUT", "NEW", "OFF"]
    assert report["controls"] == {
        "max_order_quantity": {
            "denials": 4, "value": 10_100 + 10_200 + 200_000 + 505,
            "foregone": 303 - 306 + 10_000, "cost": 10_303, "saved": 306,
        },
        "allowed_symbols": {
            "denials": 1, "value": 5, "foregone": 0, "cost": 0, "saved": 0,
        },
    }  # fmt: skip


@pytest.mark.parametrize(
    ("last", "cost", "saved"), [(100.001, 0.101, 0), (99.999, 0, 0.101), (100, 0, 0)]
)
def test_less_than_one_is_cost_or_saved_as_well(last: float, cost: float, saved: float) -> None:
    made = rig()
    made.order("buy", 101)
    made.price(last)
    found = made.gate.report()["controls"]["max_order_quantity"]
    assert (found["cost"], found["saved"]) == pytest.approx((cost, saved))


def test_controls_come_most_frequent_first_and_by_name_where_they_are_equal() -> None:
    made = rig()
    for quantity, symbol in ((1, "OFF"), (101, "AAA"), (1, "OFF"), (101, "AAA")):
        made.order("buy", quantity, symbol, limit_price=1)
    assert list(made.gate.report()["controls"]) == ["allowed_symbols", "max_order_quantity"]
    made.order("buy", 101, limit_price=1)
    assert list(made.gate.report()["controls"]) == ["max_order_quantity", "allowed_symbols"]


def test_changes_and_openings_are_plain_rows() -> None:
    made = GateRig(RiskEngine(Limits(max_drawdown="0.1")), cash=1_000, prices=100)
    made.hold(10)
    made.gate.set_state("reducing", "Ann", "odd prices")
    made.price(50)
    made.sample()
    report = made.gate.report()
    assert report["changes"][0]["actor"] == "Ann"
    assert report["trips"] == [
        {"ts_event": made.now, "reason": made.gate.breaker.trips[0][1]},
    ]
    assert report["trips"][0]["reason"].startswith("max_drawdown: ")
    json.dumps(report["trips"])


@pytest.mark.parametrize("gate", [RiskEngine(), RiskEngine(LIMITS)])
def test_a_gate_in_no_run_has_an_empty_report(gate: RiskEngine) -> None:
    report = gate.report()
    assert {len(values) for values in report["verdicts"].values()} == {0}
    assert {len(values) for values in report["denials"].values()} == {0}
    assert (report["controls"], report["changes"], report["trips"]) == ({}, [], [])
