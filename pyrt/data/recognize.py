"""Recognize a table by its columns: bars, quotes, trades or book events."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from pyrt.core.suggest import suggest
from pyrt.errors import DataError

TIME_NAMES = ("ts_event", "timestamp", "datetime", "time", "ts")
"""Columns that may hold a row's stamp, the most telling first; `date` names a session."""

_QUOTE_BAR = tuple(
    f"{side}_{field}" for side in ("bid", "ask") for field in ("open", "high", "low", "close")
)
REQUIRED = {
    "bars": ("open", "high", "low", "close"),
    "quotes": ("bid_price", "ask_price"),
    "trades": ("price", "size"),
    "book": ("side", "price", "size", "action"),
    "quotebars": _QUOTE_BAR,
    "closes": ("close",),
}
"""Columns that make a table what it is."""

_OPTIONAL = (
    *("volume", "adj_close", "trade_count", "vwap", "dividends", "stock_splits"),
    *("symbol", "date", "ts_close", "ts_recv", "bid_size", "ask_size"),
    *("aggressor", "flags", "sequence", "order_id", "sequence_first", "sequence_prev"),
)
_NUMBERS = frozenset({"message", "order_id", "sequence_first", "sequence_prev"})
"""Columns that, beside a side, only events of books have."""
_ALIASES = {
    "ticker": "symbol",
    "bid": "bid_price",
    "ask": "ask_price",
    "adjusted_close": "adj_close",
    "date_time": "datetime",
}
_KNOWN = frozenset(
    [*TIME_NAMES, *_OPTIONAL, *(name for names in REQUIRED.values() for name in names)]
)


def normalize(label: object) -> str:
    """Return a column's name as the loader knows it.

    Examples
    --------
    >>> normalize(" Adj Close"), normalize("Ticker")
    ('adj_close', 'symbol')
    """
    name = "_".join(str(label).strip().lower().split())
    return _ALIASES.get(name, name)


def known_name(name: str) -> bool:
    """Tell whether a normalized name means anything to a loader; other columns are not read."""
    return name in _KNOWN


def recognize(names: Collection[str], kind: str | None, source: str) -> str:
    """Return the kind of a table with these columns.

    Parameters
    ----------
    names : collection of str
        Normalized, also those that mean nothing here: they may be misspelled.
    kind : str or None
        What the caller says it is; checked.
    source : str
        Names the table in errors.

    Raises
    ------
    DataError
        If the columns fit no kind or more than one, or not the kind that was given.
    """
    if kind is not None:
        return _require(names, kind, source)
    fits = [known for known, needed in REQUIRED.items() if set(needed) <= set(names)]
    _require_whole_book(names, fits, source)
    if "book" in fits and "trades" in fits:
        fits.remove("trades")
    if "closes" in fits and {"open", "high", "low"} & set(names):
        fits.remove("closes")
    if not fits and "adj_close" in names:
        fits = ["closes"]
    if len(fits) == 1:
        return fits[0]
    if fits:
        raise DataError(
            f"{source}: its columns fit {' and '.join(fits)}",
            code="kind",
            remedy=f'Write kind="{fits[0]}", or drop the columns of the other',
            kinds=fits,
        )
    raise DataError(
        f"{source}: its columns ({_listing(names)}) fit neither bars (open high low close volume), "
        "quotes (bid_price bid_size ask_price ask_size), trades (price size) nor book events "
        "(side price size action)",
        code="columns",
        remedy=_misread(names) or "Rename the columns" + _hint(_nearest(names), names),
        columns=sorted(names),
    )


def _require_whole_book(names: Collection[str], fits: Collection[str], source: str) -> None:
    """Raise for book events that lack a column: what is left of them looks like prints."""
    events = "action" in names or ("side" in names and _NUMBERS & set(names))
    if not events or set(fits) - {"trades"}:
        return
    missing = [name for name in REQUIRED["book"] if name not in names]
    raise DataError(
        f"{source}: book events need the columns {', '.join(missing)}; there are {_listing(names)}",
        code="columns",
        remedy='Add them, or write kind="trades" if these are prints',
        missing=missing,
    )


def _require(names: Collection[str], kind: str, source: str) -> str:
    if kind == "closes" and "adj_close" in names:
        return kind
    missing = [name for name in REQUIRED[kind] if name not in names]
    if not missing:
        return kind
    raise DataError(
        f"{source}: {kind} need the columns {', '.join(missing)}; there are {_listing(names)}",
        code="columns",
        remedy=f"Rename the columns{_hint(missing, names)}, or write another kind=",
        missing=missing,
    )


def _nearest(names: Collection[str]) -> tuple[str, ...]:
    """Return the columns of the kind that most of its columns are there of, or none."""
    shares = {kind: sum(n in names for n in needed) for kind, needed in REQUIRED.items()}
    kind = max(shares, key=lambda known: shares[known])
    return REQUIRED[kind] if shares[kind] else ()


def _hint(wanted: Iterable[str], names: Collection[str]) -> str:
    """Return a question for each wanted column that resembles one that is there."""
    unused = [name for name in names if not known_name(name)]
    pairs = {name: suggest(name, unused, 1) for name in wanted if name not in names}
    asked = [f"is {found[0]!r} the {name}?" for name, found in pairs.items() if found]
    return f" ({' '.join(asked[:4])})" if asked else ""


def _misread(names: Collection[str]) -> str:
    """Return what to do about a text file whose first line was not read as names, or nothing."""
    fields = ("open", "high", "low", "close", "price", "size")
    if len(names) == 1 and sum(field in name for name in names for field in fields) > 1:
        return "Separate the fields with commas, or read it with pandas and give the frame"
    if sum(_is_number(name) for name in names) * 2 > len(names):
        return "The first line holds values; write one with names above it"
    return ""


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _listing(names: Collection[str]) -> str:
    shown = [name for name in sorted(names) if not name.startswith("@")][:12]
    return " ".join(shown) or "none that mean anything here"
