"""What orders have to wait for before they leave, and what bars them from leaving."""

from __future__ import annotations

from pyrt.live.driver.run import LOOKING, Run

FRESH_NS = 2_000_000_000
"""A look that was begun this long before an order came knows enough for it."""


class Departure:
    """Answers the gateway's two questions.

    Parameters
    ----------
    run : Run

    Attributes
    ----------
    is_merging : bool
        What a stream has missed is being merged: nothing new leaves before that.
    is_blind : bool
        Look after look at the account has failed: nothing that could raise exposure leaves.
    wants_look : bool
        An order waits for a look at the account, and for nothing else.
    looked_at : int
        When the last look that is through was begun, ns UTC.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self.is_merging = False
        self.is_blind = False
        self.wants_look = False
        self.looked_at = 0

    def waits_for(self) -> str:
        """Return what orders have to wait for; "" when they may leave."""
        if self._run.phase == LOOKING:
            return "the account is being looked at"
        if not self._run.client.trade_updates.is_active:
            return "the stream of order news is down"
        return "what the stream has missed is being merged" if self.is_merging else ""

    def is_excused(self, number: int, since: int) -> bool:
        """Return whether an order leaves though the stream of order news is down.

        It does while everything is REDUCING, as an operator's flatten has it, if it cannot raise
        exposure: answers to requests tell what becomes of it. So does an exit that was kept here
        until its price came, as one that the broker holds would. The account is looked at first, as
        what the stream has not told may have closed the position already.

        Parameters
        ----------
        number : int
        since : int
            When it was handed over, ns UTC.
        """
        run = self._run
        state = getattr(run.gate, "state", None)
        order = None if run.core is None else run.core.inputs.order(number)
        if run.phase == LOOKING or order is None or state is None:
            return False
        if state().name != "REDUCING" and not run.scribe.is_met_exit(number):
            return False
        if run.gate.could_raise(order):
            return False
        self.wants_look = self.looked_at < since - FRESH_NS
        return not self.wants_look

    def reduces(self, number: int) -> bool:
        """Return whether an order only leaves what its strategy holds, as far as is known now."""
        order = None if self._run.core is None else self._run.core.inputs.order(number)
        if order is None:
            return False
        held = order.strategy.position(order.symbol).quantity_exact
        side = 1 if order.side.name == "BUY" else -1
        # One by notional has no quantity yet, and is no way out by itself.
        return 0 < order.quantity_exact - order.filled_quantity_exact <= -side * held

    def barred(self, number: int, lessens: bool = False) -> str:
        """Return why an order may not leave, though it was let through: what came since.

        A change that only `lessens` an order raises nothing, whatever the order could as it is.
        """
        run = self._run
        order = None if run.core is None else run.core.inputs.order(number)
        state = getattr(run.gate, "state", None)
        if order is None or state is None:
            return ""
        could_raise = not lessens and run.gate.could_raise(order)
        scopes = (
            ("everything", state()),
            (order.symbol, state(symbol=order.instrument.id)),
            (order.strategy.name, state(strategy=order.strategy.name)),
        )
        for what, found in scopes:
            if found.name == "HALTED":
                return f"{what} is HALTED"
            if found.name == "REDUCING" and could_raise:
                return f"{what} is REDUCING, and this order could raise exposure"
        if self.is_blind and could_raise:
            return "the account cannot be looked at, and this order could raise exposure"
        stale = run.client.stale_reason(order.symbol)
        if stale and could_raise:
            return f"{stale}, and this order could raise exposure"
        return "" if lessens else str(run.gate.price_doubt(order))
