"""A strategy that does not come to an end is stopped, and the others go on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import pyrt
from pyrt import Strategy
from pyrt.live.core.node import COMMANDS_MAX, ROUNDS_MAX
from pyrt.live.driver.status import status_of
from pyrt.live.observe.redaction import MASK, Redactor
from pyrt.live.process.monitor import in_users_code
from pyrt.live.replay.replay import replay
from pyrt.risk import Limits
from pyrt.testing.files import MemoryFiles
from tests.live.test_recovery import Collect
from tests.live.whole import Node, World
from tests.minutes import minute_bars

PRICES = [100.0 + i % 3 for i in range(12)]
BARS = (minute_bars("SPY", PRICES), minute_bars("QQQ", PRICES))


class Floods(Strategy):
    symbol: str = "QQQ"

    def on_start(self):
        self.subscribe_bars(self.symbol, "1m")

    def on_bar(self, bar):
        while True:
            self.buy(self.symbol, 1, limit_price=50)


class Changes(Floods):
    def on_bar(self, bar):
        order = self.buy(self.symbol, 1, limit_price=50)
        while True:
            self.modify(order, limit_price=51)


class Insists(Floods):
    """Sends again what is denied, for ever."""

    def on_bar(self, bar):
        self.buy(self.symbol, 1, limit_price=1000)

    def on_deny(self, event):
        self.buy(self.symbol, 1, limit_price=1000)


class Tells(Floods):
    """Raises with the keys in its words."""

    def on_bar(self, bar):
        raise ValueError("refused: secret_key=hunter2hunter2")


def test_what_a_strategy_raises_shows_no_key_to_whoever_asks_or_reads():
    world, files = World(BARS), MemoryFiles()
    both = Node(world, files, [Tells(), Collect()], run_id="one")
    both.driver.scribe.clean = Redactor(["hunter2hunter2"]).redact
    both.start()
    both.run()
    (stopped, _) = status_of(both.driver)["strategies"]
    assert not stopped["running"]
    assert MASK in stopped["stopped"]
    told = [stopped["stopped"], both.journal.state.stopped["Tells"], *(t for _, t in both.alarms)]
    assert not [text for text in told if "hunter2hunter2" in text]


@pytest.mark.parametrize("kind", [Floods, Changes])
def test_a_handler_that_issues_without_end_is_stopped_and_nothing_of_it_leaves(kind):
    world, files = World(BARS), MemoryFiles()
    both = Node(world, files, [kind(), Collect()], run_id="one")
    both.start()
    both.run()
    assert both.journal.state.stopped[kind.__name__]
    told = [text for code, text in both.alarms if code == "strategy_stopped"]
    assert len(told) == 1
    assert f"has issued {COMMANDS_MAX} commands" in told[0]
    assert both.kernel.strategies[1].position("SPY").quantity == 10
    assert all(b"SPY" in body for body in world.posted)
    assert len(world.posted) == 1
    assert not [o for o in both.kernel.cache.orders_open() if o.symbol == "QQQ"]
    result = replay(files, [kind(), Collect()])
    assert result.is_exact, result.difference


def test_a_strategy_that_sends_again_what_is_denied_is_stopped():
    world, files = World(BARS), MemoryFiles()
    limits = Limits(max_order_quantity=5)
    both = Node(world, files, [Insists(), Collect()], run_id="one", limits=limits)
    both.start()
    both.run()
    told = [text for code, text in both.alarms if code == "strategy_stopped"]
    assert len(told) == 1
    assert f"still issues commands after {ROUNDS_MAX} rounds" in told[0]


def frame_of(*files: Path | str) -> object:
    """Return the frame of a function that is called, file by file, from one of our own."""
    call: object = sys._getframe
    for file in (*reversed(files), Path(pyrt.__file__).parent / "live" / "core" / "node.py"):
        spaces = {"inner": call}
        exec(compile("def outer():\n    return inner()", str(file), "exec"), spaces)
        call = spaces["outer"]
    return call()


@pytest.mark.parametrize("place", ["adapters/alpaca/core/client.py", "live/driver/scribe.py"])
def test_our_own_code_is_never_broken_off(place):
    package = Path(pyrt.__file__).parent
    assert not in_users_code(frame_of(package / place))


@pytest.mark.parametrize("place", [json.__file__, "<frozen importlib._bootstrap>"])
def test_what_our_own_code_asks_of_python_is_not_broken_off_and_what_the_users_asks_is(place):
    """A log line, or an import of ours at that moment: the error of it would be nobody's."""
    assert not in_users_code(frame_of(place))
    assert in_users_code(frame_of("/strategies/mine.py", place))
    # Strategies may be installed, and lie below Python then.
    installed = Path(json.__file__).parents[1] / "site-packages" / "mine.py"
    assert in_users_code(frame_of(installed, place))


def test_a_strategy_of_the_user_or_a_ready_one_is_broken_off(tmp_path):
    assert in_users_code(frame_of(tmp_path / "mine.py"))
    assert in_users_code(frame_of(Path(pyrt.__file__).parent / "strategies" / "cross.py"))


@pytest.mark.parametrize("place", ["-strategies/cross.py", "_mine/cross.py", "s/strategies/a.py"])
def test_a_strategy_whose_folder_is_named_after_the_package_is_the_users(place):
    """It was taken for ours: a handler without end was never broken off there."""
    assert in_users_code(frame_of(Path(f"{Path(pyrt.__file__).parent}{place}")))


def test_a_folder_of_ours_that_only_sounds_like_strategies_is_ours():
    package = Path(pyrt.__file__).parent
    assert not in_users_code(frame_of(package / "live" / "strategies" / "ours.py"))
    assert not in_users_code(frame_of(package / "strategies_of_ours.py"))


def test_a_package_that_is_reached_by_a_link_is_ours_all_the_same(tmp_path):
    """As in an environment whose `lib64` is a link to `lib`: nothing was ever broken off there."""
    package = Path(pyrt.__file__).parent
    (tmp_path / "pyrt").symlink_to(package)
    code = (
        "import sys; from pyrt.live.process.monitor import in_users_code\n"
        "from pyrt.live.driver.hearing import Hearing\n"
        "frames = []\n"
        "Hearing('x', print).call(lambda: frames.append(sys._getframe()))\n"
        "print(in_users_code(frames[0]), Hearing.call.__code__.co_filename)"
    )
    said = subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )  # fmt: skip
    assert said.stdout.split() == ["True", str(tmp_path / "pyrt/live/driver/hearing.py")]
