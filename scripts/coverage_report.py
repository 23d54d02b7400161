"""Run the tests of a traced copy under coverage and hold the result to its floors.

Called by `make coverage` inside `build/traced`. Compiled lines count as Python lines do, and those
that programs started by a test reach. Overall at least 90 % of lines are to be reached, and every
line of the modules where money is booked, judged or written down.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

OVERALL_MIN = 90.0
WHOLE = (
    "pyrt/core/orders.pyx",
    "pyrt/core/positions.pyx",
    "pyrt/core/account_power.pyx",
    "pyrt/core/accounts.pyx",
    "pyrt/execution/booking.pyx",
    "pyrt/risk/",
    "pyrt/live/driver/reconcil",
    "pyrt/live/journal/",
)
SCHEDULES = "200"
"""Whole-node schedules: a traced one takes ten times as long, and more reach no further line."""
RECORDED = Path(__file__).resolve().parents[2] / "shared" / "data"
"""Tests in the copy would look for recorded market data beside that."""
SETTINGS = """\
[run]
plugins = Cython.Coverage
source = pyrt
branch = False
parallel = True
sigterm = True
patch = subprocess
# Declarations are traced by some processes and not by others, and such data does not combine.
omit = *.pxd
[report]
# Modules that a test wrote and has taken away.
ignore_errors = True
exclude_also =
    if TYPE_CHECKING:
    ^\\s*cdef\\s+[^(=]*$
    cimport
    raise MemoryError
"""


def main(arguments: list[str]) -> int:
    """Return 0 when the tests pass and every floor holds."""
    Path(".coveragerc").write_text(SETTINGS, "utf-8")
    coverage = [sys.executable, "-m", "coverage"]
    # Scripts that tests start find the package by this path, not the tree that it was copied from.
    paths = [os.getcwd(), *filter(None, [os.environ.get("PYTHONPATH")])]
    few = {"PYRT_SCHEDULES": SCHEDULES, "PYRT_SHARED_DATA": str(RECORDED), **os.environ}
    few["PYTHONPATH"] = os.pathsep.join(paths)
    ran = subprocess.run([*coverage, "run", "-m", "pytest", *arguments], env=few, check=False)
    report = Path("../coverage")
    subprocess.run([*coverage, "combine", "-q"], check=True)
    subprocess.run([*coverage, "html", "-q", "-d", str(report)], check=True)
    subprocess.run([*coverage, "json", "-q", "-o", str(report / "coverage.json")], check=True)
    found = json.loads((report / "coverage.json").read_text("utf-8"))
    overall = found["totals"]["percent_covered"]
    print(f"{overall:.1f} % of lines; at least {OVERALL_MIN:g} are asked for")
    return ran.returncode or int(overall < OVERALL_MIN or _gaps(found["files"]) > 0)


def _gaps(files: dict[str, dict[str, list[int]]]) -> int:
    """Print what the modules of `WHOLE` leave unreached; return in how many there is something."""
    gaps = 0
    for name in WHOLE:
        held = [path for path in sorted(files) if path.startswith(name)]
        if not held:
            print(f"{name}: nothing of it was traced")
            gaps += 1
        for path in held:
            missing = files[path]["missing_lines"]
            print(f"{path}: " + (f"lines {missing} are not reached" if missing else "every line"))
            gaps += bool(missing)
    return gaps


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
