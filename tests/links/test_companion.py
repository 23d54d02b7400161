"""The links of a running node: what models read of it, and what becomes of their signals."""

from __future__ import annotations

import asyncio
import threading
import time
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pyrt import LiveNode, Signal, Strategy
from pyrt.core.data import Bar
from pyrt.errors import ConfigError
from pyrt.live.process.heartbeat import NODE_BEAT, read_beat
from tests.adapters.client.exchange import Broker
from tests.live.server import Server
from tests.live.test_node import KEYS, config_for, stop_when_over

zmq = pytest.importorskip("zmq")

from pyrt.links import Message, SignalInlet, SignalSender, Subscriber  # noqa: E402
from pyrt.links import companion as module  # noqa: E402
from pyrt.links.companion import LinkCompanion  # noqa: E402

CLOSES = [100.0 + i / 10 for i in range(60)]
TOPICS = ("data.*", "order.*", "position.*", "risk.*", "signal.*")


class Listener(Strategy):
    """Trades toward what signals ask for."""

    def on_start(self) -> None:
        self.subscribe_bars("SPY", "1m")
        self.subscribe("signal.SPY", self.on_signal)
        self.heard: list[Signal] = []

    def on_signal(self, signal: Signal) -> None:
        self.heard.append(signal)
        self.target_position("SPY", signal.quantity)


class Waiting(Server):
    """A server whose market begins once somebody says so."""

    def __init__(self, broker: Broker, begins: threading.Event) -> None:
        super().__init__(broker, pace_s=0.03)
        self._begins = begins

    async def _tick(self) -> None:
        while not self._begins.is_set():
            await asyncio.sleep(0.005)
        await super()._tick()


def model(feed: str, signals: str, seen: list[Message], hears: threading.Event) -> None:
    """Read all that a node publishes; ask for 7 at the third bar, and once for what is absurd."""
    bars = 0
    with Subscriber(feed) as source, SignalSender(signals) as sink:
        while (message := source.receive(30.0)) is not None:
            seen.append(message)
            hears.set()
            if isinstance(message.value, Bar):
                bars += 1
                if bars == 3:
                    sink.send(Signal("SPY", "hold", 5.0, 1.0, message.value.ts_event))
                    sink.send(Signal("SPY", "buy", 7.0, 1.0, message.value.ts_event))
            if message.topic == "order.Listener.fill":
                return


def test_a_model_reads_a_nodes_bars_and_its_signal_is_traded(tmp_path: Path) -> None:
    feed, signals = f"ipc://{tmp_path}/feed", f"ipc://{tmp_path}/signals"
    seen: list[Message] = []
    broker, strategy, hears = Broker(CLOSES), Listener(), threading.Event()
    with Waiting(broker, hears) as server:
        node = LiveNode(config_for(server), KEYS)
        links = LinkCompanion(feed, TOPICS, signals)
        node.companions.append(links)
        node.add_strategy(strategy)
        stop_when_over(server, node)
        other = threading.Thread(target=model, args=(feed, signals, seen, hears), daemon=True)
        other.start()
        node.run()
        other.join(10)
    # The market is of another day: what counts there is when a signal was sent.
    assert [(s.side, s.quantity) for s in strategy.heard] == [("buy", 7.0)]
    assert len(broker.posted) == 1
    bars = [m for m in seen if isinstance(m.value, Bar)]
    first = CLOSES.index(bars[0].value.close)
    assert [bar.value.close for bar in bars] == CLOSES[first : first + len(bars)]
    assert all(m.trace for m in bars), "each says which frame it came in"
    topics = {m.topic for m in seen}
    assert {"data.bars.SPY.1m", "signal.SPY", "risk.approved.Listener", "order.Listener"} <= topics
    (fill,) = (m for m in seen if m.topic == "order.Listener.fill")
    assert Decimal(str(fill.payload["quantity"])) == 7
    (signal,) = (m for m in seen if m.topic == "signal.SPY")
    assert fill.trace == signal.trace != "", "the order goes back to the signal it followed"
    beats = [m.payload for m in seen if m.topic == "system.heartbeat"]
    assert beats[0]["refused"] == {}
    assert beats[0].keys() >= {"ready", "run_id", "sent", "dropped", "failed", "taken", "missed"}


def test_a_flood_of_signals_leaves_the_loop_to_others(tmp_path: Path) -> None:
    """No call takes more than so many, though more come than can be taken."""
    address, calls = f"ipc://{tmp_path}/signals", []
    taken = 0

    def take(signals: list[Signal]) -> None:
        nonlocal taken
        calls.append(len(signals))
        taken += len(signals)

    node: Any = SimpleNamespace(
        core=SimpleNamespace(kernel=None),
        config=SimpleNamespace(symbols=("SPY",), is_rehearsal=False),
        take_signals=take,
    )
    count = 5 * module.AT_ONCE + 3

    async def run() -> int:
        links, turns = LinkCompanion("", (), address), 0
        await links.begin(node)
        with SignalSender(address) as sender:
            for number in range(2 * count):
                # Every other is refused: a batch of those alone is not the end.
                side = "buy" if number >= count else "hold"
                sender.send(Signal("SPY", side, 1.0, 1.0, time.time_ns()))
            while taken < count and turns < 100_000:
                turns += 1
                await asyncio.sleep(0)
        assert isinstance(links.inlet, SignalInlet)
        refused = links.inlet.refused
        await links.end()
        assert refused == {"side": count}
        return turns

    turns = asyncio.run(run())
    assert taken == count
    assert max(calls) <= module.AT_ONCE
    assert turns > len(calls)


def test_a_signal_that_the_node_cannot_take_ends_it_as_a_turn_would(monkeypatch: Any) -> None:
    """An error outside of a turn was told to nobody, and the node went on without the signal."""

    def take_signal(now: int, signal: Signal) -> None:
        raise RuntimeError("of ours")

    class Failing:
        async def begin(self, node: LiveNode) -> None:
            monkeypatch.setattr(node.driver, "take_signal", take_signal)
            node.take_signals([Signal("SPY", "buy", 1.0, 1.0, time.time_ns())])

        async def end(self) -> None:
            pass

    with Server(Broker(CLOSES)) as server:
        node = LiveNode(config_for(server), KEYS)
        node.companions.append(Failing())
        node.add_strategy(Listener())
        with pytest.raises(RuntimeError, match="of ours"):
            node.run()


def test_what_goes_wrong_with_some_signals_leaves_the_rest_to_be_heard(tmp_path: Path) -> None:
    """The descriptor tells of a change only: what is left then would lie there for ever."""
    address = f"ipc://{tmp_path}/signals"
    calls: list[int] = []

    def take(signals: list[Signal]) -> None:
        calls.append(len(signals))
        if len(calls) == 1:
            raise RuntimeError("of ours")

    node: Any = SimpleNamespace(
        core=SimpleNamespace(kernel=None),
        config=SimpleNamespace(symbols=("SPY",), is_rehearsal=False),
        take_signals=take,
    )
    count = 3 * module.AT_ONCE

    async def run() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda loop, told: None)
        links = LinkCompanion("", (), address)
        await links.begin(node)
        with SignalSender(address) as sender:
            for _ in range(count):
                sender.send(Signal("SPY", "buy", 1.0, 1.0, time.time_ns()))
            for _ in range(100_000):
                if sum(calls) == count:
                    break
                await asyncio.sleep(0)
        await links.end()

    asyncio.run(run())
    assert sum(calls) == count


class Speaks(Strategy):
    """Notes that it was started."""

    def on_start(self) -> None:
        self.subscribe_bars("SPY", "1m")
        self.has_spoken = True


@pytest.mark.parametrize("name", ["publish", "signals"])
def test_an_address_that_is_taken_ends_a_start_before_strategies_speak(
    tmp_path: Path, name: str
) -> None:
    """The node died with its orders at work, and the watchdog canceled those of earlier runs."""
    address, state = f"ipc://{tmp_path}/link", tmp_path / "state"
    links = {"publish": "", "topics": TOPICS, "signals": "", name: address}
    strategy = Speaks()
    with Server(Broker(CLOSES)) as server, SignalInlet(address):
        node = LiveNode(config_for(server, state_dir=str(state)), KEYS)
        companion = LinkCompanion(**links)
        node.companions.append(companion)
        node.add_strategy(strategy)
        with pytest.raises(ConfigError, match="cannot be bound: another link") as taken:
            node.run()
    assert taken.value.code == "link_address"
    assert not hasattr(strategy, "has_spoken")
    assert read_beat(state, NODE_BEAT) is None
    # It has kept nothing of its own either.
    with SignalInlet(address):
        pass


def test_what_models_say_while_strategies_start_is_heard(tmp_path: Path) -> None:
    address, heard = f"ipc://{tmp_path}/signals", []
    node: Any = SimpleNamespace(
        core=SimpleNamespace(kernel=None),
        config=SimpleNamespace(symbols=("SPY",), is_rehearsal=False),
        take_signals=heard.extend,
    )

    async def run() -> None:
        links = LinkCompanion("", (), address)
        await links.prepare(node)
        with SignalSender(address) as sender:
            sender.send(Signal("SPY", "buy", 1.0, 1.0, time.time_ns()))
        assert heard == []
        await links.begin(node)
        until = time.monotonic() + 20
        while not heard:
            assert time.monotonic() < until
            await asyncio.sleep(0.001)
        await links.end()

    asyncio.run(run())
    assert len(heard) == 1
