"""Quotes, trades and book events: recognized, coded, checked."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from pyrt.data import BookColumns, QuoteColumns, TradeColumns, load
from pyrt.data.columns import BOOK_ACTIONS
from pyrt.errors import DataError
from tests.data.tables import FIRST_NS

STAMPS = FIRST_NS + np.arange(6) * 1_000


def quotes() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "ts_event": STAMPS,
            "symbol": "SPY",
            "bid_price": [10.0, 10.0, 10.1, np.nan, 10.0, 10.2],
            "bid_size": [1.0, 2.0, 3.0, np.nan, 5.0, 6.0],
            "ask_price": [10.1, 10.1, 10.2, 10.2, 10.1, 10.1],
            "ask_size": [6.0, 5.0, 4.0, 3.0, 2.0, 1.0],
        }
    )


def trades() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "ts_event": STAMPS[[0, 0, 1, 2, 3, 4]],
            "symbol": ["SPY", "QQQ", "SPY", "SPY", "QQQ", "SPY"],
            "price": [1.0, 2.0, 1.1, 1.2, 2.1, 1.3],
            "size": [10.0, 20.0, 0.0, 30.0, 40.0, 50.0],
            "aggressor": ["buy", "sell", None, "BUY", "sell", "unknown"],
        }
    )


def book() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "ts_event": STAMPS,
            "ts_recv": STAMPS + 7,
            "symbol": "ES",
            "side": ["B", "A", "N", "B", "A", "B"],
            "price": [10.0, 10.1, np.nan, 10.0, 10.1, 9.9],
            "size": [1.0, 1.0, np.nan, 2.0, 1.0, 0.0],
            "action": ["add", "add", "clear", "modify", "trade", "cancel"],
            "flags": [0, 128, 0, 0, 128, 128],
            "sequence": [1, 2, 3, 4, 5, 6],
            "order_id": [11, 12, 0, 11, 12, 11],
        }
    )


def test_quotes_keep_a_missing_side_as_nan_without_size() -> None:
    loaded = load(quotes())
    columns = loaded.columns[0]
    assert isinstance(columns, QuoteColumns)
    assert np.isnan(columns.bid_price[3])
    assert columns.bid_size[3] == 0.0
    record = loaded.provenance["tables"][0]
    assert (record["crossed"], record["one_sided"]) == (1, 1)
    np.testing.assert_array_equal(columns.ts_event, STAMPS)
    assert columns.ts_init is columns.ts_event or (columns.ts_init == columns.ts_event).all()


def test_quotes_called_bid_and_ask_are_quotes() -> None:
    named = quotes().rename(columns={"bid_price": "Bid", "ask_price": "Ask"})
    assert load(named).columns[0].content_hash() == load(quotes()).columns[0].content_hash()


@pytest.mark.parametrize(
    ("column", "value", "piece"),
    [
        ("bid_price", 0.0, r"row 1: bid_price is no price \(0\.0\)"),
        ("ask_price", np.inf, r"row 1: ask_price is no price \(inf\)"),
        ("bid_size", -1.0, r"row 1: bid_size is no size \(-1\.0\)"),
        ("ask_size", np.nan, r"row 1: ask_size is no size \(nan\)"),
    ],
)
def test_a_quote_that_is_none_names_its_row(column: str, value: float, piece: str) -> None:
    table = quotes()
    table.loc[1, column] = value
    with pytest.raises(DataError, match=piece):
        load(table)
    assert len(load(table, repair="drop_invalid").columns[0]) == 5


def test_trades_are_split_by_symbol_and_share_stamps() -> None:
    spy, qqq = load(trades()).columns
    assert isinstance(spy, TradeColumns)
    assert spy.aggressor.tolist() == [1, 0, 1, 0]
    assert qqq.aggressor.tolist() == [-1, -1]
    assert qqq.size.tolist() == [20.0, 40.0]


def test_sides_as_numbers_pass_through() -> None:
    table = trades().assign(aggressor=np.array([1, -1, 0, 1, -1, 0], np.int8))
    assert load(table).columns[0].aggressor.tolist() == [1, 0, 1, 0]


@pytest.mark.parametrize(
    ("column", "value", "piece"),
    [
        ("price", -1.0, "row 3: price is no price"),
        ("price", np.nan, "row 3: price is missing"),
        ("size", np.nan, "row 3: size is missing"),
        ("size", -5.0, "row 3: size is no size"),
        ("aggressor", "buyer", "row 3: aggressor is 'buyer'"),
        ("ts_event", STAMPS[0], "row 3: .* comes after"),
    ],
)
def test_a_trade_that_is_none_names_its_row(column: str, value: object, piece: str) -> None:
    table = trades()
    table.loc[3, column] = value
    with pytest.raises(DataError, match=piece):
        load(table)


def test_book_events_carry_codes_and_arrival() -> None:
    columns = load(book()).columns[0]
    assert isinstance(columns, BookColumns)
    assert columns.side.tolist() == [1, -1, 0, 1, -1, 1]
    words = [BOOK_ACTIONS[code] for code in columns.action]
    assert words == book()["action"].tolist()
    np.testing.assert_array_equal(columns.ts_init, STAMPS + 7)
    assert columns.order_id is not None
    assert columns.order_id.tolist() == [11, 12, 0, 11, 12, 11]


def test_book_events_without_optional_columns_get_zeros() -> None:
    columns = load(book().drop(columns=["flags", "sequence", "order_id", "ts_recv"])).columns[0]
    assert isinstance(columns, BookColumns)
    assert columns.order_id is None
    assert not columns.flags.any()
    assert not columns.sequence.any()


def test_an_unknown_action_or_missing_price_is_named() -> None:
    table = book()
    table.loc[1, "action"] = "insert"
    table.loc[3, "price"] = np.nan
    with pytest.raises(DataError) as caught:
        load(table)
    assert "row 1: action is 'insert'" in str(caught.value)
    assert "row 3: price is nan" in str(caught.value)


def test_rows_are_in_order_of_arrival_where_it_is_known() -> None:
    table = book()
    table.loc[2, "ts_event"] = STAMPS[0] - 50
    assert load(table).columns[0].ts_event[2] == STAMPS[0] - 50
    table.loc[2, "ts_recv"] = STAMPS[0]
    with pytest.raises(DataError, match=r"row 2: .* comes after"):
        load(table)


def quote_bars() -> pd.DataFrame:
    ohlc = {"open": 1.1, "high": 1.3, "low": 1.0, "close": 1.2}
    sides = {f"{s}_{n}": v + d for s, d in (("bid", 0.0), ("ask", 0.0002)) for n, v in ohlc.items()}
    ts = FIRST_NS + np.arange(3) * 60_000_000_000
    return pd.DataFrame({"ts_event": ts, "ts_close": ts + 60_000_000_000, **sides})


def test_quote_bars_become_bars_of_the_side_asked_for() -> None:
    with pytest.raises(DataError, match='Write price="mid"'):
        load(quote_bars(), symbol="EURUSD")
    for price, high in (("bid", 1.3), ("ask", 1.3002), ("mid", 1.3001)):
        loaded = load(quote_bars(), symbol="EURUSD", price=price)
        assert loaded.columns[0].high.tolist() == [high] * 3
        assert loaded.provenance["off_grid_prices"] == 0
        assert loaded.provenance["tables"][0]["prices"] == f"{price} of quote bars"


def test_closes_become_flat_bars_only_when_asked_for() -> None:
    days = pd.bdate_range("2024-01-02", periods=3)
    table = pd.DataFrame({"close": [1.0, 2.0, 3.0]}, index=days)
    with pytest.raises(DataError, match='Write kind="closes"'):
        load(table, symbol="X")
    bars = load(table, symbol="X", kind="closes").columns[0]
    for name in ("open", "high", "low", "close"):
        assert getattr(bars, name).tolist() == [1.0, 2.0, 3.0]


@pytest.mark.parametrize("container", ["pandas", "arrow"])
def test_prices_in_32_bits_are_the_decimals_they_stand_for(container: str) -> None:
    frame = trades().assign(price=np.array([13.93, 2, 1.1, 1.2, 2.1, 1.3], np.float32))
    table = frame if container == "pandas" else pa.Table.from_pandas(frame, preserve_index=False)
    prices = {one.symbol: one.price.tolist() for one in load(table).columns}
    assert prices == {"SPY": [13.93, 1.1, 1.2, 1.3], "QQQ": [2.0, 2.1]}


def book_rows() -> pd.DataFrame:
    return pd.DataFrame({
        "ts_event": STAMPS[:3], "side": ["B", "A", "B"], "price": [9.0, 10.0, 8.0],
        "size": [1.0, 2.0, 3.0], "action": ["set", "set", "set"], "flags": [2, 2, 2],
        "sequence": [1.0, 2.0, 3.0],
    })  # fmt: skip


@pytest.mark.parametrize("container", ["pandas", "arrow"])
def test_bytes_and_whole_floats_are_read(container: str) -> None:
    frame = book_rows().assign(side=[b"B", b"A", b"B"])
    table = frame if container == "pandas" else pa.Table.from_pandas(frame, preserve_index=False)
    (book,) = load(table, symbol="X").columns
    assert book.side.tolist() == [1, -1, 1]
    assert book.sequence.tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("value", "message"),
    [(1.5, "sequence is 1.5 in float64"), (2.0**60, "too large"), (np.nan, "sequence is missing")],
)
def test_floats_that_are_no_numbers_of_messages_are_named(value: float, message: str) -> None:
    with pytest.raises(DataError, match=message):
        load(book_rows().assign(sequence=[1.0, value, 3.0]), symbol="X")
