"""Run every measurement and hold it to its budget: `make bench`.

Each module of this folder with a `measure()` runs in a process of its own and returns rows of
``name``, ``value``, ``unit`` and, where the value stands beside a reference, ``ratio``. The rows go
to `benchmarks/results.json`; a row over its budget, or one that was not measured, makes the exit
code 1. Names of modules as arguments limit the run to them; then nothing counts as missing.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
RESULTS = HERE / "results.json"


def release_build() -> Path:
    """Return where pyrt comes from; refuse the tree itself, whose build has every check on."""
    import pyrt.core.numbers

    found = Path(pyrt.core.numbers.__file__).resolve()
    if found.is_relative_to(ROOT / "pyrt"):
        raise SystemExit(
            f"{found} is the checked build of the tree; its timings mean nothing. Run `make bench`."
        )
    return found.parent.parent


def measured_by(module: str) -> list[dict[str, Any]]:
    """Return a module's rows, measured in a process of its own."""
    command = [sys.executable, "-P", str(HERE / "run.py"), "--child", module]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        print(f"benchmarks/{module}.py failed", file=sys.stderr)
        return []
    rows: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return rows


def modules() -> list[str]:
    """Return the modules that measure something."""
    return [
        path.stem
        for path in sorted(HERE.glob("*.py"))
        if path.name != "run.py" and "\ndef measure(" in path.read_text("utf-8")
    ]


def judge(row: dict[str, Any], budget: dict[str, Any] | None) -> dict[str, Any]:
    """Return a row with its budget and whether it holds; rows without a bound always do."""
    budget = budget or {}
    figure = row.get("ratio") if budget.get("of") == "ratio" else row["value"]
    bound = budget.get("max", budget.get("min"))
    ok = bound is None or (
        figure is not None and (figure <= bound if "max" in budget else figure >= bound)
    )
    return {
        "name": row["name"],
        "value": row["value"],
        "unit": row["unit"],
        "ratio": row.get("ratio"),
        "budget": bound,
        "ok": bool(ok),
    }


def line(row: dict[str, Any]) -> str:
    """Return one line of the table that is printed."""
    ratio = "" if row["ratio"] is None else f"{row['ratio']:.2f}"
    bound = "" if row["budget"] is None else f"{row['budget']:g}"
    verdict = "ok" if row["ok"] else "MISSED"
    return (
        f"{row['name']:26}{row['value']:>16,.2f} {row['unit']:12}{ratio:>8}{bound:>10}  {verdict}"
    )


def child(module: str) -> int:
    """Measure one module and print its rows as the last line."""
    sys.path.append(str(ROOT))
    release_build()
    rows = importlib.import_module(f"benchmarks.{module}").measure()
    print(json.dumps(rows))
    return 0


def main() -> int:
    """Return 0 when every row was measured and holds its budget."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("modules", nargs="*", help="only these modules")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.child:
        return child(chosen.child)
    print(f"pyrt from {release_build()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    budgets = tomllib.loads((HERE / "budgets.toml").read_text("utf-8"))
    wanted = [Path(name).stem for name in chosen.modules] or modules()
    print(f"{'row':26}{'value':>16} {'unit':12}{'ratio':>8}{'budget':>10}")
    rows = []
    for module in wanted:
        for measured in measured_by(module):
            rows.append(judge(measured, budgets["rows"].get(measured["name"])))
            print(line(rows[-1]), flush=True)
    RESULTS.write_text(json.dumps(rows, indent=1) + "\n", "utf-8")
    seen = {row["name"] for row in rows}
    missing = (
        []
        if chosen.modules
        else [
            name for name in budgets["rows"] if name not in seen and name not in budgets["pending"]
        ]
    )
    for name in missing:
        print(f"{name:26}{'not measured':>16}")
    return int(bool(missing) or not all(row["ok"] for row in rows))


if __name__ == "__main__":
    sys.exit(main())
