"""What venues can do with an order by themselves; what one lacks is emulated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from pyrt.errors import ConfigError

__all__ = ["ALPACA", "EVERYTHING", "SCOPES", "Capabilities", "Scope", "capabilities_of"]

ORDER_TYPES = frozenset(
    {
        *("market", "limit", "stop", "stop_limit", "trailing_stop", "trailing_stop_limit"),
        *("market_if_touched", "limit_if_touched", "market_to_limit"),
    }
)
TIMES_IN_FORCE = frozenset({"day", "gtc", "gtd", "ioc", "fok", "opg", "cls"})
GROUPS = frozenset({"oto", "oco", "bracket", "pair"})
INSTRUCTIONS = frozenset({"post_only", "reduce_only", "iceberg"})

Scope = Literal["missing", "all", "none"]
SCOPES = ("missing", "all", "none")


def _checked(name: str, given: Iterable[str], known: frozenset[str]) -> frozenset[str]:
    found = frozenset(given)
    if not found <= known:
        raise ConfigError(
            f"{name} has {sorted(found - known)[0]!r}",
            remedy=f"It takes: {', '.join(sorted(known))}",
        )
    return found


@dataclass(frozen=True, kw_only=True)
class Capabilities:
    """What a venue does natively.

    Attributes
    ----------
    order_types, times_in_force : frozenset of str
        By the names orders have in results.
    groups : frozenset of str
        ``"oto"``, ``"oco"``, ``"bracket"``: exits that the venue holds for an order, or for what
        is held. ``"pair"``: any two orders of which a fill of one takes from the other.
    exit_types : frozenset of str
        Of orders that the venue holds as exits.
    instructions : frozenset of str
        ``"post_only"``, ``"reduce_only"``, ``"iceberg"``.
    flips : bool
        Whether an order, and all that work together, may take a position across zero. Where they
        may not, exits that rest keep what they are for from other orders.
    fractional_shorts : bool
        Whether fractions of a unit can be sold short.
    """

    order_types: frozenset[str] = ORDER_TYPES
    times_in_force: frozenset[str] = TIMES_IN_FORCE
    groups: frozenset[str] = GROUPS
    exit_types: frozenset[str] = ORDER_TYPES
    instructions: frozenset[str] = INSTRUCTIONS
    flips: bool = True
    fractional_shorts: bool = True

    def __post_init__(self) -> None:
        for name, known in (
            ("order_types", ORDER_TYPES),
            ("times_in_force", TIMES_IN_FORCE),
            ("groups", GROUPS),
            ("exit_types", ORDER_TYPES),
            ("instructions", INSTRUCTIONS),
        ):
            object.__setattr__(self, name, _checked(name, getattr(self, name), known))
        if not {"market", "limit"} <= self.order_types:
            raise ConfigError("a venue without market and limit orders cannot be traded on")

    def describe(self) -> str:
        """Return what is lacking, in words that stay the same."""
        lacking = {
            *(ORDER_TYPES - self.order_types),
            *(TIMES_IN_FORCE - self.times_in_force),
            *(GROUPS - self.groups),
            *(f"{name} exits" for name in ORDER_TYPES - self.exit_types),
            *(INSTRUCTIONS - self.instructions),
            *(() if self.flips else ("flips",)),
            *(() if self.fractional_shorts else ("fractional shorts",)),
        }
        return f"without {', '.join(sorted(lacking))}" if lacking else "everything"

    @property
    def is_everything(self) -> bool:
        """Whether nothing is left to emulate."""
        return self == EVERYTHING


EVERYTHING = Capabilities()
"""A venue that needs no emulation, as the simulated one is."""

_EQUITY_TYPES = frozenset({"market", "limit", "stop", "stop_limit", "trailing_stop"})
_EXIT_TYPES = frozenset({"limit", "stop", "stop_limit"})
_ALPACA_TIMES = frozenset({"day", "gtc", "ioc", "fok", "opg", "cls"})

ALPACA: Mapping[str, Capabilities] = {
    "equity": Capabilities(
        order_types=_EQUITY_TYPES,
        times_in_force=_ALPACA_TIMES,
        groups=frozenset({"oto", "oco", "bracket"}),
        exit_types=_EXIT_TYPES,
        instructions=frozenset(),
        flips=False,
        fractional_shorts=False,
    ),
    "crypto": Capabilities(
        order_types=frozenset({"market", "limit", "stop_limit"}),
        times_in_force=frozenset({"gtc", "ioc"}),
        groups=frozenset(),
        instructions=frozenset(),
        flips=False,
    ),
}
"""Alpaca's, by kind of instrument."""


def capabilities_of(venue: str, scope: Scope = "missing") -> Mapping[str, Capabilities]:
    """Return what a venue does natively, by kind of instrument; key "" serves all other kinds.

    Parameters
    ----------
    venue : {"sim", "alpaca"}
    scope : {"missing", "all", "none"}
        What is to be emulated: what the venue knows for no kind of instrument; also what it knows
        for other kinds only (stops on coins); nothing.

    Raises
    ------
    ConfigError
        If the scope has another name.
    """
    if scope not in SCOPES:
        raise ConfigError(f"emulate is {scope!r}; expected one of {', '.join(SCOPES)}")
    if venue != "alpaca" or scope == "none":
        return {"": EVERYTHING}
    if scope == "all":
        return {**ALPACA, "": ALPACA["equity"]}
    return {"": ALPACA["equity"]}
