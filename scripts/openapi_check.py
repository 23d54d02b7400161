"""List how Alpaca's OpenAPI documents have drifted from the ones this project was built on.

    python scripts/openapi_check.py OLD NEW     two files, or a file and a URL
    python scripts/openapi_check.py             the stored documents against Alpaca's site

Paths, methods, parameters, request and answer fields and enumerated values are compared; text is
not. Exit code 1 if anything differs, 0 if not or if the site cannot be reached.
"""

from __future__ import annotations

import json
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SITE = "https://docs.alpaca.markets/openapi/"
STORED = {
    "trading-api.2026.json": "trading-api.json",
    "market-data-api.2026.json": "market-data-api.json",
}
METHODS = ("get", "post", "put", "patch", "delete")


def read(place: str) -> Any:
    """Return a document from a file or an https URL."""
    if place.startswith("https://"):
        with urllib.request.urlopen(place, timeout=20) as answer:
            return json.loads(answer.read())
    return json.loads(Path(place).read_text("utf-8"))


def facts(document: dict[str, Any]) -> Iterator[str]:
    """Yield one line for each thing that clients rely on."""
    for path, item in document.get("paths", {}).items():
        for method in METHODS:
            if method not in item:
                continue
            name = f"{method.upper()} {path}"
            yield name
            for parameter in (*item.get("parameters", ()), *item[method].get("parameters", ())):
                given = resolved(document, parameter)
                needed = " (required)" if given.get("required") else ""
                yield f"{name} ?{given.get('name')}{needed}"
            for status in item[method].get("responses", {}):
                yield f"{name} → {status}"
    for name, schema in document.get("components", {}).get("schemas", {}).items():
        yield from schema_facts(f"schema {name}", schema)


def schema_facts(name: str, schema: dict[str, Any]) -> Iterator[str]:
    """Yield one line for each field and each enumerated value of a schema."""
    required = set(schema.get("required", ()))
    for value in schema.get("enum", ()):
        yield f"{name} = {value}"
    for field, inner in schema.get("properties", {}).items():
        kind = inner.get("type") or inner.get("$ref", "").rpartition("/")[2] or "any"
        yield f"{name}.{field}: {kind}{' (required)' if field in required else ''}"
        if isinstance(inner, dict):
            yield from schema_facts(f"{name}.{field}", inner)
    for part in (*schema.get("allOf", ()), *schema.get("oneOf", ()), *schema.get("anyOf", ())):
        yield from schema_facts(name, part)


def resolved(document: dict[str, Any], item: dict[str, Any]) -> dict[str, Any]:
    """Follow a local reference."""
    if "$ref" not in item:
        return item
    found: Any = document
    for part in item["$ref"].removeprefix("#/").split("/"):
        found = found.get(part, {})
    return dict(found)


def drift(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """Return what is gone (-) and what is new (+), sorted."""
    before, after = set(facts(old)), set(facts(new))
    gone = [f"- {line}" for line in before - after]
    return sorted([*gone, *(f"+ {line}" for line in after - before)], key=lambda line: line[2:])


def main(arguments: list[str]) -> int:
    """Compare, print, and return the exit code."""
    if arguments:
        pairs = [(arguments[0], arguments[1])]
    else:
        root = Path(__file__).resolve().parent.parent.parent / "shared" / "openapi"
        folder = Path(os.environ.get("PYRT_OPENAPI", root))
        pairs = [(str(folder / name), SITE + theirs) for name, theirs in STORED.items()]
    differs = False
    for old, new in pairs:
        try:
            lines = drift(read(old), read(new))
        except (urllib.error.URLError, TimeoutError, FileNotFoundError) as error:
            print(f"skipped: {new} against {old}: {error}")
            continue
        print(f"{new}: {len(lines)} differences from {old}")
        print("\n".join(lines), end="\n" if lines else "")
        differs = differs or bool(lines)
    return int(differs)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
