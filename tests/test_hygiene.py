"""What the tree must not hold: unfinished work, missing stubs, words of another spelling."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("pyrt", "tests", "benchmarks", "examples", "docs", "scripts")
KINDS = (".py", ".pyx", ".pxd", ".pyi", ".md", ".toml", ".js", ".css", ".html")
HERE = Path(__file__).name

UNFINISHED = re.compile(r"\b(?:TODO|FIXME|XXX|NotImplementedError\(\))\b")
BRITISH = re.compile(
    r"\b(?:cancell(?:ed|ing)|behaviours?|colours?|favours?|neighbours?|normalis\w+|initialis\w+|"
    r"serialis\w+|optimis(?:e|ed|ing|ation)|realised|unrealised|recognis\w+|summaris\w+|analys(?:e|ed|ing)|"
    r"licences?|catalogues?)\b",
    re.IGNORECASE,
)
BARE_EXCEPT = re.compile(r"^\s*except\s*:", re.MULTILINE)
BLANKET = re.compile(r"#\s*type:\s*ignore(?!\[)|#\s*noqa(?!:)")

FILES = sorted(
    path
    for folder in FOLDERS
    for path in (ROOT / folder).rglob("*")
    if path.suffix in KINDS and "__pycache__" not in path.parts and path.name != HERE
)
COMPILED = sorted((ROOT / "pyrt").rglob("*.pyx"))


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def lines_with(pattern: re.Pattern[str], suffixes: tuple[str, ...] = KINDS) -> list[str]:
    """Return where a pattern occurs in the tree's own files."""
    return [
        f"{name_of(path)}:{number}: {line.strip()}"
        for path in FILES
        if path.suffix in suffixes
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if pattern.search(line)
    ]


def test_nothing_is_left_to_do() -> None:
    assert lines_with(UNFINISHED) == []


def test_spelling_is_american() -> None:
    assert lines_with(BRITISH) == []


def test_every_exception_is_named_where_it_is_caught() -> None:
    assert lines_with(BARE_EXCEPT, (".py", ".pyx", ".pxd")) == []


def test_checks_are_silenced_by_name_only() -> None:
    assert lines_with(BLANKET, (".py", ".pyx", ".pyi")) == []


@pytest.mark.parametrize("path", COMPILED, ids=name_of)
def test_a_compiled_module_has_its_stub(path: Path) -> None:
    assert path.with_suffix(".pyi").exists()


@pytest.mark.parametrize("path", COMPILED, ids=name_of)
def test_no_module_turns_bounds_checks_off_as_a_whole(path: Path) -> None:
    head = path.read_text("utf-8").split('"""', 1)[0]
    assert "boundscheck" not in head


def test_files_end_with_one_newline_and_use_no_tabs() -> None:
    texts = {path: path.read_text("utf-8") for path in FILES if path.suffix != ".js"}
    ends = [
        name_of(p) for p, t in texts.items() if t and (not t.endswith("\n") or t[-2:] == "\n\n")
    ]
    tabs = [name_of(p) for p, t in texts.items() if "\t" in t]
    assert (ends, tabs) == ([], [])
