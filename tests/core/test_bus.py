"""The message bus: hand-worked delivery orders."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyrt.core.bus import MessageBus, escape, matches, unescape
from pyrt.errors import ConfigError, RunawayError, UnknownName


class Broken(Exception):
    """What the handlers of these tests raise."""


@pytest.fixture
def bus() -> MessageBus:
    return MessageBus()


def recorder(log: list[Any], name: str) -> Callable[[Any], None]:
    return lambda message: log.append((name, message))


# Topics


@pytest.mark.parametrize(
    ("pattern", "topic", "fits"),
    [
        ("order.*", "order.SPY", True),
        ("order.*", "order.", True),
        ("order.*", "order", False),
        ("*", "", True),
        ("data.bars.*.1m", "data.bars.SPY.1m", True),
        ("data.bars.*.1m", "data.bars.SPY.5m", False),
        ("data.bars.*", "data.bars.SPY.1m", True),
        ("a?c", "abc", True),
        ("a?c", "ac", False),
        ("a?c", "abbc", False),
        ("*b*b", "abab", True),
        ("*b*b", "aba", False),
        ("?", "", False),
    ],
)
def test_wildcards_stand_for_any_run_and_for_one_character(
    pattern: str, topic: str, fits: bool
) -> None:
    assert matches(pattern, topic) is fits


@settings(deadline=None)
@given(st.text("ab.*?", max_size=8), st.text("ab.", max_size=10))
def test_matching_agrees_with_fnmatch(pattern: str, topic: str) -> None:
    assert matches(pattern, topic) == fnmatchcase(topic, pattern)


@settings(deadline=None)
@given(st.text(), st.text())
def test_escaped_symbols_are_distinct_and_hold_no_special_character(a: str, b: str) -> None:
    assert unescape(escape(a)) == a
    assert not set(escape(a)) & set(".*?")
    assert (escape(a) == escape(b)) == (a == b)


def test_a_symbol_with_a_dot_stays_one_part_of_the_topic(bus: MessageBus) -> None:
    log: list[Any] = []
    bus.subscribe(f"data.bars.{escape('BRK.B')}.1m", recorder(log, "h"))
    bus.publish(f"data.bars.{escape('BRK.B')}.1m", 1)
    bus.publish(f"data.bars.{escape('BRK')}.B.1m", 2)
    assert log == [("h", 1)]


def test_a_topic_resolves_to_one_channel(bus: MessageBus) -> None:
    assert bus.channel("a.b") is bus.channel("a.b")
    assert bus.channel("a.b") is not bus.channel("a.c")


@pytest.mark.parametrize("topic", ["", "a.*", "a?"])
def test_a_channel_needs_a_topic_without_wildcards(bus: MessageBus, topic: str) -> None:
    with pytest.raises(ConfigError):
        bus.channel(topic)


# Subscriptions


def test_higher_priority_comes_first_then_subscription_order(bus: MessageBus) -> None:
    log: list[Any] = []
    for name, priority in [("a", 0), ("b", 5), ("c", -1), ("d", 5), ("e", 0)]:
        bus.subscribe("t", recorder(log, name), priority=priority)
    bus.publish("t", 1)
    assert [name for name, _ in log] == ["b", "d", "a", "e", "c"]


def test_wildcards_and_exact_topics_share_one_order(bus: MessageBus) -> None:
    log: list[Any] = []
    bus.subscribe("order.*", recorder(log, "wild first"))
    bus.subscribe("order.SPY", recorder(log, "exact"))
    bus.subscribe("order.???", recorder(log, "wild last"))
    bus.publish("order.SPY", 1)
    assert [name for name, _ in log] == ["wild first", "exact", "wild last"]


def test_a_wildcard_added_later_joins_existing_channels(bus: MessageBus) -> None:
    log: list[Any] = []
    channel = bus.channel("order.SPY")
    assert not channel.has_handlers
    bus.subscribe("order.*", recorder(log, "h"))
    assert channel.has_handlers
    channel.publish(1)
    assert log == [("h", 1)]


def test_a_wildcard_added_earlier_joins_new_channels(bus: MessageBus) -> None:
    bus.subscribe("order.*", print)
    assert bus.channel("order.SPY").has_handlers
    assert not bus.channel("fill.SPY").has_handlers


def test_unsubscribed_handlers_leave_every_channel(bus: MessageBus) -> None:
    one, two = bus.channel("a.1"), bus.channel("a.2")
    bus.subscribe("a.*", print)
    bus.unsubscribe("a.*", print)
    assert (one.has_handlers, two.has_handlers) == (False, False)
    assert not bus.channel("a.3").has_handlers
    with pytest.raises(UnknownName):
        bus.unsubscribe("a.*", print)


def test_a_canceled_subscription_may_be_canceled_again_and_made_again(bus: MessageBus) -> None:
    first = bus.subscribe("a", print)
    assert first.cancel() == first.cancel() == 0
    second = bus.subscribe("a", print)
    first.cancel()
    assert bus.channel("a").subscriptions == (second,)


def test_subscribing_twice_or_with_no_handler_is_refused(bus: MessageBus) -> None:
    bus.subscribe("a", print)
    with pytest.raises(ConfigError, match="already listens"):
        bus.subscribe("a", print)
    with pytest.raises(ConfigError, match="not callable"):
        bus.subscribe("a", 3)  # type: ignore[arg-type]
    with pytest.raises(ConfigError):
        bus.subscribe("", print)
    assert len(bus.channel("a").subscriptions) == 1


def test_any_object_is_a_message(bus: MessageBus) -> None:
    log: list[Any] = []
    bus.subscribe("t", log.append)
    messages: list[Any] = [None, 0, "text", {"a": 1}, object()]
    for message in messages:
        bus.publish("t", message)
    assert all(a is b for a, b in zip(log, messages, strict=True))


# One order of events


def test_a_nested_message_waits_until_all_handlers_saw_the_present_one(bus: MessageBus) -> None:
    log: list[Any] = []

    def first(message: str) -> None:
        log.append(("first", message))
        if message == "M1":
            bus.publish("t", "M2")
            bus.publish("t", "M3")

    bus.subscribe("t", first)
    bus.subscribe("t", recorder(log, "second"))
    bus.publish("t", "M1")
    assert log == [(who, m) for m in ("M1", "M2", "M3") for who in ("first", "second")]


def test_topics_endpoints_and_answers_share_the_queue(bus: MessageBus) -> None:
    log: list[Any] = []

    def start(_: str) -> None:
        bus.send("risk", "sent")
        bus.publish("u", "published")
        number = bus.request("cache", "asked", then=recorder(log, "then"))
        bus.respond(number, "answered")

    bus.register("risk", recorder(log, "risk"))
    bus.register("cache", lambda request: log.append(("cache", request.message)))
    bus.subscribe("u", recorder(log, "u"))
    bus.subscribe("t", start)
    bus.publish("t", "go")
    assert log == [
        ("risk", "sent"),
        ("u", "published"),
        ("cache", "asked"),
        ("then", "answered"),
    ]


def test_a_handler_added_during_a_dispatch_starts_with_the_next_message(bus: MessageBus) -> None:
    log: list[Any] = []

    def first(message: int) -> None:
        if message == 1:
            bus.publish("t", 2)
            bus.subscribe("t", recorder(log, "late"), priority=9)
            bus.publish("t", 3)

    bus.subscribe("t", first)
    bus.publish("t", 1)
    assert log == [("late", 3)]


def test_a_handler_removed_during_a_dispatch_gets_no_more(bus: MessageBus) -> None:
    log: list[Any] = []

    def first(message: int) -> None:
        if message == 1:
            bus.publish("t", 2)
            second.cancel()

    bus.subscribe("t", first)
    second = bus.subscribe("t", recorder(log, "second"))
    bus.subscribe("t", recorder(log, "third"))
    bus.publish("t", 1)
    assert log == [("third", 1), ("third", 2)]


def test_begin_holds_messages_and_end_delivers_them(bus: MessageBus) -> None:
    log: list[Any] = []
    bus.subscribe("t", recorder(log, "h"))
    bus.begin()
    bus.begin()
    bus.publish("t", 1)
    bus.publish("t", 2)
    bus.flush()
    assert (log, bus.pending, bus.depth) == ([], 2, 2)
    bus.end()
    assert bus.pending == 2
    bus.end()
    assert (log, bus.pending, bus.depth) == ([("h", 1), ("h", 2)], 0, 0)


def test_leave_closes_a_hold_without_delivering(bus: MessageBus) -> None:
    log: list[Any] = []
    bus.subscribe("t", recorder(log, "h"))
    bus.begin()
    bus.publish("t", 1)
    bus.leave()
    assert (log, bus.pending, bus.depth) == ([], 1, 0)
    bus.publish("t", 2)
    assert log == [("h", 1), ("h", 2)]


def test_end_without_begin_is_our_bug(bus: MessageBus) -> None:
    with pytest.raises(AssertionError):
        bus.end()
    assert bus.depth == 0


def test_a_long_queue_keeps_its_order(bus: MessageBus) -> None:
    log: list[int] = []
    bus.subscribe("t", log.append)
    bus.subscribe("t", lambda n: bus.publish("t", n + 20_000) if n < 20_000 else None)
    bus.begin()
    for n in range(20_000):
        bus.publish("t", n)
    bus.end()
    assert log == list(range(40_000))


def test_delivered_messages_are_released() -> None:
    class Message:
        pass

    bus = MessageBus()
    bus.subscribe("t", lambda message: None)
    message = Message()
    seen = weakref.ref(message)
    bus.begin()
    bus.publish("t", message)
    bus.publish("t", 1)
    bus.end()
    bus.publish("t", message)
    del message
    gc.collect()
    assert seen() is None


# Errors in handlers


def test_after_an_error_flush_resumes_with_the_handlers_and_messages_left(bus: MessageBus) -> None:
    log: list[Any] = []

    def faulty(message: int) -> None:
        log.append(("faulty", message))
        if message == 1:
            bus.publish("t", 2)
            raise Broken("one")

    bus.subscribe("t", faulty)
    bus.subscribe("t", recorder(log, "sound"))
    with pytest.raises(Broken, match="one"):
        bus.publish("t", 1)
    assert (log, bus.pending, bus.depth) == ([("faulty", 1)], 1, 0)
    bus.flush()
    assert log == [("faulty", 1), ("sound", 1), ("faulty", 2), ("sound", 2)]


def test_a_message_published_after_an_error_comes_after_what_was_left(bus: MessageBus) -> None:
    log: list[Any] = []
    bus.subscribe("t", lambda message: 1 // message)
    bus.subscribe("t", recorder(log, "sound"))
    with pytest.raises(ZeroDivisionError):
        bus.publish("t", 0)
    bus.publish("t", 5)
    assert log == [("sound", 0), ("sound", 5)]


def test_a_strategy_halted_after_its_error_gets_no_more_of_the_queue(bus: MessageBus) -> None:
    log: list[Any] = []

    def faulty(message: int) -> None:
        bus.publish("t", message + 1)
        raise Broken

    halted = bus.subscribe("t", faulty)
    bus.subscribe("t", recorder(log, "sound"))
    with pytest.raises(Broken):
        bus.publish("t", 1)
    halted.cancel()
    bus.flush()
    assert log == [("sound", 1), ("sound", 2)]


def test_an_error_in_the_depth_comes_out_of_the_outermost_dispatcher(bus: MessageBus) -> None:
    def nested(_: int) -> None:
        bus.publish("inner", 1)  # queued, so the error cannot come out here

    def inner(_: int) -> None:
        raise Broken

    bus.subscribe("outer", nested)
    bus.subscribe("inner", inner)
    with pytest.raises(Broken):
        bus.publish("outer", 1)


def test_on_error_decides_whether_the_dispatch_goes_on(bus: MessageBus) -> None:
    log: list[Any] = []

    def faulty(message: str) -> None:
        raise Broken(message)

    def decide(handler: object, message: str, error: Exception) -> bool:
        log.append((handler is faulty, message, str(error)))
        return message == "absorb"

    bus.on_error = decide
    bus.subscribe("t", faulty)
    bus.subscribe("t", recorder(log, "sound"))
    bus.publish("t", "absorb")
    with pytest.raises(Broken):
        bus.publish("t", "raise")
    assert log == [(True, "absorb", "absorb"), ("sound", "absorb"), (True, "raise", "raise")]


def test_what_on_error_publishes_is_queued(bus: MessageBus) -> None:
    log: list[Any] = []

    def alarm(handler: object, message: object, error: Exception) -> bool:
        bus.publish("alarm", repr(error))
        return True

    def faulty(_: object) -> None:
        raise Broken

    bus.on_error = alarm
    bus.subscribe("t", faulty)
    bus.subscribe("t", recorder(log, "sound"))
    bus.subscribe("alarm", recorder(log, "alarm"))
    bus.publish("t", 1)
    assert log == [("sound", 1), ("alarm", "Broken()")]


def test_an_error_in_on_error_comes_out_chained(bus: MessageBus) -> None:
    def faulty(_: object) -> None:
        raise Broken

    def worse(handler: object, message: object, error: Exception) -> bool:
        raise RuntimeError("worse")

    bus.on_error = worse
    bus.subscribe("t", faulty)
    with pytest.raises(RuntimeError) as caught:
        bus.publish("t", 1)
    assert isinstance(caught.value.__context__, Broken)
    assert bus.depth == 0


def test_messages_that_beget_each_other_without_end_are_an_error(bus: MessageBus) -> None:
    def ping(message: int) -> None:
        bus.publish("pong", message + 1)

    def pong(message: int) -> None:
        bus.publish("ping", message + 1)

    bus.subscribe("ping", ping)
    last = bus.subscribe("pong", pong)
    with pytest.raises(RunawayError, match="on 'pong'"):
        bus.publish("ping", 0)
    assert (bus.delivered, bus.pending, bus.depth) == (10_001, 1, 0)
    last.cancel()
    bus.flush()
    assert bus.pending == 0


def test_an_interrupt_is_not_offered_to_on_error(bus: MessageBus) -> None:
    def interrupted(_: object) -> None:
        raise KeyboardInterrupt

    bus.on_error = lambda handler, message, error: True
    bus.subscribe("t", interrupted)
    with pytest.raises(KeyboardInterrupt):
        bus.publish("t", 1)
    assert bus.depth == 0


# Endpoints and requests


def test_an_endpoint_has_one_handler(bus: MessageBus) -> None:
    log: list[Any] = []
    first = bus.register("risk", recorder(log, "first"))
    with pytest.raises(ConfigError, match="already has a handler"):
        bus.register("risk", recorder(log, "second"))
    bus.send("risk", 1)
    first.cancel()
    with pytest.raises(UnknownName):
        bus.send("risk", 2)
    bus.register("risk", recorder(log, "second"))
    bus.send("risk", 3)
    assert log == [("first", 1), ("second", 3)]
    assert bus.sent == 2


def test_a_missing_endpoint_is_named_with_those_known(bus: MessageBus) -> None:
    bus.register("risk", print)
    with pytest.raises(UnknownName, match=r"'rsk'.*risk"):
        bus.send("rsk", 1)
    with pytest.raises(UnknownName):
        bus.request("rsk", 1, then=print)
    assert (bus.sent, bus.requests) == (0, 0)


def test_requests_are_numbered_and_answered_once(bus: MessageBus) -> None:
    log: list[Any] = []
    asked: list[Any] = []
    bus.register("history", asked.append)
    first = bus.request("history", "SPY", then=recorder(log, "first"))
    second = bus.request("history", "BAC", then=recorder(log, "second"))
    assert (first, second) == (1, 2)
    assert [(r.id, r.message) for r in asked] == [(1, "SPY"), (2, "BAC")]
    bus.respond(second, "bars of BAC")
    bus.respond(first, "bars of SPY")
    assert log == [("second", "bars of BAC"), ("first", "bars of SPY")]
    with pytest.raises(UnknownName):
        bus.respond(first, "again")


def test_a_withdrawn_request_takes_no_answer(bus: MessageBus) -> None:
    log: list[Any] = []
    bus.register("history", print)
    number = bus.request("history", "SPY", then=recorder(log, "h"))
    bus.withdraw(number)
    for late in (bus.withdraw, lambda n: bus.respond(n, 1)):
        with pytest.raises(UnknownName):
            late(number)
    assert log == []


def test_counters_count(bus: MessageBus) -> None:
    bus.subscribe("t", lambda message: None)
    bus.subscribe("*", lambda message: None)
    bus.register("e", lambda message: None)
    bus.publish("t", 1)
    bus.publish("u", 1)
    bus.send("e", 1)
    number = bus.request("e", 1, then=lambda message: None)
    bus.respond(number, 1)
    counts = (bus.published, bus.sent, bus.requests, bus.delivered)
    assert counts == (2, 2, 1, 3 + 1 + 1 + 1)
