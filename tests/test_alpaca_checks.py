"""The checks against Alpaca itself: what they find, and that they run, against the simulator."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

SCRIPTS = Path(__file__).resolve().parent.parent / "scripts"


def script(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, SCRIPTS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


OLD = {
    "paths": {
        "/v2/orders": {
            "get": {
                "parameters": [{"name": "status"}, {"$ref": "#/components/parameters/Limit"}],
                "responses": {"200": {}},
            }
        }
    },
    "components": {
        "parameters": {"Limit": {"name": "limit"}},
        "schemas": {
            "Order": {"properties": {"id": {"type": "string"}}, "required": ["id"]},
            "Status": {"enum": ["new", "filled"]},
        },
    },
}


def test_drift_names_what_is_gone_and_what_is_new(tmp_path, capsys):
    new = json.loads(json.dumps(OLD))
    new["paths"]["/v2/orders"]["get"]["parameters"].pop()
    new["paths"]["/v2/orders"]["post"] = {"responses": {"200": {}}}
    new["components"]["schemas"]["Order"]["properties"]["id"]["type"] = "integer"
    new["components"]["schemas"]["Status"]["enum"].append("held")
    paths = []
    for name, document in (("old", OLD), ("new", new)):
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps(document))
        paths.append(str(path))
    check = script("openapi_check")
    assert check.main([paths[0], paths[0]]) == 0
    assert check.main(paths) == 1
    lines = set(capsys.readouterr().out.splitlines())
    assert {
        "- GET /v2/orders ?limit",
        "+ POST /v2/orders",
        "- schema Order.id: string (required)",
        "+ schema Order.id: integer (required)",
        "+ schema Status = held",
    } <= lines


def test_documents_that_are_not_there_are_skipped(tmp_path, capsys):
    missing = str(tmp_path / "none.json")
    assert script("openapi_check").main([missing, missing]) == 0
    assert capsys.readouterr().out.startswith("skipped")


def test_the_paper_check_skips_without_keys(monkeypatch, capsys):
    for name in ("APCA_API_KEY_ID", "APCA_API_SECRET_KEY"):
        monkeypatch.delenv(name)
    assert script("paper_check").main([]) == 0
    assert capsys.readouterr().out.startswith("skipped: there are no Alpaca keys")


def test_the_paper_check_passes_on_the_simulator(monkeypatch, capsys, tmp_path):
    pytest.importorskip("uvicorn")
    from pyrt.adapters.alpaca.simulator.session import make_core
    from tests.adapters.simulator.exchange import CLOSES
    from tests.live.wire import Served
    from tests.minutes import minute_bars

    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    with Served(make_core([minute_bars("SPY", CLOSES)])) as served:
        served.minutes(1)
        monkeypatch.setenv("APCA_API_BASE_URL", served.urls["rest_url"])
        monkeypatch.setenv("APCA_API_DATA_URL", served.urls["data_url"])
        assert script("paper_check").main([]) == 0
    assert "no cash has moved" in capsys.readouterr().out
