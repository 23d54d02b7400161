"""Judge faults in one pytest session: tests are collected once, each fault gets a forked child.

A plugin of pytest (`-p scripts.fault_session`), told by a file of JSON in `PYRT_FAULTS` what to
judge. First all tests run without any fault, in a child that reports how long each took and which
faults it comes by. Then each fault is turned on in a child of its own, which runs the tests that
come by it, most promising first, until one fails. Outcomes are printed as they come, a line of
JSON each, into the file that `PYRT_OUTCOMES` names.
"""

from __future__ import annotations

import ast
import gc
import importlib
import json
import os
import pickle
import select
import signal
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import coverage
import pytest
from _pytest.runner import runtestprotocol

from scripts.faults import Fault

SLOW_S = 20.0
"""A fault may make its tests slower; by this much more than usual it has been noticed."""
FAILED = 1
"""Exit status of a child whose own work has raised."""


@dataclass
class Known:
    """What the run without faults told of the tests."""

    seconds: dict[str, float] = field(default_factory=dict)
    switches: dict[str, dict[str, list[int]]] = field(default_factory=dict)
    at_import: dict[str, list[int]] = field(default_factory=dict)
    lines: dict[str, dict[int, list[str]]] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)


class Judge:
    """Runs the tests of a session against each fault."""

    def __init__(self, items: list[pytest.Item], faults: list[dict[str, Any]]) -> None:
        self.items = items
        self.faults = {row["number"]: (Fault(**row["fault"]), row["switch"]) for row in faults}
        self.modules = sorted({f.path for f, switch in self.faults.values() if switch is not None})
        self.sources = sorted({f.path for f, switch in self.faults.values() if switch is None})
        self.known = Known()
        self.caught: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))

    # -- without faults ----------------------------------------------------------------------------

    def learn(self) -> None:
        """Run all tests without a fault, in a child, and keep what it tells."""
        child, pipe = forked(lambda tell: tell(pickle.dumps(self._watched())))
        told = b"".join(iter(lambda: os.read(pipe, 1 << 20), b""))
        os.close(pipe)
        os.waitpid(child, 0)
        if not told:
            raise pytest.UsageError("the run without faults ended at once: a test crashes")
        self.known = pickle.loads(told)
        left_out = set(self.known.failed)
        self.items = [item for item in self.items if item.nodeid not in left_out]

    def _watched(self) -> Known:
        known = Known()
        include = [str(Path(path).resolve()) for path in self.sources]
        cover = coverage.Coverage(data_file=None, include=include) if include else None
        modules = {path: importlib.import_module(module_of(path)) for path in self.modules}
        known.at_import = {path: module._take_passed() for path, module in modules.items()}
        if cover:
            cover.start()
        for item, following in in_turn(self.items):
            if cover:
                cover.switch_context(item.nodeid)
            began = time.perf_counter()
            if not passes(item, following):
                known.failed.append(item.nodeid)
            known.seconds[item.nodeid] = time.perf_counter() - began
            known.switches[item.nodeid] = {
                path: module._take_passed() for path, module in modules.items()
            }
        if cover:
            cover.stop()
            for path, name in zip(self.sources, include, strict=True):
                known.lines[path] = cover.get_data().contexts_by_lineno(name)
        return known

    def coming_by(self, number: int) -> list[pytest.Item]:
        """Return the tests that come by a fault, most promising first, then others of their files.

        What one test of a file leaves for another, a fixture or a result kept, only the first of
        them comes by.
        """
        fault, switch = self.faults[number]
        if switch is not None:
            switches = self.known.switches
            names = {name for name in switches if switch in switches[name].get(fault.path, ())}
        else:
            lines = self.known.lines[fault.path]
            first, last = extent_of(Path(fault.path).read_text("utf-8"), fault.line)
            names = {name for line in range(first, last + 1) for name in lines.get(line, ())}
        files = {name.partition("::")[0] for name in names}
        hits = self.caught[fault.path]

        def promise(item: pytest.Item) -> tuple[bool, int, float]:
            name = item.nodeid
            return (name not in names, -min(3, hits[name]), self.known.seconds[name])

        near = [item for item in self.items if item.nodeid.partition("::")[0] in files]
        return sorted(near, key=promise)

    # -- with a fault ------------------------------------------------------------------------------

    def judge(self, number: int, workers: Workers) -> None:
        """Start a child that runs a fault's tests."""
        fault, switch = self.faults[number]
        items = self.coming_by(number)
        if not items:
            if switch is not None and switch in self.known.at_import[fault.path]:
                workers.done(number, "alone", "it runs at import")
            else:
                workers.done(number, "survived", "no test comes by it")
            return

        def child(tell: Callable[[bytes], None]) -> None:
            if switch is not None:
                importlib.import_module(module_of(fault.path))._turn_on(switch)
            elif not patch(fault):
                tell(b"!alone")
                return
            for item, following in in_turn(items):
                if not passes(item, following):
                    tell(item.nodeid.encode())
                    return
            tell(b"!survived")

        expected = sum(self.known.seconds[item.nodeid] for item in items)
        workers.start(number, child, SLOW_S + 5 * expected)


class Workers:
    """Children at work, so many at a time."""

    def __init__(self, count: int, done: Callable[[int, str, str], None]) -> None:
        self.count, self.done = count, done
        self._running: dict[int, tuple[int, int, float]] = {}

    def start(self, number: int, work: Callable[..., None], limit_s: float) -> None:
        """Fork a child as soon as there is room for it."""
        while len(self._running) >= self.count:
            self.wait()
        child, pipe = forked(work)
        self._running[pipe] = (number, child, time.monotonic() + limit_s)

    def wait(self) -> None:
        """Wait for a child to tell, or for its time to run out."""
        ready = select.select(list(self._running), [], [], 1.0)[0]
        for pipe in ready:
            number, child, _ = self._running.pop(pipe)
            told = os.read(pipe, 4_096).decode()
            os.close(pipe)
            status = os.waitpid(child, 0)[1]
            if told.startswith("!"):
                self.done(number, told[1:], "")
            elif not told and os.waitstatus_to_exitcode(status) == FAILED:
                # No test has failed, the judging itself has: that notices nothing.
                self.done(number, "alone", "it could not be turned on")
            else:
                self.done(number, "caught", told or "the process died")
        for pipe, (number, child, until) in list(self._running.items()):
            if time.monotonic() > until:
                del self._running[pipe]
                os.kill(child, signal.SIGKILL)
                os.close(pipe)
                os.waitpid(child, 0)
                self.done(number, "caught", "time ran out")

    def finish(self) -> None:
        """Wait for all that run."""
        while self._running:
            self.wait()


def forked(work: Callable[..., None]) -> tuple[int, int]:
    """Fork a child for some work, which gets a function to tell bytes; its pid and a pipe's end."""
    reading, writing = os.pipe()
    child = os.fork()
    if child:
        os.close(writing)
        return child, reading
    status = FAILED
    try:
        os.close(reading)
        silence = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(silence, descriptor)

        def tell(content: bytes) -> None:
            while content:
                content = content[os.write(writing, content) :]

        work(tell)
        status = 0
    finally:
        os._exit(status)


def in_turn(items: list[pytest.Item]) -> Iterator[tuple[pytest.Item, pytest.Item | None]]:
    """Yield tests, each with the one after it: what they share is kept between them."""
    yield from zip(items, [*items[1:], None], strict=True)


def passes(item: pytest.Item, following: pytest.Item | None) -> bool:
    """Run one test; skipped counts as passed."""
    return not any(report.failed for report in runtestprotocol(item, False, following))


def module_of(path: str) -> str:
    return ".".join(Path(path).with_suffix("").parts)


# -- Python sources --------------------------------------------------------------------------------


def extent_of(text: str, line: int) -> tuple[int, int]:
    """Return the first and last line of the statement a line belongs to; of a block, its head."""
    first, last = line, line
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.stmt) or not node.lineno <= line <= (node.end_lineno or 0):
            continue
        body = getattr(node, "body", None) or getattr(node, "cases", None)
        end = node.end_lineno or node.lineno
        if body:
            end = max(node.lineno, getattr(body[0], "lineno", end) - 1)
        if line <= end:
            first, last = node.lineno, end
    return first, last


def inside_function(text: str, line: int) -> bool:
    """Whether a line runs when a function is called, not at import."""
    return any(
        isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body[0].lineno <= line <= (node.end_lineno or 0)
        for node in ast.walk(ast.parse(text))
    )


def patch(fault: Fault) -> bool:
    """Give the functions of a source the code they have with a fault; whether any changed."""
    path = Path(fault.path).resolve()
    lines = path.read_text("utf-8").split("\n")
    sound = codes_of(compile("\n".join(lines), str(path), "exec"))
    lines[fault.line - 1] = fault.after
    try:
        faulty = codes_of(compile("\n".join(lines), str(path), "exec"))
    except SyntaxError:
        return False
    changed = {key: code for key, code in faulty.items() if code != sound.get(key)}
    patched = False
    for each in gc.get_objects():
        # A weak reference whose object is gone cannot even be asked by `isinstance`.
        if type(each) is not FunctionType or each.__code__.co_filename != str(path):
            continue
        code = changed.get((each.__code__.co_qualname, each.__code__.co_firstlineno))
        if code is not None:
            try:
                each.__code__ = code
            except ValueError:
                return False  # other variables are bound than before
            patched = True
    return patched


def codes_of(code: CodeType) -> dict[tuple[str, int], CodeType]:
    """Return all code in some code, by name and first line."""
    found = {(code.co_qualname, code.co_firstlineno): code}
    for each in code.co_consts:
        if isinstance(each, CodeType):
            found.update(codes_of(each))
    return found


# -- the plugin ------------------------------------------------------------------------------------


def pytest_runtestloop(session: pytest.Session) -> bool:
    """Judge faults instead of running the tests."""
    if session.testsfailed:
        raise session.Interrupted("tests cannot be collected")
    task = json.loads(Path(os.environ["PYRT_FAULTS"]).read_text("utf-8"))
    with open(os.environ["PYRT_OUTCOMES"], "a", encoding="utf-8") as outcomes:
        judge = Judge(list(session.items), task["faults"])
        judge.learn()

        def tell(**row: object) -> None:
            print(json.dumps(row), file=outcomes, flush=True)

        def done(number: int, outcome: str, by: str) -> None:
            if outcome == "caught":
                judge.caught[judge.faults[number][0].path][by] += 1
            tell(number=number, outcome=outcome, by=by, seconds=time.monotonic() - began[number])

        tell(tests=len(judge.items), failed=judge.known.failed)
        workers = Workers(task["workers"], done)
        began: dict[int, float] = {}
        for number in judge.faults:
            began[number] = time.monotonic()
            judge.judge(number, workers)
        workers.finish()
    return True


if sys.platform == "win32":
    raise SystemExit("faults are judged in forked children, which Windows does not have")
