"""Answers of the simulator against Alpaca's own OpenAPI documents."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.simulator.exchange import Bench

FOLDER = Path(
    os.environ.get("PYRT_SHARED_OPENAPI")
    or Path(__file__).resolve().parents[4] / "shared" / "openapi"
)
TYPES: dict[str, Any] = {
    "string": str,
    "object": dict,
    "array": list,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
}


def document(name: str) -> dict[str, Any]:
    path = FOLDER / f"{name}-api.2026.json"
    if not path.is_file():
        pytest.skip(f"the OpenAPI documents are not at {FOLDER}")
    return dict(json.loads(path.read_text()))


def faults(schema: dict[str, Any], value: Any, whole: dict[str, Any], at: str) -> Iterator[str]:
    """Yield where a value is not what a schema says: types, required names, enumerations."""
    while "$ref" in schema:
        found: Any = whole
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        schema = found
    for part in schema.get("allOf", ()):
        yield from faults(part, value, whole, at)
    kind = schema.get("type")
    if value is None or kind is None:
        return
    is_boolean = isinstance(value, bool) and kind != "boolean"
    if not isinstance(value, TYPES[kind]) or is_boolean:
        yield f"{at}: {value!r} is not {kind}"
        return
    if value not in schema.get("enum", [value]):
        yield f"{at}: {value!r} is not in {schema['enum']}"
    if kind == "array":
        for number, item in enumerate(value):
            yield from faults(schema.get("items", {}), item, whole, f"{at}[{number}]")
    if kind == "object":
        for name in schema.get("required", ()):
            if name not in value:
                yield f"{at}.{name} is missing"
        for name, part in schema.get("properties", {}).items():
            if name in value:
                yield from faults(part, value[name], whole, f"{at}.{name}")


def check(name: str, path: str, target: str, bench: Bench) -> list[str]:
    whole = document(name)
    status, body = bench.ask("GET", target)
    response = whole["paths"][path]["get"]["responses"][str(status)]
    schema = response["content"]["application/json"]["schema"]
    return list(faults(schema, body, whole, path))


@pytest.mark.parametrize(
    "path",
    [
        "/v2/account",
        "/v2/account/configurations",
        "/v2/account/activities",
        "/v2/account/portfolio/history",
        "/v2/orders",
        "/v2/positions",
        "/v2/assets",
        "/v2/clock",
        "/v2/calendar",
        "/v2/watchlists",
    ],
)
def test_trading_answers_have_the_documented_shape(path: str) -> None:
    bench = Bench()
    bench.buy(10)
    bench.step()
    bench.buy(1, type="limit", limit_price=90)
    assert check("trading", path, path, bench) == []


@pytest.mark.parametrize(
    "path",
    [
        *(f"/v2/stocks/{kind}" for kind in ("bars", "trades", "quotes", "snapshots")),
        *(f"/v2/stocks/{kind}/latest" for kind in ("bars", "trades", "quotes")),
    ],
)
def test_market_data_answers_have_the_documented_shape(path: str) -> None:
    target = f"{path}?symbols=SPY&timeframe=1Min"
    assert check("market-data", path, target, Bench()) == []


def test_the_check_finds_what_is_wrong() -> None:
    schema = {"type": "object", "required": ["a"], "properties": {"b": {"type": "string"}}}
    assert len(list(faults(schema, {"b": 1}, {}, "x"))) == 2
