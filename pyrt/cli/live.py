"""`pyrt live`: a strategy on an account, from the shell."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import signal
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pyrt.cli import exits, options
from pyrt.cli.choices import StrategySpec
from pyrt.cli.rows import in_a_line, of_order
from pyrt.core.times import format_ns
from pyrt.live.driver.hearing import Hearing

if TYPE_CHECKING:
    from pyrt.adapters.alpaca.node.live import LiveNode
    from pyrt.live.config import NodeConfig

EPILOG = """\b
Examples:
  pyrt live --init --config node.toml
  pyrt live cross.py --config node.toml
  pyrt live pair.py:Trader --config node.toml --profile paper --set size=10 --json
  pyrt live cross.py --config node.toml --shadow

\b
Keys come from APCA_API_KEY_ID and APCA_API_SECRET_KEY, from --env-file (mode 0600), or
from the system's keyring where NODE.toml names one.
Ctrl-C stops the node: entries are canceled, protective exits stay, and the account is printed.
So does a terminal that is closed; with nohup the node outlives it.
"""


@click.command(epilog=EPILOG)
@click.argument("strategy", type=StrategySpec(), metavar="FILE.py[:Class]", required=False)
@click.option("--config", "config_file", required=True, metavar="NODE.toml", help="Its settings.")
@click.option("--profile", metavar="NAME", help="dev, paper or live: a table of the settings.")
@click.option(
    "--env-file", metavar="FILE", help="Lines NAME=value over the environment: keys, secrets."
)
@click.option(
    "--init", "is_init", is_flag=True, help="Write a cautious NODE.toml to read and sign."
)
@click.option(
    "--shadow", is_flag=True, help="Real data, a simulated venue: nothing is sent to the broker."
)
@click.option("--arm", default="", metavar="ACCOUNT", help="Its number, once, for real money.")
@options.set_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
def live(
    strategy: str | None,
    config_file: str,
    profile: str | None,
    env_file: str | None,
    is_init: bool,
    shadow: bool,
    arm: str,
    assignments: tuple[str, ...],
    as_json: bool,
) -> int:
    """Run the strategy in FILE.py on an Alpaca account, paper unless NODE.toml says live.

    Prints a line for each order and fill, and at the end one with the account. Where NODE.toml
    names a `replay`, the same program runs on that recording at its `replay_speed`.
    """
    if is_init:
        return _init(Path(config_file))
    if strategy is None:
        raise click.UsageError("Missing argument 'FILE.py[:Class]'.")
    _close_up()
    from msgspec import structs

    from pyrt.adapters.alpaca.node.companions import watchdog_command
    from pyrt.adapters.alpaca.node.live import LiveNode
    from pyrt.cli.parameters import make_strategies
    from pyrt.cli.replayed import replay
    from pyrt.cli.starts import environment_of, keys_of
    from pyrt.cli.strategy_file import strategy_classes
    from pyrt.live.profiles import load_config

    environment = environment_of(env_file)
    config = load_config(config_file, profile, environment)
    if shadow:
        config = structs.replace(config, shadow=True)
    strategies = make_strategies(strategy_classes(strategy), assignments)
    if config.replay:
        replay(config, strategies, lambda row: _print(row, as_json=as_json))
        return exits.DONE
    credentials = keys_of(config, environment, env_file)

    def show(event: Any, core: Any) -> None:
        row = row_of(event, core)
        if row is not None:
            _print(row, as_json=as_json)

    def warn(code: str, text: str) -> None:
        click.echo(f"{code}: {text}", err=True)

    for code, text in config.warnings():
        warn(code, text)
    node = LiveNode(
        config,
        credentials,
        on_event=show,
        on_alarm=warn,
        source=strategy,
        arm=arm,
        environment=environment,
    )
    if config.shadow:
        _tell_of_shadow(config, node.config)
    if config.watchdog and not config.shadow:
        node.watchdog_command = watchdog_command(
            config_file,
            env_file=env_file or "",
            profile=profile or "",
            run_id=node.run_id,
        )
    _add_links(node)
    node.companions.append(_Terminal(lambda row: _print(row, as_json=as_json)))
    for each in strategies:
        node.add_strategy(each)
    account = _run(node)
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


def _tell_of_shadow(given: NodeConfig, used: NodeConfig) -> None:
    """Say where a shadow's journal and links are: not at the places of the node that trades."""
    click.echo(f"shadow: the journal is in {used.state_folder()}", err=True)
    for name in ("publish", "signals"):
        if getattr(given, name):
            click.echo(f"shadow: {name} is {getattr(used, name) or 'off'}", err=True)


class _Terminal:
    """Says that a node runs, and which orders are denied in it: no broker answers those.

    Parameters
    ----------
    show : callable
        Called with what to print.
    """

    def __init__(self, show: Callable[[dict[str, Any]], object]) -> None:
        self._show = show
        self._hearing = Hearing("on_event", lambda text: None)

    def watch(self, node: LiveNode) -> None:
        """Listen, before strategies send their first orders."""
        assert node.core is not None
        node.core.kernel.bus.subscribe("order.*", self._on_order, priority=-950)

    def _on_order(self, event: Any) -> None:
        if event.kind == "denied":
            told = {"event": event.kind, "status": event.order.status, "reason": event.reason}
            self._hearing.call(self._show, of_order("order", event.ts_event, event.order) | told)

    async def begin(self, node: LiveNode) -> None:
        """Say so: strategies have started."""
        assert node.driver is not None
        assert node.driver.last_look is not None
        config, folder = node.config, node.config.state_folder()
        text = f"running: {config.mode} account {node.driver.last_look.account}"
        if config.dashboard and folder is not None:
            text += f"; the page's address is in {folder / 'dashboard.tokens'}"
        click.echo(text, err=True)

    async def end(self) -> None:
        """What is printed at the end is the account."""


def _add_links(node: LiveNode) -> None:
    """Add what publishes topics and hears models, where the settings want one of them."""
    from pyrt.cli.starts import links_of

    links = links_of(node.config)
    if links is not None:
        node.companions.append(links)


def _close_up() -> None:
    """Let nobody else read what this process writes, and no core file hold its keys."""
    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _init(path: Path) -> int:
    """Write settings to read and sign; nothing that is there is overwritten."""
    from pyrt.errors import ConfigError
    from pyrt.live.template import TEMPLATE

    if path.exists():
        raise ConfigError(f"{path} exists already", remedy="Give another name")
    path.write_text(TEMPLATE, "utf-8")
    click.echo(f"{path} is written: read it, set the limits, then `pyrt config check {path}`")
    return exits.DONE


def _run(node: Any) -> Any:
    """Run a node on uvloop where it is installed."""
    return _runner()(_until_interrupted(node))


def _runner() -> Any:
    # Outside of what runs: an error there is not one that came of a missing package.
    try:
        import uvloop
    except ImportError:
        return asyncio.run
    return uvloop.run


async def _until_interrupted(node: Any) -> Any:
    loop = asyncio.get_running_loop()
    numbers = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        # Else it was started with nohup, to outlive its terminal.
        numbers.append(signal.SIGHUP)
    for number in numbers:
        loop.add_signal_handler(number, node.stop, signal.Signals(number).name)
    return await node.run_async()


def row_of(event: Any, core: Any) -> dict[str, Any] | None:
    """Return what to print of an event; None for market data."""
    if event.WHAT == "alarm":
        return {"type": "alarm", "code": event.code, "text": event.text}
    if event.WHAT not in ("fill", "answer"):
        return None
    order = core.inputs.order(event.number)
    row = of_order("fill" if event.WHAT == "fill" else "order", event.ts_event, order)
    if event.WHAT == "fill":
        fee = f"{core.fee_of(event):f}"
        return {**row, "quantity": event.quantity, "price": event.price, "fee": fee}
    return {**row, "event": event.kind, "status": order.status, "reason": event.reason}


def _print(row: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(row))
    else:
        if "ts_event" in row:
            row = {**row, "ts_event": format_ns(row["ts_event"])}
        click.echo(in_a_line(row))
