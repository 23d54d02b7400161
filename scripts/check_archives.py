"""Check what the built archives hold: `python scripts/check_archives.py dist`.

A wheel is under 15 MB, has its compiled modules, stubs, declarations and pages, and no C or
Cython source; a source archive has every source that a build needs and no generated file.
"""

from __future__ import annotations

import sys
import tarfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WHEEL_BYTES_MAX = 15_000_000
COMPILED = (".so", ".pyd")


def wanted(*suffixes: str) -> set[str]:
    """Return the paths below the tree's package that an archive must hold."""
    found = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "pyrt").rglob("*")
        if path.suffix in suffixes
        or path.name == "py.typed"
        or path.parent.name in ("templates", "static")
    }
    return {name for name in found if "__pycache__" not in name}


def wheel_faults(path: Path) -> list[str]:
    """Return what is wrong with a wheel."""
    with zipfile.ZipFile(path) as archive:
        names = set(archive.namelist())
    faults = [f"{name}: a source in a wheel" for name in names if name.endswith((".c", ".pyx"))]
    faults += [f"{name}: missing" for name in wanted(".py", ".pyi", ".pxd") - names]
    built = {name.split(".")[0] for name in names if name.endswith(COMPILED)}
    sources = {name.removesuffix(".pyx") for name in wanted(".pyx") if name.endswith(".pyx")}
    faults += [f"{name}: not compiled" for name in sources - built]
    if path.stat().st_size > WHEEL_BYTES_MAX:
        faults.append(f"{path.stat().st_size:,} bytes; at most {WHEEL_BYTES_MAX:,}")
    return faults


def source_faults(path: Path) -> list[str]:
    """Return what is wrong with a source archive."""
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    faults = [f"{name}: generated" for name in names if name.endswith((".c", *COMPILED))]
    needed = wanted(".py", ".pyi", ".pxd", ".pyx") | {"setup.py", "pyproject.toml", "LICENSE"}
    return faults + [f"{name}: missing" for name in needed - names]


def main(folder: Path) -> int:
    """Return 0 when every archive in the folder is as it should be."""
    bad = 0
    for path in sorted(folder.iterdir()):
        faults = (wheel_faults if path.suffix == ".whl" else source_faults)(path)
        print(f"{path.name}: {path.stat().st_size / 1e6:.1f} MB, {'bad' if faults else 'good'}")
        for fault in faults:
            print(f"  {fault}", file=sys.stderr)
        bad += bool(faults)
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
