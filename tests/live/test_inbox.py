"""Messages are taken in their order, all at once or some at a time, and none is lost."""

from __future__ import annotations

import pytest

from pyrt.adapters.alpaca.node.inbox import TIMED, Inbox
from pyrt.live.observe.latency import LatencyHistogram
from pyrt.live.observe.traces import TraceIds


class Taker:
    """Stands in for a driver."""

    def __init__(self) -> None:
        self.taken: list[str] = []

    def take(self, now: int, events: list[str]) -> None:
        self.taken.extend(events)


@pytest.mark.parametrize("most", [None, 1, 2, 5, 9])
def test_so_many_are_taken_and_the_others_wait_in_their_order(most):
    inbox, driver = Inbox(TraceIds("one")), Taker()
    names = [f"m{number}" for number in range(6)]
    followed = []
    for name in names[:5]:
        inbox.put(lambda now, name=name: [name], 1)

    def after():
        followed.append(len(driver.taken))
        return most is not None and len(followed) >= most

    inbox.hand_over(driver, 1, after)
    first = 5 if most is None else min(most, 5)
    assert driver.taken == names[:first]
    assert followed == list(range(1, first + 1))
    assert len(inbox) == 5 - first
    # What comes meanwhile is behind what waits.
    inbox.put(lambda now: [names[5]], 0)
    inbox.hand_over(driver, 2, lambda: False)
    assert driver.taken == names
    assert len(inbox) == 0


def test_what_comes_while_a_message_is_taken_waits_for_the_next_turn():
    inbox, driver = Inbox(TraceIds("one")), Taker()

    def one(now):
        inbox.put(lambda now: ["later"], 1)
        return ["one"]

    inbox.put(one, 1)
    inbox.put(lambda now: ["two"], 1)
    inbox.hand_over(driver, 1, lambda: True)
    assert driver.taken == ["one"]
    inbox.hand_over(driver, 1, lambda: False)
    assert driver.taken == ["one", "two", "later"]


def test_of_a_flood_the_first_are_timed_and_then_some():
    inbox, driver = Inbox(TraceIds("one")), Taker()
    inbox.stages = {"decode": LatencyHistogram()}
    for _ in range(TIMED + 1_600):
        inbox.put(lambda now: [], 1)
    inbox.hand_over(driver, 1, lambda: False)
    # One in 16 of 1,600: a hundred, give or take five deviations.
    assert 50 < inbox.stages["decode"].count - TIMED < 150
