"""An open circuit breaker on a running node: shown, left alone by `resume`, closed by a person."""

from __future__ import annotations

import pytest

from pyrt import Strategy
from pyrt.errors import ConfigError
from pyrt.live.dashboard.view import NodeView
from pyrt.live.driver.status import status_of
from pyrt.live.observe.health import Health
from pyrt.live.observe.metrics import Metrics
from pyrt.live.process.control import Request, check
from pyrt.live.replay.replay import replay
from pyrt.risk import Limits
from pyrt.testing.files import MemoryFiles
from tests.live.test_walking_skeleton import bars
from tests.live.whole import PHASES, Node, World, policies

PRICES = [100.0] * 4 + [90.0] * 30
LIMITS = Limits(
    max_order_notional=5_000, max_position_notional=50_000, max_gross_exposure=50_000,
    max_daily_loss=50, max_open_orders=10, max_orders_per_minute=20,
    stale_data_after="10m", price_collar_bps=5_000,
)  # fmt: skip


class Buys(Strategy):
    """Buys ten at every other bar, and keeps what became of it."""

    def on_start(self):
        self.subscribe_bars("SPY", "1m")
        self.seen = 0
        self.kinds = []

    def on_bar(self, bar):
        self.seen += 1
        if self.seen % 2 == 0:
            self.buy("SPY", 10)

    def on_order(self, event):
        if event.kind in ("denied", "accepted"):
            self.kinds.append(event.kind)


def tripped() -> Node:
    """A node whose breaker a loss of a hundred has opened."""
    node = Node(
        World([bars(PRICES)]), MemoryFiles(), [Buys()],
        run_id="one", limits=LIMITS, policies=policies("played"),
    )  # fmt: skip
    node.start()
    node.run(10 * PHASES)
    return node


def test_a_person_closes_the_breaker_and_resume_does_not():
    node = tripped()
    strategy = node.kernel.strategies[0]
    assert status_of(node.driver)["breaker"] == "open"
    assert strategy.kinds[-1] == "denied"
    told = node.driver.operate("resume", "anna", "looked")
    assert told == "everything is active, and the circuit breaker is open"
    node.run(4 * PHASES)
    assert strategy.kinds[-1] == "denied"
    assert node.driver.operate("reset_breaker", "anna", "a bad print") == (
        "the circuit breaker is closed"
    )
    assert status_of(node.driver)["breaker"] == "closed"
    node.run(4 * PHASES)
    assert strategy.kinds[-1] == "accepted"
    (change,) = [c for c in node.kernel.gate.changes if c.after == "CLOSED"]
    assert (change.scope, change.actor, change.reason) == ("breaker", "anna", "a bad print")
    node.stop()
    result = replay(node.files, [Buys()], run_id="one")
    assert result.is_exact, result.difference


def test_what_closes_it_has_to_be_typed_and_is_about_everything():
    asked = {"action": "reset_breaker", "actor": "anna", "reason": "a bad print", "token": ""}
    with pytest.raises(ConfigError, match="the word RESET typed"):
        check(Request(**asked))
    with pytest.raises(ConfigError, match="takes no symbol"):
        check(Request(**asked, typed="RESET", symbol="SPY"))
    assert check(Request(**asked, typed="RESET")).action == "reset_breaker"


def shown(node: Node) -> float:
    """What the page shows as the day's result."""
    view = NodeView(
        Health(), Metrics(), control=lambda _: {}, clock=lambda: node.world.now, name="n",
        mode="paper", connections=list, log_lines=list,
    )  # fmt: skip
    view.attach(node.kernel, "PA1")
    view.refresh()
    return float(view.state()["account"]["day_pnl"])


@pytest.mark.parametrize("way", ["played", "saved"])
def test_the_days_result_outlives_a_restart(way):
    first = tripped()
    lost = first.kernel.account.equity - 100_000
    assert lost == pytest.approx(-200.2)
    assert shown(first) == pytest.approx(lost)
    second = Node(
        first.world, first.crash(), [Buys()],
        run_id="two", limits=LIMITS, policies=policies(way),
    )  # fmt: skip
    second.start()
    second.run(2 * PHASES)
    assert shown(second) == pytest.approx(lost)
