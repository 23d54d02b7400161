"""Alerts: what each service is sent, what happens when it does not answer, and what repeats."""

from __future__ import annotations

import json
import logging
import smtplib
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import httpx
import pytest

from pyrt.errors import ConfigError
from pyrt.live.observe.alerts import Alert, Alerter, Refused
from pyrt.live.observe.folding import FOLD_NS
from pyrt.live.observe.senders import FORMS, Email, Webhook

T = 1_700_000_000_000_000_000


class Collect:
    """A sender that fails a stated number of times, then keeps what it gets."""

    def __init__(self, name: str = "x", failures: int = 0) -> None:
        self.name = name
        self.failures = failures
        self.got: list[Alert] = []

    def send(self, alert: Alert) -> None:
        if self.failures:
            self.failures -= 1
            raise OSError("not now")
        self.got.append(alert)


class Unwilling(Collect):
    """Answers at once, and never wants what it is sent."""

    def send(self, alert: Alert) -> None:
        self.got.append(alert)
        raise Refused("answered 404")


class Service(BaseHTTPRequestHandler):
    """A chat service: keeps bodies, answers as told."""

    status = 200
    bodies: list[tuple[str, Any]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        type(self).bodies.append((self.path, json.loads(body)))
        self.send_response(type(self).status)
        self.send_header("location", "/elsewhere")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Stay silent."""


@pytest.fixture
def service() -> Iterator[str]:
    Service.bodies, Service.status = [], 200
    server = HTTPServer(("127.0.0.1", 0), Service)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/hook/secret"
    server.shutdown()
    thread.join()
    server.server_close()


def test_each_service_gets_its_form(service: str) -> None:
    alert = Alert("critical", "journal", "disk full", T, {"free": 0}, repeats=2)
    line = "[critical] journal: disk full free=0 (and 2 more) at 2023-11-14T22:13:20Z"
    for form, chat in (("slack", ""), ("discord", ""), ("telegram", "42"), ("json", "")):
        Webhook(service, form, chat=chat).send(alert)
    slack, discord, telegram, plain = (body for _, body in Service.bodies)
    assert slack == {"text": line}
    assert discord["content"] == line
    assert discord["allowed_mentions"] == {"parse": []}
    assert telegram == {"chat_id": "42", "text": line, "disable_web_page_preview": True}
    assert plain == {
        "level": "critical", "code": "journal", "text": "disk full", "ts_event": T,
        "values": {"free": 0}, "repeats": 2,
    }  # fmt: skip


@pytest.mark.parametrize("status", [302, 400, 404, 429, 500])
def test_an_answer_that_is_no_success_is_a_failure(service: str, status: int) -> None:
    Service.status = status
    with pytest.raises(OSError, match=str(status)) as raised:
        Webhook(service).send(Alert("info", "a", "b", T))
    assert len(Service.bodies) == 1, "a redirect is not followed"
    assert isinstance(raised.value, Refused) == (status in (302, 400, 404))


def test_an_alert_is_there_within_two_seconds(service: str) -> None:
    alerter = Alerter([Webhook(service)]).start()
    began = time.monotonic()
    alerter.send("critical", "kill", "all stopped", open_orders=0)
    while not Service.bodies and time.monotonic() - began < 2:
        time.sleep(0.01)
    assert Service.bodies
    alerter.close()
    assert alerter.delivered == {"json@127.0.0.1": 1}


def test_a_sender_that_fails_is_tried_again_and_holds_up_no_other() -> None:
    waits: list[float] = []
    weak, dead, good = Collect("weak", 2), Collect("dead", 9_999), Collect("good")
    alerter = Alerter([weak, dead, good], sleep=waits.append).start()
    alerter.send("warning", "a", "first")
    alerter.send("warning", "b", "second")
    alerter.close()
    assert [alert.code for alert in weak.got] == ["a", "b"]
    assert [alert.code for alert in good.got] == ["a", "b"]
    assert alerter.delivered == {"weak": 2, "dead": 0, "good": 2}
    assert alerter.failed == {"weak": 0, "dead": 2, "good": 0}
    assert waits.count(60.0) > 2_000, "for a day each"


def test_an_alert_outlives_an_outage_and_comes_after_it() -> None:
    waits: list[float] = []
    sender = Collect("chat", 200)
    alerter = Alerter([sender], sleep=waits.append).start()
    alerter.send("critical", "journal", "disk full")
    alerter.close()
    assert [alert.code for alert in sender.got] == ["journal"]
    assert waits[:5] == [0.5, 2.0, 10.0, 60.0, 60.0]


def test_what_a_service_does_not_want_holds_up_nothing() -> None:
    sender = Unwilling("chat")
    alerter = Alerter([sender], sleep=lambda wait: pytest.fail("tried again")).start()
    alerter.send("warning", "a", "first")
    alerter.send("warning", "b", "second")
    alerter.close()
    assert [alert.code for alert in sender.got] == ["a", "b"]
    assert alerter.failed == {"chat": 2}


class Formless(Collect):
    """Raises as it is told at the first alert."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.errors = [error]

    def send(self, alert: Alert) -> None:
        if self.errors and alert.code == "a":
            raise self.errors.pop()
        super().send(alert)


@pytest.mark.parametrize(
    ("error", "got"),
    [
        # What cannot be said in JSON, or in any bytes, cannot be said a minute later either.
        (ValueError("Out of range float values are not JSON compliant"), ["b"]),
        (UnicodeEncodeError("utf-8", "\udc80", 0, 1, "surrogates not allowed"), ["b"]),
        (TypeError("no form"), ["b"]),
        # A clock that is off, or a certificate that is renewed.
        (ssl.SSLCertVerificationError("certificate has expired"), ["a", "b"]),
        (RuntimeError("a service's own library"), ["a", "b"]),
        (TimeoutError("slow"), ["a", "b"]),
    ],
)
def test_an_alert_without_a_form_holds_up_none_after_it(error: Exception, got: list[str]) -> None:
    sender = Formless(error)
    alerter = Alerter([sender], sleep=lambda wait: None).start()
    alerter.send("warning", "a", "first")
    alerter.send("critical", "b", "second")
    alerter.close()
    assert [alert.code for alert in sender.got] == got
    assert alerter.failed == {"x": 2 - len(got)}


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (float("nan"), "nan"), (float("-inf"), "-inf"), (1.5, 1.5), (3, 3), (True, True),
        (None, None), ("word", "word"), (("a", 1), "('a', 1)"),
    ],
)  # fmt: skip
def test_numbers_beside_an_alert_are_said_so_that_json_has_them(value: Any, said: Any) -> None:
    body = FORMS["json"](Alert("info", "code", "text", T, {"beside": value}))
    assert body["values"] == {"beside": said}
    json.dumps(body, allow_nan=False)


def test_two_channels_of_one_service_both_hear() -> None:
    one, two = Collect("slack@hooks"), Collect("slack@hooks")
    alerter = Alerter([one, two]).start()
    for code in ("a", "b", "c"):
        alerter.send("warning", code, "x")
    alerter.close()
    assert [a.code for a in one.got] == [a.code for a in two.got] == ["a", "b", "c"]


def test_what_repeats_is_folded_and_counted() -> None:
    now = [T]
    sender = Collect()
    alerter = Alerter([sender], clock=lambda: now[0]).start()
    for _ in range(5):
        alerter.send("warning", "lag", "slow")
    alerter.send("warning", "lag", "slower")
    now[0] += FOLD_NS
    alerter.send("warning", "lag", "slow")
    alerter.close()
    assert [(a.text, a.repeats) for a in sender.got] == [("slow", 0), ("slower", 0), ("slow", 4)]


class Stuck(Collect):
    """Takes nothing before its gate opens."""

    def __init__(self) -> None:
        super().__init__()
        self.gate, self.is_asked = threading.Event(), threading.Event()

    def send(self, alert: Alert) -> None:
        self.is_asked.set()
        self.gate.wait(10)
        super().send(alert)


def test_a_full_queue_drops_counts_and_never_waits() -> None:
    sender = Stuck()
    alerter = Alerter([sender], queue_max=3).start()
    for i in range(20):
        alerter.send("warning", f"c{i}", "x")
    assert alerter.dropped >= 16
    sender.gate.set()
    alerter.close()
    assert len(sender.got) == 20 - alerter.dropped


def test_a_critical_alert_gets_through_a_flood() -> None:
    sender = Stuck()
    alerter = Alerter([sender], queue_max=10).start()
    for i in range(1_500):
        alerter.send("warning", "bad_tick", f"print {i}")
        alerter.send("warning", f"other_{i}", "a kind of its own")
    alerter.send("critical", "position_mismatch", "SPY")
    sender.gate.set()
    alerter.close()
    assert sender.got[-1].code == "position_mismatch"
    assert alerter.dropped + len(sender.got) == 5 + 1_500 + 1


def test_what_has_no_time_at_the_end_is_counted() -> None:
    sender = Stuck()
    alerter = Alerter([sender]).start()
    for i in range(3):
        alerter.send("warning", f"c{i}", "x")
    assert sender.is_asked.wait(10)
    alerter.close(patience_s=0.01)
    assert alerter.dropped == 2
    sender.gate.set()


def test_the_daily_heartbeat_goes_through_every_sender() -> None:
    senders = [Collect("a"), Collect("b")]
    alerter = Alerter(senders).start()
    alerter.heartbeat()
    alerter.close()
    assert [[a.code for a in s.got] for s in senders] == [["heartbeat"], ["heartbeat"]]
    assert alerter.last_delivered_ts > 0


def test_mail_has_subject_sender_and_text(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Any] = []

    class Server:
        def __init__(self, host: str, port: int, **options: Any) -> None:
            sent.append((host, port, options["context"].verify_mode.name))

        def __enter__(self) -> Server:
            return self

        def __exit__(self, *_: object) -> None:
            sent.append("closed")

        def login(self, user: str, password: str) -> None:
            sent.append((user, password))

        def send_message(self, message: Any) -> dict[str, Any]:
            sent.append((message["Subject"], message["To"], message.get_content().strip()))
            # Mail without these is taken for spam.
            age = datetime.now(UTC) - parsedate_to_datetime(message["Date"])
            assert abs(age) < timedelta(minutes=1)
            assert message["Message-ID"].endswith("@x.test>")
            return {}

    monkeypatch.setattr(smtplib, "SMTP_SSL", Server)
    mail = Email("mail.test", "node@x.test", ("a@x.test", "b@x.test"), user="u", password="p")
    mail.send(Alert("info", "code", "text", T))
    assert sent == [
        ("mail.test", 465, "CERT_REQUIRED"),
        ("u", "p"),
        ("[pyrt info] code", "a@x.test, b@x.test",
         "[info] code: text at 2023-11-14T22:13:20Z"),
        "closed",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("error", "is_refused"),
    [
        (smtplib.SMTPDataError(554, b"looks like spam"), True),
        (smtplib.SMTPDataError(500, b"no"), True),
        (smtplib.SMTPDataError(451, b"later"), False),
        (smtplib.SMTPServerDisconnected("gone"), False),
    ],
)
def test_a_mail_that_is_not_wanted_holds_up_none_after_it(
    monkeypatch: pytest.MonkeyPatch, error: Exception, is_refused: bool
) -> None:
    class Server:
        def __init__(self, *_: Any, **__: Any) -> None: ...
        def __enter__(self) -> Server:
            return self

        def __exit__(self, *_: object) -> None: ...
        def send_message(self, message: Any) -> None:
            raise error

    monkeypatch.setattr(smtplib, "SMTP_SSL", Server)
    mail = Email("mail.test", "node@x.test", ("a@x.test",))
    with pytest.raises(OSError, match=r".") as raised:
        mail.send(Alert("info", "code", "text", T))
    assert isinstance(raised.value, Refused) == is_refused


@pytest.mark.parametrize(
    ("host", "is_local"), [("mail.test", False), ("127.0.0.1", True), ("localhost", True)]
)
def test_mail_to_another_machine_goes_by_tls_or_not_at_all(
    monkeypatch: pytest.MonkeyPatch, host: str, is_local: bool
) -> None:
    did: list[Any] = []

    class Server:
        def __init__(self, host: str, port: int, timeout: float) -> None:
            did.append((host, port, timeout))

        def __enter__(self) -> Server:
            return self

        def __exit__(self, *_: object) -> None: ...
        def starttls(self, *, context: Any) -> None:
            did.append(context.verify_mode.name)

        def login(self, user: str, password: str) -> None:
            pytest.fail("nobody has to log in")

        def send_message(self, message: Any) -> dict[str, Any]:
            did.append("sent")
            return {}

    monkeypatch.setattr(smtplib, "SMTP", Server)
    Email(host, "node", ("a@x.test",), port=587).send(Alert("info", "code", "text", T))
    assert did == [(host, 587, 5.0), *["CERT_REQUIRED"] * (not is_local), "sent"]


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: Webhook("http://example.test/x"), "expected https"),
        (lambda: Webhook("ftp://127.0.0.1/x"), "expected https"),
        (lambda: Webhook("https://a.test", "fax"), "form is 'fax'"),
        (lambda: Webhook("https://a.test", "telegram"), "needs its chat"),
        (lambda: Email("h", "a", ()), "recipients"),
        (lambda: Alert("loud", "a", "b", 1), "level is 'loud'"),
    ],
)
def test_a_setting_that_makes_no_sense_is_named(make: Any, text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        make()


def test_the_address_of_a_webhook_is_shown_to_nobody() -> None:
    assert "secret" not in repr(Webhook("https://hooks.test/secret", "slack"))


def test_no_log_has_the_address_of_a_webhook(
    service: str, caplog: pytest.LogCaptureFixture
) -> None:
    # What a strategy's logging.basicConfig(level=logging.DEBUG) comes to.
    caplog.set_level(logging.DEBUG)
    for status in (200, 404, 500):
        Service.status = status
        with suppress(OSError):
            Webhook(service).send(Alert("info", "a", "b", T))
    with suppress(httpx.ConnectError):
        Webhook("http://127.0.0.1:9/hook/secret").send(Alert("info", "a", "b", T))
    assert len(Service.bodies) == 3
    assert "secret" not in caplog.text
    httpx.post(f"{service}/of-somebody-else", json={})
    assert "of-somebody-else" in caplog.text, "what others ask for is logged as ever"
