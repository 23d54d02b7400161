"""Real processes and sockets: killed and started again, frozen, stuck, spoken to and stopped."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import time
from collections import Counter
from decimal import Decimal

import pytest

from pyrt.cli.exits import FAILED
from pyrt.errors import ConfigError
from pyrt.live.journal import records as r
from pyrt.live.journal.files import RealFiles
from pyrt.live.journal.journal import read_records
from pyrt.live.process.control import ask
from pyrt.live.process.heartbeat import WATCHDOG_BEAT, read_beat
from tests.live.programs import PYRT, Exchange, Program

pytest.importorskip("uvicorn")


@pytest.fixture
def exchange(tmp_path):
    served = Exchange(tmp_path)
    yield served
    served.close()


def wait_for(look, what: str, patience_s: float = 30.0):
    until = time.monotonic() + patience_s
    while time.monotonic() < until:
        found = look()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{what} did not happen")


def fills_of(program: Program) -> Counter:
    """Executed quantity by client order id, as the journal has it."""
    found: Counter = Counter()
    seen = set()
    for _, record in read_records(RealFiles(program.state), archived=True):
        if isinstance(record, r.Execution):
            key = (record.order.client_order_id, record.cumulative)
            assert key not in seen, "an execution was applied twice"
            seen.add(key)
            found[record.order.client_order_id] += Decimal(record.quantity)
    return found


def hold_equal(program: Program, exchange: Exchange) -> None:
    """Orders and fills of a node that has stopped are those of the exchange, each once."""
    orders = exchange.orders()
    names = [order["client_order_id"] for order in orders]
    assert len(names) == len(set(names)) > 3
    ours = fills_of(program)
    theirs = {o["client_order_id"]: Decimal(o["filled_qty"]) for o in orders}
    assert dict(ours) == {name: filled for name, filled in theirs.items() if filled}
    intents = {
        record.order.client_order_id
        for _, record in read_records(RealFiles(program.state), archived=True)
        if isinstance(record, r.Intent)
    }
    assert set(names) <= intents, "an order left without an earlier record"
    check = program.run_more("journal", "verify", str(program.state))
    assert check.returncode == 0, check.stdout


def test_a_second_node_on_the_same_state_is_refused(tmp_path, exchange):
    program = Program(tmp_path, exchange)
    program.start()
    second = program.run_more(
        "live", f"{tmp_path / 'strategies.py'}:Swing", "--config", str(tmp_path / "node.toml")
    )
    assert second.returncode == FAILED
    assert "another node" in second.stderr
    # The same account from another folder, too.
    other = tmp_path / "other"
    other.mkdir()
    twin = Program(other, exchange)
    third = twin.run_more(
        "live", f"{other / 'strategies.py'}:Swing", "--config", str(other / "node.toml")
    )
    assert third.returncode == FAILED
    assert "the account" in third.stderr
    program.kill(signal.SIGTERM)


def test_an_operator_asks_halts_resumes_and_flattens(tmp_path, exchange):
    program = Program(tmp_path, exchange)
    program.start()
    state = program.state
    wait_for(lambda: ask(state, "status")["positions"], "a position")
    ask(state, "halt", actor="anna", reason="looks odd")
    assert ask(state, "status")["state"] == "HALTED"
    sent = len(exchange.get("/v2/orders", status="all", limit=500))
    time.sleep(0.7)
    assert len(exchange.get("/v2/orders", status="all", limit=500)) == sent
    with pytest.raises(ConfigError, match="RESUME typed"):
        ask(state, "resume", actor="anna", reason="fine")
    with pytest.raises(ConfigError, match="actor"):
        ask(state, "resume", typed="RESUME")
    ask(state, "resume", actor="anna", reason="fine", typed="RESUME")
    wait_for(
        lambda: len(exchange.get("/v2/orders", status="all", limit=500)) > sent, "another order"
    )
    told = program.run_more(
        "control", str(state), "flatten", "--reason", "home", "--actor", "anna",
        "--typed", "FLATTEN",
    )  # fmt: skip
    assert told.returncode == 0, told.stderr
    wait_for(lambda: not exchange.get("/v2/positions"), "a flat account")
    assert program.kill(signal.SIGTERM) == 0
    base = program.run_more("journal", "export", str(state), str(tmp_path / "j.sqlite"))
    assert base.returncode == 0, base.stderr
    database = sqlite3.connect(tmp_path / "j.sqlite")
    actors = {row[0] for row in database.execute("SELECT actor FROM operations")}
    assert "anna" in actors
    count = database.execute("SELECT count(*) FROM fills").fetchone()[0]
    database.close()
    assert count == sum(1 for _ in fills_of(program))


def test_a_wrong_token_is_refused(tmp_path, exchange):
    program = Program(tmp_path, exchange)
    program.start()
    path = program.state / "control.json"
    assert path.stat().st_mode & 0o777 == 0o600
    address = json.loads(path.read_text())
    path.write_text(json.dumps({**address, "token": "x" * 40}))
    with pytest.raises(ConfigError, match="token"):
        ask(program.state, "status")
    program.kill(signal.SIGTERM)


def test_a_handler_that_never_comes_back_is_broken_off(tmp_path, exchange):
    program = Program(tmp_path, exchange, "Stuck", handler_timeout_s=0.5)
    program.start()
    found = wait_for(
        lambda: [s for s in ask(program.state, "status")["strategies"] if not s["running"]],
        "the strategy being stopped",
    )
    assert "StrategyOverrun" in found[0]["stopped"]
    assert ask(program.state, "status")["phase"] == "running"
    assert program.kill(signal.SIGTERM) == 0


def test_a_frozen_node_has_its_orders_canceled_by_the_watchdog(tmp_path, exchange):
    program = Program(tmp_path, exchange)
    program.start()
    body = {
        "symbol": "SPY", "qty": "1", "side": "buy", "type": "limit", "limit_price": "10",
        "time_in_force": "gtc",
    }  # fmt: skip
    assert exchange.post("/v2/orders", body)["status"] in ("new", "accepted", "pending_new")
    command = [
        "watchdog", "--config", str(tmp_path / "node.toml"), "--silence", "1.5",
    ]  # fmt: skip
    watchdog = subprocess.Popen([*PYRT, *command], env=program.environment, stderr=subprocess.PIPE)
    wait_for(lambda: (program.state / "watchdog").exists(), "the watchdog's beat")
    assert exchange.get("/v2/orders", status="open")
    program.process.send_signal(signal.SIGSTOP)
    wait_for(lambda: not exchange.get("/v2/orders", status="open"), "the canceling")
    program.process.send_signal(signal.SIGCONT)
    assert program.kill(signal.SIGTERM) == 0
    # The node has stopped in order: its watchdog leaves by itself.
    assert watchdog.wait(timeout=30) == 0


def test_a_recorded_run_replays_and_is_compared_with_its_backtest(tmp_path, exchange):
    program = Program(tmp_path, exchange)
    program.start()
    wait_for(lambda: len(fills_of(program)) > 4, "some fills")
    assert program.kill(signal.SIGTERM) == 0
    played = program.run_more("replay", str(program.state), "--json")
    assert played.returncode == 0, played.stdout + played.stderr
    result = json.loads(played.stdout)
    assert result["exact"]
    assert result["commands"] > 4
    compared = program.run_more(
        "parity", str(program.state), "--data", str(tmp_path / "bars.parquet"), "--label", "open",
        "--venue", "sim", "--json",
    )  # fmt: skip
    report = json.loads(compared.stdout)
    assert report["orders"] > 3
    assert report["bars"] > 5
    assert report["differences"] == []
    assert compared.returncode == 0
    kept = program.run_more("journal", "backup", str(program.state), str(tmp_path / "b.tar.gz"))
    assert kept.returncode == 0, kept.stderr
    back = program.run_more(
        "journal", "restore", str(tmp_path / "b.tar.gz"), str(tmp_path / "again")
    )
    assert back.returncode == 0, back.stderr
    again = program.run_more("replay", str(tmp_path / "again"), "--json")
    assert json.loads(again.stdout)["replayed_hash"] == result["replayed_hash"]


@pytest.mark.nightly
def test_a_node_starts_its_watchdog_and_starts_another_when_it_is_killed(tmp_path, exchange):
    program = Program(tmp_path, exchange, watchdog=True)
    program.start()
    beat = wait_for(lambda: read_beat(program.state, WATCHDOG_BEAT), "the watchdog's beat")
    more = program.run_more("watchdog", "--config", str(tmp_path / "node.toml"))
    assert more.returncode == 2
    assert f"another watchdog (process {beat.pid})" in more.stderr
    program.kill(signal.SIGKILL)
    program.start()
    assert read_beat(program.state, WATCHDOG_BEAT).pid == beat.pid, "the old one watches on"
    os.kill(beat.pid, signal.SIGKILL)
    other = wait_for(
        lambda: (now := read_beat(program.state, WATCHDOG_BEAT)) and now.pid != beat.pid and now,
        "another watchdog",
    )
    assert program.kill(signal.SIGTERM) == 0
    assert (tmp_path / "err.txt").read_text().count("watchdog_lost") == 1

    def has_left():
        try:
            os.kill(other.pid, 0)
        except ProcessLookupError:
            return True
        return False

    wait_for(has_left, "the watchdog leaving")
