"""What the risk engine goes on from is on record after whatever it has counted."""

from __future__ import annotations

from pyrt import Strategy
from pyrt.live.journal import records as r
from pyrt.live.journal.journal import read_records
from tests.live.test_gate_changes import LIMITS, PHASES, node


class Moves(Strategy):
    """Waits far below the market, and moves what waits at every bar after."""

    def on_start(self):
        self.subscribe_bars("SPY", "1m")
        self.order = None
        self.moves = 0

    def on_bar(self, bar):
        if self.order is None:
            self.order = self.buy("SPY", 1, limit_price=95)
        elif self.moves < 3:
            self.moves += 1
            self.modify(self.order, limit_price=95 + self.moves)


def test_risk_is_saved_after_each_intent_and_each_change():
    made = node(strategies=[Moves()])
    made.run(12 * PHASES)
    made.journal.commit()
    told = [
        type(record).__name__
        for _, record in read_records(made.files)
        # Risk is saved with strategies every minute, too: that comes later.
        if isinstance(record, (r.Intent, r.ChangeIntent, r.RiskState, r.StrategySave))
    ]
    assert (told.count("Intent"), told.count("ChangeIntent")) == (1, 3)
    followers = [b for a, b in zip(told, [*told[1:], ""], strict=True) if a.endswith("Intent")]
    assert followers == 4 * ["RiskState"]


def test_near_limits_and_old_orders_are_alarms():
    limits = LIMITS.replace(max_open_orders=1, warn_at=0.5, max_order_age="1m")
    made = node(strategies=[Moves()], limits=limits)
    made.run(12 * PHASES)
    order = made.kernel.cache.orders_open()[0].client_order_id
    warnings = [alarm for alarm in made.alarms if alarm[0] in ("limit_near", "old_order")]
    assert warnings[0] == ("limit_near", "100% of max_open_orders is used up")
    assert [code for code, _ in warnings] == ["limit_near", "old_order"]
    assert warnings[1][1].startswith(f"order {order}: max_order_age: it works for ")
