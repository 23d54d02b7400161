"""Keys are found where Alpaca's users keep them, and shown nowhere."""

from __future__ import annotations

import asyncio
import copy
import pickle
import sys
import threading
import traceback
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from pyrt.adapters.alpaca.core.rest import HttpRequest
from pyrt.adapters.alpaca.credentials import Credentials, read_credentials
from pyrt.adapters.alpaca.shell.http import Http
from pyrt.adapters.alpaca.shell.sockets import Socket
from pyrt.errors import ConfigError, MissingExtra
from pyrt.live.config import NodeConfig

CANARY = "canary-9f31c2"


@pytest.mark.parametrize(
    "names", [("APCA_API_KEY_ID", "APCA_API_SECRET_KEY"), ("ALPACA_API_KEY", "ALPACA_SECRET_KEY")]
)
def test_both_pairs_of_names_are_read(names):
    found = read_credentials({names[0]: "PKX", names[1]: CANARY})
    assert (found.key, found.reveal_secret(), found.is_live) == ("PKX", CANARY, False)


def test_half_a_pair_names_what_is_missing_and_shows_nothing():
    with pytest.raises(ConfigError, match="APCA_API_KEY_ID is not set") as caught:
        read_credentials({"APCA_API_SECRET_KEY": CANARY})
    assert CANARY not in "".join(traceback.format_exception(caught.value))


def test_an_env_file_must_be_closed_to_others(tmp_path):
    path = tmp_path / ".env"
    path.write_text(f'# keys\nexport APCA_API_KEY_ID=PKX\nAPCA_API_SECRET_KEY="{CANARY}"\n')
    path.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600") as caught:
        read_credentials({}, path)
    assert CANARY not in str(caught.value)
    path.chmod(0o600)
    assert read_credentials({}, path).reveal_secret() == CANARY


def test_no_way_of_printing_shows_the_secret():
    keys = Credentials("PK-canary", CANARY)
    for text in (repr(keys), str(keys), f"{keys}", f"{keys!r}", repr([keys]), repr({"k": keys})):
        assert "canary" not in text
    for spill in (pickle.dumps, copy.copy):
        with pytest.raises(TypeError):
            spill(keys)


def test_no_keys_says_what_to_set():
    with pytest.raises(ConfigError, match="APCA_API_KEY_ID"):
        read_credentials({})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"mode": "live"}, "account_id is not given"),
        ({"mode": "demo"}, "mode is 'demo'"),
        ({"symbols": ()}, "symbols is empty"),
        ({"trading_url": "http://paper-api.alpaca.markets"}, "neither Alpaca's"),
        ({"data_url": "https://data.alpaca.markets.evil.example"}, "neither Alpaca's"),
    ],
)
def test_a_config_that_is_not_acceptable_is_refused(changes, message):
    with pytest.raises(ConfigError, match=message):
        NodeConfig(**{"symbols": ("SPY",), **changes})


def test_keys_of_the_other_world_are_refused():
    live = NodeConfig(symbols=("SPY",), mode="live", account_id="123")
    with pytest.raises(ConfigError, match="no live key"):
        live.check_key(is_live=False)
    with pytest.raises(ConfigError, match="mode is paper"):
        NodeConfig(symbols=("SPY",)).check_key(is_live=True)


def test_a_file_with_an_unknown_key_is_refused(tmp_path):
    path = tmp_path / "node.toml"
    path.write_text('symbols = ["SPY"]\nsymbol = "QQQ"\n')
    with pytest.raises(ConfigError, match="unknown field `symbol`"):
        NodeConfig.from_toml(path)


class Rings:
    """A keyring of one service."""

    def __init__(self, **held):
        self.held = held

    def get_password(self, service, name):
        return self.held.get(name) if service == "pyrt" else None


def test_a_keyring_is_asked_when_it_is_named(monkeypatch):
    pair = {"APCA_API_KEY_ID": "PKRING", "APCA_API_SECRET_KEY": CANARY}
    monkeypatch.setitem(sys.modules, "keyring", Rings(**pair))
    assert read_credentials({}, keyring="pyrt").key == "PKRING"
    with pytest.raises(ConfigError, match="no Alpaca keys for other"):
        read_credentials({}, keyring="other")
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(MissingExtra, match="pip install keyring"):
        read_credentials({}, keyring="pyrt")


@pytest.mark.parametrize(
    "url", ["http://paper-api.alpaca.markets", "https://evil.example", "ws://10.0.0.1/stream"]
)
def test_keys_are_sent_to_the_broker_or_this_machine_only(url):
    with pytest.raises(ConfigError, match="neither Alpaca's"):
        Http({"trading": url}, Credentials("PK", CANARY))
    with pytest.raises(ConfigError, match="neither Alpaca's"):
        Socket(url, None, print, print, int)


def test_a_redirect_is_not_followed_and_certificates_are_checked():
    taken = []

    class Elsewhere(BaseHTTPRequestHandler):
        def do_GET(self):
            taken.append(self.path)
            self.send_response(302)
            self.send_header("Location", f"http://127.0.0.1:{port}/stolen")
            self.end_headers()

        def log_message(self, *_):
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Elsewhere)
    port = server.server_address[1]
    threading.Thread(target=server.serve_forever, daemon=True).start()

    async def ask(base):
        http = Http({"trading": base}, Credentials("PK", CANARY))
        try:
            return await http.send(HttpRequest("GET", "/v2/account", b""))
        finally:
            await http.close()

    try:
        assert asyncio.run(ask(f"http://127.0.0.1:{port}")).status == 302
        # Plain text where TLS is due is no answer at all.
        assert asyncio.run(ask(f"https://127.0.0.1:{port}")).status == 0
    finally:
        server.shutdown()
        server.server_close()
    assert taken == ["/v2/account"]


def test_the_example_names_what_is_read_and_holds_no_key(tmp_path):
    example = Path(__file__).parents[3] / ".env.example"
    path = tmp_path / ".env"
    path.write_bytes(example.read_bytes())
    path.chmod(0o600)
    with pytest.raises(ConfigError, match="there are no Alpaca keys"):
        read_credentials({}, path)
    filled = example.read_text().replace("KEY_ID=", "KEY_ID=PKX").replace("ET_KEY=", "ET_KEY=s")
    path.write_text(filled)
    assert read_credentials({}, path).key == "PKX"
