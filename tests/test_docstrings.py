"""Docstrings: there is one wherever users look, and the examples in them are true."""

from __future__ import annotations

import ast
import doctest
import importlib
from enum import Enum
from pathlib import Path
from types import ModuleType

import pytest

import pyrt

ROOT = Path(__file__).resolve().parent.parent
PYTHON = sorted(
    path
    for path in (ROOT / "pyrt").rglob("*.py")
    if path.stat().st_size and path.stem != "__main__"
)
COMPILED = sorted((ROOT / "pyrt").rglob("*.pyx"))
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def dotted(path: Path) -> str:
    """Return a source file's module name."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def examples(module: ModuleType) -> list[doctest.DocTest]:
    """Return a module's examples; those of a compiled one are listed in two places, taken once."""
    scope = {name: getattr(pyrt, name) for name in pyrt.__all__} | vars(module)
    found = doctest.DocTestFinder(exclude_empty=True).find(module, module.__name__, globs=scope)
    return list({test.docstring: test for test in found if test.examples}.values())


@pytest.mark.parametrize("path", [*PYTHON, *COMPILED], ids=dotted)
def test_examples_give_what_they_show(path: Path) -> None:
    runner = doctest.DocTestRunner(optionflags=OPTIONS)
    shown: list[str] = []
    for test in examples(importlib.import_module(dotted(path))):
        runner.run(test, out=shown.append)
    assert runner.summarize(verbose=False).failed == 0, "".join(shown)


@pytest.mark.parametrize("path", [*PYTHON, *COMPILED], ids=dotted)
def test_a_module_says_what_it_holds(path: Path) -> None:
    assert (importlib.import_module(dotted(path)).__doc__ or "").strip()


@pytest.mark.parametrize("path", PYTHON, ids=dotted)
def test_public_functions_and_classes_are_documented(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    bare = [
        node.name
        for node in tree.body
        if isinstance(node, kinds)
        and not node.name.startswith("_")
        and ast.get_docstring(node) is None
        and "__doc__" not in ast.unparse(node)
    ]
    assert bare == []


@pytest.mark.parametrize("path", COMPILED, ids=dotted)
def test_public_compiled_classes_are_documented(path: Path) -> None:
    module = importlib.import_module(dotted(path))
    bare = [
        name
        for name, value in vars(module).items()
        if isinstance(value, type)
        and not issubclass(value, Enum)
        and value.__module__ == module.__name__
        and not name.startswith("_")
        and not (value.__doc__ or "").strip()
    ]
    assert bare == []


def test_a_false_example_is_found() -> None:
    module = ModuleType("sample", "A sample.\n\n>>> 1 + 1\n3\n")
    runner = doctest.DocTestRunner(optionflags=OPTIONS)
    for test in examples(module):
        runner.run(test, out=lambda text: None)
    assert runner.summarize(verbose=False).failed == 1
