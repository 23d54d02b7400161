"""After a crash a run goes on: its inputs are played again, its commands compared and not sent."""

from __future__ import annotations

import os

import msgspec
import pytest

from pyrt import Strategy
from pyrt.adapters.alpaca.core.events import StatusEvent
from pyrt.adapters.alpaca.simulator.protocol.http import Response
from pyrt.errors import UnknownName
from pyrt.indicators import EMA, SMA, cross_above
from pyrt.live.driver.comeback import Comeback
from pyrt.live.journal import records as r
from pyrt.live.journal.journal import read_records
from pyrt.live.plan import Policies
from pyrt.live.replay.replay import replay
from pyrt.risk.limits import Limits
from pyrt.testing.files import MemoryFiles
from tests.live.strategies import walk
from tests.live.whole import SECOND, Node, World

IS_NIGHTLY = os.environ.get("PYRT_HYPOTHESIS") == "nightly"
BARS = 36
STEP = 1 if IS_NIGHTLY else 17
"""Each record and instant at night, some of them otherwise."""


class Diary(Strategy):
    """Does all there is to do, and writes down what it hears; it saves nothing."""

    def on_start(self):
        minutes = self.subscribe_bars("SPY", "1m")
        self.fast = self.attach(SMA(3), minutes)
        self.slow = self.attach(EMA(7), minutes)
        fives = self.subscribe_bars("SPY", "5m")
        self.coarse = self.attach(SMA(2), fives)
        self.when(cross_above(self.fast, self.slow), self.on_cross)
        self.set_timer("tidy", "7m")
        self.diary = []
        self.limit = self.entry = self.cause = None

    def write(self, what, *values):
        position = self.position("SPY")
        held = (position.quantity, position.average_price, position.is_flat)
        averages = (self.fast.value, self.slow.value, self.coarse.value)
        # As text: an average that is not there yet equals nothing.
        self.diary.append((what, self.now, repr((*values, held, averages))))

    def on_cross(self):
        self.write("cross")

    def on_bar(self, bar):
        self.write("bar", bar.timeframe, bar.close)
        idle = self.entry is None or not self.entry.is_open
        if bar.timeframe == "5m" and idle and self.position("SPY").quantity == 0:
            self.entry = self.buy(
                "SPY",
                10,
                take_profit=round(bar.close + 0.4, 2),
                stop_loss=round(bar.close - 0.4, 2),
            )
        elif bar.timeframe == "1m" and self.limit is None:
            self.limit = self.buy("SPY", 1, limit_price=round(bar.close - 5, 2))
        elif self.limit is not None and self.limit.is_open and not self.limit.is_pending:
            self.modify(self.limit, limit_price=round(bar.close - 4, 2))

    def on_timer(self, event):
        self.write("timer", event.name, event.ts_event)
        if self.limit is not None and self.limit.is_open:
            self.cancel(self.limit)
        self.limit = None

    def on_order(self, event):
        self.write("order", event.kind, event.status)

    def on_fill(self, fill):
        self.cause = fill.order.order_type
        self.write("fill", fill.quantity, fill.price)


class Saving(Diary):
    """Saves what it can, as well."""

    def on_save(self):
        return {"pages": len(self.diary)}

    def on_load(self, state):
        raise AssertionError("what is played again needs no save")


class Killed(BaseException):
    """The process is gone."""


def made(kind, world, files, run_id="one", **options) -> Node:
    return Node(world, files, [kind()], run_id=run_id, **options)


def killed(node: Node) -> MemoryFiles:
    """Let a node's process be killed; what it had handed to the system is there."""
    node.journal.commit()
    return node.files


def diary_of(node: Node) -> list:
    return node.kernel.strategies[0].diary


def day() -> World:
    return World([walk(3, "SPY", BARS)])


def uninterrupted(kind) -> tuple[list, int]:
    """Return the diary of a whole day, and how many records it leaves."""
    node = made(kind, day(), MemoryFiles())
    node.start()
    node.run()
    return diary_of(node), node.journal.last


def die_at(node: Node, number: int) -> None:
    """Let a node die right after its record of that number was taken and written."""
    record = node.journal.record

    def taken(made_record):
        sequence = record(made_record)
        if sequence == number:
            node.journal.commit()
            raise Killed
        return sequence

    node.journal.record = taken


def live(node: Node) -> None:
    """Start, and go on to the end of the day."""
    node.start()
    node.run()


def come_back(monkeypatch, node: Node) -> list:
    """Start a node; return the diary as it was when the inputs were through."""
    found = []
    play = Comeback.play

    def playing(self, now):
        came = play(self, now)
        found.append(list(came[0].kernel.strategies[0].diary))
        return came

    with monkeypatch.context() as patch:
        patch.setattr(Comeback, "play", playing)
        node.start()
    return found[0] if found else []


@pytest.mark.parametrize("kind", [Diary, Saving])
def test_killed_at_any_record_the_state_is_that_of_the_uninterrupted_run(kind, monkeypatch):
    expected, records = uninterrupted(kind)
    assert {entry[0] for entry in expected} == {"bar", "cross", "order", "timer", "fill"}
    assert records > 100
    played = 0
    for number in range(3, records + 1, STEP):
        world, files = day(), MemoryFiles()
        first = made(kind, world, files)
        die_at(first, number)
        with pytest.raises(Killed):
            live(first)
        strategy = first.kernel.strategies[0]
        seen = list(getattr(strategy, "diary", []))
        second = made(kind, world, files, "two")
        diary = come_back(monkeypatch, second)
        if not diary and not seen:
            continue
        played += 1
        # The input at which it died is taken whole: that is all that may come on top.
        assert diary[: len(seen)] == seen
        assert diary == expected[: len(diary)]
        assert all(entry[1] == diary[-1][1] for entry in diary[len(seen) :])
        codes = {code for code, _ in second.alarms}
        assert not codes & {"replay_differs", "replay_short", "replay_saves", "not_replayed"}
        names = [msgspec.json.decode(body)["client_order_id"] for body in world.posted]
        assert len(names) == len(set(names))
    assert played > 100 // STEP


def test_killed_between_any_two_instants_the_day_goes_on_as_if_nothing_had_been():
    expected, _ = uninterrupted(Diary)
    whole = day()
    last = made(Diary, whole, MemoryFiles())
    last.start()
    last.run()
    for instant in range(1, 3 * BARS, STEP):
        world, files = day(), MemoryFiles()
        first = made(Diary, world, files)
        first.start()
        first.run(instant)
        second = made(Diary, world, killed(first), "two")
        second.start()
        assert diary_of(second) == diary_of(first)
        second.run()
        assert diary_of(second) == expected
        assert len(world.posted) == len(whole.posted)
        assert second.kernel.account.equity_exact == last.kernel.account.equity_exact
        second.stop()
        result = replay(files, [Diary()], run_id="two")
        assert result.is_exact, result.difference


def test_a_run_that_was_killed_again_and_again_is_one_run():
    expected, _ = uninterrupted(Diary)
    world, files = day(), MemoryFiles()
    for life in range(20):
        node = made(Diary, world, files, f"life{life}")
        node.start()
        node.run(5)
        killed(node)
    node.run()
    assert diary_of(node) == expected
    starts = [record for _, record in read_records(files) if isinstance(record, r.RunStart)]
    assert [start.resumes for start in starts] == ["", *(f"life{n}" for n in range(19))]
    assert {start.first_prefix or start.prefix for start in starts} == {"pyrt-life0-"}


class Forgetful(Diary):
    """Its code was changed while it was down."""

    def on_bar(self, bar):
        self.write("bar", bar.timeframe, bar.close)
        if bar.timeframe == "5m" and self.position("SPY").is_flat:
            self.buy("SPY", 3)


Forgetful.__name__ = "Diary"


@pytest.mark.parametrize("policy", ["halt", "alarm"])
def test_other_commands_than_the_recorded_ones_halt_their_strategy_and_are_not_sent(policy):
    world, files = day(), MemoryFiles()
    first = made(Diary, world, files)
    first.start()
    first.run(60)
    posted = len(world.posted)
    known = {o.client_order_id for o in first.kernel.cache.orders_open()}
    units = first.kernel.strategies[0].position("SPY").quantity
    policies = Policies(looks=1, warmup=0, on_replay_difference=policy)
    second = made(Forgetful, world, killed(first), "two", policies=policies)
    second.start()
    texts = dict(second.alarms)
    assert "recorded submit pyrt-one-1" in texts["replay_differs"]
    assert "replay_short" in texts
    assert len(world.posted) == posted
    strategy = second.kernel.strategies[0]
    assert strategy.running == (policy == "alarm")
    # What the record knows stands, whatever came out.
    assert strategy.position("SPY").quantity == units
    assert {o.client_order_id for o in second.kernel.cache.orders_open()} <= known
    if policy == "halt":
        assert "replay_differs" in texts
        assert "strategy_stopped" in texts
        second.run()
        assert len(world.posted) == posted


@pytest.mark.parametrize("crashes", [True, False])
@pytest.mark.parametrize("resumes", [True, False])
def test_a_start_tells_of_what_is_still_halted_and_of_nothing_that_is_over(crashes, resumes):
    world, files = day(), MemoryFiles()
    first = made(Saving, world, files)
    first.start()
    first.run(20)
    for action in ("reduce", "resume", "halt", *(("resume",) if resumes else ())):
        first.driver.operate(action, "anna", "a try")
        first.settle(world.now)
    first.run(5)
    if not crashes:
        first.stop()
    second = made(Saving, world, killed(first) if crashes else files, "two")
    second.start()
    second.run(5)
    told = [text for code, text in second.alarms if code == "restricted"]
    assert told == ([] if resumes else ["all is HALTED: a try"])


@pytest.mark.parametrize("trades", [True, False])
def test_a_halt_from_before_a_crash_is_over_once_there_is_trading(trades):
    """Its end is told to those who listen: the symbol was never bought again."""
    world, files = day(), MemoryFiles()
    first = made(Saving, world, files)
    first.start()
    first.run(20)
    halt = StatusEvent("SPY", world.now, "halted", "M")
    first.driver.take(world.now, [halt])
    first.run(1)
    assert first.kernel.gate.halted_symbols == ["SPY"]
    second = made(Saving, world, killed(first), "two")
    second.start()
    assert second.driver.core.kernel.gate.halted_symbols == ["SPY"]
    if trades:
        second.run(10)
    assert second.kernel.gate.halted_symbols == ([] if trades else ["SPY"])


def test_inputs_that_a_crash_has_lost_are_told_and_the_record_is_believed(monkeypatch):
    world, files = day(), MemoryFiles()
    first = made(Saving, world, files)
    first.start()
    first.run(80)
    first.journal.close()
    name = "tape-one-00000001.log"
    data = files.read(name)
    expected, _ = uninterrupted(Diary)
    for share in (0.9, 0.5, 0.2):
        left = MemoryFiles()
        for other in files.names():
            left.put(other, files.read(other))
        left.put(name, data[: int(len(data) * share)])
        second = Node(world, left, [Loads()], run_id="two")
        diary = come_back(monkeypatch, second)
        (text,) = [text for code, text in second.alarms if code == "replay_short"]
        assert "inputs of the last run were played again" in text
        strategy = second.kernel.strategies[0]
        assert diary == expected[: len(diary)]
        # What was saved later than the inputs reach is loaded.
        assert strategy.loaded >= len(diary) > 5
        held = first.kernel.strategies[0].position("SPY")
        assert repr(strategy.position("SPY")) == repr(held)
        mine, theirs = (
            {
                (order.client_order_id, order.status, order.filled_quantity)
                for order in node.kernel.cache.orders_open()
                if order.client_order_id.startswith("pyrt-one-")
            }
            for node in (second, first)
        )
        assert mine == theirs


class Loads(Saving):
    """Takes a save where it has to."""

    loaded_pages = -1

    def on_load(self, state):
        self.loaded = state["pages"]


Loads.__name__ = "Saving"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"policies": Policies(looks=1, warmup=0, replay_max=10)}, "more than 10 inputs"),
        ({"limits": Limits(max_order_quantity=1000)}, "limits were others"),
    ],
)
def test_a_run_that_cannot_be_played_again_goes_on_from_its_save(change, why):
    world, files = day(), MemoryFiles()
    first = made(Saving, world, files)
    first.start()
    first.run(60)
    killed(first)
    pages = [s.state for _, s in read_records(files) if isinstance(s, r.StrategySave)][-1]
    second = Node(world, files, [Loads()], run_id="two", **change)
    second.start()
    (text,) = [text for code, text in second.alarms if code == "not_replayed"]
    assert why in text
    assert second.kernel.strategies[0].loaded == msgspec.msgpack.decode(pages)["pages"]


def test_a_replay_that_dies_is_not_tried_again():
    class Poison(Diary):
        def on_bar(self, bar):
            if self.deadly and len(self.diary) > 20:
                raise Killed
            super().on_bar(bar)

    Poison.__name__ = "Diary"
    Poison.deadly = False
    world, files = day(), MemoryFiles()
    first = made(Poison, world, files)
    first.start()
    first.run(60)
    Poison.deadly = True
    with pytest.raises(Killed):
        made(Poison, world, killed(first), "two").start()
    third = made(Poison, world, files, "three")
    third.start()
    (text,) = [text for code, text in third.alarms if code == "not_replayed"]
    assert "died while it played" in text


def test_a_run_that_was_stopping_goes_on_from_before_its_stop():
    expected, _ = uninterrupted(Diary)
    world, files = day(), MemoryFiles()
    first = made(Diary, world, files)
    first.start()
    first.run(60)
    before, count = list(diary_of(first)), first.driver.core.inputs.count
    first.driver.stop(world.now)
    first.journal.commit()
    second = made(Diary, world, killed(first), "two")
    second.start()
    assert diary_of(second)[: len(before)] == before == expected[: len(before)]
    assert second.kernel.strategies[0].running
    (text,) = [text for code, text in second.alarms if code == "replay_short"]
    assert text.startswith(f"{count} inputs of the last run were played again")


def test_after_a_stop_in_order_nothing_is_played():
    world, files = day(), MemoryFiles()
    first = made(Diary, world, files)
    first.start()
    first.run(60)
    first.stop()
    second = made(Diary, world, files, "two")
    second.start()
    assert diary_of(second) == []
    assert not {code for code, _ in second.alarms} & {"not_replayed", "replay_short"}


class Timers(Strategy):
    """A timer each minute, and an alert."""

    def on_start(self):
        self.subscribe_bars("SPY", "1m")
        self.fired = []
        self.set_timer("often", "60s")
        self.set_alert("once", self.now + 600 * SECOND)

    def on_timer(self, event):
        self.fired.append((event.name, event.ts_event))


def test_what_was_due_while_the_node_was_down_fires_once():
    world, files = day(), MemoryFiles()
    first = made(Timers, world, files)
    first.start()
    began = world.now
    first.run(9)
    done = list(first.kernel.strategies[0].fired)
    assert all(name == "often" for name, _ in done)
    second = made(Timers, world, killed(first), "two")
    later = began + 1830 * SECOND
    second.driver.begin(later)
    second.settle(later)
    second.driver.turn(later)
    strategy = second.kernel.strategies[0]
    assert strategy.fired[: len(done)] == done
    assert sorted(strategy.fired[len(done) :]) == [
        ("often", began + 1800 * SECOND),
        ("once", began + 600 * SECOND),
    ]
    second.driver.turn(later + 60 * SECOND)
    assert strategy.fired[-1] == ("often", began + 1860 * SECOND)


class Moves(Strategy):
    """Rests with ten, and later with thirty, nearer to the market."""

    def on_start(self):
        self.subscribe_bars("SPY", "1m")
        self.seen = 0

    def on_bar(self, bar):
        self.seen += 1
        if self.seen == 1:
            self.order = self.buy("SPY", 10, limit_price=50)
        elif self.seen == 10:
            self.modify(self.order, quantity=30, limit_price=51)


def test_terms_that_a_lost_input_had_brought_are_those_of_the_record():
    """A fill of all thirty was else more than the ten that were known, and put aside."""
    world, files = day(), MemoryFiles()
    first = made(Moves, world, files)
    first.start()
    strategy, name = first.kernel.strategies[0], "tape-one-00000001.log"
    while strategy.seen < 9:
        first.run(1)
    first.journal.commit()
    kept = len(files.read(name))
    while strategy.seen < 14:
        first.run(1)
    assert (strategy.order.quantity, strategy.order.limit_price) == (30, 51)
    first.journal.close()
    left = MemoryFiles()
    for other in files.names():
        left.put(other, files.read(other))
    left.put(name, files.read(name)[:kept])
    second = made(Moves, world, left, "two")
    second.start()
    assert "replay_short" in dict(second.alarms)
    (order,) = second.kernel.cache.orders_open()
    assert (order.quantity, order.limit_price, order.status) == (30, 51, "ACCEPTED")


class Marks(Strategy):
    """Trades at its first bar and its tenth; where it comes by, the tape may be cut later."""

    mark: str = ""

    def on_start(self):
        self.subscribe_bars("SPY", "1m")
        self.seen, self.kinds, self.come_by = 0, [], None

    def on_bar(self, bar):
        self.seen += 1
        if self.seen == 1:
            self.order = self.buy("SPY", 30, limit_price=50)
            self.pass_by("asked")
        elif self.seen == 10:
            self.modify(self.order, quantity=1, limit_price=200)

    def on_order(self, event):
        self.kinds.append(event.kind)
        self.pass_by(event.kind)

    def pass_by(self, what):
        if self.come_by is not None and what == self.mark:
            self.come_by()


def cut_at(mark: str, bars: int) -> tuple[World, Node, MemoryFiles]:
    """Return a run of so many bars, and a folder whose tape ends where a mark was passed."""
    world, files, kept = day(), MemoryFiles(), []
    first = Node(world, files, [Marks(mark=mark)], run_id="one")
    name = "tape-one-00000001.log"

    def come_by():
        first.driver.flush_tape()
        first.journal.commit()
        kept.append(len(files.read(name)))

    first.start()
    strategy = first.kernel.strategies[0]
    strategy.come_by = come_by
    while strategy.seen < bars:
        first.run(1)
    first.journal.close()
    left = MemoryFiles()
    for other in files.names():
        left.put(other, files.read(other))
    left.put(name, files.read(name)[: kept[0]])
    return world, first, left


def test_an_order_asked_for_at_the_last_input_is_that_of_the_record():
    """It waited to be sent again, under the id of the one that the broker had long had."""
    world, _, left = cut_at("asked", 3)
    second = Node(world, left, [Marks(mark="asked")], run_id="two")
    second.start()
    second.run(2)
    (order,) = second.kernel.cache.orders_open()
    assert (order.client_order_id, order.status) == ("pyrt-one-1", "ACCEPTED")
    assert second.kernel.strategies[0].order.status == "DENIED"
    assert len(world.posted) == 1
    assert "replay_short" in dict(second.alarms)
    assert "emulated_lost" not in dict(second.alarms)
    second.stop()
    result = replay(left, [Marks(mark="asked")], run_id="two")
    assert result.is_exact, result.difference


def test_an_order_whose_answer_is_among_lost_inputs_is_what_the_record_knows_it_to_be():
    world, first, left = cut_at("sent", 3)
    assert first.kernel.strategies[0].order.status == "ACCEPTED"
    second = Node(world, left, [Marks(mark="sent")], run_id="two")
    second.start()
    strategy = second.kernel.strategies[0]
    assert (strategy.order.status, strategy.kinds) == ("ACCEPTED", ["sent", "accepted"])
    assert second.kernel.cache.orders_open() == [strategy.order]
    assert len(world.posted) == 1


def test_an_order_that_a_crash_kept_from_leaving_is_denied_and_never_leaves():
    world, files = day(), MemoryFiles()
    first = Node(world, files, [Marks(mark="asked")], run_id="one")
    first.start()

    def die():
        first.driver.flush_tape()
        first.journal.commit()
        raise Killed

    first.kernel.strategies[0].come_by = die
    with pytest.raises(Killed):
        first.run()
    second = Node(world, files, [Marks(mark="asked")], run_id="two")
    second.start()
    second.run(3)
    assert list(world.posted) == []
    assert second.kernel.strategies[0].kinds == ["denied"]
    assert not second.kernel.cache.orders_open()


def test_an_order_that_was_changed_and_filled_is_filled_after_a_crash_too():
    """It stayed open, with what it had lost by the change: an exit that nobody has."""
    world, first, left = cut_at("sent", 14)
    order = first.kernel.strategies[0].order
    assert (order.status, order.quantity) == ("FILLED", 1)
    second = Node(world, left, [Marks(mark="sent")], run_id="two")
    second.start()
    order = second.kernel.strategies[0].order
    assert (order.client_order_id, order.status, order.quantity) == ("pyrt-one-1", "FILLED", 1)
    assert not second.kernel.cache.orders_open()


def test_a_command_that_failed_fails_again_when_it_is_played():
    """As an older version recorded it: it looked at names only when it carried a command out."""
    expected, _ = uninterrupted(Diary)
    world, files = day(), MemoryFiles()
    first = made(Diary, world, files)
    first.start()
    first.run(40)
    with pytest.raises(UnknownName, match="SPYY"):
        first.driver._operators.carry_out("close", "anna", "mistyped", symbol="SPYY")
    second = made(Diary, world, killed(first), "two")
    second.start()
    assert second.alarms == []
    second.run()
    assert diary_of(second) == expected
    second.stop()
    assert replay(second.files, [Diary()]).is_exact


class Guards(Strategy):
    """Buys at its first bar, and guards that with a pair at its fifth."""

    def on_start(self):
        self.subscribe_bars("SPY", "1m")
        self.seen = 0

    def on_bar(self, bar):
        self.seen += 1
        if self.seen == 1:
            self.buy("SPY", 10)
        elif self.seen == 5:
            self.oco("SPY", 10, take_profit=bar.close + 50, stop_loss=bar.close - 50)


def test_a_pair_that_a_crash_has_left_in_doubt_is_unknown_until_it_is_seen_or_lost():
    """It counted as on its way for ever, and its strategy as guarded."""
    world, files = day(), MemoryFiles()
    first = made(Guards, world, files)
    first.start()
    record = first.journal.record

    def taken(made_record):
        sequence = record(made_record)
        if isinstance(made_record, r.Intent) and made_record.legs:
            first.driver.flush_tape()
            first.journal.commit()
            raise Killed
        return sequence

    first.journal.record = taken
    with pytest.raises(Killed):
        first.run()
    second = made(Guards, world, files, "two")
    second.start()
    one, two = sorted(second.kernel.cache.orders_open(), key=lambda order: order.number)
    assert (one.status, one.is_unknown) == ("SENT", True)
    assert (two.sibling, two.is_unknown) == (one, False)
    second.driver.resolve_lost(one.client_order_id, "operator", "the broker says so")
    assert (one.status, two.status) == ("LOST", "LOST")


class Hopes(Guards):
    """Buys with exits at its first bar."""

    def on_bar(self, bar):
        self.seen += 1
        if self.seen == 1:
            self.buy("SPY", 10, take_profit=bar.close + 50, stop_loss=bar.close - 50)


@pytest.mark.parametrize("kind", [Hopes, Guards])
@pytest.mark.parametrize("replay_max", [0, 500_000])
def test_what_a_refused_order_was_to_bring_ends_with_it_though_a_crash_came_between(
    kind, replay_max
):
    """It was nobody's to tell of, and stayed open for ever."""
    world, files = day(), MemoryFiles()
    first = made(kind, world, files)

    def refuse(request, answer):
        if request.method == "POST" and b"order_class" in request.body:
            return Response(422, b'{"code":42210000,"message":"not today"}')
        return answer(request)

    first.on_request = refuse
    first.start()
    record = first.journal.record

    def taken(made_record):
        sequence = record(made_record)
        if isinstance(made_record, r.Outcome) and made_record.order.status == "REJECTED":
            first.driver.flush_tape()
            first.journal.commit()
            raise Killed
        return sequence

    first.journal.record = taken
    with pytest.raises(Killed):
        first.run()
    assert [o for o in first.journal.state.orders.values() if o.status == "SENT"]
    policies = Policies(looks=1, warmup=0, replay_max=replay_max)
    second = made(kind, world, files, "two", policies=policies)
    second.start()
    assert not second.kernel.cache.orders_open()
    assert not second.journal.state.orders


class Hasty(Strategy):
    """Changes an order before anybody has said that it has arrived."""

    def on_start(self):
        self.subscribe_bars("SPY", "1m")
        self.seen = 0

    def on_bar(self, bar):
        self.seen += 1
        if self.seen == 1:
            self.modify(self.buy("SPY", 10, limit_price=50), limit_price=51)


def test_a_change_asked_for_at_once_leaves_an_order_in_doubt_after_a_crash():
    """Its own doubt was all that was kept: whether the order had arrived was asked by nobody."""
    world, files = day(), MemoryFiles()
    first = made(Hasty, world, files)
    first.start()
    record = first.journal.record

    def taken(made_record):
        sequence = record(made_record)
        if isinstance(made_record, r.ChangeIntent):
            first.driver.flush_tape()
            first.journal.commit()
            raise Killed
        return sequence

    first.journal.record = taken
    with pytest.raises(Killed):
        first.run()
    (state,) = first.journal.state.orders.values()
    assert state.unknown == "submit,modify"
    policies = Policies(looks=1, warmup=0, replay_max=0)
    second = made(Hasty, world, files, "two", policies=policies)
    second.start()
    (order,) = second.kernel.cache.orders_open()
    assert (order.status, order.is_unknown) == ("SENT", True)
