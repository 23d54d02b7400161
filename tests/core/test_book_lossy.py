"""A feed that loses, repeats and delays messages: a book that is not stale is the true book."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pyrt.core.book import OrderBook

Change = tuple[str, int, int]
Levels = dict[tuple[str, int], int]

changes = st.lists(
    st.tuples(st.sampled_from("BA"), st.integers(1, 8), st.integers(0, 5)), min_size=1, max_size=4
)
# What arrives after each message: nothing (lost), itself, itself twice, or also a snapshot that
# is so many messages old.
arrivals = st.one_of(st.sampled_from(["lost", "once", "once", "once", "twice"]), st.integers(0, 4))


def table(rows: list[Change], action: str, first: int, last: int, rule: str) -> dict[str, Any]:
    n = len(rows)
    columns: dict[str, Any] = {
        "side": [side for side, _, _ in rows],
        "price": [float(price) for _, price, _ in rows],
        "size": [float(size) for _, _, size in rows],
        "action": [action] * n,
        "flags": [(action == "snapshot") | (2 if i == n - 1 else 0) for i in range(n)],
        "sequence": [last] * n,
    }
    if rule == "futures":
        columns["sequence_prev"] = [first - 1] * n
    if rule == "spot":
        columns["sequence_first"] = [first] * n
    return columns


def shown(book: OrderBook) -> Levels:
    sides = (("B", book.bids()), ("A", book.asks()))
    return {(side, int(p)): int(n) for side, levels in sides for p, n in levels.tolist()}


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    st.sampled_from(["futures", "spot", "contiguous"]),
    st.lists(st.tuples(changes, st.integers(1, 3), arrivals), min_size=1, max_size=30),
)
def test_a_book_that_is_not_stale_is_the_true_book(
    rule: str, feed: list[tuple[list[Change], int, Any]]
) -> None:
    book, truth, number = OrderBook("X"), dict[tuple[str, int], int](), 100
    history: dict[int, Levels] = {}
    asked: list[int] = []
    book.on_gap = lambda book: asked.append(book.sequence)

    def snapshot(at: int) -> None:
        rows = [(side, price, size) for (side, price), size in history[at].items()]
        book.apply_table(table(rows or [("B", 1, 0)], "snapshot", at, at, rule))

    def check() -> None:
        book.check()
        assert book.needs_snapshot == book.is_stale
        if book.snapshot_count and not book.is_stale:
            assert shown(book) == history[book.sequence]

    for rows, width, arrival in feed:
        first = number + 1
        number += 1 if rule == "contiguous" else width
        for side, price, size in rows:
            truth[side, price] = size
        history[number] = {level: size for level, size in truth.items() if size}
        for _ in range({"lost": 0, "twice": 2}.get(arrival, 1)):
            book.apply_table(table(rows, "set", first, number, rule))
            check()
        if isinstance(arrival, int):
            snapshot(sorted(history)[-1 - min(arrival, len(history) - 1)])
            check()
    snapshot(number)
    assert not book.is_stale
    assert shown(book) == history[number]
    assert len(asked) <= book.gap_count
