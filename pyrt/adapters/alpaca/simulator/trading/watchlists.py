"""/v2/watchlists: named lists of assets, by id and by name."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from pyrt.adapters.alpaca.simulator.protocol.http import Response, answer, bad, refused
from pyrt.adapters.alpaca.simulator.protocol.router import Request, Router
from pyrt.adapters.alpaca.simulator.protocol.wires import ACCOUNT_ID, utc_text
from pyrt.adapters.alpaca.simulator.trading.desk import Desk
from pyrt.adapters.alpaca.simulator.trading.reference import find_asset

NAME_MAX = 64


def install(router: Router, desk: Desk) -> None:
    """Add the routes."""
    lists, symbol = "/v2/watchlists", "([^/]+(?:/[^/]+)?)"
    router.add("GET", lists, lambda r: answer(list(desk.watchlists.values())))
    router.add("POST", lists, lambda r: answer(_make(desk, r.body)))
    for path in (f"{lists}/([^/]+)", f"{lists}:by_name"):
        router.add("GET", path, lambda r: answer(_find(desk, r)))
        router.add("PUT", path, lambda r: answer(_change(desk, _find(desk, r), r.body)))
        router.add("POST", path, lambda r: answer(_extend(desk, _find(desk, r), r.body)))
        router.add("DELETE", path, partial(_drop, desk))
    router.add("DELETE", f"{lists}/([^/]+)/{symbol}", lambda r: answer(_shorten(desk, r)))


def _find(desk: Desk, request: Request) -> dict[str, Any]:
    """Return the list that a path's id or a query's name means; Refused if there is none."""
    for body in desk.watchlists.values():
        if body["id"] == request.parts[0] if request.parts else _is_called(body, request):
            return body
    raise refused(404, 40410000, "watchlist not found")


def _is_called(body: Mapping[str, Any], request: Request) -> bool:
    return bool(body["name"] == request.query.get("name", ""))


def _make(desk: Desk, body: Mapping[str, Any]) -> dict[str, Any]:
    name = _name(body)
    if any(known["name"] == name for known in desk.watchlists.values()):
        raise refused(422, 40010001, "watchlist name must be unique")
    assets = _assets(desk, body)
    desk.lists += 1
    key, stamp = desk.made_id("watchlist", desk.lists), utc_text(desk.now)
    desk.watchlists[key] = {
        "id": key,
        "account_id": ACCOUNT_ID,
        "created_at": stamp,
        "updated_at": stamp,
        "name": name,
        "assets": assets or [],
    }
    return desk.watchlists[key]


def _name(body: Mapping[str, Any]) -> str:
    name = body.get("name")
    if not isinstance(name, str) or len(name) > NAME_MAX:
        raise bad(f"watchlist name must be 1 to {NAME_MAX} characters")
    return name


def _assets(desk: Desk, body: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """Return the assets of a body's symbols, each once; None where it names none."""
    symbols = body.get("symbols")
    if symbols is None:
        return None
    if not isinstance(symbols, list):
        raise bad("invalid symbols")
    known = dict.fromkeys(str(symbol) for symbol in symbols if symbol is not None)
    return [find_asset(desk, symbol) for symbol in known]


def _change(desk: Desk, found: dict[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
    assets = _assets(desk, body)
    if body.get("name") is not None:
        found["name"] = _name(body)
    if assets is not None:
        found["assets"] = assets
    found["updated_at"] = utc_text(desk.now)
    return found


def _extend(desk: Desk, found: dict[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
    asset = find_asset(desk, str(body.get("symbol", "")))
    if asset["id"] not in [known["id"] for known in found["assets"]]:
        found["assets"].append(asset)
        found["updated_at"] = utc_text(desk.now)
    return found


def _shorten(desk: Desk, request: Request) -> dict[str, Any]:
    found = _find(desk, request)
    asset = find_asset(desk, request.parts[1])
    found["assets"] = [known for known in found["assets"] if known["id"] != asset["id"]]
    return found


def _drop(desk: Desk, request: Request) -> Response:
    del desk.watchlists[_find(desk, request)["id"]]
    return Response(204, b"")
