"""What a look takes from the flat list of open orders: exits that no nested list shows any more."""

from __future__ import annotations

import json

import pytest

from pyrt.adapters.alpaca.core.snapshot import SnapshotReader

CLOCK = {"timestamp": "2024-06-03T14:00:00Z", "is_open": True}
ACCOUNT = {
    "id": "1",
    "account_number": "PA1",
    "status": "ACTIVE",
    "currency": "USD",
    "cash": "1000",
    "equity": "1000",
    "buying_power": "1000",
}
NOW = 1_717_423_200_000_000_000


def order(name: str, created: str = "2024-05-01T14:00:00Z", **more) -> dict:
    return {
        "id": name,
        "client_order_id": f"of-{name}",
        "symbol": "SPY",
        "side": "sell",
        "type": "limit",
        "time_in_force": "gtc",
        "status": "new",
        "created_at": created,
        "submitted_at": created,
    } | more


def look(flat: list, nested: list, everything: list) -> tuple[list[str], set[str]]:
    """Answer a whole look; return the steps it took, and the orders it found."""
    answers = {
        "clock": CLOCK,
        "flat": flat,
        "open": nested,
        "all": everything,
        "activities": [],
        "account": ACCOUNT,
        "positions": [],
    }
    reader, steps = SnapshotReader(("SPY",)), []
    request = reader.begin(86_400_000_000_000)
    while True:
        steps.append(request.purpose.removeprefix("snapshot:"))
        assert ("nested=false" in request.path) == (steps[-1] == "flat")
        answer = json.dumps(answers[steps[-1]]).encode()
        found = reader.receive(request, answer, NOW)
        if not hasattr(found, "path"):
            return steps, {each.venue_order_id for each in found.orders}
        request = found


def test_an_exit_that_stands_in_the_flat_list_alone_is_an_order_of_the_account():
    steps, found = look([order("exit")], [], [])
    assert found == {"exit"}
    # What comes while the lists are read is in those that are read later.
    assert steps == ["clock", "flat", "open", "all", "activities", "account", "positions"]


@pytest.mark.parametrize("listed_in", ["nested", "all"])
def test_an_exit_that_stands_under_its_entry_is_not_listed_twice(listed_in):
    entry = order("entry", status="filled", legs=[order("exit")])
    nested, everything = ([entry], []) if listed_in == "nested" else ([], [entry])
    _, found = look([order("exit")], nested, everything)
    assert found == {"entry"}


@pytest.mark.parametrize(
    ("created", "is_taken"),
    [("2024-06-03T13:58:59Z", True), ("2024-06-03T13:59:01Z", False), (None, False)],
)
def test_what_is_younger_than_a_minute_may_be_on_its_way_into_the_other_lists(created, is_taken):
    _, found = look([order("exit", created)], [], [])
    assert found == ({"exit"} if is_taken else set())
