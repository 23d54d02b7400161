"""Deployment files: they parse, name metrics and alarms that exist; systemd accepts its units."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from pyrt.cli import exits
from pyrt.live.config import NodeConfig
from pyrt.live.dashboard.tokens import READ_TOKEN
from pyrt.live.observe.metrics import COUNTERS, GAUGES

yaml = pytest.importorskip("yaml")

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
NAME = re.compile(r"\bpyrt_[a-z_]+")
EXPORTED = (
    {f"pyrt_{name}" for name in GAUGES}
    | {f"pyrt_{name}_total" for name in COUNTERS}
    | {f"pyrt_stage_latency_seconds{part}" for part in ("_bucket", "_sum", "_count")}
)


def alerts() -> list[dict[str, Any]]:
    rules = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text("utf-8"))
    return [rule for group in rules["groups"] for rule in group["rules"]]


def headings() -> set[str]:
    text = (ROOT / "docs" / "operations" / "alarms.md").read_text("utf-8")
    return {line.removeprefix("## ").strip() for line in text.splitlines() if line[:3] == "## "}


@pytest.mark.parametrize("path", sorted(DEPLOY.rglob("*.y*ml")), ids=lambda path: path.name)
def test_yaml_files_parse(path: Path) -> None:
    assert yaml.safe_load(path.read_text("utf-8"))


@pytest.mark.parametrize("rule", alerts(), ids=lambda rule: str(rule["alert"]))
def test_an_alert_looks_at_metrics_that_exist_and_has_a_runbook(rule: dict[str, Any]) -> None:
    used = set(NAME.findall(rule["expr"]))
    assert used <= EXPORTED
    assert rule["annotations"]["runbook"].endswith(f"#{rule['alert'].lower()}")
    assert rule["alert"] in headings()


@pytest.mark.parametrize(
    "gauge", ["pyrt_trading_state", "pyrt_symbol_state", "pyrt_strategy_state"]
)
def test_an_alert_tells_of_a_halt_whatever_it_is_of(gauge: str) -> None:
    assert f"{gauge} == 2" in [rule["expr"] for rule in alerts()]


def test_the_dashboard_of_grafana_shows_metrics_that_exist() -> None:
    board = json.loads((DEPLOY / "grafana" / "dashboard.json").read_text("utf-8"))
    expressions = [
        target["expr"] for panel in board["panels"] for target in panel.get("targets", [])
    ]
    used = {name for expression in expressions for name in NAME.findall(expression)}
    assert used <= EXPORTED
    assert {name.removesuffix("_bucket") for name in EXPORTED} - {
        name.removesuffix("_bucket") for name in used
    } <= {
        "pyrt_stage_latency_seconds_sum", "pyrt_stage_latency_seconds_count",
        "pyrt_connection_uptime_seconds",
    }, "a metric that no panel shows"  # fmt: skip


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
@pytest.mark.parametrize("name", ["pyrt-node@", "pyrt-watchdog@"])
def test_systemd_accepts_the_units(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "units"
    shutil.copytree(DEPLOY / "systemd", folder)
    # The program is not at its place on the machine that checks the unit.
    for unit in folder.iterdir():
        unit.write_text(unit.read_text().replace("/opt/pyrt/bin/pyrt", shutil.which("true") or ""))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(folder / f"{name}x.service")],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert "pyrt-" not in done.stderr, done.stderr


def test_the_watchdog_is_started_again_however_often_it_ends() -> None:
    """Systemd gives up after five ends within ten seconds: its lock may be taken for longer."""
    unit = (DEPLOY / "systemd" / "pyrt-watchdog@.service").read_text("utf-8")
    assert {"Restart=always", "StartLimitIntervalSec=0"} <= set(unit.splitlines())


def test_documented_addresses_of_links_are_where_the_unit_lets_a_node_write() -> None:
    unit = (DEPLOY / "systemd" / "pyrt-node@.service").read_text("utf-8")
    folder = re.findall(r"^RuntimeDirectory=(.+)$", unit, re.MULTILINE)[0].replace("%i", "spy")
    assert "Environment=XDG_RUNTIME_DIR=/run/pyrt/%i XDG_CACHE_HOME=/var/cache/pyrt/%i\n" in unit
    named = re.findall(r"ipc://(/[\w/]+)", (ROOT / "docs" / "links.md").read_text("utf-8"))
    assert {str(Path(address).parent) for address in named} == {f"/run/{folder}"}


def compose() -> dict[str, Any]:
    text = (DEPLOY / "docker" / "compose.yaml").read_text("utf-8")
    return dict(yaml.safe_load(text)["services"])


def test_a_node_that_ends_for_its_settings_is_not_started_again() -> None:
    unit = (DEPLOY / "systemd" / "pyrt-node@.service").read_text("utf-8").splitlines()
    assert {"Restart=on-failure", f"RestartPreventExitStatus={exits.USAGE}"} <= set(unit)
    node = compose()["node"]
    assert node["restart"] == "on-failure"
    assert node["entrypoint"] == ["tini", "-e", str(exits.USAGE), "--", "pyrt"]
    image = (DEPLOY / "docker" / "Dockerfile").read_text("utf-8").rpartition("\nFROM ")[2]
    assert "--no-install-recommends tini " in image


@pytest.mark.skipif(shutil.which("tini") is None, reason="no tini here")
@pytest.mark.parametrize(("code", "told"), [(0, 0), (exits.FAILED, exits.FAILED), (exits.USAGE, 0)])
def test_what_starts_the_node_hides_that_code_alone(code: int, told: int) -> None:
    start = compose()["node"]["entrypoint"][:-1]
    done = subprocess.run([*start, "sh", "-c", f"exit {code}"], check=False, timeout=60)
    assert done.returncode == told


def mounts(service: dict[str, Any]) -> dict[str, str]:
    """Return place in the container → what is mounted there."""
    parts = [mount.split(":") for mount in service.get("volumes", [])]
    return {part[1]: part[0] for part in parts}


def test_prometheus_reads_the_token_that_outlives_restarts() -> None:
    settings = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text("utf-8"))
    path = Path(settings["scrape_configs"][0]["authorization"]["credentials_file"])
    assert path.name == READ_TOKEN
    services = compose()
    assert mounts(services["prometheus"])[str(path.parent)] == mounts(services["node"])["/state"]


def test_nothing_is_mounted_inside_what_may_not_be_written() -> None:
    for name, service in compose().items():
        places = [Path(place) for place in mounts(service)]
        inside = [place for place in places for other in places if other in place.parents]
        assert inside == [], name


def test_the_state_is_of_the_user_that_the_image_runs_as() -> None:
    image = (DEPLOY / "docker" / "Dockerfile").read_text("utf-8")
    found = re.search(r"--uid (\d+) --gid (\d+)", image)
    assert found is not None
    assert "install -d -o pyrt -g pyrt -m 0700 /state" in image
    assert compose()["prometheus"]["user"] == f"{found[1]}:{found[2]}"


def test_a_published_port_leads_to_something_that_listens_there() -> None:
    """The page listens on the loopback interface, where nothing published arrives."""
    services = compose()
    published = {port.rpartition(":")[2] for port in services["net"]["ports"]}
    listening, target = services["relay"]["command"]
    assert listening.startswith("TCP-LISTEN:8764,")
    assert target == f"TCP:127.0.0.1:{NodeConfig(symbols=('SPY',)).dashboard_port}"
    assert published == {"8764", "3000"}
    assert all(port.startswith("127.0.0.1:") for port in services["net"]["ports"])


def test_a_build_is_given_the_sources_and_no_keys() -> None:
    lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    given = {rule[1:] for rule in rules if rule.startswith("!")}
    assert given >= {"pyrt", "setup.py", "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE"}
    assert all((ROOT / name).exists() for name in given)
    assert not {name for name in given if name.startswith(("deploy", ".env", "tests"))}


def test_the_image_is_marked_as_untested() -> None:
    for path in (DEPLOY / "docker").iterdir():
        assert "Untested" in path.read_text("utf-8").splitlines()[0], path.name
