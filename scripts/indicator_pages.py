"""Write the pages and pictures of the indicators' families: docs/indicators and docs/images.

Names, parameters, warm-ups and texts come from the compiled classes, formulas, sources and ranges
from `indicator_facts.txt` beside this file, pictures from `examples/indicator_pictures.py`.
`--check` writes nothing and returns 1 where a page is not what it would be.
"""

from __future__ import annotations

import argparse
import importlib.util
import inspect
import re
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from pyrt.indicators import catalog
from pyrt.indicators.catalog import Entry

ROOT = Path(__file__).resolve().parent.parent
PAGES, IMAGES = ROOT / "docs" / "indicators", ROOT / "docs" / "images"
CANDLES = ("as described", "TA-Lib, after Morris, Candlestick Charting Explained", "-100 to 100")


def facts() -> dict[str, tuple[str, str, str]]:
    """Return formula, source and range by name."""
    found = {}
    for line in (ROOT / "scripts" / "indicator_facts.txt").read_text("utf-8").splitlines():
        if not line.startswith("#"):
            name, rest = line.split(" | ", 1)
            formula, source, range_ = rest.rsplit(" | ", 2)
            found[name.strip()] = (formula.strip(), source.strip(), range_.strip())
    return found


def cell(text: str) -> str:
    return text.replace("|", "&#124;").replace("*", "&#42;")


def heading(family: str) -> str:
    """Return the first sentence of the module's text."""
    text = inspect.getdoc(import_module(f"pyrt.indicators.{family}")) or family
    return re.split(r"\.(?:\s|$)", text.split("\n\n")[0].replace("\n", " "))[0]


def parameters(entry: Entry) -> str:
    return ", ".join(f"{name}={value}" for name, value in entry.parameters.items()) or "–"


def warm_up(entry: Entry) -> str:
    """Return what the class says of its warm-up, in one line."""
    import pyrt.indicators as indicators

    text = " ".join((inspect.getdoc(getattr(indicators, entry.name)) or "").split())
    said = re.search(r"(?:[Tt]he warm-up is|[Nn]o warm-up)[^.;]*", text)
    if not said or said[0].lower().startswith("no "):
        return str(entry.lookback)
    rule = said[0].removeprefix("the warm-up is").removeprefix("The warm-up is").strip()
    return f"{rule} ({entry.lookback})"


def section(entry: Entry, known: dict[str, tuple[str, str, str]]) -> str:
    """Return one indicator's part of its page."""
    import pyrt.indicators as indicators

    text = (inspect.getdoc(getattr(indicators, entry.name)) or "").split("Parameters\n---")[0]
    formula, source, range_ = known.get(entry.name, CANDLES)
    rows = [
        ("Parameters", f"`{parameters(entry)}`" if entry.parameters else "none"),
        ("Inputs", ", ".join(f"`{name}`" for name in entry.inputs)),
        ("Outputs", ", ".join(f"`{name}`" for name in entry.outputs)),
        ("Formula", cell(formula)),
        ("Warm-up", cell(warm_up(entry))),
        ("Range", cell(range_)),
        ("Source", cell(source)),
    ]
    table = "\n".join(f"| {name} | {value} |" for name, value in rows)
    return f"## {entry.name}\n\n{text.strip()}\n\n| | |\n|---|---|\n{table}\n"


def page(family: str, entries: list[Entry], known: dict[str, tuple[str, str, str]]) -> str:
    title = heading(family)
    shown = f"![{family}](../images/indicators-{family}.svg)"
    drawn = (
        f"Drawn by `python examples/indicator_pictures.py {family} picture.svg`; "
        "the rules all indicators share are in [Indicators](../indicators.md)."
    )
    body = "\n".join(section(entry, known) for entry in entries)
    return f"# {title}\n\nModule `pyrt.indicators.{family}`.\n\n{shown}\n\n{drawn}\n\n{body}"


def pictures() -> Any:
    """Load the example that draws."""
    path = ROOT / "examples" / "indicator_pictures.py"
    spec = importlib.util.spec_from_file_location("indicator_pictures", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def files() -> dict[Path, str]:
    """Return what every page and picture should hold."""
    known, families = facts(), {}
    for entry in catalog():
        families.setdefault(entry.family, []).append(entry)
    drawn = pictures()
    found = {}
    for family, entries in families.items():
        found[PAGES / f"{family}.md"] = page(family, entries, known)
        found[IMAGES / f"indicators-{family}.svg"] = drawn.picture(family)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    stale = [
        path
        for path, text in files().items()
        if not path.exists() or path.read_text("utf-8") != text
    ]
    if check:
        print(*[f"{path.relative_to(ROOT)} is stale" for path in stale], sep="\n")
        return int(bool(stale))
    PAGES.mkdir(exist_ok=True)
    IMAGES.mkdir(exist_ok=True)
    for path, text in files().items():
        path.write_text(text, "utf-8")
    print(f"{len(files())} files, {len(stale)} of them new")
    return 0


if __name__ == "__main__":
    sys.exit(main())
