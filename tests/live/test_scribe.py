"""What a node writes down of its orders and alarms, field by field."""

from __future__ import annotations

from decimal import Decimal

import pytest

from pyrt import Strategy
from pyrt.live.driver.scribe import Scribe
from pyrt.live.journal import records as r
from pyrt.live.journal.journal import Journal, read_records
from pyrt.risk import Limits
from pyrt.testing.files import MemoryFiles
from tests.live.test_walking_skeleton import bars
from tests.live.whole import PHASES, Node, World

T0 = 1_381_175_160_000_000_000
ALARM_GAP_NS = 10_000_000_000


# -- alarms ----------------------------------------------------------------------------------------


@pytest.fixture
def scribe() -> Scribe:
    return Scribe(Journal(MemoryFiles()), None)


def alarms(scribe: Scribe) -> list[tuple[int, str, str]]:
    scribe.journal.commit()
    return [
        (record.ts - T0, record.code, record.text)
        for _, record in read_records(scribe.journal.files)
        if isinstance(record, r.Alarmed)
    ]


def test_an_alarm_that_repeats_is_written_again_only_after_a_while(scribe):
    told = []
    scribe.on_alarm = lambda code, text: told.append((code, text))
    for late in (0, 1, ALARM_GAP_NS - 1, ALARM_GAP_NS, ALARM_GAP_NS + 1, 2 * ALARM_GAP_NS):
        scribe.alarm("stream_lost", "orders", T0 + late)
    assert [ts for ts, *_ in alarms(scribe)] == [0, ALARM_GAP_NS, 2 * ALARM_GAP_NS]
    assert told == 3 * [("stream_lost", "orders")]


def test_alarms_of_another_code_or_text_are_other_alarms(scribe):
    for code, text in (("a", "x"), ("a", "y"), ("b", "x"), ("a", "x")):
        scribe.alarm(code, text, T0)
    assert [alarm[1:] for alarm in alarms(scribe)] == [("a", "x"), ("a", "y"), ("b", "x")]


def test_what_was_told_is_not_remembered_without_end(scribe):
    for number in range(1_001):
        scribe.alarm("a", str(number), T0)
    scribe.alarm("a", "0", T0)
    scribe.alarm("a", "of late", T0)
    scribe.alarm("a", "of late", T0)
    assert len(alarms(scribe)) == 1_002
    # The memory is full with the next: what is told from here on is told anew, once.
    scribe.alarm("a", "0", T0)
    scribe.alarm("a", "0", T0)
    assert [text for *_, text in alarms(scribe)[-2:]] == ["of late", "0"]


def test_no_secret_is_written_or_passed_on(scribe):
    told = []
    scribe.clean = lambda text: text.replace("s3cret", "***")
    scribe.on_alarm = lambda code, text: told.append(text)
    scribe.alarm("on_save", "KeyError: s3cret", T0)
    assert alarms(scribe) == [(0, "on_save", "KeyError: ***")]
    assert told == ["KeyError: ***"]


def test_who_hears_alarms_and_raises_is_told_of_once_and_ends_nothing(scribe):
    heard = []

    def full(code: str, text: str) -> None:
        heard.append(code)
        raise OSError(28, "No space left on device")

    scribe.on_alarm = full
    for code in ("journal", "blind", "clock"):
        scribe.alarm(code, "why", T0)
    # Who raises hears of everything that comes after it all the same.
    assert heard == ["journal", "listener", "blind", "clock"]
    told = [(code, text) for *_, code, text in alarms(scribe)]
    assert [code for code, _ in told] == heard
    assert told[1][1].startswith("on_alarm raised OSError: [Errno 28] No space left on device")


# -- orders ----------------------------------------------------------------------------------------


class Brackets(Strategy):
    """Enters with exits at the second bar, then guards what it holds by a pair."""

    def on_start(self):
        self.subscribe_bars("SPY", "1m")
        self.bars = 0

    def on_bar(self, bar):
        self.bars += 1
        if self.bars == 2:
            self.buy("SPY", 3, take_profit=130, stop_loss=70)
            self.buy("SPY", 2)
        if self.bars == 4:
            self.oco("SPY", 2, take_profit=120, stop_loss=80)


@pytest.fixture(scope="module")
def node() -> Node:
    made = Node(
        World([bars([100.0] * 12)]), MemoryFiles(), [Brackets()], run_id="one",
        limits=Limits(
            max_order_quantity=10, max_position_quantity=50, max_gross_exposure=50_000,
            max_daily_loss=5_000, max_open_orders=10, max_orders_per_minute=20,
            stale_data_after="10m", price_collar_bps=5_000,
        ),
    )  # fmt: skip
    made.start()
    made.run(8 * PHASES)
    made.journal.commit()
    return made


def records(node: Node, kind: type[r.Record]) -> list:
    return [record for _, record in read_records(node.files) if isinstance(record, kind)]


def test_an_intent_names_what_it_brings_and_the_limits_that_approved_it(node):
    entry, plain, pair = records(node, r.Intent)
    types = [[leg.order_type for leg in intent.legs] for intent in (entry, plain, pair)]
    assert types == [["limit", "stop"], [], ["stop"]]
    assert pair.legs[0].client_order_id == pair.order.sibling
    assert {leg.parent for leg in entry.legs} == {entry.order.client_order_id}
    version = node.kernel.gate.limits.version
    assert {intent.limits for intent in (entry, plain, pair)} == {version}


def test_a_fill_is_written_with_order_position_and_sums(node):
    first, second = records(node, r.Execution)
    assert (first.quantity, first.cumulative, second.quantity, second.cumulative) == (
        "3", "3", "2", "2",
    )  # fmt: skip
    assert [fill.position.units for fill in (first, second)] == [3 * 10**9, 5 * 10**9]
    for fill in (first, second):
        assert (fill.order.status, fill.order.filled) == ("FILLED", fill.quantity)
        assert Decimal(fill.fee) == 0
        assert not fill.historical
        assert fill.order.venue_order_id
        assert fill.position.strategy == "Brackets"
    paid = sum(Decimal(fill.quantity) * Decimal(fill.price) for fill in (first, second))
    assert int(second.position.open_cost) == paid * 10**18


def test_records_say_how_many_inputs_came_before_them(node):
    places = [record.inputs for record in records(node, r.Outcome) + records(node, r.Execution)]
    assert 0 < min(places) <= max(places) <= node.driver.core.inputs.count
    assert [i.inputs for i in records(node, r.Intent)] == sorted(
        i.inputs for i in records(node, r.Intent)
    )


def test_what_is_kept_of_an_order_goes_with_it(node):
    made = Scribe(Journal(MemoryFiles()), None)
    made._sequences, made._traces, made._unseen = {1: 7, 2: 8}, {1: "a", 2: "b"}, {1, 2}
    assert (made.sequence_of(1), made.trace_of(1)) == (7, "a")
    made.forget(1)
    assert (made.sequence_of(1), made.trace_of(1)) == (0, "")
    assert (made.sequence_of(2), made.trace_of(2), made._unseen) == (8, "b", {2})
