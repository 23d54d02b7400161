"""`pyrt parity`: a recorded live day against the backtest of the same time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from pyrt.cli import exits, options

EPILOG = """\b
Example:
  pyrt parity pyrt-state --data spy_1m.parquet --venue alpaca

\b
Kinds: data (the node saw other bars), timing, fill_price, quantity, reject, missing. A cost is what
live has lost against the backtest. Exit code 0: no difference. 1: there are some.
"""


@click.command(epilog=EPILOG)
@options.journal_argument
@click.option("--data", multiple=True, required=True, metavar="PATH", help="Parquet or CSV.")
@click.option("--symbol", metavar="NAME", help="Of a table that names none.")
@click.option("--label", metavar="END", help="Which end of its bar a stamp marks.")
@click.option("--run", "run_id", default="", metavar="RUN_ID", help="By default the last run.")
@click.option("--strategy", metavar="FILE.py[:Class]", help="By default as recorded.")
@click.option("--venue", default="alpaca", show_default=True, help="Of the backtest.")
@click.option("--fees", metavar="MODEL", help="Of the backtest, as `pyrt backtest` takes it.")
@click.option("--tolerance", default=1.0, show_default=True, metavar="SECONDS")
@options.json_option
def parity(
    folder: Path,
    data: tuple[str, ...],
    symbol: str | None,
    label: str | None,
    run_id: str,
    strategy: str | None,
    venue: str,
    fees: str | None,
    tolerance: float,
    as_json: bool,
) -> int:
    """Run the recorded strategies over the data of the same time, and compare what they traded."""
    from pyrt.cli.days import parity_of
    from pyrt.cli.tables import data_of

    given = {"symbol": symbol, "label": label, "venue": venue, "fees": fees}
    options_given = {name: value for name, value in given.items() if value is not None}
    report = parity_of(
        folder,
        data_of(data),
        run_id=run_id,
        strategy=strategy,
        tolerance_s=tolerance,
        **options_given,
    )
    if as_json:
        click.echo(json.dumps(_document(report)))
    else:
        _print(report)
    return exits.DONE if report.is_clean else exits.FAILED


def _document(report: Any) -> dict[str, Any]:
    return {
        "orders": report.orders,
        "matched": report.matched,
        "bars": report.bars,
        "cost": f"{report.cost:f}",
        "kinds": {k: {"count": n, "cost": f"{c:f}"} for k, (n, c) in report.by_kind().items()},
        "differences": [
            {
                "kind": d.kind,
                "symbol": d.symbol,
                "ts": d.ts,
                "text": d.text,
                "cost": f"{d.cost:f}",
                "client_order_id": d.client_order_id,
            }
            for d in report.differences
        ],
    }


def _print(report: Any) -> None:
    click.echo(f"{report.orders} orders, {report.matched} alike, {report.bars} bars")
    for kind, (count, cost) in report.by_kind().items():
        click.echo(f"{kind:12} {count:5}  {cost:+12.2f}")
    for difference in report.differences:
        click.echo(f"  {difference.kind}: {difference.text} ({difference.cost:+.2f})")
    click.echo("no difference" if report.is_clean else f"cost {report.cost:+.2f}")
