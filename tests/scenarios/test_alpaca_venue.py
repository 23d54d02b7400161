"""Alpaca as the venue of a backtest: what it refuses and how, one row a verdict.

Bars stand at 100 from the open of a session on; commands are given at the close of a bar. The
expected text is what Alpaca answers, as docs/alpaca-rules.md lists it.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from pyrt.core.instruments import Instrument, listed
from pyrt.errors import ConfigError
from pyrt.strategy.strategy import Strategy
from pyrt.venues.alpaca import AlpacaOptions
from tests.backtest.harness import Run, Script, play

NEW_YORK = ZoneInfo("America/New_York")
FLAT = (100, 100, 100, 100)


def ny(text: str) -> int:
    moment = dt.datetime.fromisoformat(text).replace(tzinfo=NEW_YORK)
    return int(moment.timestamp()) * 1_000_000_000


OPEN = ny("2026-11-03 09:30")


def run(
    steps: dict[int, Any],
    *,
    symbol: str = "SPY",
    start: int = OPEN,
    bars: Any = (FLAT,) * 6,
    instrument: Instrument | None = None,
    **options: Any,
) -> Run:
    """Run commands on flat bars under Alpaca's rules."""
    return play(
        {symbol: bars},
        Script(steps, symbol=symbol),
        start=start,
        instrument=instrument or listed(symbol),
        name="alpaca",
        **options,
    )


class Heard(Script):
    """A script that notes how changes were refused."""

    def __init__(self, steps: Any, **options: Any) -> None:
        super().__init__(steps, **options)
        self.refusals: list[str] = []

    def on_modify(self, event: Any) -> None:
        if event.kind == "modify_rejected":
            self.refusals.append(event.reason)


@dataclass(frozen=True)
class Row:
    """One order at the close of bar 2, after what was done before; the reason it is refused for."""

    why: str
    reason: str
    side: str = "buy"
    quantity: float | None = 1
    terms: dict[str, Any] = field(default_factory=dict)
    before: Any = None
    world: dict[str, Any] = field(default_factory=dict)


def hold(quantity: float) -> Any:
    """Own some shares by the time the order is sent."""
    return lambda s: s.buy(s._symbol, quantity)


def rest(side: str, quantity: float, **terms: Any) -> Any:
    return lambda s: getattr(s, side)(s._symbol, quantity, **terms)


PENNY = "sub-penny increment does not fulfill minimum pricing criteria"
WASH = "40310000: potential wash trade detected. use complex orders"
COIN: dict[str, Any] = {"symbol": "BTC/USD"}
# Tables are kept a verdict to a line.
# fmt: off
ROWS = [
    # types and times in force
    Row("stop for the opening auction", "42210000: invalid time_in_force opg for stop order",
        terms={"stop_price": 101, "time_in_force": "opg"}),
    Row("trailing stop, immediate", "42210000: invalid time_in_force ioc for trailing_stop order",
        terms={"trail_amount": 1, "time_in_force": "ioc"}),
    Row("immediate where not permitted", "40310000: ioc orders are not permitted for this account",
        terms={"time_in_force": "ioc"}, world={"rules": AlpacaOptions(allows_ioc_fok=False)}),
    Row("trail below a tenth of a percent",
        "40010001: trail_percent must be greater than or equal to 0.1",
        terms={"trail_percent": 0.05}),
    # crypto
    Row("a stop on coins", "40010001: invalid order type for crypto order",
        quantity=0.5, terms={"stop_price": 101}, world=COIN),
    Row("coins for the day", "42210000: invalid crypto time_in_force",
        quantity=0.5, terms={"time_in_force": "day"}, world=COIN),
    Row("a bracket on coins", "42210000: crypto orders must be simple orders",
        quantity=0.5, terms={"take_profit": 110, "stop_loss": 90}, world=COIN),
    Row("coins in extended hours", "42210000: extended hours are not supported for crypto orders",
        quantity=0.5, terms={"limit_price": 99, "extended_hours": True}, world=COIN),
    Row("coins for less than ten dollars",
        "40310000: cost basis must be >= minimal amount of order 10", quantity=0.05, world=COIN),
    Row("coins that are not held",
        "40310000: insufficient balance for BTC (requested: 1, available: 0)",
        side="sell", world=COIN),
    Row("coins beyond the cash",
        "40310000: insufficient balance for USD (requested: 200000, available: 100000)",
        quantity=2000, world=COIN),
    # fractions and dollars
    Row("a fraction, trailing",
        "42210000: fractional orders must be market, limit, stop or stop_limit orders",
        quantity=0.5, terms={"trail_amount": 1}),
    Row("a fraction with exits", "42210000: fractional orders must be simple orders",
        quantity=1.5, terms={"take_profit": 110, "stop_loss": 90}),
    Row("a fraction till canceled", "42210000: fractional orders must be DAY orders",
        quantity=0.5, terms={"limit_price": 99, "time_in_force": "gtc"}),
    Row("a fraction sold short", "42210000: fractional orders cannot be sold short",
        side="sell", quantity=0.5),
    Row("dollars below one", "42210000: notional amount must be >= 1.00",
        quantity=None, terms={"notional": 0.5}),
    Row("a fraction worth less than a dollar",
        "40310000: cost basis must be >= minimal amount of order 1", quantity=0.005),
    Row("dollars while an exit works",
        "42210000: unable to open new notional orders while having open closing position orders",
        quantity=None, terms={"notional": 50},
        before={0: hold(10), 1: rest("sell", 5, limit_price=110)}),
    # groups
    Row("a bracket entered by a trailing stop",
        "40010001: bracket orders must be market or limit orders",
        terms={"trail_amount": 1, "take_profit": 110, "stop_loss": 90}),
    Row("a trailing stop with an exit", "42210000: trailing stop orders must be simple orders",
        terms={"trail_amount": 1, "stop_loss": 90}),
    Row("a bracket for the auction", "42210000: bracket orders must be DAY or GTC orders",
        terms={"take_profit": 110, "stop_loss": 90, "time_in_force": "opg"}),
    Row("one exit for the auction", "42210000: oto orders must be DAY or GTC orders",
        terms={"stop_loss": 90, "time_in_force": "cls"}),
    Row("a bracket in extended hours",
        "42210000: bracket orders are not supported in extended hours",
        terms={"limit_price": 99, "take_profit": 110, "stop_loss": 90, "extended_hours": True}),
    Row("a bracket against a position", "42210000: bracket orders must be entry orders",
        side="sell", terms={"take_profit": 90, "stop_loss": 110}, before={0: hold(10)}),
    Row("one exit against a position", "42210000: oto orders must be entry orders",
        side="sell", terms={"stop_loss": 110}, before={0: hold(10)}),
    Row("a profit less than a cent away",
        "42210000: take_profit.limit_price must be >= base_price + 0.01",
        terms={"take_profit": 100, "stop_loss": 90}),
    Row("a loss less than a cent away",
        "42210000: stop_loss.stop_price must be <= base_price - 0.01",
        terms={"take_profit": 110, "stop_loss": 100}),
    # prices
    Row("a third decimal", f"42210000: invalid limit_price 99.123. {PENNY}",
        terms={"limit_price": 99.123}),
    Row("a third decimal in the stop", f"42210000: invalid stop_price 101.005. {PENNY}",
        terms={"stop_price": 101.005}),
    Row("a third decimal in an exit", f"42210000: invalid take_profit.limit_price 110.001. {PENNY}",
        terms={"take_profit": 110.001, "stop_loss": 90}),
    Row("a fifth decimal below a dollar", f"42210000: invalid limit_price 0.12345. {PENNY}",
        terms={"limit_price": 0.12345}),
    Row("a buy stop below the market", "42210000: stop price must be greater than current price",
        terms={"stop_price": 99}),
    Row("a sell stop above the market", "42210000: stop price must be less than current price",
        side="sell", terms={"stop_price": 101}, before={0: hold(10)}),
    # hours
    Row("the opening auction at noon",
        "40310000: opg orders must be submitted after 7:00pm and before 9:28am",
        terms={"time_in_force": "opg"}),
    Row("the closing auction at 15:53",
        "40310000: cls orders must be submitted after 7:00pm and before 3:50pm",
        terms={"time_in_force": "cls"}, world={"start": ny("2026-11-03 15:50")}),
    Row("the closing auction of a half day at 12:53",
        "40310000: cls orders must be submitted after 7:00pm and before 12:50pm",
        terms={"time_in_force": "cls"}, world={"start": ny("2026-11-27 12:50")}),
    Row("a market order for extended hours",
        "42210000: extended hours order must be DAY or GTC limit orders",
        terms={"extended_hours": True}),
    Row("till canceled for extended hours, before 2026",
        "42210000: extended hours order must be DAY limit orders",
        terms={"limit_price": 99, "extended_hours": True, "time_in_force": "gtc"},
        world={"start": ny("2025-11-04 09:30")}),
    # funds and shares
    Row("more than the account can carry", "40310000: insufficient buying power", quantity=1001),
    Row("what open orders have reserved is gone", "40310000: insufficient buying power",
        quantity=600, before={1: rest("buy", 500, limit_price=99)}),
    Row("the collar counts: 980 × 102.5 is more than 100,000",
        "40310000: insufficient buying power", quantity=980),
    Row("a short at 3 % above the ask", "40310000: insufficient buying power",
        side="sell", quantity=971),
    Row("more than is held",
        "40310000: insufficient qty available for order (requested: 11, available: 10)",
        side="sell", quantity=11, before={0: hold(10)}),
    Row("more than other exits leave",
        "40310000: insufficient qty available for order (requested: 6, available: 5)",
        side="sell", quantity=6, terms={"limit_price": 111},
        before={0: hold(10), 1: rest("sell", 5, limit_price=110)}),
    Row("a short of a small account", "40310000: account is not allowed to short",
        side="sell", world={"cash": 1999}),
    Row("a short of what cannot be borrowed", '42210000: asset "SPY" cannot be sold short',
        side="sell", world={"instrument": lambda: listed("SPY", shortable=False)}),
    Row("short while a buy works", "40310000: cannot open a short sell while a long buy order is "
        "open", side="sell", terms={"limit_price": 101},
        before={1: rest("buy", 1, limit_price=99)}),
    Row("long while a short works", "40310000: cannot open a long buy while a short sell order is "
        "open", terms={"limit_price": 99}, before={1: rest("sell", 1, limit_price=101)}),
    Row("fractions of what has none", "40310000: requested asset is not fractionable",
        quantity=None, terms={"notional": 50},
        world={"instrument": lambda: listed("SPY", step_size=1)}),
    # wash trades
    Row("a market order against one's own limit", WASH,
        before={0: hold(10), 1: rest("sell", 5, limit_price=110)}),
    Row("a limit that meets one's own", WASH, terms={"limit_price": 110},
        before={0: hold(10), 1: rest("sell", 5, limit_price=110)}),
    Row("against one's own stop", WASH, terms={"limit_price": 80},
        before={0: hold(10), 1: rest("sell", 5, stop_price=90)}),
]
# fmt: on


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.why.replace(" ", "_"))
def test_what_alpaca_refuses_is_rejected_with_its_words(row):
    steps = dict(row.before or {})
    steps[2] = rest(row.side, row.quantity, **row.terms)
    world = {k: v() if callable(v) else v for k, v in row.world.items()}
    made = run(steps, **world)
    assert (made.statuses[-1], made.reasons[-1]) == ("REJECTED", row.reason)


# fmt: off
TAKEN = [
    ("whole shares", {}, {}),
    ("the last dollars", {"quantity": 975}, {}),
    ("a fraction for the day", {"quantity": 0.5, "limit_price": 99}, {}),
    ("four decimals below a dollar", {"limit_price": 0.1234}, {}),
    ("extended hours", {"limit_price": 99, "extended_hours": True}, {}),
    ("extended hours, till canceled, since 2026",
     {"limit_price": 99, "extended_hours": True, "time_in_force": "gtc"}, {}),
    ("the closing auction at 15:49", {"time_in_force": "cls"},
     {"start": ny("2026-11-03 15:46")}),
    ("the opening auction at 9:27", {"time_in_force": "opg"},
     {"start": ny("2026-11-03 09:24")}),
    ("a bracket a cent away", {"take_profit": 100.01, "stop_loss": 99.99}, {}),
]
# fmt: on


@pytest.mark.parametrize(("why", "terms", "world"), TAKEN, ids=[row[0] for row in TAKEN])
def test_what_alpaca_takes_is_taken(why, terms, world):
    terms = dict(terms)
    quantity = terms.pop("quantity", 1)
    assert "REJECTED" not in run({2: rest("buy", quantity, **terms)}, **world).statuses


# -- groups ------------------------------------------------------------------------------------


def test_a_refused_bracket_takes_its_exits_with_it():
    made = run({2: rest("buy", 1, take_profit=110, stop_loss=100)})
    reason = "42210000: stop_loss.stop_price must be <= base_price - 0.01"
    assert made.statuses == ["REJECTED"] * 3
    assert made.reasons == [reason] * 3


def test_a_pair_is_one_request_and_refused_as_one():
    steps = {
        0: hold(10),
        1: rest("sell", 5, limit_price=120),
        2: lambda s: s.oco("SPY", 10, take_profit=110, stop_loss=90),
    }
    made = run(steps)
    reason = "40310000: insufficient qty available for order (requested: 10, available: 5)"
    assert made.statuses[2:] == ["REJECTED", "REJECTED"]
    assert made.reasons[2:] == [reason, reason]


def test_a_pair_is_taken_and_one_cancels_the_other():
    steps = {0: hold(10), 1: lambda s: s.oco("SPY", 10, take_profit=110, stop_loss=90)}
    bars = [FLAT, FLAT, (100, 112, 100, 111), (111, 111, 111, 111)]
    made = run(steps, bars=bars)
    assert made.statuses == ["FILLED", "FILLED", "CANCELED"]
    assert made.fills[1] == (3, -10, 110)


# -- replacing -----------------------------------------------------------------------------------


# fmt: off
CHANGES = [
    ("nothing new but the id that each change has", {"limit_price": 99}, ""),
    ("a third decimal", {"limit_price": 98.123}, f"42210000: invalid limit_price 98.123. {PENNY}"),
    ("a part of a share", {"quantity": 2.5}, "40010001: qty must be integer"),
    ("beyond the buying power", {"quantity": 5000}, "40310000: insufficient buying power"),
    ("a new price", {"limit_price": 98}, ""),
    ("a new quantity", {"quantity": 3}, ""),
]
# fmt: on


@pytest.mark.parametrize(("why", "changes", "reason"), CHANGES, ids=[row[0] for row in CHANGES])
def test_replacing_follows_the_rules(why, changes, reason):
    def change(s):
        s.modify(s.made[0], **changes)

    script = Heard({0: rest("buy", 2, limit_price=99), 2: change}, symbol="SPY")
    play({"SPY": (FLAT,) * 6}, script, start=OPEN, instrument=listed("SPY"), name="alpaca")
    assert script.refusals == ([reason] if reason else [])


def test_an_order_that_waits_for_the_session_cannot_be_replaced():
    steps = {
        0: rest("buy", 1, limit_price=99),
        1: lambda s: s.modify(s.made[0], limit_price=98),
        5: lambda s: s.modify(s.made[0], limit_price=98),
    }
    script = Heard(steps, symbol="SPY")
    start = ny("2026-11-03 09:27")
    made = play({"SPY": (FLAT,) * 7}, script, start=start, instrument=listed("SPY"), name="alpaca")
    assert script.refusals == [
        "42210000: unable to replace order, order isn't sent to exchange yet"
    ]
    # Once the session runs it can.
    assert made.table("orders")[0]["limit_price"] == 98


# -- hours and ends ------------------------------------------------------------------------------


def test_an_order_sent_before_the_open_waits_for_it():
    bars = [FLAT, FLAT, FLAT, (101, 101, 101, 101), FLAT]
    made = run({0: hold(1)}, start=ny("2026-11-03 09:27"), bars=bars)
    assert made.fills == [(3, 1, 101)]


def test_extended_hours_trade_before_the_open_and_after_the_close():
    bars = [FLAT, (100, 100, 98, 98), FLAT]
    order = rest("buy", 1, limit_price=99, extended_hours=True)
    assert run({0: order}, start=ny("2026-11-03 08:00"), bars=bars).fills == [(2, 1, 99)]
    assert run({0: order}, start=ny("2026-11-03 18:00"), bars=bars).fills == [(2, 1, 99)]
    plain = rest("buy", 1, limit_price=99)
    assert run({0: plain}, start=ny("2026-11-03 08:00"), bars=bars).fills == []


def test_a_day_order_for_extended_hours_ends_with_after_hours():
    def ends(start, **terms):
        made = run({0: rest("buy", 1, limit_price=90, **terms)}, start=ny(start), bars=[FLAT] * 8)
        return made.statuses

    assert ends("2026-11-03 15:56") == ["EXPIRED"]
    assert ends("2026-11-03 15:56", extended_hours=True) == ["ACCEPTED"]
    assert ends("2026-11-03 19:56", extended_hours=True) == ["EXPIRED"]
    # A half day's after-hours end at 17:00.
    assert ends("2026-11-27 16:56", extended_hours=True) == ["EXPIRED"]


def test_till_canceled_is_ninety_days():
    class Daily(Strategy):
        def on_start(self):
            self.subscribe_bars("SPY", "1d")
            self.ends = 0

        def on_bar(self, bar):
            if not self.ends:
                self.ends = -1
                self.buy("SPY", 1, limit_price=90, time_in_force="gtc")

        def on_expire(self, event):
            self.ends = event.ts_event

    daily = Daily()
    play(
        {"SPY": [FLAT] * 96},
        daily,
        start=ny("2026-01-05 09:30"),
        minutes=1440,
        timeframe="1d",
        instrument=listed("SPY", calendar="24/7"),
        name="alpaca",
    )
    # Sent on January 6th at the first bar's close.
    assert daily.ends == ny("2026-04-06 16:15")


def test_defaults_are_the_day_for_shares_and_till_canceled_for_coins():
    assert run({0: hold(1)}).table("orders")[0]["time_in_force"] == "day"
    assert run({0: hold(1)}, **COIN).table("orders")[0]["time_in_force"] == "gtc"


# -- latency -------------------------------------------------------------------------------------


def test_a_refusal_is_heard_after_the_latency():
    script = Script({2: rest("buy", 5000)}, symbol="SPY")
    play(
        {"SPY": (FLAT,) * 6},
        script,
        start=OPEN,
        instrument=listed("SPY"),
        name="alpaca",
        latency="50ms",
    )
    assert script.happened[-1] == ("rejected", OPEN + 3 * 60_000_000_000 + 50_000_000)


@pytest.mark.parametrize(("latency", "heard"), [("90s", []), ("20s", ["modify_rejected"])])
def test_a_refused_change_is_no_news_where_its_order_has_ended_by_then(latency, heard):
    """The run ended with an answer about an order that nobody knew any more."""
    steps = {0: rest("buy", 2, limit_price=101), 1: lambda s: s.modify(s.made[0], quantity=2.5)}
    script = Script(steps, symbol="SPY")
    bars = (FLAT, (102,) * 4 if heard else FLAT, FLAT, FLAT, FLAT, FLAT)
    play(
        {"SPY": bars}, script, start=OPEN, instrument=listed("SPY"), name="alpaca",
        latency=latency,
    )  # fmt: skip
    kinds = [kind for kind, _ in script.happened]
    assert kinds == ["sent", "accepted", *heard, "fill"]


# -- settings ------------------------------------------------------------------------------------


def test_rules_need_the_venue_they_are_of():
    with pytest.raises(ConfigError, match="venue 'sim'"):
        play({"SPY": [FLAT]}, Script({}, symbol="SPY"), rules=AlpacaOptions())


def at_alpaca(bars: Any, steps: Any, **options: Any) -> Run:
    return run(steps, bars=bars, fees="none", **options)


# -- buy stops -------------------------------------------------------------------------------------

# A buy stop at 101 turns into a limit of 103.52 (2.5 %), one at 20 into 20.80 (4 %).
COLLARED = [
    # What it is, what is sent, the bars after it, the fills.
    ("in reach", {"stop_price": 101}, [(100, 104, 99, 103)], [(2, 1, 101)]),
    ("a gap inside the collar", {"stop_price": 101}, [(103.5, 104, 103, 103)], [(1, 1, 103.5)]),
    ("a gap beyond it", {"stop_price": 101}, [(104, 105, 104, 105), (105, 106, 105, 106)], []),
    ("a gap that closes", {"stop_price": 101}, [(104, 105, 104, 105), (103, 103, 102, 102)],
     [(2, 1, 103)]),
    ("it rests at its limit", {"stop_price": 101}, [(104, 105, 104, 105), (104, 104, 103, 103)],
     [(3, 1, 103.52)]),
    ("of a short bracket", {"side": "sell", "take_profit": 90, "stop_loss": 101},
     [(100, 100, 100, 100), (104, 105, 104, 105)], [(1, -1, 100)]),
    ("one that trails is a market order", {"trail_amount": 1}, [(104, 105, 104, 105)],
     [(1, 1, 104)]),
]  # fmt: skip


@pytest.mark.parametrize("row", COLLARED, ids=lambda row: row[0].replace(" ", "_"))
def test_a_buy_stop_in_a_stock_pays_no_more_than_its_collar(row):
    _, terms, bars, fills = row
    terms = dict(terms)
    side = terms.pop("side", "buy")
    made = at_alpaca([FLAT, *bars], {0: lambda s: getattr(s, side)("SPY", 1, **terms)})
    assert made.fills == fills


def test_sell_stops_cheap_stocks_and_plain_venues():
    steps = {0: lambda s: s.buy("SPY", 1), 1: lambda s: s.sell("SPY", 1, stop_price=99)}
    bars = [(100, 100, 100, 100)] * 2 + [(90, 90, 90, 90)]
    assert at_alpaca(bars, steps).fills[1:] == [(2, -1, 90)]
    cheap = [(19, 19, 19, 19), (20.8, 21, 20.8, 21)]
    assert at_alpaca(cheap, {0: lambda s: s.buy("SPY", 1, stop_price=20)}).fills == [(1, 1, 20.8)]
    beyond = [(19, 19, 19, 19), (20.81, 21, 20.81, 21)]
    assert at_alpaca(beyond, {0: lambda s: s.buy("SPY", 1, stop_price=20)}).fills == []
    gap = [(100, 100, 100, 100), (110, 110, 110, 110)]
    assert play(gap, {0: lambda s: s.buy("AAA", 1, stop_price=101)}).fills == [(1, 1, 110)]
    options = AlpacaOptions(collars_buy_stops=False)
    off = at_alpaca(gap, {0: lambda s: s.buy("SPY", 1, stop_price=101)}, rules=options)
    assert off.fills == [(1, 1, 110)]


def test_slippage_takes_a_collared_stop_to_its_limit_and_no_further():
    terms = {0: lambda s: s.buy("SPY", 1, stop_price=101)}
    bars = [(100, 100, 100, 100), (103, 104, 103, 104)]
    assert at_alpaca(bars, terms, slippage="bps:10").fills == [(1, 1, 103.11)]
    assert at_alpaca(bars, terms, slippage="bps:200").fills == [(1, 1, 103.52)]
