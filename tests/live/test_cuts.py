"""The network between a real node and the exchange: slow, reset, half closed, swallowing, refusing.

Whatever the line does, no order is sent twice, no fill is lost, and the node trades on.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from decimal import Decimal

import pytest

from tests.live.programs import Exchange, Program
from tests.live.proxy import PASS, SLOW, SWALLOW, Proxy
from tests.live.test_programs import fills_of, hold_equal, wait_for

pytest.importorskip("uvicorn")

NIGHTLY = os.environ.get("PYRT_HYPOTHESIS") == "nightly"
CUTS = ("slow", "reset", "half_close", "refuse", "swallow")
LONG_S = 12.0 if NIGHTLY else 1.0
"""Longer than a request may take, or just long enough to be noticed."""


@pytest.fixture
def exchange(tmp_path):
    served = Exchange(tmp_path, speed="600x")
    yield served
    served.close()


def fail(proxy: Proxy, cut: str) -> None:
    """Let the line fail, and mend it."""
    if cut == "slow":
        proxy.become(SLOW)
        time.sleep(LONG_S)
        proxy.become(PASS)
    elif cut == "reset":
        for _ in range(3):
            proxy.reset()
            time.sleep(0.2)
    elif cut == "half_close":
        proxy.half_close()
        time.sleep(0.3)
    elif cut == "refuse":
        proxy.refuses = True
        proxy.reset()
        time.sleep(LONG_S)
        proxy.refuses = False
    else:
        proxy.become(SWALLOW)
        time.sleep(LONG_S)
        proxy.reset()
        proxy.become(PASS)


def grows(count: Callable[[], int | Decimal], what: str, before: int | None = None) -> None:
    """Wait until there are more than there were."""
    least = count() if before is None else before
    wait_for(lambda: count() > least, f"more {what}", 60)


def test_a_line_that_fails_in_every_way_costs_no_order_and_no_fill(tmp_path, exchange):
    with Proxy(exchange.port) as proxy:
        program = Program(tmp_path, exchange, port=proxy.port)
        program.start()
        for cut in CUTS * (4 if NIGHTLY else 1):
            grows(lambda: sum(fills_of(program).values()), f"fills before {cut}")
            opened = proxy.connections
            fail(proxy, cut)
            if cut != "slow":
                grows(lambda: proxy.connections, f"connections after {cut}", opened)
            grows(lambda: sum(fills_of(program).values()), f"fills after {cut}")
        assert program.kill(signal.SIGTERM) == 0
        hold_equal(program, exchange)
