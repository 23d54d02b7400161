"""US regulatory fees on sales of equities: SEC Section 31, FINRA TAF and CAT, in exact arithmetic.

Money is a Python int in 1e-18 dollars (the unit of `Money`); share quantities are ints in 1e-9
shares. Section 31 and TAF are paid by the seller only, CAT by both sides. Rates come from the
advisories named in each row; see docs/venues.md for what could not be confirmed.
"""

from __future__ import annotations

import datetime as dt
from typing import Literal

from pyrt.errors import ConfigError
from pyrt.venues.rates import DatedRates, Rate

__all__ = [
    "CENT",
    "E9",
    "SEC_SECTION_31",
    "TAF",
    "Rounding",
    "cat_fee",
    "round_to_grid",
    "round_up",
    "sec_fee",
    "taf_fee",
]

CENT = 10**16
"""One cent in 1e-18 dollars."""
E9 = 10**9

Rounding = Literal["exact", "up_to_cent"]
"""How a fee leaves the formula.

``"exact"`` keeps 1e-18 (a remainder below that, which only a price finer than 1e-9 can leave, goes
half to even). ``"up_to_cent"`` is what brokers book: any fraction of a cent is a whole cent.
"""


def round_up(raw: int, unit: int) -> int:
    """Round an amount that is not negative up to the next multiple of `unit`."""
    return -(-raw // unit) * unit


def round_to_grid(numerator: int, denominator: int) -> int:
    """Divide two ints that are not negative, half to even."""
    quotient, remainder = divmod(numerator, denominator)
    twice = 2 * remainder
    return quotient + (twice > denominator or (twice == denominator and quotient % 2 == 1))


def _rounded(raw: int, rounding: Rounding) -> int:
    if rounding == "exact":
        return raw
    if rounding == "up_to_cent":
        return round_up(raw, CENT)
    raise ConfigError(
        f"unknown rounding {rounding!r}",
        code="unknown_rounding",
        remedy='Use "exact" or "up_to_cent"',
        rounding=rounding,
    )


def _require_not_negative(**amounts: int) -> None:
    for name, value in amounts.items():
        if value < 0:
            raise ConfigError(
                f"{name} is negative",
                code="negative_amount",
                remedy="Fees are computed on the absolute amount of a sale",
                **{name: value},
            )


def sec_fee(date: int | dt.date, notional_raw: int, rounding: Rounding = "exact") -> int:
    """Return the Section 31 fee on a sale.

    Parameters
    ----------
    date : int or datetime.date
        Trade date (the "charge date" of Rule 31), as days since 1970-01-01 or a date.
    notional_raw : int
        Proceeds of the sale in 1e-18 dollars, not negative.
    rounding : {"exact", "up_to_cent"}
        See `Rounding`.

    Returns
    -------
    int
        The fee in 1e-18 dollars.

    Raises
    ------
    DataError
        If the date precedes the table `SEC_SECTION_31`.
    ConfigError
        If the notional is negative or the rounding has no such name.

    Examples
    --------
    >>> import datetime as dt
    >>> sec_fee(dt.date(2024, 6, 3), 10_000 * 10**18, "up_to_cent") // 10**16  # $27.80 a million
    28
    """
    _require_not_negative(notional_raw=notional_raw)
    rate = SEC_SECTION_31.on(date)
    return _rounded(round_to_grid(notional_raw * rate.rate_e9, E9), rounding)


def taf_fee(date: int | dt.date, quantity_e9: int, rounding: Rounding = "exact") -> int:
    """Return the FINRA trading activity fee on one sale execution.

    Parameters
    ----------
    date : int or datetime.date
        Trade date.
    quantity_e9 : int
        Shares sold in this trade, in 1e-9 shares, not negative; the cap is for each trade.
    rounding : {"exact", "up_to_cent"}
        See `Rounding`.

    Returns
    -------
    int
        The fee in 1e-18 dollars; 0 before the fee existed (October 2002).

    Raises
    ------
    DataError, ConfigError
        As `sec_fee`.

    Examples
    --------
    >>> import datetime as dt
    >>> taf_fee(dt.date(2024, 6, 3), 50_001 * 10**9) // 10**16  # $8.30, the cap
    830
    """
    _require_not_negative(quantity_e9=quantity_e9)
    rate = TAF.on(date)
    raw = quantity_e9 * rate.rate_e9
    if rate.cap_e9:
        raw = min(raw, rate.cap_e9 * E9)
    return _rounded(raw, rounding)


def cat_fee(rate_e12: int, quantity_e9: int, rounding: Rounding = "exact") -> int:
    """Return a consolidated-audit-trail fee at a rate the caller states.

    Brokers pass on sums of several assessments that change within months and differ from the
    published ones, so no table is kept. Alpaca's pages showed 0.000046, 0.000053 and 0.0000265
    dollars a share in 2024-2025 (https://alpaca.markets/support/regulatory-fees); FINRA Rule 6897
    set 0.000035 for CAT Fee 2024-1 from September 2024.

    Parameters
    ----------
    rate_e12 : int
        Dollars a share in 1e-12; 0.0000265 is 26_500_000.
    quantity_e9 : int
        Shares bought or sold, in 1e-9; charged on whole shares, a started share counts as one.
    rounding : {"exact", "up_to_cent"}
        See `Rounding`.

    Returns
    -------
    int
        The fee in 1e-18 dollars.
    """
    _require_not_negative(rate_e12=rate_e12, quantity_e9=quantity_e9)
    whole_shares = -(-quantity_e9 // E9)
    return _rounded(whole_shares * rate_e12 * 10**6, rounding)


def _sec(date: str, dollars_per_million_e2: int, source: str, *, confirmed: bool = True) -> Rate:
    # 27.80 dollars a million is 27,800e-9 of the notional: cents a million times ten.
    return Rate(dt.date.fromisoformat(date), dollars_per_million_e2 * 10, source, 0, confirmed)


def _taf(date: str, rate_e9: int, cap_cents: int, source: str, *, confirmed: bool = True) -> Rate:
    return Rate(dt.date.fromisoformat(date), rate_e9, source, cap_cents * 10**7, confirmed)


# Where a notice gives the rate but not the date, the date is the statute's: 30 days after the
# year's appropriation was enacted (60 since the Dodd-Frank Act), 1 April for mid-year adjustments.
_HISTORY = "traderstatus.com, SEC Fee Rates (list of SEC announcements)"
SEC_SECTION_31 = DatedRates(
    "SEC Section 31",
    dt.date(2026, 11, 1),
    (
        # 1/300 of one percent, listed by brokers as 0.0000333.
        _sec("1998-01-01", 3330, _HISTORY),
        _sec("2001-12-28", 1500, _HISTORY),
        _sec("2002-04-01", 3010, _HISTORY),
        _sec("2003-03-22", 2520, "SEC press release 2003-27"),
        _sec("2003-04-01", 4680, "SEC press release 2003-27"),
        _sec("2004-02-22", 3900, _HISTORY),
        _sec("2004-04-01", 2340, _HISTORY),
        _sec("2005-01-07", 3290, _HISTORY),
        _sec("2005-04-01", 4180, _HISTORY),
        _sec("2005-12-22", 3070, _HISTORY),
        _sec("2007-03-17", 1530, "SEC press release 2007-89; enacted 2007-02-15 + 30 days"),
        _sec("2008-01-25", 1100, "SEC press release 2007-89; enacted 2007-12-26 + 30 days"),
        _sec("2008-04-01", 560, "FINRA Information Notice 3/10/08"),
        _sec("2009-04-10", 2570, "SEC press release 2009-100; enacted 2009-03-11 + 30 days"),
        _sec("2010-01-15", 1270, "SEC press release 2009-270"),
        _sec("2010-04-01", 1690, "FINRA Information Notice 3/10/10"),
        _sec("2011-01-21", 1920, "SEC press release 2010-255"),
        _sec("2012-02-21", 1800, "SEC Fee Rate Advisory #5 for fiscal year 2012"),
        _sec("2012-04-01", 2240, "SEC press release 2012-232; mid-year adjustment"),
        _sec("2013-05-25", 1740, "FINRA Information Notice 3/3/14; enacted 2013-03-26 + 60 days"),
        _sec("2014-03-18", 2210, "FINRA Information Notice 3/3/14"),
        _sec("2015-02-14", 1840, "no notice at hand; enacted 2014-12-16 + 60", confirmed=False),
        _sec("2016-02-16", 2180, "FINRA Information Notice 3/15/16; enacted 2015-12-18 + 60 days"),
        _sec("2017-07-04", 2310, "SEC Fee Rate Advisory for fiscal year 2017"),
        _sec("2018-05-22", 1300, "FINRA Information Notice 5/7/18"),
        _sec("2019-04-16", 2070, "SEC Fee Rate Advisory #2 for fiscal year 2019"),
        _sec("2020-02-18", 2210, "FINRA Information Notice 2/3/20"),
        _sec("2021-02-25", 510, "SEC Fee Rate Advisory #2 for fiscal year 2021"),
        _sec("2022-05-14", 2290, "88 FR 5051 (rate until 2023-02-26); enacted 2022-03-15 + 60"),
        _sec("2023-02-27", 800, "88 FR 5051"),
        _sec("2024-05-22", 2780, "89 FR 29402"),
        _sec("2025-05-14", 0, "FINRA Information Notice 4/24/25"),
        _sec("2026-04-04", 2060, "91 FR 10643; rate and date as brokers publish them"),
    ),
)
"""Section 31 rates, 1e-9 of the proceeds of a sale, 1998 to today."""

TAF = DatedRates(
    "FINRA TAF",
    dt.date(2026, 11, 1),
    (
        # The fee was introduced on 2002-10-01; before that the rate is truly zero.
        _taf("1998-01-01", 0, 0, "NASD announcement of 2002-09-27: effective 2002-10-01"),
        # Two notices of 2003 changed it and only the later figure was found.
        _taf("2002-10-01", 100_000, 1000, "NASD announcement of 2002-10-17", confirmed=False),
        _taf("2004-11-01", 75_000, 375, "NASD NtM 04-84; FINRA Regulatory Notice 11-27"),
        _taf("2011-07-01", 90_000, 450, "FINRA Regulatory Notice 11-27"),
        _taf("2012-03-01", 95_000, 475, "FINRA Regulatory Notice 12-06"),
        _taf("2012-07-01", 119_000, 595, "77 FR 27527; FINRA TAF forms from 2012-07-01"),
        _taf("2022-01-01", 130_000, 649, "FINRA fee increase schedule, SR-FINRA-2020-032"),
        _taf("2023-01-01", 145_000, 727, "FINRA fee increase schedule, SR-FINRA-2020-032"),
        _taf("2024-01-01", 166_000, 830, "FINRA fee increase schedule, SR-FINRA-2020-032"),
        _taf("2026-01-01", 195_000, 979, "as brokers publish it for 2026"),
    ),
)
"""FINRA trading activity fee on covered equities: 1e-9 dollars a share, capped for each trade."""
