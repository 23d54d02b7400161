"""Execution algorithms: tables worked by hand, and accounts that always balance."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyrt.core.instruments import Instrument, crypto
from pyrt.errors import ConfigError, OrderError, StrategyError
from pyrt.execution import POV, TWAP, VWAP, ExecutionAlgorithm, Iceberg, VolumeProfile
from pyrt.risk import Limits, gate_for
from tests.backtest.harness import MINUTE, START, SYMBOL, Run, Script, frame, play

FLAT = (100, 100, 100, 100)


def work(quantity: float, algorithm: Any, side: str = "buy", **terms: Any) -> Any:
    return lambda s: getattr(s, side)(SYMBOL, quantity, algorithm=algorithm, **terms)


def bars(count: int, volumes: list[float] | None = None) -> Any:
    volumes = volumes or [1e6] * count
    return [(*FLAT, volume) for volume in volumes]


def sent(made: Run) -> list[tuple[float, float]]:
    """(minute, quantity) of each order that an algorithm sent."""
    return [
        ((int(o["ts_event"]) - made.start) / MINUTE, float(o["quantity"]))
        for o in made.table("orders")
        if o["parent"]
    ]


# -- TWAP ----------------------------------------------------------------------------------------


def test_twap_sends_equal_parts_at_equal_times():
    # 1,000 in six parts over 30 minutes: at minutes 1, 6, 11, ... what brings the sum to k sixths,
    # in whole shares: 166, 333, 500, 666, 833, 1000.
    made = play(bars(34), {0: work(1000, TWAP("30m", slices=6))})
    assert sent(made) == [(1, 166), (6, 167), (11, 167), (16, 166), (21, 167), (26, 167)]
    assert made.table("orders")[0]["status"] == "FILLED"
    assert made.table("orders")[0]["filled_quantity"] == 1000
    # A timer fires after the opens of its instant: what it sends meets the next one.
    assert [fill[0] for fill in made.fills] == [1, 7, 12, 17, 22, 27]


def test_twap_by_interval():
    made = play(bars(12), {0: work(30, TWAP("9m", interval="3m"))})
    assert sent(made) == [(1, 10), (4, 10), (7, 10)]


def test_fractions_are_sent_where_the_order_has_some():
    made = play(bars(8), {0: work(1.5, TWAP("6m", slices=3))})
    assert sent(made) == [(1, 0.5), (3, 0.5), (5, 0.5)]


def test_parts_are_on_the_step():
    instrument = Instrument(SYMBOL, step_size=10)
    made = play(bars(8), {0: work(100, TWAP("6m", slices=3))}, instrument=instrument)
    assert sent(made) == [(1, 30), (3, 30), (5, 40)]


def test_coins_are_split_to_the_billionth():
    made = play(
        {"BTC/USD": bars(8)},
        Script(
            {0: lambda s: s.buy("BTC/USD", 1, algorithm=TWAP("6m", slices=3))}, symbol="BTC/USD"
        ),
        instrument=crypto("BTC/USD"),
    )
    assert [q for _, q in sent(made)] == [0.333333333, 0.333333333, 0.333333334]


def test_a_part_that_did_not_fill_goes_with_the_next_if_it_was_canceled():
    def cancel_child(s):
        s.cancel(next(o for o in s.orders(SYMBOL) if o.origin is not None))

    steps = {0: work(90, TWAP("9m", slices=3), limit_price=99), 2: cancel_child}
    made = play(bars(14), steps)
    assert sent(made) == [(1, 30), (4, 60), (7, 30)]
    # Nothing traded at 99: at minute 10 the time is over.
    order = made.table("orders")[0]
    assert (order["status"], order["filled_quantity"]) == ("CANCELED", 0)
    assert order["reason"] == "algorithm: 90 were left at its end"
    assert set(made.statuses) == {"CANCELED"}


def test_its_orders_take_its_limit():
    made = play(bars(5), {0: work(90, TWAP("9m", slices=3), limit_price=99)})
    assert made.table("orders")[1]["limit_price"] == 99


# -- VWAP ----------------------------------------------------------------------------------------


def test_vwap_follows_a_profile():
    # 1,000 by 5:3:2: sums 500, 800, 1000.
    made = play(bars(12), {0: work(1000, VWAP("9m", profile=[5, 3, 2]))})
    assert sent(made) == [(1, 500), (4, 300), (7, 200)]


def test_vwap_by_a_profile_with_a_hole():
    made = play(bars(12), {0: work(100, VWAP("9m", profile=[1, 0, 1]))})
    assert sent(made) == [(1, 50), (7, 50)]


def test_vwap_follows_history_by_the_time_of_day():
    # The order is sent at 00:01 UTC for 4 minutes; history says 100 a minute until 00:03, then 300.
    profile = VolumeProfile({m * MINUTE: 100 if m < 3 else 300 for m in range(10)}, "1m", tz="UTC")
    made = play(bars(8), {0: work(800, VWAP("4m", profile, slices=4))})
    assert sent(made) == [(1, 100), (2, 100), (3, 300), (4, 300)]


def test_a_profile_is_the_mean_of_the_days_it_was_made_of():
    index = pd.date_range("2024-03-08 14:30", periods=4, freq="15min", tz="UTC")
    later = pd.date_range("2024-03-11 13:30", periods=4, freq="15min", tz="UTC")
    frame = pd.DataFrame({"volume": [10, 20, 30, 40, 30, 40, 50, 60]}, index.append(later))
    profile = VolumeProfile.from_history(frame, "30m")
    # New York: 09:30 on both days, though summer time began between them. (10+20+30+40)/2 = 50.
    open_ns = int(later[0].value)
    edges = [open_ns, open_ns + 30 * MINUTE, open_ns + 60 * MINUTE]
    assert profile.weights_between(edges) == [50, 90]
    half = [open_ns, open_ns + 15 * MINUTE, open_ns + 45 * MINUTE]
    assert profile.weights_between(half) == [25, 25 + 45]


def test_without_any_history_time_is_all_there_is():
    profile = VolumeProfile({}, "1m", tz="UTC")
    made = play(bars(8), {0: work(90, VWAP("3m", profile, slices=3))})
    assert sent(made) == [(1, 30), (2, 30), (3, 30)]


# -- POV -----------------------------------------------------------------------------------------


def test_pov_sends_a_share_of_the_volume():
    # 10 % of 1000, 500, 0, 2000: 100, 50, nothing, 200 and 150 to end with.
    made = play(bars(8, [9e9, 1000, 500, 0, 2000, 9000, 9000, 9000]), {0: work(500, POV("0.1"))})
    assert sent(made) == [(2, 100), (3, 50), (5, 200), (6, 150)]
    assert made.table("orders")[0]["status"] == "FILLED"


def test_pov_waits_for_its_least_quantity():
    made = play(
        bars(8, [0, 400, 400, 400, 400, 400, 400, 0]), {0: work(170, POV("0.1", minimum=60))}
    )
    # 40, 80: sent; 40 more, 80: sent; ten are left and sent with any volume.
    assert sent(made) == [(3, 80), (5, 80), (6, 10)]


def test_pov_counts_trades_where_there_are_some():
    from pyrt.facade import backtest

    index = pd.date_range("2024-01-01", periods=6, freq="1s", tz="UTC", name="timestamp")
    trades = pd.DataFrame({"price": [100.0] * 6, "size": [50, 100, 200, 100, 0, 700]}, index)

    class Once(Script):
        def on_start(self):
            self.subscribe_trades(SYMBOL)
            self.set_timer("once", "500ms")
            self.done = False

        def on_timer(self, event):
            if not self.done:
                self.done = True
                self.buy(SYMBOL, 100, algorithm=POV("0.2"))

    result = backtest(Once({}), trades, symbol=SYMBOL, kind="trades", progress=False)
    children = result.orders[result.orders["parent"] != ""]
    # 20 % of 100, 200, 100 and of 700, of which 20 remain.
    assert children["quantity"].tolist() == [20, 40, 20, 20]


def test_pov_gives_up_when_its_time_is_over():
    made = play(bars(8, [1000] * 8), {0: work(5000, POV("0.1", duration="3m"))})
    order = made.table("orders")[0]
    assert sent(made) == [(2, 100), (3, 100), (4, 100)]
    assert (order["status"], order["reason"]) == ("CANCELED", "algorithm: its duration is over")


# -- Iceberg -------------------------------------------------------------------------------------


def test_an_iceberg_shows_one_part_at_a_time():
    dip = (100, 100, 98, 99, 1e6)
    made = play([(*FLAT, 1e6), dip, dip, dip, dip, dip], {0: work(25, Iceberg(10), limit_price=99)})
    assert [q for _, q in sent(made)] == [10, 10, 5]
    # Each is sent when the one before has filled, and never two at once.
    assert sent(made) == [(1, 10), (2, 10), (3, 5)]
    assert [fill[:2] for fill in made.fills] == [(2, 10), (3, 10), (4, 5)]


@pytest.mark.parametrize(
    ("terms", "steps", "status"),
    [
        ({}, {1: lambda s: s.cancel(s.orders(SYMBOL)[-1])}, "CANCELED"),
        ({"time_in_force": "ioc"}, {}, "CANCELED"),
    ],
)
def test_an_iceberg_ends_with_a_part_that_does_not_fill(terms, steps, status):
    order = work(25, Iceberg(10), limit_price=99, **terms)
    made = play(bars(5), {0: order, **steps})
    parent, child = made.table("orders")
    assert (child["parent"], child["status"]) == (parent["client_order_id"], status)
    assert parent["status"] == "CANCELED"
    assert parent["reason"] == f"algorithm: {child['client_order_id']} is {status} and not filled"


def test_what_an_algorithm_raises_names_no_address():
    class Over(ExecutionAlgorithm):
        def on_start(self) -> None:
            self.send(20)
            self.send(20)

    with pytest.raises(StrategyError, match="20 of bt-1 are to be sent, and 5 are left") as found:
        play(bars(3), {0: work(25, Over())})
    assert "0x" not in str(found.value)


def test_an_iceberg_needs_a_price():
    with pytest.raises(StrategyError, match="an iceberg needs a limit_price"):
        play(bars(3), {0: work(25, Iceberg(10))})


# -- the order that is worked --------------------------------------------------------------------


def test_parent_and_children_are_in_the_result():
    made = play(bars(6), {0: work(20, TWAP("4m", slices=2))})
    orders = made.table("orders")
    assert [o["parent"] for o in orders] == ["", "bt-1", "bt-1"]
    assert [o["status"] for o in orders] == ["FILLED"] * 3
    parent = [kind for order, kind in made.strategies[0].events if order == "bt-1"]
    assert parent == ["emulated", "fill", "fill"]
    # Money and units are booked once.
    assert made.kernel.account.cash == 100_000 - 20 * 100


def test_canceling_the_order_cancels_what_works_of_it():
    steps = {
        0: work(90, TWAP("9m", slices=3), limit_price=99),
        2: lambda s: s.cancel(s.made[0]),
    }
    made = play(bars(12), steps)
    assert made.statuses == ["CANCELED", "CANCELED"]


def test_what_has_filled_stays_filled_when_the_rest_is_canceled():
    steps = {0: work(90, TWAP("9m", slices=3)), 2: lambda s: s.cancel(s.made[0])}
    made = play(bars(12), steps)
    order = made.table("orders")[0]
    assert (order["status"], order["filled_quantity"]) == ("CANCELED", 30)


def test_a_day_order_ends_with_the_day():
    order = work(90, TWAP("3h", slices=3), time_in_force="day")
    made = play(bars(8), {0: order}, start=START - 5 * MINUTE)
    parent = made.table("orders")[0]
    assert (parent["status"], parent["filled_quantity"]) == ("EXPIRED", 30)


def test_close_takes_a_worked_order_back():
    steps = {0: work(90, TWAP("9m", slices=3)), 2: lambda s: s.close(SYMBOL)}
    made = play(bars(12), steps)
    assert made.kernel.cache.positions() == []
    assert [fill[1] for fill in made.fills] == [30, -30]


def test_a_worked_order_counts_once_in_what_works():
    seen = []

    def look(s):
        seen.append(s.position(SYMBOL).working_quantity)

    steps = {0: work(90, TWAP("9m", slices=3), limit_price=99), 1: look, 2: look, 5: look}
    play(bars(12), steps)
    assert seen == [90, 90, 90]


def test_it_cannot_be_changed():
    steps = {0: work(90, TWAP("9m", slices=3)), 1: lambda s: s.modify(s.made[0], quantity=50)}
    made = play(bars(12), steps)
    assert ("bt-1", "modify_rejected") in made.strategies[0].events


def test_every_part_passes_risk_and_a_refusal_is_tried_again():
    gate = gate_for(Limits(max_order_quantity=40))
    made = play(bars(14), {0: work(90, TWAP("9m", slices=3))}, engine={"gate": gate})
    assert made.statuses == ["DENIED"]
    gate = gate_for(Limits(max_position_quantity=60))
    made = play(bars(14), {0: work(60, TWAP("9m", slices=3))}, engine={"gate": gate})
    assert made.statuses == ["FILLED"] * 4


def test_a_stopped_strategy_works_no_further():
    class Fails(Script):
        def on_bar(self, bar):
            super().on_bar(bar)
            if self._bar == 2:
                raise ValueError("enough")

    script = Fails({0: work(90, TWAP("9m", slices=3))})
    made = play(bars(12), script, engine={"on_error": "halt"})
    assert [fill[1] for fill in made.fills] == [30]
    assert made.statuses[0] == "CANCELED"


# -- one's own -----------------------------------------------------------------------------------


class Halves(ExecutionAlgorithm):
    """Half at once, the rest two minutes later."""

    def on_start(self):
        self.send(self.remaining / 2)
        self.set_timer("rest", "2m")

    def on_timer(self, event):
        self.send()


def test_an_algorithm_of_ones_own():
    made = play(bars(8), {0: work(51, Halves())})
    assert sent(made) == [(1, 25), (3, 26)]
    assert made.statuses == ["FILLED"] * 3


def test_each_order_has_a_copy_of_its_own():
    recipe = TWAP("4m", slices=2)
    steps = {0: work(20, recipe), 1: work(40, recipe, side="sell")}
    made = play(bars(10), steps)
    assert sent(made) == [(1, 10), (2, 20), (3, 10), (4, 20)]


def test_more_than_remains_is_an_error():
    class Greedy(ExecutionAlgorithm):
        def on_start(self):
            self.send(self.quantity)
            self.send(1)

    with pytest.raises(StrategyError, match="1 of bt-1 are to be sent, and 0 are left"):
        play(bars(3), {0: work(10, Greedy())})


def test_what_makes_no_sense_is_refused():
    with pytest.raises(ConfigError, match="slices is 0"):
        TWAP("5m", slices=0)
    with pytest.raises(ConfigError, match="either slices or an interval"):
        TWAP("5m")
    with pytest.raises(ConfigError, match="is no profile"):
        VWAP("5m", profile=[0, 0])
    with pytest.raises(ConfigError, match=r"rate is 1\.5"):
        POV(1.5)
    with pytest.raises(ConfigError, match="display is 0"):
        Iceberg(0)
    with pytest.raises(StrategyError, match="expected an ExecutionAlgorithm"):
        play(bars(2), {0: work(10, "TWAP")})
    with pytest.raises(StrategyError, match="takes no exits"):
        play(bars(2), {0: work(10, TWAP("5m", slices=1), take_profit=110)})


# -- always --------------------------------------------------------------------------------------


class Wild(ExecutionAlgorithm):
    """Sends and cancels at random, as much as is allowed and at times more."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def on_start(self):
        self.random = np.random.default_rng(self.seed)
        self.set_timer("act", "1m")
        self.worst = Decimal(0)
        self.act()

    def on_timer(self, event):
        self.act()

    def on_end(self, child):
        self.act()

    def act(self):
        kind = self.random.integers(0, 4)
        if kind == 0 and self.children:
            self.cancel(self.children[0])
            return
        wanted = Decimal(int(self.random.integers(1, 60)))
        price = float(self.random.integers(97, 103))
        try:
            self.send(wanted, **({} if kind == 1 else {"limit_price": price}))
        except OrderError:
            assert wanted > self.remaining
        assert 0 <= self.remaining <= self.quantity


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    quantity=st.integers(1, 200),
    share=st.sampled_from([None, 0.01, 0.2]),
    stop=st.integers(2, 14),
)
def test_sent_never_exceeds_the_order_and_accounts_balance(seed, quantity, share, stop):
    random = np.random.default_rng(seed)
    closes = 100 + np.cumsum(random.integers(-1, 2, 16))
    table = [(c, c + random.integers(0, 3), c - random.integers(0, 3), c, 100.0) for c in closes]
    steps = {0: work(quantity, Wild(seed)), stop: lambda s: s.cancel(s.made[0])}
    made = play(frame(table), steps, participation=share, cash=1e7)
    orders = made.table("orders")
    parent, children = orders[0], orders[1:]
    filled = sum(o["filled_quantity"] for o in children)
    assert parent["filled_quantity"] == filled <= quantity
    working = sum(
        o["quantity"] - o["filled_quantity"] for o in children if o["status"] == "ACCEPTED"
    )
    assert filled + working <= quantity
    # Replayed order by order, what worked and had filled never exceeded the quantity.
    open_units: dict[str, Decimal] = {}
    done = Decimal(0)
    sizes = {o["client_order_id"]: Decimal(str(o["quantity"])) for o in children}
    fills = iter(made.table("fills"))
    for name, kind in made.strategies[0].events:
        if name not in sizes:
            continue
        if kind == "sent":
            open_units[name] = sizes[name]
        elif kind == "fill":
            amount = Decimal(str(next(fills)["quantity"]))
            open_units[name] -= amount
            done += amount
        elif kind in ("canceled", "expired", "rejected", "denied"):
            open_units.pop(name, None)
        assert done + sum(open_units.values()) <= quantity
    assert parent["status"] in ("FILLED", "CANCELED")
    assert (parent["status"] == "FILLED") == (filled == quantity)
