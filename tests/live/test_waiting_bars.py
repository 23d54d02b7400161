"""Bars made of minutes wait for those of a gap: a line that is away as they end costs nothing."""

from __future__ import annotations

import json
from types import SimpleNamespace as Stub
from typing import Any

import pytest

from pyrt import Strategy
from pyrt.adapters.alpaca.core.client import AlpacaClient
from pyrt.adapters.alpaca.core.events import TradeEvent
from pyrt.core.instruments import crypto, equity
from pyrt.core.times import format_ns
from pyrt.kernel.subscriptions import GRACE_NS
from pyrt.live.core.node import NodeCore
from pyrt.live.core.tape import Tape
from pyrt.live.driver.playback import Playback
from pyrt.live.driver.waiting_bars import WaitingBars
from pyrt.risk.gate import BasicGate
from tests.adapters.client.test_streams import KEYS, activate
from tests.live.cores import COIN, NOW, SECOND, Wire, taken

MINUTE = 60 * SECOND
STEP = SECOND // 10
MINUTES = 12


class Bars(Strategy):
    """Writes down every bar, and after how many seconds it came."""

    def on_start(self) -> None:
        self.seen: list[tuple[Any, ...]] = []
        for symbol in ("SPY", COIN):
            self.subscribe_bars(symbol, "1m")
            self.subscribe_bars(symbol, "5m")

    def on_bar(self, bar: Any) -> None:
        after = (self.now - bar.ts_event) / SECOND
        minute = (bar.ts_event - NOW) // MINUTE
        self.seen.append((bar.symbol, bar.timeframe, minute, bar.close, bar.volume, after))

    def of(self, symbol: str, timeframe: str) -> list[tuple[Any, ...]]:
        """What was seen, without when it came."""
        return [row[2:5] for row in self.seen if row[:2] == (symbol, timeframe)]


def row(minute: int) -> dict[str, Any]:
    price = 100 + minute
    prices = dict.fromkeys("ohlc", price)
    return {"t": format_ns(NOW + minute * MINUTE), **prices, "v": 10}


def core_of(client: Any, strategy: Strategy) -> NodeCore:
    instruments = [equity("SPY"), crypto(COIN)]
    core = NodeCore(
        client, BasicGate(), instruments, [strategy], cash=1_000, prefix="t-", tape=Tape()
    )
    core.kernel.grace_ns = GRACE_NS
    return core


class World:
    """A node whose stocks' line may be away for a while; coins have a line of their own.

    Its process may stand still: what comes meanwhile is heard message by message when it goes on.
    """

    def __init__(self, away: range = range(0), still: range = range(0)) -> None:
        self.still = still
        self.client, self.strategy, self.away = AlpacaClient("run-", KEYS), Bars(), away
        self.core = core_of(self.client, self.strategy)
        self.waiting = WaitingBars(
            # Of a run it asks these three alone.
            Stub(client=self.client, core=self.core, live_core=self.core)  # type: ignore[arg-type]
        )
        self.core.start(NOW)
        activate(self.client.market_data, NOW)
        activate(self.client.crypto_data, NOW)

    def take(self, now: int, events: list[Any]) -> None:
        """As a driver does."""
        self.waiting.hold()
        self.core.take(now, events)
        self.waiting.release()

    def run(self) -> Bars:
        waiting: list[int] = []
        for now in range(NOW, NOW + MINUTES * MINUTE, STEP):
            if now == self.away.start:
                self.client.market_data.closed(now)
            if now == self.away.stop:
                activate(self.client.market_data, now)
            minute, rest = divmod(now - NOW, MINUTE)
            if minute and rest == STEP:
                waiting.append(minute - 1)
            if now in self.still:
                continue
            while waiting:
                self.hear(now, waiting.pop(0))
            self.take(now, self.client.poll(now))
            for request in self.client.take_requests(now):
                self.answer(request, now)
        return self.strategy

    def hear(self, now: int, minute: int) -> None:
        for stream, symbol in (
            (self.client.market_data, "SPY"),
            (self.client.crypto_data, COIN),
        ):
            if stream.is_active:
                frame = json.dumps([{"T": "b", "S": symbol, **row(minute)}])
                self.take(now, stream.receive(frame, now))

    def answer(self, request: Any, now: int) -> None:
        if not request.purpose.startswith("gap:"):
            return
        start = request.path.partition("start=")[2][:23].replace("%3A", ":")
        rows = [row(i) for i in range((now - NOW) // MINUTE)]
        page = {"bars": {"SPY": [r for r in rows if r["t"] >= start]}, "next_page_token": None}
        self.take(now, self.client.receive_response(request, 200, json.dumps(page).encode(), now))


@pytest.mark.parametrize("seconds", [4, 10, 130])
def test_a_bar_made_of_minutes_has_the_minute_that_the_stream_has_missed(seconds):
    whole = World().run()
    began = NOW + 5 * MINUTE - 2 * SECOND
    broken = World(range(began, began + seconds * SECOND)).run()
    assert whole.of("SPY", "5m") == [(5, 104.0, 50.0), (10, 109.0, 50.0)]
    for timeframe in ("1m", "5m"):
        assert broken.of("SPY", timeframe) == whole.of("SPY", timeframe)
    # What is made of the other line's bars comes when it did.
    coins = [seen for seen in whole.seen if seen[0] == COIN]
    assert [seen for seen in broken.seen if seen[0] == COIN] == coins
    assert max(seen[5] for seen in coins) == pytest.approx(5)


@pytest.mark.parametrize("began", [-30, 0])
@pytest.mark.parametrize("seconds", [1, 4, 6, 14, 16, 130])
def test_a_bar_made_of_minutes_has_the_minute_that_came_while_the_process_stood_still(
    began, seconds
):
    whole, start = World().run(), NOW + 5 * MINUTE + began * SECOND
    stood = World(still=range(start, start + seconds * SECOND)).run()
    for symbol in ("SPY", COIN):
        for timeframe in ("1m", "5m"):
            assert stood.of(symbol, timeframe) == whole.of(symbol, timeframe)
    # It goes out once what has waited had its time to be heard.
    ended = [seen[5] for seen in stood.seen if seen[1:3] == ("5m", 5)]
    goes_on = began + seconds
    assert max(ended) <= (max(goes_on, 0) + 5 if goes_on < 60 else goes_on + 0.1)


def test_bars_made_of_prints_have_those_that_waited_while_the_process_stood_still():
    class Prints(Strategy):
        def on_start(self) -> None:
            self.seen: list[tuple[float, float]] = []
            self.subscribe_bars("SPY", "30s")

        def on_bar(self, bar: Any) -> None:
            self.seen.append((bar.close, bar.volume))

    strategy = Prints()
    core = core_of(Wire(), strategy)
    core.start(NOW)
    core.take(NOW + SECOND, [TradeEvent("SPY", NOW + SECOND, 100.0, 1.0)])
    # It stands still for eight seconds about the bar's end.
    core.take(NOW + 28 * SECOND, [])
    core.take(NOW + 36 * SECOND, [])
    for second, price in ((29, 101.0), (31, 102.0)):
        core.take(NOW + 36 * SECOND + 1, [TradeEvent("SPY", NOW + second * SECOND, price, 1.0)])
    for second in range(37, 42):
        assert strategy.seen == []
        core.take(NOW + second * SECOND, [])
    assert strategy.seen == [(101.0, 2.0)]


@pytest.mark.parametrize("lives", [{"away": 4}, {"still": 6}, {"still": 20}])
def test_a_replay_waits_as_the_node_did(lives):
    began = NOW + 5 * MINUTE - 2 * SECOND
    world = World(**{how: range(began, began + s * SECOND) for how, s in lives.items()})
    lived, replayed = world.run(), Bars()
    core = core_of(Wire(), replayed)
    core.start(NOW)
    Playback(core, {}).play(taken(world.core))
    assert replayed.seen == lived.seen


def test_a_run_that_goes_on_waits_for_nothing_that_the_one_before_has_waited_for():
    world = World()
    world.client.market_data.stitcher.hold("SPY")
    world.take(NOW, [])
    assert world.client.waiting_bars == {"SPY"}
    world.core.inputs.hold()
    world.core.inputs.release_timers()
    world.core.inputs.release_bars()
    world.hear(NOW + MINUTE, 0)
    assert world.core.inputs.next_timer == NOW + 5 * MINUTE + GRACE_NS
