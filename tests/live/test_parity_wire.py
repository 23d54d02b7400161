"""The same strategy in a backtest and, over real sockets, against the served simulator."""

from __future__ import annotations

import pytest

from pyrt import NodeConfig, backtest
from pyrt.adapters.alpaca.simulator.session import make_core
from pyrt.errors import ConfigError
from tests.live.test_parity import Ladder, Pair, SmaCross, fills_of, walk
from tests.live.wire import run_on_the_wire

pytest.importorskip("uvicorn")


@pytest.mark.parametrize(
    ("kind", "symbols"),
    [
        pytest.param(SmaCross, ("SPY",), id="cross"),
        pytest.param(Ladder, ("SPY",), id="ladder"),
        pytest.param(Pair, ("SPY", "QQQ"), id="pair"),
    ],
)
def test_the_wire_changes_no_fill(kind, symbols):
    data = [walk(7 + number, symbol, 200) for number, symbol in enumerate(symbols)]
    tested = backtest(kind(), data, progress=False)
    run = run_on_the_wire(make_core(data), [kind()], symbols)
    kernel = run.node.core.kernel
    assert len(tested.fills) > 8
    live = fills_of(kernel.records.fills.tobytes())
    assert [ts for ts, *_ in live] == tested.fills["ts_event"].astype("int64").tolist()
    assert [q / 1e9 for _, q, *_ in live] == tested.fills["quantity"].tolist()
    assert [p / 1e9 for _, _, p, *_ in live] == tested.fills["price"].tolist()
    assert kernel.account.equity == tested.equity.iloc[-1]
    assert float(run.account.cash) == kernel.account.cash


@pytest.mark.parametrize(
    "settings",
    [
        {"clock": "sundial"},
        {"clock": "simulator"},
        {"clock": "simulator", "mode": "live", "account_id": "PA1"},
        {"clock": "simulator", "trading_url": "http://127.0.0.1:1", "data_url": "http://[::1]:1"},
    ],
)
def test_lockstep_is_for_paper_on_this_machine(settings):
    with pytest.raises(ConfigError):
        NodeConfig(symbols=("SPY",), **settings)
