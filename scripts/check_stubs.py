"""Hold every stub to its compiled module: mypy's stubtest over all of them in one call.

Names that Cython adds to each module or class have no place in a stub and are let through by
`scripts/stubs_allowed.txt`; anything else that differs is an error, and so is a compiled module
without a stub.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ALLOWED = ROOT / "scripts" / "stubs_allowed.txt"


def main() -> int:
    """Return stubtest's exit code, or 1 where stubs are missing."""
    sources = sorted((ROOT / "pyrt").rglob("*.pyx"))
    missing = [path for path in sources if not path.with_suffix(".pyi").exists()]
    for path in missing:
        print(f"{path.relative_to(ROOT)}: no stub beside it", file=sys.stderr)
    modules = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in sources
        if path not in missing
    ]
    command = [sys.executable, "-m", "mypy.stubtest", "--ignore-unused-allowlist"]
    command += ["--mypy-config-file", str(ROOT / "pyproject.toml"), "--allowlist", str(ALLOWED)]
    command += ["--ignore-disjoint-bases", "--concise", *modules]
    return subprocess.run(command, cwd=ROOT, check=False).returncode or int(bool(missing))


if __name__ == "__main__":
    sys.exit(main())
