"""What a handler is told of an order: the event's own fields, as values and as text."""

from __future__ import annotations

from pyrt import Strategy, backtest
from tests.live.test_walking_skeleton import bars


class Listens(Strategy):
    def on_start(self):
        self.subscribe_bars("SPY", "1m")
        self.seen = []

    def on_bar(self, bar):
        if not self.seen:
            self.cancel(self.buy("SPY", 3, limit_price=50, tag="low"))

    def on_order(self, event):
        told = (event.symbol, event.client_order_id, event.kind, event.status, event.order)
        self.seen.append((told, event.to_dict(), repr(event)))


def test_an_event_tells_its_orders_symbol_and_id_wherever_it_is_asked():
    strategy = Listens()
    backtest(strategy, bars([100.0] * 4))
    told, as_dict, text = strategy.seen[-1]
    symbol, name, kind, status, order = told
    assert (symbol, name, kind, status) == ("SPY", order.client_order_id, "canceled", "CANCELED")
    assert as_dict == {
        "kind": "canceled", "client_order_id": name, "symbol": "SPY", "status": "CANCELED",
        "reason": order.reason, "ts_event": order.ts_last, "ts_init": order.ts_last,
    }  # fmt: skip
    assert text.startswith(f"OrderEvent(canceled {name} SPY")
