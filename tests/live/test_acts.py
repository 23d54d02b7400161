"""What is done with a core from outside its events: in a live run and in its replay alike."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace as Stub
from typing import Any

import msgspec
import pytest

from pyrt.core.data import Signal
from pyrt.live.driver import acts
from pyrt.live.driver.resuming import _POSITIONS, encode_states
from pyrt.live.journal import records as r


class Strategy:
    """Notes what it hears; `hears` are the handlers that it has."""

    def __init__(self, name: str, *, hears: tuple[str, ...] = (), running: bool = True) -> None:
        self.name, self.running = name, running
        self._hears = hears
        self.heard: list[Any] = []
        self.canceled: list[str] = []

    def handles(self, handler: str) -> bool:
        return handler in self._hears

    def on_load(self, state: Any) -> None:
        self.heard.append(("load", state))

    def on_fill(self, fill: Any) -> None:
        self.heard.append(("fill", fill.number))
        if fill.number == 13:
            raise RuntimeError("unlucky")

    def cancel(self, order: Any) -> None:
        self.canceled.append(order.client_order_id)


class Core:
    """A core that notes what is done with it, in order."""

    def __init__(self, *strategies: Strategy, **gate: Any) -> None:
        self.did: list[Any] = []
        self.orders: list[Any] = []
        self.gate = Stub(**gate)
        self.kernel = Stub(
            strategies=strategies, gate=self.gate,
            account=Stub(deposit=lambda amount: self.did.append(amount)),
            cache=Stub(orders_open=lambda symbol=None: self.orders),
            calls=Stub(bus_failed=lambda *given: self.did.append(("failed", *given[1:]))),
            bus=Stub(
                begin=lambda: self.did.append("begin"), end=lambda: self.did.append("end"),
                publish=lambda topic, value: self.did.append((topic, value)),
            ),
        )  # fmt: skip
        self.inputs = Stub(settle=lambda: self.did.append("settle"))

    def enter(self) -> None:
        self.did.append("enter")

    def leave(self) -> None:
        self.did.append("leave")

    def start(self, now: int) -> None:
        self.did.append(("start", now))

    def stop(self) -> None:
        self.did.append("stop")


def packed(value: Any) -> bytes:
    return msgspec.msgpack.encode(value)


def test_strategies_start_before_what_they_saved_is_loaded():
    loads, deaf, new = (
        Strategy("A", hears=("on_load",)), Strategy("B"), Strategy("C", hears=("on_load",)),
    )  # fmt: skip
    core = Core(loads, deaf, new)
    saves = {"A": packed({"seen": 3}), "B": packed({"seen": 4}), "gone": packed({})}
    acts.start_strategies(core, 7, saves)
    assert core.did == ["enter", ("start", 7), "leave", "enter", "begin", "end", "leave"]
    assert [each.heard for each in (loads, deaf, new)] == [[("load", {"seen": 3})], [], []]


def test_fills_that_came_meanwhile_are_told_to_whoever_runs_and_listens():
    hears, deaf, stopped = (
        Strategy("A", hears=("on_fill",)), Strategy("B"),
        Strategy("C", hears=("on_fill",), running=False),
    )  # fmt: skip
    core = Core(hears, deaf, stopped)
    owners = (hears, deaf, stopped, hears)
    fills = [Stub(number=at, order=Stub(strategy=each)) for at, each in enumerate(owners)]
    acts.tell_missed(core, fills)
    assert hears.heard == [("fill", 0), ("fill", 3)]
    assert deaf.heard == stopped.heard == []
    assert core.did == ["enter", "begin", "end", "leave"] * 2


def test_a_handler_that_raises_is_one_that_has_failed_and_no_other():
    hears = Strategy("A", hears=("on_fill",))
    core = Core(hears)
    fills = [Stub(number=number, order=Stub(strategy=hears)) for number in (13, 14)]
    acts.tell_missed(core, fills)
    assert hears.heard == [("fill", 13), ("fill", 14)]
    _, begun, (what, fill, error), ended, *rest = core.did
    assert (begun, what, fill, str(error), ended) == ("begin", "failed", fills[0], "unlucky", "end")
    assert rest == ["leave", "enter", "begin", "end", "leave"]


@pytest.mark.parametrize(("symbol", "topic"), [("SPY", "signal.SPY"), ("A.B", "signal.A%2EB")])
def test_a_signal_is_heard_on_its_symbols_topic(symbol, topic):
    core = Core()
    signal = Signal(symbol=symbol, side="buy", quantity=1, confidence=0.5, ts_event=1)
    acts.publish_signal(core, signal)
    # What is done about it is settled by an input of its own, in a replay too.
    assert core.did == ["enter", (topic, signal), "leave"]


def test_figures_are_stated_exactly_and_by_nobody_who_is_written_down():
    recorders = []
    gate = {
        "set_adv": lambda *given: recorders.append((given, core.gate.recorder)),
        "set_atr": lambda *given: recorders.append((given, core.gate.recorder)),
    }
    core = Core(**gate, recorder=print)
    acts.state_volume(core, "SPY", "12.5")
    acts.state_range(core, "SPY", "2.5")
    assert recorders == [(("SPY", Decimal("12.5")), None), (("SPY", 2.5), None)]
    assert isinstance(recorders[0][0][1], Decimal)
    assert isinstance(recorders[1][0][1], float)
    assert core.gate.recorder is print


@pytest.mark.parametrize(
    ("policy", "canceled"),
    [("leave", []), ("cancel_entries", ["in"]), ("cancel_all", ["in", "out"]), ("flatten", [])],
)
def test_strategies_stop_before_their_orders_are_treated_as_the_policy_says(policy, canceled):
    strategy = Strategy("A")
    core = Core(strategy)
    core.orders = [
        Stub(client_order_id=name, is_exit=name == "out", strategy=strategy)
        for name in ("in", "out")
    ]
    acts.stop_strategies(core, policy)
    assert core.did == ["enter", "stop", "leave"]
    assert strategy.canceled == canceled


def changing(name: str, changes: int) -> Any:
    return Stub(client_order_id=name, changes=changes, asked=(f"asked of {name}",))


def test_a_gate_counts_what_may_come_of_changes_that_nobody_has_answered():
    told: list[Any] = []
    core = Core(expect_change=lambda *given: told.append(given))
    core.orders = [Stub(client_order_id=name) for name in ("a", "b")]
    acts.expect_changes(core, [changing("a", 2), changing("b", 0), changing("gone", 1)])
    assert told == [(core.orders[0], 2, "asked of a")]
    # A gate of a user's own may not want to know.
    acts.expect_changes(Core(), [changing("a", 2)])


def test_states_for_a_note_are_read_back_as_they_were():
    held = [r.PositionState(strategy="A", symbol="SPY", units=3, open_cost="1", realized="0",
                            fees="0", mark=2, entered="1")]  # fmt: skip
    assert _POSITIONS.decode(encode_states(held)) == tuple(held)
    assert _POSITIONS.decode(encode_states([])) == ()
