"""`pyrt simulator`: a local exchange that speaks Alpaca's protocol."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from pyrt.cli import options
from pyrt.cli.tables import data_of
from pyrt.errors import ConfigError, MissingExtra

LOCKSTEP = "lockstep"
OWN = ("cash", "account", "fees", "slippage", "participation", "latency", "luld", "seed")
"""Options that go to the venue and the account."""
EPILOG = """\b
Examples:
  pyrt simulator
  pyrt simulator --data spy_1m.parquet --start 2013-10-07 --speed 60x --port 8900
  pyrt simulator --data ticks/ --speed lockstep --port 0 --json

\b
Every Alpaca client works with it: set the URLs and keys that it prints. It listens on 127.0.0.1
only. What goes wrong on request is in docs/simulator.md.
"""

data_option = click.option(
    "--data",
    multiple=True,
    metavar="PATH",
    help="Parquet or CSV file, folder of such files, or catalog: bars, quotes, trades, books. "
    "SYMBOL=PATH for a file of one symbol. Repeat for several. Without it, a made-up market.",
)
limit_options = (
    click.option("--requests", default=200, show_default=True, help="A minute; 0: no limit."),
    click.option("--connections", default=1, show_default=True, help="A stream; 0: no limit."),
    click.option("--symbols", default=30, show_default=True, help="On the feed iex; 0: no limit."),
)


def limits(command: Any) -> Any:
    """Add the options that limit clients."""
    for option in reversed(limit_options):
        command = option(command)
    return command


@click.command(epilog=EPILOG)
@data_option
@options.loading_options
@click.option("--corporate-actions", metavar="PATH", help="Table of splits and dividends.")
@click.option("--start", metavar="TIME", help="Begin here; earlier rows are history.")
@click.option(
    "--speed", default="1x", show_default=True, help="Such as 60x; lockstep to advance on request."
)
@click.option("--port", default=8900, show_default=True, help="On 127.0.0.1; 0 for a free one.")
@click.option("--cash", default="100000", show_default=True, help="Dollars at the start.")
@click.option(
    "--fees",
    default="alpaca",
    show_default=True,
    metavar="MODEL",
    help="As `pyrt backtest` takes them.",
)
@click.option("--account", default="alpaca", show_default=True, help="Or cash, or margin.")
@click.option("--slippage", metavar="MODEL", help="As `pyrt backtest` takes it.")
@click.option("--participation", default=0.0, help="Largest share of a bar's volume to fill.")
@click.option("--latency", default="0ms", help="From an order to its effect, such as 15ms.")
@click.option("--luld", metavar="TIER", help="Price bands and pauses: tier1 or tier2.")
@click.option("--seed", default=0, show_default=True, help="Of the made-up market and of ids.")
@limits
@click.option("--text-frames", is_flag=True, help="Trade updates as text, not binary.")
@click.option("--certificate", metavar="FILE", help="PEM: speak TLS, for clients that insist.")
@click.option("--private-key", metavar="FILE", help="Of the certificate, if in another file.")
@click.option("--state", metavar="FILE", help="Keep the account here, SQLite; go on from it.")
@click.option("--record", metavar="FILE", help="Write all traffic here, a JSON object a line.")
@options.json_option
def simulator(
    data: tuple[str, ...],
    corporate_actions: str | None,
    start: str | None,
    speed: str,
    port: int,
    text_frames: bool,
    requests: int,
    connections: int,
    symbols: int,
    certificate: str | None,
    private_key: str | None,
    state: str | None,
    record: str | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Serve recorded or made-up data as a paper exchange for any Alpaca client, on loopback.

    Prints the URLs and keys to set once it is ready; Ctrl-C ends it.
    """
    from pyrt.adapters.alpaca.simulator.protocol.limits import Limits
    from pyrt.adapters.alpaca.simulator.server.app import SimulatorServer
    from pyrt.adapters.alpaca.simulator.server.memory import Memory

    factor = read_speed(speed)
    own = {name: given.pop(name) for name in OWN}
    identity = json.dumps([data, corporate_actions, start, own, given], default=str)
    core = _core(data, given, corporate_actions, start, own)
    server = SimulatorServer(
        core,
        speed=factor,
        limits=Limits(requests=requests, connections=connections, symbols=symbols),
        text_frames=text_frames,
        memory=None if state is None else Memory(state, identity),
        record=record,
    )
    try:
        from pyrt.adapters.alpaca.simulator.server.serving import serve
    except ImportError as error:
        raise MissingExtra(
            "the simulator needs starlette and uvicorn", remedy="Run: pip install 'pyrt[ops]'"
        ) from error
    serve(
        server,
        port,
        lambda urls: click.echo(ready(urls, as_json=as_json)),
        certificate=certificate,
        private_key=private_key,
    )


def _core(
    data: tuple[str, ...],
    given: dict[str, Any],
    corporate_actions: str | None,
    start: str | None,
    own: dict[str, Any],
) -> Any:
    """Return the simulator core for what the command was given."""
    from pyrt.adapters.alpaca.simulator import session
    from pyrt.adapters.alpaca.simulator.market import actions, gathering, synthetic
    from pyrt.core.times import timestamp_ns
    from pyrt.data.files import require_file

    if corporate_actions is not None:
        # Better to know before a market is made up.
        require_file(Path(corporate_actions))
    begin = None if start is None else timestamp_ns(start)
    seed = own.pop("seed")
    if data:
        chosen = {name: value for name, value in given.items() if value not in (None, ())}
        tables = gathering.gather(data_of(data), chosen, lambda line: click.echo(line, err=True))
    else:
        market = synthetic.make_market(seed, start=begin)
        tables, begin = market.tables, market.start
    known = None
    if corporate_actions is not None:
        known = actions.load_table(corporate_actions, {table.symbol for table in tables})
    return session.make_core(tables, start=begin, actions=known, seed=seed, **own)


def read_speed(text: str) -> float:
    """Return simulated seconds a second; 0 for lockstep."""
    if text == LOCKSTEP:
        return 0.0
    try:
        factor = float(text.removesuffix("x"))
    except ValueError:
        factor = -1.0
    if not 0 < factor < float("inf"):
        raise ConfigError(f"--speed {text} is no speed", remedy="Write 60x, or lockstep")
    return factor


def ready(urls: dict[str, str], *, as_json: bool) -> str:
    """Return what is printed when clients may connect."""
    if as_json:
        return json.dumps(urls)
    return "\n".join(f"{name:20} {value}" for name, value in urls.items())
