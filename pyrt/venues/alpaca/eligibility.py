"""Which asset, order type, time in force and kind of quantity go together at Alpaca."""

from __future__ import annotations

import math

from pyrt.venues.alpaca.case import Case
from pyrt.venues.alpaca.facts import is_whole
from pyrt.venues.alpaca.refusals import Refusal

__all__ = [
    "CRYPTO_TABLE",
    "EQUITY_TABLE",
    "FRACTIONAL_TYPES",
    "check_account",
    "check_asset",
    "check_fractional",
    "check_multileg",
    "check_type",
]

_AUCTIONS = frozenset({"opg", "cls"})
_RESTING = frozenset({"day", "gtc"})
_IMMEDIATE = frozenset({"ioc", "fok"})

EQUITY_TABLE: dict[str, frozenset[str]] = {
    "market": _RESTING | _AUCTIONS | _IMMEDIATE,
    "limit": _RESTING | _AUCTIONS | _IMMEDIATE,
    "stop": _RESTING,
    "stop_limit": _RESTING,
    "trailing_stop": _RESTING,
}
"""Times in force of whole-share equity orders, by type."""

CRYPTO_TABLE: dict[str, frozenset[str]] = {
    "market": frozenset({"gtc", "ioc"}),
    "limit": frozenset({"gtc", "ioc"}),
    "stop_limit": frozenset({"gtc", "ioc"}),
}
"""Times in force of crypto orders, by type; `allows_crypto_stop_limit_ioc` narrows the last row."""

FRACTIONAL_TYPES = frozenset({"market", "limit", "stop", "stop_limit"})
"""Types an order by dollars or for a part of a share may have; its time in force is day."""


def check_asset(case: Case) -> Refusal | None:
    """Refuse assets that are unknown, inactive, not tradable, or of another class."""
    asset, symbol = case.asset, case.request.symbol
    if asset is None:
        return case.refuse("asset_not_found", symbol=symbol)
    if not asset.is_active:
        return case.refuse("asset_not_active", symbol=symbol)
    if not asset.is_tradable:
        return case.refuse("asset_not_tradable", symbol=symbol)
    if asset.asset_class != case.request.asset_class:
        return case.refuse("asset_class_mismatch", symbol=symbol)
    return None


def check_account(case: Case) -> Refusal | None:
    """Refuse any order of an account that may not trade."""
    return case.refuse("account_restricted") if case.account.is_blocked else None


def check_type(case: Case) -> Refusal | None:
    """Refuse combinations of type, time in force, class and asset that Alpaca has not."""
    request = case.request
    if request.asset_class == "crypto":
        return _check_crypto(case)
    if request.asset_class == "us_option":
        return _check_option(case)
    # Parts of a share have a table of their own, with messages of their own (`check_fractional`).
    if request.is_fractional:
        return None
    if request.time_in_force not in EQUITY_TABLE[request.type]:
        return case.refuse(
            "time_in_force_for_type", time_in_force=request.time_in_force, type=request.type
        )
    if request.time_in_force in _IMMEDIATE and not case.options.allows_ioc_fok:
        return case.refuse("ioc_fok_not_permitted", time_in_force=request.time_in_force)
    return None


def _check_crypto(case: Case) -> Refusal | None:
    request = case.request
    if request.type not in CRYPTO_TABLE:
        return case.refuse("crypto_type")
    if request.time_in_force not in CRYPTO_TABLE[request.type]:
        return case.refuse("crypto_time_in_force")
    if (
        request.type == "stop_limit"
        and request.time_in_force == "ioc"
        and not case.options.allows_crypto_stop_limit_ioc
    ):
        return case.refuse("crypto_time_in_force")
    if request.order_class not in ("", "simple"):
        return case.refuse("crypto_class")
    if request.extended_hours:
        return case.refuse("crypto_extended_hours")
    return None


def _check_option(case: Case) -> Refusal | None:
    request = case.request
    if request.time_in_force != "day":
        return case.refuse("option_time_in_force")
    accepted = (
        request.type in ("market", "limit")
        and request.order_class in ("", "simple", "mleg")
        and not request.extended_hours
        and request.quantity is not None
        and is_whole(request.quantity)
    )
    return None if accepted else case.refuse("option_order")


def check_multileg(case: Case) -> Refusal | None:
    """Refuse multi-leg option orders whose legs do not make one order.

    The limit price is a debit above zero and a credit below; legs are not looked at further.
    """
    request = case.request
    if request.asset_class != "us_option":
        return case.refuse("mleg_class")
    if not 2 <= len(request.legs) <= 4:
        return case.refuse("mleg_leg_count")
    if len({leg.symbol for leg in request.legs}) < len(request.legs):
        return case.refuse("mleg_unique_legs")
    ratios = [leg.ratio_quantity for leg in request.legs]
    if min(ratios) <= 0 or math.gcd(*ratios) != 1:
        return case.refuse("mleg_ratio")
    return _check_option(case)


def check_fractional(case: Case) -> Refusal | None:
    """Refuse orders by dollars or for a part of a share that break their narrower rules."""
    request = case.request
    if not request.is_fractional:
        return None
    assert case.asset is not None
    if not case.account.is_fractional_enabled:
        return case.refuse("fractional_disabled")
    if not case.asset.is_fractionable:
        return case.refuse("not_fractionable")
    if request.order_class not in ("", "simple"):
        return case.refuse("fractional_class")
    if request.type not in FRACTIONAL_TYPES:
        return case.refuse("fractional_type")
    if request.time_in_force != "day":
        return case.refuse("fractional_time_in_force")
    if request.side == "sell" and case.held <= 0:
        return case.refuse("fractional_short")
    return _check_notional_while_closing(case)


def _check_notional_while_closing(case: Case) -> Refusal | None:
    request = case.request
    if request.notional is None or case.is_closing or case.held == 0:
        return None
    closing_side = "sell" if case.held > 0 else "buy"
    if case.orders_on_symbol(closing_side):
        return case.refuse("notional_while_closing")
    return None
