"""What README and docs say came out is what comes out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .loading import EXAMPLES, example

ROOT = EXAMPLES.parent
TIMED = ("events in", "Run ")
"""Lines that differ between machines or versions."""


def blocks(path: Path, language: str) -> list[str]:
    """Fenced blocks of one language."""
    return re.findall(rf"```{language}\n(.*?)```", path.read_text("utf-8"), re.S)


def test_the_readme_shows_what_its_code_prints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("bokeh_sampledata")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for block in blocks(ROOT / "README.md", "python"):
        exec(compile(block, "README.md", "exec"), names)
    printed = capsys.readouterr().out.splitlines()
    stated = blocks(ROOT / "README.md", "text")[0].splitlines()
    assert len(printed) == len(stated)
    for mine, theirs in zip(printed, stated):
        if not any(word in theirs for word in TIMED):
            assert mine == theirs
    assert (tmp_path / "report.html").exists()


def test_the_docs_show_the_50_200_cross_as_it_came_out() -> None:
    pytest.importorskip("bokeh_sampledata")
    module = example("sma_50_200")
    table = module.table(module.run())
    assert any(block.rstrip() == table for block in blocks(ROOT / "docs/backtesting.md", "text"))


@pytest.mark.parametrize("name", ["sma_cross", "rotation", "bracket", "pair_talk"])
def test_the_docs_show_what_each_example_comes_to(name: str) -> None:
    pytest.importorskip("bokeh_sampledata")
    found = example(name).run().summary
    row = (
        f"| `{name}` | {found['fills']} | {found['trades']} | {found['final_equity']:,.2f} "
        f"| {found['max_drawdown']:.1%} |"
    )
    assert row in (ROOT / "docs" / "examples.md").read_text("utf-8").splitlines()


def test_the_picture_of_the_report_is_light() -> None:
    picture = ROOT / "docs" / "images" / "report.png"
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_size <= 300_000
    assert "docs/images/report.png" in (ROOT / "README.md").read_text("utf-8")
