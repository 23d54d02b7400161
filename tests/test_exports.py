"""The face of the package: every exported name is there, and importing it stays light."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
HEAVY = ("pandas", "pyarrow", "httpx", "exchange_calendars", "websockets", "plotly", "click")


def modules_with_all() -> list[str]:
    """Return the dotted names of all modules that state what they export."""
    found = []
    for path in sorted((ROOT / "pyrt").rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        targets = [t for node in tree.body if isinstance(node, ast.Assign) for t in node.targets]
        if any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found.append(".".join(parts).removesuffix(".__init__"))
    return found


def loaded_by(statement: str) -> set[str]:
    """Return the modules in memory after a statement, in a process of its own."""
    code = f"import sys; {statement}; print('\\n'.join(sys.modules))"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize("name", modules_with_all())
def test_every_name_in_all_is_there(name: str) -> None:
    module = importlib.import_module(name)
    assert len(set(module.__all__)) == len(module.__all__)
    missing = [exported for exported in module.__all__ if not hasattr(module, exported)]
    assert missing == []


def test_the_facades_are_among_the_modules_checked() -> None:
    assert {"pyrt", "pyrt.indicators"} <= set(modules_with_all())


@pytest.mark.parametrize("heavy", HEAVY)
def test_import_pyrt_loads_nothing_heavy(heavy: str) -> None:
    assert heavy not in loaded_by("import pyrt")


@pytest.mark.parametrize("heavy", ["pandas", "pyarrow", "httpx", "exchange_calendars"])
def test_naming_a_strategy_loads_nothing_heavy(heavy: str) -> None:
    assert heavy not in loaded_by("from pyrt import Strategy; from pyrt.indicators import SMA")


def test_an_unknown_name_is_an_attribute_error_that_names_it() -> None:
    import pyrt

    with pytest.raises(AttributeError, match="no_such_thing"):
        _ = pyrt.no_such_thing
