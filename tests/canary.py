"""A secret that runs through the whole suite, and has to show up nowhere.

It is the key in the environment of every test and of every program a test starts. Output, log
records and files that a test leaves are searched for it; so is what is shown of a failure.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

KEY = "PKCANARY3F9A61D27B"
SECRET = "canary-" + "5b1e7f40c9d2"
"""In two pieces, so that the line above is not found in a traceback."""
MEANT_TO_HOLD_IT = frozenset({".env", "keys.env", "env"})
BYTES_MAX = 4_000_000


def searched(path: Path) -> Iterator[Path]:
    """Yield the files below a folder that nobody may find a secret in."""
    for each in path.rglob("*"):
        if each.is_file() and not each.is_symlink() and each.name not in MEANT_TO_HOLD_IT:
            yield each


def spilled(item: pytest.Item, report: pytest.TestReport) -> str:
    """Return where the secret shows after a test; "" if nowhere."""
    for name, text in report.sections:
        if SECRET in text:
            return name
    if SECRET in str(report.longrepr or ""):
        return "traceback"
    folder: Any = getattr(item, "funcargs", {}).get("tmp_path")
    if report.when == "call" and folder is not None and folder.exists():
        for path in searched(folder):
            if path.stat().st_size <= BYTES_MAX and SECRET.encode() in path.read_bytes():
                return str(path)
    return ""


def set_environment() -> None:
    """Let everything that looks for keys find the canary."""
    os.environ["APCA_API_KEY_ID"] = KEY
    os.environ["APCA_API_SECRET_KEY"] = SECRET


def judge(item: pytest.Item, report: pytest.TestReport) -> None:
    """Fail a test that has let the secret out."""
    place = spilled(item, report)
    if place:
        report.outcome = "failed"
        report.longrepr = f"the canary secret shows in: {place}"
        report.sections = [(name, text.replace(SECRET, "***")) for name, text in report.sections]
