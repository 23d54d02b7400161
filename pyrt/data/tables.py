"""Load tables: whatever users hold becomes checked columns, with a record of how it was read."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from pyrt.core.suggest import did_you_mean
from pyrt.data.bars import Built, build_bars
from pyrt.data.catalog import Catalog, is_catalog
from pyrt.data.columns import BarColumns, Columns
from pyrt.data.containers import RawTable, open_tables
from pyrt.data.options import Options, make_options
from pyrt.data.recognize import recognize
from pyrt.data.report import Report
from pyrt.data.resident import check_columns
from pyrt.data.slicing import cut, moment
from pyrt.data.ticks import build_ticks
from pyrt.errors import ConfigError, DataError, UnknownName


@dataclass(frozen=True, slots=True)
class Loaded:
    """What `load` returns.

    Attributes
    ----------
    columns : tuple of Columns
        One entry a symbol, timeframe and kind, in the order of the source.
    warmup_rows : tuple of int
        For each entry, how many of its first rows lie before `start`.
    provenance : dict
        What the report of a run says about its data; ready for JSON. ``source``, ``rows``,
        ``kind``, ``timeframe``, ``timeframe_how``, ``label``, ``label_how``, ``adjustment``,
        ``gaps``, ``off_grid_prices``, ``repairs`` (name to rows) over all entries, and the same
        for each of them under ``tables``.
    day_zones : dict
        Symbol → the zone in which its table names its days or states its times, where not UTC.
    """

    columns: tuple[Columns, ...]
    warmup_rows: tuple[int, ...]
    provenance: dict[str, Any]
    day_zones: dict[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.columns)


def load(
    data: Any,
    *,
    symbol: str | Iterable[str] | None = None,
    timeframe: str | None = None,
    label: str | None = None,
    tz: object = None,
    calendar: str | None = None,
    repair: str | Iterable[str] | None = None,
    kind: str | None = None,
    start: Any = None,
    end: Any = None,
    warmup_bars: int | None = None,
    default_symbol: str | None = None,
    price: str | None = None,
    adjusted: bool = False,
    dialect: str | None = None,
    calendar_of: Callable[[str], str | None] | None = None,
) -> Loaded:
    """Read, check and return tables of market data.

    Arrays are views of what was given wherever possible: do not write to a frame while a run
    reads it.

    Parameters
    ----------
    data : DataFrame, dict, path, Catalog, pyarrow.Table, Columns, or a list of these
        Bars, quotes, trades or book events, recognized by their columns in any capitalization;
        a dict maps symbols to tables; a path is a Parquet or CSV file, a directory of Parquet
        files or a catalog. Other columns are not read.
    symbol : str or iterable of str, optional
        The symbol of a table that names none; of one that does, the symbols to keep.
    timeframe : str, optional
        ``<n>s|m|h|d|w``; else the most frequent step of the first 1,000 rows.
    label : "open" or "close", optional
        Which end of a bar its stamp marks. Inferred only where that is certain.
    tz : str, optional
        Zone of naive times, and of days that bars of days cover (UTC).
    calendar : str, optional
        ``"XNYS"``: bars of days last from their session's open to its close.
    repair : str or iterable of str, optional
        ``"utc"``, ``"drop_nan"``, ``"sort"``, ``"drop_duplicates"`` (the last is kept), ``"ffill"``
        (bars without prices become flat, with no volume), ``"clip"`` (high and low widened),
        ``"drop_invalid"``; made in this order.
    kind : str, optional
        ``"bars"``, ``"quotes"``, ``"trades"``, ``"book"``, ``"quotebars"``, or ``"closes"`` to
        make flat bars of closes alone.
    start, end : str, date, datetime, Timestamp or int, optional
        Bars of the run open at `start` or later and end by `end`; an `end` without a time is the
        end of that day.
    warmup_bars : int, optional
        Rows kept before `start`; all by default.
    default_symbol : str, optional
        The symbol of a table that names none, where `symbol` is not given.
    price : "bid", "ask" or "mid", optional
        Needed for quote bars.
    adjusted : bool
        Scale prices to the column ``Adj Close``.
    dialect : "l2", "mbo" or "lobster", optional
        Of book events, where the rows alone do not say it; see `pyrt.core.OrderBook.apply_table`.
    calendar_of : callable, optional
        From a symbol to the calendar that its bars of days follow where the first 1,000 rows of a
        table are sessions of it, or None; without a say where `calendar` is given.

    Raises
    ------
    DataError
        If rows do not hold together (all faults in one message, with row numbers and what to
        write), or something that matters is uncertain.
    UnknownName
        If a file, symbol, calendar or time zone does not exist; close names are suggested.
    ConfigError
        If an option is none of those above.
    """
    options = make_options(
        symbol=symbol,
        default_symbol=default_symbol,
        timeframe=timeframe,
        label=label,
        tz=tz,
        calendar=calendar,
        repair=repair,
        kind=kind,
        price=price,
        adjusted=adjusted,
        dialect=dialect,
        calendar_of=calendar_of,
    )
    if warmup_bars is not None and warmup_bars < 0:
        raise ConfigError(
            f"warmup_bars={warmup_bars} is negative", code="warmup_bars", remedy="Give 0 or more"
        )
    start_ns = None if start is None else moment(start, options.tz)
    end_ns = None if end is None else moment(end, options.tz, is_end=True)
    opened, source = _open(data, options, start_ns, end_ns)
    built = [_build(table, options) for table in opened]
    columns = [entry for part in built for entry in part.columns]
    records = [record for part in built for record in part.records]
    _require_distinct(columns)
    cuts = [cut(entry, start_ns, end_ns, warmup_bars) for entry in columns]
    for record, (entry, warmup) in zip(records, cuts):
        record |= {"rows": len(entry) - warmup, "warmup_rows": warmup}
    return Loaded(
        tuple(entry for entry, _ in cuts),
        tuple(warmup for _, warmup in cuts),
        _provenance(source, records, [part.repairs for part in built]),
        _day_zones(built),
    )


def _open(
    data: Any, options: Options, start_ns: int | None, end_ns: int | None
) -> tuple[list[RawTable | Columns], str]:
    """Return the tables of the symbols asked for, and the name of their source."""
    if isinstance(data, Catalog) or is_catalog(data):
        catalog = data if isinstance(data, Catalog) else Catalog(data)
        kind = options.kind or "bars"
        return list(catalog.read_all(kind, options.symbols, end=end_ns)), f"catalog {catalog.root}"
    opened = open_tables(data)
    source = _source(opened)
    named = [table.symbol for table in opened if table.symbol is not None]
    if options.symbols is None or len(named) < len(opened) or not named:
        return opened, source
    for wanted in options.symbols:
        if wanted not in named:
            raise UnknownName(
                f"there is no symbol {wanted!r} in the data",
                code="unknown_symbol",
                remedy=did_you_mean(wanted, named),
                symbol=wanted,
            )
    return [table for table in opened if table.symbol in options.symbols], source


def _source(opened: list[RawTable | Columns]) -> str:
    names = [t.source if isinstance(t, RawTable) else f"columns of {t.symbol}" for t in opened]
    if not names:
        raise DataError("there is no table in the data", code="no_table", remedy="Give a table")
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"


def _build(table: RawTable | Columns, options: Options) -> Built:
    if not isinstance(table, RawTable):
        return check_columns(table)
    kind = recognize({*table.names, *table.columns}, options.kind, table.source)
    if kind == "closes" and options.kind is None:
        raise DataError(
            f"{table.source}: it has closes, but no open, high and low",
            code="columns",
            remedy='Write kind="closes" to make flat bars of them',
        )
    if table.rows == 0:
        raise DataError(f"{table.source}: the table has no rows", code="empty", remedy="Give rows")
    report = Report(table.source)
    if kind in ("bars", "quotebars", "closes"):
        built = build_bars(table, kind, options, report)
    else:
        built = build_ticks(table, kind, options, report)
    report.raise_if_any()
    if not built.columns:
        raise DataError(
            f"{table.source}: no row is left after the repairs",
            code="empty",
            remedy="Look at the source",
        )
    return built


def _day_zones(built: list[Built]) -> dict[str, str]:
    """Return the zones of symbols' days, of several tables the first that has another than UTC."""
    found: dict[str, str] = {}
    for part in built:
        for entry in part.columns if part.day_zone != "UTC" else ():
            found.setdefault(entry.symbol, part.day_zone)
    return found


def _require_distinct(columns: list[Columns]) -> None:
    seen: set[tuple[str, ...]] = set()
    for entry in columns:
        timeframe = entry.timeframe if isinstance(entry, BarColumns) else ""
        key = (entry.kind, entry.symbol, timeframe)
        if key in seen:
            raise DataError(
                f"two tables hold {' '.join(filter(None, (timeframe, entry.kind)))} of "
                f"{entry.symbol}",
                code="duplicate_table",
                remedy="Join them into one table",
                symbol=entry.symbol,
            )
        seen.add(key)


_COMMON = ("kind", "timeframe", "timeframe_how", "label", "label_how", "adjustment")
_SUMMED = ("rows", "warmup_rows", "gaps", "off_grid_prices")


def _provenance(
    source: str, records: list[dict[str, Any]], repairs: list[dict[str, int]]
) -> dict[str, Any]:
    """Return the summary over all records: sums, and values as lists where they differ."""
    summary: dict[str, Any] = {"source": source}
    for name in _SUMMED:
        summary[name] = sum(record.get(name, 0) for record in records)
    for name in _COMMON:
        values = list(dict.fromkeys(r[name] for r in records if name in r))
        if values:
            summary[name] = values[0] if len(values) == 1 else values
    total: dict[str, int] = {}
    for made in repairs:
        for name, count in made.items():
            total[name] = total.get(name, 0) + count
    return summary | {"repairs": total, "tables": records}
