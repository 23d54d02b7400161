"""Real money is traded with every consent or not at all."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from pyrt import LiveNode, NodeConfig, Strategy
from pyrt.adapters.alpaca.credentials import Credentials
from pyrt.adapters.alpaca.simulator.session import make_core
from pyrt.adapters.alpaca.simulator.trading.account import ACCOUNT_NUMBER
from pyrt.errors import ConfigError
from pyrt.live.journal import records as r
from pyrt.live.journal.files import RealFiles
from pyrt.live.journal.journal import read_records
from pyrt.live.journal.state import JournalState
from tests import canary
from tests.live.strategies import walk
from tests.live.wire import Served

pytest.importorskip("uvicorn")


class Buys(Strategy):
    """Sends an order at once."""

    def on_start(self):
        self.subscribe_bars("SPY", "1m")
        self.buy("SPY", 1, limit_price=50)


class Stopper:
    """Ends a run once its order has been answered."""

    async def begin(self, node):
        self._task = asyncio.create_task(self._watch(node))

    async def _watch(self, node):
        while not any(o.status == "ACCEPTED" for o in node.core.kernel.cache.orders_open()):
            await asyncio.sleep(0.01)
        node.stop()

    async def end(self):
        self._task.cancel()


def attempt(tmp_path, *, mode, key, account, arm="", **settings):
    """Try to trade a served account; return how many orders reached it."""
    core = make_core([walk(1, "SPY", 30)], fees="alpaca")
    with Served(core, key) as served:
        config = NodeConfig(
            symbols=("SPY",),
            mode=mode,
            account_id=account,
            trading_url=served.urls["rest_url"],
            data_url=served.urls["data_url"],
            stream_url=served.urls["trading_stream_url"],
            data_stream_url=served.urls["stock_stream_url"],
            state_dir=str(tmp_path / "state"),
            warmup=0,
            handler_timeout_s=0,
            on_stop="leave",
            **settings,
        )
        node = LiveNode(config, Credentials(key, canary.SECRET), arm=arm)
        node.companions.append(Stopper())
        node.add_strategy(Buys())
        node.run()
    return len(core.desk.orders)


def test_of_eight_combinations_of_mode_key_and_account_exactly_one_trades_live(tmp_path):
    traded: dict[tuple[bool, bool, bool], str] = {}
    for number, flags in enumerate(itertools.product((False, True), repeat=3)):
        is_live, has_live_key, names_account = flags
        account = ACCOUNT_NUMBER if names_account else "PA0OTHER"
        folder = tmp_path / str(number)
        try:
            count = attempt(
                folder,
                mode="live" if is_live else "paper",
                key="AKLIVE" if has_live_key else "PKPAPER",
                account=account,
                arm=account,
            )
        except ConfigError:
            continue
        assert count == 1
        (start,) = [rec for _, rec in read_records(RealFiles(folder / "state")) if _is_start(rec)]
        traded[flags] = start.mode
    assert traded == {(True, True, True): "live", (False, False, True): "paper"}


def test_arming_an_account_asks_for_its_number_typed_once(tmp_path):
    live = {"mode": "live", "key": "AKLIVE", "account": ACCOUNT_NUMBER}
    with pytest.raises(ConfigError, match="not armed"):
        attempt(tmp_path, **live)
    with pytest.raises(ConfigError, match="not armed"):
        attempt(tmp_path, **live, arm="yes")
    assert attempt(tmp_path, **live, arm=ACCOUNT_NUMBER) == 1
    armed = [rec for _, rec in read_records(RealFiles(tmp_path / "state")) if _is_arming(rec)]
    assert [rec.arguments for rec in armed] == [{"account": ACCOUNT_NUMBER}]


def test_an_armed_account_stays_armed_in_its_state_folder():
    state = JournalState()
    arm = r.Operation(ts=1, actor="a", action="arm", reason="typed", arguments={"account": "9"})
    state.take(arm)
    again = JournalState()
    again.take(r.Snapshot(ts=2, state=state.encode()))
    assert (state.armed, again.armed) == ("9", "9")


@pytest.mark.parametrize(
    ("mode", "key", "account", "code"),
    [
        ("paper", "AKLIVE", "", "wrong_key"),
        ("live", "PKPAPER", ACCOUNT_NUMBER, "wrong_key"),
        ("paper", "PKPAPER", "PA0OTHER", "wrong_account"),
        ("live", "AKLIVE", "PA0OTHER", "wrong_account"),
    ],
)
def test_keys_of_another_account_or_world_do_not_start(tmp_path, mode, key, account, code):
    with pytest.raises(ConfigError) as caught:
        attempt(tmp_path, mode=mode, key=key, account=account, arm=account)
    assert caught.value.code == code


def _is_start(record):
    return isinstance(record, r.RunStart)


def _is_arming(record):
    return isinstance(record, r.Operation) and record.action == "arm"
