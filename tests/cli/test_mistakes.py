"""Wrong input: one line that says what to write instead, exit code 2, no traceback."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pandas as pd
import pytest

from pyrt.cli.entry import as_options
from pyrt.cli.given import refused
from pyrt.live.journal.files import RealFiles
from pyrt.live.journal.journal import Journal
from pyrt.live.journal.records import Operation

from .conftest import Shell, daily_bars

RUN = ("backtest", "flip.py", "--data", "spy.csv", "--label", "open")

MISTAKES = [
    (("backtst",), "Did you mean backtest?"),
    (("backtest",), "Missing argument"),
    (("backtest", "flip.py"), "Missing option '--data'"),
    (("backtest", "flp.py", "--data", "spy.csv"), "Did you mean flip.py"),
    (("backtest", "flip.py:Flp", "--data", "spy.csv"), "Did you mean Flip?"),
    (("backtest", "pair.py", "--data", "spy.csv"), "pair.py:First,Second"),
    (("backtest", "spy.csv", "--data", "spy.csv"), "is no Python file"),
    (("backtest", ".", "--data", "spy.csv"), "is a directory"),
    (("backtest", "flip.py", "--data", "spi.csv"), "Did you mean spy.csv?"),
    (("backtest", "flip.py", "--data", "flip.py"), "neither Parquet nor CSV"),
    (("backtest", "flip.py", "--data", "spy.csv", "--data", "A=spy.csv"), "SYMBOL=PATH for each"),
    (("backtest", "flip.py", "--data", "sample:GOGO"), "Did you mean GOOG?"),
    ((*RUN, "--dat", "x"), "--data"),
    ((*RUN, "--set", "evry=3"), "Did you mean every?"),
    ((*RUN, "--set", "Flp.every=3"), "Did you mean Flip?"),
    ((*RUN, "--set", "every=ten"), "every='ten'"),
    ((*RUN, "--set", "every"), "Write name=value"),
    ((*RUN, "--set", "shares=[1,"), "is not JSON"),
    ((*RUN, "--symbol", "QQQ"), "no instrument 'SPY'"),
    ((*RUN, "--fill", "next"), "Did you mean next_open?"),
    ((*RUN, "--path", "x"), "adverse_first"),
    ((*RUN, "--repair", "srt"), "Did you mean sort?"),
    ((*RUN, "--fees", "bp:2"), '"bps:2"'),
    ((*RUN, "--slippage", "2"), '"ticks:1"'),
    ((*RUN, "--latency", "5q"), '"250ms"'),
    ((*RUN, "--participation", "2"), "above 0 to 1"),
    ((*RUN, "--cash", "much"), "'much'"),
    ((*RUN, "--seed", "x"), "not a valid integer"),
    ((*RUN, "--start", "yesterday"), "'yesterday'"),
    ((*RUN, "--start", "2030-01-01"), "no data lie after start=2030-01-01"),
    ((*RUN, "--calendar", "XNY"), "Did you mean XNYS"),
    ((*RUN, "--require", "sharp=1"), "Did you mean sharpe?"),
    ((*RUN, "--require", "sharpe"), "sharpe=1.0"),
    ((*RUN, "--require", "sharpe=nan"), "Give a number"),
    ((*RUN, "--report", "nowhere/x.html"), "no directory nowhere"),
    ((*RUN, "--report", "."), "is a directory"),
    ((*RUN, "--corporate-actions", "spi.csv"), "Did you mean spy.csv?"),
    (("data", "check", "spi.csv"), "Did you mean spy.csv?"),
    (("indicators", "SMAA"), "SMA"),
    (("replay", "nowhere"), "Directory 'nowhere' does not exist"),
    (("parity", "nowhere", "--data", "spy.csv"), "Directory 'nowhere' does not exist"),
    (("live", "flip.py", "--config", "node.toml"), "pyrt live --init --config node.toml writes"),
    (("validate", "buy", "SPY", "-1"), "quantity is -1; expected a number above 0"),
    (("validate", "buy", "SPY", "-1.5", "--limit-price", "3"), "quantity is -1.5; expected"),
    (("validate", "buy", "SPY", "1", "--limit-prise", "3"), "--limit-price"),
    (("journal", "show", ".", "--kind", "Itent"), "Did you mean Intent"),
    (("journal", "verify", "."), "there is no journal in ."),
    (("journal", "show", "."), "there is no journal in ."),
    (("journal", "backup", ".", "b.tar.gz"), "there is no journal in ."),
    (("watchdog", "--config", "node.toml", "--silence", "0"), "silence is 0 s; expected 1 to 3600"),
    (("watchdog", "--config", "node.toml", "--silence", "nan"), "silence is nan s; expected"),
    (("live", "--init", "--config", "nowhere/node.toml"), "there is no directory nowhere"),
    (("demo", "--report", "spy.csv/x.html"), "spy.csv"),
    (("simulator", "--corporate-actions", "spi.csv"), "Did you mean spy.csv?"),
    (("simulator", "--port", "99999"), "port is 99999; expected 1 to 65535, or 0"),
    (("simulator", "--port", "-1"), "port is -1; expected 1 to 65535, or 0"),
    (("control", ".", "resume", "--reason", "x"), "no node answers"),
]


@pytest.mark.parametrize(
    ("args", "hint"), MISTAKES, ids=[" ".join(args[-3:]) for args, _ in MISTAKES]
)
def test_a_mistake_is_one_line_with_a_remedy(pyrt: Shell, args: tuple[str, ...], hint: str) -> None:
    shown = pyrt(*args)
    assert shown.code == 2
    assert shown.out == ""
    assert shown.err.startswith("Error: ")
    assert shown.err.count("\n") == 1
    assert hint in shown.err


@pytest.mark.parametrize(
    ("command", "to", "hint"),
    [
        ("export", "nowhere/j.sqlite", "nowhere/j.sqlite: there is no directory nowhere"),
        ("export", "folder", "folder: Is a directory"),
        ("backup", "spy.csv/j.tar.gz", "spy.csv"),
        ("backup", "folder", "folder: Is a directory"),
    ],
)
def test_a_journal_s_copy_that_cannot_be_written_is_one_line(
    pyrt: Shell, folder: Path, command: str, to: str, hint: str
) -> None:
    (folder / "folder").mkdir()
    (folder / "state").mkdir(mode=0o700)
    files = RealFiles(folder / "state")
    journal = Journal(files)
    journal.record(Operation(ts=1, actor="a", action="halt", reason="r", arguments={}))
    journal.commit()
    journal.close()
    shown = pyrt("journal", command, "state", to)
    assert (shown.code, shown.out, shown.err.count("\n")) == (2, "", 1)
    assert shown.err.startswith(f"Error: {hint}")


@pytest.mark.parametrize(
    ("error", "words", "said"),
    [
        (FileNotFoundError(2, "gone", "no/a.db.new"), ["export", "no/a.db"], "no/a.db: there is"),
        (PermissionError(13, "Denied", b"a.db"), ["export", "--to=a.db"], "a.db: Denied"),
        (PermissionError(13, "Denied", "data/SPY/1"), ["--out", "data"], "data/SPY/1: Denied"),
        (
            FileNotFoundError(2, "gone", "a/b/c"),
            ["--data", "a"],
            "a/b/c: there is no directory a/b",
        ),
        (IsADirectoryError(21, "Is", ".a.7", None, "a"), ["backup", "a"], "a: Is"),
        # No mistake of the user's: these keep their traceback.
        (PermissionError(13, "Denied", "/etc/b"), ["export", "a.db"], None),
        (PermissionError(13, "Denied", "x/b"), ["journal", "verify", "."], None),
        (OSError(28, "No space left on device"), ["export", "a.db"], None),
        (PermissionError(13, "Denied", 7), ["export", "7"], None),
        # A service starts its node again after 1, and not after 2.
        (PermissionError(13, "Denied", "live/beat"), ["live", "a.py", "--profile", "live"], None),
        (FileNotFoundError(2, "gone", "no/a"), ["live", "--init", "--config", "no/a"], "no/a: "),
    ],
)
def test_only_a_file_that_was_named_is_a_mistake(
    error: OSError, words: list[str], said: str | None
) -> None:
    told = refused(error, words)
    assert told is None if said is None else told is not None and told.startswith(said)


@pytest.mark.parametrize(
    ("number", "code"), [(errno.EIO, 1), (errno.ENOSPC, 1), (errno.EMFILE, 1), (errno.EACCES, 2)]
)
def test_an_error_of_the_disk_is_no_mistake_and_names_its_file(
    pyrt: Shell, monkeypatch: pytest.MonkeyPatch, number: int, code: int
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number), "bars/spy.csv")

    monkeypatch.setattr("pyrt.data.load", broken)
    shown = pyrt("data", "check", "bars")
    assert (shown.code, shown.err) == (code, f"Error: bars/spy.csv: {os.strerror(number)}\n")


def test_an_error_of_another_file_keeps_its_traceback(
    pyrt: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", "/usr/lib/part")

    monkeypatch.setattr("pyrt.data.load", broken)
    with pytest.raises(PermissionError):
        pyrt("data", "check", "spy.csv")


def test_a_failing_handler_shows_the_users_lines_only(pyrt: Shell) -> None:
    shown = pyrt("backtest", "faulty.py", "--data", "spy.csv", "--label", "open", "--json")
    assert shown.code == 1
    assert shown.out == ""
    assert "return 1 / by" in shown.err
    assert "self.divide(0)" in shown.err
    assert "kernel" not in shown.err
    last = shown.err.splitlines()[-1]
    assert last.startswith("Error: Faulty.on_bar raised ZeroDivisionError: division by zero")
    assert last.endswith("at 2024-01-02T00:00:00Z")


@pytest.mark.parametrize(
    ("source", "shown_line"),
    [
        ("import no_such_module\n", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("x = (\n", "SyntaxError"),
        ("import sys\nsys.exit(3)\n", "SystemExit: 3"),
    ],
)
def test_a_file_that_cannot_be_imported_shows_why(
    pyrt: Shell, folder: Path, source: str, shown_line: str
) -> None:
    (folder / "broken.py").write_text(source)
    shown = pyrt("backtest", "broken.py", "--data", "spy.csv")
    assert shown.code == 1
    assert shown_line in shown.err
    assert "importlib" not in shown.err
    assert "broken.py cannot be imported" in shown.err.splitlines()[-1]


def test_a_file_without_a_strategy_says_so(pyrt: Shell, folder: Path) -> None:
    (folder / "empty.py").write_text("from pyrt import Strategy\n")
    shown = pyrt("backtest", "empty.py", "--data", "spy.csv")
    assert shown.code == 2
    assert "defines no subclass of pyrt.Strategy" in shown.err


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ('write label="open" or label="close"', "write --label open or --label close"),
        ('write repair=["sort", "clip"]', "write --repair sort --repair clip"),
        ("unless adjusted=True", "unless --adjusted"),
        ('expected "250ms"', 'expected "250ms"'),
        ("n='abc' is not acceptable", "n='abc' is not acceptable"),
    ],
)
def test_remedies_are_written_as_options(said: str, shown: str) -> None:
    assert as_options(said) == shown


def test_a_label_that_is_needed_is_asked_for_as_an_option(pyrt: Shell, folder: Path) -> None:
    hourly = daily_bars().set_axis(pd.date_range("2024-01-01", periods=60, freq="h", tz="UTC"))
    hourly.to_csv(folder / "hourly.csv", index_label="timestamp")
    shown = pyrt("data", "check", "hourly.csv")
    assert shown.code == 2
    assert "--label open" in shown.err
    assert "--label close" in shown.err
