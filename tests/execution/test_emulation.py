"""What a venue lacks is done on our side: triggers, groups, times and instructions, by hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pyrt.core.instruments import listed
from pyrt.errors import ConfigError
from pyrt.risk import Limits, gate_for
from pyrt.strategy.strategy import Strategy
from pyrt.venues.capabilities import ORDER_TYPES, Capabilities, capabilities_of
from tests.backtest.harness import START, SYMBOL, Run, Script, play

FLAT = (100, 100, 100, 100)
BARE = Capabilities(
    order_types=frozenset({"market", "limit"}),
    times_in_force=frozenset({"day", "gtc"}),
    groups=frozenset(),
    instructions=frozenset(),
)


def run(bars: Any, steps: dict[int, Any], **options: Any) -> Run:
    """Run a script at a venue that knows market and limit orders only."""
    return play(bars, steps, **{"emulate": BARE, **options})


def buy(quantity: float, **terms: Any) -> Any:
    return lambda s: s.buy(SYMBOL, quantity, **terms)


def sell(quantity: float, **terms: Any) -> Any:
    return lambda s: s.sell(SYMBOL, quantity, **terms)


def kinds(made: Run, number: int) -> list[str]:
    """What an order went through, by its number in the run."""
    events = made.strategies[0].events
    return [kind for order, kind in events if order == f"bt-{number}"]


# -- triggers ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """One order sent at the close of bar 0 (100), the bars after it, and its fill."""

    name: str
    side: str
    terms: dict[str, Any]
    bars: list[tuple[float, ...]]
    fill: tuple[float, float] | None
    world: dict[str, Any] = field(default_factory=dict)


# A bar that triggers is over when we see it: what is released meets the open of the next one.
# fmt: off
ROWS = [
    Row("a stop is met", "buy", {"stop_price": 102},
        [(100, 103, 99, 101), (104, 104, 104, 104)], (2, 104)),
    Row("a stop is touched", "buy", {"stop_price": 103},
        [(100, 103, 99, 101), (104, 104, 104, 104)], (2, 104)),
    Row("a stop is not reached", "buy", {"stop_price": 103.5},
        [(100, 103, 99, 101), (101, 102, 101, 101)], None),
    Row("a sell stop", "sell", {"stop_price": 98},
        [(100, 101, 97, 99), (96, 96, 96, 96)], (2, 96)),
    Row("a stop-limit whose limit is met", "buy", {"stop_price": 102, "limit_price": 103},
        [(100, 103, 99, 101), (101, 101, 101, 101)], (2, 101)),
    Row("a stop-limit whose limit is passed", "buy", {"stop_price": 102, "limit_price": 102},
        [(100, 103, 99, 103), (104, 105, 103, 104)], None),
    Row("touched from above", "buy", {"trigger_price": 98},
        [(100, 101, 97, 99), (96, 96, 96, 96)], (2, 96)),
    Row("touched from below", "sell", {"trigger_price": 102},
        [(100, 103, 99, 101), (104, 104, 104, 104)], (2, 104)),
    Row("limit if touched", "sell", {"trigger_price": 102, "limit_price": 101},
        [(100, 103, 99, 101), (100, 102, 100, 102)], (3, 101)),
    # Trails from 100: stop 98; the high of 105 moves it to 103, the close is below that.
    Row("a trailing stop that the close meets", "sell", {"trail_amount": 2},
        [(100, 105, 99, 101), (102, 102, 102, 102)], (2, 102)),
    # The high moves it to 103, the close of 104 stays above; the next low does not.
    Row("a trailing stop a bar later", "sell", {"trail_amount": 2},
        [(100, 105, 99, 104), (104, 104, 103, 104), (103, 103, 103, 103)], (3, 103)),
    Row("a trailing stop where it stood first", "sell", {"trail_amount": 2},
        [(100, 110, 98, 109), (109, 109, 109, 109)], (2, 109)),
    # 10 % of 100: 90; of 120: 108.
    Row("by percent", "sell", {"trail_percent": 10},
        [(100, 120, 95, 118), (118, 118, 107, 110), (110, 110, 110, 110)], (3, 110)),
    Row("a buy that trails down", "buy", {"trail_amount": 2},
        [(100, 101, 95, 96), (96, 97, 96, 96), (97, 97, 97, 97)], (3, 97)),
    # Stop 98 and limit 97 from 100; moved by five, the limit is 102.
    Row("a trailing stop-limit", "sell", {"trail_amount": 2, "limit_price": 97},
        [(100, 105, 99, 104), (104, 104, 103, 103), (102.5, 102.5, 102.5, 102.5)], (3, 102.5)),
]
# fmt: on


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name.replace(" ", "_"))
def test_a_kept_order_leaves_when_its_price_is_met(row):
    command = buy if row.side == "buy" else sell
    made = run([FLAT, *row.bars], {0: command(10, **row.terms)})
    sign = 10 if row.side == "buy" else -10
    expected = [] if row.fill is None else [(row.fill[0], sign, row.fill[1])]
    assert made.fills == expected
    assert kinds(made, 1)[0] == "emulated"
    if row.fill is not None:
        told = [kind for kind in kinds(made, 1) if kind != "modified"]
        assert told == ["emulated", "released", "sent", "accepted", "fill"]


def test_the_record_keeps_what_was_ordered():
    made = run([FLAT, (100, 103, 99, 101), FLAT], {0: buy(10, stop_price=102)})
    order = made.table("orders")[0]
    assert (order["type"], order["stop_price"], order["status"]) == ("stop", 102, "FILLED")


def test_an_order_that_comes_inside_a_bar_is_met_by_its_end_only():
    class Late(Strategy):
        def on_start(self):
            self.subscribe_bars(SYMBOL, "1m")
            self.set_timer("send", "90s")

        def on_timer(self, event):
            if not self.orders(SYMBOL) and self.position(SYMBOL).quantity == 0:
                self.buy(SYMBOL, 1, stop_price=102)

    # The bar that runs while the order comes reaches 103 and ends at 101.
    made = play(
        [FLAT, (100, 103, 99, 101), (101, 101, 101, 101)], Late(), emulate=BARE, check=False
    )
    assert made.fills == []
    # Where it ends beyond the trigger, the order leaves.
    made = play(
        [FLAT, (100, 103, 99, 102), (105, 105, 105, 105)], Late(), emulate=BARE, check=False
    )
    assert made.fills == [(2, 1, 105)]


def test_changes_of_a_kept_order_take_effect_here():
    steps = {
        0: buy(10, stop_price=110),
        1: lambda s: s.modify(s.made[0], stop_price=102, quantity=5),
    }
    made = run([FLAT, FLAT, (100, 103, 99, 101), (101, 101, 101, 101)], steps)
    assert made.fills == [(3, 5, 101)]
    assert kinds(made, 1)[:2] == ["emulated", "modified"]


def test_a_kept_order_is_canceled_here():
    steps = {0: buy(10, stop_price=102), 1: lambda s: s.cancel(s.made[0])}
    made = run([FLAT, FLAT, (100, 103, 99, 101), FLAT], steps)
    assert (made.statuses, made.fills) == (["CANCELED"], [])


def test_an_order_canceled_in_the_same_breath_never_waits():
    def both(s):
        order = s.buy(SYMBOL, 10, stop_price=102)
        s.cancel(order)
        return order

    made = run([FLAT, (100, 103, 99, 101), FLAT], {0: both})
    assert (made.statuses, made.fills) == (["CANCELED"], [])


# -- times ---------------------------------------------------------------------------------------


def test_gtd_is_sent_till_canceled_and_ended_here():
    until = START + 150 * 1_000_000_000
    made = run([FLAT] * 5, {0: buy(10, limit_price=90, expires_at=until)})
    order = made.table("orders")[0]
    assert (order["status"], order["time_in_force"]) == ("EXPIRED", "gtd")
    assert order["reason"] == "time_in_force: it has ended"
    assert made.strategies[0].happened[-1] == ("expired", until)


def test_gtd_of_a_kept_order_ends_before_its_trigger():
    until = START + 150 * 1_000_000_000
    bars = [FLAT, FLAT, FLAT, (100, 103, 99, 101), FLAT]
    made = run(bars, {0: buy(10, stop_price=102, expires_at=until)})
    assert (made.statuses, made.fills) == (["EXPIRED"], [])


def test_a_kept_day_order_ends_with_its_session():
    # 2024-01-02, 15:57 to 16:02 in New York.
    start = START + (24 + 20) * 3600 * 10**9 + 57 * 60 * 10**9
    made = run(
        [FLAT, FLAT, FLAT, FLAT, (100, 103, 99, 101), FLAT],
        {0: buy(10, stop_price=102, time_in_force="day")},
        start=start,
        instrument=listed(SYMBOL),
    )
    assert (made.statuses, made.fills) == (["EXPIRED"], [])
    assert made.strategies[0].happened[-1] == ("expired", start + 3 * 60 * 10**9)


# -- groups --------------------------------------------------------------------------------------


def hold(bars: Any, after: dict[int, Any]) -> Run:
    return run(bars, {0: buy(10), **after})


OCO = {1: lambda s: s.oco(SYMBOL, 10, take_profit=110, stop_loss=90)}


def test_of_a_pair_the_limit_rests_at_the_venue_and_the_stop_here():
    made = hold([FLAT, FLAT, (100, 112, 100, 111), FLAT], OCO)
    assert made.statuses == ["FILLED", "FILLED", "CANCELED"]
    assert made.reasons[2] == "oco: the other order of the pair has filled"
    assert made.fills[1] == (3, -10, 110)
    assert kinds(made, 3) == ["emulated", "canceled"]


def test_a_stop_of_a_pair_leaves_after_the_limit_is_canceled():
    made = hold([FLAT, FLAT, (100, 100, 89, 95), (94, 94, 94, 94)], OCO)
    assert made.statuses == ["FILLED", "CANCELED", "FILLED"]
    assert made.fills[1] == (3, -10, 94)
    at = made.strategies[0].events.index
    assert at(("bt-2", "canceled")) < at(("bt-3", "released"))


def test_a_part_of_the_limit_shrinks_the_stop():
    # 4 % of the volume of 100 may fill: 4 of 10 at 110, the stop covers 6.
    bars = [
        (*FLAT, 1e6),
        (*FLAT, 1e6),
        (100, 112, 100, 100, 100),
        (100, 100, 89, 95, 1e6),
        (94, 94, 94, 94, 1e6),
    ]
    made = run(bars, {0: buy(10), **OCO}, participation=0.04)
    assert made.fills[1:] == [(3, -4, 110), (4, -6, 94)]
    assert made.statuses == ["FILLED", "CANCELED", "FILLED"]


def test_canceling_one_of_a_pair_cancels_the_other():
    for index in (1, 2):
        steps = {**OCO, 2: lambda s, i=index: s.cancel(s.made[i])}
        made = hold([FLAT, FLAT, FLAT, FLAT], steps)
        assert made.statuses == ["FILLED", "CANCELED", "CANCELED"]


BRACKET = {0: buy(10, take_profit=110, stop_loss=90)}


def test_exits_of_a_bracket_wait_here_for_their_entry():
    made = run([FLAT, FLAT, (100, 112, 100, 111), FLAT], BRACKET)
    assert made.statuses == ["FILLED", "FILLED", "CANCELED"]
    assert made.fills == [(1, 10, 100), (3, -10, 110)]
    assert kinds(made, 2) == ["emulated", "released", "sent", "accepted", "fill"]
    assert kinds(made, 3) == ["emulated", "canceled"]


def test_the_stop_of_a_bracket_is_kept_until_it_is_met():
    made = run([FLAT, FLAT, (100, 100, 89, 95), (94, 94, 94, 94)], BRACKET)
    assert made.fills == [(1, 10, 100), (3, -10, 94)]
    assert made.statuses == ["FILLED", "CANCELED", "FILLED"]


def test_exits_go_with_an_entry_that_does_not_fill():
    steps = {
        0: buy(10, limit_price=80, take_profit=110, stop_loss=70),
        1: lambda s: s.cancel(s.made[0]),
    }
    made = run([FLAT, FLAT, FLAT], steps)
    assert made.statuses == ["CANCELED"] * 3
    assert made.reasons[1] == "parent: the entry ended without a fill"


def test_exits_cover_what_the_entry_has_filled():
    # 4 of 10 fill, then the entry is canceled: the stop sells 4.
    bars = [
        (*FLAT, 1e6),
        (100, 100, 98, 99, 100),
        (*FLAT, 1),
        (100, 100, 89, 95, 1e6),
        (94, 94, 94, 94, 1e6),
    ]
    steps = {
        0: buy(10, limit_price=99, take_profit=110, stop_loss=90),
        1: lambda s: s.cancel(s.made[0]),
    }
    made = run(bars, steps, participation=0.04)
    assert made.fills == [(2, 4, 99), (4, -4, 94)]


def test_one_stop_that_the_venue_knows_is_sent_when_the_entry_has_filled():
    table = Capabilities(groups=frozenset())
    made = run([FLAT, FLAT, (100, 100, 89, 95), FLAT], {0: buy(10, stop_loss=90)}, emulate=table)
    # Native from there on: it is met on the path, at its own price.
    assert made.fills == [(1, 10, 100), (3, -10, 90)]


# -- instructions --------------------------------------------------------------------------------


def test_post_only_is_denied_where_it_would_take():
    made = run([FLAT, FLAT], {0: buy(10, limit_price=100, post_only=True)})
    assert made.statuses == ["DENIED"]
    assert made.reasons == ["post_only: it would take liquidity"]
    assert run([FLAT, FLAT], {0: buy(1, limit_price=99, post_only=True)}).statuses == ["ACCEPTED"]


def test_a_reduce_only_order_follows_the_position_down():
    steps = {
        0: buy(10),
        1: sell(10, limit_price=120, reduce_only=True),
        2: sell(4),
        4: sell(6),
    }
    made = run([FLAT] * 7, steps)
    orders = made.table("orders")
    assert orders[1]["quantity"] == 6
    assert orders[1]["status"] == "CANCELED"


# -- both ways -----------------------------------------------------------------------------------


class Swing(Strategy):
    """Enters by touch, leaves by a trailing stop or by a pair; all types in turn."""

    def on_start(self):
        self.subscribe_quotes(SYMBOL)
        self.turn = 0

    def on_quote(self, quote):
        if self.orders(SYMBOL):
            return
        position = self.position(SYMBOL)
        if position.quantity == 0:
            self.turn += 1
            price = round(quote.ask_price + 0.03 * (1 if self.turn % 2 else -1), 2)
            kind = "stop_price" if self.turn % 2 else "trigger_price"
            self.buy(SYMBOL, 10, **{kind: price})
        elif self.turn % 3 == 0:
            self.sell(SYMBOL, 10, trail_amount=0.05)
        elif self.turn % 3 == 1:
            self.sell(SYMBOL, 10, trail_percent=0.05)
        else:
            bid = quote.bid_price
            self.oco(SYMBOL, 10, take_profit=round(bid + 0.5, 2), stop_loss=round(bid - 0.06, 2))


def quotes(seed: int, count: int = 1500) -> pd.DataFrame:
    """A walk by pennies in which each price is quoted twice: what leaves a quote later is alike."""
    steps = np.random.default_rng(seed).integers(-4, 5, count)
    bid = np.repeat((100 + np.cumsum(steps) / 100).round(2), 2)
    index = pd.date_range("2024-01-01", periods=len(bid), freq="1s", tz="UTC", name="timestamp")
    size = np.full(len(bid), 1000.0)
    return pd.DataFrame(
        {"bid_price": bid, "bid_size": size, "ask_price": (bid + 0.01).round(2), "ask_size": size},
        index=index,
    )


@pytest.mark.parametrize("seed", range(4))
def test_a_strategy_trades_alike_whether_the_venue_has_the_types_or_not(seed):
    from pyrt.facade import backtest

    def trades(**options):
        result = backtest(
            Swing(), quotes(seed), symbol=SYMBOL, kind="quotes", progress=False, **options
        )
        fills = result.fills
        return [
            (side, quantity, price)
            for side, quantity, price in zip(fills["side"], fills["quantity"], fills["price"])
        ], result

    native, first = trades()
    emulated, second = trades(emulate=BARE)
    assert len(native) > 15
    assert emulated == native
    assert first.run_hash != second.run_hash


def test_two_runs_are_the_same_to_the_last_bit():
    from pyrt.facade import backtest

    def one():
        return backtest(
            Swing(), quotes(7), symbol=SYMBOL, kind="quotes", progress=False, emulate=BARE
        ).run_hash

    assert one() == one()


# -- risk ----------------------------------------------------------------------------------------


def test_a_released_order_is_judged_again():
    limits = Limits(max_position_quantity=10)
    # The stop passes while nothing is held; when it is met, ten are held.
    steps = {0: buy(4, stop_price=102), 1: buy(6)}
    made = run([FLAT, FLAT, (100, 103, 99, 101), FLAT], steps, engine={"gate": gate_for(limits)})
    assert made.statuses == ["FILLED", "FILLED"]

    class Halting(Script):
        def on_bar(self, bar):
            super().on_bar(bar)
            if self._bar == 1:
                gate.set_state("HALTED", actor="test", reason="test")

    gate = gate_for(limits)
    script = Halting({0: buy(4, stop_price=102)})
    made = play(
        [FLAT, FLAT, (100, 103, 99, 101), FLAT], script, emulate=BARE, engine={"gate": gate}
    )
    assert made.statuses == ["DENIED"]
    assert made.fills == []


def test_a_kept_order_counts_against_limits_once():
    limits = Limits(max_position_quantity=10)
    steps = {0: buy(10, stop_price=102), 1: buy(1)}
    made = run([FLAT, FLAT, (100, 103, 99, 101), FLAT], steps, engine={"gate": gate_for(limits)})
    assert made.statuses == ["FILLED", "DENIED"]


# -- the table of venues -------------------------------------------------------------------------


def test_alpaca_lacks_what_it_has_no_word_for():
    table = capabilities_of("alpaca")[""]
    assert ORDER_TYPES - table.order_types == {
        "trailing_stop_limit", "market_if_touched", "limit_if_touched", "market_to_limit",
    }  # fmt: skip
    assert "gtd" not in table.times_in_force
    # Stops on coins are refused, as by Alpaca, unless all is to be emulated.
    assert "stop" in table.order_types
    assert "stop" not in capabilities_of("alpaca", "all")["crypto"].order_types
    assert capabilities_of("alpaca", "none")[""].is_everything
    assert capabilities_of("sim")[""].is_everything


def test_alpaca_orders_are_emulated_in_its_backtest():
    start = START + (24 + 14) * 3600 * 10**9 + 30 * 60 * 10**9

    def at_alpaca(symbol, order, **options):
        return play(
            {symbol: [FLAT, (100, 103, 97, 99), (96, 96, 96, 96), FLAT]},
            Script({0: order}, symbol=symbol),
            start=start,
            instrument=listed(symbol),
            name="alpaca",
            fees="none",
            **options,
        )

    touched = at_alpaca("SPY", lambda s: s.buy("SPY", 1, trigger_price=98))
    assert touched.fills == [(2, 1, 96)]
    stop = at_alpaca("BTC/USD", lambda s: s.buy("BTC/USD", 1, stop_price=102))
    assert stop.reasons == ["40010001: invalid order type for crypto order"]
    stop = at_alpaca("BTC/USD", lambda s: s.buy("BTC/USD", 1, stop_price=102), emulate="all")
    assert stop.fills == [(2, 1, 96)]
    bracket = at_alpaca(
        "BTC/USD",
        lambda s: s.buy("BTC/USD", 1, take_profit=110, stop_loss=98),
        emulate="all",
    )
    assert bracket.statuses == ["FILLED", "CANCELED", "FILLED"]


def test_what_is_no_capability_is_named():
    with pytest.raises(ConfigError, match="'market_on_touch'"):
        Capabilities(order_types=frozenset({"market", "limit", "market_on_touch"}))
    with pytest.raises(ConfigError, match="without market and limit"):
        Capabilities(order_types=frozenset({"stop"}))
    with pytest.raises(ConfigError, match="emulate is 'some'"):
        play([FLAT], {}, emulate="some")


# -- parts and market-to-limit -------------------------------------------------------------------


def test_an_iceberg_is_split_where_the_venue_shows_orders_whole():
    bars = [FLAT, (100, 100, 98, 99), FLAT, (100, 100, 98, 99), FLAT, (100, 100, 98, 99), FLAT]
    made = run(bars, {0: buy(25, limit_price=99, display_quantity=10)}, touch_fills=True)
    orders = made.table("orders")
    assert [(o["quantity"], o["status"]) for o in orders] == [
        (25, "FILLED"),
        (10, "FILLED"),
        (10, "FILLED"),
        (5, "FILLED"),
    ]
    assert [o["parent"] for o in orders] == ["", "bt-1", "bt-1", "bt-1"]
    assert sum(quantity for _, quantity, _ in made.fills) == 25
    # Where the venue has icebergs it is one order.
    native = play(bars, {0: buy(25, limit_price=99, display_quantity=10)}, touch_fills=True)
    assert [o["quantity"] for o in native.table("orders")] == [25]


@pytest.mark.parametrize(
    ("terms", "reason"),
    [
        ({"stop_price": 101, "limit_price": 102}, "only limit orders are split"),
        ({"limit_price": 99, "take_profit": 110}, "takes no exits"),
        ({"limit_price": 99, "post_only": True}, "neither post- nor reduce-only"),
    ],
)
def test_what_cannot_be_shown_in_parts_is_denied(terms, reason):
    made = run([FLAT, FLAT], {0: buy(25, display_quantity=10, **terms)})
    order = made.table("orders")[0]
    assert order["status"] == "DENIED"
    assert reason in order["reason"]


def test_an_iceberg_at_alpaca_never_shows_more_than_its_part():
    bars = [FLAT, (100, 100, 98, 99), FLAT]
    made = play(
        bars,
        {0: buy(25, limit_price=99, display_quantity=10)},
        name="alpaca",
        instrument=listed(SYMBOL, calendar="24/7"),
        touch_fills=True,
    )
    assert [o["quantity"] for o in made.table("orders")][:2] == [25, 10]


def test_market_to_limit_is_a_limit_at_the_next_price():
    # The close of bar 1 is the price that is there next; what it leaves rests at it.
    bars = [FLAT, (100, 103, 99, 101), (102, 103, 101.5, 102), (101, 101, 100, 100.5)]
    made = run(bars, {0: buy(10, market_to_limit=True)})
    assert made.fills == [(4, 10, 101)]
    assert kinds(made, 1) == ["emulated", "modified", "released", "sent", "accepted", "fill"]
    assert made.table("orders")[0]["limit_price"] == 101


def test_exits_on_our_side_leave_what_a_fee_in_kind_has_left():
    """Of 2 coins bought 0.25 % stay with the venue: an exit of 2 would be short of some."""
    made = play(
        {"BTC/USD": [FLAT, FLAT, (100, 112, 100, 111), FLAT]},
        Script({0: lambda s: s.buy("BTC/USD", 2, take_profit=110, stop_loss=90)}, symbol="BTC/USD"),
        start=START,
        instrument=listed("BTC/USD"),
        name="alpaca",
        emulate="all",
        check=False,
    )
    assert made.statuses == ["FILLED", "FILLED", "CANCELED"]
    assert made.fills == [(1, 2, 100), (3, -1.995, 110)]
    assert made.table("positions") == []
