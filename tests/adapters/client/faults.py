"""A faulty network between a client core and a broker, on a virtual clock, from a seed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, fields
from decimal import Decimal
from random import Random
from typing import Any

from pyrt.adapters.alpaca.core.client import AlpacaClient
from pyrt.adapters.alpaca.core.events import AnswerEvent, Event, FillEvent
from pyrt.adapters.alpaca.core.rest import HttpRequest
from pyrt.adapters.alpaca.core.streams import ACTIVE
from pyrt.adapters.alpaca.credentials import Credentials
from tests.adapters.client.exchange import PREFIX, Broker, order
from tests.minutes import MINUTE, START

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
    late_request: float
    late_response: float
    throttled: float
    server_error: float
    stale_read: float
    stuck_pending: float
    lost_frame: float
    doubled_frame: float
    truncated_frame: float
    late_frame: float
    reordered: float
    disconnect: float
    refused: float
    mute: float

    @classmethod
    def drawn(cls, random: Random) -> Faults:
        """Turn each kind on or off: schedules with few kinds reach other states than all."""
        return cls(*(random.choice((0.0, 0.0, 0.0, 0.15, 0.4)) for _ in fields(cls)))


class World:
    """Steps the client, the network and the broker from one moment of interest to the next."""

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
        self.skew = self.random.choice((0, 0, -3, 4)) * SECOND
        """How far the client's clock is from the broker's."""
        self.late: list[HttpRequest] = []
        self.late_answers: list[tuple[int, HttpRequest, int, bytes]] = []
        self.late_frames: list[bytes] = []
        self.muted_until = 0
        self.stuck: dict[str, int] = {}
        self.read: dict[str, list[tuple[int, bytes]]] = {}
        self.struck: Counter[str] = Counter()
        self.instants = self.broker.core.instants()
        self.pending = next(self.instants, None)

    @property
    def client_now(self) -> int:
        """What the client takes the time for."""
        return self.now + self.skew

    # -- the schedule --------------------------------------------------------------------------

    def run(self) -> None:
        """Trade under faults, then let the faults stop and everything settle."""
        orders = self.plan()
        planned = sorted(START + second * SECOND for second in orders)
        self.until(START + 600 * SECOND, planned, orders)
        self.faults = None
        self.muted_until = 0
        self.stuck.clear()
        self.until(self.now + 400 * SECOND, [], {})

    def until(self, end: int, planned: list[int], orders: dict[int, Any]) -> None:
        while self.now < end:
            self.now = self.next_moment(end, planned)
            while planned and planned[0] <= self.now:
                for item in orders[(planned.pop(0) - START) // SECOND]:
                    self.command(item)
            self.step()

    def next_moment(self, end: int, planned: list[int]) -> int:
        """Return when anything can happen next; idle seconds in between change nothing."""
        due = [end, *planned[:1]]
        if self.pending is not None:
            due.append(self.pending + MINUTE)
        if self.late or self.late_frames or self.client.trade_updates.state != ACTIVE:
            due.append(self.now + SECOND)
        due.extend(at for at, *_ in self.late_answers)
        client = self.client.next_due(self.client_now)
        if client is not None:
            due.append(client - self.skew)
        return max(self.now + SECOND, min(due))

    def plan(self) -> dict[int, list[tuple[str, int]]]:
        plan: dict[int, list[tuple[str, int]]] = {}
        for number in range(self.random.randint(1, 6)):
            second = self.random.randrange(1, 500)
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

    # -- one moment ----------------------------------------------------------------------------

    def step(self) -> None:
        while self.pending is not None and self.pending <= self.now - MINUTE:
            self.pending = next(self.instants, None)
        self.connect()
        if self.hits("disconnect", 0.2):
            self.client.trade_updates.closed(self.client_now)
        if self.hits("mute", 0.1):
            self.muted_until = self.now + 45 * SECOND
        self.stream(self.broker.frames())
        for request in self.take_late():
            self.broker.request(request.method, request.path, request.body)
        self.take_late_answers()
        self.take(self.client.poll(self.client_now))
        for request in self.client.take_requests(self.client_now):
            self.send(request)

    def connect(self) -> None:
        stream = self.client.trade_updates
        if stream.wants_close(self.client_now):
            stream.closed(self.client_now)
        if stream.wants_connection(self.client_now):
            if self.hits("refused"):
                stream.closed(self.client_now)
                return
            stream.opened(self.client_now)
            for frame in (AUTHORIZED, LISTENING):
                stream.take_frames()
                self.take(self.client.receive_trade_update(frame, self.client_now))
        if self.now >= self.muted_until:
            # Pongs; a line that is mute or half open has none.
            stream.heard(self.client_now)

    def stream(self, frames: list[bytes]) -> None:
        if self.client.trade_updates.state != ACTIVE or self.now < self.muted_until:
            return
        held, self.late_frames = self.late_frames, []
        frames = [*frames, *held]
        if self.hits("reordered"):
            self.random.shuffle(frames)
        for frame in frames:
            if self.hits("lost_frame"):
                continue
            if self.hits("late_frame"):
                self.late_frames.append(frame)
                continue
            if self.hits("truncated_frame"):
                self.hear(frame[: self.random.randrange(len(frame))])
                continue
            for _ in range(2 if self.hits("doubled_frame") else 1):
                self.hear(frame)

    def hear(self, frame: bytes) -> None:
        self.take(self.client.receive_trade_update(frame, self.client_now))

    def send(self, request: HttpRequest) -> None:
        if self.hits("lost_request"):
            return self.answer(request, 0, b"")
        if self.hits("late_request"):
            self.late.append(request)
            return self.answer(request, 0, b"")
        if self.hits("throttled"):
            return self.answer(request, 429, b'{"code":42910000,"message":"rate limit exceeded"}')
        if self.hits("server_error"):
            status, body = self.random.choice(
                ((502, HTML), (500, b'{"message":"oops"}'), (503, b""))
            )
            return self.answer(request, status, body)
        status, body = self.serve(request)
        if self.hits("lost_response"):
            return self.answer(request, self.random.choice((0, 504)), b"")
        if self.hits("late_response"):
            at = self.now + self.random.randint(1, 8) * SECOND
            self.late_answers.append((at, request, status, body))
            return None
        return self.answer(request, status, body)

    def serve(self, request: HttpRequest) -> tuple[int, bytes]:
        """Return the broker's answer; a read may be stale, or show a cancel as under way."""
        response = self.broker.request(request.method, request.path, request.body)
        answer = response.status, bytes(response.body)
        if request.method == "DELETE" and response.status < 300 and self.hits("stuck_pending"):
            self.stuck[request.path] = self.now + 30 * SECOND
        if request.method != "GET":
            return answer
        seen = self.read.setdefault(request.path, [])
        seen.append(answer)
        if len(seen) > 1 and self.hits("stale_read"):
            return seen[-2]
        if self.now < self.stuck.get(request.path.partition("?")[0], 0):
            return answer[0], answer[1].replace(
                b'"status":"canceled"', b'"status":"pending_cancel"'
            )
        return answer

    def answer(self, request: HttpRequest, status: int, body: bytes) -> None:
        self.take(self.client.receive_response(request, status, body, self.client_now))

    def take_late_answers(self) -> None:
        due = [each for each in self.late_answers if each[0] <= self.now]
        self.late_answers = [each for each in self.late_answers if each[0] > self.now]
        for _, request, status, body in due:
            self.answer(request, status, body)

    def take_late(self) -> list[HttpRequest]:
        if self.faults is not None and self.random.random() < 0.8:
            return []
        taken, self.late = self.late, []
        return taken

    def take(self, events: list[Event]) -> None:
        for event in events:
            self.book.take(event)

    def hits(self, kind: str, scale: float = 1.0) -> bool:
        if self.faults is None:
            return False
        hit = self.random.random() < scale * float(getattr(self.faults, kind))
        self.struck[kind] += hit
        return hit
