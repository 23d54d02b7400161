"""All that passes between a simulator and its clients, written to a file as JSON lines."""

from __future__ import annotations

import base64
import time
from pathlib import Path
from typing import Any

import msgspec

HIDDEN = "(secret)"


class Traffic:
    """Writes requests, answers and frames; the secret is left out.

    Parameters
    ----------
    path : str or Path
        Appended to.
    secret : str
    """

    def __init__(self, path: str | Path, secret: str) -> None:
        self._file = Path(path).open("ab")  # noqa: SIM115 - it is open as long as the server runs
        self._secret = secret.encode()

    def write(self, kind: str, ts: int, **fields: Any) -> None:
        """Write one line: its kind, the simulator's time, the wall clock's, and what it is about.

        Bytes are written as text where they are text, in Base64 under ``…_base64`` otherwise.
        """
        row: dict[str, Any] = {"kind": kind, "ts": ts, "wall": time.time_ns()}
        for name, value in fields.items():
            if not isinstance(value, bytes):
                row[name] = value
                continue
            clean = value.replace(self._secret, HIDDEN.encode())
            try:
                row[name] = clean.decode()
            except UnicodeDecodeError:
                row[f"{name}_base64"] = base64.b64encode(clean).decode()
        self._file.write(msgspec.json.encode(row) + b"\n")

    def flush(self) -> None:
        """Hand what was written to the system."""
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()
