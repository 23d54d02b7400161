"""Halts, and what operators ask for: each journalled with who and why."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from pyrt.errors import ConfigError, UnknownName
from pyrt.live.core.gate_changes import unrecorded
from pyrt.live.core.notes import OURS, breaker_of, by_hand, carry_out, check_operation
from pyrt.live.driver.aftermath import Aftermath
from pyrt.live.driver.comeback import plain
from pyrt.live.driver.reconcile import difference
from pyrt.live.driver.run import NODE, STOPPED, Run
from pyrt.live.journal import records as r
from pyrt.live.journal.halts import Kept

OF_ALL = frozenset({"halt", "reduce", "resume", "flatten"})
"""What says, asked of everything, which orders may leave from now on."""


class Operators:
    """Carries out what operators, and the node itself, ask for.

    Parameters
    ----------
    run : Run
    aftermath : Aftermath
    """

    def __init__(self, run: Run, aftermath: Aftermath) -> None:
        self._run = run
        self._aftermath = aftermath
        self._halted: set[tuple[str, str]] = set()
        self._has_told_failure = False

    def halt(self, symbol: str, reason: str) -> None:
        """Halt a symbol, or everything; once for a reason."""
        key = (symbol, reason)
        if key in self._halted:
            return
        self._halted.add(key)
        self.carry_out("halt", NODE, reason, symbol=symbol)

    def take_halts(self) -> None:
        """Carry out the halts that were asked for beside the loop, by this process or one before.

        Without a core they wait for it, and once the node has stopped for the next start. Those of
        persons come last: what they say stands.
        """
        if self._run.core is None or self._run.phase == STOPPED:
            return
        taken = self._run.journal.halts.take()
        for kept in sorted(taken, key=lambda kept: kept.halt.actor not in OURS):
            halt = kept.halt
            self._run.latch.set(f"{halt.actor}: {halt.reason}")
            self.carry_out("halt", halt.actor, halt.reason, answers=[kept])

    def operate(
        self,
        action: str,
        actor: str,
        reason: str,
        *,
        symbol: str = "",
        strategy: str = "",
        order: str = "",
    ) -> str:
        """Carry out what an operator asks; journalled with who and why. Returns what was done.

        Raises
        ------
        ConfigError
            If the action is unknown, nobody or no reason is named, the node does not run, or a
            position is to be closed while nothing may leave, or the broker does not have it.
        UnknownName
            If there is no such symbol or strategy here. Nothing is done then.
        """
        if self._run.core is None:
            raise ConfigError("the node has not started yet", code="not_running")
        check_operation(action, actor, reason)
        actor = by_hand(actor)
        self.check_names(symbol, strategy)
        if action == "resume":
            if self._run.journal.failure is not None:
                raise ConfigError("the journal cannot be written", code="journal")
            self._halted.clear()
            if not symbol and not strategy:
                self._run.latch.clear()
        if action == "close":
            self._check_is_there(symbol)
            self._check_may_close(symbol)
        if action == "flatten":
            self.halt_what_is_not_there()
        done = self.carry_out(action, actor, reason, symbol=symbol, strategy=strategy, order=order)
        if action == "resume" and not strategy:
            done += self._bars_again(symbol)
        if action in ("close", "flatten"):
            even = self._made_up_for() if action == "flatten" else []
            done += self._not_closed(symbol, even) + self._stays(even)
        if action in ("flatten", "reduce") and not symbol and not strategy:
            # From here on the gate lets leave what lessens positions: a kill before it is over.
            if self._run.journal.failure is not None:
                return f"{done}, but no order leaves: the journal cannot be written"
            self._run.latch.clear()
        return done

    def _bars_again(self, symbol: str) -> str:
        """Return in words what halts again at the next look, unless it is gone by then."""
        found = [
            finding.text
            for finding in self._run.findings
            if finding.halts == ("symbol" if symbol else "all") and symbol in ("", finding.symbol)
        ]
        return f"; halted again at the next look while it is so: {'; '.join(found)}" * bool(found)

    def _not_there(self, symbol: str) -> str:
        """Return how the broker holds less of a symbol than we do, or the other side; "" if not.

        An order that closes what we hold would open a position there.
        """
        there = self._run.stated_otherwise(symbol)
        if there is None:
            return ""
        positions = self._run.live_core.kernel.cache.positions(symbol=symbol)
        here = sum((Decimal(each.quantity_exact) for each in positions), Decimal(0))
        if not here or (there * here > 0 and abs(there) >= abs(here)):
            return ""
        return difference(symbol, there, here)

    def _check_is_there(self, symbol: str) -> None:
        """Refuse to close what the broker does not have: it would open the other side."""
        differs = self._not_there(symbol)
        if differs:
            raise ConfigError(
                f"{differs}: what would close it here would open a position there",
                code="position_mismatch",
                remedy="Close what is there at the broker's page",
            )

    def halt_what_is_not_there(self) -> None:
        """Halt such symbols again where somebody has resumed them: all else is flattened."""
        for symbol in dict.fromkeys(p.symbol for p in self._run.live_core.kernel.cache.positions()):
            differs = self._not_there(symbol)
            if differs:
                self.carry_out("halt", NODE, differs, symbol=symbol)

    def _check_may_close(self, symbol: str) -> None:
        """Refuse to close what is halted: the order would be denied, and nobody told."""
        gate = self._run.live_core.kernel.gate
        if not hasattr(gate, "state"):
            return
        what, remedy = "trading", "Flatten, which closes everything; or reduce or resume first"
        if not self._run.latch.is_set and gate.state().name != "HALTED":
            # What is halted by name no flatten closes either.
            names = self._halted_by_name(symbol) if symbol else []
            what, remedy = ", ".join(names), "Reduce or resume that first"
        if what:
            raise ConfigError(
                f"nothing leaves while {what} is HALTED, and {symbol or 'nothing'} is not closed",
                code="halted",
                remedy=remedy,
            )

    def _halted_by_name(self, symbol: str) -> list[str]:
        """Return the symbols and strategies that are HALTED and hold something, of one or of all.

        Whatever everything else may do, no order leaves for what they hold.
        """
        kernel = self._run.live_core.kernel
        gate: Any = kernel.gate
        names: dict[str, None] = {}
        if not hasattr(gate, "state"):
            return []
        for position in kernel.cache.positions(symbol=symbol or None):
            strategy = kernel.strategies[position.strategy].name
            if gate.state(symbol=position.instrument.id).name == "HALTED":
                names[position.symbol] = None
            if gate.state(strategy=strategy).name == "HALTED":
                names[strategy] = None
        return list(names)

    def _made_up_for(self) -> list[str]:
        """Return the symbols that strategies hold and the account does not: one against the other.

        A flatten has nothing to close in them.
        """
        net: dict[str, Decimal] = {}
        for position in self._run.live_core.kernel.cache.positions():
            before = net.get(position.symbol, Decimal(0))
            net[position.symbol] = before + Decimal(position.quantity_exact)
        return [symbol for symbol, quantity in net.items() if not quantity]

    def _stays(self, symbols: list[str]) -> str:
        """Return in words which strategies go on holding symbols that the account does not hold."""
        kernel, text = self._run.live_core.kernel, ""
        for symbol in symbols:
            held = kernel.cache.positions(symbol=symbol)
            names = [kernel.strategies[position.strategy].name for position in held]
            text += f"; {symbol} of {' and '.join(names)} comes to nothing and stays"
        return text

    def _not_closed(self, symbol: str, but: Sequence[str] = ()) -> str:
        """Return in words what is held after all was to be closed, of a symbol or everything.

        It was denied, with the breaker open for one, or comes after what others hold against it.
        Of the symbols `but` nothing was to be closed.
        """
        kernel = self._run.live_core.kernel
        held = [
            f"{position.symbol} of {kernel.strategies[position.strategy].name}"
            for position in kernel.cache.positions(symbol=symbol or None)
            if position.symbol not in but
            and not any(
                order.order_type == "market" and order.side_sign * position.quantity_exact < 0
                for order in kernel.cache.orders_open(position.strategy, position.symbol)
            )
        ]
        if not held:
            return ""
        text = f", but no order leaves {', '.join(held)} yet"
        names, breaker = self._halted_by_name(symbol), breaker_of(kernel.gate)
        for differs in filter(None, map(self._not_there, list(names))):
            # To resume it would let out what opens a position there.
            names.remove(differs.split()[0])
            text += f": {differs}"
        if names:
            text += f": reduce or resume {', '.join(names)} first"
        return text + f", and the circuit breaker is {breaker}" * (breaker != "closed")

    def check_names(self, symbol: str, strategy: str) -> None:
        """Refuse a name that nothing here has: a halt of it would stop nothing."""
        kernel = self._run.live_core.kernel
        if symbol:
            kernel.cache.instrument(symbol)
        names = [each.name for each in kernel.strategies]
        if strategy and strategy not in names:
            raise UnknownName(
                f"no strategy {strategy!r} runs here",
                remedy=f"Here run {', '.join(names)}",
                name=strategy,
            )

    def carry_out(
        self,
        action: str,
        actor: str,
        reason: str,
        *,
        symbol: str = "",
        strategy: str = "",
        order: str = "",
        answers: list[Kept] | None = None,
    ) -> str:
        """Do it, and write it down; return what was done.

        It answers what is kept beside the log: by default whatever was there before, if a person
        asks it of everything.
        """
        core = self._run.live_core
        if answers is None:
            is_of_all = action in OF_ALL and not symbol and not strategy
            # A kill that is asked for meanwhile comes after this.
            answers = self._run.journal.halts.take() if is_of_all and actor != NODE else []
        given = {"symbol": symbol, "strategy": strategy}
        if order:
            given["order"] = order
        self._run.note("operate", action=action, actor=actor, reason=reason, **given)
        sequence = self.record(actor, action, reason, given)
        with unrecorded(core.kernel):
            done = carry_out(core, action, actor, reason, symbol, strategy, order)
        if action in OF_ALL:
            # A start goes on from this: without it the halt would be on record, and forgotten.
            sequence = self._run.scribe.save_risk() or sequence
        self._run.journal.halts.cover(answers, sequence)
        core.inputs.settle()
        return done

    def record_change(self, method: str, arguments: dict[str, Any]) -> None:
        """Write down what a program in this process asks of the gate, before it is done.

        What a handler asks for is not written down: in a replay the handler asks for it again.
        """
        core = self._run.core
        actor, reason = arguments.get("actor", NODE), arguments.get("reason", "stated")
        if method == "set_state" and actor != NODE and arguments.get("state") == "ACTIVE":
            # What halted before halts again at the next look while it is so, as after a resume.
            self._halted.clear()
        if core is None or core.kernel.bus.depth or (method == "set_state" and actor == NODE):
            return
        given = plain(arguments)
        self._run.note("gate", method=method, arguments=given)
        self.record(actor, method, reason, given)

    def resolve_lost(self, client_order_id: str, actor: str, reason: str) -> None:
        """Declare a submit of unknown outcome lost; a later sighting reopens it.

        Raises
        ------
        ConfigError
            If the node does not run, there is no such order, or its outcome is known.
        """
        core = self._run.core
        if core is None:
            raise ConfigError("the node has not started yet", code="not_running")
        for order in core.kernel.cache.orders_open():
            if order.client_order_id == client_order_id and order.is_unknown:
                now = int(core.kernel.clock.timestamp_ns)
                self.record(actor, "lost", reason, {"order": client_order_id})
                self._run.client.give_up(order.number)
                for each in (order, *_brought_by(order)):
                    core.inputs.order_event("lost", each.number, now, reason)
                core.inputs.settle()
                self._aftermath.settle(now)
                return
        raise ConfigError(f"{client_order_id} is no order of unknown outcome", code="not_unknown")

    def put_aside(self, event: Any, error: Exception) -> None:
        """Put an impossible event aside: its symbol is halted until somebody has looked."""
        number = getattr(event, "number", -1)
        order = self._run.live_core.inputs.order(number) if number >= 0 else None
        symbol = "" if order is None else order.symbol
        self._run.scribe.alarm("bad_event", f"{type(event).__name__}: {error}")
        self.halt(symbol, f"an event that cannot be: {error}")

    def on_journal_failure(self) -> None:
        """Let no order leave any more; cancels still do."""
        run = self._run
        run.latch.set(f"the journal fails: {run.journal.failure}")
        # Whoever has set the latch before knows nothing of the journal.
        if not self._has_told_failure:
            self._has_told_failure = True
            run.scribe.alarm("journal", f"the journal cannot be written: {run.journal.failure}")
            self.halt("", "the journal cannot be written")

    def record(self, actor: str, action: str, reason: str, arguments: dict[str, Any]) -> int:
        """Write down what was asked, by whom and why; return where that stands in the journal."""
        return self._run.journal.record(
            r.Operation(
                ts=self._run.scribe.now,
                actor=actor,
                action=action,
                reason=reason,
                arguments=arguments,
                inputs=self._run.live_core.inputs.count,
            )
        )


def _brought_by(order: Any) -> list[Any]:
    """Return the exits that an order was to bring to the broker: they are where it is."""
    if order.keeps_exits:
        return []
    pair = order.sibling if order.parent is None else None
    legs = (order.take_profit, order.stop_loss, pair)
    return [leg for leg in legs if leg is not None and leg.status == "SENT"]
