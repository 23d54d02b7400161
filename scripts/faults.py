"""Mechanical faults: which ones a line of code admits, and how they are drawn.

A site is a line of code; a seed draws lines over all the modules given, then one fault of those
the line admits: a comparison, a sign, a number off by one, a dropped statement, two arguments
swapped, a truth turned round.
"""

from __future__ import annotations

import io
import random
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
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
SYMMETRIC = re.compile(
    r"\b(?:i128_muldiv|i128_notional|i128_add|i128_mul|min|max|larger|isinstance)$"
)
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
