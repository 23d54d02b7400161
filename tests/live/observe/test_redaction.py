"""Redaction: 500 generated messages with secrets in all positions, and none of them is left."""

from __future__ import annotations

import base64
import json
import random
from urllib.parse import quote

import pytest

from pyrt.live.observe.redaction import MASK, Redactor

SECRETS = ("PKCANARY0123456789AB", "s3cr3t/with+odd=chars&more", "123456789", "a\"b\\c'd-e-f")
HOOK = "https://hooks.slack.test/services/T000/B000/xyzxyzxyz"
TEMPLATES = (
    "{0}", "key={0}", "APCA-API-KEY-ID: {0}", "headers={{'APCA-API-SECRET-KEY': '{0}'}}",
    '{{"secret": "{0}", "ok": 1}}', "Authorization: Bearer {0}", "authorization=Basic {0}",
    "GET https://api.test/v2/account?key={0}&x=1", "wss://{0}@stream.test/v2", "token => {0};",
    "failed for account {0}: no funds", "({0})", "[{0},{0}]", "x{0}x", "Credentials('{0}')",
)  # fmt: skip


def forms(secret: str) -> list[str]:
    plain = secret.encode()
    return [
        secret,
        quote(secret, safe=""),
        json.dumps(secret)[1:-1],
        repr(secret)[1:-1],
        base64.b64encode(plain).decode().rstrip("="),
    ]


@pytest.mark.parametrize("seed", range(5))
def test_no_form_of_a_known_secret_is_left_anywhere(seed: int) -> None:
    draw = random.Random(seed)
    redactor = Redactor([*SECRETS, HOOK])
    for _ in range(100):
        secret = draw.choice([*SECRETS, HOOK])
        shown = draw.choice(forms(secret))
        words = ["order", "sent", "ok", "SPY", "100.25"]
        text = " ".join(
            [*draw.sample(words, 2), draw.choice(TEMPLATES).format(shown), *draw.sample(words, 2)]
        )
        cleaned = redactor.redact(text)
        for form in forms(secret):
            assert form not in cleaned, text
        assert MASK in cleaned


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Authorization: Bearer abc.def", f"Authorization: {MASK}"),
        ("{'APCA-API-SECRET-KEY': 'zzz', 'x': 1}", f"{{'APCA-API-SECRET-KEY': '{MASK}', 'x': 1}}"),
        ('{"token":"q\\"q","n":2}', f'{{"token":"{MASK}","n":2}}'),
        ("password=hunter2&user=me", f"password={MASK}&user=me"),
        ("https://a.test/x?y=1#z next", f"https://a.test/x?{MASK} next"),
        ("wss://user:pw@b.test/s", f"wss://{MASK}@b.test/s"),
        ("account PA3XYZ12AB4C is live", f"account {MASK} is live"),
        ("key PKABCDEFGHIJKLMNOPQR used", f"key {MASK} used"),
    ],
)
def test_what_looks_like_a_secret_is_taken_out(text: str, expected: str) -> None:
    assert Redactor().redact(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "order bt-1 of 100 SPY at 123.45 filled",
        "the monkey=3 and donkey: 4",
        "https://docs.test/page and wss://stream.test/v2/iex",
        "tokens are counted; secretly",
        "PAPER trading, PACKAGE",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert Redactor(["", "abc"]).redact(text) == text


def test_of_an_account_the_last_four_characters_are_left() -> None:
    redactor = Redactor(["PKCANARY0123456789AB"])
    redactor.add_accounts("123456789", "", "PA3XYZ12AB4C")
    text = "account 123456789 is not armed, PA3XYZ12AB4C is, PA9999999999 and 12345678 are unknown"
    assert redactor.redact(text) == (
        f"account …6789 is not armed, …AB4C is, {MASK} and 12345678 are unknown"
    )
    encoded = base64.b64encode(b"123456789").decode()
    assert redactor.redact(f"as {encoded}") == f"as {MASK}"
