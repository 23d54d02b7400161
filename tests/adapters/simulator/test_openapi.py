"""Answers of the simulator against Alpaca's own OpenAPI documents.

Every answer that passes through `Bench.ask` in these tests is held against them; here are the
requests that no other test makes.
"""

from __future__ import annotations

import json

import pytest

from pyrt.adapters.alpaca.simulator.market.actions import read_table
from pyrt.adapters.alpaca.simulator.session import make_core
from tests.adapters.simulator import contract
from tests.adapters.simulator.exchange import Bench
from tests.minutes import minute_bars

ACTIONS = [
    {"symbol": "SPY", "ex_date": "2013-10-07", "kind": "split", "split_ratio": 2.0},
    {"symbol": "QQQ", "ex_date": "2013-10-04", "kind": "split", "split_ratio": 0.25},
    {
        "symbol": "SPY",
        "ex_date": "2013-10-03",
        "kind": "cash_dividend",
        "cash_amount": 0.5,
        "prev_close": 100.0,
    },
]
SPAN = "since=2013-10-01&until=2013-10-30"


@pytest.fixture
def bench() -> Bench:
    contract.require_documents()
    made = Bench()
    made.buy(10)
    made.step()
    made.buy(1, type="limit", limit_price=90)
    made.buy(
        3, order_class="bracket", take_profit={"limit_price": 190}, stop_loss={"stop_price": 9}
    )
    return made


@pytest.mark.parametrize(
    "target",
    [
        "/v2/account",
        "/v2/account/configurations",
        "/v2/account/activities",
        "/v2/account/portfolio/history?period=1D&timeframe=1Min",
        "/v2/orders?status=all&nested=true",
        "/v2/positions",
        "/v2/assets",
        "/v2/assets?asset_class=crypto",
        "/v2/clock",
        "/v2/calendar",
        "/v3/clock?markets=NYSE,NASDAQ",
        "/v3/calendar/NYSE?start=2013-11-27&end=2013-12-02",
        "/v2/watchlists",
        "/v2/options/contracts",
        f"/v2/corporate_actions/announcements?ca_types=split,dividend&{SPAN}",
        "/v2/stocks/meta/exchanges",
        "/v2/stocks/meta/conditions/trade?tape=B",
        "/v2/stocks/auctions?symbols=SPY&start=2013-10-07",
        "/v2/stocks/SPY/auctions?start=2013-10-07",
        "/v1beta1/screener/stocks/most-actives",
        "/v1beta1/screener/crypto/movers",
        "/v1/corporate-actions?start=2013-10-01&end=2013-10-30",
        *(
            f"/v2/stocks/{kind}?symbols=SPY&timeframe=1Min"
            for kind in ("bars", "trades", "quotes", "snapshots")
        ),
        *(f"/v2/stocks/{kind}/latest?symbols=SPY" for kind in ("bars", "trades", "quotes")),
        *(f"/v2/stocks/SPY/{kind}?timeframe=1Min" for kind in ("bars", "trades", "quotes")),
        *(f"/v2/stocks/SPY/{kind}/latest" for kind in ("bars", "trades", "quotes")),
        "/v2/stocks/SPY/snapshot",
        *(
            f"/v1beta3/crypto/us/{kind}?symbols=BTC/USD&timeframe=1Min"
            for kind in ("bars", "trades", "quotes", "snapshots")
        ),
        *(
            f"/v1beta3/crypto/us/latest/{kind}?symbols=BTC/USD"
            for kind in ("bars", "trades", "quotes", "orderbooks")
        ),
    ],
)
def test_answers_have_the_documented_shape(bench: Bench, target: str) -> None:
    bench.core.desk.actions = read_table(ACTIONS, ["SPY", "QQQ"])
    assert bench.ask("GET", target)[0] == 200


def test_what_a_request_makes_or_removes_has_the_documented_shape(bench: Bench) -> None:
    order = bench.buy(1, type="limit", limit_price=91)
    assert bench.ask("PATCH", f"/v2/orders/{order['id']}", {"qty": 2})[0] == 200
    assert bench.ask("DELETE", "/v2/orders")[0] == 207
    assert bench.ask("DELETE", "/v2/positions/SPY?qty=1")[0] == 200
    bench.step()
    assert bench.ask("DELETE", "/v2/positions")[0] == 207
    assert bench.ask("PATCH", "/v2/account/configurations", {"no_shorting": True})[0] == 200
    made = bench.ask("POST", "/v2/watchlists", {"name": "one", "symbols": ["SPY"]})[1]
    path = f"/v2/watchlists/{made['id']}"
    assert bench.ask("PUT", path, {"name": "two"})[0] == 200
    assert bench.ask("POST", path, {"symbol": "QQQ"})[0] == 200
    assert bench.ask("DELETE", f"{path}/QQQ")[0] == 200
    assert bench.ask("GET", "/v2/watchlists:by_name?name=two")[1]["id"] == made["id"]
    assert bench.ask("DELETE", "/v2/watchlists:by_name?name=two") == (204, None)


def test_the_check_finds_what_is_wrong(bench: Bench) -> None:
    target = "/v2/positions"
    body = bench.core.request("GET", target, b"").body
    assert contract.faults("GET", target, 200, body) == []
    rows = json.loads(body)
    rows[0]["qty"] = 10
    (wrong,) = contract.faults("GET", target, 200, json.dumps(rows).encode())
    assert "qty" in wrong
    del rows[0]["qty"]
    assert len(contract.faults("GET", target, 200, json.dumps(rows).encode())) == 1
    with pytest.raises(AssertionError, match="never answered 299"):
        contract.faults("GET", target, 299, body)
    assert contract.faults("GET", "/v2/nothing", 200, b"{}")


def test_a_simulator_without_prices_still_answers() -> None:
    contract.require_documents()
    core = make_core([minute_bars("SPY", [1.0])])
    for path in ("/v2/account", "/v2/positions", "/v2/clock", "/v2/stocks/snapshots?symbols=SPY"):
        answer = core.request("GET", path, b"")
        assert (answer.status, contract.faults("GET", path, 200, answer.body)) == (200, [])
