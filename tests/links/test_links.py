"""Links: what one process publishes another reads, and what was lost is known on both sides."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pyrt import Strategy, backtest
from pyrt.core.bus import MessageBus
from pyrt.core.data import Bar, CustomData, Quote, Signal, Trade
from pyrt.core.serialization import to_dict
from pyrt.errors import ConfigError, DataError
from tests.data.tables import minute_frame

zmq = pytest.importorskip("zmq")

from pyrt.links import TOPICS, Publisher, SignalInlet, SignalSender, Subscriber  # noqa: E402
from pyrt.links.frames import FRAME_MAX, pack, unpack  # noqa: E402
from pyrt.links.signals import SESSIONS_MAX  # noqa: E402
from pyrt.links.topics import wired  # noqa: E402

NOW = 1_700_000_000_000_000_000
BAR = Bar("BRK.B", "1m", 1.0, 2.0, 0.5, 1.5, 10.0, NOW - 60_000_000_000, NOW)


@pytest.fixture
def address(tmp_path: Path) -> str:
    return f"ipc://{tmp_path / 'link'}"


@pytest.fixture
def context() -> Iterator[Any]:
    with zmq.Context() as made:
        yield made


def nested(depth: int) -> bytes:
    """Return a frame whose payload has so many lists in one another."""
    body = pack(b"signal", "s", 1, NOW, {"type": 1})
    assert body.endswith(b"\x01")
    return body[:-1] + b"\x91" * depth + b"\x01"


def joined(publisher: Publisher, reader: Subscriber) -> None:
    """Wait until the reader's subscription has arrived: what is sent before is not for it."""
    for _ in range(500):
        publisher.heartbeat()
        if reader.receive(0.01) is not None:
            break
    else:
        pytest.fail("the reader never heard the publisher")
    while reader.receive(0.02) is not None:
        pass


def test_bus_messages_arrive_as_the_objects_they_were(address: str, context: Any) -> None:
    bus = MessageBus()
    sent = [
        ("data.bars.BRK%2EB.1m", BAR),
        ("data.quotes.SPY", Quote("SPY", 1.0, 5.0, 1.1, 6.0, NOW)),
        ("data.trades.SPY", Trade("SPY", 1.05, 3.0, 1, NOW)),
        ("signal.SPY", Signal("SPY", "buy", 10.0, 0.5, NOW)),
        ("data.custom.news", CustomData("news", {"text": "up", "score": [1, 2]}, NOW)),
    ]
    with Publisher(address, context=context, clock=lambda: NOW) as publisher:
        publisher.attach(bus)
        with Subscriber(address, topics=["*"], context=context) as reader:
            joined(publisher, reader)
            for topic, value in sent:
                bus.publish(topic, value)
            got = [reader.receive(5.0) for _ in sent]
    assert [message.value for message in got if message] == [value for _, value in sent]
    assert [m.sequence for m in got if m] == [1] * len(sent)
    assert {m.ts_sent for m in got if m} == {NOW}
    assert got[0] is not None
    assert got[0].topic.startswith("data.bars.BRK")
    assert got[0].topic.count(".") == 3, "a dot of a symbol does not part a topic"


def test_a_reader_gets_only_the_topics_it_asked_for(address: str, context: Any) -> None:
    with (
        Publisher(address, context=context) as publisher,
        Subscriber(address, topics=["data.bars.*.1m", "system.*"], context=context) as reader,
    ):
        joined(publisher, reader)
        for topic in ("data.bars.A.1m", "data.bars.A.5m", "data.quotes.A", "data.bars.B.1m"):
            publisher.publish(topic, {"n": 1})
        got = [reader.receive(1.0), reader.receive(1.0), reader.receive(0.05)]
    assert [m.topic if m else None for m in got] == ["data.bars.A.1m", "data.bars.B.1m", None]


def test_topics_that_were_not_chosen_do_not_leave(address: str, context: Any) -> None:
    with (
        Publisher(address, topics=["order.*"], context=context) as publisher,
        Subscriber(address, context=context) as reader,
    ):
        joined(publisher, reader)
        publisher.publish("data.bars.A.1m", {})
        publisher.publish("order.x", {"kind": "sent"})
        message = reader.receive(1.0)
    assert message is not None
    assert message.topic == "order.x"


class Buyer(Strategy):
    def on_start(self) -> None:
        self.subscribe_bars("AAA", "1m")

    def on_bar(self, bar: Bar) -> None:
        if self.position("AAA").is_flat:
            self.buy("AAA", 1)
            self.buy("AAA", 10_000_000)


def test_every_step_of_orders_and_each_verdict_has_its_topic() -> None:
    seen: list[tuple[str, dict[str, Any]]] = []

    class Listening(Buyer):
        def on_start(self) -> None:
            super().on_start()
            for pattern in ("order.*", "fill.*", "position.*"):
                self.subscribe(pattern, lambda m: seen.extend(wired(m, lambda number: "Buyer")))

    from pyrt.risk import Limits

    strategy = Listening()
    backtest(
        strategy, minute_frame(6), symbol="AAA", label="open", limits=Limits(max_order_quantity=100)
    )
    topics = [topic for topic, _ in seen]
    name = strategy.name
    assert topics[:2] == [f"order.{name}", f"risk.approved.{name}"]
    assert f"risk.denied.{name}" in topics
    assert f"order.{name}.fill" in topics
    assert "position.Buyer.AAA" in topics
    denied = next(payload for topic, payload in seen if topic == f"risk.denied.{name}")
    assert denied["reason"].startswith("max_order_quantity")


def test_a_slow_reader_loses_counted_messages_and_others_lose_none(
    address: str, context: Any
) -> None:
    with (
        Publisher(address, high_water=500, context=context) as publisher,
        Subscriber(address, high_water=10, context=context) as slow,
        Subscriber(address, high_water=100_000, context=context) as quick,
    ):
        joined(publisher, slow)
        joined(publisher, quick)
        while slow.receive(0.02):
            pass
        read = 0
        for _ in range(2_000):
            publisher.publish("order.x", {"text": "x" * 20_000})
            read += quick.receive(1.0) is not None
        assert publisher.dropped > 0
        assert (read, quick.missed) == (2_000, {})
        last = 0
        while message := slow.receive(0.2):
            last = message.sequence
        publisher.publish("order.x", {})
        message = slow.receive(1.0)
        assert message is not None
        assert slow.missed["order.x"] >= 2_000 - last
        assert message.sequence == 2_001


def test_a_publisher_that_began_anew_is_noticed(address: str, context: Any) -> None:
    with Subscriber(address, context=context) as reader:
        for _ in range(2):
            with Publisher(address, context=context) as publisher:
                joined(publisher, reader)
                publisher.publish("order.x", {})
                assert reader.receive(1.0) is not None
        assert reader.restarts >= 1
        assert reader.missed == {}


@pytest.mark.parametrize(
    "frame",
    [b"", b"no separator", b"topic\0", b"topic\0\xc1", b"t\0" + b"x" * FRAME_MAX,
     b"\xff\0" + pack(b"t", "s", 1, 1, {}).split(b"\0", 1)[1], b"t\0\x93\x01\x02\x03",
     nested(5_000)],
    ids=["empty", "no-separator", "no-body", "reserved", "too-large", "no-utf8", "wrong-shape",
         "nested"],
)  # fmt: skip
def test_a_frame_of_another_form_is_refused(frame: bytes) -> None:
    with pytest.raises(DataError):
        unpack(frame)


@pytest.mark.parametrize(
    "address",
    [
        "tcp://0.0.0.0:5555",
        "tcp://10.0.0.3:5555",
        "tcp://*:5555",
        "udp://127.0.0.1:1",
        "",
        "ipc://",
    ],
)
def test_an_address_that_others_could_reach_is_refused(address: str) -> None:
    with pytest.raises(ConfigError, match="ipc://PATH"):
        Publisher(address)


def test_a_topic_that_nothing_is_sent_on_is_refused(address: str) -> None:
    with pytest.raises(ConfigError, match="matches no topic"):
        Publisher(address, topics=["dta.*"])


def test_an_address_in_use_is_named(address: str, context: Any) -> None:
    name = "inproc://taken"
    with Publisher(name, context=context), pytest.raises(ConfigError, match="cannot be bound"):
        Publisher(name, context=context)


@pytest.mark.parametrize("make", [Publisher, SignalInlet])
def test_a_path_in_use_is_not_taken_away(make: Any, address: str, context: Any) -> None:
    """ZeroMQ binds it all the same, and who had it is never heard again."""
    with make(address, context=context):
        for other in (Publisher, SignalInlet):
            with pytest.raises(ConfigError, match=f"cannot be bound: .*{os.getpid()}") as refused:
                other(address, context=context)
            assert refused.value.code == "link_address"
    with make(address, context=context), make(f"{address}-2", context=context):
        pass


def test_the_folder_of_an_address_is_made_for_its_owner_alone(tmp_path: Path, context: Any) -> None:
    with Publisher(f"ipc://{tmp_path}/run/feed", context=context):
        assert (tmp_path / "run").stat().st_mode & 0o777 == 0o700
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="cannot be bound"):
        Publisher(f"ipc://{tmp_path}/file/feed", context=context)


def test_a_name_that_is_no_path_is_taken_once_too(context: Any) -> None:
    name = f"ipc://@pyrt-test-{os.getpid()}"
    with Publisher(name, context=context), pytest.raises(ConfigError, match="cannot be bound"):
        Publisher(name, context=context)


def test_every_topic_of_the_table_begins_with_a_part_that_is_sent() -> None:
    assert {topic.split(".")[0] for topic in TOPICS} == {
        "data", "signal", "risk", "order", "position", "system",
    }  # fmt: skip


# ---- signals back -----------------------------------------------------------------------------


def received(inlet: SignalInlet, wanted: int) -> list[Signal]:
    found: list[Signal] = []
    for _ in range(500):
        found += inlet.poll()
        if len(found) >= wanted:
            break
        zmq.select([inlet.fd], [], [], 0.01)
    return found


def test_signals_come_back_in_order(address: str, context: Any) -> None:
    signals = [Signal("SPY", "buy", float(i), 0.5, NOW) for i in range(100)]
    with (
        SignalInlet(address, clock=lambda: NOW, context=context) as inlet,
        SignalSender(address, context=context) as sender,
    ):
        assert all(sender.send(signal) for signal in signals)
        assert received(inlet, 100) == signals
        assert (inlet.taken, inlet.missed, inlet.refused) == (100, 0, {})


@pytest.mark.parametrize(
    ("signal", "reason"),
    [
        (Signal("SPY", "hold", 1.0, 0.5, NOW), "side"),
        (Signal("SPY", "buy", -1.0, 0.5, NOW), "quantity"),
        (Signal("SPY", "buy", float("nan"), 0.5, NOW), "quantity"),
        (Signal("SPY", "buy", float("inf"), 0.5, NOW), "quantity"),
        (Signal("SPY", "buy", 1.0, 1.5, NOW), "confidence"),
        (Signal("SPY", "buy", 1.0, float("nan"), NOW), "confidence"),
        (Signal("QQQ", "buy", 1.0, 0.5, NOW), "symbol"),
        (Signal("SPY", "buy", 1.0, 0.5, NOW - 11_000_000_000), "stale"),
    ],
)
def test_a_signal_nobody_should_act_on_is_refused_and_counted(
    signal: Signal, reason: str, address: str, context: Any
) -> None:
    good = Signal("SPY", "flat", 0.0, 1.0, NOW - 9_000_000_000)
    with (
        SignalInlet(address, symbols=["SPY"], clock=lambda: NOW, context=context) as inlet,
        SignalSender(address, context=context) as sender,
    ):
        sender.send(signal)
        sender.send(good)
        assert received(inlet, 1) == [good]
        assert inlet.refused == {reason: 1}


def test_what_is_no_signal_is_refused(address: str, context: Any) -> None:
    with (
        SignalInlet(address, clock=lambda: NOW, context=context) as inlet,
        context.socket(zmq.PUSH) as raw,
    ):
        raw.connect(address)
        raw.send(b"\xc1\xff" * 20)
        raw.send(pack(b"signal", "s", 1, NOW, {"type": "CustomData", "name": "x", "value": 1,
                                               "ts_event": NOW, "ts_init": NOW}))  # fmt: skip
        raw.send(pack(b"signal", "s", 2, NOW, {"type": "Signal", "symbol": "SPY"}))
        for _ in range(200):
            inlet.poll()
            if sum(inlet.refused.values()) == 3:
                break
            zmq.select([inlet.fd], [], [], 0.01)
    assert sum(inlet.refused.values()) == 3


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (pack(b"signal", "x", 1, NOW, {"type": []}), "not_a_signal"),
        (pack(b"signal", "x", 1, NOW, {"type": {}}), "not_a_signal"),
        (pack(b"signal", "x", 1, NOW, {"type": None}), "not_a_signal"),
        (nested(5_000), "data"),
    ],
    ids=["list", "map", "nothing", "nested"],
)
def test_a_message_that_makes_no_sense_costs_those_beside_it_nothing(
    bad: bytes, code: str, address: str, context: Any
) -> None:
    good = Signal("SPY", "buy", 1.0, 0.5, NOW)
    with (
        SignalInlet(address, clock=lambda: NOW, context=context) as inlet,
        context.socket(zmq.PUSH) as raw,
    ):
        raw.connect(address)
        frames = [pack(b"signal", "s", number, NOW, to_dict(good)) for number in range(1, 5)]
        for frame in (*frames[:2], bad, *frames[2:]):
            raw.send(frame)
        assert received(inlet, 4) == [good] * 4
        assert (inlet.taken, inlet.missed, inlet.refused) == (4, 0, {code: 1})


def test_what_nobody_has_foreseen_in_a_message_is_refused_and_told(
    address: str, context: Any, caplog: Any
) -> None:
    now = iter([NOW, "no time", NOW, NOW])
    good = Signal("SPY", "buy", 1.0, 0.5, NOW)
    with (
        SignalInlet(address, clock=lambda: next(now), context=context) as inlet,  # type: ignore[arg-type, return-value]
        SignalSender(address, context=context) as sender,
    ):
        for _ in range(4):
            sender.send(good)
        assert received(inlet, 3) == [good] * 3
        assert inlet.refused == {"unforeseen": 1}
    assert "TypeError" in caplog.text


def test_a_signal_is_as_old_as_its_way_or_its_subject_whichever_is_older(
    address: str, context: Any
) -> None:
    old = Signal("SPY", "buy", 1.0, 0.5, NOW - 86_400_000_000_000)
    fresh = Signal("SPY", "sell", 1.0, 0.5, NOW)
    for by_sending, taken in ((True, [old, fresh]), (False, [fresh])):
        with (
            SignalInlet(
                f"{address}{by_sending}", clock=lambda: NOW, by_sending=by_sending, context=context
            ) as inlet,
            context.socket(zmq.PUSH) as raw,
        ):
            raw.connect(f"{address}{by_sending}")
            late = pack(b"signal", "s", 1, NOW - 11_000_000_000, to_dict(fresh))
            for frame in (late, pack(b"signal", "s", 2, NOW, to_dict(old)),
                          pack(b"signal", "s", 3, NOW, to_dict(fresh))):  # fmt: skip
                raw.send(frame)
            assert received(inlet, len(taken)) == taken
            assert inlet.refused == {"stale": 3 - len(taken)}


def test_an_inlet_follows_the_numbers_of_so_many_senders_and_no_more(
    address: str, context: Any
) -> None:
    with (
        SignalInlet(address, clock=lambda: NOW, context=context) as inlet,
        context.socket(zmq.PUSH) as raw,
    ):
        raw.connect(address)
        for number in range(SESSIONS_MAX + 50):
            raw.send(pack(b"signal", f"s{number}", 1, NOW, to_dict(Signal("A", "buy", 1, 1, NOW))))
        assert len(received(inlet, SESSIONS_MAX + 50)) == SESSIONS_MAX + 50
        assert (len(inlet._last), inlet.missed) == (SESSIONS_MAX, 0)


def test_what_has_no_plain_form_is_counted_and_ends_nobody(address: str, context: Any) -> None:
    bus = MessageBus()
    with Publisher(address, context=context) as publisher:
        publisher.attach(bus, trace_of=lambda message: "f1")
        for value in (object(), 1.5, object()):
            bus.publish("data.custom.x", CustomData("x", value, NOW, NOW))
        assert (publisher.sent, publisher.failed) == (1, 2)


def test_a_sender_without_a_node_never_waits(context: Any, address: str) -> None:
    with SignalSender(address, high_water=5, context=context) as sender:
        for i in range(50):
            sender.send(Signal("SPY", "buy", float(i), 0.5, NOW))
        assert sender.dropped == 45
        sender._socket.setsockopt(zmq.LINGER, 0)


def test_none_of_many_is_lost_below_the_mark(context: Any, address: str) -> None:
    count = 1_000_000 if os.environ.get("PYRT_HYPOTHESIS") == "nightly" else 20_000
    with (
        Publisher(address, high_water=count + 10, context=context) as publisher,
        Subscriber(address, high_water=count + 10, context=context) as reader,
    ):
        joined(publisher, reader)
        payload = {"type": "Signal", **Signal("SPY", "buy", 1.0, 0.5, NOW).to_dict()}
        for _ in range(count):
            publisher.publish("signal.SPY", payload)
        read = sum(reader.receive(5.0) is not None for _ in range(count))
        assert (read, reader.missed, publisher.dropped) == (count, {}, 0)
