"""Folding: what repeats and what floods is held back and counted, what is new is not."""

from __future__ import annotations

import pytest

from pyrt.live.observe.alerts import Alert
from pyrt.live.observe.folding import FOLD_NS, FORGET_NS, LAST_ONE, OF_A_CODE_MAX, Folding

T = 1_700_000_000_000_000_000


def warning(text: str, ts: int = T, code: str = "bad_tick", level: str = "warning") -> Alert:
    return Alert(level, code, text, ts)


@pytest.mark.parametrize("level", OF_A_CODE_MAX)
def test_of_a_flood_of_one_code_the_first_are_sent_and_the_rest_counted(level: str) -> None:
    folding, most = Folding(), OF_A_CODE_MAX[level]
    taken = [folding.take(warning(f"print {i}", T + i, level=level)) for i in range(1_500)]
    sent = [alert.text for alert in taken if alert is not None]
    assert sent == [f"print {i}" for i in range(most - 1)] + [f"print {most - 1}{LAST_ONE}"]
    assert folding.take(warning("at last", T, code="position_mismatch")) is not None
    later = folding.take(warning("print 9999", T + 2 * FOLD_NS, level=level))
    assert later is not None
    assert (later.text, later.repeats) == ("print 9999", 1_500 - most)


def test_a_minute_is_any_minute() -> None:
    folding = Folding()
    times = [0, 50, 50, 50, 50, 59, 60, 61, 110, 111]
    taken = [folding.take(warning(f"at {i}", T + s * 10**9)) for i, s in enumerate(times)]
    assert [alert is not None for alert in taken] == [
        True, True, True, True, True, False, True, False, True, True,
    ]  # fmt: skip


def test_distinct_texts_are_forgotten() -> None:
    folding = Folding()
    for minute in range(1_000):
        for i in range(10):
            folding.take(warning(f"print {minute}-{i}", T + minute * FOLD_NS))
    assert len(folding) <= OF_A_CODE_MAX["warning"] * FORGET_NS // FOLD_NS


def test_an_old_repetition_is_no_news() -> None:
    folding = Folding()
    for _ in range(3):
        folding.take(warning("slow"))
    for ts, repeats in ((T + FORGET_NS - 1, 2), (T + 2 * FORGET_NS, 0)):
        again = folding.take(warning("slow", ts))
        assert again is not None
        assert again.repeats == repeats


def test_a_clock_that_is_set_back_holds_nothing_back() -> None:
    folding = Folding()
    for _ in range(OF_A_CODE_MAX["warning"]):
        folding.take(warning("slow"))
    assert folding.take(warning("slow", T - 10 * FORGET_NS)) is not None
