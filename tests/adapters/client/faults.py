"""A faulty network between a client core and a broker, on a virtual clock, from a seed."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from random import Random

from pyrt.adapters.alpaca.client import AlpacaClient
from pyrt.adapters.alpaca.credentials import Credentials
from pyrt.adapters.alpaca.events import AnswerEvent, Event, FillEvent
from pyrt.adapters.alpaca.rest import HttpRequest
from pyrt.adapters.alpaca.streams import ACTIVE
from tests.adapters.client.exchange import MINUTE, PREFIX, START, Broker, order

SECOND = 1_000_000_000
HTML = b"<html>502 Bad Gateway</html>"
AUTHORIZED = b'{"stream":"authorization","data":{"status":"authorized","action":"authenticate"}}'
LISTENING = b'{"stream":"listening","data":{"streams":["trade_updates"]}}'


@dataclass
class Book:
    """What a kernel would have made of the events: strict about what must not happen."""

    cash: Decimal = Decimal(100_000)
    position: Decimal = Decimal(0)
    filled: dict[int, Decimal] = field(default_factory=dict)
    status: dict[int, str] = field(default_factory=dict)
    sides: dict[int, int] = field(default_factory=dict)
    unknown: set[int] = field(default_factory=set)

    def take(self, event: Event) -> None:
        if isinstance(event, FillEvent):
            before = self.filled.get(event.number, Decimal(0))
            quantity = Decimal(event.quantity)
            assert Decimal(event.cumulative) == before + quantity > before
            self.filled[event.number] = before + quantity
            self.position += self.sides[event.number] * quantity
            self.cash -= self.sides[event.number] * quantity * Decimal(event.price)
            self.unknown.discard(event.number)
        elif isinstance(event, AnswerEvent):
            self.answer(event)

    def answer(self, event: AnswerEvent) -> None:
        if event.kind == "unknown":
            assert event.number not in self.unknown
            assert event.number not in self.status
            self.unknown.add(event.number)
            return
        self.unknown.discard(event.number)
        before = self.status.get(event.number)
        assert before in (None, "accepted", "lost") or event.kind == "cancel_rejected", event
        assert (before, event.kind) != ("accepted", "accepted")
        if event.kind != "cancel_rejected":
            self.status[event.number] = event.kind


@dataclass(frozen=True)
class Faults:
    """Chances of what goes wrong, for each message."""

    lost_request: float
    lost_response: float
    server_error: float
    late_request: float
    lost_frame: float
    doubled_frame: float
    reordered: float
    disconnect: float

    @classmethod
    def drawn(cls, random: Random) -> Faults:
        """Turn each kind on or off: schedules with few kinds reach other states than all."""
        return cls(*(random.choice((0.0, 0.0, 0.15, 0.4)) for _ in range(8)))


class World:
    """Steps the client, the network and the broker by seconds."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        walk = [100.0]
        for _ in range(12):
            walk.append(round(walk[-1] + self.random.choice((-0.3, -0.1, 0.1, 0.3)), 2))
        self.broker = Broker(walk)
        self.client = AlpacaClient(PREFIX, Credentials("PK", "secret"), seed=seed)
        self.book = Book()
        self.faults: Faults | None = Faults.drawn(self.random)
        self.now = START
        self.late: list[HttpRequest] = []
        self.instants = self.broker.core.instants()
        self.pending = next(self.instants, None)

    # -- the schedule --------------------------------------------------------------------------

    def run(self) -> None:
        """Trade under faults, then let the faults stop and everything settle."""
        orders = self.plan()
        for second in range(600):
            for item in orders.get(second, ()):
                self.command(item)
            self.step()
        self.faults = None
        for _ in range(400):
            self.step()

    def plan(self) -> dict[int, list[tuple[str, int]]]:
        plan: dict[int, list[tuple[str, int]]] = {}
        for number in range(self.random.randint(1, 6)):
            second = self.random.randrange(500)
            plan.setdefault(second, []).append(("submit", number))
            if self.random.random() < 0.5:
                plan.setdefault(second + self.random.randrange(60), []).append(("cancel", number))
        return plan

    def command(self, item: tuple[str, int]) -> None:
        what, number = item
        if what == "cancel":
            if number in self.book.sides:
                self.client.withdraw(order(number))
            return
        side = self.random.choice(("buy", "sell"))
        self.book.sides[number] = 1 if side == "buy" else -1
        terms = {"limit_price": 99.5 if side == "buy" else 100.5}
        self.client.submit(
            order(number, side, self.random.randint(1, 20), **self.random.choice((terms, {})))
        )

    # -- one second ----------------------------------------------------------------------------

    def step(self) -> None:
        self.now += SECOND
        while self.pending is not None and self.pending <= self.now - MINUTE:
            self.pending = next(self.instants, None)
        self.connect()
        if self.hits("disconnect", 0.1):
            self.client.trade_updates.closed(self.now)
        self.stream(self.broker.frames())
        for request in self.take_late():
            self.broker.request(request.method, request.path, request.body)
        self.take(self.client.poll(self.now))
        for request in self.client.take_requests(self.now):
            self.send(request)

    def connect(self) -> None:
        stream = self.client.trade_updates
        if stream.wants_connection(self.now):
            stream.opened(self.now)
            for frame in (AUTHORIZED, LISTENING):
                stream.take_frames()
                self.take(self.client.receive_trade_update(frame, self.now))
        stream.heard(self.now)

    def stream(self, frames: list[bytes]) -> None:
        if self.client.trade_updates.state != ACTIVE:
            return
        if self.hits("reordered"):
            self.random.shuffle(frames)
        for frame in frames:
            if self.hits("lost_frame"):
                continue
            for _ in range(2 if self.hits("doubled_frame") else 1):
                self.take(self.client.receive_trade_update(frame, self.now))

    def send(self, request: HttpRequest) -> None:
        if self.hits("lost_request"):
            return self.answer(request, 0, b"")
        if self.hits("late_request"):
            self.late.append(request)
            return self.answer(request, 0, b"")
        if self.hits("server_error"):
            return self.answer(request, 502, HTML)
        response = self.broker.request(request.method, request.path, request.body)
        if self.hits("lost_response"):
            return self.answer(request, self.random.choice((0, 504)), b"")
        return self.answer(request, response.status, response.body)

    def answer(self, request: HttpRequest, status: int, body: bytes) -> None:
        self.take(self.client.receive_response(request, status, body, self.now))

    def take_late(self) -> list[HttpRequest]:
        if self.faults is not None and self.random.random() < 0.9:
            return []
        taken, self.late = self.late, []
        return taken

    def take(self, events: list[Event]) -> None:
        for event in events:
            self.book.take(event)

    def hits(self, kind: str, scale: float = 1.0) -> bool:
        if self.faults is None:
            return False
        return self.random.random() < scale * float(getattr(self.faults, kind))
