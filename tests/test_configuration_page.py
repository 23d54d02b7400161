"""docs/configuration.md says what the typed settings are."""

from __future__ import annotations

import importlib.util
import tomllib
from pathlib import Path

import msgspec

from pyrt.live.config import NodeConfig
from pyrt.live.template import TEMPLATE
from pyrt.risk.limits import Limits

ROOT = Path(__file__).resolve().parent.parent


def generator():
    path = ROOT / "scripts" / "configuration_page.py"
    spec = importlib.util.spec_from_file_location("configuration_page", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_what_the_settings_generate():
    made = generator()
    assert made.PAGE.read_text("utf-8") == made.page(), "run python scripts/configuration_page.py"


def test_every_setting_is_described():
    made = generator()
    described = made.described(NodeConfig)
    missing = [name for name in NodeConfig.__struct_fields__ if not described.get(name)]
    assert missing == []
    limits = made.described(Limits)
    assert set(limits) <= set(Limits.__dataclass_fields__)
    assert len(limits) > 20


def test_what_init_writes_is_acceptable_and_leaves_no_required_limit_out():
    values = tomllib.loads(TEMPLATE)
    profiles = values.pop("profiles")
    config = msgspec.convert(values, NodeConfig)
    assert config.mode == "paper"
    assert config.make_limits().missing() == ()
    for name, table in profiles.items():
        changes = {**values, **table}
        if name == "live":
            changes |= {"mode": "live", "account_id": "123"}
        msgspec.convert(changes, NodeConfig)
