"""Many faults in one build: each behind a switch, so that a source is compiled once for all.

A statement that has faults becomes a chain of `if switch(n): faulty` ending in what stood there; a
condition becomes a conditional expression. The module counts which switches were passed, so that
a test that never comes by a fault need not be run for it. What cannot be written so (a loop's
head, a declaration that compiles in one form only, whatever runs at import) is left to be built by
itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from scripts.faults import Fault, lines_of_code

FUNCTION = re.compile(r"\s*(?:async\s+)?(?:def|cdef|cpdef)\b[^=]*\(.*:\s*$", re.S)
HEAD = re.compile(r"(\s*(?:if|elif|while)\s)(.*)(:\s*)$", re.S)
DECLARED = re.compile(r"(\s*cdef\s[^=(]*?=\s*)([^,]*|.*\).*)$", re.S)
NO_STATEMENT = re.compile(
    r"\s*(?:cdef|cpdef|def|class|global|nonlocal|import|from|cimport|else|try|except|finally|with"
    r"|for|async|match|case|pass|break|continue)\b|.*:\s*$",
    re.S,
)
SWITCHES = """

cdef unsigned char _switches_passed[{room}]
cdef int _switch_on = -1


cdef inline bint _switch(int number) noexcept nogil:
    _switches_passed[number] = 1
    return number == _switch_on


def _turn_on(int number):
    global _switch_on
    _switch_on = number


def _take_passed():
    cdef int number
    passed = [number for number in range({room}) if _switches_passed[number]]
    for number in range({room}):
        _switches_passed[number] = 0
    return passed
"""


@dataclass(frozen=True)
class Switched:
    """A source with faults behind switches.

    Attributes
    ----------
    text : str
    placed : set of int
        The faults that have a switch.
    concerned : dict
        Line of the text → the switches that a compiler's complaint about it concerns.
    """

    text: str
    placed: set[int]
    concerned: dict[int, set[int]]


@dataclass(frozen=True)
class Statement:
    """A logical line: its first and last line, its text, the same with texts blanked out."""

    first: int
    last: int
    text: str
    bare: str


def statements_of(text: str) -> Iterator[Statement]:
    """Yield the logical lines inside functions."""
    source = text.split("\n")
    bare_of = dict(lines_of_code(text))
    functions: list[int] = []
    number = 0
    while number < len(source):
        number += 1
        if number not in bare_of:
            continue
        first, opened, parts = number, 0, []
        while True:
            bare = re.sub(r"#?\0+\s*$", "", bare_of.get(number, ""))
            parts.append(bare)
            opened += sum(bare.count(c) for c in "([{") - sum(bare.count(c) for c in ")]}")
            if (opened <= 0 and not bare.endswith("\\")) or number == len(source):
                break
            number += 1
        joined = "\n".join(parts)
        indent = len(joined) - len(joined.lstrip(" "))
        functions = [each for each in functions if each < indent]
        if FUNCTION.match(joined):
            functions.append(indent)
        elif functions:
            yield Statement(first, number, "\n".join(source[first - 1 : number]), joined)


def switched(text: str, faults: dict[int, Fault]) -> Switched:
    """Put numbered faults of a source behind switches, those that have such a form."""
    by_line: dict[int, list[int]] = {}
    for number, fault in faults.items():
        by_line.setdefault(fault.line, []).append(number)
    made = text.split("\n")
    placed: set[int] = set()
    for statement in statements_of(text):
        lines = range(statement.first, statement.last + 1)
        here = [number for line in lines for number in by_line.get(line, [])]
        new = _rewritten(statement, {number: faults[number] for number in here}) if here else None
        if new is not None:
            placed.update(here)
            made[statement.first - 1 : statement.last] = [new, *[""] * (len(lines) - 1)]
    concerned: dict[int, set[int]] = {}
    for block in made:
        numbers = {int(n) for n in re.findall(r"_switch\((\d+)\)", block)}
        for _ in block.split("\n"):
            concerned[len(concerned) + 1] = numbers
    tail = SWITCHES.format(room=max(placed) + 1) if placed else ""
    return Switched("\n".join(made) + tail, placed, concerned)


def _rewritten(statement: Statement, faults: dict[int, Fault]) -> str | None:
    """Return a statement with its faults behind switches; None where it has no such form."""
    versions = {number: _with(statement, fault) for number, fault in faults.items()}
    if HEAD.match(statement.bare):
        return _chosen(HEAD, statement.text, versions)
    if DECLARED.match(statement.bare):
        return _chosen(DECLARED, statement.text, versions)
    if NO_STATEMENT.match(statement.bare) or statement.bare.rstrip().endswith(";"):
        return None
    indent = re.match(r"\s*", statement.text)[0]  # type: ignore[index]
    rows = []
    for place, (number, version) in enumerate(versions.items()):
        rows += [f"{indent}{'el' if place else ''}if _switch({number}):", _deeper(version)]
    return "\n".join([*rows, f"{indent}else:", _deeper(statement.text)])


def _with(statement: Statement, fault: Fault) -> str:
    lines = statement.text.split("\n")
    lines[fault.line - statement.first] = fault.after
    return "\n".join(lines)


def _deeper(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.split("\n"))


def _chosen(form: re.Pattern[str], text: str, versions: dict[int, str]) -> str | None:
    """Choose between the middles of texts that have one form."""
    found = form.match(_without_comment(text))
    if found is None:
        return None
    chosen = f"({found[2]})"
    for number, version in versions.items():
        other = form.match(_without_comment(version))
        if other is None or other[1] != found[1]:
            return None
        chosen = f"(({other[2]}) if _switch({number}) else {chosen})"
    return found[1] + chosen + (found[3] if form is HEAD else "")


def _without_comment(text: str) -> str:
    return re.sub(r"\s+# .*$", "", text, flags=re.M)
