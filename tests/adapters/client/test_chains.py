"""Orders that were changed again and again: however news come, each fill is told once."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pyrt.adapters.alpaca.core.client import AlpacaClient
from pyrt.adapters.alpaca.core.known import Known
from pyrt.adapters.alpaca.core.ledger import Execution
from pyrt.adapters.alpaca.core.messages import OrderView
from pyrt.adapters.alpaca.core.snapshot import ActivityView
from pyrt.live.driver.rehearsal import _named
from pyrt.live.journal.records import OrderState
from tests.adapters.client.exchange import PREFIX
from tests.adapters.client.test_adoption import E18, state, taken_over
from tests.adapters.client.test_order_path import NOW, body, submitted, view
from tests.adapters.client.test_replaced import look

QUANTITY = 10
PRICES = (99, 100, 103)
News = tuple[OrderView, Execution | None]


@dataclass
class Chain:
    """An order at a broker that gives it a new id with each change, its fills carried over."""

    names: list[str] = field(default_factory=lambda: ["venue-1"])
    filled: int = 0
    cost: int = 0
    news: list[News] = field(default_factory=list)
    trades: list[ActivityView] = field(default_factory=list)
    last: dict[str, OrderView] = field(default_factory=dict)

    def fill(self, units: int, price: int) -> None:
        """Execute so many units, or what is left."""
        units = min(units, QUANTITY - self.filled)
        if not units:
            return
        self.filled += units
        self.cost += units * price
        shown = self._show("filled" if self.filled == QUANTITY else "partially_filled")
        self.news.append((shown, Execution(Decimal(units), Decimal(price))))
        number = len(self.trades)
        self.trades.append(
            ActivityView(
                id=f"a-{number}", activity_type="FILL", price=str(price), qty=str(units),
                cum_qty=str(self.filled), side="buy", symbol="SPY", order_id=self.names[-1],
                transaction_time=f"2013-10-07T13:30:{number:02}Z",
            )
        )  # fmt: skip

    def change(self) -> None:
        """Put another order in the place of the one in force."""
        if self.filled == QUANTITY:
            return
        self.names.append(f"venue-{len(self.names) + 1}")
        old = self._show("replaced", name=self.names[-2], replaced_by=self.names[-1])
        self.news.append((old, None))
        self.news.append((self._show("new"), None))

    def _show(self, status: str, name: str = "", **more: Any) -> OrderView:
        name = name or self.names[-1]
        at = self.names.index(name)
        shown = view(
            status,
            id=name,
            client_order_id=f"{PREFIX}1" + (f"-r{at}" if at else ""),
            replaces=self.names[at - 1] if at else None,
            filled_qty=str(self.filled),
            filled_avg_price=str(Decimal(self.cost) / self.filled) if self.filled else None,
            **more,
        )
        self.last[name] = shown
        return shown


@st.composite
def chains(draw: st.DrawFn) -> Chain:
    chain = Chain()
    for _ in range(draw(st.integers(1, 8))):
        if draw(st.booleans()):
            chain.fill(draw(st.integers(1, 6)), draw(st.sampled_from(PRICES)))
        else:
            chain.change()
    return chain


class Life:
    """A client that hears news of the chain, and may be followed by another."""

    def __init__(self) -> None:
        self.client = AlpacaClient(PREFIX)
        self.client.receive_response(submitted(self.client), 200, body(), NOW)
        self.number = 1
        self.record = self._state()

    @property
    def known(self) -> Known:
        return self.client.ledger.of(self.number)

    def _state(self) -> OrderState:
        """Return the order as a journal has it."""
        venue_id, filled, cost = self.client.venue_of(self.number)
        return state(
            f"{PREFIX}1", quantity=str(QUANTITY), order_type="market", limit_price="",
            status="PARTIALLY_FILLED" if self.known.filled else "ACCEPTED",
            filled=f"{self.known.filled:f}", filled_notional=str(int(self.known.cost * E18)),
            venue_order_id=venue_id, venue_filled=filled, venue_cost=cost,
            venue_parts=self.client.parts_of(self.number),
        )  # fmt: skip

    def write(self) -> None:
        """Let the record reach the present."""
        self.record = self._state()

    def restart(self) -> None:
        """Go on from the record; what was told behind its end is told by inputs that were kept."""
        if self.known.final:
            return
        now = _named(self._state(), self.record)
        self.client, (order,) = taken_over(now)
        self.number = order.number
        self.record = now


@given(chains(), st.data())
def test_each_fill_of_a_chain_is_told_once_in_whatever_order_news_come(chain, data):
    life, events = Life(), []
    steps = st.sampled_from([*chain.news, "write", "restart"])
    for step in data.draw(st.lists(steps, max_size=10)):
        if step == "write":
            life.write()
        elif step == "restart":
            life.restart()
        else:
            shown, execution = step
            events.extend(life.client.ledger.apply(shown, NOW, execution=execution))
        assert life.known.filled <= chain.filled
    views = data.draw(st.permutations(list(chain.last.values())))
    events.extend(look(life.client, views, chain.trades))
    told = [(int(e.quantity), int(e.cumulative)) for e in events if e.WHAT == "fill"]
    total = 0
    for quantity, cumulative in told:
        total += quantity
        assert cumulative == total
    assert total == chain.filled
    assert abs(life.known.cost - chain.cost) < Decimal("1e-6")
    assert (life.known.final == "filled") == (chain.filled == QUANTITY)
    assert [e for e in look(life.client, views, chain.trades) if e.WHAT == "fill"] == []
