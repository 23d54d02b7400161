"""Cash, positions and fees of whole runs balance to the last 1e-18, against fractions."""

from __future__ import annotations

import random
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from pyrt.core.instruments import Instrument
from pyrt.strategy.strategy import Strategy
from tests.backtest.harness import MINUTE, START, Run, frame, play
from tests.property.ledger import check, random_bars, replay

DAY = 1440


class Noise(Strategy):
    """Sends random orders, several a bar."""

    seed: int = 0
    a_bar: int = 4

    def on_start(self) -> None:
        self._rng = random.Random(self.seed)
        for symbol in ("AAA", "BBB"):
            self.subscribe_bars(symbol, "1m")

    def on_bar(self, bar: Any) -> None:
        rng = self._rng
        if len(self.orders(bar.symbol)) > 12:
            self.cancel_all(bar.symbol)
        for _ in range(rng.randrange(self.a_bar + 1)):
            self.act(rng, bar)

    def act(self, rng: random.Random, bar: Any) -> None:
        held = self.position(bar.symbol).quantity
        leave = held and rng.random() < 0.5
        send = (self.sell if held > 0 else self.buy) if leave else rng.choice((self.buy, self.sell))
        quantity = rng.choice((1, 0.5, 7, 12.345678901, 0.000000003, round(rng.random() * 50, 9)))
        near = round(bar.close * (1 + rng.uniform(-0.02, 0.02)), 2)
        kind = rng.randrange(8)
        if kind < 4:
            send(bar.symbol, quantity)
        elif kind == 4:
            send(bar.symbol, quantity, limit_price=near)
        elif kind == 5:
            send(bar.symbol, quantity, stop_price=near)
        elif kind == 6:
            send(bar.symbol, quantity, trail_amount=round(bar.close * 0.01, 2))
        else:
            self.buy(
                bar.symbol,
                quantity,
                limit_price=near,
                take_profit=round(near * 1.01, 2),
                stop_loss=round(near * 0.99, 2),
            )


def noise_run(seed: int, bars: int, *, actions: Any = None, a_bar: int = 4, **venue: Any) -> Run:
    tables = {
        symbol: frame(random_bars(seed * 2 + i, bars, 80.0 + 40 * i).tolist(), start=START)
        for i, symbol in enumerate(("AAA", "BBB"))
    }
    engine = {"ledger": True, **venue.pop("engine", {})}
    return play(
        tables,
        [Noise(seed=seed, a_bar=a_bar), Noise(seed=seed + 1000, a_bar=a_bar)],
        cash=10_000_000,
        actions=actions,
        slippage="bps:1.5",
        engine=engine,
        **venue,
    )


FEES = ["bps:2.5 + fixed:0.35", "per_share:0.0051/1.01", "bps:-0.7/3.3"]


@pytest.mark.parametrize(
    ("bars", "fees"),
    [
        *((400, fees) for fees in FEES),
        pytest.param(125_000, FEES[0], marks=[pytest.mark.nightly, pytest.mark.timeout(1800)]),
    ],
)
@pytest.mark.parametrize("cost", ["average", "fifo"])
def test_a_run_of_random_orders_balances_exactly(bars: int, fees: str, cost: str) -> None:
    run = noise_run(5, bars, fees=fees, participation=0.05, engine={"cost": cost})
    assert len(run.table("fills")) > 2 * bars
    account = replay(run.kernel, run.engine._tables, Fraction(10_000_000), [], cost)
    check(run.kernel, run.sim, account)


RATIOS = (2.0, 0.5, 1.5, 0.1, 10.0, 0.3, 3.0, 0.4)


def random_actions(seed: int, days: int) -> tuple[list[dict[str, Any]], list[Any]]:
    """Return splits and dividends of random symbols and days, as tables and as fractions say."""
    rng, table, known = random.Random(seed), [], []
    for day in range(1, days):
        index = rng.randrange(2)
        ts = START + DAY * MINUTE * day
        action: dict[str, Any] = {
            "symbol": ("AAA", "BBB")[index],
            "ex_date": str(np.datetime64(ts, "ns").astype("M8[D]")),
        }
        # The walks do not know of splits: they go both ways, and undo each other.
        if rng.random() < 0.5:
            action |= {"kind": "split", "split_ratio": rng.choice(RATIOS)}
        else:
            action |= {"kind": "cash_dividend", "cash_amount": round(rng.uniform(0.01, 2), 3)}
        table.append(action)
        known.append((ts, *_plain(action)))
    return table, known


@pytest.mark.parametrize(
    "days",
    [4, pytest.param(92, marks=[pytest.mark.nightly, pytest.mark.timeout(3600)])],
)
@pytest.mark.parametrize("cost", ["average", "fifo"])
def test_flips_partials_fees_splits_and_dividends_balance_together(days: int, cost: str) -> None:
    """The longer form books a million fills."""
    actions, known = random_actions(days, days)
    run = noise_run(
        7, DAY * days, actions=actions, fees=FEES[0], participation=0.05, engine={"cost": cost},
        a_bar=4 if days > 4 else 1,
    )  # fmt: skip
    fills = run.table("fills")
    assert len(fills) > (1_000_000 if days > 4 else DAY * days)
    account = replay(run.kernel, run.engine._tables, Fraction(10_000_000), known, cost)
    check(run.kernel, run.sim, account)


@pytest.mark.parametrize("cost", ["average", "fifo"])
def test_splits_and_dividends_balance_exactly(cost: str) -> None:
    days = ["2024-01-02", "2024-01-03", "2024-01-04"]
    actions = [
        {"symbol": "AAA", "ex_date": days[0], "kind": "split", "split_ratio": 3.0},
        {"symbol": "BBB", "ex_date": days[0], "kind": "cash_dividend", "cash_amount": 0.37},
        {"symbol": "AAA", "ex_date": days[1], "kind": "cash_dividend", "cash_amount": 1.205},
        {"symbol": "BBB", "ex_date": days[1], "kind": "split", "split_ratio": 0.1},
        {"symbol": "AAA", "ex_date": days[2], "kind": "split", "split_ratio": 1.5},
    ]
    steps = [Instrument("AAA", step_size="0.5"), Instrument("BBB", step_size="0.001")]
    run = _split_run(actions, steps, cost)
    known = [(START + DAY * MINUTE * (1 + days.index(a["ex_date"])), *_plain(a)) for a in actions]
    account = replay(run.kernel, run.engine._tables, Fraction(10_000_000), known, cost)
    check(run.kernel, run.sim, account)


def _plain(action: dict[str, Any]) -> tuple[str, int, Fraction]:
    index = 0 if action["symbol"] == "AAA" else 1
    if action["kind"] == "split":
        return "split", index, Fraction(str(action["split_ratio"]))
    return "dividend", index, Fraction(str(action["cash_amount"]))


class Rounded(Noise):
    """Noise in quantities that fit the steps."""

    def act(self, rng: random.Random, bar: Any) -> None:
        quantity = rng.randrange(1, 60) * (0.5 if bar.symbol == "AAA" else 0.001)
        send = rng.choice((self.buy, self.sell))
        if rng.random() < 0.6:
            send(bar.symbol, round(quantity, 3))
        else:
            send(bar.symbol, round(quantity, 3), limit_price=round(bar.close * 0.99, 2))


def _split_run(actions: Any, instruments: list[Instrument], cost: str) -> Run:
    hours = 4 * 24
    tables = {
        symbol: frame(random_bars(9 + i, hours, 80.0).tolist(), start=START, minutes=60)
        for i, symbol in enumerate(("AAA", "BBB"))
    }

    class Hourly(Rounded):
        def on_start(self) -> None:
            self._rng = random.Random(self.seed)
            for symbol in ("AAA", "BBB"):
                self.subscribe_bars(symbol, "1h")

    return play(
        tables,
        [Hourly(seed=1), Hourly(seed=2)],
        cash=10_000_000,
        actions=actions,
        instrument=instruments,
        timeframe="1h",
        fees="bps:3",
        engine={"cost": cost, "ledger": True},
    )
