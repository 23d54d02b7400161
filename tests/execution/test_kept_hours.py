"""Orders kept on our side heed regular sessions, as an exchange's own do: by hand."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from pyrt.core.instruments import crypto, listed
from pyrt.risk import RiskEngine
from pyrt.testing.gates import GateRig
from pyrt.venues.capabilities import Capabilities
from tests.backtest.harness import MINUTE, START, SYMBOL, Run, frame, play

FLAT = (100, 100, 100, 100)
LOW = (100, 100, 90, 100)
HIGH = (100, 112, 100, 100)
BARE = Capabilities(
    order_types={"market", "limit"}, times_in_force={"day", "gtc"}, groups=(), instructions=()
)
HOUR = 60 * MINUTE
EVENING = START + 44 * HOUR + 57 * MINUTE
"""15:57 in New York; the session ends after three minutes."""
MORNING = START + 2 * 24 * HOUR + 14 * HOUR + 27 * MINUTE
"""Of the next day, 09:27: the session begins after three minutes."""


def run(before: Any, after: Any, steps: Any, **options: Any) -> Run:
    """Play bars of an evening and of the next morning."""
    bars = pd.concat([frame(before, start=EVENING), frame(after, start=MORNING)])
    options = {"emulate": BARE, "instrument": listed(SYMBOL), "start": MORNING, **options}
    return play(bars, steps, **options)


def sell(**terms: Any) -> Any:
    return {0: lambda s: s.buy(SYMBOL, 10), 1: lambda s: s.sell(SYMBOL, 10, **terms)}


KEPT = [
    (LOW, {"stop_price": 95}),
    (LOW, {"stop_price": 95, "limit_price": 94}),
    (LOW, {"trail_amount": 5}),
    (LOW, {"trail_percent": 5}),
    (HIGH, {"trigger_price": 110}),
    (HIGH, {"trigger_price": 110, "limit_price": 105}),
]


@pytest.mark.parametrize(("meets", "terms"), KEPT)
@pytest.mark.parametrize("at", ["after the close", "before the open"])
def test_what_trades_outside_the_session_does_not_meet_a_kept_order(
    meets: Any, terms: Any, at: str
) -> None:
    late = at == "after the close"
    made = run(
        [FLAT, FLAT, FLAT, meets if late else FLAT],
        [FLAT, FLAT, FLAT if late else meets, FLAT, FLAT],
        sell(**terms),
    )
    assert made.statuses == ["FILLED", "EMULATED"]


@pytest.mark.parametrize(("meets", "terms"), KEPT)
def test_the_first_and_the_last_bar_of_a_session_do(meets: Any, terms: Any) -> None:
    first = run([FLAT, FLAT], [FLAT, FLAT, FLAT, meets, FLAT, FLAT], sell(**terms))
    last = run([FLAT, FLAT, meets, FLAT], [FLAT] * 5, sell(**terms))
    assert "EMULATED" not in (first.statuses[1], last.statuses[1])


def test_a_trail_does_not_move_outside_the_session() -> None:
    """The high of 112 would have put the trigger to 107."""
    bars = [HIGH, FLAT, FLAT, FLAT, (100, 104, 100, 104), FLAT]
    made = run([FLAT] * 3, bars, sell(trail_amount=5))
    assert made.statuses == ["FILLED", "EMULATED"]
    assert made.strategies[0].made[1].stop_price == 99


@pytest.mark.parametrize(
    ("first", "stop", "status"),
    [
        # It begins where the session does, not at the price before that.
        ((96, 97, 95, 96), 92, "EMULATED"),
        ((96, 96, 91, 95), None, "FILLED"),
    ],
)
def test_a_trail_that_is_set_before_the_open_begins_with_the_session(
    first: Any, stop: float | None, status: str
) -> None:
    steps = {0: lambda s: s.buy(SYMBOL, 10), 4: lambda s: s.sell(SYMBOL, 10, trail_amount=5)}
    made = run([FLAT, FLAT], [FLAT, HIGH, FLAT, first, (95, 95, 95, 95)], steps)
    assert made.statuses == ["FILLED", status]
    assert made.strategies[0].made[1].stop_price == stop


def test_a_trail_that_is_set_with_the_last_bar_begins_there() -> None:
    """A fall over night is met at the open."""
    steps = {0: lambda s: s.buy(SYMBOL, 10), 2: lambda s: s.sell(SYMBOL, 10, trail_amount=5)}
    fallen = (92, 92, 92, 92)
    made = run([FLAT] * 3, [FLAT, FLAT, FLAT, fallen, fallen, fallen], steps)
    assert made.fills[-1] == (4, -10, 92)


def test_an_order_for_extended_hours_heeds_all_prices() -> None:
    made = run(
        [FLAT] * 3, [FLAT, LOW, FLAT, FLAT, FLAT],
        sell(stop_price=95, limit_price=94, extended_hours=True),
    )  # fmt: skip
    assert made.fills[-1] == (2, -10, 100)


@pytest.mark.parametrize(("at", "status"), [(1, "EMULATED"), (2, "FILLED")])
def test_a_bar_that_the_open_falls_into_counts(at: int, status: str) -> None:
    bars = [LOW if number == at else FLAT for number in range(5)]
    made = play(
        bars, {0: lambda s: s.sell(SYMBOL, 10, stop_price=95)}, emulate=BARE,
        instrument=listed(SYMBOL), start=MORNING + MINUTE // 2, account="margin",
    )  # fmt: skip
    assert made.statuses == [status]


def rig(instrument: Any, *, opens_in: int) -> GateRig:
    """Return a rig with ten held, before a session or after the one before."""
    made = GateRig(RiskEngine(), prices=100, capabilities=BARE, symbols=[instrument])
    now = made.now
    if instrument.calendar != "24/7":
        made.kernel.sessions = lambda calendar: (
            [now - HOUR, now + opens_in], [now - HOUR // 2, now + opens_in + HOUR]
        )  # fmt: skip
    made.hold(10)
    return made


@pytest.mark.parametrize("terms", [{"stop_price": 95}, {"trail_amount": 5}])
def test_ticks_meet_a_kept_order_in_the_session_alone(terms: Any) -> None:
    made = rig(listed("AAA"), opens_in=MINUTE)
    order = made.order("sell", 10, **terms)
    made.price(90)
    made.quote(89, 91)
    assert order.status == "EMULATED"
    made.wait("1m")
    made.price(100)
    assert order.status == "EMULATED"
    made.price(95)
    assert order.status == "SENT"
    late = rig(listed("AAA"), opens_in=0)
    order = late.order("sell", 10, **terms)
    late.wait("1h")
    late.price(90)
    assert order.status == "EMULATED"


def test_what_has_no_sessions_is_met_at_any_time() -> None:
    made = rig(crypto("BTC/USD"), opens_in=MINUTE)
    order = made.order("sell", 10, stop_price=95)
    made.price(90)
    assert order.status == "SENT"


def test_an_entry_with_kept_exits_keeps_them_through_a_thin_print() -> None:
    """The trailing exit ended the take-profit at Alpaca, and sold at the open."""
    made = run(
        [FLAT] * 3, [FLAT, LOW, FLAT, FLAT, FLAT],
        {0: lambda s: s.buy(SYMBOL, 10, take_profit=120, stop_loss={"trail_percent": 5},
                            time_in_force="gtc")},
        name="alpaca", emulate="missing",
    )  # fmt: skip
    assert made.statuses == ["FILLED", "ACCEPTED", "EMULATED"]
