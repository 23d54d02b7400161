"""Canceling everything from outside is done once nothing is open, and not before."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from pyrt.adapters.alpaca.account import canceling
from pyrt.adapters.alpaca.account.canceling import PAGE, cancel_everything, refused_keys
from pyrt.adapters.alpaca.credentials import Credentials

KEYS = Credentials("key", "secret")
OPEN = [{"id": "b", "status": "pending_replace"}, {"id": "c", "status": "pending_cancel"}]


class Broker:
    """Answers DELETE and GET of orders with what is set, the last of it for ever."""

    def __init__(self) -> None:
        self.deletes: list[int] = [207]
        self.looks: list[tuple[int, Any]] = [(200, [])]
        self.asked: list[str] = []
        self.server = HTTPServer(("127.0.0.1", 0), self.handler())
        self.url = f"http://127.0.0.1:{self.server.server_port}/"

    def next_of(self, answers: list[Any]) -> Any:
        return answers.pop(0) if len(answers) > 1 else answers[0]

    def handler(broker) -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            def do_DELETE(self) -> None:
                self.reply(broker.next_of(broker.deletes), [{"id": "b", "status": 500}])

            def do_GET(self) -> None:
                self.reply(*broker.next_of(broker.looks))

            def reply(self, status: int, content: Any) -> None:
                broker.asked.append(f"{self.command} {self.path}")
                raw = content if isinstance(content, bytes) else json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            def log_message(self, *args: object) -> None:
                return

        return Handler


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Iterator[Broker]:
    monkeypatch.setattr(canceling, "LOOK_S", 0.0)
    monkeypatch.setattr(canceling, "PAUSE_S", 0.0)
    made = Broker()
    thread = threading.Thread(target=made.server.serve_forever, args=(0.01,))
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


def test_all_is_canceled_once_nothing_is_open(broker):
    broker.looks = [(200, OPEN), (200, OPEN[1:])]
    assert cancel_everything(broker.url, KEYS, attempts=1) == ""
    assert broker.asked == ["DELETE /v2/orders", *2 * [f"GET /v2/orders?status=open&limit={PAGE}"]]


def test_what_stays_open_is_canceled_again(broker):
    """An answer to the request, whatever it said of each order, was taken for the end."""
    broker.looks = [(200, OPEN)] * canceling.LOOKS + [(200, [])]
    assert cancel_everything(broker.url, KEYS, attempts=2) == ""
    assert broker.asked.count("DELETE /v2/orders") == 2


@pytest.mark.parametrize(
    ("delete", "look", "text"),
    [
        (503, (200, []), "HTTP 503"),
        (207, (200, OPEN), "1 still open, as order b, which is pending_replace"),
        (207, (502, []), "what is open is not known: HTTP 502"),
        (200, (200, b"<html>"), "what is open is not known: the answer is no list of orders"),
        (207, (200, OPEN[1:] * PAGE), "there may be more than a page of orders"),
    ],
)
def test_whoever_asks_is_told_why_not_all_is_canceled(broker, delete, look, text):
    broker.deletes, broker.looks = [delete], [look]
    assert cancel_everything(broker.url, KEYS, attempts=2) == text
    assert broker.asked.count("DELETE /v2/orders") == 2


def test_a_broker_that_is_away_is_named(broker):
    problem = cancel_everything("http://127.0.0.1:9", KEYS, attempts=2)
    assert problem == "ConnectError"


@pytest.mark.parametrize(
    ("status", "refusal"), [(200, ""), (401, "HTTP 401"), (403, "HTTP 403"), (503, "")]
)
def test_keys_are_refused_by_the_brokers_word_alone(broker, status, refusal):
    broker.looks = [(status, {})]
    assert refused_keys(broker.url, KEYS) == refusal
    assert broker.asked == ["GET /v2/account"]
    assert refused_keys("http://127.0.0.1:9", KEYS) == ""
