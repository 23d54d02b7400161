"""Which companions a node has beside it, by its configuration."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from pyrt.adapters.alpaca.credentials import Credentials
from pyrt.adapters.alpaca.node.companions import Backups, Control, HandlerMonitor, Heart
from pyrt.adapters.alpaca.node.eyes import Eyes
from pyrt.adapters.alpaca.node.recorder import Recorder
from pyrt.live.config import NodeConfig

if TYPE_CHECKING:
    from pyrt.adapters.alpaca.node.live import LiveNode


class Companion(Protocol):
    """Something that lives as long as a node runs: a control interface, a watch, a page."""

    async def begin(self, node: LiveNode) -> None:
        """Start, once strategies have started."""

    async def end(self) -> None:
        """Stop; also where `begin` was never called."""


def eyes_of(config: NodeConfig, credentials: Credentials, arm: str) -> Eyes | None:
    """Return what people see a node with; None where it keeps no state, and in lockstep."""
    folder = config.state_folder()
    if folder is None or config.clock == "simulator":
        return None
    secrets = (credentials.key, credentials.reveal_secret())
    return Eyes(folder, secrets, (config.account_id, arm))


def own_companions(
    config: NodeConfig,
    credentials: Credentials,
    watchdog_command: list[str] | None,
) -> list[Companion]:
    """Return what a node has beside it, its eyes aside; nothing in lockstep."""
    folder = config.state_folder()
    if config.clock == "simulator":
        return []
    own: list[Companion] = []
    if folder is not None:
        own.append(Control(folder))
        command = watchdog_command if config.watchdog else None
        own.append(Heart(folder, command, is_watched=config.watchdog))
    if folder is not None and config.backup_dir:
        hours, kept = config.backup_hours, config.backups_kept
        own.append(Backups(folder, Path(config.backup_dir).expanduser(), hours, kept))
    if folder is not None and config.record_market:
        own.append(Recorder(folder))
    if config.handler_timeout_s:
        # Of a shadow run nothing rests at the broker that could be canceled there.
        url = "" if config.shadow else config.trading
        own.append(HandlerMonitor(config.handler_timeout_s, url, credentials))
    return own
