"""`pyrt data download`, killed in the middle and called again: as if nothing had happened."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pyrt.core.times import timestamp_ns
from tests.adapters.client.test_download import MINUTE
from tests.adapters.simulator.world import World
from tests.minutes import minute_bars

pytest.importorskip("uvicorn")

SYMBOLS = ("AAPL", "MSFT", "QQQ", "SPY")
OPEN = timestamp_ns("2013-10-31T13:30:00Z")
PATIENCE_S = 60


def content(folder: Path) -> dict[str, bytes]:
    """All files of a folder, by name."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_a_download_that_was_killed_goes_on_and_leaves_the_same_bytes(tmp_path: Path) -> None:
    prices = [100.0 + number % 7 for number in range(60)]
    world = World([minute_bars(symbol, prices, OPEN) for symbol in SYMBOLS])
    environment = {
        **os.environ,
        "APCA_API_KEY_ID": world.keys[0],
        "APCA_API_SECRET_KEY": world.keys[1],
    }
    span = ["--start", "2013-10-31T13:30:00Z", "--end", "2013-11-01T13:30:00Z"]
    place = ["--data-url", world.urls["data_url"], "--symbols", ",".join(SYMBOLS)]

    def begin(folder: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "pyrt.cli", "data", "download", *span, *place]
        out = ["--out", str(tmp_path / folder), "--json"]
        return subprocess.Popen(
            [*command, *out], env=environment, stdout=subprocess.PIPE, text=True
        )

    try:
        world.core.run(OPEN + 120 * MINUTE)
        whole = json.loads(begin("whole").communicate(timeout=PATIENCE_S)[0])
        assert (whole["rows"], whole["fetched"]) == (240, 240)
        # Each answer takes long enough for a kill between two of them.
        world.control("faults", slow=1, slow_s=0.2)
        broken = begin("broken")
        until = time.monotonic() + PATIENCE_S
        while not list((tmp_path / "broken").glob("MSFT/*.parquet")):
            assert time.monotonic() < until
            time.sleep(0.01)
        broken.kill()
        assert broken.wait() == -9
        assert not (tmp_path / "broken" / "SPY" / "2013-11.parquet").exists()
        world.control("faults", slow=0)
        resumed = json.loads(begin("broken").communicate(timeout=PATIENCE_S)[0])
    finally:
        world.close()
    assert resumed["rows"] == 240
    assert 60 <= resumed["fetched"] <= 180
    assert content(tmp_path / "broken") == content(tmp_path / "whole")
