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
# The constructor of a compiled class that takes keywords alone is a slot that shows *args.
KEYWORDS_ONLY = '.__init__ is inconsistent, stub does not have *args parameter "args"'


def main() -> int:
    """Return 1 where a stub is missing or differs from its module, else 0."""
    sources = sorted((ROOT / "pyrt").rglob("*.pyx"))
    missing = [path for path in sources if not path.with_suffix(".pyi").exists()]
    for path in missing:
        print(f"{path.relative_to(ROOT)}: no stub beside it", file=sys.stderr)
    modules = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in sources
        if path not in missing
    ]
    faults = [line for line in stubtest(modules) if not line.endswith(KEYWORDS_ONLY)]
    print(*faults, sep="\n", end="\n" if faults else "")
    print(f"{len(modules)} stubs checked")
    return int(bool(missing or faults))


def stubtest(modules: list[str]) -> list[str]:
    """Return what stubtest says of the modules, a line each."""
    command = [sys.executable, "-m", "mypy.stubtest", "--concise", "--ignore-unused-allowlist"]
    command += ["--ignore-disjoint-bases", "--allowlist", str(ALLOWED)]
    command += ["--mypy-config-file", str(ROOT / "pyproject.toml"), *modules]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    if done.returncode and not lines:
        lines = [f"stubtest ended with code {done.returncode}"]
    return lines if done.returncode else []


if __name__ == "__main__":
    sys.exit(main())
