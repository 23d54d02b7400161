"""How a day's volume is spread over its hours, from history."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from pyrt.core.times import duration_ns
from pyrt.errors import ConfigError, DataError

__all__ = ["VolumeProfile"]

DAY_NS = 86_400_000_000_000


class VolumeProfile:
    """Mean volume by time of day.

    Parameters
    ----------
    volumes : mapping of int to number
        Start of a bucket, in ns since midnight → its mean volume.
    bucket : int, str or timedelta
        Length of a bucket; volume is taken to be even within one.
    tz : str
        Zone whose clock the buckets follow.

    Examples
    --------
    >>> profile = VolumeProfile({0: 100, 3_600_000_000_000: 300}, "1h", tz="UTC")
    >>> profile.weights_between([0, 1_800_000_000_000, 5_400_000_000_000])
    [50.0, 200.0]
    """

    def __init__(
        self, volumes: Mapping[int, Any], bucket: Any, *, tz: str = "America/New_York"
    ) -> None:
        self._bucket = duration_ns(bucket)
        if self._bucket <= 0 or DAY_NS % self._bucket:
            raise ConfigError(f"bucket is {bucket!r}; expected a divisor of a day")
        self._zone = ZoneInfo(tz)
        self._volumes = {int(start): float(volume) for start, volume in volumes.items()}
        for start, volume in self._volumes.items():
            if start % self._bucket or not 0 <= start < DAY_NS or not volume >= 0:
                raise ConfigError(f"{start}: {volume} is no bucket of {bucket!r} and its volume")

    @classmethod
    def from_history(
        cls, bars: Any, bucket: Any = "30m", *, tz: str = "America/New_York"
    ) -> VolumeProfile:
        """Return the mean volume by time of day of bars or trades, over the days they hold.

        Parameters
        ----------
        bars : DataFrame
            With a DatetimeIndex of bar opens and a ``volume`` (or ``size``) column.

        Raises
        ------
        DataError
            If there is no such column.
        """
        names = {str(name).lower(): name for name in bars.columns}
        column = names.get("volume", names.get("size"))
        if column is None:
            raise DataError("a profile needs a column 'volume' or 'size'", code="columns")
        stamps = bars.index.tz_localize("UTC") if bars.index.tz is None else bars.index
        local = stamps.tz_convert(tz).tz_localize(None).as_unit("ns").asi8
        length = duration_ns(bucket)
        days = len(np.unique(local // DAY_NS))
        starts, row = np.unique(local % DAY_NS // length * length, return_inverse=True)
        sums = np.bincount(row, weights=bars[column].to_numpy(float))
        volumes = dict(zip(starts.tolist(), (sums / days).tolist(), strict=True))
        return cls(volumes, bucket, tz=tz)

    def weights_between(self, edges: Sequence[int]) -> list[float]:
        """Return the volume expected between each two of some instants (ns UTC), rising."""
        reached = [self._until(edge, edges[0]) for edge in edges]
        return [later - earlier for earlier, later in pairwise(reached)]

    def _until(self, ts: int, since: int) -> float:
        """Volume expected from `since` to `ts`."""
        total, at = 0.0, since
        while at < ts:
            start = self._time_of_day(at)
            first = start - start % self._bucket
            step = min(ts - at, first + self._bucket - start)
            total += self._volumes.get(first, 0.0) * step / self._bucket
            at += step
        return total

    def _time_of_day(self, ts: int) -> int:
        moment = dt.datetime.fromtimestamp(ts // 1_000_000_000, self._zone)
        offset = moment.utcoffset()
        assert offset is not None
        return (ts + int(offset.total_seconds()) * 1_000_000_000) % DAY_NS

    def __len__(self) -> int:
        return len(self._volumes)

    def __repr__(self) -> str:
        return f"VolumeProfile({len(self)} buckets, {Decimal(self._bucket) / 10**9:f} s)"
