"""Faults come from a seed and do what their name says."""

from __future__ import annotations

import pytest

from pyrt.adapters.alpaca.simulator.faults import FaultBox
from pyrt.adapters.alpaca.simulator.http import Refused, Response
from pyrt.adapters.alpaca.simulator.limits import RateLimit

FRAMES = [bytes([n]) for n in range(100)]


def box(**faults: object) -> FaultBox:
    made = FaultBox()
    made.set(dict(faults))
    return made


def test_without_faults_everything_arrives_once_in_order() -> None:
    assert box().events("s", FRAMES) == FRAMES
    assert box().before() is None


def test_the_same_seed_draws_the_same_faults() -> None:
    runs = [box(drop=0.3, duplicate=0.3, delay=0.2, seed=n).events("s", FRAMES) for n in (1, 1, 2)]
    assert runs[0] == runs[1] != runs[2]


def test_dropped_frames_are_gone_doubled_ones_follow_themselves() -> None:
    assert box(drop=1.0).events("s", FRAMES) == []
    assert box(duplicate=1.0).events("s", FRAMES[:2]) == [b"\0", b"\0", b"\1", b"\1"]
    assert box(mute=True).events("s", FRAMES) == []


def test_a_delayed_frame_arrives_after_the_next() -> None:
    made = box(delay=1.0)
    assert made.events("s", [b"a"]) == []
    made.set({"delay": 0.0})
    assert made.events("other", [b"x"]) == [b"x"]
    assert made.events("s", [b"b"]) == [b"a", b"b"]


def test_a_lost_response_replaces_the_answer() -> None:
    assert box(lost_response=1.0).after(Response(200, b"{}")).status == 504
    assert box().after(Response(200, b"{}")).status == 200


@pytest.mark.parametrize("faults", [{"drop": 2.0}, {"drop": "x"}, {"mute": 1}, {"what": 1.0}])
def test_a_fault_that_cannot_be_is_refused(faults: dict[str, object]) -> None:
    with pytest.raises(Refused, match="invalid"):
        box(**faults)


def test_requests_beyond_the_limit_wait_for_the_next_minute() -> None:
    limit = RateLimit(2)
    assert [limit.take(30.0)[0] for _ in range(3)] == [True, True, False]
    passes, headers = limit.take(60.0)
    assert passes
    assert headers == {
        "x-ratelimit-limit": "2",
        "x-ratelimit-remaining": "1",
        "x-ratelimit-reset": "120",
    }
