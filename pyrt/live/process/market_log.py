"""Market data as they were received, in Parquet: pieces while a day is young, one file afterwards.

Nothing here may hold a node up or stop it: what cannot be kept is counted.
"""

from __future__ import annotations

import json
import os
import re
from array import array
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

Columns = dict[tuple[str, str], tuple["array[int]", "array[float]"]]
"""(kind of event, symbol) → times and values of its rows, one after the other."""
BUFFERED_MAX = 2_000_000
"""Rows that wait for a write; later ones are dropped and counted."""
COMPACT_AFTER_DAYS = 7
MERGED = b"pyrt.pieces"
PIECE = re.compile(r"(?P<whole>[a-z]+-.+)-[^-]+-\d{6,}\.parquet")
"""KIND-SYMBOL-TIME_RUN-SERIAL: the symbol may have a dash itself, or six signs as a serial has."""
PART = ".part"
"""What a file ends with until it is whole."""
AGGRESSOR = "aggressor"
"""1 for a buyer, -1 for a seller, 0 if not told, as in an event: whole numbers, not prices."""
COLUMNS = {
    "quote": ("ts_event", "bid_price", "bid_size", "ask_price", "ask_size"),
    "trade": ("ts_event", "price", "size", AGGRESSOR),
    "bar": ("ts_event", "ts_close", "open", "high", "low", "close", "volume"),
}
"""Kind of an event → its columns, as `pyrt.load` knows them; ``ts_recv`` is added to all."""
SIDES = ("bid_price", "ask_price")
SECOND = 1_000_000_000
DAY = 86_400 * SECOND


class MarketLog:
    """Takes events of the market and writes them, a piece for each symbol and kind.

    Parameters
    ----------
    folder : Path
        Below it are folders by UTC date of receipt.
    run_id : str
        Part of the names of pieces.

    Attributes
    ----------
    dropped : int
        Rows that were not kept.
    count : int
        Rows that wait for a write.
    """

    def __init__(self, folder: Path, run_id: str) -> None:
        self.folder = folder
        self.dropped = 0
        self.count = 0
        # A dash of its own would be taken for the end of the symbol.
        self._run_id = run_id.replace("-", "_")
        self._serial = 0
        self._columns: Columns = {}
        self._instant = self._later = 0
        self._last_of: tuple[str, str] | None = None

    def take(self, event: Any, now: int) -> None:
        """Take a bar, a quote or a trade; of others nothing is kept."""
        what = event.WHAT
        times: tuple[int, ...]
        values: tuple[float, ...]
        if what in COLUMNS:
            now = self._received(what, event.symbol, now)
        if what == "quote":
            times = (now, event.ts_event)
            values = (event.bid_price, event.bid_size, event.ask_price, event.ask_size)
        elif what == "trade":
            times, values = (now, event.ts_event), (event.price, event.size, event.aggressor)
        elif what == "bar" and event.kind == "bar":
            times, values = (now, event.ts_open, event.ts_close), event.prices
        else:
            return
        if self.count >= BUFFERED_MAX:
            self.dropped += 1
            return
        self.count += 1
        columns = self._columns.get((what, event.symbol))
        if columns is None:
            columns = self._columns[what, event.symbol] = (array("q"), array("d"))
        columns[0].extend(times)
        columns[1].extend(values)

    def _received(self, what: str, symbol: str, now: int) -> int:
        """Return when a row counts as received, ns UTC.

        A backtest takes the rows of one instant by their kinds and symbols. What one message has
        brought comes back in its order where they are a nanosecond apart; but bars go together, as
        all that end with a minute do.
        """
        of = (what, "" if what == "bar" else symbol)
        if now != self._instant:
            self._instant, self._later = now, 0
        elif of != self._last_of:
            self._later += 1
        self._last_of = of
        return now + self._later

    def cut(self) -> Columns:
        """Return what was taken since the last call; the caller writes it, in any thread."""
        columns, self._columns, self.count = self._columns, {}, 0
        return columns

    def write(self, columns: Columns) -> int:
        """Write pieces, and give the memory of what is written back; return how many.

        Raises
        ------
        OSError
            If a piece cannot be written: its rows are dropped, the other pieces are written.
        """
        import pyarrow as pa

        written, failure = 0, None
        for (kind, symbol), (times, values) in sorted(columns.items(), key=lambda item: item[0]):
            for day, table in _by_day(_table(kind, symbol, times, values)):
                try:
                    path = self._place(self.folder / day, stem(kind, symbol), _time_of(table))
                    _replace(path, lambda path, t=table: _write(t, path))
                    written += 1
                except OSError as error:
                    self.dropped += table.num_rows
                    failure = failure or error
        # Arrow keeps what it has freed for later; a node that runs for weeks writes seldom.
        pa.default_memory_pool().release_unused()
        if failure is not None:
            raise failure
        return written

    def _place(self, folder: Path, name: str, time: str) -> Path:
        """Return where a piece goes; a run of the same name may have written some before."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        while True:
            self._serial += 1
            # The time comes first: read in the order of their names, the pieces of a day with
            # several runs are in order, and runs have names that are drawn.
            path = folder / f"{name}-{time}_{self._run_id}-{self._serial:06d}.parquet"
            if not path.exists():
                return path


def stem(kind: str, symbol: str) -> str:
    """Return how files of a symbol's events of a kind begin."""
    return f"{kind}s-{symbol.replace('/', '_')}"


def _time_of(table: Any) -> str:
    """Return when the first row of a piece was received, as names sort: HHMMSS and nanoseconds."""
    seconds, ns = divmod(table["ts_recv"][0].as_py(), SECOND)
    return f"{datetime.fromtimestamp(seconds, UTC):%H%M%S}{ns:09d}"


def _table(kind: str, symbol: str, times: array[int], values: array[float]) -> Any:
    """Return the columns of a kind; a row has some times, then some values, one after the other."""
    import numpy as np
    import pyarrow as pa

    names = ("ts_recv", *COLUMNS[kind])
    stamps = [name for name in names if name.startswith("ts_")]
    others = [name for name in names if not name.startswith("ts_")]
    table = np.frombuffer(times, dtype=np.int64).reshape(-1, len(stamps))
    numbers = np.frombuffer(values, dtype=np.float64).reshape(-1, len(others))
    rows = len(table)
    symbols = pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int32)), [symbol])
    columns = {name: pa.array(table[:, at]) for at, name in enumerate(stamps)}
    columns |= {name: pa.array(numbers[:, at]) for at, name in enumerate(others)}
    if AGGRESSOR in columns:
        columns[AGGRESSOR] = columns[AGGRESSOR].cast(pa.int8())
    for name in SIDES if kind == "quote" else ():
        price = numbers[:, others.index(name)]
        # A side without anybody has price 0 on the wire, and none in data.
        columns[name] = pa.array(np.where(price > 0, price, np.nan))
    return pa.table({"symbol": symbols, **columns})


def _by_day(table: Any) -> list[tuple[str, Any]]:
    """Return a table in parts by the UTC date of receipt, which never steps back."""
    import numpy as np

    days = table["ts_recv"].to_numpy() // DAY
    edges = [0, *(np.flatnonzero(np.diff(days)) + 1).tolist(), len(days)]
    found = []
    for first, last in pairwise(edges):
        day = datetime.fromtimestamp(int(days[first]) * DAY // SECOND, UTC).date().isoformat()
        found.append((day, table.slice(first, last - first)))
    return found


def _write(table: Any, path: Path) -> None:
    """Write a table, times as differences: half the work, and two thirds of the bytes."""
    import pyarrow.parquet as pq

    stamps = [name for name in table.column_names if name.startswith("ts_")]
    pq.write_table(
        table,
        path,
        compression="zstd",
        use_dictionary=[name for name in table.column_names if name not in stamps],
        column_encoding=dict.fromkeys(stamps, "DELTA_BINARY_PACKED"),
    )


def _replace(path: Path, write: Any) -> None:
    """Let a file appear whole or not at all."""
    part = path.with_suffix(PART)
    try:
        write(part)
        part.chmod(0o600)
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def compact(folder: Path, today: date, *, after_days: int = COMPACT_AFTER_DAYS) -> int:
    """Make one file a symbol and kind of days that are old enough; return how many were made.

    A file knows which pieces are in it: what an interruption has left is cleared away, and no row
    is doubled.

    Raises
    ------
    OSError
        If pieces of a symbol cannot be read or made one: they stay, and others are made one.
    """
    from pyarrow import ArrowInvalid

    made, failure = 0, None
    oldest = (today - timedelta(days=after_days)).isoformat()
    for day in sorted(folder.glob("????-??-??")):
        if day.name > oldest:
            continue
        groups: dict[str, list[Path]] = {}
        for path in sorted(day.iterdir()):
            piece = PIECE.fullmatch(path.name)
            if piece:
                groups.setdefault(piece["whole"], []).append(path)
            elif path.suffix == PART:
                # Its writer was killed: nobody writes to a day so old.
                path.unlink()
        for name, pieces in groups.items():
            try:
                made += _merge(day / f"{name}.parquet", pieces)
            except (OSError, ArrowInvalid) as error:
                failure = failure or OSError(f"{day.name}/{name}: {error}")
    if failure is not None:
        raise failure
    return made


def _with_aggressor(table: Any) -> Any:
    """Return a table of pieces or of a day; prints of an older version say nothing of who acted."""
    import numpy as np
    import pyarrow as pa

    if "price" in table.column_names and AGGRESSOR not in table.column_names:
        table = table.append_column(AGGRESSOR, pa.array(np.zeros(table.num_rows, np.int8)))
    return table.replace_schema_metadata(None)


def _merge(target: Path, pieces: list[Path]) -> int:
    import pyarrow as pa
    import pyarrow.parquet as pq

    done: list[str] = []
    tables = []
    if target.exists():
        whole = pq.read_table(target)
        done = json.loads((whole.schema.metadata or {}).get(MERGED, b"[]"))
        tables.append(_with_aggressor(whole))
    fresh = [piece for piece in pieces if piece.name not in done]
    if fresh:
        tables += [_with_aggressor(pq.read_table(piece)) for piece in fresh]
        table = pa.concat_tables(tables).unify_dictionaries().sort_by("ts_recv")
        names = json.dumps([*done, *(piece.name for piece in fresh)])
        table = table.replace_schema_metadata({MERGED: names.encode()})
        _replace(target, lambda path: _write(table, path))
    for piece in pieces:
        piece.unlink()
    return bool(fresh)
