"""How the account is judged: the broker's terms of it, taken over live and in replay alike."""

from __future__ import annotations

from collections.abc import Container, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from pyrt.core.account_rules import AccountRules, account_rules
from pyrt.kernel.kernel import Kernel
from pyrt.live.core.adjust import mark_holding
from pyrt.live.core.broker import BrokerState
from pyrt.live.core.node import NodeCore

NEW_YORK = ZoneInfo("America/New_York")
CLOSE = time(16)
SECOND = 1_000_000_000


def rules_in_force(named: Any, state: BrokerState) -> AccountRules:
    """Return the rules that a node judges its account by.

    Parameters
    ----------
    named : AccountRules, str or mapping, optional
        What the configuration says; without it, the broker's margin.
    state : BrokerState
        What the broker grants is never passed. Where it says nothing, the account is a cash
        account unless the configuration names another.
    """
    if not state.multiplier:
        return account_rules(named or None)
    granted = account_rules(named or "alpaca")
    return granted.within(state.multiplier, shorting=state.shorting)


def last_close(balance_date: str) -> int:
    """Return when the day ended that a broker's balance is of, ns UTC.

    On a half day this is after the close; nothing that is lent on trades in between.
    """
    then = datetime.combine(date.fromisoformat(balance_date), CLOSE, NEW_YORK)
    return int(then.timestamp()) * SECOND


def day_terms(core: NodeCore, state: BrokerState) -> dict[str, Any]:
    """Return what a day that is under way began with: what take_terms wants to begin it here too.

    What the account held then is what it holds less what has been filled since, which may have
    left nothing of it. Stocks that were sold are to be paid for, whoever has sold them.
    """
    since = last_close(state.balance_date)
    traded = {instrument.symbol for instrument in core.kernel.cache.instruments}
    fills = [fill for fill in state.fills if fill.ts_event > since]
    held: dict[str, Decimal] = {}
    for position in core.kernel.cache.positions():
        units = Decimal(position.quantity_exact)
        held[position.symbol] = held.get(position.symbol, Decimal(0)) + units
    unsettled = Decimal(0)
    for fill in fills:
        signed = fill.quantity if fill.side == "buy" else -fill.quantity
        if fill.symbol in traded:
            held[fill.symbol] = held.get(fill.symbol, Decimal(0)) - signed
        if signed < 0 and "/" not in fill.symbol:
            unsettled += fill.quantity * fill.price
    return {
        **stated_day(state),
        "gained": f"{gained_today(state, traded):f}",
        "unsettled": f"{unsettled:f}",
        "carried": {symbol: f"{units:f}" for symbol, units in held.items()},
        "prices": {s: f"{price:f}" for s, price in state.prices.items() if s in held and price > 0},
    }


def gained_today(state: BrokerState, symbols: Container[str]) -> Decimal:
    """Return what trades and prices have made of the account since its last session's close.

    Nothing is known of it where another session has closed since, or somebody else's holdings are
    among what the broker states: what the day began with is what is there now.
    """
    today = day_of(state.server_ts)
    is_of_today = bool(state.next_close) and day_of(state.next_close) == today
    if (
        not is_of_today
        or not state.balance_date < today
        or not all(symbol in symbols for symbol in state.positions)
    ):
        return Decimal(0)
    moved = sum(
        (a.amount for a in state.adjustments if a.kind == "cash" and day_of(a.ts_event) >= today),
        Decimal(0),
    )
    return state.equity - state.last_equity - moved


def day_of(ts: int) -> str:
    """Return the day of a moment in New York, as the broker writes it."""
    return str(datetime.fromtimestamp(ts // SECOND, NEW_YORK).date())


def begin_risk_day(kernel: Kernel, gained: Decimal) -> None:
    """Let the loss of a day that no run has seen begin count from what it began with."""
    breaker = getattr(kernel.gate, "breaker", None)
    if breaker is not None:
        breaker.begin_day(kernel.clock.timestamp_ns, kernel.account.equity_exact - gained)


def stated_day(state: BrokerState) -> dict[str, Any]:
    """Return how the last day ended, as the broker has it."""
    return {
        "last_equity": f"{state.last_equity:f}",
        "last_maintenance": f"{state.last_maintenance:f}",
    }


def take_terms(core: NodeCore, terms: Mapping[str, Any]) -> None:
    """Let the account be judged by other terms; what they do not name stays as it is.

    Parameters
    ----------
    terms : mapping
        ``rules``, as `AccountRules.to_dict` has them; ``last_equity`` and ``last_maintenance``;
        ``unsettled``, ``carried`` (symbol to units) and ``prices`` of a day that began elsewhere;
        ``gained``, what equity has gained since then.
    """
    kernel = core.kernel
    account = kernel.account
    if "rules" in terms:
        account.change_rules(terms["rules"], kernel.cache.instruments)
        core.watch_reserves()
    if "carried" in terms:
        account.begin_day(terms["last_equity"], terms["last_maintenance"], terms["unsettled"])
        for symbol, units in terms["carried"].items():
            account.carry(kernel.cache.instrument(symbol), units)
        for symbol, price in terms["prices"].items():
            mark_holding(kernel, symbol, price)
        begin_risk_day(kernel, Decimal(terms.get("gained", "0")))
    elif "last_equity" in terms:
        account.state_day(terms["last_equity"], terms["last_maintenance"])
