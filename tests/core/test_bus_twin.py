"""The message bus beside its slow twin: random commands, also from inside handlers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from pyrt.core.bus import MessageBus
from tests.reference.bus import SlowBus


class Broken(Exception):
    """What the handlers of these tests raise."""


TOPICS = ["a", "a.b", "a.c", "b.b"]
PATTERNS = [*TOPICS, "*", "a.*", "?.b", "a*"]
HANDLERS = range(4)
ENDPOINTS = ["e", "a"]
Action = tuple[Any, ...]
# A message is (label, ((handler, action), ...)): what each handler does when it receives it.


def actions(messages: st.SearchStrategy[Any]) -> st.SearchStrategy[Action]:
    handlers = st.sampled_from(HANDLERS)
    return st.one_of(
        st.tuples(st.just("publish"), st.sampled_from(TOPICS), messages),
        st.tuples(st.just("send"), st.sampled_from(ENDPOINTS), messages),
        st.tuples(st.just("request"), st.sampled_from(ENDPOINTS), messages, handlers),
        st.tuples(st.just("respond"), st.integers(1, 4), messages),
        st.tuples(st.just("subscribe"), st.sampled_from(PATTERNS), handlers, st.integers(-1, 1)),
        st.tuples(st.just("unsubscribe"), st.sampled_from(PATTERNS), handlers),
        st.tuples(st.just("register"), st.sampled_from(ENDPOINTS), handlers),
        st.tuples(st.just("cancel"), st.integers(0, 9)),
        st.just(("raise",)),
        st.just(("absorbed raise",)),
    )


LABELS = st.integers(0, 999)
LEAVES = st.tuples(LABELS, st.just(()))
MESSAGES = st.recursive(
    LEAVES,
    lambda inner: st.tuples(
        LABELS,
        st.lists(st.tuples(st.sampled_from(HANDLERS), actions(inner)), max_size=4).map(tuple),
    ),
    max_leaves=6,
)


class World:
    """One bus with four handlers that do what each message tells them; `log` is what happened."""

    def __init__(self, bus: Any) -> None:
        self.bus = bus
        self.log: list[Any] = []
        self.handlers = [self.handler(number) for number in HANDLERS]
        self.subscriptions: list[Any] = []
        bus.on_error = lambda handler, message, error: str(error) == "absorbed"

    def handler(self, number: int) -> Callable[[Any], None]:
        def handle(message: Any) -> None:
            message = getattr(message, "message", message)  # a Request's content
            self.log.append((number, message[0]))
            for who, action in message[1]:
                if who == number:
                    self.act(action)

        return handle

    def act(self, action: Action) -> None:
        kind, *args = action
        if kind == "raise":
            raise Broken("raised")
        if kind == "absorbed raise":
            raise Broken("absorbed")
        try:
            self.command(kind, *args)
        except LookupError:
            self.log.append("unknown name")
        except ValueError:
            self.log.append("refused")

    def command(self, kind: str, *args: Any) -> None:
        bus = self.bus
        if kind == "request":
            endpoint, message, then = args
            self.log.append(bus.request(endpoint, message, then=self.handlers[then]))
        elif kind == "subscribe":
            pattern, handler, priority = args
            self.subscriptions.append(
                bus.subscribe(pattern, self.handlers[handler], priority=priority)
            )
        elif kind in ("unsubscribe", "register"):
            made = getattr(bus, kind)(args[0], self.handlers[args[1]])
            self.subscriptions.extend([made] if made else [])
        elif kind == "cancel":
            if args[0] < len(self.subscriptions):
                self.subscriptions[args[0]].cancel()
        else:
            getattr(bus, kind)(*args)

    def step(self, kind: str, *args: Any) -> None:
        try:
            self.act((kind, *args))
        except Broken as error:
            self.log.append(str(error))

    def state(self) -> tuple[Any, ...]:
        bus = self.bus
        counts = (bus.published, bus.sent, bus.requests, bus.delivered)
        return (self.log, bus.depth, bus.pending, counts)


class BusBesideItsTwin(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.fast, self.slow = World(MessageBus()), World(SlowBus())

    def both(self, *action: Any) -> None:
        self.fast.step(*action)
        self.slow.step(*action)

    @rule(action=actions(MESSAGES))
    def act(self, action: Action) -> None:
        self.both(*action)

    @rule(topic=st.sampled_from(TOPICS), message=MESSAGES)
    def publish(self, topic: str, message: Any) -> None:
        self.both("publish", topic, message)

    @rule(
        pattern=st.sampled_from(PATTERNS),
        handler=st.sampled_from(HANDLERS),
        priority=st.integers(-1, 1),
    )
    def subscribe(self, pattern: str, handler: int, priority: int) -> None:
        self.both("subscribe", pattern, handler, priority)

    @rule()
    def begin(self) -> None:
        self.both("begin")

    @precondition(lambda self: self.slow.bus.depth > 0)
    @rule(kind=st.sampled_from(["end", "end", "leave"]))
    def close(self, kind: str) -> None:
        self.both(kind)

    @rule()
    def flush(self) -> None:
        self.both("flush")

    @invariant()
    def same_history(self) -> None:
        assert self.fast.state() == self.slow.state()


TestBusBesideItsTwin = BusBesideItsTwin.TestCase
TestBusBesideItsTwin.settings = settings(max_examples=150, stateful_step_count=25, deadline=None)
