"""Print what building and testing this tree needs, one requirement a line, from pyproject.toml.

They are installed apart from the package: it is linked without build isolation, and packages that
come as sources only are to be built with it.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

PROJECT = tomllib.loads((Path(__file__).resolve().parent.parent / "pyproject.toml").read_text())
EXTRAS: dict[str, list[str]] = PROJECT["project"]["optional-dependencies"]


def expanded(requirements: list[str]) -> Iterator[str]:
    """Yield requirements with those on the project's own extras replaced by what these hold."""
    for requirement in requirements:
        own = re.fullmatch(r"pyrt\[(.+)\]", requirement)
        if own is None:
            yield requirement
            continue
        for extra in own[1].split(","):
            yield from expanded(EXTRAS[extra])


for line in (
    *PROJECT["build-system"]["requires"],
    *PROJECT["project"]["dependencies"],
    *expanded(EXTRAS["dev"]),
):
    print(line)
