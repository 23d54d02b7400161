"""What past bars a node asks for: how far back, by whose time, and what it does as they come."""

from __future__ import annotations

from types import SimpleNamespace as Stub
from typing import Any

import pytest

from pyrt.core.times import timestamp_ns
from pyrt.live.driver.history import History
from pyrt.live.plan import DAY, MINUTE

NOW = timestamp_ns("2024-01-10T18:00:00Z")


class Rig:
    """A node of SPY and BTC/USD with streams as said; what it asks for and feeds is kept."""

    def __init__(self, warmup: int = 100, *, server_ts: int | None = None, **more: Any) -> None:
        self.warmed: list[tuple[str, int, int]] = []
        self.asked: list[tuple[Any, ...]] = []
        self.did: list[Any] = []
        self.inputs = Stub(
            last_bars=more.get("last_bars", {}), holds_bars=more.get("holds", True),
            release_bars=self.release, settle=lambda: self.did.append("settle"),
        )  # fmt: skip
        core = Stub(
            inputs=self.inputs, bar_symbols=more.get("symbols", ["SPY", "BTC/USD"]),
            kernel=Stub(cache=Stub(streams=more.get("streams", []))),
            warm=lambda symbol, bars, asked_at=0: self.did.append((symbol, bars, asked_at)),
            take=lambda now, events: self.did.append(("take", now, events)),
            enter=lambda: self.did.append("enter"), leave=lambda: self.did.append("leave"),
            later=Stub(
                deliver_history=lambda *given: self.did.append(("history", *given)),
                keep_part=lambda *given: self.did.append(("part", *given)),
                deliver_result=lambda *given: self.did.append(("result", *given)),
            ),
        )  # fmt: skip
        self.run = Stub(
            live_core=core, plan=Stub(policies=Stub(warmup=warmup)),
            last_look=None if server_ts is None else Stub(ts=NOW, server_ts=server_ts),
            client=Stub(
                warm=lambda *given: self.warmed.append(given),
                history=lambda *given: self.asked.append(given),
            ),
            scribe=Stub(now=NOW + 7),
            note=lambda what, **given: self.did.append((what, given)),
            flush_tape=lambda: self.did.append("flush"),
        )  # fmt: skip
        self.history = History(self.run, Stub(settle=lambda now: self.did.append(("settled", now))))

    def release(self, until: int) -> None:
        self.inputs.holds_bars = False
        self.did.append("release")
        assert until == self.run.scribe.now - 30 * MINUTE


def stream(symbol: str = "SPY", *lookbacks: int, minutes: int = 1, **more: Any) -> Any:
    given = {"kind": "bars", "index": 0, **more}
    return Stub(symbol=symbol, lookbacks=lookbacks, timeframe_ns=minutes * MINUTE, **given)


@pytest.mark.parametrize(
    ("warmup", "streams", "days", "minutes"),
    [
        # Sessions have 390 minutes, three days have two of them, and five days are to spare.
        (100, [], 5, 100),
        (389, [], 5, 389),
        (390, [], 6, 390),
        (3_900, [], 20, 3_900),
        (100, [stream("SPY", 5, 200), stream("BTC/USD", 5, 200)], 8, 800),
        (100, [stream("SPY", 20), stream("BTC/USD", 20)], 5, 100),
        (100, [stream("SPY", 195, minutes=5), stream("BTC/USD", 195, minutes=5)], 20, 3_900),
        (100, [stream("SPY", minutes=39), stream("BTC/USD", minutes=39)], 20, 3_900),
        (1, [stream("SPY", minutes=390), stream("BTC/USD", minutes=390)], 6, 390),
        # What is built in trades on averages of 50 and 200 days: a day has one session.
        (
            250,
            [stream(s, 50, 200, minutes=1_440) for s in ("SPY", "BTC/USD")],
            1_205,
            800 * 1_440,
        ),
        (1, [stream(s, minutes=2_160) for s in ("SPY", "BTC/USD")], 8, 2_160),
        # Bars of seconds, as others are made into, are asked for by the minute.
        (100, [Stub(**{**vars(stream()), "timeframe_ns": MINUTE // 4})], 5, 100),
        (100, [stream("QQQ", 900), stream("SPY", 900, kind="quotes")], 5, 100),
    ],
)
def test_enough_bars_are_asked_for_to_warm_the_longest_lookback_up(warmup, streams, days, minutes):
    rig = Rig(warmup, streams=streams)
    rig.history.warm_up(NOW)
    assert rig.warmed == [("SPY", NOW - days * DAY, NOW), ("BTC/USD", NOW - minutes * MINUTE, NOW)]


@pytest.mark.parametrize(
    ("server_ts", "there"), [(None, NOW), (0, NOW), (NOW - 900 * DAY, NOW - 900 * DAY)]
)
def test_a_broker_of_another_time_is_asked_by_its_own(server_ts, there):
    rig = Rig(server_ts=server_ts)
    rig.history.warm_up(NOW)
    assert {given[2] for given in rig.warmed} == {there}
    rig.history.ask(3, "BTC/USD", "1m", 10)
    end = NOW + 7 + there - NOW
    assert rig.asked == [(3, "BTC/USD", "1m", end - 10 * MINUTE, end, 10)]


def test_after_a_crash_only_what_nobody_has_heard_is_asked_for():
    streams = [stream("SPY"), stream("BTC/USD", index=1), stream("BTC/USD", kind="quotes", index=2)]
    rig = Rig(streams=streams, last_bars={0: NOW - 3, 2: NOW - 2})
    rig.history.warm_up(NOW)
    assert rig.warmed == [("SPY", NOW - 3, NOW), ("BTC/USD", NOW - 100 * MINUTE, NOW)]


def test_bars_end_by_time_again_once_all_that_was_asked_for_has_come():
    rig = Rig()
    rig.history.warm_up(NOW)
    assert (rig.history.is_warm, rig.did) == (False, [])
    rig.history.on_warm(Stub(symbol="SPY", bars=[1]))
    assert (rig.history.is_warm, rig.did) == (False, [("SPY", [1], NOW), "flush"])
    rig.history.on_warm(Stub(symbol="BTC/USD", bars=[]))
    assert rig.history.is_warm
    assert rig.did[2:] == [
        ("BTC/USD", [], NOW),
        "flush",
        ("bars", {"until": NOW + 7 - 30 * MINUTE}),
        "release",
    ]
    rig.history.on_warm(Stub(symbol="SPY", bars=[]))
    assert rig.did.count("release") == 1


@pytest.mark.parametrize(
    ("warmup", "symbols", "holds", "released"),
    [(0, ["SPY"], True, True), (9, [], True, True), (0, ["SPY"], False, False)],
)
def test_where_nothing_is_asked_for_bars_end_by_time_at_once(warmup, symbols, holds, released):
    rig = Rig(warmup, symbols=symbols, holds=holds)
    rig.history.warm_up(NOW)
    assert rig.warmed == []
    assert rig.history.is_warm
    assert rig.did == [("bars", {"until": NOW + 7 - 30 * MINUTE}), "release"] * released


@pytest.mark.parametrize(
    ("symbol", "timeframe", "bars", "days"),
    [
        ("SPY", "1m", 389, 5),
        ("SPY", "1m", 3_900, 20),
        ("SPY", "5m", 780, 20),
        # Whole days of minutes are sessions all the same: 37 of 390 minutes.
        ("SPY", "1h", 241, 60),
        ("SPY", "1h", 240, 59),
        ("SPY", "1m", 14_400, 59),
        ("SPY", "1d", 10, 20),
        ("SPY", "1d", 1, 6),
        ("SPY", "1w", 2, 26),
        # Of 286 days, 195 were sessions: eleven holidays a year count for as much.
        ("SPY", "1d", 200, 305),
        ("BTC/USD", "1d", 10, 10),
        ("BTC/USD", "1h", 48, 2),
    ],
)
def test_what_a_strategy_asks_for_reaches_back_far_enough(symbol, timeframe, bars, days):
    rig = Rig()
    rig.history.ask(3, symbol, timeframe, bars)
    end = NOW + 7
    assert rig.asked == [(3, symbol, timeframe, end - days * DAY, end, bars)]


def test_bars_that_a_strategy_asked_for_are_on_the_tape_before_they_are_handed_over():
    rig = Rig()
    bars = [Stub(ts_open=1, ts_close=2, prices=(3.0, 4.0, 5.0, 6.0, 7.0))]
    rig.history.on_answer(NOW, Stub(WHAT="history", number=4, bars=bars))
    rows = [(1, 2, 3.0, 4.0, 5.0, 6.0, 7.0)]
    assert rig.did == [
        ("take", NOW, []), "enter", ("history", {"number": 4, "at": 0, "rows": rows}),
        ("history", 4, rows, 0), "settle", "leave", ("settled", NOW),
    ]  # fmt: skip


def test_what_no_record_would_hold_is_on_the_tape_in_parts(monkeypatch):
    monkeypatch.setattr("pyrt.live.driver.history.ROWS_MAX", 2)
    rig = Rig(symbols=["SPY"])
    rig.history.warm_up(NOW)
    rig.history.on_warm(Stub(symbol="SPY", bars=[1, 2, 3, 4, 5]))
    assert rig.did[:6] == [
        ("SPY", [1, 2], 0), "flush", ("SPY", [3, 4], 0), "flush", ("SPY", [5], NOW), "flush",
    ]  # fmt: skip
    rig.did.clear()
    bars = [Stub(ts_open=i, ts_close=i + 1, prices=()) for i in range(4)]
    rig.history.on_answer(NOW, Stub(WHAT="history", number=4, bars=bars))
    first, last = [(0, 1), (1, 2)], [(2, 3), (3, 4)]
    assert rig.did[2:7] == [
        ("history_part", {"number": 4, "at": 0, "rows": first}), ("part", 4, 0, first), "flush",
        ("history", {"number": 4, "at": 2, "rows": last}), ("history", 4, last, 2),
    ]  # fmt: skip


FAILED = ValueError("no")


@pytest.mark.parametrize(
    ("result", "is_kept", "is_same"),
    # What has a form on the tape is read from there, as a replay does; an error stops all the same.
    [([1, 2], True, False), (object, False, True), (FAILED, True, True)],
)
def test_a_result_is_handed_over_as_a_replay_will(result, is_kept, is_same):
    rig = Rig()
    rig.history.on_answer(NOW, Stub(WHAT="computed", number=4, result=result))
    begun, (what, given), (_, number, handed), *rest = rig.did[1:]
    # A handler that does not come back from what it has asked for is broken off as others are.
    assert (begun, rest) == ("enter", ["settle", "leave", ("settled", NOW)])
    assert (what, given["number"], "result" in given) == ("computed", 4, is_kept)
    assert (number, handed) == (4, result)
    assert (handed is result) == is_same
