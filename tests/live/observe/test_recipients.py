"""Alerts by mail: whom the server does not take is told, and asked for again if it may."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator

import pytest

from pyrt.live.observe.alerts import Alert, Alerter, Refused
from pyrt.live.observe.senders import Email

T = 1_700_000_000_000_000_000
ALERT = Alert("critical", "journal", "disk full", T)


class MailServer(socketserver.StreamRequestHandler):
    """Takes mail for everybody but those for whom it has other answers, one for each attempt."""

    answers: dict[str, list[int]] = {}
    mails: list[tuple[str, ...]] = []

    def handle(self) -> None:
        self._say(220)
        taken: list[str] = []
        for line in self.rfile:
            word = line.decode().strip()
            code = 250
            if word.startswith("rcpt TO:<"):
                code = self._judge(word[9:].split(">")[0], taken)
            elif word == "data":
                self._say(354)
                while self.rfile.readline() != b".\r\n":
                    continue
                type(self).mails.append(tuple(taken))
            elif word.lower() == "quit":
                code = 221
            self._say(code)
            if code in (221, 421):
                return

    def _judge(self, address: str, taken: list[str]) -> int:
        left = self.answers.get(address, [])
        code = left.pop(0) if left else 250
        if code == 250:
            taken.append(address)
        return code

    def _say(self, code: int) -> None:
        self.wfile.write(f"{code} x\r\n".encode())


@pytest.fixture
def port() -> Iterator[int]:
    MailServer.answers, MailServer.mails = {}, []
    with socketserver.TCPServer(("127.0.0.1", 0), MailServer) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def mail_to(port: int, *recipients: str) -> Email:
    return Email("127.0.0.1", "node@x.test", recipients, port=port)


def test_who_is_not_taken_yet_is_sent_it_again_and_nobody_else(port: int) -> None:
    MailServer.answers = {"b@x.test": [450, 450]}
    alerter = Alerter([mail_to(port, "a@x.test", "Bea <b@x.test>")], sleep=lambda _: None).start()
    alerter.send("critical", "journal", "disk full")
    alerter.close()
    assert MailServer.mails == [("a@x.test",), ("b@x.test",)]
    assert alerter.delivered == {"email@127.0.0.1": 1}


def test_who_is_never_taken_is_told_once_the_others_have_it(port: int) -> None:
    MailServer.answers = {"a@x.test": [550], "b@x.test": [451]}
    mail = mail_to(port, "a@x.test", "b@x.test", "c@x.test")
    with pytest.raises(OSError, match=r"^not taken yet for b@x.test$") as first:
        mail.send(ALERT)
    assert not isinstance(first.value, Refused)
    with pytest.raises(Refused, match=r"^not taken for a@x.test \(answered 550\)$"):
        mail.send(ALERT)
    assert MailServer.mails == [("c@x.test",), ("b@x.test",)]


def test_an_alert_that_did_not_reach_everybody_has_failed(port: int) -> None:
    MailServer.answers = {"a@x.test": [550]}
    alerter = Alerter([mail_to(port, "a@x.test", "b@x.test")]).start()
    alerter.send("critical", "journal", "disk full")
    alerter.close()
    assert MailServer.mails == [("b@x.test",)]
    assert alerter.failed == {"email@127.0.0.1": 1}
    assert alerter.problems == ["email@127.0.0.1: not taken for a@x.test (answered 550)"]


@pytest.mark.parametrize(("code", "is_for_good"), [(550, True), (450, False)])
def test_where_nobody_is_taken_it_is_tried_again_unless_that_is_for_good(
    port: int, code: int, is_for_good: bool
) -> None:
    MailServer.answers = {"a@x.test": [code]}
    with pytest.raises(OSError, match=r"^not taken ") as raised:
        mail_to(port, "a@x.test").send(ALERT)
    assert isinstance(raised.value, Refused) == is_for_good


def test_a_server_that_hangs_up_is_asked_for_all_again(port: int) -> None:
    MailServer.answers = {"b@x.test": [421]}
    mail = mail_to(port, "a@x.test", "b@x.test", "c@x.test")
    with pytest.raises(OSError, match=r"^not taken yet for a@x.test, b@x.test, c@x.test"):
        mail.send(ALERT)
    mail.send(ALERT)
    mail.send(ALERT)
    mail.send(Alert("info", "heartbeat", "", T))
    assert MailServer.mails == [("a@x.test", "b@x.test", "c@x.test")] * 3
