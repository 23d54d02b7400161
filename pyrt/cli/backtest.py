"""`pyrt backtest`: one run from the shell."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pyrt.cli import exits, options
from pyrt.cli.requirements import AT_MOST, Requirement, read_requirements
from pyrt.errors import ConfigError, DataError

if TYPE_CHECKING:
    from pyrt.analysis.result import BacktestResult

EPILOG = f"""\b
Examples:
  pyrt backtest cross.py --data spy_1m.parquet --set fast=20 --report out.html
  pyrt backtest pair.py:Watcher,Trader --data SPY=spy.csv --data QQQ=qqq.csv
  pyrt backtest cross.py --data sample:GOOG --require sharpe=1 --json

--require FIGURE=BOUND asks for at least BOUND, and for at most BOUND of
{", ".join(sorted(AT_MOST))}.
Write FIGURE>=BOUND or FIGURE<=BOUND to say it yourself. Figures are the keys of the summary:
fractions are fractions (max_drawdown=0.15), durations seconds. An undefined figure fails.

\b
Exit codes: 0 done; 1 the strategy raised; 2 something given is not acceptable;
3 a --require is not met; 130 interrupted, with what was reached.
"""


@click.command(epilog=EPILOG)
@options.strategy_argument
@options.data_options
@options.set_option
@options.span_options
@options.account_options
@options.venue_options
@click.option("--report", metavar="OUT.html", help="Write the report there.")
@click.option("--explain", is_flag=True, help="List the orders that did not trade, and why.")
@click.option("--require", "required", multiple=True, metavar="FIGURE=BOUND", help="See below.")
@click.option("--progress/--no-progress", default=True, help="Show progress on a terminal.")
@options.json_option
def backtest(
    strategy: str,
    data: tuple[str, ...],
    assignments: tuple[str, ...],
    report: str | None,
    explain: bool,
    required: tuple[str, ...],
    progress: bool,
    as_json: bool,
    **given: Any,
) -> int:
    """Run the strategy in FILE.py over recorded data and print what came of it.

    FILE.py needs no :Class if it defines one strategy; FILE.py:A,B runs two in one account.
    """
    target = None if report is None else _report_path(report)
    requirements = read_requirements(required)
    with _stdout_kept(as_json):
        result = run(strategy, data, assignments, progress=progress, **given)
        if target is not None:
            result.report(target)
    if as_json:
        click.echo(json.dumps(summary_object(result), allow_nan=False))
        for message in result.messages:
            click.echo(message, err=True)
    else:
        _print_table(result, target, explain)
    return _verdict(result, requirements)


def run(
    strategy: str, data: Sequence[str], assignments: Sequence[str], **given: Any
) -> BacktestResult:
    """Run a backtest from texts as the shell gives them; None and () mean the default.

    Raises
    ------
    DataError
        If handlers saw nothing of the data.
    """
    from pyrt.cli.parameters import make_strategies
    from pyrt.cli.strategy_file import strategy_classes
    from pyrt.cli.tables import data_of
    from pyrt.data.files import require_file
    from pyrt.facade import backtest as run_backtest

    chosen = {name: value for name, value in given.items() if value not in (None, ())}
    if len(chosen.get("symbol", ())) == 1:
        chosen["symbol"] = chosen["symbol"][0]
    if "corporate_actions" in chosen:
        require_file(Path(chosen["corporate_actions"]))
    strategies = make_strategies(strategy_classes(strategy), assignments)
    result = run_backtest(strategies, data_of(data), **chosen)
    if result.summary["start"] is None and not result.messages:
        raise DataError("no bar lies between --start and --end", code="empty")
    return result


def summary_object(result: BacktestResult) -> dict[str, Any]:
    """Return the one object that `--json` prints; undefined figures are null."""
    document = json.loads(result.to_json())
    names = (
        *("events_processed", "elapsed_s", "run_hash", "summary"),
        *("fills", "orders", "final_equity"),
    )
    return {name: document[name] for name in names}


def _report_path(text: str) -> Path:
    """Return the path of a report that can be written; better to know before a long run."""
    path = Path(text)
    if path.is_dir():
        raise ConfigError(f"--report {text} is a directory", remedy="Name a file, report.html")
    if not path.parent.is_dir():
        raise ConfigError(f"--report {text}: there is no directory {path.parent}")
    return path


def _stdout_kept(as_json: bool) -> contextlib.AbstractContextManager[Any]:
    """Send what a strategy prints to standard error where standard output is for JSON alone."""
    return contextlib.redirect_stdout(sys.stderr) if as_json else contextlib.nullcontext()


def _print_table(result: BacktestResult, target: Path | None, explain: bool) -> None:
    click.echo(str(result))
    if explain:
        table = result.explain()
        click.echo()
        click.echo(table.to_string(index=False) if len(table) else "Every order traded.")
    if target is not None:
        click.echo(f"Report: {target}")


def _verdict(result: BacktestResult, requirements: Sequence[Requirement]) -> int:
    unmet = [r.shortfall(result.summary) for r in requirements if not r.is_met(result.summary)]
    for line in unmet:
        click.echo(f"Not met: {line}", err=True)
    if any(message.startswith("interrupted") for message in result.messages):
        return exits.INTERRUPTED
    return exits.NOT_MET if unmet else exits.DONE
