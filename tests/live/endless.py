"""A broker that fills everything at once and remembers nothing: for runs as long as one likes."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from pyrt import Strategy
from pyrt.adapters.alpaca.core.events import AnswerEvent, FillEvent, QuoteEvent
from pyrt.core.instruments import equity
from pyrt.live.core.broker import BrokerState
from pyrt.live.driver.driver import Driver
from pyrt.live.journal.files import NoFiles
from pyrt.live.journal.journal import Journal
from pyrt.live.plan import Plan, Policies
from pyrt.risk.engine import RiskEngine

SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND


class Client:
    """A client core whose orders are filled at 100 when they are next asked after."""

    def __init__(self) -> None:
        self.trade_updates = SimpleNamespace(is_active=True)
        self.queue = SimpleNamespace(outstanding=0)
        self.sent: list[Any] = []
        self.known: set[int] = set()
        self.wants_look = False
        self.units = Decimal(0)
        self.cash = Decimal(1_000_000)

    def submit(self, order: Any) -> None:
        self.sent.append(order)
        self.known.add(order.number)

    def subscribe(self, channel: str, symbol: str) -> None:
        """Take note of nothing: this test says what comes."""

    def read_doubts(self) -> None:
        """Every order has arrived."""

    def forget(self, number: int) -> None:
        self.known.discard(number)

    def take_others_trade(self) -> bool:
        return False

    waiting_bars: frozenset[str] = frozenset()

    def is_moot(self, request: Any) -> bool:
        return False

    def parts_of(self, number: int) -> tuple[tuple[str, str, str], ...]:
        return ()

    def venue_of(self, number: int) -> tuple[str, str, str]:
        return f"venue-{number}", "", ""

    def apply(self, state: BrokerState) -> list[Any]:
        return []

    def poll(self, now: int) -> list[Any]:
        events: list[Any] = []
        for order in self.sent:
            quantity = order.quantity_exact
            signed = quantity if order.side.name == "BUY" else -quantity
            self.units, self.cash = self.units + signed, self.cash - 100 * signed
            text = f"{quantity:f}"
            events.append(AnswerEvent("accepted", order.number, now))
            events.append(FillEvent(order.number, now, text, "100", text))
        self.sent = []
        return events

    def take_requests(self, now: int) -> list[Any]:
        return []

    def take_late(self, until: int) -> list[Any]:
        return []

    def next_due(self, now: int) -> None:
        return None

    def look(self, age: int, after: str) -> bool:
        self.wants_look = True
        return True

    def state(self, now: int) -> BrokerState:
        self.wants_look = False
        return BrokerState(
            ts=now,
            account="PA1",
            may_trade=True,
            status="ACTIVE",
            cash=self.cash,
            equity=self.cash + 100 * self.units,
            positions={"SPY": self.units} if self.units else {},
            orders=(),
            fills=(),
            adjustments=(),
            orders_complete=False,
        )


class InAndOut(Strategy):
    """Buys, and sells again, every so many quotes."""

    every: int = 30

    def on_start(self) -> None:
        self.subscribe_quotes("SPY")
        self.count = 0

    def on_quote(self, quote: Any) -> None:
        self.count += 1
        if self.count % self.every == 0:
            if self.position("SPY").is_flat:
                self.buy("SPY", 10)
            else:
                self.close("SPY")


class Endless:
    """A node's driver on that broker, a quote a second."""

    def __init__(self, every: int = 30) -> None:
        self.client = Client()
        self.driver = Driver(
            self.client,
            Journal(NoFiles()),
            RiskEngine(None, strict=False),
            [equity("SPY")],
            [InAndOut(every=every)],
            Plan(
                run_id="r",
                prefix="pyrt-r-",
                default_tif={"": "day"},
                policies=Policies(warmup=0, looks=1),
            ),
        )
        self.now = START
        self.driver.begin(self.now)
        self.driver.take(self.now, [self.client.state(self.now)])

    def run(self, seconds: int) -> None:
        driver, client = self.driver, self.client
        for _ in range(seconds):
            self.now += SECOND
            driver.take(self.now, [QuoteEvent("SPY", self.now, 99.99, 100.0, 100.01, 100.0)])
            driver.turn(self.now)
            driver.journal.commit()
            driver.take_requests(self.now)
            if client.wants_look:
                driver.take(self.now, [client.state(self.now)])
