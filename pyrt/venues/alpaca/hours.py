"""When Alpaca takes an order, what state it starts in, and when it expires."""

from __future__ import annotations

import datetime as dt

from pyrt.venues.alpaca.case import Case, new_york
from pyrt.venues.alpaca.facts import MarketFacts, OrderRequest
from pyrt.venues.alpaca.options import AlpacaOptions
from pyrt.venues.alpaca.refusals import Refusal
from pyrt.venues.extended_hours import Phase

__all__ = ["check_auction_window", "check_extended_hours", "expires_at", "initial_status"]

_SECOND = 1_000_000_000


def check_auction_window(case: Case) -> Refusal | None:
    """Refuse auction orders outside their windows, by the clock of New York."""
    options = case.options
    clock = new_york(case.ts).time()
    if case.request.time_in_force == "opg":
        if clock >= options.opg_from or clock < options.opg_until:
            return None
        return case.refuse("opg_window")
    if case.request.time_in_force == "cls":
        cutoff = _closing_cutoff(case)
        # After-hours say that today's auction is over, at whatever hour a half day ended.
        auction_is_over = case.market.phase is Phase.AFTER_HOURS
        if clock >= options.cls_from or (clock < cutoff and not auction_is_over):
            return None
        return case.refuse("cls_window", cutoff=_clock_text(cutoff))
    return None


def _closing_cutoff(case: Case) -> dt.time:
    # Measured from the session's own close, so that half days cut off at 12:50.
    today = new_york(case.ts).date()
    close = dt.datetime.combine(today, dt.time(16))
    if case.market.session_close_ns is not None:
        stated = new_york(case.market.session_close_ns)
        close = stated if stated.date() == today else close
    return (close - dt.timedelta(minutes=case.options.cls_cutoff_minutes)).time()


def _clock_text(time: dt.time) -> str:
    return f"{(time.hour - 1) % 12 + 1}:{time.minute:02d}{'am' if time.hour < 12 else 'pm'}"


def check_extended_hours(case: Case) -> Refusal | None:
    """Refuse orders for extended hours that are not plain day (or, of late, GTC) limit orders."""
    request = case.request
    if not request.extended_hours or request.asset_class != "us_equity":
        return None
    takes_gtc = new_york(case.ts).date() >= case.options.extended_hours_gtc_from
    accepted = ("day", "gtc") if takes_gtc else ("day",)
    if request.type == "limit" and request.time_in_force in accepted:
        return None
    return case.refuse("extended_hours_gtc" if takes_gtc else "extended_hours_day")


def initial_status(request: OrderRequest, market: MarketFacts) -> str:
    """Return the status of a new order in the answer to its POST.

    ``"pending_new"`` where it is routed at once, ``"accepted"`` where it waits for a session.
    """
    if request.time_in_force == "opg":
        return "accepted"
    if request.is_crypto or market.is_open:
        return "pending_new"
    trades_now = request.extended_hours and market.phase is not Phase.CLOSED
    return "pending_new" if trades_now else "accepted"


def expires_at(
    request: OrderRequest, market: MarketFacts, ts: int, options: AlpacaOptions
) -> int | None:
    """Return when a new order expires, nanoseconds UTC; None where Alpaca states nothing.

    A day order ends with the close of the session it belongs to (after-hours included if it asks
    for extended hours), auction orders with their auction, a good-till-canceled equity order 90
    days later at 16:15 New York. Immediate orders and crypto have no such time.
    """
    if request.is_crypto or request.time_in_force in ("ioc", "fok"):
        return None
    if request.time_in_force == "gtc":
        day = new_york(ts).date() + dt.timedelta(days=options.gtc_days)
        moment = dt.datetime.combine(day, options.gtc_time, tzinfo=new_york(ts).tzinfo)
        return int(moment.timestamp()) * _SECOND
    if request.time_in_force == "opg":
        return market.next_open_ns
    if request.time_in_force == "day" and request.extended_hours:
        return market.after_hours_close_ns
    return market.session_close_ns
