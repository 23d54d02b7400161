"""Tables of book events, their rows checked and coded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from pyrt.core.book_arrays import coded_column, float_column, int_column, table_columns
from pyrt.core.book_dialects import ACTIONS, DIALECTS, SIDES, recognize
from pyrt.core.book_feed import BookAction, BookColumns, BookMark, nano_column
from pyrt.errors import DataError, PrecisionError, UnknownName

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_PRICE_MAX = 9.2e9
_UNITS_MAX = 9.2e18
# Feeds step back here and there, listings of resting orders more often; shuffled rows at half.
_BACK_SHARE, _BACK_FEW = 0.2, 10
# Above this many units float64 cannot tell neighboring sizes apart anyway.
_UNITS_EXACT = 9.0e15


def read_table(
    table: Any,
    dialect: str | None = None,
    *,
    symbol: str | None = None,
    size_decimals: int = 9,
    may_lower: bool = False,
    contiguous: bool | None = None,
) -> BookColumns:
    """Check a table of book events and code its rows.

    Parameters
    ----------
    table : pandas.DataFrame, pyarrow.Table or mapping of arrays
        The columns of `OrderBook.apply_table`, in any order.
    dialect : {"l2", "mbo", "lobster", "quotes"}, optional
        Recognized by columns and actions where it is not given.
    symbol : str, optional
        Of a table with several symbols only these rows are read; a table of one symbol is taken
        whole, by whatever name the feed calls it.
    size_decimals : int
        Sizes become whole numbers of ``10**-size_decimals``, 0 to 9.
    may_lower : bool
        Take fewer decimals where large sizes need it; the result says how many.
    contiguous : bool, optional
        Whether sequence numbers go up by one from message to message where the table has neither
        ``sequence_prev`` nor ``sequence_first``. By default they do in ``"l2"`` and ``"lobster"``,
        unless most of a table's numbers jump (update ids), and not in ``"mbo"``, whose numbers are
        often those of a channel of many instruments.

    Raises
    ------
    DataError
        If the dialect is not clear or a row makes no sense; the message names the rows.
    PrecisionError
        If sizes do not fit the unit.
    UnknownName
        If `symbol` is not among the table's several symbols.
    """
    if dialect is not None and dialect not in DIALECTS:
        raise UnknownName(
            f"no dialect {dialect!r}", remedy=f"It is one of {', '.join(DIALECTS)}", dialect=dialect
        )
    columns = table_columns(table)
    selected = _rows_of(columns, symbol)
    reader = _Reader(columns, selected, size_decimals, may_lower)
    actions = reader.actions()
    flags = reader.ints("flags", 0)
    reader.check_order()
    if dialect is None and len(reader) == 0 and "side" in columns:
        dialect = "mbo" if "order_id" in columns else "l2"
    name = dialect or recognize(columns, set(reader.action_names), bool(flags.any()))
    if name == "quotes":
        return reader.quotes()
    return reader.events(name, actions, flags, contiguous)


def _rows_of(columns: Mapping[str, Any], symbol: str | None) -> Bools | None:
    """Return which rows are the symbol's; None for all of them."""
    if symbol is None or "symbol" not in columns:
        return None
    codes, names = coded_column(columns["symbol"])
    if len(names) < 2:
        return None
    for candidate in (symbol, symbol.rpartition(".")[0]):
        if candidate in names:
            return np.asarray(codes == names.index(candidate))
    raise UnknownName(
        f"{symbol!r} is not in the table, which has {', '.join(sorted(map(str, names))[:10])}",
        symbol=symbol,
    )


class _Reader:
    """One table's columns, read and checked."""

    def __init__(
        self,
        columns: Mapping[str, Any],
        selected: Bools | None,
        size_decimals: int,
        may_lower: bool,
    ) -> None:
        self.columns = columns
        self.selected = selected
        self.size_decimals = size_decimals
        self.may_lower = may_lower
        self.action_names: list[str] = []
        total = len(next(iter(columns.values()))) if columns else 0
        self.rows = np.arange(total) if selected is None else np.flatnonzero(selected)

    def __len__(self) -> int:
        return len(self.rows)

    def pick(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return values if self.selected is None else np.ascontiguousarray(values[self.selected])

    def floats(self, name: str) -> npt.NDArray[np.float64]:
        if name not in self.columns:
            raise DataError(f"no column {name!r}", column=name, columns=sorted(self.columns))
        return self.pick(float_column(self.columns[name], name))

    def ints(self, name: str, missing: int) -> Ints:
        if name not in self.columns:
            return np.full(len(self), missing, dtype=np.int64)
        return self.pick(int_column(self.columns[name], name, missing))

    def optional(self, name: str) -> Ints:
        """Return a column that need not be there: empty then, and 0 where it is missing."""
        return self.ints(name, 0) if name in self.columns else _NONE

    def reject(self, wrong: Bools, what: str) -> None:
        """Raise DataError naming the rows that are `wrong`."""
        if not wrong.any():
            return
        rows = self.rows[wrong].tolist()
        shown = ", ".join(map(str, rows[:10])) + (", ..." if len(rows) > 10 else "")
        raise DataError(f"{what} in {len(rows)} row(s): {shown}", rows=rows[:100])

    def check_order(self) -> None:
        """Refuse a table that was shuffled or turned around; single steps back are a feed's own."""
        if len(self) <= _BACK_FEW:
            return
        name = "ts_recv" if "ts_recv" in self.columns else "ts_event"
        stamps = self.optional(name)
        back = int((stamps[1:] < stamps[:-1]).sum())
        if back > max(_BACK_FEW, len(stamps) * _BACK_SHARE):
            raise DataError(
                f"the rows are not in the order in which they came: {name} steps back at {back} "
                f"of {len(stamps)} rows",
                remedy=f"Sort by {name} and, where rows share a stamp, as the feed had them",
                column=name,
            )

    def actions(self) -> Ints:
        """Return indices into `action_names`, all -1 where there is no such column."""
        if "action" not in self.columns:
            return np.full(len(self), -1, dtype=np.int64)
        codes, names = coded_column(self.columns["action"])
        codes = self.pick(codes)
        self.reject(codes < 0, "action is missing")
        used = np.unique(codes)
        self.action_names = [str(names[i]).strip().lower() for i in used]
        for index, name in zip(used, self.action_names):
            if not any(name in known for known in ACTIONS.values()):
                self.reject(codes == index, f"unknown action {name!r}")
        return np.searchsorted(used, codes).astype(np.int64)

    def sides(self, needed: Bools) -> Ints:
        codes, names = coded_column(self.columns["side"])
        codes = self.pick(codes)
        signs = [SIDES.get(v.strip().lower() if isinstance(v, str) else v) for v in names]
        for index, sign in enumerate(signs):
            if sign is None:
                self.reject(codes == index, f"unknown side {names[index]!r}")
        sides = np.array([*(s or 0 for s in signs), 0], dtype=np.int64)[codes]
        self.reject((sides == 0) & needed, "side is missing")
        return sides

    def prices(self, name: str, needed: Bools) -> Ints:
        values = self.floats(name)
        self.reject(needed & ~(np.abs(values) < _PRICE_MAX), f"{name} is missing or beyond 9.2e9")
        return np.asarray(nano_column(np.where(needed, values, 0.0)))

    def sizes(self, values: npt.NDArray[np.float64]) -> Ints:
        """Return finite, non-negative sizes in the unit that `size_decimals` settles on."""
        wanted = self.size_decimals
        largest = float(values.max(initial=0.0))
        if self.may_lower and largest * 10.0**wanted > _UNITS_EXACT:
            lower = max(0, int(np.floor(np.log10(_UNITS_EXACT / largest))))
            if _on_grid(values, lower) or largest * 10.0**wanted >= _UNITS_MAX:
                wanted = lower
        if largest * 10.0**wanted >= _UNITS_MAX:
            self.reject(values == largest, f"size {largest:g} does not fit 64 bits")
        self.size_decimals = wanted
        if wanted == 9:
            return np.asarray(nano_column(values))
        if not _on_grid(values, wanted):
            off = self.rows[np.abs(values * 10.0**wanted % 1.0) > 1e-6].tolist()
            raise PrecisionError(
                f"sizes with more than {wanted} decimal places in rows {off[:10]}",
                remedy="Give the book a larger size_decimals",
                rows=off[:100],
            )
        return np.rint(values * 10.0**wanted).astype(np.int64)

    def quotes(self) -> BookColumns:
        """Code quotes as two rows each, bid and ask; a null price is an empty side."""
        n = len(self)
        prices, sizes, actions = np.zeros((3, n, 2))
        for j, side in enumerate(("bid", "ask")):
            values = self.floats(f"{side}_price")
            there = ~np.isnan(values)
            self.reject(there & ~(np.abs(values) < _PRICE_MAX), f"{side}_price is beyond 9.2e9")
            prices[:, j] = np.where(there, values, 0.0)
            sizes[:, j] = np.nan_to_num(self.floats(f"{side}_size"), nan=0.0)
            self.reject(
                ~((sizes[:, j] >= 0) & np.isfinite(sizes[:, j])),
                f"{side}_size is negative or infinite",
            )
            actions[:, j] = np.where(there, BookAction.QUOTE, BookAction.NO_QUOTE)
        coded = self.sizes(sizes.ravel())
        sequences = np.repeat(self.optional("sequence"), 2)
        return BookColumns(
            "quotes",
            actions=actions.ravel().astype(np.int8),
            sides=np.tile(np.array([1, -1], dtype=np.int8), n),
            marks=np.tile(np.array([BookMark.FIRST, BookMark.LAST], dtype=np.uint8), n),
            prices=nano_column(prices.ravel()),
            sizes=coded,
            sequences=sequences,
            needs=np.full(len(sequences), -1, dtype=np.int64),
            order_ids=_NONE,
            ts_events=np.repeat(self.optional("ts_event"), 2),
            size_decimals=self.size_decimals,
            has_last=True,
        )

    def events(
        self, dialect: str, codes: Ints, flags: Ints, contiguous: bool | None
    ) -> BookColumns:
        """Code the rows of a table of levels or orders."""
        known = ACTIONS[dialect]
        for index, name in enumerate(self.action_names):
            if name not in known:
                self.reject(codes == index, f"action {name!r} is not of dialect {dialect!r}")
        if "action" not in self.columns and dialect != "l2":
            raise DataError(f"dialect {dialect!r} needs a column 'action'", column="action")
        names = np.array([*self.action_names, "set"])
        actions = np.array(
            [*(known[n] for n in self.action_names), BookAction.SET], dtype=np.int64
        )[codes]
        changes = (actions != BookAction.NOTHING) & (actions != BookAction.CLEAR)
        removes = (names == "delete")[codes]
        # The id says which order is meant; side and price only help where it is not known.
        by_id = (actions == BookAction.REDUCE) | (actions == BookAction.REMOVE)
        raw_sizes = self.floats("size")
        self.reject(
            changes & ~removes & ~((raw_sizes >= 0) & np.isfinite(raw_sizes)),
            "size is missing, negative or infinite",
        )
        self.reject(removes & (raw_sizes < 0), "size is negative")
        kept = changes & np.isfinite(raw_sizes) & ~(removes & (dialect == "l2"))
        sizes = self.sizes(np.where(kept, raw_sizes, 0.0))
        snapshot = (names == "snapshot")[codes]
        marks, has_last = _marks(dialect, flags, snapshot, self)
        ids = _NONE
        if dialect != "l2":
            ids = self._order_ids(changes)
        sequences, needs = self._sequences(dialect, marks, contiguous)
        return BookColumns(
            dialect,
            actions=actions.astype(np.int8),
            sides=self.sides(changes & ~by_id).astype(np.int8),
            marks=marks,
            prices=self.prices("price", changes & ~(by_id & np.isnan(self.floats("price")))),
            sizes=sizes,
            sequences=sequences,
            needs=needs,
            order_ids=ids,
            ts_events=self.optional("ts_event"),
            size_decimals=self.size_decimals,
            has_last=has_last,
        )

    def _order_ids(self, changes: Bools) -> Ints:
        if "order_id" not in self.columns:
            raise DataError("orders cannot be followed without a column 'order_id'")
        missing = np.iinfo(np.int64).min
        ids = self.ints("order_id", missing)
        self.reject(changes & (ids == missing), "order_id is missing")
        return ids

    def _sequences(
        self, dialect: str, marks: npt.NDArray[np.uint8], contiguous: bool | None
    ) -> tuple[Ints, Ints]:
        """Return each row's number and the number its message needs to have gone before."""
        if "sequence" not in self.columns:
            return _NONE, _NONE
        sequences = self.ints("sequence", 0)
        snapshot = (marks & BookMark.SNAPSHOT) != 0
        previous = self.ints("sequence_prev", -1)
        first = self.ints("sequence_first", -1)
        if (previous[~snapshot] >= 0).any():
            needs = previous
        elif (first[~snapshot] >= 0).any():
            needs = np.where(first >= 0, first - 1, -1)
            if not _connected(needs, sequences, marks):
                # Ids of another count (Binance's futures): they say nothing about lost messages.
                needs = np.full(len(sequences), -1, dtype=np.int64)
        elif contiguous or (contiguous is None and dialect != "mbo" and _count_up(sequences)):
            needs = sequences - 1
        else:
            needs = np.full(len(sequences), -1, dtype=np.int64)
        if dialect == "l2" and snapshot.any():
            # A snapshot stands where its last row does, should its rows be numbered singly.
            starts = np.flatnonzero(marks & BookMark.FIRST)
            highest = np.maximum.reduceat(sequences, starts)
            sequences = sequences.copy()
            sequences[starts] = np.where(snapshot[starts], highest, sequences[starts])
        return sequences, needs


_NONE: Ints = np.empty(0, dtype=np.int64)


def _count_up(sequences: Ints) -> bool:
    """Whether numbers look like those of messages counted one by one.

    Update ids jump at nearly every message, a lossy feed only here and there; ten steps tell.
    """
    steps = np.diff(sequences)
    steps = steps[steps != 0]
    return len(steps) < 10 or int((steps == 1).sum()) * 2 >= len(steps)


def _connected(needs: Ints, sequences: Ints, marks: npt.NDArray[np.uint8]) -> bool:
    """Whether most messages begin where the one before ended, of ten and more."""
    starts = np.flatnonzero(marks & BookMark.FIRST)[1:]
    starts = starts[(marks[starts] & BookMark.SNAPSHOT) == 0]
    follows = needs[starts] <= sequences[starts - 1]
    return len(starts) < 10 or int(follows.sum()) * 2 >= len(starts)


def _on_grid(values: npt.NDArray[np.float64], decimals: int) -> bool:
    """Whether all values have at most so many decimal places, up to what float64 resolves."""
    scaled = values * 10.0**decimals
    return bool(np.all(np.abs(scaled - np.rint(scaled)) <= 1e-6 + 4e-16 * scaled))


def _marks(
    dialect: str, flags: Ints, snapshot: Bools, reader: _Reader
) -> tuple[npt.NDArray[np.uint8], bool]:
    """Return the `BookMark` bits of each row, and whether ends of messages are among them."""
    n = len(flags)
    doubtful: Bools = np.zeros(n, dtype=np.bool_)
    first: Bools = np.ones(n, dtype=np.bool_)
    if dialect == "lobster":
        return np.full(n, BookMark.FIRST | BookMark.LAST, dtype=np.uint8), True
    if dialect == "mbo":
        last, in_snapshot, doubtful = (flags & 128) != 0, (flags & 32) != 0, (flags & 4) != 0
    else:
        last, in_snapshot = (flags & 2) != 0, snapshot | ((flags & 1) != 0)
        first = _first_rows(last, in_snapshot, reader)
    marks = (
        first * int(BookMark.FIRST)
        + last * int(BookMark.LAST)
        + in_snapshot * int(BookMark.SNAPSHOT)
        + doubtful * int(BookMark.DOUBTFUL)
    )
    return marks.astype(np.uint8), bool(last.any())


def _first_rows(last: Bools, snapshot: Bools, reader: _Reader) -> Bools:
    """Return where by-price messages begin."""
    first = np.ones(len(last), dtype=np.bool_)
    first[1:] = last[:-1] | (snapshot[1:] != snapshot[:-1])
    sequence = reader.ints("sequence", 0)
    message = reader.ints("message", 0)
    changed = sequence[1:] != sequence[:-1]
    # The rows of a snapshot may be numbered singly: where flags are in use they say where it ends.
    if "flags" in reader.columns and "message" not in reader.columns:
        changed &= ~snapshot[1:]
    first[1:] |= changed | (message[1:] != message[:-1])
    return first
