"""`pyrt doctor`: is this installation fit to run a node?"""

from __future__ import annotations

import importlib.util
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pyrt.cli import exits, options

if TYPE_CHECKING:
    from pyrt.live.observe.targets import AlertTarget

MODULES = (
    "pyrt.kernel.kernel",
    "pyrt.risk.engine",
    "pyrt.live.core.inputs",
    "pyrt.live.journal.crc32c",
)
NEEDED = ("numpy", "pandas", "pyarrow", "msgspec", "httpx", "websockets", "exchange_calendars")
PAGE = ("starlette", "uvicorn", "prometheus_client", "plotly")
"""What the dashboard is served and drawn with."""
SYNCS = 20
SLOW_SYNC_MS = 50.0
FREE_BYTES = 1 << 30
Check = tuple[str, str, str]
"""What was looked at; ``ok``, ``warn`` or ``bad``; what was found."""


@click.command()
@click.option("--config", "config_file", metavar="NODE.toml", help="Check this node's, too.")
@click.option("--profile", metavar="NAME", help="dev, paper or live.")
@click.option("--env-file", metavar="FILE", help="Lines NAME=value that its service is given.")
@options.json_option
def doctor(
    config_file: str | None, profile: str | None, env_file: str | None, as_json: bool
) -> int:
    """Check compiled modules, packages, disk, clock and, with a configuration, its surroundings."""
    found = list(checks(config_file, profile, env_file))
    if as_json:
        rows = [{"check": name, "state": state, "text": text} for name, state, text in found]
        click.echo(json.dumps(rows))
    else:
        for name, state, text in found:
            click.echo(f"{state:5} {name}: {text}")
    return exits.FAILED if any(state == "bad" for _, state, _ in found) else exits.DONE


def checks(
    config_file: str | None = None, profile: str | None = None, env_file: str | None = None
) -> Iterator[Check]:
    """Yield what was found, one thing after the other."""
    version = ".".join(map(str, sys.version_info[:3]))
    yield "python", "ok" if sys.version_info >= (3, 11) else "bad", version
    for module in MODULES:
        yield _try(f"module {module}", partial(_version, module, "compiled"))
    for package in NEEDED:
        yield _try(f"package {package}", partial(_version, package, "there"))
    yield _uvloop()
    yield _core_files()
    yield _clock()
    folder = Path(tempfile.gettempdir())
    if config_file is not None:
        found = _config(config_file, profile, env_file)
        yield from found[1]
        folder = found[0] or folder
    yield _disk(folder)
    yield _free(folder)


def _version(module: str, otherwise: str) -> str:
    return str(getattr(importlib.import_module(module), "__version__", otherwise))


def _try(name: str, look: Callable[[], str], missing: str = "bad") -> Check:
    try:
        return name, "ok", look()
    except Exception as error:
        return name, missing, f"{type(error).__name__}: {error}"


def _uvloop() -> Check:
    """Look for the faster event loop; a node runs on asyncio's without it."""
    if importlib.util.find_spec("uvloop") is None:
        return "uvloop", "warn", "not there; asyncio's loop is used"
    return _try("uvloop", partial(_version, "uvloop", "there"))


def _alerts(targets: Sequence[AlertTarget], environment: Mapping[str, str]) -> Check:
    """Look for ways to a person; one that lacks its secret is none."""
    from pyrt.live.observe.redaction import Redactor
    from pyrt.live.observe.targets import make_senders

    if not targets:
        return "alerts", "warn", "nobody is told: no [[alerts]] in the settings"

    def ways() -> str:
        return f"{len(make_senders(targets, Redactor(()), environment))} ways to a person"

    return _try("alerts", ways)


def _dashboard() -> Check:
    """Look for what the page is served and drawn with."""
    missing = [name for name in PAGE if importlib.util.find_spec(name) is None]
    if not missing:
        return "dashboard", "ok", "what it needs is there"
    text = f"{', '.join(missing)} missing: pip install 'pyrt[ops]'"
    # It is whole without charts.
    return "dashboard", "warn" if missing == ["plotly"] else "bad", text


def _core_files() -> Check:
    soft, _ = resource.getrlimit(resource.RLIMIT_CORE)
    if soft == 0:
        return "core files", "ok", "off"
    return "core files", "warn", "on; they may hold keys: ulimit -c 0"


def _clock() -> Check:
    """Compare the wall clock's pace with the monotonic one's."""
    wall, steady = time.time(), time.monotonic()
    time.sleep(0.05)
    drift = abs((time.time() - wall) - (time.monotonic() - steady))
    return "clock", "ok" if drift < 0.01 else "warn", f"{drift * 1e3:.3f} ms off in 50 ms"


def _disk(folder: Path) -> Check:
    """Measure how long a synced append takes where the journal will lie."""
    where = folder if folder.is_dir() else folder.parent
    try:
        with tempfile.NamedTemporaryFile(dir=where) as file:
            times = []
            for _ in range(SYNCS):
                began = time.perf_counter()
                file.write(b"x" * 300)
                file.flush()
                os.fdatasync(file.fileno())
                times.append((time.perf_counter() - began) * 1e3)
    except OSError as error:
        return "disk", "bad", f"{where}: {error.strerror}"
    median = sorted(times)[len(times) // 2]
    state = "ok" if median < SLOW_SYNC_MS else "warn"
    return "disk", state, f"a synced append takes {median:.2f} ms, at most {max(times):.2f} ms"


def _free(folder: Path) -> Check:
    where = folder if folder.is_dir() else folder.parent
    stat = os.statvfs(where)
    free = stat.f_bavail * stat.f_frsize
    return "space", "ok" if free > FREE_BYTES else "warn", f"{free / 1e9:.1f} GB free in {where}"


def _config(
    config_file: str, profile: str | None, env_file: str | None
) -> tuple[Path | None, list[Check]]:
    """Look at a node's settings, keys, state folder and limits."""
    from pyrt.cli.starts import check_settings, environment_of, keys_of
    from pyrt.errors import PyrtError
    from pyrt.live.profiles import load_config

    try:
        environment = environment_of(env_file)
        settings = load_config(config_file, profile, environment)
        check_settings(settings)
    except PyrtError as error:
        return None, [("settings", "bad", str(error))]
    found: list[Check] = [("settings", "ok", f"{settings.mode}, {', '.join(settings.symbols)}")]
    limits = settings.make_limits()
    missing = () if limits is None else limits.missing()
    text = f"missing: {', '.join(missing)}" if missing else "set"
    found.append(("limits", "bad" if missing else "ok" if limits else "warn", text))

    def keys() -> str:
        keys_of(settings, environment, env_file)
        return "there, of the right kind"

    found.append(_try("keys", keys))
    if settings.dashboard:
        found.append(_dashboard())
    found.append(_alerts(settings.alerts, environment))
    folder = settings.state_folder()
    if folder is None:
        found.append(("state folder", "warn", "none: nothing is kept"))
    elif folder.is_dir():
        from pyrt.live.journal.files import RealFiles
        from pyrt.live.journal.verify import verify

        def journal() -> str:
            reports = verify(RealFiles(folder))
            bad = [report.error for report in reports if report.error]
            if bad:
                raise ValueError(bad[0])
            return f"{folder} is sound" if reports else f"there is none in {folder} yet"

        found.append(_try("journal", journal))
    return folder, found
