"""A recorded run played again gives the same commands; a changed one does not."""

from __future__ import annotations

import pytest

from pyrt import Strategy
from pyrt.errors import JournalError
from pyrt.live.journal import records as r
from pyrt.live.journal.journal import pack, read_tape
from pyrt.live.journal.log import Log
from pyrt.live.replay.replay import find_recording, replay
from pyrt.risk.limits import Limits
from pyrt.testing.files import MemoryFiles
from tests.live.strategies import Cross as SmaCross
from tests.live.strategies import walk
from tests.live.test_recovery import Collect, Raises, Rests, node
from tests.live.whole import Node, World


class Busy(Strategy):
    """Timers, brackets, coarser bars, changes and cancels: all that a tape has to carry."""

    def on_start(self):
        self.subscribe_bars("SPY", "1m")
        self.subscribe_bars("SPY", "5m")
        self.set_timer("tidy", "7m")
        self.limit = None

    def on_bar(self, bar):
        position = self.position("SPY")
        if bar.timeframe == "5m" and bar.close < bar.open and position.is_flat:
            self.buy(
                "SPY",
                10,
                take_profit=round(bar.close + 0.4, 2),
                stop_loss=round(bar.close - 0.4, 2),
            )
        elif bar.timeframe == "1m" and self.limit is None:
            self.limit = self.buy("SPY", 1, limit_price=round(bar.close - 5, 2))
        elif self.limit is not None and self.limit.is_open and not self.limit.is_pending:
            self.modify(self.limit, limit_price=round(bar.close - 4, 2))

    def on_timer(self, event):
        if self.limit is not None and self.limit.is_open:
            self.cancel(self.limit)
        self.limit = None


def recorded(kinds, seed=3, bars=80, files=None, *, ends=True) -> MemoryFiles:
    files = files or MemoryFiles()
    first = Node(World([walk(seed, "SPY", bars)]), files, [k() for k in kinds], run_id="one")
    first.start()
    first.run()
    if ends:
        first.stop()
    return files


@pytest.mark.parametrize(
    "kinds", [(SmaCross,), (Rests,), (Busy,), (SmaCross, Busy), (Raises, Collect)]
)
def test_the_same_commands_come_out_at_the_same_places(kinds):
    files = recorded(kinds)
    result = replay(files, [kind() for kind in kinds])
    assert result.difference == ""
    assert result.is_exact
    assert result.commands == len(find_recording(files).commands) > 0
    assert result.beyond == 0


def test_a_strategy_of_other_parameters_or_code_is_found():
    files = recorded([SmaCross])

    class Other(SmaCross):
        def on_bar(self, bar):
            if self.slow_ma.ready and self.position("SPY").is_flat:
                self.buy("SPY", 99)

    Other.__name__ = "Cross"
    result = replay(files, [Other()])
    assert not result.is_exact
    assert result.difference.startswith("recorded submit")


def test_a_flipped_price_on_the_tape_is_found():
    files = recorded([SmaCross])
    pieces = list(read_tape(files, "one"))
    changed = MemoryFiles()
    for name in files.names():
        if name.startswith("main"):
            changed.put(name, files.read(name))
    log = Log(changed, "tape-one", pack=pack)
    for i, piece in enumerate(pieces):
        data = bytearray(piece)
        if i % 3 == 0 and len(data) > 100:
            # A high bit of the close: layout, advance and the event's head lie before it.
            data[5 + 9 + 1 + 40 + 24 + 5] ^= 0x08
        log.append(r.INPUTS, bytes(data))
    log.commit()
    result = replay(changed, [SmaCross()])
    assert not result.is_exact


def with_tape(files: MemoryFiles, share: float) -> MemoryFiles:
    """Return a journal with only the first part of its run's inputs."""
    left = MemoryFiles()
    for name in files.names():
        if name.startswith("main"):
            left.put(name, files.read(name))
    pieces = list(read_tape(files, "one"))
    log = Log(left, "tape-one", pack=pack)
    for piece in pieces[: round(len(pieces) * share)]:
        log.append(r.INPUTS, piece)
    log.commit()
    return left


def test_a_run_whose_inputs_are_gone_is_not_taken_for_the_same():
    files = with_tape(recorded([SmaCross]), 0)
    with pytest.raises(JournalError, match="the inputs of run one are gone") as caught:
        replay(files, [SmaCross()])
    assert caught.value.code == "no_inputs"


@pytest.mark.parametrize("ending", ["stopped", "cut off"])
def test_a_tape_that_has_lost_its_end_is_that_of_a_run_that_was_cut_off(ending):
    files = recorded([SmaCross], ends=ending == "stopped")
    whole = replay(files, [SmaCross()])
    assert (whole.is_exact, whole.lost, whole.beyond) == (True, 0, 0)
    result = replay(with_tape(files, 0.5), [SmaCross()])
    missing = whole.inputs - result.inputs
    assert result.beyond == whole.commands - result.commands > 0
    assert (result.difference, result.commands > 0, missing > 0) == ("", True, True)
    assert result.lost == (missing if ending == "stopped" else 0)
    assert result.is_exact is (ending == "cut off")


def test_a_restarted_run_replays_from_what_it_began_with():
    world, files = World([walk(4, "SPY", 120)]), MemoryFiles()
    first = node(world, files, SmaCross)
    first.run(150)
    second = node(world, first.crash(), SmaCross, run_id="two")
    second.run()
    second.stop()
    for run_id in ("two",):
        result = replay(second.files, [SmaCross()], run_id=run_id)
        assert result.is_exact, result.difference


def test_fills_told_late_are_replayed_where_they_were_told():
    world, files = World([walk(4, "SPY", 60)]), MemoryFiles()
    first = node(world, files, Collect)
    take = world.simulator.take_trade_updates
    world.simulator.take_trade_updates = lambda: take() and []

    def deaf(request, send):
        answer = send(request)
        return None if request.method == "POST" or "read_back" in request.purpose else answer

    first.on_request = deaf
    first.run(3)
    assert world.posted
    assert first.kernel.cache.positions() == []
    files = first.crash()
    second = node(world, files, Collect, run_id="two")
    assert second.kernel.strategies[0].fills
    second.run()
    assert second.kernel.account.equity_exact == world.venue.account.equity_exact
    second.stop()
    result = replay(second.files, [Collect()], run_id="two")
    assert result.is_exact, result.difference


def test_other_limits_tell_what_they_would_have_denied():
    files = recorded([SmaCross])
    result = replay(files, [SmaCross()], limits=Limits(max_order_quantity=10))
    assert not result.is_exact
    assert result.denied
    assert all(
        reason.startswith("max_order_quantity") or "missing" in reason
        for _, reason in result.denied[:1]
    )


def test_other_strategies_are_refused():
    files = recorded([SmaCross])
    with pytest.raises(JournalError, match="Cross"):
        replay(files, [Collect()])
    with pytest.raises(JournalError, match="no run"):
        replay(MemoryFiles(), [Collect()])


class Counts(SmaCross):
    """Keeps what it has seen."""

    def on_start(self):
        super().on_start()
        self.bars = 0

    def on_bar(self, bar):
        self.bars += 1
        super().on_bar(bar)

    def on_save(self):
        return {"bars": self.bars}

    def on_load(self, state):
        self.bars = state["bars"]


def test_every_saved_state_is_come_to_again_at_its_place():
    files = recorded([Counts])
    saves = find_recording(files).saves
    assert len(saves) > 5
    result = replay(files, [Counts()])
    assert (result.saves, result.saves_differ) == (len(saves), ())
    assert result.is_exact

    class Forgets(Counts):
        def on_save(self):
            return {"bars": self.bars // 2}

    Forgets.__name__ = "Counts"
    other = replay(files, [Forgets()])
    assert other.saves_differ
    assert not other.is_exact
    assert other.difference == ""


def test_a_restart_goes_on_with_what_came_in_and_commands_are_compared():
    world, files = World([walk(4, "SPY", 120)]), MemoryFiles()
    first = node(world, files, Counts)
    first.run(150)
    # Killed, not stopped: what was written is there.
    first.journal.commit()
    cut = replay(files, [Counts()], run_id="one")
    assert cut.is_exact, cut.difference
    counted = first.kernel.strategies[0].bars
    second = node(world, files, Counts, run_id="two")
    assert second.kernel.strategies[0].bars == counted > 10
    start = find_recording(second.files, "two").start
    assert (start.resumes, start.first_prefix) == ("one", "pyrt-one-")
    assert start.resumed_at >= cut.inputs
    second.run()
    second.stop()
    result = replay(second.files, [Counts()], run_id="two")
    assert result.is_exact, result.difference
    assert result.saves == len(find_recording(second.files, "two").saves) > 3
    assert 0 <= result.since <= result.commands
