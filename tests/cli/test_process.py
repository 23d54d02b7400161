"""The command as a process: quick to start, pure output, an end by Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import pyrt

ROOT = Path(pyrt.__file__).parents[1]
COMMAND = (sys.executable, "-m", "pyrt.cli")
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}
SLOW = """\
import time

from pyrt import Strategy


class Slow(Strategy):
    symbol: str = "SPY"

    def on_start(self):
        self.subscribe_bars("SPY", "1d")

    def on_bar(self, bar):
        open("started", "w").close()
        time.sleep(0.2)
"""


def process(*args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *args], env=ENVIRONMENT, capture_output=True, text=True)


def test_the_version_is_that_of_the_library() -> None:
    assert process("--version").stdout == f"pyrt {pyrt.__version__}\n"


@pytest.mark.parametrize("args", ["['--help']", "['backtest', '--help']"])
def test_help_loads_nothing_heavy(args: str) -> None:
    code = f"import sys; from pyrt.cli import main; main({args}); print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], env=ENVIRONMENT, capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.splitlines()[-1].split())
    assert "pyrt.cli.entry" in loaded
    assert not loaded & {"numpy", "pandas", "pyarrow", "plotly", "exchange_calendars"}


def test_completion_knows_commands_and_options() -> None:
    words = {
        "_PYRT_COMPLETE": "bash_complete",
        "COMP_CWORD": "2",
        "COMP_WORDS": "pyrt backtest --fi",
    }
    done = subprocess.run(
        [*COMMAND],
        env={**ENVIRONMENT, **words, "_PYRT_COMPLETE": "bash_complete"},
        capture_output=True,
        text=True,
    )
    assert done.stdout.split() == ["plain,--fill"]


def test_ctrl_c_prints_what_was_reached(folder: Path) -> None:
    (folder / "slow.py").write_text(SLOW)
    running = subprocess.Popen(
        [*COMMAND, "backtest", "slow.py", "--data", "spy.csv", "--label", "open", "--json"],
        cwd=folder,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    until = time.monotonic() + 60
    while not (folder / "started").exists() and running.poll() is None:
        assert time.monotonic() < until
        time.sleep(0.05)
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=60)
    assert running.returncode == 130
    assert 1 <= json.loads(out)["events_processed"] < 60
    assert err.startswith("interrupted after ")


def test_a_reader_that_leaves_is_no_traceback(folder: Path) -> None:
    shell = f"{' '.join(COMMAND)} backtest --help | head -1"
    done = subprocess.run(
        ["sh", "-c", shell], cwd=folder, env=ENVIRONMENT, capture_output=True, text=True
    )
    assert done.stdout.startswith("Usage: ")
    assert done.stderr == ""


def test_the_demo_needs_nothing_but_its_data_package(tmp_path: Path) -> None:
    pytest.importorskip("bokeh_sampledata")
    done = subprocess.run(
        [sys.executable, "-m", "pyrt.cli.demo"],
        cwd=tmp_path,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "SmaCross(symbol='GOOG', fast=20, slow=50)" in done.stdout
    assert "public domain" in done.stdout
    report = tmp_path / "build" / "demo" / "report.html"
    assert f"Report: {report.relative_to(tmp_path)}" in done.stdout
    assert report.stat().st_size > 100_000


def test_the_demo_has_an_object_for_programs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("bokeh_sampledata")
    from pyrt.cli import main

    monkeypatch.chdir(tmp_path)
    assert main(["demo", "--json", "--report", "deep/down/demo.html"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["events_processed"], found["fills"], found["orders"]) == (2148, 41, 42)
    assert (tmp_path / "deep" / "down" / "demo.html").exists()


def test_the_demo_without_its_data_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from pyrt.cli import main

    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "bokeh_sampledata.stocks", None)
    assert main(["demo"]) == 2
    assert capsys.readouterr().err == (
        "Error: the sample bars are those of bokeh_sampledata, which is not installed. "
        "Run: pip install bokeh_sampledata\n"
    )
    assert list(tmp_path.iterdir()) == []
