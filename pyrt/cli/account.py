"""`pyrt account`, `positions`, `orders`, `cancel`, `close`: an Alpaca account from the shell."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from pyrt.cli import exits, options

if TYPE_CHECKING:
    from pyrt.adapters.alpaca.account.scripts import AlpacaAccount

WORLD = (
    click.option(
        "--config",
        "config_file",
        metavar="NODE.toml",
        help="A node's settings say it all: world, account, keys, addresses, state.",
    ),
    click.option("--profile", metavar="NAME", help="dev, paper or live; of --config."),
    click.option(
        "--env-file",
        metavar="FILE",
        help="Lines NAME=value with the keys, mode 0600; with --config all that its service is "
        "given.",
    ),
    click.option("--live", "is_live", is_flag=True, help="The live world; needs --account-id."),
    click.option("--account-id", default="", metavar="NUMBER", help="Whose keys these must be."),
    click.option(
        "--url", default="", metavar="URL", envvar="APCA_API_BASE_URL", help="Of the trading API."
    ),
    click.option(
        "--data-url",
        default="",
        metavar="URL",
        envvar="APCA_API_DATA_URL",
        help="Of the market-data API.",
    ),
    click.option("--node", "node_dir", metavar="FOLDER", help="State of the node that holds it."),
    options.json_option,
)
POSITION = ("symbol", "qty", "avg_entry_price", "current_price", "market_value", "unrealized_pl")
ORDER = (
    *("id", "symbol", "side", "type", "qty", "filled_qty", "limit_price", "stop_price", "status"),
    "client_order_id",
)
OF_CONFIG = {
    "is_live": "--live",
    "account_id": "--account-id",
    "url": "--url",
    "data_url": "--data-url",
}
"""What the settings of a node say, and nothing beside them."""
Asked = Callable[["AlpacaAccount"], Awaitable[Any]]


def world(command: Any) -> Any:
    """Add the options that say which account is meant."""
    for option in reversed(WORLD):
        command = option(command)
    return command


def ask(asked: Asked, given: dict[str, Any]) -> Any:
    """Open the account that the options mean, and return what is asked of it."""
    from pyrt.adapters.alpaca.account.scripts import AlpacaAccount

    meant = _of_node(given) if given["config_file"] else _of_options(given)

    async def run() -> Any:
        async with AlpacaAccount(**meant) as account:
            return await asked(account)

    return asyncio.run(run())


def _of_options(given: dict[str, Any]) -> dict[str, Any]:
    if given["profile"]:
        raise click.UsageError("--profile is one of the settings that --config names")
    return {
        "paper": not given["is_live"],
        "account_id": given["account_id"],
        "env_file": given["env_file"],
        "trading_url": given["url"],
        "data_url": given["data_url"],
        "node_dir": given["node_dir"],
    }


def _of_node(given: dict[str, Any]) -> dict[str, Any]:
    """Return the account that a node's settings mean, as the node itself would find it."""
    from pyrt.cli.starts import environment_of, keys_of
    from pyrt.live.profiles import load_config

    context = click.get_current_context()
    for name, option in OF_CONFIG.items():
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            raise click.UsageError(f"{option} is said by --config; give one of them")
    environment = environment_of(given["env_file"])
    config = load_config(given["config_file"], given["profile"], environment)
    keys = keys_of(config, environment, given["env_file"])
    folder = config.state_folder()
    return {
        "paper": config.mode != "live",
        "account_id": config.account_id,
        "credentials": keys,
        "trading_url": config.trading_url,
        "data_url": config.data_url,
        "feed": config.feed,
        "node_dir": given["node_dir"] or folder,
        "state_dir": _notes_in(folder),
    }


def _notes_in(folder: Path | None) -> Path | None:
    """Return where intents are written down; None for the user's own folder.

    A service's user may have no home, and what another one makes in a node's folder, its node
    cannot use.
    """
    if folder is None or not folder.is_dir() or folder.stat().st_uid != os.geteuid():
        return None
    return folder / "scripts"


@click.command()
@world
def account(**given: Any) -> int:
    """Show equity, cash, buying power, exposure and the day's profit."""

    async def asked(account: AlpacaAccount) -> dict[str, Any]:
        stated = await account.account()
        metrics = {
            name: f"{round(value, 6).normalize():f}"
            for name, value in (await account.metrics()).items()
        }
        return {**metrics, "account": stated["account_number"], "status": stated["status"]}

    show_one(ask(asked, given), as_json=given["as_json"])
    return exits.DONE


@click.command()
@world
def positions(**given: Any) -> int:
    """List open positions with their profit and loss."""

    async def asked(account: AlpacaAccount) -> Any:
        return await account.positions()

    show_rows(ask(asked, given), POSITION, as_json=given["as_json"])
    return exits.DONE


@click.command()
@world
@click.option(
    "--status", type=click.Choice(["open", "closed", "all"]), default="open", show_default=True
)
@click.option("--symbol", multiple=True, help="Only of these symbols.")
def orders(status: Any, symbol: tuple[str, ...], **given: Any) -> int:
    """List orders, newest first."""

    async def asked(account: AlpacaAccount) -> Any:
        return await account.orders(status, symbols=symbol)

    show_rows(ask(asked, given), ORDER, as_json=given["as_json"])
    return exits.DONE


@click.command()
@world
@click.argument("order_id", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All open orders.")
@click.option("--reason", default="", help="Kept with the intent.")
def cancel(order_id: tuple[str, ...], everything: bool, reason: str, **given: Any) -> int:
    """Cancel orders by the broker's ids, or --all, until the outcome of each is known.

    While a node holds the account, --node names its state folder: the node cancels its own order.
    """
    if bool(order_id) == everything:
        raise click.UsageError("name orders, or say --all")

    async def asked(account: AlpacaAccount) -> Any:
        if everything:
            return await account.cancel_all(reason=reason)
        return await account.cancel_orders(order_id, reason=reason)

    show_rows(ask(asked, given), ORDER, as_json=given["as_json"])
    return exits.DONE


@click.command()
@world
@click.argument("symbol", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All positions.")
@click.option("--quantity", metavar="UNITS", help="Part of it; of one symbol.")
@click.option("--reason", default="", help="Kept with the intent.")
def close(
    symbol: tuple[str, ...], everything: bool, quantity: str | None, reason: str, **given: Any
) -> int:
    """Close positions by symbol, or --all; open orders that hold their units are canceled first.

    While a node holds the account, --node names its state folder: the node closes the position.
    """
    if bool(symbol) == everything or (quantity is not None and len(symbol) != 1):
        raise click.UsageError("name symbols (one, with --quantity), or say --all")

    async def asked(account: AlpacaAccount) -> Any:
        if everything:
            return await account.close_all(reason=reason)
        if quantity is not None:
            return [await account.close(symbol[0], quantity, reason=reason)]
        return await account.close_positions(symbol, reason=reason)

    show_rows(ask(asked, given), ORDER, as_json=given["as_json"])
    return exits.DONE


def show_one(row: dict[str, Any], *, as_json: bool) -> None:
    """Print one object."""
    if as_json:
        click.echo(json.dumps(row))
        return
    for name, value in row.items():
        click.echo(f"{name:14} {value}")


def show_rows(rows: Sequence[dict[str, Any]], columns: Sequence[str], *, as_json: bool) -> None:
    """Print a list: whole as JSON, or some columns as a table."""
    if as_json:
        click.echo(json.dumps(rows))
        return
    told = [row["done"] for row in rows if "done" in row]
    if told:
        # A node that holds the account has done it, and has an answer of its own.
        click.echo("\n".join(told))
        return
    table = [tuple(columns), *(tuple(str(row.get(c) or "") for c in columns) for row in rows)]
    widths = [max(len(cells[i]) for cells in table) for i in range(len(columns))]
    for cells in table:
        click.echo("  ".join(cell.ljust(w) for cell, w in zip(cells, widths, strict=True)).rstrip())
