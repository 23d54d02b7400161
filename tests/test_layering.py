"""Imports point one way: every import and cimport is held to the arrows of the architecture."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# One row per layer, lowest first. A package may use the layers below its own, never a sibling.
LAYERS = (
    ("errors",),
    ("core",),
    ("venues",),
    ("data", "indicators", "risk"),
    ("execution", "strategy"),
    ("kernel",),
    ("backtest", "live"),
    ("adapters", "analysis", "links"),
    ("strategies", "testing", "cli"),
)
HEIGHT = {name: height for height, layer in enumerate(LAYERS) for name in layer}
# The facade joins all pieces, and is used by nothing below the programs.
FACADE = {"pyrt", "facade"}
PROGRAMS = set(LAYERS[-1])

CIMPORT = re.compile(
    r"^\s*(?:from\s+([\w.]+)\s+c?import|c?import\s+([\w.]+(?:\s*,\s*[\w.]+)*))", re.M
)


def package_of(module: str) -> str:
    """Return the first part below pyrt, or "pyrt" for the package itself."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "pyrt"


def python_imports(path: Path) -> Iterator[str]:
    """Yield the absolute modules a Python file imports, those for type checkers left out."""
    tree = ast.parse(path.read_text("utf-8"))
    here = path.relative_to(ROOT).with_suffix("").parts[:-1]
    unseen: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            unseen.update(inner for statement in node.body for inner in ast.walk(statement))
    for node in ast.walk(tree):
        if node in unseen:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = here[: len(here) - node.level + 1] if node.level else ()
            module = ".".join([*base, *([node.module] if node.module else [])])
            # The version is a fact about the package, not a piece of the facade.
            if (module, [alias.name for alias in node.names]) != ("pyrt", ["__version__"]):
                yield module
            if module == "pyrt":
                yield from (f"pyrt.{alias.name}" for alias in node.names if alias.name in HEIGHT)


def cython_imports(path: Path) -> Iterator[str]:
    """Yield the modules a Cython file imports or cimports."""
    for source, plain in CIMPORT.findall(path.read_text("utf-8")):
        yield from [source] if source else [name.strip() for name in plain.split(",")]


def uses(path: Path) -> set[str]:
    """Return the packages of pyrt that a file uses."""
    read = python_imports if path.suffix == ".py" else cython_imports
    return {package_of(name) for name in read(path) if name.split(".")[0] == "pyrt"}


def verdict(user: str, used: str) -> str:
    """Return what is wrong when a file of `user` imports from `used`; "" if nothing is."""
    if user in FACADE or user == used:
        return ""
    if used in FACADE:
        return "" if user in PROGRAMS else f"{user} may not use the facade"
    if user not in HEIGHT or used not in HEIGHT:
        return f"{user} -> {used}: not in the architecture's layers"
    if HEIGHT[used] == HEIGHT[user]:
        # Programs are built of ready strategies and test tools; the others are siblings.
        return "" if user in PROGRAMS else f"{user} may not use its sibling {used}"
    return "" if HEIGHT[used] < HEIGHT[user] else f"{user} may not look up to {used}"


SOURCES = sorted(
    path
    for path in (ROOT / "pyrt").rglob("*")
    if path.suffix in (".py", ".pyx", ".pxd") and "__pycache__" not in path.parts
)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_one_way(path: Path) -> None:
    module = path.relative_to(ROOT).with_suffix("").parts
    user = module[1] if len(module) > 2 else {"__init__": "pyrt"}.get(module[1], module[1])
    assert [found for used in sorted(uses(path)) if (found := verdict(user, used))] == []


@pytest.mark.parametrize(
    ("user", "used", "allowed"),
    [
        ("core", "errors", True),
        ("core", "data", False),
        ("data", "indicators", False),
        ("kernel", "strategy", True),
        ("backtest", "live", False),
        ("live", "backtest", False),
        ("backtest", "kernel", True),
        ("kernel", "backtest", False),
        ("analysis", "facade", False),
        ("cli", "facade", True),
    ],
)
def test_the_rule_knows_up_from_down(user: str, used: str, allowed: bool) -> None:
    assert (verdict(user, used) == "") == allowed


def test_imports_are_read_from_every_form(tmp_path: Path) -> None:
    path = tmp_path / "sample.pyx"
    path.write_text(
        "cimport cython\nfrom pyrt.core.bus cimport Channel\n"
        "from pyrt.data.bars import (\n    X,\n)\n"
        "    import pyrt.live.node\nimport numpy, pyrt.risk.gate\n"
    )
    assert uses(path) == {"core", "data", "live", "risk"}
