"""Serving the dashboard from a thread of its own: a busy page never holds up trading."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

from pyrt.errors import ConfigError, MissingExtra
from pyrt.live.dashboard.app import make_app
from pyrt.live.dashboard.face import NodeFace
from pyrt.live.dashboard.guard import COOKIE, Guard
from pyrt.live.dashboard.tokens import make_tokens, write_tokens

CONNECTIONS_MAX = 64
HEAD_MAX = 16 * 1024
START_S = 10.0


class DashboardServer:
    """Listens on the loopback interface until `close`.

    Parameters
    ----------
    face : NodeFace
    port : int
        0 takes a free one.
    folder : path
        The tokens are written here, mode 0600: ``dashboard.tokens`` has both, of which control is
        new at every start; ``dashboard.read-token`` the other alone.
    or_any : bool
        Take a free port where `port` is taken.

    Attributes
    ----------
    url : str
    read_token, control_token : str

    Raises
    ------
    ConfigError
        If the port is taken.
    MissingExtra
        If uvicorn is not installed.
    """

    def __init__(
        self, face: NodeFace, *, port: int = 0, folder: str | Path, or_any: bool = False
    ) -> None:
        try:
            import uvicorn

            from pyrt.live.dashboard.connections import PageProtocol
        except ImportError as error:
            raise MissingExtra(
                "the dashboard needs uvicorn", remedy="Install it: pip install 'pyrt[ops]'"
            ) from error
        self.read_token, self.control_token = make_tokens(Path(folder))
        self._listener = _listen(port, or_any=or_any)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        hosts = [f"{name}:{self.port}" for name in ("127.0.0.1", "localhost")]
        guard = Guard(self.read_token, self.control_token, hosts, cookie=f"{COOKIE}_{self.port}")
        self._server = uvicorn.Server(
            uvicorn.Config(
                make_app(face, guard),
                http=PageProtocol,
                log_config=None,
                # Of requests that make no sense any process could fill the log with warnings.
                log_level="error",
                access_log=False,
                lifespan="off",
                ws="none",
                server_header=False,
                limit_concurrency=CONNECTIONS_MAX,
                timeout_keep_alive=5,
                timeout_graceful_shutdown=1,
                h11_max_incomplete_event_size=HEAD_MAX,
            )
        )
        write_tokens(Path(folder), self.url, self.read_token, self.control_token)
        self._thread = threading.Thread(target=self._run, name="dashboard", daemon=True)

    def start(self) -> DashboardServer:
        """Begin to answer; returns when it does."""
        self._thread.start()
        until = time.monotonic() + START_S
        while not self._server.started:
            if time.monotonic() > until or not self._thread.is_alive():
                raise ConfigError(f"the dashboard did not start on {self.url}")
            time.sleep(0.01)
        return self

    def close(self) -> None:
        """Stop answering."""
        self._server.should_exit = True
        self._thread.join(5.0)
        self._listener.close()

    def _run(self) -> None:
        self._server.run(sockets=[self._listener])


def _listen(port: int, *, or_any: bool) -> Any:
    import socket

    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError as error:
        listener.close()
        if or_any and port:
            return _listen(0, or_any=False)
        raise ConfigError(
            f"the dashboard's port {port} is not to be had: {error.strerror}",
            code="port",
            remedy="Stop what listens there, or choose another port",
        ) from None
    return listener
