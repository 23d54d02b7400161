"""Commands as records tell them: what has to be equal of two, and how one is put in words."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from pyrt.live.journal import records as r
from pyrt.live.journal.commands import Said, in_words, said_of, terms_of

ORDER = r.OrderState(
    client_order_id="a-1", strategy="S", symbol="SPY", side="buy", order_type="limit",
    quantity="10", time_in_force="day", status="SENT", limit_price="99", ts_init=4,
)  # fmt: skip
TERMS: dict[str, Any] = {
    "client_order_id": "a-2", "strategy": "T", "symbol": "QQQ", "side": "sell",
    "order_type": "stop", "quantity": "11", "time_in_force": "gtc", "limit_price": "98",
    "stop_price": "97", "trail_amount": "1", "trail_percent": "2", "notional": "500",
    "expires_at": 9, "flags": ("post_only",), "tag": "x", "ts_init": 5,
}  # fmt: skip


@pytest.mark.parametrize("name", TERMS)
def test_submits_that_differ_in_a_term_are_two(name):
    other = msgspec.structs.replace(ORDER, **{name: TERMS[name]})
    assert terms_of(other) != terms_of(ORDER)


@pytest.mark.parametrize(
    ("name", "value"), [("status", "FILLED"), ("filled", "3"), ("number", 7), ("unknown", "modify")]
)
def test_what_became_of_an_order_is_none_of_its_terms(name, value):
    assert terms_of(msgspec.structs.replace(ORDER, **{name: value})) == terms_of(ORDER)


def test_each_command_is_told_with_its_place_order_and_terms():
    leg = msgspec.structs.replace(ORDER, client_order_id="a-2")
    changes = {"quantity": "7"}
    told = [
        said_of(record)
        for record in (
            r.Intent(ts=1, inputs=3, order=ORDER, legs=(leg,)),
            r.ChangeIntent(ts=1, inputs=4, client_order_id="a-1", changes=changes),
            r.CancelIntent(ts=1, inputs=5, client_order_id="a-1"),
            r.Alarmed(ts=1, code="a", text="b"),
        )
    ]
    assert told == [
        Said(3, "submit", "a-1", [terms_of(ORDER), terms_of(leg)]),
        Said(4, "change", "a-1", changes),
        Said(5, "cancel", "a-1", None),
        None,
    ]
    assert in_words(told[0]) == "submit a-1 after input 3"
    assert in_words(None) == "nothing"
