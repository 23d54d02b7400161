"""Taking secrets out of text, at the last place before it is written."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable
from urllib.parse import quote

MASK = "[redacted]"
SECRET_MIN = 6
"""Shorter texts are not taken out one by one: they would hit words that are none of them."""

_NAMES = (
    r"authorization|proxy-authorization|apca-api-key-id|apca-api-secret-key|apca_api_key_id|"
    r"apca_api_secret_key|alpaca_api_key|alpaca_secret_key|x-api-key|api[_-]?key|secret[_-]?key|"
    r"key[_-]?id|secret|token|password|passwd|cookie|set-cookie|csrf"
)
_FIELD = re.compile(
    rf"(?i)(?P<name>[\"']?\b(?:{_NAMES})[\"']?\s*(?:=>|[:=,])\s*)"
    r"(?P<value>[bru]?\"(?:[^\"\\]|\\.)*\"|[bru]?'(?:[^'\\]|\\.)*'|(?:bearer|basic)\s+[^\s,;}\])\"']+"
    r"|[^\s,;}\])\"'&]+)"
)
_BEARER = re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{6,}")
_QUERY = re.compile(r"(?i)\b((?:https?|wss?)://[^\s?#\"'<>]*)\?[^\s\"'<>]+")
_USERINFO = re.compile(r"(?i)\b((?:https?|wss?)://)[^\s/@\"'<>]+@")
_KEY = re.compile(r"\b[PAC]K[A-Z0-9]{16,}\b")
_ACCOUNT = re.compile(r"\bPA[A-Z0-9]{8,12}\b")


class Redactor:
    """Replaces secrets in text: those it was told, and what looks like one.

    Parameters
    ----------
    secrets : iterable of str
        Keys, tokens, addresses of webhooks; empty and very short ones are passed over. Each is also
        found as a URL, as JSON and as base64.
    accounts : iterable of str
        Numbers of accounts: what is left of them are the last four characters, by which a person
        tells one from another.
    """

    def __init__(self, secrets: Iterable[str] = (), accounts: Iterable[str] = ()) -> None:
        self._exact: re.Pattern[str] | None = None
        self._forms: dict[str, str] = {}
        self.add(*secrets)
        self.add_accounts(*accounts)

    def add(self, *secrets: str) -> None:
        """Take out these too, from now on."""
        for secret in secrets:
            if len(secret) >= SECRET_MIN:
                self._forms |= dict.fromkeys(_forms(secret), MASK)
        self._compile()

    def add_accounts(self, *numbers: str) -> None:
        """Leave the last four characters of these too, from now on."""
        for number in numbers:
            if len(number) >= SECRET_MIN:
                self._forms |= dict.fromkeys(_forms(number), MASK)
                self._forms[number] = f"…{number[-4:]}"
        self._compile()

    def _compile(self) -> None:
        if self._forms:
            # Longest first: one secret may begin another.
            ordered = sorted(self._forms, key=lambda form: (-len(form), form))
            self._exact = re.compile("|".join(re.escape(form) for form in ordered))

    def redact(self, text: str) -> str:
        """Return the text without secrets.

        Examples
        --------
        >>> Redactor().redact("GET https://x.test/v2/orders?token=abcdef Authorization: Bearer abc")
        'GET https://x.test/v2/orders?[redacted] Authorization: [redacted]'
        """
        if self._exact is not None:
            text = self._exact.sub(lambda found: self._forms[found[0]], text)
        text = _USERINFO.sub(rf"\1{MASK}@", text)
        text = _QUERY.sub(rf"\1?{MASK}", text)
        text = _FIELD.sub(_masked, text)
        text = _BEARER.sub(rf"\1 {MASK}", text)
        return _ACCOUNT.sub(MASK, _KEY.sub(MASK, text))


def _masked(found: re.Match[str]) -> str:
    """Keep the quotes of a value, so that what was JSON stays JSON."""
    value = found["value"]
    last = value[-1]
    if last in "\"'":
        return f"{found['name']}{last}{MASK}{last}"
    return f"{found['name']}{MASK}"


def _forms(secret: str) -> set[str]:
    plain = secret.encode()
    encoded = {base64.b64encode(plain), base64.urlsafe_b64encode(plain)}
    quoted = {quote(secret, safe=""), json.dumps(secret)[1:-1], repr(secret)[1:-1]}
    return {secret, *quoted} | {text.decode().rstrip("=") for text in encoded}
