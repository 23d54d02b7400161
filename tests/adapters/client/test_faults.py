"""Seeded fault schedules: when the faults are over, client and broker agree on everything."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import fields
from decimal import Decimal

import msgspec
import pytest

from pyrt.adapters.alpaca.core.ledger import Ledger
from pyrt.adapters.alpaca.core.order_path import OrderPath
from tests.adapters.client.exchange import PREFIX
from tests.adapters.client.faults import Faults, World

NIGHTLY = os.environ.get("PYRT_HYPOTHESIS") == "nightly"
USUAL = 50_000 if NIGHTLY else 10_000 if "CI" in os.environ else 1_000
SCHEDULES = int(os.environ.get("PYRT_FAULT_SCHEDULES", USUAL))
"""Of these, each fails or passes by its seed alone."""
CHUNK = 250


def agree(world: World) -> None:
    """Hold the client's view of orders, fills, position and cash to the broker's."""
    posted = world.broker.posted
    assert len(posted) == len(set(posted)), "an intent became two orders"
    assert set(posted) <= {f"{PREFIX}{number}" for number in world.book.sides}
    position = Decimal(0)
    for number in world.book.sides:
        answer = world.broker.request("GET", f"/v2/orders/{PREFIX}{number}", b"")
        if answer.status == 404:
            assert world.book.status.get(number) in ("lost", "rejected", "canceled")
            continue
        view = msgspec.json.decode(answer.body)
        filled = Decimal(view["filled_qty"])
        position += filled if view["side"] == "buy" else -filled
        assert world.book.filled.get(number, Decimal(0)) == filled
        if view["status"] in ("canceled", "rejected", "expired"):
            assert world.book.status[number] == view["status"]
    assert not world.book.unknown
    assert world.book.position == position
    # The average price carries 28 digits, so a fill told by it may differ in the last ones.
    assert abs(world.book.cash - world.broker.cash) < Decimal("1e-6")


def run_all(stop: int, start: int = 0) -> None:
    for seed in range(start, stop):
        world = World(seed)
        world.run()
        agree(world)


@pytest.mark.parametrize("chunk", range(0, SCHEDULES, CHUNK))
def test_client_and_broker_agree_after_any_schedule_of_faults(chunk):
    run_all(min(chunk + CHUNK, SCHEDULES), chunk)


def test_the_schedules_reach_what_they_are_for():
    """Faults that never bite prove nothing: unknown orders, cancels and fills do occur."""
    unknown = fills = cancels = 0
    struck: Counter[str] = Counter()
    for seed in range(60):
        world = World(seed)
        take = world.book.take

        def counted(event, take=take):
            nonlocal unknown
            unknown += getattr(event, "kind", "") == "unknown"
            take(event)

        world.book.take = counted
        world.run()
        struck.update(world.struck)
        fills += sum(1 for quantity in world.book.filled.values() if quantity)
        cancels += sum(1 for status in world.book.status.values() if status == "canceled")
    assert unknown > 5
    assert fills > 20
    assert cancels > 5
    assert min(struck[field.name] for field in fields(Faults)) > 2, struck


def test_a_client_that_forgets_a_fill_is_found_out(monkeypatch):
    def forgetful(self, known, view, ts, execution, fills=Ledger._fills):
        return [] if known.number == 0 else fills(self, known, view, ts, execution)

    monkeypatch.setattr(Ledger, "_fills", forgetful)
    with pytest.raises(AssertionError):
        run_all(40)


def test_a_client_that_sends_under_a_second_id_is_found_out(monkeypatch):
    plain = OrderPath._not_found

    def renaming(self, request, now):
        doubt = self._doubts[request.order_number]
        name = f'"{PREFIX}{request.order_number}"'.encode()
        doubt.body = doubt.body.replace(name, name[:-1] + b'-again"')
        return plain(self, request, now)

    monkeypatch.setattr(OrderPath, "_not_found", renaming)
    with pytest.raises(AssertionError):
        run_all(300)
