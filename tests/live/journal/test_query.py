"""The journal's tables: the log, folded otherwise, says the same."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pyrt import Strategy
from pyrt.live.journal import records as r
from pyrt.live.journal.journal import Journal, read_records
from pyrt.live.journal.query import build_database
from pyrt.testing.files import MemoryFiles
from tests.live.strategies import walk
from tests.live.whole import Node, World


class Waits(Strategy):
    """Buys one at each bar, waits with another far below, and cancels the one before it."""

    def on_start(self):
        self.subscribe_bars("SPY", "1m")

    def on_bar(self, bar):
        for order in self.orders("SPY"):
            self.cancel(order)
        self.buy("SPY", 1)
        self.buy("SPY", 2, limit_price=round(bar.close * 0.97, 2))


@pytest.fixture
def files() -> MemoryFiles:
    """Return a folder that a node has left in the middle of a session."""
    found = MemoryFiles()
    node = Node(World([walk(3, "SPY", 12)]), found, [Waits()], run_id="one")
    node.start()
    node.run(8)
    return found


def rows(files: MemoryFiles, folder: Path, table: str) -> list[dict[str, Any]]:
    path = folder / "journal.sqlite"
    build_database(files, path)
    database = sqlite3.connect(path)
    database.row_factory = sqlite3.Row
    found = [dict(row) for row in database.execute(f"SELECT * FROM {table}")]
    database.close()
    return found


def note(files: MemoryFiles, *records: r.Record) -> None:
    journal = Journal(files)
    for record in records:
        journal.record(record)
    journal.close()


def test_orders_stand_as_the_journals_state_has_them(files, tmp_path):
    state = Journal(files).state
    found = {row["client_order_id"]: row for row in rows(files, tmp_path, "orders")}
    assert {"FILLED", "CANCELED", "ACCEPTED"} <= {row["status"] for row in found.values()}
    assert found.keys() == state.orders.keys() | state.closed.keys()
    for name, order in (state.closed | state.orders).items():
        row = found[name]
        shown = (row["run_id"], row["status"], row["filled"], row["venue_order_id"])
        assert shown == ("one", order.status, order.filled, order.venue_order_id), name


def test_positions_are_those_after_all_fills_and_adjustments(files, tmp_path):
    (held,) = Journal(files).state.positions.values()
    (row,) = rows(files, tmp_path, "positions")
    assert (row["strategy"], row["symbol"], row["units"]) == ("Waits", "SPY", held.units)
    assert held.units > 0
    split = msgspec.structs.replace(held, units=2 * held.units)
    note(
        files,
        r.Adjustment(
            ts=1, activity_id="a", kind="SPLIT", symbol="SPY", quantity="", amount="0", text="",
            positions=(split,),
        ),
    )  # fmt: skip
    assert rows(files, tmp_path, "positions")[0]["units"] == 2 * held.units


def test_what_never_left_and_what_the_broker_calls_it_are_told(files, tmp_path):
    (name, *_) = Journal(files).state.orders
    note(files, r.Seen(ts=1, client_order_id=name, venue_order_id="theirs"))
    shown = {row["client_order_id"]: row for row in rows(files, tmp_path, "orders")}[name]
    assert shown["venue_order_id"] == "theirs"
    note(files, r.NotSent(ts=7, client_order_id=name, reason="the gate is shut"))
    shown = {row["client_order_id"]: row for row in rows(files, tmp_path, "orders")}[name]
    assert (shown["status"], shown["reason"], shown["ts"]) == ("REJECTED", "the gate is shut", 7)


def test_open_orders_are_told_where_only_a_snapshot_has_kept_them(files, tmp_path):
    state = Journal(files).state
    fresh = MemoryFiles()
    note(fresh, r.Snapshot(ts=5, state=state.encode()))
    found = rows(fresh, tmp_path, "orders")
    assert {row["client_order_id"] for row in found} == state.orders.keys()
    assert {row["run_id"] for row in found} == {"one"}
    assert len(rows(fresh, tmp_path, "positions")) == 1


def test_each_fill_operation_and_record_is_a_row(files, tmp_path):
    note(files, r.Operation(ts=1, actor="Ann", action="halt", reason="lunch"))
    written = [record for _, record in read_records(files)]
    assert len(rows(files, tmp_path, "records")) == len(written)
    fills = [x for x in written if isinstance(x, r.Execution)]
    told = [(row["quantity"], row["price"]) for row in rows(files, tmp_path, "fills")]
    assert told == [(fill.quantity, fill.price) for fill in fills]
    assert fills
    said = rows(files, tmp_path, "operations")[-1]
    assert (said["actor"], said["action"], said["reason"]) == ("Ann", "halt", "lunch")
