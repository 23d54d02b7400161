"""Market data at rest: one symbol's bars, quotes, trades or book events as plain NumPy columns.

This is what the engine reads. Arrays are one-dimensional, contiguous, in native byte order,
read-only, and of one length; a loader has checked what they hold.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, ClassVar, TypeAlias

import numpy as np
from numpy.typing import DTypeLike, NDArray

from pyrt.data.hashing import ContentHasher
from pyrt.data.timeframe import format_timeframe, parse_timeframe
from pyrt.errors import DataError

Int64s: TypeAlias = NDArray[np.int64]
Int32s: TypeAlias = NDArray[np.int32]
Int8s: TypeAlias = NDArray[np.int8]
Float64s: TypeAlias = NDArray[np.float64]

BUY, SELL, NEITHER = 1, -1, 0
"""Codes of `TradeColumns.aggressor` and `BookColumns.side` (bid, ask, no side)."""

BOOK_ACTIONS = (
    "snapshot",
    "set",
    "delete",
    "add",
    "cancel",
    "modify",
    "trade",
    "fill",
    "clear",
    "reduce",
    "hidden_fill",
)
"""What a book event does; `BookColumns.action` indexes this tuple."""


@dataclass(frozen=True, slots=True, eq=False)
class BarColumns:
    """Bars of one symbol and timeframe, oldest first, not overlapping.

    Attributes
    ----------
    symbol : str
    timeframe_ns : int
        Nominal length; a session bar is as long as its session.
    timeframe : str
        The same in the grammar ``<n>s|m|h|d|w``, canonical (``"1h"``, not ``"60m"``).
    ts_open, ts_close : ndarray of int64, shape (n,)
        The interval [ts_open, ts_close), nanoseconds UTC.
    ts_init : ndarray of int64, shape (n,)
        When the bar was known: `ts_close`, unless its arrival was recorded.
    open, high, low, close : ndarray of float64, shape (n,)
        Finite prices above zero with low <= open, close <= high.
    volume : ndarray of float64, shape (n,)
        Zero or more; all zero where the source has none.
    """

    kind: ClassVar[str] = "bars"
    symbol: str
    timeframe_ns: int
    timeframe: str
    ts_open: Int64s
    ts_close: Int64s
    ts_init: Int64s
    open: Float64s
    high: Float64s
    low: Float64s
    close: Float64s
    volume: Float64s

    def __post_init__(self) -> None:
        canonical = format_timeframe(self.timeframe_ns)
        if parse_timeframe(self.timeframe) != self.timeframe_ns:
            raise DataError(
                f"timeframe {self.timeframe!r} is not {self.timeframe_ns} ns",
                code="timeframe",
                remedy=f'Write timeframe="{canonical}"',
            )
        object.__setattr__(self, "timeframe", canonical)
        _seal(self)

    def __len__(self) -> int:
        return len(self.ts_init)

    def content_hash(self) -> bytes:
        """Return 32 bytes that are equal for equal rows, symbol and timeframe."""
        return content_hash(self)


@dataclass(frozen=True, slots=True, eq=False)
class QuoteColumns:
    """Best bids and offers of one symbol, in order of `ts_init`.

    A side that is missing has a NaN price and size 0.

    Attributes
    ----------
    symbol : str
    ts_event, ts_init : ndarray of int64, shape (n,)
        When it happened, when we learned of it; nanoseconds UTC.
    bid_price, bid_size, ask_price, ask_size : ndarray of float64, shape (n,)
    """

    kind: ClassVar[str] = "quotes"
    symbol: str
    ts_event: Int64s
    ts_init: Int64s
    bid_price: Float64s
    bid_size: Float64s
    ask_price: Float64s
    ask_size: Float64s

    def __post_init__(self) -> None:
        _seal(self)

    def __len__(self) -> int:
        return len(self.ts_init)

    def content_hash(self) -> bytes:
        """Return 32 bytes that are equal for equal rows and symbol."""
        return content_hash(self)


@dataclass(frozen=True, slots=True, eq=False)
class TradeColumns:
    """Prints of one symbol, in order of `ts_init`.

    Attributes
    ----------
    symbol : str
    ts_event, ts_init : ndarray of int64, shape (n,)
        When it happened, when we learned of it; nanoseconds UTC.
    price, size : ndarray of float64, shape (n,)
    aggressor : ndarray of int8, shape (n,)
        1 the buyer took, -1 the seller took, 0 unknown.
    """

    kind: ClassVar[str] = "trades"
    symbol: str
    ts_event: Int64s
    ts_init: Int64s
    price: Float64s
    size: Float64s
    aggressor: Int8s

    def __post_init__(self) -> None:
        _seal(self)

    def __len__(self) -> int:
        return len(self.ts_init)

    def content_hash(self) -> bytes:
        """Return 32 bytes that are equal for equal rows and symbol."""
        return content_hash(self)


@dataclass(frozen=True, slots=True, eq=False)
class BookColumns:
    """Order-book events of one symbol as recorded, in order of `ts_init`; not yet a book.

    Attributes
    ----------
    symbol : str
    ts_event, ts_init : ndarray of int64, shape (n,)
        When it happened, when we learned of it; nanoseconds UTC.
    side : ndarray of int8, shape (n,)
        1 bid, -1 ask, 0 neither.
    price, size : ndarray of float64, shape (n,)
        Size as the dialect means it: a level's new total, or one order's units.
    action : ndarray of int8, shape (n,)
        Index into `BOOK_ACTIONS`.
    flags : ndarray of int32, shape (n,)
        The source's bits; 0 where it has none.
    sequence : ndarray of int64, shape (n,)
        The source's message number; 0 where it has none.
    order_id : ndarray of int64, shape (n,), or None
        None for books of price levels.
    sequence_first, sequence_prev : ndarray of int64, shape (n,), or None
        First number of the row's message and last number of the one before, where the source
        has them; -1 in rows without.
    dialect : str
        As `OrderBook.apply_table` names it; "" to recognize it by the rows.
    """

    kind: ClassVar[str] = "book"
    symbol: str
    ts_event: Int64s
    ts_init: Int64s
    side: Int8s
    price: Float64s
    size: Float64s
    action: Int8s
    flags: Int32s
    sequence: Int64s
    order_id: Int64s | None = None
    sequence_first: Int64s | None = None
    sequence_prev: Int64s | None = None
    dialect: str = ""

    def __post_init__(self) -> None:
        _seal(self)

    def __len__(self) -> int:
        return len(self.ts_init)

    def content_hash(self) -> bytes:
        """Return 32 bytes that are equal for equal rows and symbol."""
        return content_hash(self)


Columns: TypeAlias = BarColumns | QuoteColumns | TradeColumns | BookColumns
"""One stream of market data at rest."""

_DTYPES: dict[str, DTypeLike] = {
    "side": np.int8,
    "action": np.int8,
    "aggressor": np.int8,
    "flags": np.int32,
    "sequence": np.int64,
    "order_id": np.int64,
    "sequence_first": np.int64,
    "sequence_prev": np.int64,
}
_SCALARS = frozenset({"symbol", "timeframe", "timeframe_ns", "dialect"})


def array_names(columns: Columns | type[Columns]) -> tuple[str, ...]:
    """Return the names of the array columns in declared order.

    Of an instance, an absent `order_id` is left out.
    """
    names = tuple(field.name for field in fields(columns) if field.name not in _SCALARS)
    if isinstance(columns, type):
        return names
    return tuple(name for name in names if getattr(columns, name) is not None)


def take(columns: Columns, selector: Any) -> Columns:
    """Return the rows of a slice (a view), a mask or an index array (a copy)."""
    changes = {field.name: getattr(columns, field.name) for field in fields(columns)}
    for name in array_names(columns):
        changes[name] = changes[name][selector]
    return type(columns)(**changes)


def content_hash(columns: Columns) -> bytes:
    """Return the 32-byte content hash of columns held in memory."""
    hasher = hasher_of(columns)
    hasher.update(*(getattr(columns, name) for name in array_names(columns)))
    return hasher.digest()


def hasher_of(columns: Columns) -> ContentHasher:
    """Return an empty hasher for streams like `columns`."""
    timeframe = columns.timeframe if isinstance(columns, BarColumns) else ""
    return ContentHasher(columns.kind, columns.symbol, timeframe, array_names(columns))


def _seal(columns: Columns) -> None:
    """Make every array contiguous, exact in type and read-only; refuse what cannot be."""
    length = -1
    for name in array_names(columns):
        given = getattr(columns, name)
        dtype = np.dtype(_DTYPES.get(name, np.int64 if name.startswith("ts_") else np.float64))
        values = np.asarray(given)
        if values.ndim != 1 or not np.can_cast(values.dtype, dtype, "safe"):
            raise DataError(
                f"column {name!r} has type {values.dtype} and {values.ndim} dimensions",
                code="column_type",
                remedy=f"Give a one-dimensional array of {dtype}",
                column=name,
            )
        if length not in (-1, len(values)):
            raise DataError(
                f"column {name!r} has {len(values)} rows, others {length}",
                code="column_length",
                remedy="Give columns of one length",
                column=name,
            )
        length = len(values)
        sealed = np.ascontiguousarray(values, dtype=dtype).view()
        sealed.flags.writeable = False
        object.__setattr__(columns, name, sealed)
