"""Every alarm that a node can raise has its line on the page of alarms, and no other has one."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from pyrt.adapters.alpaca.core.snapshot import KINDS
from pyrt.adapters.alpaca.node.gauges import Gauges
from pyrt.live.driver.reconcile import DAILY, HALTING
from pyrt.live.observe.health import Health
from pyrt.live.observe.metrics import Metrics

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "operations" / "alarms.md"
CALLS = {"alarm": 0, "_on_alarm": 0, "Alarm": 0, "Finding": 0, "send": 1, "Alert": 1}
"""What takes a code → at which place of its arguments."""
LEVELS = frozenset({"info", "warning", "critical"})
FAMILIES = {
    "adjusted_{change.kind}": {
        f"adjusted_{kind}" for kind in {*KINDS.values(), *HALTING, "dividend", "cash"} - DAILY
    },
    "market_data_{error.code}": {"market_data_NUMBER"},
    "no_{what}": {"no_volume", "no_range"},
}
"""Codes that are put together: the expression → what comes out."""
FORWARDED = frozenset({"code", "alert.code", "event.code", "finding.code"})
"""Expressions that pass on a code which is written elsewhere."""
NOT_COUNTED = {"market_data_NUMBER", "heartbeat", "node_silent", "cancel_failed"}
"""A family without end; no alarm; told by the watchdog."""


def codes_in(tree: ast.AST) -> Iterator[str]:
    """Yield the codes of a module; an expression that nobody knows is an error."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name == "warnings":
            # (code, text) of what is told before the start.
            yield from (
                pair.elts[0].value
                for pair in ast.walk(node)
                if isinstance(pair, ast.Tuple)
                and pair.elts
                and isinstance(pair.elts[0], ast.Constant)
            )
        if isinstance(node, ast.Call):
            yield from _codes_of(node)


def _codes_of(call: ast.Call) -> Iterator[str]:
    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    place = CALLS.get(name)
    if place is None or len(call.args) <= place:
        return
    if place == 1 and not (LEVELS & {n.value for n in ast.walk(call.args[0]) if _is_text(n)}):
        return
    code = call.args[place]
    for each in (code.body, code.orelse) if isinstance(code, ast.IfExp) else (code,):
        if _is_text(each):
            yield each.value
        elif isinstance(each, ast.JoinedStr):
            yield from FAMILIES[ast.unparse(each)[2:-1]]
        else:
            assert ast.unparse(each) in FORWARDED, ast.unparse(call)


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def raised() -> set[str]:
    folders = [ROOT / "pyrt" / name for name in ("live", "adapters/alpaca", "links", "cli")]
    files = [path for folder in folders for path in folder.rglob("*.py*") if path.suffix != ".so"]
    # A compiled module that raised alarms would have to be read in another way.
    for path in files:
        assert path.suffix != ".pyx" or not re.search(r"[aA]larm\(", path.read_text("utf-8")), path
    trees = [ast.parse(path.read_text("utf-8")) for path in files if path.suffix == ".py"]
    return {code for tree in trees for code in codes_in(tree)}


def rows() -> list[list[str]]:
    """Return the lines of the page's table: codes, what has happened, where to look."""
    lines = PAGE.read_text("utf-8").splitlines()
    table = [line for line in lines if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table]


def test_the_page_has_every_alarm_and_no_other() -> None:
    listed = [code for row in rows() for code in re.findall(r"`([a-zA-Z_]+)`", row[0])]
    assert sorted(listed) == sorted(raised())


def test_a_counter_of_each_alarm_of_a_node_begins_at_nothing(tmp_path: Path) -> None:
    metrics = Metrics()
    Gauges(tmp_path, metrics, Health())
    rows = [rows for _, name, _, _, rows in metrics.families() if name == "alarms"]
    assert dict(rows[0]) == {(code,): 0 for code in raised() - NOT_COUNTED}


def test_a_line_says_what_has_happened_and_leads_somewhere() -> None:
    anchors = set(re.findall(r"^## (\w+)$", PAGE.read_text("utf-8"), re.MULTILINE))
    for row in rows():
        assert len(row) == 3, row
        assert row[1], row
        assert row[2], row
        assert set(re.findall(r"\]\(#(\w+)\)", row[2])) <= {name.lower() for name in anchors}, row


def test_the_reader_of_codes_sees_what_it_does_not_know() -> None:
    told = "scribe.alarm('one' if late else 'two', text)\nvoice.send('critical', 'three', text)"
    assert set(codes_in(ast.parse(told))) == {"one", "two", "three"}
    for unknown in ("scribe.alarm(name_of(it), text)", "Finding(f'new_{kind}', '', '')"):
        try:
            found = set(codes_in(ast.parse(unknown)))
        except (AssertionError, KeyError):
            continue
        raise AssertionError(found)
