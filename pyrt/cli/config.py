"""`pyrt config`: check a node's settings, or show them with what profile and environment add."""

from __future__ import annotations

import json

import click

from pyrt.cli import exits, options

file_argument = click.argument("config_file", metavar="NODE.toml")
profile_option = click.option("--profile", metavar="NAME", help="dev, paper or live.")
env_option = click.option(
    "--env-file", metavar="FILE", help="Lines NAME=value that the node is given."
)


@click.group()
def config() -> None:
    """Check or show a node's settings."""


@config.command()
@file_argument
@profile_option
@env_option
def check(config_file: str, profile: str | None, env_file: str | None) -> int:
    """Say whether a node would start with these settings; nothing is connected to.

    Keys and other variables are those of this shell, and of --env-file.
    """
    from pyrt.cli.starts import check_settings, check_surroundings, environment_of
    from pyrt.live.profiles import load_config

    environment = environment_of(env_file)
    settings = load_config(config_file, profile, environment)
    check_settings(settings)
    check_surroundings(settings, environment, env_file)
    limits = settings.make_limits()
    # A recording may be run on with fewer.
    missing = () if limits is None or settings.replay else limits.missing()
    for name in missing:
        click.echo(f"no limit: {name} (orders that raise exposure will be denied)")
    for code, text in settings.warnings():
        click.echo(f"{code}: {text}")
    click.echo(f"{config_file} is acceptable: {settings.mode}, {', '.join(settings.symbols)}")
    return exits.DONE if not missing else exits.FAILED


@config.command()
@file_argument
@profile_option
@env_option
@options.json_option
def show(config_file: str, profile: str | None, env_file: str | None, as_json: bool) -> int:
    """Print the settings that a node would run with, defaults included."""
    from pyrt.cli.starts import environment_of
    from pyrt.live.profiles import load_config

    settings = load_config(config_file, profile, environment_of(env_file)).to_plain()
    if as_json:
        click.echo(json.dumps(settings))
    else:
        for name, value in settings.items():
            click.echo(f"{name:20} {value!r}")
    return exits.DONE
