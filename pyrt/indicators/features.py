"""Named feature sets: computed per bar or over whole tables, by one kernel, with the same bits."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pyrt.errors import ConfigError, DataError
from pyrt.indicators.features_kernel import FeatureKernel, Node
from pyrt.indicators.features_standard import Feature, standard_features
from pyrt.indicators.inputs import as_column, as_times

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Feature", "FeatureMatrix", "FeatureSet", "standard_features"]

BAR = ("open", "high", "low", "close", "volume")
SCHEMA_VERSION = 1
"""Raised whenever the same definition comes to give other numbers."""

FILLS = (None, "forward")


@dataclass(frozen=True, eq=False)
class FeatureMatrix:
    """Features of a table of bars.

    Attributes
    ----------
    names : tuple of str
        Of the columns.
    ts_event : ndarray of int64, shape (n_bars,)
        Closes of the bars, ns UTC: when each row was known.
    values : ndarray of float64, shape (n_bars, n_features)
        NaN where a feature is undefined.
    ready : ndarray of bool, shape (n_bars,)
        False during the warm-up: until every feature has been defined once.
    schema_hash : str
        Of the set that made it; a model is to be fed with no other.
    """

    names: tuple[str, ...]
    ts_event: NDArray[np.int64]
    values: NDArray[np.float64]
    ready: NDArray[np.bool_]
    schema_hash: str

    def column(self, name: str) -> NDArray[np.float64]:
        """Return one feature over all bars, shape (n_bars,); a view."""
        if name not in self.names:
            raise ConfigError(
                f"there is no feature {name!r}", remedy=f"It has {', '.join(self.names)}"
            )
        return self.values[:, self.names.index(name)]

    def to_arrow(self) -> pa.Table:
        """Return an Arrow table: ts_event, ready, the features; its metadata hold the hash."""
        import pyarrow as pa

        columns: dict[str, Any] = {"ts_event": self.ts_event, "ready": self.ready}
        columns.update({name: self.values[:, k] for k, name in enumerate(self.names)})
        return pa.table(columns).replace_schema_metadata({"pyrt.schema_hash": self.schema_hash})


class FeatureSet:
    """A list of named features over one stream of bars.

    A bar with NaN in a price or its volume is a gap: features of prices are undefined there and go
    on from the bar before it. With `fill="forward"` an undefined value repeats the feature's last
    defined one; nothing is ever filled backward. Normalization at a row uses the rows up to and
    including it, so a later row never changes an earlier one.

    Parameters
    ----------
    features : iterable of Feature, optional
        Default: `standard_features()`.
    normalize : {None, "zscore", "minmax"}
        (x - mean) / standard deviation, or (x - min) / (max - min), of the feature's values so far;
        0 while it has not moved.
    fill : {None, "forward"}
    tz : str
        The clock calendar features are read from.

    Raises
    ------
    ConfigError
        If two features share a name, or one cannot be computed from bars.

    Examples
    --------
    >>> features = FeatureSet()
    >>> features.update(0, 10.0, 10.5, 9.5, 10.2, 100.0)
    >>> round(features.value("location"), 6)
    0.7
    """

    def __init__(
        self,
        features: Iterable[Feature] | None = None,
        *,
        normalize: str | None = None,
        fill: str | None = None,
        tz: str = "America/New_York",
    ) -> None:
        self.features = tuple(standard_features() if features is None else features)
        self.names = tuple(feature.name for feature in self.features)
        if not self.names:
            raise ConfigError("a feature set needs a feature")
        doubled = sorted({name for name in self.names if self.names.count(name) > 1})
        if doubled:
            raise ConfigError(f"two features are called {', '.join(doubled)}")
        if fill not in FILLS:
            raise ConfigError(f"fill is {fill!r}; expected None or 'forward'")
        self.normalize = normalize
        self.fill = fill
        self.tz = tz
        self._kernel = self._fresh()
        self.schema_hash = _hash_of(self.schema())

    def _fresh(self) -> FeatureKernel:
        nodes = [Node(f.name, f.make(), f.inputs, f.output) for f in self.features]
        return FeatureKernel(nodes, self.normalize, self.fill == "forward", self.tz)

    # -- one bar at a time ---------------------------------------------------------------------

    def update(
        self, ts_event: int, open: float, high: float, low: float, close: float, volume: float
    ) -> None:
        """Take one bar; `ts_event` is its close, ns UTC."""
        self._kernel.update(ts_event, open, high, low, close, volume)

    def take(self, bar: Any) -> None:
        """Take one `Bar`, as handlers get it."""
        self._kernel.update(bar.ts_event, bar.open, bar.high, bar.low, bar.close, bar.volume)

    @property
    def values(self) -> NDArray[np.float64]:
        """The latest row, shape (n_features,); a copy."""
        return self._kernel.values()

    @property
    def ready(self) -> bool:
        """True once every feature has been defined at least once."""
        return self._kernel.ready

    def value(self, name: str) -> float:
        """Return the latest value of one feature."""
        if name not in self.names:
            raise ConfigError(
                f"there is no feature {name!r}", remedy=f"It has {', '.join(self.names)}"
            )
        return float(self._kernel.values()[self.names.index(name)])

    def reset(self) -> None:
        """Forget every bar."""
        self._kernel = self._fresh()

    # -- whole tables --------------------------------------------------------------------------

    def batch(
        self,
        ts_event: ArrayLike,
        open: ArrayLike,
        high: ArrayLike,
        low: ArrayLike,
        close: ArrayLike,
        volume: ArrayLike,
    ) -> FeatureMatrix:
        """Compute the features of whole columns; this object is not touched.

        Parameters
        ----------
        ts_event : array_like of int or datetimes, shape (n_bars,)
            Closes of the bars; whole numbers are ns UTC.
        open, high, low, close, volume : array_like of float, shape (n_bars,)

        Returns
        -------
        FeatureMatrix
            The same bits that `update` gives bar by bar.

        Raises
        ------
        DataError
            If the columns differ in length, or hold what are no numbers or no times.
        """
        stamps = as_times("FeatureSet.batch", ts_event)
        o, h, lo, c, v = (
            as_column("FeatureSet.batch", name, column)
            for name, column in zip(BAR, (open, high, low, close, volume), strict=True)
        )
        if {column.shape for column in (o, h, lo, c, v)} != {stamps.shape}:
            raise DataError(
                "features take columns of equal length, got shapes "
                + ", ".join(str(column.shape) for column in (stamps, o, h, lo, c, v))
            )
        values = np.empty((len(stamps), len(self.names)))
        ready = np.zeros(len(stamps), dtype=np.uint8)
        self._fresh().run(stamps, o, h, lo, c, v, values, ready)
        return FeatureMatrix(self.names, stamps, values, ready.astype(bool), self.schema_hash)

    # -- identity ------------------------------------------------------------------------------

    def schema(self) -> dict[str, Any]:
        """Return everything the numbers depend on besides the bars."""
        return {
            "version": SCHEMA_VERSION,
            "normalize": self.normalize,
            "fill": self.fill,
            "tz": self.tz,
            "features": [[f.name, repr(f.make()), list(f.inputs), f.output] for f in self.features],
        }

    def require(self, schema_hash: str) -> None:
        """Check that a model was trained on features of this set.

        Raises
        ------
        ConfigError
            If its hash is another one.
        """
        if schema_hash != self.schema_hash:
            raise ConfigError(
                f"the model was trained on features {schema_hash[:12]}…, "
                f"this set is {self.schema_hash[:12]}…",
                code="schema_mismatch",
                remedy="Build the set the model was trained with, or train it again",
            )

    def __len__(self) -> int:
        return len(self.names)

    def __repr__(self) -> str:
        return f"FeatureSet({len(self)} features, {self.schema_hash[:12]})"


def _hash_of(schema: dict[str, Any]) -> str:
    text = json.dumps(schema, sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
