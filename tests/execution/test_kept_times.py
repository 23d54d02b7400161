"""How long orders last whose time in force the venue lacks, or that wait on our side: by hand."""

from __future__ import annotations

from typing import Any

import pytest

from pyrt.core.instruments import Instrument, crypto, listed
from pyrt.live.core import restore
from pyrt.live.journal.records import OrderState
from pyrt.risk import RiskEngine
from pyrt.strategy.strategy import Strategy
from pyrt.testing.gates import GateRig
from pyrt.venues.capabilities import Capabilities
from tests.backtest.harness import MINUTE, START, SYMBOL, Script, play

FLAT = (100, 100, 100, 100)
WIDE = (100, 103, 97, 99)
SECOND = 10**9
TYPES = {"market", "limit"}
BARE = Capabilities(
    order_types=TYPES, times_in_force={"day", "gtc"}, groups=(), instructions=()
)  # fmt: skip
ENDED = "time_in_force: it has ended"


def rig(table: Any = BARE, symbol: Any = "AAA") -> Any:
    return GateRig(RiskEngine(), prices=100, capabilities=table, symbols=[symbol])


def until(made: GateRig, seconds: float) -> int:
    return int(made.now + seconds * SECOND)


# -- the time under which an order is sent ---------------------------------------------------------

SHARE = listed("AAA")
COIN = crypto("BTC/USD")

# fmt: off
SENT_AS = [
    # The instrument, what the venue knows, the quantity, and the time it is sent under.
    (SHARE, {"day", "gtc"}, {"quantity": 2}, "gtc"),
    (SHARE, {"day", "gtc"}, {"quantity": 1.5}, "day"),
    (SHARE, {"day", "gtc"}, {"notional": 50}, "day"),
    (SHARE, {"day"}, {"quantity": 2}, "day"),
    (COIN, {"day", "gtc"}, {"quantity": 2}, "gtc"),
    (COIN, {"day", "gtc"}, {"quantity": 1.5}, "gtc"),
    (COIN, {"day", "gtc"}, {"notional": 50}, "gtc"),
    (SHARE, {"day", "gtc", "gtd"}, {"quantity": 1.5}, "gtd"),
]
# fmt: on


@pytest.mark.parametrize(("instrument", "times", "size", "tif"), SENT_AS)
def test_an_order_with_an_end_is_sent_under_a_time_the_venue_knows(
    instrument: Instrument, times: Any, size: Any, tif: str
) -> None:
    table = Capabilities(order_types=TYPES, times_in_force=times, groups=(), instructions=())
    made = rig(table, instrument)
    order = made.order("buy", **size, expires_at=until(made, 60))
    assert (order.status, order.time_in_force) == ("SENT", tif)
    made.answer("accept", order)
    made.wait("60s")
    # The venue ends what it knows the end of.
    assert made.venue.withdrawn == ([] if tif == "gtd" else [order])


@pytest.mark.parametrize("tif", ["ioc", "fok", "opg", "cls"])
def test_what_ends_by_itself_is_sent_as_it_is(tif: str) -> None:
    made = rig()
    order = made.order("buy", 1, limit_price=90, time_in_force=tif)
    made.wait("1d")
    assert (order.status, order.time_in_force, made.venue.withdrawn) == ("SENT", tif, [])


def test_the_venues_word_for_our_cancel_is_that_the_order_has_expired() -> None:
    made = rig()
    order = made.order("buy", 1, limit_price=90, expires_at=until(made, 60))
    other = made.order("buy", 1, limit_price=90)
    made.wait("59s")
    assert made.venue.withdrawn == []
    made.wait("1s")
    for each in (order, other):
        made.cancel(each)
        made.answer("cancel", each)
    assert made.venue.withdrawn == [order, other]
    assert (order.status, order.reason) == ("EXPIRED", ENDED)
    assert (other.status, other.reason) == ("CANCELED", "")


# -- the end comes, whatever happens ---------------------------------------------------------------


def test_an_order_that_could_not_be_canceled_at_its_end_is_canceled_again() -> None:
    """It worked on for ever."""
    made = rig()
    order = made.order("buy", 1, limit_price=90, expires_at=until(made, 60))
    made.answer("accept", order)
    made.wait("60s")
    for asked in (1, 2, 3):
        assert made.venue.withdrawn == [order] * asked
        made.answer("cancel_rejected", order)
        made.wait("4999ms")
        assert made.venue.withdrawn == [order] * asked
        made.wait("1ms")
    made.answer("cancel", order)
    assert order.status == "EXPIRED"
    made.answer("cancel_rejected", order)
    made.wait("1m")
    assert len(made.venue.withdrawn) == 4


def test_a_cancel_of_ones_own_that_is_refused_is_not_asked_for_again() -> None:
    made = rig()
    order = made.order("buy", 1, limit_price=90)
    made.answer("accept", order)
    made.cancel(order)
    made.answer("cancel_rejected", order)
    made.wait("1m")
    assert made.venue.withdrawn == [order]


class Fails(Strategy):
    """Leaves an exit with an end, or one for the day, behind, and is halted for an error."""

    terms: Any = None

    def on_start(self) -> None:
        self.subscribe_bars(SYMBOL, "1m")
        self.bars = 0

    def on_bar(self, bar: Any) -> None:
        self.bars += 1
        if self.bars == 1:
            self.buy(SYMBOL, 10)
        if self.bars == 3:
            self.sell(SYMBOL, 10, **self.terms)
        if self.bars == 4:
            raise ValueError("a bug")


@pytest.mark.parametrize("emulate", ["missing", BARE])
@pytest.mark.parametrize("terms", [{"limit_price": 120}, {"stop_price": 80}])
def test_orders_of_a_strategy_that_was_halted_end_at_their_time(emulate: Any, terms: Any) -> None:
    """At a venue that does not know the end they worked for ever."""
    made = play(
        [FLAT] * 9,
        Fails(terms={**terms, "expires_at": START + 6 * MINUTE}),
        emulate=emulate,
        engine={"on_error": "halt"},
        check=False,
    )
    assert made.statuses == ["FILLED", "EXPIRED"]
    assert made.reasons[1] == ENDED


def test_a_timer_of_a_strategy_is_no_end_of_an_order() -> None:
    """It took the place of ours where it had the same name."""
    made = rig()
    order = made.order("buy", 1, limit_price=90, expires_at=until(made, 60))
    strategy = made.kernel.strategies[0]
    strategy.set_timer(f"end-{order.number}", "1d", lambda event: None)
    made.wait("60s")
    assert made.venue.withdrawn == [order]


# -- after a restart -------------------------------------------------------------------------------


def back(made: GateRig, **more: Any) -> Any:
    """Return an order of an earlier run that works at the venue."""
    values: dict[str, Any] = {
        "strategy": "A", "symbol": "AAA", "side": "sell", "order_type": "limit", "quantity": "10",
        "time_in_force": "gtc", "status": "ACCEPTED", "limit_price": "110", "ts_init": 7,
    }  # fmt: skip
    state = OrderState(client_order_id="old-1", **{**values, **more})
    (order,) = restore.restore_orders(made.kernel, [state])
    return order


@pytest.mark.parametrize("passed", [False, True])
def test_an_order_of_an_earlier_run_ends_at_its_time(passed: bool) -> None:
    """Alpaca has it as good till canceled, and nobody ended it any more."""
    made = rig()
    order = back(made, expires_at=until(made, -60 if passed else 60))
    made.wait("59s")
    assert made.venue.withdrawn == ([order] if passed else [])
    made.wait("1s")
    assert made.venue.withdrawn == [order]
    made.answer("cancel", order)
    assert (order.status, order.reason) == ("EXPIRED", ENDED)


@pytest.mark.parametrize(
    ("table", "terms"),
    [
        (None, {"time_in_force": "gtd"}),
        (Capabilities(groups=()), {"time_in_force": "gtd"}),
        (BARE, {"expires_at": 0}),
    ],
)
def test_the_venue_ends_what_it_knows_the_end_of(table: Any, terms: Any) -> None:
    made = rig(table)
    back(made, **{"expires_at": until(made, 60), **terms})
    made.wait("1d")
    assert made.venue.withdrawn == []


@pytest.mark.parametrize(
    ("flags", "table", "follows"),
    [
        (("reduce_only",), BARE, True),
        (("reduce_only",), Capabilities(groups=()), False),
        (("reduce_only",), None, False),
        (("is_child", "keeps_exits"), BARE, True),
        (("is_child",), BARE, False),
        (("keeps_exits",), BARE, False),
    ],
)
def test_an_order_of_an_earlier_run_follows_the_position_again(
    flags: Any, table: Any, follows: bool
) -> None:
    made = rig(table)
    made.hold(10)
    order = back(made, flags=flags)
    made.hold(-4)
    assert [units for _, units, _ in made.venue.changed] == ([6 * 10**9] if follows else [])
    made.hold(-6)
    assert made.venue.withdrawn == ([order] if follows else [])


# -- the time under which a kept order leaves ------------------------------------------------------

DAY_START = START + (24 + 14) * 3600 * SECOND + 30 * 60 * SECOND

# fmt: off
LEAVE = [
    # At Alpaca, an order that waited for its price was refused when that had come.
    ("BTC/USD", {"quantity": 0.9, "time_in_force": "day"}),
    ("BTC/USD", {"quantity": 0.9, "time_in_force": "gtc"}),
    ("BTC/USD", {"quantity": 0.9, "time_in_force": "ioc"}),
    ("SPY", {"quantity": 0.9, "time_in_force": "gtc"}),
    ("SPY", {"quantity": 0.9, "time_in_force": "day"}),
    ("SPY", {"quantity": 1, "time_in_force": "gtc"}),
    ("SPY", {"quantity": 1, "expires_at": DAY_START + 60 * MINUTE}),
]
# fmt: on


@pytest.mark.parametrize(("symbol", "terms"), LEAVE)
def test_a_kept_order_leaves_under_a_time_that_the_venue_takes(symbol: str, terms: Any) -> None:
    made = play(
        {symbol: [FLAT, FLAT, WIDE, FLAT]},
        Script(
            {
                0: lambda s: s.buy(symbol, 1),
                1: lambda s: s.sell(symbol, trigger_price=98, **terms),
            },
            symbol=symbol,
        ),
        start=DAY_START, instrument=listed(symbol), name="alpaca", fees="none", emulate="all",
    )  # fmt: skip
    assert made.statuses == ["FILLED", "FILLED"]


@pytest.mark.parametrize(
    ("symbol", "quantity", "times", "tif", "left"),
    [
        (COIN, 1.5, {"gtc", "ioc"}, "day", "gtc"),
        (COIN, 1.5, {"gtc", "ioc"}, "gtc", "gtc"),
        (COIN, 1.5, {"gtc", "ioc"}, "ioc", "ioc"),
        (SHARE, 1.5, {"gtc", "day"}, "gtc", "day"),
        (SHARE, 1.5, {"gtc", "day"}, "day", "day"),
        (SHARE, 1.5, {"gtc", "day", "ioc"}, "ioc", "ioc"),
        (SHARE, 2, {"gtc", "day"}, "gtc", "gtc"),
        (SHARE, 2, {"gtc", "day"}, "day", "day"),
        (SHARE, 2, {"day"}, "gtc", "day"),
    ],
)
def test_until_it_leaves_a_kept_order_has_its_own_time(
    symbol: Instrument, quantity: float, times: Any, tif: str, left: str
) -> None:
    table = Capabilities(order_types=TYPES, times_in_force=times, groups=(), instructions=())
    made = rig(table, symbol)
    order = made.order("buy", quantity, stop_price=110, limit_price=120, time_in_force=tif)
    assert (order.status, order.time_in_force) == ("EMULATED", tif)
    made.price(110)
    assert (order.status, order.time_in_force) == ("SENT", left)
    # One for the day ends with it, by whatever name it has left.
    made.answer("accept", order)
    made.wait("1d")
    assert made.venue.withdrawn == ([order] if tif == "day" else [])


@pytest.mark.parametrize("tif", ["ioc", "fok", "opg", "cls"])
@pytest.mark.parametrize("known", [False, True])
def test_a_kept_order_that_could_not_leave_as_what_it_is_never_waits(tif: str, known: bool) -> None:
    times = {"day", "gtc", tif} if known else {"day", "gtc"}
    table = Capabilities(order_types=TYPES, times_in_force=times, groups=(), instructions=())
    made = rig(table)
    order = made.order("buy", 1, stop_price=110, time_in_force=tif)
    assert order.status == ("EMULATED" if known else "DENIED")
    assert order.reason.startswith("" if known else f"time_in_force: the venue knows no {tif!r}")


# -- the end of a day ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "ends"),
    [
        # Bars from 15:57 in New York; the session ends after three of them.
        (0, 3), (1, 3),
        # At its last instant a session is over.
        (2, None), (3, None),
    ],
)  # fmt: skip
def test_an_order_for_the_day_ends_with_the_session_that_runs_or_comes(
    at: int, ends: int | None
) -> None:
    start = START + (24 + 20) * 3600 * SECOND + 57 * MINUTE
    made = play(
        [FLAT] * 6, {at: lambda s: s.buy(SYMBOL, 10, stop_price=110, time_in_force="day")},
        start=start, instrument=listed(SYMBOL), emulate=BARE,
    )  # fmt: skip
    told = [ts for kind, ts in made.strategies[0].happened if kind == "expired"]
    assert told == ([] if ends is None else [start + ends * MINUTE])


@pytest.mark.parametrize("waited", ["0s", "1s", "86399s"])
def test_without_sessions_a_day_is_one_of_utc(waited: str) -> None:
    made = rig()
    began = made.now
    assert began % (86_400 * SECOND) == 0
    made.wait(waited)
    order = made.order("buy", 1, stop_price=110, time_in_force="day")
    made.wait(began + 86_400 * SECOND - 1 - made.now)
    assert order.status == "EMULATED"
    made.wait(1)
    assert (order.status, order.ts_last) == ("EXPIRED", began + 86_400 * SECOND)


@pytest.mark.parametrize("exits", [{"stop_loss": 90}, {"take_profit": 110, "stop_loss": 90}])
@pytest.mark.parametrize("emulate", ["missing", BARE])
def test_exits_of_an_entry_that_has_expired_in_part_end_with_it(exits: Any, emulate: Any) -> None:
    """Those that we keep began to work at the close, until that of the next day."""
    start = START + (24 + 20) * 3600 * SECOND + 57 * MINUTE
    thin, rest = (100, 100, 98, 99, 100), [(*FLAT, 1e6)] * 3
    made = play(
        [(*FLAT, 1e6), thin, (*FLAT, 1), *rest],
        {0: lambda s: s.buy(SYMBOL, 10, limit_price=99, time_in_force="day", **exits)},
        start=start, instrument=listed(SYMBOL), emulate=emulate, participation=0.04,
    )  # fmt: skip
    assert made.fills == [(2, 4, 99)]
    assert made.statuses == ["EXPIRED"] * (1 + len(exits))
    assert set(made.reasons) == {ENDED}


@pytest.mark.parametrize("tif", ["ioc", "opg"])
def test_exits_that_wait_longer_than_their_entry_outlive_it(tif: str) -> None:
    table = Capabilities(order_types=TYPES, groups=(), instructions=())
    made = rig(table)
    entry = made.order("buy", 10, limit_price=100, time_in_force=tif, stop_loss=90)
    made.fill(entry, 4)
    made.answer("expire", entry)
    assert (entry.stop_loss.status, entry.stop_loss.quantity) == ("EMULATED", 4)


def test_after_the_last_session_that_is_known_nothing_ends_an_order() -> None:
    made = rig(BARE, SHARE)
    kernel = made.kernel
    opened = kernel.clock.timestamp_ns
    kernel.sessions = lambda calendar: ([opened - 2 * SECOND], [opened - SECOND])
    order = made.order("buy", 10, stop_price=110, time_in_force="day")
    made.wait("7d")
    assert order.status == "EMULATED"
