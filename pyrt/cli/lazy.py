"""A click group whose subcommands are imported when they are called, not when they are listed."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import click

from pyrt.core.suggest import did_you_mean

COMMANDS: dict[str, tuple[str, str]] = {
    "account": ("pyrt.cli.account:account", "Show an Alpaca account and what it is exposed to."),
    "backtest": ("pyrt.cli.backtest:backtest", "Run a strategy over recorded data."),
    "cancel": ("pyrt.cli.account:cancel", "Cancel orders of an Alpaca account."),
    "close": ("pyrt.cli.account:close", "Close positions of an Alpaca account."),
    "config": ("pyrt.cli.config:config", "Check or show a node's settings."),
    "control": ("pyrt.cli.control:control", "Ask, halt, flatten or stop a running node."),
    "data": ("pyrt.cli.data:data", "Look at tables of market data."),
    "demo": ("pyrt.cli.demo:demo", "Backtest on real bars that a package ships; write a report."),
    "doctor": ("pyrt.cli.doctor:doctor", "Check an installation and a node's surroundings."),
    "journal": ("pyrt.cli.journal:journal", "Look into, check, copy and restore a journal."),
    "parity": ("pyrt.cli.parity:parity", "Compare a recorded live day with its backtest."),
    "replay": ("pyrt.cli.replay:replay", "Play a recorded run again and compare."),
    "watchdog": ("pyrt.cli.watchdog:watchdog", "Cancel all orders when a node is dead."),
    "live": ("pyrt.cli.live:live", "Run a strategy on an account; paper by default."),
    "indicators": ("pyrt.cli.indicators:indicators", "List the indicators, or show one."),
    "orders": ("pyrt.cli.account:orders", "List orders of an Alpaca account."),
    "positions": ("pyrt.cli.account:positions", "List positions of an Alpaca account."),
    "validate": ("pyrt.cli.validate:validate", "Judge an order by Alpaca's rules; send nothing."),
    "simulator": ("pyrt.cli.simulator:simulator", "Serve data as a local Alpaca exchange."),
}
"""Subcommands: name → (``module:command``, the line that `pyrt --help` shows)."""


class LazyGroup(click.Group):
    """Finds its commands in `COMMANDS`; `pyrt --help` imports none of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all subcommands, sorted."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one subcommand; None if there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[Any, Any, list[str]]:
        """Return the command that the arguments name; UsageError with close names otherwise."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            ctx.fail(f"there is no command {name!r}. {did_you_mean(name, sorted(COMMANDS))}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands from the table."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][1]) for name in sorted(COMMANDS)])
