"""Make mechanical faults in sources, one at a time, and see whether the tests notice.

Which faults there are is said in `scripts/faults.py`. They are made in a copy of the tree. Most are
compiled into one build, each behind a switch, and judged in one session of pytest, which runs for
a fault the tests that come by it, until the first that fails. The others are built by themselves,
and judged by the tests named for their module. Survivors are listed; the exit code is 1 when too
many survive.

    python -m scripts.mutate --count 100 --seed 7
    python -m scripts.mutate --count 5 --seed "$(git rev-parse HEAD)"
    python -m scripts.mutate --count 18 --skip 82 --json outcome.json
    python -m scripts.mutate --again outcome.json
    python -m scripts.mutate --set live --count 100
    python -m scripts.mutate --modules pyrt/live/journal --tests tests/live/journal
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from itertools import islice
from pathlib import Path

from scripts.fault_session import inside_function
from scripts.faults import ROOT, Fault, again, draw, sources
from scripts.switches import Switched, switched

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
    "tests/core/test_account_power.py",
    "tests/core/test_account_books.py",
    "tests/core/test_account_rules.py",
    "tests/core/test_accounts.py",
    "tests/backtest/test_account.py",
    "tests/backtest/test_means.py",
    "tests/risk/test_buying_power.py",
    *BOOKS,
]
RISK = {
    "pyrt/risk/*.py*": ["tests/risk", "tests/execution", "tests/property/test_exits_only_leave.py"],
    "pyrt/core/hours.pyx": [
        "tests/risk/test_sessions.py",
        "tests/execution/test_kept_hours.py",
        "tests/risk",
        "tests/execution",
    ],
    "pyrt/core/orders.pyx": [
        "tests/core/test_orders.py",
        "tests/core/test_order_faces.py",
        "tests/core/test_serialization.py",
        "tests/risk",
        "tests/kernel",
        "tests/execution",
    ],
    "pyrt/core/positions.pyx": [
        "tests/core/test_positions.py",
        "tests/core/test_lots.py",
        *BOOKS,
    ],
    "pyrt/core/account*.py*": ACCOUNTS,
    "pyrt/core/margin.pyx": ACCOUNTS,
    "pyrt/core/ledger.pyx": [
        "tests/core/test_ledger.py",
        "tests/execution/test_booking.py",
        "tests/backtest/test_account.py",
        *BOOKS,
    ],
    "pyrt/execution/booking.pyx": [
        "tests/execution/test_booking.py",
        "tests/core/test_positions.py",
        "tests/live/test_fees.py",
        "tests/backtest/test_account.py",
        *BOOKS,
        "tests/property",
        "tests/execution/test_emulation.py",
    ],
    "pyrt/backtest/means.pyx": [
        "tests/backtest/test_means.py",
        "tests/backtest/test_account.py",
        "tests/core/test_accounts.py",
        *BOOKS,
    ],
}
EXECUTION = {
    "pyrt/core/hours.pyx": RISK["pyrt/core/hours.pyx"],
    "pyrt/core/splits.pyx": [
        "tests/execution/test_kept_splits.py",
        "tests/execution/test_worked_splits.py",
        "tests/scenarios/test_corporate_actions.py",
        "tests/execution",
        "tests/scenarios",
    ],
    "pyrt/execution/booking.pyx": RISK["pyrt/execution/booking.pyx"],
    "pyrt/execution/*.py*": [
        "tests/execution",
        "tests/kernel",
        "tests/risk",
        "tests/scenarios",
        "tests/strategy",
        "tests/live/test_emulate.py",
        "tests/live/test_pairs.py",
        "tests/live/test_restore.py",
        "tests/property/test_exits_only_leave.py",
    ],
}
SIMULATION = ["tests/simulation/test_half_one.py", "tests/simulation/test_half_two.py"]
PROCESSES = ("test_eyes", "test_kills", "test_programs")
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
MARKET_LOG = ["tests/live/test_market_log.py", "tests/live/test_recorder.py", *NODE_TESTS]
CLIENT_TESTS = ["tests/adapters/client/test_order_path.py", *NODE_TESTS, "tests/adapters/client"]
CLIENT = (
    "adoption", "changes", "client", "known", "ledger", "order_path", "pacing", "rest", "snapshot",
    "streams", "trade_updates", "market_data", "wire", "events", "messages", "history", "past",
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
    "pyrt/live/driver/*.py": NODE_TESTS,
    "pyrt/live/core/*.py*": NODE_TESTS,
    "pyrt/live/process/market_log.py": MARKET_LOG,
    "pyrt/live/process/wall.py": ["tests/live/test_wall.py", *NODE_TESTS],
    "pyrt/live/observe/health.py": ["tests/live/observe", *NODE_TESTS],
    **{f"pyrt/adapters/alpaca/core/{name}.py": CLIENT_TESTS for name in CLIENT},
}
SETS = {"risk": RISK, "execution": EXECUTION, "live": LIVE}
SCHEDULES = "100"
"""Whole-node schedules that may notice a fault."""


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


def built(paths: Iterable[str]) -> tuple[bool, str]:
    """Build modules in the copy; whether that worked, and what the compiler said."""
    names = [path for path in paths if path.endswith(".pyx")]
    if not names:
        return True, ""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "setup.py", "-q", "build_ext", "--inplace",
         "--build-temp", "build/temp-draft"],
        cwd=COPY, env=environment(PYRT_ONLY=",".join(names), PYRT_BUILD="draft", PYRT_CACHE=""),
        capture_output=True, text=True,
    )  # fmt: skip
    return done.returncode == 0, done.stdout + done.stderr


def environment(**more: str) -> dict[str, str]:
    fixed = {"PYTHONPATH": str(COPY), "PYTHONDONTWRITEBYTECODE": "1", "PYRT_SCHEDULES": SCHEDULES}
    return {**os.environ, **fixed, **more}


PYTEST = (sys.executable, "-m", "pytest", "-x", "-q", "-n", "0", "-p", "no:cacheprovider")


def tests_for(path: str, options: argparse.Namespace) -> list[str]:
    """Return the tests that are to notice a fault in a source."""
    if options.tests:
        return list(options.tests)
    for pattern, tests in SETS[options.set].items():
        if Path(path).match(pattern):
            return tests
    raise SystemExit(f"no tests are named for {path}: pass --tests")


# -- behind switches -------------------------------------------------------------------------------


def place_switches(faults: dict[int, Fault]) -> dict[int, int | None]:
    """Put faults of compiled sources behind switches in the copy, and build them.

    Returns the faults that one session can judge, with their switches; without one where it is a
    function of Python, which takes other code as it runs.
    """
    by_path: dict[str, dict[int, Fault]] = {}
    for number, fault in faults.items():
        by_path.setdefault(fault.path, {})[number] = fault
    compiled = {path: mine for path, mine in by_path.items() if path.endswith(".pyx")}
    placed: dict[int, int | None] = {}
    for path, mine in by_path.items():
        if path not in compiled:
            text = (ROOT / path).read_text("utf-8")
            placed.update(
                (n, None) for n, fault in mine.items() if inside_function(text, fault.line)
            )
    switches = {path: write_switched(path, mine) for path, mine in compiled.items()}
    while switches:
        done, said = built(switches)
        if done:
            break
        refused = complaints(said, {path: each.concerned for path, each in switches.items()})
        if not refused:
            raise SystemExit(f"faults behind switches cannot be built:\n{said[-2_000:]}")
        for path, numbers in refused.items():
            for number in numbers:
                compiled[path].pop(number, None)
            switches[path] = write_switched(path, compiled[path])
    for each in switches.values():
        placed.update((number, number) for number in each.placed)
    return placed


def write_switched(path: str, faults: dict[int, Fault]) -> Switched:
    """Write a source with its faults behind switches into the copy."""
    made = switched((ROOT / path).read_text("utf-8"), faults)
    (COPY / path).write_text(made.text, "utf-8")
    return made


def complaints(said: str, concerned: dict[str, dict[int, set[int]]]) -> dict[str, set[int]]:
    """Return the switches, by source, that a compiler's words are about."""
    found: dict[str, set[int]] = {}
    for path, line in re.findall(r"^(pyrt/\S+\.pyx):(\d+):\d+: ", said, re.M):
        switches = concerned.get(path, {}).get(int(line), set())
        if switches:
            found.setdefault(path, set()).update(switches)
    return found


def judged_together(
    faults: dict[int, Fault], switches: dict[int, int | None], tests: list[str], workers: int
) -> Iterator[tuple[int, str, str, float]]:
    """Yield number, outcome, by what and seconds of faults that one session judges."""
    (COPY / "build").mkdir(exist_ok=True)
    task, outcomes = COPY / "build" / "faults.json", COPY / "build" / "outcomes.jsonl"
    rows = [
        {"number": n, "fault": asdict(faults[n]), "switch": each} for n, each in switches.items()
    ]
    task.write_text(json.dumps({"workers": workers, "faults": rows}), "utf-8")
    outcomes.write_text("")
    told = environment(PYRT_FAULTS=str(task), PYRT_OUTCOMES=str(outcomes))
    with outcomes.open() as reader, subprocess.Popen(
        [*PYTEST, "-s", "-p", "scripts.fault_session", *tests], cwd=COPY, env=told,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    ) as session:  # fmt: skip
        ended, line = False, ""
        while True:
            line += reader.readline()
            if line.endswith("\n"):
                row, line = json.loads(line), ""
                if "tests" in row:
                    print(f"{row['tests']} tests; left out: {row['failed'] or 'none'}", flush=True)
                else:
                    yield row["number"], row["outcome"], row["by"], row["seconds"]
            elif ended:
                break
            else:
                ended = session.poll() is not None
                time.sleep(0.1)
        assert session.stdout is not None
        said = session.stdout.read()
        if session.returncode != 0:
            raise SystemExit(f"the session of tests ended with {session.returncode}:\n{said}")


# -- one at a time ---------------------------------------------------------------------------------


def judged_alone(fault: Fault, tests: list[str], timeout_s: float) -> tuple[str, str]:
    """Make a fault, build, test, and undo it; ("unbuilt", "") where it does not compile."""
    lines = (ROOT / fault.path).read_text("utf-8").split("\n")
    lines[fault.line - 1] = fault.after
    (COPY / fault.path).write_text("\n".join(lines), "utf-8")
    try:
        if fault.path.endswith(".py"):
            # What is no Python any more is noticed by whoever imports it: that proves no test.
            try:
                compile("\n".join(lines), fault.path, "exec")
            except SyntaxError:
                return "unbuilt", ""
        elif not built([fault.path])[0]:
            return "unbuilt", ""
        return run_tests(tests, timeout_s)
    finally:
        restore(fault.path)


def run_tests(tests: list[str], timeout_s: float) -> tuple[str, str]:
    """Return ("survived" or "caught", by what)."""
    try:
        done = subprocess.run(
            [*PYTEST, *tests], cwd=COPY, env=environment(), capture_output=True, text=True,
            timeout=timeout_s,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return "caught", "time ran out"
    if done.returncode == 0:
        return "survived", ""
    failed = re.search(r"^(?:FAILED|ERROR) (\S+)", done.stdout, re.M)
    return "caught", failed[1] if failed else f"pytest ended with {done.returncode}"


def restore(path: str) -> None:
    """Make a source of the copy, and what is built of it, what they are in the tree."""
    shutil.copy2(ROOT / path, COPY / path)
    for module in (ROOT / path).parent.glob(f"{Path(path).stem}.*.so"):
        shutil.copy2(module, (COPY / path).parent / module.name)


# -- the whole -------------------------------------------------------------------------------------


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
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument("--together", action="store_true", help="pass over what is built alone")
    parser.add_argument("--json", type=Path, help="where to write the outcome")
    parser.add_argument("--list", action="store_true", help="only show the faults drawn")
    options = parser.parse_args()
    if options.again:
        faults = again(json.loads(options.again.read_text("utf-8")))
    else:
        paths = sources(options.modules or list(SETS[options.set]))
        faults = islice(draw(paths, options.seed), options.skip, options.skip + options.count)
    drawn = dict(enumerate(faults, 1))
    if options.list:
        for fault in drawn.values():
            print(fault)
        return 0
    make_copy()
    return report(list(run(drawn, options)), options)


def run(faults: dict[int, Fault], options: argparse.Namespace) -> Iterator[dict[str, object]]:
    """Judge faults, together where that can be; what does not compile is no fault."""

    def row(number: int, outcome: str, by: str, seconds: float) -> dict[str, object]:
        fault = faults[number]
        print(f"{number:4d} {outcome:8s} {seconds:5.1f} s  {fault}  {by}", flush=True)
        return {**asdict(fault), "outcome": outcome, "by": by}

    switches = place_switches(faults)
    tests = list(dict.fromkeys(t for n in switches for t in tests_for(faults[n].path, options)))
    alone = [number for number in faults if number not in switches]
    print(f"{len(switches)} faults in one session, {len(alone)} by themselves", flush=True)
    if switches:
        for number, outcome, by, seconds in judged_together(
            faults, switches, tests, options.workers
        ):
            if outcome == "alone":
                alone.append(number)
            else:
                yield row(number, outcome, by, seconds)
    for path in {faults[number].path for number in switches}:
        restore(path)
    for number in [] if options.together else alone:
        began = time.monotonic()
        mine = tests_for(faults[number].path, options)
        outcome, by = judged_alone(faults[number], mine, options.timeout)
        if outcome != "unbuilt":
            yield row(number, outcome, by, time.monotonic() - began)


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
