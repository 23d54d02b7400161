"""What a line brings has bounds: certificates, sizes, depths; beyond them it is no answer."""

from __future__ import annotations

import asyncio
import gzip
import shutil
import ssl
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from random import Random

import pytest

from pyrt.adapters.alpaca.core.ledger import Ledger
from pyrt.adapters.alpaca.core.market_data import MarketData
from pyrt.adapters.alpaca.core.rest import HttpRequest
from pyrt.adapters.alpaca.core.trade_updates import TradeUpdates
from pyrt.adapters.alpaca.credentials import Credentials
from pyrt.adapters.alpaca.shell.http import BODY_MAX, Answer, Http
from pyrt.adapters.alpaca.shell.sockets import MAX_BYTES
from pyrt.errors import DataError
from pyrt.links.frames import FRAME_MAX, unpack
from tests import canary

KEYS = Credentials("PK", canary.SECRET)


class Server:
    """Answers every GET with a body, by TLS where a context is given."""

    def __init__(self, body: bytes = b"{}", context=None, **headers: str) -> None:
        taken = self.taken = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                taken.append(dict(self.headers))
                self.send_response(200)
                for name, value in headers.items():
                    self.send_header(name.replace("_", "-"), value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                try:
                    self.wfile.write(body)
                except OSError:
                    return

            def log_message(self, *_):
                """Say nothing."""

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        if context is not None:
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()


def ask(url):
    async def work():
        http = Http({"trading": url}, KEYS)
        try:
            return await http.send(HttpRequest("GET", "/v2/account", b""))
        finally:
            await http.close()

    return asyncio.run(work())


SUBJECT = "/CN=x"


def certificate(tmp_path, *, name="IP:127.0.0.1", is_over=False):
    """Write a self-signed certificate; return a server's context."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl here")
    key, made = tmp_path / "key.pem", tmp_path / "cert.pem"
    request, extra = tmp_path / "request.pem", tmp_path / "extra"
    extra.write_text(f"subjectAltName={name}\n")
    new_key = "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
    _openssl(*new_key.split(), "-keyout", key, "-out", request, "-subj", SUBJECT)
    # It ends as it begins, a second from now at the latest.
    days = "0" if is_over else "30"
    _openssl("x509", "-req", "-in", request, "-signkey", key, "-out", made, "-days", days,
             "-extfile", extra)  # fmt: skip
    if is_over:
        time.sleep(1.1)
    path = tmp_path / "server.pem"
    path.write_bytes(key.read_bytes() + made.read_bytes())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


def _openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], capture_output=True, check=True)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({}, id="self-signed"),
        pytest.param({"is_over": True}, id="expired"),
        pytest.param({"name": "DNS:wrong.example"}, id="wrong host"),
    ],
)
def test_transport_with_a_certificate_nobody_vouches_for_sends_no_key(tmp_path, changes):
    with Server(context=certificate(tmp_path, **changes)) as server:
        answer = ask(f"https://127.0.0.1:{server.port}")
    assert answer.status == 0
    assert b"CERTIFICATE_VERIFY_FAILED" in answer.body
    assert server.taken == []


def test_transport_refuses_an_old_protocol(tmp_path):
    context = certificate(tmp_path)
    try:
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    except ValueError:
        pytest.skip("this OpenSSL cannot serve it")
    with Server(context=context) as server:
        assert ask(f"https://127.0.0.1:{server.port}").status == 0
    assert server.taken == []


def test_transport_never_turns_verification_off():
    http = Http({"trading": "https://127.0.0.1:1"}, KEYS)
    pool = http._client._transport._pool
    context = pool._ssl_context
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
    asyncio.run(http.close())


def test_bounds_of_a_rest_answer_hold_for_what_is_packed_too():
    small = b'{"account_number":"x"}'
    with Server(small) as server:
        assert ask(f"http://127.0.0.1:{server.port}").body == small
    bomb = gzip.compress(b" " * (BODY_MAX + 1))
    assert len(bomb) < 100_000
    with Server(bomb, Content_Encoding="gzip") as server:
        assert ask(f"http://127.0.0.1:{server.port}") == Answer(0, b"it was too large")
    with Server(b"no gzip", Content_Encoding="gzip") as server:
        assert ask(f"http://127.0.0.1:{server.port}").status == 0


DEEP = 100_000


@pytest.mark.parametrize(
    "frame",
    [
        "[" * DEEP,
        '[{"T":"q","S":' + "[" * DEEP,
        '[{"T":"t","S":"SPY","x":' + "[" * DEEP + "]" * DEEP + "}]",
        b"\x91" * DEEP,
        b"\xdd\xff\xff\xff\xff",
        b"\xdb\x7f\xff\xff\xff",
    ],
)
def test_bounds_of_depth_and_length_in_market_data_are_an_alarm(frame):
    events = MarketData(Random(1), KEYS).receive(frame, 1)
    assert [event.code for event in events] == ["bad_frame"]


@pytest.mark.parametrize(
    "frame",
    [
        '{"stream":"trade_updates","data":' + "[" * DEEP,
        '{"stream":' + '{"a":' * DEEP,
        b"\xff\xfe\x00",
    ],
)
def test_bounds_of_depth_in_order_news_are_an_alarm_and_a_resync(frame):
    stream = TradeUpdates(Random(1), KEYS, Ledger("p-"))
    events = stream.receive(frame, 1)
    assert [event.code for event in events] == ["bad_frame"]
    assert stream.take_resync()


def test_bounds_of_frames_are_stated():
    assert MAX_BYTES <= 16 * 2**20
    assert FRAME_MAX == 2**20
    with pytest.raises(DataError, match="bytes"):
        unpack(b"data.x\0" + b"x" * FRAME_MAX)
