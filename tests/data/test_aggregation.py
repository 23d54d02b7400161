"""What every aggregator keeps: stream = batch, chunks do not matter, the future does not either."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pyrt.data.aggregation import BAR_DTYPE, Aggregator
from pyrt.data.aggregation_activity import ImbalanceBars, RunsBars, TickBars, ValueBars, VolumeBars
from pyrt.data.aggregation_price import HeikinAshiBars, RangeBars, RenkoBars
from pyrt.data.aggregation_time import TimeBars

S = 10**9
SESSIONS = (np.array([0, 90 * S]), np.array([70 * S, 150 * S]))
MAKERS: dict[str, Callable[[], Aggregator]] = {
    "time": lambda: TimeBars("3s"),
    "time in sessions": lambda: TimeBars("20s", sessions=SESSIONS),
    "time, gaps filled, grace": lambda: TimeBars("3s", fill_gaps=True, grace_ns=4 * S),
    "tick": lambda: TickBars(3),
    "volume": lambda: VolumeBars(150.0),
    "value": lambda: ValueBars(900.0),
    "tick imbalance": lambda: ImbalanceBars("tick", 3, ticks_max=9),
    "volume imbalance": lambda: ImbalanceBars("volume", 3, ticks_max=9),
    "value imbalance": lambda: ImbalanceBars("value", 3, ticks_max=9),
    "tick runs": lambda: RunsBars("tick", 3, ticks_max=9),
    "volume runs": lambda: RunsBars("volume", 3, ticks_max=9),
    "value runs": lambda: RunsBars("value", 3, ticks_max=9),
    "range": lambda: RangeBars(0.5),
    "renko": lambda: RenkoBars(0.5),
}
FROM_BARS = ["time", "time, gaps filled, grace", "tick", "volume", "value", "renko"]
every_kind = pytest.mark.parametrize("kind", list(MAKERS))

PRICES = st.integers(30, 50).map(lambda n: n / 7)
SIZES = st.sampled_from([0.1, 1.0, 33.0, 100.0])
ROWS = st.lists(
    st.tuples(st.integers(0, 3 * S), PRICES, SIZES, st.sampled_from([-1, 0, 0, 1])),
    min_size=1,
    max_size=50,
)


def table(rows: list[tuple[int, float, float, int]]) -> list[NDArray[Any]]:
    """Columns of trades; the first field of a row is the time since the one before."""
    steps, prices, sizes, aggressors = zip(*rows)
    return [np.cumsum(steps), np.array(prices), np.array(sizes), np.array(aggressors)]


@every_kind
@settings(deadline=None)
@given(rows=ROWS)
def test_a_stream_gives_the_bits_of_the_batch(kind: str, rows: Any) -> None:
    columns = table(rows)
    whole = MAKERS[kind]().batch_trades(*columns, finish=True)
    stream = MAKERS[kind]()
    pieces = [
        stream.bars for event in zip(*(c.tolist() for c in columns)) if stream.update_trade(*event)
    ]
    if stream.update_end():
        pieces.append(stream.bars)
    assert whole.tobytes() == b"".join(piece.tobytes() for piece in pieces)


@every_kind
@settings(deadline=None)
@given(rows=ROWS, data=st.data())
def test_the_future_changes_no_bar_and_a_cut_table_gives_the_bars_of_the_whole(
    kind: str, rows: Any, data: st.DataObject
) -> None:
    columns = table(rows)
    cut = data.draw(st.integers(0, len(rows)))
    whole = MAKERS[kind]().batch_trades(*columns)
    bars = MAKERS[kind]()
    past = bars.batch_trades(*(c[:cut] for c in columns))
    rest = bars.batch_trades(*(c[cut:] for c in columns))
    assert whole[: len(past)].tobytes() == past.tobytes()
    assert whole.tobytes() == past.tobytes() + rest.tobytes()


@pytest.mark.parametrize("kind", FROM_BARS)
@settings(deadline=None)
@given(rows=ROWS)
def test_bars_in_a_stream_give_the_bits_of_the_batch(kind: str, rows: Any) -> None:
    _, price, size, _ = table(rows)
    start = np.arange(len(rows)) * S
    columns = [start, start + S, price, price + 0.25, price - 0.5, price - 0.25, size]
    whole = MAKERS[kind]().batch_bars(*columns)
    stream = MAKERS[kind]()
    pieces = [
        stream.bars for event in zip(*(c.tolist() for c in columns)) if stream.update_bar(*event)
    ]
    assert whole.tobytes() == b"".join(piece.tobytes() for piece in pieces)


@every_kind
@settings(deadline=None)
@given(rows=ROWS)
def test_bars_hold_together(kind: str, rows: Any) -> None:
    """Times in order, low <= open, close and VWAP <= high, and no trade lost or counted twice."""
    columns = table(rows)
    bars = MAKERS[kind]()
    made = bars.batch_trades(*columns, finish=True)
    assert (made["ts_open"] <= made["ts_close"]).all()
    assert (made["ts_close"][:-1] <= made["ts_open"][1:]).all()
    for name in ("open", "close"):
        assert (made["low"] <= made[name]).all()
        assert (made[name] <= made["high"]).all()
    if kind != "renko":  # a brick is not the range of its trades, and the last one stays unlaid
        traded = made[made["count"] > 0]
        assert (traded["vwap"] >= traded["low"] * (1 - 1e-12)).all()
        assert (traded["vwap"] <= traded["high"] * (1 + 1e-12)).all()
        assert made["count"].sum() + bars.late + bars.outside == len(rows)


@every_kind
def test_an_empty_table_gives_no_bar(kind: str) -> None:
    made = MAKERS[kind]().batch_trades([], [], [], finish=True)
    assert (made.shape, made.dtype) == ((0,), BAR_DTYPE)


def test_the_base_is_made_from_nothing() -> None:
    with pytest.raises(TypeError, match="Aggregator is not made from trades"):
        Aggregator().update_trade(0, 1.0, 1.0)
    with pytest.raises(TypeError, match="Aggregator is not made from bars"):
        Aggregator().update_bar(0, 1, 1.0, 1.0, 1.0, 1.0)


def test_the_bars_of_an_update_are_a_copy() -> None:
    bars = HeikinAshiBars()
    bars.update_bar(0, 60, 1.0, 1.0, 1.0, 1.0, 1.0)
    first = bars.bars
    bars.update_bar(60, 120, 2.0, 2.0, 2.0, 2.0, 1.0)
    assert first["ts_open"].tolist() == [0]
    assert bars.bars["ts_open"].tolist() == [60]
