"""What keeps `pyrt live` from starting with some settings, found by what a start is made with."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyrt.adapters.alpaca.credentials import Credentials
    from pyrt.links.companion import LinkCompanion
    from pyrt.live.config import NodeConfig


def environment_of(env_file: str | None) -> dict[str, str]:
    """Return the variables of this process, and those of a service's file over them."""
    from pyrt.adapters.alpaca.credentials import read_env_file

    return {**os.environ, **({} if env_file is None else read_env_file(Path(env_file)))}


def keys_of(
    settings: NodeConfig, environment: Mapping[str, str], env_file: str | None = None
) -> Credentials:
    """Return the keys that a node of these settings has; those in a given file come first.

    A service's file may hold other variables only, and the settings name where the keys are.

    Raises
    ------
    ConfigError
        If there are none, or they are of the other world than the settings.
    """
    from pyrt.adapters.alpaca.credentials import NAMES, read_credentials, read_env_file

    given = {} if env_file is None else read_env_file(Path(env_file))
    has_keys = any(given.get(name) for pair in NAMES for name in pair)
    file = env_file if has_keys else settings.env_file or None
    keys = read_credentials(environment, env_file=file, keyring=settings.keyring)
    settings.check_key(is_live=keys.is_live)
    return keys


def links_of(settings: NodeConfig) -> LinkCompanion | None:
    """Return a node's links to other processes; None where it has none."""
    if not (settings.publish or settings.signals):
        return None
    from pyrt.links.companion import LinkCompanion

    return LinkCompanion(settings.publish, settings.publish_topics, settings.signals)


def check_settings(settings: NodeConfig) -> None:
    """Refuse what a start refuses of the settings themselves.

    Raises
    ------
    PyrtError
        As the start does.
    """
    if settings.replay:
        from pyrt.cli.replayed import engine_of

        engine_of(settings)
        return
    from pyrt.adapters.alpaca.node.assembly import make_fees

    settings.check_limits()
    make_fees(settings)
    links_of(settings)


def check_surroundings(
    settings: NodeConfig, environment: Mapping[str, str], env_file: str | None = None
) -> None:
    """Refuse what a start refuses of keys, secrets of alerts and the state folder.

    Raises
    ------
    PyrtError
        As the start does.
    """
    if settings.replay:
        return
    from pyrt.adapters.alpaca.node.beside import has_eyes
    from pyrt.live.journal.files import RealFiles
    from pyrt.live.observe.redaction import Redactor
    from pyrt.live.observe.targets import make_senders

    keys_of(settings, environment, env_file)
    if has_eyes(settings):
        make_senders(settings.alerts, Redactor(()), environment)
    folder = settings.state_folder()
    if folder is not None and folder.exists():
        RealFiles(folder)
