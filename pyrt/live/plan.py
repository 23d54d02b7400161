"""What a node is going to run, and by which policies: everything but the I/O."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pyrt.errors import ConfigError
from pyrt.live.driver.reconcile import ReconcilePolicy
from pyrt.venues.capabilities import Scope

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
DAY = 24 * 60 * MINUTE
STOPS = ("cancel_entries", "cancel_all", "flatten", "leave")
"""What becomes of orders and positions when the node stops; the first is the default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policies:
    """How the node behaves where there is a choice; durations in ns.

    Attributes
    ----------
    on_stop : str
        ``cancel_entries``: entries are canceled and protective exits stay. ``cancel_all``,
        ``flatten`` (cancel all, close all) or ``leave``.
    order_age_ns : int
        An order whose bytes could not leave within this time is dropped, and told as rejected.
    reconcile_ns : int
        Time between looks at the whole account.
    save_ns : int
        Time between saves of strategies and risk.
    stop_patience_ns : int
        How long a stop waits for answers.
    warmup : int
        Bars that indicators are fed with at least; 0 for none.
    looks : int
        Looks at the account before a difference counts: REST answers may be seconds old.
    replay_max : int
        Inputs of a run that a crash has cut off are played again, if they are no more than this;
        0 for never.
    on_replay_difference : {"halt", "alarm"}
        What becomes of a strategy that comes to other orders then.
    """

    on_stop: str = "cancel_entries"
    order_age_ns: int = 5 * SECOND
    reconcile_ns: int = MINUTE
    save_ns: int = MINUTE
    stop_patience_ns: int = 10 * SECOND
    warmup: int = 250
    looks: int = 3
    replay_max: int = 500_000
    on_replay_difference: str = "halt"
    reconcile: ReconcilePolicy = field(default_factory=ReconcilePolicy)

    def __post_init__(self) -> None:
        if self.on_stop not in STOPS:
            raise ConfigError(f"on_stop is {self.on_stop!r}; expected one of {', '.join(STOPS)}")
        if self.on_replay_difference not in ("halt", "alarm"):
            raise ConfigError(
                f"on_replay_difference is {self.on_replay_difference!r}; expected halt or alarm"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One run.

    Attributes
    ----------
    run_id : str
        Fresh at every start.
    account_id : str
        The account that the broker has to state; "" for any.
    arm : str
        The account number that somebody has typed to arm it for real money; "" else.
    config : dict
        Plain values of the configuration, for the record; no secret is in it.
    source : str
        Where the strategies come from, such as ``cross.py:SmaCross``.
    grace_ns : int
        How long an aggregated bar waits for late data.
    venue : str
        Whose capabilities decide what is emulated.
    emulate : {"missing", "all", "none"}
        How much of what it lacks; see `pyrt.venues.capabilities.capabilities_of`.
    account : str or mapping, optional
        How the account is judged, where not as the broker says; see `rules_in_force`.
    assumed : tuple of str
        Symbols of which the broker has not said how they trade.
    checks_clock : bool
        Tell of a difference between the broker's clock and ours.
    sessions : callable, optional
        Calendar name → (opens, closes) of its sessions, or None where there are none.
    """

    run_id: str
    prefix: str
    mode: str = "paper"
    account_id: str = ""
    arm: str = ""
    version: str = ""
    config: dict[str, Any] = field(default_factory=dict)
    default_tif: dict[str, str] = field(default_factory=dict)
    source: str = ""
    grace_ns: int = 0
    venue: str = "alpaca"
    emulate: Scope = "missing"
    sessions: Callable[[str], Any] | None = None
    account: Any = None
    assumed: tuple[str, ...] = ()
    checks_clock: bool = False
    policies: Policies = field(default_factory=Policies)
