"""Random orders against random bars: what holds whatever is sent and whatever the market does."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from pyrt.core.orders import transition
from pyrt.core.types import EVENT_NAMES, EventKind, OrderStatus
from pyrt.errors import OrderError
from pyrt.strategy.strategy import Strategy
from tests.backtest.harness import MINUTE, START, SYMBOL, Run, play

KINDS = {name: EventKind(number) for number, name in EVENT_NAMES.items()}
PARTICIPATION = 0.1

prices = st.integers(80, 120).map(float)
sides = st.sampled_from(["buy", "sell"])
sizes = st.sampled_from([1, 2, 5, 30, 1000])
lifetimes = st.sampled_from([None, "day", "gtc", "ioc", "fok", "opg", "cls"])


class Watched(Strategy):
    """Carries out a plan and checks every event as it comes."""

    def __init__(self, plan: dict[int, list[tuple[Any, ...]]], capped: bool, at_once: bool) -> None:
        super().__init__()
        self._plan, self._capped, self._at_once = plan, capped, at_once
        self.sent: list[Any] = []
        self.status: dict[str, str] = {}
        self.filled: dict[str, Decimal] = {}
        self.held = Decimal(0)
        self.in_bar: dict[int, float] = {}
        self.fills: list[Any] = []
        self.bar = -1

    def on_start(self) -> None:
        self.subscribe_bars(SYMBOL, "1m")
        self.act()

    def on_bar(self, bar: Any) -> None:
        self.bar += 1
        if self._at_once:
            self.check_venue()
        self.act()

    def check_venue(self) -> None:
        """Everything that happened has been told: both books are the same."""
        sim = self.kernel_().venue.sim
        assert sim.account.balances == self.account.balances
        units = int(self.position(SYMBOL).quantity_exact.scaleb(9))
        assert sim.books[0].units.get(0, 0) == units

    def kernel_(self) -> Any:
        return self.portfolio._kernel

    def act(self) -> None:
        for kind, *rest in self._plan.get(self.bar, []):
            if kind == "send":
                self.send(*rest)
            elif kind == "oco":
                self.send_pair(*rest)
            elif kind == "close":
                self.close(SYMBOL)
            elif kind == "target":
                self.target_percent(SYMBOL, rest[0])
            elif self.sent:
                self.touch(kind, self.sent[rest[0] % len(self.sent)], rest[1:])

    def send(self, side: str, quantity: float, terms: dict[str, Any]) -> None:
        try:
            self.sent.append(getattr(self, side)(SYMBOL, quantity, **terms))
        except OrderError:
            assert "take_profit" in terms, "only exits on the wrong side are refused"

    def send_pair(self, quantity: float, low: float, high: float) -> None:
        long = self.position(SYMBOL).quantity > 0
        try:
            self.sent.extend(
                self.oco(
                    SYMBOL,
                    quantity,
                    take_profit=high if long else low,
                    stop_loss=low if long else high,
                )
            )
        except OrderError:
            assert self.position(SYMBOL).quantity == 0

    def touch(self, kind: str, order: Any, changes: Any) -> None:
        try:
            if kind == "cancel":
                self.cancel(order)
            else:
                self.modify(order, **changes[0])
        except OrderError:
            assert kind == "modify"

    def on_order(self, event: Any) -> None:
        """Only transitions of the table, and never more filled than ordered."""
        order = event.order
        before = OrderStatus[self.status.get(order.client_order_id, "INITIALIZED")]
        after = transition(before, KINDS[event.kind])
        if event.kind == "fill":
            full = order.filled_quantity_exact == order.quantity_exact
            assert after is not None
            after = OrderStatus.FILLED if full else after
        assert after is not None
        assert after.name == order.status
        self.status[order.client_order_id] = order.status
        assert 0 <= order.filled_quantity <= order.quantity
        assert order.filled_quantity_exact >= self.filled.get(order.client_order_id, 0)

    def on_fill(self, fill: Any) -> None:
        name = fill.client_order_id
        self.filled[name] = self.filled.get(name, Decimal(0)) + fill.quantity_exact
        self.held += fill.quantity_exact * int(fill.side)
        self.fills.append(fill)
        assert self.filled[name] == fill.order.filled_quantity_exact
        assert self.held == self.position(SYMBOL).quantity_exact


class Machine(RuleBasedStateMachine):
    """Draws settings, bars and commands; plays them at the end and looks at what came of it."""

    @initialize(
        fill=st.sampled_from(["next_open", "same_close", "next_close"]),
        path=st.sampled_from(
            ["adverse_first", "open_high_low_close", "open_low_high_close", "nearest_first"]
        ),
        children=st.sampled_from(["rest_of_bar", "next_bar"]),
        touch=st.booleans(),
        capped=st.booleans(),
        latency=st.sampled_from([None, None, "20s"]),
        fees=st.sampled_from([None, "bps:3 + fixed:0.5"]),
        cash=st.sampled_from([2_000, 1_000_000]),
    )
    def choose(self, touch: bool, capped: bool, cash: int, **venue: Any) -> None:
        self.venue = {
            **venue,
            "touch_fills": touch,
            "participation": PARTICIPATION if capped else None,
            "cash": cash,
        }
        self.bars: list[tuple[float, ...]] = [(100.0, 100.0, 100.0, 100.0, 500.0)]
        self.plan: dict[int, list[tuple[Any, ...]]] = {}

    def add(self, *command: Any) -> None:
        self.plan.setdefault(len(self.bars) - 1, []).append(command)

    @rule(values=st.tuples(prices, prices, prices, prices), volume=st.sampled_from([0, 20, 500]))
    def bar(self, values: tuple[float, ...], volume: float) -> None:
        first, *_, last = values
        self.bars.append((first, max(values), min(values), last, float(volume)))

    @rule(side=sides, size=sizes, tif=lifetimes)
    def market(self, side: str, size: float, tif: str | None) -> None:
        self.add("send", side, size, {"time_in_force": tif})

    @rule(
        side=sides,
        size=sizes,
        price=prices,
        tif=lifetimes,
        kind=st.sampled_from(["limit_price", "stop_price", "trigger_price"]),
    )
    def priced(self, side: str, size: float, price: float, tif: str | None, kind: str) -> None:
        self.add("send", side, size, {kind: price, "time_in_force": tif})

    @rule(side=sides, size=sizes, stop=prices, limit=prices)
    def stop_limit(self, side: str, size: float, stop: float, limit: float) -> None:
        self.add("send", side, size, {"stop_price": stop, "limit_price": limit})

    @rule(side=sides, size=sizes, amount=st.sampled_from([1, 3]), limit=st.none() | prices)
    def trailing(self, side: str, size: float, amount: float, limit: float | None) -> None:
        self.add("send", side, size, {"trail_amount": amount, "limit_price": limit})

    @rule(
        side=sides,
        size=sizes,
        entry=st.none() | prices,
        low=prices,
        high=prices,
        kind=st.sampled_from(["limit_price", "stop_price"]),
    )
    def bracket(
        self, side: str, size: float, entry: float | None, low: float, high: float, kind: str
    ) -> None:
        target, stop = (high, low) if side == "buy" else (low, high)
        self.add("send", side, size, {kind: entry, "take_profit": target, "stop_loss": stop})

    @rule(side=sides, size=sizes, price=prices)
    def reduce_only(self, side: str, size: float, price: float) -> None:
        self.add("send", side, size, {"limit_price": price, "reduce_only": True})

    @rule(size=sizes, low=st.integers(80, 99).map(float), high=st.integers(101, 120).map(float))
    def pair(self, size: float, low: float, high: float) -> None:
        self.add("oco", size, low, high)

    @rule()
    def leave(self) -> None:
        self.add("close")

    @rule(fraction=st.sampled_from([-0.5, 0, 0.5, 1]))
    def target(self, fraction: float) -> None:
        self.add("target", fraction)

    @rule(which=st.integers(0, 50))
    def cancel(self, which: int) -> None:
        self.add("cancel", which)

    @rule(
        which=st.integers(0, 50),
        changes=st.fixed_dictionaries(
            {}, optional={"quantity": sizes, "limit_price": prices, "stop_price": prices}
        ),
    )
    def modify(self, which: int, changes: dict[str, float]) -> None:
        self.add("modify", which, changes)

    def teardown(self) -> None:
        if not hasattr(self, "plan"):
            return
        self.bars += [(100.0, 100.0, 100.0, 100.0, 500.0)] * 2
        self.play(self.plan)

    def play(self, plan: dict[int, list[tuple[Any, ...]]]) -> None:
        capped = self.venue["participation"] is not None
        at_once = self.venue["latency"] is None

        class Ending(Watched):
            def on_stop(self) -> None:
                self.cancel_all()

        strategy = Ending(plan, capped, at_once)
        run = play(self.bars, strategy, check=at_once, **self.venue)
        check_fills(strategy, self.bars, capped)
        check_families(run, strategy)
        if at_once:
            check_counters(run, strategy)


def check_fills(strategy: Watched, bars: list[tuple[float, ...]], capped: bool) -> None:
    """Every price lies in its bar, and no bar gives more than its share."""
    taken: dict[int, Decimal] = {}
    for fill in strategy.fills:
        bar = (fill.ts_open - START) // MINUTE
        on_path = fill.ts_open != fill.ts_event
        near = [bars[bar]] if on_path else [bars[i] for i in (bar - 1, bar) if 0 <= i < len(bars)]
        assert any(b[2] <= fill.price <= b[1] for b in near)
        if on_path:
            taken[bar] = taken.get(bar, Decimal(0)) + fill.quantity_exact
    for bar, quantity in taken.items() if capped else ():
        assert float(quantity) <= PARTICIPATION * bars[bar][4]


def check_families(run: Run, strategy: Watched) -> None:
    """Exits never leave more than their entry brought; states say what was filled."""
    for order in strategy.sent:
        if order.legs:
            left = sum(leg.filled_quantity_exact for leg in order.legs)
            assert left <= order.filled_quantity_exact
            if order.is_closed and order.filled_quantity == 0:
                assert all(leg.is_closed for leg in order.legs)
        if order.status == "FILLED":
            assert order.filled_quantity == order.quantity
        if order.status in ("DENIED", "REJECTED"):
            assert order.filled_quantity == 0
            assert order.reason
    fills = {f["client_order_id"] for f in run.table("fills")}
    assert fills == {name for name, quantity in strategy.filled.items() if quantity}


def check_counters(run: Run, strategy: Watched) -> None:
    """After everything is canceled nothing is counted as working any more."""
    position = strategy.position(SYMBOL)
    assert strategy.orders() == []
    assert position.working_quantity == 0
    assert position.is_flat == (position.quantity == 0)
    assert not run.sim.waiting
    assert not any(order.is_pending for order in strategy.sent)


Machine.TestCase.settings = settings(
    max_examples=150, stateful_step_count=25, deadline=None, print_blob=True
)
TestRandomOrders = Machine.TestCase
