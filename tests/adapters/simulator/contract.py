"""Alpaca's own OpenAPI documents, held against every answer of the simulator's tests."""

from __future__ import annotations

import json
import os
import re
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

FOLDER = Path(
    os.environ.get("PYRT_SHARED_OPENAPI")
    or Path(__file__).resolve().parents[4] / "shared" / "openapi"
)
NAMES = ("trading", "market-data")
BEYOND = {("exchange", "CRYPTO"), ("borrow_status", "not_available")}
"""Values that Alpaca sends for coins and its documents do not list."""
UNDOCUMENTED = {
    # Alpaca answers these with an error object, which the documents leave out for most paths.
    400: "error",
    401: "error",
    403: "error",
    404: "error",
    422: "error",
}


@cache
def document(name: str) -> dict[str, Any] | None:
    """Return one of the documents, None where they are not."""
    path = FOLDER / f"{name}-api.2026.json"
    return dict(json.loads(path.read_text())) if path.is_file() else None


def require_documents() -> None:
    """Skip a test where the documents are not."""
    if any(document(name) is None for name in NAMES):
        pytest.skip(f"the OpenAPI documents are not at {FOLDER}")


@cache
def operations() -> list[tuple[re.Pattern[str], str, str]]:
    """Return (pattern, document, path) of every path, those without parameters first."""
    found = []
    for name in NAMES:
        for path in (document(name) or {}).get("paths", {}):
            pattern = re.sub(r"\\\{[^}]*\\\}", "[^/]+(?:/USD)?", re.escape(path))
            found.append((re.compile(pattern), name, path))
    return sorted(found, key=lambda item: item[2].count("{"))


@cache
def schema_of(name: str, path: str, method: str, status: int) -> Any:
    """Return a validator of an answer; None where the documents say nothing of its body."""
    from jsonschema_rs import validator_for

    whole = document(name) or {}
    operation = whole["paths"][path].get(method)
    assert operation is not None, f"{method} {path} is not documented"
    response = operation["responses"].get(str(status))
    if response is None:
        assert status in UNDOCUMENTED, f"{method} {path} is never answered {status}"
        return None
    while "$ref" in response:
        response = _at(whole, response["$ref"])
    content = response.get("content", {}).get("application/json")
    if content is None:
        return None
    schema = {"allOf": [content["schema"]], "components": whole["components"]}
    return validator_for(_nullable(schema), validate_formats=True)


def _at(whole: dict[str, Any], reference: str) -> Any:
    found: Any = whole
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return found


def _nullable(schema: Any) -> Any:
    """Return a schema of OpenAPI 3.0 as JSON Schema: `nullable` becomes the type null."""
    if isinstance(schema, list):
        return [_nullable(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: _nullable(part) for name, part in schema.items()}
    if "oneOf" in made:
        # Its one use is on objects of which nothing is required, so that both always fit.
        made["anyOf"] = made.pop("oneOf")
    if made.get("nullable") is True:
        if isinstance(made.get("type"), str):
            made["type"] = [made["type"], "null"]
        if isinstance(made.get("enum"), list):
            made["enum"] = [*made["enum"], None]
    return made


def faults(method: str, target: str, status: int, body: bytes) -> list[str]:
    """Return where an answer is not what the documents say; empty where all is well."""
    pytest.importorskip("jsonschema_rs")
    path = unquote(urlsplit(target).path)
    for pattern, name, template in operations():
        if pattern.fullmatch(path) is not None:
            validator = schema_of(name, template, method.lower(), status)
            break
    else:
        return [] if status == 404 else [f"{path} is not documented"]
    if validator is None:
        return [] if status >= 400 or not body else [f"{path}: a body that is not documented"]
    where = "{} {} {}".format
    return [
        where(template, "/".join(map(str, error.instance_path)), error.message[:200])
        for error in validator.iter_errors(json.loads(body))
        if (error.instance_path[-1:] or [""])[0] not in {name for name, _ in BEYOND}
        or (error.instance_path[-1], error.instance) not in BEYOND
    ]


def check(method: str, target: str, status: int, body: bytes) -> None:
    """Fail the test whose answer is not what the documents say."""
    if all(document(name) is not None for name in NAMES):
        assert faults(method, target, status, body) == []
