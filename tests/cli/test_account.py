"""Which account the commands mean: by a node's settings, paper or live, and by options."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from pyrt.adapters.alpaca.simulator.session import make_core
from pyrt.cli import main
from pyrt.live.process.lock import lock_account
from tests.adapters.simulator.exchange import CLOSES
from tests.documents import blocks
from tests.minutes import minute_bars

pytest.importorskip("uvicorn")

from tests.live.wire import Served

NUMBER = "PA0000000"
PAGE = Path(__file__).resolve().parents[2] / "docs" / "operations" / "alarms.md"
COMMANDS = ("account", "positions", "orders", "cancel", "close")
RUNBOOK = [
    line.strip().removeprefix("$ ")
    for block in blocks(PAGE, "console")
    for line in block.code.splitlines()
    if line.strip().removeprefix("$ pyrt ").split()[0] in COMMANDS
]


class World:
    """A served exchange, a node's folder as a service has it, and no keys in the environment."""

    def __init__(self, served: Served, folder: Path, mode: str) -> None:
        self.folder, self.urls = folder, served.urls
        self.served = served
        headers = served.keys.headers()
        self.broker = httpx.Client(base_url=self.urls["rest_url"], headers=headers)
        self.settings = {
            "symbols": ["SPY"],
            "mode": mode,
            "account_id": NUMBER,
            "trading_url": self.urls["rest_url"],
            "data_url": self.urls["data_url"],
            "state_dir": "pyrt-state",
        }
        self.write(self.settings)
        keys = folder / "env"
        keys.write_text(
            f"APCA_API_KEY_ID={self.urls['key']}\nAPCA_API_SECRET_KEY={self.urls['secret']}\n"
        )
        keys.chmod(0o600)
        (folder / "pyrt-state").mkdir(mode=0o700)
        served.minutes(1)

    def write(self, settings: dict[str, Any], **profile: Any) -> None:
        lines = [f"{name} = {json.dumps(value)}" for name, value in settings.items()]
        lines += ["[profiles.live]", *(f"{n} = {json.dumps(v)}" for n, v in profile.items())]
        (self.folder / "node.toml").write_text("\n".join(lines))

    def buy(self, **terms: Any) -> str:
        order = {"symbol": "SPY", "qty": 10, "side": "buy", "time_in_force": "day"}
        answer = self.broker.post("/v2/orders", json={**order, "type": "market", **terms})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["id"])


@pytest.fixture(params=["paper", "live"])
def world(request: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    for name in ("APCA_API_KEY_ID", "APCA_API_SECRET_KEY", "APCA_API_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    monkeypatch.setenv("XDG_STATE_HOME", "/dev/null/no-home")
    monkeypatch.chdir(tmp_path)
    key = {"paper": "PKPAPER", "live": "AKLIVE"}[request.param]
    with Served(make_core([minute_bars("SPY", CLOSES)]), key) as served:
        made = World(served, tmp_path, request.param)
        yield made
        made.broker.close()


@pytest.mark.parametrize("line", RUNBOOK)
def test_the_runbook_s_lines_work_in_the_folder_of_a_node_that_is_dead(
    line: str, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.buy()
    world.served.minutes(1)
    resting = world.buy(type="limit", limit_price="50")
    words = shlex.split(line)[1:]
    # An order's id is the reader's to fill in.
    words = [resting if word.count("-") == 4 else word for word in words]
    assert main(words) == 0, capsys.readouterr().err
    shown = capsys.readouterr().out
    assert "SPY" in shown
    if words[0] == "cancel":
        assert "canceled" in shown


def test_what_is_asked_for_is_noted_in_the_folder_of_the_node(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.buy(type="limit", limit_price="50")
    given = ["--config", "node.toml", "--env-file", "env"]
    assert main(["cancel", "--all", "--reason", "tidy up", *given]) == 0
    kept = [p.read_bytes() for p in Path("pyrt-state/scripts").iterdir() if p.is_file()]
    assert any(b"tidy up" in each for each in kept)


def test_a_user_without_a_home_cancels(
    world: World, capsys: pytest.CaptureFixture[str], caplog: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setattr(Path, "home", homeless)
    Path("pyrt-state").rmdir()
    world.buy(type="limit", limit_price="50")
    assert main(["cancel", "--all", "--config", "node.toml", "--env-file", "env"]) == 0
    assert "canceled" in capsys.readouterr().out
    assert "XDG_STATE_HOME" in caplog.text


def test_a_node_that_holds_the_account_is_asked_by_its_settings(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[Path, str]] = []

    def ask(folder: Path, action: str, **given: str) -> dict[str, str]:
        asked.append((folder, action))
        return {"done": "the node does it"}

    monkeypatch.setattr("pyrt.adapters.alpaca.account.scripts.ask", ask)
    world.buy(type="limit", limit_price="50")
    given = ["--config", "node.toml", "--env-file", "env"]
    lock = lock_account(world.urls["rest_url"], NUMBER)
    try:
        assert main(["cancel", "--all", *given]) == 0
        assert main(["cancel", "--all", *given, "--node", "elsewhere"]) == 0
    finally:
        lock.release()
    assert asked == [(Path("pyrt-state"), "cancel_all"), (Path("elsewhere"), "cancel_all")]


def test_the_file_of_the_service_says_all_that_it_says_to_the_node(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Settings too; and where it holds no keys, the settings may say where they are."""
    asked: list[Path] = []

    def ask(folder: Path, action: str, **given: str) -> dict[str, str]:
        asked.append(folder)
        return {"done": "the node does it"}

    monkeypatch.setattr("pyrt.adapters.alpaca.account.scripts.ask", ask)
    service = world.folder / "service"
    service.write_text("PYRT_NODE_STATE_DIR=/elsewhere/state\nPYRT_NODE_ENV_FILE=env\n")
    service.chmod(0o600)
    world.buy(type="limit", limit_price="50")
    given = ["--config", "node.toml", "--env-file", "service"]
    lock = lock_account(world.urls["rest_url"], NUMBER)
    try:
        assert main(["cancel", "--all", *given]) == 0, capsys.readouterr().err
    finally:
        lock.release()
    assert asked == [Path("/elsewhere/state")]


def test_a_profile_says_which_world(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    settings = {**world.settings, "mode": "paper", "account_id": ""}
    world.write(settings, account_id=NUMBER)
    given = ["orders", "--config", "node.toml", "--env-file", "env"]
    is_live = world.settings["mode"] == "live"
    assert main(given) == (2 if is_live else 0)
    assert ("name the profile that you mean" in capsys.readouterr().err) == is_live
    assert main([*given, "--profile", "live"]) == (0 if is_live else 2)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--config", "node.toml", "--live"], "--live is said by --config"),
        (["--config", "node.toml", "--account-id", NUMBER], "--account-id is said by --config"),
        (["--config", "node.toml", "--url", "http://127.0.0.1:1"], "--url is said by --config"),
        (["--profile", "live"], "--profile is one of the settings that --config names"),
        (["--config", "none.toml"], "none.toml cannot be read"),
    ],
)
def test_an_account_is_named_once(
    more: list[str], said: str, tmp_path: Path, monkeypatch: Any, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["cancel", "--all", *more]) == 2
    assert said in capsys.readouterr().err


def test_a_live_key_alone_hears_how_the_live_account_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("APCA_API_KEY_ID", "AKLIVE")
    monkeypatch.setenv("APCA_API_SECRET_KEY", "canary-1f")
    assert main(["cancel", "--all", "--reason", "the node is down"]) == 2
    told = capsys.readouterr().err
    assert "--live --account-id NUMBER" in told
    assert "--config" in told
    assert main(["cancel", "--all", "--live"]) == 2
    assert "--account-id" in capsys.readouterr().err
