"""The same strategy in a backtest and, over real sockets, against the served simulator."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from pyrt import NodeConfig, Strategy, backtest
from pyrt.adapters.alpaca.simulator.session import make_core
from pyrt.errors import ConfigError
from pyrt.live.journal.files import RealFiles
from pyrt.live.replay.replay import replay
from tests.live.strategies import Busy, Cross, walk
from tests.live.test_parity import recorded
from tests.live.wire import run_on_the_wire
from tests.live.worlds import Outcome, backtested, fills_of

pytest.importorskip("uvicorn")

EXAMPLE = Path(__file__).parents[2] / "examples" / "sma_cross.py"
PATIENCE_S = 60.0


def lived_on_the_wire(strategies: list[Any], data: list[Any], **options: Any) -> Outcome:
    symbols = [table.symbol for table in data]
    run = run_on_the_wire(make_core(data, fees="alpaca", **options), strategies, symbols)
    kernel = run.node.core.kernel
    equity = Decimal(str(kernel.account.equity))
    return Outcome(fills_of(kernel), equity, Decimal(run.account.equity))


@pytest.mark.parametrize(
    ("kind", "symbols", "options"),
    [
        pytest.param(Cross, ("SPY",), {}, id="cross"),
        pytest.param(Busy, ("SPY", "QQQ"), {"participation": 0.02}, id="busy_in_parts"),
    ],
)
def test_the_wire_changes_no_fill(kind, symbols, options):
    data = [walk(number, symbol, 90) for number, symbol in enumerate(symbols)]
    expected = backtested([kind()], data, **options)
    assert len(expected.fills) > 8
    assert expected.differs_in(lived_on_the_wire([kind()], data, **options)) == ""


def test_messagepack_changes_no_fill():
    data = [walk(3, "SPY", 60)]
    run = run_on_the_wire(make_core(data, fees="alpaca"), [Cross()], ["SPY"], data_codec="msgpack")
    stream = dict(run.node.streams())["stocks"]
    assert stream.is_packed
    expected = backtested([Cross()], data)
    assert len(expected.fills) > 4
    assert fills_of(run.node.core.kernel) == expected.fills


def test_recorded_bars_change_no_fill(shared_data):
    data = recorded(shared_data, "2013-10-07", 120)
    expected = backtested([Cross()], data)
    assert len(expected.fills) > 8
    assert expected.differs_in(lived_on_the_wire([Cross()], data)) == ""


class Hours(Strategy):
    """Writes down bars of an hour."""

    def on_start(self) -> None:
        self.seen: list[tuple[Any, ...]] = []
        self.subscribe_bars("SPY", "1h")

    def on_bar(self, bar: Any) -> None:
        self.seen.append((bar.ts_open, bar.ts_event, bar.open, bar.close, bar.volume))


def test_coarser_bars_are_those_of_the_sessions_of_the_simulators_day(tmp_path):
    """They began on the hour, those of a paper account and of a backtest with the session."""
    data = walk(3, "SPY", 200)
    lived, tested, again = Hours(), Hours(), Hours()
    settings = {"state_dir": str(tmp_path / "state"), "run_id": "one"}
    run_on_the_wire(make_core([data], fees="alpaca"), [lived], ["SPY"], **settings)
    backtest(tested, data=[data], venue="alpaca", progress=False)
    assert len(lived.seen) >= 2
    assert lived.seen[0][0] == data.ts_open[0]
    assert lived.seen == tested.seen[: len(lived.seen)]
    replay(RealFiles(tmp_path / "state"), [again])
    assert again.seen == lived.seen


class Programs:
    """`pyrt simulator` and `pyrt live` as a user starts them, and time that this test moves."""

    def __init__(self, folder: Path, data: Path) -> None:
        self._folder = folder
        command = ["simulator", "--data", str(data), "--speed", "lockstep", "--port", "0", "--json"]
        self._simulator = self._start(command, {})
        self.urls = json.loads(self._simulator.stdout.readline())
        self._control = httpx.Client(base_url=self.urls["control_url"], timeout=PATIENCE_S)

    def _start(self, command: list[str], environment: dict[str, str]) -> Any:
        return subprocess.Popen(
            [sys.executable, "-m", "pyrt.cli", *command],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **environment},
        )

    def live(self, *settings: str) -> list[dict[str, Any]]:
        """Run the example to the end of the data; return the lines it printed."""
        config = self._folder / "node.toml"
        named = {"trading": "rest", "data": "data", "stream": "trading_stream"}
        lines = [f'{name}_url = "{self.urls[f"{theirs}_url"]}"' for name, theirs in named.items()]
        lines.append(f'data_stream_url = "{self.urls["stock_stream_url"]}"')
        config.write_text("\n".join(['symbols = ["SPY"]', 'clock = "simulator"', *lines]))
        keys = {"APCA_API_KEY_ID": self.urls["key"], "APCA_API_SECRET_KEY": self.urls["secret"]}
        pairs = [part for setting in settings for part in ("--set", setting)]
        command = ["live", str(EXAMPLE), "--config", str(config), *pairs, "--json"]
        node = self._start(command, keys)
        while not self._control.post("/time").json()["clients"]:
            assert node.poll() is None, node.stderr.read()
        while not self._control.post("/advance").json()["done"]:
            pass
        out, err = node.communicate(timeout=PATIENCE_S)
        assert node.returncode == 0, err
        assert self.urls["secret"] not in out + err
        return [json.loads(line) for line in out.splitlines()]

    def stop(self) -> None:
        self._control.close()
        self._simulator.send_signal(signal.SIGINT)
        self._simulator.communicate(timeout=PATIENCE_S)


def test_the_example_runs_unchanged_through_both_programs(tmp_path):
    import pandas as pd

    table = walk(3, "SPY", 90)
    path = tmp_path / "spy.parquet"
    prices = {name: getattr(table, name) for name in ("open", "high", "low", "close", "volume")}
    stamps = {"ts_event": table.ts_open, "ts_close": table.ts_close}
    pd.DataFrame({**stamps, "symbol": "SPY", **prices}).to_parquet(path)
    programs = Programs(tmp_path, path)
    try:
        printed = programs.live("fast=3", "slow=8")
    finally:
        programs.stop()
    strategy = _example()(symbol="SPY", fast=3, slow=8)
    expected = backtest(strategy, path, venue="alpaca", progress=False)
    rows = [
        (row["ts_event"], row["side"], *(float(row[n]) for n in ("quantity", "price", "fee")))
        for row in printed
        if row["type"] == "fill"
    ]
    frame = expected.fills
    columns = [frame[name] for name in ("side", "quantity", "price", "fee")]
    assert len(rows) > 8
    assert rows == list(zip(frame["ts_event"].astype("int64"), *columns, strict=True))
    assert printed[-1]["type"] == "account"
    assert float(printed[-1]["equity"]) == expected.equity.iloc[-1]


def _example() -> Any:
    from importlib.util import module_from_spec, spec_from_file_location

    spec = spec_from_file_location("sma_cross", EXAMPLE)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.SmaCross


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
