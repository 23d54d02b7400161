"""`pyrt indicators`: what there is to attach, and how each is made."""

from __future__ import annotations

import inspect
import json
from dataclasses import asdict
from itertools import groupby
from typing import TYPE_CHECKING

import click

from pyrt.cli import options
from pyrt.core.suggest import did_you_mean
from pyrt.errors import UnknownName

if TYPE_CHECKING:
    from pyrt.indicators.catalog import Entry


@click.command()
@click.argument("name", required=False)
@options.json_option
def indicators(name: str | None, as_json: bool) -> None:
    """List the indicators by family, or show how NAME is made and what it computes."""
    from pyrt.indicators.catalog import catalog

    entries = catalog()
    if name is None:
        shown = json.dumps([asdict(entry) for entry in entries]) if as_json else _list(entries)
        click.echo(shown)
        return
    by_name = {entry.name.casefold(): entry for entry in entries}
    found = by_name.get(name.casefold())
    if found is None:
        names = [entry.name for entry in entries]
        raise UnknownName(f"there is no indicator {name!r}", remedy=did_you_mean(name, names))
    click.echo(json.dumps(asdict(found)) if as_json else _page(found))


def _list(entries: list[Entry]) -> str:
    lines = []
    for family, members in groupby(entries, key=lambda entry: entry.family):
        lines.append(f"{family}:")
        lines += [f"  {_call(entry)}\n      {entry.summary}" for entry in members]
    return "\n".join([*lines, "", "`pyrt indicators NAME` shows one of them."])


def _call(entry: Entry) -> str:
    arguments = ", ".join(f"{name}={value!r}" for name, value in entry.parameters.items())
    return f"{entry.name}({arguments})"


def _page(entry: Entry) -> str:
    import pyrt.indicators

    text = inspect.getdoc(getattr(pyrt.indicators, entry.name)) or entry.summary
    return (
        f"{_call(entry)}\n"
        f"takes {', '.join(entry.inputs)}; gives {', '.join(entry.outputs)}; "
        f"warm-up {entry.lookback} rows by default\n\n{text}"
    )
