"""Writes down what a node means, hears and does; holds orders back until that is durable."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from pyrt.core.orders import Fill, Order, OrderEvent
from pyrt.errors import StrategyError
from pyrt.live.core.fees import fee_day
from pyrt.live.core.restore import order_state, position_of, position_state
from pyrt.live.driver.hearing import Hearing
from pyrt.live.journal import records as r
from pyrt.live.journal.journal import Journal
from pyrt.live.observe.traces import current_trace

MIB = 1 << 20
SAVE_MAX = MIB
SAVES_MAX = 8 * MIB
"""Bytes that one strategy, and all of them, may keep: the record of a start holds them all, beside
orders and positions, and has to be one that the journal takes."""
SUBMITS = frozenset({"submit", "replace"})
QUIET_KINDS = frozenset({"sent", "fill"})
"""Kinds of order events that other records tell already."""
ENDS = frozenset({"canceled", "expired", "rejected"})
KEPT = frozenset({"EMULATED", "RELEASED"})
"""States of orders that the node keeps until their price comes."""
ALARM_GAP_NS = 10_000_000_000
"""An alarm that repeats within this time is not written again."""


class Scribe:
    """Between a kernel, its client and the journal.

    As a client it takes the kernel's commands, records their intents, and hands them on. As a
    listener on the bus it records what became of orders.

    Parameters
    ----------
    journal : Journal
    client : Client
        The adapter's client core.
    """

    def __init__(self, journal: Journal, client: Any) -> None:
        self.journal = journal
        self.client = client
        self.core: Any = None
        self.historical: list[Fill] | None = None
        self.filled: dict[str, None] = {}
        self.intents = 0
        self._sequences: dict[int, int] = {}
        self._traces: dict[int, str] = {}
        self._unseen: set[int] = set()
        self._met: set[int] = set()
        self._unsent: dict[int, str] = {}
        self._alarmed: dict[str, int] = {}
        self.on_alarm: Callable[[str, str], object] | None = None
        self._hearing = Hearing("on_alarm", lambda text: self.alarm("listener", text))
        self.clean: Callable[[str], str] = str
        """Takes secrets out of texts that a strategy's errors may hold."""
        self.on_surprise: Callable[[str, str], object] | None = None
        """Called with (symbol, text) when an order that was given up is there after all."""
        self.on_lost_exit: Callable[[Order, int], object] | None = None
        """Called with (order, time) when an exit has ended, and was not canceled from here."""

    def attach(self, core: Any) -> None:
        """Listen to the orders of a node core."""
        self.core = core
        core.kernel.bus.subscribe("order.*", self._on_order, priority=-100)
        core.kernel.bus.subscribe("fill.*", self._on_fill, priority=-100)

    @property
    def now(self) -> int:
        """The kernel's time; 0 before there is one."""
        return 0 if self.core is None else int(self.core.kernel.clock.timestamp_ns)

    # -- commands of the kernel ----------------------------------------------------------------

    def submit(self, order: Order) -> None:
        """Record an order's intent, then queue its request."""
        legs = [leg for leg in (order.take_profit, order.stop_loss) if leg is not None]
        if order.parent is None and order.sibling is not None:
            legs = [order.sibling]
        limits = getattr(self.core.kernel.gate, "limits", None)
        known = self.journal.state.orders.get(order.client_order_id)
        if order.is_exit and known is not None and known.status in KEPT:
            self._met.add(order.number)
        intent = r.Intent(
            ts=self.now,
            inputs=self.core.inputs.count,
            order=order_state(order),
            legs=tuple(order_state(leg) for leg in legs),
            limits="" if limits is None else limits.version,
            trace=current_trace(),
        )
        self._sequences[order.number] = self.journal.record(intent)
        self.intents += 1
        self._unseen.update(each.number for each in (order, *legs))
        for each in (order, *legs):
            self._traces[each.number] = intent.trace
        self.client.submit(order)

    def change(self, order: Order, changes: dict[str, str]) -> None:
        """Record a replace's intent, then queue its request."""
        name = order.client_order_id
        intent = r.ChangeIntent(
            ts=self.now, inputs=self.core.inputs.count, client_order_id=name, changes=changes
        )
        self._sequences[order.number] = self.journal.record(intent)
        self.intents += 1
        self.client.change(order, changes)

    def withdraw(self, order: Order) -> None:
        """Record that a cancel leaves; it waits for nothing."""
        name = order.client_order_id
        self.journal.record(
            r.CancelIntent(ts=self.now, inputs=self.core.inputs.count, client_order_id=name)
        )
        self.client.withdraw(order)

    def subscribe(self, channel: str, symbol: str) -> None:
        """Hand a subscription on."""
        self.client.subscribe(channel, symbol)

    def trace_of(self, number: int) -> str:
        """Return the id of the message that led to an order; "" where there was none."""
        return self._traces.get(number, "")

    def sequence_of(self, number: int) -> int:
        """Return the record that has to be durable before an order's bytes leave."""
        return self._sequences.get(number, 0)

    def is_met_exit(self, number: int) -> bool:
        """Return whether an order is an exit that was kept here until its price came."""
        return number in self._met

    def forget(self, number: int) -> None:
        """Drop what is kept here of an order that has ended."""
        self._sequences.pop(number, None)
        self._traces.pop(number, None)
        self._unseen.discard(number)
        self._met.discard(number)
        self._unsent.pop(number, None)

    def not_sent(self, request: Any, reason: str) -> bool:
        """Record that an order's bytes were dropped, where none has left before.

        An order in doubt stays so though its repeat is dropped, and a replace that did not leave
        says nothing of the order itself.

        Returns
        -------
        bool
            Whether it is news: a way out in doubt is asked for again for as long as it takes.
        """
        number = request.order_number
        order = None if self.core is None else self.core.inputs.order(number)
        if order is None or request.purpose != "submit":
            return True
        if order.is_unknown:
            before, self._unsent[number] = self._unsent.get(number), reason
            return reason != before
        self.journal.record(
            r.NotSent(ts=self.now, client_order_id=order.client_order_id, reason=reason)
        )
        return True

    # -- what becomes of orders ----------------------------------------------------------------

    def state_of(self, order: Order) -> r.OrderState:
        """Return an order as it stands, the broker's names for it included."""
        venue_id, filled, cost = self.client.venue_of(order.number)
        state: r.OrderState = order_state(
            order, venue_order_id=venue_id, venue_filled=filled, venue_cost=cost
        )
        parts = self.client.parts_of(order.number)
        return msgspec.structs.replace(state, venue_parts=parts) if parts else state

    def _look_back(self, order: Order, what: str) -> None:
        """Alarm when something happens to an order that had ended; halt where it was given up."""
        ended = self.journal.state.closed.get(order.client_order_id)
        if ended is None:
            return
        text = f"{ended.client_order_id} was {ended.status}, and now is {what}"
        self.alarm("late_fill" if what == "filled" else "reopened", text)
        if ended.status == "LOST" and self.on_surprise is not None:
            self.on_surprise(order.symbol, text)

    def _on_order(self, event: OrderEvent) -> None:
        # What the orders of an algorithm fill, no execution tells of the order it works.
        if event.kind in QUIET_KINDS and event.order.algorithm is None:
            return
        if event.order.is_open:
            self._look_back(event.order, event.status.lower())
        elif event.kind in ENDS and event.order.is_exit:
            known = self.journal.state.orders.get(event.client_order_id)
            # One that is kept here has left no wish to cancel it: it was canceled at once.
            is_kept = known is not None and known.status == "EMULATED"
            wanted = known is None or known.cancel_wanted or (is_kept and event.kind == "canceled")
            if not wanted:
                self.lose_exit(event.order)
        self.journal.record(self.outcome_of(event))
        if event.kind == "unknown":
            self.alarm("unknown_order", f"{event.client_order_id}: {event.reason}")

    def lose_exit(self, order: Order) -> None:
        """Say that an exit has ended, and that nobody here wanted it to."""
        if self.on_lost_exit is not None:
            self.on_lost_exit(order, self.now)

    def outcome_of(self, event: OrderEvent) -> r.Outcome:
        """Return the record of what happened to an order, other than a fill."""
        return r.Outcome(
            ts=self.now,
            kind=event.kind,
            ts_event=event.ts_event,
            order=self.state_of(event.order),
            trace=self.trace_of(event.order.number),
            inputs=self.core.inputs.count,
        )

    def _on_fill(self, fill: Fill) -> None:
        order = fill.order
        assert order is not None
        name = order.strategy.name
        if self.historical is not None:
            self.historical.append(fill)
        self.filled[name] = None
        self._look_back(order, "filled")
        self.journal.record(self.execution_of(fill, historical=self.historical is not None))

    def execution_of(self, fill: Fill, *, historical: bool) -> r.Execution:
        """Return the record of a fill that was just applied."""
        order = fill.order
        assert order is not None
        return r.Execution(
            ts=self.now,
            ts_event=fill.ts_event,
            quantity=f"{fill.quantity_exact:f}",
            price=f"{fill.price_exact:f}",
            cumulative=f"{order.filled_quantity_exact:f}",
            order=self.state_of(order),
            position=position_state(position_of(order), order.strategy.name),
            fee=f"{fill.fee_value_exact:f}",
            historical=historical,
            trace=self.trace_of(order.number),
            inputs=self.core.inputs.count,
            accrued=_accrued(fill),
        )

    # -- other records -------------------------------------------------------------------------

    def note_sightings(self) -> None:
        """Record the broker's ids of orders that have become known by an answer alone."""
        for number in tuple(self._unseen):
            venue_id = self.client.venue_of(number)[0]
            order = self.core.inputs.order(number)
            if not venue_id and order is not None and order.is_open:
                continue
            self._unseen.discard(number)
            known = None if order is None else self.journal.state.orders.get(order.client_order_id)
            if known is not None and known.venue_order_id != venue_id:
                name = known.client_order_id
                self.journal.record(
                    r.Seen(ts=self.now, client_order_id=name, venue_order_id=venue_id)
                )

    def save_strategy(self, strategy: Any) -> None:
        """Record what a strategy wants to keep; what cannot be kept is an alarm."""
        self.core.enter()
        try:
            state = r.ENCODER.encode(strategy.on_save())
            # What cannot be read back would bar the next start.
            decode_saved(state)
            self._check_room(strategy.name, state)
        except Exception as error:
            self.alarm("on_save", f"{strategy.name}.on_save: {type(error).__name__}: {error}")
            return
        finally:
            self.core.leave()
        self.journal.record(
            r.StrategySave(
                ts=self.now,
                strategy=strategy.name,
                inputs=self.core.inputs.count,
                state=state,
            )
        )

    def _check_room(self, name: str, state: bytes) -> None:
        """Refuse what is too much to keep: what was saved before stays."""
        saves = self.journal.state.saves
        others = sum(len(saved) for other, (_, saved) in saves.items() if other != name)
        for size, most, whose in (
            (len(state), SAVE_MAX, "its state"),
            (others + len(state), SAVES_MAX, "that of all strategies"),
        ):
            if size > most:
                raise StrategyError(
                    f"{whose} is {size / MIB:.1f} MiB, at most {most / MIB:g} are kept"
                )

    def save_risk(self) -> int:
        """Record what the risk engine goes on from; return the record's sequence, 0 for none."""
        save = getattr(self.core.kernel.gate, "save", None)
        if save is None:
            return 0
        saved, inputs = r.ENCODER.encode(save()), self.core.inputs.count
        return self.journal.record(
            r.RiskState(
                ts=self.now,
                saved=saved,
                inputs=inputs,
                cash=f"{self.core.stated_cash:f}",
                accrued=self.core.fee_ledger.by_day,
            )
        )

    def alarm(self, code: str, text: str, now: int | None = None) -> None:
        """Record an alarm and pass it on; one that repeats soon after is dropped."""
        ts = self.now if now is None else now
        text = self.clean(text)
        key = f"{code}: {text}"
        last = self._alarmed.get(key)
        if last is not None and ts - last < ALARM_GAP_NS:
            return
        if len(self._alarmed) > 1000:
            self._alarmed.clear()
        self._alarmed[key] = ts
        self.journal.record(r.Alarmed(ts=ts, code=code, text=text))
        if self.on_alarm is not None:
            self._hearing.call(self.on_alarm, code, text)


def _accrued(fill: Fill) -> dict[str, str]:
    """Return what a fill's fee adds to those that the broker has still to charge."""
    assert fill.order is not None
    in_money = fill.fee_currency == fill.order.instrument.currency
    return {fee_day(fill.ts_event): f"{fill.fee_exact:f}"} if in_money and fill.fee_exact else {}


def decode_saved(state: bytes) -> dict[str, Any]:
    """Return what `on_save` had returned."""
    return msgspec.msgpack.decode(state, type=dict[str, Any])
