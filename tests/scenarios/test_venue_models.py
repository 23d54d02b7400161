"""The venue's models by name: latency, impact, halts, auctions, borrowing; a row a verdict."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from pyrt.backtest.draws import Draws
from pyrt.backtest.latency import ConstantLatency, LatencyModel, RandomLatency, latency_model
from pyrt.backtest.queue import QueueModel, queue_model
from pyrt.backtest.slippage import slippage_model
from pyrt.errors import ConfigError, DataError
from tests.backtest.depths import START, SYMBOL, levels, play, prints, quotes, stamp
from tests.backtest.harness import play as play_bars

BOOK = levels((0, "B", 99, 5), (0, "A", 100, 5), (0, "A", 101, 50), (9, "B", 90, 1))
MS = 1_000_000


def buy(quantity: float, **terms: Any) -> Any:
    return lambda s: s.buy(SYMBOL, quantity, **terms)


def sell(quantity: float, **terms: Any) -> Any:
    return lambda s: s.sell(SYMBOL, quantity, **terms)


# -- latency -------------------------------------------------------------------------------------


class SlowCancels(LatencyModel):
    def on_message(self, kind: str, ts: int) -> int:
        return 300 * MS if kind == "cancel" else 100 * MS


RECORDED = pd.DataFrame(
    {
        "ts_event": [START, START + 1_000 * MS],
        "entry_ns": [100 * MS, 300 * MS],
        "response_ns": [0, 0],
    }
)


@pytest.mark.parametrize(
    ("latency", "filled_at", "learned_at"),
    [
        (None, 0.5, 0.5),
        ("100ms", 0.6, 0.6),
        (100 * MS, 0.6, 0.6),
        ({"submit": "100ms", "response": "50ms"}, 0.6, 0.65),
        ({"response": "50ms"}, 0.5, 0.55),
        (ConstantLatency("10ms", response="20ms"), 0.51, 0.53),
        (SlowCancels(), 0.6, 0.7),
        # Halfway between two records: halfway between their delays.
        (RECORDED, 0.7, 0.7),
        ("uniform:100ms/100ms", 0.6, 0.6),
        ("normal:100ms/0ms", 0.6, 0.6),
        ("lognormal:100ms/0", 0.6, 0.6),
    ],
)
def test_when_an_order_arrives_and_its_fill_is_learned_of(
    latency: Any, filled_at: float, learned_at: float
) -> None:
    run = play({"book": BOOK}, {0.5: buy(1)}, latency=latency)
    assert run.filled == [(pytest.approx(filled_at), 1, 100)]
    assert run.happened[-1] == (pytest.approx(learned_at), "fill")


@pytest.mark.parametrize(
    ("latency", "status"),
    [
        ({"cancel": "100ms"}, "CANCELED"),
        ({"cancel": "600ms"}, "FILLED"),
        ({"submit": "600ms", "cancel": "0ms"}, "CANCELED"),  # it arrives behind the order, at 1.1
        ({"submit": "1100ms", "cancel": "0ms"}, "FILLED"),  # behind the order, which takes
        (SlowCancels(), "CANCELED"),
    ],
)
def test_a_cancel_races_with_the_market(latency: Any, status: str) -> None:
    """The order rests at 99.5, its cancel leaves at second 1, the ask comes at 1.5."""
    book = levels((0, "B", 99, 5), (0, "A", 100, 5), (1.5, "A", 99.4, 5), (9, "B", 90, 1))
    steps = {0.5: buy(1, limit_price=99.5), 1: lambda s: s.cancel(s.made[0])}
    assert play({"book": book}, steps, latency=latency).statuses == [status]


def test_a_random_latency_is_the_seeds_alone() -> None:
    def at(seed: int) -> float:
        run = play(
            {"book": BOOK}, {0.5: buy(1)}, latency="uniform:1ms/400ms", engine={"seed": seed}
        )
        return run.filled[0][0]

    assert at(1) == at(1)
    assert at(1) != at(2)
    assert 0.501 <= at(3) <= 0.9


def test_draws_are_keyed_by_seed_model_and_instrument() -> None:
    def some(seed: int, model: str, instrument: int) -> list[float]:
        draws = Draws(seed, model)
        return [draws.draw(instrument) for _ in range(4)]

    assert some(1, "a", 0) == some(1, "a", 0)
    assert len({tuple(some(s, m, i)) for s in (1, 2) for m in "ab" for i in (0, 1)}) == 8
    mixed = Draws(1, "a")
    first = [mixed.draw(0), mixed.draw(5), mixed.draw(0), mixed.draw(5)]
    assert first[::2] == some(1, "a", 0)[:2]
    values = np.array([Draws(7, "a").draw(i) for i in range(2_000)])
    assert values.min() > 0
    assert values.max() < 1
    assert abs(values.mean() - 0.5) < 0.03


@pytest.mark.parametrize(
    "value", ["uniform:5ms/1ms", "uniform:1ms", {"send": 1}, -1, "lognormal:0ms/1"]
)
def test_a_latency_that_makes_no_sense_is_refused(value: Any) -> None:
    with pytest.raises(ConfigError):
        latency_model(value)


def test_recorded_latencies_are_checked() -> None:
    with pytest.raises(DataError, match="negative"):
        latency_model({"ts_event": [1], "entry_ns": [-1]})
    with pytest.raises(DataError, match="order"):
        latency_model({"ts_event": [2, 1], "entry_ns": [1, 1]})


def test_distributions_have_the_moments_they_name() -> None:
    # Draws are private to the model: its delays are seen through a run's repeated orders.
    steps = {round(0.5 + i / 100, 2): buy(0.001) for i in range(200)}
    from pyrt.core.instruments import Instrument

    run = play(
        {"book": levels((0, "B", 99, 5), (0, "A", 100, 5_000), (9, "B", 90, 1))},
        steps,
        latency=RandomLatency("normal", "4ms", "1ms", seed=3),
        instrument=Instrument(SYMBOL, tick_size="0.01", step_size="0.001"),
    )
    delays = [t - s for (t, _, _), s in zip(run.filled, steps)]
    assert 0.0038 < np.mean(delays) < 0.0042
    assert 0.0008 < np.std(delays) < 0.0012


# -- market impact -------------------------------------------------------------------------------

FLAT = [(100, 100, 100, 100, 1_000)] * 3


@pytest.mark.parametrize(
    ("slippage", "quantity", "price"),
    [
        ("sqrt:100", 1_000, 101.0),  # 100 bps at all of the volume
        ("sqrt:100", 250, 100.5),  # half of that at a quarter
        ("linear:100", 1_000, 101.0),
        ("linear:100", 250, 100.25),
        ("volume_share:0.1", 1_000, 110.0),
        ("volume_share:0.1", 500, 102.5),
        ("bps:10+linear:100", 250, 100.35),
        (lambda side, price, quantity, span: price + 1, 10, 101.0),
    ],
)
def test_a_large_order_moves_the_price_it_gets(slippage: Any, quantity: int, price: float) -> None:
    from tests.backtest.harness import SYMBOL as BAR_SYMBOL

    run = play_bars(
        FLAT, {0: lambda s: s.buy(BAR_SYMBOL, quantity)}, slippage=slippage, cash=1_000_000
    )
    assert run.fills == [(1, quantity, pytest.approx(price))]


def test_impact_of_a_sale_is_below() -> None:
    run = play(
        {"quotes": quotes((0, 99, 10, 100, 10), (1, 99, 10, 100, 10))},
        {0.5: sell(10)},
        slippage="linear:100",
    )
    assert run.filled == [(1, -10, 98.01)]


@pytest.mark.parametrize("value", ["sqrt:-1", "cube:1", "sqrt:"])
def test_an_impact_that_makes_no_sense_is_refused(value: str) -> None:
    with pytest.raises(ConfigError):
        slippage_model(value)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("bps:-2", "slippage bps is '-2'; expected 0 or more"),
        ("ticks:1/-0.01", "slippage tick is '-0.01'; expected 0 or more"),
        ("range:1.5", "slippage range is '1.5'; expected a share of the bar's range, at most 1"),
        ("bps:10000", "slippage bps is '10000'; expected less than 10,000"),
        ("sqrt:nan", "slippage sqrt is 'nan'; expected 0 or more"),
    ],
)
def test_a_slippage_that_makes_no_sense_is_named(value: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        slippage_model(value)


# -- a queue model of one's own ------------------------------------------------------------------


class Halfway(QueueModel):
    def on_change(self, ahead: float, before: float, after: float, traded: float) -> float:
        return min(ahead - max(0.0, before - after - traded) / 2, after)


@pytest.mark.parametrize(
    ("queue", "fills"), [(Halfway(), [(3, 1, 99)]), ("risk_averse", []), (None, [])]
)
def test_a_queue_model_in_a_few_lines(queue: Any, fills: Any) -> None:
    """5 ahead, 5 behind, 4 leave: half of them from ahead."""
    book = levels(
        (0, "B", 99, 5), (0, "A", 100, 5), (1, "B", 99, 10), (2, "B", 99, 6), (9, "B", 90, 1)
    )
    run = play(
        {"book": book, "trades": prints((3, 99, 4, "sell"))},
        {0.5: buy(2, limit_price=99)},
        queue=queue,
    )
    assert run.filled == fills


@pytest.mark.parametrize("value", ["power", "power:0", "log:2", "front", 3])
def test_a_queue_model_that_is_none_is_refused(value: Any) -> None:
    with pytest.raises(ConfigError):
        queue_model(value)


# -- halts ---------------------------------------------------------------------------------------

HALT = pd.DataFrame(
    {"symbol": [SYMBOL], "start": [stamp(1)], "end": [stamp(3)], "reason": ["LULD pause"]}
)
QUOTES = quotes(
    (0, 99, 10, 100, 10),
    (1, 98, 10, 99, 10),
    (2, 97, 10, 98, 10),
    (3, 96, 10, 97, 10),
    (4, 95, 10, 96, 10),
)


@pytest.mark.parametrize(
    ("command", "fills", "status"),
    [
        (buy(1), [(3, 1, 97)], "FILLED"),
        (buy(1, limit_price=99), [(3, 1, 97)], "FILLED"),
        (buy(1, stop_price=97.5), [], "ACCEPTED"),
        (buy(1, time_in_force="ioc"), [], "REJECTED"),
        (buy(1, time_in_force="fok"), [], "REJECTED"),
    ],
)
def test_nothing_fills_while_trading_is_halted(command: Any, fills: Any, status: str) -> None:
    run = play({"quotes": QUOTES}, {1.5: command}, halts=HALT)
    assert run.filled == fills
    assert run.statuses == [status]


@pytest.mark.parametrize(
    ("option", "table", "message"),
    [
        ("halts", pd.DataFrame({"symbol": [SYMBOL]}), "table of halts has no column 'start'"),
        ("halts", 5, "table of halts cannot be a int"),
        ("auctions", [{"symbol": SYMBOL, "price": 1}], "auctions has no column 'ts_event'"),
        ("luld", {"ts_event": [1], "symbol": [SYMBOL]}, "price bands has no column 'lower'"),
        ("luld", {"ts_event": [1], "symbol": []}, "differ in length"),
    ],
)
def test_small_tables_name_what_they_lack(option: str, table: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        play({"quotes": QUOTES}, {}, **{option: table})


BANDS = pd.DataFrame(
    {"ts_event": [stamp(1)], "symbol": [SYMBOL], "lower": [90.0], "upper": [110.0]}
)
OPENING = pd.DataFrame({"ts_event": [stamp(2)], "symbol": [SYMBOL], "price": [97.5]})


@pytest.mark.parametrize("form", ["rows", "columns", "arrow", "parquet"])
@pytest.mark.parametrize(
    ("option", "table"), [("halts", HALT), ("auctions", OPENING), ("luld", BANDS)]
)
def test_small_tables_of_any_form_give_one_run(
    option: str, table: pd.DataFrame, form: str, tmp_path: Path
) -> None:
    given: Any = pa.Table.from_pandas(table)
    if form == "rows":
        given = table.to_dict("records")
    elif form == "columns":
        given = table.to_dict("list")
    elif form == "parquet":
        given = tmp_path / "table.parquet"
        table.to_parquet(given)
    runs = [play({"quotes": QUOTES}, {1.5: buy(1)}, **{option: form}) for form in (table, given)]
    assert runs[0].filled == runs[1].filled != []
    assert runs[0].outcome.run_hash == runs[1].outcome.run_hash


def test_an_order_can_be_canceled_in_a_halt_and_strategies_are_told() -> None:
    run = play(
        {"quotes": QUOTES},
        {0.5: buy(1, limit_price=50), 2.5: lambda s: s.cancel(s.made[0])},
        halts=HALT,
    )
    assert run.statuses == ["CANCELED"]
    assert run.strategies[0].heard == [  # type: ignore[attr-defined]
        (1, "halted", "LULD pause"),
        (3, "trading", "LULD pause"),
    ]


def test_a_halt_that_ends_before_it_starts_is_refused() -> None:
    halts = HALT.assign(end=HALT["start"] - 1)
    with pytest.raises(DataError, match="ends at"):
        play({"quotes": QUOTES}, {}, halts=halts)


# -- auctions ------------------------------------------------------------------------------------

AUCTION = pd.DataFrame(
    {"ts_event": [stamp(86_400 - 52_200 + 2)], "symbol": [SYMBOL], "price": [97.5], "size": [30.0]}
)
DAY = quotes((0, 99, 10, 100, 10), (30_000, 97, 10, 98, 10), (40_000, 97, 10, 98, 10))


@pytest.mark.parametrize(
    ("command", "fills", "status"),
    [
        (buy(10, time_in_force="cls"), [(97.5, 10)], "FILLED"),
        (buy(10, time_in_force="cls", limit_price=97.5), [(97.5, 10)], "FILLED"),
        (buy(10, time_in_force="cls", limit_price=97.4), [], "CANCELED"),
        (sell(10, time_in_force="cls", limit_price=97.6), [], "CANCELED"),
        (buy(50, time_in_force="cls"), [(97.5, 30)], "CANCELED"),
        (buy(10, time_in_force="opg"), [(97.5, 10)], "FILLED"),
    ],
)
def test_orders_for_the_close_and_the_opening_fill_in_auctions(
    command: Any, fills: Any, status: str
) -> None:
    """A session is a UTC day here; the auction comes two seconds into the next one."""
    run = play({"quotes": DAY}, {0.5: command}, auctions=AUCTION)
    assert [(f[2], abs(f[1])) for f in run.filled] == fills
    assert run.statuses == [status]


# -- what can be borrowed ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("available", "fills", "status"),
    [
        (None, [(1, -10, 99)], "FILLED"),
        ({SYMBOL: 10}, [(1, -10, 99)], "FILLED"),
        ({SYMBOL: 9}, [], "REJECTED"),
        ({SYMBOL: 0}, [], "REJECTED"),
    ],
)
def test_what_cannot_be_borrowed_is_not_sold_short(available: Any, fills: Any, status: str) -> None:
    run = play(
        {"quotes": QUOTES.assign(bid_price=99.0, ask_price=100.0)},
        {0.5: sell(10)},
        short_available=available,
    )
    assert run.filled == fills
    assert run.statuses == [status]
    if not fills:
        assert run.reasons[0].startswith("borrow_unavailable: selling 10 X")


# -- what decides --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "price"),
    [(None, 101), ("book", 101), ("quotes", 102), ("trades", 103), ("book+trades", 101)],
)
def test_what_decides_fills_is_named(source: str | None, price: float) -> None:
    tables = {
        "book": levels((0, "B", 99, 5), (0, "A", 101, 5), (1, "A", 101, 6)),
        "quotes": quotes((0, 99, 5, 102, 5), (1, 99, 5, 102, 5)),
        "trades": prints((0, 103, 5, "buy"), (1, 103, 5, "buy")),
    }
    run = play(tables, {0.5: buy(1)}, fills_from=source)
    assert [f[2] for f in run.filled] == [price]


def test_what_is_not_there_cannot_decide() -> None:
    with pytest.raises(ConfigError, match="has no book"):
        play({"quotes": QUOTES}, {}, fills_from="book")
    with pytest.raises(ConfigError, match="fills_from"):
        play({"quotes": QUOTES}, {}, fills_from="depth")
