"""Which companions a node has beside it, by its configuration."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

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


@runtime_checkable
class Prepared(Companion, Protocol):
    """A companion that takes what another process may have: an address, a socket."""

    async def prepare(self, node: LiveNode) -> None:
        """Take it, before the node has looked at anything: what is wrong ends the start then."""


@runtime_checkable
class Watcher(Companion, Protocol):
    """A companion that watches strategies as they start, too."""

    def watch(self, node: LiveNode) -> None:
        """Start, right before strategies do; `begin` follows."""


class Beside:
    """What lives beside one node, its eyes aside: begun in order, and ended the other way round."""

    def __init__(self) -> None:
        self._own: list[Companion] = []
        self._watchers: list[Watcher] = []
        self._living: list[Companion] = []

    async def prepare(self, node: LiveNode) -> None:
        """Take what companions need for themselves, while nothing has begun that could be lost."""
        self._own = own_companions(node.config)
        for companion in (*self._own, *node.companions):
            if isinstance(companion, Prepared):
                self._living.append(companion)
                await companion.prepare(node)

    def watch(self, node: LiveNode, watchers: list[Watcher]) -> None:
        """Begin what watches strategies."""
        self._watchers = watchers
        for place, watcher in enumerate(watchers):
            # They end last, though others were prepared before.
            self._living.insert(place, watcher)
            watcher.watch(node)
        for companion in node.companions:
            if isinstance(companion, Watcher):
                companion.watch(node)

    async def begin(self, node: LiveNode) -> None:
        """Begin the others, once strategies have spoken."""
        for watcher in self._watchers:
            await watcher.begin(node)
        for companion in (*self._own, *node.companions):
            if companion not in self._living:
                self._living.append(companion)
            await companion.begin(node)

    def ending(self) -> list[Companion]:
        """Return what has to end, in that order."""
        return self._living[::-1]


def eyes_of(
    config: NodeConfig,
    credentials: Credentials,
    arm: str,
    environment: Mapping[str, str] | None = None,
) -> Eyes | None:
    """Return what people see a node with; None where it keeps no state, and in lockstep."""
    folder = config.state_folder()
    if folder is None or not has_eyes(config):
        return None
    secrets = (credentials.key, credentials.reveal_secret())
    return Eyes(folder, secrets, (config.account_id, arm), environment)


def has_eyes(config: NodeConfig) -> bool:
    """Return whether people see a node of these settings by logs, page and alerts."""
    return config.state_folder() is not None and config.clock != "simulator"


def watchers_of(
    config: NodeConfig,
    credentials: Credentials,
    watchdog_command: list[str] | None,
) -> list[Watcher]:
    """Return what notices where a strategy, or the node, does not go on; nothing in lockstep."""
    folder = config.state_folder()
    if config.clock == "simulator":
        return []
    watchers: list[Watcher] = []
    if folder is not None:
        command = watchdog_command if config.watchdog else None
        watchers.append(Heart(folder, command, is_watched=config.watchdog))
    if config.handler_timeout_s:
        # Of a shadow run nothing rests at the broker that could be canceled there.
        url = "" if config.shadow else config.trading
        watchers.append(HandlerMonitor(config.handler_timeout_s, url, credentials))
    return watchers


def own_companions(config: NodeConfig) -> list[Companion]:
    """Return what else a node has beside it, its eyes aside; nothing in lockstep."""
    folder = config.state_folder()
    if config.clock == "simulator":
        return []
    own: list[Companion] = []
    if folder is not None:
        own.append(Control(folder))
    if folder is not None and config.backup_dir:
        hours, kept = config.backup_hours, config.backups_kept
        own.append(Backups(folder, Path(config.backup_dir).expanduser(), hours, kept))
    if folder is not None and config.record_market:
        own.append(Recorder(folder))
    return own
