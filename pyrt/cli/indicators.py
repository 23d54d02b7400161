"""`pyrt indicators`: what there is to attach, and how each is made."""

from __future__ import annotations

import inspect
import json
from typing import Any

import click

from pyrt.cli import options
from pyrt.data.suggest import did_you_mean
from pyrt.errors import UnknownName


@click.command()
@click.argument("name", required=False)
@options.json_option
def indicators(name: str | None, as_json: bool) -> None:
    """List the indicators by family, or show how NAME is made and what it computes."""
    from pyrt.indicators.names import FAMILIES, MODULES

    if name is None:
        _show_all(FAMILIES, as_json)
        return
    found = next((known for known in MODULES if known.casefold() == name.casefold()), None)
    if found is None:
        raise UnknownName(f"there is no indicator {name!r}", remedy=did_you_mean(name, MODULES))
    _show_one(found, MODULES[found], as_json)


def _show_all(families: dict[str, tuple[str, ...]], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({family: list(names) for family, names in families.items()}))
        return
    for family, names in families.items():
        click.echo(f"{family}:")
        click.echo(click.wrap_text(", ".join(names), 80, "  ", "  "))
    click.echo("\n`pyrt indicators NAME` shows one of them.")


def _show_one(name: str, family: str, as_json: bool) -> None:
    from pyrt import indicators as package

    indicator: Any = getattr(package, name)
    text = inspect.getdoc(indicator) or ""
    if as_json:
        click.echo(json.dumps({"name": name, "family": family, "doc": text}))
    else:
        click.echo(f"pyrt.indicators.{name} ({family})\n\n{text}")
