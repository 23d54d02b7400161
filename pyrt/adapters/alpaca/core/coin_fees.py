"""What Alpaca may keep of coins that were bought: the maker's or the taker's share of them."""

from __future__ import annotations

from datetime import datetime
from decimal import ROUND_UP, Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from pyrt.venues.alpaca.fees import CryptoTier, crypto_tier_numbered

NEW_YORK = ZoneInfo("America/New_York")
SECOND, HOUR = 1_000_000_000, 3_600_000_000_000


def may_keep(quantity: Decimal, unit: Decimal, ts: int, tier: int) -> tuple[tuple[str, str], ...]:
    """Return (liquidity, units) of each fee that a purchase may have been charged.

    Nothing where the account's tier is not one that is recorded.

    Parameters
    ----------
    unit : Decimal
        Smallest quantity of the coin: fees are rounded up to it.
    ts : int
        When it happened, ns UTC.
    tier : int
        As the account states it.
    """
    rates = _rates(ts // HOUR, tier)
    if rates is None:
        return ()
    shares = (("maker", rates.maker_bps), ("taker", rates.taker_bps))
    return tuple(
        (liquidity, f"{(quantity * bps / 10_000).quantize(unit, ROUND_UP):f}")
        for liquidity, bps in shares
    )


@lru_cache(maxsize=64)
def _rates(hours: int, tier: int) -> CryptoTier | None:
    """Return a tier at an hour since 1970: days begin at full hours in New York."""
    moment = datetime.fromtimestamp(hours * HOUR // SECOND, NEW_YORK)
    return crypto_tier_numbered(moment.date(), tier)
