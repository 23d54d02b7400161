"""Faults come from a seed and do what their name says."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from pyrt.adapters.alpaca.simulator.faults import FaultBox, Faults
from pyrt.adapters.alpaca.simulator.protocol.http import Refused, Response
from pyrt.adapters.alpaca.simulator.protocol.limits import RateLimit

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


def test_events_change_places_and_frames_are_cut() -> None:
    moved = box(reorder=0.3, seed=5).events("s", FRAMES)
    assert moved != FRAMES
    assert sorted(moved) == FRAMES
    whole = b'{"stream":"trade_updates"}'
    cut = box(truncate=1.0).cut(whole)
    assert len(cut) < len(whole)
    assert whole.startswith(cut)
    assert box().cut(whole) == whole


@pytest.mark.parametrize(
    ("fault", "status"),
    [("throttle", 429), ("fail", 500), ("unavailable", 503), ("html", 502), ("lost_request", 504)],
)
def test_a_request_is_not_carried_out(fault: str, status: int) -> None:
    answer = box(**{fault: 1.0}).before()
    assert answer is not None
    assert answer.status == status


def test_a_stale_read_is_the_answer_of_the_last_time() -> None:
    made = box(stale=1.0)
    old, new = Response(200, b"old"), Response(200, b"new")
    assert made.read("/v2/orders?", old) is old
    assert made.read("/v2/orders?", new) is old
    assert made.read("/v2/positions?", new) is new
    made.set({"stale": 0.0})
    assert made.read("/v2/orders?", new) is new


def test_each_fault_has_draws_of_its_own() -> None:
    alone = [box(drop=0.5, seed=9).events("s", FRAMES) for _ in range(2)]
    with_others = box(drop=0.5, fail=0.5, seed=9)
    for _ in range(20):
        with_others.before()
    assert alone[0] == alone[1] == with_others.events("s", FRAMES)


def test_every_fault_is_in_the_docs() -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "simulator.md").read_text()
    for field in fields(Faults):
        assert f"`{field.name}`" in page, field.name
