"""What Alpaca charges: nothing on equities, maker and taker tiers on crypto; exact ints."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal

from pyrt.errors import ConfigError, DataError
from pyrt.venues.fees import CENT, round_up, sec_fee, taf_fee
from pyrt.venues.rates import DatedRates, Rate, days_since_epoch

__all__ = [
    "CAT",
    "CRYPTO_SCHEDULES",
    "EQUITY_COMMISSION",
    "CryptoTier",
    "Liquidity",
    "crypto_fee_in_base",
    "crypto_fee_in_quote",
    "crypto_tier",
    "crypto_tier_numbered",
    "regulatory_charge",
    "regulatory_fees",
]

EQUITY_COMMISSION = 0
"""Dollars an equity order pays to Alpaca, however large."""

Liquidity = Literal["maker", "taker"]


@dataclass(frozen=True)
class CryptoTier:
    """Rates from one 30-day crypto volume upwards.

    Attributes
    ----------
    tier : int
        Alpaca's number, 1 to 8 (`crypto_tier` of the account).
    volume_from : int
        Dollars traded in crypto over 30 days from which the tier applies.
    maker_bps, taker_bps : int
        Fee in basis points of what is received.
    """

    tier: int
    volume_from: int
    maker_bps: int
    taker_bps: int

    def bps(self, liquidity: Liquidity) -> int:
        """Return the rate for adding (maker) or taking liquidity."""
        return self.maker_bps if liquidity == "maker" else self.taker_bps


def _tiers(*rows: tuple[int, int, int]) -> tuple[CryptoTier, ...]:
    return tuple(CryptoTier(number, *row) for number, row in enumerate(rows, start=1))


CRYPTO_SCHEDULES: tuple[tuple[dt.date, tuple[CryptoTier, ...]], ...] = (
    # https://alpaca.markets/docs/crypto/activities/ (Trading API column); the page's own example
    # of a fee is of this date, an earlier start is not stated.
    (
        dt.date(2022, 8, 12),
        _tiers(
            (0, 25, 25),
            (500_000, 22, 22),
            (1_000_000, 20, 20),
            (5_000_000, 18, 18),
            (10_000_000, 15, 15),
            (25_000_000, 13, 13),
            (50_000_000, 10, 10),
            (100_000_000, 8, 8),
        ),
    ),
    # https://alpaca.markets/support/crypto-maker-taker-gmt-faq, "effective from March 13th 2023".
    (
        dt.date(2023, 3, 13),
        _tiers(
            (0, 15, 25),
            (100_000, 12, 22),
            (500_000, 10, 20),
            (1_000_000, 8, 18),
            (10_000_000, 5, 15),
            (25_000_000, 2, 13),
            (50_000_000, 2, 12),
            (100_000_000, 0, 10),
        ),
    ),
)
"""Crypto tiers by the date they took effect, oldest first."""


def _cat(date: str, rate_e9: int, source: str, *, confirmed: bool = False) -> Rate:
    return Rate(dt.date.fromisoformat(date), rate_e9, source, 0, confirmed)


CAT = DatedRates(
    "CAT as passed on by Alpaca",
    dt.date(2026, 11, 1),
    (
        # Not passed on to customers before the first CAT fee took effect.
        _cat("1998-01-01", 0, "FINRA Rule 6897: CAT Fee 2024-1 from September 2024"),
        # Alpaca's pages state sums without dates: each is put to the period whose fees add up
        # to it (a CAT fee, the historical assessment, FINRA's own cost recovery).
        _cat("2024-09-01", 35_000, "FINRA Rule 6897: CAT Fee 2024-1", confirmed=True),
        _cat("2024-11-01", 53_000, "alpaca.markets/support/regulatory-fees, while SEC took 27.80"),
        _cat("2025-01-01", 46_000, "docs.alpaca.markets/docs/regulatory-fees, early 2025"),
        _cat("2025-07-01", 26_500, "alpaca.markets/support/regulatory-fees, CAT Fee 2025-2"),
    ),
)
"""Consolidated audit trail fee of equities, both sides: 1e-9 dollars a share."""


def crypto_tier(date: int | dt.date, volume_30d: int = 0) -> CryptoTier:
    """Return the tier of an account that traded `volume_30d` dollars of crypto in 30 days.

    The tier of a day is set by the volume up to the day before.

    Raises
    ------
    DataError
        If the date precedes the first schedule.
    """
    day = days_since_epoch(date)
    for effective, tiers in reversed(CRYPTO_SCHEDULES):
        if day >= days_since_epoch(effective):
            return next(tier for tier in reversed(tiers) if volume_30d >= tier.volume_from)
    raise DataError(
        f"no Alpaca crypto fee is recorded before {CRYPTO_SCHEDULES[0][0]}",
        code="rate_not_recorded",
        remedy="Start later, or give a fee model of your own",
        date=str(date),
    )


def crypto_tier_numbered(date: int | dt.date, number: int) -> CryptoTier | None:
    """Return a tier by Alpaca's number, as an account states it; None if there is none.

    Before the first schedule that one stands in.
    """
    day = days_since_epoch(date)
    found = CRYPTO_SCHEDULES[0][1]
    for effective, tiers in CRYPTO_SCHEDULES:
        if day >= days_since_epoch(effective):
            found = tiers
    return next((tier for tier in found if tier.tier == number), None)


def crypto_fee_in_base(quantity_e9: int, bps: int) -> int:
    """Return the fee of a crypto buy, in 1e-9 of the coin bought, rounded up.

    Examples
    --------
    A filled quantity of 0.000175822 left a position of 0.000175382:

    >>> 175_822 - crypto_fee_in_base(175_822, 25)
    175382
    """
    _require_not_negative(quantity_e9)
    return -(-quantity_e9 * bps // 10_000)


def crypto_fee_in_quote(notional_raw: int, bps: int, *, quote: str = "USD") -> int:
    """Return the fee of a crypto sell, in 1e-18 of the quote currency received.

    Dollars are rounded up to the cent; other quote currencies to 1e-9, as coins are.
    """
    _require_not_negative(notional_raw)
    exact = -(-notional_raw * bps // 10_000)
    return round_up(exact, CENT if quote == "USD" else 10**9)


def regulatory_fees(date: int | dt.date, notional_raw: int, quantity_e9: int) -> tuple[int, int]:
    """Return the Section 31 and TAF fees that one equity sale accrues, 1e-18 dollars, unrounded."""
    return sec_fee(date, notional_raw), taf_fee(date, quantity_e9)


def regulatory_charge(accrued_raw: int) -> int:
    """Return what is booked at the end of a day for one kind of fee accrued over that day.

    Alpaca adds up a day's fees of one kind and rounds the sum up to the cent (since 2021-04-26;
    https://docs.alpaca.markets/docs/regulatory-fees). Paper accounts are not charged at all.
    """
    _require_not_negative(accrued_raw)
    return round_up(accrued_raw, CENT)


def _require_not_negative(amount: int) -> None:
    if amount < 0:
        raise ConfigError(
            "a fee was asked for a negative amount",
            code="negative_amount",
            remedy="Give the absolute quantity or notional of the fill",
            amount=amount,
        )
