"""What was traded beside the node is taken over, once a person says so: held, valued, recorded."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from types import SimpleNamespace

import pytest

from pyrt.adapters.alpaca.node.companions import carry_out
from pyrt.errors import ConfigError, UnknownName
from pyrt.live.journal import records as r
from pyrt.live.journal.journal import read_records
from pyrt.live.plan import Policies
from pyrt.live.process.control import Request, check
from pyrt.live.replay.replay import replay
from pyrt.risk import BreakerState
from pyrt.testing.files import MemoryFiles
from tests.live.test_cash import FALLS, QUICK
from tests.live.test_comeback import killed
from tests.live.test_hands import Holds, strategies
from tests.live.test_operating import Shorts, at_the_broker, look, place_by_hand, state
from tests.live.test_walking_skeleton import bars
from tests.live.whole import PHASES, SECOND, Node, World


def begun(who=strategies) -> Node:
    """A node that holds ten, bought at 100."""
    world = World([bars([100.0] * 60)])
    node = Node(world, MemoryFiles(), who(), run_id="one", policies=QUICK, limits=FALLS)
    node.start()
    node.run(4 * PHASES)
    return node


def by_hand(node: Node, side: str, quantity: int) -> None:
    """Somebody trades at the broker's page, where nothing of ours works any more."""
    body = b'{"symbol":"SPY","qty":"%d","side":"%s","type":"market",' % (quantity, side.encode())
    body += b'"time_in_force":"day"}'
    node.driver.operate("cancel_all", "anna", "out", symbol="SPY")
    node.run(PHASES)
    answer = node.world.simulator.request("POST", "/v2/orders", body)
    assert answer.status == 200, answer
    node.run(2 * PHASES)
    for _ in range(4):
        look(node)
    assert state(node, "SPY") == "HALTED"


def accept(node: Node, **given: str) -> str:
    return node.driver.accept("anna", "sold while it was down", **{"symbol": "SPY"} | given)


def held(node: Node, strategy: int = 0) -> tuple[float, Decimal]:
    position = node.kernel.strategies[strategy].position("SPY")
    return position.quantity, position.realized_pnl_exact


@pytest.mark.parametrize(
    ("side", "quantity", "left"),
    [("sell", 10, 0), ("sell", 4, 6), ("sell", 15, -5), ("buy", 5, 15)],
)
def test_what_was_traded_beside_the_node_is_held_and_no_money_moved(side, quantity, left):
    node = begun()
    account, breaker = node.kernel.account, node.kernel.gate.breaker
    by_hand(node, side, quantity)
    before = (account.cash_exact, breaker.day_loss)
    entry = Decimal(str(node.kernel.strategies[0].position("SPY").average_price))
    done = accept(node)
    sign = "-" if side == "sell" else "+"
    assert done == (
        f"Holds has {sign}{quantity} SPY, at 100.01, by the broker's activities; "
        "resume SPY to trade it"
    )
    # What it has made is cash, and the units it was made with are gone.
    gained = Decimal("100.01") * (10 - left) - entry * 10
    assert held(node) == (left, gained if left == 0 else 0)
    assert account.cash_exact == before[0]
    assert abs(breaker.day_loss - before[1]) < 1
    assert breaker.state == BreakerState.CLOSED
    # The looks agree from here on, and nothing halts the symbol again.
    node.driver.operate("resume", "anna", "taken over", symbol="SPY")
    for _ in range(4):
        look(node)
    assert state(node, "SPY") == "ACTIVE"
    assert "position_mismatch" not in {finding.code for finding in node.driver.findings}
    assert account.cash_exact == node.world.venue.account.cash_exact
    if left > 0:
        node.driver.operate("close", "anna", "all of it", symbol="SPY")
        node.run(4 * PHASES)
        assert at_the_broker(node) == 0
    node.stop()
    assert replay(node.files, strategies(), run_id="one").is_exact


@pytest.mark.parametrize("goes_on", [True, False], ids=["goes_on", "begins"])
def test_it_is_on_record_and_known_after_a_kill(goes_on):
    node = begun()
    by_hand(node, "sell", 4)
    accept(node)
    node.journal.commit()
    records = [record for _, record in read_records(node.files)]
    (asked,) = (x for x in records if isinstance(x, r.Operation) and x.action == "accept")
    assert (asked.actor, asked.arguments) == (
        "anna", {"symbol": "SPY", "strategy": "Holds", "quantity": "-4", "amount": "400.04"},
    )  # fmt: skip
    (booked,) = (x for x in records if isinstance(x, r.Adjustment) and x.kind == "accepted")
    assert (booked.quantity, booked.text) == ("-4", "anna: sold while it was down")
    killed(node)
    policies = QUICK if goes_on else Policies(looks=1, warmup=0, replay_max=0)
    second = Node(
        node.world, node.files, strategies(), run_id="two", policies=policies, limits=FALLS
    )
    second.start()
    assert held(second)[0] == 6
    codes = {code for code, _ in second.alarms}
    assert not codes & {"position_mismatch", "replay_differs"}
    assert second.kernel.gate.breaker.state == BreakerState.CLOSED


def test_where_activities_do_not_explain_it_the_last_price_does():
    node = begun()
    by_hand(node, "sell", 4)
    node.driver.last_look = replace(node.driver.last_look, fills=(), prices={})
    done = accept(node)
    assert done == "Holds has -4 SPY, at 100, the last price known; resume SPY to trade it"


def test_whose_trade_it_was_is_asked_where_several_hold_the_symbol():
    node = begun(lambda: [Holds(), Shorts()])
    by_hand(node, "sell", 4)
    assert (held(node)[0], held(node, 1)[0]) == (10, -4)
    with pytest.raises(ConfigError, match=r"is not known: Holds, Shorts\. Add --strategy NAME"):
        accept(node)
    accept(node, strategy="Shorts")
    assert (held(node)[0], held(node, 1)[0]) == (10, -8)


# -- what is refused -------------------------------------------------------------------------------


def refused(node: Node, **given: str) -> str:
    """Return the code of a refusal, after which nothing is done."""
    before = held(node)
    count = len(list(read_records(node.files)))
    with pytest.raises(ConfigError) as caught:
        accept(node, **given)
    node.journal.commit()
    assert held(node) == before
    assert len(list(read_records(node.files))) == count
    return caught.value.code


def test_nothing_is_taken_over_where_nothing_differs_or_orders_work():
    node = begun()
    assert refused(node) == "no_mismatch"
    by_hand(node, "sell", 4)
    node.driver.operate("resume", "anna", "too early", symbol="SPY")
    node.kernel.strategies[0].sell("SPY", 3, limit_price=105)
    node.driver.core.inputs.settle()
    node.run(PHASES)
    assert refused(node) == "open_orders"


def test_nor_where_something_has_filled_since_the_last_look():
    node = begun()
    by_hand(node, "sell", 4)
    node.driver.look_at = None
    node.driver.operate("resume", "anna", "too early", symbol="SPY")
    node.kernel.strategies[0].sell("SPY", 1)
    node.driver.core.inputs.settle()
    kept = (node.driver.findings, node.driver.differs_since)
    node.run(2 * PHASES)
    # No look has shown it yet.
    node.driver.findings, node.driver.differs_since = kept
    assert held(node)[0] == 9
    assert refused(node) == "no_mismatch"


def test_nor_before_the_difference_has_stood_for_as_long_as_answers_may_be_old():
    node = begun()
    by_hand(node, "sell", 4)
    node.driver.plan = replace(node.driver.plan, policies=Policies(looks=3, warmup=0))
    text, first, _ = node.driver.differs_since["SPY"]
    node.driver.differs_since = {"SPY": (text, first, first + 7 * SECOND - 1)}
    node.driver.look_at = node.world.now + 60 * SECOND
    assert refused(node) == "no_mismatch"
    # Whoever asks again soon is not kept waiting for the minute to be over.
    assert node.driver.look_at <= node.world.now
    node.driver.differs_since = {"SPY": (text, first, first + 7 * SECOND)}
    accept(node)
    assert held(node)[0] == 6


@pytest.mark.parametrize("name", ["by-hand", "pyrt-of-another-node-1"])
def test_nor_while_an_order_of_others_may_fill_further(name):
    node = begun()
    by_hand(node, "sell", 4)
    place_by_hand(node, name)
    look(node)
    assert refused(node) == "open_orders"


@pytest.mark.parametrize("given", [{"symbol": "IBM"}, {"strategy": "Nobody"}])
def test_nor_for_what_nothing_here_has(given):
    node = begun()
    by_hand(node, "sell", 4)
    with pytest.raises(UnknownName):
        accept(node, **given)


def test_it_is_asked_for_by_the_command_line_with_its_word():
    node = begun()
    by_hand(node, "sell", 4)
    asked = {
        "token": "", "action": "accept", "actor": "anna", "reason": "sold it", "symbol": "SPY"
    }  # fmt: skip
    with pytest.raises(ConfigError, match="accept needs the word ACCEPT typed"):
        check(Request(**asked))
    with pytest.raises(ConfigError, match="accept needs its symbol named"):
        check(Request(**asked | {"symbol": "", "typed": "ACCEPT"}))
    request = check(Request(**asked, typed="ACCEPT"))
    shell = SimpleNamespace(driver=node.driver, wake=lambda: None)
    assert carry_out(shell, request)["done"].startswith("Holds has -4 SPY")
