"""`pyrt data`: check a table as a backtest would read it, and download history."""

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


@data.command()
@click.option("--source", type=click.Choice(["alpaca"]), default="alpaca", show_default=True)
@click.option("--symbols", required=True, metavar="SPY,QQQ", help="Commas between.")
@click.option("--start", required=True, metavar="TIME", help="First bar, ISO 8601, UTC.")
@click.option("--end", metavar="TIME", help="Up to here; by default now.")
@click.option("--timeframe", default="1m", show_default=True, help="1m, 15m, 1h, 1d, 1w.")
@click.option("--feed", type=click.Choice(["iex", "sip"]), default="iex", show_default=True)
@click.option(
    "--adjustment",
    type=click.Choice(["raw", "split", "dividend", "all"]),
    default="raw",
    show_default=True,
)
@click.option("--out", default="data", show_default=True, metavar="FOLDER")
@click.option("--corporate-actions", is_flag=True, help="Fetch splits and dividends too.")
@click.option("--env-file", metavar="FILE", help="Lines NAME=value with the keys, mode 0600.")
@click.option("--data-url", default="", envvar="APCA_API_DATA_URL", metavar="URL")
@options.json_option
def download(
    source: str,
    symbols: str,
    start: str,
    end: str | None,
    out: str,
    corporate_actions: bool,
    env_file: str | None,
    data_url: str,
    as_json: bool,
    **terms: Any,
) -> None:
    """Fetch bars into Parquet files, one a symbol and month, that backtests read.

    What is on disk is not fetched again, so the same call goes on after an interruption, and
    brings a folder up to date later. Reports sessions without bars and gaps inside sessions. Exit
    code 1 if there is not a single bar of a symbol.
    """
    import asyncio
    import time

    from pyrt.adapters.alpaca.account.download import Wanted, months
    from pyrt.core.times import timestamp_ns

    ends = time.time_ns() if end is None else timestamp_ns(end)
    named = tuple(part.strip() for part in symbols.split(",") if part.strip())
    wanted = Wanted(symbols=named, start=timestamp_ns(start), end=ends, **terms)
    total = len(named) * sum(1 for _ in months(wanted.start, wanted.end))
    report = asyncio.run(
        _fetch(wanted, Path(out), env_file, data_url, actions=corporate_actions, total=total)
    )
    if as_json:
        click.echo(json.dumps(report))
    else:
        _tell(report, named)
    if report["empty"]:
        # In a script, a symbol that was written wrongly must not pass for one without trades.
        raise click.exceptions.Exit(1)


def _tell(report: dict[str, Any], named: tuple[str, ...]) -> None:
    click.echo(f"{report['rows']:,} bars of {', '.join(named)}, {report['fetched']:,} fetched now")
    for symbol, days in report["missing_sessions"].items():
        if symbol in report["empty"]:
            continue
        gaps = report["gaps"].get(symbol, 0)
        click.echo(f"{symbol}: {gaps:,} bars missing inside sessions, sessions without any: {days}")
    for symbol in report["empty"]:
        click.echo(f"{symbol}: no bars at all. Is it a symbol, and does the feed have it then?")


async def _fetch(
    wanted: Any, folder: Path, env_file: str | None, data_url: str, *, actions: bool, total: int
) -> dict[str, Any]:
    from tqdm import tqdm

    from pyrt.adapters.alpaca.account.download import download, download_actions
    from pyrt.adapters.alpaca.account.reading import Reader
    from pyrt.adapters.alpaca.account.scripts import DATA
    from pyrt.adapters.alpaca.credentials import read_credentials
    from pyrt.adapters.alpaca.shell.http import Http
    from pyrt.live.config import check_url

    check_url(data_url)
    http = Http({"data": data_url or DATA}, read_credentials(env_file=env_file))
    reader = Reader(http.send)
    try:
        with tqdm(total=total, unit="month", disable=None) as bar:

            def progress(line: str, done: int) -> None:
                bar.set_description(line)
                bar.update(done - bar.n)

            report = (await download(reader, wanted, folder, progress)).to_plain()
        if actions:
            path = folder / "corporate_actions.parquet"
            span = (wanted.start, wanted.end)
            stocks = [symbol for symbol in wanted.symbols if "/" not in symbol]
            report["corporate_actions"] = await download_actions(reader, stocks, *span, path)
        return report
    finally:
        await http.close()
