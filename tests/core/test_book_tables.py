"""What `apply_table` takes: dialects, kinds of tables and columns, and what it refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from pyrt.core.book import OrderBook
from pyrt.core.book_dialects import recognize
from pyrt.errors import DataError, PrecisionError, UnknownName

L2: dict[str, Any] = {
    "ts_event": [1, 1, 2],
    "side": ["B", "A", "B"],
    "price": [99.5, 101.25, 99.5],
    "size": [3.0, 4.0, 0.0],
    "action": ["snapshot", "snapshot", "delete"],
    "flags": [1, 3, 2],
    "sequence": [7, 7, 8],
}
MBO: dict[str, Any] = {
    "side": ["B", "B", "N"],
    "price": [99.5, 99.25, None],
    "size": [3, 4, None],
    "action": ["add", "add", "clear"],
    "order_id": [2**62 + 1, 2**62 + 2, None],
    "flags": [128, 128, 128],
}
BY_ORDER = {"side", "price", "size", "action", "order_id"}


@pytest.mark.parametrize(
    ("columns", "actions", "flags", "dialect"),
    [
        ({"side", "price", "size", "action"}, {"set", "delete"}, False, "l2"),
        ({"side", "price", "size"}, set(), True, "l2"),
        (BY_ORDER, {"add", "cancel"}, False, "mbo"),
        (BY_ORDER, {"modify", "fill"}, False, "mbo"),
        (BY_ORDER, {"add", "delete"}, False, "lobster"),
        (BY_ORDER, {"hidden_fill"}, False, "lobster"),
        (BY_ORDER, {"set"}, False, "l2"),
        # LOBSTER knows no flags, so flags that are set decide.
        (BY_ORDER, {"add", "fill"}, True, "mbo"),
        ({"bid_price", "bid_size", "ask_price", "ask_size"}, set(), False, "quotes"),
    ],
)
def test_a_dialect_is_known_by_columns_and_actions(
    columns: set[str], actions: set[str], flags: bool, dialect: str
) -> None:
    assert recognize(dict.fromkeys(columns), actions, flags) == dialect


@pytest.mark.parametrize("actions", [{"add"}, {"fill"}, {"add", "fill"}, {"delete"}])
def test_actions_of_two_dialects_are_an_error_that_names_both(actions: set[str]) -> None:
    with pytest.raises(DataError, match="more than one dialect") as caught:
        recognize(dict.fromkeys(BY_ORDER), actions, False)
    assert caught.value.code == "ambiguous_dialect"
    assert "lobster" in caught.value.message
    assert "dialect=" in caught.value.remedy


@pytest.mark.parametrize(
    ("columns", "actions"),
    [
        (BY_ORDER, {"set", "cancel"}),
        (BY_ORDER, {"reduce", "cancel"}),
        ({"side", "price", "size", "action"}, {"add"}),
        (BY_ORDER - {"action"}, set()),
    ],
)
def test_no_dialect_is_an_error(columns: set[str], actions: set[str]) -> None:
    with pytest.raises(DataError, match=r"no dialect|without their ids") as caught:
        recognize(dict.fromkeys(columns), actions, False)
    assert caught.value.code == "unknown_dialect"


def test_dialect_given_settles_what_is_ambiguous() -> None:
    adds = {"side": ["B"], "price": [1], "size": [2], "action": ["add"], "order_id": [1]}
    book = OrderBook("X", level="L3")
    with pytest.raises(DataError, match="mbo, lobster"):
        book.apply_table(adds)
    assert book.apply_table(adds, "mbo") == 1
    with pytest.raises(UnknownName, match="no dialect 'mbp'"):
        book.apply_table(adds, "mbp")  # type: ignore[arg-type]
    with pytest.raises(DataError, match="action 'add' is not of dialect 'l2'"):
        book.apply_table(adds, "l2")


def kinds_of_table(columns: dict[str, Any]) -> list[Any]:
    """The same rows in every kind of table and column that is taken."""
    frame = pd.DataFrame(columns)
    text = [n for n in ("side", "action") if n in columns]
    categories = frame.astype(dict.fromkeys(text, "category"))
    objects = frame.astype(dict.fromkeys(text, object))
    nullable = frame.convert_dtypes()
    arrow = pa.table(columns)
    chunked = pa.concat_tables([arrow.slice(0, 1), arrow.slice(1)])
    coded = arrow
    for name in text:
        i = coded.column_names.index(name)
        coded = coded.set_column(i, name, coded.column(name).dictionary_encode())
    return [
        columns,
        frame,
        frame[sorted(columns, reverse=True)],
        frame.rename(columns=str.upper),
        categories,
        objects,
        nullable,
        arrow,
        arrow.to_batches()[0],
        chunked,
        coded,
    ]


@pytest.mark.parametrize("i", range(11))
def test_every_kind_of_table_gives_the_same_l2_book(i: int) -> None:
    book = OrderBook("X")
    assert book.apply_table(kinds_of_table(L2)[i]) == 3
    assert book.bid_count == 0
    assert book.asks().tolist() == [[101.25, 4]]
    assert (book.sequence, book.ts_event, book.in_batch) == (8, 2, False)


@pytest.mark.parametrize("i", range(11))
def test_every_kind_of_table_keeps_64_bit_ids_beside_missing_ones(i: int) -> None:
    table = kinds_of_table(MBO)[i]
    if isinstance(table, pd.DataFrame):
        # pandas itself has made these ids floats; whole numbers are given as Int64.
        table = table.assign(ORDER_ID=pd.array(MBO["order_id"], dtype="Int64"))
        table = table.loc[:, [c for c in table.columns if c != "order_id"]]
    book = OrderBook("X", level="L3")
    columns = book.prepare(table)
    book.apply(columns, 0, 2)
    assert book.orders_at("B", 99.25) == [(2**62 + 2, 4.0)]
    book.apply(columns, 2)
    assert book.order_count == 0


def test_sides_and_actions_are_read_in_the_usual_spellings() -> None:
    book = OrderBook("X")
    for side in ("B", "b", "bid", "BUY", b"B"):
        book.apply_table({"side": [side], "price": [9], "size": [1], "action": ["SET"]})
    book.apply_table({"side": np.array([1, -1]), "price": [8, 10], "size": [1, 1]})
    book.apply_table({"side": np.array(["A", "S"]), "price": [11, 12], "size": [1, 1]})
    assert book.bids()[:, 0].tolist() == [9, 8]
    assert book.asks()[:, 0].tolist() == [10, 11, 12]


def test_times_may_be_timestamps_and_numbers_texts() -> None:
    stamps = pd.to_datetime(["2024-08-08T00:00:00.000000001Z"] * 3)
    table = pd.DataFrame(
        {**L2, "ts_event": stamps, "price": ["99.5", "101.25", "99.5"], "sequence": ["7", "7", "8"]}
    )
    book = OrderBook("X")
    book.apply_table(table)
    assert book.ts_event == 1_723_075_200_000_000_001
    assert book.sequence == 8
    assert book.best_ask == 101.25


def test_missing_sizes_are_taken_where_they_mean_nothing() -> None:
    book = OrderBook("X")
    book.apply_table({**L2, "size": [3.0, 4.0, float("nan")]})
    assert book.bid_count == 0


def test_an_empty_table_changes_nothing() -> None:
    book = OrderBook("X")
    assert book.apply_table({name: [] for name in L2}) == 0
    assert book.apply_table(pd.DataFrame(L2).iloc[:0]) == 0
    assert book.apply_table(pa.table(L2).slice(0, 0)) == 0
    assert OrderBook("X", "L3").apply_table(pd.DataFrame(MBO).iloc[:0]) == 0
    assert (
        OrderBook("X", "L1").apply_table(
            {"bid_price": [], "bid_size": [], "ask_price": [], "ask_size": []}
        )
        == 0
    )


def test_rows_of_the_book_are_picked_from_a_table_of_several_symbols() -> None:
    table = {**L2, "symbol": ["X", "Y", "Y"], "action": ["set"] * 3, "size": [1, 2, 3]}
    book = OrderBook("Y.VENUE")
    assert book.apply_table(table) == 2
    assert (book.best_bid_size, book.best_ask_size) == (3.0, 2.0)
    with pytest.raises(UnknownName, match="'Z' is not in the table, which has X, Y"):
        OrderBook("Z").apply_table(table)
    assert OrderBook("Z").apply_table({**table, "symbol": ["X_PERP"] * 3}) == 3


@pytest.mark.parametrize(
    ("table", "what"),
    [
        ({**L2, "price": [1, float("nan"), 3]}, r"price is missing .* in 1 row\(s\): 1"),
        ({**L2, "price": [1, float("inf"), 1e10]}, r"price .* in 2 row\(s\): 1, 2"),
        (
            {**L2, "size": [1, None, None]},
            r"size is missing, negative or infinite in 1 row\(s\): 1",
        ),
        ({**L2, "size": [-1, 1, 1]}, r"size .* in 1 row\(s\): 0"),
        ({**L2, "size": [1, 1, -1]}, r"size is negative in 1 row\(s\): 2"),
        ({**L2, "side": ["B", "Q", "B"]}, r"unknown side 'Q' in 1 row\(s\): 1"),
        ({**L2, "side": ["B", "A", "N"]}, r"side is missing in 1 row\(s\): 2"),
        ({**L2, "side": ["B", None, "B"]}, r"side is missing in 1 row\(s\): 1"),
        ({**L2, "action": ["set", "put", "put"]}, r"unknown action 'put' in 2 row\(s\): 1, 2"),
        ({**L2, "action": ["set", None, "set"]}, r"action is missing in 1 row\(s\): 1"),
        ({**L2, "price": ["a", "b", "c"]}, "column 'price' does not hold numbers"),
        ({**L2, "sequence": [1.5, 2, 3]}, "column 'sequence' does not hold whole numbers"),
        ({**L2, "size": [1, 2]}, "columns of different lengths"),
        ({"price": [1], "size": [1]}, "no column side"),
        ({"side": ["B"], "price": [1]}, "no column size"),
        ({**MBO, "order_id": [1, None, None]}, r"order_id is missing in 1 row\(s\): 1"),
        ({**MBO, "order_id": ["a", "b", "c"]}, "column 'order_id' does not hold whole numbers"),
        ([1, 2, 3], "cannot be a list"),
        ({**L2, "size": 1}, "columns size are not arrays"),
    ],
)
def test_wrong_rows_are_named_and_the_book_is_unchanged(table: Any, what: str) -> None:
    book = OrderBook("X")
    book.set("B", 42, 1)
    with pytest.raises(DataError, match=what):
        book.apply_table(table)
    assert book.bids().tolist() == [[42, 1]]
    assert book.ask_count == 0


def test_rows_named_are_those_of_the_table_given() -> None:
    table = {**L2, "symbol": ["Y", "X", "X"], "size": [1, 1, -1]}
    with pytest.raises(DataError, match=r"row\(s\): 2") as caught:
        OrderBook("X").apply_table(table)
    assert caught.value.values["rows"] == [2]


def test_levels_that_a_feed_cannot_give_are_refused() -> None:
    quotes = {"bid_price": [1], "bid_size": [1], "ask_price": [2], "ask_size": [1]}
    for level in ("L2", "L3"):
        with pytest.raises(DataError, match="quotes hold"):
            OrderBook("X", level).apply_table(quotes)


def test_large_sizes_lower_the_unit_as_far_as_it_must() -> None:
    book = OrderBook("PEPE")
    small = {"side": ["B", "A"], "price": [9e-6, 1.1e-5], "size": [120.5, 7]}
    book.apply_table(small)
    assert book.size_decimals == 9
    book.apply_table({**small, "price": [8e-6, 1.2e-5], "size": [2.5e12, 7]})
    assert 1 <= book.size_decimals < 5
    assert book.bids().tolist() == [[9e-6, 120.5], [8e-6, 2.5e12]]
    book.apply_table(small)
    assert book.bids()[0].tolist() == [9e-6, 120.5]
    with pytest.raises(PrecisionError, match="rows"):
        book.apply_table({**small, "size": [0.123456789, 7]})


def test_a_unit_that_was_given_is_kept() -> None:
    book = OrderBook("X", size_decimals=0)
    book.apply_table({"side": ["B"], "price": [1], "size": [9e18]})
    assert book.raw_levels("B").tolist() == [[10**9, 9 * 10**18]]
    with pytest.raises(PrecisionError, match=r"more than 0 decimal places in rows \[0\]"):
        book.apply_table({"side": ["B"], "price": [1], "size": [0.5]})
    with pytest.raises(DataError, match="does not fit 64 bits"):
        OrderBook("X", size_decimals=9).apply_table({"side": ["B"], "price": [1], "size": [1e11]})


def test_prices_in_32_bits_are_the_decimals_they_stand_for() -> None:
    single = np.array([13.93, 13.94, 61735.99], dtype=np.float32)
    for column in (single, pd.Series(single), pa.chunked_array([pa.array(single)])):
        book = OrderBook("X")
        table = {"side": ["B", "A", "A"], "price": column, "size": single}
        book.apply_table(table if isinstance(column, np.ndarray) else pa.table(
            {**table, "price": pa.array(column)}
        ))  # fmt: skip
        assert book.bids().tolist() == [[13.93, 13.93]]
        assert book.asks().tolist() == [[13.94, 13.94], [61735.99, 61735.99]]


def test_sides_as_bytes_are_read() -> None:
    for sides in (np.array([b"B", b"A", b"B"]), pd.Series([b"B", b"A", b"B"])):
        frame = pd.DataFrame({**L2, "side": sides})
        assert OrderBook("X").apply_table(frame) == 3
    table = pa.table({**L2, "side": pa.array([b"B", b"A", b"B"], pa.binary())})
    assert OrderBook("X").apply_table(table) == 3


def test_shuffled_rows_are_refused_and_a_feed_that_steps_back_is_not() -> None:
    n = 100
    table = pd.DataFrame({
        "ts_event": np.arange(n), "side": "B", "price": np.arange(n) + 1.0, "size": 1.0,
        "action": "set", "sequence": np.arange(n) + 1,
    })  # fmt: skip
    turned = table.iloc[::-1]
    for wrong in (turned, table.sample(frac=1, random_state=1)):
        with pytest.raises(DataError, match="ts_event steps back at"):
            OrderBook("X").apply_table(wrong)
    # Where both are there, the time of arrival says the order.
    assert OrderBook("X").apply_table(turned.assign(ts_recv=np.arange(n), sequence=0)) == n
    stepping = table.assign(ts_event=np.where(table.index % 10 == 3, 0, table.ts_event))
    assert OrderBook("X").apply_table(stepping) == n
