"""Tables of book events that are not what they should be: what a user is told."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from pyrt import Strategy, backtest
from pyrt.core.book import OrderBook
from pyrt.errors import DataError, StrategyError

SECOND = 1_000_000_000
START = 1_704_205_800 * SECOND


def capture(messages: int = 40) -> pd.DataFrame:
    """A capture of levels, a message of two rows every second, numbered as on Binance."""
    random = np.random.default_rng(7)
    n = 2 * messages
    message = np.repeat(np.arange(messages), 2)
    # Ids of a message go from first to last; the next one's first need not follow (futures).
    last = 1_000 + 50 * message
    return pd.DataFrame(
        {
            "ts_event": START + message * SECOND,
            "symbol": "X",
            "side": np.tile(["B", "A"], messages),
            "price": np.where(np.arange(n) % 2, 101.0, 99.0),
            "size": random.integers(1, 9, n).astype(float),
            "action": "set",
            "flags": np.tile([0, 2], messages),
            "sequence": last,
            "sequence_first": last - 30,
            "sequence_prev": last - 50,
            "message": message,
        }
    )


class Listener(Strategy):
    def on_start(self) -> None:
        self.batches = 0
        self.subscribe_book("X")

    def on_book(self, book: Any) -> None:
        self.batches += 1


def run(table: pd.DataFrame) -> Any:
    return backtest(Listener(), table, symbol="X", progress=False)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        # Without one of its columns a table of book events is no table of prints.
        (lambda t: t.drop(columns="side"), "book events need the columns side"),
        (lambda t: t.drop(columns="action"), "book events need the columns action"),
        (lambda t: t.drop(columns="price"), "book events need the columns price"),
        (lambda t: t.drop(columns="size"), "book events need the columns size"),
        (lambda t: t[::-1], 'write repair="sort" to sort by time'),
        (lambda t: t.assign(price=t.price.where(t.index != 7, -1.0)), "row 7: price is -1.0"),
        (lambda t: t.assign(size=t["size"].where(t.index != 7)), "row 7: size is nan"),
        (lambda t: t.assign(action="paint"), "action is 'paint'; write one of snapshot, set"),
        (lambda t: t.assign(ts_event=t.ts_event // 10**6), "convert it from its true unit"),
        (lambda t: t.drop(columns="ts_event"), "no column and no index holds times"),
        (lambda t: t.iloc[:0], "the table has no rows"),
    ],
)
def test_what_is_wrong_is_said(change: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        run(change(capture()))


def test_orders_without_ids_are_told_what_they_lack() -> None:
    table = capture().assign(action="add").drop(columns=["sequence_first", "sequence_prev"])
    with pytest.raises(DataError, match=r"cannot be followed without their ids.*order_id"):
        run(table)


def test_data_of_another_kind_are_named() -> None:
    prints = capture()[["ts_event", "symbol", "price", "size"]]
    with pytest.raises(StrategyError, match="there are no book events of X in this run"):
        run(prints)


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t,
        lambda t: t.drop(columns="symbol"),
        lambda t: t.drop(columns=["message", "flags"]),
        lambda t: t.drop(columns=["sequence", "sequence_first", "sequence_prev"]),
        lambda t: t.rename(columns=str.upper),
        lambda t: t.assign(side=t.side.map({"B": "buy", "A": "sell"})),
        lambda t: t.assign(action=t.action.astype("category")),
        lambda t: t.assign(ts_event=pd.to_datetime(t.ts_event, utc=True)),
        lambda t: t[["action", "size", "price", "side", "ts_event", "flags", "symbol"]],
    ],
)
def test_what_makes_no_difference(change: Any) -> None:
    table = change(capture())
    result = run(table)
    assert result.events_processed == 80
    assert list(result.provenance["book_gaps"].values()) == [0]


def test_a_lost_message_is_one_gap() -> None:
    table = capture()
    result = run(table[table.message != 20])
    assert result.provenance["book_gaps"] == {"X": 1}
    assert any("1 times the book of X lost changes" in m for m in result.messages)


def test_a_message_told_twice_changes_nothing() -> None:
    table = capture()
    twice = pd.concat([table[:40], table[38:]])
    once, again = OrderBook("X"), OrderBook("X")
    once.apply_table(table)
    again.apply_table(twice)
    assert again.gap_count == 0
    assert np.array_equal(once.bids(), again.bids())


def test_first_ids_that_do_not_follow_say_nothing_of_gaps() -> None:
    """Binance's futures say what came before in `sequence_prev`; their first ids skip."""
    table = capture().drop(columns="sequence_prev")
    assert run(table).provenance["book_gaps"] == {"X": 0}
    # Where they follow, as on its spot market, a hole among them is one.
    spot = table.assign(sequence_first=table["sequence"] - 49)
    assert run(spot).provenance["book_gaps"] == {"X": 0}
    assert run(spot[spot.message != 20]).provenance["book_gaps"] == {"X": 1}
