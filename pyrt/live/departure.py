"""What orders have to wait for before they leave, and what bars them from leaving."""

from __future__ import annotations

from pyrt.live.run import LOOKING, Run


class Departure:
    """Answers the gateway's two questions.

    Parameters
    ----------
    run : Run

    Attributes
    ----------
    is_merging : bool
        What a stream has missed is being merged: nothing new leaves before that.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self.is_merging = False

    def waits_for(self) -> str:
        """Return what orders have to wait for; "" when they may leave."""
        if self._run.phase == LOOKING:
            return "the account is being looked at"
        if not self._run.client.trade_updates.is_active:
            return "the stream of order news is down"
        return "what the stream has missed is being merged" if self.is_merging else ""

    def barred(self, number: int) -> str:
        """Return why an order may not leave, though it was let through: a halt came since."""
        core = self._run.core
        order = None if core is None else core.inputs.order(number)
        state = getattr(self._run.gate, "state", None)
        if order is None or state is None:
            return ""
        scopes = (
            ("everything", state()),
            (order.symbol, state(symbol=order.symbol)),
            (order.strategy.name, state(strategy=order.strategy.name)),
        )
        return next((f"{what} is HALTED" for what, found in scopes if found.name == "HALTED"), "")
