"""`pyrt control`: speak to a running node from the shell."""

from __future__ import annotations

import getpass
import json
import os
import sys
from pathlib import Path
from typing import Any

import click

from pyrt.cli import exits, options
from pyrt.cli.rows import in_lines

EPILOG = """\b
Actions: status, halt, reduce, resume, cancel, cancel_all, flatten, close, stop_strategy, lost,
accept, reset_breaker, set_limit, set_ramp, stop.
All but status are journalled with who and why; flatten, resume, reset_breaker and accept ask for a
typed word, and so does a limit or a ramp that could let more through.

\b
Examples:
  pyrt control pyrt-state status
  pyrt control pyrt-state halt --reason "prices look odd"
  pyrt control pyrt-state close --symbol SPY --reason "earnings"
  pyrt control pyrt-state resume --reason "looked, fine" --typed RESUME
  pyrt control pyrt-state set_limit --limit max_order_notional --value 500 --reason "news"
  pyrt control pyrt-state set_ramp --value 0.5 --reason "a good week" --typed RAISE
"""


@click.command(epilog=EPILOG)
@click.argument("folder", metavar="STATE_DIR", type=click.Path(path_type=Path))
@click.argument("action")
@click.option("--reason", default="", help="Why.")
@click.option("--actor", default="", help="Who; by default the name of the user.")
@click.option(
    "--symbol", default="", help="For halt, reduce, resume, cancel_all, close, accept, set_limit."
)
@click.option("--strategy", default="", help="For halt, reduce, resume, accept, stop_strategy.")
@click.option("--order", default="", metavar="CLIENT_ORDER_ID", help="For lost, cancel.")
@click.option("--limit", default="", metavar="NAME", help="Of a limit, for set_limit.")
@click.option("--value", default="", help="For set_limit, none takes it away; for set_ramp.")
@click.option(
    "--typed", default="", metavar="WORD", help="FLATTEN, RESUME, RESET, ACCEPT or RAISE."
)
@options.json_option
def control(
    folder: Path,
    action: str,
    reason: str,
    actor: str,
    symbol: str,
    strategy: str,
    order: str,
    limit: str,
    value: str,
    typed: str,
    as_json: bool,
) -> int:
    """Ask, halt, flatten or stop the node of STATE_DIR."""
    from pyrt.errors import ConfigError
    from pyrt.live.process.control import TYPED, ask

    given = {
        "actor": actor or _user(),
        "reason": reason,
        "symbol": symbol,
        "strategy": strategy,
        "order": order,
        "limit": limit,
        "value": value,
    }
    word = TYPED.get(action, "")
    if word and not typed and sys.stdin.isatty():
        typed = click.prompt(f"Type {word} to confirm")
    try:
        answer = ask(folder, action, typed=typed, **given)
    except ConfigError as error:
        if error.code != "confirmation" or typed or not sys.stdin.isatty():
            raise
        # The node alone knows whether a limit lets more through than the one it has.
        typed = click.prompt(f"{error.message}\nType it to confirm")
        answer = ask(folder, action, typed=typed, **given)
    if as_json:
        click.echo(json.dumps(answer))
    elif "done" in answer:
        click.echo(answer["done"])
    else:
        for line in in_lines(_readable(answer)):
            click.echo(line)
    return exits.DONE


def _user() -> str:
    """Return who asks; in a container that may be a number without a name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"user {os.geteuid()}"


def _readable(status: dict[str, Any]) -> dict[str, Any]:
    """Return a node's status with durations in seconds."""
    from pyrt.risk.limit_names import DURATIONS

    limits = {
        name: f"{value / 1e9:g}s" if name in DURATIONS else value
        for name, value in status.get("limits", {}).items()
    }
    return status | ({"limits": limits} if limits else {})
