"""A kept order waits for units of one that rests: whatever becomes of that change, it leaves."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

from pyrt import Strategy
from pyrt.testing.files import MemoryFiles
from tests.live.test_walking_skeleton import bars
from tests.live.whole import PHASES, Node, World

PRICES = [100.0] * 8 + [106.0] * 12
SUCCESSOR = "00000000-0000-0000-0000-000000000001"


class Keeps(Strategy):
    """Holds ten, of which eight rest at a limit, and keeps an order for five at 105."""

    def on_start(self):
        self.subscribe_bars("SPY", "1m")
        self.seen, self.kept = 0, None

    def on_bar(self, bar):
        self.seen += 1
        if self.seen == 1:
            self.buy("SPY", 10)
        elif self.seen == 3:
            self.sell("SPY", 8, limit_price=110)
        elif self.seen == 4:
            self.kept = self.sell("SPY", 5, trigger_price=105, reduce_only=True)


def test_a_change_that_the_broker_takes_and_drops_keeps_no_way_out_back():
    changes = []

    def drop_first(request, answer):
        if request.method != "PATCH":
            return answer(request)
        changes.append(request)
        if len(changes) > 1:
            return answer(request)
        shown = answer(replace(request, method="GET", body=b""))
        asked = json.loads(request.body)
        terms = {**json.loads(shown.body), **asked, "id": SUCCESSOR, "status": "pending_new"}
        return SimpleNamespace(status=200, body=json.dumps(terms).encode())

    node = Node(World([bars(PRICES)]), MemoryFiles(), [Keeps()], run_id="one")
    node.on_request = drop_first
    node.start()
    node.run(9 * PHASES)
    strategy = node.kernel.strategies[0]
    assert (strategy.kept.status, len(changes)) == ("EMULATED", 1)
    node.run(4 * PHASES)
    assert (strategy.kept.status, strategy.position("SPY").quantity) == ("FILLED", 5)
