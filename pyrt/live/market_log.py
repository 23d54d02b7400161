"""Market data as they were received, in Parquet: pieces while a day is young, one file afterwards.

Nothing here may hold a node up or stop it: what cannot be kept is counted.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

BUFFERED_MAX = 2_000_000
"""Rows that wait for a write; later ones are dropped and counted."""
COMPACT_AFTER_DAYS = 7
MERGED = b"pyrt.pieces"
COLUMNS = {
    "quote": ("ts_event", "bid_price", "bid_size", "ask_price", "ask_size"),
    "trade": ("ts_event", "price", "size"),
    "bar": ("ts_event", "ts_close", "open", "high", "low", "close", "volume"),
}
"""Kind of an event → its columns, as `pyrt.load` knows them; ``ts_recv`` is added to all."""
SECOND = 1_000_000_000


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
    """

    def __init__(self, folder: Path, run_id: str) -> None:
        self.folder = folder
        self.dropped = 0
        self._run_id = run_id
        self._serial = 0
        self._rows: dict[tuple[str, str], list[tuple[Any, ...]]] = {}
        self._count = 0

    def take(self, event: Any, now: int) -> None:
        """Take a bar, a quote or a trade; of others nothing is kept."""
        what = event.WHAT
        if what == "quote":
            row: tuple[Any, ...] = (
                now,
                event.ts_event,
                event.bid_price,
                event.bid_size,
                event.ask_price,
                event.ask_size,
            )
        elif what == "trade":
            row = (now, event.ts_event, event.price, event.size)
        elif what == "bar" and event.kind == "bar":
            row = (now, event.ts_open, event.ts_close, *event.prices)
        else:
            return
        if self._count >= BUFFERED_MAX:
            self.dropped += 1
            return
        self._count += 1
        rows = self._rows.get((what, event.symbol))
        if rows is None:
            rows = self._rows[what, event.symbol] = []
        rows.append(row)

    def cut(self) -> dict[tuple[str, str], list[tuple[Any, ...]]]:
        """Return what was taken since the last call; the caller writes it, in any thread."""
        rows, self._rows, self._count = self._rows, {}, 0
        return rows

    def write(self, rows: dict[tuple[str, str], list[tuple[Any, ...]]]) -> int:
        """Write pieces; return how many."""
        import pyarrow.parquet as pq

        written = 0
        for (kind, symbol), own in sorted(rows.items()):
            for day, part in _by_day(own):
                self._serial += 1
                name = f"{stem(kind, symbol)}-{self._run_id}-{self._serial:06d}.parquet"
                folder = self.folder / day
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                _replace(folder / name, lambda path, k=kind, s=symbol, p=part: pq.write_table(
                    _table(k, s, p), path, compression="zstd"))  # fmt: skip
                written += 1
        return written


def stem(kind: str, symbol: str) -> str:
    """Return how files of a symbol's events of a kind begin."""
    return f"{kind}s-{symbol.replace('/', '_')}"


def _by_day(rows: Sequence[tuple[Any, ...]]) -> list[tuple[str, list[tuple[Any, ...]]]]:
    days: dict[str, list[tuple[Any, ...]]] = {}
    for row in rows:
        day = datetime.fromtimestamp(row[0] // SECOND, UTC).date().isoformat()
        days.setdefault(day, []).append(row)
    return sorted(days.items())


def _table(kind: str, symbol: str, rows: Sequence[tuple[Any, ...]]) -> Any:
    import pyarrow as pa

    columns = list(zip(*rows, strict=True))
    names = ("ts_recv", *COLUMNS[kind])
    arrays = {
        name: pa.array(values, pa.int64() if name.startswith("ts_") else pa.float64())
        for name, values in zip(names, columns, strict=True)
    }
    texts = pa.array([symbol] * len(rows)).dictionary_encode()
    return pa.table({"symbol": texts, **arrays})


def _replace(path: Path, write: Any) -> None:
    """Let a file appear whole or not at all."""
    part = path.with_suffix(".part")
    write(part)
    part.chmod(0o600)
    with part.open("rb") as file:
        os.fsync(file.fileno())
    part.replace(path)


def compact(folder: Path, today: date, *, after_days: int = COMPACT_AFTER_DAYS) -> int:
    """Make one file a symbol and kind of days that are old enough; return how many were made.

    A file knows which pieces are in it: what an interruption has left is cleared away, and no row
    is doubled.
    """
    made = 0
    oldest = (today - timedelta(days=after_days)).isoformat()
    for day in sorted(folder.glob("????-??-??")):
        if day.name > oldest:
            continue
        groups: dict[str, list[Path]] = {}
        for piece in sorted(day.glob("*-??????.parquet")):
            # KIND-SYMBOL-RUN-SERIAL: the symbol may have a dash itself.
            groups.setdefault(piece.stem.rsplit("-", 2)[0], []).append(piece)
        for name, pieces in groups.items():
            made += _merge(day / f"{name}.parquet", pieces)
    return made


def _merge(target: Path, pieces: list[Path]) -> int:
    import pyarrow as pa
    import pyarrow.parquet as pq

    done: list[str] = []
    tables = []
    if target.exists():
        whole = pq.read_table(target)
        done = json.loads((whole.schema.metadata or {}).get(MERGED, b"[]"))
        tables.append(whole.replace_schema_metadata(None))
    fresh = [piece for piece in pieces if piece.name not in done]
    if fresh:
        tables += [pq.read_table(piece).replace_schema_metadata(None) for piece in fresh]
        table = pa.concat_tables(tables).unify_dictionaries().sort_by("ts_recv")
        names = json.dumps([*done, *(piece.name for piece in fresh)])
        table = table.replace_schema_metadata({MERGED: names.encode()})
        _replace(target, lambda path: pq.write_table(table, path, compression="zstd"))
    for piece in pieces:
        piece.unlink()
    return bool(fresh)
