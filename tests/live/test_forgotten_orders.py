"""When a node forgets what has ended: an hour after it was made, in turns of a minute."""

from __future__ import annotations

from types import SimpleNamespace as Stub

import pytest

from pyrt.live.driver.forgetting import KEPT_NS, Forgetting
from pyrt.live.plan import MINUTE


class Rig:
    """A node that makes orders; some are open, and are not released."""

    def __init__(self) -> None:
        self.cache = Stub(order_count=0, release=lambda number: number not in self.open)
        self.open: set[int] = set()
        self.gone: dict[str, list[int]] = {"core": [], "scribe": [], "client": []}
        core = Stub(kernel=Stub(cache=self.cache), forget=self.gone["core"].append)
        self.forgetting = Forgetting(
            Stub(
                live_core=core,
                scribe=Stub(forget=self.gone["scribe"].append),
                client=Stub(forget=self.gone["client"].append),
            )
        )

    def forgotten(self, now: int) -> list[int]:
        """Return what all three have forgotten by a time."""
        self.forgetting.turn(now)
        assert self.gone["core"] == self.gone["scribe"] == self.gone["client"]
        return self.gone["core"]


def test_an_order_is_known_for_an_hour_from_the_look_that_first_counts_it():
    assert KEPT_NS == 60 * MINUTE
    rig = Rig()
    rig.cache.order_count = 2
    assert rig.forgotten(0) == []
    rig.cache.order_count = 5
    assert rig.forgotten(MINUTE) == []
    assert rig.forgotten(KEPT_NS - 1) == []
    # The next look is a minute after the last.
    assert rig.forgotten(KEPT_NS + MINUTE - 2) == []
    assert rig.forgotten(KEPT_NS + MINUTE - 1) == [0, 1]
    assert rig.forgotten(KEPT_NS + 2 * MINUTE - 2) == [0, 1]
    assert rig.forgotten(KEPT_NS + 2 * MINUTE - 1) == [0, 1, 2, 3, 4]
    assert rig.forgotten(KEPT_NS + 9 * MINUTE) == [0, 1, 2, 3, 4]


def test_of_several_looks_that_are_old_the_youngest_counts():
    rig = Rig()
    for minute, count in ((0, 1), (1, 3), (2, 4)):
        rig.cache.order_count = count
        rig.forgotten(minute * MINUTE)
    assert rig.forgotten(KEPT_NS + MINUTE) == [0, 1, 2]


@pytest.mark.parametrize("opens_late", [False, True])
def test_what_is_open_is_asked_for_each_minute_until_it_has_ended(opens_late):
    rig = Rig()
    rig.open = {1}
    rig.cache.order_count = 3
    rig.forgotten(0)
    if opens_late:
        rig.cache.order_count = 4
    assert rig.forgotten(KEPT_NS) == [0, 2]
    assert rig.forgotten(KEPT_NS + MINUTE) == [0, 2]
    rig.open.clear()
    assert rig.forgotten(KEPT_NS + MINUTE + 1) == [0, 2]
    assert rig.forgotten(KEPT_NS + 2 * MINUTE) == [0, 2, 1]
    assert rig.forgotten(KEPT_NS + 3 * MINUTE) == [0, 2, 1]
