"""The choices `AlpacaRules` leaves open: undocumented, dated, or different by account."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from pyrt.errors import ConfigError
from pyrt.venues.alpaca.refusals import REFUSALS

__all__ = ["AlpacaOptions"]


@dataclass(frozen=True, kw_only=True)
class AlpacaOptions:
    """Settings of `AlpacaRules`; docs/alpaca-rules.md says why each default was taken.

    Attributes
    ----------
    refuses_excess_decimals : bool
        Whether amounts of more than nine decimals are refused instead of cut.
    allows_ioc_fok : bool
        Immediate-or-cancel and fill-or-kill on equities; documented as an offer for some accounts,
        accepted on paper.
    allows_crypto_stop_limit_ioc : bool
        The specification allows it, the documentation does not.
    extended_hours_gtc_from : datetime.date
        First date a good-till-canceled order may ask for extended hours.
    leg_distance : Decimal
        Least distance of take-profit and stop-loss from the base price, dollars.
    collar_threshold, collar_below, collar_above : Decimal
        Market and stop buys are valued this fraction above the price: `collar_below` for prices
        under the threshold, `collar_above` from it on.
    collars_buy_stops : bool
        Whether a buy stop, once triggered, is a limit order at its stop plus that collar.
    short_markup : Decimal
        Short sales are valued at least at the ask times this.
    min_notional : Decimal
        Least dollars of a fractional equity order.
    crypto_min_cost : Decimal
        Least dollars of a crypto order.
    applies_crypto_min_to_sells : bool
        Whether that minimum binds sells too.
    checks_crypto_wash_trades : bool
        Whether wash-trade protection covers crypto.
    min_margin_equity : Decimal
        Equity below which an account may not short.
    max_order_to_equity : Decimal or None
        Greatest opening order as a multiple of equity; None switches the check off.
    checks_day_trading : bool
        Whether the pattern-day-trader rule applies before `day_trading_until`.
    day_trading_until : datetime.date
        First date without that rule.
    day_trading_equity, day_trades_max
        Equity from which the rule does not bind, and day trades allowed below it.
    client_order_id_horizon : {"forever", "open"}
        Whether an id is taken for ever, or while its order is open.
    opg_from, opg_until, cls_from : datetime.time
        New York times: opening-auction orders are taken in [opg_from, opg_until), closing-auction
        orders from `cls_from` to `cls_cutoff_minutes` before the close.
    gtc_days : int
        Days after which a good-till-canceled order expires, at `gtc_time`, New York.
    cancels_of_canceled : {"refuse", "accept"}
        Answer to canceling an order that is canceled already.
    replaces_when_closed : bool
        Whether orders may be replaced while nothing trades.
    messages : mapping of str to str
        Other texts for refusals, by rule name; the fields of the original template are available.
    """

    refuses_excess_decimals: bool = False
    allows_ioc_fok: bool = True
    allows_crypto_stop_limit_ioc: bool = False
    extended_hours_gtc_from: dt.date = dt.date(2026, 1, 1)
    leg_distance: Decimal = Decimal("0.01")
    collar_threshold: Decimal = Decimal(50)
    collar_below: Decimal = Decimal("0.04")
    collar_above: Decimal = Decimal("0.025")
    collars_buy_stops: bool = True
    short_markup: Decimal = Decimal("1.03")
    min_notional: Decimal = Decimal(1)
    crypto_min_cost: Decimal = Decimal(10)
    applies_crypto_min_to_sells: bool = True
    checks_crypto_wash_trades: bool = True
    min_margin_equity: Decimal = Decimal(2000)
    max_order_to_equity: Decimal | None = Decimal(6)
    checks_day_trading: bool = False
    day_trading_until: dt.date = dt.date(2026, 6, 4)
    day_trading_equity: Decimal = Decimal(25_000)
    day_trades_max: int = 3
    client_order_id_horizon: Literal["forever", "open"] = "forever"
    opg_from: dt.time = dt.time(19, 0)
    opg_until: dt.time = dt.time(9, 28)
    cls_from: dt.time = dt.time(19, 0)
    cls_cutoff_minutes: int = 10
    gtc_days: int = 90
    gtc_time: dt.time = dt.time(16, 15)
    cancels_of_canceled: Literal["refuse", "accept"] = "refuse"
    replaces_when_closed: bool = False
    messages: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        unknown = sorted(set(self.messages) - set(REFUSALS))
        if unknown:
            raise ConfigError(
                f"no refusal is called {', '.join(unknown)}",
                code="unknown_refusal",
                remedy="Use the rule names of pyrt.venues.alpaca.refusals.REFUSALS",
                unknown=unknown,
            )
