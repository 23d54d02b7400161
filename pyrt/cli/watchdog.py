"""`pyrt watchdog`: cancels all orders when the node does not live any more."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import click

from pyrt.cli import exits

if TYPE_CHECKING:
    from pyrt.live.observe.alerts import Alerter
    from pyrt.live.observe.targets import AlertTarget
    from pyrt.live.process.heartbeat import Beat

LOG = logging.getLogger("pyrt.live.watchdog")
CANCEL_S = 60.0
"""An attempt to cancel that takes longer hangs, and so does the watchdog."""
KEYS_NS = 600_000_000_000
"""Between looks whether the broker takes the keys: a watchdog keeps those that it started with."""
EPILOG = """\b
A node that has stopped in order is left alone, and the watchdog ends with it; started before a
node, it waits for one. One that is killed, hangs or is frozen for --silence seconds has all its
account's orders canceled, and those whom [[alerts]] of the settings name are told.
"""


@click.command(epilog=EPILOG)
@click.option("--config", "config_file", required=True, metavar="NODE.toml", help="The node's.")
@click.option("--env-file", metavar="FILE", help="Lines NAME=value that the node is given.")
@click.option("--profile", metavar="NAME", help="dev, paper or live; as the node's.")
@click.option("--silence", type=float, default=15.0, show_default=True, metavar="SECONDS")
@click.option("--forever", is_flag=True, help="Stay when the node has stopped in order.")
@click.option("--run", "run_id", default="", hidden=True, help="Leave with this run.")
def watchdog(
    config_file: str,
    env_file: str | None,
    profile: str | None,
    silence: float,
    forever: bool,
    run_id: str,
) -> int:
    """Watch the node of NODE.toml; cancel everything when it is dead."""
    from pyrt.adapters.alpaca.account.canceling import cancel_everything, refused_keys
    from pyrt.cli.starts import environment_of, keys_of
    from pyrt.errors import ConfigError
    from pyrt.live.process.heartbeat import (
        NODE_BEAT,
        WATCHDOG_BEAT,
        Watch,
        beating,
        read_beat,
        write_beat,
    )
    from pyrt.live.process.lock import lock_watch
    from pyrt.live.profiles import load_config

    if not 1.0 <= silence <= 3600.0:
        raise ConfigError(
            f"silence is {silence:g} s; expected 1 to 3600", remedy="A node beats once a second"
        )
    environment = environment_of(env_file)
    config = load_config(config_file, profile, environment)
    folder = config.state_folder()
    if folder is None:
        raise ConfigError("the node keeps no state", remedy="Give it a state_dir")
    credentials = keys_of(config, environment, env_file)
    voice = _voice(config.alerts, environment)
    watch = Watch(int(silence * 1e9), run_id=run_id)
    last = read_beat(folder, NODE_BEAT)
    if not run_id and (last is None or last.phase == "stopped"):
        LOG.warning("no node runs in %s yet: the watchdog waits for one", folder)
    while not folder.is_dir():
        # No node has run here yet.
        time.sleep(1.0)
    lock_watch(folder)
    told: Beat | None = None
    keys_at = 0
    while True:
        try:
            write_beat(folder, WATCHDOG_BEAT)
        except OSError as error:
            # It watches all the same, and the node tells that it does not hear of it.
            voice.send("critical", "watchdog_lost", f"the watchdog's beat: {error.strerror}")
        beat = read_beat(folder, NODE_BEAT)
        if watch.is_over(beat) and not forever:
            voice.close()
            # A node that starts right away is not to take this one for alive.
            (folder / WATCHDOG_BEAT).unlink(missing_ok=True)
            return exits.DONE
        if watch.is_dead(beat, time.monotonic_ns()):
            assert beat is not None
            if told != beat:
                # Whoever is told first can look while the broker is asked.
                text = f"node {beat.pid} has been silent for {silence:g} s: canceling all orders"
                voice.send("critical", "node_silent", text)
                told = beat
            # One attempt a turn, which looks whether it has worked, and may take half a minute: a
            # node that comes back meanwhile is not to miss its watchdog.
            with beating(folder, WATCHDOG_BEAT, CANCEL_S):
                problem = cancel_everything(config.trading, credentials, attempts=1)
            if problem:
                text = f"orders of node {beat.pid} are not canceled yet: {problem}"
                voice.send("critical", "cancel_failed", text)
            else:
                voice.send("critical", "node_silent", f"all orders of node {beat.pid} are canceled")
                watch.acted(beat)
        elif beat is not None and beat.phase == "running" and time.monotonic_ns() >= keys_at:
            keys_at = time.monotonic_ns() + KEYS_NS
            with beating(folder, WATCHDOG_BEAT, CANCEL_S):
                refusal = refused_keys(config.trading, credentials)
            if refusal:
                text = (
                    f"the broker refuses the watchdog's keys ({refusal}): it could cancel nothing"
                )
                voice.send("critical", "watchdog_lost", f"{text}; start it again with new ones")
        time.sleep(min(1.0, silence / 5))


def _voice(targets: Sequence[AlertTarget], environment: Mapping[str, str]) -> Alerter:
    """Return what tells people, on the standard error and every way that the settings name."""
    from pyrt.errors import ConfigError
    from pyrt.live.observe.alerts import Alerter
    from pyrt.live.observe.redaction import Redactor
    from pyrt.live.observe.targets import make_senders

    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    try:
        senders = make_senders(targets, Redactor(()), environment)
    except ConfigError as error:
        # To watch is worth more than to be heard.
        click.echo(f"nobody can be told: {error}", err=True)
        senders = []
    return Alerter(senders).start()
