"""`pyrt config`: check a node's settings, or show them with what profile and environment add."""

from __future__ import annotations

import json

import click

from pyrt.cli import exits, options

file_argument = click.argument("config_file", metavar="NODE.toml")
profile_option = click.option("--profile", metavar="NAME", help="dev, paper or live.")


@click.group()
def config() -> None:
    """Check or show a node's settings."""


@config.command()
@file_argument
@profile_option
def check(config_file: str, profile: str | None) -> int:
    """Say whether a node would start with these settings; nothing is connected to."""
    from pyrt.live.profiles import load_config

    settings = load_config(config_file, profile)
    settings.check_limits()
    limits = settings.make_limits()
    missing = () if limits is None else limits.missing()
    for name in missing:
        click.echo(f"no limit: {name} (orders that raise exposure will be denied)")
    for code, text in settings.warnings():
        click.echo(f"{code}: {text}")
    click.echo(f"{config_file} is acceptable: {settings.mode}, {', '.join(settings.symbols)}")
    return exits.DONE if not missing else exits.FAILED


@config.command()
@file_argument
@profile_option
@options.json_option
def show(config_file: str, profile: str | None, as_json: bool) -> int:
    """Print the settings that a node would run with, defaults included."""
    from pyrt.live.profiles import load_config

    settings = load_config(config_file, profile).to_plain()
    if as_json:
        click.echo(json.dumps(settings))
    else:
        for name, value in settings.items():
            click.echo(f"{name:20} {value!r}")
    return exits.DONE
