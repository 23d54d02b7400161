"""The node over real sockets: orders out, fills in, the account at the end."""

from __future__ import annotations

import asyncio
import json
import re
import threading
import time
from decimal import Decimal
from pathlib import Path

import pytest

from pyrt import LiveNode, NodeConfig, Strategy
from pyrt.adapters.alpaca.credentials import Credentials
from pyrt.adapters.alpaca.node import companions
from pyrt.adapters.alpaca.node import live as module
from pyrt.adapters.alpaca.shell.http import Http
from pyrt.adapters.alpaca.simulator.protocol.http import Response
from pyrt.cli.exits import INTERRUPTED, exit_code
from pyrt.errors import ConfigError, Stopped
from pyrt.live.core.broker import CLOCKS_APART_NS
from pyrt.live.driver.run import LOOKING, STOPPED
from pyrt.live.process.heartbeat import NODE_BEAT, read_beat
from pyrt.live.process.lock import lock_state
from tests.adapters.client.exchange import Broker
from tests.live.server import Server

KEYS = Credentials("PKTEST", "canary-5e2f")
# The last bar asks for nothing: what the one before asks for fills with it.
CLOSES = [100.0, 100.5, 101.0, 100.6, 100.2, 100.9, 101.3, 100.4, 100.1, 100.8, 100.8]


class Swing(Strategy):
    symbol: str = "SPY"

    def on_start(self):
        self.subscribe_bars(self.symbol, "1m")
        self.bars = []
        self.fills = []

    def on_bar(self, bar):
        self.bars.append(bar.close)
        position = self.position(self.symbol)
        if bar.close < bar.open and position.is_flat:
            self.buy(self.symbol, 5)
        elif bar.close > bar.open and position.is_long:
            self.close(self.symbol)

    def on_fill(self, fill):
        self.fills.append((fill.side, fill.quantity_exact, fill.price_exact))


def config_for(server: Server, **changes) -> NodeConfig:
    base = f"127.0.0.1:{server.port}"
    return NodeConfig(
        symbols=("SPY",),
        trading_url=f"http://{base}",
        data_url=f"http://{base}",
        data_stream_url=f"ws://{base}/v2/iex",
        **changes,
    )


def stop_when_over(server: Server, node: LiveNode) -> None:
    def wait():
        server.finished.wait(20)
        threading.Event().wait(0.1)
        node.loop.call_soon_threadsafe(node.stop)

    threading.Thread(target=wait, daemon=True).start()


def test_a_node_trades_over_sockets_and_agrees_with_the_broker():
    broker = Broker(CLOSES)
    with Server(broker, pace_s=0.03) as server:
        node = LiveNode(config_for(server), KEYS)
        strategy = Swing()
        node.add_strategy(strategy)
        stop_when_over(server, node)
        account = node.run()
    assert strategy.bars == CLOSES
    assert len(strategy.fills) >= 2
    assert len(broker.posted) == len(set(broker.posted)) >= 2
    assert node.core.kernel.account.cash_exact == broker.cash == Decimal(account.cash)


def test_pyrt_live_prints_orders_fills_and_the_account(tmp_path, monkeypatch, capsys):
    from pyrt.cli import main

    source = tmp_path / "one.py"
    source.write_text(
        "from pyrt import Strategy\n"
        "class One(Strategy):\n"
        "    def on_start(self):\n"
        "        self.subscribe_bars('SPY', '1m')\n"
        "        self.sent = False\n"
        "        self.sell('SPY', 1, reduce_only=True)\n"
        "    def on_bar(self, bar):\n"
        "        if not self.sent:\n"
        "            self.sent = True\n"
        "            self.buy('SPY', 3)\n"
    )
    broker = Broker(CLOSES)
    with Server(broker, pace_s=0.03) as server:
        base = f"127.0.0.1:{server.port}"
        (tmp_path / "node.toml").write_text(
            f'symbols = ["SPY"]\ntrading_url = "http://{base}"\n'
            f'data_url = "http://{base}"\ndata_stream_url = "ws://{base}/v2/iex"\n'
        )
        monkeypatch.setenv("APCA_API_KEY_ID", "PKTEST")
        monkeypatch.setenv("APCA_API_SECRET_KEY", "canary-5e2f")
        add = module.LiveNode.add_strategy

        def add_and_watch(self, strategy):
            stop_when_over(server, self)
            add(self, strategy)

        monkeypatch.setattr(module.LiveNode, "add_strategy", add_and_watch)
        code = main(["live", str(source), "--config", str(tmp_path / "node.toml"), "--json"])
    printed = capsys.readouterr()
    rows = [json.loads(line) for line in printed.out.splitlines()]
    assert code == 0, printed.err
    fills = [row for row in rows if row["type"] == "fill"]
    assert [(row["symbol"], row["side"], row["quantity"]) for row in fills] == [("SPY", "buy", "3")]
    # No broker answers what is denied here.
    (denied,) = (row for row in rows if row.get("event") == "denied")
    assert (denied["type"], denied["status"], denied["side"]) == ("order", "DENIED", "sell")
    assert denied["reason"].startswith("reduce_only")
    assert rows[-1]["type"] == "account"
    assert Decimal(rows[-1]["cash"]) == broker.cash
    assert "running: paper account PA0000000" in printed.err.splitlines()
    assert "canary" not in printed.out + printed.err


def test_a_run_id_of_the_settings_begins_names_that_do_not_repeat():
    settings = {"symbols": ("SPY",), "trading_url": "http://127.0.0.1:9", "run_id": "desk_1"}
    names = {LiveNode(NodeConfig(**settings), KEYS).run_id for _ in range(3)}
    assert [bool(re.fullmatch(r"desk_1-[0-9a-f]{12}", name)) for name in names] == [True] * 3
    for name in ("data_url", "stream_url", "data_stream_url", "control_url"):
        settings[name] = "http://127.0.0.1:9"
    assert LiveNode(NodeConfig(**settings, clock="simulator"), KEYS).run_id == "desk_1"


@pytest.mark.parametrize(
    ("settings", "ahead_ns"),
    [({}, CLOCKS_APART_NS), ({"trading_url": "http://127.0.0.1:9"}, None)],
)
def test_stamps_are_held_against_the_clock_but_where_a_simulator_keeps_its_own(settings, ahead_ns):
    node = LiveNode(NodeConfig(symbols=("SPY",), **settings), KEYS)
    streams = (node._client.market_data, node._client.crypto_data)
    assert [stream.ahead_ns for stream in streams] == [ahead_ns] * 2


def test_the_wrong_account_is_refused_before_any_order():
    broker = Broker(CLOSES)
    with Server(broker) as server:
        node = LiveNode(config_for(server, account_id="PA999"), KEYS)
        with pytest.raises(ConfigError, match="PA0000000, not to PA999"):
            node.run()
        assert not [line for line in server.requests if line.startswith("POST")]


def test_a_node_runs_in_a_loop_that_runs_already():
    """As in a notebook: `await node.run_async()`."""
    broker = Broker(CLOSES)
    with Server(broker, pace_s=0.03) as server:
        node = LiveNode(config_for(server), KEYS)
        node.add_strategy(Swing())
        stop_when_over(server, node)

        async def notebook():
            before = asyncio.create_task(asyncio.sleep(0.01))
            account = await node.run_async()
            await before
            return account

        account = asyncio.run(notebook())
    assert broker.cash == Decimal(account.cash)


def test_a_node_runs_once_in_a_loop_that_runs_and_lets_go_of_what_it_holds(tmp_path):
    config = NodeConfig(
        symbols=("SPY",), trading_url="http://127.0.0.1:9", state_dir=str(tmp_path / "state")
    )
    node = LiveNode(config, KEYS)

    async def cells():
        with pytest.raises(ConfigError, match=r"await node\.run_async"):
            node.run()
        held = lock_state(tmp_path / "state")
        with pytest.raises(ConfigError, match="another node"):
            await node.run_async()
        held.release()
        with pytest.raises(ConfigError, match="this node has run already"):
            await node.run_async()
        other = LiveNode(config, KEYS)
        cell = asyncio.create_task(other.run_async())
        while other.driver is None:
            await asyncio.sleep(0.01)
        cell.cancel()
        with pytest.raises(asyncio.CancelledError):
            await cell
        lock_state(tmp_path / "state").release()

    asyncio.run(cells())


def test_a_node_whose_account_another_has_says_nothing_and_beats_not(tmp_path, monkeypatch):
    """Its watchdog would take it for dead, and cancel the orders of the other."""

    def taken(url, account):
        raise ConfigError("another node uses the account", code="second_node")

    class Speaks(Strategy):
        spoke = False

        def on_start(self):
            Speaks.spoke = True

    monkeypatch.setattr(module, "lock_account", taken)
    with Server(Broker(CLOSES), pace_s=0.03) as server:
        node = LiveNode(config_for(server, state_dir=str(tmp_path / "state")), KEYS)
        node.add_strategy(Speaks())
        with pytest.raises(ConfigError, match="another node uses the account"):
            node.run()
    assert not Speaks.spoke
    assert read_beat(tmp_path / "state", NODE_BEAT) is None


class Hangs(Strategy):
    """Notes the node's beat, and never comes back."""

    state: str = ""

    def on_start(self):
        self.beat = read_beat(Path(self.state), NODE_BEAT)
        while True:
            pass


def test_a_strategy_that_hangs_as_it_starts_is_broken_off_and_the_others_start(
    tmp_path, monkeypatch
):
    """It hung the node: nobody was told, nothing beat, and no signal stopped it."""
    monkeypatch.setattr(companions, "START_TIMES", 1)
    state, told = tmp_path / "state", []
    broker = Broker(CLOSES)
    with Server(broker, pace_s=0.03) as server:
        config = config_for(server, state_dir=str(state), handler_timeout_s=0.3)
        node = LiveNode(config, KEYS, on_alarm=lambda code, text: told.append((code, text)))
        hangs, swing = Hangs(state=str(state)), Swing()
        node.add_strategy(hangs)
        node.add_strategy(swing)
        stop_when_over(server, node)
        node.run()
    (text,) = [text for code, text in told if code == "strategy_stopped"]
    assert text.startswith("Hangs.on_start raised StrategyOverrun: the handler has run for 0.")
    assert "stuck" not in {code for code, _ in told}
    assert swing.bars
    assert (hangs.beat.phase, hangs.beat.run_id) == ("looking", node.run_id)
    assert read_beat(state, NODE_BEAT).phase == "stopped"


def test_a_stop_is_one_in_order_though_the_broker_does_not_answer_any_more(monkeypatch):
    monkeypatch.setattr(module, "CLOSING_ATTEMPTS", 1)
    broker, told = Broker(CLOSES), []
    with Server(broker, pace_s=0.03) as server:
        node = LiveNode(
            config_for(server), KEYS, on_alarm=lambda code, text: told.append((code, text))
        )
        node.add_strategy(Swing())
        stop_when_over(server, node)
        request = broker.request

        def ends(method, path, body):
            is_over = node.driver.phase == STOPPED and path.startswith("/v2/account")
            return Response(503, b"") if is_over else request(method, path, body)

        monkeypatch.setattr(broker, "request", ends)
        account = node.run()
    assert node.driver.phase == STOPPED
    # As the last look has shown it: nobody takes that for what the broker says now.
    look = node.driver.last_look
    assert (account.account_number, account.cash_exact) == (look.account, look.cash)
    assert account.buying_power == ""
    failed = [text for code, text in told if code == "query_failed"]
    assert failed[-1].startswith("the account at the end: the broker answers /v2/account with 503")


def test_a_stop_does_not_wait_for_a_broker_that_takes_questions_and_never_answers(monkeypatch):
    """It took a minute: what runs services killed the node before it had said how it ended."""
    monkeypatch.setattr(module, "CLOSING_S", 0.3)
    broker, told, began = Broker(CLOSES), [], []
    send = Http.send

    async def swallowed(self, request, departure=None):
        if node.driver is not None and node.driver.phase == STOPPED:
            began.append(time.monotonic())
            await asyncio.sleep(15)
        return await send(self, request, departure)

    monkeypatch.setattr(Http, "send", swallowed)
    with Server(broker, pace_s=0.03) as server:
        node = LiveNode(
            config_for(server), KEYS, on_alarm=lambda code, text: told.append((code, text))
        )
        node.add_strategy(Swing())
        stop_when_over(server, node)
        account = node.run()
    assert time.monotonic() - began[0] < 10
    assert account.account_number == node.driver.last_look.account
    failed = [text for code, text in told if code == "query_failed"]
    assert failed[-1].startswith("the account at the end: the broker answers /v2/account with noth")


def test_a_node_that_is_stopped_as_it_starts_ends_in_order(tmp_path):
    """Nobody answers at that port: a start that somebody gives up is no failure of the node."""
    state = tmp_path / "state"
    config = NodeConfig(
        symbols=("SPY",),
        trading_url="http://127.0.0.1:9",
        data_url="http://127.0.0.1:9",
        state_dir=str(state),
        limits={"max_order_notional": 1000},
    )
    told = []
    node = LiveNode(config, KEYS, on_alarm=lambda code, text: told.append(code))

    async def run():
        running = asyncio.create_task(node.run_async())
        while node.driver is None or node.driver.phase != LOOKING:
            await asyncio.sleep(0.01)
        node.stop("anna: not now")
        await running

    with pytest.raises(Stopped, match="stopped as it started: anna: not now") as caught:
        asyncio.run(run())
    assert exit_code(caught.value) == INTERRUPTED
    assert node.driver.phase == STOPPED
    assert "node_failed" not in told
    assert (state / "last-exit").read_text() == "anna: not now"
    lock_state(state).release()


def test_what_does_not_end_in_order_keeps_nothing_else_from_its_end(tmp_path):
    """A full disk, for one: the journal is closed and the locks are let go all the same."""

    class Breaks:
        async def begin(self, node):
            pass

        async def end(self):
            raise OSError("No space left on device")

    class Ends(Breaks):
        ended = False

        async def end(self):
            self.ended = True

    told, ends = [], Ends()

    def tell(code, text):
        told.append((code, text))
        raise OSError("No space left on device")

    broker = Broker(CLOSES)
    with Server(broker, pace_s=0.03) as server:
        config = config_for(server, state_dir=str(tmp_path / "state"))
        node = LiveNode(config, KEYS, on_alarm=tell)
        # The last to begin is the first to end.
        node.companions += [ends, Breaks()]
        node.add_strategy(Swing())
        stop_when_over(server, node)
        node.run()
    assert ends.ended
    assert ("unclean_end", "Breaks did not end in order: No space left on device") in told
    lock_state(tmp_path / "state").release()
    assert read_beat(tmp_path / "state", NODE_BEAT).phase == "stopped"
