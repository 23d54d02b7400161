"""Strategy files: imported from their path, leaving nothing behind."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pyrt.cli.strategy_file import import_file, split_spec, strategies_in, strategy_classes
from pyrt.errors import StrategyError

from .conftest import Shell

ONE = "from pyrt import Strategy\n\n\nclass One(Strategy):\n    pass\n"


def test_the_search_path_is_as_before(folder: Path) -> None:
    before = list(sys.path)
    strategy_classes("flip.py")
    (folder / "broken.py").write_text("1 / 0\n")
    with pytest.raises(StrategyError):
        import_file(folder / "broken.py")
    assert sys.path == before
    assert not any("broken" in name for name in sys.modules)


def test_a_file_shadows_no_module_of_its_name(folder: Path) -> None:
    (folder / "random.py").write_text("import random\nreal = random.random\n" + ONE)
    module = import_file(folder / "random.py")
    assert module.real is __import__("random").random
    assert module.__name__ != "random"


def test_two_files_of_one_name_do_not_meet(folder: Path) -> None:
    (folder / "deep").mkdir()
    (folder / "deep" / "flip.py").write_text(ONE)
    (first,) = strategy_classes("flip.py")
    (second,) = strategy_classes("deep/flip.py")
    assert (first.__name__, second.__name__) == ("Flip", "One")
    assert first.__module__ != second.__module__


def test_a_file_may_import_its_neighbors(folder: Path) -> None:
    (folder / "neighbor_of_main.py").write_text("LIMIT = 3\n")
    (folder / "main.py").write_text("from neighbor_of_main import LIMIT\n" + ONE)
    assert import_file(folder / "main.py").LIMIT == 3


def test_the_main_guard_holds(folder: Path) -> None:
    (folder / "guarded.py").write_text(ONE + "if __name__ == '__main__':\n    raise SystemExit\n")
    assert [cls.__name__ for cls in strategy_classes("guarded.py")] == ["One"]


def test_imported_and_private_strategies_are_not_the_files_own(folder: Path) -> None:
    (folder / "base.py").write_text(ONE)
    (folder / "user.py").write_text(
        "from base import One\n\n\nclass _Draft(One):\n    pass\n\n\nclass Mine(One):\n    pass\n"
    )
    assert list(strategies_in(import_file(folder / "user.py"))) == ["Mine"]
    assert [cls.__name__ for cls in strategy_classes("user.py:One")] == ["One"]


@pytest.mark.parametrize(
    ("spec", "path", "names"),
    [
        ("a.py", "a.py", []),
        ("a.py:X", "a.py", ["X"]),
        ("a.py:X,Y", "a.py", ["X", "Y"]),
        ("dir/a.py: X", "dir/a.py", ["X"]),
        (":X", ":X", []),
    ],
)
def test_specs_are_split_at_the_last_colon(spec: str, path: str, names: list[str]) -> None:
    assert split_spec(spec) == (Path(path), names)


def test_an_installed_module_goes_by_its_dotted_name(pyrt: Shell) -> None:
    (found,) = strategy_classes("pyrt.strategies.sma_cross")
    assert found.__module__ == "pyrt.strategies.sma_cross"
    assert [c.__name__ for c in strategy_classes("pyrt.strategies:BuyAndHold")] == ["BuyAndHold"]
    shown = pyrt("backtest", "pyrt.strategies.smacross", "--data", "spy.csv")
    assert shown.code == 2
    assert "there is no file pyrt.strategies.smacross" in shown.err
