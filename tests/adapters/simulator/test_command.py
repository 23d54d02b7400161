"""`pyrt simulator`: one line when ready, and an exchange behind it."""

from __future__ import annotations

import asyncio
import json
import shutil
import ssl
import subprocess
import sys
import threading
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect

from pyrt.adapters.alpaca.simulator.server.app import SimulatorServer
from pyrt.adapters.alpaca.simulator.server.serving import bind, make_runner, serve
from pyrt.adapters.alpaca.simulator.session import make_core
from pyrt.cli.simulator import read_speed
from pyrt.errors import ConfigError
from tests.minutes import minute_bars


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


async def _first_message(url: str, context: ssl.SSLContext) -> str:
    """Return what a stream says first, read in one thread.

    A blocking client reads in one thread while it writes in another; before Python 3.13, TLS then
    loses a message now and then, and the client waits for ever.
    """
    async with asyncio.timeout(30), connect(url, ssl=context) as stream:
        return str(await stream.recv())


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl command")
def test_clients_that_insist_on_tls_are_served(tmp_path: Path) -> None:
    made = "req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=x"
    more = ["-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(["openssl", *made.split(), *more], cwd=tmp_path, check=True, capture_output=True)
    core = make_core([minute_bars("SPY", [100.0] * 4)])
    server = SimulatorServer(core, speed=0.001)
    cert, key = str(tmp_path / "cert.pem"), str(tmp_path / "key.pem")
    with pytest.raises(ConfigError, match="cannot be used"):
        serve(server, 0, print, certificate=cert, private_key=str(tmp_path / "none.pem"))
    listener = bind(0)
    runner = make_runner(server, cert, key)
    thread = threading.Thread(target=runner.run, args=([listener],), daemon=True)
    thread.start()
    urls = server.urls("127.0.0.1", listener.getsockname()[1], is_secure=True)
    headers = {"APCA-API-KEY-ID": urls["key"], "APCA-API-SECRET-KEY": urls["secret"]}
    context = ssl.create_default_context(cafile=cert)
    account = httpx.get(f"{urls['rest_url']}/v2/account", headers=headers, verify=context)
    assert account.json()["cash"] == "100000"
    assert "connected" in asyncio.run(_first_message(urls["stock_stream_url"], context))
    runner.should_exit = True
    thread.join(10)
