"""What keeps `pyrt live` from starting with some settings, found by what a start is made with."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyrt.links.companion import LinkCompanion
    from pyrt.live.config import NodeConfig


def environment_of(env_file: str | None) -> dict[str, str]:
    """Return the variables of this process, and those of a service's file over them."""
    from pyrt.adapters.alpaca.credentials import read_env_file

    return {**os.environ, **({} if env_file is None else read_env_file(Path(env_file)))}


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
    from pyrt.adapters.alpaca.credentials import read_credentials
    from pyrt.adapters.alpaca.node.beside import has_eyes
    from pyrt.live.journal.files import RealFiles
    from pyrt.live.observe.redaction import Redactor
    from pyrt.live.observe.targets import make_senders

    keys = read_credentials(
        environment, env_file=env_file or settings.env_file or None, keyring=settings.keyring
    )
    settings.check_key(is_live=keys.is_live)
    if has_eyes(settings):
        make_senders(settings.alerts, Redactor(()), environment)
    folder = settings.state_folder()
    if folder is not None and folder.exists():
        RealFiles(folder)
