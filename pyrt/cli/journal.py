"""`pyrt journal`: look into a state folder's journal, check it, copy it, bring it back."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pyrt.cli import exits, options
from pyrt.cli.rows import in_a_line

if TYPE_CHECKING:
    from pyrt.live.journal.files import Files

folder_argument = click.argument("folder", metavar="STATE_DIR", type=click.Path(path_type=Path))


@click.group()
def journal() -> None:
    """Look into a node's journal, check it, copy it, bring it back."""


@journal.command()
@folder_argument
@options.json_option
def verify(folder: Path, as_json: bool) -> int:
    """Check every checksum and the chain of every log; change nothing."""
    from pyrt.live.journal.verify import verify as check

    reports = check(_files(folder))
    for report in reports:
        if as_json:
            continue
        state = "sound" if report.is_sound else f"DAMAGED: {report.error}"
        torn = f", torn tail: {report.torn}" if report.torn else ""
        click.echo(f"{report.name}: {report.records} records, {report.bytes} bytes, {state}{torn}")
    if as_json:
        click.echo(json.dumps([report.to_dict() for report in reports]))
    return exits.DONE if all(report.is_sound for report in reports) else exits.FAILED


@journal.command()
@folder_argument
@click.option("--kind", help="Only records of this kind, such as Intent.")
@click.option("--last", type=click.IntRange(min=1), help="Only the last so many.")
@click.option("--archived", is_flag=True, help="Begin with segments that were put away.")
@options.json_option
def show(folder: Path, kind: str | None, last: int | None, archived: bool, as_json: bool) -> int:
    """Print records, one a line."""
    from collections import deque

    from pyrt.core.suggest import did_you_mean
    from pyrt.errors import ConfigError
    from pyrt.live.journal.records import CODES
    from pyrt.live.journal.verify import rows

    kinds = [cls.__name__ for cls in CODES]
    if kind is not None and kind not in kinds:
        raise ConfigError(f"there are no records {kind!r}", remedy=did_you_mean(kind, kinds))
    wanted = (r for r in rows(_files(folder), archived=archived) if kind in (None, r["record"]))
    for row in wanted if last is None else deque(wanted, last):
        if as_json:
            click.echo(json.dumps(row))
        else:
            head = f"{row.pop('sequence')} {row.pop('record')}"
            click.echo(f"{head}  {in_a_line(_readable(row))}")
    return exits.DONE


def _readable(row: dict[str, Any]) -> dict[str, Any]:
    """Return a record with its times as people read them; with --json they are ns."""
    from pyrt.core.times import format_ns

    times = {name: format_ns(row[name]) for name in ("ts", "ts_event") if row.get(name)}
    return row | times


@journal.command()
@folder_argument
@click.argument("to", metavar="FILE.sqlite", type=click.Path(path_type=Path))
def export(folder: Path, to: Path) -> int:
    """Write a SQLite database with runs, orders, fills, positions, operations and alarms."""
    from pyrt.live.journal.query import build_database

    click.echo(f"{build_database(_files(folder), to)} records in {to}")
    return exits.DONE


@journal.command()
@folder_argument
@click.argument("to", metavar="FILE.tar.gz", type=click.Path(path_type=Path))
def backup(folder: Path, to: Path) -> int:
    """Copy a journal, also while its node runs."""
    from pyrt.live.journal.backup import backup as copy

    click.echo(f"{copy(_files(folder), to)} files in {to}")
    return exits.DONE


@journal.command()
@click.argument("archive", metavar="FILE.tar.gz", type=click.Path(path_type=Path))
@folder_argument
def restore(archive: Path, folder: Path) -> int:
    """Bring a backup back into an empty folder, and read it as a start would."""
    from pyrt.live.journal.backup import restore as bring_back

    click.echo(f"{bring_back(archive, folder)} files in {folder}")
    return exits.DONE


@journal.command()
@folder_argument
@click.argument("backups", metavar="FOLDER|FILE.tar.gz", type=click.Path(path_type=Path))
@options.json_option
def drill(folder: Path, backups: Path, as_json: bool) -> int:
    """Bring the newest backup back into a folder that is thrown away, and compare it.

    Nothing of the node is touched: run it while the node trades.
    """
    from pyrt.live.journal.backup import drill as practise
    from pyrt.live.journal.backup import newest

    archive = newest(backups) if backups.is_dir() else backups
    done = practise(archive, _files(folder))
    if as_json:
        click.echo(json.dumps(asdict(done)))
    else:
        click.echo(
            f"{done.archive}: {done.records} records, {done.behind} behind the journal, "
            f"{done.orders} open orders, {done.positions} holdings; it can be started from"
        )
    return exits.DONE


def _files(folder: Path) -> Files:
    from pyrt.errors import UnknownName
    from pyrt.live.journal.files import RealFiles
    from pyrt.live.journal.verify import log_names

    if not folder.is_dir():
        raise UnknownName(f"there is no folder {folder}")
    files = RealFiles(folder)
    if not log_names(files):
        raise UnknownName(f"there is no journal in {folder}", remedy="Give a node's state_dir")
    return files
