"""Content hashes: the same rows give the same 32 bytes, whatever they came in."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

_BLOCK_ROWS = 1 << 16


class ContentHasher:
    """BLAKE2b-256 over columns, fed whole or chunk by chunk.

    Each column has a digest of its own over its values as little-endian bytes, and the content
    hash is the digest of those: so a stream that never holds all rows gives the hash of the table.
    Floats are made canonical first: one NaN, one zero.

    Parameters
    ----------
    kind : str
        ``"bars"``, ``"quotes"``, ``"trades"`` or ``"book"``.
    symbol, timeframe : str
        Enter the hash; `timeframe` is empty for what has none.
    names : iterable of str
        The columns, in the order in which `update` gets them.
    """

    __slots__ = ("_columns", "_header", "_rows")

    def __init__(self, kind: str, symbol: str, timeframe: str, names: Iterable[str]) -> None:
        self._columns = [(name, hashlib.blake2b(digest_size=32)) for name in names]
        self._header = [kind, symbol, timeframe]
        self._rows = 0

    def update(self, *columns: NDArray[Any]) -> None:
        """Append rows, one array for each column name."""
        for (_, digest), column in zip(self._columns, columns, strict=True):
            for start in range(0, len(column), _BLOCK_ROWS):
                digest.update(canonical(column[start : start + _BLOCK_ROWS]).data)
        self._rows += len(columns[0])

    def digest(self) -> bytes:
        """Return the 32 bytes over all rows so far; more may still be added."""
        whole = hashlib.blake2b(digest_size=32)
        for text in (*self._header, str(self._rows)):
            _add_text(whole, text)
        for name, digest in self._columns:
            _add_text(whole, name)
            whole.update(digest.digest())
        return whole.digest()


def canonical(values: NDArray[Any]) -> NDArray[Any]:
    """Return values as contiguous little-endian numbers, with one NaN and one zero; a view if so
    already."""
    values = np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("<"))
    if values.dtype.kind != "f":
        return values
    if not values.all():
        values = values + 0.0  # -0.0 + 0.0 is 0.0
    missing = np.isnan(values)
    if missing.any():
        values = np.where(missing, np.nan, values)
    return values


def _add_text(digest: Any, text: str) -> None:
    # The length keeps ("AB", "C") apart from ("A", "BC").
    encoded = text.encode()
    digest.update(len(encoded).to_bytes(8, "little"))
    digest.update(encoded)
