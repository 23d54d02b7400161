"""Messages, snapshots, sequence numbers and gaps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from pyrt.core.book import OrderBook

Row = tuple[str, float, float]


def message(
    sequence: int, rows: Sequence[Row], *, snapshot: bool = False, **columns: Any
) -> dict[str, Any]:
    """One message by price as a table: (side, price, size) rows, the last one flagged."""
    n = len(rows)
    flags = [1 if snapshot else 0] * n
    flags[-1] |= 2
    action = ["snapshot" if snapshot else "set" if size else "delete" for _, _, size in rows]
    return {
        "side": [row[0] for row in rows],
        "price": [row[1] for row in rows],
        "size": [row[2] for row in rows],
        "action": action,
        "flags": flags,
        "sequence": [sequence] * n,
        **{name: [value] * n for name, value in columns.items()},
    }


def joined(*tables: dict[str, Any]) -> dict[str, Any]:
    return {name: [v for table in tables for v in table[name]] for name in tables[0]}


SNAPSHOT = message(10, [("B", 99, 5), ("B", 98, 5), ("A", 101, 5)], snapshot=True)


def test_changes_follow_a_snapshot() -> None:
    book = OrderBook("X")
    assert book.apply_table(SNAPSHOT) == 3
    assert book.apply_table(message(11, [("B", 99, 0), ("A", 100, 2)])) == 2
    assert book.bids().tolist() == [[98, 5]]
    assert book.asks().tolist() == [[100, 2], [101, 5]]
    assert (book.sequence, book.gap_count, book.is_stale) == (11, 0, False)


def test_a_snapshot_replaces_the_book() -> None:
    book = OrderBook("X")
    book.apply_table(SNAPSHOT)
    book.apply_table(message(20, [("B", 97, 1)], snapshot=True))
    assert book.bids().tolist() == [[97, 1]]
    assert book.ask_count == 0
    assert book.snapshot_count == 2


def test_changes_seen_before_the_snapshot_are_put_on_top_of_it_if_newer() -> None:
    early = joined(
        message(9, [("B", 99, 1)]),
        message(10, [("A", 101, 1)]),
        message(11, [("A", 101, 7)]),
    )
    for tables in ([early, SNAPSHOT], [joined(early, SNAPSHOT)]):
        book = OrderBook("X")
        for table in tables:
            book.apply_table(table)
        assert book.bids().tolist() == [[99, 5], [98, 5]]
        assert book.asks().tolist() == [[101, 7]]
        assert book.sequence == 11
        assert not book.is_stale


def test_messages_the_snapshot_already_holds_are_dropped() -> None:
    book = OrderBook("X")
    book.apply_table(SNAPSHOT)
    assert book.apply_table(message(9, [("B", 99, 1)])) == 0
    assert book.apply_table(message(10, [("B", 99, 1)])) == 0
    assert book.best_bid_size == 5.0
    assert book.dropped_count == 2
    assert book.gap_count == 0


def test_a_snapshot_older_than_a_sound_book_is_dropped() -> None:
    book = OrderBook("X")
    book.apply_table(SNAPSHOT)
    book.apply_table(message(11, [("B", 99, 3)]))
    old = message(8, [("B", 90, 1)], snapshot=True)
    assert book.apply_table(old) == 0
    assert book.best_bid_size == 3.0


@pytest.mark.parametrize(
    ("numbers", "gaps"),
    [
        ({}, 1),
        ({"sequence_first": 12}, 1),
        ({"sequence_first": 11}, 0),
        ({"sequence_first": 8}, 0),
        ({"sequence_prev": 12}, 1),
        ({"sequence_prev": 10}, 0),
        ({"sequence_prev": 10, "sequence_first": 12}, 0),
    ],
)
def test_a_gap_is_seen_by_each_rule(numbers: dict[str, Any], gaps: int) -> None:
    # Spot: sequence_first is one above the last; futures: sequence_prev is the last, whatever
    # sequence_first says; else numbers go up by one, and 13 does not follow 10.
    book = OrderBook("X")
    book.apply_table(SNAPSHOT)
    assert book.apply_table(message(13, [("B", 99, 1)], **numbers)) == 1
    assert book.gap_count == gaps
    assert book.is_stale is book.needs_snapshot is bool(gaps)
    assert book.best_bid_size == 1.0


def test_numbers_need_not_be_contiguous_when_told_so() -> None:
    book = OrderBook("X")
    book.apply_table(SNAPSHOT)
    book.apply_table(message(13, [("B", 99, 1)]), contiguous=False)
    assert book.gap_count == 0


def test_the_next_snapshot_heals_a_gap_and_keeps_what_is_newer() -> None:
    asked: list[OrderBook] = []
    book = OrderBook("X")
    book.on_gap = asked.append
    book.apply_table(SNAPSHOT)
    book.apply_table(message(13, [("B", 99, 1)]))
    book.apply_table(message(14, [("B", 97, 4)]))
    book.apply_table(message(15, [("A", 101, 0)]))
    assert asked == [book]
    assert book.is_stale
    fresh = message(14, [("B", 99, 2), ("A", 101, 9), ("A", 102, 9)], snapshot=True)
    book.apply_table(fresh)
    assert book.bids().tolist() == [[99, 2]]
    assert book.asks().tolist() == [[102, 9]]
    assert book.sequence == 15
    assert (book.is_stale, book.needs_snapshot, book.gap_count) == (False, False, 1)


def test_a_snapshot_from_before_the_gap_does_not_heal_it() -> None:
    book = OrderBook("X")
    book.apply_table(SNAPSHOT)
    book.apply_table(message(13, [("B", 99, 1)]))
    book.apply_table(message(11, [("B", 99, 2)], snapshot=True))
    assert book.is_stale
    assert book.needs_snapshot
    assert book.gap_count == 1
    book.apply_table(message(12, [("B", 95, 2)], snapshot=True))
    assert not book.is_stale
    assert book.bids().tolist() == [[99, 1], [95, 2]]


def test_each_gap_is_counted() -> None:
    book = OrderBook("X")
    book.apply_table(SNAPSHOT)
    for sequence in (12, 13, 20):
        book.apply_table(message(sequence, [("B", 99, 1)]))
    assert book.gap_count == 2


def test_a_message_may_come_in_two_tables() -> None:
    whole = joined(SNAPSHOT, message(11, [("B", 99, 0), ("B", 98, 1), ("A", 100, 2)]))
    n = len(whole["side"])
    for cut in range(1, n):
        book = OrderBook("X")
        parts = ({k: v[:cut] for k, v in whole.items()}, {k: v[cut:] for k, v in whole.items()})
        assert sum(book.apply_table(part) for part in parts) == n
        assert book.bids().tolist() == [[98, 1]], cut
        assert book.asks().tolist() == [[100, 2], [101, 5]], cut
        assert not book.is_stale


def test_prepared_columns_can_be_applied_in_parts() -> None:
    book = OrderBook("X")
    columns = book.prepare(joined(SNAPSHOT, message(11, [("B", 99, 0), ("A", 100, 2)])))
    assert len(columns) == 5
    assert book.apply(columns, 0, 4) == 4
    assert book.in_batch
    assert book.best_bid == 98.0
    assert book.apply(columns, 4) == 1
    assert not book.in_batch
    with pytest.raises(IndexError, match="rows 4 to 9 of 5"):
        book.apply(columns, 4, 9)


def test_a_cross_counts_only_at_the_end_of_a_message() -> None:
    book = OrderBook("X")
    book.apply_table(SNAPSHOT)
    # The bid passes the old ask before that is deleted: a cross within the message.
    book.apply_table(message(11, [("B", 102, 1), ("A", 101, 0), ("A", 103, 1)]))
    assert book.crossed_count == 0
    book.apply_table(message(12, [("B", 104, 1)]))
    assert book.crossed_count == 1
    assert book.is_crossed


def test_rows_of_a_snapshot_may_be_numbered_singly() -> None:
    table = {**SNAPSHOT, "sequence": [8, 9, 10]}
    book = OrderBook("X")
    book.apply_table(table)
    assert book.bid_count == 2
    assert book.sequence == 10


def test_tables_without_numbers_or_flags_apply() -> None:
    plain = {"side": ["B", "A"], "price": [99, 101], "size": [1, 1], "action": ["snapshot"] * 2}
    book = OrderBook("X")
    book.apply_table(plain)
    book.apply_table({**plain, "price": [98, 102]})
    assert book.bids().tolist() == [[98, 1]]
    assert book.asks().tolist() == [[102, 1]]
    assert not book.in_batch
    assert book.snapshot_count == 2


def test_flags_without_an_end_end_with_the_table() -> None:
    book = OrderBook("X")
    book.apply_table(SNAPSHOT)
    book.apply_table(message(13, [("B", 99, 1)]))
    book.apply_table({**message(13, [("B", 90, 1)], snapshot=True), "flags": [1]})
    assert not book.is_stale
    assert book.bids().tolist() == [[90, 1]]


def test_every_part_of_a_snapshot_older_than_a_sound_book_is_dropped() -> None:
    book = OrderBook("X")
    book.apply_table(SNAPSHOT)
    book.apply_table(message(11, [("B", 99, 3)]))
    for row in (("B", 90.0, 1.0), ("A", 91.0, 1.0)):
        assert book.apply_table({**message(8, [row], snapshot=True), "flags": [1]}) == 0
    assert book.bids().tolist() == [[99, 3], [98, 5]]
    assert book.sequence == 11


def test_clear_forgets_the_place_in_the_feed() -> None:
    book = OrderBook("X")
    book.apply_table(SNAPSHOT)
    book.apply_table(message(13, [("B", 99, 1)]))
    book.clear()
    assert (book.sequence, book.is_stale, book.bid_count) == (0, False, 0)
    book.apply_table(message(3, [("B", 50, 1)], snapshot=True))
    assert book.best_bid == 50.0


def test_a_checkpoint_holds_the_place_in_the_feed_and_what_waits() -> None:
    book = OrderBook("X")
    book.apply_table(SNAPSHOT)
    book.apply_table(message(13, [("B", 99, 1)]))
    other = OrderBook("X")
    other.restore(book.checkpoint())
    for each in (book, other):
        assert each.is_stale
        each.apply_table(message(12, [("B", 95, 2)], snapshot=True))
        assert each.bids().tolist() == [[99, 1], [95, 2]]
        assert each.sequence == 13


def test_waiting_for_a_snapshot_takes_bounded_memory() -> None:
    book = OrderBook("X")
    rows = [("B", 1.0 + i % 10, 1.0) for i in range(70_000)]
    table = message(1, rows)
    table["sequence"] = list(range(1, len(rows) + 1))
    book.apply_table(table)
    assert book.nbytes < 10_000
    book.apply_table(message(70_005, [("B", 5, 5)], snapshot=True))
    assert book.bids().tolist() == [[5, 5]]


def orders(rows: Sequence[tuple[str, str, float, float, int]], **columns: Any) -> dict[str, Any]:
    names = ("action", "side", "price", "size", "order_id")
    table: dict[str, Any] = {name: [row[i] for row in rows] for i, name in enumerate(names)}
    n = len(rows)
    return table | {k: v if isinstance(v, list) else [v] * n for k, v in columns.items()}


def test_mbo_trade_and_fill_change_nothing_until_the_cancel() -> None:
    book = OrderBook("X", level="L3")
    table = orders(
        [
            ("add", "A", 101, 5, 1),
            ("add", "A", 101, 5, 2),
            ("trade", "B", 101, 3, 0),
            ("fill", "A", 101, 3, 1),
            ("cancel", "A", 101, 3, 1),
            ("modify", "A", 100, 5, 2),
        ],
        flags=[128, 128, 0, 0, 128, 128],
    )
    assert book.apply_table(table) == 6
    assert book.asks().tolist() == [[100, 5], [101, 2]]
    assert book.anomaly_count == 0


def test_mbo_event_is_open_until_its_last_row() -> None:
    book = OrderBook("X", level="L3")
    rows = [("add", "B", 102, 1, 1), ("add", "A", 101, 1, 2), ("cancel", "A", 101, 1, 2)]
    columns = book.prepare(orders(rows, flags=[0, 0, 128]))
    book.apply(columns, 0, 2)
    assert book.in_batch
    assert book.crossed_count == 0
    book.apply(columns, 2)
    assert not book.in_batch
    assert book.crossed_count == 0


def test_mbo_snapshot_and_clear_empty_the_book() -> None:
    book = OrderBook("X", level="L3")
    book.apply_table(orders([("add", "B", 99, 1, 1)], flags=128))
    book.apply_table(orders([("add", "B", 98, 1, 2), ("add", "B", 97, 1, 3)], flags=32))
    assert book.bids().tolist() == [[98, 1], [97, 1]]
    book.apply_table(orders([("clear", "N", float("nan"), float("nan"), 0)], flags=128))
    assert (book.bid_count, book.order_count) == (0, 0)


def test_mbo_feed_that_says_it_lost_something_is_stale_until_a_snapshot() -> None:
    book = OrderBook("X", level="L3")
    book.apply_table(orders([("add", "B", 99, 1, 1)], flags=128 | 4))
    assert (book.gap_count, book.is_stale, book.needs_snapshot) == (1, True, True)
    book.apply_table(orders([("add", "B", 98, 1, 2)], flags=32 | 128))
    assert not book.is_stale
    assert not book.needs_snapshot


def test_unknown_orders_are_counted_and_never_make_a_level_negative() -> None:
    book = OrderBook("X", level="L3")
    rows = [
        ("add", "B", 99, 5, 1),
        ("cancel", "B", 99, 5, 8),
        ("modify", "B", 98, 2, 9),
        ("cancel", "B", 99, 7, 1),
    ]
    book.apply_table(orders(rows, flags=128))
    assert book.bids().tolist() == [[98, 2]]
    assert book.anomaly_count == 3


def test_lobster_takes_orders_from_before_the_feed_off_their_level() -> None:
    book = OrderBook("X", level="L3")
    book.apply_table(message(5, [("B", 99, 300), ("A", 101, 200)], snapshot=True))
    rows = [
        ("add", "B", 99, 50, 1),
        ("reduce", "B", 99, 100, 70),
        ("fill", "A", 101, 50, 71),
        ("delete", "A", 101, 150, 72),
        ("hidden_fill", "B", 99, 10, 0),
        ("fill", "B", 99, 20, 1),
    ]
    assert book.apply_table(orders(rows, sequence=[6, 7, 8, 9, 10, 11])) == 6
    assert book.bids().tolist() == [[99, 230]]
    assert book.ask_count == 0
    assert book.orders_at("B", 99) == [(1, 30.0)]
    assert book.anomaly_count == 0


def test_lobster_repeats_are_dropped_and_gaps_seen() -> None:
    book = OrderBook("X", level="L3")
    rows = [("add", "B", 99, 1, i) for i in range(1, 5)]
    book.apply_table(orders(rows, sequence=[1, 2, 2, 5]), "lobster")
    assert book.best_bid_size == 3.0
    assert (book.dropped_count, book.gap_count) == (1, 1)


def test_quotes_feed_an_l1_book() -> None:
    book = OrderBook("X", level="L1")
    quotes = {
        "bid_price": [10.0, 10.1, float("nan")],
        "bid_size": [5, 6, 0],
        "ask_price": [10.2, 10.2, 10.3],
        "ask_size": [7, 0, 8],
        "ts_event": [1, 2, 3],
    }
    columns = book.prepare(quotes)
    assert book.apply(columns, 0, 4) == 2
    assert (book.best_bid, book.best_ask, book.best_ask_size) == (10.1, 10.2, 0.0)
    assert book.apply(columns, 4) == 1
    assert book.bid_count == 0
    assert book.asks().tolist() == [[10.3, 8]]
    assert book.ts_event == 3
