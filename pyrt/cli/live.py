"""`pyrt live`: a strategy on an account, from the shell."""

from __future__ import annotations

import asyncio
import json
import signal
from typing import Any

import click

from pyrt.cli import exits, options

EPILOG = """\b
Examples:
  pyrt live cross.py --config node.toml
  pyrt live pair.py:Trader --config node.toml --set size=10 --json

\b
node.toml, at least:  symbols = ["SPY"]
Keys come from APCA_API_KEY_ID and APCA_API_SECRET_KEY, or from --env-file (mode 0600).
Ctrl-C stops the node; strategies are stopped and the account is printed.
"""


@click.command(epilog=EPILOG)
@options.strategy_argument
@click.option("--config", "config_file", required=True, metavar="NODE.toml", help="Its settings.")
@click.option("--env-file", metavar="FILE", help="Lines NAME=value with the keys.")
@options.set_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
def live(
    strategy: str,
    config_file: str,
    env_file: str | None,
    assignments: tuple[str, ...],
    as_json: bool,
) -> int:
    """Run the strategy in FILE.py on an Alpaca account, paper unless NODE.toml says live.

    Prints a line for each order and fill, and at the end one with the account.
    """
    from pyrt.adapters.alpaca.credentials import read_credentials
    from pyrt.adapters.alpaca.node import LiveNode
    from pyrt.cli.parameters import make_strategies
    from pyrt.cli.strategy_file import strategy_classes
    from pyrt.live.config import NodeConfig

    config = NodeConfig.from_toml(config_file)
    strategies = make_strategies(strategy_classes(strategy), assignments)
    credentials = read_credentials(env_file=env_file or config.env_file or None)

    def show(event: Any, core: Any) -> None:
        row = row_of(event, core)
        if row is not None:
            _print(row, as_json=as_json)

    node = LiveNode(config, credentials, on_event=show)
    for each in strategies:
        node.add_strategy(each)
    account = asyncio.run(_until_interrupted(node))
    _print(
        {
            "type": "account",
            "account": account.account_number,
            "cash": account.cash,
            "equity": account.equity,
            "buying_power": account.buying_power,
        },
        as_json=as_json,
    )
    return exits.DONE


async def _until_interrupted(node: Any) -> Any:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, node.stop)
    return await node.run_async()


def row_of(event: Any, core: Any) -> dict[str, Any] | None:
    """Return what to print of an event; None for market data."""
    if event.WHAT == "alarm":
        return {"type": "alarm", "code": event.code, "text": event.text}
    if event.WHAT not in ("fill", "answer"):
        return None
    order = core.inputs.order(event.number)
    row = {
        "type": "fill" if event.WHAT == "fill" else "order",
        "ts_event": event.ts_event,
        "client_order_id": order.client_order_id,
        "symbol": order.symbol,
        "side": order.side.name.lower(),
    }
    if event.WHAT == "fill":
        fee = f"{core.fee_of(event):f}"
        return {**row, "quantity": event.quantity, "price": event.price, "fee": fee}
    return {**row, "event": event.kind, "status": order.status, "reason": event.reason}


def _print(row: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(row))
    else:
        click.echo("  ".join(f"{name}={value}" for name, value in row.items() if value != ""))
