"""The journal's tables, value by value: one record of each kind, and the row it becomes."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pyrt.errors import JournalError
from pyrt.live.journal import records as r
from pyrt.live.journal.query import build_database
from pyrt.testing.files import MemoryFiles
from tests.live.journal.test_file_port import open_descriptors
from tests.live.journal.test_journal import journal
from tests.live.journal.test_past import start

ORDER = r.OrderState(
    client_order_id="one-1", strategy="S", symbol="SPY", side="sell", order_type="stop_limit",
    quantity="10", time_in_force="day", status="SENT", filled="4", limit_price="99",
    stop_price="98", reason="why", venue_order_id="v-1", ts_init=3,
)  # fmt: skip
HELD = r.PositionState(
    strategy="S", symbol="SPY", units=-7, open_cost="9", realized="-5", fees="3"
)  # fmt: skip
ROW = {
    "client_order_id": "one-1", "run_id": "one", "strategy": "S", "symbol": "SPY", "side": "sell",
    "type": "stop_limit", "quantity": "10", "filled": "4", "limit_price": "99",
    "stop_price": "98", "status": "SENT", "reason": "why", "venue_order_id": "v-1", "ts": 5,
}  # fmt: skip


def files_of(*records: r.Record) -> MemoryFiles:
    made = journal()
    for record in records:
        made.record(record)
    made.close()
    return made.files


@pytest.fixture
def table(tmp_path: Path) -> Any:
    """Return a function that takes a table's name and records, and gives its rows."""

    def read(name: str, *records: r.Record) -> list[dict[str, Any]]:
        path = tmp_path / "journal.sqlite"
        assert build_database(files_of(*records), path) == len(records)
        assert [each.name for each in tmp_path.iterdir()] == ["journal.sqlite"]
        database = sqlite3.connect(path)
        database.row_factory = sqlite3.Row
        rows = [dict(row) for row in database.execute(f"SELECT * FROM {name}")]
        database.close()
        return rows

    return read


def order(**changes: Any) -> r.OrderState:
    return msgspec.structs.replace(ORDER, **changes)


def intent(ts: int = 5, legs: tuple[r.OrderState, ...] = (), **changes: Any) -> r.Intent:
    return r.Intent(ts=ts, inputs=1, order=order(**changes), legs=legs)


def test_an_order_is_a_row_with_all_its_terms(table):
    assert table("orders", start("one"), intent()) == [ROW]
    # What was there before is replaced, not added to.
    assert table("orders", start("two"), intent()) == [{**ROW, "run_id": "two"}]


@pytest.mark.parametrize(
    ("record", "changes"),
    [
        (
            r.Outcome(ts=9, kind="canceled", ts_event=8, order=order(status="CANCELED", reason="")),
            {"status": "CANCELED", "reason": "", "ts": 9},
        ),
        (
            r.Execution(
                ts=9, ts_event=8, quantity="6", price="97", cumulative="10", position=HELD,
                order=order(status="FILLED", filled="10"),
            ),
            {"status": "FILLED", "filled": "10", "ts": 9},
        ),
        (
            r.NotSent(ts=9, client_order_id="one-1", reason="late"),
            {"status": "REJECTED", "reason": "late", "ts": 9},
        ),
        (
            r.Seen(ts=9, client_order_id="one-1", venue_order_id="v-9"),
            {"venue_order_id": "v-9"},
        ),
        (r.NotSent(ts=9, client_order_id="another", reason="late"), {}),
        (r.Seen(ts=9, client_order_id="another", venue_order_id="v-9"), {}),
    ],
)  # fmt: skip
def test_what_becomes_of_an_order_is_in_its_row(table, record, changes):
    assert table("orders", start("one"), intent(), record) == [{**ROW, **changes}]


def test_an_order_and_all_it_brings_are_rows(table):
    legs = (order(client_order_id="one-2"), order(client_order_id="one-3"))
    found = table("orders", start("one"), intent(legs=legs))
    assert [row["client_order_id"] for row in found] == ["one-1", "one-2", "one-3"]
    assert {(row["run_id"], row["ts"]) for row in found} == {("one", 5)}


def test_an_open_order_of_a_snapshot_alone_is_of_the_run_whose_prefix_it_has(table):
    made = journal()
    for record in (start("one"), start("two"), intent(), intent(client_order_id="lost-1")):
        made.record(record)
    snapshot = r.Snapshot(ts=7, state=made.state.encode())
    found = {row["client_order_id"]: row for row in table("orders", snapshot)}
    assert found["one-1"] == {**ROW, "ts": 3}
    assert found["lost-1"]["run_id"] == ""
    # Where its own record is there, that counts.
    found = {row["client_order_id"]: row for row in table("orders", start("two"), intent(ts=8))}
    assert (found["one-1"]["ts"], found["one-1"]["run_id"]) == (8, "two")


@pytest.mark.parametrize("historical", [False, True])
def test_a_fill_is_a_row(table, historical):
    fill = r.Execution(
        ts=9, ts_event=8, quantity="6", price="97", cumulative="10", position=HELD,
        order=order(status="FILLED", filled="10"), fee="0.02", historical=historical,
    )  # fmt: skip
    assert table("fills", start("one"), intent(), fill) == [
        {
            "sequence": 3, "run_id": "one", "client_order_id": "one-1", "strategy": "S",
            "symbol": "SPY", "side": "sell", "ts_event": 8, "quantity": "6", "price": "97",
            "fee": "0.02", "cumulative": "10", "historical": int(historical),
        }
    ]  # fmt: skip
    assert table("positions", start("one"), intent(), fill) == [
        {"strategy": "S", "symbol": "SPY", "units": -7, "realized": "-5", "fees": "3"}
    ]


def test_a_run_is_a_row_that_says_how_it_ended(table):
    one = {
        "run_id": "one", "ts": 1, "account": "PA1", "mode": "paper", "version": "1", "ended": "",
    }  # fmt: skip
    stop = r.RunStop(ts=9, reason="asked")
    assert table("runs", start("one")) == [one]
    assert table("runs", start("one"), start("two"), stop) == [
        one, {**one, "run_id": "two", "ended": "asked"},
    ]  # fmt: skip


def test_operations_and_alarms_are_rows(table):
    said = r.Operation(ts=4, actor="Ann", action="halt", reason="lunch", arguments={"symbol": "A"})
    told = r.Alarmed(ts=5, code="clock", text="off")
    assert table("operations", told, said) == [
        {
            "sequence": 2, "ts": 4, "actor": "Ann", "action": "halt", "reason": "lunch",
            "arguments": '{"symbol":"A"}',
        }
    ]  # fmt: skip
    assert table("alarms", said, told) == [{"sequence": 2, "ts": 5, "code": "clock", "text": "off"}]


def test_each_record_is_a_row_with_the_run_it_came_in(table):
    before = r.Alarmed(ts=1, code="a", text="x")
    stop = r.RunStop(ts=2, reason="asked")
    found = table("records", before, start("one"), stop, start("two"), intent())
    assert [(row["sequence"], row["kind"], row["run_id"]) for row in found] == [
        (1, "Alarmed", ""), (2, "RunStart", "one"), (3, "RunStop", "one"),
        (4, "RunStart", "two"), (5, "Intent", "two"),
    ]  # fmt: skip
    assert [row["ts"] for row in found] == [1, 1, 2, 1, 5]
    assert json.loads(found[0]["body"]) == [1, "a", "x"]


def test_records_that_were_put_away_are_in_the_tables_when_they_are_asked_for(tmp_path):
    made = journal(MemoryFiles(), 2)
    made.compact(9, force=True)
    made.close()
    path = tmp_path / "journal.sqlite"
    assert build_database(made.files, path) == 3
    assert build_database(made.files, path, archived=False) == 1


def test_a_database_that_cannot_be_made_leaves_the_one_before(tmp_path):
    path = tmp_path / "journal.sqlite"
    build_database(files_of(start("one")), path)
    before = path.read_bytes()
    files = files_of(start("one"), intent())
    (name,) = files.names()
    data = bytearray(files.read(name))
    data[90] ^= 1
    files.put(name, bytes(data))
    descriptors = open_descriptors()
    with pytest.raises(JournalError, match="damaged"):
        build_database(files, path)
    assert open_descriptors() == descriptors
    assert path.read_bytes() == before
    (path.parent / "journal.sqlite.new").write_bytes(b"of a try that was broken off")
    assert build_database(files_of(start("one"), intent()), path) == 2
