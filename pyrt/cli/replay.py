"""`pyrt replay`: a recorded run again, and whether the same commands come out."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from pyrt.cli import exits, options

EPILOG = """\b
Examples:
  pyrt replay pyrt-state
  pyrt replay pyrt-state --run 3f2a9c01b7de --strategy cross.py:SmaCross
  pyrt replay pyrt-state --limits other.toml

\b
Exit code 0: the same commands at the same places, hash for hash. 1: a difference, or inputs
are lost.
"""


@click.command(epilog=EPILOG)
@options.journal_argument
@click.option("--run", "run_id", default="", metavar="RUN_ID", help="By default the last run.")
@click.option("--strategy", metavar="FILE.py[:Class]", help="By default as recorded.")
@click.option("--limits", "limits_file", metavar="FILE.toml", help="Other limits: what then?")
@options.json_option
def replay(
    folder: Path, run_id: str, strategy: str | None, limits_file: str | None, as_json: bool
) -> int:
    """Feed a recorded run's inputs through the kernel and compare what comes out."""
    from pyrt.live.journal.files import RealFiles
    from pyrt.live.replay.replay import find_recording
    from pyrt.live.replay.replay import replay as play
    from pyrt.risk.limits import Limits

    files = RealFiles(folder)
    recording = find_recording(files, run_id)
    limits = None if limits_file is None else Limits.from_toml(limits_file)
    strategies = strategies_of(recording.start, strategy)
    result = play(files, strategies, run_id=recording.start.run_id, limits=limits)
    if as_json:
        click.echo(json.dumps({**asdict(result), "exact": result.is_exact}))
    else:
        _print(result, with_limits=limits is not None)
    return exits.DONE if result.is_exact or limits is not None else exits.FAILED


def strategies_of(start: Any, spec: str | None) -> list[Any]:
    """Return fresh strategies with the parameters of a recorded run."""
    from pyrt.cli.strategy_file import strategy_classes
    from pyrt.errors import ConfigError

    source = spec or start.source
    if not source:
        raise ConfigError(
            "the run does not say where its strategies come from",
            remedy="Give --strategy FILE.py:Class",
        )
    classes = {cls.__name__: cls for cls in strategy_classes(source)}
    made = []
    for entry in start.strategies:
        if entry.cls not in classes:
            raise ConfigError(f"{source} has no {entry.cls}, which the run had")
        capital = float(entry.capital) if entry.capital else None
        made.append(classes[entry.cls](capital=capital, **entry.params))
    return made


def _print(result: Any, *, with_limits: bool) -> None:
    click.echo(f"run {result.run_id}: {result.inputs} inputs, {result.commands} commands")
    click.echo(f"recorded {result.recorded_hash}")
    click.echo(f"replayed {result.replayed_hash}")
    click.echo(
        f"{result.saves - len(result.saves_differ)} of {result.saves} saved states the same; "
        f"{result.since} commands since the last"
    )
    if result.beyond:
        click.echo(f"{result.beyond} commands lie beyond the end of the tape, which a crash cut")
    if with_limits:
        for name, reason in result.denied:
            click.echo(f"denied {name}: {reason}")
    if result.lost:
        click.echo(f"the last {result.lost} inputs are lost: what followed them is not compared")
    if result.is_exact:
        so_far = ", as far as the tape goes" if result.beyond else ""
        click.echo(f"the same commands at the same places{so_far}")
    elif result.difference:
        click.echo(f"first difference: {result.difference}")
