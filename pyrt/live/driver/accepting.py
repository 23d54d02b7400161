"""Taking over what the broker holds, where a person has found the trade behind a difference."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from pyrt.errors import ConfigError
from pyrt.live.core.broker import BrokerAdjustment
from pyrt.live.core.notes import by_hand
from pyrt.live.driver.adjusting import adjustment_record, change_holding, holdings
from pyrt.live.driver.aftermath import Aftermath
from pyrt.live.driver.operating import Operators
from pyrt.live.driver.reconcile import STRANGE, difference
from pyrt.live.driver.reconciliation import DIFFERS_NS
from pyrt.live.driver.run import Run


class Accepting:
    """Gives a strategy what the broker has more, or less, of a symbol: nothing is traded.

    Parameters
    ----------
    run : Run
    operators : Operators
    aftermath : Aftermath
    """

    def __init__(self, run: Run, operators: Operators, aftermath: Aftermath) -> None:
        self._run = run
        self._operators = operators
        self._aftermath = aftermath

    def accept(self, actor: str, reason: str, *, symbol: str, strategy: str = "") -> str:
        """Take over what the last looks have shown; returns what was done.

        The trade is taken at the prices of the broker's activities where they explain the
        difference to the last unit, else at the broker's price, or the last one known here. Cash
        is the broker's already, or comes with the next looks: it stays as it is, and the trade's
        value counts as a trade's and not as money moved in. The symbol stays halted.

        Parameters
        ----------
        strategy : str
            Whose trade it is; needed where several hold the symbol, or none of several does.

        Raises
        ------
        ConfigError
            If the node has not started, nothing differs, it is not known whose trade it is or at
            what price, or orders work in the symbol: they count on what was held, or add to it.
        UnknownName
            If there is no such symbol or strategy here. Nothing is done then.
        """
        run = self._run
        if run.core is None:
            raise ConfigError("the node has not started yet", code="not_running")
        self._operators.check_names(symbol, strategy)
        there, here = self._sides(symbol)
        self._check_calm(symbol)
        self._check_stands(symbol, difference(symbol, there, here))
        units = there - here
        owner = strategy or self._owner(symbol)
        amount, source = self._value(symbol, units)
        actor = by_hand(actor)
        given = {"symbol": symbol, "strategy": owner, "quantity": f"{units:f}"}
        self._operators.record(actor, "accept", reason, given | {"amount": f"{amount:f}"})
        self._book(owner, symbol, units, amount, f"{actor}: {reason}")
        found = ("position_mismatch", symbol)
        run.findings = tuple(f for f in run.findings if (f.code, f.symbol) != found)
        now = int(run.core.kernel.clock.timestamp_ns)
        run.core.inputs.settle()
        self._aftermath.settle(now)
        if run.look_at is not None:
            # Whether it is so now shows at once.
            run.look_at = now
        return f"{owner} has {units:+f} {symbol}, {source}; resume {symbol} to trade it"

    def _sides(self, symbol: str) -> tuple[Decimal, Decimal]:
        """Return what the broker holds of a symbol, and we, where that is not the same."""
        there = self._run.stated_otherwise(symbol)
        here = sum(holdings(self._run.live_core, symbol).values(), Decimal(0))
        if there is None:
            raise ConfigError(
                f"{symbol} is {here:f} here, and the last looks at the account do not differ",
                code="no_mismatch",
                remedy="Wait for the alarm position_mismatch: it takes several looks",
            )
        return there, here

    def _check_stands(self, symbol: str, text: str) -> None:
        """Refuse what has not been so for long enough: a broker's answers may be seconds old."""
        run = self._run
        found, first, last = run.differs_since.get(symbol, ("", 0, 0))
        if found == text and last - first >= (run.plan.policies.looks - 1) * DIFFERS_NS:
            return
        if run.look_at is not None:
            run.look_at = int(run.live_core.kernel.clock.timestamp_ns)
        raise ConfigError(
            f"{text}, which has not stood for long enough",
            code="no_mismatch",
            remedy="Another look is under way: ask again in some seconds",
        )

    def _check_calm(self, symbol: str) -> None:
        """Refuse while orders work, ours or others': what they fill comes on top of it."""
        working = len(self._run.live_core.kernel.cache.orders_open(symbol=symbol))
        if working:
            raise ConfigError(
                f"{working} orders work in {symbol}, for what was held before",
                code="open_orders",
                remedy=f"Cancel them: pyrt control STATE cancel_all --symbol {symbol}",
            )
        for finding in self._run.findings:
            if finding.code in STRANGE and finding.symbol == symbol:
                raise ConfigError(
                    finding.text, code="open_orders", remedy="Cancel it at the broker's page"
                )

    def _owner(self, symbol: str) -> str:
        """Return the one strategy whose trade it can be."""
        core = self._run.live_core
        names = list(holdings(core, symbol)) or [each.name for each in core.kernel.strategies]
        if len(names) != 1:
            raise ConfigError(
                f"whose trade in {symbol} it was is not known: {', '.join(names)}",
                code="strategy",
                remedy="Add --strategy NAME",
            )
        return names[0]

    def _value(self, symbol: str, units: Decimal) -> tuple[Decimal, str]:
        """Return what cash has gained by so many units more, and in words how that is known."""
        run, state = self._run, self._run.last_look
        assert state is not None
        trades = [
            (fill.quantity if fill.side == "buy" else -fill.quantity, fill.price)
            for fill in state.fills
            if fill.symbol == symbol and not run.has_sent(fill.venue_order_id)
        ]
        if sum(quantity for quantity, _ in trades) == units:
            amount = -sum((quantity * price for quantity, price in trades), Decimal(0))
            return amount, f"at {-amount / units:f}, by the broker's activities"
        price = state.prices.get(symbol) or self._last_price(symbol)
        return -units * price, f"at {price:f}, the last price known"

    def _last_price(self, symbol: str) -> Decimal:
        for position in self._run.live_core.kernel.cache.positions(symbol=symbol):
            if position.last_price > 0:
                return Decimal(str(position.last_price)).normalize()
        raise ConfigError(
            f"no price of {symbol} is known, and the broker's activities do not show the trade",
            code="no_price",
            remedy="Wait for its next price",
        )

    def _book(self, owner: str, symbol: str, units: Decimal, amount: Decimal, text: str) -> None:
        """Change the holding, and let what its trade has moved be that, and not money moved in."""
        run, inputs = self._run, self._run.live_core.inputs
        now = int(run.live_core.kernel.clock.timestamp_ns)
        inputs.cash(now, -amount, "cash")
        terms: dict[str, Any] = {
            "strategy": owner,
            "symbol": symbol,
            "quantity": f"{units:f}",
            "amount": f"{amount:f}",
            "is_split": False,
            "restates": True,
        }
        after = change_holding(run, terms)
        inputs.cash(now, amount, "accepted")
        change = BrokerAdjustment(
            activity_id=f"accepted-{run.plan.run_id}-{now}-{symbol}",
            kind="accepted",
            symbol=symbol,
            quantity=units,
            amount=amount,
            text=text,
            ts_event=now,
        )
        run.journal.record(adjustment_record(now, change, (after,)))
        run.scribe.save_risk()
