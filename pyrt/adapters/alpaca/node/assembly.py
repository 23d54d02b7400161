"""What a node is made of, by its configuration: plan, limits, journal and fees."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import msgspec
from msgspec import structs

from pyrt import __version__
from pyrt.adapters.alpaca.account.reading import Reader
from pyrt.adapters.alpaca.account.reference import Reference
from pyrt.adapters.alpaca.core.doubt import OrderPathPolicy
from pyrt.adapters.alpaca.core.rest import HttpRequest
from pyrt.adapters.alpaca.core.stamps import text_ns
from pyrt.adapters.alpaca.shell.http import Http
from pyrt.backtest.fees import fee_model
from pyrt.core.instruments import Instrument, listed
from pyrt.core.ports import FeeModel
from pyrt.errors import ConnectionLost, PyrtError
from pyrt.kernel.subscriptions import GRACE_NS
from pyrt.live.calendars import sessions_around
from pyrt.live.config import LIVE_TRADING, PAPER_TRADING, NodeConfig
from pyrt.live.journal.files import NoFiles, RealFiles
from pyrt.live.journal.journal import Journal
from pyrt.live.plan import Plan
from pyrt.risk.engine import RiskEngine

DEFAULT_TIF = {"": "day", "equity": "day", "crypto": "gtc"}
NEVER_LOST = OrderPathPolicy(lost_ns=1 << 62)
"""Time alone is no evidence: what a submit has come to is decided by reconciliation."""


def name_of_run(config: NodeConfig) -> str:
    """Return a name that no run has had: the broker knows the orders of those before by theirs."""
    if config.run_id and config.clock == "simulator":
        # There a day is repeated to the letter.
        return config.run_id
    return "-".join(part for part in (config.run_id, uuid4().hex[:12]) if part)


def make_plan(
    config: NodeConfig,
    run_id: str,
    prefix: str,
    *,
    now: int | None = None,
    source: str = "",
    arm: str = "",
    assumed: tuple[str, ...] = (),
) -> Plan:
    """Return what is going to run, and by which policies.

    `now` is the node's time, ns UTC; without it there are no sessions.
    """
    return Plan(
        run_id=run_id,
        prefix=prefix,
        mode="shadow" if config.shadow else config.mode,
        # The simulated venue has an account of its own.
        account_id="" if config.shadow else config.account_id,
        version=__version__,
        config=config.to_plain(),
        default_tif=DEFAULT_TIF,
        source=source,
        arm=arm,
        assumed=assumed,
        policies=config.policies(),
        emulate=config.emulate,
        account=config.account or None,
        grace_ns=GRACE_NS if config.clock == "wall" else 0,
        sessions=None if now is None else sessions_around(now),
        checks_clock=not config.is_rehearsal,
    )


def make_gate(config: NodeConfig) -> RiskEngine:
    """Return the risk gate with the configuration's limits; they are there, or it is an error."""
    config.check_limits()
    limits = config.make_limits()
    if limits is not None and not config.is_rehearsal:
        # An order for a closed session says so itself: queue=True.
        limits = limits.replace(require_open_session=True)
    return RiskEngine(limits, strict=limits is not None)


def open_journal(config: NodeConfig, folder: Path | None) -> Journal:
    """Return the journal of a state folder, or one that keeps nothing."""
    if folder is None:
        return Journal(NoFiles())
    journal = Journal(RealFiles(folder))
    journal.drop_tapes(config.tapes_kept)
    return journal


def in_the_shadow(config: NodeConfig, run_id: str) -> NodeConfig:
    """Return the settings of a shadow run: a folder and links of its own, no watchdog."""
    folder = config.state_folder()
    own = "" if folder is None else str(folder / "shadow" / run_id)
    links = {"publish": _beside(config.publish), "signals": _beside(config.signals)}
    return structs.replace(config, state_dir=own, watchdog=False, **links)


def _beside(address: str) -> str:
    """Return an address beside the one of the node that trades; "" where there is no such thing."""
    return f"{address}.shadow" if address.startswith("ipc://") else ""


async def own_time(config: NodeConfig, http: Http) -> int | None:
    """Return the node's time before it runs, ns UTC; None where the market has another one.

    A simulator that is not followed in lockstep may be at any day: a node beside it lives by this
    machine's clock, and no table of sessions is right for both.
    """
    if config.clock == "simulator":
        return await broker_time(http)
    return None if config.is_rehearsal else time.time_ns()


async def broker_time(http: Http) -> int:
    """Return the broker's time, ns UTC.

    Raises
    ------
    ConnectionLost
        If it does not say: a simulator of another day trades nothing at the time of this machine.
    """
    answer = await Reader(http.send).read(HttpRequest("GET", "/v2/clock", b""))
    try:
        return text_ns(str(msgspec.json.decode(answer.body)["timestamp"]))
    except (msgspec.DecodeError, KeyError, ValueError) as error:
        raise ConnectionLost(f"the broker's clock makes no sense: {error}") from error


def fees_of(config: NodeConfig) -> str:
    """Return the name of the fees that fills are taken to cost."""
    if config.fees:
        return config.fees
    is_paper = config.mode == "paper" and config.clock == "wall"
    return "alpaca_paper" if is_paper else "alpaca"


def make_fees(config: NodeConfig) -> FeeModel:
    """Return what fills are taken to cost; ConfigError where the name means nothing."""
    model: FeeModel = fee_model(fees_of(config))
    return model


class Listing(NamedTuple):
    """Instruments, and the symbols of those that are as usual because the broker has not said."""

    instruments: list[Instrument]
    assumed: tuple[str, ...]


async def look_up(config: NodeConfig, http: Http) -> Listing:
    """Return the instruments as the broker describes them; as listed where it does not."""
    reference = Reference(Reader(http.send), _reference_folder(config))
    found, assumed = list[Instrument](), list[str]()
    is_lost = False
    for symbol in config.symbols:
        try:
            if not is_lost:
                found.extend(await reference.instruments([symbol]))
                continue
        except (PyrtError, msgspec.DecodeError) as error:
            # Nor would it answer to the next one.
            is_lost = isinstance(error, ConnectionLost)
        found.append(listed(symbol))
        assumed.append(symbol)
    return Listing(found, tuple(assumed))


def _reference_folder(config: NodeConfig) -> Path | None:
    """Return where the broker's reference data are kept; of a rehearsal's nothing is.

    Nor where there is no home, as of a number that no user has.
    """
    if config.state_folder() is None or config.trading not in (PAPER_TRADING, LIVE_TRADING):
        return None
    try:
        base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    except RuntimeError:
        return None
    return Path(base) / "pyrt" / f"alpaca-{config.mode}"
