"""Make mechanical faults in sources, one at a time, and see whether the tests notice.

A site is a line of code; the seed draws lines over all the modules given, then one fault of those
the line admits: a comparison, a sign, a number off by one, a dropped statement, two arguments
swapped, a truth turned round. Each fault is made in a copy of the tree, where the one module is
built again and its tests are run until the first that fails. Survivors are listed; the exit code
is 1 when too many survive.

    python scripts/mutate.py --count 100 --seed 7
    python scripts/mutate.py --count 5 --seed "$(git rev-parse HEAD)"
    python scripts/mutate.py --count 18 --skip 82 --json outcome.json
    python scripts/mutate.py --again outcome.json
    python scripts/mutate.py --set live --count 100
    python scripts/mutate.py --modules pyrt/live/journal --tests tests/live/journal
"""

from __future__ import annotations

import argparse
import io
import json
import os
import random
import re
import shutil
import subprocess
import sys
import time
import tokenize
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
COPY = ROOT / "build" / "mutants"
# What is mutated: sources, and the tests that are to notice, quickest first.
BOOKS = [
    "tests/scenarios/test_accounts_and_sizes.py",
    "tests/scenarios/test_corporate_actions.py",
    "tests/scenarios/test_costs.py",
    "tests/venues/alpaca/test_funds.py",
    "tests/property/test_margin_twin.py",
    "tests/property/test_ledger.py",
]
ACCOUNTS = [
    "tests/core/test_margin.py",
    "tests/core/test_accounts.py",
    "tests/backtest/test_account.py",
    *BOOKS,
]
RISK = {
    "pyrt/risk/*.py*": ["tests/risk", "tests/execution", "tests/property/test_exits_only_leave.py"],
    "pyrt/core/orders.pyx": [
        "tests/core/test_orders.py",
        "tests/core/test_serialization.py",
        "tests/risk",
        "tests/kernel",
        "tests/execution",
    ],
    "pyrt/core/positions.pyx": ["tests/core/test_positions.py", *BOOKS],
    "pyrt/core/account*.py*": ACCOUNTS,
    "pyrt/core/margin.pyx": ACCOUNTS,
    "pyrt/core/ledger.pyx": ["tests/backtest/test_account.py", *BOOKS],
    "pyrt/execution/booking.pyx": [
        "tests/live/test_fees.py",
        "tests/backtest/test_account.py",
        *BOOKS,
        "tests/property",
        "tests/execution/test_emulation.py",
    ],
    "pyrt/backtest/means.pyx": [
        "tests/backtest/test_account.py",
        "tests/core/test_accounts.py",
        *BOOKS,
    ],
}
SIMULATION = ["tests/simulation/test_half_one.py", "tests/simulation/test_half_two.py"]
PROCESSES = ("test_eyes", "test_kills", "test_programs", "test_wall")
"""Tests of the node that start programs, and look at files that a copy for a fault has not."""
OTHERS = [
    f"tests/live/{path.name}"
    for path in sorted((ROOT / "tests" / "live").glob("test_*.py"))
    if path.stem not in PROCESSES
]
NODE_TESTS = [
    "tests/live/test_repeats.py",
    *SIMULATION,
    "tests/live/test_cash.py",
    "tests/live/test_recovery.py",
    "tests/live/test_fees.py",
    *OTHERS,
]
CLIENT_TESTS = ["tests/adapters/client/test_order_path.py", *NODE_TESTS, "tests/adapters/client"]
NODE = (
    "driver/recovery.py", "driver/gateway.py", "driver/departure.py", "driver/scribe.py",
    "core/fees.py", "core/restore.pyx",
)  # fmt: skip
CLIENT = (
    "adoption", "client", "ledger", "order_path", "pacing", "rest", "snapshot", "streams",
    "trade_updates", "market_data",
)  # fmt: skip
LIVE = {
    "pyrt/core/orders.pyx": RISK["pyrt/core/orders.pyx"],
    "pyrt/live/driver/reconcil*.py": [
        "tests/live/test_reconcile.py",
        "tests/live/test_adjusting.py",
        *NODE_TESTS,
    ],
    "pyrt/live/journal/*.py": [
        "tests/live/journal",
        "tests/live/test_surroundings.py",
        "tests/security/test_consent.py",
        "tests/security/test_files.py",
        *NODE_TESTS,
    ],
    **{f"pyrt/live/{name}": NODE_TESTS for name in NODE},
    **{f"pyrt/adapters/alpaca/core/{name}.py": CLIENT_TESTS for name in CLIENT},
}
SETS = {"risk": RISK, "live": LIVE}
SCHEDULES = "100"
"""Whole-node schedules that may notice a fault."""
SUFFIXES = (".py", ".pyx")
TURNED = {
    "<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==", "+": "-", "-": "+",
    "+=": "-=", "-=": "+=", "and": "or", "or": "and", "True": "False", "False": "True",
    "min": "max", "max": "min", "i128_add": "i128_sub", "i128_sub": "i128_add",
    "AWAY_FROM_ZERO": "TOWARD_ZERO", "TOWARD_ZERO": "AWAY_FROM_ZERO",
    "FLOOR": "CEILING", "CEILING": "FLOOR",
}  # fmt: skip
KINDS = {
    **dict.fromkeys(("<", "<=", ">", ">=", "==", "!="), "comparison"),
    **dict.fromkeys(("+", "-", "+=", "-=", "i128_add", "i128_sub"), "sign"),
    **dict.fromkeys(("and", "or", "True", "False"), "truth"),
}
STATEMENT = re.compile(
    r"\s+(?:[\w.\[\]]+(?:, [\w.\[\]]+)*\s*[-+*/|&]?=(?!=)\s*\S|[\w.]+\(|raise |return \S)"
)
DECLARATION = re.compile(
    r"\s*(?:cdef|cpdef|def|class|ctypedef|import|from|cimport|@|global|async)\b|\s*@"
)
# Order does not matter to these, and what a function without a result returns matters to nobody.
SYMMETRIC = re.compile(r"\b(?:i128_muldiv|i128_add|i128_mul|min|max|larger|isinstance)$")
NO_RESULT = re.compile(r"\s*return 0\s*$|\s*raise MemoryError$")
CALL = re.compile(r"(\w)\(([^(),]+), ([^(),=]+)([,)])")


@dataclass(frozen=True)
class Fault:
    """One fault: the line, what kind, and the line as it becomes."""

    path: str
    line: int
    kind: str
    before: str
    after: str

    def __str__(self) -> str:
        return (
            f"{self.path}:{self.line} {self.kind}: {self.before.strip()}  ->  {self.after.strip()}"
        )


def lines_of_code(text: str) -> Iterator[tuple[int, str]]:
    """Yield numbered lines, texts and comments blanked out; docstrings yield nothing."""
    blank = re.compile(r'"""(?:.|\n)*?"""|f?"(?:\\.|[^"\\\n])*"|f?\'(?:\\.|[^\'\\\n])*\'|#[^\n]*')
    bare = blank.sub(lambda found: re.sub(r"[^\n]", "\0", found[0]), text)
    for number, line in enumerate(bare.split("\n"), 1):
        if line.strip(" \0"):
            yield number, line


def tokens_of(line: str) -> list[tuple[str, int]]:
    """Return the words and operators of a line with their columns; none where it does not parse."""
    found = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(line.replace("\0", "0")).readline):
            found.append((token.string, token.start[1]))
    except (tokenize.TokenError, IndentationError, SyntaxError):
        pass
    return found


def faults_of(path: str, text: str) -> dict[int, list[Fault]]:
    """Return the faults that each line of a source admits."""
    source = text.split("\n")
    found: dict[int, list[Fault]] = {}
    for number, bare in lines_of_code(text):
        line = source[number - 1]
        if NO_RESULT.match(bare) or (DECLARATION.match(bare) and "=" not in bare.replace("==", "")):
            continue
        if re.match(r"\s*(?:cpdef|def|class|import|from|@)\b", bare) or "except" in bare:
            continue
        if re.match(r"\s*cdef .*\)( except.*| noexcept)?:?\s*$", bare) and "=" not in bare:
            continue
        made = [*_turned(line, bare), *_numbers(line, bare), *_dropped(line, bare)]
        made += _swapped(line, bare)
        faults = [Fault(path, number, kind, line, new) for kind, new in made if new != line]
        if faults:
            found[number] = faults
    return found


def _turned(line: str, bare: str) -> Iterator[tuple[str, str]]:
    shift = len(bare) - len(bare.lstrip())
    for word, column in tokens_of(bare.lstrip()):
        column += shift
        if word not in TURNED or bare[column : column + len(word)] != word:
            continue
        if word in "<>" and re.search(r"<[\w* ]+>", bare):
            continue  # a cast
        if word in "+-" and not re.search(r"[\w)\]]\s*$", bare[:column]):
            continue  # a sign, not a sum
        yield KINDS.get(word, "function"), line[:column] + TURNED[word] + line[column + len(word) :]
    for found in re.finditer(r"\bnot (?!in\b|None\b)|(?<=[=(,] )-(?=\w)", bare):
        if bare[: found.start()].rstrip().endswith("is"):
            continue
        yield "truth" if found[0] != "-" else "sign", line[: found.start()] + line[found.end() :]


def _numbers(line: str, bare: str) -> Iterator[tuple[str, str]]:
    for found in re.finditer(r"(?<![\w.\"'])\d[\d_]*(?![\w.])", bare):
        number = int(found[0].replace("_", ""))
        yield "constant", line[: found.start()] + str(number + 1) + line[found.end() :]


def _dropped(line: str, bare: str) -> Iterator[tuple[str, str]]:
    """A statement on one line becomes nothing."""
    opened = sum(bare.count(c) for c in "([{") - sum(bare.count(c) for c in ")]}")
    if opened or bare.rstrip().endswith((":", ",", "(", "\\")) or bare.lstrip().startswith("cdef"):
        return
    if STATEMENT.match(bare) and re.match(r"\s", bare):
        indent = line[: len(line) - len(line.lstrip())]
        yield "dropped", f"{indent}pass"


def _swapped(line: str, bare: str) -> Iterator[tuple[str, str]]:
    for found in CALL.finditer(bare):
        name = re.split(r"[^\w]", bare[: found.start() + 1])[-1]
        if SYMMETRIC.search(name) or "\0" in found[0] or found[2].strip() == found[3].strip():
            continue
        text = f"{found[1]}({found[3]}, {found[2]}{found[4]}"
        yield "swapped", line[: found.start()] + text + line[found.end() :]


# -- the tree --------------------------------------------------------------------------------------


def sources(patterns: list[str]) -> list[Path]:
    """Return the sources that patterns (files, folders or globs) name."""
    found: dict[Path, None] = {}
    for pattern in patterns:
        path = ROOT / pattern
        matches = sorted(path.rglob("*")) if path.is_dir() else sorted(ROOT.glob(pattern))
        found.update(dict.fromkeys(p for p in matches if p.suffix in SUFFIXES))
    return [path for path in found if path.name != "__init__.py"]


def draw(paths: list[Path], seed: str) -> Iterator[Fault]:
    """Yield faults without end: a line drawn over all lines, then a fault of it, none twice."""
    lines: list[list[Fault]] = []
    for path in paths:
        name = str(path.relative_to(ROOT))
        lines += faults_of(name, path.read_text("utf-8")).values()
    chance = random.Random(seed)
    chance.shuffle(lines)
    while lines:
        for faults in lines:
            yield faults.pop(chance.randrange(len(faults)))
        lines = [faults for faults in lines if faults]


def again(rows: list[dict[str, Any]]) -> Iterator[Fault]:
    """Yield the faults of an earlier outcome that survived, where their lines stand by now."""
    for row in rows:
        if row["outcome"] != "survived":
            continue
        lines = (ROOT / row["path"]).read_text("utf-8").split("\n")
        same = [number for number, line in enumerate(lines, 1) if line == row["before"]]
        if not same:
            print(f"gone: {row['path']}:{row['line']} {row['before'].strip()}", flush=True)
            continue
        nearest = min(same, key=lambda number: abs(number - row["line"]))
        yield Fault(row["path"], nearest, row["kind"], row["before"], row["after"])


def make_copy() -> None:
    """Copy sources, built modules and tests to where faults are made.

    What an earlier run has translated there goes: it may be of other declarations, and younger
    than they are.
    """
    shutil.rmtree(COPY / "build", ignore_errors=True)
    left_out = shutil.ignore_patterns("__pycache__", "*.c", ".hypothesis")
    for name in ("pyrt", "tests", "examples", "docs", "benchmarks", "scripts"):
        shutil.rmtree(COPY / name, ignore_errors=True)
        shutil.copytree(ROOT / name, COPY / name, ignore=left_out)
    for path in ROOT.iterdir():
        if path.is_file():
            shutil.copy2(path, COPY / path.name)


def build(path: str) -> bool:
    """Build the module of one source in the copy; whether that worked."""
    if path.endswith(".py"):
        # What is no Python any more is noticed by whoever imports it: that proves no test.
        try:
            compile((COPY / path).read_text("utf-8"), path, "exec")
        except SyntaxError:
            return False
        return True
    stem = path.removesuffix(".pyx")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "setup.py", "-q", "build_ext", "--inplace",
         "--build-temp", "build/temp-checked"],
        cwd=COPY, env=environment(PYRT_ONLY=f"{stem}.pyx", PYRT_BUILD="checked", PYRT_JOBS="1"),
        capture_output=True,
    )  # fmt: skip
    return done.returncode == 0


def environment(**more: str) -> dict[str, str]:
    fixed = {"PYTHONPATH": str(COPY), "PYTHONDONTWRITEBYTECODE": "1", "PYRT_SCHEDULES": SCHEDULES}
    return {**os.environ, **fixed, **more}


def run_tests(tests: list[str], timeout_s: float) -> tuple[str, str]:
    """Return ("survived" or "caught", by what)."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-n", "0", "-p", "no:cacheprovider"]
    try:
        done = subprocess.run(
            [*command, *tests], cwd=COPY, env=environment(), capture_output=True, text=True,
            timeout=timeout_s,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return "caught", "time ran out"
    if done.returncode == 0:
        return "survived", ""
    failed = re.search(r"^(?:FAILED|ERROR) (\S+)", done.stdout, re.M)
    return "caught", failed[1] if failed else f"pytest ended with {done.returncode}"


def tests_for(path: str, options: argparse.Namespace) -> list[str]:
    """Return the tests that are to notice a fault in a source."""
    if options.tests:
        return list(options.tests)
    for pattern, tests in SETS[options.set].items():
        if Path(path).match(pattern):
            return tests
    raise SystemExit(f"no tests are named for {path}: pass --tests")


def judge(fault: Fault, tests: list[str], timeout_s: float) -> tuple[str, str]:
    """Make a fault, build, test, and undo it; ("unbuilt", "") where it does not compile."""
    target = COPY / fault.path
    original = target.read_text("utf-8")
    modules = built_modules(fault.path)
    lines = original.split("\n")
    lines[fault.line - 1] = fault.after
    target.write_text("\n".join(lines), "utf-8")
    try:
        return run_tests(tests, timeout_s) if build(fault.path) else ("unbuilt", "")
    finally:
        target.write_text(original, "utf-8")
        for built, content in modules.items():
            built.unlink(missing_ok=True)
            built.write_bytes(content)


def built_modules(path: str) -> dict[Path, bytes]:
    """Return what is built of a source in the copy, to put it back later."""
    found = (COPY / path).parent.glob(f"{Path(path).stem}.*.so")
    return {built: built.read_bytes() for built in found}


def main() -> int:
    """Draw faults, judge them, say what survived."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--set", choices=list(SETS), default="risk", help="which modules")
    parser.add_argument("--modules", nargs="+", help="files, folders, globs instead of a set")
    parser.add_argument("--tests", nargs="+", help="tests for all of them")
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", default="0")
    parser.add_argument("--skip", type=int, default=0, help="how many drawn faults to pass over")
    parser.add_argument("--again", type=Path, help="judge the survivors of such an outcome instead")
    parser.add_argument("--least", type=float, default=0.95, help="share that has to be caught")
    parser.add_argument("--timeout", type=float, default=600.0, help="seconds for a fault's tests")
    parser.add_argument("--json", type=Path, help="where to write the outcome")
    parser.add_argument("--list", action="store_true", help="only show the faults drawn")
    options = parser.parse_args()
    if options.again:
        faults = again(json.loads(options.again.read_text("utf-8")))
    else:
        paths = sources(options.modules or list(SETS[options.set]))
        faults = islice(draw(paths, options.seed), options.skip, None)
    if options.list:
        for _, fault in zip(range(options.count), faults):
            print(fault)
        return 0
    make_copy()
    return report(list(run(faults, options)), options)


def run(faults: Iterator[Fault], options: argparse.Namespace) -> Iterator[dict[str, object]]:
    """Judge faults until enough of them could be built."""
    judged = 0
    sound: set[tuple[str, ...]] = set()
    for fault in faults:
        if judged == options.count:
            return
        began = time.monotonic()
        tests = tests_for(fault.path, options)
        if tuple(tests) not in sound:
            # A test that fails by itself would be taken for one that notices everything.
            outcome, by = run_tests(tests, options.timeout)
            if outcome != "survived":
                raise SystemExit(f"without any fault {by} fails in {COPY}")
            sound.add(tuple(tests))
        outcome, by = judge(fault, tests, options.timeout)
        if outcome == "unbuilt":
            continue
        judged += 1
        took = time.monotonic() - began
        print(f"{judged:4d} {outcome:8s} {took:5.1f} s  {fault}  {by}", flush=True)
        yield {**asdict(fault), "outcome": outcome, "by": by}


def report(rows: list[dict[str, object]], options: argparse.Namespace) -> int:
    """Print the share caught and every survivor; 1 if too many survived."""
    survivors = [row for row in rows if row["outcome"] == "survived"]
    share = 1 - len(survivors) / max(1, len(rows))
    print(f"\n{len(rows)} faults, {share:.1%} caught (seed {options.seed})")
    for row in survivors:
        print(
            f"survived: {row['path']}:{row['line']} {row['before']!s:.80}  ->  {row['after']!s:.80}"
        )
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n")
    return 0 if rows and share >= options.least else 1


if __name__ == "__main__":
    sys.exit(main())
