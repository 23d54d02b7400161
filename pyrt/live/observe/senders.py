"""Ways to a person: webhooks in the forms of chat services, and e-mail."""

from __future__ import annotations

import logging
import math
import smtplib
import ssl
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, getaddresses, make_msgid
from typing import Any
from urllib.parse import urlsplit

from pyrt.errors import ConfigError
from pyrt.live.observe.alerts import Alert, Refused

TIMEOUT_S = 5.0
TEXT_MAX = 1_900
"""Characters; the tightest of the services takes 2,000."""
_COLORS = {"info": 0x3B82F6, "warning": 0xF59E0B, "critical": 0xDC2626}


def _slack(alert: Alert) -> dict[str, Any]:
    return {"text": alert.line()[:TEXT_MAX]}


def _discord(alert: Alert) -> dict[str, Any]:
    return {
        "content": alert.line()[:TEXT_MAX],
        "embeds": [{"title": alert.code, "color": _COLORS[alert.level]}],
        "allowed_mentions": {"parse": []},
    }


def _plain(alert: Alert) -> dict[str, Any]:
    return {
        "level": alert.level,
        "code": alert.code,
        "text": alert.text,
        "ts_event": alert.ts_event,
        "values": {name: _scalar(value) for name, value in alert.values.items()},
        "repeats": alert.repeats,
    }


def _scalar(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        # JSON has no such number.
        return str(value)
    return value if isinstance(value, (int, float, str, bool)) or value is None else str(value)


FORMS: dict[str, Callable[[Alert], dict[str, Any]]] = {
    "slack": _slack,
    "discord": _discord,
    "telegram": lambda alert: {"text": alert.line()[:TEXT_MAX], "disable_web_page_preview": True},
    "json": _plain,
}
"""Form → body of the request. Telegram's needs the chat besides."""


class _Unlogged(logging.Filter):
    """Lets httpx log nothing of requests that are made within it: it logs their whole URLs."""

    def __init__(self) -> None:
        super().__init__()
        self._here = threading.local()

    def __enter__(self) -> None:
        logging.getLogger("httpx").addFilter(self)
        self._here.is_within = True

    def __exit__(self, *_: object) -> None:
        self._here.is_within = False

    def filter(self, record: logging.LogRecord) -> bool:
        return not getattr(self._here, "is_within", False)


_UNLOGGED = _Unlogged()


class Webhook:
    """Posts alerts as JSON.

    Parameters
    ----------
    url : str
        https, or http to this machine. It usually holds a secret: never shown.
    form : {"slack", "discord", "telegram", "json"}
    chat : str
        Telegram's ``chat_id``.
    """

    def __init__(self, url: str, form: str = "json", *, chat: str = "") -> None:
        if form not in FORMS:
            raise ConfigError(f"form is {form!r}; expected one of {', '.join(FORMS)}")
        if form == "telegram" and not chat:
            raise ConfigError("a telegram webhook needs its chat", remedy='Give chat = "…"')
        parts = urlsplit(url)
        local = parts.hostname in ("127.0.0.1", "localhost", "::1")
        if parts.scheme != "https" and not (parts.scheme == "http" and local):
            raise ConfigError(
                f"a webhook's URL begins with {parts.scheme or 'nothing'}; expected https",
                code="webhook",
            )
        self.name = f"{form}@{parts.hostname}"
        self._url = url
        self._form = FORMS[form]
        self._chat = {"chat_id": chat} if chat else {}

    def __repr__(self) -> str:
        return f"Webhook({self.name})"

    def send(self, alert: Alert) -> None:
        """Post it; OSError or httpx.HTTPError if it was not taken."""
        import httpx

        body = {**self._chat, **self._form(alert)}
        # No redirects: what is posted goes to the configured host or nowhere.
        with _UNLOGGED:
            answer = httpx.post(self._url, json=body, timeout=TIMEOUT_S, follow_redirects=False)
        status = answer.status_code
        if 300 <= status < 500 and status not in (408, 429):
            raise Refused(f"answered {status}")
        if not 200 <= status < 300:
            raise OSError(f"answered {status}")


_Answers = Mapping[str, tuple[int, bytes]]
TAKEN, BUSY = (250, b""), (421, b"")


class _Delivery:
    """One alert on its way to the recipients of a mail."""

    def __init__(self, alert: Alert, recipients: tuple[str, ...]) -> None:
        self.alert = alert
        self.owed = recipients
        self._never: list[str] = []

    def note(self, answers: _Answers) -> None:
        """Take those off whom it has reached, or never will; OSError where that is not all."""
        owed = []
        for recipient in self.owed:
            asked = _addresses((recipient,))
            status = max((answers.get(each, TAKEN)[0] for each in asked), default=TAKEN[0])
            if status >= 500:
                self._never.append(f"{recipient} (answered {status})")
            elif status not in (250, 251):
                owed.append(recipient)
        self.owed = tuple(owed)
        if owed:
            raise OSError(f"not taken yet for {', '.join(owed)}")
        if self._never:
            raise Refused(f"not taken for {', '.join(self._never)}")


def _addresses(recipients: Sequence[str]) -> list[str]:
    """Return what a mail server is asked for, as it is without names."""
    return [address for _, address in getaddresses(recipients)]


class Email:
    """Sends alerts by e-mail over SMTP with TLS.

    Parameters
    ----------
    host, port : str, int
        Port 465 speaks TLS at once; others must offer STARTTLS, but for this machine's.
    sender, recipients : str, tuple of str
    user, password : str
        "" where the server asks for none.
    """

    def __init__(
        self,
        host: str,
        sender: str,
        recipients: tuple[str, ...],
        *,
        port: int = 465,
        user: str = "",
        password: str = "",
    ) -> None:
        for name, value in (("host", host), ("sender", sender), ("recipients", recipients)):
            if not value:
                raise ConfigError(f"an e-mail alert needs its {name}", code=name)
        self.name = f"email@{host}"
        self._host, self._port = host, port
        self._sender, self._recipients = sender, recipients
        self._user, self._password = user, password
        self._delivery: _Delivery | None = None

    def __repr__(self) -> str:
        return f"Email({self.name})"

    def send(self, alert: Alert) -> None:
        """Send it; OSError or SMTPException if it was not taken for somebody.

        Whoever has it does not get it once more at the next attempt.
        """
        delivery = self._delivery
        if delivery is None or delivery.alert is not alert:
            delivery = self._delivery = _Delivery(alert, self._recipients)
        answers = self._post(alert, delivery.owed)
        try:
            delivery.note(answers)
        finally:
            if not delivery.owed:
                self._delivery = None

    def _post(self, alert: Alert, recipients: tuple[str, ...]) -> _Answers:
        """Send it to these; return the answers for those whom the server does not take."""
        message = EmailMessage()
        message["Subject"] = f"[pyrt {alert.level}] {alert.code}"
        message["From"] = self._sender
        message["To"] = ", ".join(recipients)
        # Without these, mail is taken for spam.
        message["Date"] = format_datetime(datetime.now(UTC))
        message["Message-ID"] = make_msgid(domain=self._sender.rpartition("@")[2] or "localhost")
        message.set_content(alert.line())
        with self._connect() as server:
            if self._user:
                server.login(self._user, self._password)
            try:
                return server.send_message(message)
            except smtplib.SMTPRecipientsRefused as error:
                # Nobody has it, those who were not asked any more included.
                return dict.fromkeys(_addresses(recipients), BUSY) | error.recipients
            except smtplib.SMTPDataError as error:
                if error.smtp_code >= 500:
                    raise Refused(f"answered {error.smtp_code}") from error
                raise

    def _connect(self) -> smtplib.SMTP:
        if self._port == 465:
            verified = ssl.create_default_context()
            return smtplib.SMTP_SSL(self._host, self._port, timeout=TIMEOUT_S, context=verified)
        server = smtplib.SMTP(self._host, self._port, timeout=TIMEOUT_S)
        if self._host not in ("127.0.0.1", "localhost", "::1"):
            server.starttls(context=ssl.create_default_context())
        return server
