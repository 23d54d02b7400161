"""The journal's query side: tables in SQLite, made anew from the log whenever they are wanted."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import msgspec

from pyrt.live.journal import records as r
from pyrt.live.journal.files import Files
from pyrt.live.journal.journal import read_records
from pyrt.live.journal.state import JournalState

TABLES = """
CREATE TABLE records (sequence INTEGER PRIMARY KEY, ts INTEGER, kind TEXT, run_id TEXT, body TEXT);
CREATE TABLE runs (run_id TEXT PRIMARY KEY, ts INTEGER, account TEXT, mode TEXT, version TEXT,
                   ended TEXT);
CREATE TABLE orders (client_order_id TEXT PRIMARY KEY, run_id TEXT, strategy TEXT, symbol TEXT,
                     side TEXT, type TEXT, quantity TEXT, filled TEXT, limit_price TEXT,
                     stop_price TEXT, status TEXT, reason TEXT, venue_order_id TEXT, ts INTEGER);
CREATE TABLE fills (sequence INTEGER PRIMARY KEY, run_id TEXT, client_order_id TEXT,
                    strategy TEXT, symbol TEXT, side TEXT, ts_event INTEGER, quantity TEXT,
                    price TEXT, fee TEXT, cumulative TEXT, historical INTEGER);
CREATE TABLE positions (strategy TEXT, symbol TEXT, units INTEGER, realized TEXT, fees TEXT,
                        PRIMARY KEY (strategy, symbol));
CREATE TABLE operations (sequence INTEGER PRIMARY KEY, ts INTEGER, actor TEXT, action TEXT,
                         reason TEXT, arguments TEXT);
CREATE TABLE alarms (sequence INTEGER PRIMARY KEY, ts INTEGER, code TEXT, text TEXT);
"""


def build_database(files: Files, path: Path, *, archived: bool = True) -> int:
    """Write a database with the journal's content; one that is there is replaced.

    Positions, and open orders whose own records are not kept any more, are as the journal's
    state has them.

    Returns
    -------
    int
        Records read.

    Raises
    ------
    OSError
        If it cannot be written there; nothing is changed.
    """
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    # SQLite does not say which file it cannot make; the system does.
    fresh.touch()
    database = sqlite3.connect(fresh)
    count, run_id, state = 0, "", JournalState()
    try:
        database.executescript(TABLES)
        for frame, record in read_records(files, archived=archived):
            count += 1
            state.take(record)
            if isinstance(record, r.RunStart):
                run_id = record.run_id
            body = msgspec.json.encode(record, enc_hook=str).decode()
            database.execute(
                "INSERT OR REPLACE INTO records VALUES (?, ?, ?, ?, ?)",
                (frame.sequence, record.ts, type(record).__name__, run_id, body),
            )
            _add(database, frame.sequence, record, run_id)
        _add_state(database, state)
        database.commit()
    finally:
        database.close()
    fresh.replace(path)
    return count


def _add(database: sqlite3.Connection, sequence: int, record: r.Record, run_id: str) -> None:
    if isinstance(record, r.RunStart):
        values: tuple[Any, ...] = (
            run_id,
            record.ts,
            record.account,
            record.mode,
            record.version,
            "",
        )
        database.execute("INSERT OR REPLACE INTO runs VALUES (?, ?, ?, ?, ?, ?)", values)
    elif isinstance(record, r.RunStop):
        database.execute("UPDATE runs SET ended = ? WHERE run_id = ?", (record.reason, run_id))
    elif isinstance(record, r.Intent):
        for order in (record.order, *record.legs):
            _order(database, order, run_id, record.ts)
    elif isinstance(record, r.Outcome):
        _order(database, record.order, run_id, record.ts)
    elif isinstance(record, r.Execution):
        _order(database, record.order, run_id, record.ts)
        _fill(database, sequence, record, run_id)
    elif isinstance(record, r.NotSent):
        database.execute(
            "UPDATE orders SET status = 'REJECTED', reason = ?, ts = ? WHERE client_order_id = ?",
            (record.reason, record.ts, record.client_order_id),
        )
    elif isinstance(record, r.Seen):
        database.execute(
            "UPDATE orders SET venue_order_id = ? WHERE client_order_id = ?",
            (record.venue_order_id, record.client_order_id),
        )
    elif isinstance(record, r.Operation):
        arguments = msgspec.json.encode(record.arguments).decode()
        values = (sequence, record.ts, record.actor, record.action, record.reason, arguments)
        database.execute("INSERT OR REPLACE INTO operations VALUES (?, ?, ?, ?, ?, ?)", values)
    elif isinstance(record, r.Alarmed):
        values = (sequence, record.ts, record.code, record.text)
        database.execute("INSERT OR REPLACE INTO alarms VALUES (?, ?, ?, ?)", values)


def _add_state(database: sqlite3.Connection, state: JournalState) -> None:
    for order in state.orders.values():
        of = (run for run, prefix in state.runs.items() if order.client_order_id.startswith(prefix))
        _order(database, order, next(of, ""), order.ts_init, replaces=False)
    for held in state.positions.values():
        values = (held.strategy, held.symbol, held.units, held.realized, held.fees)
        database.execute("INSERT INTO positions VALUES (?, ?, ?, ?, ?)", values)


def _order(
    database: sqlite3.Connection,
    order: r.OrderState,
    run_id: str,
    ts: int,
    *,
    replaces: bool = True,
) -> None:
    how = "REPLACE" if replaces else "IGNORE"
    database.execute(
        f"INSERT OR {how} INTO orders VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            order.client_order_id,
            run_id,
            order.strategy,
            order.symbol,
            order.side,
            order.order_type,
            order.quantity,
            order.filled,
            order.limit_price,
            order.stop_price,
            order.status,
            order.reason,
            order.venue_order_id,
            ts,
        ),
    )


def _fill(database: sqlite3.Connection, sequence: int, fill: r.Execution, run_id: str) -> None:
    order = fill.order
    database.execute(
        "INSERT OR REPLACE INTO fills VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            sequence,
            run_id,
            order.client_order_id,
            order.strategy,
            order.symbol,
            order.side,
            fill.ts_event,
            fill.quantity,
            fill.price,
            fill.fee,
            fill.cumulative,
            int(fill.historical),
        ),
    )
