"""Run the Python blocks of a Markdown file, as a reader who pastes them in order would.

Blocks of one file share their names. They run in a folder that holds the files the documents speak
of, with recorded-looking bars and quotes; `python tests/documents.py README.md` does it by hand.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from pathlib import Path
from textwrap import dedent
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

import pyrt

FENCE = re.compile(r"^( *)```(\w+)[^\n]*\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
FIRST_NS = 1_704_205_800_000_000_000  # 2024-01-02 09:30 New York
MINUTE_NS = 60_000_000_000
ROWS = 2_000


class Block(NamedTuple):
    """A fenced block and the line its code begins at."""

    language: str
    code: str
    line: int


def blocks(path: Path, language: str) -> list[Block]:
    """Return the blocks of one language, in the order of the file."""
    text = path.read_text("utf-8")
    return [
        Block(found[2], dedent(found[3]), text.count("\n", 0, found.start(3)) + 1)
        for found in FENCE.finditer(text)
        if found[2] == language
    ]


def scene(folder: Path) -> dict[str, Any]:
    """Write the files that documents name into `folder`; return the values they take as given."""
    rng = np.random.default_rng(7)
    close = 47_000 + np.cumsum(rng.integers(-9, 10, ROWS))
    first = np.roll(close, 1)
    first[0] = close[0]
    stamps = FIRST_NS + MINUTE_NS * np.arange(ROWS)
    bars = pd.DataFrame(
        {
            "ts_event": stamps,
            "ts_close": stamps + MINUTE_NS,
            "open": first / 100,
            "high": (np.maximum(first, close) + 3) / 100,
            "low": (np.minimum(first, close) - 3) / 100,
            "close": close / 100,
            "volume": rng.integers(1_000, 9_000, ROWS).astype(float),
        }
    )
    bars.to_parquet(folder / "spy_1m.parquet")
    bars.to_csv(folder / "spy_1m.csv", index=False)
    quotes = pd.DataFrame(
        {
            "ts_event": stamps,
            "bid_price": close / 100,
            "bid_size": 100.0,
            "ask_price": (close + 1) / 100,
            "ask_size": 200.0,
        }
    )
    quotes.to_parquet(folder / "quotes.parquet")
    frame = bars.set_index(pd.DatetimeIndex(stamps, tz="UTC")).drop(
        columns=["ts_event", "ts_close"]
    )
    return {
        "bars": bars,
        "data": frame,
        "quotes": quotes,
        "start_ns": FIRST_NS,
        "end_ns": FIRST_NS + 5 * 86_400_000_000_000,
    }


def run(path: Path, folder: Path, **given: Any) -> int:
    """Run a file's blocks inside `folder`, one after the other; return how many there were.

    The names of the package are there; `given` are further ones the file takes for granted.
    """
    public = {name: getattr(pyrt, name) for name in pyrt.__all__}
    names = public | scene(folder) | given | {"__name__": "__document__"}
    found = blocks(path, "python")
    before = Path.cwd()
    os.chdir(folder)
    try:
        for block in found:
            # Line numbers of a traceback are those of the document.
            code = compile("\n" * (block.line - 1) + block.code, str(path), "exec")
            exec(code, names)
    finally:
        os.chdir(before)
    return len(found)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        with tempfile.TemporaryDirectory() as place:
            print(f"{name}: {run(Path(name).resolve(), Path(place))} blocks ran")
