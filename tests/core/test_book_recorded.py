"""Books rebuilt from recorded feeds, against what was recorded beside them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from pyrt.core.book import OrderBook
from tests.recorded import recorded
from tests.reference.book import rebuild_by_price

CAPTURES = {
    # name: messages applied, compared, prices equal, as the data's own description counts them.
    "BTCUSDT_binance_usdm_20240808": (6547, 6545, 6545),
    "BTCUSDT_binance_spot_20240808_09": (6493, 6492, 6490),
    "BTCUSDPERP_binance_coinm_20240808_09": (44772, 44770, 44770),
}


def load(name: str) -> Any:
    return pd.read_parquet(recorded(f"{name}.parquet"))


def last_rows(table: Any) -> npt.NDArray[np.int64]:
    """Return the index behind each message's last row."""
    message = table["message"].to_numpy()
    return np.flatnonzero(np.append(message[1:] != message[:-1], True)) + 1


@pytest.mark.parametrize("name", CAPTURES)
def test_the_touch_of_an_l2_capture_equals_the_recorded_quotes(name: str) -> None:
    table, quotes = load(f"crypto_l2_{name}"), load(f"crypto_quotes_{name}")
    book = OrderBook("BTC")
    columns = book.prepare(table)
    assert columns.dialect == "l2"
    numbers = quotes["sequence"].to_numpy()
    recorded = quotes[["bid_price", "bid_size", "ask_price", "ask_size"]].to_numpy()
    applied = compared = prices = sizes = start = 0
    for end in last_rows(table).tolist():
        book.apply(columns, start, end)
        start = end
        assert not book.in_batch
        if book.snapshot_count == 0 or table["flags"].iat[end - 1] & 1:
            continue
        applied += 1
        row = int(np.searchsorted(numbers, book.sequence, side="right")) - 1
        if row < 0:
            continue
        bid_price, bid_size, ask_price, ask_size = recorded[row]
        compared += 1
        if (book.best_bid, book.best_ask) == (bid_price, ask_price):
            prices += 1
            sizes += (book.best_bid_size, book.best_ask_size) == (bid_size, ask_size)
    expected_applied, expected_compared, expected_prices = CAPTURES[name]
    # What came between the snapshot's number and its arrival was applied with it, not after it.
    before = table.index < table.index[table["action"] == "snapshot"][0]
    early = table.loc[before & (table["sequence"] > snapshot_number(table)), "message"].nunique()
    assert applied + early == expected_applied
    assert compared == expected_compared
    assert compared - prices == expected_compared - expected_prices
    assert sizes == prices
    assert (book.gap_count, book.crossed_count, book.anomaly_count) == (0, 0, 0)


def snapshot_number(table: Any) -> int:
    return int(table.loc[table["action"] == "snapshot", "sequence"].iat[0])


@pytest.mark.parametrize("name", CAPTURES)
def test_the_depth_of_an_l2_capture_equals_a_rebuild_by_hand(name: str) -> None:
    table = load(f"crypto_l2_{name}")
    book = OrderBook("BTC")
    columns = book.prepare(table)
    checked, start = 0, 0
    ends = {int(table["sequence"].iat[end - 1]): end for end in last_rows(table).tolist()}
    loaded = int(np.flatnonzero(table["action"] == "snapshot")[-1]) + 1
    for i, (sequence, bids, asks) in enumerate(rebuild_by_price(table)):
        end = ends[sequence]
        if i % 400 or end < loaded:
            continue
        book.apply(columns, start, end)
        start = end
        np.testing.assert_array_equal(book.bids(), sorted(bids.items(), reverse=True))
        np.testing.assert_array_equal(book.asks(), sorted(asks.items()))
        assert book.sequence == sequence
        book.check()
        checked += 1
    assert checked >= 15


@pytest.mark.parametrize("name", CAPTURES)
def test_a_book_equals_the_snapshot_where_nothing_newer_is_known(name: str) -> None:
    table = load(f"crypto_l2_{name}")
    snapshot = table[table["action"] == "snapshot"]
    book = OrderBook("BTC")
    assert book.apply_table(snapshot) == 2000
    for side, levels, ascending in (("B", book.bids(), False), ("A", book.asks(), True)):
        rows = snapshot[snapshot["side"] == side].sort_values("price", ascending=ascending)
        np.testing.assert_array_equal(levels, rows[["price", "size"]])
    assert not book.is_stale


@pytest.mark.parametrize("name", CAPTURES)
def test_update_ids_that_jump_are_no_gaps_without_the_columns_that_link_them(name: str) -> None:
    table = load(f"crypto_l2_{name}").iloc[:60_000]
    linked, alone = OrderBook("BTC"), OrderBook("BTC")
    linked.apply_table(table)
    alone.apply_table(table.drop(columns=["sequence_first", "sequence_prev"]))
    assert (alone.gap_count, alone.is_stale) == (0, False)
    np.testing.assert_array_equal(alone.bids(), linked.bids())
    np.testing.assert_array_equal(alone.asks(), linked.asks())


@pytest.mark.parametrize("rows", [1, 9, 500, 997])
def test_a_capture_may_come_in_tables_of_any_length(rows: int) -> None:
    # The cut tables end inside messages and inside the snapshot, which newer changes precede.
    table = load("crypto_l2_BTCUSDT_binance_usdm_20240808").iloc[: 2400 if rows == 1 else 6000]
    whole, parts = OrderBook("BTC"), OrderBook("BTC")
    total = whole.apply_table(table)
    tables = (table.iloc[start : start + rows] for start in range(0, len(table), rows))
    assert sum(parts.apply_table(each) for each in tables) == total
    np.testing.assert_array_equal(parts.bids(), whole.bids())
    np.testing.assert_array_equal(parts.asks(), whole.asks())
    assert (parts.sequence, parts.gap_count) == (whole.sequence, 0)
    assert parts.snapshot_count == whole.snapshot_count == 1
    assert not parts.is_stale


def test_a_message_lost_from_a_capture_is_a_gap() -> None:
    for name in CAPTURES:
        table = load(f"crypto_l2_{name}")
        cut = table[table["message"] != table["message"].unique()[-20]]
        book = OrderBook("BTC")
        book.apply_table(cut)
        assert (book.gap_count, book.is_stale) == (1, True), name


def test_es_orders_end_in_the_known_book() -> None:
    table = load("fut_mbo_ESH4_20231225")
    book = OrderBook("ESH4", level="L3")
    assert book.apply_table(table) == len(table)
    assert (book.best_bid, book.best_ask) == (4810.00, 4810.25)
    assert (book.bid_count, book.ask_count, book.order_count) == (922, 565, 11_217)
    assert (book.anomaly_count, book.crossed_count) == (0, 891)
    book.check()
    # Every level is the sum of its orders: the feed began with all of them.
    for price, size in book.bids(200):
        assert sum(size for _, size in book.orders_at("B", price)) == size


def test_es_orders_give_the_same_levels_in_any_slices_and_at_any_level() -> None:
    table = load("fut_mbo_ESH4_20231225")
    whole = OrderBook("ESH4", level="L3")
    whole.apply_table(table)
    parts = OrderBook("ESH4", level="L2")
    for start in range(0, len(table), 997):
        parts.apply_table(table.iloc[start : start + 997], "mbo")
    np.testing.assert_array_equal(parts.bids(), whole.bids())
    np.testing.assert_array_equal(parts.asks(), whole.asks())
    assert parts.crossed_count == whole.crossed_count == 891
    saved = OrderBook("ESH4", level="L3")
    saved.restore(whole.checkpoint())
    np.testing.assert_array_equal(saved.bids(), whole.bids())
    assert saved.orders_at("A", 4810.25) == whole.orders_at("A", 4810.25)


def snapshot_table(row: Any) -> pd.DataFrame:
    """Return one recorded 50-level book as a snapshot by price."""
    levels = [
        (side, row[f"{name}_price_{i:02}"], row[f"{name}_size_{i:02}"])
        for name, side in (("bid", "B"), ("ask", "A"))
        for i in range(1, 51)
    ]
    table = pd.DataFrame(levels, columns=["side", "price", "size"]).dropna()
    return table.assign(action="snapshot", flags=1, sequence=int(row["sequence"]))


@pytest.mark.parametrize("level", ["L2", "L3"])
def test_msft_orders_give_the_recorded_levels_after_every_event(level: Any) -> None:
    orders, books = (
        load("lob_orders_MSFT_20120621_0930_1030"),
        load("lob_book50_MSFT_20120621_1000"),
    )
    book = OrderBook("MSFT", level=level)
    book.apply_table(snapshot_table(books.iloc[0]))
    first = int(books["sequence"].iat[0])
    columns = book.prepare(orders[orders["sequence"].between(first + 1, first + 999)])
    bids, asks = (
        books[[f"{name}_{what}_{i:02}" for i in range(1, 51) for what in ("price", "size")]]
        .to_numpy()
        .reshape(len(books), 50, 2)
        for name in ("bid", "ask")
    )
    # Only events within 50 levels are recorded: a price that was ever beyond them is not known.
    floor, ceiling = bids[0, -1, 0], asks[0, -1, 0]
    compared = 0
    for i in range(999):
        assert book.apply(columns, i, i + 1) == 1
        floor, ceiling = max(floor, bids[i + 1, -1, 0]), min(ceiling, asks[i + 1, -1, 0])
        known_bids = bids[i + 1][bids[i + 1][:, 0] >= floor]
        known_asks = asks[i + 1][asks[i + 1][:, 0] <= ceiling]
        shown_bids, shown_asks = book.bids(), book.asks()
        np.testing.assert_array_equal(shown_bids[shown_bids[:, 0] >= floor], known_bids)
        np.testing.assert_array_equal(shown_asks[shown_asks[:, 0] <= ceiling], known_asks)
        compared += len(known_bids) + len(known_asks)
    assert compared > 90 * 999
    assert (book.gap_count, book.anomaly_count) == (0, 0)


def test_msft_hour_from_an_empty_book_meets_only_the_unknown_orders() -> None:
    orders = load("lob_orders_MSFT_20120621_0930_1030")
    book = OrderBook("MSFT", level="L3")
    assert book.apply_table(orders) == len(orders)
    added = set(orders.loc[orders["action"] == "add", "order_id"])
    changes = orders[orders["action"].isin(["delete", "reduce", "fill"])]
    assert book.anomaly_count == int((~changes["order_id"].isin(added)).sum())
    left = orders[orders["action"] != "hidden_fill"].copy()
    left = left[left["order_id"].isin(added)]
    left["change"] = left["size"].where(left["action"] == "add", -left["size"])
    resting = left.groupby("order_id")["change"].sum()
    assert (resting >= 0).all()
    assert book.order_count == int((resting > 0).sum())
    total = book.bids()[:, 1].sum() + book.asks()[:, 1].sum()
    assert total == resting.sum()
    assert book.crossed_count == 0
    book.check()


def test_bac_quotes_feed_an_l1_book() -> None:
    quotes = load("eq_quotes_BAC_20131007_20131011").iloc[-100_000:]
    book = OrderBook("BAC", level="L1")
    columns = book.prepare(quotes)
    for i in range(0, len(quotes), 10_007):
        book.restore(OrderBook("BAC", level="L1").checkpoint())
        book.apply(columns, 2 * i, 2 * i + 2)
        row = quotes.iloc[i]
        shown = (book.best_bid, book.best_bid_size, book.best_ask, book.best_ask_size)
        assert shown == tuple(row[["bid_price", "bid_size", "ask_price", "ask_size"]])
    assert book.apply(columns) == len(quotes)
