"""What a node writes down of each command and of what becomes of it, and whom it tells."""

from __future__ import annotations

from typing import Any

import pytest

from pyrt import Strategy
from pyrt.core.instruments import equity
from pyrt.live.core.node import NodeCore
from pyrt.live.core.tape import Tape
from pyrt.live.driver.scribe import Scribe, decode_saved
from pyrt.live.journal import records as r
from pyrt.live.journal.journal import Journal, read_records
from pyrt.live.observe.traces import trace
from pyrt.risk import Limits, RiskEngine
from pyrt.risk.gate import BasicGate
from pyrt.testing.files import MemoryFiles

T0 = 1_700_000_000_000_000_000


class Idle(Strategy):
    """Does what a test tells it to."""

    def on_start(self):
        self.saved = {}

    def on_save(self):
        if isinstance(self.saved, Exception):
            raise self.saved
        return self.saved


class Broker:
    """A client that notes what it is asked for, and what its orders are called there."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self.names: dict[int, tuple[str, str, str]] = {}
        self.parts: dict[int, tuple[tuple[str, str, str], ...]] = {}

    def submit(self, order: Any) -> None:
        self.asked.append(("submit", order.client_order_id))

    def change(self, order: Any, changes: dict[str, str]) -> None:
        self.asked.append(("change", order.client_order_id, changes))

    def withdraw(self, order: Any) -> None:
        self.asked.append(("withdraw", order.client_order_id))

    def subscribe(self, channel: str, symbol: str) -> None:
        self.asked.append(("subscribe", channel, symbol))

    def venue_of(self, number: int) -> tuple[str, str, str]:
        return self.names.get(number, ("", "", ""))

    def parts_of(self, number: int) -> tuple[tuple[str, str, str], ...]:
        return self.parts.get(number, ())


class Desk:
    """A node core whose commands and orders a scribe writes down."""

    def __init__(self, gate: Any = None) -> None:
        self.broker = Broker()
        self.scribe = Scribe(Journal(MemoryFiles()), self.broker)
        self.core = NodeCore(
            self.scribe,
            gate or BasicGate(),
            [equity("SPY")],
            [Idle()],
            cash=10_000,
            prefix="t-",
            tape=Tape(),
        )
        self.scribe.attach(self.core)
        self.alarms: list[tuple[str, str]] = []
        self.scribe.on_alarm = lambda code, text: self.alarms.append((code, text))
        self.strategy: Any = self.core.kernel.strategies[0]
        self.core.start(T0)
        self.core.take(T0, [])

    def send(self, side: str = "buy", quantity: float = 5, **terms: Any) -> Any:
        order = getattr(self.strategy, side)("SPY", quantity, **terms)
        self.core.take(T0, [])
        return order

    def tell(self, kind: str, order: Any, text: str = "", *, ts: int = T0 + 5) -> None:
        self.core.inputs.order_event(kind, order.number, ts, text)

    def fill(self, order: Any, quantity: int, price: int = 100, *, ts: int = T0 + 7) -> None:
        cumulative = order.filled_quantity + quantity
        self.core.inputs.fill(order.number, ts, quantity, price, cumulative)

    def written(self, kind: type[r.Record]) -> list[Any]:
        self.scribe.journal.commit()
        return [x for _, x in read_records(self.scribe.journal.files) if isinstance(x, kind)]


# -- commands --------------------------------------------------------------------------------------


def test_each_command_is_written_down_and_handed_on():
    made = Desk()
    order = made.send(limit_price=90)
    made.tell("accepted", order)
    made.strategy.modify(order, quantity=7)
    made.core.take(T0, [])
    made.strategy.cancel(order)
    made.core.take(T0, [])
    assert made.broker.asked == [
        ("submit", "t-1"), ("change", "t-1", {"quantity": "7"}), ("withdraw", "t-1"),
    ]  # fmt: skip
    (intent,), (change,), (cancel,) = map(made.written, (r.Intent, r.ChangeIntent, r.CancelIntent))
    assert (intent.order.client_order_id, intent.legs, intent.limits) == ("t-1", (), "")
    assert (change.client_order_id, change.changes) == ("t-1", {"quantity": "7"})
    assert cancel.client_order_id == "t-1"
    places = [intent.inputs, change.inputs, cancel.inputs]
    assert 0 < places[0] < places[1] <= places[2] == made.core.inputs.count
    assert {intent.ts, change.ts, cancel.ts} <= {T0, T0 + 5}


def test_an_order_may_leave_once_its_last_intent_is_durable():
    made = Desk()
    assert made.scribe.intents == 0
    order = made.send(limit_price=90)
    first = made.scribe.sequence_of(order.number)
    assert first == made.scribe.journal.last > 0
    made.tell("accepted", order)
    made.strategy.modify(order, quantity=7)
    made.core.take(T0, [])
    assert made.scribe.sequence_of(order.number) == made.scribe.journal.last > first
    assert made.scribe.intents == 2
    # A cancel waits for nothing, and no limit is used by it.
    made.strategy.cancel(order)
    made.core.take(T0, [])
    assert made.scribe.intents == 2
    assert made.scribe.sequence_of(order.number) < made.scribe.journal.last


def test_subscriptions_are_handed_on_as_they_come():
    made = Desk()
    made.strategy.subscribe_bars("SPY", "1m")
    assert ("subscribe", "bars", "SPY") in made.broker.asked


def test_orders_and_all_they_bring_carry_the_id_of_what_led_to_them():
    made = Desk()
    with trace("one-7"):
        order = made.send(limit_price=90, take_profit=120, stop_loss=80)
    legs = (order.take_profit, order.stop_loss)
    assert [made.scribe.trace_of(each.number) for each in (order, *legs)] == ["one-7"] * 3
    made.tell("accepted", order)
    assert made.written(r.Intent)[0].trace == "one-7"
    assert {outcome.trace for outcome in made.written(r.Outcome)} == {"one-7"}
    assert made.scribe.trace_of(99) == ""
    assert made.scribe.sequence_of(99) == 0


def test_a_pair_leaves_as_one_intent():
    made = Desk()
    made.fill(made.send(quantity=2), 2)
    profit, loss = made.strategy.oco("SPY", 2, take_profit=120, stop_loss=80)
    made.core.take(T0, [])
    intent = made.written(r.Intent)[-1]
    assert intent.order.client_order_id == profit.client_order_id
    assert [leg.client_order_id for leg in intent.legs] == [loss.client_order_id]
    assert intent.legs[0].order_type == "stop"


class Request:
    """What an adapter's queue holds."""

    def __init__(self, number: int, purpose: str = "submit") -> None:
        self.order_number, self.purpose = number, purpose


def test_only_a_submit_of_which_nothing_has_left_was_never_sent():
    made = Desk()
    order = made.send(limit_price=90)
    for request in (Request(order.number, "replace"), Request(99)):
        made.scribe.not_sent(request, "late")
    assert made.written(r.NotSent) == []
    made.scribe.not_sent(Request(order.number), "too old")
    (told,) = made.written(r.NotSent)
    assert (told.client_order_id, told.reason, told.ts) == ("t-1", "too old", T0)
    in_doubt = made.send(limit_price=90)
    made.tell("unknown", in_doubt)
    made.scribe.not_sent(Request(in_doubt.number), "late")
    assert len(made.written(r.NotSent)) == 1


def test_before_there_is_a_core_nothing_was_sent_and_no_time_has_come():
    scribe = Scribe(Journal(MemoryFiles()), Broker())
    scribe.not_sent(Request(1), "late")
    assert (scribe.now, scribe.journal.last) == (0, 0)


# -- what becomes of them --------------------------------------------------------------------------


def test_an_outcome_has_the_order_as_it_stands_and_as_the_broker_calls_it():
    made = Desk()
    order = made.send(limit_price=90)
    made.broker.names[order.number] = ("v-2", "3", "270")
    made.broker.parts[order.number] = (("v-1", "1", "90"),)
    made.tell("accepted", order, ts=T0 + 5)
    (outcome,) = made.written(r.Outcome)
    assert (outcome.kind, outcome.ts_event, outcome.order.status) == (
        "accepted", T0 + 5, "ACCEPTED",
    )  # fmt: skip
    known = outcome.order
    assert (known.venue_order_id, known.venue_filled, known.venue_cost) == ("v-2", "3", "270")
    assert known.venue_parts == (("v-1", "1", "90"),)
    assert outcome.inputs == made.core.inputs.count


def test_that_an_order_was_sent_or_has_filled_is_told_by_other_records():
    made = Desk()
    order = made.send()
    made.fill(order, 5)
    assert made.written(r.Outcome) == []
    (fill,) = made.written(r.Execution)
    assert (fill.quantity, fill.price, fill.cumulative, fill.ts_event) == ("5", "100", "5", T0 + 7)
    assert (fill.position.units, fill.position.strategy) == (5 * 10**9, "Idle")
    assert fill.inputs == made.core.inputs.count
    assert list(made.scribe.filled) == ["Idle"]


def test_fills_from_before_the_strategies_run_are_kept_for_them_and_marked():
    made = Desk()
    order = made.send()
    made.scribe.historical = []
    made.fill(order, 2)
    made.scribe.historical, missed = None, made.scribe.historical
    made.fill(order, 3)
    assert [fill.quantity for fill in missed] == [2]
    assert [fill.historical for fill in made.written(r.Execution)] == [True, False]


def test_an_order_whose_fate_is_not_known_is_told():
    made = Desk()
    order = made.send()
    made.tell("unknown", order, "HTTP 504")
    assert made.alarms == [("unknown_order", "t-1: HTTP 504")]
    assert [outcome.kind for outcome in made.written(r.Outcome)] == ["unknown"]


def test_what_happens_to_an_order_that_had_ended_is_told_and_halts_where_it_was_given_up():
    for end, halts in (("canceled", False), ("lost", True)):
        made = Desk()
        surprises: list[tuple[str, str]] = []
        made.scribe.on_surprise = lambda *told, to=surprises: to.append(told)
        order = made.send(limit_price=90)
        if end == "canceled":
            made.tell("accepted", order)
        made.tell(end, order)
        assert made.alarms == []
        made.fill(order, 5)
        text = f"t-1 was {end.upper()}, and now is filled"
        assert made.alarms == [("late_fill", text)]
        assert surprises == ([("SPY", text)] if halts else [])


def test_an_order_that_is_open_again_is_told():
    made = Desk()
    order = made.send(limit_price=90)
    made.tell("lost", order)
    made.tell("accepted", order)
    assert made.alarms == [("reopened", "t-1 was LOST, and now is accepted")]


@pytest.mark.parametrize(
    ("kind", "is_exit", "asked", "is_told"),
    [
        ("canceled", True, False, True),
        ("expired", True, False, True),
        ("rejected", True, False, True),
        ("canceled", True, True, False),
        ("canceled", False, False, False),
        ("accepted", True, False, False),
    ],
)
def test_an_exit_that_ends_and_was_not_canceled_from_here_is_told(kind, is_exit, asked, is_told):
    made = Desk()
    lost: list[tuple[str, int]] = []
    made.scribe.on_lost_exit = lambda order, now: lost.append((order.client_order_id, now))
    made.fill(made.send(quantity=5), 5)
    order = made.send("sell" if is_exit else "buy", 5, stop_price=80 if is_exit else 120)
    assert order.is_exit is is_exit
    if kind not in ("accepted", "rejected"):
        made.tell("accepted", order)
    if asked:
        made.strategy.cancel(order)
        made.core.take(T0, [])
    made.tell(kind, order)
    assert lost == ([("t-2", made.scribe.now)] if is_told else [])


# -- the broker's ids ------------------------------------------------------------------------------


def seen(made: Desk) -> list[tuple[str, str]]:
    made.scribe.note_sightings()
    return [(told.client_order_id, told.venue_order_id) for told in made.written(r.Seen)]


def test_the_brokers_ids_are_written_down_once_of_an_order_and_all_it_brings():
    made = Desk()
    order = made.send(limit_price=90, take_profit=120, stop_loss=80)
    assert seen(made) == []
    made.broker.names[order.number] = ("v-1", "0", "0")
    assert seen(made) == [("t-1", "v-1")]
    made.broker.names[order.take_profit.number] = ("v-2", "0", "0")
    assert seen(made) == [("t-1", "v-1"), ("t-2", "v-2")]
    made.broker.names[order.stop_loss.number] = ("v-3", "0", "0")
    # Replaced by another there: the outcome tells of that.
    made.broker.names[order.number] = ("v-9", "0", "0")
    assert seen(made) == [("t-1", "v-1"), ("t-2", "v-2"), ("t-3", "v-3")]


def test_an_id_that_an_outcome_has_told_or_of_an_order_that_has_ended_is_not_written_again():
    made = Desk()
    told, ended = made.send(limit_price=90), made.send(limit_price=91)
    made.broker.names[told.number] = ("v-1", "0", "0")
    made.tell("accepted", told)
    made.tell("rejected", ended, "no")
    made.broker.names[ended.number] = ("v-2", "0", "0")
    forgotten = made.send(limit_price=92)
    made.scribe.forget(forgotten.number)
    made.broker.names[forgotten.number] = ("v-3", "0", "0")
    assert seen(made) == []


# -- what strategies and risk keep -----------------------------------------------------------------


def test_what_a_strategy_saves_is_written_down_with_its_place():
    made = Desk()
    made.strategy.saved = {"seen": 3}
    made.scribe.save_strategy(made.strategy)
    (save,) = made.written(r.StrategySave)
    assert (save.strategy, save.ts, save.inputs) == ("Idle", T0, made.core.inputs.count)
    assert decode_saved(save.state) == {"seen": 3}


@pytest.mark.parametrize(
    ("saved", "text"),
    [
        (KeyError("x"), "Idle.on_save: KeyError: 'x'"),
        ({"what": object()}, "Idle.on_save: TypeError: Encoding objects of type object"),
    ],
)
def test_a_save_that_fails_is_told_and_writes_nothing(saved, text):
    made = Desk()
    made.strategy.saved = saved
    made.scribe.save_strategy(made.strategy)
    ((code, told),) = made.alarms
    assert code == "on_save"
    assert told.startswith(text)
    assert made.written(r.StrategySave) == []


def test_risk_is_written_down_where_there_is_something_to_go_on_from():
    made = Desk(RiskEngine(Limits(max_order_quantity=10)))
    made.scribe.save_risk()
    (kept,) = made.written(r.RiskState)
    assert (kept.ts, kept.inputs) == (T0, made.core.inputs.count)
    again = RiskEngine(Limits(max_order_quantity=10))
    assert decode_saved(kept.saved).keys() == again.save().keys()
    plain = Desk(BasicGate())
    plain.scribe.save_risk()
    assert plain.written(r.RiskState) == []
