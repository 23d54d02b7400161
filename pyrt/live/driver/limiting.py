"""What a person changes of a running node's limits: by name, with a reason, and confirmed."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from pyrt.errors import ConfigError
from pyrt.live.core.limit_changes import changed, loosens
from pyrt.live.driver.figures import DailyFigures
from pyrt.live.driver.run import Run

RAISE = "RAISE"
"""The word that what could let more through needs typed."""
FIGURED = ("max_adv_share", "adv_sessions", "max_position_loss_atr", "atr_sessions")
"""Limits that are judged by what the broker's daily bars say."""
ALL = Decimal(1)
UNTIL = "write it into the settings too, which count from the next start on"


class Limiting:
    """Changes limits and the ramp by the gate's own audited calls.

    Parameters
    ----------
    run : Run
    figures : DailyFigures
    """

    def __init__(self, run: Run, figures: DailyFigures) -> None:
        self._run = run
        self._figures = figures

    def set_limit(
        self, name: str, value: str, actor: str, reason: str, *, symbol: str = "", typed: str = ""
    ) -> str:
        """Change one limit, of all or of one symbol; return in words what was done.

        A ramp stays where it was: the gate begins one anew with new limits.

        Raises
        ------
        ConfigError
            If the node does not run, has no limits, or there is no such limit or value; and if it
            could let more through and its word is not typed. Nothing is changed then.
        UnknownName
            If there is no such symbol here.
        """
        gate = self._gate()
        if symbol:
            # Limits go by the instrument's id.
            symbol = self._run.live_core.kernel.cache.instrument(symbol).id
        before, share = gate.limits, gate.ramp_share
        after = changed(before, name, value, symbol)
        if loosens(before, after, name, symbol):
            _check_typed(f"{name} {value}", typed)
        if after == before:
            return f"{name} is {value} already"
        gate.set_limits(after, actor, reason)
        was, ramp = (ALL if each is None else each for each in (share, gate.ramp_share))
        # A beginning that is itself changed may be lower.
        if was < ramp or (was > ramp and name != "ramp_start"):
            gate.set_ramp(was, actor, f"where it was: {reason}"[:500])
        self._run.scribe.save_risk()
        if name in FIGURED:
            self._figures.ask(int(self._run.live_core.kernel.clock.timestamp_ns))
        old = before.of(symbol, name) if symbol else getattr(before, name)
        new = after.of(symbol, name) if symbol else getattr(after, name)
        where = f" of {symbol}" if symbol else ""
        return f"{name}{where} is {_text(new)}, and was {_text(old)}; {UNTIL}"

    def set_ramp(self, value: str, actor: str, reason: str, *, typed: str = "") -> str:
        """Set the share of sizes and exposures that applies; return in words what was done.

        Raises
        ------
        ConfigError
            If the node does not run, has no limits, or it is no share from 0 to 1; and if more than
            now could go through and its word is not typed. Nothing is changed then.
        """
        gate = self._gate()
        before = ALL if gate.ramp_share is None else gate.ramp_share
        after = _share(value)
        if after > before:
            _check_typed(f"a ramp at {value}", typed)
        gate.set_ramp(after, actor, reason)
        self._run.scribe.save_risk()
        return f"{after:f} of all sizes and exposures may be used, and {before:f} could"

    def _gate(self) -> Any:
        run = self._run
        if run.core is None:
            raise ConfigError("the node has not started yet", code="not_running")
        gate = run.live_core.kernel.gate
        if not hasattr(gate, "set_limits"):
            raise ConfigError("this node has no limits", code="no_limits")
        return gate


def _check_typed(what: str, typed: str) -> None:
    if typed != RAISE:
        raise ConfigError(
            f"{what} could let more through: that needs the word {RAISE} typed",
            code="confirmation",
            remedy=f"Add --typed {RAISE}" if not typed else "",
        )


def _share(text: str) -> Decimal:
    try:
        share = Decimal(text)
    except ArithmeticError:
        share = Decimal("NaN")
    if not (share.is_finite() and 0 <= share <= 1):
        raise ConfigError(f"the share is {text!r}; expected a number from 0 to 1")
    return share


def _text(value: Any) -> str:
    return f"{value:f}" if isinstance(value, Decimal) else "none" if value is None else str(value)
