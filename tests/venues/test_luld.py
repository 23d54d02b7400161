"""Limit up, limit down: widths of bands by tier, price, date and time, worked by hand."""

from __future__ import annotations

import datetime as dt

import pytest

from pyrt.errors import ConfigError
from pyrt.venues.luld import LuldRule, LuldWatch, state_of

OLD, NEW = dt.date(2013, 10, 7), dt.date(2024, 1, 2)
MINUTE = 60_000_000_000
NOON = (150 * MINUTE, 240 * MINUTE)
OPENING = (14 * MINUTE, 376 * MINUTE)
QUARTER_TO = (15 * MINUTE, 375 * MINUTE)
CLOSING = (365 * MINUTE, 25 * MINUTE)
BEFORE = (364 * MINUTE, 26 * MINUTE)


@pytest.mark.parametrize(
    ("rule", "reference", "date", "time", "lower", "upper"),
    [
        # Tier 1, above 3 dollars: 5 %; to the nearest cent.
        (LuldRule(), 100.00, NEW, NOON, 95.00, 105.00),
        (LuldRule(), 14.02, OLD, NOON, 13.32, 14.72),
        # Tier 2: 10 %; a fund with leverage 3: 30 %.
        (LuldRule(tier=2), 50.00, NEW, NOON, 45.00, 55.00),
        (LuldRule(tier=2, leverage=3), 50.00, NEW, NOON, 35.00, 65.00),
        # 0.75 to 3 dollars inclusive: 20 % in both tiers.
        (LuldRule(), 3.00, NEW, NOON, 2.40, 3.60),
        (LuldRule(tier=2), 0.75, NEW, NOON, 0.60, 0.90),
        # Below: the lesser of 15 cents and 75 %.
        (LuldRule(tier=2), 0.74, NEW, NOON, 0.59, 0.89),
        (LuldRule(tier=2), 0.10, NEW, NOON, 0.03, 0.18),
        # The close of the day before decides which of these it is.
        (LuldRule(previous_close=2.90), 3.10, NEW, NOON, 2.48, 3.72),
        (LuldRule(previous_close=3.01), 2.90, NEW, NOON, 2.76, 3.05),
        # Doubled in the first 15 and the last 25 minutes, until 2020.
        (LuldRule(), 100.00, OLD, OPENING, 90.00, 110.00),
        (LuldRule(), 100.00, OLD, QUARTER_TO, 95.00, 105.00),
        (LuldRule(tier=2), 100.00, OLD, CLOSING, 80.00, 120.00),
        (LuldRule(), 100.00, OLD, BEFORE, 95.00, 105.00),
        # Since amendment 18: not after the open; before the close not in tier 2 above 3 dollars.
        (LuldRule(), 100.00, NEW, OPENING, 95.00, 105.00),
        (LuldRule(), 100.00, NEW, CLOSING, 90.00, 110.00),
        (LuldRule(tier=2), 100.00, NEW, CLOSING, 90.00, 110.00),
        (LuldRule(tier=2), 2.00, NEW, CLOSING, 1.20, 2.80),
        # No band is below nothing.
        (LuldRule(tier=2, leverage=3), 2.00, NEW, CLOSING, 0.00, 4.40),
    ],
)
def test_bands_are_those_of_the_plan(
    rule: LuldRule, reference: float, date: dt.date, time: tuple[int, int], lower: float,
    upper: float,
) -> None:  # fmt: skip
    found = rule.bands(round(reference * 1e9), date, *time)
    assert [price / 1e9 for price in found] == [lower, upper]


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        ({"tier": 3}, "the plan has tiers 1 and 2"),
        ({"tier": 1, "leverage": 2}, "in tier 2 only"),
        ({"tier": 2, "leverage": 0.5}, "Give 1 or more"),
        ({"previous_close": 0}, "expected a price above 0"),
    ],
)
def test_what_makes_no_sense_is_refused(terms: dict, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        LuldRule(**terms)


def test_a_watch_says_when_the_state_changes() -> None:
    watch = LuldWatch()
    # Without bands there is no state but trading.
    assert watch.set_touch(94.0, 95.0) is None
    assert watch.set_bands(95.0, 105.0) == "limit_state"
    assert watch.set_touch(94.5, 95.0) is None
    assert watch.set_touch(94.5, 95.5) == "straddle_state"
    assert watch.set_bands(90.0, 100.0) == "trading"
    assert watch.set_touch(100.0, 100.1) == "limit_state"
    # A halt ends it without a word, and nothing is said until it is over.
    watch.set_halted(True)
    assert watch.state == "trading"
    assert watch.set_touch(100.0, 100.1) is None
    watch.set_halted(False)
    assert watch.set_touch(100.0, 100.1) == "limit_state"
    # Suspended bands are none.
    assert watch.set_bands(0.0, 0.0) == "trading"
    assert (watch.lower, watch.upper) == (0.0, float("inf"))


@pytest.mark.parametrize(
    ("bid", "ask", "state"),
    [
        (99.0, 101.0, "trading"),
        (94.0, 95.0, "limit_state"),
        (105.0, 106.0, "limit_state"),
        (95.0, 95.0, "trading"),  # locked: somebody trades there
        (0.0, 95.0, "trading"),  # one side only
        (float("nan"), 95.0, "trading"),
        (94.0, 101.0, "straddle_state"),
        (99.0, 106.0, "straddle_state"),
    ],
)
def test_states_of_a_touch(bid: float, ask: float, state: str) -> None:
    assert state_of(bid, ask, 95.0, 105.0) == state
