"""Where recorded market data lie, which are not part of this repository."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

RECORDED = Path(
    os.environ.get("PYRT_SHARED_DATA", Path(__file__).resolve().parents[2] / "shared" / "data")
)


def recorded(name: str) -> Path:
    """Return a file of the recorded data, or skip the test."""
    path = RECORDED / name
    if not path.is_file():
        pytest.skip(f"no recorded data at {path}: set PYRT_SHARED_DATA")
    return path
