"""`pyrt control`: speak to a running node from the shell."""

from __future__ import annotations

import getpass
import json
import sys
from pathlib import Path

import click

from pyrt.cli import exits, options

EPILOG = """\b
Actions: status, halt, reduce, resume, cancel, cancel_all, flatten, close, stop_strategy, lost,
reset_breaker, stop.
All but status are journalled with who and why; flatten, resume and reset_breaker ask for a typed
word.

\b
Examples:
  pyrt control pyrt-state status
  pyrt control pyrt-state halt --reason "prices look odd"
  pyrt control pyrt-state close --symbol SPY --reason "earnings"
  pyrt control pyrt-state resume --reason "looked, fine" --typed RESUME
"""


@click.command(epilog=EPILOG)
@click.argument("folder", metavar="STATE_DIR", type=click.Path(path_type=Path))
@click.argument("action")
@click.option("--reason", default="", help="Why.")
@click.option("--actor", default="", help="Who; by default the name of the user.")
@click.option("--symbol", default="", help="For halt, reduce, resume, cancel_all, close.")
@click.option("--strategy", default="", help="For halt, reduce, resume, stop_strategy.")
@click.option("--order", default="", metavar="CLIENT_ORDER_ID", help="For lost, cancel.")
@click.option("--typed", default="", metavar="WORD", help="FLATTEN, RESUME or RESET, for scripts.")
@options.json_option
def control(
    folder: Path,
    action: str,
    reason: str,
    actor: str,
    symbol: str,
    strategy: str,
    order: str,
    typed: str,
    as_json: bool,
) -> int:
    """Ask, halt, flatten or stop the node of STATE_DIR."""
    from pyrt.live.process.control import TYPED, ask

    word = TYPED.get(action, "")
    if word and not typed and sys.stdin.isatty():
        typed = click.prompt(f"Type {word} to confirm")
    answer = ask(
        folder,
        action,
        actor=actor or getpass.getuser(),
        reason=reason,
        symbol=symbol,
        strategy=strategy,
        order=order,
        typed=typed,
    )
    if as_json:
        click.echo(json.dumps(answer))
    elif "done" in answer:
        click.echo(answer["done"])
    else:
        for name, value in answer.items():
            click.echo(f"{name:12} {value}")
    return exits.DONE
