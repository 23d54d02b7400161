"""Starts `pyrt` commands as processes of their own in a twentieth of a second.

A process that has imported everything is copied for each command; so a test can kill hundreds.

    python -m tests.live.forks

reads a line of JSON for each command: {"arguments": [...], "out": path, "err": path, "file_bytes":
the largest a file may be, or 0}, and answers with the new process's id. It reaps what has ended,
and leaves when its input does.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path


def serve() -> None:
    """Read commands until there are none; each is carried out by a copy of this process."""
    # What a node imports and looks up when it starts, once for all copies.
    import pyrt.adapters.alpaca.node.live
    import pyrt.cli.entry
    import pyrt.cli.live  # noqa: F401 - loaded once, for all copies
    from pyrt.adapters.alpaca.core.activity import regular_hours

    regular_hours(time.time_ns())

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        command = json.loads(line)
        child = os.fork()
        if child == 0:
            become(command)
        print(child, flush=True)


def become(command: dict[str, object]) -> None:
    """Carry out a command in a copy; never returns."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    if command["file_bytes"]:
        # Python ignores the signal that goes with it: a write beyond fails, as on a full disk.
        most = int(str(command["file_bytes"]))
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    for number, name in ((1, "out"), (2, "err")):
        opened = os.open(str(command[name]), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(opened, number)
    from pyrt.cli.entry import main

    code = 1
    try:
        code = main(command["arguments"])  # type: ignore[arg-type]  # JSON: a list of texts
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


class Forks:
    """The process that makes copies, from the test's side."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.live.forks"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment,
            cwd=Path(__file__).resolve().parents[2],
        )  # fmt: skip

    def start(self, arguments: list[str], out: Path, err: Path, *, file_bytes: int = 0) -> int:
        """Start a command; return its process id. With `file_bytes` no file may grow larger."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        command = {
            "arguments": arguments, "out": str(out), "err": str(err), "file_bytes": file_bytes,
        }  # fmt: skip
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=30)


if __name__ == "__main__":
    serve()
