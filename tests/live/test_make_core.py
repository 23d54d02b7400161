"""A core begins with what its run begins with, and with nothing else."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from pyrt import Strategy
from pyrt.core.instruments import crypto, equity
from pyrt.live.core.node import NodeCore
from pyrt.live.core.restore import order_state, position_state
from pyrt.live.driver.acts import make_core
from pyrt.live.journal import records as r
from pyrt.live.plan import Plan
from pyrt.risk import Limits, RiskEngine
from tests.live.cores import COIN, NOW, Wire, core_of, trade


class One(Strategy):
    """Does what the test does for it."""


LIMITS = Limits(max_position_quantity=10)


def begun(
    opening: r.Opening | None = None, *, gate: Any = None, prefix: str = "", **plan: Any
) -> NodeCore:
    terms = {"run_id": "one", "prefix": "p-", **plan}
    return make_core(
        Wire(), gate or RiskEngine(LIMITS), [equity("SPY"), equity("QQQ"), crypto(COIN)], [One()],
        Plan(**terms), opening or r.Opening(cash="1000.5"), None, prefix=prefix,
    )  # fmt: skip


def earlier() -> tuple[Any, Any, bytes]:
    """Return what an earlier run left: four held at 100, an order for one more, and its risk."""
    core, _ = core_of(RiskEngine(LIMITS), [One()])
    trade(core, 0, "buy", "SPY", 4, 100)
    order = core.kernel.strategies[0].buy("SPY", 1, limit_price=90)
    core.inputs.settle()
    core.inputs.order_event("accepted", order.number, NOW)
    core.inputs.settle()
    (position,) = core.kernel.cache.positions()
    core.kernel.gate.set_state("halted", "anna", "odd", symbol="QQQ")
    return position_state(position, "One"), order_state(order), core.kernel.gate.save()


def most(core: NodeCore) -> int:
    """Return the largest quantity that the gate would let through."""
    core.start(NOW)
    validate = core.kernel.strategies[0].validate
    return max(
        quantity for quantity in range(1, 12)
        if not validate({"symbol": "SPY", "side": "buy", "quantity": quantity}).code
    )  # fmt: skip


@pytest.mark.parametrize("is_live", [False, True])
def test_settings_of_the_run_are_those_of_its_kernel(is_live):
    def sessions(calendar: str) -> None: ...

    mode = "live" if is_live else "paper"
    kernel = begun(mode=mode, grace_ns=7, sessions=sessions).kernel
    assert (kernel.grace_ns, kernel.sessions) == (7, sessions)
    # Orders of paper accounts rest in no market: no book shows them.
    assert kernel.books_show_own is is_live
    assert str(kernel.account.cash_exact) == "1000.5"


@pytest.mark.parametrize(("account", "kind"), [({}, "cash"), ({"kind": "margin"}, "margin")])
def test_the_account_is_judged_by_the_rules_it_began_with(account, kind):
    core = begun(r.Opening(cash="1000", account=account))
    assert core.kernel.account.rules.kind == kind


@pytest.mark.parametrize(("given", "lasts"), [({}, "gtc"), ({"": "day"}, "day")])
def test_orders_last_as_the_run_has_it(given, lasts):
    core = begun(default_tif=given)
    core.start(NOW)
    assert core.kernel.strategies[0].buy("SPY", 1, limit_price=9).time_in_force == lasts


@pytest.mark.parametrize(("prefix", "begins"), [("", "p-"), ("first-", "first-")])
def test_ids_begin_as_the_plan_says_unless_they_began_otherwise(prefix, begins):
    core = begun(prefix=prefix)
    core.start(NOW)
    assert core.kernel.strategies[0].buy("SPY", 1).client_order_id == f"{begins}1"


@pytest.mark.parametrize(
    ("holds", "orders", "changes", "left"),
    [(False, False, False, 10), (True, False, False, 6), (True, True, False, 5),
     (True, True, True, 1)],
)  # fmt: skip
def test_the_gate_counts_what_is_held_what_works_and_what_that_may_become(
    holds, orders, changes, left
):
    position, order, _ = earlier()
    if changes:
        order = msgspec.structs.replace(order, changes=1, asked=("5", "", ""))
    opening = r.Opening(
        cash="100000", positions=(position,) * holds, orders=(order,) * orders,
    )  # fmt: skip
    assert most(begun(opening)) == left


@pytest.mark.parametrize("has_risk", [False, True])
def test_the_gate_goes_on_from_what_was_saved_of_it(has_risk):
    position, _, risk = earlier()
    saved = r.ENCODER.encode(risk) if has_risk else b""
    core = begun(r.Opening(cash="100000", positions=(position,), risk=saved))
    assert core.kernel.gate.state(symbol="QQQ").name == ("HALTED" if has_risk else "ACTIVE")
    assert most(core) == 6


def test_what_holdings_have_made_before_is_no_capital_of_this_run():
    core, _ = core_of(RiskEngine(LIMITS), [One()])
    trade(core, 0, "buy", "SPY", 4, 100)
    trade(core, 0, "sell", "SPY", 4, 125)
    # Worth a hundred more than it began with; the broker's cash has that.
    (position,) = core.kernel.cache.all_positions()
    opening = r.Opening(cash="1100", positions=(position_state(position, "One"),))
    kernel = begun(opening).kernel
    assert kernel.account.equity == 1100
    assert kernel.curve.of_strategy(0) == 1100
