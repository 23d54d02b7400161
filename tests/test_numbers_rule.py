"""Exactness and determinism held by reading the sources.

Raw prices, quantities and money are multiplied by checked 128-bit functions only, and nothing on
the kernel's side of the ports asks for the time, for chance, or for an object's address.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
EXACT = ("core", "execution", "backtest", "risk")
KERNEL_SIDE = (
    "core",
    "data",
    "indicators",
    "venues",
    "risk",
    "execution",
    "strategy",
    "kernel",
    "backtest",
)

# Last words of names that hold a raw int64 or int128: 1e-9 prices, units, 1e-18 money.
RAW = re.compile(
    r"(?:^|_)(?:price|raw|units|quantity|leaves|filled|mark|notional|cost|fee|cash|amount|"
    r"multiplier|factor|tick|step)$"
)
# A factor that is widened first is let through: two int64 always fit 128 bits.
PRODUCT = re.compile(
    r"(?P<wide><int128>\s*)?(?<![\w.])(?P<left>[A-Za-z_][\w.]*)(?:\[[^\]]*\]|\([^()]*\))?"
    r"\s*\*(?!\*)\s*(?:<[\w ]+>\s*)?(?P<right>[A-Za-z_][\w.]*)"
)

FORBIDDEN = {
    "the time": re.compile(
        r"\btime\.(?:time|monotonic|perf_counter|sleep)\w*|"
        r"\b(?:datetime|date|Timestamp)\.(?:now|utcnow|today)\b"
    ),
    "chance": re.compile(
        r"\b(?:import\s+(?:random|secrets|uuid)|from\s+(?:random|secrets|uuid)\b|"
        r"np\.random\b|urandom\b|default_rng\(\s*\))"
    ),
    "an address": re.compile(
        r"(?<![\w.])(?<!def )id\(|\bPyObject_Hash\b|<(?:size_t|uintptr_t)>\s*<void"
    ),
}
ALLOWED = {
    ("pyrt/data/replay.py", "the time"): "paces a replay; no row or order depends on it",
    ("pyrt/backtest/engine.py", "the time"): "elapsed_s and load_s are reported, never acted upon",
    ("pyrt/indicators/compose.pyx", "an address"): "keys are looked up, never iterated",
}


def code_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield numbered lines of a Cython file without comments, docstrings and texts."""
    text = path.read_text("utf-8")
    blank = re.compile(r'"""(?:.|\n)*?"""|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|#[^\n]*')
    bare = blank.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)
    yield from enumerate(bare.splitlines(), 1)


def bare_products(path: Path) -> list[str]:
    """Return products of two names that hold raw values."""
    found = []
    for number, line in code_lines(path):
        if line.lstrip().startswith(("def ", "cdef ", "cpdef ")) and line.rstrip().endswith(":"):
            continue
        for product in PRODUCT.finditer(line):
            names = [product[side].rsplit(".", 1)[-1] for side in ("left", "right")]
            text = " ".join(product[0].split())
            if all(RAW.search(name) for name in names) and not product["wide"]:
                found.append(f"{path.name}:{number}: {text}")
    return found


def asks_for(path: Path, what: str) -> list[str]:
    """Return the lines of a file that ask for the time, for chance or for an address."""
    pattern = FORBIDDEN[what]
    return [f"{path.name}:{number}" for number, line in code_lines(path) if pattern.search(line)]


CYTHON = sorted(
    path
    for package in EXACT
    for path in (ROOT / "pyrt" / package).rglob("*.p[yx][xd]")
    if path.name != "int128.pxd"
)
DETERMINISTIC = sorted(
    path
    for package in KERNEL_SIDE
    for path in (ROOT / "pyrt" / package).rglob("*")
    if path.suffix in (".py", ".pyx", ".pxd")
)


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", CYTHON, ids=name_of)
def test_raw_values_are_multiplied_by_checked_functions_only(path: Path) -> None:
    assert bare_products(path) == []


@pytest.mark.parametrize("what", FORBIDDEN)
@pytest.mark.parametrize("path", DETERMINISTIC, ids=name_of)
def test_a_run_is_a_function_of_its_inputs(path: Path, what: str) -> None:
    if (name_of(path), what) not in ALLOWED:
        assert asks_for(path, what) == []


def test_every_exception_is_still_needed() -> None:
    assert [key for key in ALLOWED if not asks_for(ROOT / key[0], key[1])] == []


@pytest.mark.parametrize(
    ("line", "caught"),
    [
        ("x = price * quantity", True),
        ("x = self.limit_price * order.units", True),
        ("x = <int128>price * quantity", False),
        ("x = i128_mul(price, quantity)", False),
        ("x = side * units", False),
        ("# price * quantity", False),
        ('"""price * quantity"""', False),
    ],
)
def test_bare_products_are_told_from_checked_ones(tmp_path: Path, line: str, caught: bool) -> None:
    path = tmp_path / "sample.pyx"
    path.write_text(line + "\n")
    assert bool(bare_products(path)) == caught


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("now = time.time_ns()", "the time"),
        ("now = datetime.now(UTC)", "the time"),
        ("import random", "chance"),
        ("rng = np.random.default_rng(3)", "chance"),
        ("table[id(order)] = 1", "an address"),
    ],
)
def test_what_is_not_deterministic_is_found(tmp_path: Path, line: str, what: str) -> None:
    path = tmp_path / "sample.py"
    path.write_text(line + "\n")
    assert asks_for(path, what) == ["sample.py:1"]
