"""Waiting alerts: in order, and a critical one finds room."""

from __future__ import annotations

from pyrt.live.observe.alerts import Alert
from pyrt.live.observe.waiting import Waiting


def alert(code: str) -> Alert:
    level = {"c": "critical", "w": "warning", "i": "info"}[code[0]]
    return Alert(level, code, "", 1)


def fill(*codes: str, most: int = 3) -> tuple[Waiting, list[str]]:
    """Return the queue, and the codes of what was dropped."""
    waiting = Waiting(most)
    dropped = [waiting.put(alert(code)) for code in codes]
    return waiting, [each.code for each in dropped if each is not None]


def codes(waiting: Waiting) -> list[str]:
    waiting.close()
    return [taken.code for taken in iter(waiting.take, None)]


def test_the_newest_is_dropped_unless_it_is_critical() -> None:
    waiting, dropped = fill("w1", "c1", "i1", "w2", "c2", "c3", "c4", "w3")
    assert dropped == ["w2", "w1", "i1", "c4", "w3"]
    assert codes(waiting) == ["c1", "c2", "c3"]


def test_first_come_first_served() -> None:
    waiting, dropped = fill("w1", "c1", "i1")
    assert (dropped, codes(waiting)) == ([], ["w1", "c1", "i1"])


def test_what_is_given_up_is_told() -> None:
    waiting, _ = fill("w1", "c1")
    assert [each.code for each in waiting.clear()] == ["w1", "c1"]
    assert codes(waiting) == []
