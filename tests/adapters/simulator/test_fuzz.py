"""Requests made of Alpaca's OpenAPI documents by schemathesis: no crash, and most are answered.

What the documents leave open (any text as a symbol, any UUID as an order, any text as a page's
token) is filled in with what there is, so that a request that is valid by its schema can be
answered at all. Numbers, times, enums and bodies of settings are those generated.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, unquote, urlencode

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.adapters.simulator import contract
from tests.adapters.simulator.exchange import Bench

NIGHTLY = os.environ.get("PYRT_HYPOTHESIS") == "nightly"
EXAMPLES = 150 if NIGHTLY else 3
SHARE_MIN = 0.6
NOT_SERVED = (
    *("/v1/locates", "/v2/wallets", "/v2/perpetuals", "/v2/tokenization", "/v1beta1/options"),
    *("/v1beta1/crypto-perps", "/v1beta1/forex", "/v1beta1/indices", "/v1beta1/logos"),
    *("/v1beta1/fixed_income", "/v2/assets/fixed_income", "exercise"),
    *("/v2beta1/events", "/v2/options/contracts/{"),
)


class Fuzzed:
    """A simulator with something of everything, and what its answers were."""

    def __init__(self) -> None:
        self.bench = Bench()
        self.statuses: Counter[str] = Counter()
        self.bench.buy(10)
        self.bench.step()

    def ask(self, method: str, path: str, query: dict[str, Any], body: Any) -> int:
        target = f"{path}?{urlencode({k: _text(v) for k, v in query.items()})}"
        data = b"" if body is None else body if isinstance(body, bytes) else _json(body)
        answer = self.bench.core.request(method, target, data)
        assert answer.status < 500
        if answer.body:
            json.loads(answer.body)
        return answer.status

    def order(self) -> str:
        return str(self.bench.buy(1, type="limit", limit_price=90)["id"])

    def watchlist(self) -> str:
        name = f"list {len(self.bench.core.desk.watchlists)}"
        self.bench.ask("POST", "/v2/watchlists", {"name": name, "symbols": ["SPY"]})
        return next(reversed(self.bench.core.desk.watchlists))

    # -- what makes sense ----------------------------------------------------------------------

    def fill(self, path: str, given: dict[str, Any]) -> dict[str, Any]:
        """Return parameters that name what there is; generated numbers, times and enums stay."""
        stock = "/crypto/" not in path
        known = {
            "symbol": lambda: "SPY" if stock else "BTC/USD",
            "symbols": lambda: "SPY,QQQ" if stock else "BTC/USD",
            "symbol_or_asset_id": lambda: "SPY",
            "order_id": self.order,
            "watchlist_id": self.watchlist,
            "client_order_id": lambda: self.bench.buy(1, type="limit", limit_price=90)["id"],
            "name": lambda: self.bench.core.desk.watchlists[self.watchlist()]["name"],
            "id": lambda: None,
            "markets": lambda: "NYSE",
            "timeframe": lambda: "1D" if "portfolio" in path else "1Min",
            "period": lambda: "1D",
            "types": lambda: "cash_dividend",
            "ca_types": lambda: "dividend",
            "percentage": lambda: 10,
        }
        left_out = ("page_token", "before_order_id", "after_order_id", "percentage", "cusip")
        filled = {}
        for name, value in given.items():
            if name not in left_out:
                filled[name] = known[name]() if name in known else value
        return filled

    def body(self, path: str, given: Any) -> Any:
        """Return a body that makes sense: prices and quantities that the market allows."""
        if path == "/v2/orders":
            return {
                "symbol": "SPY",
                "side": given.get("side", "buy"),
                "type": "limit",
                "time_in_force": given.get("time_in_force", "day").replace("opg", "day"),
                "qty": "1",
                "limit_price": "90" if given.get("side", "buy") == "buy" else "190",
            }
        if path.startswith("/v2/orders/"):
            return {"limit_price": "91.5"}
        if "watchlists" in path:
            return {
                "name": f"new {self.bench.core.desk.lists}",
                "symbols": ["SPY"],
                "symbol": "QQQ",
            }
        kept = {"no_shorting", "fractional_trading", "ptp_no_exception_entry", "dtbp_check"}
        return {name: value for name, value in given.items() if name in kept}


def _json(body: Any) -> bytes:
    return json.dumps(body, default=repr).encode()


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)


def operations() -> Iterator[Any]:
    schemathesis = pytest.importorskip("schemathesis")
    contract.require_documents()
    for name in contract.NAMES:
        schema = schemathesis.openapi.from_dict(contract.document(name))
        for found in schema.get_all_operations():
            operation = found.ok()
            if not any(part in operation.path for part in NOT_SERVED):
                yield operation


def run(fuzzed: Fuzzed, operation: Any, mode: Any, *, makes_sense: bool) -> None:
    """Ask the generated requests of one operation."""

    @seed(20240304)
    @settings(
        max_examples=EXAMPLES,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        query, body = dict(case.query or {}), case.body
        parts = dict(case.path_parameters or {})
        body = None if type(body).__name__ == "NotSet" else body
        if makes_sense:
            query, parts = (fuzzed.fill(operation.path, given) for given in (query, parts))
            body = None if body is None else fuzzed.body(operation.path, body)
        path = operation.path
        for name, value in parts.items():
            path = path.replace(f"{{{name}}}", quote(unquote(_text(value)), safe=""))
        status = fuzzed.ask(operation.method.upper(), path, query, body)
        fuzzed.statuses["answered" if status < 300 else f"{status}"] += 1

    ask()


def test_requests_that_make_sense_are_mostly_answered() -> None:
    from schemathesis.generation import GenerationMode

    total: Counter[str] = Counter()
    for operation in operations():
        fuzzed = Fuzzed()
        run(fuzzed, operation, GenerationMode.POSITIVE, makes_sense=True)
        total += fuzzed.statuses
    assert total["answered"] >= SHARE_MIN * total.total(), total


def test_no_request_brings_the_simulator_down() -> None:
    from schemathesis.generation import GenerationMode

    fuzzed = Fuzzed()
    for operation in operations():
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            # Some operations have nothing that could be wrong about them.
            with contextlib.suppress(ValueError):
                run(fuzzed, operation, mode, makes_sense=False)
    assert fuzzed.statuses.total() > 200
