"""Every kind of market news reaches its handler in the node as it does in a backtest."""

from __future__ import annotations

from typing import Any

import pytest

from pyrt import Strategy
from pyrt.adapters.alpaca.core.events import (
    BandsEvent,
    BarEvent,
    CorrectionEvent,
    NewsGapEvent,
    QuoteEvent,
    StatusEvent,
    TradeEvent,
)
from pyrt.core.instruments import crypto, equity
from pyrt.live.core.node import NodeCore
from pyrt.live.core.notes import decode_note
from pyrt.live.core.player import play
from pyrt.live.core.tape import Tape
from pyrt.risk import Limits, RiskEngine
from pyrt.risk.gate import BasicGate

SECOND = 1_000_000_000
NOW = 1_381_152_600 * SECOND
BAR = (95.0, 95.0, 95.0, 95.0, 10.0)


class Wire:
    """A client that notes what it is asked for."""

    def __init__(self) -> None:
        self.subscribed: list[tuple[str, str]] = []

    def subscribe(self, channel: str, symbol: str) -> None:
        self.subscribed.append((channel, symbol))


class Listener(Strategy):
    def on_start(self):
        self.subscribe_quotes("SPY")
        self.subscribe_trades("BTC/USD")
        self.subscribe("data.corrections.SPY", self.on_correction)
        self.heard: list[tuple[str, Any]] = []

    def on_quote(self, quote):
        self.heard.append(("quote", (quote.bid_price, quote.ask_size, quote.ts_event)))

    def on_trade(self, trade):
        self.heard.append(("trade", (trade.price, trade.size, trade.aggressor)))

    def on_status(self, status):
        self.heard.append(("status", (status.symbol, status.status, status.reason)))

    def on_correction(self, correction):
        self.heard.append(("correction", correction.price))


def node_of(strategy: Strategy, gate: Any = None) -> tuple[NodeCore, Wire]:
    wire = Wire()
    instruments = [equity("SPY"), crypto("BTC/USD")]
    node = NodeCore(wire, gate or BasicGate(), instruments, [strategy], cash=1000, prefix="t-")
    node.start(NOW)
    return node, wire


def test_each_kind_of_news_reaches_its_handler():
    listener = Listener()
    node, wire = node_of(listener)
    assert wire.subscribed == [("quotes", "SPY"), ("trades", "BTC/USD")]
    news = [
        QuoteEvent("SPY", NOW + 1, 99.0, 100.0, 99.5, 300.0),
        TradeEvent("BTC/USD", NOW + 2, 20_000.5, 0.25, -1),
        StatusEvent("SPY", NOW + 3, "halted", "LULD"),
        CorrectionEvent("SPY", NOW + 4, "corrected", 1.0, 1.0, 1.5, 1.0),
        QuoteEvent("QQQ", NOW + 5, 1.0, 1.0, 2.0, 1.0),
    ]
    node.take(NOW + SECOND, news)
    assert listener.heard == [
        ("quote", (99.0, 300.0, NOW + 1)),
        ("trade", (20_000.5, 0.25, -1)),
        ("status", ("SPY", "halted", "LULD")),
        ("correction", 1.5),
    ]


class Coarse(Strategy):
    def on_start(self):
        for symbol, timeframe in (("SPY", "5m"), ("BTC/USD", "10s")):
            self.subscribe_bars(symbol, timeframe)
        self.bars: list[tuple[str, str, float, int]] = []

    def on_bar(self, bar):
        self.bars.append((bar.symbol, bar.timeframe, bar.close, bar.ts_event))


def test_coarser_bars_are_made_of_minutes_and_odd_ones_of_prints():
    coarse = Coarse()
    node, wire = node_of(coarse)
    assert wire.subscribed == [("bars", "SPY"), ("trades", "BTC/USD")]
    minute = 60 * SECOND
    for number in range(5):
        opened = NOW + number * minute
        prices = (1.0, 2.0, 0.5, 1.0 + number, 10.0)
        node.take(opened + minute, [BarEvent("SPY", opened, opened + minute, prices)])
    ts = NOW + 5 * minute
    assert coarse.bars == [("SPY", "5m", 5.0, ts)]
    node.take(ts + SECOND, [TradeEvent("BTC/USD", ts + SECOND, 7.0, 1.0)])
    assert node.inputs.next_timer == ts + 10 * SECOND
    node.take(ts + 30 * SECOND, [])
    assert coarse.bars[1:] == [("BTC/USD", "10s", 7.0, ts + 10 * SECOND)]


def test_an_updated_bar_feeds_no_indicator():
    class One(Strategy):
        def on_start(self):
            self.subscribe_bars("SPY", "1m")
            self.closes = []

        def on_bar(self, bar):
            self.closes.append(bar.close)

    one = One()
    node, _ = node_of(one)
    heard = []
    node.kernel.bus.subscribe("data.updated_bars.SPY", heard.append)
    bar = BarEvent("SPY", NOW, NOW + 60 * SECOND, (1.0, 2.0, 0.5, 1.5, 10.0))
    late = BarEvent("SPY", NOW, NOW + 60 * SECOND, (1.0, 2.5, 0.5, 1.75, 12.0), "updated")
    node.take(NOW + 60 * SECOND, [bar])
    node.take(NOW + 90 * SECOND, [late])
    assert one.closes == [1.5]
    assert heard == [late]


def test_the_risk_engine_hears_of_halts():
    engine = RiskEngine()
    node, _ = node_of(Listener(), engine)
    seen = []
    for status in ("halted", "LULD pause", "quoting", "trading"):
        node.take(NOW + SECOND, [StatusEvent("SPY", NOW, status, "")])
        node.take(NOW + SECOND, [StatusEvent("QQQ", NOW, "halted", "")])
        seen.append(engine.halted_symbols)
    assert seen == [["SPY"], ["SPY"], ["SPY"], []]


class Banded(Strategy):
    def on_start(self):
        self.subscribe_quotes("SPY")
        for topic in ("bands", "corrections"):
            self.subscribe(f"data.{topic}.SPY", self.on_news)
        self.heard: list[Any] = []
        self.orders_sent: list[Any] = []

    def on_quote(self, quote):
        self.heard.append(quote.bid_price)
        self.orders_sent.append(self.buy("SPY", 1, limit_price=quote.bid_price))

    def on_status(self, status):
        self.heard.append(status.status)

    def on_news(self, message):
        self.heard.append(getattr(message, "upper", None) or message.price)


BANDED = [
    BandsEvent("SPY", NOW, 95.0, 105.0, "B"),
    QuoteEvent("SPY", NOW + 1, 99.0, 1.0, 99.5, 1.0),
    QuoteEvent("SPY", NOW + 2, 94.0, 1.0, 95.0, 1.0),
    QuoteEvent("SPY", NOW + 3, 94.0, 1.0, 95.0, 1.0),
    StatusEvent("SPY", NOW + 4, "halted", "M"),
    QuoteEvent("SPY", NOW + 5, 94.0, 1.0, 95.0, 1.0),
    StatusEvent("SPY", NOW + 6, "trading", ""),
    BandsEvent("SPY", NOW + 7, 85.0, 95.0),
    QuoteEvent("SPY", NOW + 8, 94.0, 1.0, 96.0, 1.0),
    BandsEvent("SPY", NOW + 9, 0.0, 0.0, "D"),
    CorrectionEvent("SPY", NOW + 10, "corrected", 1.0, 1.0, 1.5, 1.0),
]
HEARD = [
    *(105.0, 99.0, "limit_state", 94.0, 94.0, "halted", 94.0, "trading", 95.0),
    # The offer is above the upper band; then there are none.
    *("straddle_state", 94.0, float("inf"), "trading", 1.5),
]


class Sends(Wire):
    """A client that takes orders and does nothing with them."""

    def submit(self, order: Any) -> None:
        self.subscribed.append(("submit", order.symbol))


def banded(strategy: Strategy) -> NodeCore:
    gate = RiskEngine(Limits(max_order_quantity=100))
    core = NodeCore(Sends(), gate, [equity("SPY")], [strategy], cash=1000, prefix="t-", tape=Tape())
    core.start(NOW)
    return core


def test_states_read_off_bands_and_touch_reach_risk_and_strategy():
    strategy = Banded()
    core = banded(strategy)
    states = []
    for event in BANDED:
        core.take(event.ts_event, [event])
        states.append((core.kernel.gate.limited_symbols, core.kernel.gate.halted_symbols))
    assert strategy.heard == HEARD
    no, yes = [], ["SPY"]
    assert states == [
        *((no, no), (no, no), (yes, no), (yes, no), (no, yes), (no, yes), (no, no)),
        *((no, no), (no, no), (no, no), (no, no)),
    ]
    reasons = [order.reason.partition(":")[0] for order in strategy.orders_sent]
    assert reasons == ["", "limit_state", "limit_state", "halted", ""]


def test_a_tape_has_halts_bands_and_corrections():
    """A day with a halt played again gives the same denials: they are inputs like prices."""
    first, again = Banded(), Banded()
    core, other = banded(first), banded(again)
    core.inputs.tape.take()
    other.inputs.tape.take()
    for event in BANDED:
        core.take(event.ts_event, [event])
    piece = core.inputs.tape.take()

    def on_note(data: bytes) -> None:
        assert other.news.take_note(decode_note(data))

    play(other.inputs, piece, on_note, lambda error: pytest.fail(str(error)))
    assert again.heard == first.heard == HEARD
    assert [o.reason for o in again.orders_sent] == [o.reason for o in first.orders_sent]
    assert other.inputs.tape.take() == piece


def played(events: list[Any]) -> tuple[NodeCore, Banded, NodeCore]:
    """Return a core that has played the tape of events, its strategy, and the one that took them.

    The quotes of a symbol without a stream are on no tape, so the touch is not known any more.
    """
    again = Banded()
    core, other = banded(Banded()), banded(again)
    core.inputs.tape.take()
    for event in events:
        core.take(event.ts_event, [event])
    play(
        other.inputs, core.inputs.tape.take(),
        lambda data: other.news.take_note(decode_note(data)), pytest.fail,
    )  # fmt: skip
    return other, again, core


@pytest.mark.parametrize("count", range(1, len(BANDED)))
def test_a_run_that_goes_on_after_its_tape_follows_bands_as_if_nothing_had_been(count):
    """It had forgotten the bands, and what it had said of them: a limit state never ended."""
    core, strategy, first = played(BANDED[:count])
    assert strategy.heard == first.kernel.strategies[0].heard
    for event in BANDED[count:]:
        for each in (core, first):
            each.take(event.ts_event, [event])
    assert core.kernel.gate.limited_symbols == first.kernel.gate.limited_symbols == []
    assert core.kernel.gate.halted_symbols == first.kernel.gate.halted_symbols == []
    assert strategy.heard == first.kernel.strategies[0].heard


def test_after_a_tape_no_state_ends_before_the_first_touch():
    core, strategy, _ = played(BANDED[:3])
    assert core.kernel.gate.limited_symbols == ["SPY"]
    for lower, upper, bid, ask, ends in (
        (90.0, 105.0, 0, 0, False),
        (95.0, 105.0, 94.0, 95.0, False),
        (95.0, 105.0, 96.0, 97.0, True),
    ):
        core.take(NOW + SECOND, [BandsEvent("SPY", NOW + SECOND, lower, upper)])
        if bid:
            core.take(NOW + SECOND, [QuoteEvent("SPY", NOW + SECOND, bid, 1.0, ask, 1.0)])
        assert core.kernel.gate.limited_symbols == ([] if ends else ["SPY"])
    assert strategy.heard.count("limit_state") == 1
    assert strategy.heard[-2:] == ["trading", 96.0]


def limits_of(core: NodeCore, strategy: Banded) -> tuple[list[str], list[Any]]:
    return core.kernel.gate.limited_symbols, [h for h in strategy.heard if h == "limit_state"]


AT_BAND = QuoteEvent("SPY", NOW + 9, 94.0, 1.0, 95.0, 1.0)


def test_in_a_halt_that_a_tape_has_no_state_is_read_off_the_touch():
    core, strategy, _ = played([*BANDED[:2], StatusEvent("SPY", NOW + 4, "halted", "M")])
    core.take(NOW + SECOND, [AT_BAND])
    assert limits_of(core, strategy) == ([], [])
    core.take(NOW + SECOND, [StatusEvent("SPY", NOW + 9, "trading", ""), AT_BAND])
    assert limits_of(core, strategy) == (["SPY"], ["limit_state"])


def test_bands_that_come_in_a_halt_are_read_once_it_is_over():
    strategy = Banded()
    core = banded(strategy)
    halt = StatusEvent("SPY", NOW, "halted", "M")
    core.take(NOW, [halt, BANDED[0], AT_BAND])
    assert limits_of(core, strategy) == ([], [])
    core.take(NOW, [StatusEvent("SPY", NOW, "trading", ""), AT_BAND])
    assert limits_of(core, strategy) == (["SPY"], ["limit_state"])


@pytest.mark.parametrize(
    ("missed", "event", "ends"),
    [
        (True, BarEvent("SPY", NOW + 60 * SECOND, NOW + 120 * SECOND, BAR), True),
        (True, TradeEvent("SPY", NOW + 2, 95.0, 1.0), True),
        (True, TradeEvent("SPY", NOW + 1, 95.0, 1.0), False),
        (True, BarEvent("SPY", NOW, NOW + 60 * SECOND, BAR), False),
        (True, TradeEvent("QQQ", NOW + 2, 95.0, 1.0), False),
        (True, QuoteEvent("SPY", NOW + 2, 94.0, 1.0, 95.0, 1.0), False),
        (False, BarEvent("SPY", NOW + 60 * SECOND, NOW + 120 * SECOND, BAR), False),
        (False, TradeEvent("SPY", NOW + 2, 95.0, 1.0), False),
    ],
)
def test_trading_ends_a_halt_whose_end_may_have_been_missed(missed, event, ends):
    """The broker tells of it once; who was away then would never trade the symbol again."""
    strategy = Banded()
    core = banded(strategy)
    core.take(NOW, [StatusEvent("SPY", NOW + 1, "halted", "M")])
    if missed:
        core.take(NOW, [NewsGapEvent(NOW + 1)])
    core.inputs.tape.take()
    core.take(NOW + 120 * SECOND, [event, event])
    assert core.kernel.gate.halted_symbols == ([] if ends else ["SPY"])
    statuses = [heard for heard in strategy.heard if isinstance(heard, str)]
    assert statuses == ["halted", "trading"][: 1 + ends]
    notes: list[dict[str, Any]] = []
    again = banded(Banded())
    play(again.inputs, core.inputs.tape.take(), lambda d: notes.append(decode_note(d)), pytest.fail)
    ended = {"what": "status", "terms": ["SPY", "trading", "trades came", NOW + 2]}
    assert [note["what"] for note in notes] == ["status"] * ends
    if ends and isinstance(event, TradeEvent):
        assert notes == [ended]


def test_a_halt_that_is_told_after_a_gap_is_not_in_doubt():
    core = banded(Banded())
    core.take(NOW, [StatusEvent("SPY", NOW + 1, "halted", "M"), NewsGapEvent(NOW + 1)])
    core.take(NOW, [StatusEvent("SPY", NOW + 2, "halted", "M")])
    core.take(NOW, [TradeEvent("SPY", NOW + 3, 95.0, 1.0)])
    assert core.kernel.gate.halted_symbols == ["SPY"]


def test_a_halt_in_doubt_has_bars_asked_for_where_only_quotes_are():
    """Quotes come in a halt too, and show no end of it: it would have lasted for ever."""
    node, wire = node_of(Listener(), RiskEngine(Limits(), strict=False))
    wire.subscribed.clear()
    node.take(NOW, [StatusEvent("SPY", NOW + 1, "halted", "M")])
    assert wire.subscribed == []
    node.take(NOW, [NewsGapEvent(NOW + 1)])
    assert wire.subscribed == [("bars", "SPY")]
    node.take(NOW + 120 * SECOND, [QuoteEvent("SPY", NOW + 2, 94.0, 1.0, 95.0, 1.0)])
    assert node.kernel.gate.halted_symbols == ["SPY"]
    node.take(NOW + 120 * SECOND, [BarEvent("SPY", NOW + 60 * SECOND, NOW + 120 * SECOND, BAR)])
    assert node.kernel.gate.halted_symbols == []


@pytest.mark.parametrize("kind", ["bars", "trades"])
def test_a_halt_in_doubt_asks_for_nothing_where_trading_shows_as_it_is(kind):
    node, wire = node_of(Listener(), RiskEngine(Limits(), strict=False))
    strategy = node.kernel.strategies[0]
    if kind == "bars":
        strategy.subscribe_bars("SPY", "1m")
    else:
        strategy.subscribe_trades("SPY")
    wire.subscribed.clear()
    node.take(NOW, [StatusEvent("SPY", NOW + 1, "halted", "M"), NewsGapEvent(NOW + 1)])
    assert wire.subscribed == []


def test_a_note_that_is_no_news_is_left_to_others():
    core = banded(Banded())
    for what in ("status", "bands", "news"):
        terms = {"status": ("SPY", "halted", "", NOW), "bands": ("SPY", 1.0, 2.0, NOW)}
        fields = {"symbol": "SPY", "price": 1.0}
        note = {"what": what, "terms": terms.get(what), "kind": "corrections", "fields": fields}
        assert core.news.take_note(note) is True
    assert core.news.take_note({"what": "start"}) is False
