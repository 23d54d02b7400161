"""Lines of HTTP: a held request leaves at the word, whole, once, and not a byte before it."""

from __future__ import annotations

import asyncio
import select
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from pyrt.adapters.alpaca.core.rest import NO_ANSWER, HttpRequest
from pyrt.adapters.alpaca.credentials import Credentials
from pyrt.adapters.alpaca.node.sending import READY_MAX, Sender
from pyrt.adapters.alpaca.shell import http as shell
from pyrt.adapters.alpaca.shell.http import Answer, Http
from pyrt.adapters.alpaca.shell.lines import BUFFER_MAX, Departure
from tests import canary

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
ASK = HttpRequest("GET", "/v2/account", b"")


def order(number: int = 1) -> HttpRequest:
    return HttpRequest("POST", "/v2/orders", b'{"client_order_id":"one-%d"}' % number, number)


class Peer:
    """A server that keeps what it is sent, piece by piece, and says what it is told to say."""

    def __init__(self, answer: bytes | None = OK) -> None:
        self.answer = answer
        self.pieces: list[bytes] = []
        self.lines: list[asyncio.StreamWriter] = []

    @property
    def posts(self) -> int:
        return sum(piece.count(b"POST ") for piece in self.pieces)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.lines.append(writer)
        while piece := await reader.read(1 << 16):
            self.pieces.append(piece)
            if self.answer is not None:
                writer.write(self.answer)
        writer.close()


def run(what: Callable[[Peer, Http], Awaitable[None]], answer: bytes | None = OK) -> None:
    """Let something happen between a client and a peer."""

    async def work() -> None:
        peer = Peer(answer)
        server = await asyncio.start_server(peer.serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        http = Http({"trading": f"http://127.0.0.1:{port}"}, Credentials("PK", canary.SECRET))
        try:
            async with asyncio.timeout(10):
                await what(peer, http)
        finally:
            await http.close()
            server.close()

    asyncio.run(work())


async def until(condition: Callable[[], Any]) -> None:
    while not condition():
        await asyncio.sleep(0.001)


async def a_while() -> None:
    await asyncio.sleep(0.03)


def test_nothing_leaves_before_the_word_and_all_of_it_at_once_then():
    async def what(peer, http):
        departure = Departure()
        task = asyncio.create_task(http.send(order(), departure))
        await until(lambda: peer.lines)
        await a_while()
        assert peer.pieces == []
        departure.release()
        answer = await task
        assert (answer.status, answer.body) == (200, b"{}")
        assert len(peer.pieces) == 1
        assert peer.pieces[0].startswith(b"POST /v2/orders HTTP/1.1\r\n")
        assert peer.pieces[0].endswith(b'\r\n\r\n{"client_order_id":"one-1"}')
        # The line serves the next request too.
        assert (await http.send(ASK)).status == 200
        assert len(peer.lines) == 1

    run(what)


def test_a_word_that_comes_before_the_connection_is_not_lost():
    async def what(peer, http):
        departure = Departure()
        task = asyncio.create_task(http.send(order(), departure))
        departure.release()
        assert (await task).status == 200
        assert peer.posts == 1

    run(what)


def test_of_what_is_given_up_no_byte_leaves():
    async def what(peer, http):
        task = asyncio.create_task(http.send(order(), Departure()))
        await until(lambda: peer.lines)
        await a_while()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert (await http.send(ASK)).status == 200
        assert peer.posts == 0

    run(what)


def test_a_request_whose_line_closed_meanwhile_goes_by_another_once():
    async def what(peer, http):
        departure = Departure()
        task = asyncio.create_task(http.send(order(), departure))
        await until(lambda: peer.lines)
        await a_while()
        peer.lines[0].close()
        await a_while()
        departure.release()
        assert (await task).status == 200
        assert peer.posts == 1
        assert len(peer.lines) == 2

    run(what)


def test_a_request_that_left_is_never_sent_again():
    async def what(peer, http):
        departure = Departure()
        task = asyncio.create_task(http.send(order(), departure))
        await until(lambda: peer.lines)
        departure.release()
        await until(lambda: peer.posts)
        peer.lines[0].transport.abort()
        assert (await task).status == NO_ANSWER
        await a_while()
        assert peer.posts == 1

    run(what, answer=None)


def test_the_time_for_an_answer_begins_with_the_word(monkeypatch):
    monkeypatch.setattr(shell, "READ_S", 0.05)

    async def what(peer, http):
        departure = Departure()
        task = asyncio.create_task(http.send(order(), departure))
        await asyncio.sleep(0.2)
        assert not task.done()
        departure.release()
        assert (await task).status == 200
        peer.answer = None
        assert await http.send(ASK) == Answer(NO_ANSWER, b"ReadTimeout")

    run(what)


@pytest.mark.parametrize("size", [BUFFER_MAX - 1, 9 * BUFFER_MAX])
def test_an_answer_larger_than_the_buffer_comes_whole(size):
    body = bytes(range(256)) * (size // 256)
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body)

    async def what(peer, http):
        answer = await http.send(ASK)
        assert answer.body == body

    run(what, answer=head + body)


def test_nobody_there_is_no_answer():
    async def what(peer, http):
        gone = Http({"trading": "http://127.0.0.1:1"}, Credentials("PK", canary.SECRET))
        answer = await gone.send(ASK)
        assert answer.status == NO_ANSWER
        # An operator is told why.
        assert answer.body.startswith(b"ConnectError: ")
        assert b"127.0.0.1" in answer.body
        await gone.close()

    run(what)


# -- the sender ------------------------------------------------------------------------------------


class Client:
    """Takes answers in a client core's place."""

    def receive_response(self, request, status, body, now, headers):
        return [(request, status)]


def sender_of(http: Http) -> tuple[Sender, list[Any]]:
    answers: list[Any] = []
    sender = Sender(http, Client(), lambda take, rank: answers.extend(take(0)))
    return sender, answers


def test_a_request_made_ready_is_on_the_wire_when_send_returns():
    async def what(peer, http):
        sender, answers = sender_of(http)
        assert sender.make_ready([order()])
        assert not sender.make_ready([order()])
        await until(lambda: peer.lines)
        await a_while()
        sender.send([order()])
        # No turn of this loop since: the bytes are the kernel's already.
        socket = peer.lines[0].get_extra_info("socket").fileno()
        assert select.select([socket], [], [], 1.0)[0] == [socket]
        await until(lambda: answers)
        assert answers == [(order(), 200)]
        assert peer.posts == 1

    run(what)


def test_what_waits_no_more_is_given_up_without_an_answer():
    async def what(peer, http):
        sender, answers = sender_of(http)
        sender.make_ready([order(1), order(2)])
        await until(lambda: len(peer.lines) == 2)
        sender.make_ready([order(2)])
        await a_while()
        sender.send([order(2)])
        await until(lambda: answers)
        await a_while()
        assert answers == [(order(2), 200)]
        assert peer.posts == 1
        await sender.close()

    run(what)


def test_more_orders_than_hold_lines_all_leave():
    async def what(peer, http):
        sender, answers = sender_of(http)
        many = [order(number) for number in range(READY_MAX + 5)]
        sender.make_ready(many)
        await until(lambda: len(peer.lines) == READY_MAX)
        await a_while()
        assert len(peer.lines) == READY_MAX
        assert peer.posts == 0
        sender.send(many)
        await until(lambda: len(answers) == len(many))
        assert peer.posts == len(many)

    run(what)
