"""An order written down and brought back is the order it was, in every field."""

from __future__ import annotations

import msgspec
import pytest

from pyrt import Strategy
from pyrt.live.core.restore import order_state, restore_orders
from pyrt.live.journal.records import OrderState
from pyrt.testing.files import MemoryFiles
from tests.live.strategies import walk
from tests.live.whole import Node, World

PLAIN = OrderState(
    client_order_id="pyrt-old-1", strategy="Idle", symbol="SPY", side="buy", order_type="limit",
    quantity="12", time_in_force="day", status="ACCEPTED", limit_price="99.5", ts_init=7,
)  # fmt: skip
FLAGS = (
    "post_only", "reduce_only", "extended_hours", "queue", "is_exit", "is_child", "resizes",
    "keeps_exits",
)  # fmt: skip


class Idle(Strategy):
    def on_start(self):
        self.subscribe_bars("SPY", "1m")


@pytest.fixture(scope="module")
def kernel():
    node = Node(World([walk(3, "SPY", 12)]), MemoryFiles(), [Idle()], run_id="one")
    node.start()
    return node.kernel


def brought_back(kernel, *states: OrderState) -> list[OrderState]:
    orders = restore_orders(kernel, states)
    # The number is the new run's.
    return [msgspec.structs.replace(order_state(order), number=0) for order in orders]


@pytest.mark.parametrize(
    "terms",
    [
        {},
        *({"flags": (flag,)} for flag in FLAGS),
        {"flags": FLAGS},
        {"side": "sell", "quantity": "0.123456789", "tag": "breakout", "reason": "for a while"},
        {"order_type": "market", "limit_price": "", "time_in_force": "cls"},
        {"order_type": "stop", "limit_price": "", "stop_price": "101.25", "time_in_force": "gtc"},
        {"order_type": "stop_limit", "stop_price": "101", "status": "TRIGGERED"},
        {"order_type": "trailing_stop", "limit_price": "", "trail_amount": "0.3"},
        {"order_type": "trailing_stop", "limit_price": "", "trail_percent": "1.5"},
        {"time_in_force": "gtd", "expires_at": 1_381_175_160_000_000_000},
        {
            "status": "PARTIALLY_FILLED", "filled": "5", "quantity": "12",
            "filled_notional": str(497_500_000_000_000_000_000),
        },
        {"order_type": "market", "limit_price": "", "quantity": "0", "notional": "123.45"},
        {"status": "HELD", "flags": ("is_exit", "is_child")},
    ],
)  # fmt: skip
def test_every_field_comes_back(kernel, terms):
    state = msgspec.structs.replace(PLAIN, **terms)
    assert brought_back(kernel, state) == [state]


def test_exits_keep_their_entry_and_each_other(kernel):
    entry = msgspec.structs.replace(PLAIN, client_order_id="pyrt-old-2")
    terms = {"side": "sell", "status": "HELD", "parent": entry.client_order_id}
    flags = ("is_exit", "is_child")
    profit = msgspec.structs.replace(
        PLAIN, **terms, flags=flags, client_order_id="pyrt-old-3", sibling="pyrt-old-4"
    )
    loss = msgspec.structs.replace(
        PLAIN, **terms, flags=flags, client_order_id="pyrt-old-4", sibling="pyrt-old-3",
        order_type="stop", limit_price="", stop_price="98",
    )  # fmt: skip
    assert brought_back(kernel, entry, profit, loss) == [entry, profit, loss]


def test_a_submit_without_an_answer_is_unknown_and_what_it_brings_is_where_it_is(kernel):
    lost = msgspec.structs.replace(
        PLAIN, client_order_id="pyrt-old-5", status="SENT", unknown="submit"
    )
    exit_ = msgspec.structs.replace(
        PLAIN, client_order_id="pyrt-old-6", status="SENT", unknown="submit", side="sell",
        parent="pyrt-old-5", flags=("is_exit", "is_child"),
    )  # fmt: skip
    found = brought_back(kernel, lost, exit_)
    assert [state.unknown for state in found] == ["submit", ""]
