"""`pyrt simulator`: a local exchange that speaks Alpaca's protocol."""

from __future__ import annotations

import json
from typing import Any

import click

from pyrt.cli import options
from pyrt.cli.tables import data_of
from pyrt.errors import ConfigError, DataError, MissingExtra

LOCKSTEP = "lockstep"


@click.command()
@options.data_options
@click.option("--start", metavar="TIME", help="Begin with the bars from this time on.")
@click.option(
    "--speed", default="1x", show_default=True, help="Such as 60x; lockstep to advance on request."
)
@click.option("--port", default=8900, show_default=True, help="On 127.0.0.1; 0 for a free one.")
@click.option("--cash", default="100000", show_default=True, help="Dollars at the start.")
@options.json_option
def simulator(
    data: tuple[str, ...],
    start: str | None,
    speed: str,
    port: int,
    cash: str,
    as_json: bool,
    **given: Any,
) -> None:
    """Serve recorded bars as a paper exchange for any Alpaca client, on loopback.

    Prints the URLs and keys to set once it is ready; Ctrl-C ends it.
    """
    from pyrt.adapters.alpaca.simulator.server import SimulatorServer
    from pyrt.adapters.alpaca.simulator.session import cut_before, make_core
    from pyrt.core.times import timestamp_ns
    from pyrt.data import load
    from pyrt.data.columns import BarColumns

    factor = read_speed(speed)
    chosen = {name: value for name, value in given.items() if value not in (None, ())}
    tables = [c for c in load(data_of(data), **chosen).columns if isinstance(c, BarColumns)]
    if start is not None:
        tables = [cut_before(columns, timestamp_ns(start)) for columns in tables]
    if not any(len(columns) for columns in tables):
        raise DataError("there are no bars to serve", remedy="See `pyrt data check PATH`")
    server = SimulatorServer(make_core(tables, cash=cash), speed=factor)
    try:
        from pyrt.adapters.alpaca.simulator.serving import serve
    except ImportError as error:
        raise MissingExtra(
            "the simulator needs starlette and uvicorn", remedy="Run: pip install 'pyrt[ops]'"
        ) from error
    serve(server, port, lambda urls: click.echo(ready(urls, as_json=as_json)))


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
