"""`pyrt data check`: read a table as a backtest would, and say how it was read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pyrt.cli import options
from pyrt.cli.tables import data_of

if TYPE_CHECKING:
    from pyrt.data import Loaded


@click.group()
def data() -> None:
    """Look at tables of market data."""


@data.command()
@click.argument("path", nargs=-1, required=True)
@options.loading_options
@options.json_option
def check(path: tuple[str, ...], as_json: bool, **given: Any) -> None:
    """Read PATH as a backtest would and report its tables, or all of its faults.

    PATH is what `pyrt backtest --data` takes; a table that names no symbol goes by its file's
    name. Exit code 2 if the rows do not hold together.
    """
    from pyrt.data import load

    chosen = {name: value for name, value in given.items() if value not in (None, ())}
    loaded = load(data_of(path), default_symbol=Path(path[0]).stem, **chosen)
    if as_json:
        click.echo(json.dumps({**loaded.provenance, "hashes": _hashes(loaded)}, default=str))
        return
    for record, columns in zip(loaded.provenance["tables"], loaded.columns):
        click.echo(_line(record, columns))
    for name in ("label", "timeframe", "adjustment"):
        if name in loaded.provenance:
            how = loaded.provenance.get(f"{name}_how", "")
            click.echo(f"{name}: {loaded.provenance[name]}{f' ({how})' if how else ''}")
    for name, rows in loaded.provenance["repairs"].items():
        click.echo(f"repaired: {name}, {rows:,} rows")


def _line(record: dict[str, Any], columns: Any) -> str:
    from pyrt.core.times import format_ns

    span = f"{format_ns(int(columns.ts_init[0]))} to {format_ns(int(columns.ts_init[-1]))}"
    what = " ".join(filter(None, (record["symbol"], record.get("timeframe"), record["kind"])))
    gaps = f", {record['gaps']:,} gaps" if record.get("gaps") else ""
    return f"{what}: {len(columns):,} rows, {span}{gaps}"


def _hashes(loaded: Loaded) -> list[str]:
    return [columns.content_hash().hex() for columns in loaded.columns]
