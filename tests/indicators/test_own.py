"""A user's own indicator, ten lines of Python or of Cython, as the documents show them."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from pyrt.indicators import MEDPRICE, SMA
from tests.indicators.series import walk
from tests.indicators.test_contract import matrix, stream

ROOT = Path(__file__).resolve().parents[2]
BUILD = """
import numpy
from Cython.Build import cythonize
from setuptools import Extension, setup
own = Extension("own", ["own.pyx"], include_dirs=[numpy.get_include()], extra_compile_args=["-O0"])
setup(ext_modules=cythonize([own], include_path=[{root!r}]), script_args=["-q", "build_ext", "-i"])
"""


def compiled(source: str, folder: Path) -> Any:
    """Compile a Cython module as a user would, outside the tree."""
    (folder / "own.pyx").write_text(f"# cython: language_level=3\n{source}", "utf-8")
    command = [sys.executable, "-W", "ignore", "-c", BUILD.format(root=str(ROOT))]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    spec = importlib.util.spec_from_file_location("own", next(folder.glob("own*.so")))
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_documents_cython_indicator_is_one_like_all_others(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "indicators.md").read_text("utf-8")
    source = re.search(r"```cython\n(.*?)```", text, re.DOTALL)
    assert source
    assert len([line for line in source[1].splitlines() if line.strip()]) <= 10
    make = compiled(source[1], tmp_path).Midrange
    bars = walk(700)
    columns = [bars["high"], bars["low"]]
    columns[0][300] = np.nan  # a gap
    expected = matrix(MEDPRICE().batch(*columns))
    assert np.array_equal(matrix(make().batch(*columns)), expected, equal_nan=True)
    assert np.array_equal(stream(make(), columns), expected, equal_nan=True)
    chained = SMA(5).of(make()).batch(*columns)
    assert np.array_equal(chained, SMA(5).batch(expected[:, 0]), equal_nan=True)
