from __future__ import annotations

import pytest

from pyrt import Strategy, backtest
from pyrt.core.data import (
    Bar,
    BookDelta,
    CorporateAction,
    CustomData,
    Quote,
    Signal,
    Status,
    Trade,
)
from pyrt.core.instruments import equity
from pyrt.core.orders import Fill
from pyrt.core.serialization import decode, encode, from_arrow, from_dict, to_arrow, to_dict
from pyrt.errors import DataError, UnknownName
from tests.live.test_walking_skeleton import bars

VALUES = [
    Bar("SPY", "1m", 1.1, 2.2, 0.3, 1.5, 1e6, 60, 120, 125),
    Quote("SPY", 1.0, 100, 1.01, 200, 5, 6),
    Trade("SPY", 1.005, 3.0, -1, 7, 8),
    BookDelta("BTC/USD", "set", "B", 61234.5, 0.25, 9, 2, 77, 10, 11),
    Status("SPY", "halted", "LULD", 12, 13),
    CorporateAction("AAPL", "split", 7, 1, 0.0, 14, 15),
    CustomData("news", {"score": 0.5, "words": ["a", "b"]}, 16, 17),
    Signal("SPY", "buy", 10.0, 0.75, 18),
]


@pytest.mark.parametrize("value", VALUES, ids=lambda v: type(v).__name__)
def test_data_survive_every_form(value):
    assert from_dict(to_dict(value)) == value
    assert decode(encode(value)) == value
    assert from_arrow(to_arrow([value, value])) == [value, value]


def run_and_collect():
    seen = []

    class Trader(Strategy):
        symbol: str = "SPY"

        def on_start(self):
            self.subscribe_bars(self.symbol, "1m")

        def on_bar(self, bar):
            if self.position(self.symbol).is_flat:
                seen.append(self.buy(self.symbol, 3, limit_price=bar.close + 1, tag="entry"))

        def on_order(self, event):
            seen.append(event)

        def on_fill(self, fill):
            seen.append(fill)

    backtest(Trader(), bars([100.0, 101.0, 102.0]), progress=False)
    return seen


@pytest.mark.parametrize("form", ["dict", "msgpack", "arrow"])
def test_orders_events_and_fills_survive_every_form(form):
    seen = run_and_collect()
    orders = {o.client_order_id: o for o in seen if type(o).__name__ == "Order"}
    instrument = next(iter(orders.values())).instrument
    known = {"instruments": {instrument.id: instrument}, "orders": orders}
    assert {type(v).__name__ for v in seen} == {"Order", "OrderEvent", "Fill"}
    for value in seen:
        if form == "dict":
            again = from_dict(to_dict(value), **known)
        elif form == "msgpack":
            again = decode(encode(value), **known)
        else:
            (again,) = from_arrow(to_arrow([value]), **known)
        assert type(again) is type(value)
        before, after = to_dict(value), to_dict(again)
        if isinstance(value, Fill):
            before.pop("client_order_id")
            after.pop("client_order_id")
        assert after == before


def test_instruments_survive():
    share = equity("SPY", step_size=1)
    assert decode(encode(share)).to_dict() == share.to_dict()


def test_what_cannot_be_read_is_named():
    with pytest.raises(DataError, match="int is not serializable"):
        to_dict(3)
    with pytest.raises(UnknownName, match="'Baar' is no type"):
        from_dict({"type": "Baar"})
    with pytest.raises(DataError, match="not a MessagePack map"):
        decode(b"\xc1")
    with pytest.raises(DataError, match="one type"):
        to_arrow([VALUES[0], VALUES[1]])
