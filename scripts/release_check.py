"""Check a release as its users meet it: `python scripts/release_check.py dist [PYTHON ...]`.

The source archive is built into a wheel in an environment made for it, and once more elsewhere, to
the same bytes; both archives are looked into, the wheel is installed into another environment that
has nothing else, and there the README's backtest runs, far from the tree. The wheel is left in the
folder beside its source. With interpreters named, each of them does all of this in turn.
`PYRT_WITH="pandas<3"` asks for other versions beside it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE_DATA = "bokeh_sampledata"


def environment(folder: Path) -> Path:
    """Make an empty virtual environment and return its interpreter."""
    venv.create(folder, with_pip=True)
    return folder / "bin" / "python"


def call(*command: str | Path, cwd: Path) -> None:
    """Run a command that cannot see the tree; raise if it fails."""
    hidden = {"PYTHONPATH", "VIRTUAL_ENV", "PYRT_BUILD", "PYRT_ONLY"}
    env = {name: value for name, value in os.environ.items() if name not in hidden}
    print("$", *(Path(part).name if Path(part).is_absolute() else part for part in command))
    subprocess.run([str(part) for part in command], cwd=cwd, env=env, check=True)


def built(source: Path, here: Path) -> Path:
    """Build a source archive twice, in two places; return the wheel if both have the same bytes."""
    with tarfile.open(source) as archive:
        made = int(max(member.mtime for member in archive))
    os.environ.setdefault("SOURCE_DATE_EPOCH", str(made))
    builder = environment(here / "builder")
    wheels = []
    for name in ("wheel", "again"):
        place = here / name
        place.mkdir()
        call(builder, "-m", "pip", "wheel", "-q", "--no-deps", "-w", place, source, cwd=place)
        wheels += place.glob("*.whl")
    first, second = (hashlib.sha256(wheel.read_bytes()).hexdigest() for wheel in wheels)
    if first != second:
        raise SystemExit(f"{source.name}: two builds differ: {first} and {second}")
    print(f"{first}  {wheels[0].name}, twice")
    return wheels[0]


def main(folder: Path) -> int:
    """Return 0 when the archive builds, installs and runs."""
    (source,) = folder.resolve().glob("*.tar.gz")
    with tempfile.TemporaryDirectory() as place:
        here = Path(place)
        wheel = built(source, here)
        shutil.copy(wheel, folder)
        call(sys.executable, ROOT / "scripts" / "check_archives.py", folder.resolve(), cwd=here)
        user = environment(here / "user")
        wanted = [f"{wheel}[analysis]", EXAMPLE_DATA, *os.environ.get("PYRT_WITH", "").split()]
        call(user, "-m", "pip", "install", "-q", *wanted, cwd=here)
        for name in ("tests/documents.py", "README.md"):
            shutil.copy(ROOT / name, here)
        call(user, "-P", here / "documents.py", here / "README.md", cwd=here)
        call(here / "user" / "bin" / "pyrt", "--version", cwd=here)
    print(f"{source.name} builds, installs and runs on Python {sys.version.split()[0]}")
    return 0


def each(folder: Path, interpreters: list[str]) -> int:
    """Check with every interpreter; return 0 when all of them pass."""
    failed = [
        python
        for python in interpreters
        if subprocess.run([python, __file__, str(folder)], check=False).returncode
    ]
    print("\n".join(f"{python}: failed" for python in failed) or "all interpreters pass")
    return int(bool(failed))


if __name__ == "__main__":
    place, *named = sys.argv[1:]
    sys.exit(each(Path(place), named) if named else main(Path(place)))
