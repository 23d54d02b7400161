"""Bad certificates: nothing is sent to a server that cannot show whose it is.

The certificates are made by the openssl command; without it these tests skip.
"""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
from pathlib import Path

import certifi
import pytest
from websockets.asyncio.server import serve

from pyrt.adapters.alpaca.core.rest import HttpRequest
from pyrt.adapters.alpaca.credentials import Credentials
from pyrt.adapters.alpaca.shell.http import Http
from pyrt.adapters.alpaca.shell.sockets import Socket

pytestmark = [
    pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl command"),
    pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning"),
]

HERE = "subjectAltName=IP:127.0.0.1"
BAD = ("self_signed", "unknown_authority", "expired", "other_host", "old_protocol", "plain_text")


def openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


def authority(folder: Path, name: str) -> None:
    openssl(
        folder, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key",
        "-out", f"{name}.pem", "-subj", f"/CN={name}", "-days", "2",
        "-addext", "basicConstraints=critical,CA:TRUE",
    )  # fmt: skip


def certificate(folder: Path, name: str, *, by: str, host: str = HERE, days: str = "2") -> None:
    (folder / "extensions").write_text(host)
    openssl(
        folder, "x509", "-req", "-in", "server.csr", "-CA", f"{by}.pem", "-CAkey", f"{by}.key",
        "-CAcreateserial", "-days", days, "-extfile", "extensions", "-out", f"{name}.pem",
    )  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """One key, and certificates for it of all kinds."""
    made = tmp_path_factory.mktemp("certificates")
    authority(made, "known")
    authority(made, "stranger")
    openssl(
        made, "req", "-newkey", "rsa:2048", "-nodes", "-keyout", "server.key",
        "-out", "server.csr", "-subj", "/CN=127.0.0.1",
    )  # fmt: skip
    openssl(
        made, "req", "-x509", "-key", "server.key", "-out", "self_signed.pem",
        "-subj", "/CN=127.0.0.1", "-days", "2", "-addext", HERE,
    )  # fmt: skip
    certificate(made, "good", by="known")
    certificate(made, "unknown_authority", by="stranger")
    certificate(made, "expired", by="known", days="-1")
    certificate(made, "other_host", by="known", host="subjectAltName=DNS:evil.example")
    return made


def context(folder: Path, name: str) -> ssl.SSLContext | None:
    """What a server shows; None for one without TLS."""
    if name == "plain_text":
        return None
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(
        folder / ("good.pem" if name == "old_protocol" else f"{name}.pem"), folder / "server.key"
    )
    if name == "old_protocol":
        made.set_ciphers("ALL:@SECLEVEL=0")
        made.minimum_version = ssl.TLSVersion.TLSv1
        made.maximum_version = ssl.TLSVersion.TLSv1_1
    return made


@pytest.fixture
def trusted(folder, monkeypatch) -> Path:
    """The one authority that both libraries trust here, as they do the public ones elsewhere."""
    monkeypatch.setattr(certifi, "where", lambda: str(folder / "known.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(folder / "known.pem"))
    return folder


async def ask(folder: Path, name: str) -> tuple[int, list[bytes]]:
    """Return the status of a request and what had come through to the server."""
    taken: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        taken.append(await reader.read(4096))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context(folder, name))
    port = server.sockets[0].getsockname()[1]
    http = Http({"trading": f"https://127.0.0.1:{port}"}, Credentials("PK", "canary-secret"))
    try:
        return (await http.send(HttpRequest("GET", "/v2/account", b""))).status, taken
    finally:
        await http.close()
        server.close()


class Core:
    """Counts what a stream's core is told."""

    is_packed = False

    def __init__(self) -> None:
        self.headers: dict[str, str] = {}
        self.openings = self.closings = 0

    def opened(self, now: int) -> None:
        self.openings += 1

    def heard(self, now: int) -> None: ...

    def closed(self, now: int) -> None:
        self.closings += 1

    def take_frames(self) -> list[bytes]:
        return [b'{"action":"auth","secret":"canary-secret"}']


async def listen(folder: Path, name: str) -> Core:
    """Let a stream connect, and end when the server closes or is refused."""

    async def greet(connection) -> None:
        await connection.close()

    async with serve(greet, "127.0.0.1", 0, ssl=context(folder, name)) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        core = Core()
        await Socket(f"wss://127.0.0.1:{port}", core, print, lambda: None, lambda: 0).serve()
        return core


@pytest.mark.parametrize("name", BAD)
def test_no_request_is_sent_behind_a_bad_certificate(trusted, name):
    status, taken = asyncio.run(ask(trusted, name))
    assert status == 0
    assert b"canary" not in b"".join(taken)
    assert b"APCA" not in b"".join(taken)


@pytest.mark.parametrize("name", BAD)
def test_no_stream_is_opened_behind_a_bad_certificate(trusted, name):
    core = asyncio.run(listen(trusted, name))
    assert (core.openings, core.closings) == (0, 1)


def test_a_good_certificate_is_taken(trusted):
    status, (request,) = asyncio.run(ask(trusted, "good"))
    assert status == 200
    assert b"canary-secret" in request
    assert asyncio.run(listen(trusted, "good")).openings == 1
