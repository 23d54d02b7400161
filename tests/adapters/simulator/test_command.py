"""`pyrt simulator`: one line when ready, and an exchange behind it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from pyrt.adapters.alpaca.simulator.server.serving import bind
from pyrt.cli.simulator import read_speed
from pyrt.errors import ConfigError


def test_speeds_are_factors_or_lockstep() -> None:
    assert (read_speed("60x"), read_speed("1.5"), read_speed("lockstep")) == (60.0, 1.5, 0.0)
    for text in ("fast", "0x", "-1x", "infx", "nan"):
        with pytest.raises(ConfigError, match="no speed"):
            read_speed(text)


def test_the_command_prints_one_line_and_serves(shared_data: Path) -> None:
    data = shared_data / "eq_bars_1m.parquet"
    command = [sys.executable, "-m", "pyrt.cli", "simulator", "--data", str(data), "--json"]
    more = ["--symbol", "SPY", "--start", "2013-10-07", "--speed", "60x", "--port", "0"]
    process = subprocess.Popen([*command, *more], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        urls = json.loads(process.stdout.readline())
        headers = {"APCA-API-KEY-ID": urls["key"], "APCA-API-SECRET-KEY": urls["secret"]}
        account = httpx.get(f"{urls['rest_url']}/v2/account", headers=headers).json()
        assert account["cash"] == "100000"
        first = httpx.get(f"{urls['control_url']}/time").json()["ts"]
        assert first >= 1_381_104_000_000_000_000
    finally:
        process.terminate()
        process.wait(10)


def test_a_port_in_use_is_no_traceback() -> None:
    with bind(0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"port {port} of 127.0.0.1 .*in use"):
            bind(port)
