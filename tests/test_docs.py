"""What the documents show works: Python blocks run, commands exist, links lead somewhere."""

from __future__ import annotations

import datetime
import re
import shlex
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest

from pyrt import Strategy
from pyrt.cli.entry import cli
from pyrt.live.process.control import Request, check
from pyrt.venues.sessions import sessions
from tests.documents import FIRST_NS, blocks, run

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
WITH_PYTHON = [path for path in DOCUMENTS if blocks(path, "python")]
LINK = re.compile(r"\]\((?!https?://|mailto:|#)([^)#\s]+)")
TARGET = re.compile(r"^([a-z-]+):", re.MULTILINE)


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def commands(program: str) -> list[tuple[str, str]]:
    """Return (document, command line) of every call of a program in blocks for a shell."""
    lines = []
    for path in DOCUMENTS:
        shown = [(block, "$ ") for block in blocks(path, "console")]
        shown += [(block, "") for name in ("sh", "bash") for block in blocks(path, name)]
        for block, prompt in shown:
            # A backslash continues a command on the next line.
            for text in block.code.replace("\\\n", " ").splitlines():
                if text.startswith(f"{prompt}{program} "):
                    line = text.removeprefix(prompt).split("#")[0].strip()
                    lines.append((name_of(path), line))
    return lines


class Watcher(Strategy):
    """Stands in for a strategy of the reader's own."""

    def on_start(self) -> None:
        self.subscribe_bars("X", "1m")


def given_to(document: str) -> dict[str, Any]:
    """Return the names that a document takes for granted, besides those all share."""
    ts = FIRST_NS + 1_000_000_000 * np.arange(600)
    if document == "docs/aggregation.md":
        table = sessions("XNYS", FIRST_NS, FIRST_NS + 5 * 86_400_000_000_000)
        price = 470 + np.arange(600) / 100
        return {"table": table, "ts": ts, "price": price, "size": np.full(600, 100.0)}
    if document == "docs/backtesting-py.md":
        return {"strategy": Watcher()}
    if document == "docs/indicators.md":
        return {"closes": 470 + np.arange(600) / 100}
    if document == "docs/venues.md":
        day = datetime.date(2024, 1, 3)
        amounts = {"notional_raw": 10_000 * 10**18, "quantity_e9": 100 * 10**9}
        return {"ts": int(ts[0]), "date": day, **amounts}
    return {}


@pytest.mark.parametrize("path", WITH_PYTHON, ids=name_of)
def test_python_blocks_run(path: Path, tmp_path: Path) -> None:
    assert run(path, tmp_path, **given_to(name_of(path))) > 0


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_links_lead_to_files(path: Path) -> None:
    missing = [
        target
        for target in LINK.findall(path.read_text("utf-8"))
        if not (path.parent / target).exists()
    ]
    assert missing == []


def test_make_targets_that_documents_name_exist() -> None:
    targets = set(TARGET.findall((ROOT / "Makefile").read_text("utf-8")))
    named = {
        (document, word)
        for document, line in commands("make")
        for word in line.split()[1:]
        if "=" not in word and word != "&&"
    }
    assert {(document, word) for document, word in named if word not in targets} == set()


@pytest.mark.parametrize(("document", "line"), commands("pyrt") or [("", "pyrt --version")])
def test_pyrt_commands_that_documents_name_are_understood(document: str, line: str) -> None:
    """The command is there with all its options; a node would take the action that is asked."""
    command: click.Command = cli
    context = click.Context(cli)
    words = [word for word in shlex.split(line)[1:] if word != "…"]
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        name = words.pop(0)
        found = command.get_command(context, name)
        assert found is not None, f"{document}: {line}"
        command, context = found, click.Context(found, parent=context, info_name=name)
    given, rest, _ = command.make_parser(context).parse_args(words)
    assert rest == [], f"{document}: {line}"
    if command.name == "control":
        names = set(given) & set(Request.__struct_fields__)
        check(Request(token="", actor="anna", **{name: given[name] for name in names}))


def test_python_scripts_that_documents_name_exist() -> None:
    missing = [
        (document, line)
        for document, line in commands("python")
        for word in line.split()
        if word.endswith(".py") and "/" in word and not (ROOT / word).exists()
    ]
    assert missing == []


def test_blocks_are_told_apart_by_language(tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    path.write_text(
        "a\n\n```python\nx = 1\n```\n\n```text\nno\n```\n```python\nassert x == 1\n```\n"
    )
    assert [block.line for block in blocks(path, "python")] == [4, 11]
    assert run(path, tmp_path) == 2


def test_a_block_that_fails_names_the_line_of_the_document(tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    path.write_text("a\n\n```python\nx = 1\n1 / 0\n```\n")
    with pytest.raises(ZeroDivisionError) as caught:
        run(path, tmp_path)
    assert caught.traceback[-1].lineno + 1 == 5
