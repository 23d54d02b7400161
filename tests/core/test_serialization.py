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
        assert to_dict(again) == to_dict(value)


class EveryKind(Strategy):
    """Sends one order of each kind, bar by bar, and keeps it in every form at every bar."""

    symbol: str = "SPY"

    def on_start(self):
        self.subscribe_bars(self.symbol, "1m")
        self.sent, self.forms, self.fills = [], [], []

    def on_bar(self, bar):
        price, later = bar.close, bar.ts_event + 10**12
        asked = [
            ("buy", {"quantity": 3, "tag": "é"}),
            ("buy", {"notional": 1000}),
            ("sell", {"quantity": 1, "limit_price": price + 0.123456789, "post_only": True}),
            ("buy", {"quantity": 1, "stop_price": price + 1, "limit_price": price + 2}),
            ("sell", {"quantity": 1, "trail_amount": 0.25, "reduce_only": True}),
            ("sell", {"quantity": 1, "trail_percent": 1.5, "extended_hours": True}),
            ("sell", {"quantity": 1, "trigger_price": price + 0.5}),
            ("buy", {"quantity": 2, "limit_price": price, "take_profit": 150, "stop_loss": 50}),
            ("buy", {"quantity": 1, "limit_price": 5, "time_in_force": "gtd", "expires_at": later}),
            ("buy", {"quantity": 10**9}),
        ]
        if len(self.sent) < len(asked):
            side, terms = asked[len(self.sent)]
            self.sent.append(getattr(self, side)(self.symbol, **terms))
        else:
            self.cancel(self.sent[8])
        for order in self.sent:
            self.forms += [(_seen(o), _forms(o)) for o in (order, *order.legs)]

    def on_fill(self, fill):
        self.fills.append((to_dict(fill), _forms(fill)))


def _forms(value):
    return to_dict(value), encode(value), to_arrow([value])


def _read(forms, **known):
    plain, packed, table = forms
    return from_dict(plain, **known), decode(packed, **known), *from_arrow(table, **known)


def _seen(order):
    """What an order shows; of orders beside it their ids, of the strategy and its exits nothing."""
    names = {n for n in dir(order) if not n.startswith("_") and not callable(getattr(order, n))}
    own = names - {"strategy", "legs", "take_profit", "stop_loss", "parent", "sibling"}
    beside = {name: getattr(order, name) for name in ("parent", "sibling")}
    return {name: repr(getattr(order, name)) for name in own} | {
        name: other and other.client_order_id for name, other in beside.items()
    }


def test_an_order_of_any_kind_in_any_state_is_read_back_with_all_it_says():
    strategy = EveryKind()
    closes = [100.0 + (n % 5) * 0.7 - (n % 3) for n in range(14)]
    result = backtest(strategy, bars(closes), fees="bps:1.7", progress=False)
    assert {"FILLED", "ACCEPTED", "CANCELED", "REJECTED"} <= set(result.orders["status"])
    instruments = {"SPY": strategy.sent[0].instrument}
    for seen, forms in strategy.forms:
        assert [_seen(again) for again in _read(forms, instruments=instruments)] == [seen] * 3


def test_a_fill_is_read_back_with_its_order_or_the_id_of_it():
    strategy = EveryKind()
    backtest(strategy, bars([100.0, 101.0, 99.0, 102.0]), fees="bps:1.7", progress=False)
    instruments = {"SPY": strategy.sent[0].instrument}
    orders = {order.client_order_id: order for order in strategy.sent}
    assert len(strategy.fills) > 1
    for before, forms in strategy.fills:
        for again in _read(forms, instruments=instruments):
            assert to_dict(again) == before
            assert again.client_order_id in orders
        for again in _read(forms, instruments=instruments, orders=orders):
            assert again.order is orders[before["client_order_id"]]


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
