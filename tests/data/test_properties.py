"""Whatever bars there are: containers agree, and repaired rows are sound, sorted and enough."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from pyrt.data import BarColumns, load
from pyrt.data.arrow import to_arrow
from tests.data.tables import FIRST_NS, MINUTE_NS

CELL = st.floats(0.01, 1e6, allow_nan=False).map(lambda x: round(x, 2))
SYMBOLS = st.sampled_from(["SPY", "BRK.B", "BTC/USD", "ÅÄÖ"])
ANY_CELL = st.sampled_from([np.nan, np.inf, -np.inf, 0.0, -1.0, 1.0, 2.0, 3.0, 1e300])


@st.composite
def bars(draw: st.DrawFn, symbol: str) -> BarColumns:
    minutes = draw(st.lists(st.integers(0, 5_000), min_size=1, max_size=25, unique=True))
    opens = FIRST_NS + np.sort(np.array(minutes)) * MINUTE_NS
    cells = np.array([draw(st.tuples(CELL, CELL, CELL, CELL)) for _ in minutes])
    low, high = cells.min(axis=1), cells.max(axis=1)
    closes = opens + MINUTE_NS
    volume = np.array([draw(st.floats(0, 1e9)) for _ in minutes])
    return BarColumns(
        symbol,
        MINUTE_NS,
        "1m",
        opens,
        closes,
        closes,
        cells[:, 0].copy(),
        high,
        low,
        cells[:, 3].copy(),
        volume,
    )


@st.composite
def tables(draw: st.DrawFn) -> list[BarColumns]:
    symbols = draw(st.lists(SYMBOLS, min_size=1, max_size=3, unique=True))
    return [draw(bars(symbol)) for symbol in symbols]


def as_frame(columns: BarColumns) -> pd.DataFrame:
    names = ("open", "high", "low", "close", "volume")
    index = pd.DatetimeIndex(columns.ts_open.view("M8[ns]"), tz="UTC", name="timestamp")
    return pd.DataFrame({name: getattr(columns, name) for name in names}, index=index)


@settings(max_examples=40, deadline=None)
@given(tables(), st.randoms(use_true_random=False))
def test_every_container_gives_the_rows_back(parts: list[BarColumns], random: object) -> None:
    frames = {part.symbol: as_frame(part) for part in parts}
    long = pd.concat([f.assign(symbol=s) for s, f in frames.items()])
    shuffled = long.sample(frac=1, random_state=random.randint(0, 2**31))  # type: ignore[attr-defined]
    containers = [
        (parts, {}),
        (frames, {"label": "open", "timeframe": "1m"}),
        (long, {"label": "open", "timeframe": "1m"}),
        (pa.Table.from_pandas(long), {"label": "open", "timeframe": "1m"}),
        (shuffled, {"label": "open", "timeframe": "1m", "repair": "sort"}),
        (pd.concat(frames, axis=1, sort=True), {"label": "open", "timeframe": "1m"}),
        (pa.concat_tables([to_arrow(part) for part in parts], promote_options="permissive"), {}),
    ]
    expected = {part.symbol: part.content_hash() for part in parts}
    for data, options in containers:
        loaded = load(data, **options)
        assert {c.symbol: c.content_hash() for c in loaded.columns} == expected


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 12), ANY_CELL, ANY_CELL, ANY_CELL, ANY_CELL, ANY_CELL),
        min_size=1,
        max_size=15,
    ),
    st.sampled_from(["drop_nan", "ffill"]),
)
def test_all_repairs_together_leave_sound_rows(rows: list[tuple[float, ...]], missing: str) -> None:
    table = pd.DataFrame(rows, columns=["minute", "open", "high", "low", "close", "volume"])
    stamps = FIRST_NS + table.pop("minute").to_numpy() * MINUTE_NS
    table.index = pd.DatetimeIndex(stamps.astype("int64").view("M8[ns]"), tz="UTC")
    # A sound bar before them, because a first bar without a price has none to be filled from.
    first = pd.DatetimeIndex(np.array([FIRST_NS - MINUTE_NS]).view("M8[ns]"), tz="UTC")
    table = pd.concat([pd.DataFrame([[1.0] * 5], columns=table.columns, index=first), table])
    repairs = ["sort", "drop_duplicates", "clip", "drop_invalid", missing]
    loaded = load(table, symbol="X", timeframe="1m", label="open", repair=repairs)
    bar = loaded.columns[0]
    assert isinstance(bar, BarColumns)
    assert (np.diff(bar.ts_open) > 0).all()
    assert (bar.low > 0).all()
    assert np.isfinite(bar.high).all()
    for price in (bar.open, bar.close):
        assert (bar.low <= price).all()
        assert (price <= bar.high).all()
    assert (bar.volume >= 0).all()
    assert load(bar).columns[0].content_hash() == bar.content_hash()
