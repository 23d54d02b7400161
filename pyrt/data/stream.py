"""Streams from Parquet: chunks of columns read ahead on a second thread, in bounded memory."""

from __future__ import annotations

import copy
import os
import queue
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pyrt.data.columns import Columns
from pyrt.data.files import require_file
from pyrt.data.options import Options, make_options
from pyrt.data.reader import ACROSS_ROWS, Reader
from pyrt.data.slicing import moment
from pyrt.errors import ConfigError, DataError

CHUNK_ROWS = 1 << 17
"""Rows of a chunk unless asked otherwise: a few megabytes."""

READ_AHEAD = 3
"""Chunks that wait to be taken; with the one being read and the one in use, this bounds memory."""


class ParquetStream:
    """The rows of one symbol from Parquet files, chunk by chunk.

    Chunks pass the same checks as a table that is loaded whole, the borders between them included.
    The timeframe and the label are decided on the first chunk and hold for all. Where chunks begin
    and end depends on the files and `chunk_rows` alone, never on timing.

    Parameters
    ----------
    paths : str, Path, or list of these
        Read one after the other, in this order.
    kind : str, optional
        ``"bars"``, ``"quotes"``, ``"trades"`` or ``"book"``; recognized by the columns.
    symbol : str, optional
        Needed where the files hold several, or name none.
    timeframe, label, tz, calendar, repair, start, end :
        As in `load`; repairs that look at other rows are refused, and nothing before `start` is
        kept.
    chunk_rows : int
        Rows read at a time, 1,000 at least.

    Raises
    ------
    ConfigError
        If an option is none of those allowed.
    UnknownName
        If a file does not exist.
    """

    def __init__(
        self,
        paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
        kind: str | None = None,
        symbol: str | None = None,
        *,
        timeframe: str | None = None,
        label: str | None = None,
        tz: object = None,
        calendar: str | None = None,
        repair: str | Iterable[str] | None = None,
        start: Any = None,
        end: Any = None,
        chunk_rows: int = CHUNK_ROWS,
    ) -> None:
        self.paths = (
            [Path(paths)]
            if isinstance(paths, str | os.PathLike)
            else [Path(path) for path in paths]
        )
        for path in self.paths:
            require_file(path)
        options = make_options(
            symbol=symbol,
            default_symbol=None,
            timeframe=timeframe,
            label=label,
            tz=tz,
            calendar=calendar,
            repair=repair,
            kind=kind,
            price=None,
            adjusted=False,
        )
        _require_row_by_row(options, chunk_rows)
        self.rows = 0
        """Rows handed out so far."""
        self._begin(
            (
                self.paths,
                options,
                None if start is None else moment(start, options.tz),
                None if end is None else moment(end, options.tz, is_end=True),
                chunk_rows,
            )
        )

    def _begin(self, terms: tuple[Any, ...]) -> None:
        self._terms = terms
        self._reader = Reader(*terms)
        self._queue: queue.Queue[Columns | BaseException | None] = queue.Queue(READ_AHEAD)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._ended = False

    def next_chunk(self) -> Columns | None:
        """Return the next rows, at least one, or None after the last.

        Raises
        ------
        DataError
            If rows do not hold together, naming their numbers over all files; the stream has
            ended then.
        UnknownName
            If no row is of the symbol; close names are suggested.
        """
        if self._ended:
            return None
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="pyrt-parquet", daemon=True)
            self._thread.start()
        item = self._queue.get()
        if isinstance(item, BaseException):
            self.close()
            raise item
        if item is None:
            self.close()
            return None
        self.rows += len(item)
        return item

    def again(self) -> ParquetStream:
        """Return another stream of the same rows, from the first one on."""
        other = copy.copy(self)
        other.rows = 0
        other._begin(self._terms)
        return other

    @property
    def day_zone(self) -> str:
        """Zone in which the rows name their days or state their times; UTC before the first."""
        return self._reader.day_zone or "UTC"

    def content_hash(self) -> bytes:
        """Return the hash that the same rows have when they are loaded whole.

        Raises
        ------
        DataError
            If the stream was not read to its end.
        """
        if not self._reader.finished or self._reader.hasher is None or not self._ended:
            raise DataError(
                "the content hash of a stream is known at its end",
                code="stream_open",
                remedy="Take chunks until next_chunk() returns None",
            )
        return self._reader.hasher.digest()

    def close(self) -> None:
        """End the stream and its thread; further chunks are None."""
        self._ended = True
        self._stop.set()
        if self._thread is not None:
            # The reader may wait for room in the queue: make some until it has seen the flag.
            while self._thread.is_alive():
                try:
                    self._queue.get_nowait()
                except queue.Empty:
                    self._thread.join(0.01)
            self._thread = None

    def __enter__(self) -> ParquetStream:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[Columns]:
        while (chunk := self.next_chunk()) is not None:
            yield chunk

    def _run(self) -> None:
        last: BaseException | None = None
        try:
            for chunk in self._reader.chunks():
                self._queue.put(chunk)
                if self._stop.is_set():
                    return
        except BaseException as error:  # handed to the thread that asks for the chunk
            last = error
        self._queue.put(last)


def _require_row_by_row(options: Options, chunk_rows: int) -> None:
    for name in ACROSS_ROWS:
        if name in options.repairs:
            raise ConfigError(
                f'a stream cannot repair with "{name}": the rows it needs may have gone',
                code="repair",
                remedy="Load the file with that repair once and store it: Catalog(...).write(...)",
            )
    if options.kind in ("quotebars", "closes"):
        raise ConfigError(
            f"a stream has no {options.kind}",
            code="kind",
            remedy="Load them, and store the bars in a catalog",
        )
    if chunk_rows < 1_000:
        raise ConfigError(
            f"chunk_rows={chunk_rows} is too few", code="chunk_rows", remedy="Give 1,000 or more"
        )
