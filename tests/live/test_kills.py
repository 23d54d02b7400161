"""A node killed at random points, again and again; and one whose disk is full."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from random import Random

import pytest

from pyrt.errors import ConfigError
from pyrt.live.journal import records as r
from pyrt.live.journal.files import RealFiles
from pyrt.live.journal.journal import read_records
from pyrt.live.process.control import ask
from tests.live.forks import Forks
from tests.live.programs import SYMBOLS, Exchange, Program
from tests.live.test_programs import fills_of, hold_equal, wait_for

pytest.importorskip("uvicorn")

NIGHTLY = os.environ.get("PYRT_HYPOTHESIS") == "nightly"
ROUNDS = int(os.environ.get("PYRT_KILL_ROUNDS", "20" if NIGHTLY else "1"))
KILLS = 50
SETTLED_EVERY = 5
"""Of the lives that trade, how many until a person settles what never arrived."""
LONGEST_S = 0.5


@pytest.fixture
def exchange(tmp_path):
    served = Exchange(tmp_path, speed="200x", symbols=SYMBOLS)
    yield served
    served.close()


def has_gone(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    return False


def settle(program, exchange):
    """Do as the runbook says with orders of earlier lives that never left: look, and say so.

    A node killed between record and request cannot know, and its symbol sells no more that day;
    one such moment for all symbols, and the lives that follow would not trade.
    """
    starts, intents = [], []
    for _, record in read_records(RealFiles(program.state), archived=True):
        if isinstance(record, r.RunStart):
            starts.append(record.prefix)
        elif isinstance(record, r.Intent):
            intents.append(record.order.client_order_id)
    there = {order["client_order_id"] for order in exchange.orders()}
    for name in intents:
        if name not in there and not name.startswith(starts[-1]):
            # Settled before, perhaps, or refused: then there is nothing in doubt.
            with suppress(ConfigError):
                ask(program.state, "lost", actor="anna", reason="not at the broker", order=name)


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_killed_at_random_points_a_node_sends_nothing_twice_and_loses_no_fill(
    tmp_path, exchange, seed
):
    random = Random(seed)
    program = Program(tmp_path, exchange, "Swings", symbols=SYMBOLS)
    forks = Forks(program.environment)
    out, err = tmp_path / "out.txt", tmp_path / "err.txt"
    try:
        for number in range(KILLS):
            process = forks.start(program.arguments, out, err)
            # At any step of its start, or, every other time, in the midst of trading.
            if number % 2:
                wait_for(program.is_running, "a start")
            if number % (2 * SETTLED_EVERY) == 2 * SETTLED_EVERY - 1:
                settle(program, exchange)
            time.sleep(random.uniform(0.02, LONGEST_S))
            os.kill(process, signal.SIGKILL)
            wait_for(lambda process=process: has_gone(process), "the end of a killed process")
    finally:
        forks.close()
    assert len(fills_of(program)) > KILLS / 5, err.read_text()[-2_000:]
    program.start()
    time.sleep(0.5)
    assert program.kill(signal.SIGTERM) == 0
    hold_equal(program, exchange)


def test_a_node_whose_disk_is_full_halts_and_sends_nothing_more(tmp_path, exchange):
    program = Program(tmp_path, exchange, "Swings", symbols=SYMBOLS)
    forks = Forks(program.environment)
    out, err = tmp_path / "out.txt", tmp_path / "err.txt"
    try:
        process = forks.start(program.arguments, out, err, file_bytes=60_000)
        wait_for(program.is_running, "a start")
        wait_for(lambda: ask(program.state, "status")["state"] == "HALTED", "the halt", 60)
        sent = len(exchange.orders())
        assert sent > 0
        time.sleep(1.0)
        assert len(exchange.orders()) == sent
        assert not has_gone(process)
        with pytest.raises(ConfigError, match="journal"):
            ask(program.state, "resume", actor="anna", reason="fine", typed="RESUME")
        os.kill(process, signal.SIGKILL)
        wait_for(lambda: has_gone(process), "the end of a killed process")
    finally:
        forks.close()
    assert "the journal cannot be written" in err.read_text()
    # With room again, what it had sent is found.
    program.start()
    time.sleep(0.5)
    assert program.kill(signal.SIGTERM) == 0
    hold_equal(program, exchange)
