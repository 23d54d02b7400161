"""The lines between a node and the exchange: late, lossy, garbled, cut; drawn from the seed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from pyrt.adapters.alpaca.core.rest import HttpRequest
from pyrt.adapters.alpaca.core.streams import IDLE
from pyrt.adapters.alpaca.simulator.protocol.http import Response
from tests.simulation.broker import Broker
from tests.simulation.chances import Chances
from tests.simulation.clock import SECOND, Agenda

TIMEOUT_S = 10.0
PONG_S = 5.0
STATUSES = (408, 429, 500, 502, 503, 504)
PORTALS = (200, 302, 307, 511)
HTML = b"<html><body>502 Bad Gateway</body></html>"
IN_DOUBT = ("F1", "F2", "F3")
"""Faults after which nobody knows whether an order has arrived."""
Take = Callable[[Any, int], list[Any]]


class Line:
    """One socket of a node: its client core on one side, the exchange on the other."""

    def __init__(self, name: str, stream: Any, take: Take, network: Network) -> None:
        self.name = name
        self.stream = stream
        self.is_up = False
        self.is_half_open = False
        self.is_mute = False
        self.serial = 0
        self._take = take
        self._network = network
        self._arrives_at = 0
        self._listed: dict[str, list[str]] = {}

    def tend(self) -> None:
        """Connect, close and send as the client core wants."""
        network, now = self._network, self._network.agenda.now
        if self.stream.wants_connection(now):
            self.serial += 1
            network.later(network.latency(), self._open, self.serial)
        elif self.stream.wants_close(now):
            self.cut()
        for frame in self.stream.take_frames():
            network.later(network.latency(), self._arrive, self.serial, frame)

    def cut(self) -> None:
        """Break the connection on both sides."""
        self.is_up = self.is_half_open = self.is_mute = False
        self.serial += 1
        if self.stream.state != IDLE:
            self.stream.closed(self._network.agenda.now)
        self._network.stir()

    def push(self, frame: bytes) -> None:
        """Let a frame of the exchange's come to the node, never before an earlier one."""
        if not self.is_up or self.is_half_open or self.is_mute:
            return
        agenda = self._network.agenda
        at = max(self._arrives_at, agenda.now + int(self._network.latency() * SECOND))
        if self.name == "data" and self._network.chances.strikes("F43", 0.3):
            # All that comes from now on waits, and then comes at once.
            at += int(self._network.chances.between(20, 60) * SECOND)
        self._arrives_at = at
        agenda.at(at, lambda serial=self.serial: self._deliver(serial, frame))

    def _deliver(self, serial: int, frame: bytes) -> None:
        if serial == self.serial and not self.is_half_open:
            self._network.hand(lambda now: self._take(frame, now))

    def _open(self, serial: int) -> None:
        if serial != self.serial:
            return
        network = self._network
        if network.chances.strikes("F21", 2.0):
            self.cut()
            return
        self.is_up = True
        self._listed = {}
        self._arrives_at = network.agenda.now
        self.stream.opened(network.agenda.now)
        if self.name == "data":
            self.push(b'[{"T":"success","msg":"connected"}]')
        self._pong(serial)
        network.turn()

    def _pong(self, serial: int) -> None:
        """Answer a ping now and then, while the line lives."""
        if serial != self.serial or not self.is_up:
            return
        chances = self._network.chances
        if not self.is_half_open and chances.strikes("F18", 0.1):
            self.is_half_open = True
        if not self.is_mute and self.name == "data" and chances.strikes("F19", 0.1):
            self.is_mute = True
        for name in ("F20", "F44", "F47"):
            if chances.strikes(name, 0.1):
                self.cut()
                return
        if not self.is_half_open:
            self.stream.heard(self._network.agenda.now)
        self._network.later(PONG_S, self._pong, serial)

    def _arrive(self, serial: int, frame: bytes) -> None:
        """Take a frame of the node's at the exchange: handshakes and subscriptions."""
        if serial != self.serial or self.is_half_open:
            return
        message = json.loads(frame)
        if message.get("action") == "auth":
            refused = self.serial > 1 and self._network.chances.strikes("F22")
            for answer in self._authorized(not refused):
                self.push(answer)
        elif message.get("action") == "listen":
            self.push(b'{"stream":"listening","data":{"streams":["trade_updates"]}}')
        elif message.get("action") == "subscribe":
            wanted = {k: v for k, v in message.items() if k != "action"}
            if self._network.chances.is_patient:
                # The broker tells all that is subscribed to, and not what was asked for just now.
                for channel, symbols in wanted.items():
                    self._listed[channel] = sorted({*self._listed.get(channel, ()), *symbols})
                wanted = self._listed
            self.push(json.dumps([{"T": "subscription", **wanted}]).encode())

    def _authorized(self, yes: bool) -> list[bytes]:
        if self.name == "data":
            text = (
                {"T": "success", "msg": "authenticated"}
                if yes
                else {"T": "error", "code": 402, "msg": "auth failed"}
            )
            return [json.dumps([text]).encode()]
        status = "authorized" if yes else "unauthorized"
        return [json.dumps({"stream": "authorization", "data": {"status": status}}).encode()]


class Network:
    """Carries requests and frames between one node and the exchange.

    Parameters
    ----------
    hand : callable
        Gives the node a function of the time that returns events.
    turn : callable
        Lets the node look at the time.
    stir : callable
        Lets it do so once this moment's events are over.
    """

    def __init__(
        self,
        agenda: Agenda,
        broker: Broker,
        chances: Chances,
        hand: Callable[[Callable[[int], list[Any]]], None],
        turn: Callable[[], None],
        stir: Callable[[], None],
    ) -> None:
        self.agenda = agenda
        self.broker = broker
        self.chances = chances
        self.hand = hand
        self.turn = turn
        self.stir = stir
        self.is_cut = False
        self.in_flight = 0
        """Requests that have not been answered yet."""
        self.posts_in_doubt = 0
        self._reads: dict[str, Response] = {}

    def latency(self) -> float:
        """Draw the seconds that a message takes."""
        return self.chances.between(0.01, 0.2)

    def later(self, seconds: float, what: Callable[..., None], *arguments: Any) -> None:
        """Call something of this node's network later, unless the node has died meanwhile."""
        self.agenda.after(seconds, lambda: None if self.is_cut else what(*arguments))

    # -- requests ------------------------------------------------------------------------------

    def send(self, request: HttpRequest, receive: Callable[..., list[Any]]) -> None:
        """Carry a request to the exchange and its answer back, if they get there."""
        chances = self.chances

        self.in_flight += 1

        def answer(response: Response | None, delay: float) -> None:
            status, body = (0, b"") if response is None else (response.status, response.body)
            self.later(delay, self.hand, lambda now: arrive(status, body, now))

        def arrive(status: int, body: bytes, now: int) -> list[Any]:
            self.in_flight -= 1
            return receive(request, status, body, now)

        is_order = request.method in ("POST", "PATCH")
        struck = sum(chances.counts[name] for name in IN_DOUBT)
        if is_order and chances.strikes("F6", 0.3):
            body = b'{"code":40310000,"message":"insufficient buying power"}'
            answer(Response(chances.one_of((403, 422)), body), self.latency())
        elif chances.strikes("F2"):
            answer(None, TIMEOUT_S)
        elif chances.strikes("F3"):
            ticket = self.broker.expect(request)
            self.agenda.after(chances.between(1, 30), lambda: self._carry_out(ticket, request))
            answer(None, TIMEOUT_S)
        elif chances.strikes("F4"):
            status = chances.one_of(STATUSES)
            answer(Response(status, HTML if status > 429 else b"{}"), self.latency())
        elif chances.strikes("F48", 0.5):
            # Whoever answers here is not the broker, who has heard nothing.
            answer(Response(chances.one_of(PORTALS), HTML), self.latency())
        else:
            # The request is on its way whether or not its sender lives on.
            ticket = self.broker.expect(request)
            self.agenda.after(self.latency(), lambda: self._arrived(ticket, request, answer))
        self._note_doubt(request, struck)
        self._note_exit(request, struck)

    def _note_exit(self, request: HttpRequest, before: int) -> None:
        """Count requests for exits that came to nothing."""
        placed = self.broker.ledger.orders.get(request.path.rpartition("/")[2])
        lost = sum(self.chances.counts[name] for name in IN_DOUBT) > before
        if lost and request.method != "GET" and placed is not None and placed.parent:
            self.chances.note("F31")

    def _note_doubt(self, request: HttpRequest, before: int) -> None:
        """Count orders of whose fate the node is left in doubt."""
        now = sum(self.chances.counts[name] for name in IN_DOUBT)
        self.posts_in_doubt += request.method == "POST" and now > before

    def _arrived(
        self, ticket: int, request: HttpRequest, answer: Callable[[Response | None, float], None]
    ) -> None:
        chances = self.chances
        struck = sum(chances.counts[name] for name in IN_DOUBT)
        response = self._carry_out(ticket, request)
        if response.status == 422 and request.method in ("DELETE", "PATCH"):
            # The order has filled or ended while the request was on its way.
            chances.note("F26" if request.method == "DELETE" else "F27")
        if request.method == "GET":
            response = self._read(request.path, response)
        if self.is_cut:
            return
        if chances.strikes("F1"):
            answer(None, TIMEOUT_S)
        elif chances.strikes("F5"):
            body = chances.one_of((HTML, response.body[: len(response.body) // 2], b"", b"null"))
            answer(replace(response, body=body), self.latency())
        else:
            answer(response, self.latency())
        self._note_doubt(request, struck)
        self._note_exit(request, struck)

    def _carry_out(self, ticket: int, request: HttpRequest) -> Response:
        self.broker.run_to(self.agenda.now)
        if self.chances.has("F24") and ("limit=" in request.path or "page_" in request.path):
            self.chances.note("F24")
        return self.broker.arrived(ticket, request)

    def _read(self, path: str, response: Response) -> Response:
        """Return what a read shows: the truth, or what it was the last time, or less of it."""
        known = self._reads.get(path)
        self._reads[path] = response
        if known is not None and self.chances.strikes("F23", 0.5):
            return known
        if "status=all" in path and self.chances.strikes("F25", 0.5):
            ended = ("filled", "canceled")
            rows = [row for row in json.loads(response.body) if row["status"] not in ended]
            return replace(response, body=json.dumps(rows).encode())
        return response

    # -- frames --------------------------------------------------------------------------------

    def push(self, line: Line, frames: list[bytes]) -> None:
        """Carry frames of the exchange's to the node."""
        chances = self.chances
        if line.name == "orders":
            if len(frames) > 1 and chances.strikes("F17"):
                chances.shuffle(frames)
            sent: list[bytes] = []
            for frame in frames:
                if chances.strikes("F15"):
                    continue
                sent.extend([frame] * (chances.one_of((2, 3)) if chances.strikes("F16") else 1))
                if chances.strikes("F45", 0.3):
                    sent.append(chances.bytes_of(frame))
            frames = sent
        for frame in frames:
            line.push(frame)
