"""What the source may not do: run what it has read, skip bounds checks, reach past the gate."""

from __future__ import annotations

import ast
import pickle
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from pyrt import Strategy
from pyrt.errors import JournalError, PyrtError
from pyrt.live.journal import records as r
from pyrt.live.journal.files import RealFiles
from pyrt.live.journal.journal import Journal
from pyrt.testing.files import MemoryFiles
from tests.live.test_recovery import PRICES
from tests.live.whole import Node, World

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "pyrt").rglob("*.py"))
COMPILED = sorted((ROOT / "pyrt").rglob("*.pyx"))
RUNNERS = frozenset({"eval", "exec", "compile", "__import__"})
LOADERS = frozenset({"pickle", "cPickle", "dill", "cloudpickle", "marshal", "shelve", "yaml"})


def calls_of(tree: ast.AST) -> set[str]:
    """Return names of built-in functions that are called, and of modules that are imported."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            found.add(node.func.id)
        elif isinstance(node, ast.Import):
            found.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
        elif isinstance(node, ast.Attribute) and node.attr in ("read_pickle", "load_module"):
            found.add("pickle")
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_read_bytes_are_ever_run_or_unpickled(path):
    found = calls_of(ast.parse(path.read_text("utf-8")))
    assert not found & (RUNNERS | LOADERS)


def test_no_compiled_module_unpickles_or_evaluates_what_it_reads():
    loads = rf"^\s*(?:import|from|cimport) (?:{'|'.join(LOADERS)})\b"
    forbidden = re.compile(rf"{loads}|\beval\(|\bexec\(", re.MULTILINE)
    for path in COMPILED:
        assert not forbidden.search(path.read_text("utf-8")), path
    # NumPy's own loader unpickles only where it is told to.
    allowed = [p for p in (*SOURCES, *COMPILED) if "allow_pickle=True" in p.read_text("utf-8")]
    assert allowed == []


def test_a_malicious_pickle_in_a_journals_place_is_put_aside_and_runs_nothing(tmp_path):
    mark = tmp_path / "ran"

    class Evil:
        def __reduce__(self):
            return (mark.write_text, ("ran",))

    folder = tmp_path / "state"
    folder.mkdir(mode=0o700)
    evil = pickle.dumps([Evil(), b"x" * 5_000])
    (folder / "main-00000001.log").write_bytes(evil)
    journal = Journal(RealFiles(folder))
    assert journal.torn is not None
    assert journal.state.is_empty
    assert not mark.exists()
    # Before a sound segment it is damage, and the node does not start.
    sound = tmp_path / "sound"
    one = Journal(RealFiles(sound))
    one.record(r.RunStop(ts=1, reason="x"))
    one.commit()
    one.close()
    name = next(n for n in RealFiles(sound).names() if n.startswith("main"))
    (sound / name).rename(sound / "main-00000002.log")
    (sound / "main-00000001.log").write_bytes(evil)
    with pytest.raises(JournalError, match="damaged"):
        Journal(RealFiles(sound))
    assert not mark.exists()


def test_direct_dependencies_at_run_time_are_ten_at_most():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    names = [re.match(r"[A-Za-z0-9_.-]+", line).group() for line in project["dependencies"]]
    assert 0 < len(names) <= 10
    assert len(names) == len(set(names))


def test_trading_itself_imports_none_of_the_optional_packages():
    code = (
        "import sys, pyrt; from pyrt.adapters.alpaca.node import live; "
        "print([m for m in ('starlette', 'uvicorn', 'zmq', 'plotly', 'prometheus_client') "
        "if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("path", COMPILED, ids=lambda path: str(path.relative_to(ROOT)))
def test_bounds_checks_stay_on_in_what_decodes_and_journals(path):
    text = path.read_text("utf-8")
    if "live" in path.parts or "adapters" in path.parts:
        assert "boundscheck(False)" not in text
        assert "wraparound(False)" not in text


def test_every_build_that_trades_keeps_bounds_checks():
    setup = (ROOT / "setup.py").read_text("utf-8")
    assert not re.search(r"[\"']boundscheck[\"']\s*:\s*False", setup)


class Reaches(Strategy):
    """Tries what a strategy has no business with."""

    def on_start(self):
        self.subscribe_bars("SPY", "1m")


def test_a_strategy_reaches_neither_client_nor_journal_nor_gate():
    node = Node(World([PRICES]), MemoryFiles(), [Reaches()], run_id="one")
    node.start()
    strategy = node.kernel.strategies[0]
    forbidden = (node.client, node.journal, node.driver, node.driver.gate, node.kernel)
    seen: set[int] = set()
    names = [name for name in dir(strategy) if not name.startswith("__")]
    for name in names:
        try:
            value = getattr(strategy, name)
        except (AttributeError, PyrtError):
            continue
        seen.add(id(value))
        assert not any(value is thing for thing in forbidden), name
    assert len(seen) > 10


def test_a_strategy_changes_no_limit_by_accident():
    node = Node(World([PRICES]), MemoryFiles(), [Reaches()], run_id="one")
    node.start()
    strategy = node.kernel.strategies[0]
    assert not hasattr(strategy, "set_limits")
    assert not hasattr(strategy, "limits") or callable(strategy.limits) is False
    limits = node.driver.gate.limits
    if limits is not None:
        with pytest.raises((AttributeError, TypeError)):
            limits.max_order_quantity = 1e9


def test_no_source_holds_characters_that_read_otherwise_than_they_run():
    hidden = re.compile("[\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
    for path in (*SOURCES, *COMPILED, *sorted((ROOT / "tests").rglob("*.py"))):
        assert not hidden.search(path.read_text("utf-8")), path


def test_secrets_are_looked_for_before_each_commit():
    hooks = (ROOT / ".pre-commit-config.yaml").read_text("utf-8")
    assert "id: gitleaks" in hooks
