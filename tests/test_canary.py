"""The suite's own secret: it is everywhere it may be, and found where it may not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from pyrt.adapters.alpaca.credentials import read_credentials
from tests import canary

ROOT = Path(__file__).resolve().parent.parent


def test_whoever_looks_for_keys_finds_the_canary():
    assert read_credentials().reveal_secret() == canary.SECRET
    assert os.environ["APCA_API_KEY_ID"] == canary.KEY


def test_a_test_that_lets_it_out_fails(tmp_path):
    """The search finds: prints, log records, files and tracebacks that show the secret."""
    folder = ROOT / "tests" / f"spill_{os.getpid()}"
    folder.mkdir()
    try:
        source = (
            "import logging\n"
            "from tests import canary\n"
            "def test_prints(): print(canary.SECRET)\n"
            "def test_logs(): logging.getLogger('x').warning('key %s', canary.SECRET)\n"
            "def test_writes(tmp_path): (tmp_path / 'log.txt').write_text(canary.SECRET)\n"
            "def test_raises(): raise ValueError(canary.SECRET)\n"
            "def test_is_quiet(tmp_path): (tmp_path / '.env').write_text(canary.SECRET)\n"
        )
        (folder / "test_spill.py").write_text(source)
        options = ["-q", "-n", "0", "-p", "no:cacheprovider", f"--basetemp={tmp_path / 'base'}"]
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *options, str(folder)],
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
    finally:
        for path in sorted(folder.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        folder.rmdir()
        for path in (tmp_path / "base").rglob("*"):
            if path.is_file():
                path.unlink()
    for name in ("test_prints", "test_logs", "test_writes", "test_raises"):
        assert f"::{name}" in done.stdout, done.stdout
    assert "::test_is_quiet" not in done.stdout
    assert canary.SECRET not in done.stdout + done.stderr
