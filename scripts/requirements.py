"""Print what a build of this tree needs, one requirement a line, as pyproject.toml names it."""

from __future__ import annotations

import tomllib
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"

for requirement in tomllib.loads(PROJECT.read_text("utf-8"))["build-system"]["requires"]:
    print(requirement)
