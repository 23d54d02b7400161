"""Reading what the simulator is to replay: files, folders of files, catalogs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from pyrt.data import Catalog, load
from pyrt.data.catalog import is_catalog
from pyrt.errors import DataError, PyrtError

KINDS = ("bars", "quotes", "trades", "book")
ENDINGS = (".parquet", ".csv")


def gather(
    sources: Any,
    options: Mapping[str, Any],
    skipped: Callable[[str], object] = lambda line: None,
) -> list[Any]:
    """Return all tables of market data in some places.

    Parameters
    ----------
    sources : path, list of paths, dict or DataFrame
        What `pyrt.data.load` reads; of a folder, every file in it that holds market data.
    options : mapping
        Of `pyrt.data.load`.
    skipped : callable, optional
        Told of each file of a folder that is left out, and why.

    Raises
    ------
    DataError
        If there is no table, or two hold the same.
    """
    places = sources if isinstance(sources, list) else [sources]
    tables: list[Any] = []
    for place in places:
        if isinstance(place, (str, Path)) and Path(place).is_dir():
            tables.extend(_folder(Path(place), options, skipped))
        else:
            tables.extend(load(place, **options).columns)
    _require_distinct(tables)
    if not any(len(table) for table in tables):
        raise DataError("there is no market data to serve", remedy="See `pyrt data check PATH`")
    return tables


def _folder(
    folder: Path, options: Mapping[str, Any], skipped: Callable[[str], object]
) -> Iterable[Any]:
    if is_catalog(folder):
        return _catalog(folder, options)
    wanted = options.get("symbol")
    names = {wanted} if isinstance(wanted, str) else set(wanted or ())
    settings = {name: value for name, value in options.items() if name != "symbol"}
    tables: list[Any] = []
    known: set[tuple[str, str, str]] = set()
    for path in sorted(p for p in folder.iterdir() if p.suffix in ENDINGS):
        try:
            found = load(path, **settings).columns
        except PyrtError as error:
            skipped(f"left out: {str(error).splitlines()[0]}")
            continue
        for table in found:
            if names and table.symbol not in names:
                continue
            if _key(table) in known:
                skipped(f"left out: {path.name}: {' '.join(_key(table))} are there already")
                continue
            known.add(_key(table))
            tables.append(table)
    return tables


def _catalog(folder: Path, options: Mapping[str, Any]) -> Iterable[Any]:
    catalog = Catalog(folder)
    tables: list[Any] = []
    settings = {name: value for name, value in options.items() if name != "kind"}
    for kind in [options["kind"]] if options.get("kind") else KINDS:
        try:
            tables.extend(load(catalog, kind=kind, **settings).columns)
        except PyrtError:
            # A catalog need not hold every kind; that it holds none is seen at the end.
            continue
    return tables


def _key(table: Any) -> tuple[str, str, str]:
    return (table.symbol, getattr(table, "timeframe", ""), table.kind)


def _require_distinct(tables: list[Any]) -> None:
    seen = set()
    for table in tables:
        key = _key(table)
        if key in seen:
            raise DataError(
                f"two tables hold {' '.join(key)}",
                remedy="Name the files to serve, one for each",
            )
        seen.add(key)
