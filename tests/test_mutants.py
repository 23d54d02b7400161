"""The maker of faults: which it finds in a line, and that a seed always draws the same."""

from __future__ import annotations

import argparse
from itertools import islice
from pathlib import Path

import pytest

from scripts import faults, mutate

ROOT = Path(__file__).resolve().parent.parent


# A line inside a function, and what it may become.
LINES = [
    ("if a < b:", {"if a <= b:"}),
    ("if a >= 10:", {"if a > 10:", "if a >= 11:"}),
    ("x = a + b", {"x = a - b", "pass"}),
    ("x += 1", {"x -= 1", "x += 2", "pass"}),
    ("x = i128_add(a, b)", {"x = i128_sub(a, b)", "pass"}),
    ("self.f(a, b)", {"self.f(b, a)", "pass"}),
    ("return not a", {"return a", "pass"}),
    ("if a and b == c:", {"if a or b == c:", "if a and b != c:"}),
    ("x = -y", {"x = y", "pass"}),
    ("flag = True", {"flag = False", "pass"}),
    # Casts, texts, comments, declarations and results nobody reads are left alone.
    ("cdef int64_t x = <int64_t>y", set()),
    ('raise E("a < b")', {"pass"}),
    ("f(a)  # a < b", {"pass"}),
    ("cdef int f(self, int a, int b) except -1:", set()),
    ("return 0", set()),
    ("from a import b", set()),
    ("x = min(a, b)", {"x = max(a, b)", "pass"}),
]


@pytest.mark.parametrize(("line", "expected"), LINES)
def test_a_line_admits_these_faults(line: str, expected: set[str]) -> None:
    found = faults.faults_of("m.pyx", f'def f():\n    """a < b"""\n    {line}\n')
    assert {fault.after.strip() for fault in found.get(3, [])} == expected
    assert 2 not in found


def test_a_seed_draws_the_same_faults_and_none_twice() -> None:
    paths = faults.sources(["pyrt/risk/*.py*", "pyrt/core/accounts.pyx"])
    first = list(islice(faults.draw(paths, "a"), 200))
    assert first == list(islice(faults.draw(paths, "a"), 200))
    assert first != list(islice(faults.draw(paths, "b"), 200))
    assert len(set(first)) == 200
    assert {fault.kind for fault in first} >= {
        "comparison",
        "sign",
        "constant",
        "dropped",
        "swapped",
    }


@pytest.mark.parametrize("name", ["risk", "live"])
def test_every_module_of_a_set_has_tests(name: str) -> None:
    patterns = mutate.SETS[name]
    paths = faults.sources(list(patterns))
    assert len(paths) > 20
    assert all(faults.sources([pattern]) for pattern in patterns), "a pattern names nothing"
    options = argparse.Namespace(tests=None, set=name)
    for path in paths:
        for tests in mutate.tests_for(str(path.relative_to(ROOT)), options):
            assert (ROOT / tests).exists()


def test_survivors_are_judged_again_where_their_lines_stand_now() -> None:
    path = "pyrt/risk/windows.pyx"
    lines = (ROOT / path).read_text("utf-8").split("\n")
    place = next(i for i, line in enumerate(lines, 1) if "if allowed <= 0:" in line)
    row = {
        "path": path, "kind": "comparison", "before": lines[place - 1],
        "after": lines[place - 1].replace("<=", "<"), "outcome": "survived", "by": "",
    }  # fmt: skip
    rows = [
        {**row, "line": place + 40},
        {**row, "line": place, "outcome": "caught"},
        {**row, "line": place, "before": "no such line"},
    ]
    (found,) = faults.again(rows)
    assert (found.line, found.before) == (place, lines[place - 1])
