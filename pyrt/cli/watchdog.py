"""`pyrt watchdog`: cancels all orders when the node does not live any more."""

from __future__ import annotations

import time

import click

from pyrt.cli import exits

EPILOG = """\b
A node that has stopped in order is left alone, and the watchdog ends with it. One that is killed,
hangs or is frozen for --silence seconds has all its account's orders canceled.
"""


@click.command(epilog=EPILOG)
@click.option("--config", "config_file", required=True, metavar="NODE.toml", help="The node's.")
@click.option("--env-file", metavar="FILE", help="Lines NAME=value with the keys.")
@click.option("--profile", metavar="NAME", help="dev, paper or live; as the node's.")
@click.option("--silence", type=float, default=15.0, show_default=True, metavar="SECONDS")
@click.option("--forever", is_flag=True, help="Stay when the node has stopped in order.")
def watchdog(
    config_file: str, env_file: str | None, profile: str | None, silence: float, forever: bool
) -> int:
    """Watch the node of NODE.toml; cancel everything when it is dead."""
    from pyrt.adapters.alpaca.account.canceling import cancel_everything
    from pyrt.adapters.alpaca.credentials import read_credentials
    from pyrt.errors import ConfigError
    from pyrt.live.process.heartbeat import NODE_BEAT, WATCHDOG_BEAT, Watch, read_beat, write_beat
    from pyrt.live.process.lock import lock_watch
    from pyrt.live.profiles import load_config

    if not 1.0 <= silence <= 3600.0:
        raise ConfigError(
            f"silence is {silence:g} s; expected 1 to 3600", remedy="A node beats once a second"
        )
    config = load_config(config_file, profile)
    folder = config.state_folder()
    if folder is None:
        raise ConfigError("the node keeps no state", remedy="Give it a state_dir")
    credentials = read_credentials(env_file=env_file or config.env_file or None)
    watch = Watch(int(silence * 1e9))
    while not folder.is_dir():
        # No node has run here yet.
        time.sleep(1.0)
    lock_watch(folder)
    while True:
        write_beat(folder, WATCHDOG_BEAT)
        beat = read_beat(folder, NODE_BEAT)
        if beat is not None and beat.phase == "stopped" and not forever:
            return exits.DONE
        if watch.is_dead(beat, time.monotonic_ns()):
            assert beat is not None
            click.echo(f"node {beat.pid} is silent: canceling all orders", err=True)
            problem = cancel_everything(config.trading, credentials)
            if problem:
                click.echo(f"orders could not be canceled: {problem}", err=True)
            else:
                click.echo("all orders are canceled", err=True)
                watch.acted(beat)
        time.sleep(min(1.0, silence / 5))
