"""A node's settings: the file, its profiles, the environment, and the commands that read them."""

from __future__ import annotations

import importlib.util
import json
import tomllib
from pathlib import Path

import pytest

from pyrt.cli import main
from pyrt.errors import ConfigError
from pyrt.live.config import NodeConfig
from pyrt.live.profiles import load_config
from pyrt.live.template import TEMPLATE

LIMITS = {"max_order_notional": 1000}
CAUTIOUS = tomllib.loads(TEMPLATE)["limits"]


def write(tmp_path, text: str):
    path = tmp_path / "node.toml"
    path.write_text(text)
    return path


def test_file_profile_and_environment_are_laid_over_one_another(tmp_path):
    path = write(
        tmp_path,
        'symbols = ["SPY"]\nfeed = "iex"\nwarmup = 1\nseed = 1\n'
        '[profiles.paper]\nfeed = "sip"\nwarmup = 2\n',
    )
    assert load_config(path, environment={}).warmup == 1
    config = load_config(path, "paper", {"PYRT_NODE_WARMUP": "3", "PYRT_NODE_SYMBOLS": "A,B"})
    assert (config.feed, config.warmup, config.seed) == ("sip", 3, 1)
    assert config.symbols == ("A", "B")


def test_a_profile_changes_what_it_names_of_a_table_and_leaves_the_rest(tmp_path):
    """All limits that it did not name were gone: nobody had asked for fewer."""
    path = write(
        tmp_path,
        'symbols = ["SPY"]\n'
        "[limits]\nmax_order_notional = 1000\nhalt_daily_loss = 200\n"
        "[limits.symbols.SPY]\nmax_order_notional = 300\nmax_order_quantity = 3\n"
        "[profiles.paper.limits]\nmax_order_notional = 500\n"
        "[profiles.paper.limits.symbols.SPY]\nmax_order_quantity = 4\n",
    )
    spy = {"max_order_notional": 300, "max_order_quantity": 3}
    limits = {"max_order_notional": 1000, "halt_daily_loss": 200, "symbols": {"SPY": spy}}
    assert load_config(path, environment={}).limits == limits
    changed = {**limits, "max_order_notional": 500}
    changed["symbols"] = {"SPY": {**spy, "max_order_quantity": 4}}
    assert load_config(path, "paper", {}).limits == changed


def test_a_variable_of_the_wrong_type_is_named_and_not_the_file(tmp_path):
    path = write(tmp_path, 'symbols = ["SPY"]\nwarmup = 3\n')
    named = {"PYRT_NODE_DASHBOARD_PORT": "many"}
    with pytest.raises(ConfigError, match=r"^PYRT_NODE_DASHBOARD_PORT='many': Expected `int`"):
        load_config(path, environment=named)
    wrong = write(tmp_path, 'symbols = ["SPY"]\nwarmup = "many"\n')
    with pytest.raises(ConfigError, match=r"node.toml: Expected `int`.*warmup"):
        load_config(wrong, environment={"PYRT_NODE_DASHBOARD_PORT": "1"})


@pytest.mark.parametrize(
    ("variable", "match"),
    [
        ("PYRT_NODE_STATEDIR", "PYRT_NODE_STATEDIR: there is no setting .*state_dir"),
        ("PYRT_NODE_MAX_ORDER_NOTIONAL", r"Limits are set in the file, by its table \[limits\]"),
    ],
)
def test_a_variable_that_names_no_setting_is_refused(tmp_path, variable, match):
    path = write(tmp_path, 'symbols = ["SPY"]\n')
    with pytest.raises(ConfigError, match=match):
        load_config(path, environment={variable: "1"})
    topics = load_config(path, environment={"PYRT_NODE_PUBLISH_TOPICS": "data.*,risk.*", "X": "1"})
    assert topics.publish_topics == ("data.*", "risk.*")


@pytest.mark.parametrize(
    ("text", "profile", "match"),
    [
        ('symbols = ["SPY"]\nsymbol = 1\n', None, "no setting 'symbol'"),
        ('symbols = ["SPY"]\n', "papre", "no profile 'papre'"),
        ('symbols = ["SPY"]\n[profiles.lvie]\nseed = 1\n', None, "no profile 'lvie'"),
        ('symbols = ["SPY"]\n[profiles.live]\nsead = 1\n', "paper", "no setting 'sead'"),
        ('symbols = ["SPY"]\n[profiles]\nlive = 1\n', None, "profiles are tables"),
        ("symbols = [", None, "node.toml"),
        ('symbols = ["SPY"]\nwarmup = "many"\n', None, "warmup"),
        ('symbols = ["SPY"]\n[limits]\nmax_order = 1\n', None, "max_order"),
        ('symbols = ["SPY"]\n[limits]\ncooldown = 60\n', None, 'such as "60s"; a bare'),
        ('symbols = ["SPY"]\non_stop = "run"\n', None, "on_stop"),
        ('symbols = ["SPY"]\nsave_s = 0\n', None, "save_s"),
        ('symbols = ["SPY"]\nmode = "live"\n', None, "account_id"),
        ('symbols = ["SPY"]\ndashboard_port = 99999\n', None, "dashboard_port is 99999"),
        ('symbols = ["SPY"]\nhandler_timeout_s = nan\n', None, "handler_timeout_s is nan"),
        ('symbols = ["SPY"]\nbackup_hours = inf\n', None, "backup_hours is inf"),
        ('symbols = ["SPY"]\nshadow_cash = 0\n', None, "shadow_cash is 0"),
        ('symbols = ["SPY"]\nlog_level = "LOUD"\n', None, "log_level is 'LOUD'"),
        ('symbols = ["SPY"]\nfeed = "ixe"\n', None, "feed is 'ixe'"),
        ('symbols = ["SPY"]\nrun_id = "../x y"\n', None, "run_id is '../x y'"),
        (f'symbols = ["SPY"]\nrun_id = "{"x" * 33}"\n', None, "run_id is 'xxx"),
        ('symbols = ["SPY", "SPY"]\n', None, "symbols has 'SPY'"),
        ('symbols = [""]\n', None, "symbols has ''"),
        ('symbols = ["SPY"]\n[[alerts]]\nform = "slak"\nurl_env = "X"\n', None, "form is 'slak'"),
        ('symbols = ["SPY"]\n[[alerts]]\nform = "slack"\n', None, "needs its url_env"),
        ('symbols = ["SPY"]\n[[alerts]]\nform = "email"\nhost = "m"\n', None, "needs its sender"),
    ],
)
def test_mistakes_in_settings_are_named(tmp_path, text, profile, match):
    with pytest.raises(ConfigError, match=match):
        load_config(write(tmp_path, text), profile, {})


def test_without_limits_nothing_but_a_simulator_here_is_traded():
    with pytest.raises(ConfigError, match="no risk limits"):
        NodeConfig(symbols=("SPY",)).check_limits()
    NodeConfig(symbols=("SPY",), limits=LIMITS).check_limits()
    NodeConfig(symbols=("SPY",), trading_url="http://127.0.0.1:1").check_limits()


def test_limits_of_a_symbol_that_is_not_traded_are_told():
    """Misspelt, they hold nothing, and whoever signed them believes they do."""
    limits = {**LIMITS, "symbols": {"SPYY": {"max_order_notional": 10}, "SPY": {}}}
    config = NodeConfig(symbols=("SPY", "QQQ"), limits=limits)
    told = "limits are set for SPYY, which symbols does not name"
    assert config.warnings() == [("other_symbols", told)]


@pytest.mark.parametrize(("share", "told"), [("0.25", ""), (2.5, ""), (25, "2500%"), ("5", "500%")])
def test_a_percentage_in_place_of_a_share_is_told(share, told):
    """It was a limit that nothing reaches."""
    limits = {"max_order_quantity": 1, "max_concentration": share}
    config = NodeConfig(symbols=("SPY",), state_dir="state", limits=limits)
    text = f"max_concentration is {share}, a share of one: that is {told}"
    assert config.warnings() == ([("percentage", text)] if told else [])


def test_another_feed_than_the_backtests_is_told():
    config = NodeConfig(symbols=("SPY",), limits=LIMITS, feed="iex", backtest_feed="sip")
    assert [code for code, _ in config.warnings()] == ["other_feed"]


ALERT = """
[[alerts]]
form = "slack"
url_env = "HOOK_OF_THIS_TEST"

"""


def test_init_check_show_and_doctor(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("APCA_API_KEY_ID", "PKX")
    monkeypatch.setenv("APCA_API_SECRET_KEY", "canary-77")
    monkeypatch.chdir(tmp_path)
    path = str(tmp_path / "node.toml")
    assert main(["live", "--init", "--config", path]) == 0
    assert main(["live", "--init", "--config", path]) == 2
    assert main(["config", "check", path]) == 0
    assert main(["config", "show", path, "--json"]) == 0
    shown = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert shown["on_stop"] == "cancel_entries"
    assert main(["doctor", "--config", path, "--json"]) == 0
    found = {row["check"]: row["state"] for row in json.loads(capsys.readouterr().out)}
    assert found["settings"] == found["limits"] == found["keys"] == "ok"
    # Nobody would hear of anything.
    assert found["alerts"] == "warn"
    text = Path(path).read_text().replace("# Sign by", ALERT + "# Sign by")
    Path(path).write_text(text)
    assert main(["doctor", "--config", path, "--json"]) == 1
    rows = {row["check"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["alerts"]["state"] == "bad"
    assert "HOOK_OF_THIS_TEST" in rows["alerts"]["text"]
    assert main(["live", "--config", path]) == 2
    assert "canary" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ('fees = "bogus"', "'bogus' is no fee model"),
        ('publish = "nonsense"', "the link's address is 'nonsense'"),
        ('publish_topics = ["bogus.*"]\nsignals = "ipc:///x"', "'bogus.*' matches no topic"),
        ('signals = "tcp://10.0.0.1:5"', "the link's address is 'tcp://10.0.0.1:5'"),
        ('replay_speed = "abc"', "speed is 'abc'"),
        ('replay = "nowhere.csv"', "nowhere.csv"),
        ('replay = "bars.csv"\nfees = "bogus"', "'bogus' is no fee model"),
        (ALERT, "the variable HOOK_OF_THIS_TEST is not set"),
        ('mode = "live"\naccount_id = "1"', "mode is live, and the key is no live key"),
        ('env_file = "none"', "none"),
        ('state_dir = "open"', "others may enter open"),
    ],
)
def test_check_refuses_what_a_start_refuses(tmp_path, capsys, monkeypatch, text, hint):
    monkeypatch.chdir(tmp_path)
    Path("open").mkdir()
    Path("open").chmod(0o755)
    limits = "[limits]\n" + "\n".join(f"{n} = {json.dumps(v)}" for n, v in CAUTIOUS.items())
    path = str(write(tmp_path, f'symbols = ["SPY"]\n{limits}\n'))
    assert main(["config", "check", path]) == 0
    write(tmp_path, f'symbols = ["SPY"]\n{text}\n{limits}\n')
    assert main(["config", "check", path]) == 2
    assert hint in capsys.readouterr().err


def test_check_looks_with_the_variables_that_a_service_has(tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("APCA_API_KEY_ID")
    monkeypatch.delenv("APCA_API_SECRET_KEY")
    monkeypatch.chdir(tmp_path)
    assert main(["live", "--init", "--config", "node.toml"]) == 0
    assert main(["config", "check", "node.toml"]) == 2
    assert "there are no Alpaca keys" in capsys.readouterr().err
    Path("env").write_text("APCA_API_KEY_ID=PKX\nAPCA_API_SECRET_KEY=s\nPYRT_NODE_FEED=sip\n")
    Path("env").chmod(0o600)
    assert main(["config", "check", "node.toml", "--env-file", "env"]) == 0
    assert main(["config", "show", "node.toml", "--env-file", "env", "--json"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["feed"] == "sip"


@pytest.mark.parametrize(
    ("missing", "state"), [((), "ok"), (("plotly",), "warn"), (("uvicorn", "plotly"), "bad")]
)
def test_doctor_looks_for_what_the_dashboard_needs(tmp_path, capsys, monkeypatch, missing, state):
    monkeypatch.setenv("APCA_API_KEY_ID", "PKX")
    monkeypatch.setenv("APCA_API_SECRET_KEY", "s")
    monkeypatch.chdir(tmp_path)
    find = importlib.util.find_spec
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name: None if name in missing else find(name)
    )
    assert main(["live", "--init", "--config", "node.toml"]) == 0
    for profile, expected in (("dev", state), ("paper", None)):
        capsys.readouterr()
        main(["doctor", "--config", "node.toml", "--profile", profile, "--json"])
        rows = {row["check"]: row for row in json.loads(capsys.readouterr().out)}
        assert rows.get("dashboard", {}).get("state") == expected


def test_doctor_looks_with_the_variables_that_a_service_has(tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("APCA_API_KEY_ID")
    monkeypatch.delenv("APCA_API_SECRET_KEY")
    monkeypatch.chdir(tmp_path)
    assert main(["live", "--init", "--config", "node.toml"]) == 0
    text = Path("node.toml").read_text().replace("# Sign by", ALERT + "# Sign by")
    Path("node.toml").write_text(text)
    lines = ("APCA_API_KEY_ID=PKX", "APCA_API_SECRET_KEY=canary-77",
             "HOOK_OF_THIS_TEST=https://hooks.slack.com/x", "PYRT_NODE_MODE=live")  # fmt: skip
    for count, states in (
        (2, ("ok", "ok", "bad")), (3, ("ok", "ok", "ok")), (4, ("bad", None, None))
    ):  # fmt: skip
        Path("env").write_text("\n".join(lines[:count]))
        Path("env").chmod(0o600)
        capsys.readouterr()
        main(["doctor", "--config", "node.toml", "--env-file", "env", "--json"])
        found = {row["check"]: row["state"] for row in json.loads(capsys.readouterr().out)}
        assert tuple(found.get(name) for name in ("settings", "keys", "alerts")) == states
    Path("env").chmod(0o644)
    assert main(["doctor", "--config", "node.toml", "--env-file", "env"]) == 1
    assert "env may be read by others" in capsys.readouterr().out
