"""Faults judged together: how they are put behind switches, and what a session says of them."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
import weakref
from dataclasses import asdict
from pathlib import Path

import pytest

from scripts.fault_session import Workers, extent_of, inside_function, patch
from scripts.faults import Fault
from scripts.switches import statements_of, switched

ROOT = Path(__file__).resolve().parent.parent
FUNCTION = 'def f(a):\n    """Text."""\n'


def fault(text: str, line: int, before: str, after: str, path: str = "m.pyx") -> Fault:
    found = text.split("\n")[line - 1]
    assert before in found
    return Fault(path, line, "made", found, found.replace(before, after))


# A statement, what changes in it, and what is written for it.
FORMS = {
    "a statement becomes a chain": (
        "    x = a + 1",
        [("+", "-"), ("1", "2")],
        [
            "    if _switch(0):",
            "        x = a - 1",
            "    elif _switch(1):",
            "        x = a + 2",
            "    else:",
            "        x = a + 1",
        ],
    ),
    "a condition becomes an expression": (
        "    elif a < 1:  # why",
        [("<", "<=")],
        ["    elif ((a <= 1) if _switch(0) else (a < 1)):"],
    ),
    "a declaration keeps its type": (
        "    cdef int x = a + 1",
        [("+", "-")],
        ["    cdef int x = ((a - 1) if _switch(0) else (a + 1))"],
    ),
}


@pytest.mark.parametrize("name", FORMS)
def test_a_fault_is_put_behind_a_switch(name: str) -> None:
    statement, changes, expected = FORMS[name]
    text = FUNCTION + statement
    made = switched(text, {n: fault(text, 3, *change) for n, change in enumerate(changes)})
    assert made.text.split("\n")[2 : 2 + len(expected)] == expected
    assert made.placed == set(range(len(changes)))
    assert all(made.concerned[line] == made.placed for line in range(3, 3 + len(expected)))
    assert made.concerned[2] == set()


@pytest.mark.parametrize("line", ["    for i in range(1):", "    cdef int x[3]", "    with f(1):"])
def test_what_has_no_such_form_is_left_as_it_stands(line: str) -> None:
    text = FUNCTION + line + "\n        g(a)"
    number = "1" if "1" in line else "3"
    made = switched(text, {0: fault(text, 3, number, "2")})
    assert (made.text, made.placed) == (text, set())


def test_a_statement_of_several_lines_is_one() -> None:
    text = "x = 1\n\ndef f(\n    a,\n):\n    return g(\n        a,\n        1,\n    )\ny = 2"
    (only,) = statements_of(text)
    assert (only.first, only.last) == (6, 9)
    made = switched(text, {7: fault(text, 8, "1", "2")})
    assert made.placed == {7}
    assert "    if _switch(7):\n        return g(\n            a,\n            2," in made.text


def test_the_head_of_a_block_is_no_part_of_what_stands_in_it() -> None:
    text = "def f(a):\n    if (\n        a\n    ):\n        return 1\n    return (\n        2)\n"
    assert [extent_of(text, line) for line in (2, 3, 5, 7)] == [(2, 4), (2, 4), (5, 5), (6, 7)]
    assert [inside_function(text + "x = 1", line) for line in (1, 2, 7, 8)] == [
        False,
        True,
        True,
        False,
    ]


SOURCE = """\
LIMIT = 3

def allowed(count):
    return count < LIMIT

def slow(count):
    while count > 0:
        count -= 1
    return count

def unread(count):
    return count + 1

def shared():
    return [1, 2]
"""
TESTS = """\
import m

def test_two_are_allowed():
    assert m.allowed(2)

def test_three_are_not():
    assert not m.allowed(3)

def test_it_ends():
    assert m.slow(2) == 0

def test_it_fails_by_itself():
    assert m.allowed(4)

KEPT = []

def test_something_is_shared():
    KEPT[:] = KEPT or m.shared()
    assert KEPT[0] == 1

def test_two_are_shared():
    KEPT[:] = KEPT or m.shared()
    assert len(KEPT) == 2 and KEPT[1] == 2
"""
FAULTS = [
    (4, "<", "<=", "caught", "test_m.py::test_three_are_not"),
    (4, "count < LIMIT", "LIMIT > count", "survived", ""),
    (7, "> 0", "> 1", "caught", "test_m.py::test_it_ends"),
    (12, "+", "-", "survived", "no test comes by it"),
    (15, "2", "3", "caught", "test_m.py::test_two_are_shared"),
]


def test_a_function_takes_the_code_of_its_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("m.py").write_text(SOURCE)
    spec = importlib.util.spec_from_file_location("faulty", tmp_path / "m.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert not module.allowed(3)
    gone = weakref.proxy(Fault("m.py", 1, "made", "", ""))
    assert type(gone) is weakref.ProxyType, "one whose object is gone already stands in the way"
    assert patch(fault(SOURCE, 4, "<", "<=", "m.py"))
    assert module.allowed(3)
    assert not patch(fault(SOURCE, 1, "3", "4", "m.py")), "what runs at import has run"
    assert not patch(fault(SOURCE, 12, "count + 1", "count +", "m.py")), "no Python any more"


def test_a_session_says_what_became_of_each_fault(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text(SOURCE)
    (tmp_path / "test_m.py").write_text(TESTS)
    rows = [
        {"number": n, "fault": asdict(fault(SOURCE, *row[:3], "m.py")), "switch": None}
        for n, row in enumerate(FAULTS)
    ]
    task, outcomes = tmp_path / "task.json", tmp_path / "outcomes.jsonl"
    task.write_text(json.dumps({"workers": 2, "faults": rows}))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-s", "-p", "scripts.fault_session",
         "-p", "no:cacheprovider", "-p", "no:xdist", "test_m.py"],
        cwd=tmp_path, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYRT_FAULTS": str(task),
             "PYRT_OUTCOMES": str(outcomes)},
    )  # fmt: skip
    assert done.returncode in (0, 5), done.stdout + done.stderr
    said = [json.loads(line) for line in outcomes.read_text().splitlines()]
    assert said[0] == {"tests": 5, "failed": ["test_m.py::test_it_fails_by_itself"]}
    told = {row["number"]: (row["outcome"], row["by"]) for row in said[1:]}
    assert told == {n: row[3:] for n, row in enumerate(FAULTS)}


def test_a_child_that_raises_has_noticed_nothing_and_one_that_dies_has() -> None:
    told: dict[int, tuple[str, str]] = {}
    workers = Workers(1, lambda number, *outcome: told.update({number: outcome}))
    workers.start(1, lambda tell: 1 // 0, 60.0)
    workers.start(2, lambda tell: os.kill(os.getpid(), signal.SIGKILL), 60.0)
    workers.start(3, lambda tell: tell(b"test_m.py::test_it"), 60.0)
    workers.finish()
    assert told == {
        1: ("alone", "it could not be turned on"),
        2: ("caught", "the process died"),
        3: ("caught", "test_m.py::test_it"),
    }
