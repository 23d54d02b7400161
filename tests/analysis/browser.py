"""Drive headless Chromium through its DevTools protocol: open a page, evaluate, take a picture."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import time
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

from websockets.sync.client import ClientConnection, connect

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--hide-scrollbars",
    "--remote-debugging-port=0",
)


def find_chromium() -> str | None:
    """Path of an installed Chromium, or None."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Browser:
    """One headless Chromium with one page; a context manager that ends what it started."""

    def __init__(self, profile: Path, *, width: int = 1400, height: int = 1000) -> None:
        executable = find_chromium()
        assert executable is not None
        self._profile = profile
        size = (f"--window-size={width},{height}", f"--user-data-dir={profile}")
        self._process = subprocess.Popen(
            [executable, *FLAGS, *size, "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._stack = ExitStack()
        self._socket = self._connect()
        self._number = 0
        self.problems: list[str] = []
        self.requests: list[str] = []
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.send(f"{domain}.enable")

    def __enter__(self) -> Browser:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()
        self._process.terminate()
        self._process.wait(timeout=20)

    def send(self, method: str, **params: Any) -> dict[str, Any]:
        """Call a DevTools method and return its result; events met on the way are kept."""
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": params}))
        while True:
            message = json.loads(self._socket.recv(timeout=60))
            if message.get("id") == self._number:
                assert "error" not in message, message
                return message["result"]
            self._note(message)

    def evaluate(self, script: str) -> Any:
        """Value of a JavaScript expression, awaited if it is a promise."""
        result = self.send(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def open(self, page: Path, *, timeout: float = 30.0) -> float:
        """Open a report and return the milliseconds until it says it is ready."""
        self.problems.clear()
        self.send("Page.navigate", url=page.as_uri())
        limit = time.monotonic() + timeout
        while self.evaluate("document.documentElement?.dataset.ready") != "true":
            assert not self.problems, self.problems
            assert time.monotonic() < limit, "the page did not get ready"
            time.sleep(0.05)
        return float(self.evaluate("pyrtReport.ready_ms"))

    def picture(self, path: Path, *, whole: bool = False) -> None:
        """Write what is on the screen, or the whole page, as PNG."""
        answer = self.send("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(answer["data"]))

    def _connect(self) -> ClientConnection:
        announced = self._profile / "DevToolsActivePort"
        limit = time.monotonic() + 30.0
        while not announced.exists() or "\n" not in announced.read_text():
            assert time.monotonic() < limit, "Chromium did not start"
            time.sleep(0.05)
        port = announced.read_text().split("\n")[0]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list", timeout=10) as answer:
            pages = [target for target in json.load(answer) if target["type"] == "page"]
        return self._stack.enter_context(connect(pages[0]["webSocketDebuggerUrl"], max_size=None))

    def _note(self, message: dict[str, Any]) -> None:
        params = message.get("params", {})
        if message["method"] == "Runtime.exceptionThrown":
            self.problems.append(json.dumps(params["exceptionDetails"])[:2000])
        elif message["method"] == "Log.entryAdded" and params["entry"]["level"] == "error":
            self.problems.append(params["entry"]["text"])
        elif message["method"] == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
