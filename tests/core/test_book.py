"""The order book's answers, worked by hand."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest

from pyrt.core.book import OrderBook
from pyrt.errors import ConfigError, PrecisionError


@pytest.fixture
def book() -> OrderBook:
    """Bids 10.00 x 300, 9.99 x 500, 9.97 x 200; asks 10.02 x 100, 10.03 x 400."""
    book = OrderBook("ABC")
    for side, price, size in (
        ("B", 9.99, 500),
        ("A", 10.03, 400),
        ("B", 10.00, 300),
        ("A", 10.02, 100),
        ("B", 9.97, 200),
    ):
        book.set(side, price, size)
    return book


def test_levels_come_best_first(book: OrderBook) -> None:
    np.testing.assert_array_equal(book.bids(), [[10.00, 300], [9.99, 500], [9.97, 200]])
    np.testing.assert_array_equal(book.asks(1), [[10.02, 100]])
    assert book.bids().dtype == np.float64
    assert book.asks(0).shape == (0, 2)
    assert book.asks(99).shape == (2, 2)


def test_raw_levels_are_fixed_point(book: OrderBook) -> None:
    raw = book.raw_levels("A")
    assert raw.tolist() == [[10_020_000_000, 100 * 10**9], [10_030_000_000, 400 * 10**9]]


def test_touch_and_what_follows_from_it(book: OrderBook) -> None:
    assert (book.best_bid, book.best_ask) == (10.00, 10.02)
    assert (book.best_bid_size, book.best_ask_size) == (300.0, 100.0)
    assert book.spread == 0.02
    assert book.mid == 10.01
    assert book.spread_bps == pytest.approx(0.02 / 10.01 * 1e4, rel=1e-15)
    # More is bid than offered, so the weighted mean leans to the ask: (10*100 + 10.02*300)/400.
    assert book.micro_price == pytest.approx(10.015, rel=1e-15)


def test_imbalance_counts_the_levels_asked_for(book: OrderBook) -> None:
    assert book.imbalance(1) == (300 - 100) / 400
    assert book.imbalance(2) == (800 - 500) / 1300
    assert book.imbalance(50) == (1000 - 500) / 1500


def test_empty_sides_are_nan(book: OrderBook) -> None:
    empty = OrderBook("ABC")
    for name in ("best_bid", "best_ask", "spread", "spread_bps", "mid", "micro_price"):
        assert math.isnan(getattr(empty, name)), name
    assert math.isnan(empty.imbalance(3))
    assert empty.best_bid_size == 0.0
    assert not empty.is_crossed
    assert not empty.is_locked
    empty.set("B", 5, 1)
    assert empty.imbalance(1) == 1.0
    assert math.isnan(empty.mid)
    assert empty.best_bid == 5.0


def test_average_price_walks_the_other_side(book: OrderBook) -> None:
    assert book.average_price("buy", 100) == 10.02
    assert book.average_price("buy", 200) == pytest.approx(10.025, rel=1e-15)
    assert book.average_price("sell", 1000) == (10.00 * 300 + 9.99 * 500 + 9.97 * 200) / 1000
    assert math.isnan(book.average_price("buy", 501))


def test_quantity_for_price_stops_at_the_limit(book: OrderBook) -> None:
    assert book.quantity_for_price("buy", 10.01) == 0.0
    assert book.quantity_for_price("buy", 10.02) == 100.0
    assert book.quantity_for_price("buy", 11) == 500.0
    assert book.quantity_for_price("sell", 9.98) == 800.0


@pytest.mark.parametrize("quantity", [0, -5])
def test_average_price_refuses_no_quantity(book: OrderBook, quantity: int) -> None:
    with pytest.raises(ConfigError, match="positive"):
        book.average_price("buy", quantity)


def test_size_zero_removes_a_level(book: OrderBook) -> None:
    book.set("B", 10.00, 0)
    assert book.best_bid == 9.99
    book.set("B", 1.23, 0)
    assert book.bid_count == 2


def test_locked_and_crossed_books_are_kept_and_named(book: OrderBook) -> None:
    book.set("B", 10.02, 50)
    assert book.is_locked
    assert not book.is_crossed
    assert book.spread == 0.0
    book.set("B", 10.05, 50)
    assert book.is_crossed
    assert book.spread == -0.03
    assert book.bid_count == 5


def test_own_orders_are_taken_out_of_a_copy(book: OrderBook) -> None:
    others = book.without_own([("B", 10.00, 300), ("sell", 10.03, 150), ("B", 9.99, 900)])
    np.testing.assert_array_equal(others.bids(), [[9.97, 200]])
    np.testing.assert_array_equal(others.asks(), [[10.02, 100], [10.03, 250]])
    assert book.best_bid == 10.00


def test_max_levels_prunes_the_worst() -> None:
    book = OrderBook("ABC", max_levels=2)
    for price in (10, 8, 9, 7, 11):
        book.set("B", price, 1)
        book.set("A", price + 10, 1)
    assert book.bids()[:, 0].tolist() == [11, 10]
    assert book.asks()[:, 0].tolist() == [17, 18]


def test_max_levels_drops_the_orders_of_a_pruned_level() -> None:
    book = OrderBook("ABC", level="L3", max_levels=1)
    book.add(1, "B", 10, 5)
    book.add(2, "B", 11, 5)
    assert book.order_count == 1
    assert not book.delete(1)
    assert book.delete(2)
    assert book.bid_count == 0


def test_l1_shows_the_best_level_of_what_it_knows() -> None:
    book = OrderBook("ABC", level="L1")
    for price in (10, 9, 8):
        book.set("B", price, price)
    assert book.bids().tolist() == [[10, 10]]
    assert book.bid_count == 1
    book.set("B", 10, 0)
    assert book.bids(5).tolist() == [[9, 9]]


def test_orders_queue_by_arrival_and_modify_keeps_the_place_only_downwards() -> None:
    book = OrderBook("ABC", level="L3")
    for order_id, size in ((1, 10), (2, 20), (3, 30)):
        book.add(order_id, "A", 50, size)
    assert book.orders_at("A", 50) == [(1, 10.0), (2, 20.0), (3, 30.0)]
    assert book.queue_ahead(3) == 30.0
    assert book.modify(1, "A", 50, 4)
    assert book.queue_ahead(3) == 24.0
    assert book.modify(1, "A", 50, 5)
    assert book.orders_at("A", 50) == [(2, 20.0), (3, 30.0), (1, 5.0)]
    assert book.modify(2, "A", 51, 20)
    assert book.asks().tolist() == [[50, 35], [51, 20]]
    assert book.reduce(3, 10)
    assert book.reduce(3, 25)
    assert book.anomaly_count == 1
    assert book.asks().tolist() == [[50, 5], [51, 20]]
    assert not book.delete(3)
    assert math.isnan(book.queue_ahead(3))


def test_an_id_used_twice_replaces_the_order_and_is_counted() -> None:
    book = OrderBook("ABC", level="L3")
    book.add(7, "B", 50, 10)
    book.add(7, "A", 60, 5)
    assert book.bid_count == 0
    assert book.asks().tolist() == [[60, 5]]
    assert book.anomaly_count == 1


def test_a_level_by_price_stands_ahead_of_later_orders() -> None:
    book = OrderBook("ABC", level="L3")
    book.set("B", 10, 100)
    book.add(1, "B", 10, 5)
    assert book.best_bid_size == 105.0
    assert book.queue_ahead(1) == 100.0
    book.set("B", 10, 40)
    assert book.order_count == 0
    assert book.best_bid_size == 40.0


def test_sums_of_orders_are_exact() -> None:
    book = OrderBook("ABC", level="L3")
    for order_id in range(1000):
        book.add(order_id, "B", 10, 0.1)
    assert book.best_bid_size == 100.0
    for order_id in range(1000):
        book.delete(order_id)
    assert book.bid_count == 0


def test_prices_take_the_nearest_1e9_and_come_back_as_given() -> None:
    book = OrderBook("ABC")
    # In this binade rint(x * 1e9) is off by one.
    price = 4_194_304.000_000_003
    book.set("B", price, 1)
    assert book.best_bid == price


def test_checkpoint_restores_everything(book: OrderBook) -> None:
    book.add(1, "B", 10.00, 7)
    book.add(2, "B", 10.00, 8)
    book.add(3, "A", 10.10, 9)
    saved = book.checkpoint()
    book.clear()
    assert book.bid_count == 0
    other = OrderBook("XYZ", level="L1")
    other.restore(saved)
    assert other.symbol == "ABC"
    assert other.best_bid_size == 315.0
    assert other.orders_at("B", 10.00) == [(1, 7.0), (2, 8.0)]
    assert other.queue_ahead(2) == 307.0
    assert repr(pickle.loads(pickle.dumps(other))) == repr(other)


def test_repr_is_a_ladder(book: OrderBook) -> None:
    assert repr(book) == (
        "OrderBook('ABC', level='L2', 3 bids, 2 asks)\n"
        "bid size  price  ask size\n"
        "          10.03       400\n"
        "          10.02       100\n"
        "     300     10\n"
        "     500   9.99\n"
        "     200   9.97"
    )
    assert repr(OrderBook("ABC")) == "OrderBook('ABC', level='L2', 0 bids, 0 asks)"


def test_a_thousand_levels_take_less_than_200_kb() -> None:
    rng = np.random.default_rng(1)
    book = OrderBook("ABC")
    for _ in range(3):
        for tick in rng.permutation(1000).tolist():
            book.set("B", 100 - tick * 0.01, 1 + tick)
            book.set("A", 101 + tick * 0.01, 1 + tick)
        for tick in range(0, 1000, 2):
            book.set("B", 100 - tick * 0.01, 0)
    for tick in range(1000):
        book.set("B", 100 - tick * 0.01, 1)
    assert (book.bid_count, book.ask_count) == (1000, 1000)
    assert book.nbytes <= 200_000
    book.check()


def test_a_thinned_out_book_gives_its_blocks_back() -> None:
    book = OrderBook("ABC")
    for tick in range(20_000):
        book.set("B", 100 + tick, 1)
    for tick in range(20_000):
        if tick % 50:
            book.set("B", 100 + tick, 0)
    assert book.bid_count == 400
    assert book.nbytes < 60_000
    book.check()


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        ({"level": "L4"}, "no book level 'L4'"),
        ({"max_levels": 0}, "max_levels is 0"),
        ({"size_decimals": 10}, "size_decimals is 10"),
    ],
)
def test_constructor_names_what_it_refuses(arguments: dict[str, object], what: str) -> None:
    with pytest.raises(ConfigError, match=what):
        OrderBook("ABC", **arguments)  # type: ignore[arg-type]


def test_wrong_sides_and_counts_are_refused(book: OrderBook) -> None:
    with pytest.raises(ConfigError, match="'left' is not a side"):
        book.set("left", 1, 1)
    with pytest.raises(ConfigError, match="cannot be -1"):
        book.bids(-1)
    with pytest.raises(ConfigError, match="not negative"):
        book.add(1, "B", 1, -1)
    with pytest.raises(PrecisionError, match="decimal places"):
        OrderBook("ABC", size_decimals=0).set("B", 1, 0.5)
