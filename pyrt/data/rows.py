"""Rows: the NumPy form of a table while it is checked, all its symbols together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyrt.core.suggest import did_you_mean
from pyrt.data.cells import as_codes
from pyrt.data.columns import Int64s
from pyrt.data.containers import RawTable
from pyrt.data.options import Options
from pyrt.data.report import Report
from pyrt.errors import DataError, UnknownName


@dataclass(slots=True)
class Rows:
    """Columns of equal length, the rows of one symbol together, symbols as they first appear.

    Attributes
    ----------
    fields : dict of str to ndarray, shape (n,)
    names : list of str
        The symbols.
    codes : ndarray of int64, shape (n,), or None
        Which symbol a row is of, not decreasing; None where there is one symbol.
    index : ndarray of int64, shape (n,), or None
        The rows' numbers in the table as given; None where they are 0 … n-1.
    """

    fields: dict[str, NDArray[Any]]
    names: list[str]
    codes: Int64s | None = None
    index: Int64s | None = None

    def __len__(self) -> int:
        return len(next(iter(self.fields.values())))

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self.fields[name]

    def take(self, selector: NDArray[Any]) -> None:
        """Keep the rows of a mask or an index array, in its order."""
        length = len(self)
        self.fields = {name: values[selector] for name, values in self.fields.items()}
        if self.codes is not None:
            self.codes = self.codes[selector]
        index = np.arange(length) if self.index is None else self.index
        self.index = index[selector]

    def numbers(self, positions: NDArray[Any]) -> NDArray[Any]:
        """Return the row numbers, in the table as given, of positions here."""
        return positions if self.index is None else self.index[positions]

    def steps(self, later: NDArray[Any], earlier: NDArray[Any]) -> tuple[Int64s, Int64s]:
        """Return `later[i] - earlier[i - 1]` within each symbol, and the positions i."""
        steps = later[1:] - earlier[:-1]
        if self.codes is None:
            return steps, np.arange(1, len(later))
        inside = np.flatnonzero(self.codes[1:] == self.codes[:-1])
        return steps[inside], inside + 1

    def spans(self) -> Iterator[tuple[str, slice]]:
        """Yield each symbol that has rows, and where they are."""
        if self.codes is None:
            if len(self):
                yield self.names[0], slice(0, len(self))
            return
        edges = np.searchsorted(self.codes, np.arange(len(self.names) + 1))
        for name, start, stop in zip(self.names, edges[:-1].tolist(), edges[1:].tolist()):
            if stop > start:
                yield name, slice(start, stop)


def gather(
    table: RawTable, fields: dict[str, NDArray[Any]], options: Options, report: Report
) -> Rows:
    """Return a table's rows grouped by symbol, those of other symbols left out.

    Raises
    ------
    DataError
        If the table names no symbol and none was given.
    UnknownName
        If a symbol that was asked for is not in the table; close names are suggested.
    """
    if "symbol" in table.columns:
        rows = _split(table, fields, options, report)
    else:
        rows = Rows(fields, [_only_symbol(table, options)])
    if table.row_index is not None:
        positions = rows.numbers(np.arange(len(rows)))
        rows.index = table.row_index[positions]
    return rows


def _split(
    table: RawTable, fields: dict[str, NDArray[Any]], options: Options, report: Report
) -> Rows:
    codes, names = as_codes(table.columns["symbol"])
    nameless = np.flatnonzero(codes < 0)
    if len(nameless):
        report.add("symbol", "symbol is missing", "fill it or drop these rows", rows=nameless)
        names.append("?")
        codes = np.where(codes < 0, len(names) - 1, codes)
    if table.symbol is not None:
        return _expect_one(table, fields, names)
    if len(names) < 2:
        _require_known(options, names)
        return Rows(fields, names or [_only_symbol(table, options)])
    rows = Rows(fields, names, codes)
    if options.symbols is not None:
        _require_known(options, names)
        wanted = [code for code, name in enumerate(names) if name in options.symbols]
        rows.take(np.isin(codes, wanted))
    assert rows.codes is not None
    if np.any(rows.codes[1:] < rows.codes[:-1]):
        rows.take(np.argsort(rows.codes, kind="stable"))
    return rows


def _expect_one(table: RawTable, fields: dict[str, NDArray[Any]], names: list[str]) -> Rows:
    if len(names) > 1:
        raise DataError(
            f"{table.source}: it is given as {table.symbol!r}, its symbol column holds "
            f"{', '.join(names[:3])}",
            code="symbol",
            remedy="Give a table of several symbols by itself",
            symbols=names,
        )
    return Rows(fields, [str(table.symbol)])


def _only_symbol(table: RawTable, options: Options) -> str:
    if table.symbol is not None:
        return table.symbol
    if options.symbols is not None and len(options.symbols) == 1:
        return options.symbols[0]
    if options.symbols is None and options.default_symbol is not None:
        return options.default_symbol
    raise DataError(
        f"{table.source}: the table does not say which symbol it is of",
        code="symbol",
        remedy='Write symbol="SPY", or give a dict of symbol to table',
    )


def _require_known(options: Options, names: list[str]) -> None:
    for symbol in options.symbols or ():
        if symbol not in names:
            raise UnknownName(
                f"there is no symbol {symbol!r} in the table",
                code="unknown_symbol",
                remedy=did_you_mean(symbol, names),
                symbol=symbol,
            )
